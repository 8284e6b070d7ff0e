"""Options of a performance: mirroring, speed, on the spot, back to the photo's pose, a path."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.editing.mirror import PARTNERS, mirrored, mirrored_rotations
from photo_wake_up.addon.core.motion.editing.sampling import clip_at
from photo_wake_up.addon.core.motion.ground.feet import phases, soles_of, standing_feet
from photo_wake_up.addon.core.motion.ground.foot_lock import contact_weights
from photo_wake_up.addon.core.motion.performing.options import PerformOptions
from photo_wake_up.addon.core.motion.performing.path_following import route_along
from photo_wake_up.addon.core.motion.performing.perform import perform
from photo_wake_up.addon.core.motion.performing.viewer import Viewer
from photo_wake_up.addon.core.motion.sources.library import CLIP_NAMES, load_motion
from photo_wake_up.addon.core.types import Motion

from .motion_inputs import angles_between, skeleton, standing_pose

_CAMERA = np.array([0.1, -3.5, 1.3])
_BODY = skeleton()
_RETURNS = PerformOptions(returns=True)


def _slides(motion: Motion) -> list[float]:
    """Metres that the contact of each standing foot wanders, one number a stand."""
    world = forward_kinematics(_BODY, motion.rotations, motion.root)
    soles = soles_of(_BODY).in_world(world, _BODY)
    standing, weights = standing_feet(soles, motion.fps), contact_weights(soles)
    slides = []
    for side in range(2):
        for start, stop in phases(standing[:, side]):
            share = (weights[start + 1 : stop, side] + weights[start : stop - 1, side]) / 2
            steps = np.diff(soles[start:stop, side, :, :2], axis=0)
            way = np.cumsum(np.einsum("fp,fpi->fi", share, steps), axis=0)
            way = np.concatenate([np.zeros((1, 2)), way])
            slides.append(float(np.linalg.norm(np.ptp(way, axis=0))))
    return slides


def _performed(name: str, frames: int = 120, path=None, pose=None, **options) -> Motion:
    return perform(
        _BODY, pose or standing_pose(), load_motion(name, 24.0), frames, 24.0, Viewer(_CAMERA),
        PerformOptions(**options), path,
    )  # fmt: skip


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_mirroring_twice_changes_nothing(name):
    clip = load_motion(name, 24.0)
    twice = mirrored(mirrored(clip))
    assert np.array_equal(twice.rotations, clip.rotations)
    assert np.array_equal(twice.root, clip.root)


def test_a_mirrored_pose_is_the_reflection_of_its_joints():
    """Forward kinematics and reflection commute on a skeleton that is alike on both sides."""
    clip = load_motion("wave", 24.0)
    root = np.tile([0.1, -0.2, 0.9], (len(clip.root), 1))
    across = np.array([-1.0, 1.0, 1.0])
    before = forward_kinematics(_BODY, clip.rotations, root)[..., :3, 3]
    after = forward_kinematics(_BODY, mirrored_rotations(clip.rotations), root * across)
    assert np.abs(after[..., :3, 3][:, PARTNERS] * across - before).max() < 1e-9


def test_a_mirrored_wave_is_the_left_hands():
    motion = _performed("wave", mirror=True)
    world = forward_kinematics(_BODY, motion.rotations, motion.root)[..., :3, 3]
    top = world[..., 2].max(axis=0)
    assert top[JOINT["left_hand"]] > top[JOINT["right_hand"]] + 0.5


def test_the_defaults_are_no_options():
    clip = load_motion("walk", 24.0)
    plain = perform(_BODY, standing_pose(), clip, 60, 24.0, Viewer(_CAMERA))
    chosen = _performed("walk", 60)
    assert np.array_equal(plain.rotations, chosen.rotations)
    assert np.array_equal(plain.root, chosen.root)


@pytest.mark.parametrize(
    "options", [{}, {"mirror": True}, {"speed": 1.5}, {"in_place": True}, {"returns": True}]
)
@pytest.mark.parametrize("name", ["walk", "dance", "sit"])
def test_every_performance_begins_with_the_photo(name, options):
    pose = standing_pose(40.0)
    motion = _performed(name, pose=pose, **options)
    assert np.array_equal(motion.rotations[0], pose.rotations)
    assert np.array_equal(motion.root[0], pose.root)
    assert angles_between(motion.rotations[1:], motion.rotations[:-1]).max() < 60.0
    assert np.linalg.norm(np.diff(motion.root, axis=0), axis=1).max() < 0.2


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.7])
def test_speed_is_how_fast_the_clip_goes_by(speed):
    """Once the photo's pose is left, the arm is the clip's at its time."""
    clip = load_motion("wave", 24.0)
    motion = perform(
        _BODY, standing_pose(), clip, 96, 24.0, None, PerformOptions(speed=speed)
    )  # fmt: skip
    asked, _ = clip_at(clip, speed * np.arange(96))
    arm = [JOINT["right_shoulder"], JOINT["right_elbow"]]
    assert angles_between(motion.rotations[36:, arm], asked[36:, arm]).max() < 1e-3


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.4])
def test_walking_is_as_fast_as_asked(speed):
    clip = load_motion("walk", 24.0)
    motion = perform(
        _BODY, standing_pose(), clip, 120, 24.0, None, PerformOptions(speed=speed)
    )  # fmt: skip
    way = np.linalg.norm((motion.root[110] - motion.root[60])[:2]) * 24.0 / 50
    assert way == pytest.approx(1.28 * speed, rel=0.12)


@pytest.mark.parametrize("name", ["walk", "run"])
def test_in_place_the_character_stays(name):
    motion = _performed(name, 144, in_place=True)
    away = np.linalg.norm((motion.root - motion.root[0])[:, :2], axis=1)
    assert away.max() < 0.15
    # The legs go on as they would: knees bend as far as in the clip.
    knee = motion.rotations[60:, JOINT["left_knee"]]
    assert angles_between(knee, knee[:1]).max() > 35.0


@pytest.mark.parametrize("yaw", [0.0, 60.0])
@pytest.mark.parametrize("name", ["dance", "wave", "sit", "look", "jump"])
def test_who_returns_ends_as_the_photo(name, yaw):
    pose = standing_pose(yaw)
    motion = perform(
        _BODY, pose, load_motion(name, 24.0), 144, 24.0, Viewer(_CAMERA), _RETURNS
    )  # fmt: skip
    assert np.array_equal(motion.rotations[-1], pose.rotations) or (
        angles_between(motion.rotations[-1], pose.rotations).max() < 1e-4
    )
    assert np.abs(motion.root[-1] - pose.root).max() < 0.002
    # It comes to rest there: no leap in the last frames.
    assert angles_between(motion.rotations[-1], motion.rotations[-2]).max() < 4.0
    assert np.linalg.norm(motion.root[-1] - motion.root[-2]) < 0.02
    slides = _slides(motion)
    assert np.mean(slides) < 0.02 and max(slides) < 0.08


def test_who_walks_and_returns_ends_in_the_photos_pose_elsewhere():
    pose = standing_pose()
    motion = _performed("walk", 144, pose=pose, returns=True)
    assert angles_between(motion.rotations[-1], pose.rotations).max() < 1e-4
    assert np.linalg.norm((motion.root[-1] - pose.root)[:2]) > 0.8
    assert angles_between(motion.rotations[-1], motion.rotations[-2]).max() < 4.0


@pytest.mark.parametrize("options", [{"speed": 0.0}, {"speed": float("nan")}, {"blend_s": -1.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(MotionError, match="speed|seconds"):
        PerformOptions(**options)


def _paths() -> dict[str, np.ndarray]:
    """From the feet: straight, aside, a bow, a right angle, an S."""
    start = standing_pose().root[:2]
    t = np.linspace(0.0, 1.0, 40)
    bow = np.stack([1.5 * np.sin(np.pi / 2 * t), -1.5 * (1 - np.cos(np.pi / 2 * t))], axis=1)
    lines = {
        "straight": np.array([[0.0, 0.0], [0.0, -2.5]]),
        "aside": np.array([[0.0, 0.0], [2.0, -1.0]]),
        "bow": bow,
        "corner": np.array([[0.0, 0.0], [0.0, -1.5], [1.5, -1.5]]),
        "s": np.stack([0.5 * np.sin(2 * np.pi * t), -3.0 * t], axis=1),
    }
    return {
        name: np.column_stack([start + line, np.zeros(len(line))]) for name, line in lines.items()
    }


@pytest.mark.parametrize("clip_name", ["walk", "run"])
@pytest.mark.parametrize("name", _paths())
def test_walking_along_a_path(name, clip_name):
    path = _paths()[name]
    motion = _performed(clip_name, 168, path=path)
    assert np.array_equal(motion.root[0], standing_pose().root)
    # It stops where the path does, facing as the path does.
    assert np.linalg.norm(motion.root[-1, :2] - path[-1, :2]) < 0.08
    assert np.linalg.norm(np.diff(motion.root[-12:], axis=0), axis=1).max() < 0.02
    facing = Rotation.from_quat(motion.rotations[-1, 0], scalar_first=True).apply([0, -1, 0])[:2]
    ahead = path[-1, :2] - path[-2, :2]
    assert facing @ ahead > 0.93 * np.linalg.norm(ahead)
    # It keeps to the path but for rounded corners and the sway of walking.
    route = route_along(path, standing_pose().root[:2])
    away = np.linalg.norm(motion.root[:, None, :2] - route.points[None], axis=2).min(axis=1)
    assert away.max() < 0.08
    # On the ground, without sliding.
    world = forward_kinematics(_BODY, motion.rotations, motion.root)
    soles = soles_of(_BODY).in_world(world, _BODY)
    assert soles[30:, ..., 2].min() > -0.01
    slides = _slides(motion)
    assert np.mean(slides) < 0.01 and max(slides) < 0.03
    assert angles_between(motion.rotations[1:], motion.rotations[:-1]).max() < 60.0


def test_headings_along_a_path_are_smooth():
    motion = _performed("walk", 168, path=_paths()["corner"])
    ahead = Rotation.from_quat(motion.rotations[:, 0], scalar_first=True).apply([0, -1, 0])
    heading = np.unwrap(np.arctan2(ahead[:, 0], -ahead[:, 1]))
    assert np.degrees(np.abs(np.diff(heading))).max() < 14.0  # 340 degrees a second


def test_a_path_is_only_for_those_who_travel():
    path = _paths()["aside"]
    with_path = _performed("wave", path=path)
    assert np.array_equal(with_path.root, _performed("wave").root)


def test_a_route_keeps_its_ends_and_straight_lines():
    path = np.array([[0.0, 0.0, 0.0], [0.0, -2.0, 5.0]])
    route = route_along(path, (0.0, 0.0))
    assert route.length == pytest.approx(2.0, abs=1e-6)
    assert np.abs(route.points[:, 0]).max() < 1e-9
    assert np.allclose(route.heading, 0.0)
    assert np.allclose(route.at(np.array([0.5, 2.5])), [[0, -0.5], [0, -2.5]])


@pytest.mark.parametrize(
    "path",
    [
        np.zeros((1, 3)), np.zeros((4, 3)), np.zeros((3, 2)),
        np.array([[0, 0, 0], [np.nan, 0, 0]]), np.array([[0, 0, 0], [1e9, 0, 0]]),
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused(path):
    with pytest.raises(MotionError, match="path"):
        _performed("walk", 24, path=path)
