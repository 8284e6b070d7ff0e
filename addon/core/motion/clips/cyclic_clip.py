"""A clip as one body does it by itself: in its own place and heading, feet locked, no photo."""

from __future__ import annotations

import numpy as np

from ...body.world_pose import forward_kinematics
from ...types import Clip, Motion, Skeleton
from ..editing.sampling import clip_at, face_at
from ..ground.feet import leg_length, soles_of
from ..ground.flesh import flesh_of, lows_of
from ..ground.floor import carried_by, feet_on, floor_under
from ..ground.foot_lock import lock_feet
from ..ground.hands import flat_hands, lock_hands
from .authoring import STANDING


def cyclic_motion(skeleton: Skeleton, clip: Clip) -> Motion:
    """The clip for one skeleton from the origin on, at the clip's own rate, metres, feet on z = 0.

    A loop of F frames gives F + 1: the last is the first again, farther on by what the loop
    travels, as Blender's cyclic actions want it. Others give their frames.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    clip : Clip
        The clip.

    Returns
    -------
    Motion
        Metres.
    """
    count = len(clip.root)
    # Feet that stand across the wrap are locked as in the midst of a longer motion.
    at = np.arange(3 * count + 1) if clip.loop else np.arange(count)
    rotations, root = clip_at(clip, at)
    face = face_at(clip, np.arange(count + 1) if clip.loop else at)
    leg = leg_length(skeleton)
    root = root * leg
    root[:, 2] += skeleton.joints[0, 2] - STANDING * leg
    soles, flesh = soles_of(skeleton), flesh_of(skeleton)
    rotations = flat_hands(skeleton, flesh, soles, rotations, root, clip.fps)
    world = forward_kinematics(skeleton, rotations, root)
    placed = soles.in_world(world, skeleton)
    body = lows_of(flesh, world, clip.fps)
    floor = floor_under(placed, clip.fps, body)
    carried = carried_by(placed, body, clip.fps, floor)
    standing = feet_on(placed, world, clip.fps, floor, carried)
    settled, stepping = np.ones(len(at)), np.zeros(len(at), bool)
    rotations, root = lock_feet(
        skeleton, soles, rotations, root, standing, settled, stepping, clip.fps, flesh, carried
    )
    rotations = lock_hands(skeleton, flesh, rotations, root, carried, settled, clip.fps)
    if clip.loop:
        rotations, root = rotations[count : 2 * count + 1].copy(), root[count : 2 * count + 1]
        rotations[-1] = rotations[0]
        root[-1, 2] = root[0, 2]
    root = root - np.array([*root[0, :2], 0.0])
    return Motion(clip.fps, rotations, root, face=face)
