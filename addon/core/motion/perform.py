"""A clip performed by one character: from the photo's pose towards the viewer, on the ground.

The first frame is the photo's pose. From there every joint turns smoothly into the clip, the body
turns to the viewer, and the root goes where the standing feet push it. Only the way over the ground
is limited, by what the picture shows: steps get shorter, or are made on the spot, so that the whole
figure stays in the picture; poses stay the clip's. Or a clip that travels goes along a path and
ends standing where that does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ..body.pose import forward_kinematics
from ..errors import MotionError
from ..types import Clip, Float64, Mask, Motion, Pose, Skeleton
from . import clips
from .feet import Soles, leg_length, phases, soles_of, standing_feet
from .flesh import Flesh, flesh_of, lows_of, soles_down
from .floor import Carried, carried_by, feet_on, floor_under
from .foot_lock import contact_weights, lock_feet
from .framing import Border, borders, inside, led
from .hands import flat_hands, lock_hands
from .mirror import mirrored
from .options import PerformOptions
from .route import Route, route_along
from .sampling import clip_at, leg_angles
from .turns import apart, blend, continuous, heading, smooth, ways_ahead, wrapped
from .viewer import Viewer

# The character comes this close to the camera, or to this share of the way's start.
_NEAREST_M = 1.2
_NEAREST_SHARE = 0.62

# Joints take their time: none turns faster than this on the way into the clip (mean over the way).
_BLEND_SPEED_DEG_S = 200.0
_SINK_SPEED_M_S = 0.8  # nor does anybody sink to the floor faster
_LONGEST_BLEND_S = 1.2
_TURN_SPEED_DEG_S = 110.0
_STOP_S = 0.8
_REST_S = 0.5  # standing at the end of a path
_LAST_REST_S = 0.35  # standing at the end of a walk that had less room than time

# Clips that cover at least this, in leg lengths a second, travel; the others stay in place.
_TRAVELS = 0.3
_SHORTEST_STRIDE = 0.55  # shares of the clip's stride that a recording is shortened to
_SHUFFLE_M_S = 0.5  # of the way that is lost to the room before the camera
_SHUFFLE = 0.85  # shares of a stride: feet that lift no more for it would be dragged
_SLOWEST = 0.8  # share of the clip's tempo where there is little room to walk
_STRIDES = (1.0, 0.92, 0.84)  # tried so that whole steps end where the way does
_STRIDE_ROUNDS = 7  # of halving, to a hundredth of the clip's stride

# A foot that must go farther than this to where the clip wants it makes a step.
_STEP_M = 0.10
_STEP_TURN_DEG = 30.0
_IN_THE_AIR_M = 0.04
_SHORTEST_STEP_S = 0.3
_WEIGHT_SHIFT_S = 0.15  # before a foot leaves the ground
_FLOOR_SMOOTH_S = 0.1  # a floor that is found step by step

_UPRIGHT = 0.85  # a clip that ends with its root this high can go over into standing,
_UP = 0.5  # the pelvis upright (cosine)
_SPEED_SMOOTH_S = 0.08
_SWAY_SMOOTH_S = 0.6  # slower sideways moves than a stride's are drift
_PLACE_SHARE = 0.5  # of a stride: what is slower than this is way, what is faster stays in place
_MOST_STRETCH = 1.1  # of a stride, so that the last step ends where the path does
# The photo's pose comes back in this share of the frames at most.
_RETURN_SHARE = 0.45

# What a clip loses is worth a word where it is more than this.
_LOST_S = 0.5
_LOST_M, _LOST_SHARE = 0.3, 0.1


@dataclass(frozen=True, eq=False)
class _Track:
    """A clip on the character's frames, its root in metres, in the clip's own heading."""

    rotations: Float64  # (F, 24, 4)
    root: Float64  # (F, 3), over the clip's floor
    standing: Mask  # (F, 2)
    carried: Carried  # by something else than the feet
    upright: Mask  # (F,), on its feet or in the air
    length: int  # the frame from which on the root stays where it is


@dataclass(frozen=True, eq=False)
class _Plan:
    """What happens when, all (F,)."""

    enter: Float64  # 0 photo to 1 clip, and back where the photo's pose returns
    leave: Float64  # 0 clip to 1 idle
    turned: Float64  # 0 the photo's heading to 1 the motion's, and back
    heading: Float64  # radians about z
    stride: float  # share of the clip's way over the ground
    standing: Mask  # (F, 2)
    carried: Carried


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

    viewer : whom to face, and whose picture to stay in; None: somebody far along -y
    options : speed, mirroring, on the spot, return to the photo's pose; None: the defaults
    path : (N, 3) points on the ground, metres, world, to walk along instead of to the viewer;
        clips that do not travel, and those performed in place, do without
    flesh : what of the body touches the floor; None: the default body's

    Loops repeat and travel on; other clips end in standing, or hold their last pose when that is
    not upright. Whoever returns ends in the photo's pose, and where it was if it did not travel;
    from a clip that ends sitting or lying by getting up as it went down. The motion's warnings tell
    what had no time or no room.
    Raises MotionError when there is nothing to perform, or the path is none.
    """
    if frames < 1 or len(clip.root) == 0 or not fps > 0:
        raise MotionError("A motion needs at least one frame: ask for 1 frame or more.")
    root = np.asarray(photo_pose.root, np.float64)
    viewer = viewer or Viewer(np.array([root[0], -1e3, root[2]]))
    options = options or PerformOptions()
    travels = _speed(clip) > _TRAVELS
    route = route_along(path, root[:2]) if path is not None else None
    if options.in_place or not travels:
        route = None
    stage = _Stage(skeleton, photo_pose, fps, viewer, options, route, flesh or flesh_of(skeleton))
    return stage.play(mirrored(clip) if options.mirror else clip, frames, travels)


