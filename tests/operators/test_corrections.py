"""Correcting by hand: joints dragged, masks painted, a box drawn, files saved and opened again."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from mathutils import Vector

from photo_wake_up.addon import results
from photo_wake_up.addon.core.errors import PersonError
from photo_wake_up.addon.core.perception.landmarks.joints import EDITABLE, joints_of
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK
from photo_wake_up.addon.scene.build import photo_image
from photo_wake_up.addon.scene.rig.joint_markers import add_box, read_box, read_joints
from photo_wake_up.addon.ui import painting


def _found(scene, photo):
    scene.wake_up.photo = str(photo)
    assert bpy.ops.wakeup.find_person() == {"FINISHED"}
    return results.recall(scene.wake_up.key)


def _ball(scene, name):
    return next(
        item for item in scene.objects if item.get("photo_wake_up_joint") == name
    )  # fmt: skip


def test_joints_stand_over_the_photo_and_are_read_back(addon, demo_photo):
    result = _found(addon, demo_photo)
    bpy.context.view_layer.update()
    read = read_joints(addon.wake_up.result)
    expected = joints_of(result.person.detection.landmarks)
    assert set(read) == set(EDITABLE)
    for name, place in expected.items():
        assert np.allclose(read[name], place, atol=0.05)
    # Seen through the scene's camera they lie on the photo's own pixels.
    from bpy_extras.object_utils import world_to_camera_view

    wrist = _ball(addon, "left_wrist")
    assert wrist.show_name and wrist.hide_render
    seen = world_to_camera_view(addon, addon.camera, wrist.matrix_world.translation)
    height, width = result.photo.rgb.shape[:2]
    pixel = (seen.x * width - 0.5, (1 - seen.y) * height - 0.5)
    assert np.allclose(pixel, expected["left_wrist"], atol=1.0)
    left, right = (
        _ball(addon, f"{side}_knee").data.materials[0].diffuse_color for side in ("left", "right")
    )
    assert tuple(left) != tuple(right)


def test_a_dragged_joint_moves_the_body_and_nothing_else(addon, demo_photo):
    before = _found(addon, demo_photo)
    ball = _ball(addon, "right_wrist")
    ball.location += addon.camera.matrix_world.to_3x3() @ Vector((-0.15, 0.1, 0.0))
    bpy.context.view_layer.update()
    wanted = read_joints(addon.wake_up.result)["right_wrist"]
    assert bpy.ops.wakeup.use_corrections() == {"FINISHED"}
    after = results.recall(addon.wake_up.key)
    assert after.fitted is not None and after.people is before.people
    assert np.array_equal(after.person.mask, before.person.mask)
    marks = after.person.detection.landmarks
    assert np.allclose(marks.image[LANDMARK["right_wrist"]], wanted, atol=0.1)
    untouched = before.person.detection.landmarks.image[LANDMARK["left_wrist"]]
    assert np.array_equal(marks.image[LANDMARK["left_wrist"]], untouched)
    # It stays where it was dragged to, and pressing again has nothing to do.
    bpy.context.view_layer.update()
    assert np.allclose(read_joints(addon.wake_up.result)["right_wrist"], wanted, atol=0.1)
    fitted = after.fitted
    assert bpy.ops.wakeup.use_corrections() == {"FINISHED"}
    assert results.recall(addon.wake_up.key).fitted is fitted


def test_corrections_survive_saving_and_opening(addon, demo_photo, tmp_path):
    before = _found(addon, demo_photo)
    image = addon.wake_up.mask
    width, height = image.size
    pixels = np.zeros(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, 4)
    pixels[: height // 8, :, :3] = 0.0
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    _ball(addon, "nose").location += Vector((0.05, 0.0, 0.1))
    bpy.context.view_layer.update()
    nose = read_joints(addon.wake_up.result)["nose"]
    path = tmp_path / "corrected.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    assert results.recall(scene.wake_up.key) is None
    assert len(scene.wake_up.people) == 1 and scene.wake_up.people[0].thumbnail is not None
    assert bpy.ops.wakeup.use_corrections() == {"FINISHED"}
    after = results.recall(scene.wake_up.key)
    expected = before.person.mask.copy()
    expected[height - height // 8 :] = False
    assert np.array_equal(after.person.mask, expected)
    assert np.allclose(after.person.detection.landmarks.image[LANDMARK["nose"]], nose, atol=0.1)


def test_nobody_found_offers_a_box_that_is_read_in_pixels(addon, empty_picture):
    addon.wake_up.photo = str(empty_picture)
    with pytest.raises(RuntimeError, match="draw a box"):
        bpy.ops.wakeup.find_person()
    assert bpy.context.window_manager.wake_up.needs_box
    assert bpy.ops.wakeup.add_box() == {"FINISHED"}
    bpy.context.view_layer.update()
    width, height = 300, 400
    assert read_box(addon.wake_up.result) == (30, 40, width - 31, height - 41)
    for box in ((0.0, 0.0, 299.0, 399.0), (17.0, 200.0, 43.0, 388.0)):
        add_box(addon.wake_up.result, box)
        bpy.context.view_layer.update()
        assert read_box(addon.wake_up.result) == box
    # An empty box is told of, and the box is still there.
    with pytest.raises(RuntimeError):
        bpy.ops.wakeup.find_person()
    bpy.context.view_layer.update()
    assert read_box(addon.wake_up.result) is not None


def test_the_list_names_who_is_there_and_chooses(addon, demo_photo):
    _found(addon, demo_photo)
    people = addon.wake_up.people
    assert len(people) == 1 and people[0].is_default and people[0].score > 0.8
    assert people[0].box[2] > people[0].box[0]
    assert addon.wake_up.person == 0 and addon.wake_up.active_person == 0
    assert people[0].thumbnail.preview is not None
    icon = np.zeros(len(people[0].thumbnail.preview.image_pixels_float), np.float32)
    people[0].thumbnail.preview.image_pixels_float.foreach_get(icon)
    assert icon.max() > 0.2
    second = people.add()
    second.is_default = False
    addon.wake_up.active_person = 1
    assert addon.wake_up.person == 2
    addon.wake_up.active_person = 0
    assert addon.wake_up.person == 1


def test_everyone_is_one_request(addon, demo_photo, monkeypatch):
    from photo_wake_up.operators import base

    asked = []

    def refuse(request):
        asked.append(request)
        raise PersonError("That is enough.")

    monkeypatch.setattr(base, "run", refuse)
    addon.wake_up.photo, addon.wake_up.everyone = str(demo_photo), True
    with pytest.raises(RuntimeError, match="enough"):
        bpy.ops.wakeup.wake_up()
    with pytest.raises(RuntimeError, match="enough"):
        bpy.ops.wakeup.find_person()
    assert [request.everyone for request in asked] == [True, False]


def test_the_photo_lies_over_what_is_painted_of_it_and_over_nothing_else(addon, demo_photo):
    _found(addon, demo_photo)
    other = bpy.data.images.new("other", 8, 8)
    photo = painting.photo_over(addon.wake_up.mask)
    assert tuple(photo.size) == tuple(addon.wake_up.mask.size)
    assert photo == photo_image(addon.wake_up.result)
    assert painting.photo_over(other) is None
    assert painting.photo_over(photo) is None
    assert painting.photo_over(None) is None
    bpy.data.images.remove(photo)
    assert painting.photo_over(addon.wake_up.mask) is None


def test_the_mask_is_painted_white_and_erased_with_black(addon):
    painting.paint_white(addon)
    tools = addon.tool_settings
    brushes = getattr(tools, "unified_paint_settings", None)  # Blender 4.5's
    brushes = brushes or tools.image_paint.unified_paint_settings
    assert brushes.use_unified_color
    assert (*brushes.color, *brushes.secondary_color) == (1, 1, 1, 0, 0, 0)


def test_painting_needs_a_window(addon, demo_photo):
    _found(addon, demo_photo)
    assert bpy.app.background
    assert not bpy.ops.wakeup.paint_mask.poll()
    assert not bpy.ops.wakeup.paint_labels.poll()
