"""Sitting down on something as high as a chair."""

from __future__ import annotations

import numpy as np

from ...types import Clip
from . import authoring
from .authoring import HIP_DROP, LEFT, RIGHT, STRAIGHT, about, bend_elbow, hanging_arm, keyed
from .footsteps import Foot, root_of, stance
from .standing import FOOT_X

_SECONDS = 4.0
_SAT_S = 2.0  # when the seat is reached
_SEAT = 0.60  # leg lengths: the hip joints when seated; 49 cm at 1.7 m tall, on a chair of 42 cm
_BACK = 0.46  # leg lengths that the hips go back, nearly a thigh


def sit(fps: float) -> Clip:
    """Down onto a chair, the trunk leaning ahead while the knees bend, hands to the thighs; ends
    sitting.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        Not a loop.
    """
    frames = max(int(round(_SECONDS * fps)), 2) + 1
    time = np.arange(frames) * _SECONDS / (frames - 1)
    down = keyed([0.0, 0.25, _SAT_S, _SECONDS], [0, 0, 1, 1])
    # The hips go back first and down later (sit-to-stand read backwards: Schenkman et al. 1990).
    back = keyed([0.0, 0.2, _SAT_S - 0.25, _SECONDS], [0, 0, 1, 1])(time)
    lean = keyed([0.0, 0.2, 1.25, 2.5, _SECONDS], [1, 1, 40, 3, 3])(time)
    lowered = down(time)
    settle = np.sin(np.pi * np.clip((time - _SAT_S) / 0.5, 0.0, 1.0)) ** 2
    height = STRAIGHT - 0.005 - lowered * (STRAIGHT - 0.005 - _SEAT - HIP_DROP) - 0.008 * settle
    feet = (Foot(LEFT, LEFT * FOOT_X, 0.0), Foot(RIGHT, RIGHT * FOOT_X, 0.0))
    standing = stance(feet, time, _SECONDS, 0.1)
    joint = np.column_stack([np.zeros(frames), _BACK * back, height])
    # Seated, the pelvis rolls back a little under an upright chest.
    pelvis = about("x", 0.75 * lean - 7.0 * lowered)
    breath = np.sin(2 * np.pi * (time - _SAT_S) / 3.6) * np.clip((time - 2.2) / 0.6, 0.0, 1.0)
    breath *= np.clip((_SECONDS - time) / 0.6, 0.0, 1.0)
    chest = about("x", lean + 0.8 * breath)
    looked = keyed([0.0, 0.5, 1.2, 2.4, _SECONDS], [1, 14, 20, 2, 2])(time)
    head = about("x", looked)
    segments = {
        **authoring.trunk(pelvis, chest, head),
        **authoring.leg_segments(*standing.legs(pelvis, joint)),
    }
    reach = keyed([0.0, 0.3, 1.3, 2.4, _SECONDS], [-2, -2, 36, 18, 18])(time)
    bend = keyed([0.0, 0.3, 1.3, 2.4, _SECONDS], [14, 14, 26, 40, 40])(time)
    off = keyed([0.0, 0.3, 1.5, 2.4, _SECONDS], [8, 8, 13, 8, 8])(time)
    for name, side in (("left", LEFT), ("right", RIGHT)):
        upper = hanging_arm(side, chest, reach, off)
        segments[f"{name}_shoulder"] = upper
        segments[f"{name}_elbow"] = bend_elbow(side, upper, bend)
    return Clip("sit", fps, authoring.local_rotations(segments, frames), root_of(joint), False)
