"""Single-shot detectors with fixed anchors: bodies, faces and palms.

Liu et al., SSD (2016), as in Bazarevsky et al., BlazeFace (2019): every cell of two or more grids
proposes boxes with key points; proposals that overlap are averaged by their scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit

from ..types import AnyArray, Float32, UInt8
from . import litert
from .roi import sample, whole

LEAST_SCORE = 0.5
SAME_THING = 0.3  # intersection over union above which two proposals are one thing


@dataclass(frozen=True)
class Detector:
    """One network and what it wants and gives."""

    network: str
    pixels: int  # side of its input
    strides: tuple[int, ...]  # pixels a cell; two anchors a cell for every entry
    points: int  # key points a proposal
    darkest: float  # black in its input; white is 1


@dataclass(frozen=True, eq=False)
class Found:
    """One detection."""

    score: float  # 0..1
    box: Float32  # (4,), x0 y0 x1 y1 in photo pixels
    points: Float32  # (P, 2), photo pixels


@lru_cache(maxsize=8)
def _anchors(pixels: int, strides: tuple[int, ...]) -> Float32:
    """(A, 2) centres of the anchors, 0..1; layers of one stride share a grid."""
    centres = []
    for stride in dict.fromkeys(strides):
        cells = pixels // stride
        y, x = np.mgrid[:cells, :cells]
        cell = np.stack([(x + 0.5) / cells, (y + 0.5) / cells], axis=-1).reshape(-1, 2)
        centres.append(np.repeat(cell, 2 * strides.count(stride), axis=0))
    return np.vstack(centres).astype(np.float32)


def detect(rgb: UInt8, detector: Detector, *, plain: bool) -> list[Found]:
    """Everything that the detector sees in a whole picture (H, W, 3), best first.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    detector : Detector
        Which network, and its anchors.
    plain : bool
        As the reference does it (`roi`).

    Returns
    -------
    list[Found]
        Scores, boxes and points, photo pixels.
    """
    roi = whole(rgb)
    pixels = sample(rgb, roi, detector.pixels, plain=plain, letterbox=True)
    span = (1 - detector.darkest) / 255
    values = pixels.astype(np.float32) * np.float32(span) + np.float32(detector.darkest)
    outputs = {output.shape[-1]: output for output in litert.run(detector.network, values)}
    scores = expit(outputs[1][:, 0])
    found = np.nonzero(scores >= LEAST_SCORE)[0]
    scores = scores[found]
    # A box is centre and size, followed by the points; all but the size count from the anchor.
    proposals = outputs[4 + 2 * detector.points][found].reshape(-1, 2 + detector.points, 2)
    proposals /= detector.pixels
    centre = _anchors(detector.pixels, detector.strides)[found]
    middle, size = proposals[:, 0] + centre, proposals[:, 1]
    corners = np.stack([middle - size / 2, middle + size / 2], axis=1)
    marks = np.concatenate([corners, proposals[:, 2:] + centre[:, None]], axis=1)
    results = []
    for group in _groups(corners[:, 0], corners[:, 1], scores):
        mean = np.average(marks[group], axis=0, weights=scores[group]).astype(np.float32)
        placed = roi.place(mean * detector.pixels, detector.pixels, plain=True)
        results.append(Found(float(scores[group[0]]), placed[:2].reshape(4), placed[2:]))
    return results


def _groups(low: Float32, high: Float32, scores: Float32) -> list[AnyArray]:
    """Boxes (N, 2) and (N, 2) that overlap, as lists of indices, best first in and among them."""
    order = np.argsort(-scores, kind="stable")
    area = np.prod(high - low, axis=1)
    groups = []
    while len(order):
        first = order[0]
        shared = np.prod(
            np.maximum(
                np.minimum(high[first], high[order]) - np.maximum(low[first], low[order]), 0
            ),
            axis=1,
        )
        overlap = shared / np.maximum(area[first] + area[order] - shared, 1e-9)
        same = overlap > SAME_THING
        same[0] = True
        groups.append(order[same])
        order = order[~same]
    return groups
