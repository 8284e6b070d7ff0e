"""What the user corrects by hand: a box where no one was found, the mask, the joints, the pose."""

from __future__ import annotations

from dataclasses import replace

import bpy

from ..addon import results
from ..addon.core.errors import WakeUpError
from ..addon.core.photo.image_files import load_photo
from ..addon.core.pipeline.corrections import Corrections
from ..addon.core.pipeline.request import Outcome, Request
from ..addon.core.pipeline.stages import LAST
from ..addon.core.result import WakeUpResult, present
from ..addon.scene.build import is_result, is_whole, mark_generated, photo_size
from ..addon.scene.rig.joint_markers import add_box
from ..addon.scene.rig.pose_correction import find_posed, has_fit
from ..addon.scene.selection import select_alone
from ..addon.ui.painting import open_for_painting, paint_white
from .base import QuickOperator, can_start, is_idle
from .stage_operator import (
    FitOperator,
    StageOperator,
    is_of_person,
    photo_path,
    show,
    wanted_source,
)

_HOW_TO_POSE = "Rotate bones, or drag hands and feet by their handles, then refine."
_BOX_MARGIN = 0.1  # of the photo, around a box that nothing is known for


class WAKEUP_OT_add_box(QuickOperator, bpy.types.Operator):
    """Put a box over the photo that shows where the figure is"""

    bl_idname = "wakeup.add_box"
    bl_label = "Add Box"
    bl_description = (
        "Put a box over the photo that says where the person or the drawn figure is: move and "
        "scale it, then press Find Person"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_start(cls, context)

    def act(self, context: bpy.types.Context) -> str:
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
        mark_generated([frame])
        try:
            select_alone(frame)
        except WakeUpError:
            bpy.data.objects.remove(frame)
            raise
        return "Move and scale the box until it holds the figure, then find it."


class WAKEUP_OT_paint_mask(bpy.types.Operator):
    """Open the mask in an image editor, ready to be painted"""

    bl_idname = "wakeup.paint_mask"
    bl_label = "Paint Mask"
    bl_description = (
        "Open the mask over the photo in an image editor, ready to be painted: white adds to the "
        "person; with Ctrl, or after X, black takes away. The editor's overlays show the photo"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _can_paint(cls, context, context.scene.wake_up.mask, "Press Find Person first")

    def execute(self, context: bpy.types.Context) -> set[str]:
        open_for_painting(context, context.scene.wake_up.mask)
        paint_white(context.scene)
        return {"FINISHED"}


class WAKEUP_OT_paint_labels(bpy.types.Operator):
    """Open the part labels in an image editor, ready to be painted"""

    bl_idname = "wakeup.paint_labels"
    bl_label = "Paint Labels"
    bl_description = (
        "Open the part labels in an image editor, ready to be painted: pick a part's colour from "
        "the image with a hard brush, then press Build Character"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _can_paint(cls, context, context.scene.wake_up.labels, "Press Build Character first")

    def execute(self, context: bpy.types.Context) -> set[str]:
        open_for_painting(context, context.scene.wake_up.labels)
        return {"FINISHED"}


def _can_paint(
    operator: type[bpy.types.Operator],
    context: bpy.types.Context,
    image: bpy.types.Image | None,
    otherwise: str,
) -> bool:
    if not is_idle(operator, context):
        return False
    if image is None:
        operator.poll_message_set(otherwise)
        return False
    if context.window is None or bpy.app.background:
        operator.poll_message_set("Painting needs a window")
        return False
    return True


class WAKEUP_OT_use_corrections(StageOperator, bpy.types.Operator):
    """Go on from the mask and the joints as they are now"""

    bl_idname = "wakeup.use_corrections"
    bl_label = "Use Corrections"
    bl_description = (
        "Go on from the mask and the joints as they are now: only what depends on them is made anew"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if context.scene.wake_up.result is None:
            cls.poll_message_set("Press Find Person first")
            return False
        return True

    def _until(self, settings: bpy.types.PropertyGroup) -> str:
        return LAST if is_whole(settings.result) else "fitted"

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        return f"{present(result.photo, 'photo').name} follows the corrections."


class WAKEUP_OT_correct_pose(StageOperator, bpy.types.Operator):
    """Show the fitted body over the photo, ready to be posed"""

    bl_idname = "wakeup.correct_pose"
    bl_label = "Correct Pose"
    bl_description = (
        "Show the fitted body over the photo in Pose Mode: rotate its bones, or drag the handles "
        "at its hands and feet, then press Refine from Here"
    )
    until = "fitted"
    shows_body = True

    def execute(self, context: bpy.types.Context) -> set[str]:
        return super().execute(context) if self._to_be_shown(context) else self._pose_now(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self._to_be_shown(context):
            return super().invoke(context, event)
        return self._pose_now(context)

    def is_quick(self, request: Request) -> bool:
        return request.result.fitted is not None

    def _to_be_shown(self, context: bpy.types.Context) -> bool:
        collection = context.scene.wake_up.result
        if collection is None or find_posed(collection) is None:
            return True
        try:
            return not is_of_person(collection, wanted_source(context))
        except WakeUpError:
            return True  # the stage says what is wrong

    def _pose_now(self, context: bpy.types.Context) -> set[str]:
        """Where the body is shown already, what has been done to it stays."""
        _pose(context)
        self.report({"INFO"}, _HOW_TO_POSE)
        return {"FINISHED"}

    def finish(self, context: bpy.types.Context, outcome: Outcome) -> str:
        said = super().finish(context, outcome)
        _pose(context)
        return said

    def _sentence(self, _context: bpy.types.Context, _result: WakeUpResult) -> str:
        return _HOW_TO_POSE


def _is_fitted(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    collection = context.scene.wake_up.result
    if collection is None or not has_fit(collection):
        operator.poll_message_set("Press Fit Body first")
        return False
    return True


class WAKEUP_OT_refine_pose(StageOperator, bpy.types.Operator):
    """Continue the fit from the pose that the body has now"""

    bl_idname = "wakeup.refine_pose"
    bl_label = "Refine from Here"
    bl_description = (
        "Continue the fit from the pose that the body has now: joints that were turned stay as "
        "they are, all others follow the photo"
    )
    until = "fitted"
    starts_over = True
    shows_body = True

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return super().poll(context) and _is_fitted(cls, context)

    def request(self, context: bpy.types.Context) -> Request:
        if find_posed(context.scene.wake_up.result) is None:
            raise WakeUpError("The fitted body is not shown any more: press Correct Pose first.")
        found = super().request(context)
        if found.corrections.pose is None:
            raise WakeUpError("The body was fitted to another photo or person: press Fit Body.")
        return found

    def is_quick(self, request: Request) -> bool:
        # Half a second beside a window that stays alive; a worker takes two to start.
        return request.result.person is not None

    def finish(self, context: bpy.types.Context, outcome: Outcome) -> str:
        posing = context.mode == "POSE"
        said = super().finish(context, outcome)
        if posing:
            _pose(context)
        return said

    def _corrections(self, context: bpy.types.Context, source: results.Source) -> Corrections:
        # A body that no one has touched goes on from where it is, too.
        pose = self._posed(context, source)
        return replace(super()._corrections(context, source), pose=pose)

    def _sentence(self, _context: bpy.types.Context, _result: WakeUpResult) -> str:
        count = int(self._held.sum()) if self._held is not None else 0
        joints = "one joint" if count == 1 else f"{count or 'no'} joints"
        return f"The body follows the photo again, with {joints} as you have turned them."


class WAKEUP_OT_forget_pose(FitOperator, bpy.types.Operator):
    """Fit the body again, without what was corrected of its pose"""

    bl_idname = "wakeup.forget_pose"
    bl_label = "Forget Pose Corrections"
    bl_description = "Fit the body anew, without what was corrected of its pose"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return super().poll(context) and _is_fitted(cls, context)

    def _sentence(self, _context: bpy.types.Context, _result: WakeUpResult) -> str:
        return "The body stands as it was fitted."


def _pose(context: bpy.types.Context) -> None:
    """Go to Pose Mode with the fitted body's bones."""
    armature = find_posed(context.scene.wake_up.result)
    select_alone(armature)
    bpy.ops.object.mode_set(mode="POSE")


CLASSES = (
    WAKEUP_OT_add_box,
    WAKEUP_OT_paint_mask,
    WAKEUP_OT_paint_labels,
    WAKEUP_OT_use_corrections,
    WAKEUP_OT_correct_pose,
    WAKEUP_OT_refine_pose,
    WAKEUP_OT_forget_pose,
)
