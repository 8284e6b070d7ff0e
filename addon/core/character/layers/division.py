"""Self-occlusion: limbs that lie over or against the body become layers of their own.

Photo Wake-Up section 4.4: the silhouette is divided by a map of part labels (`part_segmentation`),
where surfaces meet that are no neighbours on the body (`occlusion`); each part is completed from
the body where others hide it (`amodal_completion`) and lifted by itself. An arm that borders on
nothing but its own shoulder stays in the base layer, which keeps its surface in one piece. Beyond
the paper, a leg that crosses or touches the other one is divided off too; legs that stand apart
under a skirt are not, since there the surface between them is the skirt. A limb may also lie
behind the body: what the body hides of it is completed in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ... import frames
from ...body.model.body_model import BodyModel
from ...body.model.parts import (
    HEAD,
    LEFT_ARM,
    LEFT_LEG,
    PART_NAMES,
    RIGHT_ARM,
    RIGHT_LEG,
    TORSO,
    part_of_joint,
)
from ...body.model.skeleton import JOINT
from ...body.rasterisation import render_maps
from ...imaging.fill_nearest import nearest_in
from ...imaging.graph_cut import Index
from ...imaging.masks import dilated_by_square, largest_component
from ...types import BodyMaps, FittedBody, Float32, Float64, Mask, UInt8
from ..outline.warp import Warp
from .amodal_completion import complete
from .limb_self_occlusion import FAR, FAR_JOINTS, far_of_body, far_segments, far_weight, of_limb
from .occlusion import SHOULDER_REACH_M, mask_of, occluding_pairs, without_penetration
from .part_segmentation import LabelMap, first_labels, follow_edges, painted_over

HIP_REACH_M = 0.22  # around the hip joint the legs are neighbours, down to the crotch
FOLD_REACH_M = 0.13  # around the hip joint a thigh meets the trunk, be it bent or not
FAR_REACH_M = 0.06  # around elbow and knee both segments are one limb
LEAST_CONTACT = 0.03  # of the figure: a limb that occludes along less stays in the base
LOOSE_CLOTHES = 1.5  # leg pixels of the person over those of the body: a skirt or a robe
OVERLAP_WEIGHT = 0.12  # an arm's layer takes the shoulder's faces that follow it at least so much
STUMP_WEIGHT = 0.85  # the base keeps the faces that follow the arm less than so much
SMALLEST_LAYER = 60  # grid pixels; less is noise of the labels
SEAM_PX = 1  # grid pixels that layers reach under each other, so that no light comes through
NEARER_M = 0.05  # more than two parts' depths differ where they meet, at a shoulder say
MIXED_PX = 1.5  # grid pixels beside another layer whose colours are of both


@dataclass(frozen=True, eq=False)
class Limb:
    """A limb that may be divided off."""

    part: int
    root: npt.NDArray[np.float64]  # (2,) grid pixels of its first joint
    reach_px: float  # grid pixels around the root within which it is one with the base
    rest: dict[int, float]  # the parts that it is divided from, and how far around the root, in
    # grid pixels, touching them is natural


@dataclass(frozen=True, eq=False)
class Layer:
    """A part of the person that is lifted as one closed surface.

    region : (h, w) bool, all of its silhouette, what others hide included
    own : (h, w) bool, where the photo shows it
    pure : (h, w) bool, `own` without the pixels that mix its colours with another layer's
    faces : (F,) bool, the body's faces it is made from
    """

    name: str
    region: Mask
    own: Mask
    pure: Mask
    faces: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Division:
    """The person, divided.

    found : (h, w) part labels that were found; labels : with what the user has painted over them
    layers : the base first, then a layer for each limb that lies over, behind or against it
    """

    found: UInt8
    labels: UInt8
    layers: list[Layer]


def divide(
    mapping: Warp,
    maps: BodyMaps,
    colours: UInt8,
    model: BodyModel,
    fitted: FittedBody,
    painted: UInt8 | None = None,
    seed: int = 0,
) -> Division:
    """Label the person's pixels and divide off the limbs that occlude or are occluded.

    Parameters
    ----------
    mapping : Warp
        Where on the body each pixel is.
    maps : BodyMaps
        The body's maps on the grid.
    colours : UInt8
        (h, w, 3) the photo on the crop's grid.
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.
    painted : UInt8 | None
        (H, W) part labels in photo pixels that the user asks for, 0 where nothing is asked.
    seed : int
        Of colour clusters.

    Returns
    -------
    Division
        Labels, and the layers with their outlines.
    """
    inside, crop = mapping.inside, maps.crop
    rows, columns = np.nonzero(inside)
    figure = float(max(np.ptp(rows), np.ptp(columns)))
    body = without_penetration(maps, model, fitted)
    first = first_labels(mapping.source, inside, body.label, mapping.on_gaps())

    def meet(labels: UInt8) -> Index:
        return occluding_pairs(labels, mapping.source, body, model, fitted)

    joints = fitted.joints.astype(np.float64)
    at = frames.grid_from_photo(crop, frames.project(fitted.camera, joints))
    metre = fitted.camera.focal_px * crop.scale / joints[0, 2]
    limbs = _limbs(at, joints[:, 2], metre)
    skirt = _area(first.part, LEFT_LEG, RIGHT_LEG) > LOOSE_CLOTHES * _area(
        maps.front.label, LEFT_LEG, RIGHT_LEG
    )
    if skirt:
        limbs = [limb for limb in limbs if limb.part not in (LEFT_LEG, RIGHT_LEG)]

    pairs = meet(first.part)
    contacts = [_contact(pairs, first, limb, figure) for limb in limbs]
    occlusion = np.any([mask_of(contact, inside.shape) for contact in contacts], axis=0)
    found = follow_edges(first.part, occlusion, colours, figure, seed)
    labels = painted_over(found, painted, crop)
    now = LabelMap(labels, first.known)
    pairs = meet(labels)
    divided = [limb for limb in limbs if len(_contact(pairs, now, limb, figure))]
    near_body = _near_body(now)
    fine = far_segments(
        labels, near_body, mapping.source, body, colours, model, fitted, figure, seed
    )
    pieces = _pieces(divided, fine, model, at, metre)
    if not pieces:
        return Division(found, labels, [_whole(inside, model)])

    x, y = (np.nan_to_num(mapping.source[..., axis], nan=-10.0) for axis in (0, 1))

    def carried(faces: npt.NDArray[np.bool_]) -> Float64:
        depth = render_maps(model, fitted, crop, faces).front.depth
        found = cv2.remap(depth, x, y, cv2.INTER_NEAREST, borderValue=np.nan)
        return np.where(inside, found, np.nan).astype(np.float64)

    fitted_labels = cv2.remap(far_of_body(body, model), x, y, cv2.INTER_NEAREST)
    return Division(found, labels, _layers(fine, fitted_labels, pieces, inside, model, carried))


_LEG_SIDES = {LEFT_LEG: "left", RIGHT_LEG: "right"}


def _limbs(
    joints: npt.NDArray[np.float64], depth: npt.NDArray[np.float64], pixels_per_metre: float
) -> list[Limb]:
    """Both arms, and both legs, of which the one that is nearer to the camera is divided off where
    they meet.

    joints : (24, 2) grid pixels; depth : (24,) metres
    """
    shoulder, hip, fold = (
        metres * pixels_per_metre for metres in (SHOULDER_REACH_M, HIP_REACH_M, FOLD_REACH_M)
    )
    trunk = (HEAD, TORSO, LEFT_LEG, RIGHT_LEG)
    arms = [
        Limb(part, joints[JOINT[root]], shoulder, dict.fromkeys((*trunk, other), shoulder))
        for root, part, other in (
            ("left_shoulder", LEFT_ARM, RIGHT_ARM), ("right_shoulder", RIGHT_ARM, LEFT_ARM)
        )
    ]  # fmt: skip
    knees = {LEFT_LEG: depth[JOINT["left_knee"]], RIGHT_LEG: depth[JOINT["right_knee"]]}
    near, far = sorted(knees, key=lambda leg: knees[leg])
    legs = [
        Limb(part, joints[JOINT[f"{_LEG_SIDES[part]}_hip"]], hip, rest)
        for part, rest in ((near, {far: hip, TORSO: fold, HEAD: fold}),
                           (far, {TORSO: fold, HEAD: fold}))
    ]  # fmt: skip
    return [*arms, *legs]


def _contact(pairs: Index, labels: LabelMap, limb: Limb, figure: float) -> Index:
    """(M, 2) of the pairs, those where the limb meets what it is divided from; none where they
    are too few to be more than the labels' noise."""
    flat = labels.part.ravel()
    ends = flat[pairs]
    reach = np.full(256, np.inf)  # of parts that the limb is not divided from
    reach[list(limb.rest)] = list(limb.rest.values())
    other = np.where(ends[:, 0] == limb.part, ends[:, 1], ends[:, 0])
    of_limb = (ends == limb.part).any(axis=1)
    row, column = np.divmod(pairs[:, 0], labels.part.shape[1])
    away = np.hypot(column - limb.root[0], row - limb.root[1]) > reach[other]
    # Between legs only what the body itself shows counts: the rest is cloth.
    near_body = _near_body(labels)
    legs = np.isin(ends, (LEFT_LEG, RIGHT_LEG)).all(axis=1)
    chosen = pairs[of_limb & away & (~legs | near_body.ravel()[pairs].all(axis=1))]
    own = np.unique(chosen[flat[chosen] == limb.part])
    return chosen if len(own) >= LEAST_CONTACT * figure else chosen[:0]


