"""The fit's derivatives: the skinning function's against PyTorch's, each term's against
differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from photo_wake_up.addon.core.body.fit.fit_terms import DirectionTerm, LandmarkTerm, TurnTerm
from photo_wake_up.addon.core.body.fit.interpenetration import InterpenetrationTerm
from photo_wake_up.addon.core.body.fit.landmark_points import landmark_points
from photo_wake_up.addon.core.body.fit.orientation_observations import Turn
from photo_wake_up.addon.core.body.fit.pose_prior import PosePrior
from photo_wake_up.addon.core.body.fit.silhouette_term import (
    DistanceOutside,
    SilhouetteTerm,
    surface_samples,
)
from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.model.skinning import (
    Skinned,
    SkinnedPoints,
    left_jacobians,
    rotation_matrices,
    skin,
    skinned_points,
)
from photo_wake_up.addon.core.numerics.least_squares import (
    Residuals,
    minimise,
    normal_equations,
    total_cost,
)
from photo_wake_up.addon.core.types import FittedBody, Person
from photo_wake_up.assets.fit_cases.cases import fit_cases
from photo_wake_up.assets.fit_cases.observed import observed

from . import torch_skinning

WIDTH = 1e-6  # of the differences: errors of 1e-12 by curvature, of 1e-10 by rounding
TOLERANCE = 1e-6  # of the largest derivative
ONE_SIDED = 10.0  # times the tolerance: differences to one side err by half the width's curvature
LEAST_SMOOTH = 0.99  # of all derivatives have no kink within the differences' width


def unknowns_of(shapes: int, seed: int, strength: float = 0.7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pose = rng.normal(0, strength, (24, 3))
    pose[0] = [np.pi, 0.2, -0.1]
    return np.concatenate([rng.normal(0, 0.5, shapes), pose.ravel(), [0.1, -0.1, 4.0]])


def posed(points: SkinnedPoints, unknowns: np.ndarray) -> Skinned:
    count = points.shape_count
    return skin(points, unknowns[:count], unknowns[count:-3].reshape(24, 3), unknowns[-3:])


def differences(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """(..., U) central differences."""
    steps = np.eye(len(at)) * WIDTH
    return np.stack([(function(at + s) - function(at - s)) / (2 * WIDTH) for s in steps], axis=-1)


def agree_with_differences(
    mine: np.ndarray, function: Callable[[np.ndarray], np.ndarray], at: np.ndarray
) -> bool:
    """As `agree`; where a kink lies within the differences' width, such as between two pixels of a
    map, which rounding decides, with the side on which it does not lie."""
    steps, here = np.eye(len(at)) * WIDTH, function(at)
    ahead = np.stack([function(at + step) - here for step in steps], axis=-1) / WIDTH
    behind = np.stack([here - function(at - step) for step in steps], axis=-1) / WIDTH
    most = TOLERANCE * max(1.0, np.abs(ahead).max())
    smooth = np.abs(mine - (ahead + behind) / 2) <= most
    one_side = np.minimum(np.abs(mine - ahead), np.abs(mine - behind)) <= ONE_SIDED * most
    return bool((smooth | one_side).all() and smooth.mean() > LEAST_SMOOTH)


def agree(mine: np.ndarray, reference: np.ndarray) -> bool:
    return bool(np.abs(mine - reference).max() <= TOLERANCE * max(1.0, np.abs(reference).max()))


# -- skinning ---------------------------------------------------------------------------------


@pytest.fixture(params=["without correctives", "with correctives"])
def points(body: BodyModel, request: pytest.FixtureRequest) -> SkinnedPoints:
    """Some vertices of the default body; SMPL's own files have correctives besides."""
    chosen = np.random.default_rng(0).choice(len(body.template), 60, replace=False)
    some = skinned_points(body, chosen)
    if request.param == "without correctives":
        return some
    rng = np.random.default_rng(1)
    return replace(some, correctives=rng.normal(0, 0.01, (23, 9, 60, 3)))


