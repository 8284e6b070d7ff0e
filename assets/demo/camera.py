"""The demo's photographer: a level camera, its exact pinhole model, and the render settings."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...addon.core.frames import CAMERA_FROM_BLENDER_CAMERA, default_camera, world_from_camera
from ...addon.core.types import Camera, Float64

FILM_MM = 36.0  # along the longer side, as a camera's lens is told in


@dataclass(frozen=True)
class View:
    """Where the picture is taken from; metres, world frame, looking along +y, level."""

    width: int = 864
    height: int = 1152
    focal: float = 42 / FILM_MM  # in longer sides of the picture: 42 mm where film is 36 mm long
    distance: float = 2.72  # to the person's axis
    eye_height: float = 0.92
    aside: float = 0.05
    aperture: float = 4.0  # f-number

    def camera(self) -> Camera:
        """The pinhole model, principal point in the middle."""
        return default_camera(self.width, self.height, self.focal * max(self.width, self.height))

    def world_from_camera(self) -> Float64:
        """(4, 4) from the camera's frame to the world's."""
        matrix = world_from_camera(np.zeros(3))
        matrix[:3, 3] = [self.aside, -self.distance, self.eye_height]
        return matrix


def add_camera(view: View) -> bpy.types.Object:
    """A Blender camera with a lens's blur that projects as `view.camera()` does."""
    thing = add_pinhole_camera(view.camera(), view.world_from_camera())
    dof = thing.data.dof
    dof.use_dof = True
    dof.focus_distance = view.distance - 0.12
    dof.aperture_fstop = view.aperture
    return thing


def add_pinhole_camera(camera: Camera, world_from_camera: Float64) -> bpy.types.Object:
    """A Blender camera that projects as `camera` does, made the scene's own with its resolution.

    world_from_camera : (4, 4) rigid, from the camera's frame
    """
    scene = bpy.context.scene
    data = bpy.data.cameras.new("Camera")
    data.sensor_fit = "HORIZONTAL" if camera.width >= camera.height else "VERTICAL"
    data.sensor_width = data.sensor_height = FILM_MM
    data.lens = FILM_MM * camera.focal_px / max(camera.width, camera.height)
    thing = bpy.data.objects.new("Camera", data)
    matrix = world_from_camera.copy()
    matrix[:3, :3] = matrix[:3, :3] @ CAMERA_FROM_BLENDER_CAMERA
    thing.matrix_world = matrix.T.tolist()
    scene.collection.objects.link(thing)
    scene.camera = thing
    scene.render.resolution_x, scene.render.resolution_y = camera.width, camera.height
    scene.render.resolution_percentage = 100
    return thing


def develop(samples: int, seed: int) -> None:
    """Cycles on the CPU, denoised, with a camera's tone curve."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples, cycles.seed = samples, seed
    cycles.use_adaptive_sampling = True
    cycles.adaptive_threshold = 0.03
    cycles.use_denoising = True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter = "FAST"
    cycles.max_bounces, cycles.diffuse_bounces = 3, 2
    cycles.glossy_bounces, cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 3, 4
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 6.0
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = 0.35
    scene.render.use_persistent_data = True
