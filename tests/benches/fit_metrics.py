"""How far a fitted body is from the true one. Lengths in millimetres, angles in degrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.types import FittedBody, Float64

Points = npt.NDArray[np.floating]
MM = 1000.0
# Joints that are compared: hands are left out, nothing of a photo's landmarks tells their root.
COMPARED = tuple(row for name, row in JOINT.items() if "hand" not in name)


@dataclass(frozen=True)
class FitErrors:
    """One fit against its truth."""

    mpjpe: float  # mean distance of joints, pelvis on pelvis
    pa_mpjpe: float  # after the best similarity transform
    pve: float  # of vertices, after the best similarity transform
    knee: float  # mean difference of knee flexion
    lean: float  # between the lines from ankles to neck, along the camera's axis
    turned_round: bool  # facing the other way
    swapped: bool  # left and right exchanged


def fit_errors(found: FittedBody, truth: FittedBody) -> FitErrors:
    mine, true = (body.joints[list(COMPARED)].astype(np.float64) for body in (found, truth))
    centred = (mine - mine[0]) - (true - true[0])
    return FitErrors(
        mpjpe=MM * float(np.linalg.norm(centred, axis=1).mean()),
        pa_mpjpe=MM * float(np.linalg.norm(aligned(mine, true) - true, axis=1).mean()),
        pve=MM
        * float(
            np.linalg.norm(aligned(found.vertices, truth.vertices) - truth.vertices, axis=1).mean()
        ),
        knee=float(np.abs(knee_flexion(found) - knee_flexion(truth)).mean()),
        lean=abs(lean(found) - lean(truth)),
        turned_round=bool(_facing(found) @ _facing(truth) < 0),
        swapped=bool(_left(found) @ _left(truth) < 0),
    )


def aligned(source: Points, target: Points) -> Float64:
    """source (N, 3) moved, turned and scaled onto target (N, 3); Umeyama (1991)."""
    a, b = (points.astype(np.float64) for points in (source, target))
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    u, values, vt = np.linalg.svd((b - mean_b).T @ (a - mean_a))
    sign = np.ones(3)
    sign[2] = np.sign(np.linalg.det(u @ vt))
    turn = (u * sign) @ vt
    scale = (values * sign).sum() / ((a - mean_a) ** 2).sum()
    return scale * (a - mean_a) @ turn.T + mean_b


def knee_flexion(body: FittedBody) -> Float64:
    """(2,) left and right: 0 is straight."""
    angles = []
    for side in ("left", "right"):
        hip, knee, ankle = (
            body.joints[JOINT[f"{side}_{name}"]].astype(np.float64)
            for name in ("hip", "knee", "ankle")
        )
        thigh, shin = knee - hip, ankle - knee
        cosine = thigh @ shin / (np.linalg.norm(thigh) * np.linalg.norm(shin))
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return np.array(angles)


def lean(body: FittedBody) -> float:
    """Degrees that the line from the ankles to the neck leans away from the camera."""
    joints = body.joints.astype(np.float64)
    ankles = (joints[JOINT["left_ankle"]] + joints[JOINT["right_ankle"]]) / 2
    line = joints[JOINT["neck"]] - ankles
    return float(np.degrees(np.arctan2(line[2], -line[1])))


def _left(body: FittedBody) -> Float64:
    """From the body's right to its left."""
    joints = body.joints.astype(np.float64)
    return sum(
        joints[JOINT[f"left_{name}"]] - joints[JOINT[f"right_{name}"]]
        for name in ("shoulder", "hip")
    )


def _facing(body: FittedBody) -> Float64:
    joints = body.joints.astype(np.float64)
    up = joints[JOINT["neck"]] - joints[JOINT["pelvis"]]
    return np.cross(_left(body), up)
