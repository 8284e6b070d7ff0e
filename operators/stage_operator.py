"""What the buttons of all stages have in common: a stage is computed, and its result shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy

from ..addon import results
from ..addon.core.body.pose_edit import PoseCorrection
from ..addon.core.body.stage import body_model
from ..addon.core.errors import PhotoError, WakeUpError, printable
from ..addon.core.perception.stages import chosen_person
from ..addon.core.pipeline.corrections import Corrections
from ..addon.core.pipeline.request import Outcome, Request
from ..addon.core.pipeline.run import in_thread
from ..addon.core.pipeline.stages import LAST, stages_done, without
from ..addon.core.result import WakeUpResult, present
from ..addon.core.settings import WakeUpSettings
from ..addon.core.types import Mask, Progress
from ..addon.core.user_paths import check_readable, user_path
from ..addon.scene.animation.actions import frame_rate
from ..addon.scene.build import (
    build_group,
    is_result,
    label_image,
    mark_generated,
    mask_image,
    remove_scene,
)
from ..addon.scene.encoded_images import EncodedImages, encode_images
from ..addon.scene.id_properties import PERSON_SOURCE, PHOTO_SOURCE
from ..addon.scene.objects.images import new_thumbnail, read_mask
from ..addon.scene.objects.label_image import read_painted
from ..addon.scene.objects.path import find_path, put_in, read_path, take_out
from ..addon.scene.preview import add_corrections, build_preview, photo_camera
from ..addon.scene.render.stills import look_through, show_photo
from ..addon.scene.render.viewport import show_in_viewport, viewports_through_camera
from ..addon.scene.rig.joint_markers import add_box, read_box, read_joints
from ..addon.scene.rig.pose_correction import note_fit, read_correction, show_body
from ..addon.stage_states import Made, plain
from ..addon.ui.preferences import chosen_files
from .base import JobOperator, Work, can_start
from .motion_sources import read_in_blender

_PACKING = (1.0, 0.0, "Packing the pictures")  # what is told meanwhile
_MODES = ("OBJECT", "POSE")  # in Pose Mode the fitted body is corrected


class StageOperator(JobOperator):
    """Advance the scene's result up to `until` and show it in place of the one before."""

    bl_label: str  # Blender's
    until = ""
    starts_over = False  # whether the stage itself is computed again where it was already
    shows_body = False  # whether the fitted body is shown even where there is a whole scene
    reads_pose = True  # whether the fit goes on from what the user made of the one before
    _held: Mask | None = None  # joints that the user has turned, in what was asked for
    _encoded: Sequence[EncodedImages] | None = None  # the outcome's pictures

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_start(cls, context, _MODES)

    def request(self, context: bpy.types.Context) -> Request:
        settings = context.scene.wake_up
        self._source = wanted_source(context)
        wanted, path = self._source.settings, self._source.photo
        until = self._until(settings)
        if settings.everyone and until == LAST:
            clip = read_in_blender(context)
            return Request(WakeUpResult(), wanted, path, until, everyone=True, clip=clip)
        result = results.reusable(settings.key, self._source)
        if self.starts_over:
            result = without(result, until)
        corrections = self._corrections(context, self._source)
        self._held = corrections.pose.held if corrections.pose is not None else None
        moves = until == LAST and result.motion is None
        return Request(
            result, wanted, path, until, corrections,
            clip=read_in_blender(context) if moves else None,
        )  # fmt: skip

    def work(self, request: Request, in_worker: bool) -> Work:
        outcome = yield from super().work(request, in_worker)
        found = outcome if isinstance(outcome, tuple) else (outcome,)
        # Building ends in one step, during which the window stands still: as little as can be.
        yield from in_thread(lambda _report: self._make_ready(found, request.settings), *_PACKING)
        yield Progress(1.0, "Building the scene")
        return outcome

    def _make_ready(self, found: tuple[WakeUpResult, ...], settings: WakeUpSettings) -> None:
        """What `show` needs and need not wait for the window."""
        self._encoded = encode_images(found)
        if found[0].fitted is not None and (self.shows_body or found[0].build is None):
            body_model(settings)

    def finish(self, context: bpy.types.Context, outcome: Outcome) -> str:
        settings = context.scene.wake_up
        found = outcome if isinstance(outcome, tuple) else (outcome,)
        if context.mode == "POSE":
            bpy.ops.object.mode_set(mode="OBJECT")
        # What the stage before has shown goes; the user's own things stay.
        old, settings.result, settings.mask = settings.result, None, None
        settings.labels = None
        is_new = not _is_of(old, self._source)
        views = viewports_through_camera()
        path = find_path(old) if old is not None and self._source.settings.path else None
        if path is not None:
            take_out(path)
        if old is not None and is_result(old):
            remove_scene(old)
        everyone = isinstance(outcome, tuple)
        collection = show(
            context, found, self._source, self._held, self.shows_body, everyone, self._encoded
        )
        # A photo that comes to life unseen would disappoint; later, the view is the user's.
        if is_new and context.space_data is not None and context.space_data.type == "VIEW_3D":
            show_in_viewport(context.space_data)
        for view in views:  # which the deleted camera took with it
            view.view_perspective = "CAMERA"
        if path is not None:
            put_in(path, collection)
        # Of several results only what they share can be gone on from.
        kept = found[0] if len(found) == 1 else without(found[0], "person")
        settings.key = results.keep(kept, self._source)
        said = self._sentence(context, found[0])
        remarks = present(found[0].photo, "photo").remarks if is_new else ()
        return " ".join([said, *(remark for remark in remarks if remark not in said)])

    def stage_of(self, error: WakeUpError) -> str:
        missing = "photo" if isinstance(error, PhotoError) else self.until
        return error.stage or missing

    def _until(self, _settings: bpy.types.PropertyGroup) -> str:
        return self.until

    def _corrections(self, context: bpy.types.Context, source: results.Source) -> Corrections:
        """The mask and label images, the joints and the fitted body's pose as they are now, where
        they are of this photo and person. A pose that no one has touched corrects nothing."""
        image, collection = context.scene.wake_up.mask, context.scene.wake_up.result
        mask = joints = labels = None
        strokes = context.scene.wake_up.labels
        if image is not None and image.get(PERSON_SOURCE) == source.of_person:
            mask = read_mask(image)
        if strokes is not None and strokes.get(PERSON_SOURCE) == source.of_person:
            labels = read_painted(strokes)
        if is_of_person(collection, source):
            joints = read_joints(collection)
        pose = self._posed(context, source) if self.reads_pose else None
        pose = pose if pose is not None and pose.held.any() else None
        return Corrections(mask, joints, pose, labels)

    def _posed(self, context: bpy.types.Context, source: results.Source) -> PoseCorrection | None:
        """The fitted body as it is posed now; None if there is none of this person."""
        collection = context.scene.wake_up.result
        if not is_of_person(collection, source):
            return None
        return read_correction(collection, source.settings.body_file)

    def _sentence(self, _context: bpy.types.Context, _result: WakeUpResult) -> str:
        raise NotImplementedError


