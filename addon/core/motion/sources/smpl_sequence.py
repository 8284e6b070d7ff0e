"""Sequences of SMPL poses in .npz files, read as clips without any retargeting.

A clip turns the same joints about the same T-pose as SMPL does, so a file's rotations are a clip's
in other axes. Formats: AMASS (Mahmood et al., Archive of Motion Capture as Surface Shapes, 2019;
SMPL-H and SMPL-X releases, the ground level, z up) and the outputs of pose estimators with the
names that smplx gives its parameters (y up, or down where they are a camera's). Of SMPL-H and
SMPL-X the body's 22 joints are taken; fingers, jaw and eyes are not.

No file states the length of the performer's legs, in which a clip's travel is measured: shapes are
given in coefficients of models that need not be here. It is found from the motion, as the length
with which standing ankles stand still.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from ...body.model.skeleton import JOINT, JOINT_COUNT
from ...errors import MotionError, quoted
from ...frames import WORLD_FROM_BODY_AXES, WORLD_FROM_CAMERA_AXES
from ...npz_arrays import DAMAGED, UnfitArchiveError, read_npz
from ...types import Clip, Float64
from ..clips.authoring import ANKLE_HEIGHT, HIP_DROP, HIP_HALF_WIDTH, SHIN, THIGH
from ..editing.loops import as_loop
from ..ground.floor import lowest_of_clip
from ..retargeting.retarget import facing_ahead, floor_of_clip
from .smpl_rotations import (
    QUATERNION,
    UnfitError,
    check_radians,
    raw_turns,
    rotation_vectors,
    w_index,
)

# Names of the same thing in different files, the usual one first.
_WHOLE = ("poses", "pose", "smpl_poses")
_ROOT = ("root_orient", "global_orient")
_BODY = ("pose_body", "body_pose")
_PLACE = ("trans", "transl", "smpl_trans")
_AMASS_RATE = ("mocap_framerate", "mocap_frame_rate")
_RATE = (*_AMASS_RATE, "fps", "frame_rate", "framerate")
_SCALE = "smpl_scaling"  # AIST++: its places are those of a body so many times as large
_MOST_NAMED = 12  # arrays in one sentence
_WANTED = (*_WHOLE, *_ROOT, *_BODY, *_PLACE, *_RATE, _SCALE)
# Where data sets keep everything in one object, which is not opened.
_OBJECTS = ("arr_0", "smpl", "smplx", "data")
_APART = ": save its arrays by themselves"

# Frames per second of data sets that do not state it, by their names of the place: AIST++, and the
# videos that smplx's names are estimated from (HuMMan and others).
_UNTOLD_RATES = {"smpl_trans": (60.0, "as AIST++ has"), "transl": (30.0, "as most videos have")}

_BODY_JOINTS = 22  # that SMPL, SMPL-H and SMPL-X share
# Joints of SMPL's, SMPL-H's and SMPL-X's poses, and of the first two without the root; those of
# SMPL include two for the hands.
_WHOLE_COUNTS, _BODY_COUNTS = (_BODY_JOINTS, JOINT_COUNT, 52, 55), (21, 23)

MOST_BYTES = 2**30  # unpacked: an hour of SMPL-X at 120 frames per second has half of it
_FEWEST_FPS, _MOST_FPS = 0.1, 10_000.0
_LARGEST_TURN = 1e3  # radians of the root; more than so many turns are a damaged number
_FARTHEST_M = 1e4  # from where the sequence's axes begin

# A leg's length before any motion is seen: SMPL's mean body's, and how much people differ.
_USUAL_LEG_M = 0.80
_LEGS_DIFFER_M = 0.15
_LEGS_M = (0.2, 1.3)  # a small child's to a giant's
# AMASS's ground is z = 0; a clip whose lowest parts are farther from it stands on something else.
_GROUND_M = 0.03
_PELVIS_M = 0.03  # of SMPL's pelvis over `trans`, where z is up
_SPAN_S = 0.1  # a move is taken over so long: much longer than noise, shorter than a stand
_STILL_SHARE = 0.4  # of the moves: those in which the lower ankle slides least for its way
_LEAST_SLIDE_M = 0.01  # that a standing ankle of a recording is off, at least: soles roll
_MOST_SLIDE_SHARE = 0.3  # of the ways of pelvis and ankle, by which standing ankles are off
# Metres of the units that places come in.
_METRES = "metres"
_UNITS = {_METRES: 1.0, "centimetres": 0.01, "millimetres": 0.001}
_UNIT_SLIDE_SHARE = 0.15  # of the ways, for feet to decide a unit: less than for a leg
_MOST_MOVES = 5000  # looked at for the unit, evenly spread
_SHORTEST_LEG = 0.05  # of any unit: the pelvis stays where it is, and legs swing below it
_HIGHEST_M = 20.0  # of a pelvis above the ground or the camera
_FASTEST_M_S = 20.0  # half of the time; sprinters come to 12
_FITS = 8  # rounds of choosing these moves and fitting the leg to them


@dataclass(frozen=True, eq=False)
class _Sequence:
    """What a file holds, in its own axes."""

    turns: Float64  # (F, 24, 3), axis-angle, body frame; the first joint's to the file's world
    place: Float64  # (F, 3), the file's world and unit
    place_key: str  # the array that the place is from
    fps: float
    is_amass: bool
    notes: tuple[str, ...]  # what was assumed


def read_smpl_sequence(path: Path | str) -> Clip:
    """The clip in an .npz file, at its own rate: all frames, from over the origin, facing -y.

    The file holds `poses` (F, >= 66), axis-angle in radians in SMPL's, SMPL-H's or SMPL-X's order
    of joints, or `root_orient` (F, 3) and `pose_body` (F, 63); `trans` (F, 3); and
    `mocap_framerate` or `mocap_frame_rate`, frames per second. The names that smplx and AIST++ have
    for the same are read, too (`global_orient`, `body_pose`, `transl`, `fps`, `smpl_poses`,
    `smpl_trans`, `smpl_scaling`), and so are rotation matrices, flat or not, and quaternions.
    Centimetres and millimetres are inferred from the feet. The clip's notes state what was assumed.

    Raises MotionError, one sentence with the array and the frame, for any other file. Nothing in a
    file is unpickled.

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    Clip
        At the file's rate.

    Raises
    ------
    MotionError
        If it is any other file, with the array and the frame.
    """
    path = Path(path)
    try:
        sequence = _checked(_arrays(path))
    except OSError as error:
        reason = error.strerror or error
        raise MotionError(f"The motion file {path.name} cannot be read: {reason}.") from error
    except (UnfitError, UnfitArchiveError) as error:
        raise _refused(path, error) from error
    except DAMAGED as error:
        raise MotionError(
            f"{path.name} is damaged or no .npz file ({type(error).__name__}): choose an .npz file "
            "of AMASS."
        ) from error
    try:
        return _clip(path, sequence)
    except UnfitError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> MotionError:
    return MotionError(
        f"{path.name} is no sequence of SMPL poses ({error}): choose an .npz file of AMASS."
    )


# -- reading ----------------------------------------------------------------------------------


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    if path.stat().st_size > MOST_BYTES:
        raise UnfitError(f"it is larger than {MOST_BYTES >> 20} MB")
    with path.open("rb") as file:
        if file.read(1) == b"\x80":  # how every pickle begins
            raise UnfitError("it is a pickle, which may run anything and is not opened")
        file.seek(0)
        fields = read_npz(file, _WANTED, MOST_BYTES, _APART)
        if not any(key in fields for key in (*_WHOLE, *_BODY)):
            read_npz(file, _OBJECTS, MOST_BYTES, _APART)  # refused where one is an object
        if not any(key in fields for key in (*_WHOLE, *_ROOT, *_BODY)):
            raise UnfitError(
                f"it has no '{_WHOLE[0]}' and no '{_ROOT[0]}' with '{_BODY[0]}', only "
                f"{_keys_told(file)}"
            )
    return fields


def _keys_told(file: BinaryIO) -> str:
    """The names of a file's arrays, for a sentence."""
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        names = [f"'{quoted(name.removesuffix('.npy'))}'" for name in archive.namelist()]
    if len(names) > _MOST_NAMED:
        names[_MOST_NAMED:] = [f"{len(names) - _MOST_NAMED} more"]
    return ", ".join(names) or "nothing"


