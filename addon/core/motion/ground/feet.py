"""Feet: the points of the sole, when they stand on the ground, and legs that reach for a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_closing, binary_opening, gaussian_filter1d
from scipy.spatial.transform import Rotation

from ...body.model.skeleton import JOINT
from ...body.world_pose import forward_kinematics
from ...types import Float64, Mask, Skeleton
from .two_bone import reached

HIPS = (JOINT["left_hip"], JOINT["right_hip"])
KNEES = (JOINT["left_knee"], JOINT["right_knee"])
ANKLES = (JOINT["left_ankle"], JOINT["right_ankle"])
TOES = (JOINT["left_foot"], JOINT["right_foot"])

HEEL, BALL, TIP = range(3)
# Heel behind the ankle and toes before the ball, in lengths of ankle to ball (the default body's).
_HEEL_SHARE = 0.42
_TIP_SHARE = 0.42

# A foot stands where its sole is this low and this slow. Swinging feet go at several m/s and clear
# the ground by 1 to 5 cm at their lowest; retargeted standing feet slide at up to 0.3 m/s.
STANDING_HEIGHT_M = 0.045
STANDING_SPEED_M_S = 0.5
# Points of a flat sole are equally low but for rounding, which must not choose one of them.
_SAME_HEIGHT_M = 1e-4
_STANDING_SPEED_SHARE = 0.3  # of the body's speed; swinging feet go at twice the body's
LONGEST_LEAP_S = 0.6
SHORTEST_STAND_S = 0.08
_LONGEST_GAP_S = 0.06


@dataclass(frozen=True, eq=False)
class Soles:
    """A skeleton's soles as points fixed to the bones of the foot."""

    points: Float64  # (2, 3, 3): left and right; heel, ball and toe tip at rest, metres

    def in_world(self, world: Float64, skeleton: Skeleton) -> Float64:
        """(F, 2, 3, 3) places of the points; world (F, 24, 4, 4) from forward kinematics.

        Parameters
        ----------
        world : Float64
            (F, 24, 4, 4) from forward kinematics.
        skeleton : Skeleton
            The character's.

        Returns
        -------
        Float64
            (F, 2, 3, 3) metres, world.
        """
        placed = np.empty((len(world), 2, 3, 3))
        for side in range(2):
            for point, joint in ((HEEL, ANKLES[side]), (BALL, ANKLES[side]), (TIP, TOES[side])):
                offset = self.points[side, point] - skeleton.joints[joint]
                placed[:, side, point] = world[:, joint, :3, 3] + world[:, joint, :3, :3] @ offset
        return placed


def soles_of(skeleton: Skeleton) -> Soles:
    """The soles of a skeleton whose feet stand flat on z = 0 at rest.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.

    Returns
    -------
    Soles
        At rest.
    """
    points = np.zeros((2, 3, 3))
    for side in range(2):
        ankle, ball = skeleton.joints[ANKLES[side]], skeleton.joints[TOES[side]]
        ahead = ball - ankle
        points[side, HEEL] = ankle - _HEEL_SHARE * ahead
        points[side, BALL] = ball
        points[side, TIP] = ball + _TIP_SHARE * ahead
    points[..., 2] = 0.0
    return Soles(points)


def leg_length(skeleton: Skeleton) -> float:
    """Thigh and shin, metres, mean of both legs.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.

    Returns
    -------
    float
        Metres.
    """
    joints = skeleton.joints
    return float(
        sum(
            np.linalg.norm(joints[HIPS[s]] - joints[KNEES[s]])
            + np.linalg.norm(joints[KNEES[s]] - joints[ANKLES[s]])
            for s in range(2)
        )
        / 2
    )


