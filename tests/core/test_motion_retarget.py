"""Foreign skeletons: names, shapes, axes, rest poses; real clips keep their limbs' directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.editing.sampling import clip_at
from photo_wake_up.addon.core.motion.retargeting import calibration
from photo_wake_up.addon.core.motion.retargeting.joint_map import map_joints, plain_name
from photo_wake_up.addon.core.motion.retargeting.retarget import retarget
from photo_wake_up.addon.core.motion.sources.bvh import read_bvh
from photo_wake_up.addon.core.motion.sources.library import load_motion

from .motion_inputs import (
    MOCAP,
    STICK_ORDER,
    angles_between,
    clip_root,
    mocap,
    skeleton,
    stick_bvh,
    stick_row,
)

_LIMBS = [
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (
        ("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"),
    )
]  # fmt: skip


def _directions(points: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    ways = np.stack([points[:, b] - points[:, a] for a, b in pairs], axis=1)
    return ways / np.linalg.norm(ways, axis=-1, keepdims=True)


def _limb_errors(source, clip) -> np.ndarray:
    """(F, 8) degrees between the limbs' directions in source and clip, headings made equal."""
    joints = map_joints(source)
    _turned, placed = source.world()
    placed = placed @ calibration.source_axes(source, joints, placed).T
    ours = forward_kinematics(skeleton(), clip.rotations, clip_root(clip))[..., :3, 3]
    a = _directions(placed, [(joints[x], joints[y]) for x, y in _LIMBS])
    b = _directions(ours, [(JOINT[x], JOINT[y]) for x, y in _LIMBS])
    cross = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum()
    yaw = np.arctan2(cross, (a[..., :2] * b[..., :2]).sum())
    cos, sin = np.cos(yaw), np.sin(yaw)
    a = a @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]).T
    return np.degrees(np.arccos(np.clip((a * b).sum(axis=-1), -1, 1)))


def _source(tmp_path, text: str):
    path = tmp_path / "clip.bvh"
    path.write_text(text)
    return read_bvh(path)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("LeftUpLeg", ("left", "upleg")), ("mixamorig:LeftUpLeg", ("left", "upleg")),
        ("Beta:RightForeArm", ("right", "forearm")), ("lowerarm01.L", ("left", "lowerarm01")),
        ("upperarm_r", ("right", "upperarm")), ("r_thigh", ("right", "thigh")),
        ("LThumb", ("left", "thumb")), ("LHipJoint", ("left", "hipjoint")),
        ("Bip01 L Calf", ("left", "calf")), ("Head", ("", "head")),
        ("left_knee", ("left", "knee")), ("ForeArm_Left", ("left", "forearm")),
        ("lowerback", ("", "lowerback")), ("root", ("", "root")),
    ],
)  # fmt: skip
def test_names_give_side_and_part(name, plain):
    assert plain_name(name) == plain


def test_the_t_pose_is_the_identity(tmp_path):
    clip = retarget(_source(tmp_path, stick_bvh()), "still")
    assert angles_between(clip.rotations, np.array([1.0, 0, 0, 0])).max() < 1e-4
    assert np.allclose(clip.root, [0, 0, 1], atol=1e-9)


def test_turns_come_through_as_they_are(tmp_path):
    """y up facing z: a thigh swung forward by 40 degrees, a knee bent by 70, an arm down."""
    row = stick_row(LeftUpLeg=(0, -40, 0), LeftLeg=(0, 70, 0), RightArm=(80, 0, 0))
    clip = retarget(_source(tmp_path, stick_bvh([row, row, row])), "pose")
    world = forward_kinematics(skeleton(), clip.rotations, clip_root(clip))[0, :, :3, 3]

    def way(a: str, b: str) -> np.ndarray:
        v = world[JOINT[b]] - world[JOINT[a]]
        return v / np.linalg.norm(v)

    forward, down = np.array([0, -1.0, 0]), np.array([0, 0, -1.0])
    thigh = np.cos(np.radians(40)) * down + np.sin(np.radians(40)) * forward
    shin = np.cos(np.radians(30)) * down - np.sin(np.radians(30)) * forward
    assert way("left_hip", "left_knee") @ thigh > np.cos(np.radians(0.5))
    assert way("left_knee", "left_ankle") @ shin > np.cos(np.radians(0.5))
    arm = np.array([-np.cos(np.radians(80)), 0, -np.sin(np.radians(80))])
    assert way("right_shoulder", "right_elbow") @ arm > np.cos(np.radians(0.5))


