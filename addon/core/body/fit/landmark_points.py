"""Where BlazePose's landmarks sit on an SMPL-format body: joints, or vertices found by geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ModelFileError
from ...perception.landmarks.pose_landmarks import LANDMARK
from ...types import Float32
from ..model.body_model import BodyModel
from ..model.parts import HEAD
from ..model.skeleton import JOINT

Index = npt.NDArray[np.int64]

KNUCKLE_REACH = 0.35  # how far knuckles lie from the hand's joint, in lengths of the palm
# Landmarks that are the body's own joints, and how far each is to be trusted (hips are guessed by
# the network under clothes, some centimetres off the joint).
_JOINT_LANDMARKS = {
    "shoulder": 1.0, "elbow": 1.0, "wrist": 1.0, "hip": 0.35, "knee": 1.0, "ankle": 1.0,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class LandmarkPoints:
    """Pairs of landmarks and points of the body.

    landmarks : (K,) rows of PoseLandmarks; trust : (K,) 0..1
    joints : (J,) the first J landmarks' joints; vertices : (K - J,) the others' vertices
    """

    landmarks: npt.NDArray[np.int64]
    trust: npt.NDArray[np.float32]
    joints: npt.NDArray[np.int64]
    vertices: npt.NDArray[np.int64]


def landmark_points(model: BodyModel) -> LandmarkPoints:
    """The pairs for a body in T-pose (y up, z forward, x to its left).

    Parameters
    ----------
    model : BodyModel
        The body model.

    Returns
    -------
    LandmarkPoints
        Landmarks, how much each is trusted, and what of the body each is.
    """
    landmarks, trust, joints = [], [], []
    for side in ("left", "right"):
        for name, share in _JOINT_LANDMARKS.items():
            landmarks.append(LANDMARK[f"{side}_{name}"])
            trust.append(share)
            joints.append(JOINT[f"{side}_{name}"])
    points = vertex_landmarks(model)
    for name in points:
        landmarks.append(LANDMARK[name])
        trust.append(0.6)
    return LandmarkPoints(
        np.array(landmarks), np.array(trust, np.float32), np.array(joints),
        np.array(list(points.values())),
    )  # fmt: skip


def vertex_landmarks(model: BodyModel) -> dict[str, int]:
    """Landmark name to vertex: nose, eyes, ears, heels, toe tips and knuckles.

    Found by geometry alone, since SMPL, SMPL-X and the default body number their vertices each in
    its own way.

    Parameters
    ----------
    model : BodyModel
        The body model.

    Returns
    -------
    dict[str, int]
        Names and vertices.

    Raises
    ------
    ModelFileError
        If the body does not stand in T-pose.
    """
    v = model.template
    joints = model.regressor @ v
    strongest = model.weights.argmax(axis=1)
    found: dict[str, int] = {}

    def take(name: str, candidates: Index, cost: Float32) -> None:
        if not len(candidates):
            raise ModelFileError(
                f"The body {model.name} has no {name.replace('_', ' ')}: choose a body in T-pose, "
                "in metres, y up, facing z."
            )
        found[name] = int(candidates[np.argmin(cost[candidates])])

    head_joint = joints[JOINT["head"]]
    head = np.nonzero(model.part == HEAD)[0]
    middle = head[np.abs(v[head, 0] - head_joint[0]) < 0.01]
    take("nose", middle[v[middle, 1] > head_joint[1] - 0.02], -v[:, 2])
    nose = v[found["nose"]]
    level = head[np.abs(v[head, 1] - nose[1]) < 0.04]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        take(f"{side}_ear", level, -sign * v[:, 0])
        # Eyes lie between nose and ears, some three centimetres up and out (a 1.7 m body).
        eye = nose + np.array([sign * 0.031, 0.035, -0.028], np.float32)
        take(f"{side}_eye", head, np.linalg.norm(v - eye, axis=1))
        ankle, foot_joint = JOINT[f"{side}_ankle"], JOINT[f"{side}_foot"]
        foot = np.nonzero(np.isin(strongest, [ankle, foot_joint]) & (v[:, 1] < joints[ankle, 1]))[0]
        take(f"{side}_heel", foot, v[:, 2])
        take(f"{side}_foot_index", foot, -v[:, 2])
        hand, wrist = JOINT[f"{side}_hand"], JOINT[f"{side}_wrist"]
        size = np.linalg.norm(joints[hand] - joints[wrist])
        knuckles = np.nonzero(
            np.isin(strongest, [wrist, hand])
            & (np.abs(v[:, :2] - joints[hand, :2]) < KNUCKLE_REACH * size).all(axis=1)
        )[0]
        # Palms face down in T-pose: the index finger's knuckle is in front, the little one's back.
        # What is in front may belong to the thumb. BlazePose marks the hand's edge there, too: with
        # the finger's own knuckle instead, photos' hand landmarks are missed by a centimetre more.
        take(f"{side}_index", knuckles, -v[:, 2])
        take(f"{side}_pinky", knuckles, v[:, 2])
    return found
