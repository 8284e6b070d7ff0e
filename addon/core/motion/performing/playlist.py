"""Several motions for one character: a folder of files, how long each takes, where the next one
begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import MotionError
from ...types import Clip, Motion, Pose
from ...user_paths import is_folder

MOTION_FILES = (".bvh", ".fbx", ".npz")
_LONGEST_LIST = 3  # failures and warnings in one sentence; all failures are in the log
_LEAST_LOOP_S = 4.0  # a loop is repeated at least so long: going over into it takes a second
# Blender's single precision turns a pose by less, and no one poses by so little on purpose.
_SAME_RAD, _SAME_M = np.radians(0.2), 2e-3
_MOST_FRAMES = 100_000  # more than an hour: a mistake


def performed_frames(clip: Clip, fps: float, speed: float = 1.0) -> int:
    """Frames that a clip takes at `fps` and `speed` times its own speed: its own length, whole
    rounds of a loop for at least some seconds. Raises MotionError for more than an hour.

    Parameters
    ----------
    clip : Clip
        The clip.
    fps : float
        Frames per second.
    speed : float
        Times the clip's own.

    Returns
    -------
    int
        Frames.

    Raises
    ------
    MotionError
        If that is more than an hour.
    """
    count = len(clip.root)
    if clip.loop and count:
        rounds = max(1, -(-int(_LEAST_LOOP_S * clip.fps) // count))
        count *= rounds
    frames = max(int(round(count * fps / (clip.fps * speed))), 1)
    if frames > _MOST_FRAMES:
        raise MotionError(f"The clip {clip.name} is {frames} frames long: cut it first.")
    return frames


def last_pose(motion: Motion) -> Pose:
    """Where a motion ends, for the next one to begin.

    Parameters
    ----------
    motion : Motion
        Of at least one frame.

    Returns
    -------
    Pose
        World.
    """
    return Pose(motion.rotations[-1], motion.root[-1])


def is_same_pose(first: Pose, second: Pose) -> bool:
    """Whether no one would see a difference.

    Parameters
    ----------
    first : Pose
        World.
    second : Pose
        World.

    Returns
    -------
    bool
        True if turned and moved by less than is seen.
    """
    dots = np.abs(np.einsum("jk,jk->j", first.rotations, second.rotations))
    angle = 2 * np.arccos(np.clip(dots, 0.0, 1.0)).max()
    away = np.linalg.norm(np.asarray(first.root) - second.root)
    return bool(angle < _SAME_RAD and away < _SAME_M)


@dataclass(frozen=True, eq=False)
class Batch:
    """What became of a folder."""

    motions: tuple[tuple[str, Motion], ...]  # names and performances, in order
    failures: tuple[tuple[str, str], ...]  # names of files and why
    notes: tuple[str, ...] = ()  # sentences about what reading them has assumed

    @property
    def sentence(self) -> str:
        """How it went, failures by name."""
        count = len(self.motions)
        said = f"{count} clip{'' if count == 1 else 's'} applied."
        lost = [f"{name}: {why}" for name, motion in self.motions for why in motion.warnings]
        said = " ".join([said, *[*self.notes, *lost][:_LONGEST_LIST]])
        if not self.failures:
            return said
        told = " ".join(
            why if why.startswith(name) else f"{name}: {why}"
            for name, why in self.failures[:_LONGEST_LIST]
        )
        more = len(self.failures) - _LONGEST_LIST
        rest = f" And {more} more, see the system console." if more > 0 else ""
        return f"{said} {len(self.failures)} failed. {told}{rest}"


def motion_files(folder: Path) -> tuple[Path, ...]:
    """The motion files of a folder by name; MotionError where there are none, or where the folder
    cannot be listed.

    Parameters
    ----------
    folder : Path
        The user's; folders within are not searched.

    Returns
    -------
    tuple[Path, ...]
        Their paths.

    Raises
    ------
    MotionError
        If there are none, or the folder cannot be listed.
    """
    if not is_folder(folder, MotionError, "choose another folder"):
        raise MotionError(f"There is no folder {folder.name}: choose one with motion files.")
    try:
        found = sorted(
            (path for path in folder.iterdir() if path.suffix.lower() in MOTION_FILES),
            key=lambda path: path.name.lower(),
        )
    except OSError as error:
        raise MotionError(
            f"The folder {folder.name} cannot be listed ({error.strerror or error}): choose "
            "another one."
        ) from error
    if not found:
        raise MotionError(f"{folder.name} holds no motion files ({', '.join(MOTION_FILES)}).")
    return tuple(found)
