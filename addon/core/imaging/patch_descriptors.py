"""Patches of a picture as few numbers that are compared in place of all their pixels."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import Float32

PATCH_RADIUS = 3  # pixels; 7 x 7, as in both papers
ROW_PREFERENCE = 0.35  # cost of being a picture's height off, in grey levels (0..1) a pixel

# DCT coefficients (vertical, horizontal) kept of the luminance and of each chrominance.
_LUMINANCE = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))
_CHROMINANCE = ((0, 0), (0, 1), (1, 0))
# Rows: orthonormal, so that distances are those of RGB.
_OPPONENT = np.array(
    [
        [1 / np.sqrt(3)] * 3,
        [1 / np.sqrt(2), 0.0, -1 / np.sqrt(2)],
        [1 / np.sqrt(6), -2 / np.sqrt(6), 1 / np.sqrt(6)],
    ],
    np.float32,
)
_ROW = len(_LUMINANCE) + 2 * len(_CHROMINANCE)  # the descriptor's last entry: the row itself
_MEANS = (0, len(_LUMINANCE), len(_LUMINANCE) + len(_CHROMINANCE))
PATCH_AREA = (2 * PATCH_RADIUS + 1) ** 2


def patch_descriptors(image: Float32, mean_weight: float, first_row: int, height: int) -> Float32:
    """(h, w, 17): low DCT coefficients of each pixel's patch, and its weighted row.

    Parameters
    ----------
    image : Float32
        (h, w, 3), 0..1.
    mean_weight : float
        Of the coefficients that are means.
    first_row : int
        The image's first row in the whole picture.
    height : int
        The whole picture's.

    Returns
    -------
    Float32
        (h, w, 17): squared distances are those of patches in RGB, less the noise.
    """
    side = 2 * PATCH_RADIUS + 1
    order, place = np.arange(4)[:, None], np.arange(side)[None, :]
    basis = np.sqrt(2 / side) * np.cos(np.pi * (2 * place + 1) * order / (2 * side))
    basis[0] /= np.sqrt(2)
    opponent = cv2.transform(image, _OPPONENT)
    result = np.empty((*image.shape[:2], _ROW + 1), np.float32)
    entry = 0
    for channel, orders in enumerate((_LUMINANCE, _CHROMINANCE, _CHROMINANCE)):
        plane = np.ascontiguousarray(opponent[..., channel])
        for vertical, horizontal in orders:
            result[..., entry] = cv2.sepFilter2D(
                plane, cv2.CV_32F, basis[horizontal], basis[vertical]
            )
            entry += 1
    result[..., list(_MEANS)] *= np.float32(mean_weight)
    weight = ROW_PREFERENCE * np.sqrt(PATCH_AREA) / height
    result[..., _ROW] = (weight * (first_row + np.arange(image.shape[0])))[:, None]
    return result
