"""Where motions come from, which joint is which in them, and what is posed, as properties."""

from __future__ import annotations

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..core.body.model.parts import PART_NAMES
from .setting_properties import RELATIVE

MENU, ARMATURE, FILE = "MENU", "ARMATURE", "FILE"
_SOURCES = [
    (MENU, "Menu", "The motion that is chosen above"),
    (ARMATURE, "Armature", "What another armature of the scene does"),
    (FILE, "File", "A motion file: .bvh, .fbx or .npz"),
]
PHOTO, POSE = "PHOTO", "POSE"
_STARTS = [
    (PHOTO, "Photo's Pose", "The motion begins as the photo has the person"),
    (POSE, "Pose Now", "The motion begins with the pose that the armature has now"),
]
IN_TURN, TRACKS = "IN_TURN", "TRACKS"
_ARRANGEMENTS = [
    (IN_TURN, "In Turn", "One after the other, each beginning where the one before ends"),
    (TRACKS, "Tracks", "Each on an NLA track of its own, all but the first muted"),
]
EVERYWHERE, NEAR = "EVERYWHERE", "NEAR"
_REACHES = [
    (EVERYWHERE, "Whole Motion", "What the handles do holds on every frame of the animation"),
    (NEAR, "Around This Frame", "It holds on this frame, and less and less to either side"),
]
_PARTS = [(name, name.title(), f"The {name} stays while the rest moves") for name in PART_NAMES[1:]]


class WakeUpBone(bpy.types.PropertyGroup):
    """A bone of the source's skeleton; its name is the group's own."""

    parent: IntProperty(  # type: ignore[valid-type]
        name="Parent", description="Number of the bone above, -1 for none", default=-1
    )


def _edited(mapping: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """What is shown is no longer what was saved."""
    mapping.id_data.wake_up_motion.is_preset = False


class WakeUpJointMapping(bpy.types.PropertyGroup):
    """Which bone of the source is a joint of the body."""

    joint: StringProperty(  # type: ignore[valid-type]
        name="Joint", description="The joint's name in SMPL's body"
    )
    bone: StringProperty(  # type: ignore[valid-type]
        name="Bone",
        description="The source's bone that is this joint; empty where it has none",
        update=_edited,
    )


def _is_other_armature(_settings: bpy.types.PropertyGroup, item: bpy.types.Object) -> bool:
    return item.type == "ARMATURE"


class WakeUpMotionSettings(bpy.types.PropertyGroup):
    """One scene's choices of motions and posing; saved in the file and part of Undo."""

    source: EnumProperty(  # type: ignore[valid-type]
        name="Source", description="Where the motion comes from", items=_SOURCES, default=MENU
    )
    armature: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Object,
        name="Armature",
        description="An armature whose action, strips and constraints the character follows",
        poll=_is_other_armature,
    )
    file: StringProperty(  # type: ignore[valid-type]
        name="File",
        description="Motion of a human: .bvh, .fbx or .npz",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    take: StringProperty(  # type: ignore[valid-type]
        name="Take",
        description="Which take or person of the file is played, by name or number, where it has "
        "several; empty: the first. The others become muted NLA tracks",
    )
    start: EnumProperty(  # type: ignore[valid-type]
        name="Start", description="The motion's first pose", items=_STARTS, default=PHOTO
    )
    folder: StringProperty(  # type: ignore[valid-type]
        name="Folder",
        description="A folder of motion files",
        subtype="DIR_PATH",
        options=RELATIVE,
    )
    arrangement: EnumProperty(  # type: ignore[valid-type]
        name="Arrangement",
        description="How the clips of a folder are laid out as NLA strips",
        items=_ARRANGEMENTS,
        default=IN_TURN,
    )
    mapping: CollectionProperty(  # type: ignore[valid-type]
        type=WakeUpJointMapping,
        name="Mapping",
        description="Which bone of the source is which joint of the body",
    )
    active_joint: IntProperty(  # type: ignore[valid-type]
        name="Joint", description="Which joint of the mapping is chosen"
    )
    bones: CollectionProperty(  # type: ignore[valid-type]
        type=WakeUpBone, name="Bones", description="The bones of the source that was read"
    )
    skeleton: StringProperty(  # type: ignore[valid-type]
        name="Skeleton",
        description="Which skeleton the mapping is of",
        options={"HIDDEN"},
    )
    is_preset: BoolProperty(  # type: ignore[valid-type]
        name="Saved", description="The mapping was saved for all motions of this skeleton"
    )
    reach: EnumProperty(  # type: ignore[valid-type]
        name="Reach",
        description="Which frames are changed when controls are applied",
        items=_REACHES,
        default=EVERYWHERE,
    )
    radius: IntProperty(  # type: ignore[valid-type]
        name="Frames Around",
        description="How many frames to either side of this one follow the controls",
        default=12,
        min=1,
        soft_max=100,
    )
    frozen: EnumProperty(  # type: ignore[valid-type]
        name="Frozen Parts",
        description="Parts of the body that stay while a motion plays",
        items=_PARTS,
        options={"ENUM_FLAG"},
        default=set(),
    )


CLASSES = (WakeUpBone, WakeUpJointMapping, WakeUpMotionSettings)


def add_properties() -> None:
    """Hang the group on scenes."""
    bpy.types.Scene.wake_up_motion = PointerProperty(type=WakeUpMotionSettings)


def remove_properties() -> None:
    """Take the group away again."""
    del bpy.types.Scene.wake_up_motion
