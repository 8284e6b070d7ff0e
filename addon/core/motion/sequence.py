"""How long a clip is performed, and where the next one begins."""

from __future__ import annotations

from ..errors import MotionError
from ..types import Clip, Motion, Pose

_LEAST_LOOP_S = 4.0  # a loop is repeated at least so long: going over into it takes a second
_MOST_FRAMES = 100_000  # more than an hour: surely a slip


def performed_frames(clip: Clip, fps: float) -> int:
    """Frames that a clip takes at `fps`: its own length, whole rounds of a loop for at least some
    seconds. Raises MotionError for more than an hour."""
    count = len(clip.root)
    if clip.loop and count:
        rounds = max(1, -(-int(_LEAST_LOOP_S * clip.fps) // count))
        count *= rounds
    frames = max(int(round(count * fps / clip.fps)), 1)
    if frames > _MOST_FRAMES:
        raise MotionError(f"The clip {clip.name} is {frames} frames long: cut it first.")
    return frames


def last_pose(motion: Motion) -> Pose:
    """Where a motion ends, for the next one to begin."""
    return Pose(motion.rotations[-1], motion.root[-1])
