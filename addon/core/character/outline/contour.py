"""Silhouette outlines: closed sub-pixel loops around a matte or a mask."""

from __future__ import annotations

from dataclasses import dataclass

import contourpy
import cv2
import numpy as np

from ...errors import PersonError
from ...imaging.fill_nearest import nearest_site
from ...types import Float32, Float64, Floats, Mask

# A silhouette's edge is where the matte passes one half.
EDGE_LEVEL = 0.5
# Necks and filaments thinner than this share of the person's size cannot carry a mesh.
THINNEST_NECK = 0.004
# Of the largest piece's area: smaller pieces are what segmentation strews about.
SMALLEST_PIECE = 0.05
# Holes narrower than this share of the person's size are seams of the mask, not gaps between limbs.
SMALLEST_HOLE = 0.02


@dataclass(frozen=True, eq=False)
class Outline:
    """A silhouette's outer loop and the loops of its holes.

    Loops are (n, 2) float64 pixel positions, not repeated at the end, inside on the left hand
    in a frame with y up: the outer loop turns one way, holes the other.
    """

    outer: Float64
    holes: tuple[Float64, ...]

    @property
    def loops(self) -> tuple[Float64, ...]:
        """The outer loop first, then the holes."""
        return (self.outer, *self.holes)


def trace(matte: Float32) -> Outline:
    """The outline of a matte, holes included, as one piece.

    Filaments that are too thin to become a surface are cut off first, so the loops never
    touch themselves. Of several pieces the sizeable ones are kept, joined to the largest by necks
    as thin as carry a mesh: what hides a person's middle cuts the mask in two.

    Parameters
    ----------
    matte : Float32
        (H, W) float32, 0..1.

    Returns
    -------
    Outline
        Pixels.

    Raises
    ------
    PersonError
        If nothing is inside.
    """
    solid = _without_filaments(matte >= EDGE_LEVEL)
    if not solid.any():
        raise PersonError("The mask is empty: paint the person into it, or choose another person.")
    near = cv2.dilate(solid.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # Inside of what was kept the matte may not fall below the level, outside it may not pass it.
    field = np.where(solid, np.maximum(matte, 0.51), np.minimum(matte, 0.49)) * near
    padded = np.pad(field.astype(np.float64), 1)
    lines = contourpy.contour_generator(z=padded, name="serial").lines(EDGE_LEVEL)
    loops = [_oriented(np.asarray(line, np.float64)[:-1] - 1.0) for line in lines if len(line) > 8]
    loops.sort(key=lambda loop: -abs(signed_area(loop)))
    outer = loops[0]
    least = (SMALLEST_HOLE * np.ptp(outer, axis=0).max()) ** 2
    holes = tuple(loop[::-1] for loop in loops[1:] if abs(signed_area(loop)) > least)
    return Outline(outer, holes)


def _without_filaments(mask: Mask) -> Mask:
    """The mask without necks thinner than THINNEST_NECK and without small pieces, connected."""
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return mask
    size = max(np.ptp(rows), np.ptp(columns))
    radius = max(1, round(THINNEST_NECK * size / 2))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return np.zeros_like(mask)
    area = stats[1:, cv2.CC_STAT_AREA]
    pieces = [1 + k for k in np.argsort(-area) if area[k] >= SMALLEST_PIECE * area.max()]
    joined = (labels == pieces[0]).astype(np.uint8)
    for piece in pieces[1:]:
        start, end = _nearest_pair(joined > 0, labels == piece)
        joined[labels == piece] = 1
        cv2.line(joined, start, end, 1, 2 * radius + 1)
    return joined > 0


def _nearest_pair(a: Mask, b: Mask) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pixels (x, y) of a and of b that are nearest to each other."""
    distance, nearest = nearest_site(a)
    row, column = np.unravel_index(np.argmin(np.where(b, distance, np.inf)), a.shape)
    other_row, other_column = np.unravel_index(nearest[row, column], a.shape)
    return (int(other_column), int(other_row)), (int(column), int(row))


def signed_area(loop: Float64) -> float:
    """Area in square pixels by the shoelace formula, its sign the loop's sense of turning.

    Parameters
    ----------
    loop : Float64
        (n, 2) pixels, closed.

    Returns
    -------
    float
        Square pixels.
    """
    x, y = loop[:, 0], loop[:, 1]
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def length(loop: Float64) -> float:
    """Arc length of a closed loop.

    Parameters
    ----------
    loop : Float64
        (n, 2) pixels, closed.

    Returns
    -------
    float
        Pixels.
    """
    return float(np.linalg.norm(np.roll(loop, -1, axis=0) - loop, axis=1).sum())


def _oriented(loop: Float64) -> Float64:
    return loop if signed_area(loop) > 0 else loop[::-1]


def resample(loop: Float64, spacing: float, least: int = 8) -> Float64:
    """Points at equal arc length along a closed loop, about `spacing` pixels apart.

    Parameters
    ----------
    loop : Float64
        (n, 2) pixels, closed.
    spacing : float
        Pixels.
    least : int
        Fewest points.

    Returns
    -------
    Float64
        (m, 2) pixels.
    """
    steps = np.linalg.norm(np.roll(loop, -1, axis=0) - loop, axis=1)
    count = max(least, round(float(steps.sum()) / spacing))
    return along(loop, np.arange(count) / count)


def along(loop: Float64, places: Float64) -> Float64:
    """Points (n, 2) of a closed loop at shares of its length, 0 to 1, from its first point on.

    Parameters
    ----------
    loop : Float64
        (n, 2) pixels, closed.
    places : Float64
        (n,) shares of the length.

    Returns
    -------
    Float64
        (n, 2) pixels.
    """
    closed = np.vstack([loop, loop[:1]])
    steps = np.linalg.norm(np.diff(closed, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    at = places * length[-1]
    return np.stack([np.interp(at, length, closed[:, axis]) for axis in (0, 1)], axis=1)


def smooth(loop: Float64, sigma: float) -> Float64:
    """Gaussian smoothing along a closed, evenly spaced loop; `sigma` in points. Used on any
    (n, k) values along the loop.

    Parameters
    ----------
    loop : Float64
        (n, k) values along the loop.
    sigma : float
        Points.

    Returns
    -------
    Float64
        (n, k).
    """
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(loop, sigma, axis=0, mode="wrap")


def normals(loop: Float64) -> Float64:
    """Unit normals (n, 2) of an evenly spaced loop, pointing out of the silhouette.

    Parameters
    ----------
    loop : Float64
        (n, 2) pixels, closed.

    Returns
    -------
    Float64
        (n, 2).
    """
    tangent = np.roll(loop, -1, axis=0) - np.roll(loop, 1, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)


def rasterise(outline: Outline, shape: tuple[int, int]) -> Mask:
    """(H, W) bool: pixels whose centre is inside of the outline.

    Parameters
    ----------
    outline : Outline
        Pixels.
    shape : tuple[int, int]
        (H, W).

    Returns
    -------
    Mask
        (H, W).
    """
    # OpenCV also fills the pixels that an edge touches, half a pixel too much: drawing finer and
    # keeping the centre sample makes that an eighth.
    finer, shift = 4, 8  # shift: cv2's fixed-point bits
    canvas = np.zeros((shape[0] * finer, shape[1] * finer), np.uint8)
    fixed = [np.round(loop * finer * (1 << shift)).astype(np.int32) for loop in outline.loops]
    cv2.fillPoly(canvas, fixed, (1,), lineType=cv2.LINE_8, shift=shift)
    return canvas[::finer, ::finer] > 0


def to_grid(outline: Outline, move: Floats, scale: float) -> Outline:
    """The outline under (p - move) * scale.

    Parameters
    ----------
    outline : Outline
        Photo pixels.
    move : Floats
        (2,) photo pixels, the grid's origin.
    scale : float
        Grid pixels per photo pixel.

    Returns
    -------
    Outline
        Grid pixels.
    """
    return Outline((outline.outer - move) * scale, tuple((h - move) * scale for h in outline.holes))
