"""Skeletons and poses in the world's axes, as Blender's armature and the motions use them.

A joint's local rotation R in body axes becomes A R A^T in world axes, A = WORLD_FROM_BODY_AXES;
all joints' frames are parallel to the world at rest.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..frames import WORLD_FROM_BODY_AXES
from ..types import FittedBody, Float64, Floats, Pose, Skeleton
from .model.body_model import BodyModel
from .model.skeleton import BONE_NAMES, PARENTS


def skeleton_of(model: BodyModel, fitted: FittedBody) -> Skeleton:
    """The fitted body's joints in T-pose: world axes, metres, pelvis over the origin, the
    lowest point of the body on z = 0.

    Parameters
    ----------
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.

    Returns
    -------
    Skeleton
        At rest.
    """
    joints, lowest = _rest_in_world_axes(model, fitted)
    shift = np.array([-joints[0, 0], -joints[0, 1], -lowest])
    return Skeleton(BONE_NAMES, PARENTS, joints + shift)


def _rest_in_world_axes(model: BodyModel, fitted: FittedBody) -> tuple[Float64, float]:
    betas = fitted.betas.astype(np.float64)
    shapes = model.shapes[..., : len(betas)].astype(np.float64)
    height = (model.template[:, 1] + shapes[:, 1] @ betas) * fitted.scale
    joints = fitted.rest_joints.astype(np.float64) @ WORLD_FROM_BODY_AXES.T
    return joints, float(height.min())


def pose_of(fitted: FittedBody, world_from_camera: Float64) -> Pose:
    """The fitted body's pose in the world.

    Parameters
    ----------
    fitted : FittedBody
        The body.
    world_from_camera : Float64
        (4, 4).

    Returns
    -------
    Pose
        World axes, metres.
    """
    axes = WORLD_FROM_BODY_AXES
    local = Rotation.from_rotvec(fitted.pose.astype(np.float64)).as_matrix()
    rotations = axes @ local @ axes.T
    # The root's rotation leads from body to camera frame.
    rotations[0] = world_from_camera[:3, :3] @ local[0] @ axes.T
    root = world_from_camera[:3, :3] @ fitted.joints[0] + world_from_camera[:3, 3]
    return Pose(Rotation.from_matrix(rotations).as_quat(scalar_first=True), root)


def pose_in_camera(pose: Pose, world_from_camera: Float64) -> tuple[Float64, Float64]:
    """`pose_of` backwards: (24, 3) axis-angle as in FittedBody.pose, and the pelvis (3,) in the
    camera frame, metres.

    Parameters
    ----------
    pose : Pose
        World.
    world_from_camera : Float64
        (4, 4).

    Returns
    -------
    tuple[Float64, Float64]
        (24, 3) and (3,).
    """
    axes, turn = WORLD_FROM_BODY_AXES, world_from_camera[:3, :3]
    rotations = Rotation.from_quat(pose.rotations, scalar_first=True).as_matrix()
    local = axes.T @ rotations @ axes
    local[0] = turn.T @ rotations[0] @ axes
    pelvis = turn.T @ (pose.root - world_from_camera[:3, 3])
    return Rotation.from_matrix(local).as_rotvec(), pelvis


def forward_kinematics(
    skeleton: Skeleton,
    rotations: Floats,
    root: Floats,
) -> Float64:
    """World transforms (..., 24, 4, 4) of the joints.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    rotations : Floats
        (..., 24, 4) quaternions w x y z, local.
    root : Floats
        (..., 3) pelvis in the world.

    Returns
    -------
    Float64
        (..., 24, 4, 4), world from each joint's own axes.
    """
    leading = rotations.shape[:-2]
    local = Rotation.from_quat(
        np.asarray(rotations, np.float64).reshape(-1, 4), scalar_first=True
    ).as_matrix().reshape(*leading, -1, 3, 3)  # fmt: skip
    world = np.zeros((*leading, len(skeleton.parents), 4, 4))
    world[..., 3, 3] = 1.0
    for j, parent in enumerate(skeleton.parents):
        if parent < 0:
            world[..., j, :3, :3] = local[..., j, :, :]
            world[..., j, :3, 3] = root
        else:
            above = world[..., parent, :3, :3]
            world[..., j, :3, :3] = above @ local[..., j, :, :]
            bone = skeleton.joints[j] - skeleton.joints[parent]
            world[..., j, :3, 3] = world[..., parent, :3, 3] + above @ bone
    return world


def skin_matrices(skeleton: Skeleton, pose: Pose) -> Float64:
    """(24, 4, 4) transforms from rest to the pose, one per joint, for linear blend skinning.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    pose : Pose
        World.

    Returns
    -------
    Float64
        (24, 4, 4), world.
    """
    matrices = forward_kinematics(skeleton, pose.rotations, pose.root)
    matrices[:, :3, 3] -= np.einsum("jab,jb->ja", matrices[:, :3, :3], skeleton.joints)
    return matrices


def skin_vertices(rest: Floats, weights: Floats, matrices: Float64) -> Float64:
    """Linear blend skinning: rest (V, 3), weights (V, 24), matrices (24, 4, 4) to (V, 3).

    Parameters
    ----------
    rest : Floats
        (V, 3) metres, at rest.
    weights : Floats
        (V, 24), sums 1.
    matrices : Float64
        (24, 4, 4) of `skin_matrices`.

    Returns
    -------
    Float64
        (V, 3) metres, posed.
    """
    blended = np.einsum("vj,jab->vab", weights.astype(np.float64), matrices)
    return np.einsum("vab,vb->va", blended[:, :3, :3], rest) + blended[:, :3, 3]


def unskin_vertices(posed: Floats, weights: Floats, matrices: Float64) -> Float64:
    """`skin_vertices` backwards: posed (V, 3) to rest (V, 3).

    Parameters
    ----------
    posed : Floats
        (V, 3) metres.
    weights : Floats
        (V, 24), sums 1.
    matrices : Float64
        (24, 4, 4) of `skin_matrices`.

    Returns
    -------
    Float64
        (V, 3) metres, at rest.
    """
    blended = np.einsum("vj,jab->vab", weights.astype(np.float64), matrices)
    return np.linalg.solve(blended[:, :3, :3], (posed - blended[:, :3, 3])[..., None])[..., 0]