def _near_body(labels: LabelMap) -> Mask:
    """(h, w) the pixels at which the body itself is, and not cloth that stands off it."""
    inside = labels.part > 0
    return dilated_by_square(labels.known, 1) & ~dilated_by_square(inside & ~labels.known, 1)


@dataclass(frozen=True, eq=False)
class Piece:
    """What becomes a layer besides the base: a limb, or a folded limb's far segment."""

    name: str
    label: int  # in the labels with far segments
    follows: Float32  # (F,) how much each of the body's faces follows it
    root: npt.NDArray[np.float64]  # (2,) grid pixels of its first joint
    reach_px: float  # grid pixels around the root within which it is one with what it hangs on


def _pieces(
    divided: list[Limb],
    fine: UInt8,
    model: BodyModel,
    joints: npt.NDArray[np.float64],
    pixels_per_metre: float,
) -> list[Piece]:
    """The divided limbs and the far segments of those that are folded, divided or not.

    joints : (24, 2) grid pixels
    """
    pieces = [
        Piece(PART_NAMES[limb.part], limb.part, _follows(model, part_of_joint() == limb.part),
              limb.root, limb.reach_px)
        for limb in divided
    ]  # fmt: skip
    for limb, (first, *_) in FAR_JOINTS.items():
        if not (fine == limb + FAR).any():
            continue
        follows = far_weight(model.weights, limb)[model.faces].mean(axis=1)
        pieces.append(
            Piece(f"{PART_NAMES[limb]}, {first.split('_')[1]} down", limb + FAR, follows,
                  joints[JOINT[first]], FAR_REACH_M * pixels_per_metre)
        )  # fmt: skip
    return pieces


