"""Broken motions: each is refused with one sentence that names the line and the cause.

The files are made here from one small person, so that the damaged line is known; the folder of
broken files is added where it is there. "Refused" asks for a MotionError whose text is one
sentence, names the file, the line of the damage and a word of the cause.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ....addon.core.errors import MotionError
from ....addon.core.motion.sources.library import load_motion
from ...core.motion_inputs import stick_bvh, stick_row
from ..photos import DATA
from ..rows import Row, at_least, row

FRAMES = 12


@dataclass(frozen=True)
class Damage:
    """What is done to a good file, and what must be said of it."""

    what: str
    done: Callable[[list[str]], list[str]]  # from lines to lines
    line: Callable[[list[str]], int] | None  # of the damaged lines, from 1; None: any line
    cause: str  # pattern


def rows(_out: Path) -> list[Row]:
    lines = stick_bvh([stick_row((0.0, 8.5, 0.1 * k)) for k in range(FRAMES)]).splitlines()
    verdicts: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "person.bvh"
        for damage in DAMAGES:
            damaged = damage.done(list(lines))
            path.write_text("\n".join(damaged))
            line = None if damage.line is None else damage.line(damaged)
            verdicts.append((damage.what, fault(path, line, damage.cause)))
    for path in sorted((DATA / "broken").glob("*.bvh")):
        verdicts.append((path.name, fault(path, None, REAL.get(path.stem, "."))))
    found = [
        row(f"broken: {what}", "refused", said or "refused", not said) for what, said in verdicts
    ]
    refused = sum(not said for _, said in verdicts)
    return [*found, at_least("broken motions refused", len(verdicts), refused)]


def fault(path: Path, line: int | None, cause: str) -> str:
    """What is wrong with how a broken file is refused; empty where nothing is."""
    try:
        load_motion(path, 24.0)
    except MotionError as error:
        said = str(error)
    except Exception as error:  # the bench goes on to tell of the others
        return f"{type(error).__name__} instead of a MotionError: {error}"
    else:
        return "taken for a motion"
    if path.name not in said:
        return f"the file is not named: {said}"
    number = re.search(r"line (\d+)", said)
    if number is None or (line is not None and int(number[1]) != line):
        return f"line {line} is not named: {said}"
    if not re.search(cause, said):
        return f"the cause is not named: {said}"
    return "" if said.endswith(".") and said.count(". ") == 0 else f"not one sentence: {said}"


def _first(*, of: str) -> Callable[[list[str]], int]:
    """The first line, from 1, that has this text."""
    return lambda lines: next(k for k, line in enumerate(lines, 1) if of in line)


def _frame(number: int) -> Callable[[list[str]], int]:
    """The line, from 1, of a frame from 0."""
    return lambda lines: lines.index("MOTION") + 4 + number


def _last(lines: list[str]) -> int:
    return len(lines)


def _put(frame: int, column: int, word: str) -> Callable[[list[str]], list[str]]:
    """A word instead of a frame's number."""

    def done(lines: list[str]) -> list[str]:
        words = lines[_frame(frame)(lines) - 1].split()
        words[column] = word
        lines[_frame(frame)(lines) - 1] = " ".join(words)
        return lines

    return done


def _replaced(old: str, new: str) -> Callable[[list[str]], list[str]]:
    """All of a text replaced in all lines."""
    return lambda lines: [line.replace(old, new) for line in lines]


def _once(old: str, new: str) -> Callable[[list[str]], list[str]]:
    """A text replaced where it first is."""
    return lambda lines: "\n".join(lines).replace(old, new, 1).split("\n")


def _unnamed(lines: list[str]) -> list[str]:
    """Joints of no known name, on a skeleton without a person's shape: one arm is missing."""
    names = [line.split()[1] for line in lines if line.startswith(("ROOT", "JOINT"))]
    text = "\n".join(lines)
    for k, name in enumerate(names):
        text = re.sub(rf"\b{name}\b", f"bone{k}", text)
    made = text.split("\n")
    # The left arm's three joints become a chain of the right arm's.
    start = next(k for k, line in enumerate(made) if line == f"JOINT bone{names.index('LeftArm')}")
    stop = next(k for k, line in enumerate(made) if line == f"JOINT bone{names.index('RightArm')}")
    arm, rest = made[start:stop], made[stop:]
    end = next(k for k, line in enumerate(rest) if line.startswith("End"))
    return [*made[:start], *rest[:end], *arm, *rest[end + 4 :]]


DAMAGES = (
    Damage("cut within a frame", lambda t: [*t[:-3], t[-3][:40]], _last, "numbers instead of"),
    Damage("cut between frames", lambda t: t[:-3], _last, f"{FRAMES - 3} of the {FRAMES} frames"),
    Damage("cut in the skeleton", lambda t: t[:20], _last, "ends"),
    Damage("cut after MOTION", lambda t: t[: t.index("MOTION") + 1], _last, "ends"),
    Damage("empty", lambda _: [""], lambda _: 1, "ends"),
    Damage("NaN in a frame", _put(7, 9, "nan"), _frame(7), "not finite"),
    Damage("infinity in a frame", _put(3, 0, "-inf"), _frame(3), "not finite"),
    Damage("1.#QNAN in a frame", _put(4, 9, "1.#QNAN"), _frame(4), "not a number"),
    Damage("NaN as OFFSET", _once("OFFSET 0 -4 0", "OFFSET 0 nan 0"), _first(of="nan"), "finite"),
    Damage("zero frames", _once(f"s: {FRAMES}", "s: 0"), _first(of="Frames"), "no frames"),
    Damage("fewer than zero frames", _once("Frames: ", "Frames: -"), _first(of="Frames"), "Frames"),
    Damage("1e9 as a position", _put(6, 1, "1e9"), _frame(6), "1e\\+09"),
    Damage("1e9 as an angle", _put(8, 10, "1e9"), _frame(8), "1e\\+09"),
    Damage("1e9 as OFFSET", _once("OFFSET 0 -4 0", "OFFSET 0 1e9 0"), _first(of="1e9"), "OFFSET"),
    Damage("1e9 as frame time", _replaced("0.04", "1e9"), _first(of="Frame Time"), "frame time"),
    Damage("frame time of zero", _replaced("0.04", "0.0"), _first(of="Frame Time"), "frame time"),
    Damage("joints unknown and no person", _unnamed, lambda _: 2, "no "),
    Damage("a word in a frame", _put(5, 4, "left"), _frame(5), "'left' is not a number"),
    Damage("an unknown channel", _once("Xrotation", "Wrotation"), _first(of="Wrot"), "Wrotation"),
    Damage("a bracket left open", _once("}\nMOTION", "MOTION"), _first(of="MOTION"), "bracket"),
    Damage("bytes of a picture", lambda _: ["\x89PNG", "\x1a\x00\xff"], lambda _: 1, "not a BVH"),
)  # fmt: skip

REAL = {"bvh_no_motion": "MOTION", "bvh_truncated": "ends"}
