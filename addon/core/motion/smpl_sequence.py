"""Sequences of SMPL poses in .npz files, read as clips without any retargeting.

A clip turns the same joints about the same T-pose as SMPL does, so a file's rotations are a clip's
in other axes. Formats: AMASS (Mahmood et al., Archive of Motion Capture as Surface Shapes, 2019;
SMPL-H and SMPL-X releases, the ground level, z up) and the outputs of pose estimators with the
names that smplx gives its parameters (y up, or down where they are a camera's). Of SMPL-H and
SMPL-X the body's 22 joints are taken; fingers, jaw and eyes are not.

No file tells the length of the performer's legs, in which a clip's travel is measured: shapes are
told in coefficients of models that need not be here. It is found from the motion, as the length
with which standing ankles stand still.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from ..body.skeleton import JOINT, JOINT_COUNT
from ..errors import MotionError
from ..frames import WORLD_FROM_BODY_AXES, WORLD_FROM_CAMERA_AXES
from ..npz_arrays import DAMAGED, UnfitArchiveError, read_npz
from ..types import Clip, Float64
from .authoring import ANKLE_HEIGHT, HIP_DROP, HIP_HALF_WIDTH, SHIN, THIGH
from .floor import lowest_of_clip
from .retarget import as_loop, facing_ahead, floor_of_clip

# Names of the same thing in different files, the usual one first.
_WHOLE = ("poses", "pose", "smpl_poses")
_ROOT = ("root_orient", "global_orient")
_BODY = ("pose_body", "body_pose")
_PLACE = ("trans", "transl", "smpl_trans")
_AMASS_RATE = ("mocap_framerate", "mocap_frame_rate")
_RATE = (*_AMASS_RATE, "fps", "frame_rate", "framerate")
_WANTED = (*_WHOLE, *_ROOT, *_BODY, *_PLACE, *_RATE)

_BODY_JOINTS = 22  # that SMPL, SMPL-H and SMPL-X share
_SMPL_WIDTH = 3 * JOINT_COUNT  # poses of just this width have SMPL's two hand joints

MOST_BYTES = 2**30  # unpacked: an hour of SMPL-X at 120 frames a second has half of it
_FEWEST_FPS, _MOST_FPS = 0.1, 10_000.0
_LARGEST_TURN = 1e3  # radians; a rotation vector longer than some turns is a damaged number
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
_FITS = 8  # rounds of choosing these moves and fitting the leg to them


class _UnfitError(Exception):
    """Why a file is no sequence of poses, a part of a sentence."""


@dataclass(frozen=True, eq=False)
class _Sequence:
    """What a file holds, in its own axes."""

    turns: Float64  # (F, 24, 3), axis-angle, body frame; the first joint's to the file's world
    place: Float64  # (F, 3), metres, the file's world
    fps: float
    is_amass: bool


def read_smpl_sequence(path: Path | str) -> Clip:
    """The clip in an .npz file, at its own rate: all frames, from over the origin, facing -y.

    The file holds `poses` (F, >= 66), axis-angle in radians in SMPL's, SMPL-H's or SMPL-X's order
    of joints, or `root_orient` (F, 3) and `pose_body` (F, 63); `trans` (F, 3) in metres; and
    `mocap_framerate` or `mocap_frame_rate`, frames a second. smplx's names for the same are read,
    too (`global_orient`, `body_pose`, `transl`, `fps`).

    Raises MotionError, one sentence with the array and the frame, for any other file. Nothing in a
    file is unpickled.
    """
    path = Path(path)
    try:
        sequence = _checked(_arrays(path))
    except OSError as error:
        reason = error.strerror or error
        raise MotionError(f"The motion file {path.name} cannot be read: {reason}.") from error
    except (_UnfitError, UnfitArchiveError) as error:
        raise MotionError(
            f"{path.name} is no sequence of SMPL poses ({error}): choose an .npz file of AMASS."
        ) from error
    except DAMAGED as error:
        raise MotionError(
            f"{path.name} is damaged or no .npz file ({type(error).__name__}): choose an .npz file "
            "of AMASS."
        ) from error
    return _clip(path.stem, sequence)


# -- reading ----------------------------------------------------------------------------------


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    if path.stat().st_size > MOST_BYTES:
        raise _UnfitError(f"it is larger than {MOST_BYTES >> 20} MB")
    with path.open("rb") as file:
        return read_npz(file, _WANTED, MOST_BYTES)


def _checked(fields: dict[str, npt.NDArray[Any]]) -> _Sequence:
    whole = next((key for key in _WHOLE if key in fields), None)
    if whole is not None:
        turns = _frames(fields, whole)
        if turns.shape[1] < 3 * _BODY_JOINTS or turns.shape[1] % 3:
            raise _UnfitError(
                f"'{whole}' has {turns.shape[1]} numbers a frame, and {3 * _BODY_JOINTS} or more, "
                "three a joint, are a body"
            )
    else:
        root, body = _named(fields, _ROOT), _named(fields, _BODY)
        parts = [_frames(fields, root), _frames(fields, body)]
        if len(parts[0]) != len(parts[1]):
            raise _UnfitError(f"'{root}' has {len(parts[0])} frames, '{body}' {len(parts[1])}")
        turns = np.concatenate(parts, axis=1)
        if parts[0].shape[1] != 3 or turns.shape[1] not in (3 * _BODY_JOINTS, _SMPL_WIDTH):
            raise _UnfitError(f"'{root}' and '{body}' have {turns.shape[1]} numbers a frame")
        whole = body
    place_key = _named(fields, _PLACE)
    place = _frames(fields, place_key)
    if place.shape != (len(turns), 3):
        raise _UnfitError(
            f"'{place_key}' is {place.shape[0]} x {place.shape[1]}, and {len(turns)} x 3 goes with "
            f"'{whole}'"
        )
    vectors = turns.reshape(len(turns), -1, 3)
    joints = JOINT_COUNT if turns.shape[1] == _SMPL_WIDTH else _BODY_JOINTS
    _check_size(whole, np.abs(vectors[:, :joints]).max(axis=(1, 2)), _LARGEST_TURN, "rad")
    _check_size(place_key, np.abs(place).max(axis=1), _FARTHEST_M, "m")
    body_turns = np.zeros((len(turns), JOINT_COUNT, 3))
    body_turns[:, :joints] = vectors[:, :joints]
    rate = _named(fields, _RATE)
    return _Sequence(body_turns, place, _rate(fields, rate), rate in _AMASS_RATE)


def _named(fields: dict[str, npt.NDArray[Any]], names: tuple[str, ...]) -> str:
    found = next((key for key in names if key in fields), None)
    if found is None:
        raise _UnfitError(f"it has no '{names[0]}'")
    return found


def _frames(fields: dict[str, npt.NDArray[Any]], key: str) -> Float64:
    """(F, N) a field's finite numbers, frame by frame."""
    values = fields[key]
    if values.dtype.kind not in "iuf" or values.ndim < 2:
        raise _UnfitError(f"'{key}' does not hold a row of numbers a frame")
    if not len(values):
        raise _UnfitError(f"'{key}' has no frames")
    rows = values.reshape(len(values), -1).astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        raise _UnfitError(f"'{key}' has a number that is not finite in frame {wrong[0]}")
    return rows


