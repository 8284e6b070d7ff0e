"""The demo's photographer: a level camera, its exact pinhole model, and the render settings."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...addon.core.frames import default_camera, world_from_camera
from ...addon.core.types import Camera, Float64


@dataclass(frozen=True)
class View:
    """Where the picture is taken from; metres, world frame, looking along +y, level."""

    width: int = 864
    height: int = 1152
    focal: float = 42 / 36  # in longer sides of the picture: 42 mm where film is 36 mm long
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
    """A Blender camera that projects as `view.camera()` does, made the scene's own."""
    scene = bpy.context.scene
    data = bpy.data.cameras.new("Camera")
    data.sensor_fit = "HORIZONTAL" if view.width >= view.height else "VERTICAL"
    data.sensor_width = data.sensor_height = 36.0  # millimetres along the longer side
    data.lens = 36.0 * view.focal
    data.dof.use_dof = True
    data.dof.focus_distance = view.distance - 0.12
    data.dof.aperture_fstop = view.aperture
    thing = bpy.data.objects.new("Camera", data)
    thing.location = (view.aside, -view.distance, view.eye_height)
    thing.rotation_euler = (np.pi / 2, 0, 0)
    scene.collection.objects.link(thing)
    scene.camera = thing
    scene.render.resolution_x, scene.render.resolution_y = view.width, view.height
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
