"""Motions from the menu, armatures, files and folders, and which joint is which in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from ..addon.core.errors import MotionError, WakeUpError
from ..addon.core.motion.performing.playlist import Batch, motion_files
from ..addon.core.motion.retargeting.joint_map import map_joints
from ..addon.core.motion.retargeting.mapping_presets import (
    mapping_for,
    named_mapping,
    preset_path,
    read_preset,
    write_preset,
)
from ..addon.core.motion.retargeting.source_motion import SourceMotion
from ..addon.core.motion.sources.library import load_motion, needs_blender
from ..addon.core.motion.sources.takes import Takes, is_person
from ..addon.core.types import Clip, Motion, Pose
from ..addon.scene import user_files
from ..addon.scene.animation import mapping_list
from ..addon.scene.animation.actions import FIRST_FRAME, frame_rate
from ..addon.scene.animation.motion_folder import perform_folder
from ..addon.scene.animation.motion_source import (
    clip_from_source,
    clip_of_take,
    sample_armature,
    takes_of_file,
)
from ..addon.scene.animation.performing import (
    Performer,
    chosen_armature,
    current_pose,
    lay_other_takes,
    match_first_frame,
    photo_pose,
    push_nla_strips,
    set_action,
    show_frames,
)
from ..addon.scene.build import find_parts
from ..addon.scene.rig.ik_controls import has_controls, remove_controls
from ..addon.ui.motion_properties import ARMATURE, FILE, IN_TURN, MENU, POSE
from ..addon.ui.properties import MOTION_FILE
from .base import JobOperator, QuickOperator, Work, is_idle
from .render import has_result

_LONGEST_NAME = 40  # of an action: room for the armature's


def can_pose(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """For polls: whether there is a finished character and Blender is in a mode in which it can
    be given a motion, with the reason where not."""
    if not has_result(operator, context):
        return False
    if context.mode not in ("OBJECT", "POSE"):
        operator.poll_message_set("Go to Object or Pose Mode first")
        return False
    return True


class WAKEUP_OT_read_skeleton(QuickOperator, bpy.types.Operator):
    """Read the source's skeleton and list which bone is which joint"""

    bl_idname = "wakeup.read_skeleton"
    bl_label = "Show Joints"
    bl_description = (
        "Read the source's skeleton and list which of its bones is which joint of the body: as "
        "you saved it for such skeletons, else as names and shape tell"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not is_idle(cls, context):
            return False
        settings = context.scene.wake_up_motion
        if settings.source == MENU:
            cls.poll_message_set("Choose an armature or a file as the source: clips need no list")
            return False
        return _has_source(cls, context)

    def act(self, context: bpy.types.Context) -> str:
        settings = context.scene.wake_up_motion
        source = _read_source(context)
        if source is None:
            raise MotionError("Such files name SMPL's joints themselves: just perform them.")
        return _show(settings, source)


class _MappingOperator(QuickOperator):
    """Works on the list of joints that is shown."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_list(cls, context)


class WAKEUP_OT_save_mapping(_MappingOperator, bpy.types.Operator):
    """Keep the list for all motions of this skeleton"""

    bl_idname = "wakeup.save_mapping"
    bl_label = "Save"
    bl_description = "Keep the list: it is used for every motion with the same skeleton from now on"

    def act(self, context: bpy.types.Context) -> str:
        settings = context.scene.wake_up_motion
        skeleton = mapping_list.skeleton_shown(settings)
        path = preset_path(user_files.mappings_folder(), skeleton)
        write_preset(path, skeleton, mapping_list.mapping_shown(settings))
        settings.is_preset = True
        return "The mapping is kept for all motions of this skeleton."


class WAKEUP_OT_load_mapping(_MappingOperator, ImportHelper, bpy.types.Operator):
    """Take the mapping from a file"""

    bl_idname = "wakeup.load_mapping"
    bl_label = "Load"
    bl_description = "Take the mapping from a preset file, also one of a like skeleton"
    filename_ext = ".json"

    filter_glob: StringProperty(  # type: ignore[valid-type]
        name="Files", description="Which files are listed", default="*.json", options={"HIDDEN"}
    )

    def act(self, context: bpy.types.Context) -> str:
        settings = context.scene.wake_up_motion
        skeleton = mapping_list.skeleton_shown(settings)
        mapping = read_preset(Path(bpy.path.abspath(self.filepath)), skeleton)
        mapping_list.fill(settings, skeleton, mapping)
        settings.is_preset = False
        return f"{len(mapping)} joints are mapped. Save keeps them."


class WAKEUP_OT_forget_mapping(_MappingOperator, bpy.types.Operator):
    """Delete what was kept for this skeleton; names and shape tell the joints again"""

    bl_idname = "wakeup.forget_mapping"
    bl_label = "Forget"
    bl_description = (
        "Delete the mapping that was kept for this skeleton: names and shape tell the joints again"
    )

    def act(self, context: bpy.types.Context) -> str:
        settings = context.scene.wake_up_motion
        skeleton = mapping_list.skeleton_shown(settings)
        path = preset_path(user_files.mappings_folder(), skeleton)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise MotionError(f"{path.name} cannot be deleted: {error.strerror}.") from error
        settings.is_preset = False
        # Shape needs places: they are read again with the next motion.
        settings.mapping.clear()
        settings.bones.clear()
        settings.skeleton = ""
        return "The mapping is forgotten: Show Joints finds them anew."


class WAKEUP_OT_perform(QuickOperator, bpy.types.Operator):
    """Let the character perform the source's motion"""

    bl_idname = "wakeup.perform"
    bl_label = "Perform"
    bl_description = (
        "Let the character perform the source's motion, from the photo's pose or from the one "
        "that it has now, at the speed and along the path that are set; nothing else is built "
        "anew. A file's other takes become muted NLA tracks"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_pose(cls, context) and _has_source(cls, context)

    def act(self, context: bpy.types.Context) -> str:
        scene, collection = context.scene, context.scene.wake_up.result
        armature = chosen_armature(collection, context.active_object)
        pose = _first_pose(context, armature)
        clip, *others = _read_clips(context, armature, frame_rate(scene))
        motion = _performed(context, armature, clip, pose)
        takes = [(take.name, _performed(context, armature, take, pose)) for take in others]
        if has_controls(armature) and scene.wake_up_motion.start == POSE:
            remove_controls(armature)  # what they did is in the first pose
        said = Performance(armature, clip.name, motion, clip.notes).play(context)
        lay_other_takes(armature, takes)
        return f"{said} The other takes are muted NLA tracks." if takes else said


@dataclass(frozen=True, eq=False)
class Performance:
    """A motion that a character is about to play."""

    armature: bpy.types.Object
    name: str
    motion: Motion
    notes: tuple[str, ...] = ()  # sentences about what reading it has assumed and left out

    @staticmethod
    def of_menu(context: bpy.types.Context) -> Performance:
        """What the scene's result, of one person, makes of the menu's motion from the photo's
        pose; WakeUpError where result or motion cannot be read."""
        armature = chosen_armature(context.scene.wake_up.result, None)
        clip = menu_clip(context, frame_rate(context.scene))
        motion = _performed(context, armature, clip, photo_pose(armature))
        return Performance(armature, clip.name, motion, clip.notes)

    def play(self, context: bpy.types.Context) -> str:
        """Have the armature play it; returns what is reported."""
        collection = context.scene.wake_up.result
        set_action(self.armature, self.motion, f"{self.armature.name} {self.name}"[:_LONGEST_NAME])
        show_frames(context.scene, find_parts(collection), len(self.motion.root))
        match_first_frame(collection)
        said = f"{len(self.motion.root)} frames of '{self.name}'."
        return " ".join([said, *self.notes, *self.motion.warnings])


def _performed(
    context: bpy.types.Context, armature: bpy.types.Object, clip: Clip, pose: Pose
) -> Motion:
    scene = context.scene
    wanted = scene.wake_up.pipeline_settings(scene)
    performer = Performer.of(armature, scene.wake_up.result)
    return performer.perform(
        clip, pose, wanted.frames, frame_rate(scene), wanted.performing, follows_path=True
    )


class WAKEUP_OT_perform_folder(JobOperator, bpy.types.Operator):
    """Let the character perform all motion files of a folder"""

    bl_idname = "wakeup.perform_folder"
    bl_label = "Perform Folder"
    bl_description = (
        "Let the character perform all motion files of a folder, as NLA strips; files that cannot "
        "be read are named at the end"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not can_pose(cls, context):
            return False
        if not context.scene.wake_up_motion.folder:
            cls.poll_message_set("Choose a folder of motion files first")
            return False
        return True

    def request(self, context: bpy.types.Context) -> tuple:
        """The arguments of `perform_folder`."""
        scene, settings = context.scene, context.scene.wake_up_motion
        collection = scene.wake_up.result
        armature = chosen_armature(collection, context.active_object)
        self._armature = armature.name
        paths = motion_files(Path(bpy.path.abspath(settings.folder)))
        return (
            Performer.of(armature, collection), paths,
            _first_pose(context, armature), frame_rate(scene),
            settings.arrangement == IN_TURN, user_files.mappings_folder(),
            scene.wake_up.pipeline_settings(scene).performing,
        )  # fmt: skip

    def work(self, asked: tuple, _in_worker: bool) -> Work:
        # Importers need Blender itself: each file is a step between two looks at the window.
        return perform_folder(*asked)

    def finish(self, context: bpy.types.Context, outcome: Batch) -> str:
        in_turn = context.scene.wake_up_motion.arrangement == IN_TURN
        armature = bpy.data.objects.get(self._armature)
        if armature is None:
            raise WakeUpError(f"{self._armature} is gone: press Wake Up again.")
        last = push_nla_strips(armature, outcome.motions, in_turn)
        show_frames(context.scene, find_parts(context.scene.wake_up.result), last)
        match_first_frame(context.scene.wake_up.result)
        context.scene.frame_set(FIRST_FRAME)
        return outcome.sentence


def _has_source(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    settings = context.scene.wake_up_motion
    if settings.source == ARMATURE and settings.armature is None:
        operator.poll_message_set("Choose an armature first")
        return False
    if settings.source == FILE and not settings.file:
        operator.poll_message_set("Choose a motion file first")
        return False
    menu = context.scene.wake_up
    if settings.source == MENU and menu.motion == MOTION_FILE and not menu.motion_file:
        operator.poll_message_set("Choose a motion file above first")
        return False
    return True


def _first_pose(context: bpy.types.Context, armature: bpy.types.Object) -> Pose:
    start = context.scene.wake_up_motion.start
    return current_pose(armature) if start == POSE else photo_pose(armature)


def _read_source(context: bpy.types.Context) -> SourceMotion | None:
    """The chosen armature's or file's motion; None for clips, which have SMPL's joints already."""
    settings = context.scene.wake_up_motion
    if settings.source == MENU:
        return None
    if settings.source == ARMATURE:
        return sample_armature(settings.armature)
    takes = _read_takes(context)
    return takes.sources[takes.chosen] if takes is not None else None


def _read_takes(context: bpy.types.Context, every: bool = False) -> Takes | None:
    """The takes of the chosen file; a skeleton that is listed is taken for a person's. None for
    files that have SMPL's joints already."""
    settings, folder = context.scene.wake_up_motion, user_files.mappings_folder()

    def knows(source: SourceMotion) -> bool:
        return mapping_list.mapping_of(settings, source) is not None or is_person(source, folder)

    path = Path(bpy.path.abspath(settings.file))
    return takes_of_file(path, knows, settings.take, every)


def _read_clips(
    context: bpy.types.Context, performer: bpy.types.Object, fps: float
) -> tuple[Clip, ...]:
    """The chosen motion as a clip, followed by its file's other takes; where a skeleton is listed,
    the list holds."""
    settings = context.scene.wake_up_motion
    folder = user_files.mappings_folder()
    if settings.source == MENU:
        return _menu_clips(context, fps, every=True)
    if settings.source == ARMATURE:
        if settings.armature == performer:
            raise WakeUpError("The character cannot follow itself: choose another armature.")
        source = sample_armature(settings.armature)
        mapping = mapping_list.mapping_of(settings, source)
        return (clip_from_source(source, settings.armature.name, fps, folder, mapping),)
    takes = _read_takes(context, every=True)
    if takes is None:
        return (load_motion(bpy.path.abspath(settings.file), fps, settings.take),)
    return tuple(
        clip_of_take(
            takes, index, fps, folder, mapping_list.mapping_of(settings, takes.sources[index])
        )
        for index in takes.order()
    )


def menu_clip(context: bpy.types.Context, fps: float) -> Clip:
    """The motion that is chosen for the scene's result; WakeUpError where it cannot be read."""
    return _menu_clips(context, fps)[0]


def read_in_blender(context: bpy.types.Context) -> Clip | None:
    """The motion for the scene's result where no other process can read its file; WakeUpError
    where Blender cannot."""
    menu = context.scene.wake_up
    if menu.motion != MOTION_FILE or not needs_blender(menu.motion_file):
        return None
    return menu_clip(context, frame_rate(context.scene))


def _menu_clips(context: bpy.types.Context, fps: float, every: bool = False) -> tuple[Clip, ...]:
    """That motion, followed by its file's other takes where `every` one is wanted."""
    menu, folder = context.scene.wake_up, user_files.mappings_folder()
    if menu.motion != MOTION_FILE:
        return (load_motion(menu.motion, fps),)
    path = Path(bpy.path.abspath(menu.motion_file))
    takes = takes_of_file(path, partial(is_person, mappings=folder), menu.take, every)
    if takes is None:
        return (load_motion(path, fps, menu.take),)
    wanted = takes.order() if every else (takes.chosen,)
    return tuple(clip_of_take(takes, index, fps, folder) for index in wanted)


def _has_list(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not is_idle(operator, context):
        return False
    if not context.scene.wake_up_motion.bones:
        operator.poll_message_set("Press Show Joints first")
        return False
    return True


def _show(settings: bpy.types.PropertyGroup, source: SourceMotion) -> str:
    """Fill the list; returns the sentence that states its origin."""
    folder = user_files.mappings_folder()
    is_preset = False
    try:
        joints = mapping_for(source, folder)
        is_preset = preset_path(folder, source).is_file()
        said = f"{len(joints)} joints are mapped" + (
            " as you saved them." if is_preset else ": where one is wrong, choose another."
        )
    except MotionError as error:
        # A preset that is damaged does not keep anyone from making a new one.
        try:
            joints = map_joints(source)
        except MotionError:
            joints = {}
        said = f"{error} The list can be edited and saved."
    mapping_list.fill(settings, source, named_mapping(source, joints))
    settings.is_preset = is_preset
    return said


CLASSES = (
    WAKEUP_OT_read_skeleton,
    WAKEUP_OT_save_mapping,
    WAKEUP_OT_load_mapping,
    WAKEUP_OT_forget_mapping,
    WAKEUP_OT_perform,
    WAKEUP_OT_perform_folder,
)
