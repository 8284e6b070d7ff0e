"""Handles put on a character and taken off, and parts that stay while it moves."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from mathutils import Vector

from photo_wake_up.addon.core.body.model.parts import LEFT_ARM, RIGHT_LEG, TORSO, part_of_joint
from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES, JOINT
from photo_wake_up.addon.core.body.pose_edit import LIMBS
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.errors import WakeUpError
from photo_wake_up.addon.scene.animation.actions import new_action, note_photo_pose, play, set_pose
from photo_wake_up.addon.scene.animation.fcurves import channels_of, fcurves_of
from photo_wake_up.addon.scene.animation.motion_source import _datablocks
from photo_wake_up.addon.scene.animation.muting import mute_parts, muted_parts
from photo_wake_up.addon.scene.animation.performing import (
    current_pose,
    push_nla_strips,
    read_skeleton,
    sampled_motion,
    set_action,
)
from photo_wake_up.addon.scene.objects.character_mesh import new_armature
from photo_wake_up.addon.scene.rig.ik_controls import (
    LOOK_AT,
    add_controls,
    bake_controls,
    has_controls,
    remove_controls,
)

from ..core.motion_inputs import angles_between
from . import figures

SAME_DEG, SAME_M = 0.05, 1e-4  # Blender's single precision
REACHED_M = 2e-3  # what Blender's solver leaves


@pytest.fixture
def armature(empty_file):
    """A character's armature in the photo's pose, without a motion."""
    made = new_armature("Figure", figures.skeleton(), empty_file.collection)
    note_photo_pose(made, figures.photo_pose())
    set_pose(made, figures.skeleton(), figures.photo_pose())
    bpy.context.view_layer.update()
    return made


def _moving(armature):
    skeleton = figures.skeleton()
    action = new_action(armature, skeleton, figures.motion(figures.photo_pose()), "Swing")
    play(armature, action)
    bpy.context.scene.frame_set(1)
    return sampled_motion(armature).motion


def _trace(armature):
    """All that controls could leave behind."""
    bones = armature.data.bones
    action = armature.animation_data.action if armature.animation_data else None
    return {
        "blocks": sorted((type(b).__name__, b.name) for b in _datablocks()),
        "bones": [(bone.name, bone.parent.name if bone.parent else "") for bone in bones],
        "constraints": [len(bone.constraints) for bone in armature.pose.bones],
        "drivers": len(armature.animation_data.drivers) if armature.animation_data else None,
        "properties": sorted(armature.keys()),
        "action": action.name if action else "",
        "curves": [len(channels.fcurves) for channels in channels_of(armature)],
        "groups": [len(channels.groups) for channels in channels_of(armature)],
    }


def _rest(armature):
    return np.array([armature.data.bones[name].matrix_local for name in BONE_NAMES])


def _drag(armature, handle, step):
    bone = armature.pose.bones[handle]
    bone.location += bone.bone.matrix_local.to_3x3().inverted() @ Vector(step)
    bpy.context.view_layer.update()
    return np.array(bone.head)


def _joints(pose):
    return forward_kinematics(figures.skeleton(), pose.rotations, pose.root)[..., :3, 3]


def _same(first, second):
    assert angles_between(first.rotations, second.rotations).max() < SAME_DEG
    assert np.abs(first.root - second.root).max() < SAME_M


@pytest.mark.parametrize("moves", ["", "action", "strips"])
def test_controls_come_and_go_without_a_trace(armature, moves):
    if moves:
        _moving(armature)
    if moves == "strips":
        push_nla_strips(armature, [("swing", figures.motion(figures.photo_pose()))], in_turn=True)
    before, rest, pose = _trace(armature), _rest(armature), current_pose(armature)
    add_controls(armature)
    assert has_controls(armature)
    _same(current_pose(armature), pose)  # untouched, they pull nothing
    _drag(armature, "left hand", (0.1, 0.0, 0.1))
    _drag(armature, LOOK_AT, (0.5, 0.0, 0.2))
    if moves:
        armature.pose.bones["left hand"].keyframe_insert("location", frame=1)
    assert angles_between(current_pose(armature).rotations, pose.rotations).max() > 5
    remove_controls(armature)
    assert _trace(armature) == before
    assert np.abs(_rest(armature) - rest).max() < 1e-6
    _same(current_pose(armature), pose)


def test_hands_and_feet_reach_their_handles_and_the_pose_is_applied(armature):
    add_controls(armature)
    wanted = {
        limb: _drag(armature, limb.handle, step)
        for limb, step in zip(
            LIMBS,
            [(0.05, -0.1, 0.2), (-0.05, -0.1, 0.15), (0.05, -0.1, 0.15), (0.0, -0.15, 0.1)],
            strict=True,
        )
    }
    posed = current_pose(armature)
    for limb, place in wanted.items():
        assert np.linalg.norm(_joints(posed)[limb.end] - place) < REACHED_M
    assert bake_controls(armature) == 0
    assert not has_controls(armature) and armature.animation_data is None
    _same(current_pose(armature), posed)


def test_the_head_looks_at_its_handle(armature):
    add_controls(armature)
    place = _drag(armature, LOOK_AT, (0.4, 0.1, 0.3))
    posed = current_pose(armature)
    head = forward_kinematics(figures.skeleton(), posed.rotations, posed.root)[JOINT["head"]]
    towards = place - head[:3, 3]
    # The way the face looks is -y at rest; the bone's own axis lies within a degree of it.
    ahead = head[:3, :3] @ [0.0, -1.0, 0.0]
    assert np.degrees(np.arccos(ahead @ towards / np.linalg.norm(towards))) < 6


def test_a_clip_with_a_held_hand_becomes_keys(armature):
    motion = _moving(armature)
    add_controls(armature)
    limb = LIMBS[0]
    place = _drag(armature, limb.handle, (0.05, -0.1, 0.1))
    seen = sampled_motion(armature).motion
    count = len(motion.root)
    assert bake_controls(armature) == count
    baked = sampled_motion(armature).motion
    _same(baked, seen)
    assert armature.animation_data.action.name == "Swing" and len(bpy.data.actions) == 1
    chain = [limb.root, limb.middle]
    others = [joint for joint in range(24) if joint not in chain]
    assert angles_between(baked.rotations, motion.rotations)[:, others].max() < SAME_DEG
    near = np.linalg.norm(_joints(baked)[:, limb.end] - place, axis=1)
    assert near[0] < REACHED_M


def test_an_edit_around_a_frame_fades_to_either_side(armature):
    motion = _moving(armature)
    add_controls(armature)
    _drag(armature, "left hand", (0.05, -0.1, 0.1))
    armature.pose.bones["left hand"].keyframe_insert("location", frame=14)  # past the clip's end
    seen = sampled_motion(armature).motion
    assert bake_controls(armature, around=(6, 3)) == 14
    baked = sampled_motion(armature, range(1, figures.FRAMES + 1)).motion
    changed = angles_between(baked.rotations, motion.rotations).max(axis=1)
    assert np.all(changed[[0, 1, 2, 8, 9]] < SAME_DEG) and changed[5] > 2
    assert angles_between(baked.rotations[5], seen.rotations[5]).max() < SAME_DEG


def test_keyed_handles_are_sampled_where_they_are(armature):
    _moving(armature)
    add_controls(armature)
    bone = armature.pose.bones["right hand"]
    for frame, step in ((1, (0.0, 0.05, 0.02)), (10, (0.02, 0.1, 0.05))):
        bone.location = step
        bone.keyframe_insert("location", frame=frame)
    seen = sampled_motion(armature).motion
    bake_controls(armature)
    _same(sampled_motion(armature).motion, seen)
    assert not any("right hand" in c.data_path for c in fcurves_of(armature))


def test_controls_that_cannot_be_put_on_or_off_are_told(armature):
    with pytest.raises(WakeUpError, match="has no controls"):
        remove_controls(armature)
    add_controls(armature)
    with pytest.raises(WakeUpError, match="has its controls already"):
        add_controls(armature)
    remove_controls(armature)
    armature.data.bones[BONE_NAMES[0]].name = "left foot"
    bpy.context.view_layer.update()
    with pytest.raises(WakeUpError, match="has a bone 'left foot' already"):
        add_controls(armature)


def _parts(rotations, parts):
    of = np.isin(part_of_joint(), list(parts))
    of[0] = False  # the pelvis carries everything
    return rotations[:, of], rotations[:, ~of]


@pytest.mark.parametrize("parts", [{LEFT_ARM}, {TORSO, RIGHT_LEG}])
@pytest.mark.parametrize("strips", [False, True])
def test_frozen_parts_stay_and_the_others_move(armature, parts, strips):
    motion, photo = _moving(armature), figures.photo_pose()
    if strips:
        push_nla_strips(armature, [("swing", figures.motion(photo))], in_turn=True)
    skeleton = read_skeleton(armature)
    mute_parts(armature, skeleton, parts, photo)
    assert set(muted_parts(armature)) == parts
    frozen = sampled_motion(armature).motion
    held, free = _parts(frozen.rotations, parts)
    _, moved = _parts(motion.rotations, parts)
    wanted, _ = _parts(photo.rotations[None], parts)
    assert angles_between(held, np.broadcast_to(wanted, held.shape)).max() < SAME_DEG
    assert angles_between(free, moved).max() < SAME_DEG
    assert np.abs(frozen.root - motion.root).max() < SAME_M
    # A new motion leaves them alone, too.
    if not strips:
        set_action(armature, figures.motion(photo), "Again")
        _same(sampled_motion(armature).motion, frozen)
    mute_parts(armature, skeleton, (), photo)
    _same(sampled_motion(armature).motion, motion)
    assert "photo_wake_up_frozen" not in armature
