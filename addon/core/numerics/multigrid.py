"""Weighted graph Laplacians on pixel grids, solved by conjugate gradients that aggregation
multigrid preconditions.

The unknowns are one or two sheets of values over the same pixels. Edges join neighbours along rows
and columns of a sheet and the two sheets at one pixel; a screening term ties a pixel to a given
value. The matrix, edge weights off the diagonal and their sums plus the screening on it, is a
symmetric M-matrix. Coarser levels aggregate pairs of pairs along the heaviest edges, so that pixels
on both sides of a cut or a gap never become one, and are solved by two steps of conjugate gradients
each (aggregation multigrid with K-cycles: Notay, ETNA 37, 2010). Its cost grows with the number of
pixels only. The loops are compiled; all arrays of a graph are in compressed rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from ..types import Float64, Int32, SolveInfo

Reals = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.integer[Any]]
Loop = TypeVar("Loop", bound=Callable[..., Any])

MOST_ITERATIONS = 200  # a few dozen are usual
K_CYCLE_TOLERANCE = 0.35  # of a coarse right-hand side: more left calls for a second step
COARSEST = 100  # unknowns that are solved directly
LEAST_COARSENING = 0.8  # of the unknowns left: beyond it, edges are too few to aggregate along
STRENGTH_THRESHOLD = 0.25  # of a pixel's heaviest edge: lighter ones are not aggregated along
# A cycle is approximate: half the bytes, and indices without a sign to ask for, take half the time.
CYCLE_FLOAT, CYCLE_INDEX = np.float32, np.uint32
DOMINANCE = 4.0  # screening over the sum of its edges: an unknown held so needs no coarser level


@dataclass(frozen=True, eq=False)
class GridGraph:
    """Edge weights and screening of a grid of (h, w) pixels for s sheets (1 or 2).

    right : (s, h, w), to the next column, 0 in the last one
    down : (s, h, w), to the next row, 0 in the last one
    across : (h, w), between the two sheets; 0 with one
    screening : (s, h, w), weight of the given values. A pixel without it is no unknown.
    """

    right: Float64
    down: Float64
    across: Float64
    screening: Float64


@dataclass(frozen=True, eq=False)
class _Graph:
    """A graph of n unknowns: row i holds the other ends and the weights of i's edges."""

    first: Int32  # (n + 1,), where rows begin
    end: Indices  # (e,)
    weight: Reals  # (e,)
    screening: Reals  # (n,)
    diagonal: Reals  # (n,), sum of all of an unknown's edges and its screening

    @property
    def arrays(self) -> tuple[Int32, Indices, Reals, Reals]:
        return self.first, self.end, self.weight, self.diagonal


@dataclass(frozen=True, eq=False)
class _Level:
    graph: _Graph
    aggregate: Int32  # (n,), unknown of the next level, below 0 for none; empty in the last
    inverse: Reals  # of the last level's matrix; empty elsewhere

    def for_cycles(self) -> _Level:
        """In the types that cycles use."""
        graph = self.graph
        weight, screening, diagonal, inverse = (
            each.astype(CYCLE_FLOAT)
            for each in (graph.weight, graph.screening, graph.diagonal, self.inverse)
        )
        small = _Graph(graph.first, graph.end.astype(CYCLE_INDEX), weight, screening, diagonal)
        return _Level(small, self.aggregate, inverse)


