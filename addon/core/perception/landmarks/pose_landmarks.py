"""BlazePose's landmark network: 33 points, metric points and a mask from a rotated region.

Bazarevsky et al., BlazePose (2020). The region is centred on the hips, upright with the body, and
holds all of it; the first comes from the detector, the next from the network's own two auxiliary
points, which is what tracking does and what makes joints and mask settle.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import expit

from ...inference import litert
from ...inference.roi import RotatedRoi, sample
from ...types import Float32, PoseLandmarks, UInt8

NETWORK = "pose_landmark_full.tflite"
INPUT_PX = 256
POINTS = 39  # 33 landmarks, 2 auxiliary, 4 unused
AUXILIARY_CENTRE, AUXILIARY_RIM = 33, 34
# The graph asks for 7, but the Python interface of the reference drops the option and runs with its
# default.
HEATMAP_WINDOW = 9  # pixels of the 64-pixel heat maps that refine a point
HEATMAP_CONFIDENCE = 0.5
LEAST_PRESENCE_AT_ALL = 0.5  # the reference's own bar
TRACKING_PASSES = 4  # inferences after which a region has come to rest
LEAST_PRESENCE_TO_FOLLOW = 0.25  # below, the next region would lead away from any body
ROI_MARGIN = 1.25  # the region's side over twice the body's radius

NAMES = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
    "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
    "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip",
    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel",
    "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
LANDMARK = {name: index for index, name in enumerate(NAMES)}
# Bones that lie on the body's silhouette.
LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"),
        ("knee", "ankle"), ("ankle", "foot_index"),
    )
)  # fmt: skip


def roi_from_points(centre: Float32, rim: Float32) -> RotatedRoi:
    """The region around a body whose centre and outermost point above the head are known.

    Parameters
    ----------
    centre : Float32
        (2,) the hips' middle, photo pixels.
    rim : Float32
        (2,) photo pixels.

    Returns
    -------
    RotatedRoi
        Photo pixels.
    """
    dx, dy = (rim - centre).tolist()
    side = 2 * ROI_MARGIN * float(np.hypot(dx, dy))
    return RotatedRoi(float(centre[0]), float(centre[1]), side, float(np.arctan2(dx, -dy)))


@dataclass(frozen=True, eq=False)
class LandmarkResult:
    """What the network finds in one region."""

    presence: float  # 0..1, is there a body
    landmarks: PoseLandmarks
    next_roi: RotatedRoi
    roi: RotatedRoi
    mask: Float32  # (256, 256), 0..1, in the region

    def mask_on_photo(self, width: int, height: int) -> Float32:
        """(height, width) the mask in the photo's pixels, 0 outside of the region.

        Parameters
        ----------
        width : int
            Pixels.
        height : int
            Pixels.

        Returns
        -------
        Float32
            (height, width).
        """
        return cv2.warpAffine(
            self.mask, self.roi.matrix(INPUT_PX), (width, height), flags=cv2.INTER_LINEAR
        )


def infer(rgb: UInt8, roi: RotatedRoi, *, plain: bool = False) -> LandmarkResult:
    """Run the network on one region of the photo. rgb (H, W, 3) uint8.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    roi : RotatedRoi
        Where to look, photo pixels.
    plain : bool
        As the reference does it (`roi`).

    Returns
    -------
    LandmarkResult
        Landmarks in photo pixels, and the region to look at next.
    """
    crop = sample(rgb, roi, INPUT_PX, plain=plain, letterbox=False)
    outputs = {o.size: o for o in litert.run(NETWORK, crop.astype(np.float32) / 255.0)}
    points = outputs[POINTS * 5].reshape(POINTS, 5)
    presence = float(outputs[1].ravel()[0])
    mask = expit(outputs[INPUT_PX * INPUT_PX].reshape(INPUT_PX, INPUT_PX))
    heatmaps = expit(outputs[64 * 64 * POINTS].reshape(64, 64, POINTS))
    world = outputs[POINTS * 3].reshape(POINTS, 3)
    xy = _refined(points[:, :2] / INPUT_PX, heatmaps) * INPUT_PX
    found = np.column_stack([xy, points[:, 2]])
    placed = roi.place(found[:33], INPUT_PX, plain=plain)
    landmarks = PoseLandmarks(
        placed[:, :2], placed[:, 2], roi.turned(world[:33]),
        expit(points[:33, 3]).astype(np.float32),
    )  # fmt: skip
    # Regions stay the reference's: the network was trained in such.
    centre, rim = roi.place(found[[AUXILIARY_CENTRE, AUXILIARY_RIM]], INPUT_PX, plain=True)
    following = roi_from_points(centre[:2], rim[:2])
    return LandmarkResult(presence, landmarks, following, roi, mask.astype(np.float32))


def track_roi(rgb: UInt8, roi: RotatedRoi, first: LandmarkResult | None = None) -> LandmarkResult:
    """Run the network again and again, each time in the region that the last result proposes.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    roi : RotatedRoi
        Where to look, photo pixels.
    first : LandmarkResult | None
        The result of `roi`, where it is known.

    Returns
    -------
    LandmarkResult
        The last one.
    """
    result = first or infer(rgb, roi.snapped())
    for _ in range(TRACKING_PASSES - 1):
        if result.presence < LEAST_PRESENCE_TO_FOLLOW:
            break
        result = infer(rgb, result.next_roi.snapped())
    return result


def _refined(points: Float32, heatmaps: Float32) -> Float32:
    """Points (39, 2) in 0..1 moved to the centre of mass of their heat maps around them."""
    size = heatmaps.shape[0]
    refined = points.copy()
    half = HEATMAP_WINDOW // 2
    for k, (x, y) in enumerate(points):
        column, row = int(x * size), int(y * size)
        if not (0 <= column < size and 0 <= row < size):
            continue
        c0, c1 = max(0, column - half), min(size, column + half + 1)
        r0, r1 = max(0, row - half), min(size, row + half + 1)
        window = heatmaps[r0:r1, c0:c1, k]
        if window.max() >= HEATMAP_CONFIDENCE:
            total = window.sum()
            refined[k, 0] = (window.sum(axis=0) * np.arange(c0, c1)).sum() / total / size
            refined[k, 1] = (window.sum(axis=1) * np.arange(r0, r1)).sum() / total / size
    return refined
