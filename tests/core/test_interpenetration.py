"""Forearms that are seen do not stay within the trunk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from photo_wake_up.addon.core.body.fit.body_fit import fit_body
from photo_wake_up.addon.core.body.fit.interpenetration import InterpenetrationTerm
from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK, NAMES
from photo_wake_up.addon.core.types import FittedBody, PoseLandmarks
from photo_wake_up.assets.fit_cases.cases import fit_cases
from photo_wake_up.assets.fit_cases.observed import observed

from .test_fit import SEED, skinned, standing

ARM = ("left_elbow", "left_wrist")
FOREARMS = (*ARM, "right_elbow", "right_wrist")
TOO_DEEP_M = 0.15


def _marks(hidden: tuple[str, ...] = ()) -> PoseLandmarks:
    seen = np.array([name not in hidden for name in NAMES], np.float32)
    nowhere = np.zeros((len(NAMES), 3), np.float32)
    return PoseLandmarks(nowhere[:, :2], nowhere[:, 0], nowhere, seen)


def _cost(
    body: BodyModel, posed: FittedBody, marks: PoseLandmarks, arm: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """The term, and its gradient where the left elbow and wrist are; arm (3,): where both are
    put."""
    there = skinned(body, posed)
    if arm is not None:
        joints = there.joints.copy()
        joints[[JOINT[name] for name in ARM]] = arm
        there = replace(there, joints=joints)
    term = InterpenetrationTerm(body, marks, np.arange(len(body.template)))

    def cost_with(step: np.ndarray) -> float:
        joints = there.joints.copy()
        joints[[JOINT[name] for name in ARM]] += step
        return term(replace(there, joints=joints), False).cost

    width = 1e-6
    slope = [(cost_with(step) - cost_with(-step)) / (2 * width) for step in width * np.eye(3)]
    return cost_with(np.zeros(3)), np.array(slope)


def _through_the_trunk(body: BodyModel, posed: FittedBody) -> tuple[np.ndarray, float, float]:
    """Where the ray of the spine's middle joint runs: its direction (z is 1), and the depths of
    the trunk's front and back along it."""
    middle = posed.joints[JOINT["spine2"]].astype(np.float64)
    ray = middle / middle[2]
    beside = np.linalg.norm(posed.vertices / posed.vertices[:, 2:] - ray, axis=1) * middle[2]
    depth = posed.vertices[beside < 0.02, 2]
    return ray, float(depth.min()), float(depth.max())


def test_an_arm_is_pushed_to_the_camera_from_all_over_the_trunk(body: BodyModel) -> None:
    posed = standing(body)
    ray, front, back = _through_the_trunk(body, posed)
    assert 0.12 < back - front < 0.4
    costs = []
    for share in (0.15, 0.25, 0.35, 0.45, 0.55, 0.65):  # under the back's skin it comes out there
        cost, slope = _cost(body, posed, _marks(), ray * (front + share * (back - front)))
        costs.append(cost)
        assert slope[2] > 5 * np.abs(slope[:2]).max() > 0
    assert costs[0] > 1 and costs == sorted(costs)


@pytest.mark.parametrize("beyond", ["before", "behind"])
def test_an_arm_outside_of_the_trunk_is_left_alone(body: BodyModel, beyond: str) -> None:
    posed = standing(body)
    ray, front, back = _through_the_trunk(body, posed)
    depth = front - 0.02 if beyond == "before" else back + 0.02
    assert _cost(body, posed, _marks(), ray * depth) == (0.0, pytest.approx(np.zeros(3)))


def test_bodies_without_a_flaw_cost_nothing(body: BodyModel) -> None:
    hanging = {"left_shoulder": (0.0, 0.0, -1.2), "right_shoulder": (0.0, 0.0, 1.2)}
    for posed in (standing(body), standing(body, **hanging)):
        assert _cost(body, posed, _marks())[0] < 0.01


def test_nothing_is_said_of_arms_that_are_hidden(body: BodyModel) -> None:
    posed = standing(body)
    ray, front, back = _through_the_trunk(body, posed)
    within = ray * (front + back) / 2
    assert _cost(body, posed, _marks(), within)[0] > 10
    assert _cost(body, posed, _marks(ARM), within)[0] == 0.0
    nothing = tuple(name for name in NAMES if "elbow" in name or "wrist" in name)
    assert _cost(body, posed, _marks(nothing), within) == (0.0, pytest.approx(np.zeros(3)))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_forearms_whose_depth_is_wrong_are_fitted_before_the_trunk(
    body: BodyModel, number: int
) -> None:
    """The landmarks in the picture are right, and their metric depth is within the trunk."""
    case = next(c for c in fit_cases(body, SEED) if c.name == f"arms_over_torso_{number}")
    truth = case.truth(body)
    photo, person = observed(body, truth, np.random.default_rng(3), 0, 0, 0)
    marks = person.detection.landmarks
    world = marks.world.copy()
    world[[LANDMARK[name] for name in FOREARMS], 2] += TOO_DEEP_M
    detection = replace(person.detection, landmarks=replace(marks, world=world))
    photo = replace(photo, focal_px=truth.camera.focal_px)
    found = fit_body(photo, replace(person, detection=detection), body, case.height_m)
    assert _cost(body, found, _marks())[0] < 1  # without the term 15 and more
    off = (found.joints - found.joints[0]) - (truth.joints - truth.joints[0])
    off = np.linalg.norm(off[[JOINT[name] for name in FOREARMS]], axis=1)
    assert off.mean() < 0.9 * TOO_DEEP_M and off.max() < 1.1 * TOO_DEEP_M
