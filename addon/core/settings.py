"""What the user chooses. Each setting is one field, which says once all that is known of it
(`option.py`); arguments, properties, states, messages and reuse of results follow from that.

They are kept in one flat dataclass, whatever stage they are part of: height, frame rate and seed
are read by several stages, and what a .blend file notes of its result is one flat record.
"""

from __future__ import annotations

from dataclasses import dataclass

from .body.model.parts import PART_NAMES
from .character.character_result import DEFAULT_TRIANGLES, LEAST_TRIANGLES, MOST_TRIANGLES
from .frames import DEFAULT_HEIGHT_M
from .motion.performing.options import PerformOptions
from .motion.sources.library import CLIP_NAMES
from .option import PREFERENCES, SCENE, Argument, Choice, Limits, Option, options_of, setting
from .staging.camera_moves import HELD, MOVES

MOST_FRAMES = 100_000  # more than an hour: surely a slip
# Where they are not the clip's name.
_CLIP_TITLES = {"sit": "Sit Down", "turn": "Turn Round", "look": "Look Around"}
_NETWORK = {"kept": PREFERENCES, "is_file": True, "unset": "the one that comes with the extension"}


@dataclass(frozen=True)
class WakeUpSettings:
    """What the user chooses; everything else follows from the photo."""

    person: int = setting(
        0, "person", "person", help="Which person, counted from the left",
        unset="the most prominent one", kept=SCENE, limits=Limits(0), is_drawn=False,
        argument=Argument("--person", "N", "which person, counted from the left, or 'all'"),
    )  # fmt: skip
    # x0 y0 x1 y1 in pixels: who is meant. In Blender it is an object.
    box: tuple[float, float, float, float] | None = setting(
        None, "people", "box", help="Where the person or figure is, in pixels, or 'all' for the "
        "whole picture: for drawings and whatever is not found by itself",
        argument=Argument("--box", "X0,Y0,X1,Y1"),
    )  # fmt: skip
    # A built-in clip's name or the path of a .bvh, .npz or .fbx file. The panel has a menu.
    motion: str = setting(
        "walk", "motion", "motion", help="What the character does", is_file=True,
        choices=tuple(
            Choice(name, _CLIP_TITLES.get(name, name.capitalize()), f"The built-in clip '{name}'")
            for name in CLIP_NAMES
        ),
        argument=Argument(
            "--motion", "CLIP",
            f"{', '.join(CLIP_NAMES)}, or a .bvh, .fbx or .npz file",
        ),
    )  # fmt: skip
    take: str = setting(
        "", "motion", "take", help="Which take or person of a motion file that has several, by "
        "name or number", unset="the first", kept=SCENE, is_drawn=False,
        argument=Argument("--take", "NAME"),
    )  # fmt: skip
    frames: int = setting(
        120, "motion", "frames", kept=SCENE,
        help="Length of the motion in frames, the photo's pose included",
        limits=Limits(1, MOST_FRAMES, soft_most=1000),
        argument=Argument("--frames", "N", "length of the motion at 24 frames a second"),
    )  # fmt: skip
    performing: PerformOptions = setting(PerformOptions(), "motion", "speed or manner")
    # Points on the ground to walk along, metres in the character's world; empty: to the camera.
    path: tuple[tuple[float, float, float], ...] = setting((), "motion", "path")
    # On, though the photo's camera loses the head: a wall is around it.
    walks_out: bool = setting(
        False, "motion", "wall", label="On a Wall", kept=SCENE, named="wall", is_drawn=False,
        help="The photo hangs on a wall, framed, and the camera may see beyond its edges: the "
        "person walks out of the picture, and on (press Animate again)",
        argument=Argument(
            "--wall",
            help="hang the photo on a wall, framed: the camera may then see beyond its edges",
        ),
    )  # fmt: skip
    fps: float = setting(24.0, "motion", "frame rate")  # Blender's scene has one
    # In T-pose.
    height_m: float = setting(
        DEFAULT_HEIGHT_M, "fitted", "height", help="The person's height in metres",
        kept=SCENE, named="height", limits=Limits(0.3, 3.0, "in metres,"), subtype="DISTANCE",
        unit="LENGTH", argument=Argument("--height", "METRES"),
    )  # fmt: skip
    focal_px: float | None = setting(
        None, "fitted", "focal length", help="The photo's focal length in pixels",
        unset="EXIF's, else the photo's longer side", kept=SCENE, named="focal",
        limits=Limits(
            0.0, kind="a focal length in pixels", is_above=True, soft_most=10_000.0
        ),
        decimals=2, subtype="PIXEL", argument=Argument("--focal", "PIXELS"),
    )  # fmt: skip
    triangles: int = setting(
        DEFAULT_TRIANGLES, "build", "triangles", help="Most triangles of the character's mesh",
        kept=SCENE, limits=Limits(LEAST_TRIANGLES, MOST_TRIANGLES, soft_most=100_000),
        argument=Argument("--triangles", "N"),
    )  # fmt: skip
    texture_px: int = setting(
        2048, "build", "texture", help="The texture's largest side in pixels: smaller where the "
        "photo has no more, 2048 is what phones and AR viewers take", kept=SCENE,
        named="texture_size",
        choices=tuple(
            Choice(size, str(size), f"At most {size} x {size} pixels")
            for size in (512, 1024, 2048, 4096, 8192)
        ),
        argument=Argument("--texture", "PIXELS", "the texture's largest side in pixels"),
    )  # fmt: skip
    back: str = setting(
        "synthesised", "build", "back", kept=SCENE,
        help="What the photo does not show of the person's back is painted with",
        choices=(
            Choice(
                "synthesised", "Synthesised",
                "The front mirrored, but hair where the face would be",
            ),
            Choice(
                "mirrored", "Mirrored",
                "The front's mirror image: right where the photo shows the back",
            ),
        ),
        argument=Argument(
            "--back", "HOW", "what the texture's back is: synthesised, mirrored, or the parts to "
            "be mirrored ('head,left arm')",
        ),
    )  # fmt: skip
    # With `back` on the command line.
    mirrored_parts: tuple[str, ...] = setting(
        (), "build", "mirrored parts", kept=SCENE, is_drawn=False,
        help="Parts whose back is the front's mirror image even so",
        choices=tuple(
            Choice(name, name.capitalize(), f"The back of the {name} is the front's mirror image")
            for name in PART_NAMES[1:]
        ),
    )  # fmt: skip
    seed: int = setting(
        0, "people", "seed", help="Start of all random numbers", kept=SCENE,
        limits=Limits(0, kind="a whole number"), argument=Argument("--seed", "N"),
    )  # fmt: skip
    body_file: str = setting(
        "", "fitted", "body model", help="An SMPL, SMPL-H or SMPL-X file of yours (.npz or .pkl)",
        **_NETWORK,
    )  # fmt: skip
    mask_network: str = setting(
        "", "person", "mask network", help="An ONNX file of yours that cuts people out: one mask "
        "(BiRefNet, RMBG, U-2-Net, MODNet) or instances (Mask R-CNN)",
        argument=Argument("--mask-network", "FILE"), **_NETWORK,
    )  # fmt: skip
    joint_network: str = setting(
        "", "people", "joint network", help="An ONNX file of yours that finds COCO's 17 joints of "
        "a person (RTMPose, ViTPose, HRNet)",
        argument=Argument("--joint-network", "FILE"), **_NETWORK,
    )  # fmt: skip
    plate_network: str = setting(
        "", "background", "background network", help="An ONNX file of yours that fills holes in "
        "pictures (LaMa)", kept=PREFERENCES, is_file=True,
        unset="the PatchMatch that comes with the extension",
        argument=Argument("--plate-network", "FILE"),
    )  # fmt: skip
    remove_shadow: bool = setting(
        True, "background", "shadow", label="Remove Shadow", kept=SCENE,
        help="Take the shadow that the person casts out of the background as well, where it is "
        "surely one; the first frame keeps it",
        argument=Argument(
            "--keep-shadow", help="leave the person's shadow on the ground in the background",
            is_opposite=True,
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class OutputSettings:
    """How a finished scene is shown and rendered. No stage's value rests on it."""

    camera: str = setting(
        HELD, "", "camera", help="How the camera moves; each way begins as the photo", kept=SCENE,
        choices=tuple(
            Choice(name, name.replace("_", " ").title(), said) for name, said in MOVES.items()
        ),
        argument=Argument("--camera"),
    )  # fmt: skip
    shadow: bool = setting(
        True, "", "shadow", kept=SCENE, help="The people cast a shadow on the ground, away from "
        "the Sun object, which stands where the photo's light comes from until it is turned",
        argument=Argument(
            "--no-shadow", help="let the character cast no shadow on the ground", is_opposite=True
        ),
    )  # fmt: skip
    relight: bool = setting(
        False, "", "relight", kept=SCENE, help="The scene's lamps shade the people in EEVEE and "
        "Cycles; frame 1 is then not the photo any more", argument=Argument("--relight"),
    )  # fmt: skip
    engine: str = setting(
        "workbench", "", "engine", kept=SCENE, help="What renders the video",
        choices=(
            Choice("workbench", "Workbench", "Fastest: the photo's colours as they are"),
            Choice(
                "eevee", "EEVEE", "The photo's colours, with whatever else is in the scene lit"
            ),
            Choice("cycles", "Cycles", "As EEVEE, by path tracing: slow"),
        ),
        argument=Argument("--engine"),
    )  # fmt: skip
    output: str = setting(
        "mp4", "", "output", kept=SCENE, help="What is rendered",
        choices=(
            Choice("mp4", "Video (MP4)", "One H.264 file at the scene's rate"),
            Choice("png", "Pictures (PNG)", "A folder with a PNG file a frame"),
            Choice(
                "character", "Character Alone (PNG)",
                "PNG files with alpha of nothing but the people",
            ),
            Choice("gif", "Loop (GIF)", "A picture that moves for ever, 256 colours"),
            Choice("webp", "Loop (WebP)", "A picture that moves for ever, in full colour"),
        ),
        argument=Argument(
            "--render", help="what to render: a video, pictures, pictures of the character alone "
            "with alpha, or a loop", also=("none",),
        ),
    )  # fmt: skip
    width: int = setting(
        960, "", "width", kept=SCENE, help="Width of the video in pixels", subtype="PIXEL",
        limits=Limits(16, 8192, "in pixels,"), argument=Argument("--width", "PIXELS"),
    )  # fmt: skip


OPTIONS: dict[str, Option] = options_of(WakeUpSettings)
