"""BlazePose in one pass: the detector on a whole picture, and the landmark network once.

Bazarevsky et al., BlazePose (2020). `infer_one` does what the reference implementation does with
a single picture, so that the two can be compared; `people` builds on the same two steps.
"""

from __future__ import annotations

from ...inference import ssd
from ...inference.roi import RotatedRoi
from ...types import UInt8
from ..landmarks.pose_landmarks import LEAST_PRESENCE_AT_ALL, LandmarkResult, infer, roi_from_points

DETECTOR = ssd.Detector("pose_detection.tflite", 224, (8, 16, 32, 32, 32), points=4, darkest=-1)


def detect(rgb: UInt8, *, plain: bool = False) -> list[tuple[float, RotatedRoi]]:
    """Scores and regions of the bodies in a picture (pixels of `rgb`), best first.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    plain : bool
        As the reference does it (`roi`).

    Returns
    -------
    list[tuple[float, RotatedRoi]]
        Scores 0..1, photo pixels.
    """
    return [
        (found.score, roi_from_points(found.points[0], found.points[1]))
        for found in ssd.detect(rgb, DETECTOR, plain=plain)
    ]


def infer_one(rgb: UInt8) -> LandmarkResult | None:
    """The most prominent person of a picture (H, W, 3), read once; None if no one is.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.

    Returns
    -------
    LandmarkResult | None
        Photo pixels.
    """
    rois = detect(rgb, plain=True)
    if not rois:
        return None
    result = infer(rgb, rois[0][1], plain=True)
    return result if result.presence > LEAST_PRESENCE_AT_ALL else None