def _layers(
    fine: UInt8,
    fitted_labels: UInt8,
    pieces: list[Piece],
    inside: Mask,
    model: BodyModel,
    carried: Callable[[npt.NDArray[np.bool_]], Float64],
) -> list[Layer]:
    """fine : (h, w) labels with far segments; fitted_labels : the same of what the body shows at
    the person's pixels
    carried : from faces of the body (F,) to their depth under the warp (h, w), metres, NaN where
        they are not
    """
    own_pieces = {piece.label for piece in pieces}
    # What has no layer of its own belongs to its limb's, or with that to the base.
    kept = np.where(np.isin(fine, list(own_pieces)), fine, of_limb(fine))
    faces = {piece.label: _faces_of(piece, pieces) for piece in pieces}
    depth = {label: carried(drawn) for label, drawn in faces.items()}
    spread = {label: _spread(each) for label, each in depth.items()}
    base_depth = carried(_base_faces(pieces))
    base_spread = _spread(base_depth)
    shown = base_spread.copy()  # depth of what the photo shows
    for piece in pieces:
        own = kept == piece.label
        shown[own] = spread[piece.label][own]
    # Where a part would lie before what the photo shows, it has ended.
    limit = shown - NEARER_M
    rows, columns = np.indices(inside.shape)
    arms = np.isin(of_limb(kept), (LEFT_ARM, RIGHT_ARM))
    layers, remaining = [], []
    taken = np.zeros_like(inside)
    for piece in pieces:
        own = kept == piece.label
        joined = np.hypot(columns - piece.root[0], rows - piece.root[1]) < piece.reach_px
        # Where the fit has the limb in front and the picture does not, the fit is wrong about
        # where it is; of crossed arms either may lie before the other all the same.
        behind = arms | (fitted_labels != piece.label)
        hidden = (inside & ~own & behind) | joined
        region = complete(own, np.isfinite(depth[piece.label]), hidden)
        region &= own | joined | ~(spread[piece.label] < limit)
        # A hand that looks out behind the other arm is one with its own arm under that.
        region = largest_component(region | (dilated_by_square(own, SEAM_PX) & inside))
        own &= region
        if own.sum() < SMALLEST_LAYER:
            continue
        layers.append(Layer(piece.name, region, own, _pure(own, inside), faces[piece.label]))
        remaining.append(piece)
        taken |= own
    if not layers:
        return [_whole(inside, model)]
    base_faces = _base_faces(remaining)
    if len(remaining) < len(pieces):
        base_depth = carried(base_faces)
        base_spread = _spread(base_depth)
    own = inside & ~taken
    region = complete(own, np.isfinite(base_depth), taken)
    region &= own | ~(base_spread < limit)
    region |= dilated_by_square(own, SEAM_PX) & inside
    return [Layer("body", region, own, _pure(own, inside), base_faces), *layers]


