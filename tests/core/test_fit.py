"""The body fit and its parts, on bodies that are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body.fit.body_fit import fit_body, refine_body
from photo_wake_up.addon.core.body.fit.orientation_observations import (
    CHIN,
    FACE_PITCH,
    FOREHEAD,
    INDEX,
    LEFT_EDGE,
    LITTLE,
    MIDDLE,
    RIGHT_EDGE,
    WRIST,
    hand_turn,
    head_turn,
)
from photo_wake_up.addon.core.body.fit.pose_initialisation import first_pose, seen_from_the_side
from photo_wake_up.addon.core.body.fit.pose_prior import PosePrior
from photo_wake_up.addon.core.body.fit.silhouette_term import SilhouetteTerm, surface_samples
from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.posed import (
    body_mask,
    posed_body,
    rest_height,
    silhouette_iou,
)
from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.model.skinning import Skinned, skin, skinned_points
from photo_wake_up.addon.core.numerics.least_squares import total_cost
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK
from photo_wake_up.addon.core.types import Camera, Face, FittedBody, Hand
from photo_wake_up.assets.fit_cases.cases import FAMILIES, FitCase, fit_cases
from photo_wake_up.assets.fit_cases.observed import observed
from photo_wake_up.tests.benches.fit_metrics import aligned, fit_errors, knee_flexion, lean

SEED = 5  # another one than the bench's
FACING = np.array([np.pi, 0.0, 0.0])  # body frame to camera frame, looking into the camera


@pytest.fixture(scope="module")
def cases(body: BodyModel) -> dict[str, FitCase]:
    return {case.name: case for case in fit_cases(body, SEED)}


def standing(body: BodyModel, **turned: tuple[float, float, float]) -> FittedBody:
    pose = np.zeros((24, 3))
    pose[0] = FACING
    for joint, turn in turned.items():
        pose[JOINT[joint]] = turn
    camera = Camera(900.0, 399.5, 499.5, 800, 1000)
    return posed_body(body, camera, np.zeros(body.shape_count), pose, np.array([0.1, 0.05, 4]), 1.7)


def skinned(body: BodyModel, fitted: FittedBody) -> Skinned:
    """The fitted body as terms of the fit take it, in metres."""
    place = fitted.translation / fitted.scale
    posed = skin(skinned_points(body), *(np.float64(v) for v in (fitted.betas, fitted.pose, place)))
    return replace(
        posed, joints=posed.joints * fitted.scale, vertices=posed.vertices * fitted.scale
    )


# -- known bodies -----------------------------------------------------------------------------


def test_cases_are_many_whole_and_repeatable(body: BodyModel, cases: dict[str, FitCase]) -> None:
    assert len(cases) >= 40 and {case.family for case in cases.values()} == set(FAMILIES)
    again = {case.name: case for case in fit_cases(body, SEED)}
    other = {case.name: case for case in fit_cases(body, SEED + 1)}
    for name, case in cases.items():
        assert np.array_equal(case.pose, again[name].pose)
        assert not np.array_equal(case.pose, other[name].pose)
        seen = frames.project(case.camera, case.truth(body).vertices.astype(np.float64))
        assert (seen > 0).all() and (seen < [case.camera.width, case.camera.height]).all(), name
    assert {case.dressed for case in cases.values()} == {True, False}


@pytest.mark.parametrize("name", ["from_above_1", "sitting_2", "child_1", "turned_90_1"])
def test_the_truth_is_the_posed_body_moved_to_the_camera(
    body: BodyModel, cases: dict[str, FitCase], name: str
) -> None:
    case = cases[name]
    unit = rest_height(body, case.betas)
    zero = np.zeros(3)
    own = posed_body(body, case.camera, case.betas, case.pose, zero, case.height_m)
    moved = frames.transform(case.camera_from_body, own.vertices.astype(np.float64))
    assert np.abs(moved - case.truth(body).vertices).max() < 1e-4
    assert case.truth(body).scale == pytest.approx(case.height_m / unit)


def test_children_have_larger_heads_than_adults(body: BodyModel, cases: dict[str, FitCase]) -> None:
    def head_share(case: FitCase) -> float:
        rest = case.truth(body).rest_joints
        return float((rest[JOINT["head"], 1] - rest[JOINT["neck"], 1]) / np.ptp(rest[:, 1]))

    shares = {
        child: [head_share(case) for case in cases.values() if (case.family == "child") == child]
        for child in (True, False)
    }
    assert min(shares[True]) > np.mean(shares[False])


# -- figures ----------------------------------------------------------------------------------


@given(
    turn=st.tuples(*[st.floats(-3, 3)] * 3), scale=st.floats(0.2, 4), shift=st.floats(-5, 5),
)  # fmt: skip
@settings(max_examples=30)
def test_alignment_undoes_any_similarity(
    turn: tuple[float, float, float], scale: float, shift: float
) -> None:
    points = np.random.default_rng(0).normal(size=(24, 3))
    moved = scale * points @ Rotation.from_rotvec(turn).as_matrix().T + shift
    assert np.abs(aligned(points, moved) - moved).max() < 1e-9 * (1 + scale)


def test_errors_are_what_they_are_called(body: BodyModel) -> None:
    truth = standing(body)
    same = fit_errors(truth, truth)
    assert same.mpjpe == 0 and same.pve < 1e-3 and not (same.swapped or same.turned_round)
    bent = standing(body, left_knee=(0.5, 0, 0))
    assert knee_flexion(bent)[0] - knee_flexion(truth)[0] == pytest.approx(28.65, abs=3)
    turned = standing(body, pelvis=(0, 0, np.pi))
    assert fit_errors(turned, truth).turned_round and fit_errors(turned, truth).swapped
    tipped = Rotation.from_rotvec([0.2, 0, 0]) * Rotation.from_rotvec(FACING)
    leaning = standing(body, pelvis=tuple(tipped.as_rotvec()))
    assert abs(lean(leaning) - lean(truth)) == pytest.approx(np.degrees(0.2), abs=0.2)


# -- turns of head and hands ------------------------------------------------------------------

TURNS = st.tuples(*[st.floats(-1.5, 1.5)] * 3)


@given(turn=TURNS)
@settings(max_examples=20)
def test_the_head_turns_as_the_face_does(turn: tuple[float, float, float]) -> None:
    wanted = Rotation.from_rotvec(turn) * Rotation.from_rotvec(FACING)
    mesh = np.zeros((468, 3))
    # As Face Mesh sees a head that looks along z: its chin lies a little behind.
    back = Rotation.from_euler("x", -FACE_PITCH).as_matrix()
    for row, point in ((RIGHT_EDGE, [-7, 0, -1]), (LEFT_EDGE, [7, 0, -1]), (FOREHEAD, [0, 9, 0]),
                       (CHIN, [0, -9, 0])):  # fmt: skip
        mesh[row] = 40 * wanted.as_matrix() @ back @ np.array(point)
    face = Face(1.0, np.zeros(4, np.float32), np.zeros((6, 2), np.float32), 1.0, mesh)
    off = Rotation.from_matrix(head_turn(face)).inv() * wanted
    assert off.magnitude() < 1e-6


@given(turn=TURNS, side=st.sampled_from(["left", "right"]))
@settings(max_examples=20)
def test_a_hand_turns_as_its_points_do(
    body: BodyModel, turn: tuple[float, float, float], side: str
) -> None:
    wanted = Rotation.from_rotvec(turn)
    joints = body.regressor.astype(np.float64) @ body.template
    along = joints[JOINT[f"{side}_hand"]] - joints[JOINT[f"{side}_wrist"]]
    points = np.zeros((21, 3))
    points[MIDDLE] = along  # palm down, index finger in front
    points[INDEX], points[LITTLE] = along + [0, 0, 0.03], along - [0, 0, 0.04]
    points[WRIST] = 0
    seen = wanted.apply(points).astype(np.float32)
    flat = np.zeros((21, 2), np.float32)
    hand = Hand(1.0, 1.0, 1.0, flat, np.zeros(21, np.float32), seen)
    off = Rotation.from_matrix(hand_turn(body, side, hand)).inv() * wanted
    assert off.magnitude() < 1e-5


# -- where the optimisation starts ------------------------------------------------------------


def _bones(joints: np.ndarray) -> dict[str, np.ndarray]:
    found = {}
    for side in ("left", "right"):
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            bone = joints[JOINT[f"{side}_{b}"]] - joints[JOINT[f"{side}_{a}"]]
            found[f"{side}_{a}"] = bone / np.linalg.norm(bone)
    return found


@pytest.mark.parametrize("name", ["running_1", "sitting_1", "arms_up_2", "turned_45_3"])
def test_the_first_pose_has_the_landmarks_directions(
    body: BodyModel, cases: dict[str, FitCase], name: str
) -> None:
    truth = cases[name].truth(body)
    _, person = observed(body, truth, np.random.default_rng(1), 0, 0, 0)
    pose = first_pose(body, person)
    zero = np.zeros(body.shape_count)
    start = posed_body(body, truth.camera, zero, pose, np.array([0, 0, 4]), 1.7)
    for bone, wanted in _bones(truth.joints).items():
        assert _bones(start.joints)[bone] @ wanted > 0.98, bone


def test_lost_landmarks_are_completed_from_the_others(
    body: BodyModel, cases: dict[str, FitCase]
) -> None:
    truth = cases["sitting_1"].truth(body)
    _, person = observed(body, truth, np.random.default_rng(1), 0, 0, 0)
    marks = person.detection.landmarks
    visibility, world = marks.visibility.copy(), marks.world.copy()
    for name in ("left_knee", "right_hip", "right_wrist"):
        visibility[LANDMARK[name]], world[LANDMARK[name]] = 0.0, [9.0, 9.0, 9.0]
    lost = replace(marks, visibility=visibility, world=world)
    worn = replace(person, detection=replace(person.detection, landmarks=lost))
    zero = np.zeros(body.shape_count)
    start = posed_body(body, truth.camera, zero, first_pose(body, worn), np.array([0, 0, 4]), 1.7)
    for bone, wanted in _bones(truth.joints).items():
        assert _bones(start.joints)[bone] @ wanted > 0.85, bone


def test_the_mirrored_start_faces_the_other_way(body: BodyModel, cases: dict[str, FitCase]) -> None:
    truth = cases["turned_90_2"].truth(body)
    _, person = observed(body, truth, np.random.default_rng(1), 0, 0, 0)
    assert seen_from_the_side(person.detection.landmarks)
    ahead = [
        Rotation.from_rotvec(first_pose(body, person, mirrored)[0]).apply([0, 0, 1])
        for mirrored in (False, True)
    ]
    assert np.abs(ahead[0] * [-1, -1, 1] - ahead[1]).max() < 1e-6
    _, frontal = observed(body, cases["standing_1"].truth(body), np.random.default_rng(1), 0, 0, 0)
    assert not seen_from_the_side(frontal.detection.landmarks)


# -- terms ------------------------------------------------------------------------------------


def test_surface_samples_are_spread_by_area(body: BodyModel) -> None:
    corners = body.template[body.faces].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]),
                          axis=1)  # fmt: skip
    face = body.part[body.faces[:, 0]]
    for part in np.unique(face):
        share = area[face == part].sum() / area.sum()
        drawn = (body.part[surface_samples(body)] == part).mean()
        # Without replacement, parts with few vertices for their area fall a little short.
        assert drawn == pytest.approx(share, abs=0.05)


def test_the_silhouette_is_matched_best_where_it_is(body: BodyModel) -> None:
    truth = standing(body, left_shoulder=(0, 0, -1.2), right_shoulder=(0, 0, 1.2))
    term = SilhouetteTerm(body_mask(body, truth, 1000), truth.camera)
    chosen = truth.vertices[surface_samples(body)].astype(np.float64)
    metre = float(truth.camera.focal_px / truth.joints[0, 2])
    there = skinned(body, truth)

    def cost(points: np.ndarray) -> float:
        return total_cost(term(replace(there, vertices=points), metre, False))

    middle = chosen.mean(axis=0)
    best = cost(chosen)
    for moved in (chosen + [0.05, 0, 0], chosen - [0, 0.05, 0], (chosen - middle) * 1.05 + middle,
                  (chosen - middle) * 0.9 + middle):  # fmt: skip
        assert cost(moved) > 2 * best


def test_the_prior_likes_straight_upright_bodies_where_landmarks_allow(body: BodyModel) -> None:
    legs = {f"{side}_{joint}": (sign * 1.4, 0.0, 0.0) for side in ("left", "right")
            for joint, sign in (("hip", -1), ("knee", 1))}  # fmt: skip
    upright, bent = standing(body), standing(body, **legs)
    bodies = [skinned(body, each) for each in (upright, bent)]
    costs = []
    for seen in (upright, bent):
        _, person = observed(body, seen, np.random.default_rng(1), 0, 0, 0)
        prior = PosePrior(person.detection.landmarks)
        costs.append([total_cost(prior(each, 0.0, False)) for each in bodies])
    assert costs[0][0] < 0.2 and costs[0][1] > 20  # landmarks of straight legs
    assert costs[1][1] < 0.15 * costs[0][1]  # landmarks of bent ones: they are left alone
    wrong = bodies[0].pose.copy()
    wrong[JOINT["left_knee"], 0] = -0.3
    # Knees never bend forwards.
    assert total_cost(prior(replace(bodies[0], pose=wrong), 0.0, False)) > 20


# -- the whole --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["standing_1", "walking_2", "sitting_3", "turned_90_1", "from_behind_2", "child_2",
     "arms_over_torso_1", "long_lens_1"],
)  # fmt: skip
def test_the_fit_finds_a_known_body(body: BodyModel, cases: dict[str, FitCase], name: str) -> None:
    case = cases[name]
    truth = case.truth(body)
    photo, person = observed(body, truth, np.random.default_rng(SEED), drop_out=0.0)
    found = fit_body(photo, person, body, case.height_m)
    errors = fit_errors(found, truth)
    assert errors.pa_mpjpe < 45 and errors.mpjpe < 70
    assert not errors.turned_round and not errors.swapped
    assert silhouette_iou(body, found, person.mask) > 0.92


def test_the_fit_is_deterministic_and_scales_about_the_camera(
    body: BodyModel, cases: dict[str, FitCase]
) -> None:
    photo, person = observed(body, cases["walking_1"].truth(body), np.random.default_rng(2))
    first, second = (fit_body(photo, person, body) for _ in range(2))
    assert np.array_equal(first.vertices, second.vertices)
    half = fit_body(photo, person, body, height_m=0.85)
    assert np.allclose(half.vertices * 2, first.vertices, atol=1e-4)


def test_a_refinement_keeps_what_is_held_and_finds_the_rest(
    body: BodyModel, cases: dict[str, FitCase]
) -> None:
    case = cases["standing_2"]
    truth = case.truth(body)
    photo, person = observed(body, truth, np.random.default_rng(3), drop_out=0.0)
    pose = truth.pose.copy()
    joint = JOINT["right_shoulder"]
    pose[joint] += [0.0, 0.3, 0.0]
    pose[JOINT["left_hip"]] += [-0.3, 0.0, 0.0]
    held = np.arange(24) == joint
    found = refine_body(photo, person, body, replace(truth, pose=pose), held, case.height_m)
    assert np.array_equal(found.pose[joint], pose[joint])
    knee = JOINT["left_knee"]
    before = posed_body(body, truth.camera, truth.betas, pose, truth.translation / truth.scale,
                        case.height_m)  # fmt: skip
    off = [np.linalg.norm(each.joints[knee] - truth.joints[knee]) for each in (before, found)]
    assert off[1] < 0.4 * off[0]


def test_a_cut_off_person_is_not_held_to_the_photo_edge(body: BodyModel) -> None:
    truth = standing(body, left_shoulder=(0, 0, -1.2), right_shoulder=(0, 0, 1.2))
    photo, person = observed(body, truth, np.random.default_rng(4), drop_out=0.0)
    rows = np.nonzero(person.mask.any(axis=1))[0]
    cut = int(rows[0] + 0.7 * len(rows))  # at the knees
    marks = person.detection.landmarks
    visibility = np.where(marks.image[:, 1] < cut, marks.visibility, 0.0).astype(np.float32)
    detection = replace(person.detection, landmarks=replace(marks, visibility=visibility))
    camera = replace(truth.camera, height=cut)
    short = replace(
        person, detection=detection, mask=person.mask[:cut], matte=person.matte[:cut],
        foreground=person.foreground[:cut],
    )  # fmt: skip
    # The principal point stays where it was: the photo was cut, not taken otherwise.
    assert camera.cy == truth.camera.cy
    found = fit_body(
        replace(photo, rgb=photo.rgb[:cut], focal_px=truth.camera.focal_px), short, body
    )
    assert knee_flexion(found).max() < 25
    assert cv2.countNonZero(short.mask.astype(np.uint8)) > 0
