"""Where BlazePose's landmarks sit on an SMPL-format body: joints, or vertices found by geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..perception.landmarks import LANDMARK
from .model import BodyModel
from .parts import HEAD
from .skeleton import JOINT

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
    """The pairs for a body in T-pose (y up, z forward, x to its left)."""
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
    """Landmark name to vertex: nose, ears, heels, toe tips and knuckles."""
    v = model.template
    joints = model.regressor @ v
    found: dict[str, int] = {}
    head = np.nonzero(model.part == HEAD)[0]
    middle = head[np.abs(v[head, 0]) < 0.01]
    above = middle[v[middle, 1] > joints[JOINT["head"], 1] - 0.02]
    found["nose"] = int(above[np.argmax(v[above, 2])])
    nose_height = v[found["nose"], 1]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        level = head[np.abs(v[head, 1] - nose_height) < 0.04]
        found[f"{side}_ear"] = int(level[np.argmax(sign * v[level, 0])])
        # Eyes lie between nose and ears, some three centimetres up and out (a 1.7 m body).
        target = v[found["nose"]] + [sign * 0.031, 0.035, -0.028]
        found[f"{side}_eye"] = int(head[np.argmin(np.linalg.norm(v[head] - target, axis=1))])
        strongest = model.weights.argmax(axis=1)
        foot = np.nonzero(
            np.isin(strongest, [JOINT[f"{side}_ankle"], JOINT[f"{side}_foot"]])
            & (v[:, 1] < joints[JOINT[f"{side}_ankle"], 1])
        )[0]
        found[f"{side}_heel"] = int(foot[np.argmin(v[foot, 2])])
        found[f"{side}_foot_index"] = int(foot[np.argmax(v[foot, 2])])
        hand_joint, wrist = joints[JOINT[f"{side}_hand"]], joints[JOINT[f"{side}_wrist"]]
        size = np.linalg.norm(hand_joint - wrist)
        hand = np.nonzero(
            np.isin(strongest, [JOINT[f"{side}_wrist"], JOINT[f"{side}_hand"]])
            & (np.abs(v[:, 0] - hand_joint[0]) < 0.35 * size)
        )[0]
        # Palms face down in T-pose: the index finger's knuckle is in front, the little one's back.
        near = hand[np.abs(v[hand, 1] - hand_joint[1]) < 0.35 * size]
        found[f"{side}_index"] = int(near[np.argmax(v[near, 2])])
        found[f"{side}_pinky"] = int(near[np.argmin(v[near, 2])])
    return found
