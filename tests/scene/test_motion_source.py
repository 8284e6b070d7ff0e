"""Armatures and FBX files as sources of motion: what went in comes out."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES, JOINT
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.errors import MotionError, WakeUpError
from photo_wake_up.addon.core.motion.performing.perform import perform
from photo_wake_up.addon.core.motion.retargeting.retarget import retarget
from photo_wake_up.addon.core.motion.sources.armature_source import motion_of
from photo_wake_up.addon.core.motion.sources.bvh import read_bvh
from photo_wake_up.addon.core.motion.sources.library import load_motion
from photo_wake_up.addon.scene.animation.actions import new_action, play
from photo_wake_up.addon.scene.animation.motion_source import (
    _datablocks,
    animated_frames,
    clip_from_file,
    clips_from_file,
    fbx_takes,
    sample_armature,
    source_from_fbx,
)
from photo_wake_up.addon.scene.objects.character_mesh import new_armature

from ..core.motion_inputs import angles_between, mocap, reported
from . import figures
from .fbx_files import FPS, acting, exported, rope, straight_skeleton

LIMB_DEG = 1.0  # bar of a round trip
FRAMES = 24
_LIMBS = [
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (
        ("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"),
    )
]  # fmt: skip


def _performed(name="jump", frames=FRAMES):
    """A clip on the figure's armature, and the motion that it was given."""
    skeleton = straight_skeleton()
    motion = perform(skeleton, figures.photo_pose(), load_motion(name, FPS), frames, FPS)
    armature = new_armature("Source", skeleton, bpy.context.scene.collection)
    play(armature, new_action(armature, skeleton, motion, "Clip"))
    return armature, motion


def _limbs(rotations, root):
    """(F, 8, 3) unit directions of the limbs' bones."""
    joints = forward_kinematics(straight_skeleton(), rotations, root)[..., :3, 3]
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
    other = new_armature("Other", straight_skeleton(), scene.collection)
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


def _same(clip, motion):
    frames = min(len(clip.root), len(motion.root))
    found = _limbs(clip.rotations, clip.root)[:frames]
    return _farthest_deg(found, _limbs(motion.rotations, motion.root)[:frames]) < LIMB_DEG


@pytest.mark.parametrize("person", ["Person", "Zoe"])
def test_the_person_moves_the_character_and_not_therope(scene, tmp_path, person):
    _, motions = acting(person, ["jump"])
    rope()
    path = exported(tmp_path / "skip.fbx")
    clip = clip_from_file(path, FPS)
    assert _same(clip, motions["jump"])
    assert clip.name == "skip" and clip.notes == ()
    assert not bpy.data.objects and not bpy.data.actions


@pytest.mark.parametrize("is_open", [False, True])
def test_each_take_is_a_clip_and_can_be_chosen(scene, tmp_path, is_open):
    """Also where what is in the file is in the scene already, so that Blender numbers its names."""
    _, motions = acting("Actor", ["jump", "wave", "run"])
    path = exported(tmp_path / "takes.fbx", every_action=True)
    if is_open:
        other, _ = acting("Actor", ["jump", "wave"])
        there = _uids()
    takes = fbx_takes(path, every=True)
    assert set(takes.names) == {f"Actor {name}" for name in motions}
    clips = clips_from_file(path, FPS)
    assert [clip.name for clip in clips] == [f"takes {name}" for name in takes.names]
    for number, (name, clip) in enumerate(zip(takes.names, clips, strict=True), 1):
        wanted = motions[name.split()[1]]
        assert _same(clip, wanted)
        assert [_same(clip, motion) for motion in motions.values()].count(True) == 1
        for take in (name, name.lower(), str(number)):
            chosen = clip_from_file(path, FPS, take=take)
            assert np.array_equal(chosen.rotations, clip.rotations)
            others = [f"'{other}'" for other in takes.names if other != name]
            assert chosen.notes == (
                f"takes.fbx has 3 takes: '{name}' is performed, not {others[0]} and {others[1]}.",
            )
    first = clip_from_file(path, FPS)
    assert np.array_equal(first.rotations, clips[0].rotations)
    with pytest.raises(MotionError, match="takes.fbx has no take 'swim': choose 'Actor"):
        clip_from_file(path, FPS, take="swim")
    if is_open:
        assert _uids() == there and other.animation_data.action is not None


