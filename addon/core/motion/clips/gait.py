"""Walking and running, from published curves of the leg's angles over the gait cycle (per cent from
one heel strike to the next of the same foot)."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...types import Clip, Float64, Mask
from . import authoring
from .authoring import (
    LEFT,
    RIGHT,
    STANDING,
    STRAIGHT,
    Leg,
    about,
    bend_elbow,
    cyclic,
    hanging_arm,
    whole_frames,
)

# Walking at natural speed: thigh and knee after Perry, Gait Analysis (1992), chapters 4 to 6, and
# Winter, The Biomechanics and Motor Control of Human Gait (1991), appendix; the foot's angle to
# the floor instead of the ankle's, so that the sole is truly flat in mid-stance.
_WALK_THIGH = cyclic({
    0: 22, 5: 22, 10: 20, 15: 16, 20: 11, 30: 0, 40: -10, 50: -17, 55: -17, 60: -13, 65: -3,
    70: 8, 80: 22, 85: 26, 90: 26, 95: 24,
})  # fmt: skip
_WALK_KNEE = cyclic({
    0: 4, 5: 10, 10: 16, 15: 19, 20: 18, 25: 14, 30: 10, 35: 7.5, 40: 6.5, 45: 8.5, 50: 14,
    55: 25, 60: 40, 65: 54, 70: 62, 75: 62, 80: 54, 85: 40, 90: 22, 95: 7,
})  # fmt: skip
_WALK_FOOT = cyclic({
    0: -20, 4: -11, 8: -3, 12: 0, 20: 0, 30: 0, 36: 2, 40: 6, 45: 13, 50: 24, 55: 42, 60: 62,
    65: 72, 70: 66, 75: 49, 80: 27, 85: 7, 90: -9, 95: -19,
})  # fmt: skip
_WALK_CALM = 0.93  # share of the thigh's swing: 1.35 m/s, Perry's mean, at 1.7 m tall
_WALK_PERIOD_S = 1.08  # 111 steps a minute, Perry's mean of adults
_WALK_STANCE = 0.62  # share of the cycle with the foot on the ground
_WALK_FOOT_X = 0.075  # half of the walking base, leg lengths

# Running at about 3 m/s: Novacheck, The biomechanics of running, Gait & Posture 7 (1998), figs 6-8.
_RUN_THIGH = cyclic({
    0: 34, 6: 31, 12: 24, 20: 11, 28: -3, 36: -12, 43: -11, 52: 4, 62: 24, 72: 40, 80: 46,
    88: 43, 95: 37,
})  # fmt: skip
_RUN_KNEE = cyclic({
    0: 20, 6: 32, 12: 40, 18: 41, 26: 31, 33: 21, 38: 24, 46: 50, 55: 80, 63: 92, 72: 85,
    80: 62, 88: 35, 95: 18,
})  # fmt: skip
_RUN_FOOT = cyclic({
    0: -6, 4: 0, 10: 0, 16: 1, 20: 5, 26: 18, 32: 38, 37: 58, 46: 82, 56: 96, 66: 92, 76: 58,
    85: 20, 92: 0, 97: -7,
})  # fmt: skip
_RUN_PERIOD_S = 0.72
_RUN_STANCE = 0.36  # share of the cycle with the foot on the ground
_RUN_FOOT_X = 0.05
_FINE_HZ = 1920.0
_ROLL = 0.01  # leg lengths of height over which the contact passes from point to point of a sole
_FLIGHT_CLEARANCE = 0.06  # leg lengths that both feet are off the ground in the middle of a flight


def _walk_thigh(phase: Float64) -> Float64:
    return _WALK_CALM * _WALK_THIGH(phase)


def walk(fps: float) -> Clip:
    """One stride of walking: two steps, left heel strike first.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        A loop that travels.
    """
    frames, finer = _sampling(_WALK_PERIOD_S, fps)
    phase = np.arange(frames) / frames
    turn = 2 * np.pi * phase
    # Pelvis: the hip of the leading leg ahead, the hip of the swinging leg lower (Perry, ch. 7).
    pelvis = about("z", -4.0 * np.cos(turn)) * about("y", -3.5 * np.sin(turn + 0.35))
    sway = 0.024 * np.sin(turn - 0.3)  # towards the standing leg
    legs = [
        _gait_leg(
            side, pelvis, sway, (phase + shift) % 1.0, (_walk_thigh, _WALK_KNEE, _WALK_FOOT),
            foot_x=_WALK_FOOT_X, toe_out=6.0, toe_off=_WALK_STANCE,
        )
        for side, shift in ((LEFT, 0.0), (RIGHT, 0.5))
    ]  # fmt: skip
    chest = about("x", np.full(frames, 2.0)) * about("z", 4.5 * np.cos(turn - 0.2))
    head = about("z", 0.8 * np.cos(turn)) * about("x", 0.8 * np.cos(2 * turn))
    segments = {**authoring.trunk(pelvis, chest, head), **authoring.leg_segments(*legs)}
    for name, side, shift in (("left", LEFT, 0.0), ("right", RIGHT, 0.5)):
        # Arms swing against the legs (Murray 1967: 24 degrees back to 8 ahead, elbows follow).
        swing = 2 * np.pi * (phase + shift)
        upper = hanging_arm(side, chest, -4.0 - 18.0 * np.cos(swing - 0.15))
        segments[f"{name}_shoulder"] = upper
        segments[f"{name}_elbow"] = bend_elbow(side, upper, 24.0 - 11.0 * np.cos(swing - 0.6))
    stance = np.stack([phase < _WALK_STANCE, (phase + 0.5) % 1.0 < _WALK_STANCE], axis=1)
    root = _gait_root(legs, sway, stance)
    rotations = authoring.local_rotations(segments, frames)
    return Clip("walk", fps, rotations[::finer], root[::finer], True)


def run(fps: float) -> Clip:
    """One stride of an easy run.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        A loop that travels.
    """
    frames, finer = _sampling(_RUN_PERIOD_S, fps)
    phase = np.arange(frames) / frames
    turn = 2 * np.pi * phase
    pelvis = (
        about("z", -6.0 * np.cos(turn + 0.3))
        * about("y", -4.0 * np.sin(turn + 0.2))
        * about("x", np.full(frames, 5.0))
    )
    sway = 0.012 * np.sin(turn)
    legs = [
        _gait_leg(
            side, pelvis, sway, (phase + shift) % 1.0, (_RUN_THIGH, _RUN_KNEE, _RUN_FOOT),
            foot_x=_RUN_FOOT_X, toe_out=4.0, toe_off=_RUN_STANCE + 0.02,
        )
        for side, shift in ((LEFT, 0.0), (RIGHT, 0.5))
    ]  # fmt: skip
    chest = about("z", 9.0 * np.cos(turn + 0.1)) * about("x", 8.0 + 1.5 * np.cos(2 * turn))
    head = about("z", 1.0 * np.cos(turn)) * about("x", 2.0 + 1.0 * np.cos(2 * turn))
    segments = {**authoring.trunk(pelvis, chest, head), **authoring.leg_segments(*legs)}
    for name, side, shift in (("left", LEFT, 0.0), ("right", RIGHT, 0.5)):
        swing = 2 * np.pi * (phase + shift)
        upper = hanging_arm(side, chest, -10.0 - 32.0 * np.cos(swing), 14.0)
        segments[f"{name}_shoulder"] = upper
        segments[f"{name}_elbow"] = bend_elbow(side, upper, 88.0 - 12.0 * np.cos(swing - 0.5))
    stance = np.stack([phase < _RUN_STANCE, (phase + 0.5) % 1.0 < _RUN_STANCE], axis=1)
    root = _gait_root(legs, sway, stance)
    rotations = authoring.local_rotations(segments, frames)
    return Clip("run", fps, rotations[::finer], root[::finer], True)


def _sampling(period_s: float, fps: float) -> tuple[int, int]:
    """Frames of a stride as it is computed, and how many of them make one of the clip's: what the
    feet push is summed up finely, so that the way is the same at every frame rate."""
    finer = int(np.ceil(_FINE_HZ / fps))
    return finer * whole_frames(period_s, fps), finer


def _gait_leg(
    side: float,
    pelvis: Rotation,
    sway: Float64,
    phase: Float64,
    curves: tuple[authoring.Curve, authoring.Curve, authoring.Curve],
    foot_x: float,
    toe_out: float,
    toe_off: float,
) -> Leg:
    """A leg at phases (F,) of its cycle whose foot stays `foot_x` beside the line of travel."""
    thigh, knee, foot = (curve(phase) for curve in curves)
    hip_x = sway + pelvis.apply([side * authoring.HIP_HALF_WIDTH, 0.0, -authoring.HIP_DROP])[:, 0]
    adduction = np.degrees(np.arctan2(side * hip_x - foot_x, 1.0))
    # Toes stay flat under the rising heel and let go after toe-off.
    u = np.clip((phase - toe_off) / 0.14, 0.0, 1.0)
    flat = np.where(foot > 0.0, 0.85 * (1.0 - u * u * (3.0 - 2.0 * u)), 0.0)
    return authoring.pose_leg(side, pelvis, thigh, adduction, knee, foot, toe_out, flat)


def _gait_root(legs: list[Leg], sway: Float64, stance: Mask) -> Float64:
    """(F, 3) root that keeps the standing foot on the ground and does not let it slide.

    The pelvis rises and falls twice a stride, nearly as a sine (Perry, ch. 7): its height is the
    second and fourth harmonic nearest to what the standing foot asks, and so is the speed at which
    the contact under the sole moves back.
    """
    frames = len(sway)
    turn = 2 * np.pi * np.arange(frames) / frames
    soles = np.stack([leg.sole for leg in legs], axis=1)  # (F, side, point, xyz)
    low = soles[..., 2].min(axis=2)
    lowest = np.where(stance, low, np.inf)
    standing = stance.any(axis=1)
    asked = np.where(standing, -lowest.min(axis=1), _FLIGHT_CLEARANCE - low.min(axis=1))
    waves = np.stack([np.ones(frames), *(f(k * turn) for k in (2, 4) for f in (np.cos, np.sin))])
    fit, *_ = np.linalg.lstsq(waves.T, asked, rcond=None)
    height = fit @ waves
    # The contact rolls over the sole: its points share it by their height.
    shares = np.exp(-(soles[..., 2] - low[..., None]) / _ROLL)
    shares /= shares.sum(axis=2, keepdims=True)
    steps = np.roll(soles[..., 1], -1, axis=0) - soles[..., 1]
    back = (shares * steps).sum(axis=2)
    holds = stance & (low < lowest.min(axis=1, keepdims=True) + _ROLL)
    pushed = (back * holds).sum(axis=1) / np.maximum(holds.sum(axis=1), 1)
    known = standing & np.roll(standing, -1)
    speed = np.linalg.lstsq(waves.T[known], pushed[known], rcond=None)[0] @ waves
    travel = np.concatenate([[0.0], np.cumsum(speed[:-1])])
    root = np.stack([sway, -travel, height], axis=1)
    root[:, 2] += STANDING - STRAIGHT
    return root
