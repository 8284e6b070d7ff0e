"""People who are not upright in the picture: found, and cut out as if they stood."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest

from photo_wake_up.addon.core.inference.roi import RotatedRoi
from photo_wake_up.addon.core.perception.detection import people
from photo_wake_up.addon.core.perception.detection.pose_detector import detect
from photo_wake_up.addon.core.perception.landmarks.joint_networks import JointNetwork
from photo_wake_up.addon.core.perception.landmarks.joints import with_joints_of
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK, LandmarkResult
from photo_wake_up.addon.core.perception.segmentation.masks import segment_person
from photo_wake_up.addon.core.photo.image_files import load_photo
from photo_wake_up.addon.core.types import Float32, Mask, Person, Photo, UInt8

from ..benches.mask_metrics import iou
from ..benches.turned_photos import turned, turned_mask, turned_points
from .test_joints import standing as standing_landmarks

DEMO_PHOTO = Path(__file__).resolve().parents[2] / "build" / "demo_photo" / "photo.png"
HEIGHT_PX = 640  # of the demo photo's copy: networks see no more of it, and it is quick
WALL = (181, 176, 168)  # sRGB


def shrunk(photo: Photo, height: int) -> Photo:
    width = round(photo.width * height / photo.height)
    small = cv2.resize(photo.rgb, (width, height), interpolation=cv2.INTER_AREA)
    return Photo(small, None, None, photo.name)


@pytest.fixture(scope="module")
def demo() -> Photo:
    if not DEMO_PHOTO.is_file():
        pytest.skip("the demo photo is not there (make setup)")
    return shrunk(load_photo(DEMO_PHOTO), HEIGHT_PX)


@pytest.fixture(scope="module")
def standing(demo: Photo) -> Person:
    return segment_person(demo, people.choose(people.find_people(demo)))


@pytest.mark.parametrize(
    ("degrees", "corners"),
    [
        *((degrees, None) for degrees in (60, 90, 135, 180, 210, 270, 285)),
        *((degrees, (128, 128, 128)) for degrees in (45, 120, 225, 300)),
    ],
)
def test_the_mask_of_a_turned_photo_is_the_turned_mask(
    demo: Photo, standing: Person, degrees: int, corners: tuple[int, int, int] | None
) -> None:
    photo, matrix = turned(demo, degrees, corners)
    (found,) = people.find_people(photo)
    known = standing.detection.landmarks
    off = found.landmarks.image - turned_points(known.image, matrix)
    height = np.ptp(known.image[:, 1])
    assert np.median(np.linalg.norm(off, axis=1)) < 0.01 * height
    person = segment_person(photo, found)
    assert iou(person.mask, turned_mask(standing.matte, matrix, photo)) >= 0.97
    assert (person.mask == (person.matte >= 0.5)).all()
    # The person's colours are the photo's own, not resampled ones.
    solid = person.matte > 0.99
    assert np.array_equal(person.foreground[solid], photo.rgb[solid])


@pytest.mark.parametrize("degrees", [90, 135, 180])
def test_face_and_hands_lie_where_they_are_in_the_turned_photo(
    demo: Photo, standing: Person, degrees: int
) -> None:
    photo, matrix = turned(demo, degrees)
    (found,) = people.find_people(photo)
    person = segment_person(photo, found)
    assert standing.face is not None and person.face is not None
    size = float(np.ptp(standing.face.mesh[:, 1]))
    for seen, known in (
        (person.face.mesh[:, :2], standing.face.mesh[:, :2]),
        (person.face.points, standing.face.points),
    ):
        off = np.linalg.norm(seen - turned_points(known, matrix), axis=1)
        assert np.median(off) < 0.05 * size
    low, high = person.face.box[:2], person.face.box[2:]
    assert (low < person.face.points[2]).all() and (person.face.points[2] < high).all()
    pairs = list(zip(person.hands, standing.hands, strict=True))
    assert any(hand is not None for hand in standing.hands)
    assert all(seen is not None or known is None for seen, known in pairs)
    for seen_hand, known_hand in pairs:
        if seen_hand is None or known_hand is None:
            continue
        reach = float(np.ptp(known_hand.image, axis=0).max())
        off = np.linalg.norm(seen_hand.image - turned_points(known_hand.image, matrix), axis=1)
        assert np.median(off) < 0.1 * reach
        flat = known_hand.world.astype(np.float64)
        flat[:, :2] = flat[:, :2] @ matrix[:, :2].T
        assert np.abs(seen_hand.world - flat).mean() < 0.01  # metres
        assert (seen_hand.right > 0.5) == (known_hand.right > 0.5)


class Onlooker:
    """In place of a network of the user's: remembers what it was shown."""

    name = "onlooker"

    def __init__(self, mask: Mask) -> None:
        self.shown: UInt8 | None = None
        self.known = mask

    def mask(self, rgb: UInt8, box: Float32) -> Float32:
        self.shown = rgb
        rows, columns = np.nonzero(self.known)
        assert (box[:2] <= [columns.min() + 5, rows.min() + 5]).all()
        assert (box[2:] >= [columns.max() - 5, rows.max() - 5]).all()
        return self.known.astype(np.float32)

    def joints(self, rgb: UInt8, box: Float32) -> tuple[Float32, Float32]:
        self.shown = rgb
        middle = np.tile((box[:2] + box[2:]) / 2, (17, 1)).astype(np.float32)
        return middle, np.ones(17, np.float32)


