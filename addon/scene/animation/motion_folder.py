"""A folder of motion files as performances of one character."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path

from ...core.errors import MotionError, WakeUpError
from ...core.motion.performing.options import PerformOptions
from ...core.motion.performing.playlist import Batch, last_pose, performed_frames
from ...core.types import Motion, Pose, Progress
from .motion_source import clips_from_file
from .performing import Performer

logger = logging.getLogger(__name__)


def perform_folder(
    performer: Performer,
    paths: tuple[Path, ...],
    pose: Pose,
    fps: float,
    in_turn: bool,
    mappings: Path | None = None,
    options: PerformOptions | None = None,
) -> Generator[Progress, None, Batch]:
    """Each take of each file as this character performs it; nothing is put into the scene yet.

    pose : where the first begins, armature's axes; the others too, unless they play in turn
    mappings : folder of the user's mapping presets
    options : how each is performed; None: the defaults

    A file that fails is named in the result. Raises MotionError where all do.
    """
    motions: list[tuple[str, Motion]] = []
    failures: list[tuple[str, str]] = []
    notes: list[str] = []
    for number, path in enumerate(paths):
        yield Progress(number / len(paths), f"{path.name}, {number + 1} of {len(paths)}")
        try:
            clips = clips_from_file(path, fps, mappings)
            performed = []
            begin = pose
            for clip in clips:
                frames = performed_frames(clip, fps, options.speed if options else 1.0)
                motion = performer.perform(clip, begin, frames, fps, options)
                performed.append((clip.name, motion))
                if in_turn:
                    begin = last_pose(motion)
        except WakeUpError as error:
            logger.warning("%s was left out: %s", path.name, error)
            failures.append((path.name, str(error)))
            continue
        motions += performed
        pose = begin
        # All takes are performed: what remains to be reported is what reading one has assumed.
        notes += [note for clip in clips if len(clips) == 1 for note in clip.notes]
    batch = Batch(tuple(motions), tuple(failures), tuple(notes))
    if not motions:
        raise MotionError(f"No clip could be applied. {batch.sentence}")
    return batch
