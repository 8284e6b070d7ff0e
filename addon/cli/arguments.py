"""The command's arguments: what they are called, what they may be, and what they choose.

Those that are settings follow from the settings' fields (`core/settings.py`).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from ..core.body.model.parts import PART_NAMES
from ..core.errors import WakeUpError, quoted
from ..core.interchange.web_page import viewer_script
from ..core.motion.performing.playlist import motion_files
from ..core.option import Argument, Setting, assembled, settings_of
from ..core.photo.photo_folder import fingerprint
from ..core.settings import OPTIONS, OutputSettings, WakeUpSettings
from ..core.user_paths import check_readable, user_path
from ..scene.export.registry import KINDS

COMMAND = "wake-up"
BLENDER_COMMAND = "wake_up"  # Blender takes identifiers only: `blender --command wake_up`
MOST_JOBS = 64  # photos at once: each takes two gigabytes
EVERYONE = -1  # what --person all stands for
WHOLE_PICTURE = (-1e6, -1e6, 1e6, 1e6)  # clipped to the photo
_BACKS = tuple(choice.value for choice in OPTIONS["back"].choices)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        raise WakeUpError(f"{message[0].upper()}{message[1:]}: see --help.")


def parser() -> argparse.ArgumentParser:
    """The command's arguments: a namespace of the settings' names, and of what is not a setting."""
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
        "--joints", metavar="FILE", type=_path, default="",
        help='joints that are known better, as JSON in pixels: {"left_wrist": [310, 240]}',
    )  # fmt: skip
    made.add_argument(
        "--motions", metavar="DIR", type=_path, default="",
        help="a folder of motion files (.bvh, .fbx, .npz), performed one after the other instead",
    )  # fmt: skip
    made.add_argument(
        "--export", metavar="KINDS", type=_kinds, default=("glb",),
        help="what the character is written to, with commas between: glb, usdz, fbx, vrm (an "
        "avatar), html (a page that needs no network) (glb)",
    )  # fmt: skip
    for settings in (WakeUpSettings, OutputSettings):
        for each, argument in arguments_of(settings):
            _add(made, each, argument)
    return made


def arguments_of(settings: type) -> Iterator[tuple[Setting, Argument]]:
    """The settings that are arguments of the command, in order."""
    for each in settings_of(settings):
        if each.option.argument is not None:
            yield each, each.option.argument


def _add(made: argparse.ArgumentParser, each: Setting, argument: Argument) -> None:
    told: dict[str, Any] = {"dest": each.name, "default": each.default}
    help_ = argument.help or each.option.help[0].lower() + each.option.help[1:]
    if isinstance(each.default, bool):
        told["action"] = "store_false" if argument.is_opposite else "store_true"
    else:
        if argument.metavar:
            told["metavar"] = argument.metavar
        reader = _reader(each)
        told["type"] = reader
        if each.option.choices and reader in (str, int):
            choices = (*spelled(each), *argument.also)
            told["choices"] = choices
            if argument.metavar:  # in whose place argparse would list them
                help_ += f": {', '.join(map(str, choices))}"
        help_ += default_told(each)
    made.add_argument(argument.flag, help=help_.replace("%", "%%"), **told)


def _reader(each: Setting) -> Callable[[str], Any]:
    """What makes a value of a word."""
    if each.name in _OWN_READERS:
        return _OWN_READERS[each.name]
    if each.option.is_file:
        return _path
    # Numbers that may be missing are measured ones.
    return float if each.default is None else type(each.default)


def spelled(each: Setting) -> dict[Any, Any]:
    """A setting's choices as the command spells them, with hyphens, and their values."""
    values = [choice.value for choice in each.option.choices]
    return {v.replace("_", "-") if isinstance(v, str) else v: v for v in values}


def default_told(each: Setting) -> str:
    """The default as the help states it, in brackets; "" if there is none."""
    if each.option.unset:
        return f" ({each.option.unset})"
    if isinstance(each.default, float):
        return f" ({each.default:g})"
    return "" if each.default in (None, "") else f" ({each.default})"


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
    if text in _BACKS:
        return text, ()
    parts = tuple(sorted(part.strip() for part in text.split(",")))
    if not set(parts) <= set(PART_NAMES[1:]):
        raise ValueError(text)
    return WakeUpSettings.back, parts


def _kinds(text: str) -> tuple[str, ...]:
    """Kinds of files, each once."""
    kinds = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    wrong = [quoted(kind) for kind in kinds if kind not in KINDS]
    if wrong:
        raise argparse.ArgumentTypeError(f"'{wrong[0]}' is none of the kinds {', '.join(KINDS)}")
    return kinds


# What argparse calls the kinds when a value is refused.
_person.__name__ = "number of a person, or 'all'"
_back.__name__ = f"back: {', '.join(_BACKS)} or parts of {', '.join(PART_NAMES[1:])}"
_box.__name__ = "box X0,Y0,X1,Y1 in pixels, or 'all'"

# Settings whose words have a syntax of their own on the command line.
_OWN_READERS: dict[str, Callable[[str], Any]] = {"person": _person, "box": _box, "back": _back}


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
    for settings in (WakeUpSettings, OutputSettings):
        for each, argument in arguments_of(settings):
            limits, value = each.option.limits, getattr(options, each.name)
            # Those of a group say themselves what is wrong with them, where they are put together.
            if limits is None or each.group or value is None or each.name in _OWN_READERS:
                continue
            if not limits.allow(value):
                raise WakeUpError(f"{argument.flag} is {limits.rule}.")
    if "html" in options.export:
        viewer_script()  # said now where it is not installed
    for name in _files(options):
        check_readable(Path(name), WakeUpError, "choose another file")
    chosen_settings(options)
    if options.motions:
        motion_files(Path(options.motions))
        if options.person == EVERYONE:
            raise WakeUpError("--motions is about one person: leave out --person all.")


def _files(options: argparse.Namespace) -> list[str]:
    """What may be files of the user's: motion, joints, networks."""
    settings = [each for each, _argument in arguments_of(WakeUpSettings) if each.option.is_file]
    return [options.joints, *(getattr(options, each.name) for each in settings)]


def chosen_settings(options: argparse.Namespace) -> WakeUpSettings:
    """The settings that the arguments choose; MotionError for a motion's that cannot be."""
    values = _values(options, WakeUpSettings)
    values["person"] = max(options.person, 0)
    values["back"], values["mirrored_parts"] = options.back
    return assembled(WakeUpSettings, values)


def chosen_output(options: argparse.Namespace) -> OutputSettings:
    """How the arguments want the scene shown and rendered."""
    return assembled(OutputSettings, _values(options, OutputSettings))


def _values(options: argparse.Namespace, settings: type) -> dict[str, Any]:
    return {
        each.name: spelled(each).get(getattr(options, each.name), getattr(options, each.name))
        for each, _argument in arguments_of(settings)
    }


def made_from(options: argparse.Namespace, photo: Path) -> str:
    """By what a result is known: the same photo, settings and version would give it again."""
    manifest = Path(__file__).resolve().parents[2] / "blender_manifest.toml"
    elsewhere = ("photo", "out", "jobs", "list_people")
    settings = {key: value for key, value in vars(options).items() if key not in elsewhere}
    files = [photo, manifest, *(Path(name) for name in _files(options) if name)]
    if options.motions:
        files += motion_files(Path(options.motions))
    return fingerprint(settings, files)
