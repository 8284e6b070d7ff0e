"""Keys that hold their value until the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy


def hold(item: bpy.types.Object, path: str, values: Mapping[int, Sequence[float]]) -> None:
    """Key a vector property of an object at frames, without anything in between.

    path : the property's name; values : its components at each frame
    """
    if item.animation_data is None:
        item.animation_data_create()
    action = item.animation_data.action
    if action is None:
        action = item.animation_data.action = bpy.data.actions.new(item.name)
    for index in range(len(next(iter(values.values())))):
        curve = action.fcurve_ensure_for_datablock(item, path, index=index)
        for frame, components in values.items():
            key = curve.keyframe_points.insert(frame, components[index])
            key.interpolation = "CONSTANT"
        curve.update()
