"""What landmarks and close-ups show of a body: the fit's terms of joints, bones and turns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...numerics.least_squares import Residuals
from ...perception.landmarks.pose_landmarks import LANDMARK
from ...types import Camera, Float64, PoseLandmarks
from ..model.skeleton import JOINT
from ..model.skinning import Skinned
from .landmark_points import LandmarkPoints
from .orientation_observations import Turn
from .pose_prior import uprightness

JOINT_SIGMA_M = 0.025  # spread of landmarks around the body's points
DIRECTION_SIGMA = 0.30  # radians, spread of the metric landmarks' bone directions
NEAREST_M = 0.1  # nothing nearer to the camera is projected
SHORTEST_M = 1e-6  # of a bone: shorter ones have no direction

# Bones whose direction in space the metric landmarks show: landmarks from, to; joints from, to.
_BONES = tuple(
    (f"{side}_{a}", f"{side}_{b}", 1.0)
    for side in ("left", "right")
    for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"),
        # Across a joint: where that one is hidden, the limb's end still has a depth.
        ("shoulder", "wrist"), ("hip", "ankle"),
    )
)  # fmt: skip
# The trunk's lean: set by the prior where bodies stand upright, since metric landmarks err there
# in one direction (`pose_prior`), and by the landmarks where they do not.
_TRUNK = tuple((f"{side}_hip", f"{side}_shoulder", 1.0) for side in ("left", "right"))
_CROSS_BONES = (("right_shoulder", "left_shoulder", 1.5), ("right_hip", "left_hip", 1.0))


def projected(camera: Camera, points: Float64) -> Float64:
    """(N, 2) photo pixels of points (N, 3) in the camera frame.

    Parameters
    ----------
    camera : Camera
        The photo's.
    points : Float64
        (N, 3) metres, camera frame.

    Returns
    -------
    Float64
        (N, 2).
    """
    depth = np.maximum(points[:, 2:], NEAREST_M)
    return points[:, :2] / depth * camera.focal_px + [camera.cx, camera.cy]


def projected_derivatives(camera: Camera, points: Float64, jacobian: Float64) -> Float64:
    """(N, 2, U) of pixels, from points (N, 3) and their derivatives (N, 3, U).

    Parameters
    ----------
    camera : Camera
        The photo's.
    points : Float64
        (N, 3) metres, camera frame.
    jacobian : Float64
        (N, 3, U).

    Returns
    -------
    Float64
        (N, 2, U).
    """
    depth = np.maximum(points[:, 2], NEAREST_M)[:, None, None]
    clamped = (points[:, 2] < NEAREST_M)[:, None, None]
    slope = np.where(clamped, 0.0, points[:, :2, None] / depth)
    return (jacobian[:, :2] - slope * jacobian[:, 2:]) / depth * camera.focal_px


class LandmarkTerm:
    """The distances in the picture between landmarks and the body's own points of them.

    The body's first vertices are `points.vertices`.
    """

    def __init__(
        self, points: LandmarkPoints, marks: PoseLandmarks, camera: Camera, outlier_m: float
    ) -> None:
        self._joints = points.joints
        self._vertices = np.arange(len(points.vertices))
        self._camera = camera
        self._targets = marks.image[points.landmarks].astype(np.float64)
        trust = points.trust * marks.visibility[points.landmarks]
        self._weights = trust.astype(np.float64) / JOINT_SIGMA_M**2
        self._outlier_m = outlier_m

    def __call__(self, body: Skinned, pixels_per_metre: float, derivatives: bool) -> Residuals:
        """Residuals (K, 2) in metres at the body's depth."""
        points = np.concatenate([body.joints[self._joints], body.vertices[self._vertices]])
        error = (projected(self._camera, points) - self._targets) / pixels_per_metre
        jacobian = None
        if derivatives:
            moved = [body.joint_derivatives[self._joints], body.vertex_derivatives(self._vertices)]
            jacobian = projected_derivatives(self._camera, points, np.concatenate(moved))
            jacobian /= pixels_per_metre
        return Residuals(error, self._weights, jacobian, self._outlier_m)

    def place(self, joints: Float64) -> Float64:
        """(3,) the translation that brings joints (24, 3) nearest to their landmarks' rays.

        Parameters
        ----------
        joints : Float64
            (24, 3) metres, before the translation.

        Returns
        -------
        Float64
            (3,) metres, camera frame.
        """
        chosen = joints[self._joints]
        count = len(chosen)
        weights = self._weights[:count]
        centre = np.array([self._camera.cx, self._camera.cy])
        rays = (self._targets[:count] - centre) / self._camera.focal_px
        rows, right = [], []
        for axis in (0, 1):
            row = np.zeros((count, 3))
            row[:, axis] = 1.0
            row[:, 2] = -rays[:, axis]
            rows.append(row * weights[:, None])
            right.append((rays[:, axis] * chosen[:, 2] - chosen[:, axis]) * weights)
        place, *_ = np.linalg.lstsq(np.vstack(rows), np.concatenate(right), rcond=None)
        return np.asarray(place)


