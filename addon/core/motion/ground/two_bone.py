"""Two-bone inverse kinematics: legs and arms that reach for a place.

The middle joint's angle follows from the law of cosines, the bend stays in the plane that it has,
and the limb swings by the shortest way to the target.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...numerics.rotations import shortest_arc
from ...types import Float64

# A limb that is quite straight has no bend to widen, so reaching stops just before.
STRAIGHTEST = 0.998


def reached(
    upper: Float64, lower: Float64, hinge: Float64, wanted: Float64
) -> tuple[Rotation, Rotation]:
    """Turns in the world of the lower bone against the upper one, and then of the whole limb, that
    bring its end from the first joint to `wanted`, as far as it reaches; all (F, 3).

    Parameters
    ----------
    upper : Float64
        (F, 3) from the limb's first joint to its middle one.
    lower : Float64
        (F, 3) from its middle joint to its end.
    hinge : Float64
        (F, 3) axes about which a straight limb bends.
    wanted : Float64
        (F, 3) from the first joint to where the end should be.

    Returns
    -------
    tuple[Rotation, Rotation]
        F rotations each, world.
    """
    bend = _bend_change(upper, lower, hinge, wanted)
    return bend, shortest_arc(upper + bend.apply(lower), wanted)


def _bend_change(upper: Float64, lower: Float64, hinge: Float64, wanted: Float64) -> Rotation:
    """The middle joint's turn that makes the limb as long as `wanted`, in its plane of bending."""
    a, b = np.linalg.norm(upper, axis=1), np.linalg.norm(lower, axis=1)
    length = np.clip(
        np.linalg.norm(wanted, axis=1), np.abs(a - b) + 0.05 * (a + b), STRAIGHTEST * (a + b)
    )
    # A limb that is bent enough keeps its plane; a straight one bends about its hinge.
    normal = np.cross(upper, lower)
    sine = np.linalg.norm(normal, axis=1) / (a * b)
    share = np.clip((sine - 0.05) / 0.15, 0.0, 1.0)[:, None]
    axis = _unit(share * _unit(normal) + (1 - share) * _unit(_across(hinge, upper)))
    now = np.arctan2(
        np.einsum("fi,fi->f", np.cross(upper, lower), axis), np.einsum("fi,fi->f", upper, lower)
    )
    cosine = np.clip((length**2 - a**2 - b**2) / (2 * a * b), -1.0, 1.0)
    return Rotation.from_rotvec(axis * (np.arccos(cosine) - now)[:, None])


def _across(vector: Float64, along: Float64) -> Float64:
    """The part of `vector` that stands across `along`, both (F, 3)."""
    direction = _unit(along)
    return vector - direction * np.einsum("fi,fi->f", vector, direction)[:, None]


def _unit(vector: Float64) -> Float64:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-12)
