"""Poses and motions as an armature's pose and actions.

A joint's rotation R in world axes is B^-1 R B in its bone's own axes, B being the bone's rest
orientation. As quaternions that turns the vector part alone: (w, v) becomes (w, B^T v).
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Quaternion, Vector
from scipy.spatial.transform import Rotation

from ...core.numerics.rotations import continuous
from ...core.types import Float64, Motion, Pose, Skeleton
from ..id_properties import PHOTO_POSE

FIRST_FRAME = 1  # Blender's own default start
_LINEAR = 1  # F-curve interpolation as foreach_set wants it: every frame is keyed


def frame_rate(scene: bpy.types.Scene) -> float:
    """Frames per second."""
    return scene.render.fps / scene.render.fps_base


def set_pose(
    armature: bpy.types.Object,
    skeleton: Skeleton,
    pose: Pose,
    joints: Sequence[int] | None = None,
) -> None:
    """Pose the armature, or only some of its joints, without keying it."""
    rotations, locations = _in_bone_axes(
        armature, skeleton, pose.rotations[None], np.asarray(pose.root)[None]
    )
    for joint in range(len(skeleton.names)) if joints is None else joints:
        bone = armature.pose.bones[skeleton.names[joint]]
        bone.rotation_quaternion = Quaternion(rotations[0, joint])
        if joint == 0:
            bone.location = Vector(locations[0])


def read_pose(armature: bpy.types.Object, names: Sequence[str], parents: Sequence[int]) -> Pose:
    """`set_pose` backwards, with all that constraints and the object's own place add to it.

    names, parents : of the skeleton's bones; -1 is the root's parent
    """
    bpy.context.view_layer.update()
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    place = np.array(evaluated.matrix_world, np.float64)
    posed = place @ np.array([evaluated.pose.bones[name].matrix for name in names], np.float64)
    rest = np.array([armature.data.bones[name].matrix_local.to_3x3() for name in names], np.float64)
    # An object or a bone that was scaled is read as if it were not.
    turned = _nearest_rotations(posed[:, :3, :3] @ rest.transpose(0, 2, 1))
    local = turned.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            local[joint] = turned[parent].T @ turned[joint]
    rotations = Rotation.from_matrix(local).as_quat(scalar_first=True)
    return Pose(rotations, posed[0, :3, 3])


def note_photo_pose(armature: bpy.types.Object, pose: Pose) -> None:
    """Remember on the armature how the photo has it, for motions that begin there."""
    values = np.concatenate([np.asarray(pose.rotations).ravel(), np.asarray(pose.root)])
    armature[PHOTO_POSE] = values.astype(float).tolist()


def _nearest_rotations(matrices: Float64) -> Float64:
    left, _, right = np.linalg.svd(matrices)
    return left @ right


def new_action(
    armature: bpy.types.Object,
    skeleton: Skeleton,
    motion: Motion,
    name: str,
    first_frame: int = FIRST_FRAME,
) -> bpy.types.Action:
    """The motion as an action of its own, one key per frame from `first_frame` on; not assigned."""
    rotations, locations = _in_bone_axes(armature, skeleton, motion.rotations, motion.root)
    rotations = continuous(rotations)
    action = bpy.data.actions.new(name)
    slot = action.slots.new(id_type="OBJECT", name=armature.name)
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    channels = strip.channelbag(slot, ensure=True)
    frames = np.arange(len(rotations), dtype=np.float32) + first_frame
    for joint, bone in enumerate(skeleton.names):
        group = channels.groups.new(bone)
        path = f'pose.bones["{bone}"]'
        if joint == 0:
            for axis in range(3):
                curve = channels.fcurves.new(f"{path}.location", index=axis)
                _set_keys(curve, group, frames, locations[:, axis])
        for part in range(4):
            curve = channels.fcurves.new(f"{path}.rotation_quaternion", index=part)
            _set_keys(curve, group, frames, rotations[:, joint, part])
    return action


def play(armature: bpy.types.Object, action: bpy.types.Action) -> None:
    """Make the action the armature's own."""
    animation = armature.animation_data or armature.animation_data_create()
    animation.action = action
    animation.action_slot = action.slots[0]


def _in_bone_axes(
    armature: bpy.types.Object, skeleton: Skeleton, rotations: Float64, root: Float64
) -> tuple[Float64, Float64]:
    """(F, 24, 4) quaternions and (F, 3) root locations in the bones' own axes."""
    bones = [armature.data.bones[name] for name in skeleton.names]
    rest = np.array([bone.matrix_local.to_3x3() for bone in bones], np.float64)
    turned = np.asarray(rotations, np.float64).copy()
    turned[..., 1:] = np.einsum("jab,fja->fjb", rest, turned[..., 1:])
    travel = (np.asarray(root, np.float64) - np.array(bones[0].head_local)) @ rest[0]
    return turned, travel


def _set_keys(
    curve: bpy.types.FCurve, group: bpy.types.ActionGroup, frames: Float64, values: Float64
) -> None:
    curve.group = group
    curve.keyframe_points.add(len(frames))
    pairs = np.stack([frames, values], axis=1).astype(np.float32)
    curve.keyframe_points.foreach_set("co", pairs.ravel())
    curve.keyframe_points.foreach_set("interpolation", np.full(len(frames), _LINEAR, np.int32))
    curve.update()