def solve(
    grid: GridGraph, right_hand_side: Float64, start: Float64, tolerance: float
) -> tuple[Float64, SolveInfo]:
    """(s, h, w): the x at which matrix . x = right-hand side, sought from `start` until no value
    changes by more than `tolerance`; 0 where no unknown is; and how the search ended. Its
    last step is the largest change that the last cycle asked for, in the unit of x.

    Parameters
    ----------
    grid : GridGraph
        The matrix.
    right_hand_side : Float64
        (s, h, w), for each pixel the sum over its edges of weight times wanted difference,
        and its screening times the given value.
    start : Float64
        (s, h, w).
    tolerance : float
        In the unit of x.

    Returns
    -------
    tuple[Float64, SolveInfo]
        (s, h, w), and iterations, last step and whether it converged.
    """
    # Sheets lie side by side in memory, as they do in the system.
    unknown = np.ascontiguousarray(np.moveaxis(grid.screening > 0, 0, -1))
    graph = _graph_of(grid, unknown)
    levels = [level.for_cycles() for level in _levels(graph)]
    x = np.moveaxis(start, 0, -1)[unknown].astype(np.float64)
    residual = np.moveaxis(right_hand_side, 0, -1)[unknown] - _product(*graph.arrays, x)
    direction, product = np.zeros_like(x), np.zeros_like(x)
    size, iterations, change = 0.0, 0, 0.0
    while iterations < MOST_ITERATIONS:
        iterations += 1
        correction = _cycle(levels, 0, residual.astype(CYCLE_FLOAT)).astype(np.float64)
        change = float(np.abs(correction).max(initial=0.0))
        # The cycle is no fixed matrix, so directions are made conjugate explicitly.
        share = np.vdot(correction, product) / size if size else 0.0
        direction = correction - share * direction
        product = _product(*graph.arrays, direction)
        size = float(np.vdot(direction, product))
        if size <= 0:
            break
        step = float(np.vdot(direction, residual)) / size
        x += step * direction
        residual -= step * product
        if change < tolerance:
            break
    found = np.zeros(unknown.shape)
    found[unknown] = x
    # Where a number is no longer finite, no comparison holds.
    return np.moveaxis(found, -1, 0), SolveInfo(iterations, change, change < tolerance)


def _levels(graph: _Graph) -> list[_Level]:
    none = np.zeros(0)
    levels = []
    while len(graph.screening) > COARSEST:
        coarse, aggregate = _coarser(graph)
        coarser, again = _coarser(coarse)
        if len(coarser.screening) > LEAST_COARSENING * len(graph.screening):
            break
        levels.append(_Level(graph, np.where(aggregate < 0, aggregate, again[aggregate]), none))
        graph = coarser
    if len(graph.screening) <= COARSEST:
        matrix = np.diag(graph.diagonal)
        rows = np.repeat(np.arange(len(graph.screening)), np.diff(graph.first))
        matrix[rows, graph.end] -= graph.weight
        inverse = np.linalg.inv(matrix)
    else:
        # Hardly any edges are left: a sweep solves it.
        inverse = none
    return [*levels, _Level(graph, np.zeros(0, np.int32), inverse)]


def _coarser(graph: _Graph) -> tuple[_Graph, Int32]:
    """Pairs of unknowns become one; returns the graph and each unknown's place in it."""
    aggregate, count = _aggregates(graph.first, graph.end, graph.weight, graph.screening)
    first, end, weight, screening, used = _aggregated_rows(
        graph.first, graph.end, graph.weight, aggregate, count
    )
    free = aggregate >= 0
    screening += np.bincount(aggregate[free], graph.screening[free], count)
    return _graph(first, end[:used].copy(), weight[:used].copy(), screening), aggregate


def _graph(first: Int32, end: Indices, weight: Reals, screening: Reals) -> _Graph:
    return _Graph(first, end, weight, screening, _row_sums(first, weight) + screening)


def _graph_of(grid: GridGraph, unknown: npt.NDArray[np.bool_]) -> _Graph:
    number = np.full(unknown.shape, -1, np.int32)
    number[unknown] = np.arange(int(unknown.sum()), dtype=np.int32)
    arrays = (grid.right, grid.down, grid.across)
    first, end, weight, used = _grid_rows(
        number, *(np.ascontiguousarray(each, np.float64) for each in arrays)
    )
    screening = np.moveaxis(grid.screening, 0, -1)[unknown].astype(np.float64)
    return _graph(first, end[:used].copy(), weight[:used].copy(), screening)


