"""The command: a photo in, a folder with the scene, the character and a video out.

`blender --command wake-up PHOTO --out DIR` and `python -m photo_wake_up.operators.cli` run the
same `main`. PHOTO may be a folder: then each photo in it has a folder of that name in DIR. Exit
code 0 when all is done, 1 when some photos of a folder failed, 2 with one sentence on stderr for
what the user can mend.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from ..addon.core.body.model.parts import PART_NAMES
from ..addon.core.body.stage import body_model
from ..addon.core.character.character_result import (
    DEFAULT_TRIANGLES,
    LEAST_TRIANGLES,
    MOST_TRIANGLES,
)
from ..addon.core.errors import OutputError, PhotoError, WakeUpError, printable, quoted
from ..addon.core.frames import DEFAULT_HEIGHT_M
from ..addon.core.interchange.web_page import viewer_script
from ..addon.core.motion.performing.options import PerformOptions
from ..addon.core.motion.performing.playlist import motion_files
from ..addon.core.motion.sources.library import needs_blender
from ..addon.core.perception.landmarks.joints import read_joints
from ..addon.core.photo.photo_folder import fingerprint, photos_in, result_names
from ..addon.core.pipeline.corrections import Corrections
from ..addon.core.pipeline.request import Request, run
from ..addon.core.pipeline.run import advance, peak_memory_mb
from ..addon.core.pipeline.stages import LAST
from ..addon.core.result import WakeUpResult
from ..addon.core.settings import WakeUpSettings
from ..addon.core.staging.camera_moves import HELD, MOVES
from ..addon.core.types import Clip
from ..addon.core.user_paths import check_readable, is_folder, user_path
from ..addon.scene.export.registry import EXPORTERS, export_character, exporter_of
from .result_folder import STRIP, beside, is_there, move_into_place, write_report

COMMAND = "wake-up"
BLENDER_COMMAND = "wake_up"  # Blender takes identifiers only: `blender --command wake_up`
DONE, SOME_FAILED, REFUSED, STOPPED = 0, 1, 2, 130  # exit codes; the last is the shell's for Ctrl-C
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
# Of the motion, shown on the contact sheet: most happens soon after the start.
_DIRECTIONS = {"front": 0.0, "side": 90.0, "back": 180.0}  # degrees about the upright
# What each kind of render is written to.
_RENDERED = {
    "mp4": "video.mp4", "png": "frames", "character": "character", "gif": "loop.gif",
    "webp": "loop.webp",
}  # fmt: skip
EXPORTS = tuple(exporter.name for exporter in EXPORTERS)
# What one command leaves and another, with other choices, does not.
_MADE = (*_RENDERED.values(), *(f"character.{kind}" for kind in EXPORTS))
_SHEET_MOMENTS = (0.1, 0.22, 0.4, 1.0)
_GLANCE = 2  # which of them stands for the motion: well on its way


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
        choices=(*_RENDERED, "none"),
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
    wrong = [quoted(kind) for kind in kinds if kind not in EXPORTS]
    if wrong:
        raise argparse.ArgumentTypeError(f"'{wrong[0]}' is none of the kinds {', '.join(EXPORTS)}")
    return kinds


# What argparse calls the kinds when a value is refused.
_person.__name__ = "number of a person, or 'all'"
_back.__name__ = f"back: {', '.join(BACKS)} or parts of {', '.join(PART_NAMES[1:])}"
_box.__name__ = "box X0,Y0,X1,Y1 in pixels, or 'all'"


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    started = time.perf_counter()
    try:
        options = parser().parse_args(arguments)
        _check(options)
        if is_folder(Path(options.photo), PhotoError, "choose another photo or folder"):
            return _run_folder(options, arguments)
        with _own_stdout() as tell:
            if options.list_people:
                _list_people(options, tell)
            else:
                _run(options, tell, started)
    except WakeUpError as error:
        print(error, file=sys.stderr)
        return REFUSED
    except MemoryError:
        print("There is not enough memory for this photo: use a smaller one.", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("Stopped: nothing unfinished has been written.", file=sys.stderr)
        return STOPPED
    return DONE


def _check(options: argparse.Namespace) -> None:
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
    _settings(options)  # a motion's options say themselves what is wrong with them
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


def _settings(options: argparse.Namespace) -> WakeUpSettings:
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


def _list_people(options: argparse.Namespace, tell: Any) -> None:
    """Print a line for each person: number, box in pixels, how sure it is, which is the default."""
    from ..addon.core.perception.stages import chosen_person

    settings = _settings(options)
    work = advance(WakeUpResult(), settings, options.photo, "people")
    people = _told(work, lambda _message: None).people
    default = chosen_person(people, settings)
    for number, person in enumerate(people, start=1):
        x0, y0, x1, y1 = person.box.round().astype(int).tolist()
        sure = "by its outline" if person.is_drawn else f"{person.score:.0%} sure"
        mark = ", taken when no number is given" if person is default else ""
        tell(f"{number}: x {x0} to {x1}, y {y0} to {y1}, {sure}{mark}")


def _run_folder(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Wake up each photo of a folder."""
    from . import photo_batch

    folder, out = Path(options.photo).absolute(), Path(options.out).absolute()
    if options.list_people or options.joints:
        option = "--list-people" if options.list_people else "--joints"
        raise WakeUpError(f"{option} is about one photo, and {folder.name} is a folder.")
    photos = photos_in(folder)
    names = result_names(photos, taken=(photo_batch.SUMMARY, photo_batch.SHEET))
    if is_there(out) and out.samefile(folder):
        raise OutputError("The results cannot go among the photos: choose another --out folder.")
    tasks = [
        photo_batch.Task(
            photo,
            name,
            (*_this_command(), *_for_photo(arguments, photo)),
            partial(_made_from, options, photo),
        )
        for photo, name in zip(photos, names, strict=True)
    ]
    counts = photo_batch.wake_up_folder(
        tasks,
        out,
        options.jobs,
        lambda target: ("--out", str(target)),
        _MADE,
        _say,
    )
    failed = counts[photo_batch.FAILED]
    _say(f"{len(tasks) - failed} of {len(tasks)} photos have woken up: {out}")
    return SOME_FAILED if failed else DONE


