"""Stages in a process of their own: Blender's window stays alive, and a crash costs nothing.

The request goes to the process as a pickle in a private temporary folder, progress comes back as
lines of JSON on its output, the result as a pickle in the same folder. Both ends are this very
package under the same name, and no one else can write the folder.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO

from .core.errors import WakeUpError
from .core.pipeline.request import Outcome, Request, run
from .core.pipeline.run import in_thread
from .core.types import Progress

logger = logging.getLogger(__name__)

REQUEST, RESULT, LOG = "request.pickle", "result.pickle", "log.txt"
PATIENCE_S = 0.02  # how long a step waits for news; a window's timer calls it again
_ENDING_S = 10.0  # a process that has closed its output and is still there after that is stuck
_READING = "Reading the result"
_ROOT = Path(__file__).resolve().parents[1]
_PACKAGE = (__package__ or "").rpartition(".")[0]  # the whole extension's name


def advance_in_worker(request: Request) -> Generator[Progress, None, Outcome]:
    """`request.run` in a process of its own that ends with this generator, however that ends.

    Raises the WakeUpError that the work raised, and one of its own when the process dies.
    """
    with tempfile.TemporaryDirectory(prefix="photo-wake-up-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        yield from in_thread(lambda _report: _ask(folder, request), 0.0, 0.0, "Starting")
        with open(folder / LOG, "wb") as log:
            process = _start(folder, log)
        try:
            yield from _listen(process)
            # Its output is closed: it is about to end, which takes a moment with all that it has.
            closed = time.monotonic()
            while process.poll() is None and time.monotonic() - closed < _ENDING_S:
                yield Progress(1.0, _READING)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        read = in_thread(lambda _report: _answer(folder, process.returncode), 1.0, 0.0, _READING)
        return (yield from read)


def _ask(folder: Path, request: Request) -> None:
    (folder / REQUEST).write_bytes(pickle.dumps(request))


def _start(folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-u", "-P", str(_ROOT / "addon" / "worker_process.py"),
        str(_ROOT), _PACKAGE, str(folder),
    ]  # fmt: skip
    environment = dict(os.environ)
    # What this Blender can import, wheels of the extension included, the worker can import too.
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    # Windows: no console window, and anyone who works in Blender's goes first.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    flags |= getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            env=environment, creationflags=flags,
        )  # fmt: skip
    except OSError as error:
        raise WakeUpError(
            f"The computation could not be started ({error}): restart Blender and try again."
        ) from error


def _listen(process: subprocess.Popen[bytes]) -> Generator[Progress, None, None]:
    """Yield the newest progress again and again until the process closes its output."""
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, name="wake-up progress", daemon=True).start()
    progress = Progress(0.0, "Starting")
    while True:
        yield progress
        try:
            line = lines.get(timeout=PATIENCE_S)
            while line is not None and not lines.empty():
                line = lines.get()
        except queue.Empty:
            continue
        if line is None:
            return
        try:
            told = json.loads(line)
            progress = Progress(float(told["fraction"]), str(told["message"]))
        except (ValueError, KeyError, TypeError):
            logger.debug("The worker wrote: %r", line)


def _answer(folder: Path, exit_code: int) -> Outcome:
    path = folder / RESULT
    if path.is_file():
        answer = pickle.loads(path.read_bytes())
        if isinstance(answer, WakeUpError):
            raise answer
        return answer
    logger.error(
        "The worker ended with %s:\n%s", exit_code, (folder / LOG).read_text(errors="replace")
    )
    if exit_code < 0:
        reason, advice = "it ran out of memory or crashed", "a smaller photo"
    else:  # a fault of the program, whatever the photo's size
        reason, advice = f"exit code {exit_code}", "another photo"
    raise WakeUpError(
        f"The computation stopped unexpectedly ({reason}): the system console tells more; "
        f"try again with {advice}."
    )


def serve(folder: Path) -> None:
    """The worker's side: compute what the folder asks for and leave the answer there."""
    request: Request = pickle.loads((folder / REQUEST).read_bytes())
    work = run(request)
    told = None
    while True:
        try:
            progress = next(work)
        except StopIteration as finished:
            answer: Outcome | WakeUpError = finished.value
            break
        except WakeUpError as error:
            answer = error
            break
        if progress != told:
            told = progress
            line = {"fraction": progress.fraction, "message": progress.message}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    # Complete or not there: the other side takes a file that exists as an answer.
    part = folder / (RESULT + ".part")
    part.write_bytes(pickle.dumps(answer))
    part.replace(folder / RESULT)
