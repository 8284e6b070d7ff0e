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
from scipy.spatial import cKDTree

from ...body.model.parts import HEAD
from ...imaging.fill_nearest import fill_nearest
from ...numerics.grid_laplacian import fill_harmonically
from ...types import BodyMaps, Float32, Float64, Int32, Mask, SurfaceMaps
from . import contour, contour_matching, mean_value_coordinates, silhouette_closing
from .contour import Outline
from .silhouette_closing import ClosedSilhouette

OUTLINE_SPACING = 2.0  # grid pixels between the person's points that carry the warp
BODY_OUTLINE_SMOOTHING = 2.0  # grid px; the body's mask is binary, its outline a staircase
LATTICE_STEP = 4  # grid pixels; mean-value coordinates are smooth away from the outline
EXACT_BAND = 5.0  # grid pixels from the outline within which they are evaluated at each pixel
UNFOLDING_REACH_PX = (3, 5, 8, 12)  # grid pixels around folds that are solved again, round by round
TILE_PX = 32  # side of the tiles within which the same corners are used
NEAR_PX = 32  # grid pixels from a tile within which every corner counts
FAR_STRIDE = 6  # of the corners farther off every sixth is kept: 12 px of outline
RIM_SMOOTHING = 2.0  # points; evens out the depth where several points share a body point


@dataclass(frozen=True, eq=False)
class Warp:
    """The inverse warp on a crop's grid, and the depth of the silhouette."""

    inside: Mask  # (h, w), the person's silhouette
    source: Float32  # (h, w, 2), body pixel x, y for each inside pixel
    body: ClosedSilhouette  # the body's silhouette that was matched
    rim_points: Float64  # (m, 2), grid pixels along the person's loops
    rim_depth: Float64  # (m,), metres, depth of the body's outline carried over
    collapsed_fraction: float  # share of outline steps that stand still on the body
    foldover_fraction: float  # share of inside pixels whose neighbourhood is turned over

    def rim_depth_at(self, points: Float64) -> Float64:
        """Depth (N,) of the silhouette at grid pixels (N, 2) on or near it.

        Parameters
        ----------
        points : Float64
            (N, 2) grid pixels.

        Returns
        -------
        Float64
            (N,) metres.
        """
        distance, nearest = cKDTree(self.rim_points).query(points, k=2)
        weight = 1.0 / np.maximum(distance, 1e-6)
        return (self.rim_depth[nearest] * weight).sum(axis=1) / weight.sum(axis=1)

    def source_xy(self) -> tuple[Float32, Float32]:
        """(h, w) each: the source's x and y for cv2.remap, beyond every map where outside.

        Returns
        -------
        tuple[Float32, Float32]
            (h, w) each.
        """
        return tuple(np.nan_to_num(self.source[..., k], nan=-10.0) for k in (0, 1))  # type: ignore[return-value]

    def on_gaps(self) -> Mask:
        """(h, w): inside pixels that land on a gap of the body that was closed.

        Returns
        -------
        Mask
            (h, w).
        """
        on_gap = cv2.remap(self.body.gaps.astype(np.uint8), *self.source_xy(), cv2.INTER_NEAREST)
        return self.inside & (on_gap > 0)


