"""Fill a hole of a picture with patches of the rest, coarse to fine.

Wexler, Shechtman, Irani, "Space-Time Completion of Video" (PAMI 2007): the filled picture is
the one whose every patch around the hole resembles some patch of the known part; found by
alternating nearest-neighbour search and voting. The search is PatchMatch (Barnes, Shechtman,
Finkelstein, Goldman, SIGGRAPH 2009), made data-parallel by propagating from all neighbours at
once at several step lengths, as jump flooding does.

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
import numpy.typing as npt
from scipy import sparse
from scipy.ndimage import distance_transform_edt
from scipy.sparse.linalg import spsolve

from ..types import Float32, Floats, Int32, Integers, Mask, UInt8
from .shift_map import dominant_offsets, labelled

PATCH_RADIUS = 3  # pixels; 7 x 7, as in both papers
MATCHED_PIXELS = 300_000  # of the crop; finer matching costs seconds and changes little
PIECED_PIXELS = 6000  # of the hole at the coarsest level, where pieces are put together
COARSEST_SIDE = 48  # pixels; a smaller picture has too few patches to choose from
FEWEST_SOURCES = 64  # whole known patches; with fewer the hole is only interpolated
BORDER_TRUST = 1.3  # Wexler's gamma: a patch's say falls by this a pixel away from the border
ROW_PREFERENCE = 0.35  # cost of being a picture's height off, in grey levels (0..1) a pixel
LARGEST_BIAS = 0.06  # of 0..1; how far a patch may be brightened or darkened
KEPT_COLOUR = 1e-3  # of a piece's own colour, beside its differences from its neighbours
MEAN_WEIGHT = 0.5  # of a patch's mean in the distance where a bias is allowed
WANDERING = 0.2  # of half the width and an eighth of the height: how far random search may leave
# the pieces' translations; farther, the search trades lines for what is smooth
SIDEWAYS = 6.0  # how much more the first guess follows its row than its column

# DCT coefficients (vertical, horizontal) kept of the luminance and of each chrominance.
_LUMINANCE = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))
_CHROMINANCE = ((0, 0), (0, 1), (1, 0))
# Rows: orthonormal, so that distances are those of RGB.
_OPPONENT = np.array(
    [
        [1 / np.sqrt(3)] * 3,
        [1 / np.sqrt(2), 0.0, -1 / np.sqrt(2)],
        [1 / np.sqrt(6), -2 / np.sqrt(6), 1 / np.sqrt(6)],
    ],
    np.float32,
)
_ROW = len(_LUMINANCE) + 2 * len(_CHROMINANCE)  # the descriptor's last entry: the row itself
_MEANS = (0, len(_LUMINANCE), len(_LUMINANCE) + len(_CHROMINANCE))
_PATCH_AREA = (2 * PATCH_RADIUS + 1) ** 2

Report = Callable[[float], None]
_Index = Int32
_Pixels = tuple[Integers, Integers]  # rows and columns


@dataclass(frozen=True, eq=False)
class _Level:
    """One level of the pyramid, padded by nothing; all (h, w)."""

    image: Float32  # (h, w, 3), 0..1; what is in the hole is of no account
    hole: Mask
    sources: Mask  # centres of patches that are wholly known


@dataclass(eq=False)
class _Field:
    """The nearest-neighbour field: a source for each pixel whose patch meets the hole."""

    target: _Index  # (T, 2), row and column
    source: _Index  # (T, 2)
    cost: Float32  # (T,), infinite where there is no source yet


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
        Told the fraction done; may raise to stop.

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


def membrane(image: Float32, hole: Mask, sideways: float = 1.0) -> Float32:
    """The smoothest filling: Laplace's equation in the hole, the known pixels as its border.

    Parameters
    ----------
    image : Float32
        (h, w, 3) float.
    hole : Mask
        (h, w) bool. `sideways` > 1 follows rows more than columns; linear functions stay
        solutions. The picture's edges do not pull (Neumann). Direct sparse solution: for some
        ten thousand unknowns, not for full pictures.
    sideways : float
        Weight of a row's neighbours, over a column's.

    Returns
    -------
    Float32
        (h, w, 3).
    """
    height, width = hole.shape
    number = np.full(hole.shape, -1, np.int64)
    number[hole] = np.arange(int(hole.sum()))
    ys, xs = np.nonzero(hole)
    own = number[ys, xs]
    diagonal = np.zeros(len(own))
    right_hand = np.zeros((len(own), 3))
    rows, columns, values = [], [], []
    for dy, dx, weight in ((0, 1, sideways), (0, -1, sideways), (1, 0, 1.0), (-1, 0, 1.0)):
        ny, nx = ys + dy, xs + dx
        inside = (ny >= 0) & (ny < height) & (nx >= 0) & (nx < width)
        ny, nx = ny[inside], nx[inside]
        here, there = own[inside], number[ny, nx]
        diagonal[here] += weight
        unknown = there >= 0
        rows.append(here[unknown])
        columns.append(there[unknown])
        values.append(np.full(int(unknown.sum()), -weight))
        right_hand[here[~unknown]] += weight * image[ny[~unknown], nx[~unknown]]
    rows.append(own)
    columns.append(own)
    values.append(diagonal)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    system = sparse.csc_matrix(entries, shape=(len(own), len(own)))
    result = image.copy()
    result[hole] = spsolve(system, right_hand).reshape(-1, 3)
    return result


def _silent(_fraction: float) -> None:
    """Nobody wants to know."""


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
    field: _Field | None = None
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


def _pieced(level: _Level, smooth: Float32, field: _Field) -> Float32:
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
    return _without_seams(level, pieces, offset, leads)


def _without_seams(level: _Level, pieces: Float32, offset: _Index, leads: Mask) -> Float32:
    """The pieces with their differences kept and their light made one (Perez, Gangnet, Blake,
    "Poisson Image Editing", SIGGRAPH 2003).

    Departure: where two pieces meet in a real edge, the joint is given little weight, and each
    pixel is held a little to its own colour, so that no colour runs across edges.
    """
    height, width = level.hole.shape
    number = np.full(level.hole.shape, -1, np.int64)
    number[level.hole] = np.arange(int(level.hole.sum()))
    ys, xs = np.nonzero(level.hole)
    diagonal = np.full(len(ys), KEPT_COLOUR)
    right_hand = KEPT_COLOUR * pieces[ys, xs].astype(np.float64)
    rows, columns, values = [np.arange(len(ys))], [np.arange(len(ys))], []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        ny, nx = ys + dy, xs + dx
        inside = (ny >= 0) & (ny < height) & (nx >= 0) & (nx < width)
        y, x, ny, nx = ys[inside], xs[inside], ny[inside], nx[inside]
        own, other = number[y, x], number[ny, nx]
        plain = pieces[y, x] - pieces[ny, nx]
        # The joint's difference as the piece on either side shows it.
        shown = [
            _shown(level, offset, leads, a, b, plain)
            for a, b in (((y, x), (ny, nx)), ((ny, nx), (y, x)))
        ]
        wanted = (shown[0] - shown[1]) / 2
        wanted[other < 0] = shown[0][other < 0]
        gap = np.abs(plain - wanted).max(1)
        weight = 1 / (1 + (gap / LARGEST_BIAS) ** 4)
        np.add.at(diagonal, own, weight)
        right_hand[own] += weight[:, None] * wanted
        known = other < 0
        right_hand[own[known]] += weight[known, None] * level.image[ny[known], nx[known]]
        rows.append(own[~known])
        columns.append(other[~known])
        values.append(-weight[~known])
    entries = (
        np.concatenate([diagonal, *values]),
        (np.concatenate(rows), np.concatenate(columns)),
    )
    system = sparse.csc_matrix(entries, shape=(len(ys), len(ys)))
    result = pieces.copy()
    result[ys, xs] = np.clip(spsolve(system, right_hand), 0, 1)
    return result


def _shown(
    level: _Level, offset: _Index, leads: Mask, here: _Pixels, there: _Pixels, plain: Float32
) -> Float32:
    """(n, 3) how much brighter `here` is than `there` in the piece that `here` is taken from;
    `plain`, the difference of the pieces put together, where that piece does not tell."""
    move = offset[here]
    limit = np.array(level.hole.shape)
    first, second = (np.stack(place, 1) + move for place in (here, there))
    told = ((second >= 0) & (second < limit)).all(1) & leads[here] & level.hole[here]
    result = plain.copy()
    told[told] = ~level.hole[tuple(second[told].T)]
    result[told] = level.image[tuple(first[told].T)] - level.image[tuple(second[told].T)]
    return result


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


def reduced(image: Float32, hole: Mask, size: tuple[int, int]) -> tuple[Float32, Mask]:
    """The picture at another size: known pixels averaged; a pixel with any hole in it is hole.

    Parameters
    ----------
    image : Float32
        (h, w, 3), 0..1.
    hole : Mask
        (h, w) bool.
    size : tuple[int, int]
        Width and height. No pixel of the hole has any influence on what is known.

    Returns
    -------
    tuple[Float32, Mask]
        (h', w', 3) and (h', w').
    """
    if size == (hole.shape[1], hole.shape[0]):
        return image, hole
    known = (~hole).astype(np.float32)
    share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(image * known[..., None], size, interpolation=cv2.INTER_AREA)
    smaller = share < 1 - 1e-4
    if smaller.all():  # a thin known rest: better half a pixel's evidence than none
        smaller = share < share.max()
    return total / np.maximum(share, 1e-6)[..., None], smaller


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


def _targets(level: _Level) -> _Index:
    """(T, 2) row and column of every pixel whose patch meets the hole."""
    side = 2 * PATCH_RADIUS + 1
    near = cv2.dilate(level.hole.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.argwhere(near > 0).astype(np.int32)


def _first_field(level: _Level, rng: np.random.Generator) -> _Field:
    """A random source for each target."""
    target = _targets(level)
    choice = np.argwhere(level.sources).astype(np.int32)
    source = choice[rng.integers(0, len(choice), len(target))]
    return _Field(target, source, np.full(len(target), np.inf, np.float32))


def _finer_field(coarse: _Field, level: _Level) -> _Field:
    """The same field on a level of twice the size."""
    height, width = level.hole.shape
    target = _targets(level)
    table = np.zeros(((height + 1) // 2, (width + 1) // 2, 2), np.int32)
    table[tuple(coarse.target.T)] = coarse.source - coarse.target
    source = target + 2 * table[target[:, 0] // 2, target[:, 1] // 2]
    np.clip(source, 0, np.array([height - 1, width - 1], np.int32), out=source)
    lost = ~level.sources[source[:, 0], source[:, 1]]
    if lost.any():
        nearest = distance_transform_edt(
            ~level.sources, return_distances=False, return_indices=True
        )
        source[lost] = nearest[:, source[lost, 0], source[lost, 1]].T
    return _Field(target, source, np.full(len(target), np.inf, np.float32))


def _descriptors(image: Float32, mean_weight: float, first_row: int, height: int) -> Float32:
    """(h, w, 17): low DCT coefficients of each pixel's patch, and its weighted row."""
    side = 2 * PATCH_RADIUS + 1
    order, place = np.arange(4)[:, None], np.arange(side)[None, :]
    basis = np.sqrt(2 / side) * np.cos(np.pi * (2 * place + 1) * order / (2 * side))
    basis[0] /= np.sqrt(2)
    opponent = cv2.transform(image, _OPPONENT)
    result = np.empty((*image.shape[:2], _ROW + 1), np.float32)
    entry = 0
    for channel, orders in enumerate((_LUMINANCE, _CHROMINANCE, _CHROMINANCE)):
        plane = np.ascontiguousarray(opponent[..., channel])
        for vertical, horizontal in orders:
            result[..., entry] = cv2.sepFilter2D(
                plane, cv2.CV_32F, basis[horizontal], basis[vertical]
            )
            entry += 1
    result[..., list(_MEANS)] *= np.float32(mean_weight)
    weight = ROW_PREFERENCE * np.sqrt(_PATCH_AREA) / height
    result[..., _ROW] = (weight * (first_row + np.arange(image.shape[0])))[:, None]
    return result


