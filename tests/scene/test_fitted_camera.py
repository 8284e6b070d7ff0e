"""Blender's camera shows the fitted body on the very pixels that the fit projects it to."""

from __future__ import annotations

from itertools import product

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES
from photo_wake_up.addon.core.body.model.skinning import skin, skinned_points
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.types import Camera, FittedBody, Photo
from photo_wake_up.addon.scene import preview
from photo_wake_up.addon.scene.render import stills
from photo_wake_up.addon.scene.render.camera import new_camera
from photo_wake_up.addon.scene.render.settings import even_size, set_size
from photo_wake_up.addon.scene.rig import pose_correction

MOST_PX = 0.25  # of the photo
SIZES = {
    "portrait": (800, 1200),
    "landscape": (1600, 900),
    "square": (512, 512),
    "odd": (333, 517),
    "large": (4001, 2667),
}
FOCAL_SHARES = (0.6, 1.0, 3.5)  # of the longer side: wide angle, default, telephoto
VERTEX_STEP = 41  # every so many vertices are looked at


def fitted_body(model: BodyModel, camera: Camera) -> FittedBody:
    """A body in a pose of its own that fills four fifths of the photo's height."""
    random = np.random.default_rng(2)
    turns = random.normal(0, 0.3, (24, 3))
    turns[0] = (np.pi, 0.2, 0.0)
    depth = 1.7 * camera.focal_px / (0.8 * camera.height)
    aside = ((camera.width / 2 - camera.cx) / camera.focal_px) * depth
    place = np.array([aside, 0.1, depth])
    betas = np.zeros(model.shape_count)
    body = skin(skinned_points(model), betas, turns, place)
    arrays = {
        "betas": betas, "pose": turns, "translation": place,
        "vertices": body.vertices, "joints": body.joints, "transforms": body.transforms,
        "rest_joints": body.rest_joints,
    }  # fmt: skip
    return FittedBody(
        scale=1.0, camera=camera, **{k: v.astype(np.float32) for k, v in arrays.items()}
    )


def pixels_in_blender(scene: bpy.types.Scene, points: np.ndarray, size: tuple[int, int]):
    """(N, 2) photo pixels of points in the world. A render of the photo's aspect, or one cut a
    little at its top and bottom, shows the photo at the same scale along both axes, about the same
    centre."""
    seen = np.array([world_to_camera_view(scene, scene.camera, Vector(p)) for p in points])
    rendered = np.array([scene.render.resolution_x, scene.render.resolution_y], np.float64)
    rendered *= scene.render.resolution_percentage / 100
    from_centre = (seen[:, :2] - 0.5) * [1, -1] * rendered * (size[0] / rendered[0])
    return from_centre + (np.array(size) - 1) / 2


@pytest.mark.parametrize(("shape", "share"), list(product(SIZES, FOCAL_SHARES)))
@pytest.mark.parametrize("centred", [True, False])
def test_posed_body_lies_on_its_pixels(empty_file, body, shape, share, centred):
    width, height = SIZES[shape]
    camera = frames.default_camera(width, height, share * max(width, height))
    if not centred:
        camera = Camera(
            camera.focal_px, camera.cx + 0.11 * width, camera.cy - 0.07 * height, width, height
        )
    fitted = fitted_body(body, camera)
    photo = Photo(np.zeros((height, width, 3), np.uint8), None, None, "photo")
    collection = preview.build_preview(WakeUpResult(photo=photo, fitted=fitted), "", empty_file)
    stills.show_photo(empty_file, collection)
    bpy.context.view_layer.update()

    armature = pose_correction.find_posed(collection)
    mesh_object = next(item for item in collection.objects if item.parent == armature)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    mesh = mesh_object.evaluated_get(depsgraph).to_mesh()
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    vertices = vertices.reshape(-1, 3)[::VERTEX_STEP]
    posed = armature.evaluated_get(depsgraph)
    joints = np.array([posed.pose.bones[name].head for name in BONE_NAMES])
    points = np.concatenate([joints, vertices])
    fit = np.concatenate([fitted.joints, fitted.vertices[::VERTEX_STEP]]).astype(np.float64)
    expected = frames.project(camera, fit)

    resolutions = [
        (empty_file.render.resolution_x, empty_file.render.resolution_y, 100),
        (width, height, 100),
        (2 * width, 2 * height, 50),
        (*even_size((width, height), 96), 100),
    ]
    for across, down, percentage in resolutions:
        set_size(empty_file, across, down)
        empty_file.render.resolution_percentage = percentage
        found = pixels_in_blender(empty_file, points, (width, height))
        assert np.abs(found - expected).max() < MOST_PX, (across, down, percentage)

    # The matrices say the same by themselves.
    set_size(empty_file, width, height)
    seen = camera_matrix(empty_file, depsgraph, width, height)
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ seen.T
    clip = homogeneous[:, :2] / homogeneous[:, 3:]
    found = (clip * [0.5, -0.5] + 0.5) * [width, height] - 0.5
    assert np.abs(found - expected).max() < MOST_PX


@pytest.mark.parametrize("away", [1.0, 4.0, 40.0, 250.0])
def test_depths_of_a_limb_stay_apart_however_far_the_camera_is(empty_file, away):
    """A telephoto lens stands far off: a millimetre there is more than a step of a renderer's 24
    bits of depth."""
    place = np.eye(4)
    place[:3, 3] = [0.0, -away, 1.0]
    made = new_camera("Camera", Camera(3e4, 400, 500, 800, 1000), place)
    near = made.data.clip_start
    assert away**2 / near / 2**24 < 1e-3
    assert near < 0.1 * away and made.data.clip_end > 2 * away


def camera_matrix(scene, depsgraph, width: int, height: int) -> np.ndarray:
    """(4, 4) from the world to Blender's clip space, as its renderers have it."""
    projection = scene.camera.calc_matrix_camera(depsgraph, x=width, y=height)
    return np.array(projection, np.float64) @ np.array(scene.camera.matrix_world.inverted())