def _faces_of(piece: Piece, pieces: list[Piece]) -> npt.NDArray[np.bool_]:
    """(F,) the faces of a piece's layer, without those of its own far segment."""
    drawn = piece.follows > OVERLAP_WEIGHT
    for other in pieces:
        if other.label == piece.label + FAR:
            drawn &= other.follows < STUMP_WEIGHT
    return drawn


def _base_faces(pieces: list[Piece]) -> npt.NDArray[np.bool_]:
    """(F,) the faces of the base, given all that is divided off it."""
    kept: npt.NDArray[np.bool_] = np.all([piece.follows < STUMP_WEIGHT for piece in pieces], axis=0)
    return kept


def _whole(inside: Mask, model: BodyModel) -> Layer:
    return Layer("body", inside, inside, inside, np.ones(len(model.faces), bool))


def _pure(own: Mask, inside: Mask) -> Mask:
    others = inside & ~own
    if not others.any():
        return own
    away = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 5) > 1 + MIXED_PX
    return own & away if (own & away).any() else own


def _spread(depth: Float64) -> Float64:
    """(h, w) with each pixel that has no depth given the nearest one's; infinite where none has."""
    there = np.isfinite(depth)
    if not there.any():
        return np.full(depth.shape, np.inf)
    filled: Float64 = depth[nearest_in(there)]
    return filled


def _area(labels: UInt8, *parts: int) -> int:
    return int(np.isin(labels, parts).sum())


def _follows(model: BodyModel, joints: npt.NDArray[np.bool_]) -> Float32:
    """(F,) how much each face follows some joints (24,): the mean weight of its corners."""
    follows: Float32 = model.weights[:, joints].sum(axis=1)[model.faces].mean(axis=1)
    return follows
