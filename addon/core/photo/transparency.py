"""Photos that are partly transparent: what lies behind them, and which of them are cut-outs."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import Float32, Mask, UInt8

STUDIO_TOP, STUDIO_BOTTOM = 214.0, 176.0  # greys of the backdrop behind what is transparent
OPAQUE = 128  # alpha from which on a pixel counts as there
# What is looked at around the person, as shares of the person's larger extent: a soft edge and a
# network's error lie within the first, the photo's own background begins before the second.
_EDGE_SHARE, _AROUND_SHARE = 0.015, 0.05
_LEAST_EDGE_PX, _LEAST_AROUND_PX = 3, 8
_CLEAR = 25  # alpha, a tenth: so near to 0 and to 255 no one sees the difference
_MOST_LEFT = 0.1  # mean opacity around a person who is cut out: a shadow, a lock of hair


def studio_backdrop(height: int, width: int) -> UInt8:
    """(H, W, 3): a grey that darkens towards the floor.

    Parameters
    ----------
    height : int
        Pixels.
    width : int
        Pixels.

    Returns
    -------
    UInt8
        (H, W, 3), sRGB.
    """
    column = np.linspace(STUDIO_TOP, STUDIO_BOTTOM, height)[:, None, None]
    return np.broadcast_to(column, (height, width, 3)).round().astype(np.uint8)


def before_backdrop(rgb: UInt8, alpha: UInt8) -> UInt8:
    """Straight colours (H, W, 3) with their opacity (H, W) laid before the backdrop. What colour
    lies beneath full transparency is no one's choice, and gone.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB, not multiplied by the opacity.
    alpha : UInt8
        (H, W), 0..255.

    Returns
    -------
    UInt8
        (H, W, 3), sRGB.
    """
    share = alpha[..., None].astype(np.float32) / 255
    backdrop = studio_backdrop(*alpha.shape)
    return np.rint(rgb * share + backdrop * (1 - share)).astype(np.uint8)


def is_veiled(alpha: UInt8) -> bool:
    """Whether most of what a photo shows is half transparent, not only its edges.

    Parameters
    ----------
    alpha : UInt8
        (H, W), 0..255.

    Returns
    -------
    bool
        True if the backdrop shines through most of it.
    """
    shown = alpha > _CLEAR
    return bool(shown.any() and (alpha[shown] < 255 - _CLEAR).mean() > 0.5)


def is_cut_out(alpha: UInt8 | None, person: Mask, most_left: float = _MOST_LEFT) -> bool:
    """Whether nearly everything around a person (H, W) is transparent, and the person is not.

    A photo with transparent corners, a frame or a missing half is none.

    Parameters
    ----------
    alpha : UInt8 | None
        (H, W), 0..255; None if the photo is opaque.
    person : Mask
        (H, W) mask.
    most_left : float
        Mean opacity, 0..1, that may be left around the person.

    Returns
    -------
    bool
        True for a cut-out.
    """
    if alpha is None or not person.any():
        return False
    around = ring(person)
    if not around.any():
        return False
    left = alpha[around].mean() / 255
    return bool(left <= most_left and (alpha[person] >= OPAQUE).mean() >= 0.5)


def ring(person: Mask) -> Mask:
    """(H, W) bool: what is near a person but beyond the edge.

    Parameters
    ----------
    person : Mask
        (H, W) mask, not empty.

    Returns
    -------
    Mask
        (H, W) mask.
    """
    rows, columns = np.nonzero(person)
    extent = max(np.ptp(rows), np.ptp(columns))
    near = max(_LEAST_EDGE_PX, round(_EDGE_SHARE * extent))
    far = max(_LEAST_AROUND_PX, round(_AROUND_SHARE * extent))
    outside: Float32 = cv2.distanceTransform(
        (~person).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5
    )
    return (outside > near) & (outside <= far)
