"""Blender's own exporters: whether they are switched on, and what they complain of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import addon_utils
import bpy

from ...core.errors import OutputError, said_by

_SHOWN = ("length_unit", "mass_unit", "time_unit", "temperature_unit")


def need_exporter(name: str, module: str, title: str) -> None:
    """Raise OutputError where `bpy.ops.export_scene.{name}` is switched off.

    module, title : of the add-on that brings it, `title` as the preferences show it
    """
    if not hasattr(bpy.ops.export_scene, name) or not addon_utils.check(module)[1]:
        raise OutputError(f"Switch on the add-on '{title}' in Blender's preferences.")


@contextmanager
def in_metres() -> Iterator[None]:
    """Within, the scene's unit is the metre, as the character's is: exporters read it, each in its
    own way, and a scene shown in centimetres would make a character of 1.7 cm."""
    units = bpy.context.scene.unit_settings
    before = units.system, units.scale_length
    # Setting the first two makes Blender choose these again; without a system there is no choice.
    shown = {name: getattr(units, name) for name in _SHOWN} if units.system != "NONE" else {}
    try:
        units.system, units.scale_length = "METRIC", 1.0
        yield
    finally:
        units.system, units.scale_length = before
        for name, value in shown.items():
            setattr(units, name, value)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within, an exporter's complaint is an OutputError about `path`."""
    try:
        yield
    except RuntimeError as error:
        raise OutputError(
            f"{path.name} could not be written ({said_by(error)}): choose another place."
        ) from error
