"""Rotations as unit quaternions, scalar first."""

from __future__ import annotations

import numpy as np

from ..types import Float64


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
