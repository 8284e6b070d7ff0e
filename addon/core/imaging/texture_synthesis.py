"""Texture by numbers: fill pixels of given labels with patches of pixels of the same labels.

Hertzmann, Jacobs, Oliver, Curless, Salesin, "Image Analogies" (SIGGRAPH 2001), section 4.4, with
the search and the optimisation of later work: the filled picture is the one whose every patch
resembles some source patch (Wexler, Shechtman, Irani, PAMI 2007), found coarse to fine with
`patchmatch`. The label is a hard constraint on a patch's middle; how
far a source lies above or below its target is the guide's distance and is added to the patches'.

Patches are compared by their principal components. Matching stops at `MATCHED_PIXELS`; the full
resolution is painted from the offsets found there, and only from sources of the right label.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..types import AnyArray, Float32, Int32, Mask, UInt8
from .fill_nearest import nearest_in
from .patch_descriptors import PATCH_RADIUS
from .patchmatch import (
    NO_SOURCE,
    Field,
    Labels,
    Search,
    averaged,
    coarse_pixel,
    pointed_at,
    random_sources,
    similarity,
    votes,
)

COMPONENTS = 16  # of a patch's 147 numbers; hold nearly all that differs between patches
MATCHED_PIXELS = 9_000  # targets of the finest matched level; finer costs time and changes little
COARSEST_DEPTH = 3.0  # pixels from a target to what is known, at the level where matching starts
FEWEST_SOURCES = 24  # of a label with whole patches; else patches that reach beyond will do
ROW_PREFERENCE = 0.05  # grey levels (0..1) a pixel for a source a window's height off
COARSE_ROUNDS, FINE_ROUNDS = 8, 3  # of search and vote
COHERENCE = 1.2  # a neighbour's offset is taken up to this many times the cost: fewer seams
OWN_OFFSET_WEIGHT = 8.0  # of a pixel's own offset against each of those around: less blur
SEARCH_STEPS = (4, 1)  # pixels to the neighbours whose offsets are tried
COHERENT_DIRECTIONS = ((0, 1), (1, 0), (0, -1), (-1, 0))

_SIDE = 2 * PATCH_RADIUS + 1


@dataclass(frozen=True, eq=False)
class Synthesis:
    """What was painted."""

    colours: UInt8  # (H, W, 3), the picture given with the targets painted
    painted: Mask  # (H, W), the targets for whose label there were sources


@dataclass(frozen=True, eq=False)
class _Level:
    """One level of the pyramid; all (h, w)."""

    clean: Float32  # (h, w, 3), 0..1, the sources' colours, spread beyond them
    known: Mask
    target: Mask
    wanted: UInt8
    label: UInt8
    sources: Mask


def synthesise(
    image: UInt8,
    known: Mask,
    target: Mask,
    wanted: UInt8,
    label: UInt8,
    sources: Mask,
    rng: np.random.Generator,
) -> Synthesis:
    """Paint the targets from sources that have their label.

    Each painted pixel is a mean of sources of its label (most often of one). Targets whose label
    no source has are left as they were.

    Parameters
    ----------
    image : UInt8
        (H, W, 3) uint8.
    known : Mask
        (H, W) bool, what the targets have to fit in with.
    target : Mask
        (H, W) bool.
    wanted : UInt8
        (H, W) uint8, the label that each target must get.
    label : UInt8
        (H, W) uint8, the sources' labels.
    sources : Mask
        (H, W) bool, which pixels may be copied.
    rng : np.random.Generator
        Decides all that is random.

    Returns
    -------
    Synthesis
        The picture, and which targets it could not paint.

    Raises
    ------
    ValueError
        If the arrays' shapes differ.
    """
    if not image.shape[:2] == known.shape == target.shape == wanted.shape == label.shape:
        raise ValueError("image, masks and labels must have one size")
    there = np.unique(label[sources])
    target = target & np.isin(wanted, there)
    sources = sources & np.isin(label, np.unique(wanted[target]))
    if not target.any():
        return Synthesis(image.copy(), target)
    window = _box(target | sources, PATCH_RADIUS)
    part = _Level(
        image[window].astype(np.float32) / 255, known[window] & ~target[window], target[window],
        wanted[window], label[window], sources[window],
    )  # fmt: skip
    colours = image.copy()
    colours[target] = _painted(image[window], part, *_matched(part, rng))
    return Synthesis(colours, target)


def _box(mask: Mask, margin: int) -> tuple[slice, slice]:
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    return (
        slice(max(rows[0] - margin, 0), rows[-1] + 1 + margin),
        slice(max(columns[0] - margin, 0), columns[-1] + 1 + margin),
    )


def _reduced(full: _Level, scale: float) -> _Level:
    """The level at `scale` of its size; a pixel is of the label that most of it has."""
    height, width = full.target.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))

    def share(mask: Mask) -> Float32:
        return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)

    target = share(full.target) > 0.5 if scale < 1 else full.target
    best, label = np.full(target.shape, 0.3, np.float32), np.zeros(target.shape, np.uint8)
    sources = np.zeros(target.shape, bool)
    wanted = np.zeros(target.shape, np.uint8)
    most = np.zeros(target.shape, np.float32)
    for number in np.unique(full.wanted[full.target]):
        of_label = share(full.sources & (full.label == number))
        if of_label.max() <= 0.3:  # too few to fill a pixel: the best there are
            of_label = np.where(of_label >= of_label.max(), 1.0, 0.0).astype(np.float32)
        better = of_label > best
        best, label = np.where(better, of_label, best), np.where(better, number, label)
        sources |= better
        asked = share(full.target & (full.wanted == number))
        wanted, most = np.where(asked > most, number, wanted), np.maximum(asked, most)
    target &= np.isin(wanted, label[sources])
    colours, weight = averaged(full.clean, full.sources | full.known, size)
    known = (share(full.known) > 0.5) & ~target
    label = label.astype(np.uint8)
    return _Level(
        colours[nearest_in(weight > 1e-3)], known, target, wanted.astype(np.uint8), label, sources
    )


def _matched(full: _Level, rng: np.random.Generator) -> tuple[Field, float]:
    """The field of the finest matched level, and its scale."""
    scale = min(1.0, float(np.sqrt(MATCHED_PIXELS / full.target.sum())))
    depth = cv2.distanceTransform(full.target.astype(np.uint8), cv2.DIST_L2, 5).max() * scale
    halvings = max(0, int(np.ceil(np.log2(max(depth, 1.0) / COARSEST_DEPTH))))
    estimate: Float32 | None = None
    offsets: npt.NDArray[np.float64] | None = None
    for step in range(halvings, -1, -1):
        level = _reduced(full, scale / 2**step)
        target = np.argwhere(level.target).astype(np.int32)
        if len(target) == 0:  # finer than this level: it holds nothing to be matched
            continue
        field = Field.of(target, _first_sources(level, target, offsets, rng))
        if estimate is None:
            estimate = level.clean.copy()
            estimate[tuple(target.T)] = level.clean[tuple(field.source.T)]
            rounds = COARSE_ROUNDS
        else:
            larger = cv2.resize(estimate, level.target.shape[::-1])
            estimate = np.where(level.target[..., None], larger, level.clean)
            rounds = FINE_ROUNDS
        estimate = _alternated(level, estimate, field, rounds, rng)
        table = np.zeros((*level.target.shape, 2), np.float32)
        table[tuple(target.T)] = field.source - target
        table = table[nearest_in(level.target)]
        offsets = 2.0 * cv2.resize(table, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST).astype(
            np.float64
        )
    return field, scale


def _first_sources(
    level: _Level,
    target: Int32,
    offsets: npt.NDArray[np.float64] | None,
    rng: np.random.Generator,
) -> Int32:
    """A source of the right label for each target: the coarser level's, else a random one."""
    wanted = _wanted(level, target)
    source = random_sources(_labels(level, level.sources), wanted, rng)
    if offsets is not None:
        at = np.minimum(target, np.array(offsets.shape[:2]) - 1)
        guess = target + np.rint(offsets[tuple(at.T)]).astype(np.int32)
        np.clip(guess, 0, np.array(level.target.shape) - 1, out=guess)
        good = level.sources[tuple(guess.T)] & (level.label[tuple(guess.T)] == wanted)
        source[good] = guess[good]
    return source