def _cycle(levels: list[_Level], at: int, residual: Reals) -> Reals:
    """About the inverse applied to a residual."""
    level = levels[at]
    graph = level.graph
    if level.inverse.size:
        return level.inverse @ residual
    x = np.zeros_like(residual)
    _sweep(*graph.arrays, x, residual, False)
    if level.aggregate.size:
        rest = residual - _product(*graph.arrays, x)
        coarse = _restricted(rest, level.aggregate, len(levels[at + 1].graph.screening))
        _prolong(_two_steps(levels, at + 1, coarse), level.aggregate, x)
    _sweep(*graph.arrays, x, residual, True)
    return x


def _two_steps(levels: list[_Level], at: int, right_hand_side: Reals) -> Reals:
    """Two steps of conjugate gradients on a level, the second only where the first leaves much
    (Notay's K-cycle)."""
    graph = levels[at].graph
    if levels[at].inverse.size:
        return _cycle(levels, at, right_hand_side)
    first = _cycle(levels, at, right_hand_side)
    product = _product(*graph.arrays, first)
    size = float(np.vdot(first, product))
    if size <= 0:
        return first
    step = float(np.vdot(first, right_hand_side)) / size
    rest = right_hand_side - step * product
    if np.vdot(rest, rest) <= K_CYCLE_TOLERANCE**2 * np.vdot(right_hand_side, right_hand_side):
        return step * first
    second = _cycle(levels, at, rest)
    second -= float(np.vdot(second, product)) / size * first
    product = _product(*graph.arrays, second)
    size = float(np.vdot(second, product))
    if size <= 0:
        return step * first
    return step * first + float(np.vdot(second, rest)) / size * second


def _compiled(loop: Loop) -> Loop:
    """Compile at the first call, and keep what was compiled for the next start."""
    return cast("Loop", numba.njit(cache=True)(loop))


@_compiled
def _grid_rows(
    number: Int32, right: Reals, down: Reals, across: Reals
) -> tuple[Int32, Int32, Reals, int]:
    """The grid's edges as rows; number : (h, w, s), -1 where no unknown is."""
    height, width, sheets = number.shape
    count = number.max() + 1
    first = np.zeros(count + 1, np.int32)
    end = np.empty(5 * count, np.int32)
    weight = np.empty(5 * count)
    used = 0
    for i in range(height):
        for j in range(width):
            for s in range(sheets):
                if number[i, j, s] < 0:
                    continue
                for way in range(5):
                    k, other = 0.0, -1
                    if way == 0 and i > 0:
                        k, other = down[s, i - 1, j], number[i - 1, j, s]
                    elif way == 1 and j > 0:
                        k, other = right[s, i, j - 1], number[i, j - 1, s]
                    elif way == 2 and sheets == 2:
                        k, other = across[i, j], number[i, j, 1 - s]
                    elif way == 3 and j + 1 < width:
                        k, other = right[s, i, j], number[i, j + 1, s]
                    elif way == 4 and i + 1 < height:
                        k, other = down[s, i, j], number[i + 1, j, s]
                    if k > 0.0 and other >= 0:
                        end[used] = other
                        weight[used] = k
                        used += 1
                first[number[i, j, s] + 1] = used
    return first, end, weight, used


@_compiled
def _aggregates(first: Int32, end: Indices, weight: Reals, screening: Reals) -> tuple[Int32, int]:
    """Aggregate each unknown with the free neighbour at its heaviest edge, if one is strong,
    else with the pair that the heaviest edge leads to; below 0 for unknowns that are held."""
    count = len(first) - 1
    aggregate = np.full(count, -1, np.int32)
    pairs = 0
    for i in range(count):
        if aggregate[i] != -1:
            continue
        total, heaviest, best, nearest, partner = 0.0, 0.0, 0.0, -1, -1
        for e in range(first[i], first[i + 1]):
            total += weight[e]
            if weight[e] > heaviest:
                heaviest, nearest = weight[e], end[e]
            if aggregate[end[e]] == -1 and weight[e] > best:
                best, partner = weight[e], end[e]
        if screening[i] >= DOMINANCE * total:
            aggregate[i] = -2
            continue
        if partner >= 0 and best >= STRENGTH_THRESHOLD * heaviest:
            aggregate[i] = pairs
            aggregate[partner] = pairs
            pairs += 1
        elif nearest >= 0 and aggregate[nearest] >= 0:
            aggregate[i] = aggregate[nearest]
        else:
            aggregate[i] = pairs
            pairs += 1
    return aggregate, pairs