def _alternate(
    level: _Level,
    estimate: Float32,
    field: _Field,
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
    descriptors = _descriptors(estimate, mean_weight, 0, height)
    trust = _trust(level, field.target)
    for turn in range(rounds):
        if turn:
            # Only near the hole have the patches changed; a wider box for the filter's border.
            fresh = _descriptors(estimate[box], mean_weight, box[0].start, height)
            part = tuple(
                slice(i.start - b.start, i.stop - b.start) for i, b in zip(inner, box, strict=True)
            )
            descriptors[inner] = fresh[part]
        _search(level, descriptors, field, rng, passes)
        estimate = _voted(level, estimate, field, trust, LARGEST_BIAS if biased else 0.0)
    return estimate


def _box_around(hole: Mask, margin: int) -> tuple[slice, slice]:
    spans = []
    for axis in (1, 0):
        marked = np.nonzero(hole.any(axis))[0]
        end = hole.shape[1 - axis]
        spans.append(slice(max(marked[0] - margin, 0), min(marked[-1] + 1 + margin, end)))
    return spans[0], spans[1]


def _trust(level: _Level, target: _Index) -> Float32:
    """(T,) say of each target's patch: less the deeper in the hole its centre lies."""
    depth = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 5)
    # Never below what float32 can weigh against the border's.
    return np.maximum(BORDER_TRUST ** -depth[target[:, 0], target[:, 1]], 1e-6).astype(np.float32)