def _checked(fields: dict[str, npt.NDArray[Any]]) -> _Sequence:
    turns, key = _turns(fields)
    place_key = _named(fields, _PLACE)
    place = _frames(fields, place_key)
    place = place.reshape(len(place), -1)
    if place.shape != (len(turns), 3):
        raise UnfitError(
            f"'{place_key}' is {place.shape[0]} x {place.shape[1]}, and {len(turns)} x 3 goes with "
            f"'{key}'"
        )
    if _SCALE in fields:
        place = place / _number(fields, _SCALE)
    _check_size(place_key, np.abs(place).max(axis=1), _FARTHEST_M / min(_UNITS.values()), "m")
    told = next((name for name in _RATE if name in fields), None)
    if told is None and place_key in _UNTOLD_RATES:
        fps, why = _UNTOLD_RATES[place_key]
        note = f"no frame rate is told: {fps:g} frames a second are taken, {why}"
        return _Sequence(turns, place, place_key, fps, False, (note,))
    rate = _named(fields, _RATE)
    return _Sequence(turns, place, place_key, _rate(fields, rate), rate in _AMASS_RATE, ())


def _turns(fields: dict[str, npt.NDArray[Any]]) -> tuple[Float64, str]:
    """(F, 24, 3) axis-angle in radians, zero where a file has none, and the array it is from."""
    whole = next((key for key in _WHOLE if key in fields), None)
    if whole is not None:
        raw = raw_turns(whole, _frames(fields, whole), _WHOLE_COUNTS, _BODY_JOINTS)
        vectors = rotation_vectors(raw, w_index(raw) if raw.kind == QUATERNION else 0)
        root_key, key, count = whole, whole, raw.count
    else:
        root_key, key = _named(fields, _ROOT), _named(fields, _BODY)
        root, raw = (
            raw_turns(root_key, _frames(fields, root_key), (1,), 1),
            raw_turns(key, _frames(fields, key), _BODY_COUNTS, 1),
        )
        if len(root.values) != len(raw.values):
            raise UnfitError(
                f"'{root_key}' has {len(root.values)} frames, '{key}' {len(raw.values)}"
            )
        if root.count != 1 or raw.count not in _BODY_COUNTS:
            raise UnfitError(f"'{root_key}' and '{key}' have {root.count + raw.count} joints")
        w = w_index(raw) if raw.kind == QUATERNION else None
        if root.kind == QUATERNION:
            w = w_index(root) if w is None else w
        parts = [rotation_vectors(root, w or 0), rotation_vectors(raw, w or 0)]
        vectors, count = np.concatenate(parts, axis=1), 1 + raw.count
    joints = JOINT_COUNT if count == JOINT_COUNT else _BODY_JOINTS
    check_radians(key, vectors[:, 1:joints])
    _check_size(root_key, np.abs(vectors[:, 0]).max(axis=1), _LARGEST_TURN, "rad")
    turns = np.zeros((len(vectors), JOINT_COUNT, 3))
    turns[:, :joints] = vectors[:, :joints]
    return turns, key


