"""The path in the scene is what the character walks along, and clips are assets with pictures."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
import pytest

from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.clips.cyclic_clip import cyclic_motion
from photo_wake_up.addon.core.motion.sources.library import CLIP_NAMES, load_motion
from photo_wake_up.addon.core.types import Motion
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.animation import clip_assets
from photo_wake_up.addon.scene.animation.actions import FIRST_FRAME, play
from photo_wake_up.addon.scene.objects.path import add_path, find_path, put_in, read_path, take_out

from . import figures


def _walked(way: tuple[float, float]) -> Motion:
    root = np.zeros((5, 3)) + [0.2, 0.1, 0.9]
    root[:, :2] += np.linspace(0.0, 1.0, 5)[:, None] * way
    return Motion(24.0, np.tile([1.0, 0, 0, 0], (5, 24, 1)), root)


def test_a_path_lies_on_the_ground_from_start_to_end(empty_file):
    path = add_path("Path", _walked((0.5, -2.0)), empty_file.collection)
    points = path.data.splines[0].bezier_points
    assert np.allclose([p.co[:] for p in points], [(0.2, 0.1, 0), (0.45, -0.9, 0), (0.7, -1.9, 0)])
    assert path.hide_render
    assert find_path(empty_file.collection) == path


def test_who_stays_has_no_path(empty_file):
    assert add_path("Path", _walked((0.1, 0.1)), empty_file.collection) is None
    assert find_path(empty_file.collection) is None
    assert read_path(empty_file.collection) == read_path(None) == ()


def test_who_walks_on_the_spot_has_a_path_to_draw_out(empty_file):
    motion = replace(_walked((0.1, 0.1)), travels=True)
    path = add_path("Path", motion, empty_file.collection)
    points = path.data.splines[0].bezier_points
    assert np.allclose([p.co[:] for p in points], [(0.2, 0.1, 0), (0.2, -0.15, 0), (0.2, -0.4, 0)])
    assert read_path(empty_file.collection) == ()  # as it was made, it changes nothing


def test_a_path_is_read_once_it_is_edited(empty_file):
    collection = empty_file.collection
    path = add_path("Path", _walked((0.5, -2.0)), collection)
    assert read_path(collection) == ()
    path.data.splines[0].bezier_points[2].co = (2.0, -1.0, 0.0)
    points = np.array(read_path(collection))
    assert np.allclose(points[0], (0.2, 0.1, 0)) and np.allclose(points[-1], (2.0, -1.0, 0))


def test_a_path_that_was_moved_is_read_where_it_is(empty_file):
    collection = empty_file.collection
    path = add_path("Path", _walked((0.5, -2.0)), collection)
    path.location.x = 0.3
    assert np.allclose(read_path(collection)[0], (0.5, 0.1, 0), atol=1e-5)


@pytest.mark.parametrize("kind", ["POLY", "NURBS"])
def test_other_curves_are_read_by_their_points(empty_file, kind):
    path = add_path("Path", _walked((0.5, -2.0)), empty_file.collection)
    path.data.splines.clear()
    spline = path.data.splines.new(kind)
    spline.points.add(1)
    spline.points[0].co, spline.points[1].co = (0, 0, 0, 1), (1, -1, 0, 1)
    assert read_path(empty_file.collection) == ((0, 0, 0), (1, -1, 0))


def test_an_edited_path_outlives_the_result_it_was_made_with(empty_file):
    scene = empty_file
    old = bpy.data.collections.new("old")
    scene.collection.children.link(old)
    path = add_path("Path", _walked((0.5, -2.0)), old)
    path.data.splines[0].bezier_points[2].co = (2.0, -1.0, 0.0)
    before = read_path(old)
    take_out(path)
    build.remove_scene(old)
    new = bpy.data.collections.new("new")
    scene.collection.children.link(new)
    add_path("Path", _walked((0.0, -3.0)), new)
    put_in(path, new)
    assert read_path(new) == before and len(bpy.data.curves) == 1
    assert [item.name for item in new.objects] == [path.name]


def _armature() -> bpy.types.Object:
    return build.find_parts(build.build_scene(figures.result())).armature


def test_clips_become_assets(empty_file):
    armature = _armature()
    actions = clip_assets.add_clip_actions(armature, 24.0)
    assert [action["photo_wake_up_clip"].split("|")[1] for action in actions] == list(CLIP_NAMES)
    for action, name in zip(actions, CLIP_NAMES, strict=True):
        assert action.asset_data is not None and action.use_fake_user
        tags = {tag.name for tag in action.asset_data.tags}
        loops, travels = load_motion(name, 24.0).loop, name in ("walk", "run")
        assert {"photo wake-up", name} <= tags
        assert ("loop" in tags) == loops and ("travels" in tags) == travels
        assert action.use_cyclic == (loops and not travels)
        motion = cyclic_motion(clip_assets.skeleton_of(armature), load_motion(name, 24.0))
        assert action.frame_end - action.frame_start == len(motion.root) - 1
        width, height = action.preview.image_size
        pixels = np.zeros(width * height * 4, np.float32)
        action.preview.image_pixels_float.foreach_get(pixels)
        alpha = pixels.reshape(height, width, 4)[..., 3]
        assert 0.05 < (alpha > 0.5).mean() < 0.6 and alpha[:3].max() == 0.0


def test_a_clips_action_moves_the_armature_as_the_clip_says(empty_file):
    armature = _armature()
    skeleton = clip_assets.skeleton_of(armature)
    assert np.allclose(skeleton.joints, figures.skeleton().joints, atol=1e-6)
    action = next(
        a for a in clip_assets.add_clip_actions(armature, 24.0) if a.name.endswith("dance")
    )
    play(armature, action)
    motion = cyclic_motion(skeleton, load_motion("dance", 24.0))
    for frame in (0, 40, len(motion.root) - 1):
        empty_file.frame_set(FIRST_FRAME + frame)
        bpy.context.view_layer.update()
        hips = armature.pose.bones[skeleton.names[0]].head
        assert np.allclose(hips[:], motion.root[frame], atol=1e-4)


def test_adding_again_replaces(empty_file):
    armature = _armature()
    first = clip_assets.add_clip_actions(armature, 24.0)
    names = sorted(action.name for action in first)
    play(armature, first[0])
    count = len(bpy.data.actions)
    again = clip_assets.add_clip_actions(armature, 30.0)
    assert len(bpy.data.actions) == count
    assert sorted(action.name for action in again) == names
    assert armature.animation_data.action == again[0]


def test_an_armature_of_another_kind_is_refused(empty_file):
    other = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    with pytest.raises(MotionError, match="no bone"):
        clip_assets.add_clip_actions(other, 24.0)
