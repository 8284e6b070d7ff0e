"""Numbers noted on datablocks as custom properties, which users can see, edit and overwrite."""

from __future__ import annotations

import bpy
import numpy as np

from ..core.types import Float64


def numbers(block: bpy.types.ID, key: str, count: int = -1) -> Float64 | None:
    """(count,) what is noted under `key`, any count where -1; None where it is something else."""
    try:
        noted = np.array(block[key], np.float64)
    except (KeyError, TypeError, ValueError):
        return None
    is_whole = noted.ndim == 1 and count in (-1, len(noted))
    return noted if is_whole else None
