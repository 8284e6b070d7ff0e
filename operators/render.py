"""The render button."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import bpy

from ..addon.core.errors import OutputError
from ..addon.core.types import Progress
from ..addon.core.user_paths import is_folder, told
from ..addon.scene.animation.actions import frame_rate
from ..addon.scene.build import is_whole
from ..addon.scene.export.registry import EXPORTERS
from ..addon.scene.objects.wall import choose_wall
from ..addon.scene.output_files import with_suffix
from ..addon.scene.render.film import KINDS, film
from ..addon.scene.render.stills import choose_camera, choose_light, look_through
from .base import JobOperator, Work, is_idle

# Of a name that was given for another kind, these are exchanged; other dots belong to the name.
_SUFFIXES = frozenset((*filter(None, KINDS.values()), *(each.suffix for each in EXPORTERS)))


def has_result(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """For polls: whether the scene holds a finished character, with the reason where not."""
    collection = context.scene.wake_up.result
    if not is_idle(operator, context):
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
    if not is_folder(target.parent, OutputError, "choose another folder"):
        raise OutputError(f"There is no folder {told(target.parent)}: choose another one.")
    return with_suffix(target, suffix, _SUFFIXES)


class WAKEUP_OT_render(JobOperator, bpy.types.Operator):
    """Render the motion to a video, pictures or a loop"""

    bl_idname = "wakeup.render"
    bl_label = "Render"
    bl_description = "Render the motion to a video, to pictures or to a loop; Esc stops it"
    _stepwise = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_result(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._stepwise = not bpy.app.background and context.window is not None
        return super().invoke(context, event)

    def request(self, context: bpy.types.Context) -> tuple[bpy.types.Context, Path]:
        settings = context.scene.wake_up
        return context, checked_file(settings.video, KINDS[settings.output])

    def work(self, request: tuple[bpy.types.Context, Path], _in_worker: bool) -> Work:
        """In this process, where the scene is; frame by frame where a window is to go on."""
        return _work(*request, stepwise=self._stepwise)

    def finish(self, _context: bpy.types.Context, outcome: tuple[Path, str]) -> str:
        path, note = outcome
        return f"{path.name} is written. {note}".strip()


def _work(
    context: bpy.types.Context, path: Path, stepwise: bool
) -> Generator[Progress, None, tuple[Path, str]]:
    scene, settings = context.scene, context.scene.wake_up
    fps = frame_rate(scene)
    look_through(scene, settings.result, settings.engine, settings.width, fps)
    choose_wall(settings.result, settings.wall)
    note = choose_camera(scene, settings.result, settings.camera)
    choose_light(settings.result, settings.shadow, settings.relight)
    written = yield from film(scene, settings.result, settings.output, path, stepwise)
    return written, note


CLASSES = (WAKEUP_OT_render,)
