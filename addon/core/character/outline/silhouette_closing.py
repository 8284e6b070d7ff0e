"""Gaps between the body's parts that the person's silhouette covers: under a skirt, under hair.

Photo Wake-Up's warp asks that body and person have one silhouette. Loose clothes break that: the
person is one piece where the bare body shows two legs and a gap, so what lies between the legs in
the photo lands beside the body, and the outlines have no common sense. Here such gaps are found
and closed, with a surface that spans them as cloth does, before the outlines are matched.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...imaging.fill_nearest import nearest_site
from ...types import AnyArray, Mask

CHORD_CELL_PX = 2  # grid pixels a cell in which chords are followed; narrower gaps are seams
CHORD_DIRECTIONS = 16  # over half a turn: 11 degrees apart
LEAST_FACING = 0.5  # cosine: both sides of a gap look along the chord within 60 degrees
NORMAL_SIGMA_CELLS = 1.5  # the mask is binary: its normals come from a blurred copy
COLLAR_WIDTHS_PX = (6.0, 12.0, 24.0)  # tried in turn; what is thicker is no rim of a hole
SMALLEST_GAP = 40  # grid pixels: less is roughness of the two edges

# What a cell is to a chord: beyond the person, covered by the person alone, or the body, whose
# side there looks along the chord, against it, or across.
BEYOND, COVERED, FORWARD, BACKWARD, INNER = range(5)


@dataclass(frozen=True, eq=False)
class ClosedSilhouette:
    """The body's silhouette with the covered gaps closed."""

    mask: Mask  # (h, w), body and closed gaps
    gaps: Mask  # (h, w), what was closed
    spanned: Mask  # (h, w), gaps and the sides of the limbs that turn into them


def close(body: Mask, person: Mask, holes: Mask, keep: Mask) -> ClosedSilhouette:
    """Close what lies between two parts of the body all along within the person.

    Parameters
    ----------
    body : Mask
        (h, w) silhouettes on one grid.
    person : Mask
        (h, w) silhouettes on one grid.
    holes : Mask
        (h, w), holes of the person; where the body is open there, it is closed around them.
    keep : Mask
        (h, w), parts of the body that never become sides: a face keeps its relief.

    Returns
    -------
    ClosedSilhouette
        The silhouette, and what was closed.
    """
    gaps = _large(_bridged(body, person))
    collars = _collars(body | gaps, person, holes)
    if collars.any():
        gaps |= collars
        gaps |= _large(_bridged(body | gaps, person))
    mask = body | gaps
    return ClosedSilhouette(mask, gaps, gaps | _sides(mask, gaps) & ~keep)


def bare(body: Mask) -> ClosedSilhouette:
    """The body's silhouette as it is.

    Parameters
    ----------
    body : Mask
        (h, w).

    Returns
    -------
    ClosedSilhouette
        Nothing closed.
    """
    nothing = np.zeros_like(body)
    return ClosedSilhouette(body, nothing, nothing)


def _collars(body: Mask, person: Mask, holes: Mask) -> Mask:
    """The person's pixels around each hole that the body leaves open, as thin as encloses it: a
    bar from hand to shoulder, a hand that the fitted body does not bring to the hip."""
    collars = np.zeros_like(body)
    count, labels = cv2.connectedComponents(holes.astype(np.uint8), connectivity=4)
    for k in range(1, count):
        hole = labels == k
        if not _open_from(hole, body):
            continue
        distance = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
        for width in COLLAR_WIDTHS_PX:
            collar = person & ~body & (distance <= width)
            if not _open_from(hole, body | collar):
                collars |= collar
                break
    return collars


