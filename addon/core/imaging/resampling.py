"""Pictures between a photo's pixels and the grid of a crop (`frames` moves points alike)."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import AnyArray, Crop, Float64


def grid_to_photo(crop: Crop) -> Float64:
    """(2, 3) affine map of grid pixels to photo pixels.

    Parameters
    ----------
    crop : Crop
        The grid.

    Returns
    -------
    Float64
        (2, 3).
    """
    return np.array([[1 / crop.scale, 0, crop.x0], [0, 1 / crop.scale, crop.y0]])


def photo_to_grid(crop: Crop) -> Float64:
    """(2, 3) affine map of photo pixels to grid pixels.

    Parameters
    ----------
    crop : Crop
        The grid.

    Returns
    -------
    Float64
        (2, 3).
    """
    scale = crop.scale
    return np.array([[scale, 0, -crop.x0 * scale], [0, scale, -crop.y0 * scale]])


def resampled_on_grid(
    picture: AnyArray,
    crop: Crop,
    interpolation: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_CONSTANT,
) -> AnyArray:
    """A photo-sized picture (H, W) or (H, W, k) at the pixels of the crop's grid (h, w).

    Parameters
    ----------
    picture : AnyArray
        (H, W) or (H, W, k), photo-sized.
    crop : Crop
        The grid.
    interpolation : int
        OpenCV's; `cv2.INTER_NEAREST` for labels.
    border : int
        OpenCV's: what lies beyond the photo, 0 if not `cv2.BORDER_REPLICATE`.

    Returns
    -------
    AnyArray
        (h, w) or (h, w, k).
    """
    resampled: AnyArray = cv2.warpAffine(
        picture, grid_to_photo(crop), (crop.width, crop.height),
        flags=interpolation | cv2.WARP_INVERSE_MAP, borderMode=border,
    )  # fmt: skip
    return resampled


def resampled_on_photo(
    picture: AnyArray,
    crop: Crop,
    shape: tuple[int, ...],
    interpolation: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_CONSTANT,
) -> AnyArray:
    """A picture (h, w) or (h, w, k) on the crop's grid at the photo's pixels.

    Parameters
    ----------
    picture : AnyArray
        (h, w) or (h, w, k), on the crop's grid.
    crop : Crop
        The grid.
    shape : tuple[int, ...]
        The photo's height and width.
    interpolation : int
        OpenCV's; `cv2.INTER_NEAREST` for labels.
    border : int
        OpenCV's: what lies beyond the grid, 0 if not `cv2.BORDER_REPLICATE`.

    Returns
    -------
    AnyArray
        (H, W) or (H, W, k).
    """
    resampled: AnyArray = cv2.warpAffine(
        picture, photo_to_grid(crop), (shape[1], shape[0]),
        flags=interpolation | cv2.WARP_INVERSE_MAP, borderMode=border,
    )  # fmt: skip
    return resampled
