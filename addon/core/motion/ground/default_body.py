"""The default body in numbers: where its joints are, and spheres that its flesh fills.

For what is asked of a motion before any character performs it. The spheres are fitted to the
body's surface: they are off by 1 cm in the mean, and 2 cm at the most where it touches a floor.
"""

from __future__ import annotations

import numpy as np

from ...body.model.skeleton import BONE_NAMES, JOINT, PARENTS
from ...types import Skeleton

LEG_M = 0.824  # thigh and shin

# Joints at rest, metres, world axes, feet on z = 0. What is there twice is given for the left.
_JOINTS: dict[str, tuple[float, float, float]] = {
    "pelvis": (0.0, 0.0, 0.948),
    "spine1": (0.0, 0.018, 0.985),
    "spine2": (0.0, 0.006, 1.136),
    "spine3": (0.0, 0.025, 1.270),
    "neck": (0.0, -0.017, 1.444),
    "head": (0.0, -0.050, 1.542),
    "left_hip": (0.108, -0.013, 0.898),
    "left_knee": (0.109, -0.013, 0.496),
    "left_ankle": (0.108, -0.013, 0.075),
    "left_foot": (0.108, -0.152, 0.026),
    "left_collar": (0.023, -0.034, 1.373),
    "left_shoulder": (0.170, -0.026, 1.348),
    "left_elbow": (0.431, -0.026, 1.348),
    "left_wrist": (0.667, -0.026, 1.348),
    "left_hand": (0.770, -0.026, 1.348),
}

# Joint, centre from the joint at rest in metres (world axes), radius in metres. What is there twice
# is given for the left.
FLESH: tuple[tuple[str, tuple[float, float, float], float], ...] = (
    ("pelvis", (0.087, -0.039, -0.024), 0.082),
    ("pelvis", (-0.087, -0.039, -0.024), 0.082),
    ("pelvis", (0.055, 0.003, -0.050), 0.080),
    ("pelvis", (-0.055, 0.003, -0.050), 0.080),
    ("spine1", (0.0, -0.090, 0.066), 0.115),
    ("spine1", (0.060, -0.020, 0.066), 0.078),
    ("spine1", (-0.060, -0.020, 0.066), 0.078),
    ("spine2", (0.0, 0.012, 0.025), 0.054),
    ("spine2", (0.073, -0.062, 0.097), 0.105),
    ("spine2", (-0.073, -0.062, 0.097), 0.105),
    ("spine3", (0.124, -0.007, 0.030), 0.053),
    ("spine3", (-0.124, -0.007, 0.030), 0.053),
    ("spine3", (0.0, -0.042, 0.087), 0.092),
    ("neck", (0.0, -0.005, 0.020), 0.073),
    ("head", (0.0, -0.035, 0.078), 0.073),
    ("head", (0.0, 0.008, 0.068), 0.086),
    ("head", (0.0, -0.048, -0.017), 0.068),
    ("left_hip", (0.018, -0.039, -0.041), 0.067),
    ("left_hip", (-0.008, -0.002, -0.105), 0.094),
    ("left_hip", (-0.004, -0.006, -0.394), 0.060),
    ("left_knee", (0.002, 0.025, -0.053), 0.054),
    ("left_knee", (0.004, 0.005, -0.369), 0.045),
    ("left_ankle", (0.0, -0.010, -0.010), 0.050),
    ("left_ankle", (0.0, -0.080, -0.033), 0.038),
    ("left_foot", (0.0, -0.035, -0.004), 0.022),
    ("left_collar", (0.083, -0.016, 0.002), 0.050),
    ("left_shoulder", (0.018, -0.006, 0.0), 0.069),
    ("left_shoulder", (0.219, -0.009, -0.002), 0.043),
    ("left_elbow", (0.008, -0.005, 0.002), 0.040),
    ("left_elbow", (0.223, 0.003, -0.001), 0.025),
    ("left_wrist", (0.049, -0.001, -0.009), 0.046),
    ("left_wrist", (0.097, -0.066, -0.054), 0.008),
    ("left_hand", (0.043, -0.004, -0.023), 0.034),
    ("left_hand", (0.012, 0.031, -0.016), 0.031),
)


def usual_skeleton() -> Skeleton:
    """The default body's joints at rest."""
    joints = np.zeros((len(JOINT), 3))
    for name, (x, y, z) in _JOINTS.items():
        joints[JOINT[name]] = (x, y, z)
        if name.startswith("left"):
            joints[JOINT[name.replace("left", "right")]] = (-x, y, z)
    return Skeleton(BONE_NAMES, PARENTS, joints)
