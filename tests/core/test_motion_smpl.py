"""SMPL sequences: clips written in every published form come back as they were; the rest is refused
without running anything."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.frames import WORLD_FROM_BODY_AXES, WORLD_FROM_CAMERA_AXES
from photo_wake_up.addon.core.motion.editing.sampling import clip_at
from photo_wake_up.addon.core.motion.retargeting.retarget import retarget
from photo_wake_up.addon.core.motion.sources.bvh import read_bvh
from photo_wake_up.addon.core.motion.sources.library import load_motion
from photo_wake_up.addon.core.motion.sources.smpl_sequence import read_smpl_sequence
from photo_wake_up.addon.core.types import Clip

from .motion_inputs import angles_between, mocap, reported

FPS = 60.0
# The pelvis joint in SMPL's own axes, which `trans` does not tell.
PELVIS = np.array([-0.002, -0.22, 0.03])
AXES = {"z up": np.eye(3), "y up": WORLD_FROM_BODY_AXES, "y down": WORLD_FROM_CAMERA_AXES}
Fields = dict[str, np.ndarray]


def played(name: str, frames: int = 150) -> Clip:
    """A clip of the project's own without an end, so that it is no loop again."""
    clip = load_motion(name, FPS)
    rotations, root = clip_at(clip, np.arange(frames) + 0.25)
    return Clip(name, FPS, rotations, root, False)


def smpl_fields(clip: Clip, leg: float, axes: str = "z up", heading: float = 0.0) -> Fields:
    """The clip as SMPL's parameters: a body with legs of `leg` metres, turned by `heading`
    degrees, somewhere in a world with these axes."""
    file_from_world = AXES[axes].T
    body = WORLD_FROM_BODY_AXES
    turn = Rotation.from_euler("z", heading, degrees=True).as_matrix()
    matrices = Rotation.from_quat(clip.rotations.reshape(-1, 4), scalar_first=True).as_matrix()
    matrices = matrices.reshape(*clip.rotations.shape[:2], 3, 3)
    local = body.T @ matrices @ body
    local[:, 0] = file_from_world @ turn @ matrices[:, 0] @ body
    pelvis = (clip.root * leg + [3.0, -1.0, 0.2]) @ (file_from_world @ turn).T
    return {
        "poses": Rotation.from_matrix(local.reshape(-1, 3, 3)).as_rotvec().reshape(-1, 72),
        "trans": pelvis - PELVIS,
        "mocap_framerate": np.array(clip.fps),
    }


def saved(folder: Path, fields: Fields) -> Path:
    path = folder / "sequence.npz"
    np.savez(path, **fields)
    return path


def smplh(fields: Fields) -> Fields:
    """AMASS's first release: hands are fingers, and there is more in the file."""
    fingers = np.full((len(fields["poses"]), 90), 0.3)
    extra = {"gender": np.array("male"), "betas": np.zeros(16), "dmpls": np.zeros((3, 8))}
    return fields | extra | {"poses": np.concatenate([fields["poses"][:, :66], fingers], axis=1)}


def smplx(fields: Fields) -> Fields:
    """AMASS's second release."""
    rest = np.full((len(fields["poses"]), 99), 0.2)
    return {
        "poses": np.concatenate([fields["poses"][:, :66], rest], axis=1),
        "root_orient": fields["poses"][:, :3],
        "pose_body": fields["poses"][:, 3:66],
        "mocap_frame_rate": np.array([FPS]),
        "surface_model_type": np.array("smplx"),
        "trans": fields["trans"],
    }


def in_parts(fields: Fields) -> Fields:
    return {key: value for key, value in smplx(fields).items() if key != "poses"}


def by_smplx_names(fields: Fields) -> Fields:
    poses = fields["poses"].reshape(-1, 24, 3).astype(np.float32)
    return {
        "global_orient": poses[:, :1],
        "body_pose": poses[:, 1:],
        "transl": fields["trans"].astype(np.float32),
        "fps": np.array(60),
    }


FORMS = {
    "SMPL": lambda fields: fields, "SMPL-H": smplh, "SMPL-X": smplx, "parts": in_parts,
    "smplx": by_smplx_names,
}  # fmt: skip