def _search(
    level: _Level, descriptors: Float32, field: _Field, rng: np.random.Generator, passes: int
) -> None:
    """Propagation and random search, in place."""
    height, width = level.hole.shape
    size = np.array([height, width], np.int32)
    flat = descriptors.reshape(height * width, -1)
    wanted = flat[field.target[:, 0] * width + field.target[:, 1]]
    number = np.full((height, width), -1, np.int32)
    number[tuple(field.target.T)] = np.arange(len(field.target))

    def offer(who: npt.NDArray[np.intp] | slice, candidate: _Index) -> None:
        """Take the candidates that are sources and cost less."""
        inside = ((candidate >= 0) & (candidate < size)).all(1)
        place = candidate[:, 0] * width + candidate[:, 1]
        place[~inside] = 0
        inside &= level.sources.reshape(-1)[place]
        difference = flat[place] - wanted[who]
        cost = np.einsum("td,td->t", difference, difference)
        better = inside & (cost < field.cost[who])
        chosen = np.nonzero(better)[0] if isinstance(who, slice) else who[better]
        field.cost[chosen] = cost[better]
        field.source[chosen] = candidate[better]

    everyone = slice(None)
    # The targets' patches have changed, so what the present sources cost is computed anew.
    field.cost[:] = np.inf
    offer(everyone, field.source.copy())
    reach = np.array([height / 8, width / 2]) * WANDERING
    for _ in range(passes):
        for step in (4, 1):
            for direction in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                shift = np.array(direction, np.int32) * step
                beside = field.target + shift
                np.clip(beside, 0, size - 1, out=beside)
                neighbour = number[beside[:, 0], beside[:, 1]]
                who = np.nonzero(neighbour >= 0)[0]
                offer(who, field.source[neighbour[who]] - shift)
        radius = reach.copy()
        while radius[1] >= 1:
            jump = rng.uniform(-1, 1, field.source.shape) * np.maximum(radius, 1)
            offer(everyone, field.source + np.rint(jump).astype(np.int32))
            radius /= 2.5


