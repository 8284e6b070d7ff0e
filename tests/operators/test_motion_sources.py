"""The buttons for other motions: armatures, files, folders, and the mapping that users edit."""

from __future__ import annotations

import shutil
from dataclasses import replace

import bpy
import numpy as np
import pytest

from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES, JOINT
from photo_wake_up.addon.core.motion.retargeting.joint_map import map_joints
from photo_wake_up.addon.core.motion.retargeting.mapping_presets import named_mapping, preset_path
from photo_wake_up.addon.core.motion.sources.bvh import read_bvh
from photo_wake_up.addon.scene import user_files
from photo_wake_up.addon.scene.animation.motion_source import _datablocks
from photo_wake_up.addon.scene.animation.performing import (
    Performer,
    current_pose,
    photo_pose,
    sampled_motion,
)
from photo_wake_up.addon.scene.build import build_group, build_scene, find_parts, remove_scene

from ..core.motion_inputs import STICK_ORDER, angles_between, stick_bvh, stick_row
from ..scene import figures

SAME_DEG = 0.05  # rotations through Blender's single precision


@pytest.fixture
def standing(addon, tmp_path, monkeypatch):
    """The scene with a character of tubes, and a user's folder of its own."""
    monkeypatch.setattr(user_files, "mappings_folder", lambda: tmp_path / "user" / "mappings")
    addon.wake_up.result = build_scene(figures.result(), addon)
    addon.wake_up.frames = 20
    return addon


def _armature(scene):
    return find_parts(scene.wake_up.result).armature


def _waving(path, names=None, frames=12):
    rows = [stick_row(LeftArm=(5 * k, 0, 0), RightArm=(40, 0, 0)) for k in range(frames)]
    path.write_text(stick_bvh(rows, names))
    return path


def _other_armature(scene, path):
    """An armature that moves, from another program."""
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=False)
    return bpy.context.object


def _counts():
    return sorted((type(block).__name__, block.name) for block in _datablocks())


def test_an_armature_of_the_scene_is_followed(standing, tmp_path):
    settings = standing.wake_up_motion
    settings.source = "ARMATURE"
    with pytest.raises(RuntimeError, match="Choose an armature first"):
        bpy.ops.wakeup.perform()
    settings.armature = _armature(standing)
    before = _armature(standing).animation_data.action
    with pytest.raises(RuntimeError, match="cannot follow itself"):
        bpy.ops.wakeup.perform()
    assert _armature(standing).animation_data.action == before
    settings.armature = _other_armature(standing, _waving(tmp_path / "wave.bvh"))
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    action = _armature(standing).animation_data.action
    assert action != before and "wave" in action.name and action.frame_range[1] == 20
    first = sampled_motion(_armature(standing)).pose(0)
    assert angles_between(first.rotations, figures.photo_pose().rotations).max() < SAME_DEG
    assert standing.frame_end == 20


def test_the_motion_starts_from_the_edited_pose(standing):
    armature = _armature(standing)
    standing.wake_up.motion = "wave"
    standing.frame_set(1)
    elbow = armature.pose.bones[BONE_NAMES[JOINT["left_elbow"]]]
    elbow.rotation_quaternion = (0.8, 0.0, 0.6, 0.0)
    edited = current_pose(armature)
    assert angles_between(edited.rotations, figures.photo_pose().rotations).max() > 20
    standing.wake_up_motion.start = "POSE"
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    first = sampled_motion(armature).pose(0)
    assert angles_between(first.rotations, edited.rotations).max() < SAME_DEG
    assert np.abs(first.root - edited.root).max() < 1e-5
    still = standing.objects["tubes Frame 1"]
    assert still.hide_render and still.hide_viewport  # it has the photo's outline
    # The photo's own pose is not forgotten.
    assert angles_between(photo_pose(armature).rotations, figures.photo_pose().rotations).max() < (
        SAME_DEG
    )
    standing.wake_up_motion.start = "PHOTO"
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    first = sampled_motion(armature).pose(0)
    assert angles_between(first.rotations, figures.photo_pose().rotations).max() < SAME_DEG
    assert not still.hide_render and not still.hide_viewport


