"""Clips with left and right exchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...body.model.facial_actions import FACIAL_ACTIONS, facing_action
from ...body.model.skeleton import JOINT
from ...types import Clip, Float64


def _partner(name: str) -> str:
    side, _, part = name.partition("_")
    other = {"left": "right", "right": "left"}.get(side)
    return f"{other}_{part}" if other else name


# For each joint, the one on the other side; the middle's joints are their own.
PARTNERS = np.array([JOINT[_partner(name)] for name in JOINT])
# A reflection in the plane x = 0 turns the rotation (w, x, y, z) into (w, x, -y, -z).
_REFLECTED = np.array([1.0, 1.0, -1.0, -1.0])


_ACTION_PARTNERS = np.array([FACIAL_ACTIONS.index(facing_action(name)) for name in FACIAL_ACTIONS])


def mirrored_rotations(rotations: Float64) -> Float64:
    """Local quaternions (..., 24, 4), w first, of the pose seen in a mirror at x = 0.

    Exact for skeletons that are alike on both sides; its own inverse.

    Parameters
    ----------
    rotations : Float64
        (..., 24, 4) local quaternions, w first.

    Returns
    -------
    Float64
        (..., 24, 4).
    """
    return rotations[..., PARTNERS, :] * _REFLECTED


def mirrored(clip: Clip) -> Clip:
    """The clip as a mirror at x = 0 shows it: what the left hand did, the right one does. Its own
    inverse.

    Parameters
    ----------
    clip : Clip
        The clip.

    Returns
    -------
    Clip
        As many frames.
    """
    root = clip.root * np.array([-1.0, 1.0, 1.0])
    face = None if clip.face is None else clip.face[:, _ACTION_PARTNERS]
    return replace(clip, rotations=mirrored_rotations(clip.rotations), root=root, face=face)
