"""Figures of which networks know nothing: cut out of a box, joints by the outline."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photo_wake_up.addon.core.errors import PersonError
from photo_wake_up.addon.core.perception.detection import people
from photo_wake_up.addon.core.perception.drawings.figure_ground_segmentation import segment_in_box
from photo_wake_up.addon.core.perception.drawings.medial_axis_pose import joints_of_outline
from photo_wake_up.addon.core.perception.landmarks.joints import EDITABLE
from photo_wake_up.addon.core.perception.segmentation.masks import segment_person
from photo_wake_up.addon.core.photo.image_files import load_photo
from photo_wake_up.addon.core.types import Photo

HEIGHT, WIDTH = 520, 460
WHOLE = np.array([0, 0, WIDTH - 1, HEIGHT - 1], np.float32)


def _bodily(arm: float = 0.9, leg: float = 0.25, thick: float = 1.0) -> tuple[np.ndarray, dict]:
    """A figure of capsules that faces us: mask and where its joints are.

    arm, leg : radians of the limbs from straight down; thick : of all limbs
    """
    centre = WIDTH / 2
    shoulders, hips = 150.0, 290.0
    joints = {"nose": (centre, 80.0)}
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (round(centre), 82), 40, 1, -1)
    cv2.line(mask, (round(centre), 110), (round(centre), 150), 1, 26)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        shoulder = np.array([centre + sign * 52, shoulders])
        hip = np.array([centre + sign * 30, hips])
        out = np.array([sign * np.sin(arm), np.cos(arm)])
        down = np.array([sign * np.sin(leg), np.cos(leg)])
        elbow, wrist, index = (shoulder + out * length for length in (68.0, 130.0, 152.0))
        knee, ankle, toe = (hip + down * length for length in (95.0, 180.0, 200.0))
        for a, b, width in (
            (shoulder, index, 26), (hip, toe, 34), (shoulder, hip, 40), (hip, hip, 40)
        ):  # fmt: skip
            ends = [tuple(np.rint(p).astype(int).tolist()) for p in (a, b)]
            cv2.line(mask, ends[0], ends[1], 1, max(4, round(width * thick)))
        named = {"shoulder": shoulder, "elbow": elbow, "wrist": wrist, "index": index, "hip": hip,
                 "knee": knee, "ankle": ankle, "foot_index": toe}  # fmt: skip
        joints |= {f"{side}_{name}": tuple(place) for name, place in named.items()}
    torso = np.array([[centre - 60, 140], [centre + 60, 140], [centre + 42, 300],
                      [centre - 42, 300]])  # fmt: skip
    cv2.fillConvexPoly(mask, torso.astype(np.int32), 1)
    return mask > 0, joints


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def _uneven_paper(seed: int = 0) -> np.ndarray:
    """Paper under light that falls off, with grain."""
    y, x = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    light = 205 - 45 * x - 35 * y + 20 * x * y
    grain = np.random.default_rng(seed).normal(0, 2.0, (HEIGHT, WIDTH, 3))
    return np.clip(light[..., None] * [1.0, 0.98, 0.93] + grain, 0, 255).astype(np.uint8)


# -- outlines -----------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.floats(0.5, 2.3), st.floats(0.12, 0.6), st.floats(0.7, 1.25))
def test_joints_of_a_known_figure(arm, leg, thick):
    mask, truth = _bodily(arm, leg, thick)
    found = joints_of_outline(mask)
    assert set(found) == set(EDITABLE)
    errors = {name: np.hypot(*np.subtract(found[name], truth[name])) for name in EDITABLE}
    height = np.ptp(np.nonzero(mask.any(axis=1))[0])
    assert np.mean(list(errors.values())) < 0.05 * height
    for end in ("left_index", "right_index", "left_foot_index", "right_foot_index"):
        assert errors[end] < 0.06 * height


@settings(max_examples=15)
@given(st.floats(0.5, 2.2), st.floats(0.12, 0.5))
def test_a_mirrored_outline_has_mirrored_joints(arm, leg):
    mask, _ = _bodily(arm, leg)
    mask[:, WIDTH // 2 :] = False  # not symmetric: one half leans on the other's arm
    mask |= _bodily(arm * 0.8, leg, 0.9)[0] & (np.arange(WIDTH) >= WIDTH // 2)
    one, two = joints_of_outline(mask), joints_of_outline(np.ascontiguousarray(mask[:, ::-1]))
    for name, (x, y) in one.items():
        other = name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        assert np.hypot(WIDTH - 1 - two[other][0] - x, two[other][1] - y) < 14


@pytest.mark.parametrize(("scale", "shift"), [(0.5, (0, 0)), (2.0, (0, 0)), (1.0, (37, 21))])
def test_joints_move_and_grow_with_the_outline(scale, shift):
    mask, _ = _bodily()
    size = (round(WIDTH * scale), round(HEIGHT * scale))
    other = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    other = np.pad(other, ((shift[1], 0), (shift[0], 0))) > 0
    before, after = joints_of_outline(mask), joints_of_outline(other)
    for name, (x, y) in before.items():
        moved = np.array([x * scale + shift[0], y * scale + shift[1]])
        assert np.hypot(*(moved - after[name])) < 8 * scale


def test_there_is_always_a_full_set_within_the_outline():
    """Arms against the body, legs in a skirt, a blob, a bar: something plausible to drag."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ellipse = ((x - 230) / 90) ** 2 + ((y - 260) / 220) ** 2 < 1
    bar = (np.abs(x - 200) < 5) & (y > 20) & (y < 500)
    cone = (np.abs(x - 230) < (y - 50) * 0.4) & (y > 60) & (y < 480)
    for mask in (ellipse, bar, cone):
        near = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0
        found = joints_of_outline(mask)
        assert set(found) == set(EDITABLE)
        for x_, y_ in found.values():
            assert near[round(y_), round(x_)]
        assert found["nose"][1] < found["left_hip"][1] < found["left_foot_index"][1]
        assert found["left_shoulder"][0] >= found["right_shoulder"][0]
    with pytest.raises(PersonError, match="empty"):
        joints_of_outline(np.zeros((10, 10), bool))


