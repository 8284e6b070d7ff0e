"""Hands that carry the body: flat on the floor, and in their places.

Recordings and drawn motions often have hands in line with the forearm where a person stands on
them, and characters' arms are longer or shorter than the performer's: without more, fingers would
be in the ground, or everything else in the air.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation

from ...body.model.skeleton import JOINT
from ...body.world_pose import forward_kinematics
from ...numerics.rotations import shortest_arc
from ...types import Float64, Mask, Skeleton
from .feet import HIPS, STANDING_HEIGHT_M, STANDING_SPEED_M_S, Soles, leg_length, stands
from .flesh import HANDS, Flesh, lows_of
from .floor import Carried
from .foot_lock import LEGS_CARRY, carried_on, held_in_place
from .two_bone import reached

_ARM = tuple(
    tuple(JOINT[f"{side}_{part}"] for part in ("collar", "shoulder", "elbow", "wrist"))
    for side in ("left", "right")
)
_ALONG = ((1.0, 0.0, 0.0), (-1.0, 0.0, 0.0))  # fingers at rest, the palms looking down
_PALM = (0.0, 0.0, -1.0)
_HINGE = ((0.0, 0.0, -1.0), (0.0, 0.0, 1.0))  # about which straight arms bend, fingers ahead
# A hand that points down more steeply than this (cosine) and is so near to the lowest part of the
# body is put flat: a hand is 0.18 m long.
_STEEP = 0.5
_NEAR_M = 0.2
_FLAT_S = 0.08  # over which it is
_SETTLED = 0.98  # share of the clip in the pose, from which on its contacts are the body's
_NEAR_S = 0.2  # arms begin to reach for the place of a hand so long before it is there


def flat_hands(
    skeleton: Skeleton, flesh: Flesh, soles: Soles, rotations: Float64, root: Float64, fps: float
) -> Float64:
    """Rotations (F, 24, 4) whose hands lie flat where they carry the body, fingers down in the
    motion; root (F, 3).

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    flesh : Flesh
        The character's.
    soles : Soles
        At rest.
    rotations : Float64
        (F, 24, 4) local quaternions, w first.
    root : Float64
        (F, 3) pelvis, metres, world.
    fps : float
        Frames per second.

    Returns
    -------
    Float64
        (F, 24, 4).
    """
    world = forward_kinematics(skeleton, rotations, root)
    low = lows_of(flesh, world, fps)
    placed = soles.in_world(world, skeleton)[..., 2].min(axis=(1, 2))
    lowest = np.minimum(low.heights.min(axis=1), placed)
    hips = world[:, HIPS, 2, 3].mean(axis=1)
    by_legs = hips - placed > LEGS_CARRY * leg_length(skeleton)
    result = rotations
    for side in range(2):
        heights, speeds = low.of(HANDS[side])
        wrist = HANDS[side][0]
        turn = world[:, wrist, :3, :3]
        slow = np.append(speeds, np.inf) < STANDING_SPEED_M_S
        down = (turn @ _ALONG[side])[:, 2] < -_STEEP
        near = heights - lowest < np.where(slow, _NEAR_M, STANDING_HEIGHT_M)
        carries = stands((near & down & ~by_legs)[:, None], fps)
        if not carries.any():
            continue
        share = gaussian_filter1d(carries[:, 0].astype(float), _FLAT_S * fps, mode="nearest")
        flat = shortest_arc(turn @ _PALM, np.tile(_PALM, (len(turn), 1))).as_rotvec()
        turned = Rotation.from_rotvec(share[:, None] * flat) * Rotation.from_matrix(turn)
        above = Rotation.from_matrix(world[:, _ARM[side][2], :3, :3])
        result = result.copy() if result is rotations else result
        result[:, wrist] = (above.inv() * turned).as_quat(scalar_first=True)
    return result


def lock_hands(
    skeleton: Skeleton,
    flesh: Flesh,
    rotations: Float64,
    root: Float64,
    carried: Carried,
    settled: Float64,
    fps: float,
) -> Float64:
    """Rotations (F, 24, 4) whose planted hands stay on the ground in their places, as far as arms
    reach, and whose hands are never in it; legs and trunk as they were.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    flesh : Flesh
        The character's.
    rotations : Float64
        (F, 24, 4) local quaternions, w first.
    root : Float64
        (F, 3) pelvis, metres, world.
    carried : Carried
        Which hands are on the floor.
    settled : Float64
        (F,), 0..1, how far the clip has begun.
    fps : float
        Frames per second.

    Returns
    -------
    Float64
        (F, 24, 4).
    """
    world = forward_kinematics(skeleton, rotations, root)
    low = lows_of(flesh, world, fps)
    result = rotations.copy()
    for side in range(2):
        collar, shoulder, elbow, wrist = _ARM[side]
        touches, stays = (
            mask[:, side] & (settled > _SETTLED) for mask in (carried.hands, carried.planted)
        )
        heights = low.of(HANDS[side])[0]
        move = np.zeros((len(root), 3))
        if touches.any():
            share = settled * _around(touches, fps)
            down = np.where(touches, -heights, 0.0)[:, None]
            move[:, 2] = share * carried_on(down, touches)[:, 0]
        if stays.any():
            places = world[:, HANDS[side]][..., :3, 3]
            share = settled * _around(stays, fps)
            move[:, :2] = share[:, None] * held_in_place(places, stays, settled)
        deepest = (1 - settled) * min(float(heights[0]), 0.0)
        move[:, 2] = np.maximum(move[:, 2], deepest - heights)
        moves = np.linalg.norm(move, axis=1) > 1e-6
        if not moves.any():
            continue
        at = {joint: world[moves, joint, :3, 3] for joint in (shoulder, elbow, wrist)}
        turn = {
            joint: Rotation.from_matrix(world[moves, joint, :3, :3])
            for joint in (collar, shoulder, elbow, wrist)
        }
        bend, swing = reached(
            at[elbow] - at[shoulder], at[wrist] - at[elbow], turn[shoulder].apply(_HINGE[side]),
            at[wrist] + move[moves] - at[shoulder],
        )  # fmt: skip
        upper, lower = swing * turn[shoulder], swing * bend * turn[elbow]
        for joint, above, own in (
            (shoulder, turn[collar], upper), (elbow, upper, lower), (wrist, lower, turn[wrist]),
        ):  # fmt: skip
            result[moves, joint] = (above.inv() * own).as_quat(scalar_first=True)
    return result


def _around(touches: Mask, fps: float) -> Float64:
    """(F,) 0..1: 1 while a hand touches the floor, and shortly before and after going over to 0."""
    width = 2 * int(round(_NEAR_S * fps)) + 1
    near = maximum_filter1d(touches.astype(float), width)
    return gaussian_filter1d(near, _NEAR_S * fps / 2, mode="nearest")
