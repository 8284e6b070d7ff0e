"""Armatures and FBX files as sources of motion: what went in comes out."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.pose import forward_kinematics
from photo_wake_up.addon.core.body.skeleton import BONE_NAMES, JOINT
from photo_wake_up.addon.core.errors import MotionError, WakeUpError
from photo_wake_up.addon.core.motion.bvh import read_bvh
from photo_wake_up.addon.core.motion.library import load_motion
from photo_wake_up.addon.core.motion.perform import perform
from photo_wake_up.addon.core.motion.retarget import retarget
from photo_wake_up.addon.core.motion.sampled import motion_of
from photo_wake_up.addon.scene.character import new_armature
from photo_wake_up.addon.scene.motion import new_action, play
from photo_wake_up.addon.scene.motion_source import (
    _datablocks,
    animated_frames,
    sample_armature,
    source_from_fbx,
)

from ..core.motion_inputs import angles_between, mocap
from . import figures

LIMB_DEG = 1.0  # bar of a round trip
FRAMES, FPS = 24, 30.0
_LIMBS = [
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (
        ("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"),
    )
]  # fmt: skip


def _skeleton():
    """The figure's with straight limbs: its rest pose is a clip's T-pose."""
    skeleton = figures.skeleton()
    joints = skeleton.joints.copy()
    for side in ("left", "right"):
        hip = joints[JOINT[f"{side}_hip"]]
        for part in ("knee", "ankle"):
            joints[JOINT[f"{side}_{part}"], :2] = hip[:2]
    return replace(skeleton, joints=joints)


def _performed(name="jump", frames=FRAMES):
    """A clip on the figure's armature, and the motion that it was given."""
    skeleton = _skeleton()
    motion = perform(skeleton, figures.photo_pose(), load_motion(name, FPS), frames, FPS)
    armature = new_armature("Source", skeleton, bpy.context.scene.collection)
    play(armature, new_action(armature, skeleton, motion, "Clip"))
    return armature, motion


def _limbs(rotations, root):
    """(F, 8, 3) unit directions of the limbs' bones."""
    joints = forward_kinematics(_skeleton(), rotations, root)[..., :3, 3]
    ways = np.stack([joints[:, JOINT[b]] - joints[:, JOINT[a]] for a, b in _LIMBS], axis=1)
    return ways / np.linalg.norm(ways, axis=-1, keepdims=True)


def _farthest_deg(first, second):
    """Largest angle between limbs, after one turn about z has made the headings equal."""
    cross = (first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]).sum()
    yaw = np.arctan2(cross, (first[..., :2] * second[..., :2]).sum())
    first = first @ Rotation.from_rotvec([0, 0, yaw]).as_matrix().T
    return np.degrees(np.arccos(np.clip((first * second).sum(-1), -1, 1))).max()


@pytest.fixture
def scene(empty_file):
    empty_file.render.fps, empty_file.render.fps_base = 30, 1.0
    return empty_file


_PLACES = {
    "upright": Matrix.Identity(4),
    "scaled and turned": Matrix.LocRotScale((2, 1, 0.5), Matrix.Rotation(0.7, 3, "Z"), (3, 3, 3)),
}


@pytest.mark.parametrize("place", _PLACES)
def test_a_clip_on_an_armature_comes_back(scene, place):
    armature, motion = _performed()
    armature.matrix_world = _PLACES[place]
    scene.frame_set(7)
    armature.pose.bones[5].rotation_quaternion = (0.8, 0.6, 0.0, 0.0)  # posed, not keyed
    bpy.context.view_layer.update()
    before = [np.array(bone.matrix) for bone in armature.pose.bones]
    source = sample_armature(armature)
    assert source.frame_count == FRAMES and source.fps == FPS
    clip = retarget(source, "back")
    wanted = _limbs(motion.rotations, motion.root)
    assert _farthest_deg(_limbs(clip.rotations, clip.root), wanted) < LIMB_DEG
    # Nobody notices that it was sampled.
    assert scene.frame_current == 7
    assert len(bpy.data.scenes) == 1
    assert all(
        np.array_equal(a, bone.matrix) for a, bone in zip(before, armature.pose.bones, strict=True)
    )


@pytest.mark.parametrize("axis", ["X", "Y"])
def test_bones_that_lie_in_an_object_that_stands(scene, axis):
    """Y up and the like: the object stands the armature up, as importers leave it."""
    armature, motion = _performed()
    expected = sample_armature(armature).world()[1]
    turn = Matrix.Rotation(np.pi / 2, 4, axis)
    armature.data.transform(turn.inverted())
    armature.matrix_world = turn
    # The bones' own axes turned with them, so their curves mean the same.
    assert np.abs(sample_armature(armature).world()[1] - expected).max() < 1e-4
    clip = retarget(sample_armature(armature), "back")
    wanted = _limbs(motion.rotations, motion.root)
    assert _farthest_deg(_limbs(clip.rotations, clip.root), wanted) < LIMB_DEG


