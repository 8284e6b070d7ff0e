"""Camera moves as keyframes: they begin as the photo, are what was planned, and come off again."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from photo_wake_up.addon.core.staging.camera_moves import MOVES
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.animation.actions import FIRST_FRAME
from photo_wake_up.addon.scene.render import stills

from . import figures


def state(camera: bpy.types.Object) -> np.ndarray:
    data = camera.data
    return np.append(np.array(camera.matrix_world).ravel(), [data.lens, data.shift_x, data.shift_y])


@pytest.fixture
def shot(empty_file):
    """Ten seconds of a scene, and its collection."""
    collection = build.build_scene(figures.result())
    stills.look_through(empty_file, collection, width=64, fps=figures.FPS)
    empty_file.frame_end = FIRST_FRAME + 240
    return empty_file, collection


@pytest.mark.parametrize("name", MOVES)
def test_frame_one_is_the_photo_and_curves_are_smooth(shot, name):
    scene, collection = shot
    camera = build.find_parts(collection).camera
    photo, first = state(camera), stills.first_frame(scene, collection)
    stills.choose_camera(scene, collection, name)
    states = []
    for frame in range(FIRST_FRAME, scene.frame_end + 1):
        scene.frame_set(frame)
        states.append(state(camera))
    scene.frame_set(FIRST_FRAME)
    assert np.abs(state(camera) - photo).max() < 1e-6
    assert np.array_equal(stills.first_frame(scene, collection), first)
    assert np.abs(states[1] - states[0]).max() < 0.01
    moved = np.ptp(states, axis=0).max()
    assert moved > 0.05 or name in ("held", "pull_back")
    assert np.abs(np.diff(states, 2, axis=0)).max() < 0.01 * max(moved, 1e-3)
    # Chosen again, it begins at the photo again, and the held camera has no keys.
    scene.frame_set(100)
    stills.choose_camera(scene, collection, "held")
    bpy.context.view_layer.update()
    assert np.abs(state(camera) - photo).max() < 1e-6
    assert camera.animation_data is None or camera.animation_data.action is None
