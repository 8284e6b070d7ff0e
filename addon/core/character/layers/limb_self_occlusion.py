"""Limbs that are folded in the picture: a forearm over its upper arm, a shin behind its thigh.

One sheet over both would bridge from the one to the other, and be a sail between them as soon as
the limb is stretched. So the far segment of such a limb has a label of its own, found as the parts
are (Photo Wake-Up section 4.4): from the body, where the two meet as no neighbours on it, and
along the picture's edges.
"""

from __future__ import annotations

import numpy as np

from ...body.model.body_model import BodyModel
from ...body.model.parts import LEFT_ARM, LEFT_LEG, NOTHING, RIGHT_ARM, RIGHT_LEG
from ...body.model.skeleton import JOINT
from ...types import FittedBody, Float32, Integers, Mask, SurfaceMaps, UInt8
from .occlusion import mask_of, occluding_pairs, points_of
from .part_segmentation import follow_edges

FAR = 8  # a far segment's label is its limb's and this
FAR_JOINTS = {
    LEFT_ARM: ("left_elbow", "left_wrist", "left_hand"),
    RIGHT_ARM: ("right_elbow", "right_wrist", "right_hand"),
    LEFT_LEG: ("left_knee", "left_ankle", "left_foot"),
    RIGHT_LEG: ("right_knee", "right_ankle", "right_foot"),
}
LEAST_KEPT = 0.5  # of each segment's pixels when its border moves to the picture's edges
LEAST_FOLD = 0.02  # of the figure: half a forearm's width, along which the segments meet


def far_weight(weights: Float32, limb: int) -> Float32:
    """(V,) how much each row of weights (V, 24) follows a limb's far segment.

    Parameters
    ----------
    weights : Float32
        (V, 24).
    limb : int
        A limb's part label.

    Returns
    -------
    Float32
        (V,) 0..1.
    """
    return weights[:, [JOINT[name] for name in FAR_JOINTS[limb]]].sum(axis=1)


def far_of_body(body: SurfaceMaps, model: BodyModel) -> UInt8:
    """(h, w) what the body shows, the far segments of all limbs with labels of their own.

    Parameters
    ----------
    body : SurfaceMaps
        What the body shows at its own pixels.
    model : BodyModel
        The body model.

    Returns
    -------
    UInt8
        (h, w).
    """
    result = body.label.copy()
    for limb in FAR_JOINTS:
        shown = body.label == limb
        far = far_weight(model.weights, limb)[body.vertex[shown]] > 0.5
        result[shown] = np.where(far, limb + FAR, limb)
    return result


def far_segments(
    labels: UInt8,
    on_body: Mask,
    source: Float32,
    body: SurfaceMaps,
    colours: UInt8,
    model: BodyModel,
    fitted: FittedBody,
    figure: float,
    seed: int = 0,
) -> UInt8:
    """Part labels (h, w) with labels of their own for the far segments of folded limbs.

    Parameters
    ----------
    labels : UInt8
        (h, w) part labels.
    on_body : Mask
        (h, w) bool, the pixels where segments of legs that meet are the body's, not cloth.
    source : Float32
        (h, w, 2) body pixel x, y of each pixel.
    body : SurfaceMaps
        What the body shows.
    colours : UInt8
        (h, w, 3) the photo on the same grid.
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.
    figure : float
        Grid pixels.
    seed : int
        Of colour clusters.

    Returns
    -------
    UInt8
        (h, w).
    """
    shown = far_of_body(body, model)
    fine_body = SurfaceMaps(body.depth, body.normal, body.weights, shown, body.vertex)
    result = labels.copy()
    for limb in FAR_JOINTS:
        pixels = np.flatnonzero(labels == limb)
        point = points_of(pixels, labels, source, body)[pixels]
        if not (point >= 0).any():
            continue
        fine = np.where(labels == limb, labels, NOTHING).astype(np.uint8)
        fine.ravel()[pixels[far_weight(model.weights, limb)[point] > 0.5]] += FAR
        pairs = occluding_pairs(fine, source, fine_body, model, fitted)
        if limb in (LEFT_LEG, RIGHT_LEG):
            pairs = pairs[on_body.ravel()[pairs].all(axis=1)]
        if len(np.unique(pairs[:, 0])) < LEAST_FOLD * figure:
            continue
        found = follow_edges(fine, mask_of(pairs, labels.shape), colours, figure, seed)
        # A segment that is little more than a strip beside the other is lost to its smooth border.
        kept = [(found == label).sum() / (fine == label).sum() for label in (limb, limb + FAR)]
        found = found if min(kept) > LEAST_KEPT else fine
        result[found > NOTHING] = found[found > NOTHING]
    return result


def of_limb(labels: Integers) -> Integers:
    """Labels with the far segments' given back to their limbs.

    Parameters
    ----------
    labels : Integers
        (h, w), or any shape.

    Returns
    -------
    Integers
        The same shape.
    """
    return labels % FAR
