"""Fill a hole of a picture with patches of the rest, coarse to fine.

Wexler, Shechtman, Irani, "Space-Time Completion of Video" (PAMI 2007): the filled picture is
the one whose every patch around the hole resembles some patch of the known part; found by
alternating nearest-neighbour search and voting (`patchmatch`).

Departures, each measured on scenes whose clean plate is known:

* The coarsest level is not left to voting, which makes grey of bricks: it starts from large pieces
  of the picture (`shift_map`), and random search keeps near their translations.
* Patches are compared by their low DCT coefficients in an orthonormal opponent colour space
  (the same distance as RGB's sum of squares, less the noise; one cache line a patch).
* Sources in the target's own row are preferred: pictures are taken level, so horizons, ground
  in perspective and courses of bricks continue sideways, at the same scale.
* Above the coarsest level a patch may be brightened or darkened a little to continue the
  light around it (the bias of Darabi et al., "Image Melding", SIGGRAPH 2012).
* Matching stops at `MATCHED_PIXELS`; the full resolution is painted from the field found there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ..numerics.grid_laplacian import membrane
from ..types import Float32, Floats, Int32, Mask, UInt8
from .fill_nearest import nearest_in
from .patch_descriptors import PATCH_RADIUS, patch_descriptors
from .patchmatch import (
    NO_SOURCE,
    Field,
    Labels,
    Search,
    pointed_at,
    random_sources,
    reduced,
    similarity,
    votes,
)
from .poisson_blending import without_seams
from .shift_map import dominant_offsets, labelled

MATCHED_PIXELS = 300_000  # of the crop; finer matching costs seconds and changes little
PIECED_PIXELS = 6000  # of the hole at the coarsest level, where pieces are put together
COARSEST_SIDE = 48  # pixels; a smaller picture has too few patches to choose from
FEWEST_SOURCES = 64  # whole known patches; with fewer the hole is only interpolated
BORDER_FALLOFF = 1.3  # Wexler's gamma: a patch's vote weighs less by this per pixel from the border
LARGEST_BIAS = 0.06  # of 0..1; how far a patch may be brightened or darkened
MEAN_WEIGHT = 0.5  # of a patch's mean in the distance where a bias is allowed
WANDERING = 0.2  # of half the width and an eighth of the height: how far random search may leave
# the pieces' translations; farther, the search trades lines for what is smooth
SEARCH_STEPS = (4, 1)  # pixels to the neighbours whose offsets are tried
SIDEWAYS = 6.0  # how much more the first guess follows its row than its column


Report = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class _Level:
    """One level of the pyramid, padded by nothing; all (h, w)."""

    image: Float32  # (h, w, 3), 0..1; what is in the hole is of no account
    hole: Mask
    sources: Mask  # centres of patches that are wholly known


def complete(
    image: UInt8, hole: Mask, rng: np.random.Generator, report: Report | None = None
) -> UInt8:
    """Fill `hole` with what the rest of the picture suggests.

    Parameters
    ----------
    image : UInt8
        (H, W, 3) uint8.
    hole : Mask
        (H, W) bool, True where to fill. Returns (H, W, 3) uint8, equal to `image` outside of
        the hole. No pixel in the hole has any influence. `rng` decides all that is random;
        `report` is told the fraction done and may raise to stop. Raises ValueError where the
        shapes differ or nothing is known.
    rng : np.random.Generator
        Decides all that is random.
    report : Report | None
        Receives the fraction done; may raise to stop.

    Returns
    -------
    UInt8
        (H, W, 3).

    Raises
    ------
    ValueError
        If the shapes differ, or nothing is known.
    """
    if image.ndim != 3 or image.shape[2] != 3 or hole.shape != image.shape[:2]:
        raise ValueError(f"image (H, W, 3) and hole (H, W) expected: {image.shape}, {hole.shape}")
    if hole.all():
        raise ValueError("the hole is the whole picture")
    if not hole.any():
        return image.copy()
    window = _window_around(hole)
    filled = image.copy()
    filled[window] = _complete_window(image[window], hole[window], rng, report or _silent)
    return filled


def _silent(_fraction: float) -> None:
    """No one wants to know."""


def _window_around(hole: Mask) -> tuple[slice, slice]:
    """The part of the picture that is worth searching: the hole's box and a margin."""
    ys, xs = np.nonzero(hole.any(1))[0], np.nonzero(hole.any(0))[0]
    tall, wide = ys[-1] - ys[0] + 1, xs[-1] - xs[0] + 1
    # Rows are searched further than columns: what continues the picture lies sideways.
    above, aside = int(0.3 * tall) + 32, int(0.75 * max(tall, wide)) + 32
    return (
        slice(max(ys[0] - above, 0), ys[-1] + 1 + above),
        slice(max(xs[0] - aside, 0), xs[-1] + 1 + aside),
    )