class _Stage:
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

    def play(self, clip: Clip, frames: int, travels: bool) -> Motion:
        begin = self._best_start(clip) if clip.loop and travels else 0.0
        tempo = self._tempo(clip, frames) if travels and clip.loop else 1.0
        tempo *= self.options.speed
        track = self._track(clip, frames, begin, tempo, self.options.returns and _ends_low(clip))
        upright = bool(track.upright.mean() > 0.5)
        # Who has come to the picture's front looks around: standing still, the picture is a photo.
        rest = self._track((clips.look if travels else clips.idle)(self.fps), frames, 0.0, 1.0)
        plan = self._with_start(self._plan(track, frames))
        if travels and upright:
            plan = self._with_stride(clip, track, rest, plan)
        plan = self._with_end(clip, track, rest, plan, travels and upright)
        if clip.loop and travels and upright and self.route is None:
            plan = self._with_stride(clip, track, rest, plan)  # stopping leaves room
        free, rotations, _ = self._compose(track, rest, plan)
        # Who steps, or lies down, finds room for it; a raised arm alone moves nobody.
        room = np.sqrt(plan.enter) if travels or not upright else None
        path = self._led(free, rotations, plan, room)
        if not travels:
            plan = self._with_steps(plan, rotations, path)
        if self.options.returns:
            path = self._brought_back(path, plan, travels)
            plan = _backwards(self._with_start(_backwards(plan)))
            plan = _backwards(self._with_steps(_backwards(plan), rotations[::-1], path[::-1]))
        rotations, path = self._on_ground(rotations, path, plan, self._slowed(free, path, plan))
        if self.options.in_place and travels:
            path = self._in_place(path, clip, tempo, track, plan)
        rotations[0] = self.pose.rotations
        path[0] = self.start
        if self.options.returns:
            rotations[-1], path[-1, 2] = self.pose.rotations, self.start[2]
        told = () if clip.loop else self._losses(clip, tempo, free, path, plan.stride)
        return Motion(self.fps, continuous(rotations), path, told)

    def _losses(
        self, clip: Clip, tempo: float, free: Float64, path: Float64, stride: float
    ) -> tuple[str, ...]:
        """A sentence for the time and the way that a clip which is no loop has not got.

        free, path : (F, 3) the root's way with and without what the picture shows in mind
        """
        found = []
        whole = (len(clip.root) - 1) / clip.fps / tempo
        shown = (len(path) - 1) / self.fps
        if whole > shown + _LOST_S and not self.options.returns:
            frames = int(np.ceil(whole * self.fps)) + 1
            found.append(
                f"The motion was cut after {shown:.1f} of its {whole:.1f} seconds: ask for "
                f"{frames} frames to see all of it."
            )
        # Over half a second, the body's sway is no way.
        step = max(int(self.fps / 2), 1)
        wanted, went = (
            float(np.linalg.norm(np.diff(way[::step, :2], axis=0), axis=1).sum())
            for way in (free, path)
        )
        wanted /= stride
        room = self.route is None and not self.options.in_place
        if room and wanted - went > max(_LOST_M, _LOST_SHARE * wanted):
            found.append(
                f"The motion goes {wanted:.1f} m, for which the picture has no room: "
                f"{wanted - went:.1f} m of it are made on the spot."
            )
        return tuple(found)

    def _borders(
        self, rotations: Float64, root: Float64, stride: float, settled: Float64 | None
    ) -> list[Border]:
        return borders(
            self.skeleton, self.flesh, self.viewer, rotations, root, self._nearest(), self.fps,
            stride, settled,
        )  # fmt: skip

    def _led(
        self, free: Float64, rotations: Float64, plan: _Plan, settled: Float64 | None
    ) -> Float64:
        """The root's way (F, 3), in the picture unless a path or the spot was asked for."""
        if self.route is not None or self.options.in_place:
            return free
        path = free.copy()
        found = self._borders(rotations, free, plan.stride, settled)
        path[:, :2] = led(free[:, :2], found, self.fps)
        return path

    def _with_stride(self, clip: Clip, track: _Track, rest: _Track, plan: _Plan) -> _Plan:
        """The plan with strides as long as the way before the camera or the path allows."""
        if self.options.in_place:
            return plan
        if self.route is not None:
            wanted = _speed(clip) * self.options.speed * self.leg * self._walking_s(len(track.root))
            stride = np.clip(self.route.length / max(wanted, 1e-6), _SHORTEST_STRIDE, 1.0)
            return replace(plan, stride=float(stride))
        path, rotations, _ = self._compose(track, rest, replace(plan, stride=1.0))
        way = path[:, :2] - path[0, :2]
        # Aside one is led along the border; ahead the steps are chosen for the room.
        fits, misses = 0.0, 1.0
        stride = 1.0
        for _ in range(_STRIDE_ROUNDS):
            near = [
                border
                for border in self._borders(rotations, path, stride, None)
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

    def _brought_back(self, path: Float64, plan: _Plan, travels: bool) -> Float64:
        """The root's way (F, 3), back where it began unless it has travelled."""
        if travels:
            return path
        back = 1.0 - plan.enter
        back[: int(plan.enter.argmax())] = 0.0
        result = path.copy()
        result[:, :2] += back[:, None] * (self.start[:2] - path[-1, :2])
        return result

    def _in_place(
        self, path: Float64, clip: Clip, tempo: float, track: _Track, plan: _Plan
    ) -> Float64:
        """The root's way (F, 3) as somebody sees it who goes along smoothly."""
        stride_s = len(clip.root) / clip.fps / tempo if clip.loop else 1.0
        width = _PLACE_SHARE * stride_s * self.fps
        pad = min(int(4 * width) + 1, len(path) - 1)
        result = path.copy()
        if pad < 1:
            return result
        # Who goes along speeds up and slows down with the character; the rest is its own drift.
        share = plan.stride * plan.enter * (1 - plan.leave)
        speed = np.linalg.norm(track.root[-1, :2] - track.root[0, :2]) / (len(path) - 1)
        ahead = np.stack([np.sin(plan.heading), -np.cos(plan.heading)], axis=1)
        way = np.cumsum((speed * share)[:, None] * ahead, axis=0)
        own = path[:, :2] - self.start[:2] - (way - way[0])
        padded = np.pad(own, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
        drift = gaussian_filter1d(padded, width, axis=0)[pad:-pad]
        result[:, :2] = self.start[:2] + own - drift
        # The first frame is the photo's, and the last where it returns.
        fade = np.exp(-np.arange(len(path)) / max(width, 1e-6))[:, None]
        result[:, :2] += fade * (self.start[:2] - result[0, :2])
        if self.options.returns:
            result[:, :2] += fade[::-1] * (self.start[:2] - result[-1, :2])
        return result

    def _slowed(self, free: Float64, path: Float64, plan: _Plan) -> Mask:
        """(F,) where the feet go much less far than in the clip: there they make steps of their
        own, off the ground, or they would shuffle."""
        if len(path) < 2:
            return np.zeros(len(path), bool)
        lost = np.linalg.norm(np.gradient(path - free, axis=0)[:, :2], axis=1) * self.fps
        return (lost > _SHUFFLE_M_S) | (plan.stride < _SHUFFLE)

    def _on_ground(
        self, rotations: Float64, path: Float64, plan: _Plan, slowed: Mask
    ) -> tuple[Float64, Float64]:
        """The performance with locked feet. What stands in the result is locked as well: feet at
        the ends of their stands, which the clip alone did not show as standing."""
        stepping = slowed | (plan.enter < 1.0) | ((plan.leave > 0.0) & (plan.leave < 1.0))
        standing = plan.standing
        for _ in range(2):
            locked, root = lock_feet(
                self.skeleton, self.soles, rotations, path, standing, plan.enter, stepping,
                self.fps, self.flesh, plan.carried, self.options.returns,
            )  # fmt: skip
            world = forward_kinematics(self.skeleton, locked, root)
            placed = self.soles.in_world(world, self.skeleton)
            standing = standing | (standing_feet(placed, self.fps) & soles_down(world))
        settled = plan.enter * (1 - plan.leave)
        locked = lock_hands(
            self.skeleton, self.flesh, locked, root, plan.carried, settled, self.fps
        )
        return locked, root

    def _walking_s(self, frames: int) -> float:
        """Seconds of a performance that are left for going; on a path there is time to come to
        rest at its end."""
        lost = self.options.blend_s + (_STOP_S + _REST_S if self.route else 0.0)
        return max(frames / self.fps - lost, 1e-6)

    def _tempo(self, clip: Clip, frames: int) -> float:
        """Share of the clip's tempo: a loop takes its time where there is little room."""
        if self.options.in_place:
            return 1.0
        wanted = _speed(clip) * self.options.speed * self.leg * self._walking_s(frames)
        least = max(self._nearest(), self.viewer.nearest(self.skeleton))
        way = self.route.length if self.route else self.distance - least
        return float(np.clip(way / (wanted * _SHORTEST_STRIDE), _SLOWEST, 1.0))

    def _nearest(self) -> float:
        """How near to the camera the character may come, metres."""
        return min(max(_NEAREST_M, _NEAREST_SHARE * self.distance), self.distance)

    def _track(
        self, clip: Clip, frames: int, begin: float, tempo: float, and_back: bool = False
    ) -> _Track:
        passed = np.arange(frames) * tempo * clip.fps / self.fps
        if and_back:
            passed = np.minimum(passed, passed[::-1])
        at = begin + passed
        rotations, root = clip_at(clip, at)
        root = root * self.leg
        root[:, 2] += self.skeleton.joints[0, 2] - clips.STANDING * self.leg
        length = int(np.flatnonzero(np.any(np.diff(root, axis=0), axis=1)).max(initial=0))
        rotations = flat_hands(self.skeleton, self.flesh, self.soles, rotations, root, self.fps)
        world = forward_kinematics(self.skeleton, rotations, root)
        placed = self.soles.in_world(world, self.skeleton)
        body = lows_of(self.flesh, world, self.fps)
        floor = floor_under(placed, self.fps, body)
        carried = carried_by(placed, body, self.fps, floor)
        standing = feet_on(placed, world, self.fps, floor, carried)
        root[:, 2] -= gaussian_filter1d(floor, _FLOOR_SMOOTH_S * self.fps, mode="nearest")
        high = root[:, 2] > _UPRIGHT * self.skeleton.joints[0, 2]
        upright = high & (world[:, 0, 2, 2] > _UP)
        return _Track(rotations, root, standing, carried, upright, length)

    def _best_start(self, clip: Clip) -> float:
        """The frame of a loop whose legs are nearest to the photo's."""
        apart = leg_angles(clip.rotations, self.pose.rotations[None])
        return float(apart.argmin())

    def _plan(self, track: _Track, frames: int) -> _Plan:
        goal = float(self.route.heading[0]) if self.route else self.to_viewer
        turn = wrapped(goal - self.facing)
        turned = Rotation.from_quat(track.rotations[:1, 0], scalar_first=True)
        about = heading(ways_ahead(turned.as_matrix())[0])
        tilt = Rotation.from_rotvec([0.0, 0.0, -about]) * turned[0]
        farthest = np.degrees(
            max(
                apart(self.pose.rotations[None, 1:], track.rotations[:1, 1:]).max(),
                (self.tilt.inv() * tilt).magnitude(),
            )
        )
        least = self.options.blend_s
        sinking = abs(self.start[2] - track.root[0, 2]) / _SINK_SPEED_M_S
        wanted = max(farthest / _BLEND_SPEED_DEG_S, sinking)
        blend = float(np.clip(wanted, least, max(_LONGEST_BLEND_S, least)))
        seconds = np.arange(frames) / self.fps
        turning = max(blend, abs(np.degrees(turn)) / _TURN_SPEED_DEG_S)
        enter = smooth(seconds / max(blend, 1e-6))
        turned = smooth(seconds / max(turning, 1e-6))
        if self.options.returns:
            longest = _RETURN_SHARE * seconds[-1]
            enter = enter * smooth(seconds[::-1] / max(min(blend, longest), 1e-6))
            turned = turned * smooth(seconds[::-1] / max(min(turning, longest), 1e-6))
        return _Plan(
            enter=enter,
            leave=np.zeros(frames),
            turned=turned,
            heading=self.facing + turn * turned,
            stride=1.0,
            standing=track.standing,
            carried=track.carried,
        )

    def _compose(
        self, track: _Track, rest: _Track, plan: _Plan
    ) -> tuple[Float64, Float64, Float64]:
        """Root (F, 3) and rotations (F, 24, 4) of photo, clip and idle, blended and travelling, and
        the metres (F,) gone towards the viewer or along the path."""
        if self.route is None:
            root, rotations, steps = self._moved(track, rest, plan)
            way = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
            root[:, :2] = self.start[:2] + way
            ahead = np.array([np.sin(self.to_viewer), -np.cos(self.to_viewer)])
            return root, rotations, way @ ahead
        # Where on the path one is says where one is heading, and that where the feet push: what
        # the clip would go is a first guess that one round mends.
        share = plan.stride * plan.enter * (1 - plan.leave)
        own = np.diff(track.root[:, :2], axis=0)
        along = np.concatenate([[0.0], np.cumsum(share[1:] * np.linalg.norm(own, axis=1))])
        for _ in range(2):
            turn = wrapped(self.route.heading[0] - self.facing)
            follows = self.route.heading_at(along) - self.route.heading[0]
            plan = replace(plan, heading=self.facing + plan.turned * (turn + follows))
            root, rotations, steps = self._moved(track, rest, plan)
            ahead = self.route.direction(along)
            # Nobody walks back on a path; the legs take up what feet push back while stopping.
            forward = np.maximum(np.einsum("fi,fi->f", steps, ahead[1:]), 0.0)
            along = np.concatenate([[0.0], np.cumsum(forward)])
        # Sideways the body sways as in the clip; what its feet push aside is taken up by the legs.
        sway = np.concatenate([[0.0], np.cumsum(share[1:] * own[:, 0])])
        slow = gaussian_filter1d(sway, _SWAY_SMOOTH_S * self.fps, mode="nearest")
        sway = sway - slow + slow[0]
        ahead = self.route.direction(along)
        left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
        root[:, :2] = self.route.at(along) + sway[:, None] * left
        return root, rotations, along

    def _moved(self, track: _Track, rest: _Track, plan: _Plan) -> tuple[Float64, Float64, Float64]:
        """Root (F, 3) that does not travel yet, rotations, and the steps (F - 1, 2) it makes."""
        moving = blend(track.rotations, rest.rotations, plan.leave)
        rotations = blend(self.pose.rotations[None], moving, plan.enter)
        # The root's heading is planned; only its tilt is blended.
        tilts = blend(self.tilt.as_quat(scalar_first=True)[None, None], moving[:, :1], plan.enter)
        about = np.zeros((len(moving), 3))
        about[:, 2] = plan.heading
        turned = Rotation.from_rotvec(about) * Rotation.from_quat(tilts[:, 0], scalar_first=True)
        rotations[:, 0] = turned.as_quat(scalar_first=True)

        height = (1 - plan.leave) * track.root[:, 2] + plan.leave * rest.root[:, 2]
        root = np.zeros((len(moving), 3))
        root[:, 2] = (1 - plan.enter) * self.start[2] + plan.enter * height
        return root, rotations, self._pushed(track, plan, rotations, root)

    def _pushed(self, track: _Track, plan: _Plan, rotations: Float64, root: Float64) -> Float64:
        """(F - 1, 2) steps of the root: pushed by the standing feet, in flight as the clip goes."""
        if len(root) < 2:
            return np.zeros((0, 2))
        steps = np.diff(track.root[:, :2], axis=0)
        share = plan.enter[1:] * (1 - plan.leave[1:])
        cos, sin = np.cos(plan.heading[1:]), np.sin(plan.heading[1:])
        own = share[:, None] * np.stack(
            [cos * steps[:, 0] - sin * steps[:, 1], sin * steps[:, 0] + cos * steps[:, 1]], axis=1
        )
        world = forward_kinematics(self.skeleton, rotations, root)
        points = self.soles.in_world(world, self.skeleton)
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
        change = gaussian_filter1d(change, _SPEED_SMOOTH_S * self.fps, axis=0, mode="nearest")
        return plan.stride * (own + change)

    def _with_start(self, plan: _Plan) -> _Plan:
        """The plan with the photo's standing feet standing for a moment, and through swings that
        the clip has nearly done: nobody lifts a foot at once."""
        world = forward_kinematics(
            self.skeleton, self.pose.rotations[None], np.asarray(self.start)[None]
        )
        height = self.soles.in_world(world, self.skeleton)[0, ..., 2].min(axis=1)
        standing = plan.standing.copy()
        for side in range(2):
            if height[side] < _IN_THE_AIR_M and not standing[:, side].all():
                swings = phases(~standing[:, side])
                start, stop = swings[0]
                if start == 0 and stop < len(standing):
                    short = stop < _SHORTEST_STEP_S * self.fps
                    standing[: stop if short else int(_WEIGHT_SHIFT_S * self.fps), side] = True
        return replace(plan, standing=standing)

    def _with_end(
        self, clip: Clip, track: _Track, rest: _Track, plan: _Plan, travels: bool
    ) -> _Plan:
        """The plan with the change into standing, where the path or the clip ends, and at the end
        of a walk that comes as near to the camera as it may."""
        frames = len(track.root)
        last = frames
        if not clip.loop and track.upright[-1]:
            # Not before it has got up and stands.
            risen = int(np.flatnonzero(~track.upright).max(initial=-1)) + 1
            if risen:
                stands = np.flatnonzero(track.standing[risen:].any(axis=1))
                risen += int(stands[0]) if len(stands) else frames
            last = min(last, max(track.length - int(_STOP_S * self.fps), risen, 0))
        elif clip.loop and travels and self.route is None and plan.stride < 1.0:
            late = frames - int((_STOP_S + _LAST_REST_S) * self.fps)
            entered = int(np.searchsorted(plan.enter, 1.0 - 1e-9))
            last = late if late > entered else last
        if self.route is not None:
            return self._ending_on(self.route, track, rest, plan, last)
        if last >= frames:
            return plan
        stop = min(_step_begin(track.standing, last, self.fps), last) if travels else last
        return self._stopping(track, plan, stop, travels)

    def _ending_on(
        self, route: Route, track: _Track, rest: _Track, plan: _Plan, last: int
    ) -> _Plan:
        """The plan that comes to rest at the path's end, or by `last` where that comes first."""
        too_far = np.flatnonzero(self._compose(track, rest, plan)[2] > route.length)
        if not len(too_far) and last >= len(track.root):
            return plan
        # How far the character goes on while it stops depends on the step it is in: of all stops
        # from well before the end on, the one that comes nearest to it.
        reached = int(too_far[0]) if len(too_far) else len(track.root)
        first = max(reached - int(2 * _STOP_S * self.fps), 0)
        stops = sorted({
            _step_begin(track.standing, stop, self.fps)
            for stop in range(min(first, last), min(reached, last) + 1)
        })  # fmt: skip
        plans = [
            self._stopping(track, replace(plan, stride=plan.stride * share), stop, True)
            for share in _STRIDES
            for stop in stops
        ]
        ways = np.array([self._compose(track, rest, stopped)[2].max() for stopped in plans])
        allowed = ways <= max(route.length, ways.min())
        best = int(np.where(allowed, ways, -np.inf).argmax())
        return self._to_the_end(track, rest, plans[best], route) if len(too_far) else plans[best]

    def _to_the_end(self, track: _Track, rest: _Track, plan: _Plan, route: Route) -> _Plan:
        """The plan with its stride such that its last step ends where the path does."""
        for _ in range(3):
            way = float(self._compose(track, rest, plan)[2][-1])
            plan = replace(plan, stride=plan.stride * min(route.length / way, _MOST_STRETCH))
        return plan

    def _stopping(self, track: _Track, plan: _Plan, stop: int, travels: bool) -> _Plan:
        leave = smooth((np.arange(len(track.root)) - stop) / (_STOP_S * self.fps))
        return replace(
            plan,
            leave=leave,
            standing=_ending(plan.standing, stop, leave, travels),
            carried=plan.carried.during(leave == 0.0),
        )

    def _with_steps(self, plan: _Plan, rotations: Float64, path: Float64) -> _Plan:
        """The plan with a step for each foot that the photo has elsewhere than the clip."""
        entered = plan.enter >= 1.0 - 1e-9
        turned = np.abs(plan.heading - plan.heading[plan.turned.argmax()]) < 1e-3
        done = max(int(entered.argmax()), int(turned.argmax()))
        if not entered.any() or done < 4:
            return plan
        points = self.soles.in_world(
            forward_kinematics(self.skeleton, rotations, path), self.skeleton
        )
        first, last = points[0], points[done]
        away = np.linalg.norm((last - first).mean(axis=1)[:, :2], axis=1)
        turns = [
            abs(np.degrees(wrapped(_foot_heading(last[s]) - _foot_heading(first[s]))))
            for s in range(2)
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


def _backwards(plan: _Plan) -> _Plan:
    return replace(
        plan,
        enter=plan.enter[::-1],
        leave=plan.leave[::-1],
        turned=plan.turned[::-1],
        heading=plan.heading[::-1],
        standing=plan.standing[::-1],
        carried=plan.carried.backwards(),
    )


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


def _ends_low(clip: Clip) -> bool:
    """Whether a clip ends sitting or lying: one gets up from there by its way backwards."""
    return not clip.loop and bool(clip.root[-1, 2] < _UPRIGHT * clips.STANDING)


def _speed(clip: Clip) -> float:
    """Mean speed of the clip from its first to its last place, leg lengths a second."""
    if len(clip.root) < 2:
        return 0.0
    way = np.linalg.norm(clip.root[-1, :2] - clip.root[0, :2])
    return float(way * clip.fps / (len(clip.root) - 1))


def _foot_heading(sole: Float64) -> float:
    return heading((sole[1] - sole[0])[:2])
