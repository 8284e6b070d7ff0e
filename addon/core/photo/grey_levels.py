"""Deep greys: 16-bit, 32-bit and floating-point pictures, whose range no file states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..types import Floats

DEEP_MODES = frozenset(("I;16", "I;16B", "I;16L", "I;16N", "I", "F"))  # Pillow's, one channel
GREATEST = 65535  # white of what is returned
# White of the ranges in use: shares, and whole numbers of 8, 10, 12, 14 and 16 bits.
_WHITES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_SHORT_WHITES = (255.0, 1023.0, 4095.0)  # of fewer bits, kept in 16
_OVERSHOOT = 1.1  # of white: sharpening goes beyond it
_HIGHLIGHTS = 0.005  # share of the pixels that may be beyond white and do not darken all others
_NOTHING = 1e-30  # what is darker is black whatever the range
# A picture whose brightest parts are darker than this share of white would be read as black: its
# range is another one.
_DARKEST = 1 / 16


def levels(image: Image.Image) -> npt.NDArray[np.float32]:
    """A deep grey picture as (H, W), 0 (black) to GREATEST (white).

    What is no number counts as black, what is infinite as white or black. Whole numbers of 16 bits
    are taken for what PNG means by them, unless they can only be the lowest of them.

    Parameters
    ----------
    image : Image.Image
        Mode I;16, I or F.

    Returns
    -------
    npt.NDArray[np.float32]
        (H, W), 0..GREATEST.
    """
    whole = image.mode != "F"
    wide = image.mode == "I"  # whose 32 bits single floats do not hold
    values: Floats = np.asarray(image).astype(np.float64 if wide else np.float32)
    finite = values.ravel() if whole else values[np.isfinite(values)]
    highest = float(finite.max()) if finite.size else 0.0
    if not finite.size:
        white = 1.0
    elif whole and highest <= GREATEST:
        white = next((white for white in _SHORT_WHITES if highest <= white), float(GREATEST))
    else:
        white = _white(finite, (GREATEST,) if whole else _WHITES)
    values = np.nan_to_num(values, copy=False, nan=0.0, posinf=white, neginf=0.0)
    return (np.clip(values, 0.0, white) * (GREATEST / white)).astype(np.float32)


def _white(values: Floats, whites: Sequence[float]) -> float:
    """Which value is white, by the picture's finite ones (n,); whites in use, from the lowest."""
    at = int((1 - _HIGHLIGHTS) * (values.size - 1))
    bright, brightest = float(np.partition(values, at)[at]), float(values.max())
    told = bright if bright > 0 else brightest  # little but black: by the rest
    if told <= _NOTHING:
        return float(whites[0])
    own = min(brightest, _OVERSHOOT * told)
    white = next((white for white in whites if told <= _OVERSHOOT * white), own)
    is_black = told < _DARKEST * white and not _DARKEST * white <= brightest <= _OVERSHOOT * white
    return float(own if is_black else white)
