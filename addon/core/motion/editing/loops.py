"""Clips that go round: whether one is a loop, and another number of frames per second."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...types import Clip
from .orientation import apart
from .sampling import clip_at, face_at, loop_step

_LOOP_MEAN, _LOOP_MOST = np.radians(4.0), np.radians(15.0)
_REPEATED = 0.25  # of a frame's step: a last pose so near to the first one is the first one
_REPEATED_HEIGHT = 0.01  # leg lengths
_SAME_RATE = 1e-3


def as_loop(clip: Clip) -> Clip:
    """The clip as a loop where its first pose goes on from its last, else as it is.

    Many loops are written with their first pose again at the end, which is where the next round
    begins: that frame is left out, or each round would halt for a frame.

    Parameters
    ----------
    clip : Clip
        The clip.

    Returns
    -------
    Clip
        With `loop` set as it is.
    """
    if _repeats(clip):
        face = None if clip.face is None else clip.face[:-1]
        clip = replace(clip, rotations=clip.rotations[:-1], root=clip.root[:-1], face=face)
        return replace(clip, loop=True)
    return replace(clip, loop=_is_loop(clip))


def at_rate(clip: Clip, fps: float) -> Clip:
    """The clip with another number of frames per second and the same duration; a loop's duration is
    rounded to whole frames.

    Parameters
    ----------
    clip : Clip
        The clip.
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        At `fps`.
    """
    if abs(fps / clip.fps - 1) < _SAME_RATE:
        return replace(clip, fps=fps)
    count = len(clip.root)
    if clip.loop:
        frames = max(int(round(count * fps / clip.fps)), 2)
        at = np.arange(frames) * (count / frames)
    else:
        at = np.arange(int((count - 1) * fps / clip.fps + 1e-6) + 1) * (clip.fps / fps)
    rotations, root = clip_at(clip, at)
    return replace(clip, fps=fps, rotations=rotations, root=root, face=face_at(clip, at))


def _repeats(clip: Clip) -> bool:
    """Whether the last pose is the first again: far nearer to it than frames are to the next."""
    if len(clip.root) < 5:
        return False
    steps = [apart(clip.rotations[a], clip.rotations[b]).mean() for a, b in ((0, 1), (-2, -1))]
    between = apart(clip.rotations[0], clip.rotations[-1]).mean()
    sunk = abs(clip.root[0, 2] - clip.root[-1, 2])
    return bool(between < _REPEATED * min(steps) and sunk < _REPEATED_HEIGHT)


def _is_loop(clip: Clip) -> bool:
    """Whether the first pose goes on from the last: as near to it as a frame's step or two."""
    if len(clip.root) < 4:
        return False
    between = apart(clip.rotations[-1], clip.rotations[0])
    sunk = abs(clip.root[0, 2] + loop_step(clip.root)[2] - clip.root[-1, 2])
    return bool(between.mean() < _LOOP_MEAN and between.max() < _LOOP_MOST and sunk < 0.05)
