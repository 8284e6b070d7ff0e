"""The pose that the optimisation starts from, computed from the metric landmarks alone."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..perception.landmarks import LANDMARK
from ..types import Float64, Person
from .model import BodyModel
from .skeleton import JOINT, JOINT_COUNT


def first_pose(model: BodyModel, person: Person) -> Float64:
    """(24, 3) axis-angle from the metric landmarks alone: the trunk's frame, then each limb bone
    turned by the shortest arc from where its parent left it."""
    world = person.detection.landmarks.world.astype(np.float64)

    def mark(name: str) -> Float64:
        return world[LANDMARK[name]]

    across = (mark("left_shoulder") - mark("right_shoulder")) + (
        mark("left_hip") - mark("right_hip")
    )
    up = (mark("left_shoulder") + mark("right_shoulder")) - (mark("left_hip") + mark("right_hip"))
    y = up / np.linalg.norm(up)
    x = across - (across @ y) * y
    x /= np.linalg.norm(x)
    trunk = np.stack([x, y, np.cross(x, y)], axis=1)

    joints = (model.regressor @ model.template).astype(np.float64)
    pose = np.zeros((JOINT_COUNT, 3))
    pose[0] = Rotation.from_matrix(trunk).as_rotvec()
    for side in ("left", "right"):
        for chain in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            above = trunk
            for start, end in zip(chain[:-1], chain[1:], strict=True):
                j = JOINT[f"{side}_{start}"]
                bone = joints[JOINT[f"{side}_{end}"]] - joints[j]
                target = above.T @ (mark(f"{side}_{end}") - mark(f"{side}_{start}"))
                local = _shortest_arc(bone, target)
                pose[j] = Rotation.from_matrix(local).as_rotvec()
                above = above @ local
    return pose


def _shortest_arc(source: Float64, target: Float64) -> Float64:
    a, b = source / np.linalg.norm(source), target / max(float(np.linalg.norm(target)), 1e-9)
    axis = np.cross(a, b)
    sine, cosine = float(np.linalg.norm(axis)), float(a @ b)
    if sine < 1e-8:
        return np.eye(3)
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine)).as_matrix()