def _complete_window(image: UInt8, hole: Mask, rng: np.random.Generator, report: Report) -> UInt8:
    levels = _pyramid(image.astype(np.float32) / 255, hole)
    estimate: Float32 | None = None
    field: Field | None = None
    for depth, level in enumerate(reversed(levels)):
        first = estimate is None
        estimate = _interpolated(level) if estimate is None else _enlarged(estimate, level)
        if int(level.sources.sum()) < FEWEST_SOURCES:
            continue
        if field is None:
            field = _first_field(level, rng)
            estimate = _pieced(level, estimate, field)
        else:
            field = _finer_field(field, level)
        rounds, passes = (3, 2) if first else (2, 1)
        estimate = _alternate(level, estimate, field, rng, rounds, passes, not first)
        report((depth + 1) / (len(levels) + 1))
    assert estimate is not None  # there is at least one level
    full = _painted(image, hole, levels[0], estimate, field)
    report(1.0)
    return full


def _pieced(level: _Level, smooth: Float32, field: Field) -> Float32:
    """The first filling, of large pieces of the picture; `field` is told where they come from."""
    found = labelled(level.image, level.hole, smooth, dominant_offsets(level.image, level.hole))
    if found is None:
        return smooth
    offset, leads = found
    y, x = np.nonzero(level.hole & leads)
    source = np.stack([y, x], 1) + offset[y, x]
    pieces = smooth.copy()
    pieces[y, x] = level.image[source[:, 0], source[:, 1]]
    moved = field.target + offset[tuple(field.target.T)]
    height, width = level.hole.shape
    good = ((moved >= 0) & (moved < (height, width))).all(1)
    good[good] = level.sources[tuple(moved[good].T)]
    field.source[good] = moved[good]
    return without_seams(level.image, level.hole, pieces, offset, leads, LARGEST_BIAS)


def _pyramid(image: Float32, hole: Mask) -> list[_Level]:
    """From the level that is matched at to the coarsest, halving."""
    height, width = hole.shape
    scale = min(1.0, np.sqrt(MATCHED_PIXELS / (height * width)))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    levels = [_level(*reduced(image, hole, size))]
    while True:
        last = levels[-1]
        height, width = last.hole.shape
        if last.hole.sum() <= PIECED_PIXELS or min(height, width) < 2 * COARSEST_SIDE:
            return levels
        size = (width + 1) // 2, (height + 1) // 2
        coarser = _level(*reduced(last.image, last.hole, size))
        if coarser.hole.all():
            return levels
        levels.append(coarser)


def _level(image: Float32, hole: Mask) -> _Level:
    side = 2 * PATCH_RADIUS + 1
    # A constant border of "not known": no source's patch leaves the picture.
    known = cv2.erode((~hole).astype(np.uint8), np.ones((side, side), np.uint8), borderValue=0)
    return _Level(image, hole, known.astype(bool))


def _interpolated(level: _Level) -> Float32:
    """The first guess: smooth, along the rows more than along the columns."""
    return membrane(level.image, level.hole, SIDEWAYS)


