"""The parts that performances are made of: flesh, headings, room before the camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.motion.editing.orientation import heading, ways_ahead
from photo_wake_up.addon.core.motion.ground.default_body import usual_skeleton
from photo_wake_up.addon.core.motion.ground.feet import standing_feet
from photo_wake_up.addon.core.motion.ground.flesh import flesh_of, lows_of
from photo_wake_up.addon.core.motion.performing.framing import Border, led
from photo_wake_up.addon.core.motion.performing.viewer import Viewer
from photo_wake_up.addon.core.types import Camera, Motion
from photo_wake_up.tests.benches.motion.sources import body

from .floor_motions import POSES, posed, skin


@pytest.mark.parametrize("name", POSES)
def test_flesh_ends_where_the_skin_does(name):
    rotations, root = posed(name), np.zeros((1, 3))
    world = forward_kinematics(body().skeleton, rotations, root)
    lowest = lows_of(flesh_of(body().skeleton), world, 24.0).heights.min()
    seen = skin(Motion(24.0, rotations, root))[..., 2].min()
    # Soles, which flesh does not know, are lower where they look down.
    assert lowest - seen < 0.03 or name == "kneeling"
    assert lowest - seen > -0.03


def test_the_usual_body_is_the_default_one():
    assert np.abs(usual_skeleton().joints - body().skeleton.joints).max() < 0.003


def test_flesh_is_as_thick_as_the_surface_but_no_skirt():
    usual = flesh_of(body().skeleton)
    same = flesh_of(body().skeleton, body().vertices, body().weights)
    assert np.abs(same.radii - usual.radii).max() < 0.025
    thick = body().vertices * np.array([1.0, 1.15, 1.0])
    assert flesh_of(body().skeleton, thick, body().weights).radii.sum() > same.radii.sum()
    skirt = body().vertices * np.array([6.0, 6.0, 1.0])
    assert (flesh_of(body().skeleton, skirt, body().weights).radii - usual.radii).max() < 0.041


@pytest.mark.parametrize("lean", [0.0, 60.0, 90.0, 130.0, -60.0, -90.0, -130.0])
@pytest.mark.parametrize("turn", [0.0, 70.0, 180.0, -100.0])
def test_leaning_does_not_change_where_somebody_faces(lean, turn):
    """Forwards or backwards, until beyond lying."""
    if abs(lean) > 120.0:
        lean = np.sign(lean) * 115.0
    pelvis = Rotation.from_euler("ZX", [turn, lean], degrees=True).as_matrix()[None]
    off = np.degrees(heading(ways_ahead(pelvis)[0])) - turn
    assert abs((off + 180.0) % 360.0 - 180.0) < 1e-6


@pytest.mark.parametrize("turn", [0.0, 70.0, -100.0])
def test_upside_down_the_belly_tells(turn):
    pelvis = Rotation.from_euler("ZY", [turn, 180.0], degrees=True).as_matrix()[None]
    assert np.degrees(heading(ways_ahead(pelvis)[0])) == pytest.approx(turn)


def test_a_way_is_led_along_its_border_and_comes_back_at_once():
    seconds = np.arange(96) / 24.0
    out = np.where(seconds < 2.0, seconds, 4.0 - seconds)
    path = np.stack([out, np.zeros(96)], axis=1)
    border = Border(np.array([1.0, 0.0]), np.array([-1.0, 0.0]), np.full(96, 0.5), "right")
    kept = led(path, [border], 24.0)
    assert kept[:, 0].max() < 0.53
    steps = np.diff(kept, axis=0)
    assert np.abs(steps[:8] - np.diff(path, axis=0)[:8]).max() < 0.01
    assert np.abs(steps[60:80, 0] + 1 / 24.0).max() < 0.005  # on the way back as fast as ever
    assert np.abs(np.diff(steps[:44], axis=0)).max() < 0.02  # 11 m/s2: nobody stops dead
    free = Border(np.array([1.0, 0.0]), np.array([-1.0, 0.0]), np.full(96, 3.0), "right")
    assert led(path, [free], 24.0) is path


def test_a_viewer_keeps_its_place():
    place = np.eye(4)
    place[:3, :3] = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]
    viewer = Viewer.of(Camera(800.0, 199.5, 299.5, 400, 600), place)
    place[:3, 3] = 7.0
    assert np.array_equal(viewer.position, np.zeros(3))
    assert viewer.ahead == (0.0, 1.0)
    edges = (viewer.left, viewer.right, viewer.rise, viewer.fall)
    assert edges == pytest.approx((0.25, 0.25, 0.375, 0.375))


@given(st.integers(0, 2**32 - 1))
def test_rounding_does_not_choose_among_the_points_of_a_flat_sole(seed):
    """A foot turns on the spot about its heel: the heel rests, the toes are fast, all as low."""
    frames, fps = 24, 24.0
    angle = np.linspace(0.0, 4.0, frames)
    length = np.array([0.0, 0.18, 0.25])  # metres from the heel
    flat = np.stack([np.cos(angle)[:, None] * length, np.sin(angle)[:, None] * length], axis=-1)
    sole = np.concatenate([flat, np.zeros((frames, 3, 1))], axis=-1)
    soles = np.stack([sole, sole + [0.2, 0.0, 0.0]], axis=1)
    noise = np.random.default_rng(seed).uniform(-1e-12, 1e-12, soles.shape)
    assert standing_feet(soles, fps).all()
    assert standing_feet(soles + noise, fps).all()
