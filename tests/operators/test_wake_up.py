"""The buttons on the demo photo and on pictures that cannot wake up."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import bpy
import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon import results
from photo_wake_up.addon.core.errors import OutputError, WakeUpError
from photo_wake_up.addon.core.interchange.web_page import viewer_script
from photo_wake_up.addon.core.motion.performing.options import PerformOptions
from photo_wake_up.addon.core.motion.sources.library import CLIP_NAMES
from photo_wake_up.addon.core.pipeline.corrections import with_mask
from photo_wake_up.addon.core.pipeline.run import drain, wake_up
from photo_wake_up.addon.core.pipeline.stages import without
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import WakeUpSettings
from photo_wake_up.addon.scene.build import find_parts
from photo_wake_up.addon.scene.export.registry import KINDS
from photo_wake_up.addon.scene.objects.path import find_path, read_path
from photo_wake_up.addon.stage_states import DONE, OUT_OF_DATE
from photo_wake_up.addon.ui.scene_states import states_of
from photo_wake_up.operators import base

from ..scene import read_back
from ..scene.test_export_vrm import assert_is_avatar

FRAMES = 30


def _datablocks() -> dict[str, list[str]]:
    kinds = ("objects", "meshes", "armatures", "actions", "images", "materials", "collections",
             "cameras", "worlds")  # fmt: skip
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def has_viewer() -> bool:
    """Whether set-up had npm to get it with."""
    try:
        return bool(viewer_script())
    except OutputError:
        return False


@cache
def _by_function(path: str) -> WakeUpResult:
    return drain(wake_up(path, WakeUpSettings(frames=FRAMES)))


def _seed(path, scene) -> WakeUpResult:
    """Give the scene everything but the motion, as earlier presses would have."""
    scene.wake_up.photo, scene.wake_up.frames = str(path), FRAMES
    result = _by_function(str(path))
    settings = scene.wake_up.pipeline_settings(scene)
    source = results.Source.of(path, settings)
    scene.wake_up.key = results.keep(without(result, "motion"), source)
    return result


def test_operator_and_function_give_the_same_arrays(addon, demo_photo):
    addon.wake_up.photo, addon.wake_up.frames = str(demo_photo), FRAMES
    assert bpy.ops.wakeup.wake_up() == {"FINISHED"}
    expected = _by_function(str(demo_photo))
    kept = results.recall(addon.wake_up.key)
    assert np.array_equal(kept.person.mask, expected.person.mask)
    assert np.array_equal(kept.fitted.vertices, expected.fitted.vertices)
    mine, other = kept.build.character, expected.build.character
    assert np.array_equal(mine.triangles, other.triangles)
    assert np.array_equal(mine.vertices, other.vertices)
    assert np.array_equal(kept.background.rgb, expected.background.rgb)
    assert np.array_equal(kept.motion.root, expected.motion.root)
    mesh = find_parts(addon.wake_up.result).character.data
    vertices = np.zeros(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    assert np.array_equal(vertices.reshape(-1, 3), mine.rest_vertices)
    status = bpy.context.window_manager.wake_up
    assert not status.running and not status.failed and "woke up" in status.message


def test_what_was_left_out_of_the_file_is_said_once(addon, demo_photo, tmp_path):
    """And a focal length of the user's that is none stops the fit, not what is there already."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 65535
    addon.wake_up.photo = str(tmp_path / "photo.png")
    with Image.open(demo_photo) as picture:
        picture.save(addon.wake_up.photo, exif=exif.tobytes())
    status = bpy.context.window_manager.wake_up
    for said in (True, False):
        assert bpy.ops.wakeup.find_person() == {"FINISHED"}
        assert ("focal length of 65535 mm" in status.message) == said
    addon.wake_up.focal = 3.0
    with pytest.raises(RuntimeError, match="focal length of 3 pixels"):
        bpy.ops.wakeup.fit_body()
    assert status.failed and status.failed_stage == "fitted" and addon.wake_up.mask is not None


def test_pressing_again_replaces_and_computes_only_what_depends(addon, demo_photo):
    result = _seed(demo_photo, addon)
    assert bpy.ops.wakeup.animate() == {"FINISHED"}
    once = _datablocks()
    addon.wake_up.motion = "run"
    assert bpy.ops.wakeup.wake_up() == {"FINISHED"}
    kept = results.recall(addon.wake_up.key)
    assert kept.build is result.build and kept.motion_name == "run"
    now = _datablocks()
    assert {k: len(v) for k, v in now.items()} == {k: len(v) for k, v in once.items()}
    assert now["objects"] == once["objects"]