def test_units_and_heading_do_not_matter(tmp_path):
    rows = [
        stick_row((0.1 * k, 8.5, 0.4 * k), LeftUpLeg=(3, -4 * k, 5), RightArm=(70, k, 2 * k))
        for k in range(6)
    ]
    clip = retarget(_source(tmp_path, stick_bvh(rows)), "a")
    turned = [[*row] for row in rows]
    for row in turned:
        x, z = row[0], row[2]
        row[0], row[2] = z + 3, -x + 5  # turned by 90 degrees about y, and moved
        row[5] = 90.0
    other = retarget(_source(tmp_path, stick_bvh(turned)), "b")
    assert angles_between(clip.rotations, other.rotations).max() < 1e-3
    assert np.allclose(clip.root, other.root, atol=1e-5)
    text = stick_bvh([[100 * v if i < 3 else v for i, v in enumerate(row)] for row in rows])
    scaled = "\n".join(
        "OFFSET " + " ".join(str(100 * float(v)) for v in line.split()[1:])
        if line.startswith("OFFSET") else line
        for line in text.splitlines()
    )  # fmt: skip
    large = retarget(_source(tmp_path, scaled), "c")
    assert np.allclose(clip.root, large.root, atol=1e-6)


def test_meaningless_names_are_mapped_by_shape(tmp_path):
    rows = [stick_row(LeftUpLeg=(0, -10 * k, 0), RightArm=(60, 0, 0)) for k in range(4)]
    named = retarget(_source(tmp_path, stick_bvh(rows)), "a")
    nameless = {joint: f"node{k}" for k, joint in enumerate(STICK_ORDER)}
    shaped = retarget(_source(tmp_path, stick_bvh(rows, nameless)), "a")
    assert angles_between(named.rotations, shaped.rotations).max() < 0.1


@pytest.mark.parametrize("name", [name for name in MOCAP if not name.startswith("face")])
def test_real_skeletons_are_mapped_by_shape_as_by_their_names(name):
    """Without names, from the tree and the motion alone, every joint is the same; only which finger
    stands for a hand may be another one."""
    source = read_bvh(mocap(name))
    nameless = replace(source, names=tuple(f"n{k}" for k in range(len(source.names))))
    named, shaped = map_joints(source), map_joints(nameless)
    parts = [part for part in named if not part.endswith("_hand")]
    assert {p: source.names[shaped[p]] for p in parts} == {p: source.names[named[p]] for p in parts}
    for side in ("left", "right"):
        joint = shaped[f"{side}_hand"]
        while joint != shaped[f"{side}_wrist"]:
            joint = source.parents[joint]
            assert joint >= 0  # it is not the wrist's finger


def test_what_is_no_person_is_refused(tmp_path):
    text = "HIERARCHY\nROOT box\n{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\nEnd Site\n{\nOFFSET 1 0 0\n}\n}\nMOTION\nFrames: 1\nFrame Time: 0.1\n0\n"  # noqa: E501 - one file
    with pytest.raises(MotionError, match=r"clip\.bvh, line 2: .*person.* 1 joints box"):
        retarget(_source(tmp_path, text), "box")


def test_a_limb_without_length_is_named_with_its_line(tmp_path):
    text = stick_bvh().replace("OFFSET 0 -4 0", "OFFSET 0 0 0")
    line = text.splitlines().index("JOINT LeftUpLeg") + 1
    with pytest.raises(MotionError, match=rf"clip\.bvh, line {line}: .*left hip"):
        retarget(_source(tmp_path, text), "stump")


def _swinging(phases: np.ndarray) -> list[list[float]]:
    """Frames of a walk on: arms and legs swing, the body travels a step a frame."""
    return [
        stick_row(
            (0, 8.5, 0.5 * k), LeftUpLeg=(0, -30 * np.sin(u), 0), RightUpLeg=(0, 30 * np.sin(u), 0),
            LeftArm=(-70 + 20 * np.cos(u), 0, 0), RightArm=(70, 0, 30 * np.cos(u)),
        )
        for k, u in enumerate(phases)
    ]  # fmt: skip


def test_a_round_that_ends_with_its_first_frame_does_not_halt(tmp_path):
    """With and without the first frame again at the end, the same loop of the same duration."""
    open_end = _swinging(2 * np.pi * np.arange(30) / 30)
    closed = _swinging(2 * np.pi * np.arange(31) / 30)
    first = retarget(_source(tmp_path, stick_bvh(open_end)), "a")
    second = retarget(_source(tmp_path, stick_bvh(closed)), "b")
    assert first.loop and second.loop
    assert len(first.root) == len(second.root) == 30
    at = np.arange(70)
    for clip in (first, second):
        rotations, root = clip_at(clip, at)
        assert np.allclose(np.diff(root[:, 1], n=2), 0.0, atol=1e-6)  # the travel is even
        steps = angles_between(rotations[1:], rotations[:-1]).max(axis=1)
        assert steps.min() > 2.0  # at every frame something moves
    # Nothing of the file is lost: its last frame is the next round's first.
    assert np.allclose(clip_at(second, np.array([30]))[1][0, :2], clip_at(first, at)[1][30, :2])


