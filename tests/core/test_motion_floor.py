"""The floor is what the lowest part of the body touches, whichever it is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.motion.clips.cyclic_clip import cyclic_motion
from photo_wake_up.addon.core.motion.performing.options import PerformOptions
from photo_wake_up.addon.core.motion.performing.perform import perform
from photo_wake_up.addon.core.motion.performing.viewer import Viewer
from photo_wake_up.addon.core.motion.sources.library import load_motion
from photo_wake_up.addon.core.motion.sources.smpl_sequence import read_smpl_sequence
from photo_wake_up.addon.core.types import Motion, Pose
from photo_wake_up.tests.benches.motion.sources import body, standing

from .floor_motions import POSES, cartwheel, held, log_roll, on_floor, posed, skin, without_arms
from .motion_inputs import angles_between, stick_bvh, stick_row
from .test_motion_smpl import saved, smpl_fields

_REPORTED = Path(
    os.environ.get("PHOTO_WAKE_UP_REPORTED", Path(__file__).parents[3] / "shared" / "reported")
)
_VIEWER = Viewer(np.array([0.0, -3.5, 1.3]))
# Leg lengths that a hand which is put flat is lower than the tips of its fingers.
_FLAT_HAND = 0.23
_SETTLED = 36  # frames: from 1.5 s on everything is the clip's


def _lowest(motion: Motion) -> np.ndarray:
    return skin(motion)[..., 2].min(axis=1)


@pytest.mark.parametrize("height", [-2.0, 0.0, 3.0])
@pytest.mark.parametrize("name", POSES)
def test_what_is_lowest_lies_on_the_ground(name, height):
    """Wherever the file has its zero."""
    motion = perform(body().skeleton, standing(), held(name, height), 96, 24.0, _VIEWER)
    lowest = _lowest(motion)
    assert np.abs(lowest[_SETTLED:]).max() < 0.025
    assert lowest[1:].min() > -0.03


@pytest.mark.parametrize("name", POSES)
def test_the_pose_stays_the_clips(name):
    """Before a near camera as far from it: trunk and thighs are turned as in the clip."""
    clip = held(name, 0.0)
    near = Viewer(np.array([0.0, -1.8, 1.3]), rise=0.3)
    motion = perform(body().skeleton, standing(), clip, 72, 24.0, near)
    middle = [JOINT[part] for part in ("spine1", "spine2", "spine3", "head")]
    assert angles_between(motion.rotations[48:, middle], clip.rotations[48:, middle]).max() < 1e-3
    ours, theirs = (
        forward_kinematics(body().skeleton, turns[48:], np.zeros((24, 3)))[:, 0, 2, :3]
        for turns in (motion.rotations, clip.rotations)
    )
    assert np.abs(ours - theirs).max() < 1e-3  # the pelvis but for its heading


@pytest.mark.parametrize("name", ["handstand", "prone", "on all fours"])
def test_a_clip_by_itself_lies_on_the_ground(name):
    lowest = _lowest(cyclic_motion(body().skeleton, held(name, -1.0)))
    assert np.abs(lowest).max() < 0.025


def test_a_handstand_stands_on_flat_hands():
    """Not on the fingers' tips, which point down in the recording."""
    motion = perform(body().skeleton, standing(), held("handstand", 0.0), 72, 24.0, _VIEWER)
    world = forward_kinematics(body().skeleton, motion.rotations, motion.root)
    for side in ("left", "right"):
        wrist, hand = (world[_SETTLED:, JOINT[f"{side}_{p}"], :3, 3] for p in ("wrist", "hand"))
        assert np.abs((hand - wrist)[:, 2]).max() < 0.02
        assert wrist[:, 2].max() < 0.08
    assert np.ptp(world[_SETTLED:, JOINT["left_wrist"], :2, 3], axis=0).max() < 0.005


def test_on_all_fours_hands_and_knees_are_down():
    """The arms are longer than the way from the shoulders to the knees' ground: elbows bend."""
    motion = perform(body().skeleton, standing(), held("on all fours", 0.0), 72, 24.0, _VIEWER)
    world = forward_kinematics(body().skeleton, motion.rotations, motion.root)
    for side in ("left", "right"):
        assert world[_SETTLED:, JOINT[f"{side}_wrist"], 2, 3].max() < 0.11
        assert world[_SETTLED:, JOINT[f"{side}_knee"], 2, 3].max() < 0.10


def test_a_cartwheel_rolls_over_the_ground_upside_down():
    near = Viewer(np.array([0.0, -2.0, 1.3]), rise=0.4)
    motion = perform(body().skeleton, standing(), cartwheel(), 72, 24.0, near)
    up = forward_kinematics(body().skeleton, motion.rotations, motion.root)[:, 0, 2, 2]
    assert up.min() < -0.98
    lowest = _lowest(motion)
    assert lowest[1:].min() > -0.05 and lowest[_SETTLED:].max() < 0.08


def test_an_arm_that_dips_does_not_lift_who_rolls_along_the_ground():
    clip = log_roll()
    trunk = skin(Motion(24.0, clip.rotations, clip.root))[:, without_arms(), 2].min(axis=1)
    arms = skin(Motion(24.0, clip.rotations, clip.root))[..., 2].min(axis=1)
    assert (trunk - arms).max() > 0.15  # the arm does dip
    motion = perform(body().skeleton, standing(), clip, 96, 24.0, _VIEWER)
    borne = skin(motion)[_SETTLED:, without_arms(), 2].min(axis=1)
    assert np.abs(borne).max() < 0.04


