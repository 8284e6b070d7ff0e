"""A clip performed by one character: from the photo's pose towards the viewer, on the ground.

The first frame is the photo's pose. From there every joint turns smoothly into the clip, the body
turns to the viewer, and the root goes where the standing feet push it. Only the way over the ground
is limited, by what the picture shows: steps get shorter, or are made on the spot, so that the whole
figure stays in the picture; poses stay the clip's. Or a clip that travels goes along a path and
ends standing where that does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...body.world_pose import forward_kinematics
from ...errors import MotionError
from ...numerics.rotations import continuous
from ...types import Clip, Float32, Float64, Mask, Motion, Pose, Skeleton
from .. import clips
from ..editing.mirror import mirrored
from ..editing.sampling import leg_angles
from ..ground.feet import standing_feet
from ..ground.flesh import Flesh, flesh_of, soles_down
from ..ground.foot_lock import lock_feet
from ..ground.hands import lock_hands
from .composing import compose, on_the_spot
from .context import Context, Plan, Track, backwards, speed_of, track_of
from .entering import plan_of, with_start, with_steps
from .options import PerformOptions
from .pacing import led_way, tempo_of, with_end, with_stride
from .path_following import route_along
from .viewer import Viewer

# Clips that cover at least this, in leg lengths a second, travel; the others stay in place.
_TRAVELS = 0.3
_SHUFFLE_M_S = 0.5  # of the way that is lost to the room before the camera
_SHUFFLE = 0.85  # shares of a stride: feet that lift no more for it would be dragged
_UPRIGHT = 0.85  # of the standing root's height: what ends lower sits or lies
# What a clip loses is worth a word where it is more than this.
_LOST_S = 0.5
_LOST_M, _LOST_SHARE = 0.3, 0.1


def perform(
    skeleton: Skeleton,
    photo_pose: Pose,
    clip: Clip,
    frames: int,
    fps: float,
    viewer: Viewer | None = None,
    options: PerformOptions | None = None,
    path: npt.ArrayLike | None = None,
    flesh: Flesh | None = None,
) -> Motion:
    """The clip's motion for one character, `frames` long, beginning with the photo's pose.

    Loops repeat and travel on; other clips end in standing, or hold their last pose when that is
    not upright. Anyone who returns ends in the photo's pose, and where it was if it did not travel;
    from a clip that ends sitting or lying by getting up as it went down. The motion's warnings name
    what had no time or no room.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    photo_pose : Pose
        The first frame's.
    clip : Clip
        The clip.
    frames : int
        How many.
    fps : float
        Frames per second.
    viewer : Viewer | None
        The viewer to face, and whose picture to stay in; None: a person far along -y.
    options : PerformOptions | None
        Speed, mirroring, on the spot, return to the photo's pose; None: the defaults.
    path : npt.ArrayLike | None
        (N, 3) points on the ground, metres, world, to walk along instead of to the viewer;
        clips that do not travel, and those performed in place, do without.
    flesh : Flesh | None
        What of the body touches the floor; None: the default body's.

    Returns
    -------
    Motion
        World axes, metres.

    Raises
    ------
    MotionError
        If there is nothing to perform, or the path is none.
    """
    if frames < 1 or len(clip.root) == 0 or not fps > 0:
        raise MotionError("A motion needs at least one frame: ask for 1 frame or more.")
    root = np.asarray(photo_pose.root, np.float64)
    viewer = viewer or Viewer(np.array([root[0], -1e3, root[2]]))
    options = options or PerformOptions()
    travels = speed_of(clip) > _TRAVELS
    route = route_along(path, root[:2]) if path is not None else None
    if options.in_place or not travels:
        route = None
    ctx = Context(skeleton, photo_pose, fps, viewer, options, route, flesh or flesh_of(skeleton))
    return _play(ctx, mirrored(clip) if options.mirror else clip, frames, travels)


def _play(ctx: Context, clip: Clip, frames: int, travels: bool) -> Motion:
    begin = _best_start(ctx, clip) if clip.loop and travels else 0.0
    tempo = tempo_of(ctx, clip, frames) if travels and clip.loop else 1.0
    tempo *= ctx.options.speed
    track = track_of(ctx, clip, frames, begin, tempo, ctx.options.returns and _ends_low(clip))
    upright = bool(track.upright.mean() > 0.5)
    # Who has come to the picture's front looks around: standing still, the picture is a photo.
    rest = track_of(ctx, (clips.look if travels else clips.idle)(ctx.fps), frames, 0.0, 1.0)
    plan = with_start(ctx, plan_of(ctx, track, frames))
    if travels and upright:
        plan = with_stride(ctx, clip, track, rest, plan)
    plan = with_end(ctx, clip, track, rest, plan, travels and upright)
    if clip.loop and travels and upright and ctx.route is None:
        plan = with_stride(ctx, clip, track, rest, plan)  # stopping leaves room
    free, rotations, _ = compose(ctx, track, rest, plan)
    # Who steps, or lies down, finds room for it; a raised arm alone moves no one.
    room = np.sqrt(plan.enter) if travels or not upright else None
    path = led_way(ctx, free, rotations, plan, room)
    if not travels:
        plan = with_steps(ctx, plan, rotations, path)
    if ctx.options.returns:
        path = _brought_back(ctx, path, plan, travels)
        plan = backwards(with_start(ctx, backwards(plan)))
        plan = backwards(with_steps(ctx, backwards(plan), rotations[::-1], path[::-1]))
    rotations, path = _on_ground(ctx, rotations, path, plan, _slowed(ctx, free, path, plan))
    if ctx.options.in_place and travels:
        path = on_the_spot(ctx, path, clip, tempo, track, plan)
    rotations[0] = ctx.pose.rotations
    path[0] = ctx.start
    if ctx.options.returns:
        rotations[-1], path[-1, 2] = ctx.pose.rotations, ctx.start[2]
    # A loop has no end to lose; one that walks takes the strides that there is room for.
    told = () if clip.loop else _lost_end(ctx, clip, tempo, frames)
    # That the project's own loops are at home on the spot needs no word.
    if not (clip.loop and upright and clip.name in clips.CLIPS):
        told += _lost_way(ctx, track, free, path, plan)
    goes = travels and not ctx.options.in_place
    return Motion(ctx.fps, continuous(rotations), path, told, goes, _face(track, plan))


def _face(track: Track, plan: Plan) -> Float32 | None:
    """(F, 52) the clip's face where the clip is performed, at rest in the photo's pose and in
    standing: what the photo's face shows is in the mesh already."""
    if track.face is None:
        return None
    share = plan.enter * (1 - plan.leave)
    face: Float32 = (share[:, None] * track.face).astype(np.float32)
    return face


