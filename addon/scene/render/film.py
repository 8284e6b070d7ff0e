"""A result's frames as a file for others: a video, pictures, the character alone, a loop."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path

import bpy

from ...core.interchange.animated_image import write_loop
from ...core.types import Progress
from ..animation.actions import frame_rate
from ..build import find_parts
from ..output_files import check_target, fits_render_path, plain_folder, put, said_of, with_suffix
from .settings import render_animation, set_frames, set_video
from .stills import only

# What is made, and the suffix of its file; folders of PNG files have none.
KINDS = {"mp4": ".mp4", "png": "", "character": "", "gif": ".gif", "webp": ".webp"}
_ENCODING_SHARE = 0.1  # of the time, where frames become one file afterwards


def film(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    kind: str,
    target: Path,
    stepwise: bool = False,
) -> Generator[Progress, None, Path]:
    """Render the scene's frames to `target`, a file or, for pictures, a folder.

    The scene is set up already (`look_through`, `choose_camera`). kind : of KINDS; "character" is
    PNG with alpha and nothing but the people. stepwise : one frame per step, for a window that has
    to stay alive; otherwise a video or pictures are rendered in one go. Closing the generator
    stops it: nothing is left at `target`. Raises OutputError, before any work where it is known
    then, where nothing can be written there.
    """
    path = with_suffix(target, KINDS[kind]) if KINDS[kind] else target
    alone = kind == "character"
    before, smoothed = scene.render.film_transparent, scene.display.render_aa
    place = scene.render.filepath
    check_target(path, is_folder=not KINDS[kind])
    with plain_folder(path) as folder, said_of(path):
        made = folder / f"made{KINDS[kind]}"
        shown = only(scene, find_parts(collection).characters) if alone else nullcontext()
        try:
            with shown:
                scene.render.film_transparent = alone
                # A preview: without a graphics card, samples take twice its time. What is cut out
                # for others keeps them, since this filter leaves alpha as it is.
                if not alone:
                    scene.display.render_aa = "FXAA"
                if kind == "mp4" and not stepwise:
                    yield Progress(0.0, "Rendering the video")
                    set_video(scene, made)
                    render_animation(scene)
                else:
                    set_frames(scene, folder, alone, packed=kind in ("png", "character"))
                    yield from _frames(scene, stepwise)
        finally:
            scene.render.film_transparent = before
            scene.display.render_aa = smoothed
            scene.render.filepath = place
        pictures = sorted(folder.glob("frame_*.png"))
        fps = frame_rate(scene)
        if kind in ("gif", "webp"):
            for step in write_loop(pictures, made, fps):
                yield _after(step)
        elif kind == "mp4" and stepwise:
            yield _after(Progress(0.0, "Encoding the video"))
            _encode(scene, pictures, made)
        if KINDS[kind]:
            put([made], [path])
        else:
            _put_pictures(pictures, path)
    if kind == "mp4" and fits_render_path(path):  # for Blender's own button
        set_video(scene, path)
    return path


def _after(step: Progress) -> Progress:
    return Progress(1 - _ENCODING_SHARE * (1 - step.fraction), step.message)


def _frames(scene: bpy.types.Scene, stepwise: bool) -> Generator[Progress, None, None]:
    first, last = scene.frame_start, scene.frame_end
    if not stepwise:
        yield Progress(0.0, f"Rendering {last - first + 1} frames")
        render_animation(scene)
        return
    # A range of one frame is rendered without drawing up the scene for the window as well.
    current = scene.frame_current
    try:
        for frame in range(first, last + 1):
            done = (frame - first) / (last - first + 1)
            yield Progress(done * (1 - _ENCODING_SHARE), f"Frame {frame - first + 1} of {last}")
            scene.frame_start = scene.frame_end = frame
            render_animation(scene)
    finally:
        scene.frame_start, scene.frame_end = first, last
        scene.frame_set(current)


def _encode(scene: bpy.types.Scene, pictures: list[Path], path: Path) -> None:
    """Frames to H.264 by Blender's own encoder, in a scene of its own that is gone afterwards."""
    cutting = bpy.data.scenes.new("Wake-Up Encoding")
    try:
        cutting.render.resolution_x = scene.render.resolution_x
        cutting.render.resolution_y = scene.render.resolution_y
        cutting.render.fps, cutting.render.fps_base = scene.render.fps, scene.render.fps_base
        cutting.view_settings.view_transform = "Standard"
        cutting.render.dither_intensity = 0.0
        cutting.frame_start, cutting.frame_end = 1, len(pictures)
        editor = cutting.sequence_editor_create()
        strips = editor.strips if hasattr(editor, "strips") else editor.sequences
        strip = strips.new_image("Frames", str(pictures[0]), 1, 1)
        for picture in pictures[1:]:
            strip.elements.append(picture.name)
        strip.frame_final_duration = len(pictures)
        set_video(cutting, path)
        render_animation(cutting)
    finally:
        bpy.data.scenes.remove(cutting)


def _put_pictures(pictures: list[Path], folder: Path) -> None:
    """Move pictures to a folder, in place of earlier ones."""
    folder.mkdir(exist_ok=True)
    targets = [folder / picture.name for picture in pictures]
    put(pictures, targets)
    for old in set(folder.glob("frame_*.png")).difference(targets):
        old.unlink()
