"""Self-occlusion: minimum cuts, label maps, occlusion borders, hidden outlines, division."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest

from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.parts import LEFT_ARM, RIGHT_ARM, TORSO
from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.rasterisation import render_maps
from photo_wake_up.addon.core.character.layers.amodal_completion import complete
from photo_wake_up.addon.core.character.layers.division import divide
from photo_wake_up.addon.core.character.layers.limb_self_occlusion import (
    FAR,
    far_of_body,
    far_segments,
    of_limb,
)
from photo_wake_up.addon.core.character.layers.occlusion import (
    mask_of,
    occluding_pairs,
    without_penetration,
)
from photo_wake_up.addon.core.character.layers.part_segmentation import (
    FRONT_ONLY,
    PALETTE,
    first_labels,
    follow_edges,
    from_colours,
    on_photo,
    painted_over,
)
from photo_wake_up.addon.core.character.outline import contour
from photo_wake_up.addon.core.character.outline.contour_matching import DEFAULT
from photo_wake_up.addon.core.character.outline.warp import warp
from photo_wake_up.addon.core.imaging.graph_cut import energy, expand, minimum_cut, neighbour_pairs
from photo_wake_up.addon.core.types import Crop, FittedBody

from .test_body import FACING, posed

CROP = Crop(0.0, 0.0, 0.4, 320, 400)


def random_graph(rng: np.random.Generator, count: int):
    pairs = np.array([(a, b) for a in range(count) for b in range(a + 1, count)])
    pairs = pairs[rng.random(len(pairs)) < 0.5]
    return pairs, rng.integers(0, 50, len(pairs)).astype(float)


@pytest.mark.parametrize("seed", range(8))
def test_a_minimum_cut_is_the_cheapest_of_all_assignments(seed) -> None:
    rng = np.random.default_rng(seed)
    pairs, weights = random_graph(rng, 9)
    unary = rng.integers(-60, 60, 9).astype(float)

    def cost(x: np.ndarray) -> float:
        return unary @ x + weights @ ((x[pairs[:, 0]] == 0) & (x[pairs[:, 1]] == 1))

    least = min(cost(np.array(x)) for x in product((0, 1), repeat=9))
    assert cost(minimum_cut(unary, pairs, weights).astype(int)) == pytest.approx(least)


@pytest.mark.parametrize("seed", range(8))
def test_expansion_is_exact_for_two_labels_and_close_for_more(seed) -> None:
    rng = np.random.default_rng(seed)
    pairs, weights = random_graph(rng, 7)
    for count, bound in ((2, 1.0), (3, 2.0)):  # the moves' known guarantee for Potts is 2
        unary = rng.uniform(0, 60, (7, count))
        found = expand(np.zeros(7, np.int64), unary, pairs, weights, most_rounds=9)
        least = min(
            energy(np.array(x), unary, pairs, weights) for x in product(range(count), repeat=7)
        )
        assert energy(found, unary, pairs, weights) <= bound * least + 1e-3


def test_labels_that_cannot_be_are_never_taken() -> None:
    unary = np.array([[1.0, np.inf], [50.0, 0.0], [1.0, np.inf]])
    pairs, weights = np.array([[0, 1], [1, 2]]), np.array([100.0, 100.0])
    assert expand(np.array([0, 1, 0]), unary, pairs, weights).tolist() == [0, 0, 0]


def test_neighbours_are_met_once() -> None:
    pairs, distance = neighbour_pairs(np.ones((3, 4), bool))
    assert len(np.unique(np.sort(pairs, axis=1), axis=0)) == len(pairs) == 17 + 12
    assert sorted(set(distance.round(3))) == [1.0, 1.414]


def bar_over_block() -> np.ndarray:
    """(200, 160) labels: a torso with an arm across."""
    labels = np.zeros((200, 160), np.uint8)
    labels[20:180, 30:130] = TORSO
    labels[90:116, 30:110] = LEFT_ARM
    return labels


def identity(shape: tuple[int, int]) -> np.ndarray:
    x, y = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
    return np.stack([x, y], axis=-1).astype(np.float32)


def test_a_body_without_clothes_keeps_its_own_labels() -> None:
    labels = bar_over_block()
    found = first_labels(identity(labels.shape), labels > 0, labels, labels < 0)
    assert (found.part != labels).sum() <= 8  # corners are rounded
    assert np.array_equal(found.known, labels > 0)


def test_clothes_take_the_nearest_label() -> None:
    labels = bar_over_block()
    inside = cv2.dilate((labels > 0).astype(np.uint8), np.ones((9, 9))) > 0
    found = first_labels(identity(labels.shape), inside, labels, labels < 0)
    assert (found.part > 0)[inside].all() and not found.part[~inside].any()
    assert (found.part[95:111, 27] == LEFT_ARM).all() and (found.part[30:80, 27] == TORSO).all()
    assert not found.known[:, 27].any()


@pytest.mark.parametrize("shift", [(5, 0), (-6, 0), (3, 6)])
def test_borders_move_to_the_pictures_edges(shift) -> None:
    """Where the colours differ, an arm that was fitted beside itself is found."""
    rng = np.random.default_rng(0)
    true = bar_over_block()
    beside = np.where(true > 0, TORSO, 0).astype(np.uint8)
    moved = np.roll(true == LEFT_ARM, shift, axis=(0, 1)) & (true > 0)
    beside[moved] = LEFT_ARM
    colours = np.full((*true.shape, 3), 90.0)
    colours[true == TORSO] = (70, 110, 60)
    colours[true == LEFT_ARM] = (150, 90, 70)
    colours = (colours + rng.normal(0, 6, colours.shape)).clip(0, 255).astype(np.uint8)
    border = np.zeros(true.shape, bool)
    border[1:] |= (beside[1:] != beside[:-1]) & (beside[1:] > 0) & (beside[:-1] > 0)
    border[:, 1:] |= (beside[:, 1:] != beside[:, :-1]) & (beside[:, 1:] > 0) & (beside[:, :-1] > 0)
    found = follow_edges(beside, border, colours, 400.0)
    inner = np.zeros(true.shape, bool)
    inner[22:178, 40:128] = True  # the block's own rim is no border of the arm
    assert (found == true)[inner].mean() > 0.99 > (beside == true)[inner].mean()


def test_without_contrast_labels_stay_where_the_fit_put_them() -> None:
    labels = bar_over_block()
    rng = np.random.default_rng(0)
    colours = rng.normal(100, 4, (*labels.shape, 3)).clip(0, 255).astype(np.uint8)
    border = cv2.dilate((labels == LEFT_ARM).astype(np.uint8), np.ones((3, 3))) > 0
    border &= labels == TORSO
    found = follow_edges(labels, border, colours, 400.0)
    assert (found == labels)[labels > 0].mean() > 0.95  # the bar's end is rounded


def test_the_palette_is_read_back_through_noise() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(PALETTE), (50, 60)).astype(np.uint8)
    assert np.array_equal(from_colours(PALETTE[labels]), labels)
    noisy = PALETTE[labels].astype(int) + rng.integers(-25, 26, (50, 60, 3))
    assert np.array_equal(from_colours(noisy.clip(0, 255).astype(np.uint8)), labels)


def test_painting_changes_the_painted_pixels_of_the_person_alone() -> None:
    labels = bar_over_block()
    crop = Crop(10.0, 20.0, 2.0, labels.shape[1], labels.shape[0])
    painted = np.zeros((150, 120), np.uint8)
    painted[90:100, 30:200] = RIGHT_ARM  # photo pixels, reaches out of the person
    result = painted_over(labels, painted, crop)
    changed = result != labels
    rows, _columns = np.nonzero(changed)
    assert (result[changed] == RIGHT_ARM).all() and not result[labels == 0].any()
    assert rows.min() / 2 + 20 >= 89 and rows.max() / 2 + 20 <= 100
    assert np.array_equal(painted_over(labels, None, crop), labels)
    front_only = np.where(painted > 0, FRONT_ONLY, 0).astype(np.uint8)
    assert np.array_equal(painted_over(labels, front_only, crop), labels)
    # On the photo every pixel of the mask has a label, also where the grid ends.
    mask = np.zeros((150, 120), bool)
    mask[25:115, 20:80] = True
    on = on_photo(labels, crop, mask)
    assert np.array_equal(on > 0, mask)


LOOKING_AWAY = np.array([0.0, 0.0, np.pi])  # as FACING, seen from behind


def arms_forward(body: BodyModel, bend: float, facing: np.ndarray = FACING) -> FittedBody:
    """The left forearm across the belly, the right arm stretched out."""
    angles = np.zeros((24, 3))
    angles[0] = facing
    angles[JOINT["left_shoulder"]] = (0.0, 0.0, -1.25)
    angles[JOINT["left_elbow"]] = (0.0, -bend, 0.0)
    turn = cv2.Rodrigues(np.array([0.0, 0.0, -1.25]))[0] @ cv2.Rodrigues(np.array([1.1, 0, 0]))[0]
    angles[JOINT["left_shoulder"]] = cv2.Rodrigues(turn)[0][:, 0]
    return posed(body, angles)


def test_only_far_surfaces_occlude(body: BodyModel) -> None:
    for fitted, expected in ((posed(body, np.eye(24, 3)[0] * 0 + _facing()), False),
                             (arms_forward(body, 1.6), True)):  # fmt: skip
        maps = render_maps(body, fitted, CROP)
        labels = maps.front.label
        source = identity(labels.shape)
        pairs = occluding_pairs(labels, source, maps.front, body, fitted)
        arms = np.isin(labels.ravel()[pairs], (LEFT_ARM, RIGHT_ARM)).any(axis=1)
        assert arms.any() == expected
        if expected:
            assert not (labels[mask_of(pairs[arms], labels.shape)] == RIGHT_ARM).any()


def _facing() -> np.ndarray:
    angles = np.zeros((24, 3))
    angles[0] = FACING
    return angles


def test_an_arm_inside_of_the_body_is_shown_before_it(body: BodyModel) -> None:
    fitted = arms_forward(body, 1.6)
    maps = render_maps(body, fitted, CROP)
    seen = maps.front.label == LEFT_ARM
    follows = body.weights[:, [JOINT[f"left_{name}"] for name in ("elbow", "wrist", "hand")]]
    deeper = fitted.vertices + np.outer(follows.sum(axis=1), [0, 0, 0.03]).astype(np.float32)
    sunk = FittedBody(**{**vars(fitted), "vertices": deeper})
    maps = render_maps(body, sunk, CROP)
    corrected = without_penetration(maps, body, sunk)
    hidden = (maps.front.label == LEFT_ARM) & seen
    assert (corrected.label == LEFT_ARM)[seen].mean() > 0.98 >= hidden.sum() / seen.sum() - 0.02
    unchanged = corrected.label != LEFT_ARM
    assert np.array_equal(corrected.label[unchanged], maps.front.label[unchanged])


@pytest.mark.parametrize(("bend", "folded"), [(0.0, False), (0.6, False), (2.5, True)])
def test_a_forearm_over_its_upper_arm_is_told_from_it(body: BodyModel, bend, folded) -> None:
    angles = _facing()
    angles[JOINT["left_elbow"]] = (0.0, -bend, 0.0)  # towards the camera, then over the upper arm
    fitted = posed(body, angles)
    maps = render_maps(body, fitted, Crop(0.0, 0.0, 1.0, 800, 1000))
    labels = maps.front.label
    figure = float(np.ptp(np.nonzero(labels)[0]))
    grey = np.random.default_rng(0).normal(128, 4, (*labels.shape, 3)).astype(np.uint8)
    found = far_segments(
        labels, labels > 0, identity(labels.shape), maps.front, grey, body, fitted, figure
    )
    assert np.array_equal(of_limb(found), labels)
    assert np.array_equal(np.unique(found[found != labels]), [LEFT_ARM + FAR] if folded else [])
    if folded:
        true = far_of_body(maps.front, body)
        arm = labels == LEFT_ARM
        assert (found == true)[arm].mean() > 0.9


def test_a_hidden_outline_is_the_bodys_fitted_to_its_ends() -> None:
    """A disc of which the body shows a smaller one, with a bar before its edge."""
    y, x = np.mgrid[:240, :240]
    from_centre = np.hypot(x - 120, y - 120)
    true, body = from_centre < 80, from_centre < 68
    bar = (np.abs(y - 120) < 22) & (x > 150)
    own = true & ~bar
    region = complete(own, body, bar)
    assert (region & ~own & ~bar).sum() == 0
    wrong = region != true
    plain = (own | (body & bar)) != true
    assert wrong.sum() < 0.25 * plain.sum()


def test_what_nothing_hides_is_left_alone() -> None:
    y, x = np.mgrid[:100, :100]
    own = np.hypot(x - 50, y - 50) < 30
    assert np.array_equal(complete(own, own, np.zeros_like(own)), own)


@pytest.mark.parametrize("behind", [False, True])
def test_the_body_ends_before_an_arm_behind_it_and_goes_on_under_one_over_it(
    body: BodyModel, behind
) -> None:
    """The picture shows the arm a little farther in on the torso than the fit has it."""
    # From behind, the upper arm and the elbow look out beside the torso.
    fitted = arms_forward(body, 1.6, LOOKING_AWAY if behind else FACING)
    crop = Crop(0.0, 0.0, 0.6, 480, 600)
    maps = render_maps(body, fitted, crop)
    mapping = warp(contour.trace(maps.mask.astype(np.float32)), maps, DEFAULT)
    labels = maps.front.label
    grown = cv2.dilate((labels == LEFT_ARM).astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    rows = np.arange(crop.height)[:, None]
    below_shoulder = rows > np.nonzero(labels == LEFT_ARM)[0].mean()
    shown = grown & (labels == TORSO) & below_shoulder
    assert shown.sum() > 100
    grey = np.full((*labels.shape, 3), 128, np.uint8)
    on_the_photo = cv2.resize(
        np.where(shown, LEFT_ARM, 0).astype(np.uint8), (800, 1000), interpolation=cv2.INTER_NEAREST
    )
    division = divide(mapping, maps, grey, body, fitted, on_the_photo)
    base, *arm = division.layers
    assert arm and all(layer.name.startswith("left arm") for layer in arm)
    kept = base.region[shown & ~base.own].mean()
    assert kept < 0.35 if behind else kept > 0.95
