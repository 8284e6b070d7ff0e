"""The shadow lies where the sun's rays end, follows the sun, and is not on frame 1."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from mathutils import Vector

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.objects import light
from photo_wake_up.addon.scene.render import stills

from . import figures

CELL_M = 0.012


def points_of(item: bpy.types.Object) -> np.ndarray:
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    evaluated.to_mesh_clear()
    return frames.transform(np.array(evaluated.matrix_world), points.reshape(-1, 3).astype(float))


@pytest.fixture
def shot(empty_file):
    """A scene, its collection, sun and shadow."""
    collection = build.build_scene(figures.result())
    sun = next(item for item in collection.objects if item.name.endswith("Sun"))
    shadow = next(item for item in collection.objects if item.name.endswith("Shadow"))
    stills.look_through(empty_file, collection, width=160, fps=figures.FPS)
    return empty_file, collection, sun, shadow


@pytest.mark.parametrize("toward", [(-0.5, -0.5, 0.7), (0.6, 0.2, 0.6), (0.0, 0.0, 1.0)])
def test_shadow_is_the_figure_along_the_rays(shot, toward):
    scene, collection, sun, shadow = shot
    sun.rotation_quaternion = Vector(toward).to_track_quat("Z", "Y")
    scene.frame_set(5)
    figure = points_of(build.find_parts(collection).character)
    ray = np.array(toward) / np.linalg.norm(toward)
    fallen = (figure - ray * (np.maximum(figure[:, 2:], 0) / ray[2]))[:, :2]
    found = points_of(shadow)
    assert found[:, 2].min() > 0 and found[:, 2].max() < 0.01
    # Each way, to the soft edge's width: no shadow without the figure, no figure without shadow.
    apart = np.linalg.norm(found[:, None, :2] - fallen[None], axis=2)
    assert np.quantile(apart.min(axis=0), 0.95) < 4 * CELL_M
    assert np.abs(found[:, :2].min(axis=0) - fallen.min(axis=0)).max() < 6 * CELL_M
    assert np.abs(found[:, :2].max(axis=0) - fallen.max(axis=0)).max() < 6 * CELL_M


def test_shadow_darkens_the_picture_but_not_frame_one(shot):
    scene, collection, sun, _shadow = shot
    sun.rotation_quaternion = Vector((-0.4, -0.6, 0.7)).to_track_quat("Z", "Y")
    pictures = {}
    for shown in (True, False):
        stills.choose_light(collection, shown, lit=False)
        pictures[shown] = stills.stills(scene, collection, (1, 5), 160)
    first, later = (
        np.abs(pictures[True][index].astype(int) - pictures[False][index]) for index in (0, 1)
    )
    assert first.max() == 0
    assert (later.max(axis=-1) > 10).mean() > 0.001
    assert (pictures[True][1].astype(int) <= pictures[False][1].astype(int) + 1).all()


def test_relighting_switches_the_material_and_back(shot):
    _, collection, _, _ = shot
    character = build.find_parts(collection).character
    for lit in (True, False):
        stills.choose_light(collection, True, lit)
        assert {polygon.material_index for polygon in character.data.polygons} == {int(lit)}
    assert character.data.materials[1].name.endswith("Lit")


def test_nothing_of_the_light_is_left_behind(shot):
    _, collection, _, _ = shot
    assert light.made_for(collection.objects)
    build.remove_scene(collection)
    for blocks in (bpy.data.lights, bpy.data.node_groups, bpy.data.materials, bpy.data.meshes):
        assert not len(blocks)
