"""Who performs a clip where: the character before the camera, the clip on its frames, and the plan
of what happens when."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ...body.world_pose import forward_kinematics
from ...types import Clip, Float32, Float64, Mask, Pose, Skeleton
from .. import clips
from ..editing.orientation import heading, ways_ahead
from ..editing.sampling import clip_at, face_at
from ..ground.feet import Soles, leg_length, soles_of
from ..ground.flesh import Flesh, lows_of
from ..ground.floor import Carried, carried_by, feet_on, floor_under
from ..ground.hands import flat_hands
from .options import PerformOptions
from .path_following import Route
from .viewer import Viewer

# The character comes this close to the camera, or to this share of the way's start.
_NEAREST_M = 1.2
_NEAREST_SHARE = 0.62
_FLOOR_SMOOTH_S = 0.1  # a floor that is found step by step
_UPRIGHT = 0.85  # of the standing root's height: lower is sitting or lying,
_UP = 0.5  # and so is a pelvis that leans farther (cosine)


@dataclass(frozen=True, eq=False)
class Track:
    """A clip on the character's frames, its root in metres, in the clip's own heading."""

    rotations: Float64  # (F, 24, 4)
    root: Float64  # (F, 3), over the clip's floor
    standing: Mask  # (F, 2)
    carried: Carried  # by something else than the feet
    upright: Mask  # (F,), on its feet or in the air
    length: int  # the frame from which on the root stays where it is
    face: Float32 | None  # (F, 52), as in Clip


@dataclass(frozen=True, eq=False)
class Plan:
    """What happens when, all (F,)."""

    enter: Float64  # 0 photo to 1 clip, and back where the photo's pose returns
    leave: Float64  # 0 clip to 1 idle
    turned: Float64  # 0 the photo's heading to 1 the motion's, and back
    heading: Float64  # radians about z
    stride: float  # share of the clip's way over the ground
    standing: Mask  # (F, 2)
    carried: Carried


class Context:
    """One character before one camera."""

    def __init__(
        self,
        skeleton: Skeleton,
        pose: Pose,
        fps: float,
        viewer: Viewer,
        options: PerformOptions,
        route: Route | None,
        flesh: Flesh,
    ) -> None:
        self.options = options
        self.route = route
        self.skeleton = skeleton
        self.fps = fps
        self.soles: Soles = soles_of(skeleton)
        self.flesh = flesh
        self.leg = leg_length(skeleton)
        self.pose = pose
        self.start = np.asarray(pose.root, np.float64)
        towards = np.asarray(viewer.position, np.float64)[:2] - self.start[:2]
        self.distance = float(np.linalg.norm(towards))
        self.viewer = viewer
        self.to_viewer = heading(towards) if self.distance > 1e-6 else 0.0
        first = Rotation.from_quat(pose.rotations[0], scalar_first=True)
        self.facing = heading(ways_ahead(first.as_matrix()[None])[0])
        self.tilt = Rotation.from_rotvec([0.0, 0.0, -self.facing]) * first


def nearest(ctx: Context) -> float:
    """How near to the camera the character may come, metres.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.

    Returns
    -------
    float
        Metres.
    """
    return min(max(_NEAREST_M, _NEAREST_SHARE * ctx.distance), ctx.distance)


def track_of(
    ctx: Context,
    clip: Clip,
    frames: int,
    begin: float,
    tempo: float,
    and_back: bool = False,
) -> Track:
    """The clip from its frame `begin` on, `tempo` times its own, over the floor that it touches.

    Parameters
    ----------
    ctx : Context
        Who performs, and where.
    clip : Clip
        The clip.
    frames : int
        How many.
    begin : float
        Frame of the clip, counted from 0.
    tempo : float
        Share of the clip's own.
    and_back : bool
        Whether it goes as far as half of the frames allow, and back the same way.

    Returns
    -------
    Track
        As many frames as asked for.
    """
    passed = np.arange(frames) * tempo * clip.fps / ctx.fps
    if and_back:
        passed = np.minimum(passed, passed[::-1])
    at = begin + passed
    rotations, root = clip_at(clip, at)
    root = root * ctx.leg
    root[:, 2] += ctx.skeleton.joints[0, 2] - clips.STANDING * ctx.leg
    length = int(np.flatnonzero(np.any(np.diff(root, axis=0), axis=1)).max(initial=0))
    rotations = flat_hands(ctx.skeleton, ctx.flesh, ctx.soles, rotations, root, ctx.fps)
    world = forward_kinematics(ctx.skeleton, rotations, root)
    placed = ctx.soles.in_world(world, ctx.skeleton)
    body = lows_of(ctx.flesh, world, ctx.fps)
    floor = floor_under(placed, ctx.fps, body)
    carried = carried_by(placed, body, ctx.fps, floor)
    standing = feet_on(placed, world, ctx.fps, floor, carried)
    root[:, 2] -= gaussian_filter1d(floor, _FLOOR_SMOOTH_S * ctx.fps, mode="nearest")
    high = root[:, 2] > _UPRIGHT * ctx.skeleton.joints[0, 2]
    upright = high & (world[:, 0, 2, 2] > _UP)
    return Track(rotations, root, standing, carried, upright, length, face_at(clip, at))


def backwards(plan: Plan) -> Plan:
    """The plan of the same motion, the last frame first.

    Parameters
    ----------
    plan : Plan
        What happens when.

    Returns
    -------
    Plan
        As many frames.
    """
    return replace(
        plan,
        enter=plan.enter[::-1],
        leave=plan.leave[::-1],
        turned=plan.turned[::-1],
        heading=plan.heading[::-1],
        standing=plan.standing[::-1],
        carried=plan.carried.backwards(),
    )


def speed_of(clip: Clip) -> float:
    """Mean speed of the clip from its first to its last place, leg lengths a second.

    Parameters
    ----------
    clip : Clip
        The clip.

    Returns
    -------
    float
        Leg lengths per second.
    """
    if len(clip.root) < 2:
        return 0.0
    way = np.linalg.norm(clip.root[-1, :2] - clip.root[0, :2])
    return float(way * clip.fps / (len(clip.root) - 1))
