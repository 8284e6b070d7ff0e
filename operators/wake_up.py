"""The one button, and each stage by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy

from ..addon import results
from ..addon.core.errors import WakeUpError, printable
from ..addon.core.pipeline.corrections import Corrections
from ..addon.core.pipeline.stages import titles
from ..addon.core.reports.report import warnings_of
from ..addon.core.result import WakeUpResult, present
from ..addon.scene.build import (
    is_whole,
)
from ..addon.stage_states import DONE, Made, plain
from ..addon.ui.scene_states import states_of
from .base import Work
from .motion_sources import Performance
from .stage_operator import FitOperator, StageOperator, nothing, wanted_source


class WAKEUP_OT_wake_up(StageOperator, bpy.types.Operator):
    """Turn the photo into a scene: find the person, build the character, fill the background,
    animate"""

    bl_idname = "wakeup.wake_up"
    bl_label = "Wake Up"
    bl_description = (
        "Turn the photo into a scene: the person becomes a character that walks out of the picture"
    )
    until = "motion"

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        seconds = sum(cost.seconds for cost in result.costs.values())
        warnings = " ".join(warnings_of(result))
        name = printable(present(result.photo, "photo").name)
        return f"{name} woke up in {seconds:.0f} s. {warnings}".strip()


class WAKEUP_OT_find_person(StageOperator, bpy.types.Operator):
    """Find the people in the photo and cut the chosen one out"""

    bl_idname = "wakeup.find_person"
    bl_label = "Find Person"
    bl_description = "Find the people in the photo and cut the chosen one out: gives the mask image"
    until = "person"
    starts_over = True

    def _corrections(self, _context: bpy.types.Context, _source: results.Source) -> Corrections:
        return Corrections()  # this stage makes mask and joints: what was corrected is replaced

    def _sentence(self, context: bpy.types.Context, result: WakeUpResult) -> str:
        number = context.scene.wake_up.person
        count = len(present(result.people, "people"))
        found = present(result.person, "person")
        share = found.mask.mean()
        which = f"number {number}" if number else "the most prominent one"
        people = "One person" if count == 1 else f"{count} people, {which} cut out"
        if found.detection.is_drawn:
            people = "A figure was cut out of the box"
        return (
            f"{people}: {share:.0%} of the photo. Where it is wrong, paint the mask or drag the "
            "joints, then press Use Corrections."
        )


class WAKEUP_OT_fit_body(FitOperator, bpy.types.Operator):
    """Lay a body over the person; starts from the mask image as it is"""

    bl_idname = "wakeup.fit_body"
    bl_label = "Fit Body"
    bl_description = "Lay a body over the person in pose and shape; starts from the mask as it is"

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        distance = present(result.fitted, "fitted").joints[0, 2]
        return (
            f"The body stands {distance:.1f} m from the camera. Where its pose is wrong, press "
            "Correct Pose."
        )


class WAKEUP_OT_build_character(StageOperator, bpy.types.Operator):
    """Give the person a body with front, back and texture"""

    bl_idname = "wakeup.build_character"
    bl_label = "Build Character"
    bl_description = "Build the textured, rigged mesh with the person's exact outline"
    until = "build"
    starts_over = True

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        triangles = present(result.build, "build").character.triangles
        return f"A character of {len(triangles)} triangles."


class WAKEUP_OT_fill_background(StageOperator, bpy.types.Operator):
    """Fill the place behind the person"""

    bl_idname = "wakeup.fill_background"
    bl_label = "Fill Background"
    bl_description = "Paint the photo on where the person is"
    until = "background"
    starts_over = True

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        return f"{present(result.background, 'background').hole.mean():.0%} of the photo filled."


class WAKEUP_OT_animate(StageOperator, bpy.types.Operator):
    """Let the character perform the chosen motion"""

    bl_idname = "wakeup.animate"
    bl_label = "Animate"
    bl_description = "Let the character perform the chosen motion; builds first what is missing"
    until = "motion"
    starts_over = True
    _moved: tuple[Performance, Made] | None = None  # where nothing but the motion is to be made

    def request(self, context: bpy.types.Context) -> Any:
        """None if the opened file has all but the motion, though not what led to it."""
        self._moved = self._only_moves(context)
        return super().request(context) if self._moved is None else None

    def work(self, request: Any, in_worker: bool) -> Work:
        return super().work(request, in_worker) if self._moved is None else nothing()

    def finish(self, context: bpy.types.Context, outcome: Any) -> str:
        if self._moved is None:
            return super().finish(context, outcome)
        performance, made = self._moved
        said = performance.play(context)
        context.scene.wake_up.made = made.as_text()
        return said

    def _only_moves(self, context: bpy.types.Context) -> tuple[Performance, Made] | None:
        settings = context.scene.wake_up
        made = Made.from_text(settings.made)
        if made is None or settings.result is None or settings.everyone:
            return None
        if not is_whole(settings.result) or results.recall(settings.key) is not None:
            return None
        states = states_of(context)
        if any(states[stage].condition != DONE for stage in states if stage != self.until):
            return None
        try:
            wanted = wanted_source(context).settings
            return Performance.of_menu(context), replace(made, settings=plain(wanted))
        except WakeUpError:
            return None  # made again from the photo it may work, or the stage says why not

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        count = len(present(result.motion, "motion").root)
        return " ".join([f"{count} frames of '{result.motion_name}'.", *result.motion_notes])


_OWN = (
    WAKEUP_OT_find_person,
    WAKEUP_OT_fit_body,
    WAKEUP_OT_build_character,
    WAKEUP_OT_fill_background,
    WAKEUP_OT_animate,
)
_FIRST = "people"  # computed by the button of the person


def _other_buttons() -> tuple[type[StageOperator], ...]:
    """A button for each stage that has none of its own here."""
    own = {_FIRST, *(cls.until for cls in _OWN)}
    return tuple(
        type(
            f"WAKEUP_OT_{stage}",
            (StageOperator, bpy.types.Operator),
            {"bl_idname": f"wakeup.{stage}", "bl_label": title,
             "bl_description": f"Compute '{title}' and what it needs", "until": stage,
             "starts_over": True, "_sentence": _done},
        )
        for stage, title in titles().items()
        if stage not in own
    )  # fmt: skip


def _done(self: StageOperator, _context: bpy.types.Context, _result: WakeUpResult) -> str:
    return f"{self.bl_label} is done."


CLASSES = (WAKEUP_OT_wake_up, *_OWN, *_other_buttons())