class DirectionTerm:
    """The directions in space of bones, as the metric landmarks have them."""

    def __init__(self, marks: PoseLandmarks) -> None:
        starts, ends, targets, weights = [], [], [], []
        leaning = 1 - float(uprightness(marks)[0])
        trunk = tuple((a, b, weight * leaning) for a, b, weight in _TRUNK)
        for a, b, weight in (*_BONES, *_CROSS_BONES, *trunk):
            bone = (marks.world[LANDMARK[b]] - marks.world[LANDMARK[a]]).astype(np.float64)
            starts.append(JOINT[a])
            ends.append(JOINT[b])
            targets.append(bone / max(float(np.linalg.norm(bone)), SHORTEST_M))
            seen = min(marks.visibility[LANDMARK[a]], marks.visibility[LANDMARK[b]])
            weights.append(weight * float(seen))
        self._starts, self._ends = np.array(starts), np.array(ends)
        self._targets = np.array(targets)
        self._weights = np.array(weights) / DIRECTION_SIGMA**2

    def __call__(self, body: Skinned, derivatives: bool) -> Residuals:
        """Residuals (K, 3): the chord between unit vectors is the angle to second order."""
        bones = body.joints[self._ends] - body.joints[self._starts]
        lengths = np.maximum(np.linalg.norm(bones, axis=1), SHORTEST_M)[:, None]
        unit = bones / lengths
        jacobian = None
        if derivatives:
            moved = body.joint_derivatives[self._ends] - body.joint_derivatives[self._starts]
            along = np.einsum("kc,kcu->ku", unit, moved)
            jacobian = (moved - unit[:, :, None] * along[:, None]) / lengths[:, :, None]
        return Residuals(unit - self._targets, self._weights, jacobian)


class TurnTerm:
    """The turns of head and hands, as close-ups of them show."""

    def __init__(self, turns: list[Turn]) -> None:
        self._joints: npt.NDArray[np.int64] = np.array([each.joint for each in turns], np.int64)
        self._targets = np.array([each.target for each in turns]).reshape(-1, 3, 3)
        self._weights = np.array([1 / each.sigma**2 for each in turns])
        self._outliers = np.array([each.outlier for each in turns])

    def __call__(self, body: Skinned, derivatives: bool) -> Residuals:
        """Residuals (K, 9): the chord between rotations, over sqrt 2, is the angle to second
        order."""
        error = (body.turned[self._joints] - self._targets).reshape(-1, 9) / np.sqrt(2)
        jacobian = None
        if derivatives:
            made = [body.turn_derivatives(joint).reshape(9, -1) for joint in self._joints.tolist()]
            jacobian = np.array(made).reshape(len(error), 9, body.unknown_count) / np.sqrt(2)
        return Residuals(error, self._weights, jacobian, self._outliers)
