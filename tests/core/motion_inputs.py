"""What the motion tests share: a skeleton, poses, BVH texts and the folder of real clips."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES, JOINT, PARENTS
from photo_wake_up.addon.core.motion import clips
from photo_wake_up.addon.core.motion.ground.feet import leg_length
from photo_wake_up.addon.core.types import Clip, Pose, Skeleton

_DATA = Path(os.environ.get("PHOTO_WAKE_UP_DATA", Path(__file__).parents[3] / "shared" / "data"))

# The default body's joints at rest, rounded to millimetres.
_LEFT = {
    "hip": (0.108, -0.013, 0.898), "knee": (0.109, -0.013, 0.496), "ankle": (0.108, -0.013, 0.075),
    "foot": (0.108, -0.152, 0.026), "collar": (0.023, -0.034, 1.373),
    "shoulder": (0.170, -0.026, 1.348), "elbow": (0.431, -0.026, 1.348),
    "wrist": (0.667, -0.026, 1.348), "hand": (0.770, -0.026, 1.348),
}  # fmt: skip
_MIDDLE = {
    "pelvis": (0.0, 0.0, 0.948), "spine1": (0.0, 0.018, 0.985), "spine2": (0.0, 0.006, 1.136),
    "spine3": (0.0, 0.025, 1.270), "neck": (0.0, -0.017, 1.444), "head": (0.0, -0.050, 1.542),
}  # fmt: skip


def skeleton() -> Skeleton:
    joints = np.zeros((24, 3))
    for name, joint in JOINT.items():
        side, _, part = name.partition("_")
        joints[joint] = _MIDDLE[name] if name in _MIDDLE else _LEFT[part]
        if side == "right":
            joints[joint, 0] *= -1
    return Skeleton(BONE_NAMES, PARENTS, joints)


def standing_pose(yaw_deg: float = 0.0) -> Pose:
    """Relaxed standing, feet on the ground, turned by `yaw_deg`."""
    clip = clips.idle(24.0)
    rotations = clip.rotations[0].copy()
    turn = Rotation.from_euler("z", yaw_deg, degrees=True)
    rotations[0] = (turn * Rotation.from_quat(rotations[0], scalar_first=True)).as_quat(
        scalar_first=True
    )
    return Pose(rotations, clip_root(clip)[0])


def clip_root(clip: Clip) -> np.ndarray:
    """(F, 3) the clip's root for `skeleton()`, metres."""
    body = skeleton()
    leg = leg_length(body)
    root = clip.root * leg
    root[:, 2] += body.joints[0, 2] - clips.STANDING * leg
    return root


def angles_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Degrees between quaternions (..., 4)."""
    dots = np.abs(np.einsum("...k,...k->...", first, second))
    return np.degrees(2 * np.arccos(np.clip(dots, 0.0, 1.0)))


def mocap(name: str) -> Path:
    """A real clip; skips the test where there is none."""
    path = _DATA / "mocap" / name
    if not path.exists():
        pytest.skip(f"{name} is not there: set PHOTO_WAKE_UP_DATA to the folder of test data")
    return path


def broken(name: str) -> Path:
    path = _DATA / "broken" / name
    if not path.exists():
        pytest.skip(f"{name} is not there: set PHOTO_WAKE_UP_DATA to the folder of test data")
    return path


def reported(name: str) -> Path:
    """A file that went wrong for somebody; skips the test where there is none."""
    path = _DATA.parent / "reported" / name
    if not path.exists():
        pytest.skip(f"{name} is not there: it lies in 'reported' beside the folder of test data")
    return path


MOCAP = (
    "dance_rokoko_fingers.bvh", "face_poseunits_makehuman.bvh", "jump_zup_fair.bvh",
    "jumping_jacks_cmu.bvh", "run_mixamo_beta.bvh", "sit_down_mia.bvh", "walk_cmu_12_01.bvh",
    "wave_hello_zup_fair.bvh",
)  # fmt: skip


def stick_bvh(rows: list[list[float]] | None = None, names: dict[str, str] | None = None) -> str:
    """A small person as a BVH text: y up, facing z, T-pose at rest, rotations z x y."""
    tree = {
        "Hips": ("", (0, 0, 0)),
        "LeftUpLeg": ("Hips", (1, -0.5, 0)), "LeftLeg": ("LeftUpLeg", (0, -4, 0)),
        "LeftFoot": ("LeftLeg", (0, -4, 0)), "LeftToeBase": ("LeftFoot", (0, -0.5, 1.5)),
        "RightUpLeg": ("Hips", (-1, -0.5, 0)), "RightLeg": ("RightUpLeg", (0, -4, 0)),
        "RightFoot": ("RightLeg", (0, -4, 0)), "RightToeBase": ("RightFoot", (0, -0.5, 1.5)),
        "Spine": ("Hips", (0, 2, 0)), "Chest": ("Spine", (0, 2, 0)),
        "LeftArm": ("Chest", (1.5, 1, 0)), "LeftForeArm": ("LeftArm", (2.6, 0, 0)),
        "LeftHand": ("LeftForeArm", (2.4, 0, 0)),
        "RightArm": ("Chest", (-1.5, 1, 0)), "RightForeArm": ("RightArm", (-2.6, 0, 0)),
        "RightHand": ("RightForeArm", (-2.4, 0, 0)),
        "Neck": ("Chest", (0, 1.5, 0)), "Head": ("Neck", (0, 1, 0)),
    }  # fmt: skip
    names = names or {}
    ends = {"Base": "0 0 1", "Hand": "0 0 0"}
    lines = ["HIERARCHY"]

    def write(joint: str) -> None:
        lines.append(f"{'JOINT' if tree[joint][0] else 'ROOT'} {names.get(joint, joint)}")
        lines.append("{")
        lines.append("OFFSET " + " ".join(map(str, tree[joint][1])))
        channels = "Zrotation Xrotation Yrotation"
        if tree[joint][0]:
            lines.append(f"CHANNELS 3 {channels}")
        else:
            lines.append(f"CHANNELS 6 Xposition Yposition Zposition {channels}")
        below = [name for name, (parent, _) in tree.items() if parent == joint]
        for name in below:
            write(name)
        if not below:
            lines.extend(["End Site", "{", f"OFFSET {ends.get(joint[-4:], '0 0.5 0')}", "}"])
        lines.append("}")

    write("Hips")
    if rows is None:
        rows = [[0, 8.5, 0] + [0] * (3 * len(tree))] * 3
    lines += ["MOTION", f"Frames: {len(rows)}", "Frame Time: 0.04"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in rows]
    return "\n".join(lines) + "\n"


# Columns of a joint's three angles in `stick_bvh`, in the order in which its joints are written.
STICK_ORDER = (
    "Hips", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase", "RightUpLeg", "RightLeg",
    "RightFoot", "RightToeBase", "Spine", "Chest", "LeftArm", "LeftForeArm", "LeftHand",
    "RightArm", "RightForeArm", "RightHand", "Neck", "Head",
)  # fmt: skip


def stick_row(root: tuple[float, float, float] = (0, 8.5, 0), **turns: tuple) -> list[float]:
    """One frame of `stick_bvh`: degrees about z, x and y of the joints named."""
    row = [*root]
    for joint in STICK_ORDER:
        row += list(turns.get(joint, (0, 0, 0)))
    return row