def _open_from(hole: Mask, body: Mask) -> bool:
    """Whether a way leads from a hole to the grid's edge beside the body."""
    free = np.pad(~body, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(free, connectivity=4)
    return bool((labels[1:-1, 1:-1][hole & ~body] == labels[0, 0]).any())


def _bridged(body: Mask, person: Mask) -> Mask:
    """Pixels beside the body on a straight chord that leads from one of its sides to a side that
    faces it, all along within the person: a belly, a shoe or a hat are on none, nor is the cloth
    in the hollow of a back, along which the chord would only graze."""
    h, w = body.shape
    cell = (slice(None, None, CHORD_CELL_PX),) * 2
    body_cell = body[cell]
    height, width = body_cell.shape
    blurred = cv2.GaussianBlur(body_cell.astype(np.float32), (0, 0), NORMAL_SIGMA_CELLS)
    normal_x = -cv2.Sobel(blurred, cv2.CV_32F, 1, 0)
    normal_y = -cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
    length = np.maximum(np.hypot(normal_x, normal_y), 1e-9)
    empty = np.where(person[cell], COVERED, BEYOND)
    side = int(np.ceil(np.hypot(height, width))) + 2
    found = np.zeros((height, width), np.uint8)
    for k in range(CHORD_DIRECTIONS):
        angle = np.pi * k / CHORD_DIRECTIONS
        facing = (normal_x * np.cos(angle) + normal_y * np.sin(angle)) / length
        state = np.where(facing > LEAST_FACING, FORWARD, INNER)
        state = np.where(facing < -LEAST_FACING, BACKWARD, state)
        state = np.where(body_cell, state, empty).astype(np.uint8)
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), np.degrees(angle), 1.0)
        turn[:, 2] += [(side - width) / 2, (side - height) / 2]
        turned = cv2.warpAffine(state, turn, (side, side), flags=cv2.INTER_NEAREST)
        between = _between_sides(turned).astype(np.uint8)
        found |= cv2.warpAffine(
            between, turn, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        )
    found = _without_slits(found > 0, body_cell, person[cell]).astype(np.uint8)
    # Half a cell more closes the seam that sampling leaves at the body.
    large = cv2.dilate(
        np.repeat(np.repeat(found, CHORD_CELL_PX, axis=0), CHORD_CELL_PX, axis=1),
        np.ones((3, 3), np.uint8),
    )
    return (large[:h, :w] > 0) & person & ~body


def _without_slits(found: Mask, body: Mask, person: Mask) -> Mask:
    """The found cells with what they enclose together with the body, and without single lines."""
    square = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx((found | body).astype(np.uint8), cv2.MORPH_CLOSE, square) > 0
    closed = body | (closed & person)
    _, labels = cv2.connectedComponents((~closed).astype(np.uint8), connectivity=4)
    open_to_outside = np.zeros(labels.max() + 1, bool)
    open_to_outside[labels[~person]] = True
    closed |= ~open_to_outside[labels] & (labels > 0)
    return (cv2.morphologyEx(closed.astype(np.uint8), cv2.MORPH_OPEN, square) > 0) & ~body


def _between_sides(state: AnyArray) -> Mask:
    """Covered cells whose run along the row leads from a FORWARD to a BACKWARD side."""
    column = np.arange(state.shape[1])
    decided = state != COVERED
    before = np.maximum.accumulate(np.where(decided, column, 0), axis=1)
    after = np.minimum.accumulate(np.where(decided, column, state.shape[1] - 1)[:, ::-1], axis=1)[
        :, ::-1
    ]
    row = np.arange(state.shape[0])[:, None]
    return ~decided & (state[row, before] == FORWARD) & (state[row, after] == BACKWARD)


def _large(gaps: Mask) -> Mask:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(gaps.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= SMALLEST_GAP
    keep[0] = False
    return keep[labels]


def _sides(mask: Mask, gaps: Mask) -> Mask:
    """The body's pixels beside a gap that are nearer to it than to the outside, and no farther
    than the gap is deep: cloth over a narrow gap keeps the fold, over a wide one it has none."""
    if not gaps.any():
        return gaps
    depth = cv2.distanceTransform(gaps.astype(np.uint8), cv2.DIST_L2, 5)
    _, labels = cv2.connectedComponents(gaps.astype(np.uint8), connectivity=8)
    reach = np.zeros(labels.max() + 1, np.float32)
    np.maximum.at(reach, labels.ravel(), depth.ravel())
    to_gap, nearest = nearest_site(gaps)
    to_outside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    return mask & ~gaps & (to_gap < to_outside) & (to_gap <= reach[labels].ravel()[nearest])
