"""From the photo's pose into a clip: how long it takes, and the steps that feet make on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from ...body.world_pose import forward_kinematics
from ...numerics.easing import smootherstep
from ...types import Float64
from ..editing.orientation import apart, heading, ways_ahead, wrapped
from ..ground.feet import phases
from .context import Context, Plan, Track

# Joints take their time: none turns faster than this on the way into the clip (mean over the way).
_BLEND_SPEED_DEG_S = 200.0
_SINK_SPEED_M_S = 0.8  # nor does anyone sink to the floor faster
_LONGEST_BLEND_S = 1.2
_TURN_SPEED_DEG_S = 110.0
# A foot that must go farther than this to where the clip wants it makes a step.
_STEP_M = 0.10
_STEP_TURN_DEG = 30.0
_IN_THE_AIR_M = 0.04
_SHORTEST_STEP_S = 0.3
_WEIGHT_SHIFT_S = 0.15  # before a foot leaves the ground
# The photo's pose comes back in this share of the frames at most.
_RETURN_SHARE = 0.45


def plan_of(ctx: Context, track: Track, frames: int) -> Plan:
    """The plan of the way from the photo's pose into the clip, without steps, stride or end yet.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    track : Track
        The clip on the performance's frames.
    frames : int
        How many.

    Returns
    -------
    Plan
        As many frames; turned from the photo's heading to the clip's.
    """
    goal = float(ctx.route.heading[0]) if ctx.route else ctx.to_viewer
    turn = wrapped(goal - ctx.facing)
    turned = Rotation.from_quat(track.rotations[:1, 0], scalar_first=True)
    about = heading(ways_ahead(turned.as_matrix())[0])
    tilt = Rotation.from_rotvec([0.0, 0.0, -about]) * turned[0]
    farthest = np.degrees(
        max(
            apart(ctx.pose.rotations[None, 1:], track.rotations[:1, 1:]).max(),
            (ctx.tilt.inv() * tilt).magnitude(),
        )
    )
    least = ctx.options.blend_s
    sinking = abs(ctx.start[2] - track.root[0, 2]) / _SINK_SPEED_M_S
    wanted = max(farthest / _BLEND_SPEED_DEG_S, sinking)
    blend = float(np.clip(wanted, least, max(_LONGEST_BLEND_S, least)))
    seconds = np.arange(frames) / ctx.fps
    turning = max(blend, abs(np.degrees(turn)) / _TURN_SPEED_DEG_S)
    enter = smootherstep(seconds / max(blend, 1e-6))
    turned = smootherstep(seconds / max(turning, 1e-6))
    if ctx.options.returns:
        longest = _RETURN_SHARE * seconds[-1]
        enter = enter * smootherstep(seconds[::-1] / max(min(blend, longest), 1e-6))
        turned = turned * smootherstep(seconds[::-1] / max(min(turning, longest), 1e-6))
    return Plan(
        enter=enter,
        leave=np.zeros(frames),
        turned=turned,
        heading=ctx.facing + turn * turned,
        stride=1.0,
        standing=track.standing,
        carried=track.carried,
    )


def with_start(ctx: Context, plan: Plan) -> Plan:
    """The plan with the photo's standing feet standing for a moment, and through swings that
    the clip has nearly done: no one lifts a foot at once.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    plan : Plan
        What happens when.

    Returns
    -------
    Plan
        As many frames.
    """
    world = forward_kinematics(ctx.skeleton, ctx.pose.rotations[None], np.asarray(ctx.start)[None])
    height = ctx.soles.in_world(world, ctx.skeleton)[0, ..., 2].min(axis=1)
    standing = plan.standing.copy()
    for side in range(2):
        if height[side] < _IN_THE_AIR_M and not standing[:, side].all():
            swings = phases(~standing[:, side])
            start, stop = swings[0]
            if start == 0 and stop < len(standing):
                short = stop < _SHORTEST_STEP_S * ctx.fps
                standing[: stop if short else int(_WEIGHT_SHIFT_S * ctx.fps), side] = True
    return replace(plan, standing=standing)


def with_steps(ctx: Context, plan: Plan, rotations: Float64, path: Float64) -> Plan:
    """The plan with a step for each foot that the photo has elsewhere than the clip.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    plan : Plan
        What happens when.
    rotations : Float64
        (F, 24, 4) local quaternions, w first.
    path : Float64
        (F, 3) the root's way, metres, world.

    Returns
    -------
    Plan
        As many frames.
    """
    entered = plan.enter >= 1.0 - 1e-9
    turned = np.abs(plan.heading - plan.heading[plan.turned.argmax()]) < 1e-3
    done = max(int(entered.argmax()), int(turned.argmax()))
    if not entered.any() or done < 4:
        return plan
    points = ctx.soles.in_world(forward_kinematics(ctx.skeleton, rotations, path), ctx.skeleton)
    first, last = points[0], points[done]
    away = np.linalg.norm((last - first).mean(axis=1)[:, :2], axis=1)
    turns = [
        abs(np.degrees(wrapped(_foot_heading(last[s]) - _foot_heading(first[s])))) for s in range(2)
    ]
    height = first[..., 2].min(axis=1)
    standing = plan.standing.copy()
    stepping = [
        s
        for s in range(2)
        if away[s] > _STEP_M or turns[s] > _STEP_TURN_DEG or height[s] > _IN_THE_AIR_M
    ]
    # A foot in the air comes down first, else the one that has farther to go.
    stepping.sort(key=lambda s: -(10.0 * (height[s] > _IN_THE_AIR_M) + away[s]))
    windows = [(0.1, 0.55), (0.5, 0.95)] if len(stepping) == 2 else [(0.15, 0.8)]
    for side, (begin, end) in zip(stepping, windows, strict=False):
        start, stop = int(begin * done), max(int(np.ceil(end * done)), int(begin * done) + 2)
        in_air = height[side] > _IN_THE_AIR_M
        standing[0 if in_air else start : stop, side] = False
    return replace(plan, standing=standing)


def _foot_heading(sole: Float64) -> float:
    return heading((sole[1] - sole[0])[:2])
