"""Finding people and cutting them out: on made inputs, and on real photos where they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from photo_wake_up.addon.core.errors import PersonError
from photo_wake_up.addon.core.perception.detection import people
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import (
    LANDMARK,
    NAMES,
    RotatedRoi,
    roi_from_points,
)
from photo_wake_up.addon.core.perception.segmentation import matte
from photo_wake_up.addon.core.perception.segmentation.masks import segment_person
from photo_wake_up.addon.core.photo.image_files import load_photo
from photo_wake_up.addon.core.types import Photo

from .test_outlines import disc


def test_there_are_33_landmarks_left_before_right() -> None:
    assert len(NAMES) == 33
    for name in NAMES:
        if name.startswith("left_"):
            assert LANDMARK[name.replace("left", "right")] > LANDMARK[name]


def test_a_region_maps_its_corners_and_its_up_direction() -> None:
    roi = RotatedRoi(100.0, 60.0, 128.0, np.pi / 2)
    matrix = roi.matrix()
    half = 256 / 2
    centre = matrix @ [half, half, 1]
    assert np.allclose(centre, [100, 60], atol=1e-3)
    up = matrix @ [half, half - 100, 1] - centre
    assert np.allclose(up, [50, 0], atol=1e-3)  # a quarter turn clockwise: up points right
    upright = roi_from_points(np.array([10.0, 50.0]), np.array([10.0, 10.0]))
    assert upright.angle == pytest.approx(0) and upright.side == pytest.approx(100)


def test_nobody_in_an_empty_picture() -> None:
    y, x = np.mgrid[:300, :400]
    grey = np.stack([x % 256, y % 256, (x + y) % 256], axis=-1).astype(np.uint8)
    with pytest.raises(PersonError, match="No person"):
        people.find_people(Photo(grey, None, None, "empty"))


def test_a_matte_restores_a_known_soft_edge() -> None:
    """A smooth person over a smooth background: the matte is the true opacity."""
    size = 200
    truth = cv2.GaussianBlur(disc((size, size), (100, 100), 60), (0, 0), 1.5)
    person, behind = np.array([200.0, 60, 40]), np.array([30.0, 90, 180])
    rgb = truth[..., None] * person + (1 - truth[..., None]) * behind
    rgb = np.round(rgb).astype(np.uint8)
    found = matte.estimate(rgb, truth >= 0.5)
    assert np.abs(found - truth).mean() < 0.01
    assert np.abs(found - (truth >= 0.5)).mean() > np.abs(found - truth).mean()
    clean = matte.foreground(rgb, truth)
    edge = (truth > 0.3) & (truth < 0.9)
    assert np.abs(clean[edge] - person).mean() < 12


# -- real photos ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("photos/standing_frontal_studio.jpg", 1),
        ("photos/lunge_from_behind.jpg", 1),
        ("photos/yoga_warrior_beach.jpg", 1),
        ("groups/three_footballers.jpg", 3),
    ],
)
def test_people_are_found_from_left_to_right(data: Path, name: str, count: int) -> None:
    found = people.find_people(load_photo(data / name))
    assert len(found) == count
    middle = [float(person.box[0] + person.box[2]) for person in found]
    assert middle == sorted(middle)


@pytest.mark.parametrize(
    "name", ["broken/no_person_cat.jpg", "scenes/colonnade.jpg", "scenes/mountain_valley.jpg"]
)
def test_nobody_is_made_up(data: Path, name: str) -> None:
    with pytest.raises(PersonError):
        people.find_people(load_photo(data / name))


def test_a_turned_picture_turns_the_landmarks(data: Path) -> None:
    """The mirrored photo gives the mirrored person: left and right swapped."""
    photo = load_photo(data / "photos" / "yoga_warrior_beach.jpg")
    mirrored = Photo(np.ascontiguousarray(photo.rgb[:, ::-1]), None, None, "mirrored")
    first, second = (people.find_people(p)[0].landmarks for p in (photo, mirrored))
    for joint in ("shoulder", "wrist", "knee", "ankle"):
        left, right = (
            first.image[LANDMARK[f"left_{joint}"]],
            second.image[LANDMARK[f"right_{joint}"]],
        )
        assert np.hypot(photo.width - 1 - left[0] - right[0], left[1] - right[1]) < 20


def test_a_cut_out_keeps_its_own_edge(data: Path) -> None:
    photo = load_photo(data / "photos" / "child_jump_cutout.png")
    person = segment_person(photo, people.find_people(photo)[0])
    assert photo.alpha is not None
    opaque = photo.alpha >= 128
    assert (person.mask & opaque).sum() / (person.mask | opaque).sum() > 0.99


def test_a_mask_covers_the_person_and_little_else(data: Path) -> None:
    photo = load_photo(data / "photos" / "dancing_street.jpg")
    truth = cv2.imread(str(data / "photos" / "dancing_street_mask.png"), 0) > 127
    first, second = (
        segment_person(photo, people.choose(people.find_people(photo))) for _ in range(2)
    )
    assert (first.mask & truth).sum() / (first.mask | truth).sum() > 0.88
    assert np.array_equal(first.mask, second.mask)
    assert (first.mask == (first.matte >= 0.5)).all()
