"""The skinning function of SMPL-format bodies, and its derivatives.

Loper et al., SMPL: A Skinned Multi-Person Linear Model (2015), equations 2 to 10: shape
directions move the template, a regressor finds the joints, pose-dependent correctives are added,
and linear blend skinning moves the vertices by their joints' transforms.

Unknowns are ordered betas (B), pose (72: joint by joint, axis-angle), translation (3). A small
change of a joint's axis-angle turns everything below that joint about it by the left Jacobian of
the rotation group (Chirikjian, Stochastic Models, Information Theory, and Lie Groups 2, 2012,
equation 10.86), carried into the camera frame by the rotations above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ...types import Float64, Integers
from .body_model import BodyModel
from .skeleton import JOINT_COUNT, PARENTS

POSE_UNKNOWNS = 3 * JOINT_COUNT
# Below this angle (radians) the rotation formulae's quotients are replaced by their series, whose
# first terms left out are then smaller than double precision resolves.
SERIES_ANGLE = 1e-3

# ANCESTORS[j, k]: whether joint k is j itself or above it in the tree.
ANCESTORS: npt.NDArray[np.bool_] = np.eye(JOINT_COUNT, dtype=bool)
for _joint, _parent in enumerate(PARENTS):
    if _parent >= 0:
        ANCESTORS[_joint] |= ANCESTORS[_parent]
_ABOVE = ANCESTORS & ~np.eye(JOINT_COUNT, dtype=bool)
# The alternating tensor: cross(a, b)_c = _CROSS[a, b, c] a_a b_b.
_CROSS = np.zeros((3, 3, 3))
for _a, _b, _c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    _CROSS[_a, _b, _c], _CROSS[_b, _a, _c] = 1.0, -1.0


@dataclass(frozen=True, eq=False)
class SkinnedPoints:
    """Vertices of a body, or other points of its T-pose, as `skin` wants them; float64."""

    template: Float64  # (N, 3), metres, body frame
    shapes: Float64  # (N, 3, B), offsets per unit of beta
    correctives: Float64 | None  # (23, 9, N, 3), offsets per entry of each joint's rotation matrix
    joint_template: Float64  # (24, 3), joints of the template
    joint_shapes: Float64  # (24, 3, B), how betas move the joints
    weights: Float64  # (N, 24), rows sum to 1

    @property
    def shape_count(self) -> int:
        return int(self.shapes.shape[2])

    def __getitem__(self, rows: Integers | slice) -> SkinnedPoints:
        """Some of the points, with the same joints."""
        correctives = None if self.correctives is None else self.correctives[:, :, rows]
        return SkinnedPoints(
            self.template[rows], self.shapes[rows], correctives, self.joint_template,
            self.joint_shapes, self.weights[rows],
        )  # fmt: skip


def skinned_points(model: BodyModel, vertices: Integers | slice = slice(None)) -> SkinnedPoints:
    """A model's vertices, or some of them. Joints stay exact: the regressor is linear, so it is
    applied to template and shapes once, here.

    Parameters
    ----------
    model : BodyModel
        The body model.
    vertices : Integers | slice
        (N,) which ones, or a slice of them.

    Returns
    -------
    SkinnedPoints
        Template, shapes, correctives and joints.
    """
    correctives = None
    if model.correctives is not None:
        count = len(model.correctives) // 9
        correctives = model.correctives.reshape(count, 9, -1, 3)[:, :, vertices].astype(np.float64)
    regressor = model.regressor.astype(np.float64)
    shapes = model.shapes.astype(np.float64)
    weights = model.weights[vertices].astype(np.float64)
    return SkinnedPoints(
        model.template[vertices].astype(np.float64),
        shapes[vertices],
        correctives,
        regressor @ model.template,
        np.einsum("jv,vcb->jcb", regressor, shapes, optimize=True),
        weights / weights.sum(axis=1, keepdims=True),  # single precision misses 1 by 1e-7
    )


@dataclass(frozen=True, eq=False)
class Skinned:
    """A body in a shape, a pose and a place, metres, in the frame that joint 0 turns it to."""

    points: SkinnedPoints
    pose: Float64  # (24, 3), axis-angle
    local: Float64  # (24, 3, 3), each joint's own rotation
    turned: Float64  # (24, 3, 3), rest to posed
    shaped: Float64  # (N, 3), at rest, with shape and correctives
    rest_joints: Float64  # (24, 3)
    joints: Float64  # (24, 3), posed
    vertices: Float64  # (N, 3), posed

    @cached_property
    def transforms(self) -> Float64:
        """(24, 4, 4) rest to posed, translation included."""
        made = np.zeros((JOINT_COUNT, 4, 4))
        made[:, :3, :3] = self.turned
        made[:, :3, 3] = self._shifts
        made[:, 3, 3] = 1.0
        return made

    @cached_property
    def _shifts(self) -> Float64:
        return self.joints - (self.turned @ self.rest_joints[:, :, None])[:, :, 0]

    @cached_property
    def _axes(self) -> Float64:
        """(24, 3, 3): columns are the camera frame's rotation vectors per unit of each joint's
        three pose unknowns."""
        above = np.concatenate([np.eye(3)[None], self.turned[list(PARENTS[1:])]])
        return above @ left_jacobians(self.pose)

    @cached_property
    def _joint_shapes_posed(self) -> Float64:
        """(24, 3, B): how betas move the posed joints."""
        at_rest = self.points.joint_shapes
        moved = np.empty_like(at_rest)
        for j, parent in enumerate(PARENTS):
            if parent < 0:
                moved[j] = at_rest[j]
            else:
                moved[j] = moved[parent] + self.turned[parent] @ (at_rest[j] - at_rest[parent])
        return moved

    @property
    def unknown_count(self) -> int:
        """U: betas, pose and translation."""
        return self.points.shape_count + POSE_UNKNOWNS + 3

    @cached_property
    def joint_derivatives(self) -> Float64:
        """(24, 3, U) of the posed joints by the unknowns."""
        arms = np.where(_ABOVE[:, :, None], self.joints[:, None] - self.joints[None], 0.0)
        turning = np.einsum("kui,jkb,ubc->jcki", self._axes, arms, _CROSS, optimize=True)
        place = np.broadcast_to(np.eye(3), (JOINT_COUNT, 3, 3))
        turning = turning.reshape(JOINT_COUNT, 3, POSE_UNKNOWNS)
        return np.concatenate([self._joint_shapes_posed, turning, place], axis=2)

    def turn_derivatives(self, joint: int) -> Float64:
        """(3, 3, U) of a joint's rest-to-posed rotation by the unknowns.

        Parameters
        ----------
        joint : int
            Its index.

        Returns
        -------
        Float64
            (3, 3, U).
        """
        axes = np.where(ANCESTORS[joint][:, None, None], self._axes, 0.0)
        turning = np.einsum("kui,br,ubc->crki", axes, self.turned[joint], _CROSS, optimize=True)
        shapes = self.points.shape_count
        made = np.zeros((3, 3, self.unknown_count))
        made[:, :, shapes:-3] = turning.reshape(3, 3, POSE_UNKNOWNS)
        return made

    def vertex_derivatives(self, rows: Integers) -> Float64:
        """(len(rows), 3, U) of posed vertices by the unknowns.

        Parameters
        ----------
        rows : Integers
            (N,) of the points.

        Returns
        -------
        Float64
            (N, 3, U).
        """
        points, shaped = self.points[rows], self.shaped[rows]
        weights = points.weights
        by_joint = np.einsum("jcr,nr->njc", self.turned, shaped, optimize=True) + self._shifts
        arms = _summed_up_the_tree(weights[:, :, None] * by_joint)
        arms -= _summed_up_the_tree(weights)[:, :, None] * self.joints
        blended = (weights @ self.turned.reshape(JOINT_COUNT, 9)).reshape(-1, 3, 3)

        at_rest = points.joint_shapes
        shifts = self._joint_shapes_posed - self.turned @ at_rest
        count = points.shape_count
        made = np.empty((len(rows), 3, self.unknown_count))
        made[:, :, :count] = blended @ points.shapes
        made[:, :, :count] += (weights @ shifts.reshape(JOINT_COUNT, -1)).reshape(-1, 3, count)
        made[:, :, count:-3] = self._turned_about(arms)
        made[:, :, -3:] = np.eye(3)
        if points.correctives is not None:
            made[:, :, count + 3 : -3] += self._corrective_derivatives(points.correctives, blended)
        return made

    def turned_directions(self, rows: Integers, directions: Float64) -> Float64:
        """(len(rows), 3) directions that turn along with vertices; not of unit length where
        weights blend.

        Parameters
        ----------
        rows : Integers
            (N,) of the points.
        directions : Float64
            (N, 3), body frame, at rest.

        Returns
        -------
        Float64
            (N, 3).
        """
        return self._directions_by_joint(rows, directions).sum(axis=1)

    def direction_derivatives(self, rows: Integers, directions: Float64) -> Float64:
        """(len(rows), 3, U) of turned directions by the unknowns.

        Parameters
        ----------
        rows : Integers
            (N,) of the points.
        directions : Float64
            (N, 3), body frame, at rest.

        Returns
        -------
        Float64
            (N, 3, U).
        """
        by_joint = self._directions_by_joint(rows, directions)
        made = np.zeros((len(rows), 3, self.unknown_count))
        made[:, :, self.points.shape_count : -3] = self._turned_about(_summed_up_the_tree(by_joint))
        return made

    def _directions_by_joint(self, rows: Integers, directions: Float64) -> Float64:
        by_joint = np.einsum("jcr,nr->njc", self.turned, directions, optimize=True)
        return by_joint * self.points.weights[rows][:, :, None]

    def _turned_about(self, arms: Float64) -> Float64:
        """(N, 3, 72): cross products of each pose unknown's rotation vector with (N, 24, 3)."""
        crossed = np.einsum("kui,ubc->kbci", self._axes, _CROSS).reshape(JOINT_COUNT, 3, 9)
        turning = np.matmul(arms.transpose(1, 0, 2), crossed).reshape(JOINT_COUNT, -1, 3, 3)
        return turning.transpose(1, 2, 0, 3).reshape(len(arms), 3, POSE_UNKNOWNS)

    def _corrective_derivatives(self, correctives: Float64, blended: Float64) -> Float64:
        """(N, 3, 69) of the correctives' share, for all joints but the root."""
        jacobians = left_jacobians(self.pose)[1:]
        turning = np.einsum("kui,kbr,ubc->kcri", jacobians, self.local[1:], _CROSS, optimize=True)
        at_rest = np.einsum(
            "kfnc,kfi->ncki", correctives, turning.reshape(JOINT_COUNT - 1, 9, 3), optimize=True
        )
        return blended @ at_rest.reshape(len(blended), 3, -1)