def standing_feet(
    soles: Float64,
    fps: float,
    floor: Float64 | float = 0.0,
    height: Float64 | float = STANDING_HEIGHT_M,
) -> Mask:
    """(F, 2) bool: which foot stands when, from the soles' points (F, 2, 3, 3) and the floor's
    height, one or (F,).

    A foot stands while its lowest point is less than `height` over the floor, one or (F,) metres,
    and that point is slow; moments too
    short to be a step or a lift are dropped.

    Parameters
    ----------
    soles : Float64
        (F, 2, 3, 3) left and right, points of the sole, metres, world.
    fps : float
        Frames per second.
    floor : Float64 | float
        Height, metres, one or (F,).
    height : Float64 | float
        Metres over the floor, one or (F,).

    Returns
    -------
    Mask
        (F, 2).
    """
    frames = len(soles)
    low = soles[..., 2].min(axis=2) - np.broadcast_to(floor, (frames,))[:, None]
    near = low < np.broadcast_to(height, (frames,))[:, None]
    if frames < 2:
        return near
    speed = np.linalg.norm(np.diff(soles, axis=0), axis=-1) * fps  # (F - 1, 2, 3)
    # A planted point is slow on at least one side of its frame.
    before = np.concatenate([speed[:1], speed])
    after = np.concatenate([speed, speed[-1:]])
    height_above = soles[..., 2] - soles[..., 2].min(axis=2, keepdims=True)
    slowest = np.where(height_above < _SAME_HEIGHT_M, np.minimum(before, after), np.inf).min(axis=2)
    # The faster the body, the more a retargeted foot slides, and the faster a swinging one is.
    body = np.linalg.norm(np.gradient(soles.mean(axis=(1, 2)), axis=0), axis=1) * fps
    body = gaussian_filter1d(body, LONGEST_LEAP_S * fps / 2, mode="nearest")
    slow = slowest < np.maximum(STANDING_SPEED_M_S, _STANDING_SPEED_SHARE * body)[:, None]
    return stands(near & slow, fps)


def stands(touching: Mask, fps: float) -> Mask:
    """(F, N) bool: what touches the floor (F, N), without gaps and moments that are too short to be
    a step or a lift.

    Parameters
    ----------
    touching : Mask
        (F, N).
    fps : float
        Frames per second.

    Returns
    -------
    Mask
        (F, N).
    """
    gap = max(int(round(_LONGEST_GAP_S * fps)), 1)
    shortest = max(int(round(SHORTEST_STAND_S * fps)), 1)
    padded = np.pad(touching, ((gap + shortest,) * 2, (0, 0)), mode="edge")
    closed = binary_closing(padded, np.ones((gap + 1, 1), bool))
    opened = binary_opening(closed, np.ones((shortest, 1), bool))
    return opened[gap + shortest : len(opened) - gap - shortest]


def phases(standing: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and past-the-last frame of each run of True in (F,).

    Parameters
    ----------
    standing : npt.NDArray[np.bool_]
        (F,).

    Returns
    -------
    list[tuple[int, int]]
        In order.
    """
    edges = np.diff(np.concatenate([[0], standing.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def reach(
    skeleton: Skeleton,
    rotations: Float64,
    root: Float64,
    ankles: Float64,
    foot_turn: Float64,
) -> Float64:
    """Local rotations (F, 24, 4) whose ankles are at `ankles` (F, 2, 3), as far as legs reach.

    Feet keep their orientation but for a turn about the vertical by `foot_turn` (F, 2) radians.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    rotations : Float64
        (F, 24, 4) local quaternions, w first.
    root : Float64
        (F, 3) pelvis, metres, world.
    ankles : Float64
        (F, 2, 3) metres, world.
    foot_turn : Float64
        (F, 2) radians to the left.

    Returns
    -------
    Float64
        (F, 24, 4).
    """
    world = forward_kinematics(skeleton, rotations, root)
    solved = rotations.copy()
    parent_turn = Rotation.from_matrix(world[:, 0, :3, :3])
    for side in range(2):
        hip_turn = Rotation.from_matrix(world[:, HIPS[side], :3, :3])
        knee_turn = Rotation.from_matrix(world[:, KNEES[side], :3, :3])
        ankle_turn = Rotation.from_matrix(world[:, ANKLES[side], :3, :3])
        hip, knee, ankle = (world[:, joints[side], :3, 3] for joints in (HIPS, KNEES, ANKLES))
        thigh, shin = knee - hip, ankle - knee
        hinge = hip_turn.apply([1.0, 0.0, 0.0])
        bend, swing = reached(thigh, shin, hinge, ankles[:, side] - hip)
        hip_turn, knee_turn = swing * hip_turn, swing * bend * knee_turn
        vertical = np.zeros((len(root), 3))
        vertical[:, 2] = foot_turn[:, side]
        ankle_turn = Rotation.from_rotvec(vertical) * ankle_turn
        for joint, above, turn in (
            (HIPS[side], parent_turn, hip_turn),
            (KNEES[side], hip_turn, knee_turn),
            (ANKLES[side], knee_turn, ankle_turn),
        ):
            solved[:, joint] = (above.inv() * turn).as_quat(scalar_first=True)
    return solved
