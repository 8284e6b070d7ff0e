"""Feet that stand do not slide, do not sink and do not float; nor does what else carries the body.

Each standing foot is moved by what its point of contact moved: the contact rolls from heel to ball
to toes as the foot rolls. The corrections fade into one another while the foot is in the air, and
the legs follow by inverse kinematics (after Kovar, Schreiner and Gleicher, Footskate Cleanup for
Motion Capture Editing, 2002, with rolling contacts instead of single constraints).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation

from ...body.world_pose import forward_kinematics
from ...numerics.easing import smootherstep
from ...types import Float64, Mask, Skeleton
from .feet import ANKLES, HIPS, KNEES, Soles, leg_length, phases, reach
from .flesh import ARMS, FEET, TRUNK, Flesh, lows_of
from .floor import Carried
from .two_bone import STRAIGHTEST

# Over this much height the contact passes from the lowest point of the sole to the next.
_ROLL_M = 0.008
# Hips turn this far over a standing foot before the foot must follow.
_MOST_FOOT_TURN = np.radians(45.0)
_DEEPEST_CROUCH_M = 0.2  # how far the pelvis may sink so that both feet can stay
# Toes clear the ground by 1 to 3 cm in walking (Winter 1992); smoothed and shortened strides, and
# steps out of a standing pose, would drag them.
_CLEARANCE_M = 0.03
_STEP_CLEARANCE_M = 0.06
_FULL_SWING_S = 0.35  # a shorter swing clears the ground by less
_FULL_STEP_S = 0.2
_LIFTING, _LANDING = 0.10, 0.10  # shares of a step that go straight up and down
_SMOOTH_S = 0.06
# Hips that are higher over a standing foot than this, in leg lengths, are carried by the legs,
# whatever else touches the floor.
LEGS_CARRY = 0.75
_LYING = (0.5, 0.3)  # heights of the hips, in leg lengths, from which on one lies
_LEVEL_FOOT = 0.4  # cosine: feet that point steeper up or down have no heading to be held
_UNSINK_S = 0.12  # over which the body rises before a part of it would sink


def contact_weights(soles: Float64) -> Float64:
    """(F, 2, 3) shares of the sole's points in the contact, the lowest first.

    Parameters
    ----------
    soles : Float64
        (F, 2, 3, 3) left and right, points of the sole, metres, world.

    Returns
    -------
    Float64
        (F, 2, 3), their sum over the points 1.
    """
    height = soles[..., 2] - soles[..., 2].min(axis=-1, keepdims=True)
    weights = np.exp(-height / _ROLL_M)
    return weights / weights.sum(axis=-1, keepdims=True)


def lock_feet(
    skeleton: Skeleton,
    soles: Soles,
    rotations: Float64,
    root: Float64,
    standing: Mask,
    settled: Float64,
    stepping: Mask,
    fps: float,
    flesh: Flesh,
    carried: Carried,
    returns: bool = False,
) -> tuple[Float64, Float64]:
    """Rotations (F, 24, 4) and root (F, 3) whose standing feet stay where they are, and whose body
    lies on the ground where it is carried by something else.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    soles : Soles
        At rest.
    rotations : Float64
        (F, 24, 4) local quaternions, w first.
    root : Float64
        (F, 3) pelvis, metres, world.
    standing : Mask
        (F, 2), which foot stands.
    settled : Float64
        (F,), 0..1, how strictly feet keep to the ground (0 leaves a frame's heights as they
        are).
    stepping : Mask
        (F,), frames where one motion goes over into another: there a swinging foot does not
        follow the mixture of the two, which may drag it about, but makes a step from where it
        stood to where it will stand.
    fps : float
        Frames per second.
    flesh : Flesh
        The character's.
    carried : Carried
        What else is on the floor.
    returns : bool
        Whether the last frame has its feet in their places as the first one has.

    Returns
    -------
    tuple[Float64, Float64]
        (F, 24, 4) local quaternions and (F, 3) metres, world.
    """
    root = root.copy()
    world = forward_kinematics(skeleton, rotations, root)
    low = lows_of(flesh, world, fps)
    trunk, arms, instep = (low.of(parts)[0] for parts in (TRUNK, ARMS, FEET))
    body = np.minimum(trunk, instep)
    placed, hips = soles.in_world(world, skeleton), world[:, HIPS, 2, 3].mean(axis=1)
    # What the body's height follows, the first that there is: legs that stand upright, what lies
    # on the floor, arms, feet. The others reach for the floor with their joints.
    feet = np.where(standing, placed[..., 2].min(axis=2), np.inf).min(axis=1)
    by_legs = np.isfinite(feet) & (hips - feet > LEGS_CARRY * leg_length(skeleton))
    by_arms = carried.arms & ~carried.trunk & ~by_legs
    support = np.select([by_legs, carried.trunk, by_arms], [feet, trunk, arms], feet)
    rolls = carried.rolling & ~np.isfinite(support)
    support = np.where(rolls, np.minimum(body, arms), support)
    by_arms = by_arms | rolls
    deepest = np.minimum(placed[..., 2].min(axis=(1, 2)), body)
    rise = -settled * _off_ground(support, deepest, fps)
    # Feet and arms that are in the ground bend, but for arms that carry: the rest may not hover.
    others = np.where(by_arms, np.minimum(body, arms), deepest)
    rise -= _floating(others + rise, np.isfinite(support), settled, fps)
    # On the way from one pose into another, feet and arms are lifted alone.
    whole = np.where(by_arms, np.minimum(body, arms), body)
    lowest = np.where(settled < 1.0, trunk, whole) + rise
    unsunk = _unsunk(lowest, settled, fps)
    root[:, 2] += rise + unsunk
    world = forward_kinematics(skeleton, rotations, root)
    free = 1.0 - _lying(skeleton, hips + rise + unsunk, carried.trunk, fps)
    turn = _foot_turns(world, standing, returns)
    points = _turned(soles.in_world(world, skeleton), world, turn)
    moved = np.zeros((len(root), 2, 3))
    for side in range(2):
        ankle = world[:, ANKLES[side], :2, 3]
        moved[:, side, :2] = held_in_place(points[:, side], standing[:, side], settled, returns)
        steps = _steps(standing[:, side], stepping)
        moved[:, side, :2] = _stepped(ankle, moved[:, side, :2], steps)
        moved[:, side, :2] *= free[:, None]
        arcs = _arcs(standing[:, side], steps, fps)
        moved[:, side, 2] = _grounded(points[:, side], standing[:, side], settled, arcs)
    ankles = world[:, ANKLES][..., :3, 3] + moved
    drop = settled * _drop(skeleton, world[:, HIPS][..., :3, 3], ankles, standing, fps)
    # No foot is worth a knee or a hand in the ground.
    root[:, 2] -= np.minimum(drop, np.maximum(lowest + unsunk, 0.0))
    return reach(skeleton, rotations, root, ankles, turn), root


def _off_ground(support: Float64, deepest: Float64, fps: float) -> Float64:
    """(F,) height over the ground of what carries the body, (F,) and infinite in flights, through
    which it is carried on; smooth. deepest : (F,) height of the lowest point"""
    known = np.flatnonzero(np.isfinite(support))
    if not len(known):
        # Nothing ever stands: only sinking is mended.
        return np.full(len(support), min(float(deepest.min()), 0.0))
    filled = np.interp(np.arange(len(support)), known, support[known])
    return gaussian_filter1d(filled, _SMOOTH_S * fps, mode="nearest")


def _lying(skeleton: Skeleton, hips: Float64, lies: Mask, fps: float) -> Float64:
    """(F,) 0..1, how far a person, hips (F,) metres over the ground, lies or sits on the floor:
    feet that were held in their places then would push the knees into it."""
    leg = leg_length(skeleton)
    low = np.clip((_LYING[0] - hips / leg) / (_LYING[0] - _LYING[1]), 0.0, 1.0)
    return gaussian_filter1d(low * lies, _SMOOTH_S * fps, mode="nearest")


def _floating(lowest: Float64, supported: Mask, settled: Float64, fps: float) -> Float64:
    """(F,) metres that the body, (F,) at the lowest, is over the ground while one pose goes over
    into another that is carried: no one hovers on the way down. As high as the first frame has it
    while the motion has not settled."""
    over = lowest - (1 - settled) * max(float(lowest[0]), 0.0)
    over = np.where(supported & (settled < 1.0), np.maximum(over, 0.0), 0.0)
    return gaussian_filter1d(over, _SMOOTH_S * fps, mode="nearest")


def _unsunk(lowest: Float64, settled: Float64, fps: float) -> Float64:
    """(F,) metres that the body must rise so that no part of it, (F,) at the lowest, is in the
    ground; as deep as the first frame has it while the motion has not settled."""
    deficit = np.maximum((1 - settled) * min(float(lowest[0]), 0.0) - lowest, 0.0)
    if not deficit.any():
        return deficit
    width = 2 * int(round(2 * _UNSINK_S * fps)) + 1
    return gaussian_filter1d(maximum_filter1d(deficit, width), _UNSINK_S * fps, mode="nearest")


def _foot_turns(world: Float64, standing: Mask, returns: bool) -> Float64:
    """(F, 2) radians about the vertical that keep standing feet from turning on the spot."""
    turns = np.zeros(standing.shape)
    for side in range(2):
        ahead = -world[:, ANKLES[side], :2, 1]  # the foot looks along its own -y
        heading = np.unwrap(np.arctan2(ahead[:, 0], -ahead[:, 1]))
        held = np.zeros(len(heading))
        level = np.linalg.norm(ahead, axis=1)
        for start, stop in phases(standing[:, side]):
            if level[start:stop].min() < _LEVEL_FOOT:
                continue
            phase = heading[start:stop]
            kept = phase[0] if start == 0 else np.median(phase)
            kept = phase[-1] if returns and stop == len(heading) else kept
            held[start:stop] = np.clip(kept - phase, -_MOST_FOOT_TURN, _MOST_FOOT_TURN)
        turns[:, side] = carried_on(held[:, None], standing[:, side])[:, 0]
    return turns


def _turned(points: Float64, world: Float64, turn: Float64) -> Float64:
    """The soles' points (F, 2, 3, 3) with the feet turned about their ankles."""
    result = points.copy()
    for side in range(2):
        ankle = world[:, ANKLES[side], None, :3, 3]
        vertical = np.zeros((len(world), 3))
        vertical[:, 2] = turn[:, side]
        matrices = Rotation.from_rotvec(vertical).as_matrix()
        result[:, side] = ankle + np.einsum("fab,fpb->fpa", matrices, points[:, side] - ankle)
    return result


