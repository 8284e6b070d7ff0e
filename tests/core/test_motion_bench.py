"""The bench of motions can fail: what is broken on purpose is measured as broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.motion.retargeting.retarget import retarget
from photo_wake_up.addon.core.motion.sources.bvh import read_bvh
from photo_wake_up.addon.core.motion.sources.library import load_motion
from photo_wake_up.addon.core.types import Motion
from photo_wake_up.tests.benches.motion import feet, loops, retargeting
from photo_wake_up.tests.benches.motion.sources import body, root_of, source

from .motion_inputs import mocap

_RUN = "run_mixamo_beta.bvh"


def test_a_loop_that_is_cut_breaks_at_the_wrap():
    whole = load_motion("walk", loops.FINE_FPS)
    few = len(whole.root) // 100
    cut = replace(whole, rotations=whole.rotations[:-few], root=whole.root[:-few])
    position, velocity = loops.breaks(whole)
    assert position < loops.POSITION_BAR_M and velocity < loops.VELOCITY_BAR_M_S
    position, velocity = loops.breaks(cut)
    assert position > loops.POSITION_BAR_M and velocity > loops.VELOCITY_BAR_M_S


def test_a_frame_twice_halts_a_loop():
    film = load_motion("run", loops.FILM_FPS)
    twice = replace(
        film,
        rotations=np.concatenate([film.rotations, film.rotations[:1]]),
        root=np.concatenate([film.root, film.root[-1:] - (film.root[-2:-1] - film.root[-1:])]),
    )
    assert loops.roughness(film) < loops.ROUGHEST < loops.roughness(twice)


def test_a_turned_limb_is_as_far_off_as_it_is_turned():
    path = mocap(_RUN)
    truth, clip = source(path), retarget(read_bvh(path), "run")
    before = retargeting.limb_errors(truth, clip).mean(axis=0)
    assert before.max() < retargeting.LIMB_BAR_DEG
    rotations = clip.rotations.copy()
    elbow = JOINT["left_elbow"]
    turn = Rotation.from_euler("z", 25, degrees=True)
    rotations[:, elbow] = (
        turn * Rotation.from_quat(rotations[:, elbow], scalar_first=True)
    ).as_quat(scalar_first=True)
    after = retargeting.limb_errors(truth, replace(clip, rotations=rotations)).mean(axis=0)
    limb = retargeting.LIMBS.index("left elbow-wrist")
    assert after[limb] > retargeting.LIMB_BAR_DEG
    assert np.abs(np.delete(after - before, limb)).max() < 2.0


def test_a_flip_is_counted_once_a_frame():
    path = mocap(_RUN)
    truth, clip = source(path), retarget(read_bvh(path), "run")
    assert retargeting.flips(truth, clip) == 0
    rotations = clip.rotations.copy()
    knee = JOINT["left_knee"]
    turn = Rotation.from_euler("y", 180, degrees=True)
    flipped = turn * Rotation.from_quat(rotations[9:12, knee], scalar_first=True)
    rotations[9:12, knee] = flipped.as_quat(scalar_first=True)
    assert retargeting.flips(truth, replace(clip, rotations=rotations)) == 2  # there and back


def test_feet_that_slide_sink_or_float_are_seen():
    clip = load_motion("idle", 24.0)
    still = Motion(24.0, clip.rotations, root_of(clip))
    lowest = feet.lowest_skin(still)
    moved = replace(
        still, root=still.root + np.linspace(0, 1, len(still.root))[:, None] * [0, 1, 0]
    )
    last = len(still.root) - 1
    assert feet.slide(still, "left_foot", 0, len(still.root)) < feet.SLIDE_BAR_M
    assert feet.slide(moved, "left_foot", 0, last + 1) == pytest.approx(1.0, abs=0.02)
    sunk = replace(still, root=still.root - [0.0, 0.0, 0.05])
    assert np.allclose(feet.lowest_skin(sunk), lowest - 0.05)
    assert np.abs(lowest).max() < feet.PENETRATION_BAR_M


@pytest.mark.parametrize("name", ["walk_cmu_12_01.bvh", _RUN])
def test_walkers_and_runners_plant_one_foot_after_the_other(name):
    truth = source(mocap(name))
    planted = [(a, b, joint) for joint, a, b in feet.planted_phases(truth) if "foot" in joint]
    assert {joint for *_, joint in planted} == {"left_foot", "right_foot"}
    where = {(j, k) for a, b, j in planted for k in range(a, b)}
    share = len(where) / 2 / truth.frame_count
    assert (0.1 < share < 0.45) if name == _RUN else (0.4 < share < 0.8)
    for start, stop, joint in planted:
        assert np.ptp(truth.places[joint][start:stop], axis=0).max() * body_scale(truth) < 0.03


def body_scale(truth) -> float:
    """Metres of the body a unit of the file."""
    return feet.leg_length(body().skeleton) / truth.leg
