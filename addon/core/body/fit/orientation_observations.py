"""Which way head and hands are turned, as close-ups of the face and the hands show.

A body's landmarks place the head and the wrists but hardly turn them: in rendered pictures of
known bodies the head's direction by BlazePose is 10 degrees off, by Face Mesh 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ...perception.landmarks.pose_landmarks import LANDMARK
from ...types import Face, Float64, Hand, Person
from ..model.body_model import BodyModel
from ..model.skeleton import JOINT

# Points of Face Mesh: where the face meets the ears, the hair line and the chin.
RIGHT_EDGE, LEFT_EDGE, FOREHEAD, CHIN = 234, 454, 10, 152
# The line from chin to forehead leans back from the head's own upright (measured, mean of 40).
FACE_PITCH = np.radians(6.4)
HEAD_SIGMA, HEAD_OUTLIER = 0.08, 0.4  # radians
# Points of a hand: wrist and the roots of index, middle and little finger.
WRIST, INDEX, MIDDLE, LITTLE = 0, 5, 9, 17
HAND_SIGMA, HAND_OUTLIER = 0.25, 0.7  # radians; small hands are often taken for their mirror image
# Cosine between the knuckles' line and the body's landmarks of it, below which one of both is
# mistaken.
LEAST_AGREEMENT = 0.5


@dataclass(frozen=True, eq=False)
class Turn:
    """How a joint's bone should be turned.

    target : (3, 3) from the body's axes in T-pose to the camera frame
    sigma, outlier : radians; beyond the second the observation is taken for an error
    """

    joint: int
    target: Float64
    sigma: float
    outlier: float


def observed_turns(model: BodyModel, person: Person) -> list[Turn]:
    """The turns that the person's close-ups show.

    Parameters
    ----------
    model : BodyModel
        The body model.
    person : Person
        The person that the body is laid over.

    Returns
    -------
    list[Turn]
        One for each close-up that was seen well.
    """
    turns = []
    if person.face is not None:
        turns.append(Turn(JOINT["head"], head_turn(person.face), HEAD_SIGMA, HEAD_OUTLIER))
    for side, hand in zip(("left", "right"), person.hands, strict=True):
        if hand is not None and _agrees(person, side, hand):
            joint = JOINT[f"{side}_wrist"]
            turns.append(Turn(joint, hand_turn(model, side, hand), HAND_SIGMA, HAND_OUTLIER))
    return turns


def head_turn(face: Face) -> Float64:
    """(3, 3) from a head that looks along z, y up, to the camera frame.

    Parameters
    ----------
    face : Face
        The person's.

    Returns
    -------
    Float64
        (3, 3).
    """
    mesh = face.mesh.astype(np.float64)
    frame = _frame(mesh[LEFT_EDGE] - mesh[RIGHT_EDGE], mesh[FOREHEAD] - mesh[CHIN])
    return frame @ Rotation.from_euler("x", FACE_PITCH).as_matrix()


def hand_turn(model: BodyModel, side: str, hand: Hand) -> Float64:
    """(3, 3) from a hand in T-pose (palm down, index finger in front) to the camera frame.

    Parameters
    ----------
    model : BodyModel
        The body model.
    side : str
        'left' or 'right'.
    hand : Hand
        The person's, on that side.

    Returns
    -------
    Float64
        (3, 3).
    """
    sign = 1.0 if side == "left" else -1.0
    points = hand.world.astype(np.float64)
    seen = _frame(points[INDEX] - points[LITTLE], sign * (points[MIDDLE] - points[WRIST]))
    joints = model.regressor.astype(np.float64) @ model.template
    along = joints[JOINT[f"{side}_hand"]] - joints[JOINT[f"{side}_wrist"]]
    rest = _frame(np.array([0.0, 0.0, 1.0]), sign * along)
    return seen @ rest.T


def _agrees(person: Person, side: str, hand: Hand) -> bool:
    marks = person.detection.landmarks
    body = marks.image[LANDMARK[f"{side}_index"]] - marks.image[LANDMARK[f"{side}_pinky"]]
    seen = hand.image[INDEX] - hand.image[LITTLE]
    size = max(float(np.linalg.norm(body) * np.linalg.norm(seen)), 1e-9)
    return bool(body @ seen / size > LEAST_AGREEMENT)


def _frame(x: Float64, y: Float64) -> Float64:
    """(3, 3) columns: x made perpendicular to y, y, and what completes them; unit length."""
    y = y / max(float(np.linalg.norm(y)), 1e-9)
    x = x - (x @ y) * y
    x = x / max(float(np.linalg.norm(x)), 1e-9)
    return np.stack([x, y, np.cross(x, y)], axis=1)