def _named(fields: dict[str, npt.NDArray[Any]], names: tuple[str, ...]) -> str:
    found = next((key for key in names if key in fields), None)
    if found is None:
        raise UnfitError(f"it has no '{names[0]}'")
    return found


def _frames(fields: dict[str, npt.NDArray[Any]], key: str) -> Float64:
    """(F, ...) a field's finite numbers, frame by frame."""
    values = fields[key]
    if values.dtype.kind not in "iuf" or values.ndim < 2:
        raise UnfitError(f"'{key}' does not hold a row of numbers a frame")
    if not values.size:
        raise UnfitError(f"'{key}' has no frames")
    values = values.astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if len(wrong):
        raise UnfitError(f"'{key}' has a number that is not finite in frame {wrong[0]}")
    return values


def _check_size(key: str, largest: Float64, limit: float, unit: str) -> None:
    """largest : (F,) the largest number of each frame"""
    worst = int(largest.argmax())
    if largest[worst] > limit:
        raise UnfitError(f"'{key}' has {largest[worst]:.3g} {unit} in frame {worst}")


def _rate(fields: dict[str, npt.NDArray[Any]], key: str) -> float:
    fps = _number(fields, key)
    if not _FEWEST_FPS <= fps <= _MOST_FPS:  # NaN is in no range
        raise UnfitError(f"'{key}' is {fps:g}, which no recording has")
    return fps


