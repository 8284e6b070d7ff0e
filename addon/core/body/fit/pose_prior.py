"""What is likely of a pose before the picture is seen: stiffness of joints, hinges that bend one
way, straight legs, an upright stand, two feet on one ground.

In a single picture depth along the line of sight is the weakest cue, and BlazePose's metric
landmarks err there in one direction: in rendered pictures of standing people their knees are 15
degrees bent and their trunks lean 12 degrees towards the camera. Hence the priors on legs and
lean, which count only where the landmarks are near enough to them.
"""

from __future__ import annotations

import numpy as np

from ...numerics.least_squares import Residuals
from ...perception.landmarks.pose_landmarks import LANDMARK
from ...types import Float64, Integers, PoseLandmarks
from ..model.skeleton import JOINT, SMPL_JOINTS
from ..model.skinning import Skinned

# Spread (radians) of each joint's rotation about its x, y, z axis in T-pose; small is stiff.
_SPREAD: dict[str, tuple[float, float, float]] = {
    "pelvis": (50, 50, 50),
    "spine1": (0.25, 0.2, 0.2), "spine2": (0.2, 0.2, 0.2), "spine3": (0.2, 0.2, 0.2),
    "neck": (0.3, 0.4, 0.25), "head": (0.3, 0.4, 0.25),
    "collar": (0.12, 0.2, 0.25), "shoulder": (0.8, 1.2, 1.2), "elbow": (0.5, 1.5, 0.25),
    "wrist": (0.3, 0.4, 0.5), "hand": (0.05, 0.05, 0.05),
    "hip": (1.2, 0.5, 0.6), "knee": (0.9, 0.12, 0.12), "ankle": (0.5, 0.25, 0.2),
    "foot": (0.15, 0.05, 0.05),
}  # fmt: skip
# Hinges bend one way only, and not all the way round: axis, and sign of the free direction.
_HINGES = (
    ("left_knee", 0, 1.0), ("right_knee", 0, 1.0), ("left_elbow", 1, -1.0),
    ("right_elbow", 1, 1.0),
)  # fmt: skip
MOST_BENT = 2.6  # radians: calf on thigh, forearm on upper arm
HINGE_SIGMA = 0.06  # radians beyond the limits
# From STRAIGHT_KNEE of metric flexion on, a leg is taken for bent.
STRAIGHT_SIGMA, STRAIGHT_KNEE = 0.15, 0.5  # radians of knee flexion
STRAIGHT_OUTLIER = 0.5  # radians: a leg that the picture bends more than this is bent
# From UPRIGHT of metric lean on, a body leans, sits, lies, or the camera looks down or up.
LEAN_SIGMA, UPRIGHT = 0.05, 0.28  # tangent of the angle against the picture's vertical
LEAN_OUTLIER = 0.35
LEAST_HEIGHT_M = 0.2  # of neck and pelvis over the ankles, where tangents are taken
# Where a body stands upright before a level camera, the balls of both feet are on one ground: the
# one that is lower in the picture is nearer. A foot that is well above it is in the air.
GROUND_SIGMA_M, GROUND_OUTLIER_M = 0.05, 0.12
LANDMARKS_LEAN = -0.1  # tangent of the lean that metric landmarks give to upright bodies
SEEN = 0.3  # visibility from which on a landmark is informative


class PosePrior:
    """The prior of one person's pose."""

    def __init__(self, marks: PoseLandmarks) -> None:
        self._inverse_spreads = _inverse_spreads()
        self._straight = _straightness(marks)
        self._upright = uprightness(marks)

    def __call__(self, body: Skinned, stiffness: float, derivatives: bool) -> list[Residuals]:
        """Residuals whose cost is the negative logarithm, in units of the spreads.

        stiffness : weight of the joints' spread
        """
        pose, joints = body.pose, body.joints
        first = body.points.shape_count

        def turning(rows: Integers, slopes: Float64) -> Float64 | None:
            """(M, 1, U) of single rotation unknowns, numbered within the pose."""
            if not derivatives:
                return None
            made = np.zeros((len(rows), 1, body.unknown_count))
            made[np.arange(len(rows)), 0, first + rows] = slopes
            return made

        everything = np.arange(pose.size)
        spread = self._inverse_spreads.ravel()
        stiff = Residuals(
            (pose.ravel() * spread)[:, None], np.full(pose.size, stiffness),
            turning(everything, spread),
        )  # fmt: skip

        rows = np.array([3 * JOINT[name] + axis for name, axis, _ in _HINGES])
        signs = np.array([sign for _, _, sign in _HINGES])
        bends = signs * pose.ravel()[rows]
        wrong = np.maximum(-bends, 0) + np.maximum(bends - MOST_BENT, 0)
        slopes = signs * ((bends > MOST_BENT).astype(float) - (bends < 0)) / HINGE_SIGMA
        hinges = Residuals(wrong[:, None] / HINGE_SIGMA, np.ones(len(rows)), turning(rows, slopes))

        rows = np.array([3 * JOINT["left_knee"], 3 * JOINT["right_knee"]])
        straight = Residuals(
            pose.ravel()[rows][:, None], self._straight / STRAIGHT_SIGMA**2,
            turning(rows, np.ones(2)), STRAIGHT_OUTLIER,
        )  # fmt: skip

        leans, leans_by = _leans(joints, body.joint_derivatives if derivatives else None)
        upright = Residuals(leans[:, None], self._upright / LEAN_SIGMA**2, leans_by, LEAN_OUTLIER)

        left, right = JOINT["left_foot"], JOINT["right_foot"]
        step = joints[left, 1] - joints[right, 1]
        step_by = None
        if derivatives:
            step_by = (body.joint_derivatives[left, 1] - body.joint_derivatives[right, 1])[
                None, None
            ]
        ground = Residuals(
            np.array([[step]]), self._upright[:1] / GROUND_SIGMA_M**2, step_by, GROUND_OUTLIER_M
        )
        return [stiff, hinges, straight, upright, ground]


