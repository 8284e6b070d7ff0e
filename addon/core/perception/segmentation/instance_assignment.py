"""Whose pixel it is where people stand close together, and a photo without the neighbours.

The landmark network finds one body in a region; where a neighbour reaches into it, joints and mask
slip over to the neighbour's limbs. So each pixel that several people could own is given to the one
whose mask is surer there and whose limbs are nearer, and a person is looked at again in a
photo in which the neighbours are painted over.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ...types import Detection, Float32, Int32, Mask, PoseLandmarks, UInt8
from ..landmarks.pose_landmarks import LANDMARK, LIMBS

REACH_SHARE = 0.35  # of the torso's length: how far from a limb's axis a claim falls to 1/e
HEAD_SHARE = 0.28  # radius of the head over the torso's length
LEAST_CLAIM = 0.05  # below, a pixel is no one's
FILL_GRID_PX = 256  # longer side of the copy in which neighbours are painted over
FILL_RADIUS_PX = 3.0  # of Telea's filling, on that copy


def limb_distance(marks: PoseLandmarks, size: tuple[int, int], scale: float) -> Float32:
    """(h, w) distance from the body's bones, trunk and head in torso lengths.

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.
    size : tuple[int, int]
        (w, h) of the grid.
    scale : float
        Grid pixels per photo pixel.

    Returns
    -------
    Float32
        (h, w).
    """
    bones = np.ones((size[1], size[0]), np.uint8)
    points = np.rint(marks.image * scale).astype(int)
    torso = max(torso_length(marks) * scale, 1.0)
    for first, second in LIMBS:
        ends = [tuple(points[LANDMARK[name]].tolist()) for name in (first, second)]
        cv2.line(bones, ends[0], ends[1], 0, 1)
    trunk = [points[LANDMARK[name]] for name in _TRUNK]
    cv2.fillConvexPoly(bones, cv2.convexHull(np.array(trunk)), 0)
    head = points[[LANDMARK[name] for name in _HEAD]].mean(axis=0).round().astype(int)
    cv2.circle(bones, tuple(head.tolist()), max(1, round(HEAD_SHARE * torso)), 0, -1)
    return cv2.distanceTransform(bones, cv2.DIST_L2, 5) / torso


_TRUNK = ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
_HEAD = ("nose", "left_ear", "right_ear")


def torso_length(marks: PoseLandmarks) -> float:
    """From the shoulders' middle to the hips', photo pixels, at least a thousandth.

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.

    Returns
    -------
    float
        Photo pixels.
    """
    shoulders = marks.image[[LANDMARK["left_shoulder"], LANDMARK["right_shoulder"]]].mean(axis=0)
    hips = marks.image[[LANDMARK["left_hip"], LANDMARK["right_hip"]]].mean(axis=0)
    return max(float(np.linalg.norm(shoulders - hips)), 1e-3)


def meet(a: Detection, b: Detection) -> bool:
    """Whether the boxes of two people overlap.

    Parameters
    ----------
    a : Detection
        One person.
    b : Detection
        Another one.

    Returns
    -------
    bool
        True if they overlap.
    """
    return bool((a.box[:2] < b.box[2:]).all() and (b.box[:2] < a.box[2:]).all())


def assign_instances(
    people: Sequence[Detection], probabilities: Sequence[Float32], scale: float
) -> tuple[Int32, Float32]:
    """Whose each pixel of a grid is: (h, w) index into `people`, -1 where no one's, and (h, w) that
    person's claim over the sum of all claims.

    Parameters
    ----------
    people : Sequence[Detection]
        Everyone who was found, left to right.
    probabilities : Sequence[Float32]
        Each person's mask (h, w), 0..1.
    scale : float
        Grid pixels per photo pixel.

    Returns
    -------
    tuple[Int32, Float32]
        (h, w) and (h, w).
    """
    claims = []
    for person, probability in zip(people, probabilities, strict=True):
        size = (probability.shape[1], probability.shape[0])
        far = limb_distance(person.landmarks, size, scale) / REACH_SHARE
        claims.append(probability * np.exp(-(far**2)) * person.score)
    stacked = np.stack(claims)
    instance = np.argmax(stacked, axis=0).astype(np.int32)
    strongest = stacked.max(axis=0)
    instance[strongest < LEAST_CLAIM] = -1
    return instance, (strongest / np.maximum(stacked.sum(axis=0), 1e-6)).astype(np.float32)


def painted_over(rgb: UInt8, others: Mask) -> UInt8:
    """The photo (H, W, 3) with the pixels of `others` (H, W) filled from around them, coarsely:
    good enough for networks that look at 256 pixels.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    others : Mask
        (H, W).

    Returns
    -------
    UInt8
        (H, W, 3).
    """
    height, width = others.shape
    scale = min(1.0, FILL_GRID_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(others.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 0
    filled = cv2.inpaint(small, hole.astype(np.uint8), FILL_RADIUS_PX, cv2.INPAINT_TELEA)
    wide = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(others[..., None], wide, rgb)
