"""Which point of the body's outline belongs to which point of the photo's outline.

Weng, Curless, Kemelmacher-Shlizerman, Photo Wake-Up (CVPR 2019), section 4.1: a monotone
cyclic assignment found by dynamic programming,

    min over phi of  sum_i D(i, phi[i]) + T(phi[i+1] - phi[i]),   0 <= phi[i+1] - phi[i] <= kappa.

In the paper D is the distance and T is constant, which lets half of the outline collapse on few
points of the body; `PUBLISHED` is that choice. The default adds to D a term for the outlines'
normals and one for the body's parts, to T a slope penalty and a least advance (lambda n/m <=
phi[i+1] - phi[i]), matches against a body loop that is sampled finer, and smooths phi.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d

from ...types import Float64
from . import contour


@dataclass(frozen=True)
class MatchingTerms:
    """Weights of the matching objective. Lengths are in pixels of a figure 512 px tall."""

    normal: float = 40.0  # px a unit of 1 - cos(angle between the normals)
    slope: float = 3.0  # px a unit of relative deviation from the mean advance n / m
    part: float = 1.0  # px a px that the body point's part is farther off than the nearest part
    least: float = 0.25  # of the mean advance: no step is slower, so none collapses
    jump: float = 32.0  # kappa for an outline of 2000 points; scaled to the one at hand
    spacing: float = 4.0  # grid px between the person's points that are matched
    finer: float = 4.0  # body points per person's point; 0: as far apart as the person's
    smoothing: float = 2.0  # matched points; sigma of the Gaussian that evens phi out
    close_gaps: bool = True  # match against the body with the gaps closed that the person covers
    unfold: bool = True  # smooth out where the warp turns over


PUBLISHED = MatchingTerms(
    normal=0.0,
    slope=0.0,
    part=0.0,
    least=0.0,
    spacing=2.0,
    finer=0.0,
    smoothing=0.0,
    close_gaps=False,
    unfold=False,
)
DEFAULT = MatchingTerms()

REFERENCE_OUTLINE_POINTS = 2000  # kappa of the paper belongs to outlines of about this many points
REFERENCE_FIGURE_PX = 512.0
PART_REACH_PX = 40.0  # of a figure 512 px tall: farther off, all wrong parts are equally wrong
CLOSURE_STARTS = 2  # trusted pairs that are tried as the place where the cycle is cut
COLLAPSED_SHARE = 0.1  # of the mean advance: a step that advances less stands still


def positions(
    photo: Float64,
    body: Float64,
    figure_px: float,
    terms: MatchingTerms = DEFAULT,
    part_distance: tuple[Float64, npt.NDArray[np.int64]] | None = None,
) -> Float64:
    """(m,) where on the body's loop each point of the photo's loop belongs: arc length as a
    share of the loop, monotone; it goes once around from its first value to that plus one.

    Parameters
    ----------
    photo : Float64
        (m, 2), evenly spaced; see `match`.
    body : Float64
        (n, 2), evenly spaced; see `match`.
    figure_px : float
        As in `match`.
    terms : MatchingTerms
        Weights of the costs.
    part_distance : tuple[Float64, npt.NDArray[np.int64]] | None
        (m, parts) and (n,), as in `match`.

    Returns
    -------
    Float64
        (m,).
    """
    phi = match(photo, body, figure_px, terms, part_distance)
    n = len(body)
    advance = (np.roll(phi, -1) - phi) % n
    unrolled = phi[0] + np.concatenate([[0], np.cumsum(advance[:-1])])
    even = np.arange(len(phi)) * (n / len(phi))
    if terms.smoothing > 0:
        # A convolution with positive weights keeps a monotone function monotone.
        return (even + contour.smooth(unrolled - even, terms.smoothing)) / n
    return unrolled / n


def match(
    photo: Float64,
    body: Float64,
    figure_px: float,
    terms: MatchingTerms = DEFAULT,
    part_distance: tuple[Float64, npt.NDArray[np.int64]] | None = None,
) -> npt.NDArray[np.int64]:
    """phi (m,): for each point of the photo's loop the index of its point on the body's loop.

    phi advances by exactly n around the loop (monotone, cyclic). The cycle is cut at a trusted
    pair; several cuts are tried and the cheapest cycle is kept.

    Parameters
    ----------
    photo : Float64
        (m, 2) pixels, evenly spaced.
    body : Float64
        (n, 2) pixels, evenly spaced, of the same sense.
    figure_px : float
        The figure's larger extent in these pixels; it scales the weights.
    terms : MatchingTerms
        Weights of the costs.
    part_distance : tuple[Float64, npt.NDArray[np.int64]] | None
        (m, parts) pixels from each of the photo's points to each part of the body, and (n,) the
        part of each of the body's points.

    Returns
    -------
    npt.NDArray[np.int64]
        (m,).
    """
    unit = figure_px / REFERENCE_FIGURE_PX
    cost = np.hypot(photo[:, None, 0] - body[None, :, 0], photo[:, None, 1] - body[None, :, 1])
    if terms.normal > 0:
        cosine = contour.normals(photo) @ contour.normals(body).T
        cost += terms.normal * unit * (1.0 - cosine)
    if part_distance is not None and terms.part > 0:
        distance, part = part_distance
        excess = distance - distance.min(axis=1, keepdims=True)
        cost += terms.part * np.minimum(excess, PART_REACH_PX * unit)[:, part]
    m, n = cost.shape
    mean = n / m
    jump = max(int(np.ceil(2.0 * mean)), round(terms.jump * n / REFERENCE_OUTLINE_POINTS))
    steps = Steps(round(terms.least * mean), jump, mean, terms.slope * unit / mean)

    best: npt.NDArray[np.int64] | None = None
    best_cost = np.inf
    for start in _trusted_points(cost):
        first = int(np.argmin(cost[start]))
        path, total = _cheapest_path(cost, start, first, steps)
        if total < best_cost:
            best_cost = total
            best = np.roll((path + first) % n, start)
    assert best is not None
    return best


@dataclass(frozen=True)
class Steps:
    """Which advances a step may make, and what they cost: rate |advance - mean|."""

    least: int
    most: int
    mean: float
    rate: float

    def costs(self) -> Float64:
        """(most - least + 1,) from the least advance to the most.

        Returns
        -------
        Float64
            (most - least + 1,).
        """
        return self.rate * np.abs(np.arange(self.least, self.most + 1) - self.mean)


def _trusted_points(cost: Float64) -> list[int]:
    """Photo points whose cheapest partner is cheap, spread around the loop."""
    m = len(cost)
    cheapest = cost.min(axis=1)
    edges = np.linspace(0, m, CLOSURE_STARTS + 1).astype(int)
    return [
        int(low + np.argmin(cheapest[low:high]))
        for low, high in itertools.pairwise(edges)
        if high > low
    ]


def _cheapest_path(
    cost: Float64, start: int, first: int, steps: Steps
) -> tuple[npt.NDArray[np.int64], float]:
    """Monotone path (m,) around the cycle that is cut at row `start` and column `first`, both
    counted from there on, and its total cost."""
    m, n = cost.shape
    # Column n is column 0 met again: the path may only end where one more step closes it.
    around = (first + np.arange(n + 1)) % n
    total = np.full((m, n + 1), np.inf)
    total[0, 0] = cost[start, first]
    column = np.arange(n + 1) * steps.rate
    turn = int(np.clip(np.floor(steps.mean), steps.least, steps.most))
    for i in range(1, m):
        # |s - mean| is linear on either side of the mean, so the least over a window of advances
        # is a running minimum there.
        slow = _least_before(total[i - 1] + column, steps.least, turn) - column
        slow += steps.rate * steps.mean
        if turn < steps.most:
            fast = _least_before(total[i - 1] - column, turn + 1, steps.most) + column
            slow = np.minimum(slow, fast - steps.rate * steps.mean)
        total[i] = slow + cost[(start + i) % m, around]
    costs = steps.costs()
    path = np.empty(m, np.int64)
    j, final = n, np.inf
    for i in range(m - 1, -1, -1):
        # The advance that led here, found again on the way back; the first goes to column n.
        low = max(j - steps.most, 0)
        came = total[i, low : max(j - steps.least + 1, 0)][::-1]
        options = came + costs[: len(came)]
        chosen = int(np.argmin(options)) if len(options) else 0
        if i == m - 1:
            final = float(options[chosen])
        j = max(j - steps.least - chosen, 0)
        path[i] = j
    return path, final


def _least_before(values: Float64, low: int, high: int) -> Float64:
    """For each j the least of values[j - high .. j - low]; infinite before the first."""
    size = high - low + 1
    # The filter's window ends at j with this origin; then the result moves on by `low`.
    least = minimum_filter1d(values, size, mode="constant", cval=np.inf, origin=(size - 1) // 2)
    moved = np.full_like(values, np.inf)
    moved[low:] = least[: len(values) - low]
    return moved


def collapsed_fraction(position: Float64, length: float = 1.0) -> float:
    """Share of the steps around a loop that stand still on the body: those that advance less
    than COLLAPSED_SHARE of the mean advance. It does not depend on how finely the body's loop is
    sampled; where both loops have equally many points it is the share of equal neighbours.

    Parameters
    ----------
    position : Float64
        (m,) monotone, in any unit of which the loop has `length`, wrapped or not.
    length : float
        Of the loop, in the positions' unit.

    Returns
    -------
    float
        0..1.
    """
    advance = (np.roll(position, -1) - position) % length
    return float(np.mean(advance < COLLAPSED_SHARE * length / len(position)))
