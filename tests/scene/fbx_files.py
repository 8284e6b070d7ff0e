"""FBX files for tests, which Blender's own exporter writes: people with takes, and a rope."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.motion.performing.perform import perform
from photo_wake_up.addon.core.motion.sources.library import load_motion
from photo_wake_up.addon.core.types import Motion, Skeleton
from photo_wake_up.addon.scene.animation.actions import new_action, play
from photo_wake_up.addon.scene.objects.character_mesh import new_armature

from . import figures

FPS = 30.0


def straight_skeleton() -> Skeleton:
    """The figure's with straight limbs: its rest pose is a clip's T-pose."""
    skeleton = figures.skeleton()
    joints = skeleton.joints.copy()
    for side in ("left", "right"):
        hip = joints[JOINT[f"{side}_hip"]]
        for part in ("knee", "ankle"):
            joints[JOINT[f"{side}_{part}"], :2] = hip[:2]
    return replace(skeleton, joints=joints)


def acting(
    name: str, clips: list[str], frames: int = 12
) -> tuple[bpy.types.Object, dict[str, Motion]]:
    """A person who has an action for each clip, and the motions by the clips' names."""
    skeleton = straight_skeleton()
    armature = new_armature(name, skeleton, bpy.context.scene.collection)
    motions = {}
    for clip in clips:
        motions[clip] = perform(skeleton, figures.photo_pose(), load_motion(clip, FPS), frames, FPS)
        action = new_action(armature, skeleton, motions[clip], f"{name} {clip}")
        action.use_fake_user = True
        play(armature, action)
    return armature, motions


def rope(name: str = "Rope", bones: int = 41) -> bpy.types.Object:
    """More bones than a person has, in a row, swinging."""
    data = bpy.data.armatures.new(name)
    rope = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(rope)
    bpy.context.view_layer.objects.active = rope
    bpy.ops.object.mode_set(mode="EDIT")
    above = None
    for number in range(bones):
        bone = data.edit_bones.new(f"rope{number}")
        bone.head, bone.tail = (2, 0, number * 0.05), (2, 0, number * 0.05 + 0.05)
        bone.parent, above = above, bone
    bpy.ops.object.mode_set(mode="OBJECT")
    first = rope.pose.bones[0]
    first.rotation_mode = "XYZ"
    for frame, angle in ((1, 0.0), (12, 0.5)):
        first.rotation_euler = (angle, 0, 0)
        first.keyframe_insert("rotation_euler", frame=frame)
    rope.animation_data.action.use_fake_user = True
    return rope


def exported(path: Path, every_action: bool = False) -> Path:
    """What is in the scene as an FBX file; then the scene is empty."""
    bpy.context.scene.frame_end = 12
    bpy.ops.export_scene.fbx(
        filepath=str(path), object_types={"ARMATURE", "EMPTY", "MESH"}, add_leaf_bones=False,
        bake_anim_simplify_factor=0.0, bake_anim_use_all_actions=every_action,
        bake_anim_use_nla_strips=False,
    )  # fmt: skip
    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.armatures, *bpy.data.actions])
    return path
