"""Painting mask and labels in image editors, with the photo over them: one sees what one paints."""

from __future__ import annotations

import bpy

from ..scene.build import photo_image

_SHARE = 0.6  # of what is seen is the photo; the rest is the image that is painted
_CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))  # of an image, in an image editor's own coordinates
_handlers: list[object] = []


def open_for_painting(context: bpy.types.Context, image: bpy.types.Image) -> None:
    """Show an image in the screen's image editor, or in one in a window of its own, to be painted.
    Needs a window."""
    editors = [area for area in context.screen.areas if area.type == "IMAGE_EDITOR"]
    if not editors:
        bpy.ops.wm.window_new()
        window = context.window_manager.windows[-1]
        editors = [max(window.screen.areas, key=lambda area: area.width * area.height)]
        editors[0].type = "IMAGE_EDITOR"
    space = editors[0].spaces.active
    space.image = image
    space.ui_mode = "PAINT"


def paint_white(scene: bpy.types.Scene) -> None:
    """Have all brushes paint white, and black where they are inverted: Blender's own begin with
    black."""
    tools = scene.tool_settings
    # Blender 5 has them for each kind of painting.
    unified = getattr(tools, "unified_paint_settings", None)
    unified = unified or tools.image_paint.unified_paint_settings
    unified.use_unified_color = True
    unified.color, unified.secondary_color = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


def photo_over(image: bpy.types.Image | None) -> bpy.types.Image | None:
    """The photo that a mask or label image belongs to; None for all other images."""
    for scene in bpy.data.scenes if image is not None else ():
        settings = scene.wake_up
        if image in (settings.mask, settings.labels) and settings.result is not None:
            return photo_image(settings.result)
    return None


def _draw() -> None:
    """Of every image editor that is drawn; hidden with the editor's own overlays."""
    space = bpy.context.space_data
    if space is None or space.ui_mode != "PAINT" or not space.overlay.show_overlays:
        return
    photo = photo_over(space.image)
    if photo is None or not all(photo.size):
        return
    import gpu  # there is none without a window
    from gpu_extras.batch import batch_for_shader

    shader = gpu.shader.from_builtin("IMAGE_COLOR_SCENE_LINEAR_TO_REC709_SRGB")
    places = {"pos": [(x, y, 0.0) for x, y in _CORNERS], "texCoord": _CORNERS}
    square = batch_for_shader(shader, "TRI_STRIP", places)
    shader.bind()
    shader.uniform_sampler("image", gpu.texture.from_image(photo))
    shader.uniform_float("color", (1.0, 1.0, 1.0, _SHARE))
    gpu.state.blend_set("ALPHA")
    square.draw(shader)
    gpu.state.blend_set("NONE")


def register() -> None:
    """Have image editors draw the photo."""
    _handlers.append(bpy.types.SpaceImageEditor.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW"))


def unregister() -> None:
    """Have them draw it no more."""
    while _handlers:
        bpy.types.SpaceImageEditor.draw_handler_remove(_handlers.pop(), "WINDOW")
