"""Handles for the character's hands, feet and head, and parts that stay while it moves."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty

from ..addon.core.body.model.parts import PART_NAMES
from ..addon.core.errors import WakeUpError
from ..addon.scene.animation.muting import mute_parts, part_numbers
from ..addon.scene.animation.performing import (
    chosen_armature,
    current_pose,
    match_first_frame,
    photo_pose,
    read_skeleton,
)
from ..addon.scene.rig.ik_controls import (
    add_controls,
    bake_controls,
    has_controls,
    remove_controls,
)
from ..addon.scene.selection import select_alone
from ..addon.ui.motion_properties import NEAR
from .base import QuickOperator
from .motion_sources import can_pose

_KEPT = [
    ("PHOTO", "Photo's Pose", "The parts stay as the photo has them"),
    ("NOW", "Pose Now", "The parts stay as they are now"),
]


def _has_controls(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not can_pose(operator, context):
        return False
    try:
        armature = chosen_armature(context.scene.wake_up.result, context.active_object)
    except WakeUpError:
        return True  # the button says what is wrong
    if not has_controls(armature):
        operator.poll_message_set("Press Add Controls first")
        return False
    return True


class WAKEUP_OT_add_controls(QuickOperator, bpy.types.Operator):
    """Put handles on the character's hands, feet and head"""

    bl_idname = "wakeup.add_controls"
    bl_label = "Add Controls"
    bl_description = (
        "Put handles on the character's hands and feet, and one that the head looks at, in Pose "
        "Mode: a limb follows its handle from the moment that it is dragged"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_pose(cls, context)

    def act(self, context: bpy.types.Context) -> str:
        armature = chosen_armature(context.scene.wake_up.result, context.active_object)
        add_controls(armature)
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        select_alone(armature)
        bpy.ops.object.mode_set(mode="POSE")
        return "Drag the handles, then press Apply Controls."


class WAKEUP_OT_apply_controls(QuickOperator, bpy.types.Operator):
    """Make keys of what the handles do and take them off"""

    bl_idname = "wakeup.apply_controls"
    bl_label = "Apply Controls"
    bl_description = (
        "Make keys of the character's own bones of what the handles do, and take the handles off"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_controls(cls, context)

    def act(self, context: bpy.types.Context) -> str:
        armature = chosen_armature(context.scene.wake_up.result, context.active_object)
        settings = context.scene.wake_up_motion
        near = (context.scene.frame_current, settings.radius)
        frames = bake_controls(armature, near if settings.reach == NEAR else None)
        match_first_frame(context.scene.wake_up.result)
        return f"{frames} frames are keyed." if frames else "The pose is applied."


class WAKEUP_OT_remove_controls(QuickOperator, bpy.types.Operator):
    """Take the handles off without keeping what they did"""

    bl_idname = "wakeup.remove_controls"
    bl_label = "Remove Controls"
    bl_description = "Take the handles off: the character is posed as if they had never been there"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_controls(cls, context)

    def act(self, context: bpy.types.Context) -> str:
        remove_controls(chosen_armature(context.scene.wake_up.result, context.active_object))
        return "The controls are off."


class WAKEUP_OT_freeze_parts(QuickOperator, bpy.types.Operator):
    """Let the ticked parts stay while the rest moves"""

    bl_idname = "wakeup.freeze_parts"
    bl_label = "Freeze Parts"
    bl_description = (
        "Let the ticked parts of the body stay while the rest moves, and all others move again"
    )

    kept: EnumProperty(  # type: ignore[valid-type]
        name="Keep", description="How the frozen parts stand", items=_KEPT, default="PHOTO"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_pose(cls, context)

    def act(self, context: bpy.types.Context) -> str:
        scene = context.scene
        armature = chosen_armature(scene.wake_up.result, context.active_object)
        pose = photo_pose(armature) if self.kept == "PHOTO" else current_pose(armature)
        chosen = scene.wake_up_motion.frozen
        mute_parts(armature, read_skeleton(armature), part_numbers(chosen), pose)
        scene.frame_set(scene.frame_current)
        match_first_frame(scene.wake_up.result)
        names = [name for name in PART_NAMES if name in chosen]
        said = f"{', '.join(names).capitalize()} stay" if names else "All parts move"
        return f"{said}s." if len(names) == 1 else f"{said}."


CLASSES = (
    WAKEUP_OT_add_controls,
    WAKEUP_OT_apply_controls,
    WAKEUP_OT_remove_controls,
    WAKEUP_OT_freeze_parts,
)
