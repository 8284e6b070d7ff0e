"""BVH files (Biovision hierarchy): the skeletons and their motion, as the file has them.

Axes, units and names are the file's own; `retarget` turns them into a clip. The format: Meredith
and Maddock, Motion Capture File Formats Explained (2001), section 3. Programs write dialects of
it; what can be read in one way only is read, and only what is damaged is called so.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ...errors import MotionError, quoted
from ...types import Float64
from ..retargeting.source_motion import SourceMotion
from .takes import Takes, chosen_take, distinct, is_person, people_among

# A joint farther than this many of the longest bones from the origin is a damaged number, not
# travel, and so is a bone that many times as long as the usual one.
_FARTHEST_SIZES = 1e4
_MOST_BYTES = 2**28  # half an hour of sixty joints at 120 frames per second, as text
_LARGEST_OFFSET = 1e8  # of the smallest unit in use, micrometres: a bone of a hundred metres
# Some files count on after a full turn, but no performer turns a thousand times.
_LARGEST_ANGLE_DEG = 360_000.0
_LONGEST_FRAME_S = 10.0
_SHORTEST_FRAME_S = 1e-4
_USUAL_FRAME_S = 1 / 30  # of files that do not state it: most recordings' and cameras' rate
# Some programs announce the frames and write one less, which they count as the rest pose.
_LEFT_OUT = 1

# Of scale channels the place in a frame is all that matters: bones of a body keep their length.
_CHANNEL = re.compile(r"([xyz])(position|rotation|scale)", re.IGNORECASE)
_NAMED = ("ROOT", "JOINT", "END")  # what names follow, in which anything may be
# What stands on one line with what comes before it in some files; a joint's name ends the line.
_NEXT_ENTRY = re.compile(r"([{}])|\s(?=OFFSET\s+[-+.\d]|CHANNELS\s+\d)", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^\s*;|(?:^|\s)(?:#|//)).*")
_FRAMES = re.compile(r"frames\s*:?\s*(\S+)", re.IGNORECASE)
_FRAME_TIME = re.compile(r"frame\s*time\s*:?\s*(\S+)", re.IGNORECASE)


def read_bvh(path: Path | str) -> SourceMotion:
    """The motion of the first person in a BVH file, or of what is largest in it where none is.

    Raises MotionError as `read_bvh_skeletons` does.

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    SourceMotion
        In the file's axes and units.
    """
    takes = bvh_takes(path)
    return takes.sources[takes.chosen]


def bvh_takes(
    path: Path | str, knows: Callable[[SourceMotion], bool] = is_person, take: str = ""
) -> Takes:
    """The people of a BVH file, each of them a take named after its root.

    Raises MotionError as `read_bvh_skeletons` does, and where there is no such take.

    Parameters
    ----------
    path : Path | str
        The file.
    knows : Callable[[SourceMotion], bool]
        Whether a skeleton is a person's.
    take : str
        Name or number, from 1, of the one that is meant; empty: the first.

    Returns
    -------
    Takes
        All people, and which of them is meant.
    """
    path = Path(path)
    skeletons = read_bvh_skeletons(path)
    people = [skeletons[index] for index in people_among(skeletons, knows)]
    names = distinct([person.names[0] for person in people])
    return Takes(path, names, chosen_take(names, take, path.name), dict(enumerate(people)))


def read_bvh_skeletons(path: Path | str) -> tuple[SourceMotion, ...]:
    """The motion of each ROOT of a BVH file: a person's, a second one's, a prop's.

    Any channel order, position channels on any joint, scale channels (which are left out), any
    letter case, comments, names with or without blanks and prefixes, and one frame fewer than
    announced are read; without a frame time there are 30 frames per second, which the motion's
    notes state. MotionError names the line and the cause, for files that are not BVH, that end too
    early, or whose numbers cannot be a person's motion.

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    tuple[SourceMotion, ...]
        One for each ROOT, in the file's order.

    Raises
    ------
    MotionError
        If the file cannot be read as BVH, with the line.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MotionError(
                f"The motion file {path.name} is larger than {_MOST_BYTES >> 20} MB: choose a "
                "shorter one."
            )
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # a path with a zero in it is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise MotionError(f"The motion file {path.name} cannot be read: {reason}.") from error
    return _Reader(path.name, _decoded(content)).read()