@pytest.mark.parametrize("every_action", [False, True])
def test_of_two_people_each_is_a_take(scene, tmp_path, every_action):
    _, first = acting("Ann", ["jump"])
    _, second = acting("Bob", ["wave"])
    bob = bpy.data.objects["Bob"]
    bob.location = (1.5, 0, 0)
    for bone in bob.data.bones:  # of another make, so that no action fits both
        bone.name = f"rig:{bone.name}"
    path = exported(tmp_path / "two.fbx", every_action)
    takes = fbx_takes(path)
    assert len(takes.names) == 2
    ann, bob = sorted(takes.names)
    assert ann.startswith("Ann") and bob.startswith("Bob")
    assert _same(clip_from_file(path, FPS, take=ann), first["jump"])
    assert _same(clip_from_file(path, FPS, take=bob), second["wave"])


def test_strips_that_were_exported_are_takes(scene, tmp_path):
    armature, motions = acting("Actor", ["jump", "wave"])
    animation = armature.animation_data
    animation.action = None
    for name in motions:
        action = bpy.data.actions[f"Actor {name}"]
        strip = animation.nla_tracks.new().strips.new(name, 1, action)
        strip.action_slot = action.slots[0]
    path = tmp_path / "strips.fbx"
    scene.frame_end = 12
    bpy.ops.export_scene.fbx(
        filepath=str(path), object_types={"ARMATURE"}, bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=True, bake_anim_simplify_factor=0.0,
    )  # fmt: skip
    takes = fbx_takes(path)
    found = {name: clip_from_file(path, FPS, take=name) for name in takes.names}
    for name, motion in motions.items():
        assert any(_same(clip, motion) for take, clip in found.items() if name in take)


def test_files_without_a_person_are_told_of_as_before(scene, tmp_path):
    rope()
    path = exported(tmp_path / "rope.fbx")
    with pytest.raises(MotionError, match="rope.fbx: the skeleton is not a person's"):
        clip_from_file(path, FPS)
    empty = bpy.data.objects.new("Empty", None)
    scene.collection.objects.link(empty)
    empty.keyframe_insert("location", frame=1)
    with pytest.raises(MotionError, match="nothing.fbx holds no skeleton that moves"):
        clip_from_file(exported(tmp_path / "nothing.fbx"), FPS)
    new_armature("Still", straight_skeleton(), scene.collection)
    rope()
    # The person stands still, the rope swings.
    bpy.ops.export_scene.fbx(
        filepath=str(tmp_path / "still.fbx"), bake_anim_force_startend_keying=False
    )
    with pytest.raises(MotionError, match="still.fbx"):
        clip_from_file(tmp_path / "still.fbx", FPS)


def test_a_mapping_that_was_kept_tells_who_is_a_person(scene, tmp_path):
    """Of two skeletons of which neither is a person's by names and shape, the user's own."""
    acting("Odd", ["jump"])
    for bone in bpy.data.objects["Odd"].data.bones:
        bone.name = f"b{len(bone.name)}"
    rope()
    path = exported(tmp_path / "odd.fbx")
    known = fbx_takes(path, knows=lambda source: "rope1" not in source.names)
    assert "rope1" not in known.sources[0].names and known.sources[0].names[0].startswith("b")


def test_reported_files_move_the_person():
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    clip = clip_from_file(reported("person_and_rope.fbx"), 30.0)
    assert np.ptp(clip.rotations, axis=0).max() > 0.1 and clip.notes == ()
    path = reported("two_takes.fbx")
    assert fbx_takes(path).names == ("ARest", "ZWalk")
    rest, walk = clips_from_file(path, 30.0)
    assert np.ptp(rest.rotations, axis=0).max() < 1e-6 < np.ptp(walk.rotations, axis=0).max()
    assert np.array_equal(clip_from_file(path, 30.0, take="zwalk").rotations, walk.rotations)


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


def test_what_would_take_minutes_to_evaluate_is_refused_before(scene):
    armature, _ = _performed(frames=4)
    strip = armature.animation_data.nla_tracks.new().strips.new(
        "Far", 20_000, armature.animation_data.action
    )
    assert strip.frame_start == 20_000
    with pytest.raises(WakeUpError, match=r"is 20\d{3} frames long: shorten it to 18000 or fewer"):
        sample_armature(armature)


def test_bones_are_sampled_in_their_own_order(scene):
    """All at once, in the armature's order, as each bone by itself has it."""
    armature, _ = _performed(frames=6)
    sampled = motion_of(sample_armature(armature, in_world=False), BONE_NAMES)
    for frame in (1, 4):
        scene.frame_set(frame)
        posed = [np.array(armature.pose.bones[name].matrix) for name in BONE_NAMES]
        heads = np.stack(posed)[:, :3, 3]
        world = forward_kinematics(
            straight_skeleton(), sampled.rotations[frame - 1], sampled.root[frame - 1]
        )
        assert np.abs(world[:, :3, 3] - heads).max() < 1e-4