def _say(message: str) -> None:
    """Print one line, whatever names are in it and whatever the terminal can show."""
    encoding = sys.stdout.encoding or "utf-8"
    print(printable(message).encode(encoding, "replace").decode(encoding), flush=True)


def _this_command() -> tuple[str, ...]:
    """What starts this command in another process: Blender, or Python where Blender is a module."""
    bpy = sys.modules.get("bpy")
    if bpy is not None and bpy.app.binary_path:
        return bpy.app.binary_path, "--command", BLENDER_COMMAND
    return sys.executable, "-W", "ignore", "-m", f"{__package__}.cli"


def _for_photo(arguments: Sequence[str], photo: Path) -> list[str]:
    """The arguments with this photo instead of the one, or the folder, that they name."""
    for index in range(len(arguments)):
        replaced = [*arguments[:index], str(photo), *arguments[index + 1 :]]
        # The same word may be another option's value, so that the parser has to say what it is.
        with contextlib.suppress(WakeUpError):
            if parser().parse_args(replaced).photo == str(photo):
                # Behind "--" nothing is an option any more, and options follow.
                return [argument for argument in replaced if argument != "--"]
    raise AssertionError("the arguments were parsed before")


def _made_from(options: argparse.Namespace, photo: Path) -> str:
    """By what a result is known: the same photo, settings and version would give it again."""
    manifest = Path(__file__).resolve().parents[1] / "blender_manifest.toml"
    elsewhere = ("photo", "out", "jobs", "list_people")
    settings = {key: value for key, value in vars(options).items() if key not in elsewhere}
    named = [options.motion, options.joints, *_networks(options)]
    files = [photo, manifest, *(Path(name) for name in named if name)]
    if options.motions:
        files += motion_files(Path(options.motions))
    return fingerprint(settings, files)


def _run(options: argparse.Namespace, tell: Any, started: float) -> None:
    out = Path(options.out).absolute()
    with beside(out) as folder:
        settings = _settings(options)
        clip = _read_in_blender(settings, tell)
        corrections = Corrections(joints=read_joints(options.joints) if options.joints else None)
        everyone = options.person == EVERYONE
        request = Request(
            WakeUpResult(), settings, options.photo, LAST, corrections, everyone, clip
        )
        outcome = _told(run(request), tell)
        results = outcome if everyone else (outcome,)
        for note in results[0].motion_notes:
            tell(note)
        report = _write(results, options, folder, tell, started)
        report["seconds"] = round(time.perf_counter() - started, 3)
        report["peak_memory_mb"] = round(peak_memory_mb(), 1)
        write_report(folder, report, _made_from(options, Path(options.photo)))
        # Of an earlier run with another choice of what to render.
        move_into_place(folder, out, stale=_MADE)
    for warning in _warnings(report):
        if warning not in results[0].motion_notes:  # told already
            tell(warning)
    tell(f"Done in {report['seconds']:.1f} s: {out}")