def nothing() -> Work:
    """Work that is done already."""
    yield from ()


def wanted_source(context: bpy.types.Context) -> results.Source:
    """What the scene's settings ask for a result of; WakeUpError where there is no such photo."""
    settings = context.scene.wake_up
    wanted = settings.pipeline_settings(context.scene, chosen_files(context))
    source = results.Source.of(photo_path(settings), wanted)
    box = read_box(settings.result) if _is_of(settings.result, source) else None
    source = replace(source, settings=replace(wanted, box=box))
    if settings.everyone or not is_of_person(settings.result, source):
        return source
    return replace(source, settings=replace(source.settings, path=read_path(settings.result)))


def photo_path(settings: bpy.types.PropertyGroup) -> Path:
    """The photo's file; PhotoError where it is gone."""
    path = user_path(bpy.path.abspath(settings.photo))
    check_readable(path, PhotoError, "choose another photo")
    if not path.is_file():
        raise PhotoError(f"There is no file {path.name} any more: choose the photo again.")
    return path


def show(
    context: bpy.types.Context,
    found: tuple[WakeUpResult, ...],
    source: results.Source,
    held: Mask | None = None,
    shows_body: bool = False,
    everyone: bool = False,
    encoded: Sequence[EncodedImages] | None = None,
) -> bpy.types.Collection:
    """Build the scene of results, or what there is of it, and make it the scene's own.

    held : (24,), joints of the fitted body that the user has turned
    shows_body : whether the fitted body is shown, to be posed, in place of a whole scene
    everyone : whether `found` is all people of the photo, though it may be a single one
    encoded : the pictures of `found` (`encode_images`); None: they are encoded here
    """
    scene, settings = context.scene, context.scene.wake_up
    first = without(found[0], "build") if shows_body else found[0]
    if first.build is not None and first.background is not None:
        collection = build_group(found, scene, encoded)
        fps = frame_rate(scene)
        look_through(scene, collection, settings.engine, settings.width, fps)
        if len(found) == 1:
            add_corrections(first, collection).hide_viewport = True
    else:
        files = encoded[0] if encoded is not None else None
        body_file = chosen_files(context)["body_file"]
        collection = build_preview(first, body_file, scene, settings.height, files)
        show_photo(scene, collection, settings.width)
        show_body(collection, settings.show_body)
    if first.fitted is not None and len(found) == 1:
        place = photo_camera(first, settings.height)[1]
        note_fit(collection, first.fitted, held, place, source.settings.body_file)
    settings.result = collection
    collection[PHOTO_SOURCE] = source.digest
    collection[PERSON_SOURCE] = source.of_person
    settings.mask = mask_image(collection) if len(found) == 1 else None
    settings.labels = label_image(collection) if len(found) == 1 else None
    for image in (settings.mask, settings.labels):
        if image is not None:
            image[PERSON_SOURCE] = source.of_person
    if source.settings.box is not None:
        add_box(collection, source.settings.box)
    if first.people is not None:
        _list_people(settings, first, source)
    mark_generated(collection.all_objects)
    settings.made = _made(context, found[0], source, everyone).as_text()
    return collection