def _labels(level: _Level, sources: Mask) -> Labels:
    """(h, w) for the search: the sources' labels."""
    return np.where(sources, level.label, NO_SOURCE).astype(np.int16)


def _wanted(level: _Level, target: Int32) -> Labels:
    return level.wanted[tuple(target.T)].astype(np.int16)


def _alternated(
    level: _Level, estimate: Float32, field: Field, rounds: int, rng: np.random.Generator
) -> Float32:
    """Search and vote in turn; changes `field`, returns the estimate."""
    height, width = level.target.shape
    allowed = _with_whole_patches(level)
    stacked = _patches(level.clean, np.argwhere(allowed))
    mean = stacked.mean(axis=0)
    some = stacked[rng.permutation(len(stacked))[:2000]] - mean
    basis = np.linalg.svd(some, full_matrices=False)[2][:COMPONENTS].T
    described = np.zeros((height * width, basis.shape[1] + 1), np.float32)
    row_weight = ROW_PREFERENCE * _SIDE * np.sqrt(3) / height
    described[allowed.ravel(), :-1] = (stacked - mean) @ basis
    described[:, -1] = row_weight * np.repeat(np.arange(height), width)
    described = described.reshape(height, width, -1)
    labels, wanted = _labels(level, allowed), _wanted(level, field.target)
    lost = ~allowed[tuple(field.source.T)]
    if lost.any():
        field.source[lost] = random_sources(labels, wanted[lost], rng)
    for _ in range(rounds):
        asked = np.empty((len(field.target), described.shape[2]), np.float32)
        asked[:, :-1] = (_patches(estimate, field.target) - mean) @ basis
        asked[:, -1] = row_weight * field.target[:, 0]
        search = Search(field, described, asked, labels, wanted)
        for step in SEARCH_STEPS:
            search.propagate(step)
        search.offer(random_sources(labels, wanted, rng))  # however far they lie
        search.jump((max(height, width) / 2,) * 2, rng)
        search.propagate(1, COHERENCE, COHERENT_DIRECTIONS)
        estimate = _voted(level, estimate, field)
    return estimate


