"""Where parts of the person meet in the picture that are no neighbours on the body.

Photo Wake-Up section 4.4: a border between two labels is an occlusion where the surface points on
both of its sides are far from each other along the surface.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from ... import frames
from ...body.model.body_model import BodyModel
from ...body.model.parts import LEFT_ARM, RIGHT_ARM, part_of_joint
from ...body.model.skeleton import JOINT
from ...body.rasterisation import render_maps
from ...imaging.fill_nearest import fill_nearest
from ...imaging.graph_cut import Index, neighbour_pairs
from ...types import BodyMaps, FittedBody, Float32, Mask, SurfaceMaps, UInt8

# Around the shoulder arm and trunk share a surface: which of them is in front means nothing there.
SHOULDER_REACH_M = 0.13
# Metres along the surface within which neighbouring pixels may lie on one surface: an arm's border
# with its own shoulder does, one with the ribs a hand's breadth below the armpit does not.
NEAR_ON_SURFACE_M = 0.10


def without_penetration(maps: BodyMaps, model: BodyModel, fitted: FittedBody) -> SurfaceMaps:
    """What the body shows, with arms outside of trunk, head and legs.

    A fit may put a forearm some centimetres into the belly, which hides it. Bodies do not: an arm
    whose middle along a pixel's ray is nearer than the middle of what it meets lies in front.

    Parameters
    ----------
    maps : BodyMaps
        The body's maps on the grid.
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.

    Returns
    -------
    SurfaceMaps
        On the grid of the maps.
    """
    shown = maps.front
    label, vertex = shown.label.copy(), shown.vertex.copy()
    parts = part_of_joint()[model.weights[model.faces].mean(axis=1).argmax(axis=1)]
    rest = render_maps(model, fitted, maps.crop, ~np.isin(parts, (LEFT_ARM, RIGHT_ARM)))
    middle = rest.front.depth + rest.back.depth
    rows, columns = np.indices(label.shape)
    joints = fitted.joints.astype(np.float64)
    roots = frames.grid_from_photo(maps.crop, frames.project(fitted.camera, joints))
    reach = SHOULDER_REACH_M * fitted.camera.focal_px * maps.crop.scale / joints[0, 2]
    for part, root in ((LEFT_ARM, "left_shoulder"), (RIGHT_ARM, "right_shoulder")):
        arm = render_maps(model, fitted, maps.crop, parts == part)
        x, y = roots[JOINT[root]]
        with np.errstate(invalid="ignore"):
            before = arm.front.depth + arm.back.depth < middle
        before &= (label > 0) & ~np.isin(label, (LEFT_ARM, RIGHT_ARM))
        before &= np.hypot(columns - x, rows - y) > reach
        label[before], vertex[before] = part, arm.front.vertex[before]
    return replace(shown, label=label, vertex=vertex)


def border_pairs(labels: UInt8) -> Index:
    """(M, 2) flat indices of neighbouring pixels with different labels, none of them 0.

    Parameters
    ----------
    labels : UInt8
        (h, w) part labels.

    Returns
    -------
    Index
        (M, 2).
    """
    pairs, _ = neighbour_pairs(labels > 0)
    flat = labels.ravel()
    return pairs[flat[pairs[:, 0]] != flat[pairs[:, 1]]]


def occluding_pairs(
    labels: UInt8, source: Float32, body: SurfaceMaps, model: BodyModel, fitted: FittedBody
) -> Index:
    """(M, 2) flat indices of neighbouring pixels whose labels differ and whose points lie farther
    than NEAR_ON_SURFACE_M from each other along the body's surface.

    A pixel's point is the body's nearest visible one of the pixel's own label.

    Parameters
    ----------
    labels : UInt8
        (h, w).
    source : Float32
        (h, w, 2) body pixel x, y of each pixel.
    body : SurfaceMaps
        What the body shows.
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.

    Returns
    -------
    Index
        (M, 2).
    """
    pairs = border_pairs(labels)
    if len(pairs) == 0:
        return pairs
    vertex = points_of(np.unique(pairs), labels, source, body)
    first, second = vertex[pairs[:, 0]], vertex[pairs[:, 1]]
    told = (first >= 0) & (second >= 0)
    starts, which = np.unique(first[told], return_inverse=True)
    reached = dijkstra(
        _surface_graph(model, fitted), directed=False, indices=starts, limit=NEAR_ON_SURFACE_M
    )
    far = np.zeros(len(pairs), bool)
    far[told] = np.isinf(reached[which, second[told]])
    # A label that the body shows nowhere was painted: the user knows that there is something.
    return pairs[far | ~told]


def points_of(pixels: Index, labels: UInt8, source: Float32, body: SurfaceMaps) -> Index:
    """(h * w,) body vertex at the given flat pixels, -1 where the body does not show the label.

    Parameters
    ----------
    pixels : Index
        (N,) flat pixel indices.
    labels : UInt8
        (h, w) part labels.
    source : Float32
        (h, w, 2) body pixel x, y of each pixel.
    body : SurfaceMaps
        What the body shows at its own pixels.

    Returns
    -------
    Index
        (h * w,).
    """
    height, width = labels.shape
    at = np.nan_to_num(source.reshape(-1, 2)[pixels])
    column = np.clip(np.round(at[:, 0]).astype(int), 0, width - 1)
    row = np.clip(np.round(at[:, 1]).astype(int), 0, height - 1)
    found = np.full(labels.size, -1, np.int64)
    for part in np.unique(labels.ravel()[pixels]):
        shown = body.label == part
        if not shown.any():
            continue
        vertex = fill_nearest(body.vertex, shown)
        those = labels.ravel()[pixels] == part
        found[pixels[those]] = vertex[row[those], column[those]]
    return found


def _surface_graph(model: BodyModel, fitted: FittedBody) -> sparse.csr_matrix:
    """The body's edges with their lengths in metres."""
    faces = model.faces
    sides = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.unique(np.sort(sides, axis=1), axis=0)
    ends = fitted.vertices.astype(np.float64)[edges]
    lengths = np.maximum(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1), 1e-9)
    count = len(fitted.vertices)
    return sparse.csr_matrix((lengths, (edges[:, 0], edges[:, 1])), shape=(count, count))


def mask_of(pairs: Index, shape: tuple[int, ...]) -> Mask:
    """(h, w) bool: the pixels of pairs.

    Parameters
    ----------
    pairs : Index
        (M, 2) flat pixel indices.
    shape : tuple[int, ...]
        (h, w).

    Returns
    -------
    Mask
        (h, w).
    """
    mask = np.zeros(shape, bool)
    mask.ravel()[pairs] = True
    return mask