def test_networks_of_the_users_see_who_lies_upright(demo: Photo, standing: Person) -> None:
    photo, _ = turned(demo, 90)
    (found,) = people.find_people(photo)
    onlooker = Onlooker(standing.mask)
    person = segment_person(photo, found, network=onlooker)
    assert onlooker.shown is not None and np.array_equal(onlooker.shown, demo.rgb)
    assert iou(person.mask, np.rot90(standing.mask)) >= 0.97
    onlooker.shown = None
    moved = with_joints_of(cast("JointNetwork", onlooker), photo.rgb, found)
    assert onlooker.shown is not None and np.array_equal(onlooker.shown, demo.rgb)
    middle = (found.box[:2] + found.box[2:]) / 2
    assert np.allclose(moved.landmarks.image[LANDMARK["nose"]], middle, atol=1)


def test_who_lies_is_found_though_the_detector_knows_only_who_stands(
    demo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upright_only(rgb: UInt8) -> list[tuple[float, RotatedRoi]]:
        return [(score, roi) for score, roi in detect(rgb) if np.cos(roi.angle) > 0.7]

    monkeypatch.setattr(people, "detect", upright_only)
    for degrees in (0, 90, 180, 270):
        photo, matrix = turned(demo, degrees)
        (found,) = people.find_people(photo)
        head = turned_points(np.array([[demo.width / 2, 0]]), matrix)[0]
        nose, toes = found.landmarks.image[0], found.landmarks.image[31]
        assert np.linalg.norm(nose - head) < np.linalg.norm(toes - head)


def test_who_lies_in_a_tall_picture_is_not_too_small(demo: Photo) -> None:
    """What counts is how long a body is, not how many rows it takes up."""
    lying, _ = turned(shrunk(demo, 420), 90)
    tall = np.full((5 * lying.width, lying.width, 3), WALL, np.uint8)
    tall[: lying.height] = lying.rgb
    (found,) = people.find_people(Photo(tall, None, None, "tall"))
    assert found.box[3] - found.box[1] < people.SMALLEST_PERSON * len(tall)
    assert found.box[2] - found.box[0] > 0.5 * lying.width


@pytest.mark.parametrize(("at", "part"), [((200, 150), False), ((320, 240), True)])
def test_only_who_is_small_within_anothers_own_box_is_a_part_of_them(
    at: tuple[int, int], part: bool
) -> None:
    """The corners of a slanting body's upright box are not the body's."""
    turn = RotatedRoi(0.0, 0.0, 1.0, np.pi / 4).turn()
    shape = standing_landmarks().image - [300, 250]
    results = [
        result((shape @ turn.T + [320, 240]).astype(np.float32)),
        result((0.25 * shape + at).astype(np.float32)),
    ]
    photo = Photo(np.zeros((480, 640, 3), np.uint8), None, None, "both")
    low, high = results[0].landmarks.image.min(axis=0), results[0].landmarks.image.max(axis=0)
    inner = results[1].landmarks.image
    assert ((inner > low) & (inner < high)).all()
    assert people._part_of(results[1], results[0], photo) is part


def test_two_readings_with_one_head_are_one_body() -> None:
    """Their limbs may have slipped to different neighbours, so that their masks differ."""
    shape = standing_landmarks().image
    slipped = shape.copy()
    slipped[11:] = (slipped[11:] - shape[0]) * 0.8 + shape[0]
    empty = np.zeros((4, 4), bool)
    better, worse, neighbour = (
        people._Body(result(image), empty, quality)
        for image, quality in ((shape, 0.9), (slipped, 0.7), (shape + np.float32(60), 0.6))
    )
    assert people._one_a_head([worse, neighbour, better]) == [neighbour, better]


def result(image: Float32) -> LandmarkResult:
    roi = RotatedRoi(0.0, 0.0, 1.0, 0.0)
    marks = replace(standing_landmarks(), image=image)
    return LandmarkResult(0.9, marks, roi, roi, np.zeros((256, 256), np.float32))


def test_the_larger_one_is_chosen_by_the_body_not_by_the_slant_of_its_box(demo: Photo) -> None:
    slanting, _ = turned(shrunk(demo, 600), 45, WALL)
    height = max(slanting.height, demo.height)
    both = np.full((height, slanting.width + demo.width, 3), WALL, np.uint8)
    both[: slanting.height, : slanting.width] = slanting.rgb
    both[: demo.height, slanting.width :] = demo.rgb
    found = people.find_people(Photo(both, None, None, "both"))
    assert len(found) == 2
    assert people.choose(found) is found[1]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_groups_are_found_once_each_in_every_direction(data: Path, degrees: int) -> None:
    photo = load_photo(data / "groups" / "three_footballers.jpg")
    assert len(people.find_people(turned(photo, degrees)[0])) == 3


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("name", ["standing_frontal_studio", "long_skirt_studio"])
def test_light_clothes_stay_in_the_mask_of_who_lies(data: Path, name: str, degrees: int) -> None:
    photo = load_photo(data / "photos" / f"{name}.jpg")
    person = segment_person(photo, people.choose(people.find_people(photo)))
    lying, matrix = turned(photo, degrees)
    again = segment_person(lying, people.choose(people.find_people(lying)))
    assert iou(again.mask, turned_mask(person.matte, matrix, lying)) >= 0.97
