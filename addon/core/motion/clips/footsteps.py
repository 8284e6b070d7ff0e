"""Standing bodies that step: feet go from place to place, the pelvis follows over them.

Lengths are leg lengths, times seconds, angles degrees; positions on the ground are x (to the left)
and y (backward).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ...numerics.easing import smootherstep
from ...types import Float64
from . import authoring
from .authoring import BALL, LEFT, RIGHT, STANDING, STRAIGHT, Leg

_LIFT = 0.055  # the ball's height in the middle of a step
_HEEL_UP = 24.0  # degrees: the heel leaves first
_FINE_HZ = 480.0
_PUSH_S = 0.08  # how long before the ball
_SETTLE_S = 0.06  # pitch is gone so long after the ball has come down


@dataclass(frozen=True)
class Step:
    """A foot's way to its next place, during `start`..`stop`."""

    start: float
    stop: float
    x: float  # of the ankle
    y: float
    heading: float = 0.0  # of the body that the foot then belongs to; toes point outward of it
    lift: float = _LIFT


@dataclass(frozen=True)
class Foot:
    """A foot's places over a loop of `seconds`, which ends as it begins but for whole turns."""

    side: float
    x: float
    y: float
    steps: Sequence[Step] = field(default_factory=tuple)
    toe_out: float = 9.0

    def at(self, time: Float64) -> tuple[Float64, Float64, Float64, Float64]:
        """Ankle's places (F, 2), the ball's lift (F,), body heading (F,) and pitch (F,).

        Parameters
        ----------
        time : Float64
            (F,) seconds.

        Returns
        -------
        tuple[Float64, Float64, Float64, Float64]
            (F, 2), (F,), (F,) and (F,); leg lengths, radians and degrees.
        """
        x, y, heading = np.full(len(time), self.x), np.full(len(time), self.y), np.zeros(len(time))
        lift, pitch = np.zeros(len(time)), np.zeros(len(time))
        before = (self.x, self.y, 0.0)
        for step in self.steps:
            u = (time - step.start) / (step.stop - step.start)
            share = smootherstep(u)
            x += share * (step.x - before[0])
            y += share * (step.y - before[1])
            heading += share * (step.heading - before[2])
            lift += step.lift * _bump(u)
            begin, end = step.start - _PUSH_S, step.stop + _SETTLE_S
            # Steepest just after the ball has left.
            share = np.clip((time - begin) / (end - begin), 0.0, 1.0)
            pitch += _HEEL_UP * step.lift / _LIFT * _bump(share**0.8)
            before = (step.x, step.y, step.heading)
        return np.stack([x, y], axis=1), lift, heading, pitch


@dataclass(frozen=True, eq=False)
class Stance:
    """Feet over time (F) and the middle between them, which the pelvis goes with."""

    places: Float64  # (2, F, 2) ankles, left and right
    lifts: Float64  # (2, F)
    headings: Float64  # (2, F) of the body
    pitches: Float64  # (2, F)
    toe_outs: tuple[float, float]
    middle: Float64  # (F, 2): over the feet that carry, smooth
    heading: Float64  # (F,) degrees, the body's, smooth

    def legs(self, pelvis: Rotation, root: Float64) -> list[Leg]:
        """Left and right leg under a pelvis joint (F, 3) over the ground.

        Parameters
        ----------
        pelvis : Rotation
            Orientation of the pelvis, frame by frame, world.
        root : Float64
            (F, 3) leg lengths.

        Returns
        -------
        list[Leg]
            Two.
        """
        made = []
        for index, side in enumerate((LEFT, RIGHT)):
            heading = self.headings[index] + side * self.toe_outs[index]
            ankle = np.column_stack([self.places[index], np.zeros(len(root))])
            ahead = authoring.about("z", heading).apply([BALL[0], BALL[1], 0.0])
            ball = ankle + ahead
            ball[:, 2] = self.lifts[index]
            flat = np.clip(1.0 - self.lifts[index] / 0.03, 0.0, 1.0)
            made.append(
                authoring.planted_leg(
                    side, pelvis, root, ball, heading, self.pitches[index], 0.8 * flat
                )
            )
        return made


def stance(
    feet: tuple[Foot, Foot],
    time: Float64,
    seconds: float,
    smooth_s: float,
    sway: float = 0.55,
    turns: float = 0.0,
) -> Stance:
    """Both feet at evenly spaced times (F,) from 0 of a loop of `seconds`.

    Parameters
    ----------
    feet : tuple[Foot, Foot]
        Left and right.
    time : Float64
        (F,) seconds.
    seconds : float
        The loop's length.
    smooth_s : float
        How slowly the body follows its feet.
    sway : float
        How far the pelvis goes over a foot that stands alone, 1 all the way.
    turns : float
        Degrees that the body has turned at the loop's end.

    Returns
    -------
    Stance
        At these times.
    """
    # Smoothed finely, so that the body's way is the same at every frame rate.
    finer = int(np.ceil(_FINE_HZ * seconds / len(time)))
    fine = np.arange(finer * len(time)) * seconds / (finer * len(time))
    each = [foot.at(fine) for foot in feet]
    places = np.stack([foot[0] for foot in each])
    lifts = np.stack([foot[1] for foot in each])
    headings = np.stack([foot[2] for foot in each])
    pitches = np.stack([foot[3] for foot in each])
    # A foot carries less from when its heel rises.
    carried = 1.0 - sway * np.clip(pitches / 12.0, 0.0, 1.0)
    weights = (carried / carried.sum(axis=0))[..., None]
    width = smooth_s * len(fine) / seconds
    middle = _followed((weights * places).sum(axis=0), width)
    heading = _followed(headings.mean(axis=0)[:, None], width, turns)[:, 0]
    out = (feet[0].toe_out, feet[1].toe_out)
    return Stance(
        places[:, ::finer], lifts[:, ::finer], headings[:, ::finer], pitches[:, ::finer], out,
        middle[::finer], heading[::finer],
    )  # fmt: skip


def root_of(joint: Float64) -> Float64:
    """(F, 3) a clip's root from the pelvis joint (F, 3) over the ground.

    Parameters
    ----------
    joint : Float64
        (F, 3) leg lengths.

    Returns
    -------
    Float64
        (F, 3) leg lengths, its height as in `Clip`.
    """
    root = joint.copy()
    root[:, 2] += STANDING - STRAIGHT
    return root


def _followed(values: Float64, frames: float, turns: float = 0.0) -> Float64:
    """(F, N) smoothed over a loop that goes on `turns` higher than it began."""
    around = np.concatenate([values - turns, values, values + turns])
    smooth: Float64 = gaussian_filter1d(around, frames, axis=0, mode="nearest")
    return smooth[len(values) : 2 * len(values)]


def _bump(u: npt.ArrayLike) -> Float64:
    """0 to 1 and back over 0..1, with speed and acceleration 0 at both ends."""
    t = np.clip(u, 0.0, 1.0)
    return np.asarray((4.0 * t * (1.0 - t)) ** 3, np.float64)
