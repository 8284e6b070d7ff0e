"""The states that the panel shows follow what the user does to a scene."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from photo_wake_up.addon.scene.rig.pose_correction import find_posed
from photo_wake_up.addon.stage_states import DONE, FAILED, NOT_YET, OUT_OF_DATE
from photo_wake_up.addon.ui import motion_panels, panels
from photo_wake_up.addon.ui.scene_states import states_of

from .test_registration import drawn


def _conditions() -> list[str]:
    bpy.context.view_layer.update()
    return [state.condition for state in states_of(bpy.context).values()]


def _reason(stage: str) -> str:
    return states_of(bpy.context)[stage].reason


def test_states_follow_settings_edits_and_files(addon, demo_photo, tmp_path):
    fitted = [DONE, DONE, DONE, NOT_YET, NOT_YET, NOT_YET]
    stale = [DONE, DONE, OUT_OF_DATE, NOT_YET, NOT_YET, NOT_YET]
    settings = addon.wake_up
    settings.photo = str(demo_photo)
    assert _conditions() == 6 * [NOT_YET]
    assert bpy.ops.wakeup.fit_body() == {"FINISHED"}
    assert _conditions() == fitted
    layout = drawn((*panels.CLASSES, *motion_panels.CLASSES))
    assert layout.labels.count("Done") == 3 and layout.labels.count("Not yet") == 3

    height, settings.height = settings.height, 1.2
    assert _conditions() == stale and _reason("fitted") == "Changed since: height"
    assert "Changed since: height" in drawn(panels.CLASSES).labels
    settings.height = height
    assert _conditions() == fitted

    ball = next(item for item in settings.result.all_objects if "photo_wake_up_joint" in item)
    place = ball.location.copy()
    ball.location.x += 0.1
    assert _conditions() == stale and _reason("fitted") == "Edited since: joints"
    ball.location = place
    bone = find_posed(settings.result).pose.bones[5]
    basis = bone.matrix_basis.copy()
    bone.rotation_quaternion = bone.rotation_quaternion @ type(place)((0.3, 0, 0)).to_track_quat()
    assert _conditions() == stale and _reason("fitted") == "Edited since: pose"
    bone.matrix_basis = basis
    assert _conditions() == fitted

    # What was painted is still known as such in a file that is opened again.
    pixels = np.zeros(len(settings.mask.pixels), np.float32)
    settings.mask.pixels.foreach_get(pixels)
    settings.mask.pixels.foreach_set(pixels)
    assert _conditions() == stale and _reason("fitted") == "Edited since: mask"
    path = str(tmp_path / "states.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    settings = bpy.context.scene.wake_up
    assert _conditions() == stale and _reason("fitted") == "Edited since: mask"

    # A failure is said at its stage, in its scene, until work starts again.
    settings.photo = str(tmp_path / "gone.png")
    with pytest.raises(RuntimeError, match="gone.png"):
        bpy.ops.wakeup.animate()
    assert _conditions() == [FAILED, OUT_OF_DATE, OUT_OF_DATE, NOT_YET, NOT_YET, NOT_YET]
    assert "gone.png" in _reason("people")
    assert "ERROR" in drawn(panels.CLASSES).icons
    other = bpy.data.scenes.new("Other")
    with bpy.context.temp_override(scene=other):
        assert {state.condition for state in states_of(bpy.context).values()} == {NOT_YET}
    bpy.data.scenes.remove(other)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert FAILED not in _conditions()


def test_a_stage_that_fails_is_named(addon, empty_picture):
    addon.wake_up.photo = str(empty_picture)
    with pytest.raises(RuntimeError, match="No person"):
        bpy.ops.wakeup.wake_up()
    assert _conditions() == [FAILED] + 5 * [NOT_YET]
    assert "No person" in _reason("people")
