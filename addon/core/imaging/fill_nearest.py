"""The nearest pixel of a mask, from which others take what they lack."""

from __future__ import annotations

from scipy.ndimage import distance_transform_edt

from ..types import Int32, Mask


def nearest_in(mask: Mask) -> tuple[Int32, Int32]:
    """Row and column (h, w) of the pixel of a mask (h, w) that is nearest to each pixel:
    `values[nearest_in(known)]` are values whose gaps are filled.

    Parameters
    ----------
    mask : Mask
        (h, w), somewhere True.

    Returns
    -------
    tuple[Int32, Int32]
        (h, w) each.
    """
    rows, columns = distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return rows, columns
