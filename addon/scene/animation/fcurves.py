"""The animation curves of an object, in actions that have layers and slots.

`Action.fcurves`, which knew one object only, is gone from Blender 5 on; this reads both.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy


def channels_of(animated: bpy.types.ID) -> Iterator[bpy.types.ActionChannelbag]:
    """The channels of all that it plays: its own action and its strips'."""
    animation = animated.animation_data
    if animation is None:
        return
    played = [(animation.action, animation.action_slot)]
    played += [
        (strip.action, strip.action_slot)
        for track in animation.nla_tracks
        for strip in track.strips
    ]
    for action, slot in played:
        if action is None or slot is None:
            continue
        for layer in action.layers:
            for strip in layer.strips:
                channels = strip.channelbag(slot)
                if channels is not None:
                    yield channels


def fcurves_of(animated: bpy.types.ID) -> Iterator[bpy.types.FCurve]:
    """The curves of all that it plays: its own action and its strips'."""
    for channels in channels_of(animated):
        yield from channels.fcurves


def interpolate_constantly(animated: bpy.types.ID) -> None:
    """Hold the value of each key until the next one."""
    for curve in fcurves_of(animated):
        for key in curve.keyframe_points:
            key.interpolation = "CONSTANT"
