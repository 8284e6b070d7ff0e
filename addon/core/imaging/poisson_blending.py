"""Pieces of a picture put together without seams: differences are kept, the light is made one."""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import spsolve

from ..numerics.grid_laplacian import laplacian, neighbours, numbered
from ..types import Float32, Int32, Integers, Mask

KEPT_COLOUR = 1e-3  # of a piece's own colour, beside its differences from its neighbours

_Pixels = tuple[Integers, Integers]  # rows and columns


def without_seams(
    image: Float32, hole: Mask, pieces: Float32, offset: Int32, leads: Mask, edge: float
) -> Float32:
    """The pieces with their differences kept and their light made one (Perez, Gangnet, Blake,
    "Poisson Image Editing", SIGGRAPH 2003).

    Departure: where two pieces meet in a real edge, the joint is given little weight, and each
    pixel is held a little to its own colour, so that no colour runs across edges.


    Parameters
    ----------
    image : Float32
        (h, w, 3), 0..1.
    hole : Mask
        (h, w).
    pieces : Float32
        (h, w, 3), the image with its hole filled.
    offset : Int32
        (h, w, 2), rows and columns to where a pixel is taken from.
    leads : Mask
        (h, w), where the offset counts.
    edge : float
        Difference of colours at which a joint is given half its weight.

    Returns
    -------
    Float32
        (h, w, 3), 0..1.
    """
    number = numbered(hole)
    ys, xs = np.nonzero(hole)
    diagonal = np.full(len(ys), KEPT_COLOUR)
    right_hand = KEPT_COLOUR * pieces[ys, xs].astype(np.float64)
    edges = []
    for _, own, ny, nx in neighbours(hole):
        y, x = ys[own], xs[own]
        other = number[ny, nx]
        plain = pieces[y, x] - pieces[ny, nx]
        # The joint's difference as the piece on either side shows it.
        shown = [
            _shown(image, hole, offset, leads, a, b, plain)
            for a, b in (((y, x), (ny, nx)), ((ny, nx), (y, x)))
        ]
        wanted = (shown[0] - shown[1]) / 2
        wanted[other < 0] = shown[0][other < 0]
        gap = np.abs(plain - wanted).max(1)
        weight = 1 / (1 + (gap / edge) ** 4)
        diagonal[own] += weight
        right_hand[own] += weight[:, None] * wanted
        known = other < 0
        right_hand[own[known]] += weight[known, None] * image[ny[known], nx[known]]
        edges.append((own[~known], other[~known], weight[~known]))
    system = laplacian(diagonal, edges)
    result = pieces.copy()
    result[ys, xs] = np.clip(spsolve(system, right_hand), 0, 1)
    return result


def _shown(
    image: Float32,
    hole: Mask,
    offset: Int32,
    leads: Mask,
    here: _Pixels,
    there: _Pixels,
    plain: Float32,
) -> Float32:
    """(n, 3) how much brighter `here` is than `there` in the piece that `here` is taken from;
    `plain`, the difference of the pieces put together, where that piece does not tell."""
    move = offset[here]
    limit = np.array(hole.shape)
    first, second = (np.stack(place, 1) + move for place in (here, there))
    told = ((second >= 0) & (second < limit)).all(1) & leads[here] & hole[here]
    result = plain.copy()
    told[told] = ~hole[tuple(second[told].T)]
    result[told] = image[tuple(first[told].T)] - image[tuple(second[told].T)]
    return result