def _decoded(content: bytes) -> str:
    """The text, which Windows may have written in 16 bits a letter."""
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_wide else "utf-8-sig", errors="replace")


@dataclass
class _Joint:
    name: str
    parent: int
    line: int
    offset: list[float] | None = None
    offset_line: int = 0
    end: list[float] | None = None
    end_line: int = 0
    # Kind (position, rotation or scale) and axis.
    channels: list[tuple[str, int]] = field(default_factory=list)


class _Reader:
    """Reads line by line, so that every complaint can name its line."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.splitlines()
        self.rows = self._numbered()
        self.at = 0  # the line being read, from 1
        self.notes: tuple[str, ...] = ()

    def _numbered(self) -> Iterator[list[str]]:
        """The words of each entry before the frames."""
        for number, line in enumerate(self.lines, 1):
            self.at = number
            is_named = line.split(maxsplit=1)[:1] and line.split()[0].upper() in _NAMED
            for entry in _NEXT_ENTRY.split(line if is_named else _COMMENT.sub("", line)):
                words = (entry or "").split()
                if words and not _COMMENT.match(" ".join(words)):
                    yield words

    def fail(self, cause: str, line: int | None = None) -> MotionError:
        """What is damaged, and where."""
        return self._told(f"{cause}; choose an undamaged BVH file", line)

    def unfit(self, cause: str) -> MotionError:
        """What a file that is not damaged lacks, and what to choose instead."""
        return self._told(cause)

    def _told(self, text: str, line: int | None = None) -> MotionError:
        return MotionError(f"{self.name}, line {line or max(self.at, 1)}: {text}.")

    def next(self, wanted: str) -> list[str]:
        words = next(self.rows, None)
        if words is None:
            raise self.fail(f"the file ends where {wanted} should come")
        return words

    def read(self) -> tuple[SourceMotion, ...]:
        joints = self._hierarchy()
        width = sum(len(joint.channels) for joint in joints)
        if width == 0:
            raise self.unfit("no joint has channels, so nothing moves: choose another file")
        count, frame_time, begin = self._motion_head()
        values, lines = self._values(count, width, begin)
        return self._assemble(joints, values, frame_time, lines)

    def _hierarchy(self) -> list[_Joint]:
        if self.next("HIERARCHY")[0].upper() != "HIERARCHY":
            raise self.unfit(
                "this is not a BVH file, which begins with HIERARCHY: choose another file"
            )
        joints: list[_Joint] = []
        above: list[int] = []  # open joints; -1 stands for an end site
        while True:
            words = self.next("MOTION")
            key = words[0].upper().rstrip(":")
            if key == "ENDSITE":
                key = "END"
            if key in _NAMED:
                self._open(key, words, joints, above)
            elif key == "}":
                if not above:
                    raise self.fail("a bracket closes that was never opened")
                above.pop()
            elif key == "OFFSET":
                self._offset(words, joints, above)
            elif key == "CHANNELS":
                self._channels(words, joints, above)
            elif key == "MOTION":
                break
            else:
                raise self.fail(f"'{quoted(words[0])}' is not a word of the BVH format")
        if above:
            raise self.fail("a bracket of the skeleton is not closed before MOTION")
        if not joints:
            raise self.fail("the skeleton has no joint")
        for joint in joints:
            if joint.offset is None:
                raise self.fail(f"the joint {quoted(joint.name)} has no OFFSET", joint.line)
        return joints

    def _open(self, key: str, words: list[str], joints: list[_Joint], above: list[int]) -> None:
        # A JOINT that stands outside of all others is a root by another name.
        if key == "ROOT" and above:
            raise self.fail("a bracket of the skeleton is not closed before ROOT")
        if (key == "END" and not above) or (above and above[-1] < 0):
            raise self.fail(f"{quoted(words[0])} stands outside of a joint")
        line = self.at
        if key == "END":
            above.append(-1)
        else:
            name = " ".join(words[1:])
            joints.append(_Joint(name or f"joint{len(joints)}", above[-1] if above else -1, line))
            above.append(len(joints) - 1)
        opening = self.next("{")
        if opening[0] == "{":
            return
        if key != "END" or opening[0].upper() != "OFFSET":
            raise self.fail("an opening bracket is missing")
        # Some programs leave out the brackets of an end site, which has an offset alone.
        self._offset(opening, joints, above)
        above.pop()

    def _offset(self, words: list[str], joints: list[_Joint], above: list[int]) -> None:
        if not above:
            raise self.fail("OFFSET stands outside of a joint")
        offset = self._numbers(words[1:])
        if len(offset) != 3:
            raise self.fail(f"OFFSET has {len(offset)} numbers instead of 3")
        if above[-1] >= 0:
            joint = joints[above[-1]]
            joint.offset, joint.offset_line = offset, self.at
        elif len(above) > 1:
            joint = joints[above[-2]]
            joint.end, joint.end_line = offset, self.at

    def _channels(self, words: list[str], joints: list[_Joint], above: list[int]) -> None:
        if not above or above[-1] < 0:
            raise self.fail("CHANNELS stands outside of a joint")
        names = words[2:]
        if len(words) < 2 or not words[1].isdecimal() or int(words[1]) != len(names):
            raise self.fail("CHANNELS announces another number of channels than it names")
        for name in names:
            match = _CHANNEL.fullmatch(name)
            if match is None:
                raise self.fail(f"'{quoted(name)}' is not a channel")
            channel = (match[2].lower(), "xyz".index(match[1].lower()))
            if channel in joints[above[-1]].channels:
                raise self.fail(f"the channel {quoted(name)} is named twice")
            joints[above[-1]].channels.append(channel)

    def _motion_head(self) -> tuple[int, float, int]:
        """The number of frames that is announced, the seconds of each, and the line from which on
        they stand, counted from 0."""
        count: int | None = None
        frame_time: float | None = None
        while count is None or frame_time is None:
            line = " ".join(self.next("Frame Time:" if count is not None else "Frames:"))
            if (match := _FRAMES.fullmatch(line)) and count is None:
                if not match[1].isdecimal():
                    raise self.fail(f"'{quoted(match[1])}' is not a number of frames")
                count = int(match[1])
            elif (match := _FRAME_TIME.fullmatch(line)) and frame_time is None:
                frame_time = self._numbers([match[1]])[0]
                if not _SHORTEST_FRAME_S <= frame_time <= _LONGEST_FRAME_S:
                    raise self.fail(f"a frame time of {frame_time:g} s is not possible")
            elif count is None:
                raise self.fail("'Frames:' with the number of frames should stand here")
            elif not all(map(_is_number, line.split())):
                raise self.fail("'Frame Time:' should stand here")
            else:
                self.notes = (
                    f"{self.name} tells no frame time: {1 / _USUAL_FRAME_S:g} frames a second are "
                    "taken.",
                )
                return count, _USUAL_FRAME_S, self.at - 1
        return count, frame_time, self.at

    def _values(self, count: int, width: int, begin: int) -> tuple[Float64, list[int]]:
        """The numbers (F, width) and each frame's line. Frames that are not announced are read as
        well; what else follows those that are is no part of the motion."""
        rows: list[list[float]] = []
        lines: list[int] = []
        for number, line in enumerate(self.lines[begin:], begin + 1):
            self.at = number
            has_more = "#" in line or "/" in line or ";" in line  # quicker than a pattern
            words = (_COMMENT.sub("", line) if has_more else line).split()
            if not words:
                continue
            try:
                if len(words) != width:
                    ended = not any(map(str.strip, self.lines[self.at :]))
                    why = " (the file ends too early)" if ended and len(words) < width else ""
                    raise self.fail(f"the frame has {len(words)} numbers instead of {width}{why}")
                rows.append(self._numbers(words))
            except MotionError:
                if count and len(rows) >= count:
                    break
                raise
            lines.append(number)
        if not rows and count == 0:
            raise self.unfit("the motion has no frames: choose a file that has some")
        if not rows or len(rows) < count - _LEFT_OUT:
            raise self.fail(
                f"the file ends after {len(rows)} of the {count} frames that it announces"
            )
        return np.array(rows), lines

    def _numbers(self, words: list[str]) -> list[float]:
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            wrong = next(word for word in words if not _is_number(word))
            if _is_number(wrong.replace(",", ".", 1)):
                raise self.fail(
                    f"'{quoted(wrong)}' is not a number: it has a decimal comma where a decimal "
                    "point belongs"
                ) from None
            raise self.fail(f"'{quoted(wrong)}' is not a number") from None
        if not all(map(math.isfinite, numbers)):
            raise self.fail("a number is not finite (NaN or infinity)")
        return numbers

    def _assemble(
        self, joints: list[_Joint], values: Float64, frame_time: float, lines: list[int]
    ) -> tuple[SourceMotion, ...]:
        offsets = np.array([joint.offset for joint in joints])
        size = self._size(joints, offsets)
        frames = len(values)
        rotations = np.empty((frames, len(joints), 4))
        positions = np.repeat(offsets[None], frames, axis=0)
        column = 0
        for index, joint in enumerate(joints):
            turn = Rotation.identity(frames)
            moved = np.zeros((frames, 3))
            for kind, axis in joint.channels:
                numbers = values[:, column]
                column += 1
                if kind == "scale":
                    continue
                limit = _LARGEST_ANGLE_DEG if kind == "rotation" else _FARTHEST_SIZES * size
                if np.abs(numbers).max() > limit:
                    worst = int(np.abs(numbers).argmax())
                    does = "turns" if kind == "rotation" else "moves"
                    raise self.fail(
                        f"{quoted(joint.name)} {does} by {numbers[worst]:.3g}, which no person "
                        "does",
                        lines[worst],
                    )
                if kind == "rotation":
                    axis_turn = Rotation.from_euler("xyz"[axis], numbers[:, None], degrees=True)
                    turn = turn * axis_turn
                else:
                    moved[:, axis] = numbers
            rotations[:, index] = turn.as_quat(scalar_first=True)
            if any(kind == "position" for kind, _ in joint.channels):
                positions[:, index] = _placed(moved, offsets[index], joint.parent < 0)
        roots = [index for index, joint in enumerate(joints) if joint.parent < 0]
        return tuple(
            SourceMotion(
                names=tuple(joint.name for joint in joints[root:end]),
                parents=tuple(max(joint.parent - root, -1) for joint in joints[root:end]),
                offsets=offsets[root:end],
                ends={
                    i: np.array(joint.end)
                    for i, joint in enumerate(joints[root:end])
                    if joint.end is not None
                },
                fps=1.0 / frame_time,
                rotations=rotations[:, root:end],
                positions=positions[:, root:end],
                file=self.name,
                lines=tuple(joint.line for joint in joints[root:end]),
                notes=self.notes,
            )
            for root, end in zip(roots, [*roots[1:], len(joints)], strict=True)
        )

    def _size(self, joints: list[_Joint], offsets: Float64) -> float:
        """Length of the longest bone, in the file's unit; no bone may dwarf the usual one."""
        bones = [joint.parent >= 0 for joint in joints]  # a root's offset is none
        lengths = np.linalg.norm(offsets[bones], axis=1)
        usual = float(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 1.0
        for joint in joints:
            for offset, line in ((joint.offset, joint.offset_line), (joint.end, joint.end_line)):
                longest = max(map(abs, offset or [0.0]))
                if longest > _FARTHEST_SIZES * usual or longest > _LARGEST_OFFSET:
                    name = quoted(joint.name)
                    raise self.fail(
                        f"the OFFSET of {name} is {longest:.3g} long, as no body's is", line
                    )
        return max(float(lengths.max(initial=0.0)), 1e-9)


def _placed(moved: Float64, offset: Float64, is_root: bool) -> Float64:
    """Positions (F, 3) from position channels, which some programs count from the offset and
    others from the parent: a bone keeps its length, so the reading that is nearer to the offset is
    the meant one. A root is counted from the origin."""
    if is_root:
        return moved
    from_parent = np.abs(moved - offset).mean()
    from_offset = np.abs(moved).mean()
    return moved if from_parent <= from_offset else moved + offset


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