def _with_whole_patches(level: _Level) -> Mask:
    """Sources whose patch lies among sources, for each label that has enough of them."""
    kernel = np.ones((_SIDE, _SIDE), np.uint8)
    whole = cv2.erode((level.sources | level.known).astype(np.uint8), kernel, borderValue=0) > 0
    allowed = np.zeros_like(level.sources)
    for number in np.unique(level.wanted[level.target]):
        of_label = level.sources & (level.label == number)
        inner = of_label & whole
        allowed |= inner if inner.sum() >= FEWEST_SOURCES else of_label
    return allowed


def _patches(image: Float32, middles: AnyArray) -> Float32:
    """(N, 147) the patches around pixels (N, 2)."""
    padded = cv2.copyMakeBorder(image, *[PATCH_RADIUS] * 4, cv2.BORDER_REFLECT_101)
    window = np.arange(_SIDE)
    rows, columns = middles[:, 0, None] + window, middles[:, 1, None] + window
    return padded[rows[:, :, None], columns[:, None, :]].reshape(len(middles), -1)


def _voted(level: _Level, estimate: Float32, field: Field) -> Float32:
    """The mean of what the patches over each target vote for."""
    total = votes(level.clean, field, similarity(field.cost))
    mean = total[..., :3] / np.maximum(total[..., 3:], 1e-12)
    return np.where(level.target[..., None], mean, estimate).astype(np.float32)


def _painted(image: UInt8, full: _Level, field: Field, scale: float) -> UInt8:
    """(N, 3) colours of the full level's targets, in the order of `nonzero`: the sources that the
    matched offsets around a pixel point at, where they have its label."""
    height, width = full.target.shape
    low = np.array([max(1, round(height * scale)), max(1, round(width * scale))])
    step = np.array([height, width]) / low
    offset = np.zeros((*low, 2))
    confidence = np.full(low, -1.0)
    offset[tuple(field.target.T)] = (field.source - field.target) * step
    confidence[tuple(field.target.T)] = similarity(field.cost)
    matched = nearest_in(confidence >= 0)
    offset, confidence = offset[matched], confidence[matched]
    pixel = np.argwhere(full.target)
    wanted = full.wanted[full.target]
    total, weight = np.zeros((len(pixel), 3)), np.zeros((len(pixel), 1))
    for move, at, place in pointed_at(offset, pixel, step, (height, width)):
        own = OWN_OFFSET_WEIGHT if move == (0, 0) else 1.0
        good = full.sources[place] & (full.label[place] == wanted)
        part = (own * np.maximum(confidence[at], 1e-9) * good)[:, None]
        total += part * image[place]
        weight += part
    colours = total / np.maximum(weight, 1e-30)
    for number in np.unique(wanted):
        bare = (weight[:, 0] == 0) & (wanted == number)
        if not bare.any():
            continue
        of_label = full.sources & (full.label == number)
        rows, columns = nearest_in(of_label)
        home = np.clip(coarse_pixel(pixel[bare], step), 0, low - 1)
        guess = pixel[bare] + np.rint(offset[tuple(home.T)]).astype(np.int64)
        guess = np.clip(guess, 0, np.array([height, width]) - 1)
        colours[bare] = image[rows[tuple(guess.T)], columns[tuple(guess.T)]]
    return np.rint(colours).astype(np.uint8)