def skin(points: SkinnedPoints, betas: Float64, pose: Float64, translation: Float64) -> Skinned:
    """Pose a body. betas (S,), S <= B; pose (24, 3) axis-angle, radians; translation (3,).

    Parameters
    ----------
    points : SkinnedPoints
        What is posed.
    betas : Float64
        (B,) shape.
    pose : Float64
        (24, 3) axis-angle, radians.
    translation : Float64
        (3,) the model's units.

    Returns
    -------
    Skinned
        Posed vertices and joints, with what their derivatives need.
    """
    count = len(betas)
    shaped = points.template + points.shapes[:, :, :count] @ betas
    rest = points.joint_template + points.joint_shapes[:, :, :count] @ betas
    local = rotation_matrices(pose)
    if points.correctives is not None:
        feature = (local[1:] - np.eye(3)).reshape(JOINT_COUNT - 1, 9)
        shaped = shaped + np.einsum("kf,kfnc->nc", feature, points.correctives, optimize=True)
    turned, joints = joint_transforms(rest, local)
    joints = joints + translation
    shifts = joints - (turned @ rest[:, :, None])[:, :, 0]
    blended = (points.weights @ turned.reshape(JOINT_COUNT, 9)).reshape(-1, 3, 3)
    vertices = (blended @ shaped[:, :, None])[:, :, 0] + points.weights @ shifts
    return Skinned(points, pose, local, turned, shaped, rest, joints, vertices)


