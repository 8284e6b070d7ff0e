"""Joints and a box over the photo, as objects to drag, and back to pixels.

They stand in a plane before the photo's camera. That camera is noted on their collection, so that
they keep their meaning when the file is saved, opened again, or its camera is moved.
"""

from __future__ import annotations

import bmesh
import bpy
import numpy as np
from mathutils import Vector

from ...core import frames
from ...core.errors import WakeUpError
from ...core.perception.landmarks.joints import MOVED_PX, joints_of
from ...core.types import Camera, Detection, Float64
from ..id_properties import BOX, FOUND_AT, LENS, MARKED_JOINT, MARKER_DEPTH, MARKER_PLACE, numbers
from ..linked_data import require_own

Box = tuple[float, float, float, float]  # x0 y0 x1 y1 in photo pixels

_RADIUS_SHARE = 0.006  # a joint's radius over the photo's longer side
_COLOURS = {  # as on the contact sheet
    "left": (1.0, 0.26, 0.0, 1.0),
    "right": (0.0, 0.35, 1.0, 1.0),
    "middle": (1.0, 1.0, 1.0, 1.0),
}


def new_corrections(
    name: str,
    person: Detection | None,
    camera: Camera,
    world_from_camera: Float64,
    depth: float,
    parent: bpy.types.Collection,
) -> bpy.types.Collection:
    """A collection in `parent` with an object for each joint of `person`, in the plane `depth`
    metres before the camera. None of it renders."""
    collection = bpy.data.collections.new(f"{name} Corrections")
    parent.children.link(collection)
    collection.hide_render = True
    collection[LENS] = [camera.focal_px, camera.cx, camera.cy, camera.width, camera.height]
    collection[MARKER_PLACE] = np.asarray(world_from_camera, np.float64).ravel().tolist()
    collection[MARKER_DEPTH] = depth
    if person is None:
        return collection
    size = _RADIUS_SHARE * max(camera.width, camera.height) * depth / camera.focal_px
    balls = {side: _new_ball(f"{name} {side} joint", side, size) for side in _COLOURS}
    joints = joints_of(person.landmarks)
    points = _points(collection, np.array(list(joints.values())))
    for joint, point in zip(joints, points, strict=True):
        ball = bpy.data.objects.new(joint.replace("_", " "), balls[_side(joint)])
        ball[MARKED_JOINT], ball[FOUND_AT] = joint, list(joints[joint])
        ball.location = Vector(point)
        ball.show_name = ball.show_in_front = True
        ball.hide_render = True
        collection.objects.link(ball)
    return collection


def add_box(collection: bpy.types.Collection, box: Box) -> bpy.types.Object:
    """A rectangle over the photo of a result's collection, to be moved and scaled; takes the place
    of one that is there."""
    home = _home(collection)
    if home is None:
        raise WakeUpError("The photo's own view is gone: press Find Person first.")
    require_own(home)
    for old in [item for item in home.objects if BOX in item]:
        bpy.data.meshes.remove(old.data)  # and the object with it
    x0, y0, x1, y1 = box
    corners = _points(home, np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64))
    centre = corners.mean(axis=0)
    mesh = bpy.data.meshes.new("Box")
    mesh.from_pydata((corners - centre).tolist(), [(0, 1), (1, 2), (2, 3), (3, 0)], [])
    frame = bpy.data.objects.new("Box", mesh)
    frame[BOX] = True
    frame.location = Vector(centre)
    frame.show_name = frame.show_in_front = True
    frame.hide_render = True
    home.objects.link(frame)
    return frame


def read_joints(collection: bpy.types.Collection) -> dict[str, tuple[float, float]] | None:
    """Photo pixels of the joints in a result's collection, wherever they were dragged; None if
    there are none."""
    home = _home(collection)
    if home is None:
        return None
    balls = [item for item in home.objects if MARKED_JOINT in item]
    if not balls:
        return None
    pixels = _pixels(home, [ball.matrix_world.translation for ball in balls])
    return {
        str(ball[MARKED_JOINT]): (float(x), float(y))
        for ball, (x, y) in zip(balls, pixels, strict=True)
    }


def are_joints_moved(collection: bpy.types.Collection) -> bool:
    """Whether the user has dragged a joint of a result since it was found."""
    home = _home(collection)
    items = home.objects if home is not None else ()
    found = {ball: place for ball in items if (place := numbers(ball, FOUND_AT, 2)) is not None}
    if not found:
        return False
    pixels = _pixels(home, [ball.matrix_world.translation for ball in found])
    away = np.linalg.norm(pixels - np.array(list(found.values())), axis=1)
    return bool((away > MOVED_PX).any())


def read_box(collection: bpy.types.Collection) -> Box | None:
    """The box in a result's collection in whole photo pixels; None if there is none."""
    home = _home(collection)
    found = [item for item in home.objects if BOX in item] if home is not None else []
    if not found:
        return None
    corners = [found[0].matrix_world @ vertex.co for vertex in found[0].data.vertices]
    pixels = np.rint(_pixels(home, corners))
    (x0, y0), (x1, y1) = pixels.min(axis=0).tolist(), pixels.max(axis=0).tolist()
    return x0, y0, x1, y1


def _home(collection: bpy.types.Collection) -> bpy.types.Collection | None:
    return next((child for child in collection.children_recursive if _has_view(child)), None)


def _has_view(home: bpy.types.Collection) -> bool:
    """Whether the camera noted on a collection can still be read."""
    lens, place = numbers(home, LENS, 5), numbers(home, MARKER_PLACE, 16)
    return lens is not None and place is not None and isinstance(home.get(MARKER_DEPTH), float)


def _points(home: bpy.types.Collection, pixels: Float64) -> Float64:
    """(N, 3) where photo pixels (N, 2) are in the world, in the plane of the corrections."""
    camera, place = _view(home)
    points = frames.unproject(camera, pixels, np.full(len(pixels), float(home[MARKER_DEPTH])))
    return frames.transform(place, points)


def _view(home: bpy.types.Collection) -> tuple[Camera, Float64]:
    focal, cx, cy, width, height = home[LENS]
    return Camera(focal, cx, cy, int(width), int(height)), np.array(home[MARKER_PLACE]).reshape(
        4, 4
    )


def _pixels(home: bpy.types.Collection, points: list[Vector]) -> Float64:
    """(N, 2) photo pixels of points in the world."""
    camera, place = _view(home)
    seen = frames.transform(np.linalg.inv(place), np.array([list(p) for p in points], np.float64))
    # What was dragged behind the camera stays somewhere: it has to be dragged again anyway.
    seen[:, 2] = np.maximum(seen[:, 2], 1e-3)
    return frames.project(camera, seen)


def _new_ball(name: str, side: str, radius: float) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    shape = bmesh.new()
    bmesh.ops.create_icosphere(shape, subdivisions=2, radius=radius)
    shape.to_mesh(mesh)
    shape.free()
    material = bpy.data.materials.new(name)
    material.diffuse_color = _COLOURS[side]
    mesh.materials.append(material)
    return mesh


def _side(joint: str) -> str:
    return joint.partition("_")[0] if joint.startswith(("left_", "right_")) else "middle"
