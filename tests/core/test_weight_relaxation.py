"""Weights that give way: nothing tears, nothing gets worse, what is well stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.world_pose import (
    skeleton_of,
    skin_matrices,
    skin_vertices,
    unskin_vertices,
)
from photo_wake_up.addon.core.character.skin import weight_relaxation
from photo_wake_up.addon.core.character.skin.skinning_weights import strongest
from photo_wake_up.addon.core.character.skin.weight_relaxation import (
    edges_of,
    pose_with,
    relax,
    stretch,
)
from photo_wake_up.addon.core.types import Float64, Int32, Pose, Skeleton

from .test_body import posed

RADIUS, ROUND, RINGS, STEP = 0.05, 24, 81, 0.0125  # metres and counts of the tube


@pytest.fixture(scope="module")
def skeleton(body) -> Skeleton:
    return skeleton_of(body, posed(body, np.zeros((24, 3))))


def tube(middle: Float64, along: Float64) -> tuple[Float64, Int32]:
    """A closed tube about a line, its ends shut by their middles."""
    along = along / np.linalg.norm(along)
    side = np.cross(along, [0.3, 1.0, 0.2])
    side /= np.linalg.norm(side)
    up = np.cross(along, side)
    angle = np.arange(ROUND) * 2 * np.pi / ROUND
    circle = RADIUS * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * up)
    stations = middle + (np.arange(RINGS) - RINGS // 2)[:, None] * STEP * along
    points = np.vstack([(stations[:, None] + circle).reshape(-1, 3), stations[[0, -1]]])
    ring, k = np.meshgrid(np.arange(RINGS - 1), np.arange(ROUND), indexing="ij")
    a, b = ring * ROUND + k, ring * ROUND + (k + 1) % ROUND
    quads = np.stack([a, b, b + ROUND, a + ROUND], axis=-1).reshape(-1, 4)
    k = np.arange(ROUND)
    last = (RINGS - 1) * ROUND
    first_cap = np.stack([(k + 1) % ROUND, k, np.full(ROUND, len(points) - 2)], axis=1)
    last_cap = np.stack([last + k, last + (k + 1) % ROUND, np.full(ROUND, len(points) - 1)], axis=1)
    triangles = np.vstack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], first_cap, last_cap])
    return points, triangles.astype(np.int32)


def halves(points: Float64, at: Float64, along: Float64, first: str, second: str) -> np.ndarray:
    """Weights that jump from one joint to the other where the tube passes a point."""
    weights = np.zeros((len(points), 24), np.float32)
    beyond = (points - at) @ along > 1e-9
    weights[~beyond, JOINT[first]] = 1
    weights[beyond, JOINT[second]] = 1
    return weights


def torn(skeleton: Skeleton) -> tuple[Float64, Int32, np.ndarray]:
    """A tube from hip to hip whose weights jump in the middle: thighs under one skirt."""
    at = skeleton.joints[[JOINT["left_hip"], JOINT["right_hip"]]].mean(axis=0) - [0, 0, 0.35]
    along = np.array([1.0, 0.0, 0.0])
    points, triangles = tube(at, along)
    return points, triangles, halves(points, at, along, "right_hip", "left_hip")


def at_rest(skeleton: Skeleton) -> Float64:
    return skin_matrices(skeleton, pose_with({}, skeleton))


def test_a_glued_skirt_follows_both_legs_untorn(skeleton) -> None:
    points, triangles, weights = torn(skeleton)
    photo, edges = at_rest(skeleton), edges_of(triangles)
    transforms = weight_relaxation.extreme_transforms(skeleton)
    assert stretch(points, weights, photo, transforms, edges).max() > 30
    relaxed = relax(points, weights, triangles, skeleton, photo)
    assert stretch(points, relaxed, photo, transforms, edges).max() < weight_relaxation.TORN
    assert np.abs(relaxed.sum(axis=1) - 1).max() < 1e-6
    assert ((relaxed > 0).sum(axis=1) <= 4).all() and (relaxed >= 0).all()
    # The ends still belong to one leg each.
    far = np.abs(points[:, 0] - points[:, 0].mean()) > 0.4
    assert np.array_equal(relaxed[far], weights[far])


def test_a_tube_that_bends_softly_stays_as_it_is(skeleton) -> None:
    elbow, shoulder = (skeleton.joints[JOINT[f"left_{name}"]] for name in ("elbow", "shoulder"))
    along = (elbow - shoulder) / np.linalg.norm(elbow - shoulder)
    points, triangles = tube(elbow, along)
    share = np.clip(0.5 + (points - elbow) @ along / 0.16, 0, 1)
    weights = np.zeros((len(points), 24), np.float32)
    weights[:, JOINT["left_shoulder"]], weights[:, JOINT["left_elbow"]] = 1 - share, share
    relaxed = relax(points, weights, triangles, skeleton, at_rest(skeleton))
    assert np.abs(relaxed - weights).max() < 1e-6


def test_a_rigid_motion_leaves_all_edges(skeleton) -> None:
    points, triangles, weights = torn(skeleton)
    turn = Rotation.from_rotvec([0.4, -1.1, 2.0]).as_quat(scalar_first=True)
    local = np.tile([1.0, 0, 0, 0], (24, 1))
    local[0] = turn
    moved = skin_matrices(skeleton, Pose(local, np.array([1.0, 2.0, 3.0])))[None]
    ratio = stretch(points, weights, at_rest(skeleton), moved, edges_of(triangles))
    assert np.abs(ratio - 1).max() < 1e-9


@settings(max_examples=8)
@given(seed=st.integers(0, 2**31))
def test_no_pose_and_no_weights_make_the_longest_edge_longer(skeleton, seed: int) -> None:
    """Whatever the photo's pose, also where it can hardly be undone."""
    rng = np.random.default_rng(seed)
    points, triangles, _ = torn(skeleton)
    turns = Rotation.from_rotvec(rng.normal(0, 0.7, (24, 3))).as_quat(scalar_first=True)
    photo = skin_matrices(skeleton, Pose(turns, skeleton.joints[0]))
    joints = rng.choice(24, 3, replace=False)
    weights = np.zeros((len(points), 24))
    along = (points[:, 0] - points[:, 0].min()) / np.ptp(points[:, 0])
    weights[:, joints] = np.exp(-(((along[:, None] - [0.2, 0.5, 0.8]) / 0.15) ** 2)) + 1e-3
    given_weights = strongest((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))
    skinned = skin_vertices(points, given_weights, photo)
    transforms, edges = weight_relaxation.extreme_transforms(skeleton), edges_of(triangles)
    before = stretch(skinned, given_weights, photo, transforms, edges)
    relaxed = relax(skinned, given_weights, triangles, skeleton, photo)
    after = stretch(skinned, relaxed, photo, transforms, edges)
    assert after.max() <= before.max() * (1 + 1e-9)
    assert (after > weight_relaxation.TORN).sum() <= (before > weight_relaxation.TORN).sum()
    # Deterministic, and the photo's pose is given back.
    assert np.array_equal(relaxed, relax(skinned, given_weights, triangles, skeleton, photo))
    rest = unskin_vertices(skinned, relaxed, photo)
    assert np.abs(skin_vertices(rest, relaxed, photo) - skinned).max() < 1e-6


def test_mirror_images_are_extremes_too(skeleton) -> None:
    """Both sides may move equally far."""
    mirror = np.diag([-1.0, 1.0, 1.0])
    every = {
        side: np.stack([
            Rotation.from_quat(pose_with(turns, skeleton).rotations[JOINT[f"{side}_shoulder"]],
                               scalar_first=True).as_matrix()
            for turns in weight_relaxation.EXTREMES
        ])
        for side in ("left", "right")
    }  # fmt: skip
    for turn in mirror @ every["left"] @ mirror:
        assert np.abs(every["right"] - turn).max(axis=(1, 2)).min() < 1e-9
