"""BVH files (Biovision hierarchy): the skeleton and its motion, as the file has them.

Axes, units and names are the file's own; `retarget` turns them into a clip. The format: Meredith
and Maddock, Motion Capture File Formats Explained (2001), section 3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..errors import MotionError, quoted
from ..types import Float64

# A joint farther than this many of the longest bones from the origin is a damaged number, not
# travel, and so is a bone that many times as long as the usual one.
_FARTHEST_SIZES = 1e4
_MOST_BYTES = 2**28  # half an hour of sixty joints at 120 frames a second, as text
_LARGEST_OFFSET = 1e8  # of the smallest unit in use, micrometres: a bone of a hundred metres
# Some files count on after a full turn, but no performer turns a thousand times.
_LARGEST_ANGLE_DEG = 360_000.0
_LONGEST_FRAME_S = 10.0
_SHORTEST_FRAME_S = 1e-4

_CHANNEL = re.compile(r"([xyz])(position|rotation)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class SourceMotion:
    """A skeleton that moves, in its own axes and units."""

    names: tuple[str, ...]
    parents: tuple[int, ...]  # -1 for the root; parents come before their children
    offsets: Float64  # (J, 3), place of the joint in its parent's axes at rest
    ends: dict[int, Float64]  # joint without children: (3,) offset of the bone's far end
    fps: float
    rotations: Float64  # (F, J, 4), unit quaternions w x y z, local to the parent
    positions: Float64  # (F, J, 3), place of the joint in its parent's axes
    file: str = ""  # name of the file that the motion was read from, if any
    lines: tuple[int, ...] = ()  # where in the file, from 1, each joint is made, if it has lines

    def where(self, joint: int) -> str:
        """File and line of a joint, for a sentence about what is wrong with it."""
        if not self.file:
            return "The motion"
        return f"{self.file}, line {self.lines[joint]}" if self.lines else self.file

    @property
    def frame_count(self) -> int:
        return len(self.rotations)

    def rest_positions(self) -> Float64:
        """(J, 3) joints with all rotations zero, the root at the origin."""
        rest = np.zeros_like(self.offsets)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                rest[joint] = rest[parent] + self.offsets[joint]
        return rest

    def world(self) -> tuple[Float64, Float64]:
        """World rotations (F, J, 3, 3) and positions (F, J, 3) of the joints."""
        frames, joints = self.rotations.shape[:2]
        local = Rotation.from_quat(self.rotations.reshape(-1, 4), scalar_first=True).as_matrix()
        local = local.reshape(frames, joints, 3, 3)
        turned = np.empty_like(local)
        placed = np.empty((frames, joints, 3))
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                turned[:, joint] = local[:, joint]
                placed[:, joint] = self.positions[:, joint]
            else:
                turned[:, joint] = turned[:, parent] @ local[:, joint]
                step = np.einsum("fab,fb->fa", turned[:, parent], self.positions[:, joint])
                placed[:, joint] = placed[:, parent] + step
        return turned, placed


def read_bvh(path: Path | str) -> SourceMotion:
    """Read a BVH file.

    Any channel order, position channels on any joint, any letter case, and names with or without
    prefixes are read. Raises MotionError, naming the line and the cause, for files that are not
    BVH, that end too early, or whose numbers cannot be a person's motion.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MotionError(
                f"The motion file {path.name} is larger than {_MOST_BYTES >> 20} MB: choose a "
                "shorter one."
            )
        text = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError) as error:  # a path with a zero in it is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise MotionError(f"The motion file {path.name} cannot be read: {reason}.") from error
    return _Reader(path.name, text).read()


@dataclass
class _Joint:
    name: str
    parent: int
    line: int
    offset: list[float] | None = None
    offset_line: int = 0
    end: list[float] | None = None
    end_line: int = 0
    channels: list[tuple[bool, int]] = field(default_factory=list)  # (is a rotation, axis)


