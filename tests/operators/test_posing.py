"""Correcting the pose by hand: bones turned, hands dragged, the fit going on from there."""

from __future__ import annotations

import time
from functools import cache

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Quaternion, Vector
from scipy.spatial.transform import Rotation

from photo_wake_up.addon import results
from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body.model.body_files import cached_body_model
from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES, JOINT, JOINT_COUNT
from photo_wake_up.addon.core.body.pose_edit import LIMBS, refine_posed
from photo_wake_up.addon.core.inference.model_files import model_path
from photo_wake_up.addon.core.pipeline.request import Request
from photo_wake_up.addon.core.pipeline.run import advance, drain
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import WakeUpSettings
from photo_wake_up.addon.scene.rig.pose_correction import find_posed, read_correction

KEPT_RAD = 1e-4  # how exactly a held rotation is kept
REACHED_M = 0.01  # how near a dragged hand or foot stays to its place, across the line of sight
SOON_S = 1.5  # a refinement
ELBOW, KNEE = JOINT["left_elbow"], JOINT["right_knee"]


@cache
def _by_function(path):
    work = advance(WakeUpResult(), WakeUpSettings(), path, "fitted")
    return drain(work)


def _fitted(scene, photo):
    """The demo photo's fitted body, shown, as Fit Body leaves it."""
    scene.wake_up.photo = str(photo)
    source = results.Source.of(photo, scene.wake_up.pipeline_settings(scene))
    scene.wake_up.key = results.keep(_by_function(str(photo)), source)
    assert bpy.ops.wakeup.correct_pose() == {"FINISHED"}
    assert bpy.context.mode == "POSE"
    bpy.ops.object.mode_set(mode="OBJECT")
    return results.recall(scene.wake_up.key)


def _refined(scene):
    assert bpy.ops.wakeup.refine_pose() == {"FINISHED"}
    return results.recall(scene.wake_up.key)


def _turn(scene, joint, degrees, axis=(0.0, 0.0, 1.0)):
    """Rotate a bone about one of its own axes, as R does in Pose Mode; the local rotation that
    comes of it, body axes."""
    armature = find_posed(scene.wake_up.result)
    bone = armature.pose.bones[BONE_NAMES[joint]]
    bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion(axis, np.radians(degrees))
    rest = np.array(bone.bone.matrix_local.to_3x3(), np.float64)
    local = rest @ np.array(bone.rotation_quaternion.to_matrix(), np.float64) @ rest.T
    return frames.WORLD_FROM_BODY_AXES.T @ local @ frames.WORLD_FROM_BODY_AXES


def _drag(scene, limb, step):
    """Move a limb's handle by metres along world axes; its place then, in the camera frame."""
    armature = find_posed(scene.wake_up.result)
    bone = armature.pose.bones[limb.handle]
    bone.location += bone.bone.matrix_local.to_3x3().inverted() @ Vector(step)
    bpy.context.view_layer.update()
    view = frames.CAMERA_FROM_BLENDER_CAMERA @ np.array(scene.camera.matrix_world.inverted())[:3]
    assert np.allclose(_wrist(armature, limb), bone.head, atol=1e-3)  # it can be reached
    return view[:, :3] @ np.array(bone.head) + view[:, 3]


def _wrist(armature, limb):
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array(evaluated.pose.bones[BONE_NAMES[limb.end]].head)


def _across(camera, places, others):
    """Metres between points of the camera frame as the picture shows them."""
    pixels = frames.project(camera, places) - frames.project(camera, others)
    return np.linalg.norm(pixels, axis=-1) * others[..., 2] / camera.focal_px


def _matrix(rotation_vector):
    return Rotation.from_rotvec(np.asarray(rotation_vector, np.float64)).as_matrix()


def _angle(matrix, other):
    return Rotation.from_matrix(np.swapaxes(matrix, -1, -2) @ other).magnitude()


def _held(scene):
    return set(np.nonzero(read_correction(scene.wake_up.result).held)[0].tolist())


def test_the_body_is_shown_as_fitted_and_can_be_hidden(addon, demo_photo):
    fitted = _fitted(addon, demo_photo).fitted
    collection = addon.wake_up.result
    armature = find_posed(collection)
    assert set(BONE_NAMES) <= {bone.name for bone in armature.data.bones}
    assert {limb.handle for limb in LIMBS} <= {bone.name for bone in armature.data.bones}
    body = next(item for item in collection.objects if item.parent == armature)
    bpy.context.view_layer.update()
    mesh = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    view = frames.CAMERA_FROM_BLENDER_CAMERA @ np.array(addon.camera.matrix_world.inverted())[:3]
    seen = points.reshape(-1, 3) @ view[:, :3].T + view[:, 3]
    assert np.abs(seen - fitted.vertices).max() < 1e-5
    assert body.material_slots[0].material.diffuse_color[3] < 1  # the photo shows through
    addon.wake_up.show_body = False
    assert body.hide_viewport and not armature.hide_viewport
    _refined(addon)
    again = find_posed(addon.wake_up.result)
    body = next(item for item in addon.wake_up.result.objects if item.parent == again)
    assert body.hide_viewport  # as it was chosen
    addon.wake_up.show_body = True
    assert not body.hide_viewport


