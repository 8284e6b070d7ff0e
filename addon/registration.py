"""Everything that Blender is told of, in one order, and taken back in the reverse of it."""

from __future__ import annotations

import bpy

from ..operators import (
    base,
    corrections,
    export,
    motion_library,
    motion_sources,
    posing_tools,
    render,
    wake_up,
)
from . import results
from .cli import command
from .scene.objects.images import keep_paint
from .ui import motion_panels, motion_properties, painting, panels, preferences, properties

CLASSES = (
    *properties.CLASSES,
    *motion_properties.CLASSES,
    *preferences.CLASSES,
    *wake_up.CLASSES,
    *corrections.CLASSES,
    *motion_library.CLASSES,
    *motion_sources.CLASSES,
    *posing_tools.CLASSES,
    *render.CLASSES,
    *export.CLASSES,
    *panels.CLASSES,
    *motion_panels.CLASSES,
)


@bpy.app.handlers.persistent
def _forget_results(*_arguments: object) -> None:
    """Results and failures belong to the file that was open."""
    results.forget_all()
    base.note_failure(bpy.context, "", "")


@bpy.app.handlers.persistent
def _keep_painted_images(*_arguments: object) -> None:
    """Blender does not save what was painted on a packed image unless it is packed again."""
    for scene in bpy.data.scenes:
        for image in (scene.wake_up.mask, scene.wake_up.labels):
            if image is not None:
                keep_paint(image)


def register() -> None:
    """Classes, then properties, handlers and the command."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    properties.add_properties()
    motion_properties.add_properties()
    bpy.app.handlers.load_pre.append(_forget_results)
    bpy.app.handlers.save_pre.append(_keep_painted_images)
    painting.register()
    command.register()


def unregister() -> None:
    """All of it, backwards; what is at work is stopped first."""
    base.stop_all()
    command.unregister()
    painting.unregister()
    bpy.app.handlers.save_pre.remove(_keep_painted_images)
    bpy.app.handlers.load_pre.remove(_forget_results)
    motion_properties.remove_properties()
    properties.remove_properties()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    results.forget_all()
