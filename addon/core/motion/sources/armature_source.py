"""A skeleton that was sampled frame by frame, as the motion that `retarget` understands.

A bone's matrix turns its own axes into the world; a `SourceMotion` wants turns away from a rest
pose whose joints all have the same axes. With P the posed and R the rest orientation of a bone,
both in the world, that turn is P R^T, and two joints' local turn is the one's, seen from the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from ...errors import MotionError
from ...types import Float64, Motion
from ..retargeting.joint_map import SIDES, map_joints
from ..retargeting.source_motion import SourceMotion

_UP = np.array([0.0, 0.0, 1.0])
_ORIGIN = "(origin)"  # the joint that carries several roots


def source_from_matrices(
    names: Sequence[str],
    parents: Sequence[int],
    rest: Float64,
    tails: Float64,
    place: Float64,
    posed: Float64,
    fps: float,
) -> SourceMotion:
    """The motion of bones that were sampled.

    World axes have z up. Scale of object and bones is taken out of the rotations and kept in the
    places. Where the rest pose lies and the motion stands, the rest pose is turned upright by
    quarter turns: it is only a reference, and `retarget` takes its upright for that of the world.
    Several roots hang from a joint that stays where it is.

    Parameters
    ----------
    names : Sequence[str]
        (J,), -1 has no parent; in any order.
    parents : Sequence[int]
        (J,), -1 has no parent; in any order.
    rest : Float64
        (J, 4, 4), the bones at rest in the object's axes, heads at their origins.
    tails : Float64
        (J, 3), their far ends at rest, object's axes.
    place : Float64
        (F, 4, 4), the object in the world.
    posed : Float64
        (F, J, 4, 4), the bones as posed, object's axes.
    fps : float
        Of the samples.

    Returns
    -------
    SourceMotion
        Joints in an order in which parents come first.

    Raises
    ------
    MotionError
        If there is nothing or a number is not finite.
    """
    if not len(names) or not len(posed):
        raise MotionError("The armature has no bones or no frames: choose one that is animated.")
    if not all(np.isfinite(values).all() for values in (rest, tails, place, posed)):
        raise MotionError("A bone of the armature stands at no finite place: mend its animation.")
    order = _parents_first(parents)
    names = [names[joint] for joint in order]
    parents = [order.index(parents[joint]) if parents[joint] >= 0 else -1 for joint in order]
    rest, tails, posed = rest[order], tails[order], posed[:, order]

    linear = place[0, :3, :3]
    heads, ends = rest[:, :3, 3] @ linear.T, tails @ linear.T
    axes = nearest_rotations(linear) @ nearest_rotations(rest[:, :3, :3])
    world = place[:, None] @ posed
    turned = nearest_rotations(world[..., :3, :3]) @ axes.transpose(0, 2, 1)
    placed = world[..., :3, 3]

    if parents.count(-1) > 1:
        names, parents = [_ORIGIN, *names], [-1, *(parent + 1 for parent in parents)]
        heads, ends = (np.concatenate([np.zeros((1, 3)), v]) for v in (heads, ends))
        still = np.broadcast_to(np.eye(3), (len(turned), 1, 3, 3))
        turned = np.concatenate([still, turned], axis=1)
        placed = np.concatenate([np.zeros((len(placed), 1, 3)), placed], axis=1)
    motion = _assembled(tuple(names), tuple(parents), heads, ends, turned, placed, fps)
    upright = _upright(motion)
    if upright is None:
        return motion
    heads, ends, turned = heads @ upright.T, ends @ upright.T, turned @ upright.T
    return _assembled(tuple(names), tuple(parents), heads, ends, turned, placed, fps)


def motion_of(source: SourceMotion, bones: Sequence[str]) -> Motion:
    """A character's own motion back from its sampled armature, `bones` in the joints' order: each
    pose as in `Motion`, in the axes and metres that were sampled.

    Parameters
    ----------
    source : SourceMotion
        The character's armature, sampled.
    bones : Sequence[str]
        Names of its bones.

    Returns
    -------
    Motion
        As many frames as were sampled.

    Raises
    ------
    MotionError
        If the armature has lost one of the bones.
    """
    where = {name: joint for joint, name in enumerate(source.names)}
    missing = next((bone for bone in bones if bone not in where), None)
    if missing is not None:
        raise MotionError(f"The armature has lost the bone {missing}: build the character again.")
    joints = [where[bone] for bone in bones]
    placed = source.world()[1][:, joints[0]]
    return Motion(source.fps, source.rotations[:, joints], placed)


def nearest_rotations(matrices: Float64) -> Float64:
    """The rotations (..., 3, 3) nearest to matrices (..., 3, 3): without scale, shear or mirror.

    Parameters
    ----------
    matrices : Float64
        (..., 3, 3).

    Returns
    -------
    Float64
        (..., 3, 3), orthonormal, determinant 1.
    """
    left, _, right = np.linalg.svd(matrices)
    left[..., :, 2] *= np.linalg.det(left @ right)[..., None]
    return left @ right


def _parents_first(parents: Sequence[int]) -> list[int]:
    order: list[int] = []
    for start in range(len(parents)):
        chain = []
        joint = start
        while joint >= 0 and joint not in order and joint not in chain:
            chain.append(joint)
            joint = parents[joint]
        order.extend(reversed(chain))
    return order


def _assembled(
    names: tuple[str, ...],
    parents: tuple[int, ...],
    heads: Float64,
    ends: Float64,
    turned: Float64,
    placed: Float64,
    fps: float,
) -> SourceMotion:
    """From world orientations (F, J, 3, 3) away from rest and places (F, J, 3)."""
    local, positions, offsets = turned.copy(), placed.copy(), heads.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            back = turned[:, parent].transpose(0, 2, 1)
            local[:, joint] = back @ turned[:, joint]
            step = placed[:, joint] - placed[:, parent]
            positions[:, joint] = np.einsum("fab,fb->fa", back, step)
            offsets[joint] = heads[joint] - heads[parent]
    quaternions = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat(scalar_first=True)
    carriers = set(parents)
    return SourceMotion(
        names=names,
        parents=parents,
        offsets=offsets,
        ends={j: ends[j] - heads[j] for j in range(len(names)) if j not in carriers},
        fps=float(fps),
        rotations=quaternions.reshape(*turned.shape[:2], 4),
        positions=positions,
    )


def _upright(motion: SourceMotion) -> Float64 | None:
    """(3, 3) the turn that stands a lying rest pose up; None if it stands, is no one's, or the
    whole motion lies as it does: then the object was brought in with other axes."""
    try:
        joints = map_joints(motion)
    except MotionError:
        return None
    rest = motion.rest_positions()
    trunk = _between_hips_and_shoulders(rest, joints)
    axis = np.zeros(3)
    along = int(np.abs(trunk).argmax())
    axis[along] = np.sign(trunk[along])
    moving = _between_hips_and_shoulders(motion.world()[1], joints).mean(axis=0)
    if axis[2] > 0 or moving @ axis >= moving[2]:
        return None
    about = np.cross(axis, _UP) if axis[2] == 0 else np.array([np.pi, 0.0, 0.0])
    angle = np.pi / 2 if axis[2] == 0 else 1.0
    return Rotation.from_rotvec(about * angle).as_matrix()


def _between_hips_and_shoulders(places: Float64, joints: dict[str, int]) -> Float64:
    """(..., 3) the way up the trunk, of joints (..., J, 3)."""
    hips, shoulders = (
        places[..., [joints[f"{side}_{part}"] for side in SIDES], :].mean(axis=-2)
        for part in ("hip", "shoulder")
    )
    return shoulders - hips