def _enlarged(estimate: Float32, level: _Level) -> Float32:
    height, width = level.hole.shape
    larger = cv2.resize(estimate, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(level.hole[..., None], larger, level.image)


def _targets(level: _Level) -> Int32:
    """(T, 2) row and column of every pixel whose patch meets the hole."""
    side = 2 * PATCH_RADIUS + 1
    near = cv2.dilate(level.hole.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.argwhere(near > 0).astype(np.int32)


def _first_field(level: _Level, rng: np.random.Generator) -> Field:
    """A random source for each target."""
    target = _targets(level)
    return Field.of(target, random_sources(_labels(level), _wanted(target), rng))


def _finer_field(coarse: Field, level: _Level) -> Field:
    """The same field on a level of twice the size."""
    height, width = level.hole.shape
    target = _targets(level)
    table = np.zeros(((height + 1) // 2, (width + 1) // 2, 2), np.int32)
    table[tuple(coarse.target.T)] = coarse.source - coarse.target
    source = target + 2 * table[target[:, 0] // 2, target[:, 1] // 2]
    np.clip(source, 0, np.array([height - 1, width - 1], np.int32), out=source)
    lost = ~level.sources[source[:, 0], source[:, 1]]
    if lost.any():
        rows, columns = nearest_in(level.sources)
        place = source[lost, 0], source[lost, 1]
        source[lost] = np.stack([rows[place], columns[place]], axis=1)
    return Field.of(target, source)


def _alternate(
    level: _Level,
    estimate: Float32,
    field: Field,
    rng: np.random.Generator,
    rounds: int,
    passes: int,
    biased: bool,
) -> Float32:
    """Search and vote in turn (Wexler's EM); changes `field`, returns the new estimate."""
    height = level.hole.shape[0]
    mean_weight = MEAN_WEIGHT if biased else 1.0
    margin = 2 * PATCH_RADIUS
    box = _box_around(level.hole, 2 * margin)
    inner = _box_around(level.hole, margin)
    descriptors = patch_descriptors(estimate, mean_weight, 0, height)
    weight = _vote_weight(level, field.target)
    for turn in range(rounds):
        if turn:
            # Only near the hole have the patches changed; a wider box for the filter's border.
            fresh = patch_descriptors(estimate[box], mean_weight, box[0].start, height)
            part = tuple(
                slice(i.start - b.start, i.stop - b.start) for i, b in zip(inner, box, strict=True)
            )
            descriptors[inner] = fresh[part]
        _search(level, descriptors, field, rng, passes)
        estimate = _voted(level, estimate, field, weight, LARGEST_BIAS if biased else 0.0)
    return estimate


def _box_around(hole: Mask, margin: int) -> tuple[slice, slice]:
    spans = []
    for axis in (1, 0):
        marked = np.nonzero(hole.any(axis))[0]
        end = hole.shape[1 - axis]
        spans.append(slice(max(marked[0] - margin, 0), min(marked[-1] + 1 + margin, end)))
    return spans[0], spans[1]


def _vote_weight(level: _Level, target: Int32) -> Float32:
    """(T,) of each target's patch: less the deeper in the hole its centre lies."""
    depth = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 5)
    # Never below what float32 can weigh against the border's.
    weight = BORDER_FALLOFF ** -depth[target[:, 0], target[:, 1]]
    return np.maximum(weight, 1e-6).astype(np.float32)


def _search(
    level: _Level, descriptors: Float32, field: Field, rng: np.random.Generator, passes: int
) -> None:
    """Propagation and random search, in place."""
    height, width = level.hole.shape
    # The targets' patches have changed: what the present sources cost is computed again.
    search = Search(
        field,
        descriptors,
        descriptors[tuple(field.target.T)],
        _labels(level),
        _wanted(field.target),
    )
    for _ in range(passes):
        for step in SEARCH_STEPS:
            search.propagate(step)
        search.jump((WANDERING * (height / 8), WANDERING * (width / 2)), rng)


def _labels(level: _Level) -> Labels:
    """(h, w): all sources have one label."""
    return np.where(level.sources, 0, NO_SOURCE).astype(np.int16)


def _wanted(target: Int32) -> Labels:
    return np.zeros(len(target), np.int16)


def _voted(
    level: _Level, estimate: Float32, field: Field, weight: Float32, largest_bias: float
) -> Float32:
    """The mean of what the patches over each pixel of the hole vote for."""
    weight = weight * similarity(field.cost)
    total = votes(level.image, field, weight, _bias(estimate, field, largest_bias))
    mean = total[..., :3] / np.maximum(total[..., 3:], 1e-30)
    return np.where(level.hole[..., None], np.clip(mean, 0, 1), estimate)


def _bias(estimate: Float32, field: Field, largest: float) -> Float32 | None:
    """(T, 3) what to add to each source's patch for it to have the mean that it should."""
    if largest == 0:
        return None
    side = (2 * PATCH_RADIUS + 1,) * 2
    # Known patches are the same in the estimate, so one mean serves both.
    mean = cv2.blur(estimate, side, borderType=cv2.BORDER_REFLECT_101)
    wanted = mean[tuple(field.target.T)] - mean[tuple(field.source.T)]
    return np.clip(wanted, -largest, largest)


def _painted(
    image: UInt8, hole: Mask, level: _Level, estimate: Float32, field: Field | None
) -> UInt8:
    """The hole at full resolution, from the field and the estimate of the matched level."""
    height, width = hole.shape
    low_height, low_width = level.hole.shape
    if field is None or (height, width) == (low_height, low_width):
        full = cv2.resize(estimate, (width, height), interpolation=cv2.INTER_CUBIC)
        return _composed(image, hole, full[hole])
    step = np.array([height / low_height, width / low_width])
    offset = np.zeros((low_height, low_width, 2), np.float32)
    bias = np.zeros((low_height, low_width, 3), np.float32)
    confidence = np.zeros((low_height, low_width), np.float32)
    offset[tuple(field.target.T)] = (field.source - field.target) * step
    bias[tuple(field.target.T)] = _bias(estimate, field, LARGEST_BIAS)
    confidence[tuple(field.target.T)] = similarity(field.cost)
    pixel = np.argwhere(hole).astype(np.int32)
    total = np.zeros((len(pixel), 3), np.float32)
    weight = np.zeros((len(pixel), 1), np.float32)
    for _, low, place in pointed_at(offset, pixel, step, (height, width)):
        part = (confidence[low] * ~hole[place])[:, None] + 1e-12 * (~hole[place])[:, None]
        total += part * (image[place].astype(np.float32) / 255 + bias[low])
        weight += part
    smooth = cv2.resize(estimate, (width, height), interpolation=cv2.INTER_LINEAR)[hole]
    return _composed(image, hole, np.where(weight > 0, total / np.maximum(weight, 1e-30), smooth))


def _composed(image: UInt8, hole: Mask, colours: Floats) -> UInt8:
    result = image.copy()
    result[hole] = np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)
    return result