def check(found: Clip, clip: Clip, hands: bool) -> None:
    """Same poses, travel and height; where the motion begins and to where, a clip does not tell."""
    assert found.fps == pytest.approx(clip.fps)
    assert len(found.root) == len(clip.root)
    joints = slice(1, 24 if hands else 22)
    assert angles_between(found.rotations[:, joints], clip.rotations[:, joints]).max() < 0.05
    first = [Rotation.from_quat(c.rotations[:, 0], scalar_first=True) for c in (found, clip)]
    turn = first[0][0] * first[1][0].inv()
    assert np.abs(turn.as_rotvec()[:2]).max() < 1e-3  # about the vertical alone
    assert (first[0] * (turn * first[1]).inv()).magnitude().max() < 1e-3
    way = turn.apply(clip.root - clip.root[0])
    far = max(np.abs(way).max(), 0.2)
    assert np.abs((found.root - found.root[0]) - way).max() < 0.06 * far
    assert np.abs(found.root[:, 2] - clip.root[:, 2]).max() < 0.04


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["walk", "jump"])
def test_a_clip_comes_back_from_every_form(tmp_path, name, form):
    clip = played(name)
    found = read_smpl_sequence(saved(tmp_path, FORMS[form](smpl_fields(clip, 0.8))))
    check(found, clip, hands=form in ("SMPL", "smplx"))


@pytest.mark.parametrize("leg", [0.55, 0.8, 0.98])
@pytest.mark.parametrize("name", ["walk", "run"])
def test_the_legs_length_is_found_from_the_feet(tmp_path, name, leg):
    clip = played(name)
    check(read_smpl_sequence(saved(tmp_path, smpl_fields(clip, leg))), clip, hands=True)


@pytest.mark.parametrize("axes", ["y up", "y down"])
@pytest.mark.parametrize("heading", [0.0, 130.0])
def test_axes_of_other_tools_are_told_by_the_body(tmp_path, axes, heading):
    clip = played("walk")
    fields = smpl_fields(clip, 0.8, axes, heading)
    fields["fps"] = fields.pop("mocap_framerate")
    check(read_smpl_sequence(saved(tmp_path, fields)), clip, hands=True)


def test_who_lies_in_amass_lies(tmp_path):
    """AMASS is z up by definition, whichever way the body's own up points."""
    clip = played("idle")
    lying = clip.rotations.copy()
    tipped = Rotation.from_euler("x", -90, degrees=True)
    lying[:, 0] = (tipped * Rotation.from_quat(lying[:, 0], scalar_first=True)).as_quat(
        scalar_first=True
    )
    fields = smpl_fields(Clip("lie", FPS, lying, clip.root * [1, 1, 0.1], False), 0.8)
    found = read_smpl_sequence(saved(tmp_path, fields))
    up = Rotation.from_quat(found.rotations[:, 0], scalar_first=True).apply([0, 0, 1])
    assert np.abs(up[:, 2]).max() < 0.1


def test_a_clip_begins_over_the_origin_facing_ahead(tmp_path):
    found = read_smpl_sequence(saved(tmp_path, smpl_fields(played("walk"), 0.8, heading=75.0)))
    assert np.allclose(found.root[0, :2], 0.0)
    way = found.root[-1] - found.root[0]
    assert way[1] < -0.98 * np.linalg.norm(way)


def test_the_library_reads_it_at_any_rate(tmp_path):
    path = saved(tmp_path, smpl_fields(played("walk", 121), 0.8))
    clip = load_motion(path, 24.0)
    assert clip.fps == 24.0 and len(clip.root) == 49
    every = read_smpl_sequence(path)
    assert angles_between(clip.rotations[::2, 1:], every.rotations[::5, 1:]).max() < 1e-3