def warp(
    outline: Outline,
    maps: BodyMaps,
    terms: contour_matching.MatchingTerms = contour_matching.DEFAULT,
) -> Warp:
    """Match the person's outline (grid pixels) to the body's and carry the plane along.

    `contour_matching.PUBLISHED` is the paper's warp: its terms, and the body's bare silhouette.

    Parameters
    ----------
    outline : Outline
        The person's, grid pixels.
    maps : BodyMaps
        The body's maps on the grid.
    terms : contour_matching.MatchingTerms
        Weights of the match.

    Returns
    -------
    Warp
        On the maps' grid.
    """
    inside = contour.rasterise(outline, (maps.crop.height, maps.crop.width))
    silhouette = silhouette_closing.bare(maps.mask)
    if terms.close_gaps:
        solid = contour.rasterise(Outline(outline.outer, ()), (maps.crop.height, maps.crop.width))
        silhouette = silhouette_closing.close(
            maps.mask, inside, solid & ~inside, maps.front.label == HEAD
        )
    body = contour.trace(silhouette.mask.astype(np.float32))
    figure = float(np.ptp(outline.outer, axis=0).max())
    mean_depth = _spread(_middle(maps, silhouette))
    to_part, nearest_part = _part_distances(maps)

    person_loops: list[Float64] = []
    body_loops: list[Float64] = []
    depths: list[Float64] = []
    collapsed: list[float] = []
    for person_loop, body_loop in _paired(outline, body):
        coarse = contour.resample(person_loop, terms.spacing)
        step = terms.spacing
        if terms.finer > 0:
            # As many body points per point of the person's whatever the lengths are.
            step = contour.length(body_loop) / (terms.finer * len(coarse))
        b = contour.smooth(contour.resample(body_loop, step), BODY_OUTLINE_SMOOTHING / step)
        distance = np.stack([_sample(each, coarse) for each in to_part], axis=1)
        part = nearest_part[_pixel(b, nearest_part.shape)]
        position = contour_matching.positions(coarse, b, figure, terms, (distance, part))
        collapsed.append(contour_matching.collapsed_fraction(position))
        p = contour.resample(person_loop, OUTLINE_SPACING)
        position = _around(position, len(p))
        person_loops.append(p)
        body_loops.append(_along(b, position))
        depth = _along(_sample(mean_depth, b)[:, None], position)[:, 0]
        depths.append(contour.smooth(depth, RIM_SMOOTHING))

    source = _carry(inside, tuple(person_loops), tuple(body_loops))
    foldover = _turned_over(source, inside)[1]
    if terms.unfold:
        source, foldover = _unfolded(source, inside)
    rim_points, rim_depth = np.vstack(person_loops), np.concatenate(depths)
    unmatched = outline.holes[len(person_loops) - 1 :]
    for hole in unmatched:
        # The body has no such gap: its rim lies midway between the body's two sides.
        p = contour.resample(hole, OUTLINE_SPACING)
        at = mean_value_coordinates.interpolate(p, tuple(person_loops), tuple(body_loops))
        rim_points = np.vstack([rim_points, p])
        rim_depth = np.concatenate([rim_depth, _sample(mean_depth, at.astype(np.float64))])
    return Warp(
        inside, source, silhouette, rim_points, rim_depth,
        float(np.mean(collapsed)), foldover,
    )  # fmt: skip


def _part_distances(maps: BodyMaps) -> tuple[list[Float64], npt.NDArray[np.int64]]:
    """For each body part that is seen its distance (h, w) in pixels, and (h, w) the nearest."""
    distances = [
        cv2.distanceTransform((maps.front.label != part).astype(np.uint8), cv2.DIST_L2, 5)
        for part in np.unique(maps.front.label[maps.mask])
    ]
    return distances, np.argmin(distances, axis=0)


def _pixel(points: Float64, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.int64], ...]:
    column, row = np.round(points).astype(np.int64).T
    return np.clip(row, 0, shape[0] - 1), np.clip(column, 0, shape[1] - 1)


def _around(position: Float64, count: int) -> Float64:
    """Monotone positions (m,) around a loop at `count` even steps: linear in between."""
    at = np.arange(count) * (len(position) / count)
    return np.interp(at, np.arange(len(position) + 1), np.append(position, position[0] + 1))