class _Reader:
    """Reads line by line, so that every complaint can name its line."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.splitlines()
        self.rows = self._numbered()
        self.at = 0  # the line being read, from 1

    def _numbered(self) -> Iterator[list[str]]:
        for number, line in enumerate(self.lines, 1):
            self.at = number
            words = line.split()
            if words:
                yield words

    def fail(self, cause: str, line: int | None = None) -> MotionError:
        number = line or max(self.at, 1)
        return MotionError(f"{self.name}, line {number}: {cause}; choose an undamaged BVH file.")

    def next(self, wanted: str) -> list[str]:
        words = next(self.rows, None)
        if words is None:
            raise self.fail(f"the file ends where {wanted} should come")
        return words

    def read(self) -> SourceMotion:
        joints = self._hierarchy()
        count, frame_time = self._motion_head()
        values, first_line = self._values(count, sum(len(j.channels) for j in joints))
        return self._assemble(joints, values, frame_time, first_line)

    def _hierarchy(self) -> list[_Joint]:
        if self.next("HIERARCHY")[0].lstrip("\ufeff").upper() != "HIERARCHY":
            raise self.fail("this is not a BVH file, which begins with HIERARCHY")
        joints: list[_Joint] = []
        above: list[int] = []  # open joints; -1 stands for an end site
        while True:
            words = self.next("MOTION")
            key = words[0].upper()
            if key in ("ROOT", "JOINT", "END"):
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
        if key == "ROOT" and joints:
            raise self.fail("there is a second ROOT, but a motion has one performer")
        if key != "ROOT" and (not above or above[-1] < 0):
            raise self.fail(f"{quoted(words[0])} stands outside of a joint")
        line = self.at
        if key == "END":
            above.append(-1)
        else:
            name = " ".join(word for word in words[1:] if word != "{")
            joints.append(_Joint(name or f"joint{len(joints)}", above[-1] if above else -1, line))
            above.append(len(joints) - 1)
        if words[-1] != "{" and self.next("{")[0] != "{":
            raise self.fail("an opening bracket is missing")

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
            channel = (match[2].lower() == "rotation", "xyz".index(match[1].lower()))
            if channel in joints[above[-1]].channels:
                raise self.fail(f"the channel {quoted(name)} is named twice")
            joints[above[-1]].channels.append(channel)

    def _motion_head(self) -> tuple[int, float]:
        words = self.next("Frames:")
        if words[0].upper().rstrip(":") != "FRAMES" or not words[-1].isdecimal():
            raise self.fail("'Frames:' with the number of frames should stand here")
        count = int(words[-1])
        if count == 0:
            raise self.fail("the motion has no frames")
        words = self.next("Frame Time:")
        if [word.upper().rstrip(":") for word in words[:2]] != ["FRAME", "TIME"]:
            raise self.fail("'Frame Time:' should stand here")
        frame_time = self._numbers(words[-1:])[0]
        if not _SHORTEST_FRAME_S <= frame_time <= _LONGEST_FRAME_S:
            raise self.fail(f"a frame time of {frame_time:g} s is not possible")
        return count, frame_time

    def _values(self, count: int, width: int) -> tuple[Float64, list[int]]:
        """The numbers (F, width) and each frame's line."""
        if width == 0:
            raise self.fail("no joint has channels, so nothing moves")
        rows: list[list[float]] = []
        lines: list[int] = []
        for words in self.rows:
            if len(rows) == count:
                break
            if len(words) != width:
                ended = self.at == len(self.lines)
                why = " (the file ends too early)" if ended else ""
                raise self.fail(f"the frame has {len(words)} numbers instead of {width}{why}")
            rows.append(self._numbers(words))
            lines.append(self.at)
        if len(rows) < count:
            raise self.fail(
                f"the file ends after {len(rows)} of the {count} frames that it announces"
            )
        return np.array(rows), lines

    def _numbers(self, words: list[str]) -> list[float]:
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            wrong = next(word for word in words if not _is_number(word))
            raise self.fail(f"'{quoted(wrong)}' is not a number") from None
        if not all(map(math.isfinite, numbers)):
            raise self.fail("a number is not finite (NaN or infinity)")
        return numbers

    def _assemble(
        self, joints: list[_Joint], values: Float64, frame_time: float, lines: list[int]
    ) -> SourceMotion:
        offsets = np.array([joint.offset for joint in joints])
        size = self._size(joints, offsets)
        frames = len(values)
        rotations = np.empty((frames, len(joints), 4))
        positions = np.repeat(offsets[None], frames, axis=0)
        column = 0
        for index, joint in enumerate(joints):
            turn = Rotation.identity(frames)
            moved = np.zeros((frames, 3))
            for is_rotation, axis in joint.channels:
                numbers = values[:, column]
                limit = _LARGEST_ANGLE_DEG if is_rotation else _FARTHEST_SIZES * size
                if np.abs(numbers).max() > limit:
                    worst = int(np.abs(numbers).argmax())
                    kind = "turns" if is_rotation else "moves"
                    raise self.fail(
                        f"{quoted(joint.name)} {kind} by {numbers[worst]:.3g}, which no person "
                        "does",
                        lines[worst],
                    )
                if is_rotation:
                    axis_turn = Rotation.from_euler("xyz"[axis], numbers[:, None], degrees=True)
                    turn = turn * axis_turn
                else:
                    moved[:, axis] = numbers
                column += 1
            rotations[:, index] = turn.as_quat(scalar_first=True)
            if any(not is_rotation for is_rotation, _ in joint.channels):
                positions[:, index] = _placed(moved, offsets[index], joint.parent < 0)
        return SourceMotion(
            names=tuple(joint.name for joint in joints),
            parents=tuple(joint.parent for joint in joints),
            offsets=offsets,
            ends={i: np.array(j.end) for i, j in enumerate(joints) if j.end is not None},
            fps=1.0 / frame_time,
            rotations=rotations,
            positions=positions,
            file=self.name,
            lines=tuple(joint.line for joint in joints),
        )

    def _size(self, joints: list[_Joint], offsets: Float64) -> float:
        """Length of the longest bone, in the file's unit; no bone may dwarf the usual one."""
        lengths = np.linalg.norm(offsets[1:], axis=1)
        usual = float(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 1.0
        for joint in joints:
            for offset, line in ((joint.offset, joint.offset_line), (joint.end, joint.end_line)):
                longest = max(map(abs, offset or [0.0]))
                if longest > _FARTHEST_SIZES * usual or longest > _LARGEST_OFFSET:
                    raise self.fail(
                        f"the OFFSET of {quoted(joint.name)} is {longest:.3g} long, as no "
                        "body's is",
                        line,
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