def _as(form: str, vectors: np.ndarray) -> np.ndarray:
    """Axis-angle (F, J, 3) in another form."""
    turns = Rotation.from_rotvec(vectors.reshape(-1, 3))
    frames, joints = vectors.shape[:2]
    made = {
        "matrices": lambda: turns.as_matrix().reshape(frames, joints, 3, 3),
        "flat matrices": lambda: turns.as_matrix().reshape(frames, -1),
        "matrices of nine": lambda: turns.as_matrix().reshape(frames, joints, 9),
        "quaternions, w first": lambda: turns.as_quat(scalar_first=True).reshape(frames, -1, 4),
        "quaternions, w last": lambda: turns.as_quat().reshape(frames, joints, 4),
        "flat quaternions": lambda: turns.as_quat(scalar_first=True).reshape(frames, -1),
        "three a joint": lambda: vectors,
        "six, columns": lambda: turns.as_matrix()[..., :2].swapaxes(1, 2).reshape(frames, -1, 6),
        "six, number by number": lambda: turns.as_matrix()[..., :2].reshape(frames, joints, 3, 2),
        "flat six": lambda: turns.as_matrix()[..., :2].reshape(frames, -1),
        "degrees": lambda: np.degrees(vectors).reshape(frames, -1),
    }
    return made[form]()


READ = (
    "matrices", "flat matrices", "matrices of nine", "quaternions, w first",
    "quaternions, w last", "flat quaternions", "three a joint",
)  # fmt: skip
REFUSED = {
    "six, columns": "six numbers a joint", "six, number by number": "six numbers a joint",
    "flat six": "six numbers a joint", "degrees": "seems to be in degrees",
}  # fmt: skip


@pytest.mark.parametrize("form", READ)
@pytest.mark.parametrize("joints", [22, 24, 52, 55])
def test_turns_of_every_form_are_the_same_clip(tmp_path, form, joints):
    fields = smpl_fields(played("walk"), 0.8)
    vectors = np.zeros((len(fields["poses"]), joints, 3))
    vectors[:, :22] = fields["poses"].reshape(-1, 24, 3)[:, :22]
    wanted = read_smpl_sequence(saved(tmp_path, fields | {"poses": vectors.reshape(150, -1)}))
    # Half precision, as networks' outputs are kept.
    turned = _as(form, vectors).astype(np.float16 if "matri" in form else np.float32)
    found = read_smpl_sequence(saved(tmp_path, fields | {"poses": turned}))
    assert angles_between(found.rotations, wanted.rotations).max() < 0.2
    assert np.abs(found.root - wanted.root).max() < 0.02


# One file writes all its quaternions in one way.
_PAIRS = [
    (root, body)
    for root in READ
    for body in READ
    if {root, body} - {"flat quaternions"} != {"quaternions, w first", "quaternions, w last"}
    and {root, body} != {"flat quaternions", "quaternions, w last"}
]


@pytest.mark.parametrize(("root_form", "form"), _PAIRS)
def test_root_and_body_may_be_of_different_forms(tmp_path, form, root_form):
    fields = by_smplx_names(smpl_fields(played("walk"), 0.8, "y up"))
    wanted = read_smpl_sequence(saved(tmp_path, fields))
    made = {
        "global_orient": _as(root_form, fields["global_orient"]),
        "body_pose": _as(form, fields["body_pose"]),
    }
    found = read_smpl_sequence(saved(tmp_path, fields | made))
    assert angles_between(found.rotations, wanted.rotations).max() < 0.05
    assert np.abs(found.root - wanted.root).max() < 1e-3


@pytest.mark.parametrize("form", REFUSED)
def test_forms_that_cannot_be_told_apart_are_refused(tmp_path, form):
    fields = smpl_fields(played("walk"), 0.8)
    vectors = fields["poses"].reshape(-1, 24, 3)
    with pytest.raises(MotionError, match=f"'poses' .*{REFUSED[form]}"):
        read_smpl_sequence(saved(tmp_path, fields | {"poses": _as(form, vectors)}))
    parts = {"root_orient": vectors[:, 0], "pose_body": _as(form, vectors[:, 1:])}
    fields = {key: value for key, value in fields.items() if key != "poses"} | parts
    with pytest.raises(MotionError, match=f"'pose_body' .*{REFUSED[form]}"):
        read_smpl_sequence(saved(tmp_path, fields))


