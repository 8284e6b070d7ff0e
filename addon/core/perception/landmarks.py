"""BlazePose's landmark network: 33 points, metric points and a mask from a turned square.

Bazarevsky et al., BlazePose (2020). The square is centred on the hips, upright with the body, and
holds all of it; the first comes from the detector, the next from the network's own two auxiliary
points, which is what tracking does and what makes joints and mask settle.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import expit

from ..types import Float32, PoseLandmarks, UInt8
from . import litert

NETWORK = "pose_landmark_full.tflite"
INPUT_PX = 256
POINTS = 39  # 33 landmarks, 2 auxiliary, 4 unused
AUXILIARY_CENTRE, AUXILIARY_RIM = 33, 34
HEATMAP_WINDOW = 7  # pixels of the 64-pixel heat maps that refine a point
HEATMAP_CONFIDENCE = 0.5
SQUARE_MARGIN = 1.25  # the square's side over twice the body's radius

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


@dataclass(frozen=True)
class Square:
    """A turned square of the photo: centre and side in photo pixels, angle in radians
    (positive turns the body's up direction clockwise away from the picture's)."""

    x: float
    y: float
    side: float
    angle: float

    def matrix(self) -> Float32:
        """(2, 3) affine from the network's pixels to the photo's."""
        scale = self.side / INPUT_PX
        cosine, sine = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        half = (INPUT_PX - 1) / 2
        turn = np.array([[cosine, -sine], [sine, cosine]])
        shift = np.array([self.x, self.y]) - turn @ [half, half]
        return np.hstack([turn, shift[:, None]]).astype(np.float32)


def square_from_points(centre: Float32, rim: Float32) -> Square:
    """The square around a body whose centre and outermost point above the head are known."""
    dx, dy = (rim - centre).tolist()
    side = 2 * SQUARE_MARGIN * float(np.hypot(dx, dy))
    return Square(float(centre[0]), float(centre[1]), side, float(np.arctan2(dx, -dy)))


@dataclass(frozen=True, eq=False)
class Reading:
    """What the network reads in one square."""

    presence: float  # 0..1, is there a body
    landmarks: PoseLandmarks
    next_square: Square
    square: Square
    mask: Float32  # (256, 256), 0..1, in the square


def read(rgb: UInt8, square: Square) -> Reading:
    """Run the network on one square of the photo. rgb (H, W, 3) uint8."""
    matrix = square.matrix()
    shrink = square.side / INPUT_PX
    source = rgb
    if shrink > 2:  # averaging first keeps fine patterns from aliasing
        factor = 1 / (shrink / 1.5)
        source = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        # Pixel centres at integers: (x + 0.5) * factor - 0.5.
        matrix = matrix * factor
        matrix[:, 2] += (factor - 1) / 2
    crop = cv2.warpAffine(
        source, matrix, (INPUT_PX, INPUT_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    outputs = {o.size: o for o in litert.run(NETWORK, crop.astype(np.float32) / 255.0)}
    points = outputs[POINTS * 5].reshape(POINTS, 5)
    presence = float(outputs[1].ravel()[0])
    mask = expit(outputs[INPUT_PX * INPUT_PX].reshape(INPUT_PX, INPUT_PX))
    heatmaps = expit(outputs[64 * 64 * POINTS].reshape(64, 64, POINTS))
    world = outputs[POINTS * 3].reshape(POINTS, 3)
    xy = _refined(points[:, :2] / INPUT_PX, heatmaps) * INPUT_PX
    to_photo = square.matrix()
    image = xy @ to_photo[:, :2].T + to_photo[:, 2]
    turn = to_photo[:, :2] / np.linalg.norm(to_photo[:, 0])
    metric = world[:33].copy()
    metric[:, :2] = metric[:, :2] @ turn.T
    landmarks = PoseLandmarks(
        image[:33].astype(np.float32),
        (points[:33, 2] * square.side / INPUT_PX).astype(np.float32),
        metric.astype(np.float32),
        expit(points[:33, 3]).astype(np.float32),
    )
    following = square_from_points(image[AUXILIARY_CENTRE], image[AUXILIARY_RIM])
    return Reading(presence, landmarks, following, square, mask.astype(np.float32))


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
