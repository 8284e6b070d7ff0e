"""The way that the character walks, as a Bezier curve on the ground that the user edits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Vector
from mathutils.geometry import interpolate_bezier

from ...core.types import Float64, Motion
from ..id_properties import PATH, numbers

Points = tuple[tuple[float, float, float], ...]

_TRAVELS_M = 0.5  # who goes less stays in place and needs no path
_SAMPLES = 24  # points a segment of the curve
_UNCHANGED_M = 1e-4  # Blender keeps single floats
_WIDTH = 3  # control points of a new path: its middle can be dragged at once


def add_path(
    name: str, motion: Motion, collection: bpy.types.Collection
) -> bpy.types.Object | None:
    """A straight curve from the motion's first to its last place; None if it does not travel.
    Who walks on the spot, since the picture has no room, has a short one ahead, to be drawn out."""
    first, last = (np.array([*motion.root[frame, :2], 0.0]) for frame in (0, -1))
    if np.linalg.norm(last - first) < _TRAVELS_M:
        if not motion.travels:
            return None
        last = first + np.array([0.0, -_TRAVELS_M, 0.0])  # towards the viewer
    data = bpy.data.curves.new(name, "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new("BEZIER")
    spline.bezier_points.add(_WIDTH - 1)
    third = (last - first) / (3 * (_WIDTH - 1))
    for share, point in zip(np.linspace(0.0, 1.0, _WIDTH), spline.bezier_points, strict=True):
        place = first + share * (last - first)
        point.co = Vector(place)
        point.handle_left, point.handle_right = Vector(place - third), Vector(place + third)
        point.handle_left_type = point.handle_right_type = "ALIGNED"
    path = bpy.data.objects.new(name, data)
    path.hide_render = True
    collection.objects.link(path)
    path[PATH] = _sampled(path).ravel().tolist()
    return path


def find_path(collection: bpy.types.Collection) -> bpy.types.Object | None:
    """The path of a result; None if it has none."""
    for item in collection.all_objects:
        if PATH in item and item.type == "CURVE":
            return item
    return None


def read_path(collection: bpy.types.Collection | None) -> Points:
    """Points along the path that the user has made of it, metres, world; empty if there is
    none, or it is as it was made."""
    path = find_path(collection) if collection is not None else None
    if path is None:
        return ()
    points = _sampled(path)
    made = numbers(path, PATH, points.size)
    if made is not None and np.abs(points.ravel() - made).max(initial=0.0) < _UNCHANGED_M:
        return ()
    return tuple((float(x), float(y), float(z)) for x, y, z in points.round(5))


def take_out(path: bpy.types.Object) -> None:
    """Take the path out of all collections, so that it outlives them."""
    for collection in list(path.users_collection):
        collection.objects.unlink(path)


def put_in(path: bpy.types.Object, collection: bpy.types.Collection) -> None:
    """Make the path a result's own, in place of the one that was made with it."""
    made = find_path(collection)
    if made is not None:
        name, curve = made.name, made.data
        bpy.data.batch_remove([made, curve])
        path.name = name
    collection.objects.link(path)


def _sampled(path: bpy.types.Object) -> Float64:
    """(N, 3) points of all splines one after the other, metres, world."""
    points: list[Sequence[float]] = []
    for spline in path.data.splines:
        if spline.type == "BEZIER":
            knots = list(spline.bezier_points)
            if spline.use_cyclic_u:
                knots.append(knots[0])
            for one, other in itertools.pairwise(knots):
                points += interpolate_bezier(
                    one.co, one.handle_right, other.handle_left, other.co, _SAMPLES
                )
        else:
            points += [point.co[:3] for point in spline.points]
    local = np.array([tuple(point) for point in points], np.float64).reshape(-1, 3)
    # The object may have been moved since the scene was last evaluated.
    place = np.array(path.matrix_basis if path.parent is None else path.matrix_world, np.float64)
    return local @ place[:3, :3].T + place[:3, 3]
