"""What the user makes of a fitted pose: read back exactly, held where it differs."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body import pose_edit
from photo_wake_up.addon.core.body import world_pose as body_pose
from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.skeleton import JOINT, JOINT_COUNT, PARENTS
from photo_wake_up.addon.core.types import Camera, FittedBody, Pose

CAMERA = Camera(900.0, 399.5, 499.5, 800, 1000)
ELBOW = JOINT["left_elbow"]


def fitted_body(model: BodyModel, seed: int = 4) -> FittedBody:
    turns = np.random.default_rng(seed).normal(0, 0.4, (JOINT_COUNT, 3))
    turns[0] = (np.pi, 0.2, 0.1)
    start = pose_edit.PoseCorrection(
        np.zeros(model.shape_count, np.float32), turns.astype(np.float32),
        np.array([0.1, 0.05, 4.0], np.float32), 1.0, np.zeros(3, np.float32), CAMERA.focal_px,
        np.zeros(JOINT_COUNT, bool),
    )  # fmt: skip
    return pose_edit.corrected_body(model, start, CAMERA)


@pytest.fixture(scope="module")
def fitted(body: BodyModel) -> FittedBody:
    return fitted_body(body)


@pytest.fixture(scope="module")
def place(fitted: FittedBody) -> np.ndarray:
    return frames.world_from_camera(fitted.joints[0] + np.array([0.0, 0.9, 0.0]))


def turned(pose: Pose, joint: int, rotation_vector: np.ndarray) -> Pose:
    rotations = pose.rotations.copy()
    local = Rotation.from_quat(rotations[joint], scalar_first=True)
    local = local * Rotation.from_rotvec(rotation_vector)
    rotations[joint] = local.as_quat(scalar_first=True)
    return Pose(rotations, pose.root)


def test_the_way_to_the_world_leads_back(fitted, place):
    pose, pelvis = body_pose.pose_in_camera(body_pose.pose_of(fitted, place), place)
    between = Rotation.from_rotvec(pose).inv() * Rotation.from_rotvec(fitted.pose.astype(float))
    assert between.magnitude().max() < 1e-6
    assert np.allclose(pelvis, fitted.joints[0], atol=1e-6)


def test_skinning_leads_back(body, fitted, place):
    skeleton, pose = body_pose.skeleton_of(body, fitted), body_pose.pose_of(fitted, place)
    matrices = body_pose.skin_matrices(skeleton, pose)
    posed = frames.transform(place, fitted.vertices.astype(np.float64))
    rest = body_pose.unskin_vertices(posed, body.weights, matrices)
    # At rest it is the body itself in T-pose, standing on the ground.
    assert np.abs(body_pose.skin_vertices(rest, body.weights, matrices) - posed).max() < 1e-9
    expected = body.template @ frames.WORLD_FROM_BODY_AXES.T
    shift = rest.mean(axis=0) - expected.mean(axis=0)
    assert np.abs(rest - expected - shift).max() < 1e-4
    assert abs(rest[:, 2].min()) < 1e-4


@pytest.mark.parametrize(("degrees", "is_held"), [(0.0, False), (0.05, False), (0.5, True)])
def test_what_differs_by_more_than_rounding_is_held(fitted, place, degrees, is_held):
    before = pose_edit.PoseCorrection.of(fitted)
    step = np.radians(degrees) * np.array([0.6, 0.0, 0.8])
    now = pose_edit.posed_by_hand(
        before, turned(body_pose.pose_of(fitted, place), ELBOW, step), place
    )
    assert now.held.tolist() == [joint == ELBOW and is_held for joint in range(JOINT_COUNT)]
    assert now.is_in(fitted) is not is_held
    others = np.arange(JOINT_COUNT) != ELBOW
    assert np.array_equal(now.pose[others], fitted.pose[others])  # the fit's own numbers
    assert np.array_equal(now.translation, fitted.translation)


def test_held_joints_and_dragged_ends_add_up(fitted, place):
    held = np.zeros(JOINT_COUNT, bool)
    held[3] = True
    before = pose_edit.PoseCorrection.of(fitted, held)
    pose = body_pose.pose_of(fitted, place)
    moved = Pose(pose.rotations, pose.root + np.array([0.0, 0.0, 0.1]))
    now = pose_edit.posed_by_hand(before, moved, place, [JOINT["right_wrist"]])
    assert set(np.nonzero(now.held)[0]) == {0, 3, JOINT["right_wrist"]}
    assert np.allclose(now.translation - fitted.translation, (0, -0.1, 0), atol=1e-6)
    assert np.allclose(now.pelvis, fitted.joints[0] + np.array([0, -0.1, 0]), atol=1e-6)
    again = pickle.loads(pickle.dumps(now))  # on its way to the worker
    assert np.array_equal(again.held, now.held) and np.array_equal(again.pose, now.pose)


def test_another_focal_length_keeps_the_picture(body, fitted):
    longer = replace(CAMERA, focal_px=2 * CAMERA.focal_px)
    before = pose_edit.PoseCorrection.of(fitted)
    moved = pose_edit.corrected_body(body, before, longer)
    there = frames.project(longer, moved.joints[0].astype(float))
    assert np.allclose(there, frames.project(CAMERA, fitted.joints[0].astype(float)), atol=0.01)
    assert pose_edit._before_camera(before, CAMERA) is before


@pytest.mark.parametrize("seed", range(4))
def test_handles_stand_at_the_ends_and_poles_where_the_limb_bends(body, seed):
    fitted = fitted_body(body, seed)
    place = frames.world_from_camera(fitted.joints[0] + np.array([0.0, 0.9, 0.0]))
    skeleton, pose = body_pose.skeleton_of(body, fitted), body_pose.pose_of(fitted, place)
    # A limb that is clearly bent about its hinge points at its pole with elbow or knee.
    for limb in pose_edit.LIMBS:
        rotation = Rotation.from_rotvec(
            frames.WORLD_FROM_BODY_AXES @ np.array(limb.hinge) * 1.2
        ).as_quat(scalar_first=True)
        pose.rotations[limb.middle] = rotation
    world = body_pose.forward_kinematics(skeleton, pose.rotations, pose.root)
    skinning = body_pose.skin_matrices(skeleton, pose)
    for handles in pose_edit.limb_handles(skeleton, pose):
        limb = handles.limb
        root, middle, end = (world[j, :3, 3] for j in (limb.root, limb.middle, limb.end))
        assert np.allclose(handles.end, end, atol=1e-9)
        pole = frames.transform(skinning[PARENTS[limb.root]], handles.pole)
        line = (end - root) / np.linalg.norm(end - root)
        aside = [v - (v @ line) * line for v in (middle - root, pole - root)]
        cosine = aside[0] @ aside[1] / np.linalg.norm(aside[0]) / np.linalg.norm(aside[1])
        assert cosine > 0.99, limb.handle


def test_landmarks_follow_held_joints_only(body, fitted):
    from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK
    from photo_wake_up.addon.core.types import Detection, PoseLandmarks

    marks = PoseLandmarks(
        np.zeros((33, 2), np.float32), np.zeros(33, np.float32),
        np.random.default_rng(0).normal(size=(33, 3)).astype(np.float32),
        np.full(33, 0.9, np.float32),
    )  # fmt: skip
    person = Detection(np.zeros(4, np.float32), 1.0, marks)
    held = np.zeros(JOINT_COUNT, bool)
    assert pose_edit._agreeing(person, body, fitted, held) is person
    held[ELBOW] = True
    found = pose_edit._agreeing(person, body, fitted, held).landmarks
    changed = set(np.nonzero((found.image != 0).any(axis=1))[0])
    assert changed == {LANDMARK[f"left_{name}"] for name in ("wrist", "index", "pinky")}
    wrist, elbow = (LANDMARK[f"left_{name}"] for name in ("wrist", "elbow"))
    expected = frames.project(CAMERA, fitted.joints[JOINT["left_wrist"]].astype(float))
    assert np.allclose(found.image[wrist], expected, atol=1e-3)
    bone = fitted.joints[JOINT["left_wrist"]] - fitted.joints[ELBOW]
    assert np.allclose(found.world[wrist] - found.world[elbow], bone, atol=1e-5)
    same = [k for k in range(33) if k != wrist]
    assert np.allclose(found.world[same], marks.world[same], atol=1e-6)
