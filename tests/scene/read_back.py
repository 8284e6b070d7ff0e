"""Exported files read by others: Blender's importers, frame by frame, and the validators of those
who define the formats, Khronos and Pixar."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from .. import validators


def corners(mesh_object: bpy.types.Object, frame: int) -> np.ndarray:
    """(T, 3, 3) world positions of each triangle's corners on a frame, metres."""
    scene = bpy.context.scene
    scene.frame_set(frame)
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    index = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", index)
    evaluated.to_mesh_clear()
    place = np.array(evaluated.matrix_world, np.float64)
    world = points.reshape(-1, 3) @ place[:3, :3].T + place[:3, 3]
    return world[index].reshape(-1, 3, 3)


def imported(importer, path: Path, **options) -> tuple[bpy.types.Object, bpy.types.Object]:
    """The largest mesh of a file and its armature, beside what the scene has already."""
    before = set(bpy.data.objects)
    importer(filepath=str(path), **options)
    new = [item for item in bpy.data.objects if item not in before]
    mesh = max((i for i in new if i.type == "MESH"), key=lambda item: len(item.data.polygons))
    # Whatever a file has besides positions, such as shapes that some importers draw bones with.
    (armature,) = (item for item in new if item.type == "ARMATURE")
    return mesh, armature


def farthest(mine: bpy.types.Object, other: bpy.types.Object, frames, shift: int = 0) -> float:
    """Metres between corners of two meshes of the same triangles, at most, over `frames` of mine,
    which are frames + shift of the other."""
    return max(
        float(np.linalg.norm(corners(mine, f) - corners(other, f + shift), axis=-1).max())
        for f in frames
    )


def assert_valid(path: Path) -> None:
    """Khronos' validator finds neither errors nor warnings; skips where it is not installed."""
    issues = validators.khronos(path)
    if issues is None:
        pytest.skip("the glTF validator is not installed: npm was not there at set-up")
    bad = [each for each in issues["messages"] if each["severity"] < 2]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), bad


def assert_valid_usd(path: Path) -> None:
    """Pixar's validators have nothing against a file; skips where they are not installed."""
    says = validators.pixar(path)
    if says is None:
        pytest.skip("Pixar's validators are not installed: make reference")
    assert not says