@pytest.mark.parametrize("unit", ["centimetres", "millimetres"])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("name", ["walk", "jump", "idle"])
@pytest.mark.parametrize("from_zero", [False, True])
def test_places_in_other_units_are_read_and_said(tmp_path, unit, axes, name, from_zero):
    clip = played(name)
    fields = smpl_fields(clip, 0.8, axes)
    if axes != "z up":
        fields["fps"] = fields.pop("mocap_framerate")
    if from_zero:
        fields["trans"] = fields["trans"] - fields["trans"][0]
    metres = read_smpl_sequence(saved(tmp_path, fields))
    fields["trans"] = fields["trans"] * {"centimetres": 100.0, "millimetres": 1000.0}[unit]
    found = read_smpl_sequence(saved(tmp_path, fields))
    check(found, clip, hands=True)
    assert np.abs(found.root - metres.root).max() < 1e-6
    assert metres.notes == ()
    assert found.notes == (f"sequence.npz: 'trans' is taken as {unit}.",)


def test_the_height_tells_the_unit_where_no_foot_stands(tmp_path):
    fields = smpl_fields(played("walk"), 0.8)
    fields["trans"] = np.random.default_rng(2).normal([0, 0, 950.0], 60.0, (150, 3))
    found = read_smpl_sequence(saved(tmp_path, fields))
    assert found.notes == ("sequence.npz: 'trans' is taken as millimetres.",)
    assert np.ptp(found.root, axis=0).max() < 1.0
    with pytest.raises(MotionError, match="'trans' goes .* m in a second"):
        read_smpl_sequence(saved(tmp_path, fields | {"trans": fields["trans"] - [0, 0, 950.0]}))


def _aist(fields: Fields, scale: float = 93.0) -> Fields:
    """AIST++'s own names: places of a body so many times as large, and no frame rate."""
    return {
        "smpl_poses": fields["poses"],
        "smpl_trans": fields["trans"] * scale,
        "smpl_scaling": np.array([scale]),
        "smpl_loss": np.array([0.1]),
    }


def test_what_aist_scales_is_scaled_back(tmp_path):
    clip = played("dance")
    fields = smpl_fields(clip, 0.8, "y up")
    found = read_smpl_sequence(saved(tmp_path, _aist(fields)))
    check(found, clip, hands=True)
    assert found.notes == (
        "sequence.npz: no frame rate is told: 60 frames a second are taken, as AIST++ has.",
    )
    for wrong in (0.0, -1.0, np.nan):
        with pytest.raises(MotionError, match="'smpl_scaling' is"):
            odd = _aist(fields) | {"smpl_scaling": np.array([wrong])}
            read_smpl_sequence(saved(tmp_path, odd))


def test_estimates_from_videos_without_a_rate_have_the_usual_one(tmp_path):
    """HuMMan's names, which are smplx's."""
    fields = by_smplx_names(smpl_fields(played("walk"), 0.8, "y up"))
    del fields["fps"]
    path = saved(tmp_path, fields)
    assert read_smpl_sequence(path).fps == 30.0
    clip = load_motion(path, 24.0)
    assert clip.fps == 24.0 and "30 frames a second are taken" in clip.notes[0]


def test_reported_matrices_are_a_person_who_stands():
    clip = read_smpl_sequence(reported("rotmat.npz"))
    with np.load(reported("rotmat.npz")) as fields:
        matrices = fields["poses"].reshape(-1, 3, 3)
    body = WORLD_FROM_BODY_AXES
    wanted = Rotation.from_matrix(body @ matrices @ body.T).as_quat(scalar_first=True)
    wanted = wanted.reshape(-1, 22, 4)[: len(clip.root)]
    assert angles_between(clip.rotations[:, 1:22], wanted[:, 1:]).max() < 1e-3
    up = Rotation.from_quat(clip.rotations[:, 0], scalar_first=True).apply([0, 0, 1])
    assert up[:, 2].min() > 0.9


class _Trap:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def damaged(**changes: object) -> Fields:
    fields = smpl_fields(played("walk", 20), 0.8) | changes
    return {key: value for key, value in fields.items() if value is not None}


