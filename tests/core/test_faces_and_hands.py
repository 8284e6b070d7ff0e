"""Faces and hands on people whose other parts are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photo_wake_up.addon.core.perception.detection import people
from photo_wake_up.addon.core.perception.landmarks.faces import find_faces
from photo_wake_up.addon.core.perception.landmarks.hands import find_hands
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK
from photo_wake_up.addon.core.photo.image_files import load_photo

EYE_CORNERS = (33, 133), (362, 263)  # Face Mesh: right outer and inner, left inner and outer
DEMO_PHOTO = Path(__file__).resolve().parents[2] / "build" / "demo_photo" / "photo.png"


def test_there_are_no_faces_and_hands_in_an_empty_picture() -> None:
    grey = np.full((300, 400, 3), 128, np.uint8)
    assert find_faces(grey) == () and find_hands(grey) == ()


def test_a_face_has_its_eyes_where_the_detector_sees_them(data: Path) -> None:
    (face,) = find_faces(load_photo(data / "faces" / "official_portrait_smile.jpg").rgb)
    width = face.box[2] - face.box[0]
    for eye, corners in zip(face.points[:2], EYE_CORNERS, strict=True):
        middle = face.mesh[list(corners), :2].mean(axis=0)
        assert np.linalg.norm(middle - eye) < 0.05 * width
    assert face.points[0, 0] < face.points[1, 0]  # the right eye is on the picture's left
    nose, ears = face.mesh[1, 2], face.mesh[[127, 356], 2]
    assert (nose < ears).all()  # the nose is nearer to the camera
    assert face.presence > 0.9


def test_faces_are_found_in_a_group_best_first(data: Path) -> None:
    faces = find_faces(load_photo(data / "faces" / "three_people_office.jpg").rgb)
    assert len(faces) == 3
    assert [face.score for face in faces] == sorted((face.score for face in faces), reverse=True)


def _check_hands(path: Path) -> None:
    """Each hand is at the wrist of the side that it says, and as large as a hand."""
    photo = load_photo(path)
    rgb = photo.rgb
    body = people.choose(people.find_people(photo)).landmarks
    hands = find_hands(rgb)
    assert len(hands) == 2
    height = np.ptp(body.image[:, 1])
    for hand in hands:
        side, other = ("right", "left") if hand.right > 0.5 else ("left", "right")
        gaps = [
            float(np.linalg.norm(body.image[LANDMARK[f"{name}_wrist"]] - hand.image[0]))
            for name in (side, other)
        ]
        assert gaps[0] < 0.03 * height and gaps[0] < gaps[1]
        reach = np.linalg.norm(hand.world - hand.world[0], axis=1).max()
        assert 0.06 < reach < 0.25  # metres from the wrist to the farthest finger tip


def test_the_demo_persons_hands_are_at_the_wrists() -> None:
    if not DEMO_PHOTO.is_file():
        pytest.skip("the demo photo is not rendered yet: make demo")
    _check_hands(DEMO_PHOTO)


@pytest.mark.parametrize("name", ["long_skirt_studio.jpg", "child_jump_cutout.png"])
def test_hands_are_at_the_wrists_of_their_side(data: Path, name: str) -> None:
    _check_hands(data / "photos" / name)
