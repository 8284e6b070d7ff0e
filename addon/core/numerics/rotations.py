"""Rotations: as unit quaternions, scalar first, and between directions."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..types import Float64

_SHORTEST = 1e-12  # of a vector: a shorter one has no direction
_OPPOSITE = 1e-9  # radians from opposite, below which the cross product is no axis


def continuous(rotations: Float64) -> Float64:
    """The same rotations (F, J, 4), each quaternion on the side of the frame before's.

    Parameters
    ----------
    rotations : Float64
        (F, J, 4) quaternions.

    Returns
    -------
    Float64
        (F, J, 4).
    """
    against = np.einsum("fjk,fjk->fj", rotations[1:], rotations[:-1]) < 0
    signs = np.where(np.cumsum(against, axis=0) % 2 == 1, -1.0, 1.0)
    signs = np.concatenate([np.ones((1, rotations.shape[1])), signs])
    return rotations * signs[..., None]


def shortest_arc(first: Float64, second: Float64) -> Rotation:
    """Rotations that take directions to others by the shortest way.

    Opposite directions have no shortest way: they are half a turn apart about an axis at right
    angles to `first`, the same for the same input. A vector of no length stays as it is.

    Parameters
    ----------
    first : Float64
        (3,) or (F, 3) of any length.
    second : Float64
        (3,) or (F, 3) of any length.

    Returns
    -------
    Rotation
        One rotation, or F.
    """
    a, b = _unit(first), _unit(second)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    # One pair and many keep each their product: they differ in the last bit.
    cosine = np.atleast_1d(a @ b) if a.ndim == 1 else np.einsum("fi,fi->f", a, b)[:, None]
    opposite = (sine < _OPPOSITE) & (cosine < 0)
    across = _unit(np.cross(a, np.eye(3)[np.abs(a).argmin(axis=-1)]))
    turn = axis * (np.arctan2(sine, cosine) / np.maximum(sine, _SHORTEST))
    return Rotation.from_rotvec(np.where(opposite, np.pi * across, turn))


def _unit(vectors: Float64) -> Float64:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _SHORTEST)
