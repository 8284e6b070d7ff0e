"""An edit around a frame changes that frame wholly, and nothing far away."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.editing.pose_blending import blend_motions, falloff
from photo_wake_up.addon.core.types import Motion

from .motion_inputs import angles_between


def _motion(seed, frames=30):
    random = np.random.default_rng(seed)
    rotations = random.normal(size=(1, 24, 4)) + 0.1 * random.normal(size=(frames, 24, 4))
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    return Motion(24.0, rotations, random.normal(size=(frames, 3)))


def test_the_share_is_one_there_and_fades_without_a_corner():
    share = falloff(30, 12, 6)
    assert share[12] == 1 and np.all(share[:7] == 0) and np.all(share[18:] == 0)
    assert np.allclose(share[6:13], share[18:11:-1])
    fine = falloff(3001, 1500, 700)
    assert np.abs(np.diff(fine)).max() < 1.9 / 700  # the curve's own steepest, 15/8
    assert np.abs(np.diff(fine, n=2)).max() < 7.0 / 700**2


def test_mixing():
    first, second = _motion(1), _motion(2)
    share = falloff(30, 12, 6)
    both = blend_motions(first, second, share)
    assert angles_between(both.rotations[12], second.rotations[12]).max() < 1e-3
    assert np.allclose(both.root[12], second.root[12])
    far = share == 0
    assert angles_between(both.rotations[far], first.rotations[far]).max() < 1e-3
    whole = angles_between(first.rotations, second.rotations)
    assert np.allclose(
        angles_between(both.rotations, first.rotations), share[:, None] * whole, atol=1e-3
    )
    with pytest.raises(MotionError, match="same length"):
        blend_motions(first, _motion(3, 29), share)
