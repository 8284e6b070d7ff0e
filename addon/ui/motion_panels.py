"""Motions and posing in the Wake-Up tab."""

from __future__ import annotations

import bpy

from .motion_properties import ARMATURE, FILE, NEAR
from .panels import MOTIONS_PANEL, POSING_PANEL, SidebarPanel

_LISTED_ROWS = 6  # of the mapping, before it scrolls


class WAKEUP_PT_motions(SidebarPanel, bpy.types.Panel):
    """Other sources of motion than the menu, and whole folders."""

    bl_label = "Motions"
    bl_parent_id = "WAKEUP_PT_photo"
    bl_order = MOTIONS_PANEL
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.wake_up_motion
        layout.enabled = not context.window_manager.wake_up.running
        layout.prop(settings, "source")
        if settings.source == ARMATURE:
            layout.prop(settings, "armature", text="")
        elif settings.source == FILE:
            layout.prop(settings, "file", text="")
            layout.prop(settings, "take")
        layout.prop(settings, "start")
        layout.operator("wakeup.perform", icon="ARMATURE_DATA")
        folder = layout.column(align=True)
        folder.prop(settings, "folder", text="")
        folder.prop(settings, "arrangement", text="")
        folder.operator("wakeup.perform_folder", icon="NLA")


class WAKEUP_UL_mapping(bpy.types.UIList):
    """Joints of the body, and the source's bone for each."""

    def draw_item(  # the arguments are Blender's
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        settings: bpy.types.AnyType,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active: bpy.types.AnyType,
        _property: str,
        _index: int = 0,
        _flags: int = 0,
    ) -> None:
        row = layout.split(factor=0.4)
        row.label(text=item.joint.replace("_", " ").capitalize())
        row.prop_search(item, "bone", settings, "bones", text="", icon="BONE_DATA")


class WAKEUP_PT_mapping(SidebarPanel, bpy.types.Panel):
    """Which bone of the source is which joint."""

    bl_label = "Joints of the Source"
    bl_parent_id = "WAKEUP_PT_motions"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.wake_up_motion
        layout.enabled = not context.window_manager.wake_up.running
        layout.operator("wakeup.read_skeleton", icon="VIEWZOOM")
        if settings.mapping:
            layout.template_list(
                "WAKEUP_UL_mapping", "", settings, "mapping", settings, "active_joint",
                rows=_LISTED_ROWS,
            )  # fmt: skip
            if settings.is_preset:
                layout.label(text="Kept for this skeleton", icon="CHECKMARK")
        buttons = layout.row(align=True)
        buttons.operator("wakeup.save_mapping", icon="FILE_TICK")
        buttons.operator("wakeup.load_mapping", icon="FILE_FOLDER")
        buttons.operator("wakeup.forget_mapping", icon="TRASH")


class WAKEUP_PT_posing(SidebarPanel, bpy.types.Panel):
    """Handles, and parts that stay."""

    bl_label = "Posing"
    bl_parent_id = "WAKEUP_PT_photo"
    bl_order = POSING_PANEL
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.wake_up_motion
        layout.enabled = not context.window_manager.wake_up.running
        controls = layout.column(align=True)
        controls.operator("wakeup.add_controls", icon="CON_KINEMATIC")
        controls.prop(settings, "reach", text="")
        if settings.reach == NEAR:
            controls.prop(settings, "radius")
        controls.operator("wakeup.apply_controls", icon="KEYFRAME_HLT")
        controls.operator("wakeup.remove_controls", icon="X")
        layout.label(text="Parts that stay:")
        layout.column().prop(settings, "frozen")
        layout.operator("wakeup.freeze_parts", icon="FREEZE")


CLASSES = (
    WAKEUP_PT_motions,
    WAKEUP_UL_mapping,
    WAKEUP_PT_mapping,
    WAKEUP_PT_posing,
)
