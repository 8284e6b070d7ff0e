"""Running the stages: what is missing up to a stage is computed, timed and yields Progress.

Results are immutable and partial ones are allowed. Anyone who corrects a value (a painted mask, a
dragged joint) drops what depends on it with `stages.without` and advances again.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ..errors import Cancelled, WakeUpError
from ..result import StageCost, WakeUpResult
from ..settings import WakeUpSettings
from ..stage import Inputs, Report
from ..types import Clip, Foreground, Progress
from .stages import LAST, needed_for

_POLL_S = 0.05  # how soon a caller learns of progress


def wake_up(
    photo_path: Path | str, settings: WakeUpSettings, clip: Clip | None = None
) -> Generator[Progress, None, WakeUpResult]:
    """All stages for one photo; the generator's return value is the finished result.

    Closing the generator stops the work at the running stage's next report.

    Parameters
    ----------
    photo_path : Path | str
        The photo's file.
    settings : WakeUpSettings
        What the user chose.
    clip : Clip | None
        The settings' motion, if only Blender can read its file; None: it is read here.

    Yields
    ------
    Generator[Progress, None, WakeUpResult]
        How far the work has come; the generator's value is the result.

    Raises
    ------
    WakeUpError
        Of any kind, with a sentence for the user and the stage that failed.
    """
    return (yield from advance(WakeUpResult(), settings, photo_path, clip=clip))


def advance(
    result: WakeUpResult,
    settings: WakeUpSettings,
    photo_path: Path | str = "",
    until: str = LAST,
    clip: Clip | None = None,
    everyone: Foreground | None = None,
) -> Generator[Progress, None, WakeUpResult]:
    """Compute the values that `until` needs and that `result` lacks, and return them with it.

    Parameters
    ----------
    result : WakeUpResult
        What there is already.
    settings : WakeUpSettings
        What the user chose.
    photo_path : Path | str
        The photo's file.
    until : str
        The stage that is wanted.
    clip : Clip | None
        The settings' motion, where only Blender can read its file; None: it is read here.
    everyone : Foreground | None
        What leaves the background; None: the result's person alone.

    Yields
    ------
    Generator[Progress, None, WakeUpResult]
        How far the work has come; the generator's value is the result.
    """
    wanted = needed_for(until, result)
    total = sum(stage.share for stage in wanted) or 1.0
    done = 0.0
    if clip is None and LAST in [stage.name for stage in wanted[1:]]:  # alone, it says it as soon
        yield from motion_checked(settings)
    for stage in wanted:
        yield Progress(done / total, stage.message)
        started = time.perf_counter()
        inputs = Inputs(result, settings, photo_path, clip, everyone)
        work = in_thread(
            partial(stage.run, inputs), done / total, stage.share / total, stage.message
        )
        result = yield from _named(stage.name, work)
        cost = StageCost(time.perf_counter() - started, peak_memory_mb())
        result = replace(result, costs={**result.costs, stage.name: cost})
        done += stage.share
    yield Progress(1.0, "Done")
    return result


_Value = TypeVar("_Value")


def _named(
    stage: str, work: Generator[Progress, None, _Value]
) -> Generator[Progress, None, _Value]:
    """The same work, whose errors say which stage they come from."""
    try:
        return (yield from work)
    except WakeUpError as error:
        error.stage = stage
        raise


def motion_checked(settings: WakeUpSettings) -> Generator[Progress, None, None]:
    """Raise MotionError for a motion that cannot be read, before minutes go into a photo.

    Parameters
    ----------
    settings : WakeUpSettings
        What the user chose.

    Yields
    ------
    Generator[Progress, None, None]
        While a file is read.
    """

    def read(_report: Report) -> None:
        from ..motion.sources.library import load_motion

        load_motion(settings.motion, settings.fps, settings.take)

    yield from _named(LAST, in_thread(read, 0.0, 0.0, "Reading the motion"))


def drain(work: Generator[Progress, None, WakeUpResult]) -> WakeUpResult:
    """Run a generator of work to its end and return its value.

    Parameters
    ----------
    work : Generator[Progress, None, WakeUpResult]
        Any.

    Returns
    -------
    WakeUpResult
        The generator's value.
    """
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value


def within(
    work: Generator[Progress, None, _Value], start: float, end: float, who: str = ""
) -> Generator[Progress, None, _Value]:
    """The same work as the part from `start` to `end` of a larger one; its end is not told.

    Parameters
    ----------
    work : Generator[Progress, None, _Value]
        Whose fractions go from 0 to 1.
    start : float
        0..1 of the larger work.
    end : float
        0..1 of the larger work.
    who : str
        The person that it is for, said before each message.

    Yields
    ------
    Generator[Progress, None, _Value]
        Fractions from `start` to `end`.
    """
    while True:
        try:
            progress = next(work)
        except StopIteration as finished:
            return finished.value
        told = f"{who}{progress.message}" if progress.message else ""
        if progress.fraction < 1.0:
            yield Progress(start + (end - start) * progress.fraction, told)


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in megabytes; 0 where no one counts."""
    try:
        import resource
    except ImportError:  # Windows has no such count
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kilobytes, macOS bytes.
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def in_thread(
    work: Callable[[Report], _Value], base: float, share: float, message: str
) -> Generator[Progress, None, _Value]:
    """Run a stage, or other work, beside the generator, so that its reports can be yielded while
    it works.

    When the generator is closed, the stage's next report raises Cancelled in its thread.

    Parameters
    ----------
    work : Callable[[Report], _Value]
        Takes a function that it reports to.
    base : float
        Fraction at which it begins.
    share : float
        Of the whole work.
    message : str
        What is told until the stage reports anything.

    Yields
    ------
    Generator[Progress, None, _Value]
        Its reports; the generator's value is the work's.
    """
    reports: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    stopped = threading.Event()
    outcome: dict[str, Any] = {}

    def report(progress: Progress) -> None:
        if stopped.is_set():
            raise Cancelled("Stopped: nothing has been changed.")
        reports.put(progress)

    def run() -> None:
        try:
            outcome["values"] = work(report)
        except BaseException as error:  # noqa: BLE001 - raised again where the caller waits
            outcome["error"] = error
        reports.put(None)

    thread = threading.Thread(target=run, name="wake-up stage", daemon=True)
    thread.start()
    last = Progress(base, message)
    try:
        while True:
            try:
                report_ = reports.get(timeout=_POLL_S)
            except queue.Empty:
                yield last  # keeps a window that steps this generator alive
                continue
            if report_ is None:
                break
            last = Progress(base + share * min(max(report_.fraction, 0.0), 1.0), report_.message)
            yield last
    finally:
        stopped.set()
        thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["values"]