def test_an_untouched_body_holds_nothing(addon, demo_photo):
    before = _fitted(addon, demo_photo)
    read = read_correction(addon.wake_up.result)
    assert not read.held.any() and read.is_in(before.fitted)
    after = _refined(addon)
    assert after.fitted is not before.fitted and _held(addon) == set()
    # The fit had ended where it is: going on from there moves nothing by a pixel.
    assert _angle(_matrix(before.fitted.pose), _matrix(after.fitted.pose)).max() < 0.02
    assert np.abs(after.fitted.joints - before.fitted.joints).max() < 0.01
    assert after.people is before.people and after.person is before.person


def test_a_turned_elbow_stays_and_the_rest_adapts(addon, demo_photo):
    before = _fitted(addon, demo_photo)
    names = sorted(item.name for item in addon.wake_up.result.all_objects)
    mine = bpy.data.objects.new("mine", None)
    addon.wake_up.result.objects.link(mine)
    wanted = _turn(addon, ELBOW, 40.0)
    after = _refined(addon)
    assert _held(addon) == {ELBOW}
    assert _angle(wanted, _matrix(after.fitted.pose[ELBOW])) < KEPT_RAD
    assert _angle(_matrix(before.fitted.pose[ELBOW]), wanted) == pytest.approx(np.radians(40), 1e-3)
    others = np.arange(JOINT_COUNT) != ELBOW
    moved = _angle(_matrix(before.fitted.pose), _matrix(after.fitted.pose))[others]
    assert 1e-5 < moved.max() < 0.3  # the hand's landmarks went with it: little has to give way
    # What was shown before is replaced under the same names; what is the user's own stays.
    assert sorted(item.name for item in addon.wake_up.result.all_objects) == names
    assert addon.objects["mine"] == mine
    # What the armature shows is what was fitted.
    assert read_correction(addon.wake_up.result).is_in(after.fitted)


@pytest.mark.parametrize(
    ("handle", "step"),
    [
        ("left hand", (0.1, 0.0, 0.15)),
        ("right hand", (-0.1, -0.1, 0.3)),
        ("left foot", (0.1, 0.0, 0.1)),
        ("right foot", (-0.05, -0.2, 0.2)),
    ],
)
def test_a_dragged_limb_stays_where_it_was_dragged(addon, demo_photo, handle, step):
    before = _fitted(addon, demo_photo)
    limb = next(limb for limb in LIMBS if limb.handle == handle)
    wanted = _drag(addon, limb, step)
    dragged = read_correction(addon.wake_up.result)
    assert set(np.nonzero(dragged.held)[0]) == {limb.root, limb.middle, limb.end}
    after = _refined(addon).fitted
    assert np.linalg.norm(before.fitted.joints[limb.end] - wanted) > 0.1
    assert _across(after.camera, after.joints[limb.end].astype(float), wanted) < REACHED_M
    kept = _angle(_matrix(dragged.pose), _matrix(after.pose))
    assert kept[[limb.root, limb.middle, limb.end]].max() < KEPT_RAD
    # Knees bend back, elbows forward: about the hinge, not against it.
    assert after.pose[limb.middle] @ np.array(limb.hinge) > 0.1


def test_handles_take_over_without_a_jump(addon, demo_photo):
    """A drag by a hair moves a bent limb by a hair."""
    _fitted(addon, demo_photo)
    armature = find_posed(addon.wake_up.result)
    pose = read_correction(addon.wake_up.result).pose
    for limb in LIMBS:
        bone = armature.pose.bones[limb.handle]
        bone.location = (0.0, 0.0, 2e-4)
        bpy.context.view_layer.update()
        assert np.allclose(_wrist(armature, limb), bone.head, atol=1e-4)
        now = read_correction(addon.wake_up.result)
        bent = pose[limb.middle] @ np.array(limb.hinge) > 0.2
        turned = _angle(_matrix(pose), _matrix(now.pose))
        # A straight limb is first bent the right way, by some degrees.
        assert turned.max() < (0.03 if bent else 0.3), limb.handle
        bone.location = (0.0, 0.0, 0.0)
        bpy.context.view_layer.update()
        assert np.array_equal(read_correction(addon.wake_up.result).pose, pose)