def _inverse_spreads() -> Float64:
    """(24, 3) one over each rotation's spread."""
    rows = []
    for name in SMPL_JOINTS:
        plain = name.removeprefix("left_").removeprefix("right_")
        rows.append(_SPREAD[plain])
    return 1.0 / np.array(rows)


def _leans(joints: Float64, moved: Float64 | None) -> tuple[Float64, Float64 | None]:
    """(2,) tangents along the camera's axis of the lines from the ankles up to neck and pelvis,
    and their derivatives (2, 1, U) from the joints' (24, 3, U)."""
    ankles, tops = [JOINT["left_ankle"], JOINT["right_ankle"]], [JOINT["neck"], JOINT["pelvis"]]
    bones = joints[ankles].mean(axis=0) - joints[tops]
    height = np.maximum(bones[:, 1], LEAST_HEIGHT_M)
    tangents = bones[:, 2] / height
    if moved is None:
        return tangents, None
    by = moved[ankles].mean(axis=0) - moved[tops]
    rising = np.where(bones[:, 1] > LEAST_HEIGHT_M, tangents, 0.0)
    return tangents, ((by[:, 2] - rising[:, None] * by[:, 1]) / height[:, None])[:, None]


def _straightness(marks: PoseLandmarks) -> Float64:
    """(2,) 0..1: how sure the metric landmarks are that the left, the right leg is straight. A leg
    that is not seen is like the other one."""
    found: list[float | None] = []
    for side in ("left", "right"):
        rows = [LANDMARK[f"{side}_{name}"] for name in ("hip", "knee", "ankle")]
        hip, knee, ankle = marks.world[rows].astype(np.float64)
        thigh, shin = knee - hip, ankle - knee
        cosine = thigh @ shin / max(np.linalg.norm(thigh) * np.linalg.norm(shin), 1e-9)
        seen = (marks.visibility[rows] > SEEN).all()
        bend = float(np.arccos(np.clip(cosine, -1, 1)))
        found.append(_fading(bend, STRAIGHT_KNEE) if seen else None)
    left, right = found
    known = [value for value in (left, right) if value is not None] or [1.0]
    return np.array([known[0] if left is None else left, known[0] if right is None else right])


def uprightness(marks: PoseLandmarks) -> Float64:
    """(2,) 0..1: how sure the metric landmarks are that trunk and legs, and the legs alone, stand
    upright. What is not seen does.

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.

    Returns
    -------
    Float64
        (2,) 0..1.
    """

    def middle(name: str) -> Float64 | None:
        rows = [LANDMARK[f"{side}_{name}"] for side in ("left", "right")]
        seen = [marks.world[row].astype(np.float64) for row in rows if marks.visibility[row] > SEEN]
        return np.mean(seen, axis=0) if seen else None

    ankles = middle("ankle")
    found = []
    for name in ("shoulder", "hip"):
        top = middle(name)
        if ankles is None or top is None:
            found.append(1.0)
        else:
            bone = ankles - top
            tangent = bone[2] / max(bone[1], LEAST_HEIGHT_M)
            found.append(_fading(tangent - LANDMARKS_LEAN, UPRIGHT))
    return np.array(found)


def _fading(value: float, reach: float) -> float:
    """1 around zero, a half at `reach`, soon nothing beyond."""
    return float(1 / (1 + (value / reach) ** 6))
