"""BVH files: closed forms, damage, and whatever a random file may hold."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.sources.bvh import read_bvh, read_bvh_skeletons
from photo_wake_up.addon.core.motion.sources.library import load_motion

from .motion_inputs import (
    MOCAP,
    STICK_ORDER,
    angles_between,
    broken,
    mocap,
    reported,
    stick_bvh,
    stick_row,
)

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
        (lambda t: t.replace("}\nMOTION", "ROOT Second\n{\nOFFSET 0 0 0\n}\n}\nMOTION", 1), "ROOT"),
        (lambda t: t.replace("8.500000", "8,500000", 1), "'8,500000' is not a number"),
        (lambda t: t.replace("0.04", "0,04"), "'0,04' is not a number"),
        (lambda t: t.replace("Frames: 3\n", ""), "'Frames:'"),
        (lambda t: t.replace("Frames: 3", "Frames: three"), "'three' is not a number of frames"),
        (lambda t: t.replace("Frames: 3", "Frames: 5"), "3 of the 5"),
        (lambda t: t.rsplit("\n", 2)[0] + "\n0.0 8.5\n", "too early"),
        (lambda t: t.replace("End Site", "JOINT Tip", 1).replace("{", "", 6), "bracket"),
    ],
)
def test_damage_is_named_with_its_line(tmp_path, damage, cause):
    with pytest.raises(MotionError, match=r"line \d+") as raised:
        _read(tmp_path, damage(_GOOD))
    assert cause in str(raised.value)
    assert str(raised.value).count(". ") == 0  # one sentence
    assert ("undamaged" in str(raised.value)) == ("not a BVH" not in cause)


_MOVED = stick_bvh([stick_row(LeftArm=(5 * k, 0, 0), RightLeg=(0, 7 * k, 0)) for k in range(6)])
_SCALES = "Xscale Yscale Zscale"


def _with_scales(text: str) -> str:
    """Scale channels behind each joint's others, 1 in every frame."""
    head, rows = text.split("Frame Time: 0.04\n")
    head = head.replace("CHANNELS 3", "CHANNELS 6").replace("CHANNELS 6 X", "CHANNELS 9 X")
    head = head.replace("Yrotation", f"Yrotation {_SCALES}")
    made = []
    for row in rows.splitlines():
        words = row.split()
        joints = [words[:6], *(words[at : at + 3] for at in range(6, len(words), 3))]
        made.append(" ".join(" ".join([*joint, "1", "1", "1"]) for joint in joints))
    return f"{head}Frame Time: 0.04\n" + "\n".join(made) + "\n"


def _prop(text: str, before: bool = False) -> str:
    """A sword with a root of its own, far from the person, that moves."""
    head, rows = text.split("MOTION\n")
    sword = (
        "ROOT Sword\n{\nOFFSET 500 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation "
        "Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 3 0\n}\n}\n"
    )
    title, numbers = rows.split("Frame Time: 0.04\n")
    own = "510 1 2 40 50 60"
    made = [f"{own} {row}" if before else f"{row} {own}" for row in numbers.splitlines()]
    head = head.replace("HIERARCHY\n", f"HIERARCHY\n{sword}") if before else head + sword
    return f"{head}MOTION\n{title}Frame Time: 0.04\n" + "\n".join(made) + "\n"


_DIALECTS = {
    "no blank behind the colon": lambda t: t.replace("Frames: ", "Frames:").replace(
        "Time: ", "Time:"
    ),
    "a blank before the colon": lambda t: t.replace("Frames:", "Frames :").replace(
        "Time:", "Time :"
    ),
    "no colon": lambda t: t.replace("Frames:", "Frames").replace("Time:", "Time"),
    "the time before the frames": lambda t: t.replace(
        "Frames: 6\nFrame Time: 0.04", "Frame Time: 0.04\nFrames: 6"
    ),
    "lower case": str.lower,
    "upper case": str.upper,
    "tabs": lambda t: t.replace(" ", "\t"),
    "Windows": lambda t: t.replace("\n", "\r\n"),
    "old Macintosh": lambda t: t.replace("\n", "\r"),
    "byte order mark": lambda t: "\ufeff" + t,
    "empty lines": lambda t: "\n\n" + t.replace("\n", "\n \n"),
    "one frame more announced": lambda t: t.replace("Frames: 6", "Frames: 7"),
    "fewer frames announced": lambda t: t.replace("Frames: 6", "Frames: 4"),
    "no frames announced": lambda t: t.replace("Frames: 6", "Frames: 0"),
    "lines at the end": lambda t: t + "\n\nmade by hand\n0 0 0\nEND\n",
    "scale channels": _with_scales,
    "a prop": _prop,
    "a prop before the person": lambda t: _prop(t, before=True),
    "comments": lambda t: "# made by hand\n" + t.replace(
        "{\n", "{ // open\n", 3
    ).replace("Frame Time: 0.04", "# 25 a second\nFrame Time: 0.04 // s\n; frames"),
    "brackets on the joint's line": lambda t: t.replace("\n{", " {"),
    "an entry a line or more": lambda t: t.replace("\n{\n", " { ").replace(
        "\nCHANNELS", " CHANNELS"
    ).replace("\n}", " }"),
    "end sites without brackets": lambda t: re.sub(
        r"End Site\n\{\n(OFFSET .*)\n\}", r"End Site\n\1", t
    ),
    "no end sites": lambda t: re.sub(r"End Site\n\{\n.*\n\}\n", "", t),
    "named end sites": lambda t: t.replace("End Site", "End Site Tip"),
    "the root is a joint": lambda t: t.replace("ROOT", "JOINT"),
    "exponents and bare points": lambda t: t.replace("8.500000", "+85.E-1").replace(
        " 5.000000", " .5e1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("dialect", _DIALECTS)
def test_dialects_are_read_as_what_they_say(tmp_path, dialect):
    text = _DIALECTS[dialect](_MOVED)
    assert text != _MOVED
    path = tmp_path / "clip.bvh"
    path.write_bytes(text.encode())
    found, wanted = read_bvh(path), _read(tmp_path, _MOVED)
    assert tuple(map(str.lower, found.names)) == tuple(map(str.lower, wanted.names))
    assert found.parents == wanted.parents and found.fps == wanted.fps == 25.0
    assert np.array_equal(found.offsets, wanted.offsets)
    assert np.array_equal(found.rotations, wanted.rotations)
    assert np.array_equal(found.positions, wanted.positions)
    assert found.notes == ()


def test_a_file_in_sixteen_bits_a_letter_is_read(tmp_path):
    path = tmp_path / "clip.bvh"
    path.write_text(_MOVED, encoding="utf-16")
    assert np.array_equal(read_bvh(path).rotations, _read(tmp_path, _MOVED).rotations)


def test_without_a_frame_time_the_rate_is_the_usual_one_and_said(tmp_path):
    path = tmp_path / "clip.bvh"
    path.write_text(_MOVED.replace("Frame Time: 0.04\n", ""))
    found = read_bvh(path)
    assert found.frame_count == 6 and found.fps == pytest.approx(30.0)
    assert load_motion(path, 30.0).notes == (
        "clip.bvh tells no frame time: 30 frames a second are taken.",
    )


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (_MOVED[: _MOVED.index("0.000000")].replace("Frames: 6", "Frames: 0"), "no frames"),
        ("solid cube\n", "not a BVH file"),
        (_TWO_BONES.replace("CHANNELS 3 Zrotation Xrotation Yrotation", "") % ("0", ""), "moves"),
    ],
)
def test_files_that_are_whole_are_not_called_damaged(tmp_path, text, cause):
    with pytest.raises(MotionError, match=cause) as raised:
        _read(tmp_path, text)
    assert "damaged" not in str(raised.value) and "choose" in str(raised.value)


