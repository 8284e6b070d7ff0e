"""Handles on a character for hands, feet and head, which can be put on and taken off again.

The handles are those of the fitted body: each stands where the limb is, pulls from the moment that
it is dragged, and has no influence at all before. What they do is sampled and becomes ordinary keys
of the character's own bones.
"""

from __future__ import annotations

import bpy
import numpy as np

from ...core.body.model.skeleton import BONE_NAMES, JOINT
from ...core.body.pose_edit import LIMBS, limb_handles
from ...core.errors import WakeUpError
from ...core.motion.editing.pose_blending import blend_motions, falloff
from ..animation.actions import set_pose
from ..animation.performing import current_pose, read_skeleton, sampled_motion, set_action
from ..build import mark_generated_with
from ..id_properties import CONTROL_SHAPE
from ..linked_data import require_own
from ..selection import selected
from .ik_rig import (
    BEND,
    FOLLOW,
    draw_as_cube,
    let_influence_follow,
    new_cube,
    new_handle_bone,
    new_handle_bones,
    new_ik,
)

LOOK_AT = "look at"  # name of the handle that the head looks at
_LOOK = "Look at the handle"  # name of the constraint
_LOOK_M = 0.8  # from the head to what it looks at: clear of the body, still in view
_CONSTRAINTS = (BEND, FOLLOW, _LOOK)
_HANDLES = (*(name for limb in LIMBS for name in (limb.handle, limb.pole)), LOOK_AT)
_HEAD = BONE_NAMES[JOINT["head"]]


def has_controls(armature: bpy.types.Object) -> bool:
    """Whether the handles are on."""
    return CONTROL_SHAPE in armature


def add_controls(armature: bpy.types.Object) -> None:
    """Put handles on hands, feet and the head's look where these are now.

    Raises WakeUpError where they are on, where bones of the user's have their names, and where the
    armature is another file's.
    """
    if has_controls(armature):
        raise WakeUpError(f"{armature.name} has its controls already: drag its handles.")
    require_own(armature, armature.data, armature.users_collection[0])
    taken = next((name for name in _HANDLES if name in armature.data.bones), None)
    if taken is not None:
        raise WakeUpError(f"{armature.name} has a bone '{taken}' already: rename it first.")
    skeleton, pose = read_skeleton(armature), current_pose(armature)
    handles = limb_handles(skeleton, pose)
    axis, sign = _ahead(armature)
    head = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones[_HEAD].matrix
    look = np.array(head.translation) + _LOOK_M * sign * np.array(head.to_3x3().col[axis])

    cube = new_cube(f"{armature.name} Handle", armature.users_collection[0])
    mark_generated_with(cube, armature)
    armature[CONTROL_SHAPE] = cube.name
    # The limbs of a pose that no one has keyed stay where they are while bones are added.
    with selected([armature], mode="EDIT"):
        for handle in handles:
            new_handle_bones(armature.data, handle)
        new_handle_bone(armature.data, LOOK_AT, look)
    bpy.context.view_layer.update()
    for handle in handles:
        new_ik(armature, handle, cube)
    draw_as_cube(armature.pose.bones[LOOK_AT], cube)
    turn = armature.pose.bones[_HEAD].constraints.new("DAMPED_TRACK")
    turn.name = _LOOK
    turn.target, turn.subtarget = armature, LOOK_AT
    turn.track_axis = f"TRACK_{'NEGATIVE_' if sign < 0 else ''}{'XYZ'[axis]}"
    let_influence_follow(turn, armature, LOOK_AT)
    bpy.context.view_layer.update()


def bake_controls(armature: bpy.types.Object, around: tuple[int, int] | None = None) -> int:
    """Make keys of what the handles do and take them off; returns how many frames were keyed.

    around : a frame and how many to either side of it follow, less and less; None: all do

    With an animation, all of it is sampled into an action of the same name; without, the pose is
    the bones' own from then on, not keyed, and 0 is returned.
    """
    _check(armature)
    animation = armature.animation_data
    moving = animation is not None and (
        animation.action is not None or any(not track.mute for track in animation.nla_tracks)
    )
    if moving:
        sampled = sampled_motion(armature)
        motion = sampled.motion
        remove_controls(armature)
        if around is not None:
            # Keys of handles may have reached beyond the clip's own.
            frames = range(sampled.first_frame, sampled.first_frame + len(motion.root))
            plain = sampled_motion(armature, frames).motion
            centre, radius = around[0] - sampled.first_frame, max(around[1], 1)
            motion = blend_motions(plain, motion, falloff(len(motion.root), centre, radius))
        name = animation.action.name if animation.action is not None else armature.name
        set_action(armature, motion, name, sampled.first_frame)
        return len(motion.root)
    pose = current_pose(armature)
    remove_controls(armature)
    set_pose(armature, read_skeleton(armature), pose)
    return 0


def remove_controls(armature: bpy.types.Object) -> None:
    """Take the handles off with constraints, drivers, keys and what they are drawn as; the
    character is posed as if they had never been there."""
    _check(armature)
    for bone in armature.pose.bones:
        for constraint in [item for item in bone.constraints if item.name in _CONSTRAINTS]:
            constraint.driver_remove("influence")
            bone.constraints.remove(constraint)
    _remove_keys(armature)
    with selected([armature], mode="EDIT"):
        bones = armature.data.edit_bones
        for name in _HANDLES:
            if name in bones:
                bones.remove(bones[name])
    cube = bpy.data.objects.get(armature[CONTROL_SHAPE])
    if cube is not None:
        bpy.data.objects.remove(cube)
    del armature[CONTROL_SHAPE]
    animation = armature.animation_data
    if animation is not None and not (
        animation.action or len(animation.nla_tracks) or len(animation.drivers)
    ):
        armature.animation_data_clear()
    bpy.context.view_layer.update()


def _check(armature: bpy.types.Object) -> None:
    if not has_controls(armature):
        raise WakeUpError(f"{armature.name} has no controls: press Add Controls first.")


def _ahead(armature: bpy.types.Object) -> tuple[int, float]:
    """Which of the head bone's own axes looks ahead at rest, and its sign."""
    rest = np.array(armature.data.bones[_HEAD].matrix_local.to_3x3(), np.float64)
    ahead = rest.T @ np.array([0.0, -1.0, 0.0])
    axis = int(np.abs(ahead).argmax())
    return axis, float(np.sign(ahead[axis]))


def _remove_keys(armature: bpy.types.Object) -> None:
    """Keys of the handles, from the armature's own action; one that had nothing else goes, too."""
    animation = armature.animation_data
    if animation is None or animation.action is None or animation.action_slot is None:
        return
    left = removed = 0
    paths = tuple(f'pose.bones["{name}"].' for name in _HANDLES)
    for layer in animation.action.layers:
        for strip in layer.strips:
            channels = strip.channelbag(animation.action_slot)
            if channels is None:
                continue
            for curve in [c for c in channels.fcurves if c.data_path.startswith(paths)]:
                channels.fcurves.remove(curve)
                removed += 1
            left += len(channels.fcurves)
            for group in [g for g in channels.groups if g.name in _HANDLES]:
                channels.groups.remove(group)
    if removed and not left:
        action, animation.action = animation.action, None
        if action.users == 0:
            bpy.data.actions.remove(action)
