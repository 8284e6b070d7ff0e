"""The boundary-matched inverse warp: for each pixel of the person, where on the body it is.

Photo Wake-Up section 4.1: f(x) = sum_i lambda_i(x) p_body[phi[i]], with lambda the mean-value
coordinates of x in the photo's outline and phi the matched outlines. What the body's maps show at
f(x) is copied to x; pixels that land beside the body (holes) are filled harmonically (the paper's
supplement does it by mean-value coordinates of the hole's rim).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from scipy.interpolate import RegularGridInterpolator
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from ..types import BodyMaps, Float32, Float64, Mask, SurfaceMaps
from . import contour, contour_matching, mean_value_coordinates
from .contour import Outline

OUTLINE_SPACING = 2.0  # grid pixels between points of the matched outlines
BODY_OUTLINE_SMOOTHING = 1.0  # points; the body's mask is binary, its outline a staircase
LATTICE_STEP = 4  # grid pixels; mean-value coordinates are smooth away from the outline
EXACT_BAND = 5.0  # grid pixels from the outline within which they are evaluated at each pixel
RIM_SMOOTHING = 2.0  # points; evens out the depth where several points share a body point


@dataclass(frozen=True, eq=False)
class Warp:
    """The inverse warp on a crop's grid, and the depth of the silhouette."""

    inside: Mask  # (h, w), the person's silhouette
    source: Float32  # (h, w, 2), body pixel x, y for each inside pixel
    rim_points: Float64  # (m, 2), grid pixels along the person's loops
    rim_depth: Float64  # (m,), metres, depth of the body's outline carried over
    collapsed_fraction: float  # share of outline steps that stand still on the body
    foldover_fraction: float  # share of inside pixels whose neighbourhood is turned over

    def rim_depth_at(self, points: Float64) -> Float64:
        """Depth (N,) of the silhouette at grid pixels (N, 2) on or near it."""
        distance, nearest = cKDTree(self.rim_points).query(points, k=2)
        weight = 1.0 / np.maximum(distance, 1e-6)
        return (self.rim_depth[nearest] * weight).sum(axis=1) / weight.sum(axis=1)


def body_outline(maps: BodyMaps) -> Outline:
    """The body's silhouette on the grid."""
    return contour.trace(maps.mask.astype(np.float32))


def warp(
    outline: Outline,
    maps: BodyMaps,
    terms: contour_matching.MatchingTerms = contour_matching.DEFAULT,
) -> Warp:
    """Match the person's outline (grid pixels) to the body's and carry the plane along."""
    inside = contour.rasterise(outline, (maps.crop.height, maps.crop.width))
    body = body_outline(maps)
    figure = float(np.ptp(outline.outer, axis=0).max())
    mean_depth = _rim_depth_map(maps)

    person_loops: list[Float64] = []
    body_loops: list[Float64] = []
    depths: list[Float64] = []
    collapsed: list[float] = []
    for person_loop, body_loop in _paired(outline, body):
        p = contour.resample(person_loop, OUTLINE_SPACING)
        b = contour.smooth(contour.resample(body_loop, OUTLINE_SPACING), BODY_OUTLINE_SMOOTHING)
        phi = contour_matching.match(p, b, figure, terms)
        collapsed.append(contour_matching.collapsed_fraction(phi))
        person_loops.append(p)
        body_loops.append(b[phi])
        depths.append(contour.smooth(_sample(mean_depth, b)[phi], RIM_SMOOTHING))

    source = _carry(inside, tuple(person_loops), tuple(body_loops))
    rim_points, rim_depth = np.vstack(person_loops), np.concatenate(depths)
    unmatched = outline.holes[len(person_loops) - 1 :]
    for hole in unmatched:
        # The body has no such gap: its rim lies midway between the body's two sides.
        p = contour.resample(hole, OUTLINE_SPACING)
        at = mean_value_coordinates.interpolate(p, tuple(person_loops), tuple(body_loops))
        rim_points = np.vstack([rim_points, p])
        rim_depth = np.concatenate([rim_depth, _sample(mean_depth, at.astype(np.float64))])
    return Warp(
        inside, source, rim_points, rim_depth, float(np.mean(collapsed)), _foldover(source, inside)
    )


