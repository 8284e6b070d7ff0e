"""The project's own clips: loops without a seam, people's joints, feet on the ground."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.editing.sampling import clip_at, loop_step
from photo_wake_up.addon.core.motion.ground.feet import leg_length, phases, soles_of, standing_feet
from photo_wake_up.addon.core.motion.ground.foot_lock import contact_weights
from photo_wake_up.addon.core.motion.sources.library import CLIP_NAMES, load_motion

from .motion_inputs import angles_between, clip_root, skeleton

_RATES = (24.0, 30.0)
_LOOPS = tuple(name for name in CLIP_NAMES if name != "sit")  # who sits down stays seated


def _world(clip):
    return forward_kinematics(skeleton(), clip.rotations, clip_root(clip))


@pytest.mark.parametrize("fps", _RATES)
@pytest.mark.parametrize("name", _LOOPS)
def test_loops_come_back_to_where_they_began(name, fps):
    clip = load_motion(name, fps)
    assert clip.loop and clip.fps == fps
    assert np.allclose(np.linalg.norm(clip.rotations, axis=-1), 1.0)
    travel = clip.root[-1] - clip.root[0] + loop_step(clip.root)
    assert np.abs(travel[[0, 2]]).max() * leg_length(skeleton()) < 1e-3  # metres


@pytest.mark.parametrize("name", _LOOPS)
def test_loops_have_no_seam(name):
    """Across the wrap, joints and root go on as they do elsewhere: at a high rate, each step is
    the mean of its neighbours but for the clip's own acceleration."""
    clip = load_motion(name, 240.0)
    count = len(clip.root)
    rotations, root = clip_at(clip, np.arange(3 * count))
    signs = np.where(np.einsum("fjk,fjk->fj", rotations[1:], rotations[:-1]) < 0, -1.0, 1.0)
    signs = np.cumprod(np.concatenate([np.ones((1, 24)), signs]), axis=0)
    for values in (rotations * signs[..., None], root):
        jerk = np.abs(np.diff(values, n=3, axis=0)).reshape(3 * count - 3, -1).max(axis=1)
        inside = jerk[5 : count - 8].max()
        assert jerk[count - 5 : count + 5].max() <= max(2.0 * inside, 1e-5)


@pytest.mark.parametrize("fps", _RATES)
@pytest.mark.parametrize("name", _LOOPS)
def test_the_wrap_is_where_and_as_fast_as_the_natural_continuation(name, fps):
    """What follows the last frame is the clip's own next moment, from a sampling 40 times
    finer: every joint within 1 mm, and its speed within 1 cm/s."""
    body = skeleton()
    clip, fine = load_motion(name, fps), load_motion(name, 40 * fps)
    finer = len(fine.root) / len(clip.root)  # lengths are rounded to whole frames
    forward = np.arange(-3, 4)
    coarse = forward_kinematics(body, *_at(clip, forward))[..., :3, 3]
    exact = forward_kinematics(body, *_at(fine, finer * forward))[..., :3, 3]
    assert np.abs(coarse - exact).max() < 1e-3
    # One-sided second-order slopes of the fine sampling, from before and from after the wrap.
    near = forward_kinematics(body, *_at(fine, np.arange(-2, 3)))[..., :3, 3]
    before = (3 * near[2] - 4 * near[1] + near[0]) / 2
    after = (-3 * near[2] + 4 * near[3] - near[4]) / 2
    assert np.abs(after - before).max() * 40 * fps < 1e-2


def _at(clip, frames):
    rotations, root = clip_at(clip, frames)
    leg = leg_length(skeleton())
    root = root * leg
    root[:, 2] += skeleton().joints[0, 2] - leg
    return rotations, root


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_a_loop_samples_the_same_at_every_rate(name):
    """Twice the frames pass through the same poses: the clip is a function of time."""
    slow, fast = load_motion(name, 24.0), load_motion(name, 48.0)
    if len(fast.root) == 2 * len(slow.root):
        assert angles_between(fast.rotations[::2], slow.rotations).max() < 0.5


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_no_joint_flips(name):
    clip = load_motion(name, 24.0)
    assert angles_between(clip.rotations[1:], clip.rotations[:-1]).max() < 45.0


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_knees_and_elbows_bend_the_human_way(name):
    clip = load_motion(name, 24.0)
    for joint, axis, sign in (
        ("left_knee", 0, 1), ("right_knee", 0, 1), ("left_elbow", 2, -1), ("right_elbow", 2, 1),
    ):  # fmt: skip
        turn = Rotation.from_quat(clip.rotations[:, JOINT[joint]], scalar_first=True).as_rotvec()
        assert (sign * turn[:, axis] > -1e-6).all()
        assert np.degrees(sign * turn[:, axis]).max() < 140.0


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_feet_neither_sink_nor_float(name):
    body = skeleton()
    clip = load_motion(name, 30.0)
    soles = soles_of(body).in_world(_world(clip), body)
    lowest = soles[..., 2].min(axis=(1, 2))
    assert lowest.min() > -0.03
    assert np.percentile(lowest, 30) < 0.02