@pytest.mark.parametrize("strength", [0.0, 1e-4, 0.7, 1.5])
def test_skinning_has_the_derivatives_that_pytorch_finds(
    points: SkinnedPoints, strength: float
) -> None:
    """Also at the zero pose, where Rodrigues' formula divides zero by zero."""
    unknowns = unknowns_of(points.shape_count, 3, strength)
    body = posed(points, unknowns)
    count = points.shape_count

    def by_torch(which: int) -> np.ndarray:
        return torch_skinning.jacobian(
            lambda *parts: torch_skinning.skin(points, *parts)[which], unknowns, count
        )

    rows = np.arange(0, 60, 3)
    assert agree(body.vertex_derivatives(rows), by_torch(0)[rows])
    assert agree(body.joint_derivatives, by_torch(1))
    turns = by_torch(2)
    for joint in (0, JOINT["left_wrist"], JOINT["head"]):
        assert agree(body.turn_derivatives(joint), turns[joint])
    directions = np.random.default_rng(4).normal(size=(len(rows), 3))
    weights = points.weights[rows]
    expected = np.einsum("nj,jrcu,nc->nru", weights, turns, directions, optimize=True)
    assert agree(body.direction_derivatives(rows, directions), expected)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, 0.99e-3, 1.01e-3, 1.0, 3.1, 6.0])
def test_rotations_and_their_jacobians_are_exact_at_any_angle(angle: float) -> None:
    axis = np.array([[0.48, -0.6, 0.64]])
    from scipy.spatial.transform import Rotation

    turned = rotation_matrices(axis * angle)
    assert np.abs(turned - Rotation.from_rotvec(axis * angle).as_matrix()).max() < 1e-14
    across = np.array([[0.8, 0.64, 0.0]]) / np.hypot(0.8, 0.64)
    for change in (axis, across):
        step = 1e-6
        ahead, behind = (rotation_matrices(axis * angle + sign * step * change) for sign in (1, -1))
        turn = (Rotation.from_matrix(ahead) * Rotation.from_matrix(behind).inv()).as_rotvec()
        expected = (left_jacobians(axis * angle) @ change[:, :, None])[:, :, 0]
        assert np.abs(turn / (2 * step) - expected).max() < 1e-8


# -- terms ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crossed(body: BodyModel) -> tuple[FittedBody, Person]:
    """A body with forearms within its trunk: every term has something to say."""
    case = next(c for c in fit_cases(body, 5) if c.name == "arms_over_torso_1")
    truth = case.truth(body)
    _, person = observed(body, truth, np.random.default_rng(3), 3.0, 0.04, 0.0)
    return truth, person


def near_truth(truth: FittedBody, seed: int) -> np.ndarray:
    """Unknowns beside the truth, with the left forearm pushed into the trunk."""
    rng = np.random.default_rng(seed)
    pose = truth.pose.astype(np.float64) + rng.normal(0, 0.05, (24, 3))
    pose[JOINT["left_shoulder"]] += [0.24, -0.31, -0.84]
    pose[JOINT["left_elbow"]] += [0.19, -0.39, -0.74]
    place = truth.translation / truth.scale + rng.normal(0, 0.01, 3)
    betas = truth.betas + rng.normal(0, 0.2, len(truth.betas))
    return np.concatenate([betas, pose.ravel(), place])


@pytest.mark.parametrize("seed", range(3))
def test_every_term_has_the_derivatives_that_differences_show(
    body: BodyModel, crossed: tuple[FittedBody, Person], seed: int
) -> None:
    truth, person = crossed
    marks, camera = person.detection.landmarks, truth.camera
    pairs = landmark_points(body)
    chosen = np.concatenate([pairs.vertices, surface_samples(body)])
    points = skinned_points(body, chosen)
    turns = [
        Turn(JOINT["head"], rotation_matrices(np.array([[3.0, 0.3, 0.1]]))[0], 0.08, 0.4),
        Turn(JOINT["left_wrist"], rotation_matrices(np.array([[1.0, 2.0, 0.0]]))[0], 0.25, 0.7),
    ]
    metre = float(camera.focal_px / truth.joints[0, 2])
    terms: dict[str, Callable[[Skinned, bool], list[Residuals]]] = {
        "landmarks": lambda b, d: [LandmarkTerm(pairs, marks, camera, 0.12)(b, metre, d)],
        "directions": lambda b, d: [DirectionTerm(marks)(b, d)],
        "turns": lambda b, d: [TurnTerm(turns)(b, d)],
        "prior": lambda b, d: PosePrior(marks)(b, 0.3, d),
        "interpenetration": lambda b, d: [InterpenetrationTerm(body, marks, chosen)(b, d)],
        "silhouette": lambda b, d: list(
            SilhouetteTerm(person.mask, camera, len(pairs.vertices))(b, metre, d)
        ),
    }
    at = near_truth(truth, seed)
    for name, term in terms.items():
        residuals = term(posed(points, at), True)
        assert sum(each.cost for each in residuals) > 0, name

        def values(unknowns: np.ndarray, term=term) -> np.ndarray:
            return np.concatenate(
                [each.values.ravel() for each in term(posed(points, unknowns), False)]
            )

        mine = np.concatenate([each.jacobian.reshape(-1, len(at)) for each in residuals])
        assert agree_with_differences(mine, values, at), name