def _poses(frame: int, joint: int, value: float) -> np.ndarray:
    poses = smpl_fields(played("walk", 20), 0.8)["poses"]
    poses[frame, joint] = value
    return poses


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"poses": None}, "no 'root_orient'"),
        ({"trans": None}, "no 'trans'"),
        ({"mocap_framerate": None}, "no 'mocap_framerate'"),
        ({"poses": np.zeros((0, 72))}, "'poses' has no frames"),
        ({"poses": np.zeros((20, 63))}, "'poses' has 63 numbers"),
        ({"poses": np.zeros((20, 67))}, "'poses' has 67 numbers"),
        ({"poses": np.zeros(72)}, "'poses' does not hold"),
        ({"poses": np.array([["a"] * 72] * 20)}, "'poses' does not hold"),
        ({"poses": _poses(7, 5, np.nan)}, "'poses' has a number that is not finite in frame 7"),
        ({"poses": _poses(9, 5, 1e9)}, "'poses' has 1e\\+09 rad in frame 9"),
        ({"trans": np.full((20, 3), np.inf)}, "'trans' .* not finite in frame 0"),
        ({"trans": np.full((20, 3), 1e9)}, "'trans' has 1e\\+09 m in frame 0"),
        ({"trans": np.zeros((19, 3))}, "'trans' is 19 x 3"),
        ({"trans": np.zeros((20, 2))}, "'trans' is 20 x 2"),
        ({"mocap_framerate": np.array(0.0)}, "'mocap_framerate' is 0"),
        ({"mocap_framerate": np.array(np.nan)}, "'mocap_framerate' is nan"),
        ({"mocap_framerate": np.array([60.0, 30.0])}, "'mocap_framerate' is not one number"),
        ({"mocap_framerate": np.array("sixty")}, "'mocap_framerate' is not one number"),
        ({"trans": np.array([_Trap()] * 20, dtype=object)}, "'trans' is stored as a Python object"),
        ({"poses": np.zeros((20, 24, 3, 3))}, "'poses' has no rotation matrix in frame 0"),
        ({"poses": np.zeros((20, 216))}, "'poses' has no rotation matrix in frame 0"),
        ({"poses": -np.tile(np.eye(3), (20, 24, 1, 1))}, "'poses' has no rotation matrix"),
        ({"poses": np.tile(np.eye(4), (20, 24, 1, 1))}, "'poses' is 20 x 24 x 4 x 4"),
        ({"poses": np.tile(np.eye(3), (20, 21, 1, 1))}, "'poses' has 189 numbers a frame"),
        ({"poses": np.zeros((20, 24, 4))}, "'poses' has no quaternion of length 1 in frame 0"),
        ({"poses": np.full((20, 24, 4), 0.5)}, "'poses' has quaternions that do not tell"),
        ({"poses": _poses(9, 5, 20.0)}, "'poses' has 20 rad in frame 9"),
        ({"poses": np.zeros((20, 0))}, "'poses' has no frames"),
    ],
)
def test_what_is_wrong_is_named_with_its_array(tmp_path, changes, cause):
    with pytest.raises(MotionError, match=rf"sequence\.npz .*{cause}") as raised:
        load_motion(saved(tmp_path, damaged(**changes)), 24.0)
    assert str(raised.value).count(". ") == 0  # one sentence


def test_parts_of_different_lengths_are_refused(tmp_path):
    fields = in_parts(damaged())
    fields["pose_body"] = fields["pose_body"][:-1]
    with pytest.raises(MotionError, match="'root_orient' has 20 frames, 'pose_body' 19"):
        read_smpl_sequence(saved(tmp_path, fields))


def test_objects_beside_the_poses_are_left_alone(tmp_path):
    path = saved(tmp_path, damaged(labels=np.array([_Trap()], dtype=object)))
    assert len(read_smpl_sequence(path).root) == 20


def test_an_array_that_claims_more_than_there_is_takes_no_room(tmp_path):
    header = io.BytesIO()
    description = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 72)}
    np.lib.format.write_array_header_1_0(header, description)
    path = tmp_path / "sequence.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("poses.npy", header.getvalue() + struct.pack("<d", 1.0))
    with pytest.raises(MotionError, match="'poses' is cut short"):
        read_smpl_sequence(path)


