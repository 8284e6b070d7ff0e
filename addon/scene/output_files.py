"""Files that appear whole or not at all, under names that Blender takes as they stand.

Blender reads much into a path: `{name}` is a template, `#` a frame's number, `//` the file's own
folder, and what is longer than it has room for it cuts off; importers and exporters have readings
of their own. So it writes under a plain name, and what it wrote goes to its place afterwards.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import bpy

from ..core.errors import OutputError, said_by
from ..core.user_paths import exists, told, user_path

_HIDDEN = ".wake-up-"  # how the names of folders begin that are gone afterwards
# Letters of any script, digits, and signs that neither Blender nor USD, FFmpeg or glTF read as more
# than a part of a name.
_PLAIN = re.compile(rf"[\w ./:,()+=@&'!{re.escape(os.sep)}-]*")
_MOST_BYTES = 600  # of a plain folder's path; Blender cuts paths at 1023, folders of strips at 767
_MOST_RENDER_BYTES = 1023
_INSTEAD = "choose another place"


def is_plain(path: Path) -> bool:
    """Whether Blender takes this path as it stands, and anything in it."""
    name = str(path)
    return (
        _PLAIN.fullmatch(name) is not None
        and not name.startswith("//")
        and len(os.fsencode(name)) <= _MOST_BYTES
    )


def render_path(path: Path) -> str:
    """The path as Blender's render settings are to have it, where templates end with braces."""
    return str(user_path(path)).replace("{", "{{").replace("}", "}}")


def fits_render_path(path: Path) -> bool:
    """Whether Blender's render settings can have this path: a backslash is a slash to them."""
    name = render_path(path)
    return len(os.fsencode(name)) <= _MOST_RENDER_BYTES and ("\\" not in name or os.sep == "\\")


@contextmanager
def plain_folder(target: Path) -> Iterator[Path]:
    """A new folder with a plain path, gone afterwards: beside `target`, where that is plain itself.

    Raises OutputError, before anything is done, where nothing can be written beside `target`.
    """
    with said_of(target):
        beside = TemporaryDirectory(prefix=_HIDDEN, dir=target.parent, ignore_cleanup_errors=True)
    with beside as name:
        if is_plain(Path(name)):
            yield Path(name)
            return
        with TemporaryDirectory(prefix="wake-up-", ignore_cleanup_errors=True) as elsewhere:
            yield Path(elsewhere)


@contextmanager
def plain_source(path: Path) -> Iterator[Path]:
    """The file for Blender to read: itself, or, gone afterwards, a copy under a plain name."""
    if is_plain(path):
        yield path
        return
    with TemporaryDirectory(prefix="wake-up-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / f"source{path.suffix}"
        shutil.copyfile(path, copy)
        yield copy


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A plain path with the same suffix, from which the file is moved to `path` when all went well.

    An earlier file stays until then, and stays where anything fails. Raises OutputError where
    nothing can be written there or nothing was.
    """
    check_target(path)
    with plain_folder(path) as folder, said_of(path):
        made = folder / f"made{path.suffix}"
        yield made
        if not made.is_file():
            raise OutputError(f"{path.name} could not be written: see Blender's console.")
        put([made], [path])


def check_target(path: Path, is_folder: bool = False) -> None:
    """Raise OutputError where there cannot be a file, or folder, of this name."""
    if exists(path, OutputError, _INSTEAD) and path.is_dir() != is_folder:
        other = "a file" if is_folder else "a folder"
        raise OutputError(f"{told(path)} is {other}: {_INSTEAD}.")


def with_suffix(path: Path, suffix: str, others: Collection[str] = ()) -> Path:
    """The path with this suffix, in place of one of `others` alone: in 'v1.2', '.2' is no suffix.

    Raises OutputError where the path has no name to begin with.
    """
    name = path.name
    if name.strip(".") == "":
        raise OutputError(f"{told(path)} is no name of a file: choose one.")
    ending = path.suffix.lower()
    if ending in (suffix, *others) and ending:
        name = name[: -len(ending)]
    return path.with_name(name + suffix)


def put(made: Sequence[Path], targets: Sequence[Path]) -> None:
    """Move files that are whole to their places, which are in one folder, in place of earlier ones.

    Raises OSError; on the way between disks no target is touched before all files are there.
    """
    if not made:
        return
    try:
        for source, target in zip(made, targets, strict=True):
            os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with TemporaryDirectory(
            prefix=_HIDDEN, dir=targets[0].parent, ignore_cleanup_errors=True
        ) as folder:
            copies = [Path(folder) / source.name for source in made]
            for source, copy in zip(made, copies, strict=True):
                shutil.copyfile(source, copy)
            put(copies, targets)


def save_blend(path: Path) -> None:
    """Save the open file, compressed; OutputError where that cannot be."""
    with written_whole(path) as made:
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(made), compress=True)
        except RuntimeError as error:
            raise OutputError(
                f"{path.name} could not be written ({said_by(error)}): make room, or {_INSTEAD}."
            ) from error


@contextmanager
def said_of(path: Path) -> Iterator[None]:
    """Within, an OSError becomes the sentence that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{told(path)} cannot be written ({error.strerror or error}): {_INSTEAD}."
        ) from error
