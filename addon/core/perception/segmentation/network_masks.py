"""How likely each pixel is person, as the built-in networks see it.

BlazePose's mask knows whose body is meant, but has 256 pixels for all of it; the selfie
segmentation network knows only "person", but looks at parts of the body one by one. Their log-odds
are averaged.
"""

from __future__ import annotations

import cv2
import numpy as np

from ...inference import litert
from ...inference.roi import RotatedRoi
from ...types import Detection, Float32, UInt8
from ..detection.upright import turn_of
from ..landmarks.pose_landmarks import LANDMARK, infer, roi_from_points, track_roi
from .instance_assignment import limb_distance, torso_length

SELFIE_NETWORK = "selfie_segmentation.tflite"
SELFIE_INPUT_PX = 256
# Sides of the parts that are looked at, over the body's longer side, and how much each counts.
PARTS = {0.6: 1.0, 0.4: 2.0}
PART_OVERLAP = 1.5  # parts along a side, over what would just cover it
BLAZEPOSE_WEIGHT = 3.0  # of its log-odds against those of the parts
# Torso lengths around the feet, of which the selfie network knows nothing: up to the first it does
# not count, from twice that on it does.
FEET_REACH = 0.2
CERTAINTY = 1.5  # their mean is more cautious than it need be: it errs less than each of them
LEAST_PROBABILITY = 0.02  # a network is never surer than this
# Torso lengths from the bones: from the first on, "person" may be a person else, at the second it
# is.
NEAR, FAR = 0.6, 0.9
REACH_GRID_PX = 512  # longer side of the grid on which those distances are measured

# Small differences in place, size and angle of the regions that even out the mask's grid: growth,
# shift over the side, turn in radians.
_JITTER = (
    (0.86, (0.0, 0.0), 0.0), (0.92, (0.012, 0.007), 0.05), (0.82, (-0.008, 0.011), -0.05),
    (1.0, (0.003, -0.01), 0.0), (0.9, (-0.006, 0.004), 0.0),
)  # fmt: skip


def probability_of_person(rgb: UInt8, detection: Detection) -> Float32:
    """(H, W) 0..1: how likely each pixel of rgb (H, W, 3) is this person.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    detection : Detection
        The person.

    Returns
    -------
    Float32
        (H, W).
    """
    size = (rgb.shape[1], rgb.shape[0])
    odds = BLAZEPOSE_WEIGHT * _log_odds(_blazepose(rgb, detection))
    total = np.full(odds.shape, BLAZEPOSE_WEIGHT, np.float32)
    near, off_feet = _nearness(detection, size), _distance_from_feet(detection, size)
    for share, weight in PARTS.items():
        odds += weight * off_feet * _log_odds(_parts(rgb, detection, share) * near)
        total += weight * off_feet
    return (1 / (1 + np.exp(-CERTAINTY * odds / total))).astype(np.float32)


def roi_of(detection: Detection) -> RotatedRoi:
    """The network's region around a person whose landmarks are known, upright where the person is
    not far from it.

    Parameters
    ----------
    detection : Detection
        The person.

    Returns
    -------
    RotatedRoi
        Photo pixels.
    """
    marks = detection.landmarks.image
    hips = marks[[LANDMARK["left_hip"], LANDMARK["right_hip"]]].mean(axis=0)
    far = np.linalg.norm(marks - hips, axis=1).max()
    turn = turn_of(detection.landmarks)
    return roi_from_points(hips, hips + [far * np.sin(turn), -far * np.cos(turn)])


def _log_odds(probability: Float32) -> Float32:
    bounded = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.log(bounded / (1 - bounded))


def _blazepose(rgb: UInt8, detection: Detection) -> Float32:
    """(H, W) 0..1: BlazePose's mask, averaged over regions that differ a little and over the photo
    and its mirror image."""
    base = track_roi(rgb, roi_of(detection)).roi
    last = rgb.shape[1] - 1
    mirrored = RotatedRoi(last - base.x, base.y, base.side, -base.angle)
    seen = _around(rgb, base)
    flipped = _around(np.ascontiguousarray(rgb[:, ::-1]), mirrored)
    return (seen + flipped[:, ::-1]) / 2


def _around(rgb: UInt8, base: RotatedRoi) -> Float32:
    """(H, W) 0..1: the network's mask, averaged over regions a little beside `base`."""
    size = (rgb.shape[1], rgb.shape[0])
    total = np.zeros(rgb.shape[:2], np.float32)
    weight = np.zeros(rgb.shape[:2], np.float32)
    for grow, shift, turn in _JITTER:
        roi = RotatedRoi(
            base.x + shift[0] * base.side, base.y + shift[1] * base.side,
            base.side * grow, base.angle + turn,
        )  # fmt: skip
        result = infer(rgb, roi)
        matrix = roi.matrix()
        total += cv2.warpAffine(result.mask, matrix, size, flags=cv2.INTER_LINEAR)
        weight += cv2.warpAffine(np.ones_like(result.mask), matrix, size)
    return total / np.maximum(weight, 1.0)