def _made(
    context: bpy.types.Context, found: WakeUpResult, source: results.Source, everyone: bool
) -> Made:
    stages = stages_done(found)
    typed = context.scene.wake_up.photo
    return Made((typed, source.photo), plain(source.settings), stages, everyone)


def _list_people(
    settings: bpy.types.PropertyGroup, result: WakeUpResult, source: results.Source
) -> None:
    """Fill the panel's list; the highlight goes to anyone who was chosen."""
    for item in settings.people:
        if item.thumbnail is not None:
            bpy.data.images.remove(item.thumbnail)
    settings.people.clear()
    photo, people = present(result.photo, "photo"), present(result.people, "people")
    default = chosen_person(people, replace(source.settings, person=0))
    chosen = chosen_person(people, source.settings)
    for number, person in enumerate(people, start=1):
        item = settings.people.add()
        item.score, item.is_default = person.score, person is default
        item.box = person.box.round().astype(int).tolist()
        name = f"{printable(photo.name)} Person {number}"
        item.thumbnail = new_thumbnail(name, photo, person)
    settings.active_person = next(k for k, p in enumerate(people) if p is chosen)


def is_of_person(collection: bpy.types.Collection | None, source: results.Source) -> bool:
    """Whether a result shows the photo and person that are asked for."""
    return collection is not None and collection.get(PERSON_SOURCE) == source.of_person


def _is_of(collection: bpy.types.Collection | None, source: results.Source) -> bool:
    return collection is not None and collection.get(PHOTO_SOURCE) == source.digest


class FitOperator(StageOperator):
    """Fit the body without regard to how an earlier one was posed."""

    until = "fitted"
    starts_over = True
    shows_body = True
    reads_pose = False