def test_a_painted_mask_is_what_the_next_stage_reads(addon, demo_photo):
    addon.wake_up.photo = str(demo_photo)
    assert bpy.ops.wakeup.find_person() == {"FINISHED"}
    image = addon.wake_up.mask
    found = results.recall(addon.wake_up.key).person.mask
    width, height = image.size
    assert found.shape == (height, width)
    pixels = np.zeros(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, 4)
    pixels[: height // 4, :, :3] = 0.0  # Blender's rows start at the bottom: the feet go
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    assert bpy.ops.wakeup.fill_background() == {"FINISHED"}
    kept = results.recall(addon.wake_up.key)
    expected = found.copy()
    expected[height - height // 4 :] = False
    assert np.array_equal(kept.person.mask, expected)
    assert not kept.background.hole[int(height * 0.95) :].any()


def test_with_mask_drops_what_was_made_from_another(demo_photo):
    result = _by_function(str(demo_photo))
    assert with_mask(result, result.person.mask) is result
    assert with_mask(result, np.zeros((3, 3), bool)) is result
    mask = result.person.mask.copy()
    mask[:200] = False
    changed = with_mask(result, mask)
    assert changed.fitted is changed.build is changed.background is changed.motion is None
    assert np.array_equal(changed.person.mask, mask)
    assert np.array_equal(changed.person.matte >= 0.5, mask)
    assert changed.people is result.people


def test_the_panels_triangles_reach_the_pipeline(addon):
    assert addon.wake_up.pipeline_settings(addon).triangles == WakeUpSettings().triangles
    addon.wake_up.triangles = 9_000
    assert addon.wake_up.pipeline_settings(addon).triangles == 9_000


def test_what_is_reused_follows_from_the_settings(demo_photo):
    result = _by_function(str(demo_photo))
    settings = WakeUpSettings(frames=FRAMES)
    source = results.Source.of(demo_photo, settings)
    key = results.keep(result, source)

    def reused(**changes: object) -> set[str]:
        other = results.Source.of(demo_photo, replace(settings, **changes))
        value = results.reusable(key, other)
        return {n for n in ("people", "person", "fitted", "build", "background", "motion")
                if getattr(value, n) is not None}  # fmt: skip

    everything = reused()
    assert len(everything) == 6
    assert reused(motion="run") == everything - {"motion"}
    assert reused(seed=3) == set()  # all that is random begins from it
    for changed in ({"plate_network": "lama.onnx"}, {"remove_shadow": False}):
        assert reused(**changed) == everything - {"background"}
    assert reused(triangles=9_000) == everything - {"build", "motion"}
    assert reused(back="mirrored") == reused(texture_px=512) == everything - {"build", "motion"}
    assert reused(height_m=1.2) == everything - {"fitted", "build", "motion"}
    assert reused(person=2) == reused(mask_network="mask.onnx") == {"people"}
    assert reused(joint_network="pose.onnx") == set()
    elsewhere = replace(source, photo="other.png")
    assert results.reusable(key, elsewhere) == WakeUpResult() or (
        results.reusable(key, elsewhere).photo is None
    )
    results.forget_all()
    assert results.reusable(key, source).photo is None


def test_choices_of_texture_reach_the_pipeline(addon):
    assert addon.wake_up.pipeline_settings(addon) == replace(
        WakeUpSettings(), fps=addon.render.fps / addon.render.fps_base
    )
    addon.wake_up.back, addon.wake_up.texture_size = "mirrored", "4096"
    addon.wake_up.mirrored_parts = {"torso", "head"}
    wanted = addon.wake_up.pipeline_settings(addon)
    assert (wanted.back, wanted.texture_px) == ("mirrored", 4096)
    assert wanted.mirrored_parts == ("head", "torso")


@pytest.mark.parametrize("stage", ["find_person", "wake_up"])
def test_nobody_there_is_said_and_nothing_changes(addon, empty_picture, stage):
    addon.wake_up.photo = str(empty_picture)
    before = _datablocks()
    with pytest.raises(RuntimeError, match="No person was found"):
        getattr(bpy.ops.wakeup, stage)()
    assert _datablocks() == before and addon.wake_up.key == ""
    status = bpy.context.window_manager.wake_up
    assert status.failed and not status.running and "No person" in status.message
    assert bpy.ops.wakeup.wake_up.poll()


def test_a_photo_that_is_gone_is_said(addon, tmp_path):
    addon.wake_up.photo = str(tmp_path / "gone.jpg")
    with pytest.raises(RuntimeError, match="gone.jpg"):
        bpy.ops.wakeup.wake_up()


def test_stopping_leaves_the_file_as_it_was(addon, demo_photo):
    """What Esc does: the job is closed in the middle of the work."""
    from photo_wake_up.addon.core.pipeline.request import Request, run
    from photo_wake_up.operators.base import Job

    before = _datablocks()
    request = Request(WakeUpResult(), WakeUpSettings(), str(demo_photo), "motion")
    job = Job(bpy.context, run(request), "Wake Up")
    status = bpy.context.window_manager.wake_up
    assert status.running
    for _ in range(5):
        assert not job.step()
    job.close("Stopped: nothing has been changed")
    assert not status.running and status.message.startswith("Stopped")
    assert _datablocks() == before
    assert bpy.context.scene.wake_up.key == ""


def test_undo_removes_the_whole_result(addon, demo_photo):
    _seed(demo_photo, addon)
    bpy.ops.ed.undo_push(message="Before")
    before = _datablocks()
    bpy.ops.wakeup.animate()
    bpy.ops.ed.undo_push(message="Animate")
    assert _datablocks() != before
    try:
        bpy.ops.ed.undo()
    except RuntimeError:
        pytest.skip("this Blender keeps no undo history without a window")
    assert _datablocks() == before
    assert bpy.context.scene.wake_up.result is None


def test_render_and_export_check_their_folders(addon, demo_photo, tmp_path):
    _seed(demo_photo, addon)
    assert not bpy.ops.wakeup.export.poll()
    bpy.ops.wakeup.animate()
    assert bpy.ops.wakeup.render.poll() and bpy.ops.wakeup.export.poll()
    addon.wake_up.video = "//wake-up.mp4"
    with pytest.raises(RuntimeError, match="Save the Blender file first"):
        bpy.ops.wakeup.render()
    with pytest.raises(RuntimeError, match="no folder"):
        bpy.ops.wakeup.export(filepath=str(tmp_path / "nowhere" / "a.glb"))
    bpy.ops.preferences.addon_enable(module="io_scene_gltf2")
    assert bpy.ops.wakeup.export(filepath=str(tmp_path / "a.glb")) == {"FINISHED"}
    assert (tmp_path / "a.glb").stat().st_size > 100_000


def test_every_format_takes_the_demo_photos_character(addon, demo_photo, tmp_path):
    _seed(demo_photo, addon)
    bpy.ops.wakeup.animate()
    for exporter in ("io_scene_gltf2", "io_scene_fbx"):
        bpy.ops.preferences.addon_enable(module=exporter)
    kinds = [kind for kind in KINDS if kind != "html" or has_viewer()]
    for kind in kinds:
        # The suffix follows the kind.
        assert bpy.ops.wakeup.export(filepath=str(tmp_path / "a.mp4"), kind=kind) == {"FINISHED"}
    assert {item.name for item in tmp_path.iterdir()} == {f"a.{kind}" for kind in kinds}
    character = find_parts(addon.wake_up.result).character
    frames, readers = [1, 2, FRAMES // 2, FRAMES], {
        "glb": (bpy.ops.import_scene.gltf, -1),  # a clip's start becomes frame 0
        "usdz": (bpy.ops.wm.usd_import, 0),
        "fbx": (bpy.ops.import_scene.fbx, 0),
    }  # fmt: skip
    for kind, (reader, shift) in readers.items():
        mesh, _ = read_back.imported(reader, tmp_path / f"a.{kind}")
        assert read_back.farthest(character, mesh, frames, shift) < 1e-4, kind
    read_back.assert_valid(tmp_path / "a.glb")
    assert_is_avatar(tmp_path / "a.vrm")


def test_an_edited_path_is_what_the_character_walks_along(addon, demo_photo):
    _seed(demo_photo, addon)
    addon.wake_up.frames = 150
    addon.wake_up.wall = True  # who walks out has room
    assert bpy.ops.wakeup.animate() == {"FINISHED"}
    before = results.recall(addon.wake_up.key).motion
    path = find_path(addon.wake_up.result)
    assert np.allclose(path.data.splines[0].bezier_points[2].co[:2], before.root[-1, :2], atol=1e-5)
    # As it was made, it changes nothing.
    assert bpy.ops.wakeup.animate() == {"FINISHED"}
    assert np.array_equal(results.recall(addon.wake_up.key).motion.root, before.root)
    path = find_path(addon.wake_up.result)
    start, end = before.root[0, :2], before.root[-1, :2] + [1.0, 0.3]
    for point in path.data.splines[0].bezier_points:
        point.handle_left_type = point.handle_right_type = "VECTOR"
    knots = path.data.splines[0].bezier_points
    knots[1].co[:2], knots[2].co[:2] = (start + end) / 2, end
    for point in knots:
        point.handle_left_type = point.handle_right_type = "FREE"
        point.handle_left = point.handle_right = point.co
    points = np.array(read_path(addon.wake_up.result))
    assert bpy.ops.wakeup.animate() == {"FINISHED"}
    kept = results.recall(addon.wake_up.key)
    assert np.linalg.norm(kept.motion.root[-1, :2] - end) < 0.1
    # The curve is still the user's, and still read.
    assert find_path(addon.wake_up.result) == path and path.name in addon.wake_up.result.objects
    assert np.array_equal(read_path(addon.wake_up.result), points)
    curves = len(bpy.data.curves)
    assert bpy.ops.wakeup.animate() == {"FINISHED"}
    assert len(bpy.data.curves) == curves == 1
    assert np.array_equal(results.recall(addon.wake_up.key).motion.root, kept.motion.root)


def test_options_of_the_motion_reach_the_performance(addon, demo_photo):
    _seed(demo_photo, addon)
    settings = addon.wake_up
    settings.motion, settings.speed, settings.mirror = "wave", 1.25, True
    settings.returns = settings.in_place = True
    wanted = settings.pipeline_settings(addon).performing
    assert wanted == PerformOptions(speed=1.25, mirror=True, in_place=True, returns=True)
    assert bpy.ops.wakeup.animate() == {"FINISHED"}
    kept = results.recall(settings.key)
    pose = kept.build.character.pose
    assert np.allclose(kept.motion.root[-1], pose.root, atol=0.002)
    assert find_path(settings.result) is None


def test_the_clip_library_becomes_assets(addon, demo_photo):
    assert not bpy.ops.wakeup.add_clip_library.poll()
    _seed(demo_photo, addon)
    assert bpy.ops.wakeup.animate() == {"FINISHED"}
    performed = find_parts(addon.wake_up.result).armature.animation_data.action
    assert bpy.ops.wakeup.add_clip_library() == {"FINISHED"}
    assets = [action for action in bpy.data.actions if action.asset_data is not None]
    assert len(assets) == len(CLIP_NAMES) and performed not in assets
    assert find_parts(addon.wake_up.result).armature.animation_data.action == performed


def test_in_a_file_opened_again_another_motion_changes_nothing_else(
    addon, demo_photo, tmp_path, monkeypatch
):
    _seed(demo_photo, addon)
    assert bpy.ops.wakeup.wake_up() == {"FINISHED"}
    assert bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend")) == {"FINISHED"}
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    settings = bpy.context.scene.wake_up
    mesh = find_parts(settings.result).character.data
    before, own = _datablocks(), mesh.name
    mesh.name = "the user's own name"
    settings.motion = "wave"
    assert states_of(bpy.context)["motion"].condition == OUT_OF_DATE

    def never(_request):
        raise WakeUpError("Everything is computed again.")

    with monkeypatch.context() as patched:
        patched.setattr(base, "run", never)
        assert bpy.ops.wakeup.animate() == {"FINISHED"}
        assert {state.condition for state in states_of(bpy.context).values()} == {DONE}
        assert find_parts(settings.result).armature.animation_data.action.name.endswith("wave")
        assert mesh.name == "the user's own name"
        mesh.name = own
        after = _datablocks()
        assert {kind: after[kind] for kind in after if kind != "actions"} == {
            kind: before[kind] for kind in before if kind != "actions"
        }
        # What the motion stands on is out of date: it is no longer enough to move the bones.
        settings.height = 1.2
        with pytest.raises(RuntimeError, match="computed again"):
            bpy.ops.wakeup.animate()