def test_a_motion_that_holds_still_is_not_cut(tmp_path):
    clip = retarget(_source(tmp_path, stick_bvh([stick_row()] * 9)), "still")
    assert len(clip.root) == 9


@pytest.mark.parametrize("pitch", [-30.0, 0.0, 25.0])
def test_soles_are_level_where_the_performer_stands_for_a_moment(tmp_path, pitch):
    """A dance on tiptoe with one short flat stand: the stand says what flat is, however the rest
    pose draws the foot."""
    length = 1.5811388
    toe = (0, -length * np.sin(np.radians(18 - pitch)), length * np.cos(np.radians(18 - pitch)))
    rows = []
    for k in range(60):
        flat = 40 <= k < 50
        # The angle that makes the drawn foot flat, and 35 degrees more on tiptoe.
        turn = (0, -pitch + (0 if flat else 35), 0)
        height = 8.5 if flat else 9.3 + 0.2 * np.sin(k)
        x = 0.0 if flat else 0.3 * np.cos(k)
        rows.append(stick_row((x, height, 0), LeftFoot=turn, RightFoot=turn))
    text = stick_bvh(rows).replace("OFFSET 0 -0.5 1.5", "OFFSET {} {} {}".format(*toe))
    clip = retarget(_source(tmp_path, text), "tiptoe")
    world = forward_kinematics(skeleton(), clip.rotations, clip_root(clip))
    for side in ("left", "right"):
        tilt = np.degrees(np.arccos(np.clip(world[40:50, JOINT[f"{side}_ankle"], 2, 2], -1, 1)))
        assert tilt.max() < 1.0


@pytest.mark.parametrize("name", MOCAP)
def test_real_clips_keep_directions_frames_and_duration(name):
    source = read_bvh(mocap(name))
    clip = retarget(source, name)
    # A loop that ends with its first frame again has it once.
    assert len(clip.root) == source.frame_count - name.startswith("run_mixamo")
    assert clip.fps == pytest.approx(source.fps)
    first = 1 if name.startswith("walk_cmu") else 0  # its first frame is a calibration pose
    rotations, root = clip_at(clip, np.arange(source.frame_count))
    every = replace(clip, rotations=rotations, root=root)
    assert _limb_errors(source, every)[first:].mean(axis=0).max() < 2.0
    assert angles_between(clip.rotations[1:], clip.rotations[:-1]).max() < 60.0
    at_24 = load_motion(mocap(name), 24.0)
    seconds = (len(at_24.root) - 1) / 24.0
    assert abs(seconds - (source.frame_count - 1) / source.fps) < 1.5 / 24.0
    assert clip.root[:, 2].min() > 0.3 and clip.root[:, 2].max() < 1.6
    assert np.allclose(clip.root[0, :2], 0.0)


@pytest.mark.parametrize("name", ["jump_zup_fair.bvh", "wave_hello_zup_fair.bvh"])
def test_feet_of_standing_people_are_flat(name):
    clip = retarget(read_bvh(mocap(name)), name)
    world = forward_kinematics(skeleton(), clip.rotations, clip_root(clip))
    for side in ("left", "right"):
        ankle = world[:, JOINT[f"{side}_ankle"]]
        still = np.linalg.norm(np.gradient(ankle[:, :3, 3], axis=0), axis=1) < 5e-4
        tilt = np.degrees(np.arccos(np.clip(ankle[still, 2, 2], -1, 1)))
        assert np.median(tilt) < 6.0


def test_the_way_without_a_rest_pose_agrees_with_the_way_by_it(monkeypatch):
    """Constants found from the motion alone are those of the T-pose, within what bends tell."""
    source = read_bvh(mocap("sit_down_mia.bvh"))
    by_rest = retarget(source, "a")
    monkeypatch.setattr(calibration, "_stands", lambda rest, joints: False)
    by_motion = retarget(source, "a")
    a = forward_kinematics(skeleton(), by_rest.rotations, clip_root(by_rest))
    b = forward_kinematics(skeleton(), by_motion.rotations, clip_root(by_motion))
    for joint in ("left_hip", "right_knee", "left_shoulder", "right_elbow", "spine3", "pelvis"):
        trace = np.einsum("fab,fab->f", a[:, JOINT[joint], :3, :3], b[:, JOINT[joint], :3, :3])
        angle = np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
        assert np.median(angle) < 35.0
