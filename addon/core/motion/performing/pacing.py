"""How far and how fast a clip goes: tempo and stride for the room there is, and where it stops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...numerics.easing import smootherstep
from ...types import Clip, Float64, Mask
from ..ground.feet import phases
from .composing import compose
from .context import Context, Plan, Track, nearest, speed_of
from .framing import Border, borders, inside, led
from .path_following import Route

_STOP_S = 0.8
_REST_S = 0.5  # standing at the end of a path
_LAST_REST_S = 0.35  # standing at the end of a walk that had less room than time
_SHORTEST_STRIDE = 0.55  # shares of the clip's stride that a recording is shortened to
_SLOWEST = 0.8  # share of the clip's tempo where there is little room to walk
_STRIDES = (1.0, 0.92, 0.84)  # tried so that whole steps end where the way does
_STRIDE_ROUNDS = 7  # of halving, to a hundredth of the clip's stride
_MOST_STRETCH = 1.1  # of a stride, so that the last step ends where the path does


def tempo_of(ctx: Context, clip: Clip, frames: int) -> float:
    """Share of the clip's tempo: a loop takes its time where there is little room.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    clip : Clip
        The clip.
    frames : int
        How many.

    Returns
    -------
    float
        At most 1.
    """
    if ctx.options.in_place:
        return 1.0
    wanted = speed_of(clip) * ctx.options.speed * ctx.leg * _walking_s(ctx, frames)
    least = max(nearest(ctx), ctx.viewer.nearest(ctx.skeleton))
    way = ctx.route.length if ctx.route else ctx.distance - least
    return float(np.clip(way / (wanted * _SHORTEST_STRIDE), _SLOWEST, 1.0))


def with_stride(ctx: Context, clip: Clip, track: Track, rest: Track, plan: Plan) -> Plan:
    """The plan with strides as long as the way before the camera or the path allows.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    clip : Clip
        The clip.
    track : Track
        The clip on the performance's frames.
    rest : Track
        Standing, on the same frames.
    plan : Plan
        What happens when.

    Returns
    -------
    Plan
        Its `stride` set.
    """
    if ctx.options.in_place:
        return plan
    if ctx.route is not None:
        wanted = speed_of(clip) * ctx.options.speed * ctx.leg * _walking_s(ctx, len(track.root))
        stride = np.clip(ctx.route.length / max(wanted, 1e-6), _SHORTEST_STRIDE, 1.0)
        return replace(plan, stride=float(stride))
    path, rotations, _ = compose(ctx, track, rest, replace(plan, stride=1.0))
    way = path[:, :2] - path[0, :2]
    # Aside one is led along the border; ahead the steps are chosen for the room.
    fits, misses = 0.0, 1.0
    stride = 1.0
    for _ in range(_STRIDE_ROUNDS):
        near = [
            border
            for border in borders_of(ctx, rotations, path, stride, None)
            if border.edge == "near"
        ]
        if inside(path[0, :2] + stride * way, near):
            fits = stride
            if stride == 1.0:
                break
        else:
            misses = stride
        stride = (fits + misses) / 2
    least = 0.0 if clip.loop else _SHORTEST_STRIDE
    return replace(plan, stride=max(fits, least))


def led_way(
    ctx: Context, free: Float64, rotations: Float64, plan: Plan, settled: Float64 | None
) -> Float64:
    """The root's way (F, 3), in the picture unless a path or the spot was asked for.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    free : Float64
        (F, 3) the way that the clip goes by itself, metres, world.
    rotations : Float64
        (F, 24, 4) local quaternions, w first.
    plan : Plan
        What happens when.
    settled : Float64 | None
        (F,) 0..1, as `framing.borders` takes it.

    Returns
    -------
    Float64
        (F, 3) metres, world.
    """
    if ctx.route is not None or ctx.options.in_place:
        return free
    path = free.copy()
    found = borders_of(ctx, rotations, free, plan.stride, settled)
    path[:, :2] = led(free[:, :2], found, ctx.fps)
    return path


def borders_of(
    ctx: Context,
    rotations: Float64,
    root: Float64,
    stride: float,
    settled: Float64 | None,
) -> list[Border]:
    """The borders of the room before the camera, as `framing.borders` finds them.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    rotations : Float64
        (F, 24, 4) local quaternions, w first.
    root : Float64
        (F, 3) pelvis, metres, world.
    stride : float
        Share of their steps that the legs will go.
    settled : Float64 | None
        (F,) 0..1, as `framing.borders` takes it.

    Returns
    -------
    list[Border]
        Half-planes of the ground.
    """
    return borders(
        ctx.skeleton, ctx.flesh, ctx.viewer, rotations, root, nearest(ctx), ctx.fps,
        stride, settled,
    )  # fmt: skip


def with_end(
    ctx: Context, clip: Clip, track: Track, rest: Track, plan: Plan, travels: bool
) -> Plan:
    """The plan with the change into standing, where the path or the clip ends, and at the end
    of a walk that comes as near to the camera as it may.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    clip : Clip
        The clip.
    track : Track
        The clip on the performance's frames.
    rest : Track
        Standing, on the same frames.
    plan : Plan
        What happens when.
    travels : bool
        Whether the clip goes along a way.

    Returns
    -------
    Plan
        Its `leave` set.
    """
    frames = len(track.root)
    last = frames
    if not clip.loop and track.upright[-1]:
        # Not before it has got up and stands.
        risen = int(np.flatnonzero(~track.upright).max(initial=-1)) + 1
        if risen:
            stands = np.flatnonzero(track.standing[risen:].any(axis=1))
            risen += int(stands[0]) if len(stands) else frames
        last = min(last, max(track.length - int(_STOP_S * ctx.fps), risen, 0))
    elif clip.loop and travels and ctx.route is None and plan.stride < 1.0:
        late = frames - int((_STOP_S + _LAST_REST_S) * ctx.fps)
        entered = int(np.searchsorted(plan.enter, 1.0 - 1e-9))
        last = late if late > entered else last
    if ctx.route is not None:
        return _ending_on(ctx, ctx.route, track, rest, plan, last)
    if last >= frames:
        return plan
    stop = min(_step_begin(track.standing, last, ctx.fps), last) if travels else last
    return _stopping(ctx, track, plan, stop, travels)


def _ending_on(
    ctx: Context, route: Route, track: Track, rest: Track, plan: Plan, last: int
) -> Plan:
    """The plan that comes to rest at the path's end, or by `last` where that comes first."""
    too_far = np.flatnonzero(compose(ctx, track, rest, plan)[2] > route.length)
    if not len(too_far) and last >= len(track.root):
        return plan
    # How far the character goes on while it stops depends on the step it is in: of all stops
    # from well before the end on, the one that comes nearest to it.
    reached = int(too_far[0]) if len(too_far) else len(track.root)
    first = max(reached - int(2 * _STOP_S * ctx.fps), 0)
    stops = sorted({
        _step_begin(track.standing, stop, ctx.fps)
        for stop in range(min(first, last), min(reached, last) + 1)
    })  # fmt: skip
    plans = [
        _stopping(ctx, track, replace(plan, stride=plan.stride * share), stop, True)
        for share in _STRIDES
        for stop in stops
    ]
    ways = np.array([compose(ctx, track, rest, stopped)[2].max() for stopped in plans])
    allowed = ways <= max(route.length, ways.min())
    best = int(np.where(allowed, ways, -np.inf).argmax())
    return _to_the_end(ctx, track, rest, plans[best], route) if len(too_far) else plans[best]


