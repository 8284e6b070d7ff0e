"""3D viewports that look through the scene's camera and show the photo's colours."""

from __future__ import annotations

import bpy


def show_in_viewports() -> None:
    """Let all 3D viewports of the file look through the scene's camera and show the photo's
    colours without light, so that a file opens as the photo."""
    for space in _viewports():
        show_in_viewport(space)


def show_in_viewport(space: bpy.types.SpaceView3D) -> None:
    """Let one 3D viewport look through the scene's camera and show the photo's colours without
    light."""
    space.region_3d.view_perspective = "CAMERA"
    space.shading.type = "SOLID"
    space.shading.light, space.shading.color_type = "FLAT", "TEXTURE"


def viewports_through_camera() -> list[bpy.types.RegionView3D]:
    """The views of the file's 3D viewports that look through a camera: they stop doing so when
    that camera is deleted."""
    views = [space.region_3d for space in _viewports()]
    return [view for view in views if view is not None and view.view_perspective == "CAMERA"]


def _viewports() -> list[bpy.types.SpaceView3D]:
    return [
        area.spaces.active
        for screen in bpy.data.screens
        for area in screen.areas
        if area.type == "VIEW_3D"
    ]
