"""Windows of the photo as networks take them: resampled without aliasing, channels first."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import PersonError
from ..types import Float32, UInt8

# Colours of ImageNet's pictures, 0..1 RGB, to which most networks are used.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def check_box(rgb: UInt8, box: Float32) -> None:
    """Raise PersonError where a box (x0, y0, x1, y1 in photo pixels) shows nothing of the photo.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    box : Float32
        (4,) x0 y0 x1 y1, photo pixels.

    Raises
    ------
    PersonError
        If it shows nothing of the photo.
    """
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = np.asarray(box, np.float64).tolist()
    meets = max(x0, 0) < min(x1, width - 1) and max(y0, 0) < min(y1, height - 1)
    if not (np.isfinite([x0, y0, x1, y1]).all() and meets):
        raise PersonError(
            "The person's box is empty or outside of the photo: find the people again."
        )


def resized(picture: npt.NDArray[Any], width: int, height: int) -> npt.NDArray[Any]:
    """(height, width) or (height, width, 3) of the same picture and dtype: averaged along a side
    that shrinks, bilinear along one that grows.

    Parameters
    ----------
    picture : npt.NDArray[Any]
        (h, w) or (h, w, 3).
    width : int
        Pixels.
    height : int
        Pixels.

    Returns
    -------
    npt.NDArray[Any]
        (height, width) or (height, width, 3).
    """
    # OpenCV averages only where both sides shrink, and else shifts pixels by parts of their size.
    small = min(width, picture.shape[1]), min(height, picture.shape[0])
    if small != picture.shape[1::-1]:
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    if small != (width, height):
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return picture


def window(
    rgb: UInt8, origin: tuple[float, float], step: tuple[float, float], width: int, height: int
) -> UInt8:
    """(height, width, 3): the window whose pixel (u, v) lies at origin + (u, v) * step in the
    photo; black beyond the photo's edges.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    origin : tuple[float, float]
        Photo pixels (x, y), centres at integers.
    step : tuple[float, float]
        Photo pixels (x, y), centres at integers.
    width : int
        Pixels.
    height : int
        Pixels.

    Returns
    -------
    UInt8
        (height, width, 3).
    """
    # Averaging first keeps fine patterns from aliasing; twofold is left to the interpolation.
    small_width = min(rgb.shape[1], max(1, round(rgb.shape[1] * 1.5 / max(step[0], 1.5))))
    small_height = min(rgb.shape[0], max(1, round(rgb.shape[0] * 1.5 / max(step[1], 1.5))))
    fx, fy = small_width / rgb.shape[1], small_height / rgb.shape[0]
    if max(step) > 2:
        rgb = resized(rgb, small_width, small_height)
    else:
        fx = fy = 1.0
    # Pixel centres at integers: (x + 0.5) * factor - 0.5.
    matrix = np.array(
        [
            [step[0] * fx, 0, (origin[0] + 0.5) * fx - 0.5],
            [0, step[1] * fy, (origin[1] + 0.5) * fy - 0.5],
        ]
    )
    return cv2.warpAffine(
        rgb, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )


def normalised(
    rgb: UInt8, mean: tuple[float, ...] = IMAGENET_MEAN, std: tuple[float, ...] = IMAGENET_STD
) -> Float32:
    """(3, h, w) float32 of (h, w, 3): colours in 0..1 minus `mean`, over `std`.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    mean : tuple[float, ...]
        Of each channel, 0..1.
    std : tuple[float, ...]
        Deviation of each channel, 0..1.

    Returns
    -------
    Float32
        (3, h, w).
    """
    scaled = (rgb.astype(np.float32) / 255 - np.array(mean, np.float32)) / np.array(std, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32)
