"""The one button, and each stage by itself."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..addon import results
from ..addon.core.errors import PhotoError
from ..addon.core.pipeline import WakeUpResult
from ..addon.core.report import describe
from ..addon.scene.build import build_scene, is_result, mask_image, remove_scene
from ..addon.scene.images import read_mask
from ..addon.scene.preview import build_preview
from ..addon.scene.render import look_through
from ..addon.ui.preferences import body_file, joint_network, mask_network
from ..addon.worker import Request
from .base import JobOperator

_SOURCE = "photo_wake_up_source"  # custom property: which photo and person a mask is of


class _Stage(JobOperator):
    """Advance the scene's result up to `until` and show it in place of the one before."""

    until = ""
    starts_anew = False  # whether the stage itself is computed again where it was already

    def request(self, context: bpy.types.Context) -> Request:
        settings = context.scene.wake_up
        path = Path(bpy.path.abspath(settings.photo))
        if not path.exists():
            raise PhotoError(f"There is no file {path.name} any more: choose the photo again.")
        wanted = settings.pipeline_settings(
            context.scene, body_file(context), mask_network(context), joint_network(context)
        )
        self._source = results.Source.of(path, wanted)
        result = results.reusable(settings.key, self._source)
        if self.starts_anew:
            result = result.without(self.until)
        return Request(result, wanted, str(path), self.until, _painted(settings, self._source))

    def finish(self, context: bpy.types.Context, result: WakeUpResult) -> str:
        settings = context.scene.wake_up
        # What the stage before has shown goes; the user's own things stay.
        old, settings.result, settings.mask = settings.result, None, None
        if old is not None and is_result(old):
            remove_scene(old)
        collection = settings.result = self._show(context, result)
        settings.mask = mask_image(collection)
        settings.mask[_SOURCE] = self._source.of_person
        settings.key = results.keep(result, self._source)
        return self._sentence(context, result)

    def _show(self, context: bpy.types.Context, result: WakeUpResult) -> bpy.types.Collection:
        if result.build is not None and result.background is not None:
            collection = build_scene(result, context.scene)
            fps = context.scene.render.fps / context.scene.render.fps_base
            width = context.scene.wake_up.width
            look_through(context.scene, collection, context.scene.wake_up.engine, width, fps)
            return collection
        return build_preview(result, body_file(context), context.scene)

    def _sentence(self, _context: bpy.types.Context, _result: WakeUpResult) -> str:
        raise NotImplementedError


def _painted(settings: bpy.types.PropertyGroup, source: results.Source):  # noqa: ANN202
    """The mask image as it is now, where it is of this photo and person; else None."""
    image = settings.mask
    if image is None or not image.has_data or image.get(_SOURCE) != source.of_person:
        return None
    return read_mask(image)


class WAKEUP_OT_wake_up(_Stage, bpy.types.Operator):
    """Turn the photo into a scene: find the person, build the character, fill the background,
    animate"""

    bl_idname = "wakeup.wake_up"
    bl_label = "Wake Up"
    bl_description = (
        "Turn the photo into a scene: the person becomes a character that walks out of the picture"
    )
    until = "motion"

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        told = describe(result)
        seconds = sum(cost["seconds"] for cost in told["stages"].values())
        warnings = " ".join(told["warnings"])
        return f"{result.photo.name} woke up in {seconds:.0f} s. {warnings}".strip()


class WAKEUP_OT_find_person(_Stage, bpy.types.Operator):
    """Find the people in the photo and cut the chosen one out"""

    bl_idname = "wakeup.find_person"
    bl_label = "Find Person"
    bl_description = "Find the people in the photo and cut the chosen one out: gives the mask image"
    until = "person"
    starts_anew = True

    def request(self, context: bpy.types.Context) -> Request:
        found = super().request(context)
        # This stage makes the mask: what was painted before is replaced.
        return Request(found.result, found.settings, found.photo_path, found.until, None)

    def _sentence(self, context: bpy.types.Context, result: WakeUpResult) -> str:
        number, count = context.scene.wake_up.person, len(result.people)
        share = result.person.mask.mean()
        which = f"number {number}" if number else "the most prominent one"
        people = "One person" if count == 1 else f"{count} people, {which} cut out"
        return f"{people}: {share:.0%} of the photo. Paint the mask where it is wrong."


class WAKEUP_OT_fit_body(_Stage, bpy.types.Operator):
    """Lay a body over the person; starts from the mask image as it is"""

    bl_idname = "wakeup.fit_body"
    bl_label = "Fit Body"
    bl_description = "Lay a body over the person in pose and shape; starts from the mask as it is"
    until = "fitted"
    starts_anew = True

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        distance = result.fitted.joints[0, 2]
        return f"The body stands {distance:.1f} m from the camera."


class WAKEUP_OT_build_character(_Stage, bpy.types.Operator):
    """Give the person a body with front, back and texture"""

    bl_idname = "wakeup.build_character"
    bl_label = "Build Character"
    bl_description = "Build the textured, rigged mesh with the person's exact outline"
    until = "build"
    starts_anew = True

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        return f"A character of {len(result.build.character.triangles)} triangles."


class WAKEUP_OT_fill_background(_Stage, bpy.types.Operator):
    """Fill the place behind the person"""

    bl_idname = "wakeup.fill_background"
    bl_label = "Fill Background"
    bl_description = "Paint the photo on where the person is"
    until = "background"
    starts_anew = True

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        return f"{result.background.hole.mean():.0%} of the photo filled."


class WAKEUP_OT_animate(_Stage, bpy.types.Operator):
    """Let the character perform the chosen motion"""

    bl_idname = "wakeup.animate"
    bl_label = "Animate"
    bl_description = "Let the character perform the chosen motion; builds first what is missing"
    until = "motion"
    starts_anew = True

    def _sentence(self, _context: bpy.types.Context, result: WakeUpResult) -> str:
        count = len(result.motion.root)
        return f"{count} frames of '{result.motion_name}'."


CLASSES = (
    WAKEUP_OT_wake_up,
    WAKEUP_OT_find_person,
    WAKEUP_OT_fit_body,
    WAKEUP_OT_build_character,
    WAKEUP_OT_fill_background,
    WAKEUP_OT_animate,
)
