"""Performances stay in the picture, whole, and use the room that it has."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from photo_wake_up.addon.core.motion.performing.options import PerformOptions
from photo_wake_up.addon.core.motion.performing.perform import perform
from photo_wake_up.addon.core.motion.performing.viewer import Viewer
from photo_wake_up.addon.core.motion.sources.library import load_motion
from photo_wake_up.addon.core.reports.report import warnings_of
from photo_wake_up.addon.core.types import Camera, Clip, Motion, Pose
from photo_wake_up.tests.benches.motion.sources import body, standing

from .floor_motions import cartwheel, held, skin, turning_walk
from .motion_inputs import angles_between

_LENS = Camera(900.0, 449.5, 449.5, 900, 900)
# Where photos are taken from: straight ahead, from aside, from so near that there is little room.
_PLACES = {
    "ahead": (0.0, -3.2, 0.85), "from the left": (1.0, -4.0, 1.0), "near": (0.0, -2.0, 0.85),
}  # fmt: skip
_OUTSIDE_PX = 6.0  # of 900: hair's breadths while a way is led along the edge


def _box(motion: Motion, place: tuple[float, float, float]) -> np.ndarray:
    """(F, 4) left, top, right, bottom of the whole figure in the picture, pixels."""
    points = skin(motion) - np.array(place)
    x = _LENS.cx + _LENS.focal_px * points[..., 0] / points[..., 1]
    y = _LENS.cy - _LENS.focal_px * points[..., 2] / points[..., 1]
    return np.stack([x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)], axis=1)


def _outside(motion: Motion, place: tuple[float, float, float]) -> float:
    """Pixels by which the figure leaves the picture, at the most."""
    box = _box(motion, place)
    return float(max(-box[:, :2].min(), (box[:, 2:] - [_LENS.width, _LENS.height]).max()))


def _performed(clip: Clip, place: tuple[float, float, float], pose: Pose | None = None) -> Motion:
    viewer = Viewer.of(_LENS, np.array(place))
    return perform(body().skeleton, pose or standing(), clip, 120, 24.0, viewer)


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("degrees", [0.0, 45.0, 90.0, -90.0, 180.0])
def test_a_walker_who_turns_stays_in_the_picture(degrees, place):
    at = _PLACES[place]
    motion = _performed(turning_walk(degrees), at)
    assert _outside(motion, at) < _OUTSIDE_PX
    # The legs walk on, wherever he is.
    knee = motion.rotations[60:90, 4]
    assert angles_between(knee, knee[:1]).max() > 30.0


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("name", ["walk", "run"])
def test_the_default_walks_stay_in_the_picture(name, place):
    at = _PLACES[place]
    assert _outside(_performed(load_motion(name, 24.0), at), at) < _OUTSIDE_PX


@pytest.mark.parametrize("name", ["handstand", "prone", "on the back", "boat"])
def test_who_lies_down_or_stands_on_hands_finds_room_for_it(name):
    at = (0.0, -2.3, 0.85)
    motion = _performed(held(name, 0.0), at)
    box = _box(motion, at)[40:]
    assert box[:, :2].min() > -_OUTSIDE_PX
    assert (box[:, 2:] - 900).max() < _OUTSIDE_PX


def test_a_cartwheel_stays_in_the_picture():
    at = (0.0, -3.6, 0.85)
    assert _outside(_performed(cartwheel(), at), at) < _OUTSIDE_PX


@pytest.mark.parametrize("aside", [-0.95, 0.95])
def test_who_begins_at_the_edge_does_not_leave_over_it(aside):
    """In a long stride sideways, out of which the feet would push on."""
    at = (aside, -3.2, 0.85)
    wide = standing().rotations.copy()
    wide[1], wide[2] = (np.array([np.cos(a), 0.0, np.sin(a), 0.0]) for a in (-0.25, 0.25))
    motion = _performed(load_motion("walk", 24.0), at, Pose(wide, np.array([0.0, 0.0, 0.86])))
    box = _box(motion, at)
    for edge, sign, end in ((0, -1.0, 0.0), (2, 1.0, 900.0)):
        at_start = sign * (box[0, edge] - end)
        assert (sign * (box[:, edge] - end)).max() < max(at_start, 0.0) + _OUTSIDE_PX


def test_an_edge_that_cut_the_feet_off_is_no_border():
    """Whoever is cut off below comes forward all the same."""
    lens = replace(_LENS, height=650)
    viewer = Viewer.of(lens, np.array([0.0, -3.2, 0.85]))
    motion = perform(body().skeleton, standing(), load_motion("walk", 24.0), 120, 24.0, viewer)
    assert motion.root[0, 1] - motion.root[-1, 1] > 0.5


def test_a_path_may_leave_the_picture():
    path = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
    viewer = Viewer.of(_LENS, np.array(_PLACES["ahead"]))
    motion = perform(
        body().skeleton, standing(), load_motion("walk", 24.0), 168, 24.0, viewer, path=path
    )
    assert motion.root[-1, 0] > 3.8


def _still_s(motion: Motion) -> float:
    """Seconds at the end in which neither joints nor root move as somebody does who walks."""
    turns = angles_between(motion.rotations[1:], motion.rotations[:-1]).max(axis=1)
    moving = np.flatnonzero(turns > 2.0)
    return (len(turns) - 1 - int(moving.max(initial=0))) / motion.fps


@pytest.mark.parametrize("away", [1.75, 2.2, 2.8, 3.5, 5.0, 9.0])
@pytest.mark.parametrize("rise", [0.3, 0.5])
def test_the_default_walk_is_never_still_for_long(away, rise):
    """However little room there is: steps get shorter, or are made on the spot."""
    viewer = Viewer(np.array([0.0, -away, 0.85]), rise=rise)
    motion = perform(body().skeleton, standing(), load_motion("walk", 24.0), 120, 24.0, viewer)
    assert _still_s(motion) < 1.0
    knees = motion.rotations[:, [4, 5]]
    for start in range(0, 84, 12):  # a step in every second and a half
        part = knees[start : start + 36]
        assert angles_between(part, part[:1]).max() > 20.0


def test_room_is_used():
    """Until head or feet would be cut off, or it has come as near as anybody comes."""
    for at in ((0.0, -4.5, 0.9), (0.0, -2.6, 0.7)):
        motion = _performed(load_motion("walk", 24.0), at)
        box = _box(motion, at)[-1]
        near = (motion.root[-1, 1] - at[1]) / -at[1]
        assert min(box[1], 900 - box[3]) < 75 or near < 0.66


def test_a_clip_that_is_cut_short_says_so():
    walk = turning_walk(0.0, 240)
    motion = _performed(walk, _PLACES["ahead"])
    assert any("240 frames" in said for said in motion.warnings)
    whole = perform(body().skeleton, standing(), turning_walk(0.0, 120), 120, 24.0)
    assert whole.warnings == ()


def test_a_way_that_has_no_room_is_told():
    motion = _performed(turning_walk(90.0), _PLACES["ahead"])
    assert any("no room" in said for said in motion.warnings)
    spot = perform(
        body().skeleton, standing(), turning_walk(90.0), 120, 24.0,
        Viewer.of(_LENS, np.array(_PLACES["ahead"])), PerformOptions(in_place=True),
    )  # fmt: skip
    assert spot.warnings == ()


def test_the_report_tells_what_a_motion_lost():
    motion = _performed(turning_walk(90.0, 240), _PLACES["ahead"])
    measured = SimpleNamespace(
        foldover_fraction=0.0, hole_fraction=0.0, collapsed_fraction=0.0, warps=()
    )
    tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)
    built = SimpleNamespace(report=measured, character=SimpleNamespace(triangles=tetrahedron))
    nothing = SimpleNamespace(
        photo=SimpleNamespace(remarks=()),
        person=None,
        fitted=None,
        build=built,
        motion=None,
        motion_notes=(),
    )
    told = SimpleNamespace(**{**vars(nothing), "motion": motion})
    assert warnings_of(told) == list(motion.warnings)
    assert len(motion.warnings) == 2
    assert warnings_of(nothing) == []


@pytest.mark.parametrize("name", ["walk", "run", "sit", "wave", "dance", "turn", "look", "jump"])
def test_the_built_in_clips_lose_nothing_that_is_told(name):
    assert _performed(load_motion(name, 24.0), _PLACES["ahead"]).warnings == ()


def test_the_camera_may_look_anywhere():
    """A viewer that is turned about the vertical with everything else sees the same."""
    turn = np.radians(50.0)
    cos, sin = np.cos(turn), np.sin(turn)
    place = np.eye(4)
    place[:3, :3] = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    place[:3, 3] = _PLACES["from the left"]
    straight = Viewer.of(_LENS, place)
    spin = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    place[:3, :3], place[:3, 3] = spin @ place[:3, :3], spin @ place[:3, 3]
    pose = standing()
    half = np.array([np.cos(turn / 2), 0.0, 0.0, np.sin(turn / 2)])
    rotations = pose.rotations.copy()
    w, x, y, z = rotations[0]
    rotations[0] = [
        half[0] * w - half[3] * z, half[0] * x - half[3] * y,
        half[0] * y + half[3] * x, half[0] * z + half[3] * w,
    ]  # fmt: skip
    turned = Pose(rotations, spin @ pose.root)
    clip = turning_walk(90.0)
    one = perform(body().skeleton, pose, clip, 96, 24.0, straight)
    other = perform(body().skeleton, turned, clip, 96, 24.0, Viewer.of(_LENS, place))
    assert np.abs(other.root - one.root @ spin.T).max() < 1e-3