def test_the_characters_own_motion_comes_back_exactly(scene):
    armature, motion = _performed()
    sampled = motion_of(sample_armature(armature), BONE_NAMES)
    assert angles_between(sampled.rotations, motion.rotations).max() < 0.05
    assert np.abs(sampled.root - motion.root).max() < 1e-5


def test_constraints_count_and_frames_can_be_chosen(scene):
    armature, _ = _performed()
    target = bpy.data.objects.new("Target", None)
    scene.collection.objects.link(target)
    target.location = (0.3, -0.4, 1.2)
    pull = armature.pose.bones[BONE_NAMES[JOINT["left_elbow"]]].constraints.new("IK")
    pull.target, pull.chain_count = target, 2
    source = sample_armature(armature, frames=range(3, 9))
    wrist = source.world()[1][:, source.names.index(BONE_NAMES[JOINT["left_wrist"]])]
    assert source.frame_count == 6
    assert np.abs(wrist - target.location).max() < 2e-3


def test_a_bvh_that_blender_imports_gives_what_the_file_gives(scene):
    """One implementation against another: our reader, and Blender's importer with sampling."""
    path = mocap("walk_cmu_12_01.bvh")
    if not hasattr(bpy.types, "IMPORT_ANIM_OT_bvh"):
        pytest.skip("Blender's BVH importer is switched off")
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=False)
    armature = bpy.context.object
    frames = range(2, 120)  # the file's first frame is one of calibration
    ours = read_bvh(path)
    clip = retarget(ours, "file")
    back = retarget(sample_armature(armature, frames, ours.fps), "scene")
    chosen = slice(frames[0] - 1, frames[-1])
    assert (
        _farthest_deg(
            _limbs(back.rotations, back.root), _limbs(clip.rotations[chosen], clip.root[chosen])
        )
        < 3 * LIMB_DEG
    )  # feet and hands are levelled over other frames


def _uids():
    return sorted((type(block).__name__, block.name) for block in _datablocks())


_EXPORTS = {
    "as exported": {},
    "other axes": {"axis_forward": "Y", "axis_up": "Z"},
    "centimetres": {"global_scale": 0.01, "apply_scale_options": "FBX_SCALE_UNITS"},
    "bones along x": {"primary_bone_axis": "X", "secondary_bone_axis": "Y"},
    "leaf bones": {"add_leaf_bones": True},
}


@pytest.mark.parametrize("kind", _EXPORTS)
def test_an_fbx_file_gives_its_motion_and_leaves_no_trace(scene, tmp_path, kind):
    armature, motion = _performed(frames=12)
    path = tmp_path / "clip.fbx"
    scene.frame_end = 12  # of the exporter
    options = {
        "object_types": {"ARMATURE"}, "add_leaf_bones": False, "bake_anim_simplify_factor": 0.0,
        "bake_anim_use_all_actions": False, "bake_anim_use_nla_strips": False,
    }  # fmt: skip
    bpy.ops.export_scene.fbx(filepath=str(path), **options | _EXPORTS[kind])
    bpy.data.objects.remove(armature)
    bpy.data.orphans_purge()
    other = new_armature("Other", _skeleton(), scene.collection)
    bpy.context.view_layer.objects.active = other
    bpy.ops.object.mode_set(mode="POSE")
    scene.render.fps, before = 25, _uids()
    source = source_from_fbx(path)
    assert bpy.context.mode == "POSE" and bpy.context.object == other
    assert _uids() == before and scene.render.fps == 25 and bpy.context.scene == scene
    assert source.fps == FPS and abs(source.frame_count - 12) <= 1
    clip = retarget(source, "fbx")
    wanted = _limbs(motion.rotations, motion.root)
    assert _farthest_deg(_limbs(clip.rotations, clip.root)[:12], wanted) < LIMB_DEG


def test_broken_and_empty_fbx_files_are_told_in_one_sentence(scene, tmp_path):
    before = _uids()
    broken = tmp_path / "broken.fbx"
    broken.write_bytes(b"Kaydara FBX Binary  \x00\x1a\x00" + b"\x07" * 300)
    with pytest.raises(MotionError, match="broken.fbx cannot be imported"):
        source_from_fbx(broken)
    with pytest.raises(MotionError, match="no file gone.fbx"):
        source_from_fbx(tmp_path / "gone.fbx")
    assert _uids() == before
    mesh = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    scene.collection.objects.link(mesh)
    still = tmp_path / "still.fbx"
    bpy.ops.export_scene.fbx(filepath=str(still))
    before = _uids()
    with pytest.raises(MotionError, match="no skeleton that moves"):
        source_from_fbx(still)
    assert _uids() == before


def test_armatures_that_do_not_move_are_refused(scene):
    armature = new_armature("Still", figures.skeleton(), scene.collection)
    with pytest.raises(WakeUpError, match="Still has no action"):
        animated_frames(armature)
    empty = bpy.data.objects.new("Empty", None)
    with pytest.raises(WakeUpError, match="Empty is no armature"):
        sample_armature(empty)