def test_a_mapping_is_shown_edited_kept_and_used(standing, tmp_path):
    settings = standing.wake_up_motion
    settings.source, settings.file = "FILE", str(_waving(tmp_path / "wave.bvh"))
    with pytest.raises(RuntimeError, match="Press Show Joints first"):
        bpy.ops.wakeup.save_mapping()
    assert bpy.ops.wakeup.read_skeleton() == {"FINISHED"}
    source = read_bvh(tmp_path / "wave.bvh")
    found = named_mapping(source, map_joints(source))
    shown = {entry.joint: entry.bone for entry in settings.mapping if entry.bone}
    assert shown == found and [bone.name for bone in settings.bones] == list(source.names)
    # The left arm does what the right one does.
    swapped = {e.joint: e for e in settings.mapping}
    for part in ("shoulder", "elbow", "wrist"):
        left, right = swapped[f"left_{part}"], swapped[f"right_{part}"]
        left.bone, right.bone = right.bone, left.bone
    expected = {entry.joint: entry.bone for entry in settings.mapping if entry.bone}
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    by_list = sampled_motion(_armature(standing)).motion.rotations
    assert bpy.ops.wakeup.save_mapping() == {"FINISHED"} and settings.is_preset
    assert preset_path(user_files.mappings_folder(), source).is_file()
    # Another file of the same skeleton, in a scene that knows nothing of the list.
    settings.mapping.clear()
    settings.bones.clear()
    settings.skeleton = ""
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    by_preset = sampled_motion(_armature(standing)).motion.rotations
    assert np.array_equal(by_list, by_preset)
    # The menu's own file is read the same way.
    standing.wake_up.motion, standing.wake_up.motion_file = "FILE", settings.file
    settings.source = "MENU"
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    assert np.array_equal(by_list, sampled_motion(_armature(standing)).motion.rotations)
    settings.source = "FILE"
    assert bpy.ops.wakeup.read_skeleton() == {"FINISHED"}
    assert {e.joint: e.bone for e in settings.mapping if e.bone} == expected
    assert settings.is_preset
    settings.mapping[0].bone = ""
    assert not settings.is_preset
    # A preset that is damaged is told of, and can be made anew.
    preset_path(user_files.mappings_folder(), source).write_text("{")
    with pytest.raises(RuntimeError, match="is not a joint mapping"):
        settings.skeleton = ""
        bpy.ops.wakeup.perform()
    assert bpy.ops.wakeup.read_skeleton() == {"FINISHED"}
    assert "not a joint mapping" in bpy.context.window_manager.wake_up.message
    assert {e.joint: e.bone for e in settings.mapping if e.bone} == found
    assert bpy.ops.wakeup.forget_mapping() == {"FINISHED"}
    assert not preset_path(user_files.mappings_folder(), source).exists()
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    plain = sampled_motion(_armature(standing)).motion.rotations
    assert angles_between(plain, by_list).max() > 10


def test_a_skeleton_that_says_nothing_can_be_mapped(standing, tmp_path):
    names = {name: f"b{k:02d}" for k, name in enumerate(STICK_ORDER)}
    flat = stick_bvh([stick_row()] * 4, names).replace("OFFSET 0 1.5 0", "OFFSET 0 0.1 0")
    flat = flat.replace("OFFSET 0 0.5 0", "OFFSET 0 0 0").replace("-0.5 1.5", "0 0")
    path = tmp_path / "odd.bvh"
    path.write_text(flat)
    settings = standing.wake_up_motion
    settings.source, settings.file = "FILE", str(path)
    assert bpy.ops.wakeup.read_skeleton() == {"FINISHED"}
    for entry in settings.mapping:
        entry.bone = ""
    with pytest.raises(RuntimeError, match="left hip has no bone"):
        bpy.ops.wakeup.perform()
    with pytest.raises(RuntimeError, match="left hip has no bone"):
        bpy.ops.wakeup.save_mapping()
    plain = read_bvh(_waving(tmp_path / "plain.bvh"))
    wanted = {j: names[b] for j, b in named_mapping(plain, map_joints(plain)).items()}
    for entry in settings.mapping:
        entry.bone = wanted.get(entry.joint, "")
    assert bpy.ops.wakeup.save_mapping() == {"FINISHED"}
    # A preset can be passed on.
    saved = next(user_files.mappings_folder().iterdir())
    given = shutil.copy(saved, tmp_path / "given.json")
    for entry in settings.mapping:
        entry.bone = ""
    assert bpy.ops.wakeup.load_mapping(filepath=str(given)) == {"FINISHED"}
    assert {e.joint: e.bone for e in settings.mapping if e.bone} == wanted
    (tmp_path / "bad.json").write_text("[" * 9999)
    with pytest.raises(RuntimeError, match="bad.json is not a joint mapping"):
        bpy.ops.wakeup.load_mapping(filepath=str(tmp_path / "bad.json"))
    assert {e.joint: e.bone for e in settings.mapping if e.bone} == wanted