def _voted(
    level: _Level, estimate: Float32, field: _Field, trust: Float32, largest_bias: float
) -> Float32:
    """Every patch that covers a hole's pixel says its colour (Wexler eq. 3), weighted."""
    reach = PATCH_RADIUS
    height, width = level.hole.shape
    wide = width + 2 * reach
    # The field's pictures are padded so that no patch has to be cut.
    picture = cv2.copyMakeBorder(level.image, *[reach] * 4, cv2.BORDER_REFLECT_101).reshape(-1, 3)
    bias = _bias(estimate, field, largest_bias)
    weight = trust * np.exp(-field.cost / (2 * _typical_cost(field.cost)))
    total = np.zeros(((height + 2 * reach) * wide, 4), np.float32)
    target = (field.target[:, 0] + reach) * wide + field.target[:, 1] + reach
    source = (field.source[:, 0] + reach) * wide + field.source[:, 1] + reach
    side = 2 * reach + 1
    # All side * 3 numbers of a patch's row lie side by side: one look-up a row.
    runs = np.lib.stride_tricks.as_strided(
        picture, (len(picture) - side + 1, side, 3), (*picture.strides[:1], *picture.strides)
    )
    vote = np.empty((len(target), side, 4), np.float32)
    vote[..., 3] = weight[:, None]
    for dy in range(-reach, reach + 1):
        row = runs[source + dy * wide - reach]
        row += bias[:, None]
        np.multiply(row, weight[:, None, None], out=vote[..., :3])
        for dx in range(side):
            # Each target once: no index repeats.
            total[target + (dy * wide + dx - reach)] += vote[:, dx]
    total = total.reshape(height + 2 * reach, wide, 4)[reach:-reach, reach:-reach]
    mean = total[..., :3] / np.maximum(total[..., 3:], 1e-30)
    return np.where(level.hole[..., None], np.clip(mean, 0, 1), estimate)


