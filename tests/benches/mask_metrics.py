"""How well a mask, a matte or a cut-out's colours agree with the truth."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from photo_wake_up.addon.core.types import Float32, Float64, Mask, UInt8

ARC_SHARE = 0.01  # of the outline's length: colours are compared over arcs as long as this


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks (H, W); 1 where both are empty."""
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def boundary_f(mask: Mask, truth: Mask, tolerance_px: float = 2.0) -> float:
    """F-score of outlines (Martin, Fowlkes, Malik 2004): harmonic mean of the shares of each
    outline's pixels that have one of the other's within the tolerance. What runs along the
    picture's border is no outline."""
    ours, theirs = _outline(mask), _outline(truth)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = float((_distance(theirs)[ours] <= tolerance_px).mean())
    recall = float((_distance(ours)[theirs] <= tolerance_px).mean())
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _outline(mask: Mask) -> Mask:
    """Pixels of the mask that touch its outside within the picture."""
    padded = np.pad(mask, 1, mode="edge").astype(np.uint8)
    inner = cv2.erode(padded, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))[1:-1, 1:-1]
    return mask & (inner == 0)


def _distance(pixels: Mask) -> npt.NDArray[np.float32]:
    return cv2.distanceTransform((~pixels).astype(np.uint8), cv2.DIST_L2, 5)


def sad(matte: Float32, truth: Float32) -> float:
    """Sum of absolute differences of two mattes (H, W), 0..1, in thousands of pixels."""
    return float(np.abs(matte.astype(np.float64) - truth).sum()) / 1000


def rim_difference(rgb: UInt8, mask: Mask, width_px: int = 3, arcs: bool = True) -> float:
    """CIEDE2000 between the mean colours of the outermost `width_px` of a cut-out and of the next
    as many inside; with `arcs`, the mean over short arcs of the outline, where a rim in one place
    cannot make up for one in another.

    rgb : (H, W, 3), the cut-out's colours; mask : (H, W). 0 where nothing is left to compare.
    """
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outer, inner = (depth > 0) & (depth <= width_px), (depth > width_px) & (depth <= 2 * width_px)
    if not outer.any() or not inner.any():
        return 0.0
    arc = max(width_px, round(ARC_SHARE * int(outer.sum()) / width_px / 2))
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    if not arcs:
        return float(ciede2000(lab[outer].mean(axis=0), lab[inner].mean(axis=0)))

    def averaged(ring: Mask) -> tuple[Float32, Float32]:
        size = (2 * arc + 1,) * 2
        weight = cv2.boxFilter(ring.astype(np.float32), -1, size, normalize=False)
        total = cv2.boxFilter(lab * ring[..., None], -1, size, normalize=False)
        return total / np.maximum(weight, 1e-6)[..., None], weight

    (out, there), (within, here) = averaged(outer), averaged(inner)
    at = outer & (there > 0) & (here > 0)
    return float(ciede2000(out[at], within[at]).mean())


def ciede2000(first: npt.ArrayLike, second: npt.ArrayLike) -> Float64:
    """Colour difference of CIELAB colours (..., 3), with unit weights.

    Sharma, Wu, Dalal, The CIEDE2000 Color-Difference Formula (2005), eqs. 2 to 22.
    """
    one, two = (np.asarray(c, np.float64) for c in (first, second))
    chroma = np.sqrt(one[..., 1] ** 2 + one[..., 2] ** 2)
    other = np.sqrt(two[..., 1] ** 2 + two[..., 2] ** 2)
    mean_chroma = ((chroma + other) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_chroma / (mean_chroma + 25.0**7)))
    a1, a2 = one[..., 1] * (1 + g), two[..., 1] * (1 + g)
    c1, c2 = np.hypot(a1, one[..., 2]), np.hypot(a2, two[..., 2])
    h1 = np.degrees(np.arctan2(one[..., 2], a1)) % 360
    h2 = np.degrees(np.arctan2(two[..., 2], a2)) % 360
    grey = c1 * c2 == 0
    turn = (h2 - h1 + 180) % 360 - 180
    # Hues exactly opposite: the formula takes the positive turn where h2 > h1.
    turn = np.where((np.abs(h2 - h1) == 180) & (h2 > h1), 180.0, turn)
    turn = np.where(grey, 0.0, turn)
    dl, dc = two[..., 0] - one[..., 0], c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    l_mean, c_mean = (one[..., 0] + two[..., 0]) / 2, (c1 + c2) / 2
    far = np.abs(h1 - h2) > 180
    h_mean = (h1 + h2) / 2
    h_mean = np.where(far & (h1 + h2 < 360), h_mean + 180, h_mean)
    h_mean = np.where(far & (h1 + h2 >= 360), h_mean - 180, h_mean)
    h_mean = np.where(grey, h1 + h2, h_mean)
    t = (
        1
        - 0.17 * np.cos(np.radians(h_mean - 30))
        + 0.24 * np.cos(np.radians(2 * h_mean))
        + 0.32 * np.cos(np.radians(3 * h_mean + 6))
        - 0.20 * np.cos(np.radians(4 * h_mean - 63))
    )
    swing = 60 * np.exp(-(((h_mean - 275) / 25) ** 2))
    c7 = c_mean**7
    rotation = -2 * np.sqrt(c7 / (c7 + 25.0**7)) * np.sin(np.radians(swing))
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t
    return np.sqrt(
        (dl / s_l) ** 2 + (dc / s_c) ** 2 + (dh / s_h) ** 2 + rotation * (dc / s_c) * (dh / s_h)
    )