def _lost_end(ctx: Context, clip: Clip, tempo: float, frames: int) -> tuple[str, ...]:
    """A sentence where the frames end before the clip does."""
    whole = (len(clip.root) - 1) / clip.fps / tempo
    shown = (frames - 1) / ctx.fps
    if whole <= shown + _LOST_S or ctx.options.returns:
        return ()
    wanted = int(np.ceil(whole * ctx.fps)) + 1
    return (
        f"The motion was cut after {shown:.1f} of its {whole:.1f} seconds: ask for {wanted} frames "
        "to see all of it.",
    )


def _lost_way(
    ctx: Context, track: Track, free: Float64, path: Float64, plan: Plan
) -> tuple[str, ...]:
    """A sentence where the picture has no room for the clip's way.

    free, path : (F, 3) the root's way without and with what the picture shows in mind
    """
    if ctx.route is not None or ctx.options.in_place:
        return ()
    # Over half a second, the body's sway is no way, and neither is lying down, before the clip.
    step = max(int(ctx.fps / 2), 1)
    begun = int(plan.enter.argmax())
    own, wanted, went = (
        float(np.linalg.norm(np.diff(way[begun::step, :2], axis=0), axis=1).sum())
        for way in (track.root, free, path)
    )
    wanted = min(wanted / plan.stride, own) if plan.stride > 0 else own
    if wanted - went <= max(_LOST_M, _LOST_SHARE * wanted):
        return ()
    return (
        f"The motion goes {wanted:.1f} m, for which the picture has no room: "
        f"{wanted - went:.1f} m of it are made on the spot.",
    )


def _brought_back(ctx: Context, path: Float64, plan: Plan, travels: bool) -> Float64:
    """The root's way (F, 3), back where it began unless it has travelled."""
    if travels:
        return path
    back = 1.0 - plan.enter
    back[: int(plan.enter.argmax())] = 0.0
    result = path.copy()
    result[:, :2] += back[:, None] * (ctx.start[:2] - path[-1, :2])
    return result


def _slowed(ctx: Context, free: Float64, path: Float64, plan: Plan) -> Mask:
    """(F,) where the feet go much less far than in the clip: there they make steps of their
    own, off the ground, or they would shuffle."""
    if len(path) < 2:
        return np.zeros(len(path), bool)
    lost = np.linalg.norm(np.gradient(path - free, axis=0)[:, :2], axis=1) * ctx.fps
    return (lost > _SHUFFLE_M_S) | (plan.stride < _SHUFFLE)


def _on_ground(
    ctx: Context, rotations: Float64, path: Float64, plan: Plan, slowed: Mask
) -> tuple[Float64, Float64]:
    """The performance with locked feet. What stands in the result is locked as well: feet at
    the ends of their stands, which the clip alone did not show as standing."""
    stepping = slowed | (plan.enter < 1.0) | ((plan.leave > 0.0) & (plan.leave < 1.0))
    standing = plan.standing
    for _ in range(2):
        locked, root = lock_feet(
            ctx.skeleton, ctx.soles, rotations, path, standing, plan.enter, stepping,
            ctx.fps, ctx.flesh, plan.carried, ctx.options.returns,
        )  # fmt: skip
        world = forward_kinematics(ctx.skeleton, locked, root)
        placed = ctx.soles.in_world(world, ctx.skeleton)
        standing = standing | (standing_feet(placed, ctx.fps) & soles_down(world))
    settled = plan.enter * (1 - plan.leave)
    locked = lock_hands(ctx.skeleton, ctx.flesh, locked, root, plan.carried, settled, ctx.fps)
    return locked, root


def _best_start(ctx: Context, clip: Clip) -> float:
    """The frame of a loop whose legs are nearest to the photo's."""
    apart = leg_angles(clip.rotations, ctx.pose.rotations[None])
    return float(apart.argmin())


def _ends_low(clip: Clip) -> bool:
    """Whether a clip ends sitting or lying: one gets up from there by its way backwards."""
    return not clip.loop and bool(clip.root[-1, 2] < _UPRIGHT * clips.STANDING)