def _to_the_end(ctx: Context, track: Track, rest: Track, plan: Plan, route: Route) -> Plan:
    """The plan with its stride such that its last step ends where the path does."""
    for _ in range(3):
        way = float(compose(ctx, track, rest, plan)[2][-1])
        plan = replace(plan, stride=plan.stride * min(route.length / way, _MOST_STRETCH))
    return plan


def _stopping(ctx: Context, track: Track, plan: Plan, stop: int, travels: bool) -> Plan:
    leave = smootherstep((np.arange(len(track.root)) - stop) / (_STOP_S * ctx.fps))
    return replace(
        plan,
        leave=leave,
        standing=_ending(plan.standing, stop, leave, travels),
        carried=plan.carried.during(leave == 0.0),
    )


def _walking_s(ctx: Context, frames: int) -> float:
    """Seconds of a performance that are left for going; on a path there is time to come to
    rest at its end."""
    lost = ctx.options.blend_s + (_STOP_S + _REST_S if ctx.route else 0.0)
    return max(frames / ctx.fps - lost, 1e-6)


def _step_begin(standing: Mask, stop: int, fps: float) -> int:
    """The frame near `stop` where a foot has just come down: the other one makes the last step."""
    begins = [start for side in range(2) for start, _ in phases(standing[:, side]) if start > 0]
    near = [start for start in begins if abs(start - stop) < 0.4 * fps]
    return min(near, key=lambda start: abs(start - stop)) if near else stop


def _ending(standing: Mask, stop: int, leave: Float64, travels: bool) -> Mask:
    """Which foot stands when, with the change into standing: the foot that stands last stays, the
    other comes beside it."""
    result = standing.copy()
    arrived = int(np.searchsorted(leave, 0.95)) if leave[-1] >= 0.95 else len(leave)
    if travels and arrived > stop:
        began = [
            max((start for start, _ in phases(standing[:, side]) if start <= stop), default=-1)
            for side in range(2)
        ]
        stays = int(np.argmax(began))
        result[stop:, stays] = True
        other = 1 - stays
        lifts = np.flatnonzero(~standing[stop:arrived, other])
        leaves = stop + (int(lifts[0]) if len(lifts) else (arrived - stop) // 3)
        result[leaves:arrived, other] = False
    result[arrived:] = True
    return result