def _typical_cost(cost: Float32) -> float:
    """Wexler's sigma squared: the 75th percentile; at least a tenth of a grey level a pixel."""
    return max(float(np.percentile(cost, 75)), _PATCH_AREA * (0.1 / 255) ** 2)


def _bias(estimate: Float32, field: _Field, largest: float) -> Float32:
    """(T, 3) what to add to each source's patch for it to have the mean that it should."""
    if largest == 0:
        return np.zeros((len(field.target), 3), np.float32)
    side = (2 * PATCH_RADIUS + 1,) * 2
    # Known patches are the same in the estimate, so one mean serves both.
    mean = cv2.blur(estimate, side, borderType=cv2.BORDER_REFLECT_101)
    wanted = mean[tuple(field.target.T)] - mean[tuple(field.source.T)]
    return np.clip(wanted, -largest, largest)


def _painted(
    image: UInt8, hole: Mask, level: _Level, estimate: Float32, field: _Field | None
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
    say = np.zeros((low_height, low_width), np.float32)
    offset[tuple(field.target.T)] = (field.source - field.target) * step
    bias[tuple(field.target.T)] = _bias(estimate, field, LARGEST_BIAS)
    say[tuple(field.target.T)] = np.exp(-field.cost / (2 * _typical_cost(field.cost)))
    pixel = np.argwhere(hole).astype(np.int32)
    nearest = np.rint((pixel + 0.5) / step - 0.5).astype(np.int32)
    limit = np.array([height - 1, width - 1])
    low_limit = np.array([low_height - 1, low_width - 1])
    total = np.zeros((len(pixel), 3), np.float32)
    weight = np.zeros((len(pixel), 1), np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            low = np.clip(nearest + np.array([dy, dx]), 0, low_limit)
            low = (low[:, 0], low[:, 1])
            source = np.clip(pixel + np.rint(offset[low]).astype(np.int32), 0, limit)
            place = (source[:, 0], source[:, 1])
            part = (say[low] * ~hole[place])[:, None] + 1e-12 * (~hole[place])[:, None]
            total += part * (image[place].astype(np.float32) / 255 + bias[low])
            weight += part
    smooth = cv2.resize(estimate, (width, height), interpolation=cv2.INTER_LINEAR)[hole]
    return _composed(image, hole, np.where(weight > 0, total / np.maximum(weight, 1e-30), smooth))


def _composed(image: UInt8, hole: Mask, colours: Floats) -> UInt8:
    result = image.copy()
    result[hole] = np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)
    return result
