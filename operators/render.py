"""The video button."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..addon.core.errors import OutputError
from ..addon.scene.build import is_whole
from ..addon.scene.render import look_through, render_animation, set_video
from .base import reported


def has_result(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """For polls: whether the scene holds a finished character, with the reason where not."""
    collection = context.scene.wake_up.result
    if context.window_manager.wake_up.running:
        operator.poll_message_set("A stage is at work: wait for it, or press Esc")
        return False
    if collection is None or not is_whole(collection):
        operator.poll_message_set("Press Wake Up first")
        return False
    return True


def checked_file(path: str, suffix: str) -> Path:
    """An absolute path with this suffix in a folder that exists; OutputError where it does not."""
    target = Path(bpy.path.abspath(path))
    if not target.is_absolute():
        raise OutputError("Save the Blender file first, or choose a full path.")
    if not target.parent.is_dir():
        raise OutputError(f"There is no folder {target.parent}: choose another one.")
    return target.with_suffix(suffix)


class WAKEUP_OT_render(bpy.types.Operator):
    """Render the motion through the photo's camera to a video"""

    bl_idname = "wakeup.render"
    bl_label = "Render Video"
    bl_description = "Render the motion through the photo's camera to an H.264 video"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_result(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        with reported(self, context) as outcome:
            path = _prepare(context)
            render_animation(context.scene)
            outcome.message = f"{path.name} is written."
        return outcome.returned

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if bpy.app.background or context.window is None:
            return self.execute(context)
        with reported(self, context) as outcome:
            path = _prepare(context)
            # Blender's own job: it shows the frames and Esc stops it.
            bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
            outcome.message = f"Rendering to {path.name}."
        return outcome.returned


def _prepare(context: bpy.types.Context) -> Path:
    scene, settings = context.scene, context.scene.wake_up
    path = checked_file(settings.video, ".mp4")
    fps = scene.render.fps / scene.render.fps_base
    look_through(scene, settings.result, settings.engine, settings.width, fps)
    set_video(scene, path)
    return path


CLASSES = (WAKEUP_OT_render,)
