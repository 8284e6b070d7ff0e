"""Forearms that are seen are not inside the trunk: the fit's term for bodies that go through
themselves.

Bogo et al., Keep it SMPL (2016), section 3.2, give body parts for spheres that may not share a
place. Here the trunk keeps its own surface, as the implicit one of its vertices' planes (Kolluri,
Provably Good Moving Least Squares, 2005, equation 1), and a forearm is pushed out of it to the
side where the picture has it: what is seen lies before the trunk. Of an arm that is hidden nothing
is said, for it may as well lie behind.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from ...numerics.least_squares import Residuals
from ...perception.landmarks.pose_landmarks import LANDMARK
from ...types import Float64, Integers, PoseLandmarks
from ..model.body_model import BodyModel
from ..model.parts import TORSO
from ..model.skeleton import JOINT
from ..model.skinning import Skinned
from ..rasterisation import vertex_normals

ALONG = (0.0, 1 / 3, 2 / 3, 1.0)  # points of a forearm, from the elbow to the wrist
SEEN = 0.5  # visibility from which on an elbow or a wrist lies before the trunk
INSIDE_SIGMA_M = 0.02  # how deep in the trunk's skin a forearm's middle may be: clothes and flesh
OUTLIER_M = 0.15  # half of a trunk; deeper, the arm may well be on the other side
PLANES_REACH_M = 0.03  # deviation of the planes' weights: the vertices' mean distance
LEAST_FACING = 1e-6  # weight of skin that faces away from the camera, over skin that faces it
SURELY_INSIDE_M = 0.03  # under the skin; less counts less, so that arms come out without a step


class InterpenetrationTerm:
    """The term for one person's forearms and trunk.

    vertices : (N,) the body's vertices that each evaluation poses
    """

    def __init__(self, model: BodyModel, marks: PoseLandmarks, vertices: Integers) -> None:
        self._rows = np.flatnonzero(model.part[vertices] == TORSO)
        of_trunk = vertices[self._rows]
        self._normals = vertex_normals(model.template.astype(np.float64), model.faces)[of_trunk]
        points = [
            (JOINT[f"{side}_elbow"], JOINT[f"{side}_wrist"], share)
            for side in ("left", "right")
            for share in ALONG
            if _visibility(marks, side, share) >= SEEN
        ]
        self._elbows = [elbow for elbow, _, _ in points]
        self._wrists = [wrist for _, wrist, _ in points]
        self._along = np.array([share for _, _, share in points])[:, None]

    def __call__(self, body: Skinned, derivatives: bool) -> Residuals:
        """Residuals (K, 1): metres under the skin that the camera sees, one per point of a forearm
        that is within the trunk."""
        if not self._elbows:
            return self._nothing(body, derivatives)
        trunk = body.vertices[self._rows]
        normals = body.turned_directions(self._rows, self._normals)
        points = self._points(body.joints)
        planes = _Planes(points, trunk, normals)
        inside, slope = _smooth_step(-planes.height / SURELY_INSIDE_M)
        within = np.flatnonzero(inside * planes.depth > 0)
        if not len(within):
            return self._nothing(body, derivatives)
        values = (inside * planes.depth)[within]
        jacobian = None
        if derivatives:
            planes = _Planes(points[within], trunk, normals)
            height_by, depth_by = planes.derivatives(
                self._points(body.joint_derivatives)[within],
                body.vertex_derivatives(self._rows),
                body.direction_derivatives(self._rows, self._normals),
            )
            jacobian = inside[within, None] * depth_by
            jacobian -= (slope[within] * planes.depth / SURELY_INSIDE_M)[:, None] * height_by
            jacobian = jacobian[:, None]
        weights = np.full(len(values), 1 / INSIDE_SIGMA_M**2)
        return Residuals(values[:, None], weights, jacobian, OUTLIER_M)

    def _nothing(self, body: Skinned, derivatives: bool) -> Residuals:
        empty = np.zeros((0, 1, body.unknown_count)) if derivatives else None
        return Residuals(np.zeros((0, 1)), np.zeros(0), empty, OUTLIER_M)

    def _points(self, joints: Float64) -> Float64:
        """(K, ...) points along the forearms, or their derivatives, from those of the joints."""
        along = self._along.reshape(-1, *(1,) * (joints.ndim - 1))
        return (1 - along) * joints[self._elbows] + along * joints[self._wrists]


class _Planes:
    """The implicit surface of a trunk's vertices' planes at some points.

    points (K, 3), trunk (N, 3), normals (N, 3)
    """

    def __init__(self, points: Float64, trunk: Float64, normals: Float64) -> None:
        self._away = points[:, None] - trunk
        self._normals = normals
        self._above = np.einsum("knc,nc->kn", self._away, normals)  # each vertex' plane
        nearness = -(self._away**2).sum(axis=2) / (2 * PLANES_REACH_M**2)
        self._distance = np.linalg.norm(trunk, axis=1)
        self._ray = trunk / self._distance[:, None]
        self._facing = np.maximum(-(normals * self._ray).sum(axis=1), 0)
        self._nearest = softmax(nearness, axis=1)
        self._seen = softmax(nearness + np.log(self._facing + LEAST_FACING), axis=1)
        self.height = (self._nearest * self._above).sum(axis=1)  # (K,) over the nearest skin
        self._under = -(self._seen * self._above).sum(axis=1)
        self.depth = np.maximum(self._under, 0)  # (K,) under the side that the camera sees

    def derivatives(
        self, points_by: Float64, trunk_by: Float64, normals_by: Float64
    ) -> tuple[Float64, Float64]:
        """(K, U) of height and depth, from those of points (K, 3, U), trunk and normals
        (N, 3, U)."""
        height_by = self._blended(self._nearest, self.height, points_by, trunk_by, normals_by)
        under_by = -self._blended(self._seen, -self._under, points_by, trunk_by, normals_by)
        # What faces the camera changes, too, which changes the seen side's weights.
        share = self._seen * (self._above + self._under[:, None])
        share *= (self._facing > 0) / (self._facing + LEAST_FACING)
        cosine = (self._normals * self._ray).sum(axis=1)[:, None]
        across = (self._normals - cosine * self._ray) / self._distance[:, None]
        facing_by = -np.einsum("nc,ncu->nu", self._ray, normals_by)
        facing_by -= np.einsum("nc,ncu->nu", across, trunk_by)
        under_by -= share @ facing_by
        return height_by, np.where(self._under[:, None] > 0, under_by, 0.0)

    def _blended(
        self,
        weights: Float64,
        value: Float64,
        points_by: Float64,
        trunk_by: Float64,
        normals_by: Float64,
    ) -> Float64:
        """(K, U) of the mean of the planes' heights with weights (K, N) that fall with distance."""
        falling = weights * (self._above - value[:, None]) / PLANES_REACH_M**2
        along = weights[:, :, None] * self._normals - falling[:, :, None] * self._away  # (K, N, 3)
        count, unknowns = len(value), points_by.shape[2]
        made = np.einsum("kc,kcu->ku", along.sum(axis=1), points_by)
        made -= along.reshape(count, -1) @ trunk_by.reshape(-1, unknowns)
        turning = weights[:, :, None] * self._away
        return made + turning.reshape(count, -1) @ normals_by.reshape(-1, unknowns)


def _smooth_step(t: Float64) -> tuple[Float64, Float64]:
    """From 0 at t = 0 to 1 at t = 1 without a kink, and its slope."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t), 6 * t * (1 - t)


def _visibility(marks: PoseLandmarks, side: str, share: float) -> float:
    elbow, wrist = (marks.visibility[LANDMARK[f"{side}_{joint}"]] for joint in ("elbow", "wrist"))
    return float((1 - share) * elbow + share * wrist)
