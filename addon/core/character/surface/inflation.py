"""From a flat mesh and two depth maps to one closed surface (Photo Wake-Up section 4.3).

Front and back share the outline's vertices, so the surface is closed by construction. Vertices
move along the photo's rays only: whatever is done to depth, the silhouette stays the photo's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from ...types import AnyArray, Float32, Float64, Int32, Mask
from .triangulation import FlatMesh

# Half the least thickness at distance d from the outline is the smaller of these.
LEAST_HALF_THICKNESS_M = 0.004  # a hand's edge or a hem; keeps the two sheets apart
LEAST_HALF_SLOPE = 0.25  # times d
RIM_RELAXATION_ROUNDS = 8  # the rim settles between its front and back neighbours
RIM_RELAXATION_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class ClosedMesh:
    """The lifted surface; its first `rim_count` vertices are shared by front and back.

    pixels : (V, 2) grid pixels of the vertices; depth : (V,) metres
    triangles : (T, 3) int32, counter-clockwise from outside; the first `front_count` are the front
    sheet : (V,) int8: -1 back, 0 rim, +1 front
    """

    pixels: Float64
    depth: Float64
    triangles: Int32
    front_count: int
    rim_count: int
    sheet: AnyArray


def lift(
    flat: FlatMesh,
    front_depth: Float64,
    back_depth: Float64,
    rim_depth: Float64,
    metres_per_pixel: float,
) -> ClosedMesh:
    """Close the flat mesh over its outline.

    Parameters
    ----------
    flat : FlatMesh
        The outline filled with triangles.
    front_depth : Float64
        (h, w) metres, NaN outside of the silhouette.
    back_depth : Float64
        (h, w) metres, NaN outside of the silhouette.
    rim_depth : Float64
        (rim_count,) metres.
    metres_per_pixel : float
        Size of a grid pixel at the body.

    Returns
    -------
    ClosedMesh
        Front and back share the outline's vertices.
    """
    rim, inner = flat.points[: flat.rim_count], flat.points[flat.rim_count :]
    front = sample_inside(front_depth[..., None], inner)[:, 0]
    back = sample_inside(back_depth[..., None], inner)[:, 0]
    to_rim, _ = cKDTree(rim).query(inner)
    front, back = _kept_apart(front, back, to_rim * metres_per_pixel)

    count, inner_count = flat.rim_count, len(inner)
    mirrored = flat.triangles.copy()
    mirrored[mirrored >= count] += inner_count
    # Positive area in a frame with y down is clockwise to the viewer: turned over for the front.
    triangles = np.vstack([flat.triangles[:, [0, 2, 1]], mirrored]).astype(np.int32)
    sheet = np.zeros(count + 2 * inner_count, np.int8)
    sheet[count : count + inner_count] = 1
    sheet[count + inner_count :] = -1
    depth = np.concatenate([_settled(rim_depth, front, back, triangles, count), front, back])
    pixels = np.vstack([rim, inner, inner])
    return ClosedMesh(pixels, depth, triangles, len(flat.triangles), count, sheet)


def least_thickness(to_rim: Float64) -> Float64:
    """Metres that front and back keep between them at distances (...) from the rim in metres.

    Parameters
    ----------
    to_rim : Float64
        (...,) metres.

    Returns
    -------
    Float64
        (...,) metres.
    """
    least: Float64 = np.clip(2 * LEAST_HALF_SLOPE * to_rim, 0.0, 2 * LEAST_HALF_THICKNESS_M)
    return least


def _kept_apart(front: Float64, back: Float64, to_rim: Float64) -> tuple[Float64, Float64]:
    middle = (front + back) / 2
    half = np.maximum(back - front, least_thickness(to_rim)) / 2
    return middle - half, middle + half


def _settled(
    rim_depth: Float64, front: Float64, back: Float64, triangles: Int32, count: int
) -> Float64:
    """Rim depths relaxed towards the mean of their neighbours, which stay."""
    depth = np.concatenate([rim_depth, front, back])
    start, end = triangles[:, [0, 1, 2]].ravel(), triangles[:, [1, 2, 0]].ravel()
    of_rim = start < count
    # Each edge of a closed mesh is met once in each sense, so every neighbour counts once.
    adjacency = sparse.csr_matrix(
        (np.ones(int(of_rim.sum())), (start[of_rim], end[of_rim])), shape=(count, len(depth))
    )
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    for _ in range(RIM_RELAXATION_ROUNDS):
        mean = adjacency @ depth / degree
        depth[:count] += RIM_RELAXATION_SHARE * (mean - depth[:count])
    return depth[:count]


def sample_inside(values: Float64 | Float32, points: Float64) -> Float64:
    """Bilinear samples (N, k) at grid pixels (N, 2) of values (h, w, k) that are NaN outside.

    Pixels outside do not count; where a footprint has none inside, the nearest one inside does.

    Parameters
    ----------
    values : Float64 | Float32
        (h, w, k), NaN outside.
    points : Float64
        (N, 2) grid pixels.

    Returns
    -------
    Float64
        (N, k).
    """
    inside: Mask = np.isfinite(values[..., 0])
    x, y = (points[:, k].astype(np.float32)[None] for k in (0, 1))

    def look_up(channel: Float64) -> Float64:
        return cv2.remap(channel, x, y, cv2.INTER_LINEAR)[0]

    share = look_up(inside.astype(np.float64))
    channels = [
        look_up(np.where(inside, values[..., c], 0).astype(np.float64))
        for c in range(values.shape[2])
    ]
    sampled = np.stack(channels, axis=1) / np.maximum(share, 1e-9)[:, None]
    lost = share < 1e-3
    if lost.any():
        rows, columns = np.nonzero(inside)
        _, nearest = cKDTree(np.stack([columns, rows], axis=1)).query(points[lost])
        sampled[lost] = values[rows[nearest], columns[nearest]]
    return sampled
