"""A folder of photos: which photos, and the command that wakes up each of them."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..core.errors import OutputError, WakeUpError
from ..core.photo.photo_folder import photos_in, result_names
from . import photo_batch
from .arguments import BLENDER_COMMAND, made_from, parser
from .result_folder import MADE, is_there
from .standard_output import say


def run_folder(options: argparse.Namespace, arguments: Sequence[str]) -> bool:
    """Wake up each photo of a folder; whether all have."""
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
            (*this_command(), *for_photo(arguments, photo)),
            partial(made_from, options, photo),
        )
        for photo, name in zip(photos, names, strict=True)
    ]
    counts = photo_batch.wake_up_folder(
        tasks,
        out,
        options.jobs,
        lambda target: ("--out", str(target)),
        MADE,
        say,
    )
    failed = counts[photo_batch.FAILED]
    say(f"{len(tasks) - failed} of {len(tasks)} photos have woken up: {out}")
    return not failed


def this_command() -> tuple[str, ...]:
    """What starts this command in another process: Blender, or Python where Blender is a module."""
    bpy = sys.modules.get("bpy")
    if bpy is not None and bpy.app.binary_path:
        return bpy.app.binary_path, "--command", BLENDER_COMMAND
    return sys.executable, "-W", "ignore", "-m", str(__package__)


def for_photo(arguments: Sequence[str], photo: Path) -> list[str]:
    """The arguments with this photo instead of the one, or the folder, that they name."""
    for index in range(len(arguments)):
        replaced = [*arguments[:index], str(photo), *arguments[index + 1 :]]
        # The same word may be another option's value, so that the parser has to say what it is.
        with contextlib.suppress(WakeUpError):
            if parser().parse_args(replaced).photo == str(photo):
                # Behind "--" nothing is an option any more, and options follow.
                return [argument for argument in replaced if argument != "--"]
    raise AssertionError("the arguments were parsed before")
