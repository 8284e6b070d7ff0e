"""What the command prints, whatever Blender and its libraries print besides."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from ..core.errors import printable
from ..core.types import Progress

Tell = Callable[[str], None]
_Value = TypeVar("_Value")


def say(message: str) -> None:
    """Print one line, whatever names are in it and whatever the terminal can show."""
    encoding = sys.stdout.encoding or "utf-8"
    print(printable(message).encode(encoding, "replace").decode(encoding), flush=True)


def told_to_the_end(work: Generator[Progress, None, _Value], tell: Tell) -> _Value:
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


@contextlib.contextmanager
def own_stdout() -> Iterator[Tell]:
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