def joint_transforms(joints: Float64, rotations: Float64) -> tuple[Float64, Float64]:
    """Forward kinematics. joints (24, 3) at rest, rotations (24, 3, 3) local.

    Parameters
    ----------
    joints : Float64
        (24, 3) at rest.
    rotations : Float64
        (24, 3, 3), local.

    Returns
    -------
    tuple[Float64, Float64]
        Rest-to-posed rotations (24, 3, 3) and posed joints (24, 3).
    """
    turned, posed = np.empty_like(rotations), np.empty_like(joints)
    for j, parent in enumerate(PARENTS):
        if parent < 0:
            turned[j], posed[j] = rotations[j], joints[j]
        else:
            turned[j] = turned[parent] @ rotations[j]
            posed[j] = posed[parent] + turned[parent] @ (joints[j] - joints[parent])
    return turned, posed


def rotation_matrices(axis_angle: Float64) -> Float64:
    """Rodrigues' formula: (N, 3) radians to (N, 3, 3).

    Parameters
    ----------
    axis_angle : Float64
        (N, 3) radians.

    Returns
    -------
    Float64
        (N, 3, 3).
    """
    first, second, _ = _quotients(axis_angle)
    cross = cross_matrices(axis_angle)
    return np.asarray(np.eye(3) + first * cross + second * (cross @ cross), np.float64)


