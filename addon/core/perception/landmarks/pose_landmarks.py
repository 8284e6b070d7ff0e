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

from ...inference import litert
from ...inference.roi import Square, sample
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
SETTLING_PASSES = 4  # readings after which a square has come to rest
LEAST_PRESENCE_TO_FOLLOW = 0.25  # below, the next square would lead away from any body
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


def square_from_points(centre: Float32, rim: Float32) -> Square:
    """The square around a body whose centre and outermost point above the head are known.

    Parameters
    ----------
    centre : Float32
        (2,) the hips' middle, photo pixels.
    rim : Float32
        (2,) photo pixels.

    Returns
    -------
    Square
        Photo pixels.
    """
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

    def mask_on_photo(self, width: int, height: int) -> Float32:
        """(height, width) the mask in the photo's pixels, 0 outside of the square.

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
            self.mask, self.square.matrix(INPUT_PX), (width, height), flags=cv2.INTER_LINEAR
        )


def read(rgb: UInt8, square: Square, *, plain: bool = False) -> Reading:
    """Run the network on one square of the photo. rgb (H, W, 3) uint8.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    square : Square
        Where to look, photo pixels.
    plain : bool
        As the reference does it (`roi`).

    Returns
    -------
    Reading
        Landmarks in photo pixels, and the square to read next.
    """
    crop = sample(rgb, square, INPUT_PX, plain=plain, letterbox=False)
    outputs = {o.size: o for o in litert.run(NETWORK, crop.astype(np.float32) / 255.0)}
    points = outputs[POINTS * 5].reshape(POINTS, 5)
    presence = float(outputs[1].ravel()[0])
    mask = expit(outputs[INPUT_PX * INPUT_PX].reshape(INPUT_PX, INPUT_PX))
    heatmaps = expit(outputs[64 * 64 * POINTS].reshape(64, 64, POINTS))
    world = outputs[POINTS * 3].reshape(POINTS, 3)
    xy = _refined(points[:, :2] / INPUT_PX, heatmaps) * INPUT_PX
    found = np.column_stack([xy, points[:, 2]])
    placed = square.place(found[:33], INPUT_PX, plain=plain)
    landmarks = PoseLandmarks(
        placed[:, :2], placed[:, 2], square.turned(world[:33]),
        expit(points[:33, 3]).astype(np.float32),
    )  # fmt: skip
    # Squares stay the reference's: the network was trained in such.
    centre, rim = square.place(found[[AUXILIARY_CENTRE, AUXILIARY_RIM]], INPUT_PX, plain=True)
    following = square_from_points(centre[:2], rim[:2])
    return Reading(presence, landmarks, following, square, mask.astype(np.float32))


def settle(rgb: UInt8, square: Square, first: Reading | None = None) -> Reading:
    """Read a body again and again, each time in the square that the last reading proposes.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    square : Square
        Where to look, photo pixels.
    first : Reading | None
        The reading of `square`, where it is known.

    Returns
    -------
    Reading
        The last one.
    """
    reading = first or read(rgb, square.snapped())
    for _ in range(SETTLING_PASSES - 1):
        if reading.presence < LEAST_PRESENCE_TO_FOLLOW:
            break
        reading = read(rgb, reading.next_square.snapped())
    return reading


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
