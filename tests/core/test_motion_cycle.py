"""Clips that a body does by itself: closed loops, feet on the ground, and their pictures."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.motion.clips.cyclic_clip import cyclic_motion
from photo_wake_up.addon.core.motion.clips.pose_thumbnail import draw_pose
from photo_wake_up.addon.core.motion.ground.feet import phases, soles_of, standing_feet
from photo_wake_up.addon.core.motion.ground.foot_lock import contact_weights
from photo_wake_up.addon.core.motion.sources.library import CLIP_NAMES, load_motion
from photo_wake_up.addon.core.types import Pose

from .motion_inputs import angles_between, skeleton

_BODY = skeleton()


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_a_loop_closes_on_the_ground_and_does_not_slide(name):
    clip = load_motion(name, 24.0)
    motion = cyclic_motion(_BODY, clip)
    count = len(clip.root)
    assert len(motion.root) == count + clip.loop
    if clip.loop:
        # The last step is one among the others: nothing leaps into the repeated frame.
        turns = angles_between(motion.rotations[1:], motion.rotations[:-1]).max(axis=1)
        assert turns[-1] <= 1.5 * turns[:-1].max() + 0.1
        assert motion.root[-1, 2] == motion.root[0, 2]
    assert np.allclose(motion.root[0, :2], 0.0)
    world = forward_kinematics(_BODY, motion.rotations, motion.root)
    soles = soles_of(_BODY).in_world(world, _BODY)
    assert soles[..., 2].min() > -0.01
    standing, weights = standing_feet(soles, clip.fps), contact_weights(soles)
    slides = [0.0]
    for side in range(2):
        for start, stop in phases(standing[:, side]):
            share = (weights[start + 1 : stop, side] + weights[start : stop - 1, side]) / 2
            steps = np.diff(soles[start:stop, side, :, :2], axis=0)
            way = np.cumsum(np.einsum("fp,fpi->fi", share, steps), axis=0)
            if len(way):
                slides.append(float(np.linalg.norm(np.ptp(way, axis=0))))
    assert np.mean(slides) < 0.02 and max(slides) < 0.04


def test_a_picture_is_a_figure_on_nothing():
    clip = load_motion("wave", 24.0)
    motion = cyclic_motion(_BODY, clip)
    picture = draw_pose(_BODY, Pose(motion.rotations[0], motion.root[0]), 64)
    assert picture.shape == (64, 64, 4) and picture.dtype == np.uint8
    alpha = picture[..., 3]
    rows = np.flatnonzero(alpha.max(axis=1) > 128)
    assert 50 < np.ptp(rows) < 62  # it fills the picture's height, with a margin
    # Symmetric standing is about symmetric in the picture; the left side is orange.
    orange = (picture[..., 0].astype(int) - picture[..., 2] > 60) & (alpha > 200)
    blue = (picture[..., 2].astype(int) - picture[..., 0] > 60) & (alpha > 200)
    assert orange.sum() > 100 and blue.sum() > 60
    assert np.argwhere(orange)[:, 1].mean() > np.argwhere(blue)[:, 1].mean()


@pytest.mark.parametrize("heading", [0.0, 1.0, 3.0])
def test_a_picture_does_not_depend_on_the_heading(heading):
    clip = load_motion("dance", 24.0)
    turned = clip.rotations[30].copy()
    half = np.array([np.cos(heading / 2), 0, 0, np.sin(heading / 2)])
    w, x, y, z = turned[0]
    a, d = half[0], half[3]
    turned[0] = [a * w - d * z, a * x - d * y, a * y + d * x, a * z + d * w]
    root = np.array([0.3, -0.2, 0.9])
    first = draw_pose(_BODY, Pose(clip.rotations[30], root), 32).astype(int)
    second = draw_pose(_BODY, Pose(turned, root), 32).astype(int)
    assert np.abs(first - second).mean() < 1.0