def test_corrections_accumulate_until_they_are_forgotten(addon, demo_photo):
    first = _fitted(addon, demo_photo)
    elbow = _turn(addon, ELBOW, 40.0)
    _refined(addon)
    knee = _turn(addon, KNEE, 25.0, (1.0, 0.0, 0.0))
    twice = _refined(addon)
    assert _held(addon) == {ELBOW, KNEE}
    assert _angle(elbow, _matrix(twice.fitted.pose[ELBOW])) < KEPT_RAD
    assert _angle(knee, _matrix(twice.fitted.pose[KNEE])) < KEPT_RAD
    # Another focal length is another fit, and the user's joints stay the user's.
    addon.wake_up.focal = 2 * twice.fitted.camera.focal_px
    farther = _refined(addon)
    assert farther.person is twice.person
    assert farther.fitted.camera.focal_px == 2 * twice.fitted.camera.focal_px
    assert farther.fitted.joints[0, 2] == pytest.approx(2 * twice.fitted.joints[0, 2], rel=0.1)
    assert _angle(elbow, _matrix(farther.fitted.pose[ELBOW])) < KEPT_RAD
    addon.wake_up.focal = 0.0
    assert bpy.ops.wakeup.forget_pose() == {"FINISHED"}
    assert _held(addon) == set()
    again = results.recall(addon.wake_up.key).fitted
    assert np.allclose(again.pose, first.fitted.pose, atol=1e-3)


def test_a_moved_pelvis_is_held(addon, demo_photo):
    before = _fitted(addon, demo_photo).fitted
    find_posed(addon.wake_up.result).matrix_world = Matrix.Translation((0.0, 0.0, 0.05))
    moved = read_correction(addon.wake_up.result)
    assert _held(addon) == {0}
    assert np.allclose(moved.pelvis - before.joints[0], (0, -0.05, 0), atol=1e-5)
    assert np.allclose(moved.translation - before.translation, (0, -0.05, 0), atol=1e-5)
    after = _refined(addon)
    assert _angle(_matrix(before.pose[0]), _matrix(after.fitted.pose[0])) < KEPT_RAD


def test_a_corrected_pose_survives_saving_and_opening(addon, demo_photo, tmp_path):
    _fitted(addon, demo_photo)
    elbow = _turn(addon, ELBOW, 40.0)
    before = _refined(addon)
    knee = _turn(addon, KNEE, 25.0, (1.0, 0.0, 0.0))
    path = tmp_path / "posed.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    assert results.recall(scene.wake_up.key) is None
    assert _held(scene) == {ELBOW, KNEE}
    read = read_correction(scene.wake_up.result)
    assert np.array_equal(read.betas, before.fitted.betas)
    assert np.array_equal(read.translation, before.fitted.translation)
    after = _refined(scene)
    assert _held(scene) == {ELBOW, KNEE}
    assert _angle(elbow, _matrix(after.fitted.pose[ELBOW])) < KEPT_RAD
    assert _angle(knee, _matrix(after.fitted.pose[KNEE])) < KEPT_RAD


def test_what_follows_is_made_anew_and_nothing_else(addon, demo_photo):
    """From the whole scene to the body, corrected, and back to a whole scene."""
    _fitted(addon, demo_photo)
    addon.wake_up.frames = 3
    assert bpy.ops.wakeup.wake_up() == {"FINISHED"}
    whole = results.recall(addon.wake_up.key)
    with pytest.raises(RuntimeError, match="press Correct Pose"):
        bpy.ops.wakeup.refine_pose()
    assert bpy.ops.wakeup.correct_pose() == {"FINISHED"}
    shown = results.recall(addon.wake_up.key)
    assert shown.build is whole.build and shown.fitted is whole.fitted
    armature = find_posed(addon.wake_up.result)
    assert bpy.context.mode == "POSE" and bpy.context.object == armature
    wanted = _turn(addon, ELBOW, 20.0)
    refined = _refined(addon)
    assert bpy.context.mode == "POSE"
    assert refined.build is refined.motion is None
    assert refined.person is whole.person and refined.background is whole.background
    assert bpy.ops.wakeup.wake_up() == {"FINISHED"}
    assert bpy.context.mode == "OBJECT"
    again = results.recall(addon.wake_up.key)
    assert again.fitted is refined.fitted and again.background is whole.background
    assert _held(addon) == {ELBOW}
    assert _angle(wanted, _matrix(again.fitted.pose[ELBOW])) < KEPT_RAD


