"""Morphology of masks."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import Mask


def dilated_by_disc(mask: Mask, radius: int) -> Mask:
    """The mask (h, w) and all pixels that discs of `radius` pixels around its own cover.

    Parameters
    ----------
    mask : Mask
        (h, w).
    radius : int
        Pixels.

    Returns
    -------
    Mask
        (h, w).
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    return cv2.dilate(mask.astype(np.uint8), disc) > 0


def dilated_by_square(mask: Mask, radius: int) -> Mask:
    """The mask (h, w) and all pixels at most `radius` rows and columns off.

    Parameters
    ----------
    mask : Mask
        (h, w).
    radius : int
        Pixels.

    Returns
    -------
    Mask
        (h, w).
    """
    square = np.ones((2 * radius + 1,) * 2, np.uint8)
    return cv2.dilate(mask.astype(np.uint8), square) > 0


def dilated_by_distance(mask: Mask, radius_px: float) -> Mask:
    """The mask (h, w) and all pixels within `radius_px` of it, a fraction of a pixel counted: the
    chamfer distance, whose effort does not grow with the radius.

    Parameters
    ----------
    mask : Mask
        (h, w).
    radius_px : float
        Pixels.

    Returns
    -------
    Mask
        (h, w).
    """
    if not mask.any():
        return mask
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= radius_px


def largest_component(mask: Mask, connectivity: int = 4) -> Mask:
    """The largest connected piece of a mask (h, w), by 4 or 8 neighbours; none of an empty one.

    Parameters
    ----------
    mask : Mask
        (h, w).
    connectivity : int
        4 or 8 neighbours.

    Returns
    -------
    Mask
        (h, w).
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=connectivity
    )
    if count < 2:
        return np.zeros_like(mask)
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
