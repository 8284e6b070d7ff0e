"""The button that makes the project's clips assets of the character's."""

from __future__ import annotations

import bpy

from ..addon.scene.animation.actions import frame_rate
from ..addon.scene.animation.clip_assets import add_clip_actions
from ..addon.scene.build import find_parts
from .base import QuickOperator
from .render import has_result


class WAKEUP_OT_add_clip_library(QuickOperator, bpy.types.Operator):
    """Make every clip of the library an action asset for the character"""

    bl_idname = "wakeup.add_clip_library"
    bl_label = "Add Clip Library"
    bl_description = (
        "Make every built-in clip an action of the character's armature, marked as an asset with "
        "a preview; find them in the Asset Browser under Current File"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_result(cls, context)

    def act(self, context: bpy.types.Context) -> str:
        scene = context.scene
        armatures = find_parts(scene.wake_up.result).armatures
        chosen = [armature for armature in armatures if armature == context.object]
        fps = frame_rate(scene)
        made = [
            action for armature in chosen or armatures for action in add_clip_actions(armature, fps)
        ]
        return f"{len(made)} actions are in the Asset Browser under Current File."


CLASSES = (WAKEUP_OT_add_clip_library,)
