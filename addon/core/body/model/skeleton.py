"""SMPL's 24 joints: their names, their tree, and the bone names given to them in Blender."""

from __future__ import annotations

SMPL_JOINTS: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2",
    "left_ankle", "right_ankle", "spine3", "left_foot", "right_foot", "neck",
    "left_collar", "right_collar", "head", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip

PARENTS: tuple[int, ...] = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
)  # fmt: skip

# Mixamo's names are what VRM, Rokoko, Expy Kit and Auto-Rig tools map by themselves.
BONE_NAMES: tuple[str, ...] = tuple(
    "mixamorig:" + name
    for name in (
        "Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1",
        "LeftFoot", "RightFoot", "Spine2", "LeftToeBase", "RightToeBase", "Neck",
        "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm",
        "LeftForeArm", "RightForeArm", "LeftHand", "RightHand",
        "LeftHandMiddle1", "RightHandMiddle1",
    )
)  # fmt: skip

JOINT: dict[str, int] = {name: index for index, name in enumerate(SMPL_JOINTS)}
JOINT_COUNT = len(SMPL_JOINTS)