def held_in_place(
    points: Float64, standing: Mask, settled: Float64, returns: bool = False
) -> Float64:
    """(F, 2) horizontal moves that keep the contact of a foot (F, 3, 3) in its place.

    Parameters
    ----------
    points : Float64
        (F, 3, 3) points of one sole, metres, world.
    standing : Mask
        (F,) when it stands.
    settled : Float64
        (F,) 0..1, how strictly it is held.
    returns : bool
        Whether the last frame has it where the first one has.

    Returns
    -------
    Float64
        (F, 2) metres.
    """
    weights = contact_weights(points[:, None])[:, 0]
    shares = (weights[1:] + weights[:-1]) / 2
    travelled = np.einsum("fp,fpi->fi", shares, np.diff(points[..., :2], axis=0))
    moves = np.zeros((len(points), 2))
    for start, stop in phases(standing):
        slide = np.concatenate([np.zeros((1, 2)), np.cumsum(travelled[start : stop - 1], axis=0)])
        # The first foot stands where the photo has it; later ones where they slide least, or, as
        # far as they are still where the photo has them, where they come down.
        place = np.zeros(2) if start == 0 else settled[start] * slide.mean(axis=0)
        if returns and stop == len(points):
            place = slide[-1]
        moves[start:stop] = place - slide
    return carried_on(moves, standing)


