"""An edit laid over a motion: all of it, or only around one frame."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...errors import MotionError
from ...numerics.easing import smootherstep
from ...types import Float32, Float64, Motion


def falloff(frames: int, centre: float, radius: float) -> Float64:
    """(F,) 1 at `centre`, 0 from `radius` frames away on, in between with no corner in speed.

    Parameters
    ----------
    frames : int
        How many.
    centre : float
        Counted from 0.
    radius : float
        Frames, more than 0.

    Returns
    -------
    Float64
        (F,) 0..1.
    """
    return smootherstep(1 - np.abs(np.arange(frames) - centre) / radius)


def blend_motions(first: Motion, second: Motion, share: Float64) -> Motion:
    """From each pose of `first` the `share` (F,) of the shortest way to that of `second`.

    Parameters
    ----------
    first : Motion
        At share 0.
    second : Motion
        At share 1, as many frames.
    share : Float64
        (F,) 0..1.

    Returns
    -------
    Motion
        At the first one's rate.

    Raises
    ------
    MotionError
        If they differ in length.
    """
    if len(first.root) != len(second.root):
        raise MotionError("Only motions of the same length can be mixed: sample them alike.")
    a = Rotation.from_quat(first.rotations.reshape(-1, 4), scalar_first=True)
    b = Rotation.from_quat(second.rotations.reshape(-1, 4), scalar_first=True)
    part = np.repeat(share, first.rotations.shape[1])[:, None]
    turned = a * Rotation.from_rotvec((a.inv() * b).as_rotvec() * part)
    rotations = turned.as_quat(scalar_first=True).reshape(first.rotations.shape)
    root = first.root + share[:, None] * (second.root - first.root)
    return Motion(first.fps, rotations, root, face=_blended_faces(first, second, share))


def _blended_faces(first: Motion, second: Motion, share: Float64) -> Float32 | None:
    """(F, 52); a motion without a face is at rest, and two of them stay without."""
    if first.face is None and second.face is None:
        return None
    start, end = (0.0 if motion.face is None else motion.face for motion in (first, second))
    face: Float32 = ((1 - share)[:, None] * start + share[:, None] * end).astype(np.float32)
    return face