def _along(values: Float64, position: Float64) -> Float64:
    """Values (n, k) of an evenly spaced loop at positions, shares of the loop."""
    at = (position % 1.0) * len(values)
    closed = np.vstack([values, values[:1]])
    grid = np.arange(len(closed))
    return np.stack([np.interp(at, grid, column) for column in closed.T], axis=1)


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
    """Mean-value interpolation at every inside pixel: each near the outline, a lattice within.

    Tile by tile: corners far from a tile are thinned out, which leaves mean-value coordinates of
    a polygon that differs from the outline far away only.
    """
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    near = inside & (distance <= EXACT_BAND)
    lattice = np.zeros_like(inside)
    lattice[::LATTICE_STEP, ::LATTICE_STEP] = True
    # Lattice points just outside are needed too, to interpolate up to the band.
    wide = cv2.dilate((inside & ~near).astype(np.uint8), np.ones((2 * LATTICE_STEP + 1,) * 2)) > 0
    wanted = near | (lattice & wide)

    h, w = inside.shape
    result = np.full((h, w, 2), np.nan, np.float32)
    for top in range(0, h, TILE_PX):
        for left in range(0, w, TILE_PX):
            rows, columns = np.nonzero(wanted[top : top + TILE_PX, left : left + TILE_PX])
            if len(rows) == 0:
                continue
            rows, columns = rows + top, columns + left
            kept = [_thinned(loop, left, top) for loop in loops]
            result[rows, columns] = mean_value_coordinates.interpolate(
                np.stack([columns, rows], axis=1).astype(np.float64),
                tuple(loop[k] for loop, k in zip(loops, kept, strict=True)),
                tuple(value[k] for value, k in zip(values, kept, strict=True)),
            )
    deep = inside & ~near
    y, x = np.mgrid[:h, :w].astype(np.float32)
    coarse = np.nan_to_num(result[::LATTICE_STEP, ::LATTICE_STEP])
    between = cv2.remap(coarse, x / LATTICE_STEP, y / LATTICE_STEP, cv2.INTER_LINEAR)
    result[deep] = between[deep]
    result[~inside] = np.nan
    return result


def _thinned(loop: Float64, left: int, top: int) -> npt.NDArray[np.int64]:
    """Indices of a loop's corners that stand for it seen from a tile: all that are near, every
    FAR_STRIDE-th of the others."""
    centre = np.array([left, top]) + (TILE_PX - 1) / 2
    away = np.abs(loop - centre).max(axis=1) - TILE_PX / 2
    index = np.arange(len(loop))
    stride = np.where(away < NEAR_PX, 1, FAR_STRIDE)
    kept = index[index % stride == 0]
    return kept if len(kept) >= 3 else index


def _turned_over(source: Float32, inside: Mask) -> tuple[Mask, float]:
    """Pixels (h, w) of cells of the grid whose image has negative area, and their share."""
    right = source[:-1, 1:] - source[:-1, :-1]
    down = source[1:, :-1] - source[:-1, :-1]
    determinant = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
    whole = np.isfinite(determinant) & inside[:-1, :-1]
    turned = np.zeros_like(inside)
    turned[:-1, :-1] = whole & (np.nan_to_num(determinant) < 0)
    return turned, float(turned.sum() / whole.sum()) if whole.any() else 0.0


def _unfolded(source: Float32, inside: Mask) -> tuple[Float32, float]:
    """The source with folds smoothed out, and the share of the pixels where they are left.

    Around what is turned over the map is solved again, harmonic and free at the silhouette's edge;
    the surroundings stay. Where a round does not help, the next one takes more of them.
    """
    best, least = source, _turned_over(source, inside)[1]
    current = source
    for reach in UNFOLDING_REACH_PX:
        if least == 0.0:
            break
        turned, _ = _turned_over(current, inside)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
        again = (cv2.dilate(turned.astype(np.uint8), disc) > 0) & inside
        current = fill_harmonically(np.nan_to_num(current), inside & ~again, again)
        current = np.where(inside[..., None], current, np.nan).astype(np.float32)
        left = _turned_over(current, inside)[1]
        if left < least:
            best, least = current, left
    return best, least


