"""What a scene shows of a result, its camera and light chosen, and stills of it: frame 1, moments
of the motion, the character alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...core.types import UInt8
from ..animation.actions import FIRST_FRAME
from ..build import SceneParts, find_parts, photo_size
from ..objects.images import read_file
from ..objects.light import relight, show_shadow
from ..objects.plate import backdrop_of
from ..objects.wall import find_wall
from .camera import move_camera, photo_camera
from .settings import (
    even_size,
    render_still,
    set_engine,
    set_frames,
    set_photo_colours,
    set_size,
)

DEFAULT_WIDTH = 960  # pixels


def look_through(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    engine: str = "workbench",
    width: int = DEFAULT_WIDTH,
    fps: float = 24.0,
) -> None:
    """Set the scene up to show and render the result: its camera, aspect, length and colours."""
    parts = find_parts(collection)
    scene.camera = parts.camera
    set_engine(scene, engine)
    set_photo_colours(scene)
    set_size(scene, *even_size(photo_size(collection), width))
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps
    scene.frame_start = FIRST_FRAME
    scene.frame_end = last_frame(parts)
    scene.frame_set(FIRST_FRAME)


def choose_camera(scene: bpy.types.Scene, collection: bpy.types.Collection, move: str) -> str:
    """Let the result's camera make one of `staging.camera_moves` over the scene's frames; returns
    what had to be limited, a sentence or ""."""
    parts = find_parts(collection)
    size = photo_size(collection)
    place, _ = photo_camera(parts.camera, size)
    bpy.context.view_layer.update()
    backdrop = None if find_wall(collection) is not None else backdrop_of(parts.plate, place)
    note = move_camera(scene, parts.camera, parts.armatures, move, size, backdrop)
    scene.frame_set(scene.frame_current)
    return note


def choose_light(collection: bpy.types.Collection, shadow: bool, lit: bool) -> None:
    """Whether the people cast their shadow on the ground, and whether the scene's lamps shade them
    (in EEVEE and Cycles) or the photo's colours stay as they are."""
    show_shadow(collection.all_objects, shadow)
    relight(find_parts(collection).characters, lit)


def show_photo(
    scene: bpy.types.Scene, collection: bpy.types.Collection, width: int = DEFAULT_WIDTH
) -> None:
    """Have the scene look through a preview's camera, at the photo's aspect, so that what is
    dragged lies over the photo."""
    scene.camera = next(item for item in collection.objects if item.type == "CAMERA")
    set_size(scene, *even_size(photo_size(collection), width))


def last_frame(parts: SceneParts) -> int:
    """The last frame of the longest clip or strips, FIRST_FRAME where there is none."""
    played = [armature.animation_data for armature in parts.armatures]
    ends = [item.action.frame_range[1] for item in played if item and item.action]
    ends += [
        track.strips[-1].frame_end
        for item in played
        if item
        for track in item.nla_tracks
        if len(track.strips) and not track.mute
    ]
    return int(round(max(ends, default=FIRST_FRAME)))


def first_frame(scene: bpy.types.Scene, collection: bpy.types.Collection) -> UInt8:
    """(H, W, 3): frame 1 through the photo's camera at the photo's size, pixel for pixel."""
    with _borrowed(scene):
        look_through(scene, collection)
        set_size(scene, *photo_size(collection))
        # Anti-aliasing averages over a pixel's neighbourhood; the photo's pixels are to be kept.
        scene.display.render_aa = "OFF"
        return _still(scene)[..., :3]


def silhouette(scene: bpy.types.Scene, collection: bpy.types.Collection) -> UInt8:
    """(H, W): opacity of the characters alone in frame 1 at the photo's size."""
    parts = find_parts(collection)
    with _borrowed(scene), only(scene, parts.characters):
        look_through(scene, collection)
        set_size(scene, *photo_size(collection))
        scene.display.render_aa = "OFF"
        scene.render.film_transparent = True
        return _still(scene)[..., 3]


def stills(
    scene: bpy.types.Scene, collection: bpy.types.Collection, at: list[int], width: int
) -> list[UInt8]:
    """(H, W, 3) each: frames of the motion through the photo's camera, `width` pixels wide."""
    pictures = []
    with _borrowed(scene):
        look_through(scene, collection, width=width)
        for frame in at:
            scene.frame_set(frame)
            pictures.append(_still(scene)[..., :3])
    return pictures