def _steps(standing: Mask, stepping: Mask) -> list[tuple[int, int]]:
    """The swings that begin or end a motion: those between two stands (or from the first frame)
    with a frame of `stepping` in them."""
    return [
        (start, stop)
        for start, stop in phases(~standing)
        if stop < len(standing) and stepping[start:stop].any()
    ]


def _stepped(ankle: Float64, moves: Float64, steps: list[tuple[int, int]]) -> Float64:
    """Moves (F, 2) that lead an ankle (F, 2) straight from one stand to the next."""
    result = moves.copy()
    for start, stop in steps:
        before = max(start - 1, 0)
        first, last = ankle[before] + moves[before], ankle[stop] + moves[stop]
        u = (np.arange(start, stop) - before) / (stop - before)
        # The foot rises before it goes ahead, and is over its place when it comes down.
        share = smootherstep((u - _LIFTING) / (1 - _LIFTING - _LANDING))[:, None]
        result[start:stop] = first + share * (last - first) - ankle[start:stop]
    return result


def _grounded(points: Float64, standing: Mask, settled: Float64, arcs: Float64) -> Float64:
    """(F,) vertical moves that put a standing foot (F, 3, 3) on the ground and keep a swinging one
    as far off it as `arcs` (F,). While the motion has not settled, a foot may be as low as
    the first frame has it."""
    low = points[..., 2].min(axis=1)
    lowest = arcs + (1 - settled) * min(float(low[0]), 0.0)
    moves = settled * carried_on(np.where(standing, -low, 0.0)[:, None], standing)[:, 0]
    return np.maximum(moves, lowest - low)