def test_pickles_are_refused_and_not_opened(tmp_path):
    whole = tmp_path / "whole.npz"
    np.savez(whole, np.array(_Trap(), dtype=object))
    with pytest.raises(MotionError, match="'arr_0' is stored as a Python object: save its arrays"):
        read_smpl_sequence(whole)
    for name in ("dance.pkl", "dance.npz"):
        (tmp_path / name).write_bytes(pickle.dumps({"smpl_poses": _Trap()}))
        with pytest.raises(MotionError, match=f"{name} .*pickle.* is not opened"):
            load_motion(tmp_path / name, 24.0)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not an archive", b"\x80\x04N."])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "sequence.npz"
    path.write_bytes(content)
    with pytest.raises(MotionError, match="sequence.npz"):
        load_motion(path, 24.0)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(MotionError, match="none.npz cannot be read"):
        load_motion(tmp_path / "none.npz", 24.0)


@settings(max_examples=60)
@given(st.floats(0, 1), st.integers(0, 60), st.binary(max_size=24))
def test_no_damage_gives_anything_but_a_clip_or_a_sentence(tmp_path_factory, at, cut, extra):
    folder = tmp_path_factory.mktemp("smpl")
    path = saved(folder, damaged())
    content = path.read_bytes()
    place = int(at * len(content))
    path.write_bytes(content[:place] + extra + content[place + cut :])
    try:
        clip = read_smpl_sequence(path)
    except MotionError:
        return
    assert np.isfinite(clip.rotations).all() and np.isfinite(clip.root).all()


def test_hands_of_smpl_are_taken_and_fingers_are_not(tmp_path):
    poses = np.zeros((5, 72))
    poses[:, 3 * JOINT["left_hand"]] = 0.4
    fields = {"poses": poses, "trans": np.zeros((5, 3)), "mocap_framerate": np.array(30.0)}
    turned = read_smpl_sequence(saved(tmp_path, fields))
    assert angles_between(turned.rotations[0, JOINT["left_hand"]], np.array([1.0, 0, 0, 0])) > 20
    with_fingers = read_smpl_sequence(saved(tmp_path, smplh(fields)))
    assert angles_between(with_fingers.rotations[0, 22:], np.array([1.0, 0, 0, 0])).max() < 1e-6


@pytest.mark.parametrize("noise", [0.001, 0.003])
def test_noise_is_not_taken_for_legs(tmp_path, noise):
    """Who stands still with millimetres and hundredths of radians of noise has usual legs; who
    walks, the right ones."""
    rng = np.random.default_rng(4)
    for name, leg in (("idle", 0.8), ("walk", 0.9)):
        clip = played(name)
        fields = smpl_fields(clip, leg)
        for key in ("poses", "trans"):
            fields[key] = fields[key] + rng.normal(0.0, noise, fields[key].shape)
        found = read_smpl_sequence(saved(tmp_path, fields))
        height = np.abs(found.root[:, 2] - clip.root[:, 2])
        assert height.max() < 0.05
        ways = [np.linalg.norm(np.ptp(c.root[:, :2], axis=0)) for c in (found, clip)]
        assert ways[0] == pytest.approx(ways[1], rel=0.06, abs=0.03)


def test_hops_from_foot_to_foot_tell_nothing_of_legs(tmp_path):
    """A dance in which no foot stands: a leg's length is not made up from it."""
    clip = retarget(read_bvh(mocap("dance_rokoko_fingers.bvh")), "dance")
    found = read_smpl_sequence(saved(tmp_path, smpl_fields(clip, 0.8)))
    assert np.abs(found.root[:, 2] - clip.root[:, 2]).max() < 0.1


def test_useless_keys_are_told_with_what_is_expected(tmp_path):
    path = tmp_path / "useless.npz"
    np.savez(path, weights=np.zeros(3), **{f"k{at}": np.zeros(1) for at in range(20)})
    with pytest.raises(MotionError) as told:
        load_motion(path, 24.0)
    assert "it has no 'poses' and no 'root_orient' with 'pose_body', only 'weights', 'k0'" in str(
        told.value
    )
    assert "9 more" in str(told.value)
