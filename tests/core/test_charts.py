"""The texture's front and back: hidden parts, what is front only, and blending."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.addon.core.body.model.parts import HEAD, TORSO
from photo_wake_up.addon.core.character.texture import atlas, charts, texture_labels
from photo_wake_up.addon.core.character.texture.texture_labels import FACE, HAIR, FaceFrame, Labels
from photo_wake_up.addon.core.numerics.grid_laplacian import screened_membrane

from .test_outlines import disc

SHAPE = (160, 120)
HAIR_COLOUR, SKIN_COLOUR, SHIRT_COLOUR = (60, 40, 25), (225, 180, 160), (40, 90, 160)


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def head_and_shoulders() -> tuple[np.ndarray, np.ndarray, np.ndarray, FaceFrame, np.ndarray]:
    """Colours, region, parts, the face's frame and its mask: dark hair around a light face."""
    colours = np.full((*SHAPE, 3), SHIRT_COLOUR, np.uint8)
    head = disc(SHAPE, (60, 50), 34) > 0.5
    neck = np.zeros(SHAPE, bool)
    neck[75:105, 46:74] = True
    torso = np.zeros(SHAPE, bool)
    torso[100:158, 15:105] = True
    face = disc(SHAPE, (60, 58), 22) > 0.5
    colours[neck] = SKIN_COLOUR
    colours[head] = HAIR_COLOUR
    colours[face] = SKIN_COLOUR
    colours[52:55, 50:70] = (20, 20, 20)  # eyes and brows
    colours[66:69, 53:67] = (170, 60, 60)  # mouth
    noise = _rng().normal(0, 4, colours.shape)
    colours = np.clip(colours + noise, 0, 255).astype(np.uint8)
    part = np.where(torso, TORSO, 0).astype(np.uint8)
    part[head | neck] = HEAD
    frame = FaceFrame(np.array([60.0, 53.0]), np.array([0.0, 14.0]))
    return colours, part > 0, part, frame, face


def proposed() -> tuple[np.ndarray, np.ndarray, Labels, np.ndarray]:
    colours, region, part, frame, face = head_and_shoulders()
    labels = texture_labels._with_head(frame, face, colours, region, part, part, part == HEAD, 0)
    return colours, region, labels, face


def test_hair_is_asked_for_where_the_face_is() -> None:
    _, region, labels, face = proposed()
    assert (labels.front[face] == FACE).all()
    assert (labels.front[22:30, 55:65] == HAIR).all()  # the crown
    assert (labels.back[face][: face.sum() // 2] == HAIR).all()
    assert not (labels.back == FACE).any()
    assert (labels.back[95:99, 50:70] == HEAD).all()  # the neck's skin
    assert (labels.back[110:] == labels.front[110:]).all()
    assert ((labels.front > 0) == region).all()


def test_the_back_of_the_head_has_hairs_colour_and_the_shirt_is_mirrored() -> None:
    colours, region, labels, face = proposed()
    back = charts.painted_back(
        colours, region, labels, region, np.zeros(SHAPE, bool), np.zeros(SHAPE, bool), 1.0, _rng()
    )
    upper = face.copy()
    upper[60:] = False
    assert np.abs(back[upper].astype(int) - HAIR_COLOUR).mean() < 8
    assert (back[115:] == colours[115:]).all()


def test_mirrored_parts_are_the_front() -> None:
    colours, region, labels, _ = proposed()
    back = charts.painted_back(
        colours, region, labels, region, region, np.zeros(SHAPE, bool), 1.0, _rng()
    )
    assert (back == colours).all()


def test_what_is_excluded_is_nowhere_on_the_back() -> None:
    """A logo of a colour of its own, painted over: no pixel keeps anything of it."""
    colours = np.full((*SHAPE, 3), SHIRT_COLOUR, np.uint8)
    colours[60:90, 40:80] = (250, 240, 10)
    region = disc(SHAPE, (60, 80), 55) > 0.5
    one = np.where(region, TORSO, 0).astype(np.uint8)
    logo = np.zeros(SHAPE, bool)
    logo[58:92, 38:82] = True
    back = charts.painted_back(
        colours, region, Labels(one, one), region, np.zeros(SHAPE, bool),
        logo, 1.0, _rng(),
    )  # fmt: skip
    assert (back[region] == SHIRT_COLOUR).all()


def test_what_another_layer_hides_is_of_the_same_part() -> None:
    rgb = np.full((80, 60, 3), (200, 40, 40), np.uint8)
    rgb[30:50, 20:40] = (0, 255, 0)
    region = np.zeros((80, 60), bool)
    region[10:70, 10:50] = True
    own = region.copy()
    own[28:52, 18:42] = False
    shown = atlas.spread_colours(rgb, own)
    part = np.where(region, TORSO, 0).astype(np.uint8)
    front = charts.filled_front(shown, own, region & ~own, part, part, own, 1.0, _rng())
    assert (front[region] == (200, 40, 40)).all()
    assert (front[own] == rgb[own]).all()


def test_blending_meets_the_rim_and_leaves_the_middle() -> None:
    region = disc(SHAPE, (60, 80), 50) > 0.5
    rim = region & ~(disc(SHAPE, (60, 80), 48) > 0.5)
    front = np.full((*SHAPE, 3), 200, np.uint8)
    back = np.full((*SHAPE, 3), 100, np.uint8)
    label = np.where(region, 1, 0).astype(np.uint8)
    made = charts.blended(back, front, region, region, label, label, rim, 2.0)
    assert (made[rim] == 200).all()
    assert (made[disc(SHAPE, (60, 80), 35) > 0.5] == 100).all()
    row = made[80, 12:60, 0].astype(int)
    assert (np.diff(row) <= 0).all()


def test_screened_membrane_is_the_exact_solution_of_a_strip() -> None:
    """Between two walls of one value: cosh, up to the grid's own cosh."""
    inside = np.ones((5, 41), bool)
    fixed = np.zeros_like(inside)
    fixed[:, [0, -1]] = True
    values = np.ones((5, 41, 1), np.float32)
    reach = 4.0
    found = screened_membrane(values, fixed, inside, reach)[2, :, 0]
    rate = np.arccosh(1 + 1 / (2 * reach**2))
    exact = np.cosh(rate * (np.arange(41) - 20)) / np.cosh(rate * 20)
    assert np.abs(found - exact).max() < 1e-6


@pytest.mark.parametrize("sigma", [0.5, 3.0])
def test_the_rim_takes_colours_from_inside(sigma: float) -> None:
    rgb = np.zeros((60, 60, 3), np.uint8)
    rgb[:, :] = (10, 250, 10)  # old background
    solid = disc((60, 60), (30, 30), 20) > 0.5
    rgb[solid] = (120, 60, 90)
    assert (charts.with_soft_rim(rgb, solid, sigma) == (120, 60, 90)).all()
