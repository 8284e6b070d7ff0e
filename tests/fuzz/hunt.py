"""One process that fuzzes one target: `python -m photo_wake_up.tests.fuzz.hunt TARGET FOLDER ...`.

Atheris guides it by the code that inputs reach, where it is installed; else seeds are mutated
blindly. A finding is kept as the smallest input that shows it, by what is raised and where. The
input at work lies in FOLDER, so that what kills the process is known.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

AT_WORK = "at_work"  # the input that the process is busy with
FINDINGS = "findings"
RUNS = "runs"  # how many inputs there were, and how many of them the reader took
FOUND = 3  # exit code of a replay that shows a finding
_TELL_S = 1.0  # between two counts
_SMALLER_S = 5.0  # that a finding is made smaller for
ALARM_S = 30  # for one input, of the clock: machines are busy
MOST_MEMORY_MB = 3072  # pictures as large as are allowed take one gigabyte
_GUIDING = ("photo_wake_up", "PIL")  # packages whose code is followed
_UNGUIDED = ("PIL.Jpeg2KImagePlugin",)  # following its code ends the process
_OURS = ("/addon/", "/operators/")  # parts of the paths of the project's own code


class Hunt:
    """Tries inputs and keeps what is found.

    folder : of the inputs; findings are called `<what>-<where>`
    """

    def __init__(self, name: str, folder: Path) -> None:
        from .targets import TARGETS

        self.target = TARGETS[name]
        self.folder = folder
        self.smallest: dict[str, int] = {}
        self.runs = self.taken = 0  # inputs, and those that the reader took
        self.said, self._told = "", 0.0
        (folder / FINDINGS).mkdir(parents=True, exist_ok=True)
        for known in (folder / FINDINGS).iterdir():
            self.smallest[known.name] = known.stat().st_size

    def try_on(self, content: bytes) -> None:
        (self.folder / AT_WORK).write_bytes(content)
        found = self.outcome(content)
        if time.monotonic() >= self._told + _TELL_S:
            self._told = time.monotonic()
            (self.folder / RUNS).write_text(f"{self.runs} {self.taken}")
        if found is not None and len(content) < self.smallest.get(found, sys.maxsize):
            first = found not in self.smallest
            content = self._smaller(content, found) if first else content
            self.smallest[found] = len(content)
            (self.folder / FINDINGS / found).write_bytes(content)
            if first:
                sys.stderr.write(f"\nFound {found}\n{self.said}\n")

    def outcome(self, content: bytes) -> str | None:
        """What the reader does that it must not, by kind and place; None where there is nothing."""
        self.runs += 1
        try:
            self.taken += self.target.try_on(content)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.said = "".join(traceback.format_exception(error)[-6:])
            return _called(error)
        return None

    def _smaller(self, content: bytes, found: str) -> bytes:
        """Leave out what is not needed to show a finding, ever smaller pieces."""
        until, said = time.monotonic() + _SMALLER_S, self.said
        size = len(content) // 2
        while size and time.monotonic() < until:
            at = 0
            while at < len(content) and time.monotonic() < until:
                shorter = content[:at] + content[at + size :]
                (self.folder / AT_WORK).write_bytes(shorter)
                if self.outcome(shorter) == found:
                    content = shorter
                else:
                    at += size
            size //= 2
        self.said = said
        return content


def _called(error: BaseException) -> str:
    """What is raised and where in the project's code, as a file's name."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if any(part in frame.filename for part in _OURS)]
    frame = (ours or frames)[-1]
    where = f"{Path(frame.filename).stem}-{frame.name.strip('<>')}"
    if type(error).__name__ == "FindingError":
        where += "-" + hashlib.sha256(str(error).encode()).hexdigest()[:6]
    kind = type(error)
    return f"{kind.__module__}.{kind.__name__}-{where}".removeprefix("builtins.")


def hunt_blindly(hunt: Hunt, seconds: float, seed: int) -> None:
    """Mutate seeds, without knowing what they reach."""
    from .mutations import is_repaired, mutated

    random, seeds, words = Random(seed), hunt.target.seeds(), hunt.target.words
    for content in seeds:
        hunt.try_on(content)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        content = mutated(random, random.choice(seeds), seeds, words)
        if hunt.target.repair is not None and is_repaired(random):
            content = hunt.target.repair(content)
        hunt.try_on(content)


def hunt_guided(hunt: Hunt, seconds: float, seed: int) -> None:
    """Let Atheris choose what is mutated. Ends the process.

    At once: where Blender is a module, a process that ends in the usual way may wait for ever.
    """
    import atheris

    from .mutations import MOST_BYTES, is_repaired, mutated

    seeds, words, repair = hunt.target.seeds(), hunt.target.words, hunt.target.repair
    corpus = hunt.folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for content in seeds:
        (corpus / hashlib.sha256(content).hexdigest()).write_bytes(content)

    def mutate(content: bytes, most: int, number: int) -> bytes:
        random = Random(number)
        if random.random() < 0.5:
            content = atheris.Mutate(content, most)
        else:
            # Most that reaches new code is refused: begin from what is taken as often.
            source = random.choice((content, random.choice(seeds)))
            content = mutated(random, source, seeds, words)[:most]
        return repair(content)[:most] if repair is not None and is_repaired(random) else content

    until = time.monotonic() + seconds

    def try_on(content: bytes) -> None:
        hunt.try_on(content)
        if time.monotonic() > until:
            os._exit(0)

    most = max(MOST_BYTES, *(len(content) for content in seeds))
    options = [
        f"-seed={seed + 1}", f"-max_len={most}",
        f"-timeout={ALARM_S}", f"-rss_limit_mb={MOST_MEMORY_MB}", "-verbosity=0", "-len_control=0",
        f"-artifact_prefix={hunt.folder}/", str(corpus),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], try_on, custom_mutator=mutate)
    atheris.Fuzz()


@contextmanager
def _instrumented(wanted: bool) -> Iterator[bool]:
    """Within, what is imported tells Atheris which of its code runs; whether it does."""
    if not wanted:
        yield False
        return
    try:
        import atheris
    except ImportError:
        yield False
        return
    with atheris.instrument_imports(list(_GUIDING), list(_UNGUIDED)):
        yield True


def _import_readers(hunt: Hunt) -> None:
    """All that a reader imports when it is first called."""
    for content in hunt.target.seeds():
        with suppress(Exception):
            hunt.target.try_on(content)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("target")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--replay", type=Path, help="try this input alone, without Atheris")
    arguments.add_argument("--blindly", action="store_true")
    options = arguments.parse_args()
    logging.disable(logging.CRITICAL)
    with _instrumented(not options.blindly and options.replay is None) as guided:
        hunt = Hunt(options.target, options.folder)
        _import_readers(hunt)
    if options.replay is not None:
        found = hunt.outcome(options.replay.read_bytes()) is not None
        # Blender's Python module may wait for ever where a process ends in the usual way.
        os._exit(FOUND if found else 0)
    (hunt_guided if guided else hunt_blindly)(hunt, options.seconds, options.seed)
    os._exit(0)


if __name__ == "__main__":
    main()