def test_walking_has_the_measures_of_walking():
    clip = load_motion("walk", 30.0)
    seconds = len(clip.root) / clip.fps
    travel = clip.root[0] - clip.root[-1] - loop_step(clip.root)
    stride = travel[1] * leg_length(skeleton())
    # Perry: 1.1 s and 1.4 m a stride of adults, 1.7 m tall; free speeds 1.1 to 1.6 m/s.
    assert 0.95 < seconds < 1.2
    assert 1.1 < stride / seconds < 1.6
    rise = np.ptp(clip.root[:, 2]) * leg_length(skeleton())
    assert 0.015 < rise < 0.07  # Perry: 4 to 5 cm
    # One foot always stands, both for about a quarter of the time (Perry: 24 %).
    body = skeleton()
    soles = soles_of(body).in_world(_world(clip), body)
    standing = standing_feet(soles, clip.fps)
    assert standing.any(axis=1).all()
    assert 0.1 < standing.all(axis=1).mean() < 0.45


def test_sides_alternate():
    """Half a stride later, the left side does what the right one did."""
    clip = load_motion("walk", 50.0)
    half = len(clip.root) // 2
    assert len(clip.root) % 2 == 0
    mirrored = clip.rotations * np.array([1.0, 1.0, -1.0, -1.0])
    for part in ("hip", "knee", "ankle", "shoulder", "elbow"):
        left = clip.rotations[:, JOINT[f"left_{part}"]]
        right = np.roll(mirrored[:, JOINT[f"right_{part}"]], -half, axis=0)
        assert angles_between(left, right).max() < 3.0


def test_running_has_a_flight_and_walking_has_none():
    body = skeleton()
    for name, flies in (("walk", False), ("run", True)):
        clip = load_motion(name, 60.0)
        soles = soles_of(body).in_world(_world(clip), body)
        assert bool((soles[..., 2].min(axis=(1, 2)) > 0.02).any()) == flies


@pytest.mark.parametrize("name", ["dance", "turn", "sit", "look", "idle", "wave"])
def test_planted_feet_do_not_slide(name):
    """The contact of a standing foot stays within a centimetre, but for the moments in which it is
    set down and lifted."""
    body = skeleton()
    clip = load_motion(name, 60.0)
    soles = soles_of(body).in_world(_world(clip), body)
    standing, weights = standing_feet(soles, clip.fps), contact_weights(soles)
    for side in range(2):
        for start, stop in phases(standing[:, side]):
            start, stop = start + 3 * (start > 0), stop - 3 * (stop < len(standing))
            share = (weights[start + 1 : stop, side] + weights[start : stop - 1, side]) / 2
            steps = np.diff(soles[start:stop, side, :, :2], axis=0)
            way = np.cumsum(np.einsum("fp,fpi->fi", share, steps), axis=0)
            if len(way):
                assert np.linalg.norm(np.ptp(way, axis=0)) < 0.01


def test_turning_goes_once_round():
    clip = load_motion("turn", 24.0)
    ahead = Rotation.from_quat(clip.rotations[:, 0], scalar_first=True).apply([0, -1, 0])
    heading = np.unwrap(np.arctan2(ahead[:, 0], -ahead[:, 1]))
    assert heading[-1] - heading[0] == pytest.approx(2 * np.pi, abs=0.02)
    assert (np.diff(heading) > -0.01).all()


def test_sitting_ends_on_a_chair_at_rest():
    clip = load_motion("sit", 24.0)
    world = _world(clip)[..., :3, 3]
    hips = world[:, [JOINT["left_hip"], JOINT["right_hip"]]].mean(axis=1)
    assert 0.42 < hips[-1, 2] < 0.56  # 40 to 50 cm of seat and what is between
    knees = world[-1, [JOINT["left_knee"], JOINT["right_knee"]]]
    assert np.abs(knees[:, 2] - hips[-1, 2]).max() < 0.08  # thighs level
    assert np.abs(clip.rotations[-1] - clip.rotations[-2]).max() < 1e-3
    feet = world[:, [JOINT["left_ankle"], JOINT["right_ankle"]]]
    assert np.ptp(feet, axis=0).max() < 0.01


def test_the_dance_keeps_the_beat():
    """The hips are lowest once a beat: eight times in four seconds."""
    height = load_motion("dance", 24.0).root[:, 2]
    lows = (height < np.roll(height, 1)) & (height <= np.roll(height, -1))
    assert lows.sum() == 8


def test_the_jump_is_a_parabola():
    clip = load_motion("jump", 60.0)
    height = clip_root(clip)[:, 2]
    top = int(height.argmax())
    fall = np.diff(height[top - 6 : top + 7], n=2) * 60.0**2
    assert fall.mean() == pytest.approx(-9.81, rel=0.12)


def test_the_waving_hand_is_over_the_shoulder():
    world = _world(load_motion("wave", 24.0))[..., :3, 3]
    over = world[:, JOINT["right_hand"], 2] - world[:, JOINT["right_shoulder"], 2]
    assert over.max() > 0.2 and over.min() < -0.4  # up, and back at the side
    assert (world[:, JOINT["left_hand"], 2] < world[:, JOINT["left_elbow"], 2]).all()


@pytest.mark.parametrize("name", ["fly", "clip.abc", ""])
def test_an_unknown_name_lists_those_there_are(name):
    with pytest.raises(MotionError) as raised:
        load_motion(name, 24.0)
    assert all(known in str(raised.value) for known in CLIP_NAMES)
