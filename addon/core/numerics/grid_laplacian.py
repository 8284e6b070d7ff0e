"""Laplace's and Poisson's equations on the pixels of a grid, solved directly.

For some ten thousand unknowns whose system is solved for many right-hand sides, or once;
`multigrid` is for hundreds of thousands.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu, spsolve

from ..imaging.fill_nearest import nearest_site
from ..types import Float32, Float64, Mask

Index = npt.NDArray[np.int64]

# Of a neighbour's weight: islands of unknowns without a known neighbour would be singular, so each
# is held a trace to its nearest known value.
SCREENING = 1e-6
_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))  # rows, columns


def neighbours(mask: Mask) -> Iterator[tuple[tuple[int, int], Index, Index, Index]]:
    """For each of the four directions (rows, columns) the pixels of a mask (h, w) that have a
    neighbour on the grid there, numbered in the order of `nonzero`, and its row and column (n,).

    Parameters
    ----------
    mask : Mask
        (h, w).

    Yields
    ------
    tuple
        Steps (rows, columns), numbers (n,), rows (n,) and columns (n,) of neighbours.
    """
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    for step in _STEPS:
        r, c = rows + step[0], columns + step[1]
        inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
        yield step, np.nonzero(inside)[0], r[inside], c[inside]


def numbered(mask: Mask) -> Index:
    """(h, w) the numbers of a mask's pixels in the order of `nonzero`, -1 elsewhere.

    Parameters
    ----------
    mask : Mask
        (h, w).

    Returns
    -------
    Index
        (h, w).
    """
    number = np.full(mask.shape, -1, np.int64)
    number[mask] = np.arange(int(mask.sum()))
    return number


def laplacian(diagonal: Float64, edges: list[tuple[Index, Index, Float64]]) -> sparse.csc_matrix:
    """The weighted graph Laplacian with a given diagonal (n,): -weight at each of the edges, which
    are triples of first ends, second ends and weights (e,).

    Parameters
    ----------
    diagonal : Float64
        (n,).
    edges : list
        First ends (e,), second ends (e,) and weights (e,).

    Returns
    -------
    csc_matrix
        (n, n).
    """
    own = np.arange(len(diagonal))
    values = np.concatenate([diagonal, *(-weight for _, _, weight in edges)])
    rows = np.concatenate([own, *(first for first, _, _ in edges)])
    columns = np.concatenate([own, *(second for _, second, _ in edges)])
    return sparse.csc_matrix((values, (rows, columns)), shape=(len(own),) * 2)


def membrane(image: Float32, hole: Mask, sideways: float = 1.0) -> Float32:
    """The smoothest filling: Laplace's equation in the hole, the known pixels as its border.

    image : (h, w, 3) float; hole : (h, w) bool. `sideways` > 1 follows rows more than columns;
    linear functions stay solutions. The picture's edges do not pull (Neumann).

    Parameters
    ----------
    image : Float32
        (h, w, 3).
    hole : Mask
        (h, w).
    sideways : float
        Weight of a row's neighbours, over a column's.

    Returns
    -------
    Float32
        (h, w, 3).
    """
    number = numbered(hole)
    diagonal = np.zeros(int(hole.sum()))
    right_hand = np.zeros((len(diagonal), 3))
    edges = []
    for step, here, row, column in neighbours(hole):
        weight = sideways if step[0] == 0 else 1.0
        diagonal[here] += weight
        there = number[row, column]
        unknown = there >= 0
        edges.append((here[unknown], there[unknown], np.full(int(unknown.sum()), weight)))
        right_hand[here[~unknown]] += weight * image[row[~unknown], column[~unknown]]
    result = image.copy()
    result[hole] = spsolve(laplacian(diagonal, edges), right_hand).reshape(-1, 3)
    return result


def fill_harmonically(values: Float32, known: Mask, unknown: Mask) -> Float32:
    """Solve Laplace's equation on the unknown pixels; the known ones beside them are given.

    values : (h, w, k); pixels in neither mask do not take part. An island of unknown pixels that
    touches no known one takes the nearest known value.

    Parameters
    ----------
    values : Float32
        (h, w, k); pixels in neither mask do not take part.
    known : Mask
        (h, w).
    unknown : Mask
        (h, w).

    Returns
    -------
    Float32
        (h, w, k).
    """
    if not unknown.any():
        return values
    filled = values.copy(order="K")
    _, site = nearest_site(known)
    filled[unknown] = values[np.unravel_index(site[unknown], known.shape)]

    number = numbered(unknown)
    degree = np.zeros(int(unknown.sum()))
    right_hand = np.zeros((len(degree), values.shape[2]))
    edges = []
    for _, here, row, column in neighbours(unknown):
        given, free = known[row, column], unknown[row, column]
        degree[here] += given | free
        right_hand[here[given]] += values[row[given], column[given]]
        edges.append((here[free], number[row[free], column[free]], np.ones(int(free.sum()))))
    # Most skinning weights are zero all around: what is 0 on the rim is 0 within.
    active = right_hand.any(axis=0) | filled[unknown].any(axis=0)
    factors = splu(
        laplacian(degree + SCREENING, edges),
        permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True},
    )  # fmt: skip
    solved = filled[unknown]
    solved[:, active] = factors.solve((right_hand + SCREENING * solved)[:, active])
    filled[unknown] = solved
    return filled


def screened_membrane(values: Float32, fixed: Mask, inside: Mask, reach_px: float) -> Float32:
    """(H, W, k): u on `inside` with (Laplace - 1 / reach_px^2) u = 0 and u = values where fixed;
    no flow over the border of `inside` (Neumann). 0 outside.

    Parameters
    ----------
    values : Float32
        (H, W, k).
    fixed : Mask
        (H, W).
    inside : Mask
        (H, W).
    reach_px : float
        Pixels.

    Returns
    -------
    Float32
        (H, W, k).
    """
    result = np.where((fixed & inside)[..., None], values, 0).astype(np.float32)
    free = inside & ~fixed
    if not free.any():
        return result
    number = numbered(free)
    degree = np.full(int(free.sum()), 1.0 / max(reach_px, 0.5) ** 2)
    right_hand = np.zeros((len(degree), values.shape[2]))
    edges = []
    for _, here, row, column in neighbours(free):
        there, given = inside[row, column], (inside & fixed)[row, column]
        degree[here] += there
        right_hand[here[given]] += values[row[given], column[given]]
        open_ = free[row, column]
        edges.append((here[open_], number[row[open_], column[open_]], np.ones(int(open_.sum()))))
    result[free] = splu(laplacian(degree, edges)).solve(right_hand)
    return result