def _number(fields: dict[str, npt.NDArray[Any]], key: str) -> float:
    values = fields[key]
    if values.size != 1 or values.dtype.kind not in "iuf":
        raise UnfitError(f"'{key}' is not one number")
    number = float(values.reshape(-1)[0])
    if key == _SCALE and not (np.isfinite(number) and number > 0):
        raise UnfitError(f"'{key}' is {number:g}, which no size is")
    return number


# -- in a clip's axes ---------------------------------------------------------------------------


def _clip(path: Path, sequence: _Sequence) -> Clip:
    frames = len(sequence.turns)
    body = WORLD_FROM_BODY_AXES
    local = Rotation.from_rotvec(sequence.turns.reshape(-1, 3)).as_matrix()
    local = local.reshape(frames, JOINT_COUNT, 3, 3)
    axes = _axes(sequence, local[:, 0])
    pelvis = axes @ local[:, 0] @ body.T
    local = body @ local @ body.T
    place = sequence.place @ axes.T
    facing = facing_ahead(pelvis, sequence.fps)
    local[:, 0] = facing @ pelvis
    ground = -_PELVIS_M - float(place[0, 2])
    place = (place - place[0]) @ facing.T
    ankles = _ankles(local)
    unit = _unit(sequence, axes, place, ankles)
    place = _UNITS[unit] * place
    _check_size(sequence.place_key, np.abs(place).max(axis=1), _FARTHEST_M, "m")
    notes = sequence.notes
    if unit != _METRES:
        notes = (*notes, f"'{sequence.place_key}' is taken as {unit}")
    quaternions = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat(scalar_first=True)
    rotations = quaternions.reshape(frames, JOINT_COUNT, 4)
    # `trans` moves the whole body, so the pelvis goes as it does, some constant way apart.
    leg = _leg_length(place, ankles, sequence.fps)
    root = place / leg
    floor = floor_of_clip(
        (root[:, None] + ankles)[..., 2].min(axis=1), root[:, 2] + lowest_of_clip(rotations)
    )
    if sequence.is_amass and unit == _METRES and abs(floor * leg - ground) < _GROUND_M:
        floor = ground / leg
    root[:, 2] -= HIP_DROP + ANKLE_HEIGHT + floor
    told = tuple(f"{path.name}: {note}." for note in notes)
    return as_loop(Clip(path.stem, sequence.fps, rotations, root, False, told))


def _axes(sequence: _Sequence, pelvis: Float64) -> Float64:
    """(3, 3) from the file's world to this project's: AMASS has z up by definition, of others the
    body's own up shows whether y is up or down, or z up."""
    if sequence.is_amass:
        return np.eye(3)
    up = pelvis[:, :, 1].mean(axis=0)  # where the body's y goes
    choices = {
        float(up[2]): np.eye(3),
        float(up[1]): WORLD_FROM_BODY_AXES,
        float(-up[1]): WORLD_FROM_CAMERA_AXES,
    }
    return choices[max(choices)]


def _ankles(local: Float64) -> Float64:
    """(F, 2, 3) ankles from the pelvis in leg lengths, of legs with the usual proportions."""
    made = []
    for side, out in (("left", 1.0), ("right", -1.0)):
        thigh = local[:, 0] @ local[:, JOINT[f"{side}_hip"]]
        shin = thigh @ local[:, JOINT[f"{side}_knee"]]
        hip = local[:, 0] @ np.array([out * HIP_HALF_WIDTH, 0.0, -HIP_DROP])
        made.append(hip - THIGH * thigh[:, :, 2] - SHIN * shin[:, :, 2])
    return np.stack(made, axis=1)


def _unit(sequence: _Sequence, axes: Float64, place: Float64, ankles: Float64) -> str:
    """The unit of a sequence's places, a key of _UNITS.

    axes : (3, 3) from the file's world; place : (F, 3) from the first frame on, file's unit;
    ankles : (F, 2, 3) leg lengths, from the pelvis

    Where feet stand, the pelvis moves by what they move back, which gives the leg's length in the
    file's unit. Else the height above the ground decides, and the speed whether metres can be
    meant. UnfitError where they cannot and nothing else decides it.
    """
    leg = _leg_in_file(place, ankles, sequence.fps)
    if leg is not None:
        return min(_UNITS, key=lambda unit: abs(np.log(leg * _UNITS[unit] / _USUAL_LEG_M)))
    height = abs(float(np.median(sequence.place @ axes[2])))
    if height > _HIGHEST_M:
        return min(_UNITS, key=lambda unit: abs(np.log(height * _UNITS[unit])))
    span = max(int(round(_SPAN_S * sequence.fps)), 1)
    if len(place) > span:
        speeds = np.linalg.norm(place[span:] - place[:-span], axis=1) * sequence.fps / span
        if np.median(speeds) > _FASTEST_M_S:
            raise UnfitError(
                f"'{sequence.place_key}' goes {np.median(speeds):.3g} m in a second, and metres "
                "are wanted"
            )
    return _METRES


