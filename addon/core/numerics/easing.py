"""Ways from 0 to 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..types import Float64


def smootherstep(share: npt.ArrayLike) -> Float64:
    """0 to 1 for shares 0 to 1, clipped beyond, with speed and acceleration 0 at both ends:
    6 t^5 - 15 t^4 + 10 t^3 (Perlin, Improving Noise, 2002).

    Parameters
    ----------
    share : ArrayLike
        Of any shape.

    Returns
    -------
    Float64
        Of the same shape.
    """
    t = np.clip(share, 0.0, 1.0)
    return t**3 * (10 - 15 * t + 6 * t * t)
