"""How a scene renders: engine, colours, size, and the kind of file; and rendering to it."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...core.errors import OutputError, said_by
from ..output_files import render_path

# EEVEE's identifier has changed twice; the first that Blender takes is used.
_IDENTIFIERS = {
    "workbench": ("BLENDER_WORKBENCH",),
    "eevee": ("BLENDER_EEVEE_NEXT", "BLENDER_EEVEE"),
    "cycles": ("CYCLES",),
}
# Emission seen by the camera has no noise: samples only smooth the edges.
_SAMPLES = {"eevee": 8, "cycles": 16}
_PACKED = 15  # percent of the effort: more takes long and gains little


def even_size(photo: tuple[int, int], width: int) -> tuple[int, int]:
    """Render size of the photo's aspect; H.264 wants even numbers, rounded down so that nothing
    beyond the photo shows."""
    even_width = max(2, width // 2 * 2)
    return even_width, max(2, int(even_width * photo[1] / photo[0]) // 2 * 2)


def set_engine(scene: bpy.types.Scene, engine: str) -> None:
    """Choose the engine ('workbench', 'eevee', 'cycles'), unlit and unsmeared."""
    for identifier in _IDENTIFIERS[engine]:
        try:
            scene.render.engine = identifier
            break
        except TypeError:
            continue
    else:
        raise OutputError(f"This Blender has no {engine} engine: choose another one.")
    if engine == "workbench":
        shading = scene.display.shading
        shading.light, shading.color_type = "FLAT", "TEXTURE"
        shading.show_shadows = shading.show_cavity = shading.show_xray = False
        shading.show_object_outline = shading.show_specular_highlight = False
        shading.use_dof = False
        # Each sample draws the scene again: eight take half as long again and look the same.
        scene.display.render_aa = "5"
    elif engine == "eevee":
        scene.eevee.taa_render_samples = _SAMPLES["eevee"]
    else:
        scene.cycles.samples = _SAMPLES["cycles"]
        scene.cycles.use_denoising = False


def set_photo_colours(scene: bpy.types.Scene) -> None:
    """sRGB in, sRGB out: what the texture holds is what the file holds."""
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0
    scene.render.dither_intensity = 0.0


def set_size(scene: bpy.types.Scene, width: int, height: int) -> None:
    """Render size in pixels, at full percentage and with square pixels."""
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0


def set_video(scene: bpy.types.Scene, path: Path | str) -> None:
    """H.264 in MP4, yuv420p, visually lossless.

    path : of a file .mp4; text is taken as Blender's own notation, in which `//` is the folder of
        the open file
    """
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    settings.color_mode = "RGB"
    ffmpeg = scene.render.ffmpeg
    ffmpeg.format, ffmpeg.codec = "MPEG4", "H264"
    ffmpeg.constant_rate_factor, ffmpeg.ffmpeg_preset = "HIGH", "GOOD"
    ffmpeg.gopsize = 12  # half a second at 24 frames per second: smooth seeking
    ffmpeg.audio_codec = "NONE"
    # With it Blender leaves a name with this suffix as it is; without, `#` would become numbers.
    scene.render.use_file_extension = True
    scene.render.filepath = render_path(path) if isinstance(path, Path) else path


def set_frames(
    scene: bpy.types.Scene, folder: Path | str, transparent: bool = False, packed: bool = True
) -> None:
    """PNG files frame_0001.png and so on in `folder`, given as in `set_video`; not `packed`, they
    are written sooner."""
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = "PNG"
    settings.color_mode = "RGBA" if transparent else "RGB"
    settings.color_depth = "8"
    settings.compression = _PACKED if packed else 0
    scene.render.use_file_extension = True
    place = render_path(folder) if isinstance(folder, Path) else folder
    scene.render.filepath = f"{place}/frame_####"


def render_animation(scene: bpy.types.Scene) -> None:
    """Render the frame range to where `set_video` or `set_frames` pointed."""
    try:
        bpy.ops.render.render(animation=True, scene=scene.name)
    except RuntimeError as error:
        raise OutputError(f"Rendering failed: {said_by(error)}.") from error


def render_still(scene: bpy.types.Scene, path: Path) -> None:
    """Render the current frame to a file of the kind that `set_frames` chose."""
    scene.render.filepath = render_path(path)
    try:
        bpy.ops.render.render(write_still=True, scene=scene.name)
    except RuntimeError as error:
        raise OutputError(f"Rendering failed: {said_by(error)}.") from error
