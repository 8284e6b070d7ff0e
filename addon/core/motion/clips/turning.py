"""Turning round on the spot."""

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
    hanging_arm,
    keyed,
    whole_frames,
)
from .footsteps import Foot, Step, root_of, stance
from .standing import FOOT_X

_SECONDS = 5.0
_FIRST_STEP_S = 0.3
_STEPS = 12
_STEP_S = 0.36  # from one foot's step to the other's
_SWING_S = 0.32
_TURN = 60.0  # degrees a pair of steps
_STANDS, _DROP = 0.003, 0.017  # leg lengths: how low the knees keep the hips, and more in steps


def turn(fps: float) -> Clip:
    """Once round to the left in small steps, the head ahead of the body.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        A loop.
    """
    frames = whole_frames(_SECONDS, fps)
    time = np.arange(frames) * _SECONDS / frames
    feet = []
    for side, first in ((LEFT, 0), (RIGHT, 1)):
        steps = []
        for pair in range(_STEPS // 2):
            start = _FIRST_STEP_S + (2 * pair + first) * _STEP_S
            heading = _TURN * (pair + 1)
            angle = np.radians(heading)
            x, y = side * FOOT_X * np.cos(angle), side * FOOT_X * np.sin(angle)
            steps.append(Step(start, start + _SWING_S, x, y, heading))
        feet.append(Foot(side, side * FOOT_X, 0.0, steps))
    standing = stance((feet[0], feet[1]), time, _SECONDS, 0.16, turns=360.0)
    facing = about("z", standing.heading)
    busy = keyed([0.0, 0.2, 0.8, 4.4, 4.9, _SECONDS], [0, 0, 1, 1, 0, 0])(time)  # with turning
    beat = 2 * np.pi * (time - _FIRST_STEP_S) / (2 * _STEP_S)
    pelvis = facing * about("y", -1.5 * busy * np.sin(beat))
    chest = facing * about("z", 6.0 * busy) * about("x", 1.0 + 1.5 * busy)
    head = facing * about("z", 28.0 * busy) * about("x", 2.0 * busy)
    height = STRAIGHT - _STANDS - _DROP * busy - 0.006 * busy * (1 - np.cos(2 * beat))
    joint = np.column_stack([standing.middle, height])
    segments = {
        **authoring.trunk(pelvis, chest, head),
        **authoring.leg_segments(*standing.legs(pelvis, joint)),
    }
    for name, side in (("left", LEFT), ("right", RIGHT)):
        # The arms trail behind the turn and swing a little with the steps.
        swing = -2.0 + busy * (6.0 * side * np.sin(beat - 0.4) - 6.0 * side)
        upper = hanging_arm(side, chest, swing, 8.0 + 5.0 * busy)
        segments[f"{name}_shoulder"] = upper
        segments[f"{name}_elbow"] = bend_elbow(side, upper, 14.0 + 8.0 * busy)
    return Clip("turn", fps, authoring.local_rotations(segments, frames), root_of(joint), True)
