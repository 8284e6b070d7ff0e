"""The Wake-Up tab in the 3D viewport's sidebar: from top to bottom as the work goes."""

from __future__ import annotations

import textwrap

import bpy

from ..core.pipeline.stages import titles
from ..core.settings import OutputSettings, WakeUpSettings
from ..stage_states import DONE, FAILED, NOT_YET, OUT_OF_DATE, StageState
from .properties import MOTION_FILE
from .scene_states import states_of
from .setting_properties import shown_of

# Places in the sidebar: the stages, from 1, then these.
MOTIONS_PANEL, POSING_PANEL, LAST_PANEL = 101, 102, 103
_WIDEST_LINE = 38  # characters that fit a sidebar of the usual width
# What a stage's state looks like, and what is said of it where it has no reason of its own.
_STATES = {
    NOT_YET: ("RADIOBUT_OFF", "Not yet"),
    DONE: ("CHECKMARK", "Done"),
    OUT_OF_DATE: ("FILE_REFRESH", "Out of date"),
    FAILED: ("ERROR", "Failed"),
}


class SidebarPanel:
    """Where all panels of the extension are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Wake-Up"


class StagePanel(SidebarPanel):
    """A stage: its state in the header, so that a closed panel tells it too; within, what the
    state comes from, the stage's button and its settings."""

    bl_parent_id = "WAKEUP_PT_photo"
    bl_order: int
    stage = ""
    layout: bpy.types.UILayout  # Blender's

    def draw_header(self, context: bpy.types.Context) -> None:
        self.layout.label(text="", icon=_STATES[states_of(context)[self.stage].condition][0])

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not context.window_manager.wake_up.running
        _draw_state(layout, states_of(context)[self.stage])
        self.draw_stage(layout, context.scene.wake_up)

    def draw_stage(self, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        raise NotImplementedError


class WAKEUP_PT_photo(SidebarPanel, bpy.types.Panel):
    """The photo and the one button."""

    bl_label = "Photo Wake-Up"

    def draw(self, context: bpy.types.Context) -> None:
        settings, status = context.scene.wake_up, context.window_manager.wake_up
        column = self.layout.column()
        column.enabled = not status.running
        column.prop(settings, "photo", text="")
        column.prop(settings, "everyone")
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
        _draw_lines(layout, status.message, "ERROR" if status.failed else "CHECKMARK")


def _draw_state(layout: bpy.types.UILayout, state: StageState) -> None:
    icon, title = _STATES[state.condition]
    _draw_lines(layout, state.reason or title, icon)


def _draw_settings(
    layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, stage: str
) -> None:
    """A stage's own settings, but for those that a panel places itself."""
    for name in shown_of(WakeUpSettings, stage):
        layout.prop(settings, name)


def _draw_lines(layout: bpy.types.UILayout, text: str, icon: str) -> None:
    """A sentence in lines as wide as a sidebar; Blender does not break them."""
    lines = layout.column(align=True)
    lines.scale_y = 0.8
    lines.alert = icon == "ERROR"
    for number, line in enumerate(textwrap.wrap(text, _WIDEST_LINE)):
        lines.label(text=line, icon=icon if number == 0 else "BLANK1")


class WAKEUP_UL_people(bpy.types.UIList):
    """Who was found, from left to right."""

    def draw_item(  # the arguments are Blender's
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _settings: bpy.types.AnyType,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active: bpy.types.AnyType,
        _property: str,
        index: int = 0,
        _flags: int = 0,
    ) -> None:
        picture = item.thumbnail
        preview = picture.preview if picture is not None else None
        name = "Figure" if item.score == 0 else f"{item.score:.0%}"
        row = layout.row()
        row.label(text=f"{index + 1}", icon_value=preview.icon_id if preview else 0)
        row.label(text=name)
        row.label(text=f"{item.box[2] - item.box[0]} x {item.box[3] - item.box[1]} px")


class WAKEUP_PT_people(StagePanel, bpy.types.Panel):
    """Who is in the photo."""

    bl_label = "Find People"
    stage = "people"

    def draw_stage(self, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        buttons = layout.column(align=True)
        buttons.operator("wakeup.find_person", icon="OUTLINER_OB_ARMATURE")
        buttons.operator("wakeup.add_box", icon="SELECT_SET")
        if settings.people:
            layout.template_list(
                "WAKEUP_UL_people", "", settings, "people", settings, "active_person", rows=3
            )
            chosen = settings.people[min(settings.active_person, len(settings.people) - 1)]
            if chosen.thumbnail is not None and chosen.thumbnail.preview is not None:
                layout.template_icon(icon_value=chosen.thumbnail.preview.icon_id, scale=6.0)
        _draw_settings(layout, settings, self.stage)


class WAKEUP_PT_person(StagePanel, bpy.types.Panel):
    """The chosen person's mask and joints."""

    bl_label = "Cut Out"
    bl_options = {"DEFAULT_CLOSED"}
    stage = "person"

    def draw_stage(self, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        _draw_settings(layout, settings, self.stage)
        if settings.mask:
            layout.template_ID(settings, "mask", open="image.open")
        buttons = layout.column(align=True)
        buttons.operator("wakeup.paint_mask", icon="BRUSH_DATA")
        buttons.operator("wakeup.use_corrections", icon="CHECKMARK")


class WAKEUP_PT_fit(StagePanel, bpy.types.Panel):
    """The body under the joints, and its pose."""

    bl_label = "Fit Body"
    bl_options = {"DEFAULT_CLOSED"}
    stage = "fitted"

    def draw_stage(self, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        _draw_settings(layout, settings, self.stage)
        layout.operator("wakeup.fit_body", icon="MOD_ARMATURE")
        layout.prop(settings, "show_body")
        posing = layout.column(align=True)
        posing.operator("wakeup.correct_pose", icon="POSE_HLT")
        posing.operator("wakeup.refine_pose", icon="FILE_REFRESH")
        posing.operator("wakeup.forget_pose", icon="LOOP_BACK")


class WAKEUP_PT_build(StagePanel, bpy.types.Panel):
    """Mesh and texture."""

    bl_label = "Build Character"
    bl_options = {"DEFAULT_CLOSED"}
    stage = "build"

    def draw_stage(self, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        _draw_settings(layout, settings, self.stage)
        if settings.back != "mirrored":
            layout.column().prop(settings, "mirrored_parts")
        if settings.labels:
            layout.template_ID(settings, "labels", open="image.open")
        layout.operator("wakeup.paint_labels", icon="COLOR")
        layout.operator("wakeup.build_character", icon="MESH_MONKEY")


class WAKEUP_PT_background(StagePanel, bpy.types.Panel):
    """The photo without the person."""

    bl_label = "Fill Background"
    bl_options = {"DEFAULT_CLOSED"}
    stage = "background"

    def draw_stage(self, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        _draw_settings(layout, settings, self.stage)
        layout.operator("wakeup.fill_background", icon="IMAGE_BACKGROUND")


class WAKEUP_PT_animate(StagePanel, bpy.types.Panel):
    """What the character does."""

    bl_label = "Animate"
    stage = "motion"

    def draw_stage(self, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        layout.prop(settings, "motion")
        if settings.motion == MOTION_FILE:
            layout.prop(settings, "motion_file")
            layout.prop(settings, "take")
        _draw_settings(layout, settings, self.stage)
        layout.operator("wakeup.animate", icon="ARMATURE_DATA")
        layout.operator("wakeup.add_clip_library", icon="ASSET_MANAGER")


class WAKEUP_PT_output(SidebarPanel, bpy.types.Panel):
    """Video and export."""

    bl_label = "Output"
    bl_parent_id = "WAKEUP_PT_photo"
    bl_order = LAST_PANEL

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not context.window_manager.wake_up.running
        settings = context.scene.wake_up
        camera, *others = shown_of(OutputSettings)
        for name in (camera, "wall", *others, "video"):
            layout.prop(settings, name)
        layout.operator("wakeup.render", icon="RENDER_ANIMATION")
        layout.operator("wakeup.export", icon="EXPORT")


_OWN = (
    WAKEUP_PT_people,
    WAKEUP_PT_person,
    WAKEUP_PT_fit,
    WAKEUP_PT_build,
    WAKEUP_PT_background,
    WAKEUP_PT_animate,
)


def _stage_panels() -> tuple[type[StagePanel], ...]:
    """A panel for each stage, in order. One that has none of its own here shows its settings and
    its button."""
    own = {cls.stage: cls for cls in _OWN}
    made = []
    for order, (stage, title) in enumerate(titles().items(), start=1):
        cls = own.get(stage) or type(
            f"WAKEUP_PT_{stage}",
            (StagePanel, bpy.types.Panel),
            {"bl_label": title, "bl_options": {"DEFAULT_CLOSED"}, "stage": stage,
             "draw_stage": _draw_stage},
        )  # fmt: skip
        assert issubclass(cls, StagePanel)
        cls.bl_order = order
        made.append(cls)
    return tuple(made)


def _draw_stage(
    self: StagePanel, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup
) -> None:
    _draw_settings(layout, settings, self.stage)
    layout.operator(f"wakeup.{self.stage}")


CLASSES = (WAKEUP_UL_people, WAKEUP_PT_photo, *_stage_panels(), WAKEUP_PT_output)