def _folder(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    _waving(folder / "a_wave.bvh")
    _waving(folder / "c_other.BVH", frames=8)
    (folder / "b_broken.bvh").write_text("HIERARCHY\nROOT Hips\n{\n")
    (folder / "d_broken.fbx").write_bytes(b"no fbx")
    # SMPL poses with y up: a nod while standing.
    poses = np.zeros((20, 72), np.float32)
    poses[:, 3 * JOINT["head"]] = np.linspace(0.0, 0.5, 20)
    np.savez(folder / "e_nod.npz", poses=poses, trans=np.zeros((20, 3)), fps=24.0)
    (folder / "notes.txt").write_text("no motion")
    return folder


@pytest.mark.parametrize("arrangement", ["IN_TURN", "TRACKS"])
def test_a_folder_becomes_strips_and_failures_are_named(standing, tmp_path, arrangement):
    settings, armature = standing.wake_up_motion, _armature(standing)
    before = armature.animation_data.action
    settings.folder, settings.arrangement = str(_folder(tmp_path)), arrangement
    assert bpy.ops.wakeup.perform_folder() == {"FINISHED"}
    said = bpy.context.window_manager.wake_up.message
    assert "3 clips applied. 2 failed." in said
    assert "b_broken.bvh, line" in said and "d_broken.fbx is not an FBX file" in said
    assert armature.animation_data.action is None
    tracks = list(armature.animation_data.nla_tracks)
    # What was played before is there, muted.
    assert tracks[0].mute and tracks[0].strips[0].action == before
    strips = [strip for track in tracks[1:] for strip in track.strips]
    assert [strip.action.name.split()[-1] for strip in strips] == ["a_wave", "c_other", "e_nod"]
    assert all(strip.action_slot is not None for strip in strips)
    if arrangement == "IN_TURN":
        assert len(tracks) == 2 and strips[1].frame_start == strips[0].frame_end
        joint = int(strips[1].frame_start)
        motion = sampled_motion(armature).motion
        steps = angles_between(motion.rotations[1:], motion.rotations[:-1])
        assert steps.max() < 60 and standing.frame_end == round(strips[-1].frame_end)
        assert steps[joint - 2 : joint].max() < 20
    else:
        assert [track.mute for track in tracks[1:]] == [False, True, True]
        assert {strip.frame_start for strip in strips} == {1.0}
        motion = sampled_motion(armature).motion
    first = motion.rotations[0]
    assert angles_between(first, figures.photo_pose().rotations).max() < SAME_DEG
    # All of it goes with the result.
    remove_scene(standing.wake_up.result)
    assert not bpy.data.actions and not bpy.data.armatures


def _tracks(armature):
    return [(track.name, track.mute) for track in armature.animation_data.nla_tracks]


def _actions(armature):
    """Names of the actions that move a character."""
    start = f"{armature.name} "
    names = sorted(action.name for action in bpy.data.actions)
    return [name.removeprefix(start) for name in names if name.startswith(start)]


def test_all_takes_of_a_file_are_there_to_choose_from(two_takes, standing):
    settings, armature = standing.wake_up_motion, _armature(standing)
    settings.source, settings.file = "FILE", str(two_takes)
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    said = bpy.context.window_manager.wake_up.message
    assert "20 frames of 'takes Actor jump'." in said
    assert "takes.fbx has 2 takes: 'Actor jump' is performed, not 'Actor wave'." in said
    assert "muted NLA tracks" in said
    jumps = sampled_motion(armature).motion.rotations
    assert _tracks(armature) == [("takes Actor wave", True)]
    waves = armature.animation_data.nla_tracks[0].strips[0].action
    assert waves.frame_range[1] == 20 and waves != armature.animation_data.action
    # The other one: nothing piles up.
    settings.take = "actor WAVE"
    for _ in range(2):
        assert bpy.ops.wakeup.perform() == {"FINISHED"}
        assert _tracks(armature) == [("takes Actor jump", True)]
        assert _actions(armature) == ["takes Actor jump", "takes Actor wave"]
    found = sampled_motion(armature).motion.rotations
    assert angles_between(found, jumps).max() > 10
    # The menu's file is read in the same way, and its own take chosen.
    settings.source = "MENU"
    standing.wake_up.motion, standing.wake_up.motion_file = "FILE", str(two_takes)
    standing.wake_up.take = "2"
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    assert np.array_equal(sampled_motion(armature).motion.rotations, found)
    standing.wake_up.take = "swim"
    with pytest.raises(RuntimeError, match="no take 'swim': choose 'Actor jump' or 'Actor wave'"):
        bpy.ops.wakeup.perform()
    assert np.array_equal(sampled_motion(armature).motion.rotations, found)
    # Another motion takes the file's takes away, and all goes with the result.
    standing.wake_up.motion = "walk"
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    assert _tracks(armature) == [] and _actions(armature) == ["walk"]
    remove_scene(standing.wake_up.result)
    assert not bpy.data.actions and not bpy.data.armatures


def test_the_list_of_joints_shows_the_person(two_takes, standing):
    settings = standing.wake_up_motion
    settings.source, settings.file = "FILE", str(two_takes)
    assert bpy.ops.wakeup.read_skeleton() == {"FINISHED"}
    assert {bone.name for bone in settings.bones} == set(BONE_NAMES)
    # And where nobody is a person's, what there is, to be mapped by hand.
    path = two_takes.with_name("prop.bvh")
    path.write_text(stick_bvh([stick_row()] * 4).replace("LeftArm", "Handle"))
    settings.file = str(path)
    assert bpy.ops.wakeup.read_skeleton() == {"FINISHED"}
    assert "Handle" in settings.bones


def test_every_take_of_a_folders_files_becomes_a_strip(two_takes, standing, tmp_path):
    settings, armature = standing.wake_up_motion, _armature(standing)
    folder = tmp_path / "clips"
    folder.mkdir()
    shutil.move(two_takes, folder / two_takes.name)
    _waving(folder / "a.bvh")
    settings.folder = str(folder)
    assert bpy.ops.wakeup.perform_folder() == {"FINISHED"}
    assert "3 clips applied." in bpy.context.window_manager.wake_up.message
    strips = [s for track in armature.animation_data.nla_tracks if not track.mute
              for s in track.strips]  # fmt: skip
    names = [strip.action.name.removeprefix(f"{armature.name} ") for strip in strips]
    assert names == ["a", "takes Actor jump", "takes Actor wave"]


def test_folders_that_give_nothing_change_nothing(standing, tmp_path):
    settings, armature = standing.wake_up_motion, _armature(standing)
    with pytest.raises(RuntimeError, match="Choose a folder"):
        bpy.ops.wakeup.perform_folder()
    before = _counts()
    settings.folder = str(tmp_path / "gone")
    with pytest.raises(RuntimeError, match="no folder gone"):
        bpy.ops.wakeup.perform_folder()
    settings.folder = str(tmp_path)
    with pytest.raises(RuntimeError, match="holds no motion files"):
        bpy.ops.wakeup.perform_folder()
    (tmp_path / "broken.bvh").write_text("HIERARCHY")
    with pytest.raises(RuntimeError, match="No clip could be applied"):
        bpy.ops.wakeup.perform_folder()
    assert _counts() == before and not armature.animation_data.nla_tracks
    assert armature.animation_data.action is not None


def test_the_panels_options_hold(standing):
    armature = _armature(standing)
    standing.wake_up.motion, standing.wake_up.frames = "walk", 60
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    plain = sampled_motion(armature).motion
    standing.wake_up.in_place = standing.wake_up.returns = True
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    motion = sampled_motion(armature).motion
    travelled = [np.linalg.norm(m.root[-1, :2] - m.root[0, :2]) for m in (plain, motion)]
    # The figure fills its picture: there is room for small steps.
    assert travelled[0] > 0.1 and travelled[1] < 0.05
    last = angles_between(motion.rotations[-1], figures.photo_pose().rotations)
    assert last.max() < SAME_DEG


def test_of_several_people_the_active_one_performs(addon):
    first = figures.result()
    character = first.build.character
    aside = character.world_from_camera.copy()
    aside[0, 3] += 0.8  # the camera is so much farther to the right of the second one's own place
    other = replace(character, world_from_camera=aside)
    second = replace(first, build=replace(first.build, character=other))
    addon.wake_up.result = build_group([first, second], addon)
    addon.wake_up.frames = 8
    parts = find_parts(addon.wake_up.result)
    bpy.context.view_layer.update()
    for armature, person in zip(parts.armatures, (character, other), strict=True):
        seen = Performer.of(armature, addon.wake_up.result).viewer.position
        assert np.abs(seen - person.world_from_camera[:3, 3]).max() < 1e-5
    before = [armature.animation_data.action for armature in parts.armatures]
    bpy.context.view_layer.objects.active = parts.characters[1]
    assert bpy.ops.wakeup.perform() == {"FINISHED"}
    after = [armature.animation_data.action for armature in parts.armatures]
    assert after[0] == before[0] and "walk" in after[1].name


def test_buttons_say_why_they_are_off(addon):
    with pytest.raises(RuntimeError, match="Press Wake Up first"):
        bpy.ops.wakeup.perform()
    with pytest.raises(RuntimeError, match="clips need no list"):
        bpy.ops.wakeup.read_skeleton()
    addon.wake_up_motion.source = "FILE"
    with pytest.raises(RuntimeError, match="Choose a motion file first"):
        bpy.ops.wakeup.read_skeleton()
    bpy.context.window_manager.wake_up.running = True
    with pytest.raises(RuntimeError, match="A stage is at work"):
        bpy.ops.wakeup.perform()