def _paired(person: Outline, body: Outline) -> list[tuple[Float64, Float64]]:
    """The outer loops, and the holes of both that lie over each other (person's order kept,
    matched holes first is guaranteed by leaving out all after the first unmatched one)."""
    pairs = [(person.outer, body.outer)]
    free = list(body.holes)
    for hole in person.holes:
        centre = hole.mean(axis=0)
        size = np.ptp(hole, axis=0).max()
        distances = [np.linalg.norm(b.mean(axis=0) - centre) for b in free]
        if not distances or min(distances) > size / 2:
            break
        pairs.append((hole, free.pop(int(np.argmin(distances)))))
    return pairs


def _carry(inside: Mask, loops: tuple[Float64, ...], values: tuple[Float64, ...]) -> Float32:
    """Mean-value interpolation at every inside pixel: each near the outline, a lattice within."""
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    near = inside & (distance <= EXACT_BAND)
    lattice = np.zeros_like(inside)
    lattice[::LATTICE_STEP, ::LATTICE_STEP] = True
    # Lattice points just outside are needed too, to interpolate up to the band.
    wide = cv2.dilate(inside.astype(np.uint8), np.ones((2 * LATTICE_STEP + 1,) * 2)) > 0
    rows, columns = np.nonzero(lattice & wide)
    far_rows, far_columns = np.nonzero(near)
    points = np.stack([np.r_[columns, far_columns], np.r_[rows, far_rows]], axis=1).astype(float)
    carried = mean_value_coordinates.interpolate(points, loops, values)

    h, w = inside.shape
    coarse = np.zeros((len(range(0, h, LATTICE_STEP)), len(range(0, w, LATTICE_STEP)), 2))
    coarse[rows // LATTICE_STEP, columns // LATTICE_STEP] = carried[: len(rows)]
    result = np.full((h, w, 2), np.nan, np.float32)
    deep = np.stack(np.nonzero(inside & ~near), axis=1)
    axes = (np.arange(coarse.shape[0]) * LATTICE_STEP, np.arange(coarse.shape[1]) * LATTICE_STEP)
    if len(deep):
        between = RegularGridInterpolator(axes, coarse, bounds_error=False, fill_value=None)
        result[deep[:, 0], deep[:, 1]] = between(deep)
    result[far_rows, far_columns] = carried[len(rows) :]
    return result


def _foldover(source: Float32, inside: Mask) -> float:
    right = source[:-1, 1:] - source[:-1, :-1]
    down = source[1:, :-1] - source[:-1, :-1]
    determinant = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
    whole = np.isfinite(determinant) & inside[:-1, :-1]
    return float(np.mean(determinant[whole] < 0)) if whole.any() else 0.0


def _rim_depth_map(maps: BodyMaps) -> Float64:
    """The body's mean depth of front and back, spread beyond its silhouette."""
    return _spread(_middle(maps))


def _middle(maps: BodyMaps) -> Float64:
    return (maps.front.depth.astype(np.float64) + maps.back.depth) / 2


def _spread(values: Float64) -> Float64:
    """Values (h, w) with NaN replaced by the nearest number."""
    known = np.isfinite(values)
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(labels.max() + 1)
    lookup[labels[known]] = values[known]
    return lookup[labels]


def _sample(values: Float64, points: Float64) -> Float64:
    """Bilinear samples (N,) of a map without gaps at grid pixels (N, 2)."""
    x, y = (points[:, k].astype(np.float32)[None] for k in (0, 1))
    sampled = cv2.remap(
        values.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return sampled[0].astype(np.float64)


@dataclass(frozen=True, eq=False)
class WarpedSheet:
    """One sheet of the body, seen through the warp; complete on the inside pixels."""

    depth: Float64  # (h, w), metres: the paper's rejected choice, kept as a soft prior
    normal: Float32  # (h, w, 3), unit, copied and not turned
    weights: Float32  # (h, w, 24), rows sum to 1
    holes: Mask  # (h, w), pixels that landed beside the body and were filled


# A pixel is a hole where less than this share of its bilinear footprint lies on the body.
LEAST_FOOTPRINT = 0.25


def warp_sheet(mapping: Warp, sheet: SurfaceMaps) -> WarpedSheet:
    """Copy a sheet's depth, normals and weights to the person's pixels, and fill the holes."""
    x = np.nan_to_num(mapping.source[..., 0], nan=-10.0)
    y = np.nan_to_num(mapping.source[..., 1], nan=-10.0)
    on_body = np.isfinite(sheet.depth)

    def look_up(values: Float32) -> Float32:
        clean = np.where(on_body[..., None], values, 0).astype(np.float32)
        channels = [
            cv2.remap(np.ascontiguousarray(clean[..., c]), x, y, cv2.INTER_LINEAR)
            for c in range(clean.shape[2])
        ]
        return np.stack(channels, axis=-1)

    footprint = look_up(np.ones((*on_body.shape, 1), np.float32))[..., 0]
    known = mapping.inside & (footprint >= LEAST_FOOTPRINT)
    holes = mapping.inside & ~known
    share = np.maximum(footprint, LEAST_FOOTPRINT)[..., None]
    stacked = np.concatenate([sheet.depth[..., None], sheet.normal, sheet.weights], axis=-1)
    values = look_up(stacked) / share
    values = fill_harmonically(values, known, holes)
    normal = values[..., 1:4]
    normal = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    weights = np.maximum(values[..., 4:], 0)
    weights = weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1e-6)
    return WarpedSheet(
        values[..., 0].astype(np.float64),
        normal.astype(np.float32),
        weights.astype(np.float32),
        holes,
    )


def fill_harmonically(values: Float32, known: Mask, unknown: Mask) -> Float32:
    """Solve Laplace's equation on the unknown pixels; the known ones beside them are given.

    values : (h, w, k); pixels in neither mask do not take part. An island of unknown pixels that
    touches no known one takes the nearest known value.
    """
    if not unknown.any():
        return values
    filled = values.copy()
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros((labels.max() + 1, values.shape[2]), values.dtype)
    source[labels[known]] = values[known]
    filled[unknown] = source[labels[unknown]]

    index = np.full(known.shape, -1, np.int64)
    index[unknown] = np.arange(int(unknown.sum()))
    rows, columns = np.nonzero(unknown)
    h, w = known.shape
    degree = np.zeros(len(rows))
    load = np.zeros((len(rows), values.shape[2]))
    pairs: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    for dr, dc in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        r, c = rows + dr, columns + dc
        valid = (r >= 0) & (r < h) & (c >= 0) & (c < w)
        r, c = np.clip(r, 0, h - 1), np.clip(c, 0, w - 1)
        from_known = valid & known[r, c]
        from_unknown = valid & unknown[r, c]
        degree += from_known | from_unknown
        load[from_known] += values[r[from_known], c[from_known]]
        pairs.append((np.nonzero(from_unknown)[0], index[r[from_unknown], c[from_unknown]]))
    # Islands without a known neighbour would be singular; a trace of the nearest value anchors.
    anchor = 1e-6
    start = np.concatenate([p[0] for p in pairs])
    end = np.concatenate([p[1] for p in pairs])
    laplacian = sparse.diags(degree + anchor) - sparse.csr_matrix(
        (np.ones(len(start)), (start, end)), shape=(len(rows),) * 2
    )
    solved = splu(laplacian.tocsc()).solve(load + anchor * filled[unknown])
    filled[unknown] = solved
    return filled