def _arcs(standing: Mask, steps: list[tuple[int, int]], fps: float) -> Float64:
    """(F,) metres that a swinging foot is off the ground at least, 0 at both ends of a swing."""
    arcs = np.zeros(len(standing))
    for start, stop in phases(~standing):
        if stop < len(standing):
            before = max(start - 1, 0)
            u = (np.arange(start, stop) - before) / (stop - before)
            if start == 0:
                u **= 1.5  # out of a straight leg, the first centimetres bend the knee most
            is_step = (start, stop) in steps
            height = _STEP_CLEARANCE_M if is_step else _CLEARANCE_M
            height *= min((stop - start) / ((_FULL_STEP_S if is_step else _FULL_SWING_S) * fps), 1)
            arcs[start:stop] = height * np.sin(np.pi * u) ** (1 if is_step else 2)
    return arcs


def carried_on(values: Float64, standing: Mask) -> Float64:
    """Values (F, N) of the standing frames, faded from one phase to the next in between.

    Parameters
    ----------
    values : Float64
        (F, N).
    standing : Mask
        (F,).

    Returns
    -------
    Float64
        (F, N).
    """
    result = values.copy()
    runs = phases(~standing)
    for start, stop in runs:
        before = values[start - 1] if start > 0 else np.zeros(values.shape[1])
        after = values[stop] if stop < len(values) else np.zeros(values.shape[1])
        u = (np.arange(start, stop) - start + 1) / (stop - start + 1)
        share = (u * u * (3 - 2 * u))[:, None]
        result[start:stop] = (1 - share) * before + share * after
    return result


def _drop(
    skeleton: Skeleton, hips: Float64, ankles: Float64, standing: Mask, fps: float
) -> Float64:
    """(F,) how far the pelvis must sink for the standing feet to be within the legs' reach."""
    needed = np.zeros(len(hips))
    joints = skeleton.joints
    for side in range(2):
        length = STRAIGHTEST * (
            np.linalg.norm(joints[KNEES[side]] - joints[HIPS[side]])
            + np.linalg.norm(joints[ANKLES[side]] - joints[KNEES[side]])
        )
        apart = ankles[:, side] - hips[:, side]
        level = np.linalg.norm(apart[:, :2], axis=1)
        highest = np.sqrt(np.maximum(length**2 - level**2, 0.0))
        needed = np.maximum(needed, np.where(standing[:, side], -apart[:, 2] - highest, 0.0))
    needed = np.minimum(needed, _DEEPEST_CROUCH_M)
    width = 2 * int(round(2 * _SMOOTH_S * fps)) + 1
    return gaussian_filter1d(maximum_filter1d(needed, width), _SMOOTH_S * fps, mode="nearest")
