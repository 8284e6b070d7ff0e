"""Smoothing that keeps a picture's edges."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import Float32


def guided_filter(guide: Float32, values: Float32, radius_px: int, epsilon: float) -> Float32:
    """Values (h, w) smoothed within edges of a colour guide (h, w, 3), clipped to 0..1.

    He, Sun, Tang, Guided Image Filtering (2013), eqs. 14 to 16.

    Parameters
    ----------
    guide : Float32
        (h, w, 3), 0..1.
    values : Float32
        (h, w), 0..1.
    radius_px : int
        Of the windows.
    epsilon : float
        Squared colours of what is no edge.

    Returns
    -------
    Float32
        (h, w).
    """

    def mean(picture: Float32) -> Float32:
        window = (2 * radius_px + 1,) * 2
        return cv2.boxFilter(picture, -1, window, borderType=cv2.BORDER_REFLECT)

    mean_guide, mean_values = mean(guide), mean(values)
    covariance = mean(guide * values[..., None]) - mean_guide * mean_values[..., None]
    spread = np.empty((*values.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            product = mean(guide[..., i] * guide[..., j])
            spread[..., i, j] = product - mean_guide[..., i] * mean_guide[..., j]
            spread[..., j, i] = spread[..., i, j]
    spread += np.eye(3, dtype=np.float32) * epsilon
    slope = np.linalg.solve(spread, covariance[..., None])[..., 0]
    offset = mean_values - (slope * mean_guide).sum(axis=-1)
    return np.clip((mean(slope) * guide).sum(axis=-1) + mean(offset), 0, 1)