def _check_size(key: str, largest: Float64, limit: float, unit: str) -> None:
    """largest : (F,) the largest number of each frame"""
    worst = int(largest.argmax())
    if largest[worst] > limit:
        raise _UnfitError(f"'{key}' has {largest[worst]:.3g} {unit} in frame {worst}")


def _rate(fields: dict[str, npt.NDArray[Any]], key: str) -> float:
    values = fields[key]
    if values.size != 1 or values.dtype.kind not in "iuf":
        raise _UnfitError(f"'{key}' is not one number")
    fps = float(values.reshape(-1)[0])
    if not _FEWEST_FPS <= fps <= _MOST_FPS:  # NaN is in no range
        raise _UnfitError(f"'{key}' is {fps:g}, which no recording has")
    return fps


# -- in a clip's axes ---------------------------------------------------------------------------


def _clip(name: str, sequence: _Sequence) -> Clip:
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
    quaternions = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat(scalar_first=True)
    rotations = quaternions.reshape(frames, JOINT_COUNT, 4)
    # `trans` moves the whole body, so the pelvis goes as it does, some constant way apart.
    leg = _leg_length(place, ankles, sequence.fps)
    root = place / leg
    floor = floor_of_clip(
        (root[:, None] + ankles)[..., 2].min(axis=1), root[:, 2] + lowest_of_clip(rotations)
    )
    if sequence.is_amass and abs(floor * leg - ground) < _GROUND_M:
        floor = ground / leg
    root[:, 2] -= HIP_DROP + ANKLE_HEIGHT + floor
    return as_loop(Clip(name, sequence.fps, rotations, root, False))


def _axes(sequence: _Sequence, pelvis: Float64) -> Float64:
    """(3, 3) from the file's world to this project's: AMASS has z up by definition, of others the
    body's own up says whether y is up or down, or z up."""
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


def _leg_length(place: Float64, ankles: Float64, fps: float) -> float:
    """Metres of thigh and shin with which standing ankles stand still.

    place : (F, 3) metres, the pelvis; ankles : (F, 2, 3) leg lengths, from the pelvis

    While an ankle stands, the pelvis moves by the leg's length times what the ankle moves back
    against it. Least squares over the moves of the lower ankle that fit best, chosen again with
    each result, together with what is known beforehand: legs of people differ by _LEGS_DIFFER_M.
    Motions in which feet hardly stand or pelvises hardly move leave it at that.
    """
    span = max(int(round(_SPAN_S * fps)), 1)
    if len(place) <= span + 1:
        return _USUAL_LEG_M
    moved = place[span:] - place[:-span]
    back = ankles[:-span] - ankles[span:]
    lower = (ankles[span:, :, 2] + ankles[:-span, :, 2]).argmin(axis=1)
    back = np.take_along_axis(back, lower[:, None, None], axis=1)[:, 0]
    leg = _USUAL_LEG_M
    for _ in range(_FITS):
        slide = np.linalg.norm(moved - leg * back, axis=1)
        # Against the way that is gone: little moves slide little, and tell nothing.
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
