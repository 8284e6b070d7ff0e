"""Faces: BlazeFace finds them, Face Mesh lays 468 points on them.

Bazarevsky et al., BlazeFace (2019); Kartynnik et al., Real-time Facial Surface Geometry from
Monocular Video on Mobile GPUs (2019). The detector is the one for faces near the camera: it sees
those that take up an eighth of the picture's longer side or more, so to find the face of a whole
figure one hands in the part of the photo around the head.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ...inference import litert, ssd
from ...inference.roi import RotatedRoi, along, around_box, distinct, sample
from ...types import Face, Float32, UInt8

DETECTOR = ssd.Detector(
    "face_detection_short_range.tflite", 128, (8, 16, 16, 16), points=6, darkest=-1
)
NETWORK = "face_landmark.tflite"
INPUT_PX = 192
POINTS = 468
RIGHT_EYE, LEFT_EYE = 0, 1  # of the detector's points: their line lies level in the region
ROI_MARGIN = 1.5  # the region's side over the longer side of the box
LEAST_PRESENCE = 0.5


def find_faces(
    rgb: UInt8, *, least_presence: float = LEAST_PRESENCE, plain: bool = False
) -> tuple[Face, ...]:
    """The faces of a picture (H, W, 3), best first; positions in its pixels.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    least_presence : float
        Faces that Face Mesh is not as sure of are left out.
    plain : bool
        As the reference does it (`roi`).

    Returns
    -------
    tuple[Face, ...]
        In the picture's pixels.
    """
    by_roi = {}
    for found in ssd.detect(rgb, DETECTOR, plain=plain):
        angle = along(found.points[RIGHT_EYE], found.points[LEFT_EYE], 0.0)
        roi = around_box(found.box, angle, ROI_MARGIN)
        by_roi[roi if plain else roi.snapped()] = found
    faces = []
    for roi in distinct(list(by_roi)):
        presence, mesh = infer(rgb, roi, plain=plain)
        if presence > least_presence:
            found = by_roi[roi]
            faces.append(Face(found.score, found.box, found.points, presence, mesh))
    return tuple(faces)


def infer(rgb: UInt8, roi: RotatedRoi, *, plain: bool = False) -> tuple[float, Float32]:
    """Run Face Mesh on one region of the photo: presence 0..1 and points (468, 3) as in `Face`.

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
    tuple[float, Float32]
        0..1, and (468, 3) photo pixels.
    """
    crop = sample(rgb, roi, INPUT_PX, plain=plain, letterbox=False)
    outputs = {o.size: o for o in litert.run(NETWORK, crop.astype(np.float32) / 255.0)}
    points = outputs[POINTS * 3].reshape(POINTS, 3)
    return float(expit(outputs[1].ravel()[0])), roi.place(points, INPUT_PX, plain=plain)