def _middle(maps: BodyMaps, silhouette: ClosedSilhouette) -> Float64:
    """(h, w) mean depth of front and back, closed gaps included; NaN beyond."""
    middle = (maps.front.depth.astype(np.float64) + maps.back.depth) / 2
    known = np.isfinite(middle)
    filled = fill_harmonically(
        np.nan_to_num(middle)[..., None].astype(np.float32), known, silhouette.gaps
    )
    return np.where(silhouette.mask, filled[..., 0], np.nan)


def _spread(values: Float64) -> Float64:
    """Values (h, w) with NaN replaced by the nearest number."""
    known = np.isfinite(values)
    return fill_nearest(values, known)


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
    holes: Mask  # (h, w), pixels that landed beside the closed body and were filled


# A pixel is a hole where less than this share of its bilinear footprint lies on the body.
LEAST_FOOTPRINT = 0.25


def warp_sheet(mapping: Warp, sheet: SurfaceMaps) -> WarpedSheet:
    """Copy a sheet's depth, normals and weights to the person's pixels, and fill the holes.

    Parameters
    ----------
    mapping : Warp
        Where on the body each pixel is.
    sheet : SurfaceMaps
        The body's front or back.

    Returns
    -------
    WarpedSheet
        On the person's pixels.
    """
    x, y = mapping.source_xy()
    body = mapping.body
    on_body = np.isfinite(sheet.depth)
    # A limb follows few joints.
    used = sheet.weights.reshape(-1, sheet.weights.shape[-1]).any(axis=0)
    # A plane a channel, since OpenCV takes them one by one; seen as (h, w, k).
    planes = np.concatenate(
        [
            sheet.depth[None],
            sheet.normal.transpose(2, 0, 1),
            sheet.weights.transpose(2, 0, 1)[used],
        ],
        dtype=np.float32,
    )
    planes[:, ~on_body] = 0
    stacked = planes.transpose(1, 2, 0)
    # A surface as cloth spans the gap: from where one limb faces the viewer to the next.
    stacked = fill_harmonically(stacked, on_body & ~body.spanned, body.spanned)
    _normalise(stacked[..., 1:4])

    footprint = cv2.remap(body.mask.astype(np.float32), x, y, cv2.INTER_LINEAR)
    known = mapping.inside & (footprint >= LEAST_FOOTPRINT)
    holes = mapping.inside & ~known
    share = 1 / np.maximum(footprint, LEAST_FOOTPRINT)
    planes = np.empty((stacked.shape[2], *x.shape), np.float32)
    for plane, channel in zip(planes, stacked.transpose(2, 0, 1), strict=True):
        np.multiply(cv2.remap(channel, x, y, cv2.INTER_LINEAR), share, out=plane)
    values = fill_harmonically(planes.transpose(1, 2, 0), known, holes)
    _normalise(values[..., 1:4])
    planes = values.transpose(2, 0, 1)
    shares = np.maximum(planes[4:], 0)
    shares /= np.maximum(shares.sum(axis=0), 1e-6)
    weights = np.zeros(sheet.weights.shape, np.float32)
    weights[..., used] = shares.transpose(1, 2, 0)
    return WarpedSheet(
        planes[0].astype(np.float64),
        np.ascontiguousarray(values[..., 1:4]),
        weights,
        holes,
    )


def seen_through(mapping: Warp, sheet: SurfaceMaps) -> Int32:
    """(h, w) the body's vertex that each of the person's pixels lands on, the nearest one where it
    lands beside the body; -1 outside of the person.

    Parameters
    ----------
    mapping : Warp
        Where on the body each pixel is.
    sheet : SurfaceMaps
        The body's front or back.

    Returns
    -------
    Int32
        (h, w).
    """
    found = cv2.remap(
        sheet.vertex.astype(np.float32), *mapping.source_xy(), cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT, borderValue=-1,
    )  # fmt: skip
    known = (found >= 0) & mapping.inside
    return np.where(mapping.inside, fill_nearest(found.astype(np.int32), known, -1), -1)


def _normalise(vectors: Float32) -> None:
    """Make vectors (h, w, 3) unit ones, in place."""
    vectors /= np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