def test_the_gradient_is_the_costs(body: BodyModel, crossed: tuple[FittedBody, Person]) -> None:
    """With robust functions: half the gradient, and a matrix without a negative eigenvalue."""
    truth, person = crossed
    pairs = landmark_points(body)
    points = skinned_points(body, pairs.vertices)
    term = LandmarkTerm(pairs, person.detection.landmarks, truth.camera, 0.02)
    metre = float(truth.camera.focal_px / truth.joints[0, 2])
    at = near_truth(truth, 1)
    matrix, gradient = normal_equations([term(posed(points, at), metre, True)], len(at))
    expected = differences(
        lambda unknowns: np.array(term(posed(points, unknowns), metre, False).cost), at
    )
    assert agree(2 * gradient, expected)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9 * np.linalg.norm(matrix)


def test_the_distance_to_a_silhouette_is_smooth_and_right() -> None:
    mask = np.zeros((300, 400), bool)
    mask[100:200, 150:250] = True
    outside = DistanceOutside(mask)
    rng = np.random.default_rng(0)
    places = rng.uniform([0, 0], [399, 299], (500, 2))
    distance, slope = outside(places)
    gap = np.maximum(np.maximum([149.5, 99.5] - places, places - [249.5, 199.5]), 0)
    # The coarse grid and the spline's width: a few pixels of the photo.
    assert np.abs(distance - np.linalg.norm(gap, axis=1)).max() < 4
    assert np.all(distance[(gap == 0).all(axis=1) & (np.abs(places - [200, 150]) < 40).all(1)] == 0)
    for axis in range(2):
        step = np.eye(2)[axis] * 1e-5
        expected = (outside(places + step)[0] - outside(places - step)[0]) / 2e-5
        assert np.abs(slope[:, axis] - expected).max() < 1e-6
    beyond, _ = outside(np.array([[-200.0, 150.0], [200.0, 500.0], [600.0, 600.0]]))
    assert not beyond.any()
    edge, _ = outside(np.array([[400.0 + s, 150.0] for s in np.linspace(-5, 30, 200)]))
    assert np.abs(np.diff(edge)).max() < 0.05 * edge.max()  # no step at the photo's edge


# -- the solver -------------------------------------------------------------------------------


def curve_fit(start: np.ndarray, iterations: int = 100):
    """Rosenbrock's valley as least squares: the minimum is 0 at (1, 1)."""

    def residuals(x: np.ndarray, derivatives: bool) -> list[Residuals]:
        values = np.array([[10 * (x[1] - x[0] ** 2)], [1 - x[0]]])
        by = np.array([[[-20 * x[0], 10.0]], [[-1.0, 0.0]]]) if derivatives else None
        return [Residuals(values, np.ones(2), by)]

    return minimise(
        lambda x: residuals(x, True), lambda x, _: residuals(x, False),
        lambda _, step: float(np.abs(step).max()), start, np.ones(2, bool), iterations, 1e-10,
    )  # fmt: skip


def test_the_solver_finds_a_known_minimum_and_says_so() -> None:
    found, info = curve_fit(np.array([-1.2, 1.0]))
    assert np.abs(found - 1).max() < 1e-8 and info.converged and info.iterations < 100
    _, short = curve_fit(np.array([-1.2, 1.0]), iterations=3)
    assert not short.converged and short.iterations == 3 and short.last_step > 1e-10


def test_outliers_are_left_out_and_what_is_held_stays() -> None:
    """The mean of a crowd with one far stray is the crowd's."""
    crowd = np.array([0.9, 1.0, 1.1, 50.0])

    def residuals(x: np.ndarray, derivatives: bool) -> list[Residuals]:
        by = np.tile([[[1.0, 0.0]]], (4, 1, 1)) if derivatives else None
        return [Residuals((x[0] - crowd)[:, None], np.ones(4), by, 0.5)]

    start = np.array([0.7, 0.123])
    found, info = minimise(
        lambda x: residuals(x, True), lambda x, _: residuals(x, False),
        lambda _, step: float(np.abs(step).max()), start, np.array([True, False]), 50, 1e-9,
    )  # fmt: skip
    assert info.converged and abs(found[0] - 1) < 1e-3 and found[1] == 0.123
    assert total_cost(residuals(found, False)) < total_cost(residuals(start, False))
