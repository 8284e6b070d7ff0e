"""The floor under a motion: what the lowest part of the body touches, whichever that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_opening, maximum_filter1d, minimum_filter1d, uniform_filter1d

from ...body.model.skeleton import JOINT_COUNT
from ...body.world_pose import forward_kinematics
from ...types import Float64, Mask
from .default_body import LEG_M, usual_skeleton
from .feet import (
    LONGEST_LEAP_S,
    SHORTEST_STAND_S,
    STANDING_HEIGHT_M,
    STANDING_SPEED_M_S,
    standing_feet,
    stands,
)
from .flesh import ARMS, FEET, HANDS, TRUNK, Lows, flesh_of, lows_of, soles_down

_RESTING_SPEED_M_S = 0.3  # at the top of a flight this lasts 0.06 s
_SHORTEST_HOP_S = 0.25  # from landing to landing
_UNEVEN_M = 0.10  # that the floor of a recording with drifting feet differs from step to step
_CLIP_PARTS = tuple(
    joint for joint in range(JOINT_COUNT) if joint not in (*FEET, *HANDS[0], *HANDS[1])
)
# Arms that reach so far under knees or seat which rest are longer than the performer's, whose hands
# were on the same floor: elbows bend.
ARMS_GIVE_M = 0.15
# A roll along the ground: within so long to each side of a moment the trunk's lowest point stays
# within so much, and arms are below it for less than this share of the time.
_ROLL_S, _LEVEL_M, _MOMENTS = 2.5, 0.12, 0.9
# And toes that are so little over the floor while a person lies, or is on his hands, are on it.
_FEET_GIVE_M, _TOES_GIVE_M = 0.10, 0.25


@dataclass(frozen=True, eq=False)
class Carried:
    """What else than the feet is on the floor."""

    trunk: Mask  # (F,), knees, seat, back, head
    arms: Mask  # (F,), elbows, forearms or hands
    hands: Mask  # (F, 2), left and right
    planted: Mask  # (F, 2), those that stay where they are
    rolling: Mask  # (F,), whatever is lowest, one part after the other

    def during(self, frames: Mask) -> Carried:
        """The same in these frames (F,), nothing in the others.

        Parameters
        ----------
        frames : Mask
            (F,).

        Returns
        -------
        Carried
            As many frames.
        """
        each = frames[:, None]
        return Carried(
            self.trunk & frames, self.arms & frames, self.hands & each, self.planted & each,
            self.rolling & frames,
        )  # fmt: skip

    def backwards(self) -> Carried:
        """The same, the last frame first."""
        return Carried(
            self.trunk[::-1], self.arms[::-1], self.hands[::-1], self.planted[::-1],
            self.rolling[::-1],
        )  # fmt: skip


def floor_under(soles: Float64, fps: float, body: Lows | None = None) -> Float64:
    """(F,) height of the floor under a motion whose own floor is not known or drifts.

    There is floor where a lowest point of the soles or the body rests, and where the lowest turns
    from sinking to rising, if that is not far above where it comes within a leap's time: the top
    of a flight may have a dip. From one such moment to the next the floor goes over from one height
    to the other, under what is lower still.

    Parameters
    ----------
    soles : Float64
        (F, 2, 3, 3) their points, metres.
    fps : float
        Frames per second.
    body : Lows | None
        Of the same frames, None if only feet touch the floor.

    Returns
    -------
    Float64
        (F,) metres.
    """
    lowest, speeds = _lowest(soles, fps, body)
    leap, turn = (2 * int(round(s * fps)) + 1 for s in (LONGEST_LEAP_S, _SHORTEST_HOP_S / 2))
    deepest = minimum_filter1d(lowest, leap, mode="nearest")
    turns = lowest <= minimum_filter1d(lowest, turn, mode="nearest")
    known = np.flatnonzero(_resting(speeds, fps) | (turns & (lowest - deepest < _UNEVEN_M)))
    floor = np.interp(np.arange(len(lowest)), known, lowest[known])
    return np.minimum(floor, lowest)


def carried_by(soles: Float64, body: Lows, fps: float, floor: Float64 | float = 0.0) -> Carried:
    """What is on the floor, at its height, one or (F,); soles : (F, 2, 3, 3) their points.

    Parameters
    ----------
    soles : Float64
        (F, 2, 3, 3) left and right, points of the sole, metres, world.
    body : Lows
        The lowest points of the same frames.
    fps : float
        Frames per second.
    floor : Float64 | float
        Height, metres, one or (F,).

    Returns
    -------
    Carried
        Frame by frame.
    """
    touching, slow = [], []
    for heights, speeds in (body.of(TRUNK), body.of(ARMS), *(body.of(hand) for hand in HANDS)):
        # Hands may be lower, where the arms are longer than the performer's. What slides along the
        # floor carries as well as what is planted.
        near = heights - floor < STANDING_HEIGHT_M
        touching.append(near & (_climbing(heights, fps) < STANDING_SPEED_M_S))
        # A planted point is slow on at least one side of its frame.
        before, after = np.insert(speeds, 0, np.inf), np.append(speeds, np.inf)
        slow.append(np.minimum(before, after) < STANDING_SPEED_M_S)
    found = stands(np.stack(touching, axis=1), fps)
    planted = stands(np.stack(touching, axis=1)[:, 2:] & np.stack(slow, axis=1)[:, 2:], fps)
    lowest = body.heights.min(axis=1)
    rolling = lowest < soles[..., 2].min(axis=(1, 2))
    rolling &= (lowest - floor < STANDING_HEIGHT_M) & (_climbing(lowest, fps) < STANDING_SPEED_M_S)
    return Carried(found[:, 0], found[:, 1], found[:, 2:], planted, rolling)


def feet_on(
    soles: Float64, world: Float64, fps: float, floor: Float64 | float, carried: Carried
) -> Mask:
    """(F, 2) bool: which foot stands when, of feet whose soles look down or ahead; also with what
    else carries the body, when legs may be shorter than the performer's.

    Parameters
    ----------
    soles : Float64
        (F, 2, 3, 3) their points, metres.
    world : Float64
        (F, 24, 4, 4) of `forward_kinematics`.
    fps : float
        Frames per second.
    floor : Float64 | float
        Height, metres, one or (F,).
    carried : Carried
        What else is on the floor.

    Returns
    -------
    Mask
        (F, 2).
    """
    height = np.where(carried.arms, _TOES_GIVE_M, STANDING_HEIGHT_M)
    height = np.where(carried.trunk, _FEET_GIVE_M, height)
    return standing_feet(soles, fps, floor, height) & soles_down(world)


def lowest_of_clip(rotations: Float64) -> Float64:
    """(F,) height of the lowest part but feet and hands, from the pelvis joint, of the default body
    in the poses (F, 24, 4), in its leg lengths.

    Hands count to the wrist: where a person stands on them they are flat (`hands`).

    Parameters
    ----------
    rotations : Float64
        (F, 24, 4) local quaternions, w first.

    Returns
    -------
    Float64
        (F,) leg lengths.
    """
    skeleton = usual_skeleton()
    world = forward_kinematics(skeleton, rotations, np.zeros((len(rotations), 3)))
    return lows_of(flesh_of(skeleton), world, 1.0).of(_CLIP_PARTS)[0] / LEG_M


def _climbing(heights: Float64, fps: float) -> Float64:
    """(F,) metres per second up or down."""
    return np.abs(np.gradient(heights)) * fps if len(heights) > 1 else np.zeros(len(heights))


def _lowest(soles: Float64, fps: float, body: Lows | None) -> tuple[Float64, Float64]:
    """(F,) height of the lowest point, (F - 1,) its speed to the next frame, metres per second"""
    frames = len(soles)
    flat = soles.reshape(frames, -1, 3)
    heights = flat[..., 2].min(axis=1)
    speeds = np.linalg.norm(np.diff(flat, axis=0), axis=-1) * fps  # (F - 1, 6)
    at = flat[..., 2].argmin(axis=1)[:-1]
    lowest_speeds = np.take_along_axis(speeds, at[:, None], axis=1)[:, 0]
    if body is None:
        return heights, lowest_speeds
    (arms, arm_speeds), (trunk, trunk_speeds) = body.of(ARMS), body.of(TRUNK)
    still = _climbing(trunk, fps) < _RESTING_SPEED_M_S
    dips = still & (trunk - arms < ARMS_GIVE_M) | _rolls_over(trunk, arms, fps)
    arms = np.where(dips, np.inf, arms)
    parts = (body.of(FEET), (trunk, trunk_speeds), (arms, arm_speeds))
    for other, speed in parts:
        lower = other < heights
        heights = np.where(lower, other, heights)
        lowest_speeds = np.where(lower[:-1], speed, lowest_speeds)
    return heights, lowest_speeds


def _rolls_over(trunk: Float64, arms: Float64, fps: float) -> Mask:
    """(F,) bool: the trunk stays at one height, and arms are below it for moments only: a body that
    lies rolls over them. Arms that bear a body are below it all along, or lift and lower it."""
    window = 2 * int(round(_ROLL_S * fps)) + 1
    level = maximum_filter1d(trunk, window) - minimum_filter1d(trunk, window) < _LEVEL_M
    below = uniform_filter1d((arms < trunk).astype(np.float64), window)
    return level & (below < _MOMENTS)


def _resting(speeds: Float64, fps: float) -> Mask:
    """(F,) bool: the lowest point stays where it is, for longer than in the turning point of a
    flight or swing. speeds : (F - 1,)"""
    if not len(speeds):
        return np.zeros(1, bool)
    still = speeds < _RESTING_SPEED_M_S
    shortest = max(int(np.ceil(SHORTEST_STAND_S * fps)), 2)
    held = binary_opening(np.pad(still, shortest), np.ones(shortest, bool))[shortest:-shortest]
    return np.append(held, False) | np.insert(held, 0, False)
