"""BVH files: closed forms, damage, and whatever a random file may hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.bvh import read_bvh

from .motion_inputs import MOCAP, broken, mocap, stick_bvh, stick_row

_TWO_BONES = """HIERARCHY
ROOT a
{
  OFFSET 0 0 0
  CHANNELS %s
  JOINT b
  {
    OFFSET 1 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
MOTION
Frames: 1
Frame Time: 0.05
%s
"""


def _read(tmp_path, text: str):
    path = tmp_path / "clip.bvh"
    path.write_text(text)
    return read_bvh(path)


def test_angles_multiply_in_the_order_of_their_channels(tmp_path):
    motion = _read(tmp_path, _TWO_BONES % ("3 Zrotation Xrotation Yrotation", "90 90 0 0 0 0"))
    turned, placed = motion.world()
    # Rz(90) Rx(90): x to y, y to z, z to x.
    assert np.allclose(turned[0, 0], [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-12)
    assert np.allclose(placed[0, 1], [0, 1, 0], atol=1e-12)
    assert motion.fps == pytest.approx(20.0)


@pytest.mark.parametrize(
    "order",
    [
        "Xposition Yposition Zposition Zrotation Xrotation Yrotation",
        "Zrotation Xrotation Yrotation Xposition Yposition Zposition",
    ],
)
def test_positions_and_rotations_come_in_any_order(tmp_path, order):
    place, turn = "5 6 7", "30 20 10"
    first = place if order.startswith("X") else turn
    second = turn if order.startswith("X") else place
    motion = _read(tmp_path, _TWO_BONES % (f"6 {order}", f"{first} {second} 0 0 0"))
    assert np.allclose(motion.positions[0, 0], [5, 6, 7])
    expected = _read(tmp_path, _TWO_BONES % ("3 Zrotation Xrotation Yrotation", "30 20 10 0 0 0"))
    assert np.allclose(motion.rotations[0, 0], expected.rotations[0, 0])


@pytest.mark.parametrize("from_offset", [False, True])
def test_a_bone_with_position_channels_keeps_its_length(tmp_path, from_offset):
    text = _TWO_BONES % ("3 Zrotation Xrotation Yrotation", "0 0 0 %s 0 0 0")
    text = text.replace(
        "OFFSET 1 0 0\n    CHANNELS 3 ",
        "OFFSET 1 0 0\n    CHANNELS 6 Xposition Yposition Zposition ",
    )
    motion = _read(tmp_path, text % ("0 0 0" if from_offset else "1 0 0"))
    assert np.allclose(motion.positions[0, 1], [1, 0, 0])


_GOOD = stick_bvh()


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda t: "", "ends"),
        (lambda t: "solid cube\n" + t, "not a BVH"),
        (lambda t: t[: t.index("MOTION")], "MOTION"),
        (lambda t: t.replace("Frames: 3", "Frames: 0"), "no frames"),
        (lambda t: t.replace("Frames: 3", "Frames: 9"), "3 of the 9"),
        (lambda t: t.replace("Frame Time: 0.04", "Frame Time: 0"), "frame time"),
        (lambda t: t.replace("8.500000", "nan", 1), "finite"),
        (lambda t: t.replace("8.500000", "1e9", 1), "no person"),
        (lambda t: t.replace("8.500000", "eight", 1), "not a number"),
        (lambda t: t.replace("OFFSET 0 -4 0", "OFFSET 0 1e9 0", 1), "the OFFSET of LeftLeg"),
        (lambda t: t.replace("OFFSET 0 0.5 0", "OFFSET 0 0.5 -1e9", 1), "the OFFSET of Head"),
        (lambda t: t[:-60], "too early"),
        (lambda t: t.replace("Zrotation", "Wrotation", 1), "not a channel"),
        (lambda t: t.replace("CHANNELS 3", "CHANNELS 4", 1), "CHANNELS"),
        (lambda t: t.replace("OFFSET 1 -0.5 0", "OFFSET 1 -0.5", 1), "OFFSET"),
        (lambda t: t.replace("}\nMOTION", "MOTION", 1), "bracket"),
        (lambda t: t.replace("MOTION", "ROOT Second\n{\nOFFSET 0 0 0\n}\nMOTION", 1), "ROOT"),
    ],
)
def test_damage_is_named_with_its_line(tmp_path, damage, cause):
    with pytest.raises(MotionError, match=r"line \d+") as raised:
        _read(tmp_path, damage(_GOOD))
    assert cause in str(raised.value)
    assert str(raised.value).count(". ") == 0  # one sentence


def test_the_line_of_a_bad_number_is_right(tmp_path):
    rows = [stick_row() for _ in range(5)]
    rows[3][4] = float("nan")
    text = stick_bvh(rows)
    line = text.splitlines().index("MOTION") + 1 + 3 + 3
    with pytest.raises(MotionError, match=f"line {line}:"):
        _read(tmp_path, text)


@pytest.mark.parametrize("old", ["OFFSET 0 -4 0", "OFFSET 2.6 0 0", "OFFSET 0 0.5 0"])
def test_the_line_of_a_bone_of_any_length_is_right(tmp_path, old):
    """Joints' own bones and those to end sites."""
    text = _GOOD.replace(old, "OFFSET 0 0 1e9", 1)
    line = text.splitlines().index("OFFSET 0 0 1e9") + 1
    with pytest.raises(MotionError, match=f"line {line}:.*1e\\+09"):
        _read(tmp_path, text)


def test_a_file_that_nobody_recorded_is_not_read(tmp_path):
    path = tmp_path / "huge.bvh"
    with path.open("wb") as file:
        file.truncate(2**40)  # a hole: it takes no room
    with pytest.raises(MotionError, match="huge.bvh is larger than"):
        read_bvh(path)
    with pytest.raises(MotionError, match="cannot be read"):
        read_bvh("a\0b.bvh")


def test_joints_know_their_lines(tmp_path):
    motion = _read(tmp_path, _GOOD)
    lines = _GOOD.splitlines()
    for joint, name in enumerate(motion.names):
        assert lines[motion.lines[joint] - 1].split()[-1] == name
        assert motion.where(joint) == f"clip.bvh, line {motion.lines[joint]}"


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(MotionError, match="none.bvh"):
        read_bvh(tmp_path / "none.bvh")


@settings(max_examples=60)
@given(st.integers(0, len(_GOOD)), st.integers(0, 40), st.text(max_size=12))
def test_no_damage_gives_anything_but_a_motion_or_a_sentence(tmp_path_factory, at, cut, extra):
    path = tmp_path_factory.mktemp("bvh") / "clip.bvh"
    path.write_text(_GOOD[:at] + extra + _GOOD[at + cut :], encoding="utf-8")
    try:
        motion = read_bvh(path)
    except MotionError:
        return
    assert np.isfinite(motion.rotations).all() and np.isfinite(motion.positions).all()
    assert np.allclose(np.linalg.norm(motion.rotations, axis=-1), 1.0)


@pytest.mark.parametrize("name", ["bvh_no_motion.bvh", "bvh_truncated.bvh"])
def test_real_broken_files(name):
    with pytest.raises(MotionError, match=r"line \d+"):
        read_bvh(broken(name))


@pytest.mark.parametrize("name", MOCAP)
def test_real_files_keep_their_bones(name):
    motion = read_bvh(mocap(name))
    _, placed = motion.world()
    for joint, parent in enumerate(motion.parents):
        if parent > 0:
            length = np.linalg.norm(placed[:, joint] - placed[:, parent], axis=1)
            # Files with position channels on every joint let them breathe a little.
            assert np.ptp(length) < 0.02 * max(length.max(), 1.0)
