"""Photos turned by any angle on a canvas that cuts nothing off."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from photo_wake_up.addon.core.types import Float32, Float64, Mask, Photo

_ROUNDING = 1e-6  # pixels


def turned(
    photo: Photo, degrees: float, corners: tuple[int, int, int] | None = None
) -> tuple[Photo, Float64]:
    """The photo turned counter-clockwise, and the affine (2, 3) from its old pixels to its new.

    corners : colour of what is new; None lets the photo's rim go on
    """
    ends = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * [photo.width - 1, photo.height - 1]
    matrix = cv2.getRotationMatrix2D((0.0, 0.0), degrees, 1.0).round(12)
    placed = ends @ matrix[:, :2].T
    low = np.floor(placed.min(axis=0) + _ROUNDING)
    high = np.ceil(placed.max(axis=0) - _ROUNDING)
    matrix[:, 2] = -low
    width, height = (high - low).astype(int).tolist()
    rgb = cv2.warpAffine(
        photo.rgb, matrix, (width + 1, height + 1), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE if corners is None else cv2.BORDER_CONSTANT,
        borderValue=corners or 0,
    )  # fmt: skip
    alpha = None
    if photo.alpha is not None:
        alpha = cv2.warpAffine(photo.alpha, matrix, (width + 1, height + 1))
    return replace(photo, rgb=rgb, alpha=alpha), matrix


def turned_mask(matte: Float32, matrix: Float64, like: Photo) -> Mask:
    """The silhouette of a matte (H, W) in the turned photo's pixels."""
    return cv2.warpAffine(matte, matrix, (like.width, like.height)) >= 0.5


def turned_points(points: Float32, matrix: Float64) -> Float64:
    """Points (N, 2) in the turned photo's pixels."""
    return points @ matrix[:, :2].T + matrix[:, 2]
