"""What the user sets and what is going on, as Blender properties."""

from __future__ import annotations

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

from ..core.body.model.parts import PART_NAMES
from ..core.character.character_result import DEFAULT_TRIANGLES, LEAST_TRIANGLES, MOST_TRIANGLES
from ..core.frames import DEFAULT_HEIGHT_M
from ..core.motion.performing.options import FASTEST, SLOWEST, PerformOptions
from ..core.motion.sources.library import CLIP_NAMES
from ..core.settings import WakeUpSettings
from ..core.staging.camera_moves import HELD, MOVES
from ..scene.animation.actions import frame_rate
from ..scene.rig.pose_correction import show_body

MOTION_FILE = "FILE"  # the motion menu's entry for a file of the user's
_TITLES = {"sit": "Sit Down", "turn": "Turn Round", "look": "Look Around"}
_MOTIONS = [
    *(
        (name, _TITLES.get(name, name.capitalize()), f"The built-in clip '{name}'")
        for name in CLIP_NAMES
    ),
    (MOTION_FILE, "Motion File", "Motion capture of a human: BVH, FBX, or an SMPL or AMASS .npz"),
]
RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"}  # paths may begin with //, the .blend file's folder
_ENGINES = [
    ("workbench", "Workbench", "Fastest: the photo's colours as they are"),
    ("eevee", "EEVEE", "The photo's colours, with whatever else is in the scene lit"),
    ("cycles", "Cycles", "As EEVEE, by path tracing: slow"),
]
_CAMERAS = [(name, name.replace("_", " ").title(), said) for name, said in MOVES.items()]
_OUTPUTS = [
    ("mp4", "Video (MP4)", "One H.264 file at the scene's rate"),
    ("png", "Pictures (PNG)", "A folder with a PNG file a frame"),
    ("character", "Character Alone (PNG)", "PNG files with alpha of nothing but the people"),
    ("gif", "Loop (GIF)", "A picture that moves for ever, 256 colours"),
    ("webp", "Loop (WebP)", "A picture that moves for ever, in full colour"),
]
_BACKS = [
    ("synthesised", "Synthesised", "The front mirrored, but hair where the face would be"),
    ("mirrored", "Mirrored", "The front's mirror image: right where the photo shows the back"),
]
_PARTS = [
    (name, name.capitalize(), f"The back of the {name} is the front's mirror image")
    for name in PART_NAMES[1:]
]
_TEXTURE_SIZES = [
    (str(size), str(size), f"At most {size} x {size} pixels")
    for size in (512, 1024, 2048, 4096, 8192)
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


class WakeUpSceneSettings(bpy.types.PropertyGroup):
    """One scene's photo, choices and results; saved in the file and part of Undo."""

    photo: StringProperty(  # type: ignore[valid-type]
        name="Photo",
        description="Picture file of a person who can be seen from head to foot",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    person: IntProperty(  # type: ignore[valid-type]
        name="Person",
        description="Which person, counted from the left; 0 is the most prominent one",
        default=0,
        min=0,
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
    height: FloatProperty(  # type: ignore[valid-type]
        name="Height",
        description="The person's height in metres",
        default=DEFAULT_HEIGHT_M,
        min=0.3,
        max=3.0,
        subtype="DISTANCE",
        unit="LENGTH",
    )
    focal: FloatProperty(  # type: ignore[valid-type]
        name="Focal Length",
        description="The photo's focal length in pixels; 0 takes what the file says, else the "
        "longer side of the photo",
        default=0.0,
        min=0.0,
        soft_max=10000.0,
        subtype="PIXEL",
    )
    back: EnumProperty(  # type: ignore[valid-type]
        name="Back",
        description="What the photo does not show of the person's back is painted with",
        items=_BACKS,
        default="synthesised",
    )
    mirrored_parts: EnumProperty(  # type: ignore[valid-type]
        name="Mirrored Parts",
        description="Parts whose back is the front's mirror image even so",
        items=_PARTS,
        options={"ENUM_FLAG"},
        default=set(),
    )
    texture_size: EnumProperty(  # type: ignore[valid-type]
        name="Texture",
        description="The texture's largest side in pixels: smaller where the photo has no more, "
        "2048 is what phones and AR viewers take",
        items=_TEXTURE_SIZES,
        default="2048",
    )
    show_body: BoolProperty(  # type: ignore[valid-type]
        name="Show Fitted Body",
        description="Show the fitted body over the photo",
        default=True,
        update=_show_body,
    )
    motion: EnumProperty(  # type: ignore[valid-type]
        name="Motion", description="What the character does", items=_MOTIONS, default="walk"
    )
    motion_file: StringProperty(  # type: ignore[valid-type]
        name="Motion File",
        description="Motion capture of a human",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    take: StringProperty(  # type: ignore[valid-type]
        name="Take",
        description="Which take or person of a file that has several, by name or number; empty: "
        "the first",
    )
    speed: FloatProperty(  # type: ignore[valid-type]
        name="Speed",
        description="How fast the motion goes, as a share of the clip's own speed",
        default=1.0,
        min=SLOWEST,
        max=FASTEST,
        subtype="FACTOR",
    )
    mirror: BoolProperty(  # type: ignore[valid-type]
        name="Mirror", description="Exchange left and right in the motion"
    )
    in_place: BoolProperty(  # type: ignore[valid-type]
        name="In Place", description="Perform on the spot, as on a treadmill"
    )
    returns: BoolProperty(  # type: ignore[valid-type]
        name="Return to Photo", description="End in the photo's pose"
    )
    frames: IntProperty(  # type: ignore[valid-type]
        name="Frames",
        description="Length of the motion in frames, the photo's pose included",
        default=120,
        min=1,
        soft_max=1000,
        max=100000,
    )
    triangles: IntProperty(  # type: ignore[valid-type]
        name="Triangles",
        description="The character's mesh has at most so many triangles",
        default=DEFAULT_TRIANGLES,
        min=LEAST_TRIANGLES,
        soft_max=100000,
        max=MOST_TRIANGLES,
    )
    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed", description="Start of all random numbers", default=0, min=0
    )
    remove_shadow: BoolProperty(  # type: ignore[valid-type]
        name="Remove Shadow",
        description="Take the shadow that the person casts out of the background as well, where "
        "it is surely one; the first frame keeps it",
        default=True,
    )
    engine: EnumProperty(  # type: ignore[valid-type]
        name="Engine", description="What renders the video", items=_ENGINES, default="workbench"
    )
    camera: EnumProperty(  # type: ignore[valid-type]
        name="Camera",
        description="How the camera moves; each way begins as the photo",
        items=_CAMERAS,
        default=HELD,
    )
    wall: BoolProperty(  # type: ignore[valid-type]
        name="On a Wall",
        description="The photo hangs on a wall, framed, and the camera may see beyond its edges: "
        "the person walks out of the picture, and on (press Animate again)",
        default=False,
    )
    shadow: BoolProperty(  # type: ignore[valid-type]
        name="Shadow",
        description="The people cast a shadow on the ground, away from the Sun object, which "
        "stands where the photo's light comes from until it is turned",
        default=True,
    )
    relight: BoolProperty(  # type: ignore[valid-type]
        name="Relight",
        description="The scene's lamps shade the people in EEVEE and Cycles; frame 1 is then not "
        "the photo any more",
        default=False,
    )
    output: EnumProperty(  # type: ignore[valid-type]
        name="Output", description="What is rendered", items=_OUTPUTS, default="mp4"
    )
    width: IntProperty(  # type: ignore[valid-type]
        name="Width",
        description="Width of the video in pixels",
        default=960,
        min=16,
        max=8192,
        subtype="PIXEL",
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
        body_file: str = "",
        mask_network: str = "",
        joint_network: str = "",
        plate_network: str = "",
        box: tuple[float, float, float, float] | None = None,
        path: tuple[tuple[float, float, float], ...] = (),
    ) -> WakeUpSettings:
        """These choices as the pipeline takes them; the scene gives the frame rate."""
        motion = bpy.path.abspath(self.motion_file) if self.motion == MOTION_FILE else self.motion
        return WakeUpSettings(
            person=self.person,
            box=box,
            motion=motion,
            take=self.take if self.motion == MOTION_FILE else "",
            performing=PerformOptions(
                speed=round(self.speed, 4),
                mirror=self.mirror,
                in_place=self.in_place,
                returns=self.returns,
            ),
            path=path,
            walks_out=self.wall,
            frames=self.frames,
            fps=frame_rate(scene),
            # Blender keeps single floats: what was typed, not what that became.
            height_m=round(self.height, 4),
            focal_px=round(self.focal, 2) or None,
            triangles=self.triangles,
            seed=self.seed,
            body_file=body_file,
            mask_network=mask_network,
            joint_network=joint_network,
            plate_network=plate_network,
            remove_shadow=self.remove_shadow,
            back=self.back,
            mirrored_parts=tuple(sorted(self.mirrored_parts)),
            texture_px=int(self.texture_size),
        )


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
