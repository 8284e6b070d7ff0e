"""The view of a photo in which a body stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from photo_wake_up.addon.core.inference.roi import RotatedRoi
from photo_wake_up.addon.core.perception.detection.upright import (
    LEVEL,
    box_of,
    lean,
    turn_of,
    turned_photo,
    view_of,
)
from photo_wake_up.addon.core.types import Detection, PoseLandmarks

from .test_joints import standing

SIZE = (640, 480)  # of the photo, pixels


def person(degrees: float, score: float = 0.9) -> Detection:
    """Somebody in the middle of the photo whose head is turned clockwise by so much."""
    marks = standing()
    turn = RotatedRoi(0.0, 0.0, 1.0, np.radians(degrees)).turn()
    image = ((marks.image - [300, 250]) @ turn.T + [320, 240]).astype(np.float32)
    turned = replace(marks, image=image, world=_turned(marks.world, turn))
    return Detection(box_of(turned, SIZE), score, turned)


def _turned(points: np.ndarray, turn: np.ndarray) -> np.ndarray:
    result = points.copy()
    result[:, :2] = points[:, :2] @ turn.T
    return result.astype(np.float32)


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)


@pytest.mark.parametrize("degrees", range(-180, 180, 15))
def test_the_lean_is_the_angle_that_the_body_is_turned_by(degrees: int) -> None:
    off = lean(person(degrees).landmarks) - np.radians(degrees)
    assert np.cos(off) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("degrees", [0, 15, -15, 30, -30])
def test_who_stands_or_leans_is_seen_in_the_photo_itself(degrees: int) -> None:
    who = person(degrees)
    view, rgb = view_of(who, SIZE), picture()
    values = np.zeros(rgb.shape[:2], np.float32)
    assert view.is_photo and turn_of(who.landmarks) == 0
    assert view.picture(rgb) is rgb and view.detection(who) is who
    assert view.on_photo(values) is values


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (-90, 3), (180, 2), (65, 1), (-150, 2)])
def test_who_all_but_lies_is_seen_in_the_photos_own_pixels(degrees: int, turns: int) -> None:
    view, rgb = view_of(person(degrees), SIZE), picture()
    seen = view.picture(rgb)
    assert np.array_equal(seen, np.rot90(rgb, turns))
    assert np.array_equal(view.mask(rgb[..., 0] > 99), np.rot90(rgb[..., 0] > 99, turns))
    back = view.on_photo(seen[..., 0].astype(np.float32))
    assert np.array_equal(back, rgb[..., 0].astype(np.float32))


@pytest.mark.parametrize("degrees", [45, 90, -48, 132, 180, -90, -135])
def test_a_body_stands_in_its_view_and_comes_back_to_its_place(degrees: int) -> None:
    who = person(degrees)
    view = view_of(who, SIZE)
    seen = view.detection(who)
    assert abs(lean(seen.landmarks)) <= LEVEL
    if turn_of(who.landmarks) == pytest.approx(np.radians(degrees)):
        assert np.allclose(seen.landmarks.world, standing().world, atol=1e-5)
    assert np.allclose(view.points_on_photo(seen.landmarks.image), who.landmarks.image, atol=1e-2)
    assert (seen.landmarks.image >= 0).all() and (seen.landmarks.image < view.size).all()
    there = view.roi_on_photo(RotatedRoi(10.0, 20.0, 30.0, 0.1))
    again = view.matrix @ [there.x, there.y, 1.0]
    assert np.allclose(again, [10, 20], atol=1e-6)
    assert np.cos(there.angle - 0.1 - view.angle) == pytest.approx(1)


def test_values_of_a_slanting_view_come_back_to_their_pixels() -> None:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    wave = (127 + 100 * np.sin(x / 30) * np.cos(y / 40)).astype(np.float32)
    view = view_of(person(45), SIZE)
    seen = view.picture(np.repeat(wave[..., None], 3, axis=2).astype(np.uint8))
    back = view.on_photo(seen[..., 0].astype(np.float32))
    inside = view.on_photo(np.ones(seen.shape[:2], np.float32)) == 1
    assert inside.any()
    assert np.abs(back - wave)[inside].max() < 2  # grey levels, of rounding


def test_the_view_of_all_of_a_photo_holds_its_corners() -> None:
    for degrees in range(-180, 181, 15):
        view = turned_photo(SIZE, np.radians(degrees))
        corners = np.array([(0, 0), (639, 0), (639, 479), (0, 479)])
        placed = corners @ view.matrix[:, :2].T + view.matrix[:, 2]
        assert (placed > -1e-5).all() and (placed < np.array(view.size) - 1 + 1e-5).all()


def test_a_drawn_figure_is_taken_for_upright() -> None:
    assert view_of(person(90, score=0.0), SIZE).is_photo


def test_landmarks_far_outside_of_the_photo_give_a_view_all_the_same() -> None:
    who = person(45)
    marks = who.landmarks
    gone: PoseLandmarks = replace(marks, image=marks.image + np.float32(5000))
    view = view_of(replace(who, landmarks=gone), SIZE)
    assert min(view.size) > 0
