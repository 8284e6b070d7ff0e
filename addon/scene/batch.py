"""A folder of motion files as performances of one character."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import MotionError, WakeUpError
from ..core.motion.sequence import last_pose, performed_frames
from ..core.types import Motion, Pose, Progress
from .motion_source import clip_from_file
from .performing import Performer

logger = logging.getLogger(__name__)

MOTION_FILES = (".bvh", ".fbx", ".npz")
_LONGEST_LIST = 3  # failures that are told in one sentence; all are in the log


@dataclass(frozen=True, eq=False)
class Batch:
    """What became of a folder."""

    motions: tuple[tuple[str, Motion], ...]  # names and performances, in order
    failures: tuple[tuple[str, str], ...]  # names of files and why

    @property
    def sentence(self) -> str:
        """How it went, failures by name."""
        count = len(self.motions)
        said = f"{count} clip{'' if count == 1 else 's'} applied."
        if not self.failures:
            return said
        told = " ".join(f"{name}: {why}" for name, why in self.failures[:_LONGEST_LIST])
        more = len(self.failures) - _LONGEST_LIST
        rest = f" And {more} more, see the system console." if more > 0 else ""
        return f"{said} {len(self.failures)} failed. {told}{rest}"


def motion_files(folder: Path) -> tuple[Path, ...]:
    """The motion files of a folder by name; MotionError where there are none."""
    if not folder.is_dir():
        raise MotionError(f"There is no folder {folder.name}: choose one with motion files.")
    found = sorted(
        (path for path in folder.iterdir() if path.suffix.lower() in MOTION_FILES),
        key=lambda path: path.name.lower(),
    )
    if not found:
        raise MotionError(f"{folder.name} holds no motion files ({', '.join(MOTION_FILES)}).")
    return tuple(found)


def perform_folder(
    performer: Performer,
    paths: tuple[Path, ...],
    pose: Pose,
    fps: float,
    in_turn: bool,
    mappings: Path | None = None,
) -> Generator[Progress, None, Batch]:
    """Each file as this character performs it; nothing is put into the scene yet.

    pose : where the first begins, armature's axes; the others too, unless they play in turn
    mappings : folder of the user's mapping presets

    A file that fails is named in the result. Raises MotionError where all do.
    """
    motions: list[tuple[str, Motion]] = []
    failures: list[tuple[str, str]] = []
    for number, path in enumerate(paths):
        yield Progress(number / len(paths), f"{path.name}, {number + 1} of {len(paths)}")
        try:
            clip = clip_from_file(path, fps, mappings)
            frames = performed_frames(clip, fps)
            motion = performer.perform(clip, pose, frames, fps)
        except WakeUpError as error:
            logger.warning("%s was left out: %s", path.name, error)
            failures.append((path.name, str(error)))
            continue
        motions.append((path.stem, motion))
        if in_turn:
            pose = last_pose(motion)
    batch = Batch(tuple(motions), tuple(failures))
    if not motions:
        raise MotionError(f"No clip could be applied. {batch.sentence}")
    return batch
