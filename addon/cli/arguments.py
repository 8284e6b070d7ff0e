"""The command's arguments: what they are called, what they may be, and what they choose."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NoReturn

from ..core.body.parts import PART_NAMES
from ..core.character.built import DEFAULT_TRIANGLES, LEAST_TRIANGLES, MOST_TRIANGLES
from ..core.errors import WakeUpError
from ..core.frames import DEFAULT_HEIGHT_M
from ..core.interchange.web_page import viewer_script
from ..core.motion.performing.options import PerformOptions
from ..core.motion.performing.playlist import motion_files
from ..core.photo.photo_folder import fingerprint
from ..core.settings import WakeUpSettings
from ..core.staging.camera_moves import HELD, MOVES
from ..core.user_paths import check_readable, user_path
from ..scene.export.registry import KINDS
from .result_folder import RENDERED

COMMAND = "wake-up"
BLENDER_COMMAND = "wake_up"  # Blender takes identifiers only: `blender --command wake_up`
MOST_JOBS = 64  # photos at once: each takes two gigabytes
DEFAULT_FPS = 24.0
EVERYONE = -1  # what --person all stands for
WHOLE_PICTURE = (-1e6, -1e6, 1e6, 1e6)  # clipped to the photo
DEFAULT_FRAMES = 120  # 5 s
BACKS = ("synthesised", "mirrored")
TEXTURE_SIZES = (512, 1024, 2048, 4096, 8192)
_LEAST_HEIGHT_M, _GREATEST_HEIGHT_M = 0.3, 3.0
_LEAST_WIDTH, _GREATEST_WIDTH = 16, 8192  # pixels, as in the panel
_MOST_FRAMES = 100_000  # more than an hour: surely a slip


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        raise WakeUpError(f"{message[0].upper()}{message[1:]}: see --help.")


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = _Parser(
        prog=COMMAND,
        description="Turn a photo of a person into a rigged character that walks out of it.",
    )
    made.add_argument(
        "photo",
        metavar="PHOTO",
        type=_path,
        help="the photo: JPEG, PNG, WebP, ..., or a folder of photos",
    )
    made.add_argument("--out", metavar="DIR", type=_path, default="", help="folder for the results")
    made.add_argument(
        "--jobs", metavar="N", type=int, default=1,
        help="how many photos of a folder are at work at once (1)",
    )  # fmt: skip
    made.add_argument(
        "--list-people", action="store_true",
        help="print who is in the photo, left to right, and end",
    )  # fmt: skip
    made.add_argument(
        "--person", metavar="N", type=_person, default=0,
        help="which person, counted from the left, or 'all' (the most prominent one)",
    )  # fmt: skip
    made.add_argument(
        "--box", metavar="X0,Y0,X1,Y1", type=_box, default=None,
        help="where the person or figure is, in pixels, or 'all' for the whole picture: for "
        "drawings and whatever is not found by itself",
    )  # fmt: skip
    made.add_argument(
        "--joints", metavar="FILE", type=_path, default="",
        help='joints that are known better, as JSON in pixels: {"left_wrist": [310, 240]}',
    )  # fmt: skip
    made.add_argument(
        "--motion", metavar="CLIP", type=_path, default="walk",
        help="walk, run, jump, dance, wave, sit, turn, look, idle, or a .bvh, .fbx or .npz file "
        "(walk)",
    )  # fmt: skip
    made.add_argument(
        "--take", metavar="NAME", default="",
        help="which take or person of a motion file that has several, by name or number (the "
        "first)",
    )  # fmt: skip
    made.add_argument(
        "--motions", metavar="DIR", type=_path, default="",
        help="a folder of motion files (.bvh, .fbx, .npz), performed one after the other instead",
    )  # fmt: skip
    made.add_argument(
        "--speed", metavar="FACTOR", type=float, default=1.0,
        help="how fast the motion goes, as a share of its own speed (1)",
    )  # fmt: skip
    made.add_argument("--mirror", action="store_true", help="exchange left and right in the motion")
    made.add_argument("--in-place", action="store_true", help="perform the motion on the spot")
    made.add_argument("--return", dest="returns", action="store_true",
                      help="end the motion in the photo's pose")  # fmt: skip
    made.add_argument(
        "--frames", metavar="N", type=int, default=DEFAULT_FRAMES,
        help=f"length of the motion at {DEFAULT_FPS:g} frames a second ({DEFAULT_FRAMES})",
    )  # fmt: skip
    made.add_argument(
        "--render",
        choices=(*RENDERED, "none"),
        default="mp4",
        help="what to render: a video, pictures, pictures of the character alone with alpha, or a "
        "loop (mp4)",
    )
    made.add_argument(
        "--export", metavar="KINDS", type=_kinds, default=("glb",),
        help="what the character is written to, with commas between: glb, usdz, fbx, vrm (an "
        "avatar), html (a page that needs no network) (glb)",
    )  # fmt: skip
    made.add_argument(
        "--engine", choices=("workbench", "eevee", "cycles"), default="workbench",
        help="what to render with (workbench)",
    )  # fmt: skip
    made.add_argument(
        "--no-shadow", action="store_true", help="let the character cast no shadow on the ground"
    )
    made.add_argument(
        "--relight", action="store_true",
        help="let the scene's sun shade the character (EEVEE, Cycles); frame 1 is then not the "
        "photo",
    )  # fmt: skip
    made.add_argument(
        "--width", metavar="PIXELS", type=int, default=960, help="the render's width (960)"
    )
    made.add_argument(
        "--camera", choices=tuple(name.replace("_", "-") for name in MOVES), default=HELD,
        help="how the camera moves; each way begins as the photo (held)",
    )  # fmt: skip
    made.add_argument(
        "--wall", action="store_true",
        help="hang the photo on a wall, framed: the camera may then see beyond its edges",
    )  # fmt: skip
    made.add_argument(
        "--height", metavar="METRES", type=float, default=DEFAULT_HEIGHT_M,
        help=f"the person's height ({DEFAULT_HEIGHT_M:g})",
    )  # fmt: skip
    made.add_argument(
        "--focal", metavar="PIXELS", type=float, default=None,
        help="the photo's focal length (EXIF, else its longer side)",
    )  # fmt: skip
    made.add_argument(
        "--mask-network", metavar="FILE", type=_path, default="",
        help="an ONNX file that cuts people out: one mask or instances (built in)",
    )  # fmt: skip
    made.add_argument(
        "--joint-network", metavar="FILE", type=_path, default="",
        help="an ONNX file that finds COCO's 17 joints of a person (built in)",
    )  # fmt: skip
    made.add_argument(
        "--triangles", metavar="N", type=int, default=DEFAULT_TRIANGLES,
        help=f"most triangles of the character's mesh ({DEFAULT_TRIANGLES})",
    )  # fmt: skip
    made.add_argument(
        "--plate-network", metavar="FILE", type=_path, default="",
        help="an ONNX file that fills the background, such as LaMa (built in: PatchMatch)",
    )  # fmt: skip
    made.add_argument(
        "--keep-shadow", action="store_true",
        help="leave the person's shadow on the ground in the background",
    )  # fmt: skip
    made.add_argument(
        "--back", metavar="HOW", type=_back, default=("synthesised", ()),
        help="what the texture's back is: synthesised, mirrored, or the parts to be mirrored "
        "('head,left arm'; synthesised)",
    )  # fmt: skip
    made.add_argument(
        "--texture", metavar="PIXELS", type=int, default=2048, choices=TEXTURE_SIZES,
        help="the texture's largest side: 512, 1024, 2048, 4096 or 8192 (2048)",
    )  # fmt: skip
    made.add_argument("--seed", metavar="N", type=int, default=0, help="of everything random (0)")
    return made


def _path(text: str) -> str:
    """A file or folder as the user means it; "" is none."""
    return str(user_path(text)) if text else ""


def _person(text: str) -> int:
    """Number of a person; EVERYONE for 'all'."""
    if text == "all":
        return EVERYONE
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _box(text: str) -> tuple[float, float, float, float]:
    """Four pixels, as the pipeline takes them; 'all' is larger than any photo."""
    if text == "all":
        return WHOLE_PICTURE
    x0, y0, x1, y1 = (float(part) for part in text.split(","))
    if not (x0 < x1 and y0 < y1) or not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise ValueError(text)
    return x0, y0, x1, y1


def _back(text: str) -> tuple[str, tuple[str, ...]]:
    """How the back is painted, and the parts that are mirrored even so."""
    if text in BACKS:
        return text, ()
    parts = tuple(sorted(part.strip() for part in text.split(",")))
    if not set(parts) <= set(PART_NAMES[1:]):
        raise ValueError(text)
    return "synthesised", parts


def _kinds(text: str) -> tuple[str, ...]:
    """Kinds of files, each once."""
    kinds = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    if not set(kinds) <= set(KINDS):
        raise ValueError(text)
    return kinds


# What argparse calls the kinds when a value is refused.
_person.__name__ = "number of a person, or 'all'"
_back.__name__ = f"back: {', '.join(BACKS)} or parts of {', '.join(PART_NAMES[1:])}"
_kinds.__name__ = f"list for --export of {', '.join(KINDS)}"
_box.__name__ = "box X0,Y0,X1,Y1 in pixels, or 'all'"


def check(options: argparse.Namespace) -> None:
    """Refuse what can be refused before any work."""
    if not options.photo:
        raise WakeUpError("PHOTO says which photo is to wake up: see --help.")
    if not options.out and not options.list_people:
        raise WakeUpError("--out DIR says where the results go: see --help.")
    if not 1 <= options.jobs <= MOST_JOBS:
        raise WakeUpError(f"--jobs is a number from 1 to {MOST_JOBS}.")
    if options.person == EVERYONE and (options.box or options.joints):
        raise WakeUpError("--box and --joints are about one person: leave out --person all.")
    if not _LEAST_HEIGHT_M <= options.height <= _GREATEST_HEIGHT_M:
        raise WakeUpError(
            f"--height is in metres, from {_LEAST_HEIGHT_M:g} to {_GREATEST_HEIGHT_M:g}."
        )
    if not 1 <= options.frames <= _MOST_FRAMES:
        raise WakeUpError(f"--frames is a number from 1 to {_MOST_FRAMES}.")
    if options.focal is not None and not (math.isfinite(options.focal) and options.focal > 0):
        raise WakeUpError("--focal is a focal length in pixels and greater than 0.")
    if not LEAST_TRIANGLES <= options.triangles <= MOST_TRIANGLES:
        raise WakeUpError(f"--triangles is a number from {LEAST_TRIANGLES} to {MOST_TRIANGLES}.")
    if "html" in options.export:
        viewer_script()  # said now where it is not installed
    for name in (options.joints, options.motion, *_networks(options)):
        check_readable(Path(name), WakeUpError, "choose another file")
    settings_of(options)  # a motion's options say themselves what is wrong with them
    if options.motions:
        motion_files(Path(options.motions))
        if options.person == EVERYONE:
            raise WakeUpError("--motions is about one person: leave out --person all.")
    if not _LEAST_WIDTH <= options.width <= _GREATEST_WIDTH:
        raise WakeUpError(f"--width is in pixels, from {_LEAST_WIDTH} to {_GREATEST_WIDTH}.")
    if options.seed < 0:
        raise WakeUpError("--seed is a whole number from 0 up.")


def _networks(options: argparse.Namespace) -> tuple[str, str, str]:
    return options.mask_network, options.joint_network, options.plate_network


def settings_of(options: argparse.Namespace) -> WakeUpSettings:
    return WakeUpSettings(
        person=max(options.person, 0),
        box=options.box,
        motion=options.motion,
        take=options.take,
        performing=PerformOptions(
            speed=options.speed,
            mirror=options.mirror,
            in_place=options.in_place,
            returns=options.returns,
        ),
        walks_out=options.wall,
        frames=options.frames,
        fps=DEFAULT_FPS,
        height_m=options.height,
        focal_px=options.focal,
        triangles=options.triangles,
        seed=options.seed,
        mask_network=options.mask_network,
        joint_network=options.joint_network,
        plate_network=options.plate_network,
        remove_shadow=not options.keep_shadow,
        back=options.back[0],
        mirrored_parts=options.back[1],
        texture_px=options.texture,
    )


def made_from(options: argparse.Namespace, photo: Path) -> str:
    """By what a result is known: the same photo, settings and version would give it again."""
    manifest = Path(__file__).resolve().parents[2] / "blender_manifest.toml"
    elsewhere = ("photo", "out", "jobs", "list_people")
    settings = {key: value for key, value in vars(options).items() if key not in elsewhere}
    named = [options.motion, options.joints, *_networks(options)]
    files = [photo, manifest, *(Path(name) for name in named if name)]
    if options.motions:
        files += motion_files(Path(options.motions))
    return fingerprint(settings, files)
