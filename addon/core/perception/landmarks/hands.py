"""Hands: a detector finds palms, a network lays 21 points on each.

Zhang et al., MediaPipe Hands (2020). A palm keeps its shape whatever the fingers do; the region
around the hand is the palm's, turned so that the middle finger's root is above the wrist, moved up
to the fingers and widened.

Everything is done as the reference does it: what helps with bodies and faces (`roi`) does not
help here. Of 22 hands in test photos 19 are found when the photo is averaged first, and the points
have no offset of half a pixel (0.06 measured between photos and their mirror images).
"""

from __future__ import annotations

import numpy as np

from ...inference import litert, ssd
from ...inference.roi import RotatedRoi, along, around_box, distinct, sample
from ...types import Float32, Hand, UInt8

DETECTOR = ssd.Detector("palm_detection_full.tflite", 192, (8, 16, 16, 16), points=7, darkest=0)
NETWORK = "hand_landmark_full.tflite"
INPUT_PX = 224
POINTS = 21
WRIST, MIDDLE_FINGER = 0, 2  # of the detector's points
ROI_MARGIN = 2.6  # the region's side over the longer side of the palm's box
RISE = 0.5  # from the palm's middle to the hand's, over the height of the palm's box
DEPTH_SHARE = 0.4  # the network gives depth in this share of its pixels
LEAST_PRESENCE = 0.5


def find_hands(rgb: UInt8) -> tuple[Hand, ...]:
    """The hands of a picture (H, W, 3), best palm first; positions in its pixels.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.

    Returns
    -------
    tuple[Hand, ...]
        In the picture's pixels.
    """
    by_roi = {}
    for found in ssd.detect(rgb, DETECTOR, plain=True):
        angle = along(found.points[WRIST], found.points[MIDDLE_FINGER], np.pi / 2)
        by_roi[around_box(found.box, angle, ROI_MARGIN, RISE)] = found
    hands = [infer(rgb, roi, by_roi[roi].score) for roi in distinct(list(by_roi))]
    return tuple(hand for hand in hands if hand.presence > LEAST_PRESENCE)


def infer(rgb: UInt8, roi: RotatedRoi, score: float = 1.0) -> Hand:
    """Run the network on one region of the photo, in which the fingers point up.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    roi : RotatedRoi
        Where to look, photo pixels.
    score : float
        The palm's, 0..1.

    Returns
    -------
    Hand
        Photo pixels.
    """
    crop = sample(rgb, roi, INPUT_PX, plain=True, letterbox=False)
    # The network was made for mirrored pictures: what it calls left is a right hand elsewhere.
    points, presence, left, world = (
        output.ravel() for output in litert.run(NETWORK, crop.astype(np.float32) / 255.0)
    )
    flat: Float32 = points.reshape(POINTS, 3) / np.array([1, 1, DEPTH_SHARE], np.float32)
    placed = roi.place(flat, INPUT_PX, plain=True)
    return Hand(
        score, float(presence[0]), float(left[0]), placed[:, :2], placed[:, 2],
        roi.turned(world.reshape(POINTS, 3)),
    )  # fmt: skip