def test_the_next_stage_reads_the_pose_as_it_is(addon, demo_photo):
    """Whoever forgets to refine does not lose the correction."""
    _fitted(addon, demo_photo)
    wanted = _turn(addon, ELBOW, 40.0)
    assert bpy.ops.wakeup.use_corrections() == {"FINISHED"}
    after = results.recall(addon.wake_up.key).fitted
    assert _angle(wanted, _matrix(after.pose[ELBOW])) < KEPT_RAD
    # The button for the fit is there to begin anew.
    assert bpy.ops.wakeup.fit_body() == {"FINISHED"}
    assert _held(addon) == set()


def test_undo_restores_body_and_pose(addon, demo_photo):
    before = _fitted(addon, demo_photo)
    _turn(addon, ELBOW, 40.0)
    bpy.ops.ed.undo_push(message="Turned")
    turned = read_correction(addon.wake_up.result).pose
    _refined(addon)
    _turn(addon, KNEE, 20.0)
    bpy.ops.ed.undo_push(message="Refine from Here")
    try:
        bpy.ops.ed.undo()
    except RuntimeError:
        pytest.skip("this Blender keeps no undo history without a window")
    scene = bpy.context.scene
    assert results.recall(scene.wake_up.key).fitted is before.fitted
    assert _held(scene) == {ELBOW}
    assert np.allclose(read_correction(scene.wake_up.result).pose, turned, atol=1e-6)


def test_wrong_states_are_told_in_one_sentence(addon, demo_photo):
    with pytest.raises(RuntimeError, match="Choose a photo first"):
        bpy.ops.wakeup.refine_pose()
    addon.wake_up.photo = str(demo_photo)
    with pytest.raises(RuntimeError, match="Press Fit Body first"):
        bpy.ops.wakeup.refine_pose()
    result = _fitted(addon, demo_photo)
    elbow = _turn(addon, ELBOW, 40.0)
    _refined(addon)
    kept = results.recall(addon.wake_up.key)
    assert kept.fitted is not result.fitted
    bpy.data.objects.remove(find_posed(addon.wake_up.result))
    with pytest.raises(RuntimeError, match="not shown any more: press Correct Pose"):
        bpy.ops.wakeup.refine_pose()
    assert results.recall(addon.wake_up.key) is kept
    # It comes back as it was, with what is held.
    assert bpy.ops.wakeup.correct_pose() == {"FINISHED"}
    assert results.recall(addon.wake_up.key).fitted is kept.fitted
    assert _held(addon) == {ELBOW}
    assert _angle(elbow, _matrix(kept.fitted.pose[ELBOW])) < KEPT_RAD
    # Shown, it is not fitted again: what was done to it since stays.
    _turn(addon, KNEE, 20.0)
    assert bpy.ops.wakeup.correct_pose() == {"FINISHED"}
    assert _held(addon) == {ELBOW, KNEE}
    # A bone that was deleted is told of, too.
    armature = find_posed(addon.wake_up.result)
    bpy.ops.object.mode_set(mode="EDIT")
    armature.data.edit_bones.remove(armature.data.edit_bones[BONE_NAMES[ELBOW]])
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(RuntimeError, match="lost the bone"):
        bpy.ops.wakeup.refine_pose()
    # The sentence says what helps.
    assert bpy.ops.wakeup.fit_body() == {"FINISHED"}
    assert bpy.ops.wakeup.refine_pose() == {"FINISHED"}


def test_no_process_is_started_for_half_a_second():
    from photo_wake_up.operators.corrections import WAKEUP_OT_refine_pose as Refine
    from photo_wake_up.operators.wake_up import WAKEUP_OT_fit_body as FitBody

    found = Request(WakeUpResult(person=object()), WakeUpSettings(), "", "fitted")
    opened = Request(WakeUpResult(), WakeUpSettings(), "", "fitted")  # nothing but a .blend file
    assert Refine.is_quick(None, found) and not Refine.is_quick(None, opened)
    assert not FitBody.is_quick(None, found)


def test_the_operator_and_the_function_give_the_same_and_soon(addon, demo_photo):
    before = _fitted(addon, demo_photo)
    _turn(addon, ELBOW, 40.0)
    correction = read_correction(addon.wake_up.result)
    model = cached_body_model(model_path("body.npz"))
    times = []
    for _ in range(3):
        started = time.perf_counter()
        expected = refine_posed(before.photo, before.person, model, correction)
        times.append(time.perf_counter() - started)
    assert min(times) < SOON_S
    after = _refined(addon).fitted
    # The sums' order moves the last digits.
    for name in ("betas", "pose", "translation", "vertices"):
        assert np.allclose(getattr(after, name), getattr(expected, name), atol=1e-3)