def views(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    yaws: tuple[float, ...],
    size: tuple[int, int],
    person: int = 1,
) -> list[UInt8]:
    """(H, W, 4) each: one person's character alone in the photo's pose, seen level and without
    perspective from directions turned by `yaws` degrees from the front (90 is its left side)."""
    character = find_parts(collection).characters[person - 1]
    pictures = []
    with _borrowed(scene), only(scene, (character,)):
        look_through(scene, collection)
        set_size(scene, *size)
        scene.render.film_transparent = True
        data = bpy.data.cameras.new("View")
        camera = bpy.data.objects.new("View", data)
        scene.collection.objects.link(camera)
        try:
            scene.camera = camera
            scene.frame_set(FIRST_FRAME)
            low, high = _bounds(character)
            centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
            aspect = size[0] / size[1]
            data.type, data.sensor_fit = "ORTHO", "VERTICAL"
            span = float(np.linalg.norm((high - low)[:2]))
            data.ortho_scale = 1.05 * max(float((high - low)[2]), span / aspect)
            data.clip_start, data.clip_end = 0.01, 4 * radius
            for yaw in yaws:
                turn = Matrix.Rotation(math.radians(yaw), 4, "Z")
                camera.matrix_world = (
                    Matrix.Translation(Vector(centre))
                    @ turn
                    @ Matrix.Translation((0.0, -2 * radius, 0.0))
                    @ Matrix.Rotation(math.pi / 2, 4, "X")
                )
                pictures.append(_still(scene))
        finally:
            bpy.data.objects.remove(camera)
            bpy.data.cameras.remove(data)
    return pictures


def _bounds(mesh_object: bpy.types.Object) -> tuple[Any, Any]:
    """Lowest and highest corner (3,) of the object as it is posed, in the world."""
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    evaluated.to_mesh_clear()
    place = np.array(evaluated.matrix_world, np.float32)
    points = points.reshape(-1, 3) @ place[:3, :3].T + place[:3, 3]
    return points.min(axis=0), points.max(axis=0)


def _still(scene: bpy.types.Scene) -> UInt8:
    """(H, W, 4): the current frame."""
    with TemporaryDirectory(prefix="wake-up-") as folder:
        set_frames(scene, Path(folder), transparent=scene.render.film_transparent)
        path = Path(folder) / "still.png"
        render_still(scene, path)
        return read_file(path)


@contextmanager
def only(scene: bpy.types.Scene, shown: Sequence[bpy.types.Object]) -> Iterator[None]:
    """Within, no other objects render."""
    before = {item: item.hide_render for item in scene.objects}
    for item in before:
        item.hide_render = item not in shown
    try:
        yield
    finally:
        for item, hidden in before.items():
            item.hide_render = hidden


@contextmanager
def _borrowed(scene: bpy.types.Scene) -> Iterator[None]:
    """Within, the scene's settings may be changed; afterwards they are as they were."""
    camera, frame = scene.camera, scene.frame_current
    kept = [
        (owner, name, getattr(owner, name))
        for owner, names in (
            (scene, ("frame_start", "frame_end")),
            (scene.render, _RENDER_SETTINGS),
            (scene.render.image_settings, _IMAGE_SETTINGS),
            (scene.view_settings, ("view_transform", "look", "exposure", "gamma")),
            (scene.display_settings, ("display_device",)),
            (scene.display, ("render_aa",)),
            (scene.display.shading, _SHADING_SETTINGS),
        )
        for name in names
        if hasattr(owner, name)
    ]
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)
        scene.camera = camera
        scene.frame_set(frame)


_RENDER_SETTINGS = (
    "engine", "resolution_x", "resolution_y", "resolution_percentage", "pixel_aspect_x",
    "pixel_aspect_y", "fps", "fps_base", "film_transparent", "dither_intensity", "filepath",
    "use_file_extension",
)  # fmt: skip
_IMAGE_SETTINGS = ("media_type", "file_format", "color_mode", "color_depth", "compression")
_SHADING_SETTINGS = (
    "light", "color_type", "show_shadows", "show_cavity", "show_xray", "show_object_outline",
    "show_specular_highlight", "use_dof",
)  # fmt: skip
