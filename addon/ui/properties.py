"""What the user sets and what is going on, as Blender properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)

from ..core.option import SCENE, assembled
from ..core.settings import OPTIONS, OutputSettings, WakeUpSettings
from ..scene.animation.actions import frame_rate
from ..scene.rig.pose_correction import show_body
from .setting_properties import RELATIVE, chosen_in, with_properties

MOTION_FILE = "FILE"  # the motion menu's entry for a file of the user's
_MOTIONS = [
    *((clip.value, clip.title, clip.description) for clip in OPTIONS["motion"].choices),
    (MOTION_FILE, "Motion File", "Motion capture of a human: BVH, FBX, or an SMPL or AMASS .npz"),
]


class WakeUpFoundPerson(bpy.types.PropertyGroup):
    """Somebody who was found in the photo."""

    score: FloatProperty(  # type: ignore[valid-type]
        name="Score", description="How sure it is that this is a person; 0 is a figure in a box"
    )
    box: IntVectorProperty(  # type: ignore[valid-type]
        name="Box", description="Left, top, right and bottom in pixels of the photo", size=4
    )
    is_default: BoolProperty(  # type: ignore[valid-type]
        name="Most Prominent", description="Taken when no number is given"
    )
    thumbnail: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Image, name="Thumbnail", description="The person, cut out of the photo"
    )


def _choose_active(settings: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """Whom the list's highlight is on is who wakes up."""
    if 0 <= settings.active_person < len(settings.people):
        chosen = settings.people[settings.active_person]
        number = settings.active_person + 1
        already = settings.person == number or (settings.person == 0 and chosen.is_default)
        if not already:
            settings.person = number


def _show_body(settings: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    if settings.result is not None:
        show_body(settings.result, settings.show_body)


@with_properties(SCENE, WakeUpSettings, OutputSettings)
class WakeUpSceneSettings(bpy.types.PropertyGroup):
    """One scene's photo, choices and results; saved in the file and part of Undo."""

    photo: StringProperty(  # type: ignore[valid-type]
        name="Photo",
        description="Picture file of a person who can be seen from head to foot",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    people: CollectionProperty(  # type: ignore[valid-type]
        type=WakeUpFoundPerson, name="People", description="Who was found, from left to right"
    )
    active_person: IntProperty(  # type: ignore[valid-type]
        name="Chosen Person", description="Who wakes up", update=_choose_active
    )
    everyone: BoolProperty(  # type: ignore[valid-type]
        name="Everyone",
        description="Wake up all people of the photo, each in a collection of its own, before one "
        "background",
    )
    show_body: BoolProperty(  # type: ignore[valid-type]
        name="Show Fitted Body",
        description="Show the fitted body over the photo",
        default=True,
        update=_show_body,
    )
    motion: EnumProperty(  # type: ignore[valid-type]
        name=OPTIONS["motion"].on_screen,
        description=OPTIONS["motion"].help,
        items=_MOTIONS,
        default=WakeUpSettings.motion,
    )
    motion_file: StringProperty(  # type: ignore[valid-type]
        name="Motion File",
        description="Motion capture of a human",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    video: StringProperty(  # type: ignore[valid-type]
        name="Video",
        description="File that is written, or folder for pictures; the suffix follows the kind",
        default="//wake-up.mp4",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    mask: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Image,
        name="Mask",
        description="White where the person is: paint it where it is wrong, then press the next "
        "stage again",
    )
    labels: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Image,
        name="Labels",
        description="Which part of the body each pixel shows: yellow head, grey torso, orange and "
        "blue left and right arm, crimson and green left and right leg. Paint it in these colours "
        "where it is wrong, white over what the back must not repeat, such as a logo, then press "
        "Build Character",
    )
    result: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Collection,
        name="Result",
        description="The collection that holds everything that was made from the photo",
    )
    key: StringProperty(  # type: ignore[valid-type]
        name="Key", description="Which stored result belongs to the scene", options={"HIDDEN"}
    )
    made: StringProperty(  # type: ignore[valid-type]
        name="Made",
        description="What the scene's result was made from, as JSON",
        options={"HIDDEN"},
    )

    def pipeline_settings(
        self,
        scene: bpy.types.Scene,
        files: Mapping[str, Any] | None = None,
        box: tuple[float, float, float, float] | None = None,
        path: tuple[tuple[float, float, float], ...] = (),
    ) -> WakeUpSettings:
        """These choices as the pipeline takes them; the scene gives the frame rate.

        files : settings that hold for all files (`preferences.chosen_files`)
        """
        values = {
            **chosen_in(self, SCENE, WakeUpSettings),
            **(files or {}),
            "motion": self.motion,
            "fps": frame_rate(scene),
            "box": box,
            "path": path,
        }
        if self.motion == MOTION_FILE:
            values["motion"] = bpy.path.abspath(self.motion_file)
        else:
            values["take"] = ""  # the menu's clips have no takes
        return assembled(WakeUpSettings, values)


class WakeUpStatusSettings(bpy.types.PropertyGroup):
    """What is going on in the window; neither saved nor undone."""

    running: BoolProperty(name="Running", description="A stage is at work")  # type: ignore[valid-type]
    fraction: FloatProperty(  # type: ignore[valid-type]
        name="Progress",
        description="Share of the work that is done",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    message: StringProperty(  # type: ignore[valid-type]
        name="Message", description="What is being done, or what the last stage said"
    )
    failed: BoolProperty(name="Failed", description="The last stage ended with an error")  # type: ignore[valid-type]
    failed_stage: StringProperty(  # type: ignore[valid-type]
        name="Failed Stage", description="The stage that failed last; empty where none did"
    )
    failed_scene: StringProperty(  # type: ignore[valid-type]
        name="Failed Scene", description="The scene that a stage failed in"
    )
    failure: StringProperty(  # type: ignore[valid-type]
        name="Failure", description="Why the stage failed"
    )
    needs_box: BoolProperty(  # type: ignore[valid-type]
        name="Needs a Box", description="Nobody was found: a box says where to look"
    )


CLASSES = (WakeUpFoundPerson, WakeUpSceneSettings, WakeUpStatusSettings)


def add_properties() -> None:
    """Hang the groups on scenes and window managers."""
    bpy.types.Scene.wake_up = PointerProperty(type=WakeUpSceneSettings)
    bpy.types.WindowManager.wake_up = PointerProperty(type=WakeUpStatusSettings)


def remove_properties() -> None:
    """Take the groups away again."""
    del bpy.types.WindowManager.wake_up
    del bpy.types.Scene.wake_up
