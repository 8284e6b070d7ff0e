"""Body parts: the labels of maps, meshes and textures, each a set of SMPL joints."""

from __future__ import annotations

import numpy as np

from ...types import UInt8
from .skeleton import JOINT, JOINT_COUNT

NOTHING, HEAD, TORSO, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG = range(7)
PART_NAMES = ("nothing", "head", "torso", "left arm", "right arm", "left leg", "right leg")

_PART_JOINTS = {
    HEAD: ("neck", "head"),
    TORSO: ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"),
    LEFT_ARM: ("left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    RIGHT_ARM: ("right_shoulder", "right_elbow", "right_wrist", "right_hand"),
    LEFT_LEG: ("left_hip", "left_knee", "left_ankle", "left_foot"),
    RIGHT_LEG: ("right_hip", "right_knee", "right_ankle", "right_foot"),
}


def part_of_joint() -> UInt8:
    """(24,) uint8: the part that each SMPL joint's bone belongs to.

    Returns
    -------
    UInt8
        (24,), index of `PART_NAMES`.
    """
    parts = np.zeros(JOINT_COUNT, np.uint8)
    for part, names in _PART_JOINTS.items():
        parts[[JOINT[name] for name in names]] = part
    return parts
