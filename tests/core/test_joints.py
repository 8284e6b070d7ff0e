"""Joints that are moved by hand, and figures of which nothing but joints is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photo_wake_up.addon.core.perception.landmarks.joints import (
    EDITABLE,
    flat_landmarks,
    joints_of,
    moved,
    read_joints,
)
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK, NAMES
from photo_wake_up.addon.core.types import PoseLandmarks

PX_A_METRE = 200.0


def standing() -> PoseLandmarks:
    """Somebody who faces the viewer with forearms pointing at the camera, seen without
    perspective."""
    world = np.zeros((len(NAMES), 3))
    heights = {"shoulder": -0.5, "elbow": -0.2, "wrist": -0.2, "index": -0.2, "pinky": -0.2,
               "thumb": -0.2, "hip": 0.0, "knee": 0.45, "ankle": 0.85, "heel": 0.9,
               "foot_index": 0.9}  # fmt: skip
    depths = {"wrist": -0.25, "index": -0.33, "pinky": -0.33, "thumb": -0.3, "foot_index": -0.15}
    for name in NAMES:
        side = 1.0 if name.startswith("left") or name.endswith("left") else -1.0
        part = name.partition("_")[2]
        y, z = heights.get(part, -0.7), depths.get(part, 0.0)
        world[LANDMARK[name]] = (side * (0.2 if y < -0.1 else 0.1), y, z)
    image = world[:, :2] * PX_A_METRE + [300, 250]
    return PoseLandmarks(
        image.astype(np.float32), np.zeros(len(NAMES), np.float32), world.astype(np.float32),
        np.full(len(NAMES), 0.6, np.float32),
    )  # fmt: skip


def test_nothing_moved_is_the_same_object():
    marks = standing()
    assert moved(marks, joints_of(marks)) is marks
    assert moved(marks, {}) is marks


@given(
    st.sampled_from(EDITABLE),
    st.floats(-80, 80).filter(lambda v: abs(v) > 2),
    st.floats(-80, 80),
)
def test_a_joint_goes_where_it_is_put_and_bones_keep_their_length(name, dx, dy):
    marks = standing()
    x, y = joints_of(marks)[name]
    after = moved(marks, {name: (x + dx, y + dy)})
    assert np.allclose(after.image[LANDMARK[name]], [x + dx, y + dy], atol=1e-3)
    assert after.visibility[LANDMARK[name]] == 1.0
    for other in EDITABLE:
        if other != name:
            assert np.array_equal(after.image[LANDMARK[other]], marks.image[LANDMARK[other]])
    for side in ("left", "right"):
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            i, j = LANDMARK[f"{side}_{a}"], LANDMARK[f"{side}_{b}"]
            before = float(np.linalg.norm(marks.world[j] - marks.world[i]))
            bone = after.world[j] - after.world[i]
            flat = float(np.linalg.norm(bone[:2]))
            # A bone that is drawn longer than it is lies in the picture's plane.
            assert np.linalg.norm(bone) == pytest.approx(max(before, flat), abs=1e-4)


def test_forearms_keep_pointing_to_the_side_they_did():
    marks = standing()
    x, y = joints_of(marks)["left_wrist"]
    after = moved(marks, {"left_wrist": (x + 20, y)})
    wrist, elbow = after.world[LANDMARK["left_wrist"]], after.world[LANDMARK["left_elbow"]]
    assert wrist[2] < elbow[2]
    thumb = after.world[LANDMARK["left_thumb"]] - after.world[LANDMARK["left_index"]]
    assert np.allclose(thumb, marks.world[LANDMARK["left_thumb"]]
                       - marks.world[LANDMARK["left_index"]], atol=1e-5)  # fmt: skip


def test_a_flat_figure_has_its_joints_and_lies_in_the_plane():
    joints = joints_of(standing())
    marks = flat_landmarks(joints)
    for name in EDITABLE:
        assert np.allclose(marks.image[LANDMARK[name]], joints[name])
        assert marks.visibility[LANDMARK[name]] == 1.0
    assert not marks.world[:, 2].any()
    assert marks.visibility[LANDMARK["left_ear"]] == 0.0
    # Directions in metres are those in the picture.
    for a, b in (("left_shoulder", "left_elbow"), ("right_hip", "right_knee")):
        flat = marks.world[LANDMARK[b], :2] - marks.world[LANDMARK[a], :2]
        drawn = np.subtract(joints[b], joints[a])
        cross = flat[0] * drawn[1] - flat[1] * drawn[0]
        assert abs(cross) < 1e-4 * np.linalg.norm(flat) * np.linalg.norm(drawn)
        assert flat @ drawn > 0


def test_joints_come_back_from_their_file(tmp_path):
    path = tmp_path / "joints.json"
    path.write_text(json.dumps({"nose": [10, 20.5], "left_wrist": [1, 2]}))
    assert read_joints(path) == {"nose": (10.0, 20.5), "left_wrist": (1.0, 2.0)}
