"""Exact answers beside the picture: matte, depth, normals, joints, all through its camera."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
import numpy.typing as npt

from ...addon.core.body.model.skeleton import SMPL_JOINTS
from ...addon.core.frames import project, transform
from ...addon.scene.output_files import render_path
from .camera import View
from .materials import Graph
from .person import DressedPerson

MATTE_SAMPLES = 16  # rays a pixel; the edge's opacity is right to about 1 / 16


def render_pixels(path: Path) -> npt.NDArray[np.float32]:
    """Render the scene into an OpenEXR file and read it back: (H, W, 4) linear, top row first."""
    scene = bpy.context.scene
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.image_settings.color_depth = "32"
    scene.render.filepath = render_path(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    width, height = image.size
    pixels = np.zeros(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    path.unlink()
    return pixels.reshape(height, width, 4)[::-1].copy()


@contextmanager
def _measuring(place: bpy.types.Collection, what: str, samples: int) -> Iterator[None]:
    """The person alone, painted with `what` (Position or Normal, world frame), without blur."""
    scene = bpy.context.scene
    graph = Graph(what)
    shader = graph.node(
        "ShaderNodeEmission", {0: graph.node("ShaderNodeNewGeometry").outputs[what]}
    )
    graph.tree.links.new(shader.outputs[0], graph.output.inputs["Surface"])
    layer = scene.view_layers[0]
    cycles = scene.cycles
    before = (cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling,
              cycles.filter_width)  # fmt: skip
    layer.material_override = graph.material
    place.hide_render = True
    scene.render.film_transparent = True
    scene.camera.data.dof.use_dof = False
    cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling = samples, False, False
    if samples == 1:
        cycles.filter_width = 0.01  # pixels: the ray goes through the pixel's centre
    try:
        yield
    finally:
        layer.material_override = None
        place.hide_render = False
        scene.render.film_transparent = False
        scene.camera.data.dof.use_dof = True
        (cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling,
         cycles.filter_width) = before  # fmt: skip
        bpy.data.materials.remove(graph.material)


def write_ground_truth(
    folder: Path, view: View, person: DressedPerson, place: bpy.types.Collection
) -> npt.NDArray[np.float32]:
    """Write mask, matte, depth, normals and joints; returns the matte (H, W), 0..1.

    mask.png     8 bit, 255 where at least half of the pixel is the person
    matte.png    8 bit, share of the pixel that is the person, without the lens's blur
    depth.npz    `depth` (H, W) float32, metres along the camera's z, NaN off the person
    normals.npz  `normal` (H, W, 3) float32, unit, outward, camera frame, NaN off the person
    joints.json  camera, SMPL pose, shape and joints
    """
    scratch = folder / "pass.exr"
    with _measuring(place, "Position", MATTE_SAMPLES):
        matte = render_pixels(scratch)[..., 3]
    with _measuring(place, "Position", 1):
        position = render_pixels(scratch)
    with _measuring(place, "Normal", 1):
        normal = render_pixels(scratch)
    camera_from_world = np.linalg.inv(view.world_from_camera())
    hit = position[..., 3] > 0.5
    points = transform(camera_from_world, position[..., :3].astype(np.float64))
    depth = np.where(hit, points[..., 2], np.nan).astype(np.float32)
    turned = normal[..., :3].astype(np.float64) @ camera_from_world[:3, :3].T
    turned /= np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1e-9)
    normals = np.where(hit[..., None], turned, np.nan).astype(np.float32)
    np.savez_compressed(folder / "depth.npz", depth=depth)
    np.savez_compressed(folder / "normals.npz", normal=normals)
    write_png(folder / "matte.png", matte[..., None])
    write_png(folder / "mask.png", (matte[..., None] >= 0.5).astype(np.float32))
    _write_joints(folder / "joints.json", view, person)
    return matte


def _write_joints(path: Path, view: View, person: DressedPerson) -> None:
    camera = view.camera()
    joints = transform(np.linalg.inv(view.world_from_camera()), person.joints)
    fields = {
        "camera": {
            "focal_px": camera.focal_px, "cx": camera.cx, "cy": camera.cy,
            "width": camera.width, "height": camera.height,
            "world_from_camera": view.world_from_camera().tolist(),
        },
        "joint_names": list(SMPL_JOINTS),
        "joints_px": np.round(project(camera, joints), 3).tolist(),
        "joints_camera_m": np.round(joints, 5).tolist(),
        "pose_axis_angle": np.round(person.pose, 6).tolist(),
        "betas": np.round(person.shape.betas, 6).tolist(),
        "height_m": float(np.ptp(person.shape.bare[:, 1])),
    }  # fmt: skip
    path.write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")


def write_png(path: Path, values: npt.NDArray[np.float32]) -> None:
    """Write (H, W, 1 or 3) values 0..1 as they are, 8 bits."""
    from PIL import Image

    levels = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(levels.squeeze()).save(path, optimize=True)
