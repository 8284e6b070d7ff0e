"""The Wake-Up tab in the 3D viewport's sidebar."""

from __future__ import annotations

import textwrap

import bpy

from .properties import MOTION_FILE

STAGE_BUTTONS = (
    ("wakeup.fit_body", "MOD_ARMATURE"),
    ("wakeup.build_character", "MESH_MONKEY"),
    ("wakeup.fill_background", "IMAGE_BACKGROUND"),
    ("wakeup.animate", "ARMATURE_DATA"),
)
_WIDEST_LINE = 38  # characters that fit a sidebar of the usual width


class SidebarPanel:
    """Where all panels of the extension are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Wake-Up"


class WAKEUP_PT_photo(SidebarPanel, bpy.types.Panel):
    """The photo and the one button."""

    bl_label = "Photo Wake-Up"

    def draw(self, context: bpy.types.Context) -> None:
        settings, status = context.scene.wake_up, context.window_manager.wake_up
        column = self.layout.column()
        column.enabled = not status.running
        column.prop(settings, "photo", text="")
        column.prop(settings, "motion")
        if settings.motion == MOTION_FILE:
            column.prop(settings, "motion_file", text="")
        big = column.row()
        big.scale_y = 1.8
        big.operator("wakeup.wake_up", icon="PLAY")
        _draw_status(self.layout, status)
        if status.needs_box:
            self.layout.operator("wakeup.add_box", icon="SELECT_SET")


def _draw_status(layout: bpy.types.UILayout, status: bpy.types.PropertyGroup) -> None:
    if status.running:
        layout.progress(factor=status.fraction, text=status.message)
        layout.label(text="Esc stops it", icon="INFO")
    elif status.message:
        lines = layout.column(align=True)
        lines.scale_y = 0.8
        lines.alert = status.failed
        for number, line in enumerate(textwrap.wrap(status.message, _WIDEST_LINE)):
            mark = ("ERROR" if status.failed else "CHECKMARK") if number == 0 else "BLANK1"
            lines.label(text=line, icon=mark)


class WAKEUP_UL_people(bpy.types.UIList):
    """Who was found, from left to right."""

    def draw_item(  # noqa: PLR0913 - Blender's signature
        self, _context, layout, _settings, item, _icon, _active, _property, index=0, _flags=0
    ) -> None:
        picture = item.thumbnail
        preview = picture.preview if picture is not None else None
        name = "Figure" if item.score == 0 else f"{item.score:.0%}"
        row = layout.row()
        row.label(text=f"{index + 1}", icon_value=preview.icon_id if preview else 0)
        row.label(text=name)
        row.label(text=f"{item.box[2] - item.box[0]} x {item.box[3] - item.box[1]} px")


class WAKEUP_PT_people(SidebarPanel, bpy.types.Panel):
    """Who is in the photo, and what is to be corrected."""

    bl_label = "People and Corrections"
    bl_parent_id = "WAKEUP_PT_photo"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not context.window_manager.wake_up.running
        settings = context.scene.wake_up
        layout.operator("wakeup.find_person", icon="OUTLINER_OB_ARMATURE")
        if settings.people:
            layout.template_list(
                "WAKEUP_UL_people", "", settings, "people", settings, "active_person", rows=3
            )
            chosen = settings.people[min(settings.active_person, len(settings.people) - 1)]
            if chosen.thumbnail is not None and chosen.thumbnail.preview is not None:
                layout.template_icon(icon_value=chosen.thumbnail.preview.icon_id, scale=6.0)
        layout.prop(settings, "everyone")
        if settings.mask:
            layout.template_ID(settings, "mask", open="image.open")
        if settings.labels:
            layout.template_ID(settings, "labels", open="image.open")
        buttons = layout.column(align=True)
        buttons.operator("wakeup.add_box", icon="SELECT_SET")
        buttons.operator("wakeup.paint_mask", icon="BRUSH_DATA")
        buttons.operator("wakeup.paint_labels", icon="COLOR")
        buttons.operator("wakeup.use_corrections", icon="CHECKMARK")
        layout.prop(settings, "show_body")
        posing = layout.column(align=True)
        posing.operator("wakeup.correct_pose", icon="POSE_HLT")
        posing.operator("wakeup.refine_pose", icon="FILE_REFRESH")
        posing.operator("wakeup.forget_pose", icon="LOOP_BACK")


class WAKEUP_PT_stages(SidebarPanel, bpy.types.Panel):
    """Each stage by itself, with what it takes."""

    bl_label = "Step by Step"
    bl_parent_id = "WAKEUP_PT_photo"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not context.window_manager.wake_up.running
        settings = context.scene.wake_up
        for name in (
            "height", "focal", "triangles", "texture_size", "back", "frames", "speed", "mirror",
            "in_place", "returns", "seed", "remove_shadow",
        ):  # fmt: skip
            layout.prop(settings, name)
        if settings.back != "mirrored":
            layout.column().prop(settings, "mirrored_parts")
        buttons = layout.column(align=True)
        for operator, icon in STAGE_BUTTONS:
            buttons.operator(operator, icon=icon)
        layout.operator("wakeup.add_clip_library", icon="ASSET_MANAGER")


class WAKEUP_PT_output(SidebarPanel, bpy.types.Panel):
    """Video and export."""

    bl_label = "Output"
    bl_parent_id = "WAKEUP_PT_photo"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not context.window_manager.wake_up.running
        settings = context.scene.wake_up
        for name in ("camera", "wall", "shadow", "relight", "engine", "output", "width", "video"):
            layout.prop(settings, name)
        layout.operator("wakeup.render", icon="RENDER_ANIMATION")
        layout.operator("wakeup.export", icon="EXPORT")


CLASSES = (
    WAKEUP_UL_people,
    WAKEUP_PT_photo,
    WAKEUP_PT_people,
    WAKEUP_PT_stages,
    WAKEUP_PT_output,
)