def test_getting_up_from_the_floor():
    """A clip that ends low is left as it came, without sinking on the way."""
    motion = perform(
        body().skeleton, standing(), held("prone", 0.0), 144, 24.0, _VIEWER,
        PerformOptions(returns=True),
    )  # fmt: skip
    assert angles_between(motion.rotations[-1], standing().rotations).max() < 1e-3
    assert _lowest(motion).min() > -0.04


def test_lying_down_begins_as_the_photo_and_does_not_leap():
    pose = standing()
    motion = perform(body().skeleton, pose, held("on the back", 0.0), 72, 24.0, _VIEWER)
    assert np.array_equal(motion.rotations[0], pose.rotations)
    assert np.array_equal(motion.root[0], pose.root)
    assert angles_between(motion.rotations[1:], motion.rotations[:-1]).max() < 60.0
    assert np.linalg.norm(np.diff(motion.root, axis=0), axis=1).max() < 0.2


def _stick(name: str) -> str:
    """Some of POSES as a BVH text, z x y, facing z."""
    rows = {
        "handstand": {"Hips": (180, 0, 0), "LeftArm": (90, 0, 0), "RightArm": (-90, 0, 0)},
        "on the back": {"Hips": (0, -90, 0), "LeftArm": (-80, 0, 0), "RightArm": (80, 0, 0)},
        "prone": {"Hips": (0, 90, 0), "LeftArm": (-80, 0, 0), "RightArm": (80, 0, 0)},
    }
    return stick_bvh([stick_row((0, 3, 0), **rows[name])] * 40)


@pytest.mark.parametrize("name", ["handstand", "on the back", "prone"])
def test_bvh_files_too(name, tmp_path):
    path = tmp_path / "motion.bvh"
    path.write_text(_stick(name))
    clip = load_motion(path, 24.0)
    ideal = on_floor(held(name, 0.0, 1)).root[0, 2]
    assert abs(clip.root[:, 2] - ideal).max() < _FLAT_HAND  # and arms and trunk differ
    motion = perform(body().skeleton, standing(), clip, 72, 24.0, _VIEWER)
    assert np.abs(_lowest(motion)[_SETTLED:]).max() < 0.025


@pytest.mark.parametrize("name", POSES)
def test_amass_files_too(name, tmp_path):
    clip = on_floor(held(name, 0.0, 40))
    found = read_smpl_sequence(saved(tmp_path, smpl_fields(clip, 0.8)))
    assert np.abs(found.root[:, 2] - clip.root[:, 2]).max() < _FLAT_HAND
    motion = perform(body().skeleton, standing(), found, 72, 24.0, _VIEWER)
    assert np.abs(_lowest(motion)[_SETTLED:]).max() < 0.025


def test_a_jump_that_begins_in_the_air_lands_on_the_ground():
    clip = held("kneeling", 0.0, 72)
    rotations, root = np.repeat(standing().rotations[None], 72, axis=0), clip.root.copy()
    seconds = np.arange(72) / 24.0 + 0.15
    root[:, 2] = 5.0 + np.maximum(0.5 * 9.81 * seconds * (0.55 - seconds), 0.0) / 0.82
    motion = perform(
        body().skeleton, standing(), type(clip)("jump", 24.0, rotations, root, False), 72, 24.0
    )
    lowest = _lowest(motion)
    assert lowest.min() > -0.01 and np.abs(lowest[40:]).max() < 0.01


@pytest.mark.parametrize("climb", [0.25, -0.2])
def test_stairs_are_walked_on_the_ground(climb):
    """The scene has one level ground, whatever the recording climbed."""
    clip = load_motion("walk", 24.0)
    root = np.concatenate([clip.root + [0, k * (clip.root[-1, 1] - clip.root[0, 1]), 0]
                           for k in range(4)])  # fmt: skip
    root[:, 2] += climb * np.arange(len(root)) / 24.0
    stairs = type(clip)("stairs", 24.0, np.tile(clip.rotations, (4, 1, 1)), root, False)
    motion = perform(body().skeleton, standing(), stairs, 96, 24.0)
    lowest = _lowest(motion)
    assert lowest[1:].min() > -0.02 and lowest[12:].max() < 0.03


def test_a_photo_of_somebody_lying_may_get_up():
    pose = Pose(posed("on the back")[0], np.array([0.0, 0.0, 0.09]))
    motion = perform(body().skeleton, pose, load_motion("walk", 24.0), 120, 24.0, _VIEWER)
    assert np.array_equal(motion.rotations[0], pose.rotations)
    assert _lowest(motion)[60:].min() > -0.02


@pytest.mark.parametrize(
    "name",
    ["floor_handstand.bvh", "floor_handstand.npz", "floor_plank.bvh", "floor_crawl.bvh",
     "floor_crawl_place.bvh"],
)  # fmt: skip
def test_reported_files(name):
    path = _REPORTED / name
    if not path.exists():
        pytest.skip(f"{name} is not there: set PHOTO_WAKE_UP_REPORTED to the folder of reports")
    motion = perform(
        body().skeleton, standing(), load_motion(path, 24.0), 120, 24.0, _VIEWER
    )  # fmt: skip
    lowest = _lowest(motion)
    assert np.abs(lowest[_SETTLED:]).max() < 0.02