# -- figures in a box ---------------------------------------------------------------------------


def test_a_painted_figure_on_uneven_paper():
    mask, _ = _bodily()
    picture = _uneven_paper()
    picture[mask] = (180, 60, 50)
    picture[mask & (np.arange(HEIGHT)[:, None] > 290)] = (40, 70, 150)
    assert _overlap(segment_in_box(picture, WHOLE), mask) > 0.985


@pytest.mark.parametrize("gap", [0, 6])
def test_a_line_drawing_is_what_its_strokes_enclose(gap):
    mask, _ = _bodily()
    outline, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    picture = _uneven_paper()
    ink = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(ink, outline, -1, 1, 5)
    if gap:
        ink[200 : 200 + gap] = 0  # the pen was lifted
    picture[ink > 0] = (50, 45, 80)
    assert _overlap(segment_in_box(picture, WHOLE), mask | (ink > 0)) > 0.97


def test_limbs_drawn_as_lines_become_limbs_of_some_width():
    picture = _uneven_paper()
    cv2.ellipse(picture, (230, 230), (80, 100), 0, 0, 360, (40, 40, 60), 3)
    for end in ((80, 120), (380, 120), (170, 480), (290, 480)):
        cv2.line(picture, (230, 230), end, (40, 40, 60), 3)
    cv2.ellipse(picture, (230, 230), (77, 97), 0, 0, 360, (180, 180, 170), -1)
    mask = segment_in_box(picture, WHOLE)
    assert mask[230, 230]
    across = mask[440, 160:200]  # the left leg's width, measured level
    assert 6 <= across.sum() <= 22
    found = joints_of_outline(mask)
    assert found["left_index"][0] > 340 and found["left_index"][1] < 150
    assert found["right_foot_index"][1] > 450 and found["right_foot_index"][0] < 200


def test_a_shadow_with_an_edge_is_not_the_figure():
    mask, _ = _bodily()
    outline, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    picture = _uneven_paper().astype(np.float32)
    picture[330:] *= 0.72
    picture = picture.astype(np.uint8)
    ink = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(ink, outline, -1, 1, 5)
    picture[ink > 0] = (45, 40, 70)
    assert _overlap(segment_in_box(picture, WHOLE), mask | (ink > 0)) > 0.97


