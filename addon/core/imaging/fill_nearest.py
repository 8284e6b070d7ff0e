"""The nearest pixel of a mask, from which others take what they lack."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from ..types import AnyArray, Float32, Int32, Mask


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


def nearest_site(known: Mask) -> tuple[Float32, npt.NDArray[np.int64]]:
    """Distance in pixels (h, w) to the nearest pixel of a mask (h, w), and that pixel's flat index
    (h, w); 0 where the mask is empty.

    By a chamfer distance of 5 x 5 (Borgefors 1986), many times faster than `nearest_in` on a whole
    photo: among pixels whose distances differ by less than 2 percent it may choose either.

    Parameters
    ----------
    known : Mask
        (h, w).

    Returns
    -------
    tuple[Float32, NDArray[np.int64]]
        (h, w) pixels, and (h, w) flat indices.
    """
    distance, site = _sites(known)
    index = np.zeros(int(site.max(initial=0)) + 1, np.int64)
    index[site[known]] = np.flatnonzero(known)
    return distance, index[site]


def fill_nearest(values: AnyArray, known: Mask, empty: int = 0) -> AnyArray:
    """Values (h, w) or (h, w, k) in which every pixel has its nearest known pixel's, as
    `nearest_site` finds it; `empty` everywhere where no pixel of `known` (h, w) is set.

    Parameters
    ----------
    values : AnyArray
        (h, w) or (h, w, k).
    known : Mask
        (h, w).
    empty : int
        What stands everywhere where nothing is known.

    Returns
    -------
    AnyArray
        (h, w) or (h, w, k), like the values.
    """
    _, site = _sites(known)
    of_site = np.full((int(site.max(initial=0)) + 1, *values.shape[2:]), empty, values.dtype)
    of_site[site[known]] = values[known]
    filled: AnyArray = of_site[site]
    return filled


def _sites(known: Mask) -> tuple[Float32, Int32]:
    """Distances (h, w), and which of the known pixels, numbered by OpenCV, is nearest (h, w)."""
    distance, site = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    return distance, site
