"""What the user corrects by hand: a box where nobody was found, the mask, the joints."""

from __future__ import annotations

import bpy

from ..addon import results
from ..addon.core.images import load_photo
from ..addon.core.pipeline import STAGES, WakeUpResult
from ..addon.scene.build import is_result, is_whole, photo_size
from ..addon.scene.corrections import add_box
from .base import can_start, reported
from .wake_up import Stage, photo_path, show

_BOX_MARGIN = 0.1  # of the photo, around a box that nothing is known for


class WAKEUP_OT_add_box(bpy.types.Operator):
    """Put a box over the photo that says where the figure is"""

    bl_idname = "wakeup.add_box"
    bl_label = "Add Box"
    bl_description = (
        "Put a box over the photo that says where the person or the drawn figure is: move and "
        "scale it, then press Find Person"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_start(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        with reported(self, context) as outcome:
            settings = context.scene.wake_up
            if settings.result is None or not is_result(settings.result):
                path = photo_path(settings)
                result = WakeUpResult(photo=load_photo(path))
                source = results.Source.of(path, settings.pipeline_settings(context.scene))
                show(context, (result,), source)
                settings.key = results.keep(result, source)
            width, height = photo_size(settings.result)
            x, y = round(_BOX_MARGIN * width), round(_BOX_MARGIN * height)
            frame = add_box(settings.result, (x, y, width - 1 - x, height - 1 - y))
            for item in context.selected_objects:
                item.select_set(False)
            frame.select_set(True)
            context.view_layer.objects.active = frame
            outcome.message = "Move and scale the box until it holds the figure, then find it."
        return outcome.returned


class WAKEUP_OT_paint_mask(bpy.types.Operator):
    """Open the mask in an image editor, ready to be painted"""

    bl_idname = "wakeup.paint_mask"
    bl_label = "Paint Mask"
    bl_description = "Open the mask in an image editor, ready to be painted: white is the person"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene.wake_up.mask is None:
            cls.poll_message_set("Press Find Person first")
            return False
        return context.window is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        editors = [area for area in context.screen.areas if area.type == "IMAGE_EDITOR"]
        if not editors:
            bpy.ops.wm.window_new()
            window = context.window_manager.windows[-1]
            editors = [max(window.screen.areas, key=lambda area: area.width * area.height)]
            editors[0].type = "IMAGE_EDITOR"
        space = editors[0].spaces.active
        space.image = context.scene.wake_up.mask
        space.ui_mode = "PAINT"
        return {"FINISHED"}


class WAKEUP_OT_use_corrections(Stage, bpy.types.Operator):
    """Go on from the mask and the joints as they are now"""

    bl_idname = "wakeup.use_corrections"
    bl_label = "Use Corrections"
    bl_description = (
        "Go on from the mask and the joints as they are now: only what depends on them is made anew"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not can_start(cls, context):
            return False
        if context.scene.wake_up.result is None:
            cls.poll_message_set("Press Find Person first")
            return False
        return True

    def _until(self, settings: bpy.types.PropertyGroup) -> str:
        return STAGES[-1] if is_whole(settings.result) else "fitted"

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        return f"{result.photo.name} follows the corrections."


CLASSES = (WAKEUP_OT_add_box, WAKEUP_OT_paint_mask, WAKEUP_OT_use_corrections)