def _nearness(detection: Detection, size: tuple[int, int]) -> Float32:
    """(H, W) 1 near the person's bones, 0 far from them. size (W, H)."""
    scale = min(1.0, REACH_GRID_PX / max(size))
    grid = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    far = cv2.resize(limb_distance(detection.landmarks, grid, scale), size)
    return np.clip((FAR - far) / (FAR - NEAR), 0, 1).astype(np.float32)


def _distance_from_feet(detection: Detection, size: tuple[int, int]) -> Float32:
    """(H, W) 0 on and around the feet, 1 away from them. size (W, H)."""
    scale = min(1.0, REACH_GRID_PX / max(size))
    away = np.ones((max(1, round(size[1] * scale)), max(1, round(size[0] * scale))), np.uint8)
    points = np.rint(detection.landmarks.image * scale).astype(int)
    for side in ("left", "right"):
        foot = [points[LANDMARK[f"{side}_{name}"]] for name in ("ankle", "heel", "foot_index")]
        cv2.polylines(away, [np.array(foot, np.int32)], False, 0, 1)
    reach = FEET_REACH * max(torso_length(detection.landmarks) * scale, 1.0)
    far = cv2.resize(cv2.distanceTransform(away, cv2.DIST_L2, 5), size)
    return np.clip(far / reach - 1, 0, 1).astype(np.float32)


def _parts(rgb: UInt8, detection: Detection, share: float) -> Float32:
    """(H, W) 0..1: the selfie network's mask of overlapping regions all over the person's box,
    each `share` of the box's longer side."""
    low, high = detection.box[:2], detection.box[2:]
    side = float(round(float((high - low).max()) * share))
    total = np.zeros(rgb.shape[:2], np.float32)
    weight = np.zeros(rgb.shape[:2], np.float32)
    for y in _centres(float(low[1]), float(high[1]), side):
        for x in _centres(float(low[0]), float(high[0]), side):
            # Whole pixels: last bits of the box would change pixels' grey values (`snapped`).
            corner = (float(round(x - side / 2)), float(round(y - side / 2)))
            _add_part(rgb, corner, side, total, weight)
    return np.where(weight > 0, total / np.maximum(weight, 1e-6), 0.0)


def _centres(low: float, high: float, side: float) -> list[float]:
    if high - low <= side:
        return [(low + high) / 2]
    count = max(2, int(np.ceil((high - low) / side * PART_OVERLAP)))
    return [float(c) for c in np.linspace(low + 0.4 * side, high - 0.4 * side, count)]


def _add_part(
    rgb: UInt8, corner: tuple[float, float], side: float, total: Float32, weight: Float32
) -> None:
    """Add one region's mask to the weighted sum; its rim counts less than its middle."""
    scale = side / SELFIE_INPUT_PX
    matrix = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]], np.float32)
    # Only the region and a little around is touched: photos are large, regions are small.
    x0, y0 = (max(0, int(np.floor(c)) - 2) for c in corner)
    x1 = min(rgb.shape[1], int(np.ceil(corner[0] + side)) + 2)
    y1 = min(rgb.shape[0], int(np.ceil(corner[1] + side)) + 2)
    if x1 <= x0 or y1 <= y0:
        return
    matrix[:, 2] -= (x0, y0)
    window, source, sampling = rgb[y0:y1, x0:x1], rgb[y0:y1, x0:x1], matrix.copy()
    if scale > 1.5:  # averaging first keeps fine patterns from aliasing
        factor = 1.5 / scale
        source = cv2.resize(window, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        sampling *= factor
        sampling[:, 2] += (factor - 1) / 2
    picture = cv2.warpAffine(
        source, sampling, (SELFIE_INPUT_PX, SELFIE_INPUT_PX),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    mask = (_selfie(picture) + _selfie(picture[:, ::-1])[:, ::-1]) / 2
    size = (x1 - x0, y1 - y0)
    share = cv2.warpAffine(_RIM, matrix, size)
    total[y0:y1, x0:x1] += cv2.warpAffine(mask, matrix, size) * share
    weight[y0:y1, x0:x1] += share


def _selfie(picture: UInt8) -> Float32:
    """(256, 256) 0..1: the selfie network's mask of one region."""
    pixels = np.ascontiguousarray(picture, np.float32) / 255.0
    return litert.run(SELFIE_NETWORK, pixels)[0][..., -1].reshape(SELFIE_INPUT_PX, SELFIE_INPUT_PX)


def _rim() -> Float32:
    """(256, 256): 1 in a region's inner half, falling towards its edge."""
    ramp = np.minimum(np.arange(1, SELFIE_INPUT_PX + 1), np.arange(SELFIE_INPUT_PX, 0, -1))
    nearest = np.minimum(ramp[:, None], ramp[None]) / (SELFIE_INPUT_PX / 4)
    return np.clip(nearest, 0.02, 1.0).astype(np.float32)


_RIM = _rim()