def test_a_figure_among_colours_is_cut_out_of_its_box():
    mask, _ = _bodily()
    random = np.random.default_rng(3)
    behind = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT, WIDTH, 3)), (0, 0), 9)
    behind = 120 + 60 * behind / np.abs(behind).max() + [0, 40, -30]
    front = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT, WIDTH, 3)), (0, 0), 4)
    front = 130 + 50 * front / np.abs(front).max() + [70, -60, -40]
    picture = np.where(mask[..., None], front, behind).clip(0, 255).astype(np.uint8)
    rows, columns = np.nonzero(mask)
    box = np.array(
        [columns.min() - 8, rows.min() - 8, columns.max() + 8, rows.max() + 8], np.float32
    )
    assert _overlap(segment_in_box(picture, box), mask) > 0.9


def test_an_empty_box_is_told_of():
    with pytest.raises(PersonError, match="Nothing stands out"):
        segment_in_box(np.full((200, 200, 3), 220, np.uint8), np.array([20, 20, 150, 150.0]))
    photo = Photo(np.full((200, 200, 3), 220, np.uint8), None, None, "white")
    with pytest.raises(PersonError, match="in the photo"):
        people.find_in_box(photo, np.array([300, 300, 400, 400], np.float32))


def test_a_drawing_becomes_a_person():
    mask, _truth = _bodily()
    picture = _uneven_paper()
    picture[mask] = (150, 90, 60)
    photo = Photo(picture, None, None, "drawn")
    (found,) = people.find_in_box(photo, WHOLE)
    if found.is_drawn:  # the networks may take it for a person, too
        assert found.score == 0
    person = segment_person(photo, found)
    assert _overlap(person.mask, mask) > 0.95


# -- real drawings ------------------------------------------------------------------------------


def test_the_reference_drawing(data: Path):
    photo = load_photo(data / "drawings" / "king_boy.png")
    truth = cv2.imread(str(data / "drawings" / "king_boy_mask.png"), 0) > 127
    box = np.array([0, 0, photo.width, photo.height], np.float32)
    mask = segment_in_box(photo.rgb, box)
    assert _overlap(mask, truth) > 0.95
    places = _reference_joints(data / "drawings" / "king_boy_joints.yaml")
    found = joints_of_outline(mask)
    named = {
        f"{side}_{ours}": f"{side}_{theirs}"
        for side in ("left", "right")
        for ours, theirs in (
            ("shoulder", "shoulder"), ("elbow", "elbow"), ("index", "hand"), ("hip", "hip"),
            ("knee", "knee"), ("foot_index", "foot"),
        )
    }  # fmt: skip
    errors = [np.hypot(*np.subtract(found[a], places[b])) for a, b in named.items() if b in places]
    assert len(errors) == 12
    assert np.mean(errors) < 0.09 * photo.height


@pytest.mark.parametrize("name", ["garlic_paper_photo.jpg", "king_boy.png"])
def test_drawings_that_no_network_sees_are_found_in_a_box(data: Path, name: str):
    photo = load_photo(data / "drawings" / name)
    with pytest.raises(PersonError, match="draw a box"):
        people.find_people(photo)
    box = np.array([0, 0, photo.width, photo.height], np.float32)
    (found,) = people.find_in_box(photo, box)
    assert found.is_drawn
    person = segment_person(photo, found)
    assert 0.05 < person.mask.mean() < 0.7


def _reference_joints(path: Path) -> dict[str, tuple[float, float]]:
    """Name to place from the file's list of loc, name, parent."""
    places, numbers = {}, []
    for line in path.read_text().splitlines():
        words = line.replace("-", " ").split()
        if len(words) == 1 and words[0].isdigit():
            numbers.append(float(words[0]))
        elif words and words[0] == "loc:":
            numbers = []
        elif len(words) == 2 and words[0] == "name:" and len(numbers) >= 2:
            places[words[1]] = (numbers[0], numbers[1])
    return places
