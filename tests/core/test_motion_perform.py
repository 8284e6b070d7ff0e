"""Performances: begin as the photo, stay on the ground, before the camera and in one piece."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.ground.feet import (
    ANKLES,
    HIPS,
    phases,
    reach,
    soles_of,
    standing_feet,
)
from photo_wake_up.addon.core.motion.ground.floor import floor_under
from photo_wake_up.addon.core.motion.ground.foot_lock import contact_weights
from photo_wake_up.addon.core.motion.performing.perform import perform
from photo_wake_up.addon.core.motion.performing.viewer import Viewer
from photo_wake_up.addon.core.motion.sources.library import CLIP_NAMES, load_motion
from photo_wake_up.addon.core.types import Camera, Motion, Pose

from .motion_inputs import MOCAP, angles_between, mocap, skeleton, standing_pose

_CAMERA = np.array([0.1, -3.5, 1.3])
_BODY = skeleton()


def _poses() -> dict[str, Pose]:
    """Photo poses: standing, seen from the side and from behind, in the air, sitting, a lunge."""
    standing = standing_pose()
    poses = {
        "front": standing,
        "side": standing_pose(80.0),
        "behind": standing_pose(170.0),
        "jumping": Pose(standing.rotations, standing.root + [0, 0, 0.35]),
    }
    sitting, lunge = standing.rotations.copy(), standing.rotations.copy()
    for side, sign in (("left", 1), ("right", -1)):
        for name, axis, angle in (("hip", "x", -85), ("knee", "x", 88), ("ankle", "x", 0)):
            sitting[JOINT[f"{side}_{name}"]] = _turn(axis, angle)
        lunge[JOINT[f"{side}_hip"]] = _turn("y", -sign * 50)
        lunge[JOINT[f"{side}_shoulder"]] = _turn("y", 0)
    poses["sitting"] = Pose(sitting, np.array([0.0, 0.0, 0.56]))
    poses["lunge"] = Pose(lunge, np.array([0.0, 0.0, 0.68]))
    return poses


def _turn(axis: str, degrees: float) -> np.ndarray:
    return Rotation.from_euler(axis, degrees, degrees=True).as_quat(scalar_first=True)


def _soles(motion: Motion) -> np.ndarray:
    world = forward_kinematics(_BODY, motion.rotations, motion.root)
    return soles_of(_BODY).in_world(world, _BODY)


def _slides(motion: Motion) -> list[float]:
    """Metres that the contact of each standing foot wanders, one number a stand."""
    soles = _soles(motion)
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


@pytest.mark.parametrize("clip_name", CLIP_NAMES)
@pytest.mark.parametrize("pose_name", _poses())
def test_a_performance(clip_name, pose_name):
    pose = _poses()[pose_name]
    motion = perform(_BODY, pose, load_motion(clip_name, 24.0), 120, 24.0, Viewer(_CAMERA))
    assert motion.rotations.shape == (120, 24, 4) and motion.root.shape == (120, 3)
    # The first frame is the photo.
    assert np.array_equal(motion.rotations[0], pose.rotations)
    assert np.array_equal(motion.root[0], pose.root)
    assert np.allclose(np.linalg.norm(motion.rotations, axis=-1), 1.0)
    assert (np.einsum("fjk,fjk->fj", motion.rotations[1:], motion.rotations[:-1]) > 0).all()
    # In one piece: nothing flips, nothing leaps.
    assert angles_between(motion.rotations[1:], motion.rotations[:-1]).max() < 60.0
    assert np.linalg.norm(np.diff(motion.root, axis=0), axis=1).max() < 0.2
    # On the ground: once it has left the photo's pose, nothing sinks; feet that stand stay.
    soles = _soles(motion)
    assert soles[30:, ..., 2].min() > -0.01
    assert soles[1:, ..., 2].min() > min(soles[0, ..., 2].min(), 0.0) - 0.02
    slides = _slides(motion)
    assert np.mean(slides) < 0.02
    assert max(slides) < 0.08
    # Before the camera, and facing the viewer at the end.
    assert np.linalg.norm((motion.root - _CAMERA)[:, :2], axis=1).min() > 1.15
    facing = Rotation.from_quat(motion.rotations[-1, 0], scalar_first=True).apply([0, -1, 0])
    assert facing[1] < -0.8


def test_walking_comes_out_towards_the_viewer():
    camera = np.array([2.0, -9.0, 1.3])
    motion = perform(_BODY, standing_pose(), load_motion("walk", 24.0), 120, 24.0, Viewer(camera))
    way = motion.root[-1, :2] - motion.root[0, :2]
    assert np.linalg.norm(way) > 2.5
    assert way @ camera[:2] > 0.98 * np.linalg.norm(way) * np.linalg.norm(camera[:2])


@pytest.mark.parametrize("clip_name", ["walk", "run"])
@pytest.mark.parametrize("share", [0.6, 0.7, 0.8])
def test_the_head_stays_in_the_picture(clip_name, share):
    """Where the whole person takes `share` of the picture's upper half, the way ends with the head
    below its edge, and no sooner than a stride before that."""
    lens = Camera(900.0, 300.0, 450.0, 601, 901)
    position = np.array([0.0, -4.5, 0.8])
    crown = float(_BODY.joints[JOINT["head"], 2]) * 1.11
    away = (crown - position[2]) / (share * lens.cy) * lens.focal_px  # frame 1's distance
    position[1] = -away
    viewer = Viewer.of(lens, position)
    motion = perform(_BODY, standing_pose(), load_motion(clip_name, 24.0), 144, 24.0, viewer)
    world = forward_kinematics(_BODY, motion.rotations, motion.root)
    head = world[:, JOINT["head"], :3, 3] + 0.10 * crown * world[:, JOINT["head"], :3, 2]
    row = lens.cy - lens.focal_px * (head[:, 2] - position[2]) / (head[:, 1] - position[1])
    assert row[-1] > -0.005 * lens.height  # standing sways
    assert row.min() > -0.04 * lens.height  # who runs leans, and the head is ahead of the body
    went = motion.root[0, 1] - motion.root[-1, 1]
    room = (1 - share) * away
    assert went > room - 0.75


def test_without_room_for_the_head_nobody_comes_forward():
    viewer = Viewer(np.array([0.0, -4.0, 0.8]), rise=0.05)
    assert viewer.nearest(_BODY) > 4.0
    assert Viewer(np.array([0.0, -4.0, 2.5]), rise=0.05).nearest(_BODY) == 0.0
    motion = perform(_BODY, standing_pose(), load_motion("walk", 24.0), 96, 24.0, viewer)
    assert np.abs(motion.root - motion.root[0]).max() < 0.5


@pytest.mark.parametrize("clip_name", ["idle", "wave", "jump"])
def test_the_others_stay_in_place(clip_name):
    motion = perform(
        _BODY, standing_pose(), load_motion(clip_name, 24.0), 120, 24.0, Viewer(_CAMERA)
    )
    assert np.linalg.norm((motion.root - motion.root[0])[:, :2], axis=1).max() < 0.45


def test_the_start_is_gentle():
    """The photo comes to life from rest: the first frames hardly move."""
    motion = perform(_BODY, standing_pose(), load_motion("walk", 24.0), 60, 24.0, Viewer(_CAMERA))
    turns = angles_between(motion.rotations[1:], motion.rotations[:-1])
    assert turns[0].max() < 6.0
    assert np.linalg.norm(motion.root[1] - motion.root[0]) < 0.02


@pytest.mark.parametrize("name", MOCAP)
def test_real_clips_perform(name):
    motion = perform(
        _BODY, standing_pose(), load_motion(mocap(name), 24.0), 120, 24.0, Viewer(_CAMERA)
    )
    assert angles_between(motion.rotations[1:], motion.rotations[:-1]).max() < 60.0
    assert _soles(motion)[30:, ..., 2].min() > -0.01
    assert np.mean(_slides(motion)) < 0.02


def test_frames_and_rates():
    clip = load_motion("walk", 30.0)
    for frames, fps in ((1, 24.0), (2, 24.0), (5, 12.0), (240, 60.0)):
        motion = perform(_BODY, standing_pose(), clip, frames, fps)
        assert len(motion.root) == frames and motion.fps == fps
    with pytest.raises(MotionError, match="frame"):
        perform(_BODY, standing_pose(), clip, 0, 24.0)


def test_legs_reach_their_targets():
    """Where a target is within reach the ankle is on it, and feet keep their orientation."""
    rng = np.random.default_rng(3)
    clip = load_motion("walk", 24.0)
    root = np.tile([0.0, 0.0, 0.9], (len(clip.root), 1))
    before = forward_kinematics(_BODY, clip.rotations, root)
    targets = before[:, ANKLES][..., :3, 3] + rng.uniform(-0.08, 0.08, (len(root), 2, 3))
    targets[..., 2] += 0.06
    solved = reach(_BODY, clip.rotations, root, targets, np.zeros((len(root), 2)))
    after = forward_kinematics(_BODY, solved, root)
    near = np.linalg.norm(targets - after[:, HIPS][..., :3, 3], axis=-1) < 0.82
    assert near.mean() > 0.8
    assert np.abs((after[:, ANKLES][..., :3, 3] - targets)[near]).max() < 1e-5
    assert np.allclose(after[:, ANKLES][..., :3, :3], before[:, ANKLES][..., :3, :3], atol=1e-9)


def test_nothing_to_reach_changes_nothing():
    clip = load_motion("run", 24.0)
    root = np.tile([0.0, 0.0, 0.9], (len(clip.root), 1))
    ankles = forward_kinematics(_BODY, clip.rotations, root)[:, ANKLES][..., :3, 3]
    solved = reach(_BODY, clip.rotations, root, ankles, np.zeros((len(root), 2)))
    assert angles_between(solved, clip.rotations).max() < 0.5


def _hopping(drift_m: float, fps: float = 24.0) -> tuple[np.ndarray, np.ndarray]:
    """Soles (F, 2, 3, 3) of hops from one foot to the other, 0.5 s a hop, and the floor under them,
    which rises by `drift_m` under every other landing."""
    frames = int(4 * fps)
    soles = np.zeros((frames, 2, 3, 3))
    seconds = np.arange(frames) / fps
    hop = (seconds / 0.5).astype(int)
    share = seconds / 0.5 - hop
    floor = drift_m * (hop % 2)
    flight = np.clip((share - 0.4) / 0.6, 0.0, 1.0)
    height = floor + 4 * 0.3 * flight * (1 - flight)
    stands = hop % 2
    for side in range(2):
        soles[:, side, :, 2] = (height + np.where(stands == side, 0.0, 0.4))[:, None]
        soles[:, side, :, 0] = (0.9 * seconds + 0.2 * side)[:, None]  # they slide all the time
    return soles, np.where(flight == 0.0, floor, np.nan)


@pytest.mark.parametrize("drift_m", [0.0, 0.03, 0.07])
def test_the_floor_is_found_under_landings_that_slide(drift_m):
    """Recordings from sensors put each foot at a height of its own; where it lands is floor."""
    soles, floor = _hopping(drift_m)
    found = floor_under(soles, 24.0)
    inside = np.arange(12, len(found) - 12)
    known = inside[np.isfinite(floor[inside])]
    assert np.abs(found[known] - floor[known]).max() < 0.02
    assert (found <= soles[..., 2].min(axis=(1, 2)) + 1e-12).all()


def test_the_floor_under_a_jump_is_where_it_begins_and_ends():
    """Up to half a metre, 0.6 s, the feet in the air: no floor there, whatever the feet do."""
    fps = 24.0
    soles = np.zeros((72, 2, 3, 3))
    flight = np.clip((np.arange(72) / fps - 1.0) / 0.6, 0.0, 1.0)
    height = 4 * 0.5 * flight * (1 - flight)
    height += 0.05 * np.sin(4 * np.pi * flight) * (flight > 0)  # legs are drawn up and let down
    soles[..., 2] = height[:, None, None]
    assert np.abs(floor_under(soles, fps)).max() < 0.01
