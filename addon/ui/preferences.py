"""What holds for all files: the user's own models and where stages run."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty

from ..core.inference.model_files import MODEL_FILES, find_model
from ..core.option import PREFERENCES
from ..core.settings import WakeUpSettings
from .setting_properties import chosen_in, kept_in, with_properties

PACKAGE = (__package__ or "").rpartition(".addon")[0]  # the extension's name in Blender


@with_properties(PREFERENCES, WakeUpSettings)
class WakeUpPreferences(bpy.types.AddonPreferences):
    """The extension's page in Blender's preferences."""

    bl_idname = PACKAGE

    use_worker: BoolProperty(  # type: ignore[valid-type]
        name="Separate Process",
        description="Compute in a process of its own, so that Blender's window never waits",
        default=True,
    )

    def draw(self, _context: bpy.types.Context) -> None:
        self.layout.prop(self, "use_worker")
        own = self.layout.box()
        own.label(text="Files of yours, instead of what comes with the extension")
        for each in kept_in(PREFERENCES, WakeUpSettings):
            own.prop(self, each.property_name)
        own.label(text="Their licences are yours to keep, also for what you make with them")
        _draw_model_files(self.layout.box())


def _draw_model_files(layout: bpy.types.UILayout) -> None:
    """What comes with the extension, where it is, and under which licence."""
    layout.label(text="Files that come with the extension")
    for file in MODEL_FILES:
        path = find_model(file.name)
        row = layout.split(factor=0.2)
        row.label(text=file.purpose, icon="ERROR" if path is None else "CHECKMARK")
        place = row.split(factor=0.7)
        place.label(text="Missing: install the extension again" if path is None else str(path))
        place.label(text=file.licence)


CLASSES = (WakeUpPreferences,)


def chosen_files(context: bpy.types.Context) -> dict[str, Any]:
    """The settings that hold for all files, by name; the defaults where there are no preferences
    of the extension."""
    entry = context.preferences.addons.get(PACKAGE)
    if entry is None:
        return {each.name: each.default for each in kept_in(PREFERENCES, WakeUpSettings)}
    return chosen_in(entry.preferences, PREFERENCES, WakeUpSettings)


def uses_worker(context: bpy.types.Context) -> bool:
    """Whether buttons compute in a separate process."""
    entry = context.preferences.addons.get(PACKAGE)
    return bool(entry.preferences.use_worker) if entry else True
