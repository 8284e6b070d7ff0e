"""The wall: unseen from the photo's camera, around the picture when the camera draws back."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.animation.actions import FIRST_FRAME
from photo_wake_up.addon.scene.objects import wall
from photo_wake_up.addon.scene.render import stills
from photo_wake_up.addon.scene.render.camera import photo_camera

from . import figures

PULLED = 2.1  # so many times the picture's width fits into the view at the end


@pytest.fixture
def shot(empty_file):
    """Two seconds of a scene, and its collection."""
    collection = build.build_scene(figures.result())
    stills.look_through(empty_file, collection, width=64, fps=figures.FPS)
    empty_file.frame_end = FIRST_FRAME + 48
    return empty_file, collection


def test_frame_one_stays_the_photo(shot):
    scene, collection = shot
    before = stills.first_frame(scene, collection)
    wall.choose_wall(collection, hung=True)
    assert np.array_equal(stills.first_frame(scene, collection), before)


def test_the_picture_hangs_in_the_middle_of_the_wall(shot):
    scene, collection = shot
    wall.choose_wall(collection, hung=True)
    assert stills.choose_camera(scene, collection, "pull_back") == ""
    stills.choose_light(collection, shadow=False, lit=False)
    for item in (*build.find_parts(collection).characters, build.find_parts(collection).ground):
        item.hide_render = True
    seen = stills.stills(scene, collection, [FIRST_FRAME, scene.frame_end], 96)[1].astype(int)
    plaster = seen[2, 2]
    assert np.abs(seen[[2, 2, -3, -3], [2, -3, 2, -3]] - plaster).max() <= 1
    other = np.abs(seen - plaster).max(axis=2) > 8
    rows, columns = np.flatnonzero(other.any(axis=1)), np.flatnonzero(other.any(axis=0))
    # The frame is all that differs from the wall: it is closed, and as wide on the left of the
    # picture as on the right of it, and above as below.
    _, lens = photo_camera(build.find_parts(collection).camera, build.photo_size(collection))
    size, shown = np.array([lens.width, lens.height]), 96 / lens.width
    centre = np.array([lens.cx, lens.cy])
    low, high = ((centre + (edge - 0.5 - centre) / PULLED) * shown for edge in (0 * size, size))
    left, above = low - [columns[0], rows[0]]
    right, below = np.array([columns[-1], rows[-1]]) + 1 - high
    assert left > 1
    assert [right, above, below] == pytest.approx([left] * 3, abs=1.5)
    ring = other[rows[0] + 1 : rows[-1], columns[0] + 1 : columns[-1]]  # within the soft edge
    assert ring[[0, -1]].all()
    assert ring[:, [0, -1]].all()


def test_the_wall_comes_off_again(shot):
    scene, collection = shot
    blocks = [set(bpy.data.objects), set(bpy.data.meshes), set(bpy.data.materials)]
    for hung in (True, True, False, False):
        wall.choose_wall(collection, hung)
        assert (wall.find_wall(collection) is not None) == hung
    assert blocks == [set(bpy.data.objects), set(bpy.data.meshes), set(bpy.data.materials)]
    assert "wall" in stills.choose_camera(scene, collection, "pull_back")


def test_the_wall_goes_with_its_result(shot):
    _, collection = shot
    wall.choose_wall(collection, hung=True)
    build.remove_scene(collection)
    assert not [name for name in bpy.data.objects.keys() if "Wall" in name]
    assert not [name for name in bpy.data.materials.keys() if "Wall" in name]
