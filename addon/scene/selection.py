"""Doing what needs a mode or a selection, and leaving both as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy

from ..core.errors import WakeUpError


def select(objects: Sequence[bpy.types.Object]) -> None:
    """Select objects; WakeUpError where one is in another scene or its collection switched off."""
    for number, item in enumerate(objects):
        try:
            item.select_set(True)
        except RuntimeError as error:
            for other in objects[:number]:
                other.select_set(False)
            raise WakeUpError(
                f"{item.name} is not in this view layer: go to its scene, or tick its collection "
                "in the outliner."
            ) from error


def select_alone(item: bpy.types.Object) -> None:
    """Make an object the active one, and nothing else selected; WakeUpError as `select`."""
    for other in bpy.context.selected_objects:
        other.select_set(False)
    select([item])
    bpy.context.view_layer.objects.active = item


@contextmanager
def selected(objects: Sequence[bpy.types.Object], mode: str = "OBJECT") -> Iterator[None]:
    """Within, exactly these objects are selected, the first is active and in `mode`.

    Mode, active object and selection of before come back. WakeUpError where an object is not in
    this view layer.
    """
    layer = bpy.context.view_layer
    active = layer.objects.active
    active_mode = active.mode if active is not None else "OBJECT"
    if active_mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    before = [item for item in layer.objects if item.select_get()]
    for item in before:
        item.select_set(False)
    try:
        select(objects)
    except WakeUpError:
        select(before)
        raise
    layer.objects.active = objects[0]
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode=mode)
    try:
        yield
    finally:
        if layer.objects.active is not None and layer.objects.active.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for item in objects:
            item.select_set(False)
        for item in before:
            item.select_set(True)
        layer.objects.active = active
        if active_mode != "OBJECT":
            bpy.ops.object.mode_set(mode=active_mode)


@contextmanager
def evaluated_alone(objects: Sequence[bpy.types.Object]) -> Iterator[None]:
    """Within, nothing of the scene but these objects, and what they depend on, is computed again
    when the frame changes: shadows take fifty times as long as what casts them."""
    # Blender makes a scene's list again when the visibility of anything in it changes.
    others = [
        item for item in bpy.context.scene.objects if item not in objects and not item.hide_viewport
    ]
    for item in others:
        item.hide_viewport = True
    try:
        yield
    finally:
        for item in others:
            item.hide_viewport = False
