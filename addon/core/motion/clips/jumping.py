"""Jumping on the spot."""

from __future__ import annotations

import numpy as np

from ...types import Clip, Float64
from . import authoring
from .authoring import (
    LEFT,
    RIGHT,
    STANDING,
    STRAIGHT,
    Leg,
    about,
    bend_elbow,
    hanging_arm,
    whole_frames,
)

_GRAVITY = 9.81  # m/s^2


def jump(fps: float) -> Clip:
    """A jump on the spot: crouch, take-off, flight, landing, standing up.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        A loop.
    """
    times = [0.0, 0.1, 0.34, 0.54, 0.68, 0.78, 0.88, 0.99, 1.1, 1.2, 1.36, 1.66, 1.96, 2.2]
    take_off, touch_down, seconds = 0.78, 1.2, times[-1]
    frames = whole_frames(seconds, fps)
    time = np.arange(frames) * seconds / frames
    thigh = authoring.keyed(times, [3, 3, 32, 62, 38, -2, 2, 14, 20, 20, 56, 26, 6, 3])(time)
    knee = authoring.keyed(times, [5, 5, 54, 98, 60, 3, 10, 28, 30, 24, 88, 46, 11, 5])(time)
    pitch = authoring.keyed(times, [0, 0, 0, 0, 10, 48, 50, 36, 24, 14, 0, 0, 0, 0])(time)
    lean = authoring.keyed(times, [1, 1, 22, 42, 25, 2, -2, 0, 4, 8, 32, 18, 5, 1])(time)
    reach = authoring.keyed(times, [-2, -2, -25, -45, 25, 100, 150, 158, 140, 100, 40, 8, -2, -2])(
        time
    )
    elbow = authoring.keyed(times, [13, 13, 16, 22, 34, 30, 22, 20, 22, 24, 28, 20, 13, 13])(time)
    # The pelvis follows the trunk's lean by half, as hips and spine share it.
    pelvis, chest = about("x", lean * 0.5), about("x", lean)
    head = about("x", lean * 0.35)
    adduction = np.zeros(frames)
    legs = [
        authoring.pose_leg(side, pelvis, thigh, adduction, knee, pitch, 7.0, np.ones(frames))
        for side in (LEFT, RIGHT)
    ]
    segments = {**authoring.trunk(pelvis, chest, head), **authoring.leg_segments(*legs)}
    for name, side in (("left", LEFT), ("right", RIGHT)):
        upper = hanging_arm(side, chest, reach, 8.0 + 8.0 * (reach > 0) * reach / 160.0)
        segments[f"{name}_shoulder"] = upper
        segments[f"{name}_elbow"] = bend_elbow(side, upper, elbow)
    root = _jump_root(legs, time, take_off, touch_down)
    return Clip("jump", fps, authoring.local_rotations(segments, frames), root, True)


def _jump_root(legs: list[Leg], time: Float64, take_off: float, touch_down: float) -> Float64:
    """(F, 3) root of a jump: over the balls of the feet on the ground, a parabola in the air."""
    sole = (legs[0].sole + legs[1].sole) / 2
    root = np.zeros((len(time), 3))
    root[:, 1] = -(sole[:, 1, 1] - sole[0, 1, 1])
    root[:, 2] = -sole[..., 2].min(axis=1)
    flight = (time > take_off) & (time < touch_down)
    ground = np.flatnonzero(~flight)
    for axis in (1, 2):
        root[flight, axis] = np.interp(time[flight], time[ground], root[ground, axis])
    rise = _GRAVITY / 2 * (time - take_off) * (touch_down - time) / authoring.LEG_LENGTH_M
    root[:, 2] += np.where(flight, rise, 0.0) + STANDING - STRAIGHT
    return root