def _warnings(report: dict[str, Any]) -> list[str]:
    """The report's warnings, those of each person included, once each."""
    reports = [report, *report.get("persons", ())]
    return list(dict.fromkeys(warning for each in reports for warning in each["warnings"]))


def _read_in_blender(settings: WakeUpSettings, tell: Any) -> Clip | None:
    """The motion where Blender alone can read its file, before minutes go into a photo."""
    if not needs_blender(settings.motion):
        return None
    tell("Reading the motion")
    import bpy

    from ..addon.scene import user_files
    from ..addon.scene.animation import motion_source

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    path = Path(settings.motion).expanduser()
    return motion_source.clip_from_file(
        path, settings.fps, user_files.mappings_folder(), take=settings.take
    )


def _told(work: Any, tell: Any) -> Any:
    """Run the generator to its end, saying each message once."""
    said = ""
    while True:
        try:
            progress = next(work)
        except StopIteration as finished:
            return finished.value
        if progress.message and progress.message != said:
            said = progress.message
            tell(f"{progress.fraction:4.0%} {said}")


def _write(
    results: tuple[WakeUpResult, ...],
    options: argparse.Namespace,
    folder: Path,
    tell: Any,
    started: float,
) -> dict[str, Any]:
    """Build the scene, write all files but the report into `folder`, and return the report."""
    # Blender comes in late: what is wrong with a photo is said before its seconds are spent.
    import bpy

    from ..addon.core.photo.image_files import save_png
    from ..addon.core.reports import batch_sheet, contact_sheet
    from ..addon.core.reports.report import compare_with_photo, describe, warnings_of_comparison
    from ..addon.scene import build, output_files
    from ..addon.scene.objects import wall
    from ..addon.scene.render import film, stills
    from ..addon.scene.render.settings import set_frames, set_video
    from ..addon.scene.render.viewport import show_in_viewports

    result = results[0]
    report = describe(result)
    if len(results) > 1:
        report["persons"] = [describe(each) for each in results]

    @contextlib.contextmanager
    def timed(name: str, message: str) -> Iterator[None]:
        tell(message)
        begun = time.perf_counter()
        yield
        report["stages"][name] = {
            "seconds": round(time.perf_counter() - begun, 3),
            "peak_memory_mb": round(peak_memory_mb(), 1),
        }

    with timed("scene", "Building the scene"):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        scene = bpy.context.scene
        collection = build.build_group(results, scene)
        if options.motions:
            report["motions"] = _perform_folder(options, collection, tell)
            report["warnings"] += report["motions"]["notes"]
            results = (replace(result, motion_name="the folder's clips"),)
        stills.look_through(scene, collection, options.engine, options.width, DEFAULT_FPS)
        show_in_viewports()
        wall.choose_wall(collection, options.wall)
        said = stills.choose_camera(scene, collection, options.camera.replace("-", "_"))
        if said:
            tell(said)
        stills.choose_light(collection, not options.no_shadow, options.relight)
        # Beside the file: to Blender, "//" is where the file is.
        if options.render in ("png", "character"):
            set_frames(scene, "//frames")
        else:
            set_video(scene, "//video.mp4")
        output_files.save_blend(folder / "scene.blend")
    report["photo_to_scene_seconds"] = round(time.perf_counter() - started, 3)

    with timed("export", "Exporting the character"):
        for number, each in enumerate(results, start=1):
            suffix = f"_{number}" if len(results) > 1 else ""
            for kind in options.export:
                file = folder / f"character{suffix}{exporter_of(kind).suffix}"
                export_character(collection, kind, file, number)
            save_png(folder / f"mask{suffix}.png", each.person.mask)
        save_png(folder / "background.png", result.background.rgb)

    with timed("checks", "Comparing with the photo"):
        first = stills.first_frame(scene, collection)
        save_png(folder / "first_frame.png", first)
        seen = stills.silhouette(scene, collection) >= 128
        masks = [each.person.mask for each in results]
        compared = compare_with_photo(first, result.photo.rgb, seen, masks)
        report.update(compared)
        report["warnings"] += warnings_of_comparison(compared)

    with timed("contact_sheet", "Composing the contact sheet"):
        panels, glance = _panels(results, body_model(_settings(options)), first, scene, collection)
        sheet = contact_sheet.compose(panels, contact_sheet.panel_size(result.photo))
        save_png(folder / "contact_sheet.png", sheet)
        save_png(folder / STRIP, batch_sheet.strip(glance))

    if options.render != "none":
        with timed("render", f"Rendering {scene.frame_end} frames"):
            target = folder / _RENDERED[options.render]
            _told(film.film(scene, collection, options.render, target), tell)
    report["frames"], report["fps"] = scene.frame_end, DEFAULT_FPS
    report["engine"], report["render"] = options.engine, options.render
    return report


