"""Blender's properties of settings, and what is chosen in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..core.option import SCENE, Setting, settings_of

RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"}  # paths may begin with //, the .blend file's folder
_Group = TypeVar("_Group", bound=type)


def kept_in(place: str, settings: type) -> Iterator[Setting]:
    """The settings that Blender keeps in `place` (`core/option.py`), in order."""
    return (each for each in settings_of(settings) if each.option.kept == place)


@cache
def shown_of(settings: type, stage: str = "") -> tuple[str, ...]:
    """The properties that the panel of a stage shows by itself, in order."""
    return tuple(
        each.property_name
        for each in kept_in(SCENE, settings)
        if each.option.is_drawn and each.option.stage == stage
    )


def with_properties(place: str, *settings: type) -> Callable[[_Group], _Group]:
    """Give a class of Blender's the properties of the settings that are kept in `place`."""

    def give(group: _Group) -> _Group:
        made = {
            each.property_name: _property(each)
            for kind in settings
            for each in kept_in(place, kind)
        }
        group.__annotations__ = {**made, **group.__annotations__}
        return group

    return give


def _property(each: Setting) -> Any:
    option, default = each.option, each.default
    told: dict[str, Any] = {"name": option.on_screen}
    if option.choices:
        told["description"] = option.help
        told["items"] = [(str(one.value), one.title, one.description) for one in option.choices]
        if isinstance(default, tuple):
            return EnumProperty(**told, options={"ENUM_FLAG"}, default=set(default))
        return EnumProperty(**told, default=str(default))
    if isinstance(default, bool):
        return BoolProperty(**told, description=option.help, default=default)
    if isinstance(default, str):
        if option.is_file:
            told["subtype"] = "FILE_PATH"
            if option.kept == SCENE:
                told["options"] = RELATIVE
        return StringProperty(**told, description=option.described("empty"), default=default)
    if option.limits is not None:
        told["min"] = option.limits.least
        if math.isfinite(option.limits.most):
            told["max"] = option.limits.most
        if option.limits.soft_most is not None:
            told["soft_max"] = option.limits.soft_most
    told |= {
        key: said for key, said in (("subtype", option.subtype), ("unit", option.unit)) if said
    }
    told["description"] = option.described("0")
    # Blender has no number that may be missing: 0 stands for it.
    kind = IntProperty if isinstance(default, int) else FloatProperty
    return kind(**told, default=0.0 if default is None else default)


def chosen_in(group: bpy.types.bpy_struct, place: str, settings: type) -> dict[str, Any]:
    """The values of the settings that are kept in `place`, as `assembled` takes them."""
    return {
        each.name: _value(each, getattr(group, each.property_name))
        for each in kept_in(place, settings)
    }


def _value(each: Setting, chosen: Any) -> Any:
    if isinstance(each.default, tuple):
        return tuple(sorted(chosen))
    if each.option.choices:
        return next(one.value for one in each.option.choices if str(one.value) == chosen)
    if isinstance(chosen, float):
        # Blender keeps single floats: what was typed, not what that became.
        typed = round(chosen, each.option.decimals)
        return None if each.default is None and not typed else typed
    if each.option.is_file:
        return bpy.path.abspath(chosen)
    return chosen
