"""The folder that a command leaves: all of a result or nothing of it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ..core.errors import OutputError
from ..core.user_paths import exists, told
from ..scene.export.registry import EXPORTERS

# What a disk says that was written to until then: full, quota, limit of a file, gone.
_NO_ROOM = (
    errno.ENOSPC,
    getattr(errno, "EDQUOT", errno.ENOSPC),
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
)
STRIP = "strip.png"  # the result at a glance
_INSTEAD = "choose another folder for the results"
_DEEPEST = "frames/frame_100000.png"  # the longest name in a result
# What each kind of render is written to.
RENDERED = {
    "mp4": "video.mp4", "png": "frames", "character": "character", "gif": "loop.gif",
    "webp": "loop.webp",
}  # fmt: skip
# What one command leaves and another, with other choices, does not.
MADE = (*RENDERED.values(), *(f"character.{exporter.name}" for exporter in EXPORTERS))
REPORT = "report.json"  # the last file to come and the first to go: where it is, all is


def is_there(out: Path) -> bool:
    """Whether the folder for results is there already; OutputError where it cannot be one."""
    try:
        (out / _DEEPEST).stat()  # too long with a result in it, or it may not be looked into
    except (FileNotFoundError, NotADirectoryError, ValueError):
        pass
    except OSError as refused:
        why = refused.strerror or refused
        raise OutputError(f"{told(out)} cannot be written ({why}): {_INSTEAD}.") from refused
    if not exists(out, OutputError, _INSTEAD):
        return False
    if not out.is_dir():
        raise OutputError(f"{told(out)} is a file: choose a folder for the results.")
    return True


@contextlib.contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A new folder on the file system of `out`, gone afterwards; OutputError before any work
    where `out` cannot be written."""
    parent = out.parent
    if is_there(out):
        with _writable(out):
            tempfile.TemporaryFile(dir=out).close()  # raises where nothing can be put in it
        parent = parent if os.access(parent, os.W_OK) else out
    with scratch_in(parent) as folder:
        yield folder


@contextlib.contextmanager
def scratch_in(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, gone afterwards; so are the folders that had to be made for it,
    where it ends with an error and they hold nothing else. A disk that is full, within, is an
    OutputError."""
    with _writable(parent):
        missing = _missing_folders(parent)
        parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".wake-up-", dir=parent))
    try:
        folder = scratch / "result"  # that of mkdtemp is for its owner's eyes only
        with _writable(parent):
            folder.mkdir()
            (folder / _DEEPEST).exists()  # raises where that is longer than a path can be
        yield folder
    except BaseException as error:
        shutil.rmtree(scratch, ignore_errors=True)
        for made in missing:
            with contextlib.suppress(OSError):
                made.rmdir()
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise _unwritable(parent, error) from error
        raise
    shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _writable(out: Path) -> Iterator[None]:
    """Within, an OSError becomes the sentence that `out` cannot be written."""
    try:
        yield
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> OutputError:
    what = "make room there or choose" if error.errno in _NO_ROOM else "choose"
    return OutputError(
        f"The folder {told(out)} cannot be written ({error.strerror or error}): {what} another one."
    )


def move_into_place(folder: Path, out: Path, stale: Collection[str] = ()) -> None:
    """Move everything from `folder` into `out`, replacing what has the same name.

    stale : names in `out` that go even though nothing replaces them

    A folder that is not there yet comes all at once. Otherwise the report goes first and comes
    last; where anything cannot be moved, all is put back and OutputError is raised.
    """
    with _writable(out):
        if not out.exists():
            folder.rename(out)
            return
    new = sorted(item.name for item in folder.iterdir())
    aside = folder.with_name(f"{folder.name}-replaced")
    undo: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        os.replace(source, target)
        undo.append((target, source))

    try:
        aside.mkdir()
        for name in sorted({*new, *stale}, key=lambda name: name != REPORT):
            if (out / name).exists():
                move(out / name, aside / name)
        for name in sorted(new, key=lambda name: name == REPORT):
            move(folder / name, out / name)
    except OSError as error:
        for target, source in reversed(undo):
            with contextlib.suppress(OSError):
                os.replace(target, source)
        raise OutputError(
            f"The results could not be moved to {told(out)} ({error.strerror}): choose another "
            "folder."
        ) from error


def write_report(folder: Path, report: dict[str, Any], made_from: str) -> None:
    """Write the report of what is in `folder`, with by what it is known again."""
    files = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    whole = {**report, "made_from": made_from, "files": files}
    (folder / REPORT).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def read_report(out: Path) -> dict[str, Any] | None:
    """The report of a result all of whose files are there; None if there is no such result."""
    try:
        report = json.loads((out / REPORT).read_text(encoding="utf-8"))
        is_whole = isinstance(report["made_from"], str) and all(
            (out / name).is_file() for name in report["files"]
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return report if is_whole else None


def _missing_folders(folder: Path) -> list[Path]:
    """The folder and those above it that do not exist yet, innermost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    return missing
