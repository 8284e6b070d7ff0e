"""A clip as one body does it by itself: in its own place and heading, feet locked, no photo."""

from __future__ import annotations

import numpy as np

from ..body.pose import forward_kinematics
from ..types import Clip, Motion, Skeleton
from .authoring import STANDING
from .feet import floor_under, leg_length, soles_of, standing_feet
from .foot_lock import lock_feet
from .sampling import clip_at


def cycle(skeleton: Skeleton, clip: Clip) -> Motion:
    """The clip for one skeleton from the origin on, at the clip's own rate, metres, feet on z = 0.

    A loop of F frames gives F + 1: the last is the first again, farther on by what the loop
    travels, as Blender's cyclic actions want it. Others give their frames.
    """
    count = len(clip.root)
    # Feet that stand across the wrap are locked as in the midst of a longer motion.
    at = np.arange(3 * count + 1) if clip.loop else np.arange(count)
    rotations, root = clip_at(clip, at)
    leg = leg_length(skeleton)
    root = root * leg
    root[:, 2] += skeleton.joints[0, 2] - STANDING * leg
    soles = soles_of(skeleton)
    placed = soles.in_world(forward_kinematics(skeleton, rotations, root), skeleton)
    standing = standing_feet(placed, clip.fps, floor_under(placed, clip.fps))
    settled, stepping = np.ones(len(at)), np.zeros(len(at), bool)
    rotations, root = lock_feet(
        skeleton, soles, rotations, root, standing, settled, stepping, clip.fps
    )
    if clip.loop:
        rotations, root = rotations[count : 2 * count + 1].copy(), root[count : 2 * count + 1]
        rotations[-1] = rotations[0]
        root[-1, 2] = root[0, 2]
    root = root - np.array([*root[0, :2], 0.0])
    return Motion(clip.fps, rotations, root)
