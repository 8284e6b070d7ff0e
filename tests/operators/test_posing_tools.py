"""The buttons for the finished character's handles and frozen parts."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from photo_wake_up.addon.core.body.model.parts import LEFT_ARM, part_of_joint
from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES
from photo_wake_up.addon.scene.animation.fcurves import fcurves_of
from photo_wake_up.addon.scene.animation.motion_source import _datablocks
from photo_wake_up.addon.scene.animation.performing import current_pose, sampled_motion
from photo_wake_up.addon.scene.build import build_scene, find_parts, mark_generated, remove_scene
from photo_wake_up.addon.scene.rig.ik_controls import has_controls

from ..core.motion_inputs import angles_between
from ..scene import figures

SAME_DEG = 0.05  # rotations through Blender's single precision


@pytest.fixture
def standing(addon):
    """The scene with a character of tubes."""
    addon.wake_up.result = build_scene(figures.result(), addon)
    addon.wake_up.frames = 12
    addon.frame_set(1)
    return addon


def _armature(scene):
    return find_parts(scene.wake_up.result).armature


def test_buttons_say_why_they_are_off(addon):
    with pytest.raises(RuntimeError, match="Press Wake Up first"):
        bpy.ops.wakeup.add_controls()
    addon.wake_up.result = build_scene(figures.result(), addon)
    for button in (bpy.ops.wakeup.apply_controls, bpy.ops.wakeup.remove_controls):
        with pytest.raises(RuntimeError, match="Press Add Controls first"):
            button()
    bpy.data.objects.remove(_armature(addon))
    with pytest.raises(RuntimeError, match="Press Wake Up first"):
        bpy.ops.wakeup.freeze_parts()


def test_a_dragged_hand_is_where_the_clip_begins(standing):
    armature = _armature(standing)
    assert bpy.ops.wakeup.add_controls() == {"FINISHED"}
    assert bpy.context.mode == "POSE" and bpy.context.object == armature
    armature.pose.bones["left hand"].location = (0.05, 0.1, 0.05)
    edited = current_pose(armature)
    assert angles_between(edited.rotations, figures.photo_pose().rotations).max() > 5
    standing.wake_up.motion = "wave"
    standing.wake_up_motion.start = "POSE"
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    # What the handle did is in the first frame; it does not hold the hand for ever.
    assert not has_controls(armature)
    first = sampled_motion(armature).pose(0)
    assert angles_between(first.rotations, edited.rotations).max() < SAME_DEG


@pytest.mark.parametrize("claimed", [False, True])
def test_applied_and_removed(standing, claimed):
    if claimed:
        mark_generated(standing.wake_up.result.all_objects)
    armature = _armature(standing)
    before = sampled_motion(armature).motion
    blocks = sorted((type(b).__name__, b.name) for b in _datablocks())
    for button in (bpy.ops.wakeup.remove_controls, bpy.ops.wakeup.apply_controls):
        assert bpy.ops.wakeup.add_controls() == {"FINISHED"}
        with pytest.raises(RuntimeError, match="has its controls already"):
            bpy.ops.wakeup.add_controls()
        assert button() == {"FINISHED"}
        assert sorted((type(b).__name__, b.name) for b in _datablocks()) == blocks
        now = sampled_motion(armature).motion
        assert angles_between(now.rotations, before.rotations).max() < SAME_DEG
    assert bpy.ops.wakeup.add_controls() == {"FINISHED"}
    bpy.ops.object.mode_set(mode="OBJECT")
    remove_scene(standing.wake_up.result)
    assert not bpy.data.armatures and not bpy.data.actions and not bpy.data.objects


@pytest.mark.parametrize("kept", ["PHOTO", "NOW"])
def test_ticked_parts_stay(standing, kept):
    armature = _armature(standing)
    standing.frame_set(6)
    pose = figures.photo_pose() if kept == "PHOTO" else current_pose(armature)
    standing.wake_up_motion.frozen = {"left arm"}
    assert bpy.ops.wakeup.freeze_parts(kept=kept) == {"FINISHED"}
    assert bpy.context.window_manager.wake_up.message == "Left arm stays."
    arm = part_of_joint() == LEFT_ARM
    motion = sampled_motion(armature).motion
    held = np.broadcast_to(pose.rotations[arm], motion.rotations[:, arm].shape)
    assert angles_between(motion.rotations[:, arm], held).max() < SAME_DEG
    standing.wake_up_motion.frozen = set()
    assert bpy.ops.wakeup.freeze_parts() == {"FINISHED"}
    assert not any(curve.mute for curve in fcurves_of(armature))


def test_undo_takes_the_handles_off(standing):
    name = _armature(standing).name
    bpy.ops.ed.undo_push(message="Woke up")
    bpy.ops.wakeup.add_controls()
    bpy.ops.ed.undo_push(message="Add Controls")
    try:
        bpy.ops.ed.undo()
    except RuntimeError:
        pytest.skip("this Blender keeps no undo history without a window")
    armature = bpy.data.objects[name]
    assert not has_controls(armature)
    assert {bone.name for bone in armature.data.bones} == set(BONE_NAMES)
