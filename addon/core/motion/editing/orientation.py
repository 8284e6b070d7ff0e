"""Headings, and rotations that go over into one another."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...types import Float64

# Of a body that leans farther than this (length of its level part), the way it looks is no heading.
_LEVEL = 0.3
_INVERTED = -0.5  # height of the body's own up, below which it stands on its head


def heading(direction: Float64) -> float:
    """Radians about z that turn -y into the direction (2,).

    Parameters
    ----------
    direction : Float64
        (2,) on the ground, world, of any length.

    Returns
    -------
    float
        -pi..pi.
    """
    return float(np.arctan2(direction[0], -direction[1]))


def wrapped(angle: float) -> float:
    """The same angle between -pi and pi.

    Parameters
    ----------
    angle : float
        Radians.

    Returns
    -------
    float
        Radians, -pi to pi.
    """
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def ways_ahead(pelvis: Float64) -> Float64:
    """(F, 2) the ways that bodies face on the ground, from orientations (F, 3, 3) that face -y at
    identity.

    Upright or upside down, the way the body looks. One that lies, or leans so far that it looks at
    the floor or the ceiling, faces as it would if it rose by the shortest way.

    Parameters
    ----------
    pelvis : Float64
        (F, 3, 3), world.

    Returns
    -------
    Float64
        (F, 2), unit.
    """
    looks, up = -pelvis[:, :, 1], pelvis[:, :, 2]
    ahead = looks[:, :2].copy()
    level = np.linalg.norm(ahead, axis=1) > _LEVEL
    inverted = up[:, 2] < _INVERTED
    ahead[inverted & ~level] = up[inverted & ~level, :2]
    leans = ~inverted & (~level | (up[:, 2] < 0.0))
    if leans.any():
        quaternions = Rotation.from_matrix(pelvis[leans]).as_quat(scalar_first=True)
        about = 2 * np.arctan2(quaternions[:, 3], quaternions[:, 0])
        ahead[leans] = np.stack([np.sin(about), -np.cos(about)], axis=1)
    return ahead


def apart(first: Float64, second: Float64) -> Float64:
    """Angles in radians between quaternions (..., 4).

    Parameters
    ----------
    first : Float64
        (..., 4), unit.
    second : Float64
        (..., 4), unit.

    Returns
    -------
    Float64
        (...,) 0..pi.
    """
    dots = np.abs(np.einsum("...k,...k->...", first, second))
    return 2 * np.arccos(np.clip(dots, 0.0, 1.0))


def blend(first: Float64, second: Float64, share: Float64) -> Float64:
    """(F, J, 4) spherical interpolation, `share` (F,) of the way from first to second.

    The way between two poses that move may pass half a turn, where the shortest way jumps to the
    other side; the way taken is the one that is nearest to the frame before's.

    Parameters
    ----------
    first : Float64
        (F, J, 4), unit, w first.
    second : Float64
        (F, J, 4), unit, w first.
    share : Float64
        (F,) 0..1.

    Returns
    -------
    Float64
        (F, J, 4), unit.
    """
    frames = max(len(first), len(second))
    shape = (frames, second.shape[1], 4)
    a = Rotation.from_quat(np.broadcast_to(first, shape).reshape(-1, 4), scalar_first=True)
    b = Rotation.from_quat(np.broadcast_to(second, shape).reshape(-1, 4), scalar_first=True)
    way = (a.inv() * b).as_rotvec().reshape(*shape[:2], 3)
    for frame in range(1, frames):
        angle = np.linalg.norm(way[frame], axis=1, keepdims=True)
        other = way[frame] * (1 - 2 * np.pi / np.maximum(angle, 1e-9))
        far = np.linalg.norm(way[frame] - way[frame - 1], axis=1)
        farther = np.linalg.norm(other - way[frame - 1], axis=1)
        use = (farther < far) & (angle[:, 0] > np.pi / 2)
        way[frame, use] = other[use]
    part = np.broadcast_to(share, (frames,))[:, None, None] * way
    blended = a * Rotation.from_rotvec(part.reshape(-1, 3))
    return blended.as_quat(scalar_first=True).reshape(shape)