def _leg_in_file(place: Float64, ankles: Float64, fps: float) -> float | None:
    """Thigh and shin in the unit of `place`, whatever that is, with which standing ankles stand
    still; None if they do not decide it. Arguments as in `_unit`."""
    moves = _moves(place, ankles, fps)
    if moves is None:
        return None
    step = max(len(moves[0]) // _MOST_MOVES, 1)
    moved, back = moves[0][::step], moves[1][::step]
    found: list[tuple[float, float]] = []
    for metres in _UNITS.values():
        leg = _USUAL_LEG_M / metres
        for _ in range(_FITS):
            slide = np.linalg.norm(moved - leg * back, axis=1)
            way = np.linalg.norm(moved, axis=1) + leg * np.linalg.norm(back, axis=1)
            share = slide / np.maximum(way, 1e-12)
            still = share <= np.quantile(share, _STILL_SHARE)
            square = (back[still] ** 2).sum()
            leg = max(float((moved[still] * back[still]).sum() / max(square, 1e-12)), 1e-12)
        found.append((float(share[still].max()), leg))
    share_of_slide, leg = min(found)
    return leg if share_of_slide < _UNIT_SLIDE_SHARE and leg > _SHORTEST_LEG else None


def _moves(place: Float64, ankles: Float64, fps: float) -> tuple[Float64, Float64] | None:
    """(N, 3) moves of the pelvis over a span, and of the lower ankle back against it; None if
    the motion is shorter."""
    span = max(int(round(_SPAN_S * fps)), 1)
    if len(place) <= span + 1:
        return None
    moved = place[span:] - place[:-span]
    back = ankles[:-span] - ankles[span:]
    lower = (ankles[span:, :, 2] + ankles[:-span, :, 2]).argmin(axis=1)
    return moved, np.take_along_axis(back, lower[:, None, None], axis=1)[:, 0]


def _leg_length(place: Float64, ankles: Float64, fps: float) -> float:
    """Metres of thigh and shin with which standing ankles stand still.

    place : (F, 3) metres, the pelvis; ankles : (F, 2, 3) leg lengths, from the pelvis

    While an ankle stands, the pelvis moves by the leg's length times what the ankle moves back
    against it. Least squares over the moves of the lower ankle that fit best, chosen again with
    each result, together with what is known beforehand: legs of people differ by _LEGS_DIFFER_M.
    Motions in which feet hardly stand or pelvises hardly move leave it at that.
    """
    moves = _moves(place, ankles, fps)
    if moves is None:
        return _USUAL_LEG_M
    moved, back = moves
    span = max(int(round(_SPAN_S * fps)), 1)
    leg = _USUAL_LEG_M
    for _ in range(_FITS):
        slide = np.linalg.norm(moved - leg * back, axis=1)
        # Against the way that is gone: little moves slide little, and give no information.
        way = np.linalg.norm(moved, axis=1) + leg * np.linalg.norm(back, axis=1)
        share = slide / (way + _LEAST_SLIDE_M)
        still = share <= np.quantile(share, _STILL_SHARE)
        error = max(float(np.sqrt((slide[still] ** 2).mean())), _LEAST_SLIDE_M)
        # Moves that overlap are no more than their share of news.
        news = 1.0 / (span * error**2)
        before = 1.0 / _LEGS_DIFFER_M**2
        leg = (news * (moved[still] * back[still]).sum() + before * _USUAL_LEG_M) / (
            news * (back[still] ** 2).sum() + before
        )
    if share[still].max() > _MOST_SLIDE_SHARE:  # nothing stands: a dance of hops
        return _USUAL_LEG_M
    return float(np.clip(leg, *_LEGS_M))
