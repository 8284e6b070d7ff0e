"""Mappings of joints: checked, kept, found again, and hostile files refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.retargeting.joint_map import map_joints
from photo_wake_up.addon.core.motion.retargeting.mapping_presets import (
    MAPPED_JOINTS,
    checked_mapping,
    mapping_for,
    named_mapping,
    preset_path,
    read_preset,
    skeleton_signature,
    write_preset,
)
from photo_wake_up.addon.core.motion.retargeting.retarget import retarget
from photo_wake_up.addon.core.motion.sources.bvh import read_bvh

from .motion_inputs import MOCAP, STICK_ORDER, mocap, stick_bvh, stick_row


def _source(tmp_path, names=None):
    path = tmp_path / "stick.bvh"
    path.write_text(stick_bvh([stick_row(LeftArm=(20 * k, 0, 0)) for k in range(4)], names))
    return read_bvh(path)


def _mapping(source):
    return named_mapping(source, map_joints(source))


@pytest.mark.parametrize("name", MOCAP)
def test_what_is_found_is_a_mapping_that_can_be_said(name):
    source = read_bvh(mocap(name))
    found = map_joints(source)
    assert set(found) <= set(MAPPED_JOINTS)
    assert checked_mapping(source, named_mapping(source, found)) == found


def test_a_preset_is_used_for_the_same_skeleton_only(tmp_path):
    source = _source(tmp_path)
    mapping = _mapping(source) | {"left_hand": "LeftHand", "left_wrist": "LeftForeArm"}
    del mapping["left_elbow"], mapping["left_hand"], mapping["left_wrist"]
    mapping |= {"left_elbow": "LeftHand", "left_shoulder": "LeftForeArm", "left_collar": "LeftArm"}
    write_preset(preset_path(tmp_path / "new", source), source, mapping)
    assert read_preset(preset_path(tmp_path / "new", source), source) == mapping
    assert named_mapping(source, mapping_for(source, tmp_path / "new")) == mapping
    assert mapping_for(source, tmp_path) == mapping_for(source, None) == map_joints(source)
    other = _source(tmp_path, {"LeftHand": "LeftPalm"})
    assert skeleton_signature(other) != skeleton_signature(source)
    assert mapping_for(other, tmp_path / "new") == map_joints(other)
    assert [p.name for p in (tmp_path / "new").iterdir()] == [preset_path(tmp_path, source).name]


def test_names_that_say_nothing_are_mapped_by_hand(tmp_path):
    plain = _source(tmp_path)
    names = {name: f"bone{k:02d}" for k, name in enumerate(STICK_ORDER)}
    source = _source(tmp_path, names)
    mapping = {joint: names[bone] for joint, bone in _mapping(plain).items()}
    clip = retarget(source, "a", mapping=checked_mapping(source, mapping))
    assert np.array_equal(clip.rotations, retarget(plain, "b").rotations)


def test_pelvis_and_chest_follow(tmp_path):
    source = _source(tmp_path)
    mapping = _mapping(source)
    del mapping["pelvis"], mapping["spine3"]
    assert checked_mapping(source, mapping) == map_joints(source)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"left_wing": "Hips"}, "'left_wing' is no joint"),
        ({"left_knee": "Wing"}, "no bone 'Wing'"),
        ({"left_knee": None}, "left knee has no bone"),
        ({"left_knee": "RightLeg"}, "same bone 'RightLeg'"),
        ({"left_knee": "LeftFoot", "left_ankle": "LeftLeg"}, "left ankle does not hang below"),
        ({"spine3": "LeftArm"}, "chest does not carry both shoulders"),
    ],
)
def test_wrong_mappings_are_told(tmp_path, change, cause):
    source = _source(tmp_path)
    mapping = {j: b for j, b in (_mapping(source) | change).items() if b is not None}
    with pytest.raises(MotionError, match=cause):
        checked_mapping(source, mapping)
    with pytest.raises(MotionError, match=cause):
        write_preset(tmp_path / "new" / "preset.json", source, mapping)
    assert not (tmp_path / "new").exists()


def _preset(**changes):
    good = {"format": "photo-wake-up joint mapping", "version": 1, "joints": {}}
    return json.dumps(good | changes)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "[" * 100_000, '"text"', "{}", "\x00" * 50, "1e999",
        _preset(version=2), _preset(version=[1]), _preset(joints=[]), _preset(joints=None),
        _preset(joints={"left_hip": 3}), _preset(joints={"left_hip": ["LeftLeg"]}),
        _preset(joints={"left_hip": {"a": {}}}), _preset(joints={"__class__": "Hips"}),
        _preset(joints={"left_hip": "../../etc/passwd"}), _preset(format=["x"]),
        " " * 1_000_001,
    ],
)  # fmt: skip
def test_hostile_files_are_refused_in_a_sentence(tmp_path, text):
    source = _source(tmp_path)
    path = preset_path(tmp_path, source)
    path.write_text(text)
    with pytest.raises(MotionError) as told:
        mapping_for(source, tmp_path)
    assert len(str(told.value)) < 250 and "\n" not in str(told.value)


def test_files_that_are_not_there_or_not_text(tmp_path):
    source = _source(tmp_path)
    with pytest.raises(MotionError, match="cannot be read"):
        read_preset(tmp_path / "gone.json", source)
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    with pytest.raises(MotionError, match="not a joint mapping"):
        read_preset(tmp_path / "binary.json", source)
    (tmp_path / "file").write_text("")
    with pytest.raises(MotionError, match="cannot be written"):
        write_preset(tmp_path / "file" / "x.json", source, _mapping(source))
