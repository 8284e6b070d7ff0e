"""The photo's camera as a Blender camera."""

from __future__ import annotations

import bpy
from mathutils import Matrix

from ..core import frames
from ..core.types import Camera, Float64

SENSOR_WIDTH_MM = 36.0  # full frame: focal lengths read as photographers know them
_NEAREST_M = 0.02  # a walker may come close
_FARTHEST_M = 1000.0


def new_camera(
    name: str,
    camera: Camera,
    world_from_camera: Float64,
    reference: bpy.types.Image | None = None,
) -> bpy.types.Object:
    """A camera object that projects as `camera` does when the render has the photo's aspect.

    world_from_camera : (4, 4); reference : the photo, shown half transparent behind the scene
    """
    data = bpy.data.cameras.new(name)
    # Horizontal fit ties lens and shift to the width alone.
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_WIDTH_MM
    data.lens = camera.focal_px * SENSOR_WIDTH_MM / camera.width
    data.shift_x = ((camera.width - 1) / 2 - camera.cx) / camera.width
    data.shift_y = (camera.cy - (camera.height - 1) / 2) / camera.width
    data.clip_start, data.clip_end = _NEAREST_M, _FARTHEST_M
    if reference is not None:
        background = data.background_images.new()
        background.image = reference
        background.alpha = 0.5
        background.display_depth = "BACK"
        # Videos have even heights, rounded down: the photo is cut there, not squeezed.
        background.frame_method = "CROP"
        data.show_background_images = True

    matrix = world_from_camera.copy()
    matrix[:3, :3] = world_from_camera[:3, :3] @ frames.CAMERA_FROM_BLENDER_CAMERA
    camera_object = bpy.data.objects.new(name, data)
    camera_object.matrix_world = Matrix(matrix.tolist())
    return camera_object