def left_jacobians(axis_angle: Float64) -> Float64:
    """(N, 3, 3): a change d of axis-angle a turns by J(a) d, seen from outside.

    Parameters
    ----------
    axis_angle : Float64
        (N, 3) radians.

    Returns
    -------
    Float64
        (N, 3, 3).
    """
    _, second, third = _quotients(axis_angle)
    cross = cross_matrices(axis_angle)
    return np.asarray(np.eye(3) + second * cross + third * (cross @ cross), np.float64)


def cross_matrices(vectors: Float64) -> Float64:
    """(N, 3, 3) matrices that multiply by the vectors (N, 3) from the left, as cross products.

    Parameters
    ----------
    vectors : Float64
        (N, 3).

    Returns
    -------
    Float64
        (N, 3, 3).
    """
    return np.asarray(np.einsum("na,abc->ncb", vectors, _CROSS))


def _quotients(axis_angle: Float64) -> tuple[Float64, Float64, Float64]:
    """(N, 1, 1) each: sin a / a, (1 - cos a) / a^2, (a - sin a) / a^3."""
    square = (axis_angle * axis_angle).sum(axis=-1)[:, None, None]
    angle = np.sqrt(square)
    small = angle < SERIES_ANGLE
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1 - square / 6 * (1 - square / 20), np.sin(safe) / safe)
    half = np.sin(safe / 2) / safe  # keeps digits that 1 - cos a would cancel
    second = np.where(small, 0.5 - square / 24 * (1 - square / 30), 2 * half * half)
    third = np.where(
        small, 1 / 6 - square / 120 * (1 - square / 42), (safe - np.sin(safe)) / safe**3
    )
    return first, second, third


def _summed_up_the_tree(by_joint: Float64) -> Float64:
    """(N, 24, ...) to sums over each joint and all below it."""
    summed = by_joint.copy()
    for j in range(JOINT_COUNT - 1, 0, -1):
        summed[:, PARENTS[j]] += summed[:, j]
    return summed
