"""Clips between their frames and beyond their ends."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from ...body.model.skeleton import JOINT
from ...types import Clip, Float32, Float64, Integers

_LEGS = [JOINT[f"{side}_{name}"] for side in ("left", "right") for name in ("hip", "knee")]


# Frames of a loop between which its missing step is found from all its steps: fewer are too
# few for that, and with more the neighbours are near enough.
_FEWEST_FRAMES, _MANY_FRAMES = 12, 40


def loop_step(root: Float64) -> Float64:
    """(3,) way of a loop's root (F, 3) from its last frame to its first of the next round.

    The missing step of a smooth sequence of steps: in short loops, whose speed changes within a
    few frames, the one that leaves least above a quarter of the loop's harmonics; in long ones from
    the two on either side (the cubic through them, at its middle). Height returns exactly.

    Parameters
    ----------
    root : Float64
        (F, 3) of a loop.

    Returns
    -------
    Float64
        (3,), the root's unit.
    """
    steps = np.diff(root, axis=0)
    count = len(root)
    if _FEWEST_FRAMES <= count < _MANY_FRAMES:
        # The kernel of the high-pass filter that is to leave nothing, at the distances of the rest.
        harmonics = np.arange(count // 4 + 1, count - count // 4)
        away = np.arange(1, count)
        kernel = np.cos(2 * np.pi * np.outer(away, harmonics) / count).sum(axis=1)
        step = -(kernel @ steps) / len(harmonics)
    elif len(steps) >= 4:
        step = (4 * (steps[-1] + steps[0]) - (steps[-2] + steps[1])) / 6
    elif len(steps):
        step = (steps[-1] + steps[0]) / 2
    else:
        step = np.zeros(3)
    step[2] = root[0, 2] - root[-1, 2]
    return step


def clip_at(clip: Clip, frames: npt.ArrayLike) -> tuple[Float64, Float64]:
    """Rotations (N, 24, 4) and root (N, 3) at fractional frames (N,) counted from the first.

    Loops go on with their travel; other clips hold their first and last frame.

    Parameters
    ----------
    clip : Clip
        The clip.
    frames : npt.ArrayLike
        (N,) counted from 0.

    Returns
    -------
    tuple[Float64, Float64]
        (N, 24, 4) and (N, 3), leg lengths.
    """
    at, rounds = _within(clip, frames)
    if clip.loop:
        root = np.concatenate([clip.root, clip.root[-1:] + loop_step(clip.root)])
        rotations = np.concatenate([clip.rotations, clip.rotations[:1]])
        travel = rounds[:, None] * (root[-1] - root[0])
    else:
        root, rotations = clip.root, clip.rotations
        travel = np.zeros((len(at), 3))
    low, high, share = _neighbours(at, len(root))
    placed = (1 - share)[:, None] * root[low] + share[:, None] * root[high] + travel
    joints = rotations.shape[1]
    first = Rotation.from_quat(rotations[low].reshape(-1, 4), scalar_first=True)
    second = Rotation.from_quat(rotations[high].reshape(-1, 4), scalar_first=True)
    way = (first.inv() * second).as_rotvec() * np.repeat(share, joints)[:, None]
    turned = (first * Rotation.from_rotvec(way)).as_quat(scalar_first=True)
    return turned.reshape(len(at), joints, 4), placed


def face_at(clip: Clip, frames: npt.ArrayLike) -> Float32 | None:
    """The face's strengths at fractional frames, between two frames linearly; beyond the ends as
    in `clip_at`.

    Parameters
    ----------
    clip : Clip
        The clip.
    frames : npt.ArrayLike
        (N,) counted from 0.

    Returns
    -------
    Float32 | None
        (N, 52); None where the clip has no face.
    """
    if clip.face is None:
        return None
    at, _ = _within(clip, frames)
    face = np.concatenate([clip.face, clip.face[:1]]) if clip.loop else clip.face
    low, high, share = _neighbours(at, len(face))
    between = (1 - share)[:, None] * face[low] + share[:, None] * face[high]
    sampled: Float32 = between.astype(np.float32)
    return sampled


def _within(clip: Clip, frames: npt.ArrayLike) -> tuple[Float64, Float64]:
    """Frames (N,) brought into the clip, of loops up to its first frame again, and the rounds (N,)
    that loops have made by then."""
    at: Float64 = np.asarray(frames, np.float64)
    count = len(clip.root)
    if not clip.loop:
        return np.clip(at, 0, count - 1), np.zeros(len(at))
    rounds = np.floor(at / count)
    return at - rounds * count, rounds


def _neighbours(at: Float64, count: int) -> tuple[Integers, Integers, Float64]:
    """Of fractional frames (N,) the whole ones before and after, and the share of the latter."""
    low = np.minimum(at.astype(int), count - 1)
    return low, np.minimum(low + 1, count - 1), at - low


def leg_angles(first: Float64, second: Float64) -> Float64:
    """Mean angle in radians (F,) between the hips and knees of poses (F, 24, 4).

    Parameters
    ----------
    first : Float64
        (F, 24, 4) local quaternions.
    second : Float64
        (F, 24, 4) local quaternions.

    Returns
    -------
    Float64
        (F,).
    """
    dots = np.abs(np.einsum("fjk,fjk->fj", first[:, _LEGS], second[:, _LEGS]))
    return (2 * np.arccos(np.clip(dots, 0.0, 1.0))).mean(axis=1)
