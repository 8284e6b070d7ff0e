"""Face and hands of one person, looked at closely where the body's landmarks say they are.

The whole photo shows a figure's face and hands too small for their detectors; the parts of it
around head and wrists do not. They are looked at in the view in which the body stands (`upright`):
the detectors know faces and hands that way up.
"""

from __future__ import annotations

import numpy as np

from ...types import Detection, Face, Float32, Hand, UInt8
from ..detection.upright import view_of
from ..segmentation.instance_assignment import torso_length
from .faces import find_faces
from .hands import find_hands
from .pose_landmarks import LANDMARK

HEAD = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
HEAD_SIDE = 1.0  # side of the part around the head, in torso lengths
HAND_SIDE = 0.7  # of the part around a hand
LEAST_SIDE_PX = 24  # smaller parts show nothing
# How far a found face or hand may be from where the body's landmarks have it, in the part's sides:
# farther away it is another person's, or the other hand.
REACH = 0.25


def close_ups(rgb: UInt8, detection: Detection) -> tuple[Face | None, tuple[Hand | None, ...]]:
    """The person's face, and its left and right hand; None for what is not seen.

    rgb (H, W, 3); positions are the photo's.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    detection : Detection
        The person.

    Returns
    -------
    tuple[Face | None, tuple[Hand | None, ...]]
        Photo pixels.
    """
    if detection.is_drawn:
        return None, (None, None)
    torso = torso_length(detection.landmarks)
    view = view_of(detection, (rgb.shape[1], rgb.shape[0]))
    picture, standing = view.picture(rgb), view.detection(detection)
    face = _face(picture, standing, HEAD_SIDE * torso)
    hands = (_hand(picture, standing, side, HAND_SIDE * torso) for side in ("left", "right"))
    return (
        None if face is None else view.face_on_photo(face),
        tuple(None if hand is None else view.hand_on_photo(hand) for hand in hands),
    )


def _face(rgb: UInt8, detection: Detection, side: float) -> Face | None:
    points = detection.landmarks.image[[LANDMARK[name] for name in HEAD]]
    middle = points.mean(axis=0)
    part, corner = _around(rgb, middle, side)
    if part is None:
        return None
    for face in find_faces(part):
        at = face.points[:2].mean(axis=0) + corner
        eyes = points[1:3].mean(axis=0)
        if np.linalg.norm(at - eyes) < REACH * side:
            shift = np.concatenate([corner, [0.0]]).astype(np.float32)
            box = face.box + np.concatenate([corner, corner])
            return Face(face.score, box, face.points + corner, face.presence, face.mesh + shift)
    return None


def _hand(rgb: UInt8, detection: Detection, name: str, side: float) -> Hand | None:
    marks = detection.landmarks
    wrist, *fingers = (
        marks.image[LANDMARK[f"{name}_{part}"]] for part in ("wrist", "index", "pinky", "thumb")
    )
    middle = (wrist + np.mean(fingers, axis=0)) / 2
    part, corner = _around(rgb, middle, side)
    if part is None:
        return None
    found = [
        hand for hand in find_hands(part)
        if np.linalg.norm(hand.image[0] + corner - wrist) < REACH * side
    ]  # fmt: skip
    if not found:
        return None
    hand = min(found, key=lambda h: float(np.linalg.norm(h.image[0] + corner - wrist)))
    return Hand(hand.score, hand.presence, hand.right, hand.image + corner, hand.depth, hand.world)


def _around(rgb: UInt8, middle: Float32, side: float) -> tuple[UInt8 | None, Float32]:
    """The square part of a photo around a point, as far as it is in the photo, and its corner."""
    low = np.maximum(np.floor(middle - side / 2), 0).astype(int)
    high = np.minimum(np.ceil(middle + side / 2), [rgb.shape[1], rgb.shape[0]]).astype(int)
    corner = low.astype(np.float32)
    if (high - low).min() < LEAST_SIDE_PX:
        return None, corner
    return np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]]), corner
