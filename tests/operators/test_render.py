"""The render button: every kind of output, through the chosen camera, with sentences."""

from __future__ import annotations

import pytest

from photo_wake_up.addon.scene import build

from ..scene import figures


@pytest.mark.parametrize(
    ("output", "name"), [("mp4", "film.mp4"), ("webp", "film.webp"), ("character", "film")]
)
def test_button_writes_what_was_chosen(addon, tmp_path, output, name):
    import bpy

    settings = addon.wake_up
    settings.result = build.build_scene(figures.result())
    settings.output, settings.camera, settings.width = output, "orbit", 64
    settings.video = str(tmp_path / "film.mp4")
    addon.render.fps = 24
    assert bpy.ops.wakeup.render() == {"FINISHED"}
    assert [item.name for item in tmp_path.iterdir()] == [name]
    status = bpy.context.window_manager.wake_up
    assert status.message.startswith(f"{name} is written.") and not status.running
    assert build.find_parts(settings.result).camera.animation_data.action is not None


def test_a_folder_that_is_missing_is_said_before_any_work(addon, tmp_path):
    import bpy

    settings = addon.wake_up
    settings.result = build.build_scene(figures.result())
    settings.video = str(tmp_path / "none" / "film.mp4")
    with pytest.raises(RuntimeError, match="There is no folder"):
        bpy.ops.wakeup.render()
    assert not bpy.context.window_manager.wake_up.running


@pytest.mark.parametrize("name", ["{a}", "{blend_name}", "a#b"])
def test_beside_a_file_in_a_folder_of_any_name(addon, tmp_path, name):
    import bpy

    folder = tmp_path / name
    folder.mkdir()
    settings = addon.wake_up
    settings.result = build.build_scene(figures.result())
    settings.output, settings.width = "mp4", 64
    settings.video = f"//{name} v1.2"
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{name}.blend"))
    assert bpy.ops.wakeup.render() == {"FINISHED"}
    expected = {f"{name}.blend", f"{name} v1.2.mp4"}
    assert {item.name for item in folder.iterdir()} == expected
    bpy.context.scene.frame_end = 2
    bpy.ops.render.render(animation=True)  # Blender's own button
    assert {item.name for item in folder.iterdir()} == expected