@_compiled
def _aggregated_rows(
    first: Int32, end: Indices, weight: Reals, aggregate: Int32, count: int
) -> tuple[Int32, Int32, Reals, Reals, int]:
    """Rows of the graph of aggregates: parallel edges add up, and those to held
    unknowns, which get no correction, become screening."""
    begin = np.zeros(count + 1, np.int32)
    for i in range(len(aggregate)):
        if aggregate[i] >= 0:
            begin[aggregate[i] + 1] += 1
    for pair in range(count):
        begin[pair + 1] += begin[pair]
    filled = begin[:-1].copy()
    members = np.empty(begin[count], np.int32)
    for i in range(len(aggregate)):
        if aggregate[i] >= 0:
            members[filled[aggregate[i]]] = i
            filled[aggregate[i]] += 1
    new_first = np.zeros(count + 1, np.int32)
    new_end = np.empty(len(end), np.int32)
    new_weight = np.empty(len(end))
    new_screening = np.zeros(count)
    place = np.full(count, -1, np.int32)
    used = 0
    for pair in range(count):
        row = used
        for m in range(begin[pair], begin[pair + 1]):
            i = members[m]
            for e in range(first[i], first[i + 1]):
                other = aggregate[end[e]]
                if other < 0:
                    new_screening[pair] += weight[e]
                elif other != pair and place[other] >= row:
                    new_weight[place[other]] += weight[e]
                elif other != pair:
                    place[other] = used
                    new_end[used] = other
                    new_weight[used] = weight[e]
                    used += 1
        new_first[pair + 1] = used
    return new_first, new_end, new_weight, new_screening, used


@_compiled
def _restricted(fine: Reals, aggregate: Int32, count: int) -> Reals:
    coarse = np.zeros(count, fine.dtype)
    for i in range(len(fine)):
        if aggregate[i] >= 0:
            coarse[aggregate[i]] += fine[i]
    return coarse


@_compiled
def _prolong(coarse: Reals, aggregate: Int32, fine: Reals) -> None:
    for i in range(len(fine)):
        if aggregate[i] >= 0:
            fine[i] += coarse[aggregate[i]]


@_compiled
def _row_sums(first: Int32, weight: Reals) -> Reals:
    sums = np.zeros(len(first) - 1)
    for i in range(len(sums)):
        for e in range(first[i], first[i + 1]):
            sums[i] += weight[e]
    return sums


@_compiled
def _product(first: Int32, end: Indices, weight: Reals, diagonal: Reals, x: Reals) -> Reals:
    out = np.empty_like(x)
    for i in range(len(x)):
        value = diagonal[i] * x[i]
        for e in range(first[i], first[i + 1]):
            value -= weight[e] * x[end[e]]
        out[i] = value
    return out


@_compiled
def _sweep(
    first: Int32, end: Indices, weight: Reals, diagonal: Reals, x: Reals, right_hand_side: Reals,
    backward: bool,
) -> None:  # fmt: skip
    """Gauss-Seidel in place; backward is the transpose of forward."""
    count = len(x)
    for step in range(count):
        i = count - 1 - step if backward else step
        value = right_hand_side[i]
        for e in range(first[i], first[i + 1]):
            value += weight[e] * x[end[e]]
        x[i] = value / diagonal[i]
