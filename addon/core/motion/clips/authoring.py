"""Tools for writing clips by hand: segment orientations, periodic curves, a standard leg.

Clips are written as the orientations of body segments in the world (what gait tables give), and
turned into joint rotations at the end. Angles are degrees. The person looks along -y, the left is
+x; a flexed thigh, a swung arm and a bent elbow point forward, a flexed knee backward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.spatial.transform import Rotation, Slerp

from ...body.model.skeleton import JOINT, JOINT_COUNT, PARENTS
from ...types import Float64

Curve = Callable[[Float64], Float64]

LEFT, RIGHT = 1.0, -1.0  # a side is the sign of its x
STANDING = 1.0  # root height of a body that stands straight, by definition of a clip's root

# The default body's leg in leg lengths (thigh and shin together); forward is -y.
LEG_LENGTH_M = 0.823
HIP_HALF_WIDTH = 0.131
HIP_DROP = 0.061  # hip joints below the pelvis joint
THIGH = 0.489
SHIN = 0.511
ANKLE_HEIGHT = 0.091  # ankle joint over the sole
HEEL = np.array([0.0, 0.070, -ANKLE_HEIGHT])  # from the ankle, foot flat
BALL = np.array([0.0, -0.169, -ANKLE_HEIGHT])
TOE_TIP = np.array([0.0, -0.071, 0.0])  # from the ball, toes flat
# Pelvis joint over the ground when the leg is straight and the sole flat.
STRAIGHT = HIP_DROP + THIGH + SHIN + ANKLE_HEIGHT

_LONGEST = 0.9995 * (THIGH + SHIN)  # a reaching leg keeps a bend that shows where its knee is


@dataclass(frozen=True)
class Leg:
    """A leg's orientations (F frames) and the places of its sole's points."""

    thigh: Rotation
    shin: Rotation
    foot: Rotation
    toes: Rotation
    sole: Float64  # (F, 3, 3): heel, ball and toe tip from the pelvis joint, leg lengths


def about(axis: str, degrees: npt.ArrayLike) -> Rotation:
    """Rotations about a world axis ('x', 'y' or 'z').

    Parameters
    ----------
    axis : str
        'x', 'y' or 'z', world.
    degrees : npt.ArrayLike
        (F,) or one.

    Returns
    -------
    Rotation
        As many rotations.
    """
    return Rotation.from_euler(axis, np.asarray(degrees, np.float64).reshape(-1, 1), degrees=True)


def whole_frames(seconds: float, fps: float) -> int:
    """Whole frames of a loop, so that its last is followed exactly by its first.

    Parameters
    ----------
    seconds : float
        The loop's length.
    fps : float
        Frames per second.

    Returns
    -------
    int
        At least 2.
    """
    return max(int(round(seconds * fps)), 2)


def cyclic(keys: Mapping[float, float]) -> Curve:
    """A smooth curve of period 1 through values at phases in percent (twice differentiable).

    Parameters
    ----------
    keys : Mapping[float, float]
        Phase in per cent to value.

    Returns
    -------
    Curve
        Takes phases 0..1, any shape.
    """
    at = np.array([*keys, 100.0]) / 100.0
    values = np.array([*keys.values(), next(iter(keys.values()))], np.float64)
    spline = CubicSpline(at, values, bc_type="periodic")
    return lambda phase: spline(np.asarray(phase) % 1.0)


def keyed(times: Sequence[float], values: Sequence[float]) -> Curve:
    """A curve through values at times that rests at every turning point and does not overshoot;
    flat at both ends, so that a clip which ends as it begins repeats smoothly.

    Parameters
    ----------
    times : Sequence[float]
        Increasing.
    values : Sequence[float]
        One for each time.

    Returns
    -------
    Curve
        Takes times, any shape.
    """
    # Flat ends: the neighbours across the wrap hold the end values.
    span = times[-1] - times[0]
    at = [times[0] - span, *times, times[-1] + span]
    curve = PchipInterpolator(at, [values[0], *values, values[-1]])
    return lambda time: curve(np.asarray(time))


def pose_leg(
    side: float,
    pelvis: Rotation,
    flexion: Float64,
    adduction: Float64,
    knee: Float64,
    foot_pitch: Float64,
    toe_out: float,
    toes_flat: Float64,
) -> Leg:
    """A leg from its angles (F,): the thigh's and foot's against the vertical, the knee's between.

    Parameters
    ----------
    side : float
        1 on the left, -1 on the right.
    pelvis : Rotation
        Orientation of the pelvis, frame by frame, world.
    flexion : Float64
        (F,) degrees, thigh forward.
    adduction : Float64
        (F,) degrees, leg towards the middle.
    knee : Float64
        (F,) degrees, bent.
    foot_pitch : Float64
        (F,) degrees, heel up.
    toe_out : float
        Degrees, foot turned outward.
    toes_flat : Float64
        (F,) 0..1, how far the toes stay flat while the heel is up.

    Returns
    -------
    Leg
        Its segments' orientations and its sole.
    """
    frames = len(flexion)
    thigh = about("y", side * adduction) * about("x", -flexion)
    shin = thigh * about("x", knee)
    heading = about("z", np.full(frames, side * toe_out))
    foot = heading * about("x", foot_pitch)
    toes = heading * about("x", foot_pitch * (1.0 - toes_flat))
    hip = pelvis.apply([side * HIP_HALF_WIDTH, 0.0, -HIP_DROP])
    ankle = hip + thigh.apply([0.0, 0.0, -THIGH]) + shin.apply([0.0, 0.0, -SHIN])
    ball = ankle + foot.apply(BALL)
    sole = np.stack([ankle + foot.apply(HEEL), ball, ball + toes.apply(TOE_TIP)], axis=1)
    return Leg(thigh, shin, foot, toes, sole)


def planted_leg(
    side: float,
    pelvis: Rotation,
    root: Float64,
    ball: Float64,
    heading: Float64,
    foot_pitch: Float64,
    toes_flat: Float64,
) -> Leg:
    """A leg that reaches from the pelvis joint (F, 3) to the ball of its foot (F, 3), by two-bone
    inverse kinematics, the knee over the foot; leg lengths, the ground at z = 0.

    Parameters
    ----------
    side : float
        1 on the left, -1 on the right.
    pelvis : Rotation
        Orientation of the pelvis, frame by frame, world.
    root : Float64
        (F, 3) the pelvis joint, leg lengths.
    ball : Float64
        (F, 3) of the foot, leg lengths.
    heading : Float64
        (F,) degrees of the foot about the vertical, to the left.
    foot_pitch : Float64
        (F,) degrees, heel up, the foot tilting over its ball.
    toes_flat : Float64
        (F,) as for `pose_leg`.

    Returns
    -------
    Leg
        Its segments' orientations and its sole.
    """
    facing = about("z", heading)
    foot = facing * about("x", foot_pitch)
    toes = facing * about("x", foot_pitch * (1.0 - toes_flat))
    ankle = ball - foot.apply(BALL)
    hip = root + pelvis.apply([side * HIP_HALF_WIDTH, 0.0, -HIP_DROP])
    apart = hip - ankle
    length = np.clip(np.linalg.norm(apart, axis=1), abs(SHIN - THIGH) + 0.1, _LONGEST)
    up = apart / np.linalg.norm(apart, axis=1, keepdims=True)
    ahead = facing.apply([0.0, -1.0, 0.0]) + pelvis.apply([0.0, -0.5, 0.0])
    back = -(ahead - up * np.einsum("fi,fi->f", ahead, up)[:, None])
    back /= np.linalg.norm(back, axis=1, keepdims=True)
    straight = Rotation.from_matrix(np.stack([np.cross(back, up), back, up], axis=2))
    at_hip = np.arccos((THIGH**2 + length**2 - SHIN**2) / (2 * THIGH * length))
    at_knee = np.arccos((THIGH**2 + SHIN**2 - length**2) / (2 * THIGH * SHIN))
    thigh = straight * about("x", -np.degrees(at_hip))
    shin = thigh * about("x", 180.0 - np.degrees(at_knee))
    sole = np.stack([ankle + foot.apply(HEEL), ball, ball + toes.apply(TOE_TIP)], axis=1)
    return Leg(thigh, shin, foot, toes, sole - root[:, None])


def hanging_arm(
    side: float, carrier: Rotation, flexion: npt.ArrayLike, abduction: npt.ArrayLike = 8.0
) -> Rotation:
    """The upper arm at the body's side, swung forward by `flexion`, off the hips by `abduction`.

    A relaxed arm hangs turned a little inward, the thumb ahead and towards the thigh.

    Parameters
    ----------
    side : float
        1 on the left, -1 on the right.
    carrier : Rotation
        Orientation of the chest.
    flexion : npt.ArrayLike
        (F,) degrees, or one.
    abduction : npt.ArrayLike
        (F,) degrees, or one.

    Returns
    -------
    Rotation
        World.
    """
    inward = 15.0
    down = about("y", side * (90.0 - np.asarray(abduction, np.float64)))
    return carrier * about("x", -np.asarray(flexion)) * about("z", [-side * inward]) * down


def bend_elbow(side: float, upper_arm: Rotation, flexion: npt.ArrayLike) -> Rotation:
    """The forearm, bent forward against the upper arm.

    Parameters
    ----------
    side : float
        1 on the left, -1 on the right.
    upper_arm : Rotation
        World.
    flexion : npt.ArrayLike
        (F,) degrees, or one.

    Returns
    -------
    Rotation
        World.
    """
    return upper_arm * about("z", -side * np.asarray(flexion, np.float64))


def between(first: Rotation, second: Rotation, share: float) -> Rotation:
    """Rotations `share` of the way from the first to the second, frame by frame.

    Parameters
    ----------
    first : Rotation
        At share 0.
    second : Rotation
        At share 1.
    share : float
        0..1.

    Returns
    -------
    Rotation
        By the shortest way.
    """
    return first * Rotation.from_rotvec(share * (first.inv() * second).as_rotvec())


def trunk(pelvis: Rotation, chest: Rotation, head: Rotation) -> dict[str, Rotation]:
    """The spine bent evenly from pelvis to chest, the neck half way to the head.

    Parameters
    ----------
    pelvis : Rotation
        Orientation of the pelvis, frame by frame, world.
    chest : Rotation
        World.
    head : Rotation
        World.

    Returns
    -------
    dict[str, Rotation]
        SMPL joint names to orientations, world.
    """
    return {
        "pelvis": pelvis,
        "spine1": between(pelvis, chest, 1 / 3),
        "spine2": between(pelvis, chest, 2 / 3),
        "spine3": chest,
        "neck": between(chest, head, 0.5),
        "head": head,
    }


def leg_segments(left: Leg, right: Leg) -> dict[str, Rotation]:
    """Joint names to orientations of both legs.

    Parameters
    ----------
    left : Leg
        Of the left side.
    right : Leg
        Of the right side.

    Returns
    -------
    dict[str, Rotation]
        SMPL joint names to orientations, world.
    """
    segments = {}
    for name, leg in (("left", left), ("right", right)):
        segments[f"{name}_hip"] = leg.thigh
        segments[f"{name}_knee"] = leg.shin
        segments[f"{name}_ankle"] = leg.foot
        segments[f"{name}_foot"] = leg.toes
    return segments


def local_rotations(segments: Mapping[str, Rotation], frames: int) -> Float64:
    """(F, 24, 4) local quaternions from the world orientations of segments; a joint that is not
    named moves with its parent.

    Parameters
    ----------
    segments : Mapping[str, Rotation]
        SMPL joint names to orientations, world.
    frames : int
        How many.

    Returns
    -------
    Float64
        (F, 24, 4), w first.
    """
    world: list[Rotation] = []
    rotations = np.empty((frames, JOINT_COUNT, 4))
    names = {index: name for name, index in JOINT.items()}
    for joint, parent in enumerate(PARENTS):
        above = world[parent] if parent >= 0 else Rotation.identity(frames)
        world.append(segments.get(names[joint], above))
        rotations[:, joint] = (above.inv() * world[joint]).as_quat(scalar_first=True)
    return rotations


def resample(rotations: Float64, root: Float64, count: int) -> tuple[Float64, Float64]:
    """The same motion with another number of frames (first and last kept): rotations (F, J, 4) by
    spherical, root (F, 3) by cubic interpolation.

    Parameters
    ----------
    rotations : Float64
        (F, J, 4) local quaternions, w first.
    root : Float64
        (F, 3) of any unit.
    count : int
        Of frames.

    Returns
    -------
    tuple[Float64, Float64]
        (count, J, 4) and (count, 3).
    """
    old = np.linspace(0.0, 1.0, len(root))
    new = np.linspace(0.0, 1.0, count)
    if len(root) < 2:
        return np.repeat(rotations, count, axis=0), np.repeat(root, count, axis=0)
    turned = np.empty((count, rotations.shape[1], 4))
    for joint in range(rotations.shape[1]):
        keys = Rotation.from_quat(rotations[:, joint], scalar_first=True)
        turned[:, joint] = Slerp(old, keys)(new).as_quat(scalar_first=True)
    moved = CubicSpline(old, root)(new) if len(root) > 3 else np.stack(
        [np.interp(new, old, root[:, axis]) for axis in range(3)], axis=1
    )  # fmt: skip
    return turned, moved