def _perform_folder(options: argparse.Namespace, collection: Any, tell: Any) -> dict[str, Any]:
    """Lay the folder's motions on the character as NLA strips; what became of each file."""
    from ..addon.scene import user_files
    from ..addon.scene.animation import motion_folder, performing

    armature = performing.chosen_armature(collection, None)
    performed = _told(
        motion_folder.perform_folder(
            performing.Performer.of(armature, collection),
            motion_files(Path(options.motions)),
            performing.photo_pose(armature),
            DEFAULT_FPS,
            True,
            user_files.mappings_folder(),
            _settings(options).performing,
        ),
        tell,
    )
    performing.push_nla_strips(armature, performed.motions, in_turn=True)
    tell(performed.sentence)
    lengths = [
        {"clip": name, "frames": len(motion.root), "warnings": list(motion.warnings)}
        for name, motion in performed.motions
    ]
    return {
        "performed": lengths,
        "failures": dict(performed.failures),
        "notes": list(performed.notes),
    }


def _panels(
    results: tuple[WakeUpResult, ...], model: Any, first: Any, scene: Any, collection: Any
) -> tuple[Any, Any]:
    """The contact sheet's labelled panels, and those that tell the result at a glance: the photo,
    the character, a moment of its motion."""
    from ..addon.core.reports import contact_sheet as sheet
    from ..addon.scene import build
    from ..addon.scene.render import stills

    result = results[0]
    size = sheet.panel_size(result.photo)
    last = stills.last_frame(build.find_parts(collection))
    moments = [max(1, round(moment * last)) for moment in _SHEET_MOMENTS]
    turned = [
        (f"{direction}{f' of {number}' if len(results) > 1 else ''}", sheet.on_checks(view))
        for number in range(1, len(results) + 1)
        for direction, view in zip(
            _DIRECTIONS,
            stills.views(scene, collection, tuple(_DIRECTIONS.values()), size, number),
            strict=True,
        )
    ]
    motion = stills.stills(scene, collection, moments, size[0])
    panels = [
        ("photo", result.photo.rgb),
        (
            "masks and joints" if len(results) > 1 else "mask and joints",
            sheet.masks_and_joints(
                result.photo, [(each.person.mask, each.fitted) for each in results]
            ),
        ),
        (
            "fitted bodies" if len(results) > 1 else "fitted body",
            sheet.fit_overlay(result.photo, model, [each.fitted for each in results]),
        ),
        ("background", result.background.rgb),
        *turned,
        ("rendered frame 1", first),
        *((f"{result.motion_name}, frame {at}", p) for at, p in zip(moments, motion, strict=True)),
    ]
    return panels, (result.photo.rgb, turned[0][1], motion[_GLANCE])


@contextlib.contextmanager
def _own_stdout() -> Iterator[Any]:
    """Within, only `tell` reaches the terminal: Blender's chatter goes nowhere.

    Blender and its libraries write to the file descriptors themselves, so these are what is
    turned away. Errors still reach stderr as exceptions do, after this ends.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    quiet = os.open(os.devnull, os.O_WRONLY)
    terminal = os.fdopen(os.dup(kept[0]), "w", encoding="utf-8", errors="replace")

    def tell(message: str) -> None:
        print(printable(message), file=terminal, flush=True)

    try:
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        yield tell
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, source in zip((1, 2), kept, strict=True):
            os.dup2(source, target)
            os.close(source)
        os.close(quiet)
        terminal.close()


def register() -> None:
    """Make the command known to `blender --command`."""
    import bpy

    global _handle
    _handle = bpy.utils.register_cli_command(BLENDER_COMMAND, main)


def unregister() -> None:
    """Take the command back."""
    import bpy

    global _handle
    if _handle is not None:
        bpy.utils.unregister_cli_command(_handle)
        _handle = None


_handle: Any = None


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's Python module waits for a thread of its own for ever when a process in which
    # glTF was exported ends in the usual way.
    os._exit(code)
