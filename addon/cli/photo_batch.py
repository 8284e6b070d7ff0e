"""A folder of photos: the command once for each, in a process of its own.

A process for each photo keeps memory bounded whatever a photo takes, and whatever one of them dies
of, the others go on. Each writes into a hidden folder, from which whole results are moved.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..core.errors import WakeUpError, printable
from ..core.photo.image_files import load_photo, save_png
from ..core.reports.batch_sheet import Entry, overview, strip
from ..core.types import UInt8
from . import exit_codes
from .result_folder import STRIP, move_into_place, read_report, scratch_in

SUMMARY, SHEET = "summary.json", "contact_sheet.png"
DONE, KEPT, FAILED, WAITING = "done", "kept", "failed", "waiting"
_LEAST_WINDOWS_CRASH = 0xC0000000  # exit codes from there on are Windows's own
# What Python, NumPy, PyTorch and OpenCV say when there is no memory left.
_NO_MEMORY = ("MemoryError", "allocate memory", "Insufficient memory", "bad_alloc")
_LOOK_S = 0.05  # between two looks at the processes
_PATIENCE_S = 10.0  # that a stopped process has for tidying up
_LOG_LINES = 30  # of a process that died, kept in the summary
_MOST_LOG = 2**20  # bytes at a log's end that are looked at


@dataclass(frozen=True)
class Task:
    """A photo that is to be woken up."""

    photo: Path
    name: str  # of the folder that its result goes to
    command: tuple[str, ...]  # without where the results go
    made_from: Callable[[], str]  # the result's fingerprint, computed when its turn comes


@dataclass
class Row:
    """What became of a photo, as it is in the summary."""

    photo: str
    folder: str
    status: str = WAITING
    error: str | None = None  # one sentence
    seconds: float | None = None
    people: int | None = None
    first_frame_psnr_db: float | None = None
    silhouette_iou: float | None = None
    peak_memory_mb: float | None = None
    warnings: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)  # the last lines of a process that died


@dataclass
class _Running:
    task: Task
    row: Row
    process: subprocess.Popen[bytes]
    folder: Path
    log: Path
    started: float


def wake_up_folder(
    tasks: Sequence[Task],
    out: Path,
    jobs: int,
    out_option: Callable[[Path], Sequence[str]],
    stale: Sequence[str],
    tell: Callable[[str], None],
) -> Counter[str]:
    """Wake up the photos, `jobs` at a time, and return how many came to which status.

    out_option : the arguments that tell a command where its results go
    stale : files of an earlier result that go even though nothing replaces them

    The summary is rewritten after each photo, the contact sheet at the end. Ctrl-C, or a
    SIGTERM, stops the processes and raises KeyboardInterrupt: what is finished stays. Raises
    OutputError where `out` cannot be written.
    """
    rows = [Row(task.photo.name, task.name) for task in tasks]
    started = time.perf_counter()
    waiting = list(zip(tasks, rows, strict=True))
    count = len(waiting)
    with _terminable(), scratch_in(out) as scratch:
        running: list[_Running] = []
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    task, row = waiting.pop(0)
                    if not _is_kept(task, row, out):
                        running.append(_start(task, row, count - len(waiting), scratch, out_option))
                        continue
                    _say(row, count, rows, tell)
                ended = [each for each in running if each.process.poll() is not None]
                for each in ended:
                    running.remove(each)
                    if each.process.returncode == exit_codes.STOPPED:
                        raise KeyboardInterrupt
                    _finish(each, out, stale)
                    shutil.rmtree(each.folder, ignore_errors=True)
                    _say(each.row, count, rows, tell)
                if ended:
                    _write_summary(rows, jobs, started, scratch, out)
                elif running:
                    time.sleep(_LOOK_S)
        finally:
            _stop(running)
            for each in running:
                each.row.status = WAITING
            _write_summary(rows, jobs, started, scratch, out)
        entries = [_entry(task, row, out) for task, row in zip(tasks, rows, strict=True)]
        save_png(scratch / SHEET, overview(entries))
        os.replace(scratch / SHEET, out / SHEET)
    return Counter(row.status for row in rows)


def _is_kept(task: Task, row: Row, out: Path) -> bool:
    """Whether there is a whole result of this photo with these settings; the row then says so."""
    report = read_report(out / task.name)
    if report is None or report["made_from"] != task.made_from():
        return False
    row.status = KEPT
    _take(row, report)
    return True


def _take(row: Row, report: dict[str, Any]) -> None:
    row.seconds, row.people = report.get("seconds"), report.get("people")
    row.first_frame_psnr_db = report.get("first_frame_psnr_db")
    row.silhouette_iou = report.get("silhouette_iou")
    row.peak_memory_mb = report.get("peak_memory_mb")
    row.warnings = list(report.get("warnings", ()))


def _start(
    task: Task, row: Row, number: int, scratch: Path, out_option: Callable[[Path], Sequence[str]]
) -> _Running:
    folder, log = scratch / f"{number}", scratch / f"{number}.log"
    environment = dict(os.environ)
    # Where this package is, besides where Python looks anyway. Not the whole of sys.path: Blender
    # as a module adds folders of its own to it, out of which it cannot be imported again.
    package = sys.modules[(__package__ or "").partition(".")[0]]
    here = str(Path(package.__path__[0]).parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (here, environment.get("PYTHONPATH"))))
    started = time.perf_counter()
    with log.open("wb") as sink:
        try:
            process = subprocess.Popen(
                [*task.command, *out_option(folder)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sink, env=environment,
            )  # fmt: skip
        except OSError as error:
            raise WakeUpError(
                f"No process could be started for {task.photo.name} ({error.strerror or error}): "
                "try again with fewer --jobs."
            ) from error
    return _Running(task, row, process, folder, log, started)


def _finish(ended: _Running, out: Path, stale: Sequence[str]) -> None:
    """Move the result to its place, or note in the row why there is none."""
    row, code = ended.row, ended.process.returncode
    row.seconds = round(time.perf_counter() - ended.started, 3)
    report = read_report(ended.folder) if code == 0 else None
    if report is not None:
        _take(row, report)
        try:
            move_into_place(ended.folder, out / ended.task.name, stale)
        except WakeUpError as error:
            row.status, row.error = FAILED, str(error)
        else:
            row.status = DONE
        return
    row.status = FAILED
    lines = _last_lines(ended.log)
    if code == exit_codes.REFUSED and lines:
        row.error = lines[-1]
        return
    row.log = lines
    row.error = _what_happened(code, lines)


def _what_happened(code: int, lines: Sequence[str]) -> str:
    """A sentence about a process that ended without one of its own, by its exit code and the last
    lines that it said."""
    last = printable(lines[-1].strip()).rstrip(".") if lines else ""
    no_memory = any(word in last for word in _NO_MEMORY)
    if no_memory or code < 0 or code >= _LEAST_WINDOWS_CRASH:
        how = "it ran out of memory" if no_memory else "it ran out of memory or crashed"
        return (
            f"The computation stopped unexpectedly ({how}): try again with a smaller photo or "
            "fewer --jobs."
        )
    return (
        f"The program failed at this photo with exit code {code}"
        f"{f' ({last})' if last else ''}: choose another photo, and report this one with its log "
        f"in {SUMMARY}."
    )


def _last_lines(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - _MOST_LOG, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-_LOG_LINES:]


def _stop(running: Sequence[_Running]) -> None:
    """End the processes: they may tidy up, but not for long."""
    for each in running:
        with contextlib.suppress(OSError):
            if os.name == "posix":
                each.process.send_signal(signal.SIGINT)
            else:  # there is no Ctrl-C for one process alone
                each.process.kill()
    until = time.monotonic() + _PATIENCE_S
    for each in running:
        try:
            each.process.wait(timeout=max(until - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait()


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Within, a SIGTERM is a Ctrl-C, so that processes and folders are tidied up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_signal_and_frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(row: Row, count: int, rows: Sequence[Row], tell: Callable[[str], None]) -> None:
    number = sum(each.status != WAITING for each in rows)
    said = {
        DONE: f"done in {row.seconds or 0:.0f} s",
        KEPT: "is there already",
        FAILED: row.error,
    }[row.status]
    tell(f"{number} of {count}, {row.photo}: {said}")


def _write_summary(
    rows: Sequence[Row], jobs: int, started: float, scratch: Path, out: Path
) -> None:
    counts = Counter(row.status for row in rows)
    summary = {
        "seconds": round(time.perf_counter() - started, 3),
        "jobs": jobs,
        **{status: counts[status] for status in (DONE, KEPT, FAILED, WAITING)},
        "photos": [asdict(row) for row in rows],
    }
    part = scratch / SUMMARY
    part.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    os.replace(part, out / SUMMARY)


def _entry(task: Task, row: Row, out: Path) -> Entry:
    has_failed = row.status == FAILED

    def picture() -> UInt8 | None:
        try:
            if not has_failed:
                return np.asarray(Image.open(out / row.folder / STRIP).convert("RGB"))
            # A photo whose process died could take this one with it.
            return None if row.log else strip([load_photo(task.photo).rgb])
        except (WakeUpError, OSError, ValueError, MemoryError):
            return None

    # Many sentences begin with the file's name, which stands there already.
    remark = (
        (row.error or "").removeprefix(row.photo) if has_failed else f"{row.seconds or 0:.0f} s"
    )
    return Entry(row.photo, remark.strip(), has_failed, picture)
