"""Photo, clip and idle as one motion: poses blended by a plan, the root pushed by the feet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ...body.world_pose import forward_kinematics
from ...types import Clip, Float64
from ..editing.orientation import blend, wrapped
from ..ground.foot_lock import contact_weights
from .context import Context, Plan, Track

_SPEED_SMOOTH_S = 0.08
_SWAY_SMOOTH_S = 0.6  # slower sideways moves than a stride's are drift
_PLACE_SHARE = 0.5  # of a stride: what is slower than this is way, what is faster stays in place


def compose(
    ctx: Context, track: Track, rest: Track, plan: Plan
) -> tuple[Float64, Float64, Float64]:
    """Root (F, 3) and rotations (F, 24, 4) of photo, clip and idle, blended and travelling, and
    the metres (F,) gone towards the viewer or along the path.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    track : Track
        The clip on the performance's frames.
    rest : Track
        Standing, on the same frames.
    plan : Plan
        What happens when.

    Returns
    -------
    tuple[Float64, Float64, Float64]
        (F, 3) metres, world; (F, 24, 4); (F,) metres.
    """
    if ctx.route is None:
        root, rotations, steps = _moved(ctx, track, rest, plan)
        way = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
        root[:, :2] = ctx.start[:2] + way
        ahead = np.array([np.sin(ctx.to_viewer), -np.cos(ctx.to_viewer)])
        return root, rotations, way @ ahead
    # Where on the path one is shows where one is heading, and that where the feet push: what
    # the clip would go is a first guess that one round mends.
    share = plan.stride * plan.enter * (1 - plan.leave)
    own = np.diff(track.root[:, :2], axis=0)
    along = np.concatenate([[0.0], np.cumsum(share[1:] * np.linalg.norm(own, axis=1))])
    for _ in range(2):
        turn = wrapped(ctx.route.heading[0] - ctx.facing)
        follows = ctx.route.heading_at(along) - ctx.route.heading[0]
        plan = replace(plan, heading=ctx.facing + plan.turned * (turn + follows))
        root, rotations, steps = _moved(ctx, track, rest, plan)
        ahead = ctx.route.direction(along)
        # No one walks back on a path; the legs take up what feet push back while stopping.
        forward = np.maximum(np.einsum("fi,fi->f", steps, ahead[1:]), 0.0)
        along = np.concatenate([[0.0], np.cumsum(forward)])
    # Sideways the body sways as in the clip; what its feet push aside is taken up by the legs.
    sway = np.concatenate([[0.0], np.cumsum(share[1:] * own[:, 0])])
    slow = gaussian_filter1d(sway, _SWAY_SMOOTH_S * ctx.fps, mode="nearest")
    sway = sway - slow + slow[0]
    ahead = ctx.route.direction(along)
    left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    root[:, :2] = ctx.route.at(along) + sway[:, None] * left
    return root, rotations, along


def _moved(ctx: Context, track: Track, rest: Track, plan: Plan) -> tuple[Float64, Float64, Float64]:
    """Root (F, 3) that does not travel yet, rotations, and the steps (F - 1, 2) it makes."""
    moving = blend(track.rotations, rest.rotations, plan.leave)
    rotations = blend(ctx.pose.rotations[None], moving, plan.enter)
    # The root's heading is planned; only its tilt is blended.
    tilts = blend(ctx.tilt.as_quat(scalar_first=True)[None, None], moving[:, :1], plan.enter)
    about = np.zeros((len(moving), 3))
    about[:, 2] = plan.heading
    turned = Rotation.from_rotvec(about) * Rotation.from_quat(tilts[:, 0], scalar_first=True)
    rotations[:, 0] = turned.as_quat(scalar_first=True)

    height = (1 - plan.leave) * track.root[:, 2] + plan.leave * rest.root[:, 2]
    root = np.zeros((len(moving), 3))
    root[:, 2] = (1 - plan.enter) * ctx.start[2] + plan.enter * height
    return root, rotations, _pushed(ctx, track, plan, rotations, root)


def _pushed(ctx: Context, track: Track, plan: Plan, rotations: Float64, root: Float64) -> Float64:
    """(F - 1, 2) steps of the root: pushed by the standing feet, in flight as the clip goes."""
    if len(root) < 2:
        return np.zeros((0, 2))
    steps = np.diff(track.root[:, :2], axis=0)
    share = plan.enter[1:] * (1 - plan.leave[1:])
    cos, sin = np.cos(plan.heading[1:]), np.sin(plan.heading[1:])
    own = share[:, None] * np.stack(
        [cos * steps[:, 0] - sin * steps[:, 1], sin * steps[:, 0] + cos * steps[:, 1]], axis=1
    )
    world = forward_kinematics(ctx.skeleton, rotations, root)
    points = ctx.soles.in_world(world, ctx.skeleton)
    weights = contact_weights(points)
    shares = (weights[1:] + weights[:-1]) / 2
    back = np.einsum("fsp,fspi->fsi", shares, np.diff(points[..., :2], axis=0))
    both = plan.standing[1:] & plan.standing[:-1]
    count = both.sum(axis=1)
    pushed = -(back * both[..., None]).sum(axis=1) / np.maximum(count, 1)[:, None]
    known = np.flatnonzero(count)
    if not len(known):
        return plan.stride * own
    every = np.arange(len(own))
    change = np.stack(
        [np.interp(every, known, (pushed - own)[known, axis]) for axis in range(2)], axis=1
    )
    change = gaussian_filter1d(change, _SPEED_SMOOTH_S * ctx.fps, axis=0, mode="nearest")
    return plan.stride * (own + change)


def on_the_spot(
    ctx: Context, path: Float64, clip: Clip, tempo: float, track: Track, plan: Plan
) -> Float64:
    """The root's way (F, 3) as a person sees it who goes along smoothly.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    path : Float64
        (F, 3) the root's way, metres, world.
    clip : Clip
        The clip.
    tempo : float
        Share of the clip's own.
    track : Track
        The clip on the performance's frames.
    plan : Plan
        What happens when.

    Returns
    -------
    Float64
        (F, 3) metres, world.
    """
    stride_s = len(clip.root) / clip.fps / tempo if clip.loop else 1.0
    width = _PLACE_SHARE * stride_s * ctx.fps
    pad = min(int(4 * width) + 1, len(path) - 1)
    result = path.copy()
    if pad < 1:
        return result
    # Who goes along speeds up and slows down with the character; the rest is its own drift.
    share = plan.stride * plan.enter * (1 - plan.leave)
    speed = np.linalg.norm(track.root[-1, :2] - track.root[0, :2]) / (len(path) - 1)
    ahead = np.stack([np.sin(plan.heading), -np.cos(plan.heading)], axis=1)
    way = np.cumsum((speed * share)[:, None] * ahead, axis=0)
    own = path[:, :2] - ctx.start[:2] - (way - way[0])
    padded = np.pad(own, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
    drift = gaussian_filter1d(padded, width, axis=0)[pad:-pad]
    result[:, :2] = ctx.start[:2] + own - drift
    # The first frame is the photo's, and the last where it returns.
    fade = np.exp(-np.arange(len(path)) / max(width, 1e-6))[:, None]
    result[:, :2] += fade * (ctx.start[:2] - result[0, :2])
    if ctx.options.returns:
        result[:, :2] += fade[::-1] * (ctx.start[:2] - result[-1, :2])
    return result
