"""Sampled skeletons: whatever the bones' axes, rest, scale and order, the motion is the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES, PARENTS
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion import clips
from photo_wake_up.addon.core.motion.retargeting.retarget import retarget
from photo_wake_up.addon.core.motion.sources.armature_source import motion_of, source_from_matrices

from .motion_inputs import angles_between, clip_root, skeleton

_LYING = Rotation.from_euler("x", -90, degrees=True).as_matrix()
_UPSIDE_DOWN = Rotation.from_euler("y", 180, degrees=True).as_matrix()


def _sampled(lies=None, scale=1.0):
    """A wave as sampled from bones with any axes, and the clip. `lies` turns the rest pose."""
    clip, body = clips.wave(24.0), skeleton()
    turned = forward_kinematics(body, clip.rotations, clip_root(clip))
    axes = Rotation.random(24, random_state=3).as_matrix()
    posed = turned.copy()
    posed[..., :3, :3] = turned[..., :3, :3] @ axes
    rest = np.tile(np.eye(4), (24, 1, 1))
    lies = np.eye(3) if lies is None else lies
    rest[:, :3, :3], rest[:, :3, 3] = lies @ axes, body.joints @ lies.T
    tails = (body.joints + [0.0, 0.0, 0.05]) @ lies.T
    place = np.tile(np.diag([scale, scale, scale, 1.0]), (len(posed), 1, 1))
    rest[:, :3, 3] /= scale
    posed[..., :3, 3] /= scale
    return clip, [list(BONE_NAMES), list(PARENTS), rest, tails / scale, place, posed, 24.0]


@pytest.mark.parametrize("lies", [np.eye(3), _LYING, _UPSIDE_DOWN], ids=["up", "lying", "down"])
@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_a_clip_comes_back(lies, scale):
    clip, sampled = _sampled(lies, scale)
    back = retarget(source_from_matrices(*sampled), "back")
    plain = retarget(source_from_matrices(*_sampled()[1]), "plain")
    # Axes, scale and what lies at rest change nothing.
    assert angles_between(back.rotations, plain.rotations).max() < 1e-3
    assert np.abs(back.root - plain.root).max() < 1e-6
    assert len(back.root) == len(clip.root)


@pytest.mark.parametrize("lies", [_LYING, _UPSIDE_DOWN], ids=["lying", "down"])
def test_an_object_with_other_axes_stands_up(lies):
    """Rest and motion both lie, as after an import with the wrong axes."""
    _, sampled = _sampled()
    plain = retarget(source_from_matrices(*sampled), "plain")
    sampled[4] = sampled[4].copy()
    sampled[4][:, :3, :3] = lies
    back = retarget(source_from_matrices(*sampled), "back")
    assert angles_between(back.rotations, plain.rotations).max() < 1e-3


def test_the_own_motion_is_exact():
    clip, sampled = _sampled()
    own = motion_of(source_from_matrices(*sampled), BONE_NAMES)
    assert angles_between(own.rotations, clip.rotations).max() < 1e-3
    assert np.abs(own.root - clip_root(clip)).max() < 1e-9
    with pytest.raises(MotionError, match="lost the bone wing"):
        motion_of(source_from_matrices(*sampled), ("wing",))


def test_bones_in_any_order_and_with_several_roots():
    _clip, (names, parents, rest, tails, place, posed, fps) = _sampled()
    plain = source_from_matrices(names, parents, rest, tails, place, posed, fps)
    back = list(range(24))[::-1]
    mixed = source_from_matrices(
        [names[j] for j in back] + ["handle"],
        [back.index(parents[j]) if parents[j] >= 0 else -1 for j in back] + [-1],
        np.concatenate([rest[back], rest[:1]]), np.concatenate([tails[back], tails[:1]]),
        place, np.concatenate([posed[:, back], posed[:, :1]], axis=1), fps,
    )  # fmt: skip
    assert mixed.names[0] == "(origin)" and all(p < j for j, p in enumerate(mixed.parents))
    first, second = (dict(zip(s.names, s.world()[1][3], strict=True)) for s in (plain, mixed))
    assert all(np.allclose(first[name], second[name]) for name in names)
    assert np.allclose(retarget(mixed, "a").rotations, retarget(plain, "b").rotations, atol=1e-6)


def test_nothing_and_no_number_are_refused():
    _, sampled = _sampled()
    with pytest.raises(MotionError, match="no bones or no frames"):
        source_from_matrices([], [], *(np.zeros((0, 4, 4)),) * 4, 24.0)
    sampled[5][3, 2, 0, 3] = np.nan
    with pytest.raises(MotionError, match="no finite place"):
        source_from_matrices(*sampled)
