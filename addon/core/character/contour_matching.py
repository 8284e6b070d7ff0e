"""Which point of the body's outline belongs to which point of the photo's outline.

Weng, Curless, Kemelmacher-Shlizerman, Photo Wake-Up (CVPR 2019), section 4.1: a monotone
cyclic assignment found by dynamic programming,

    min over phi of  sum_i D(i, phi[i]) + T(phi[i+1] - phi[i]),   0 <= phi[i+1] - phi[i] <= kappa.

In the paper D is the distance and T is constant, which lets half of the outline collapse on few
points of the body. The default here adds a term for the outlines' normals to D and a slope
penalty to T; `PUBLISHED` is the paper's choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..types import Float64
from . import contour


@dataclass(frozen=True)
class MatchingTerms:
    """Weights of the matching objective. Lengths are in pixels of a figure 512 px tall."""

    normal: float = 40.0  # px a unit of 1 - cos(angle between the normals)
    slope: float = 3.0  # px a step of deviation from the mean advance n / m
    jump: float = 32.0  # kappa for an outline of 2000 points; scaled to the one at hand


PUBLISHED = MatchingTerms(normal=0.0, slope=0.0)
DEFAULT = MatchingTerms()

REFERENCE_OUTLINE_POINTS = 2000  # kappa of the paper belongs to outlines of about this many points
REFERENCE_FIGURE_PX = 512.0
CLOSURE_STARTS = 4  # trusted pairs that are tried as the place where the cycle is cut


def match(
    photo: Float64, body: Float64, figure_px: float, terms: MatchingTerms = DEFAULT
) -> npt.NDArray[np.int64]:
    """phi (m,): for each point of the photo's loop the index of its point on the body's loop.

    photo : (m, 2), body : (n, 2) float64, evenly spaced loops of the same sense, same pixels
    figure_px : the figure's larger extent in these pixels; it scales the weights

    phi advances by exactly n around the loop (monotone, cyclic). The cycle is cut at a trusted
    pair; several cuts are tried and the cheapest cycle is kept.
    """
    unit = figure_px / REFERENCE_FIGURE_PX
    cost = np.linalg.norm(photo[:, None] - body[None], axis=2)
    cosine = contour.normals(photo) @ contour.normals(body).T
    cost = cost + terms.normal * unit * (1.0 - cosine)
    m, n = cost.shape
    jump = max(int(np.ceil(2.0 * n / m)), round(terms.jump * n / REFERENCE_OUTLINE_POINTS))
    steps = np.arange(jump + 1)
    slope = terms.slope * unit * np.abs(steps - n / m)

    best: npt.NDArray[np.int64] | None = None
    best_cost = np.inf
    for start in _trusted_points(cost):
        first = int(np.argmin(cost[start]))
        rolled = np.roll(np.roll(cost, -start, axis=0), -first, axis=1)
        path, total = _cheapest_path(rolled, slope)
        if total < best_cost:
            best_cost = total
            best = np.roll((path + first) % n, start)
    assert best is not None
    return best


def _trusted_points(cost: Float64) -> list[int]:
    """Photo points whose cheapest partner is cheap, spread around the loop."""
    m = len(cost)
    cheapest = cost.min(axis=1)
    edges = np.linspace(0, m, CLOSURE_STARTS + 1).astype(int)
    return [
        int(low + np.argmin(cheapest[low:high]))
        for low, high in zip(edges[:-1], edges[1:], strict=True)
        if high > low
    ]


def _cheapest_path(cost: Float64, slope: Float64) -> tuple[npt.NDArray[np.int64], float]:
    """Monotone path (m,) from column 0 that could close at column n, and its total cost."""
    m, n = cost.shape
    jump = len(slope) - 1
    # Column n is column 0 met again: the path may only end where one more step closes it.
    wide = np.concatenate([cost, cost[:, :1]], axis=1)
    total = np.full(n + 1, np.inf)
    total[0] = wide[0, 0]
    choice = np.zeros((m, n + 1), np.int16)
    padded = np.full(n + 1 + jump, np.inf)
    for i in range(1, m):
        padded[jump:] = total
        windows = np.lib.stride_tricks.sliding_window_view(padded, jump + 1)[:, ::-1] + slope
        choice[i] = np.argmin(windows, axis=1)
        total = windows[np.arange(n + 1), choice[i]] + wide[i]
    closing = np.full(n + 1, np.inf)
    closing[n - jump :] = slope[::-1]
    ending = total + closing
    j = int(np.argmin(ending))
    final = float(ending[j])
    path = np.empty(m, np.int64)
    for i in range(m - 1, -1, -1):
        path[i] = j
        j -= int(choice[i, j])
    return path, final


def collapsed_fraction(phi: npt.NDArray[np.int64]) -> float:
    """Share of consecutive points that sit on the same point of the body."""
    return float(np.mean(np.roll(phi, -1) == phi))
