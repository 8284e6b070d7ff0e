"""A dance: steps to the side and back, the hips and arms with the beat."""

from __future__ import annotations

import numpy as np

from ...types import Clip
from . import authoring
from .authoring import (
    LEFT,
    RIGHT,
    STRAIGHT,
    about,
    bend_elbow,
    cyclic,
    hanging_arm,
    whole_frames,
)
from .footsteps import Foot, Step, root_of, stance
from .standing import FOOT_X

_BEAT_S = 0.5  # 120 beats a minute, the tempo that people choose to dance at
_BEATS = 8
_WIDE = 0.24  # leg lengths of a step to the side
_SWING_S = 0.34
_AFTER_S = 0.08  # a foot leaves so long after the beat on which the other one came down
_DROP, _BOUNCE = 0.032, 0.034  # leg lengths: how low the knees keep the hips, and each beat more

# Arms over the eight beats: in front at the waist, then up and over to either side.
_RAISE = cyclic({0: 16, 12.5: 6, 25: 16, 37.5: 8, 50: 24, 62.5: 118, 75: 96, 87.5: 112, 95: 60})
_ELBOW = cyclic({0: 72, 12.5: 90, 25: 70, 37.5: 92, 50: 80, 62.5: 50, 75: 72, 87.5: 52, 95: 76})


def dance(fps: float) -> Clip:
    """Step and touch to the left, then to the right, in eight beats.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        A loop.
    """
    seconds = _BEAT_S * _BEATS
    frames = whole_frames(seconds, fps)
    time = np.arange(frames) * seconds / frames
    beat = 2 * np.pi * time / _BEAT_S

    def step(number: int, x: float) -> Step:
        start = number * _BEAT_S + _AFTER_S
        return Step(start, start + _SWING_S, x, 0.0)

    left = Foot(LEFT, FOOT_X, 0.0, [
        step(0, FOOT_X + _WIDE), step(3, FOOT_X), step(5, -_WIDE + 0.6 * FOOT_X), step(6, FOOT_X),
    ])  # fmt: skip
    right = Foot(RIGHT, -FOOT_X, 0.0, [
        step(1, _WIDE - 0.6 * FOOT_X), step(2, -FOOT_X), step(4, -FOOT_X - _WIDE), step(7, -FOOT_X),
    ])  # fmt: skip
    standing = stance((left, right), time, seconds, 0.13, sway=0.75)
    swing = np.sin(2 * np.pi * time / seconds)  # a half of the dance to the left, one to the right
    # On the beat the knees give and the hips go to the side that carries.
    down = 0.5 + 0.5 * np.cos(beat - 0.9)
    height = STRAIGHT - _DROP - _BOUNCE * down
    joint = np.column_stack([standing.middle, height])
    roll = 5.0 * np.cos(beat / 2 - 0.4)
    pelvis = about("z", 7.0 * np.sin(beat / 2)) * about("y", roll) * about("x", 3.0 + 2.0 * down)
    chest = (
        about("z", -9.0 * np.sin(beat / 2 - 0.3) + 8.0 * swing)
        * about("y", -0.6 * roll)
        * about("x", 4.0 + 3.0 * down)
    )
    head = about("z", 9.0 * swing) * about("y", 4.0 * np.sin(beat / 2)) * about("x", 4.0 * down)
    segments = {
        **authoring.trunk(pelvis, chest, head),
        **authoring.leg_segments(*standing.legs(pelvis, joint)),
    }
    phase = time / seconds
    for name, side in (("left", LEFT), ("right", RIGHT)):
        pump = side * np.sin(beat / 2 - 0.2)
        raised = _RAISE(phase)
        collar = chest * about("y", -side * np.clip((raised - 50.0) / 8.0, 0.0, 9.0))
        upper = hanging_arm(side, collar, raised + 18.0 * pump, 18.0 + 0.12 * raised)
        segments[f"{name}_collar"] = collar
        segments[f"{name}_shoulder"] = upper
        segments[f"{name}_elbow"] = bend_elbow(
            side, upper, _ELBOW(phase) + 9.0 * np.sin(beat - 0.4)
        )
    return Clip("dance", fps, authoring.local_rotations(segments, frames), root_of(joint), True)