def test_names_may_be_anything(tmp_path):
    names = {"LeftArm": "Left Arm", "Head": "rig:Head #1 // x", "Spine": "Spine", "Chest": "Spine"}
    found = _read(tmp_path, stick_bvh([stick_row()] * 2, names))
    assert found.names == tuple(names.get(name, name) for name in STICK_ORDER)


def _two_people(tmp_path, second: dict[str, str]):
    """One waves with the left arm, and the other behind, with other names, kicks."""
    first = stick_bvh([stick_row(LeftArm=(9 * k, 0, 0)) for k in range(6)])
    other = stick_bvh([stick_row(RightLeg=(0, 9 * k, 0)) for k in range(6)], second)
    heads, rows = zip(*(t.split("Frame Time: 0.04\n") for t in (first, other)), strict=True)
    skeletons = [head.split("MOTION")[0] for head in heads]
    both = "\n".join(map(" ".join, zip(*(r.splitlines() for r in rows), strict=True)))
    text = skeletons[0] + skeletons[1].removeprefix("HIERARCHY\n")
    path = tmp_path / "two.bvh"
    path.write_text(f"{text}MOTION\nFrames: 6\nFrame Time: 0.04\n{both}\n")
    alone = []
    for name, one in (("first", first), ("other", other)):
        (tmp_path / f"{name}.bvh").write_text(one)
        alone.append(load_motion(tmp_path / f"{name}.bvh", 25.0))
    return path, alone


@pytest.mark.parametrize("root", ["Hips", "Partner"])
def test_of_two_people_each_can_be_chosen(tmp_path, root):
    path, (waves, kicks) = _two_people(tmp_path, {"Hips": root})
    assert len(read_bvh_skeletons(path)) == 2
    other = "Partner" if root == "Partner" else "Hips 2"
    for take, alone, name, left in (
        ("", waves, "Hips", other),
        ("1", waves, "Hips", other),
        ("2", kicks, other, "Hips"),
        (other.upper(), kicks, other, "Hips"),
    ):
        clip = load_motion(path, 25.0, take)
        assert angles_between(clip.rotations, alone.rotations).max() < 1e-4
        assert clip.name == f"two {name}"
        assert clip.notes == (f"two.bvh has 2 takes: '{name}' is performed, not '{left}'.",)
    with pytest.raises(MotionError, match="two.bvh has no take '3': choose 'Hips' or") as told:
        load_motion(path, 25.0, "3")
    assert str(told.value).endswith("(numbers 1 to 2).")


def test_a_take_that_is_not_there_is_a_sentence(tmp_path):
    path = tmp_path / "clip.bvh"
    path.write_text(_MOVED)
    assert load_motion(path, 25.0, "1").notes == ()
    with pytest.raises(MotionError, match="clip.bvh has no take 'Run': choose 'Hips'"):
        load_motion(path, 25.0, "Run")
    with pytest.raises(MotionError, match="walk has only one take"):
        load_motion("walk", 25.0, "2")


@pytest.mark.parametrize("name", ["frames_nospace.bvh", "second_root_prop.bvh"])
def test_reported_dialects_are_read(name):
    motion = read_bvh(reported(name))
    assert motion.frame_count == 40 and motion.fps == pytest.approx(30, abs=0.01)
    assert motion.names[0] == "Hips" and "Prop" not in motion.names
    assert load_motion(reported(name), 24.0).notes == ()


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


def test_decimal_commas_are_named(tmp_path):
    path = tmp_path / "comma.bvh"
    head, rows = _MOVED.split("Frame Time:")
    path.write_text(f"{head}Frame Time:{rows.replace('.', ',')}")
    with pytest.raises(MotionError, match="is not a number: it has a decimal comma"):
        load_motion(path, 25.0)
