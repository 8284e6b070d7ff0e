"""How files of SMPL poses write a joint's turn: axis-angle, matrices, quaternions, and what cannot
be distinguished.

Nothing in a file states what its numbers are. Shapes give how many there are per joint, and what
they hold whether they can be that: a matrix is orthogonal, a quaternion has length 1. The two ways
to write a rotation as six numbers (two rows, or two columns) look alike, so these are refused, and
so are degrees, which Euler angles have as well."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from ...body.model.skeleton import JOINT_COUNT
from ...types import AnyArray, Float64

AXIS_ANGLE, QUATERNION, MATRIX = 3, 4, 9  # numbers per joint
_SIX = 6  # of a rotation of which the third row or column is left out

_NOT_ORTHOGONAL = 0.05  # of half precision and networks' rounding, an entry of R^T R
_NOT_UNIT = 0.02  # and of a quaternion's length
# The number that turns little is w: a body's joints seldom turn as far as its mean indicates.
_LEAST_W, _W_AHEAD = 0.6, 0.2

_MOST_TURN = 4 * np.pi  # radians of a joint but the root, which may count on after full turns
# In radians hardly any joint turns farther than half a turn; in degrees nearly all that move do.
_HALF_TURN, _DEGREES_SHARE = 1.2 * np.pi, 0.05
_LEAST_MOVE = 1e-6  # what does not turn gives no information


class UnfitError(Exception):
    """Why a file is no sequence of poses, a part of a sentence."""


@dataclass(frozen=True, eq=False)
class RawTurns:
    """Joints' turns as an array has them."""

    key: str  # the array's
    count: int  # of the joints that the array has
    values: Float64  # (F, J, 3, 4 or 9), of at most the first 24 of them

    @property
    def kind(self) -> int:
        return self.values.shape[2]


def raw_turns(key: str, values: AnyArray, counts: Collection[int], fewest: int) -> RawTurns:
    """An array's turns, its numbers sorted into joints.

    Parameters
    ----------
    key : str
        The array's name, for the sentence.
    values : AnyArray
        (F, ...) finite numbers; flat, or with axes for joints and a joint's numbers.
    counts : Collection[int]
        Of joints that it may have where it is flat and not axis-angle.
    fewest : int
        Joints that it has at least.

    Returns
    -------
    RawTurns
        Sorted, and which notation they are in.

    Raises
    ------
    UnfitError
        If it holds no turns of so many joints.
    """
    size = _numbers_per_joint(key, values)
    rows = values.reshape(len(values), -1)
    width = rows.shape[1]
    if size is None:
        size = _by_width(rows, counts)
    if size == _SIX:
        raise UnfitError(
            f"'{key}' has six numbers a joint, of which no file tells whether they are rows or "
            "columns of a rotation"
        )
    if width % size or width < size * fewest:
        least = f"{size * fewest}{' or more' if fewest > 1 else ''}"
        each = {AXIS_ANGLE: "three", QUATERNION: "four", MATRIX: "nine"}[size]
        raise UnfitError(
            f"'{key}' has {width} numbers a frame, and {least}, {each} a joint, are a body"
        )
    joints = rows.reshape(len(rows), -1, size)
    # Fingers and face are not read, whatever they hold.
    turns = RawTurns(key, joints.shape[1], joints[:, :JOINT_COUNT].astype(np.float64))
    if size == MATRIX:
        _refuse(key, ~_are_matrices(turns.values), "no rotation matrix")
    elif size == QUATERNION:
        _refuse(key, ~_are_quaternions(turns.values), "no quaternion of length 1")
    return turns


def w_index(turns: RawTurns) -> int:
    """Which number of the quaternions is w, 0 or 3: a body's joints turn little against one
    another, so that w is the largest. UnfitError where that does not decide it.

    Parameters
    ----------
    turns : RawTurns
        Quaternions.

    Returns
    -------
    int
        0 or 3.

    Raises
    ------
    UnfitError
        If the numbers do not decide it.
    """
    mean = np.abs(turns.values).mean(axis=(0, 1))
    index = 0 if mean[0] >= mean[3] else 3
    if mean[index] < _LEAST_W or mean[index] - mean[3 - index] < _W_AHEAD:
        raise UnfitError(f"'{turns.key}' has quaternions that do not tell which number is w")
    return index


def rotation_vectors(turns: RawTurns, w: int = 0) -> Float64:
    """(F, J, 3) axis-angle in radians.

    Parameters
    ----------
    turns : RawTurns
        Of any notation.
    w : int
        Which number of quaternions is the real one, 0 or 3.

    Returns
    -------
    Float64
        (F, J, 3), radians.
    """
    values = turns.values
    if turns.kind == AXIS_ANGLE:
        return values
    if turns.kind == MATRIX:
        made = Rotation.from_matrix(values.reshape(-1, 3, 3))
    else:
        made = Rotation.from_quat(values.reshape(-1, 4), scalar_first=w == 0)
    return made.as_rotvec().reshape(*values.shape[:2], 3)


def check_radians(key: str, vectors: Float64) -> None:
    """Raise UnfitError where joints (F, J, 3), without the root, turn as only degrees would have
    it, or one of them farther than any does.

    Parameters
    ----------
    key : str
        The array's name, for the sentence.
    vectors : Float64
        (F, J, 3) axis-angle.

    Raises
    ------
    UnfitError
        If they are degrees, or turn farther than joints do.
    """
    angles = np.linalg.norm(vectors, axis=2)
    frame = int(angles.max(axis=1).argmax())
    moving = angles > _LEAST_MOVE
    if (angles > _HALF_TURN).sum() > _DEGREES_SHARE * max(int(moving.sum()), 1) and (
        angles.max() > 2 * np.pi
    ):
        raise UnfitError(
            f"'{key}' seems to be in degrees, with {angles[frame].max():.3g} in frame {frame}, and "
            "axis-angle in radians is wanted"
        )
    if angles.max() > _MOST_TURN:
        raise UnfitError(f"'{key}' has {angles[frame].max():.3g} rad in frame {frame}")


def _numbers_per_joint(key: str, values: AnyArray) -> int | None:
    """As the shape has it; None if it is flat."""
    shape = values.shape[1:]
    if len(shape) < 2:
        return None
    if shape[-2:] == (3, 3) and (len(shape) > 2 or _are_matrices(values[:, None]).all()):
        return MATRIX
    if shape[-2:] in ((3, 2), (2, 3)) and len(shape) > 2:
        return _SIX
    if shape[-1] in (AXIS_ANGLE, QUATERNION, _SIX, MATRIX) and len(shape) == 2:
        return shape[-1]
    if len(shape) == 2 and shape[0] == 1:  # a flat row within one more axis
        return None
    sizes = " x ".join(map(str, values.shape))
    raise UnfitError(f"'{key}' is {sizes}, which is not a row of numbers a frame and joint")


def _by_width(rows: AnyArray, counts: Collection[int]) -> int:
    """Numbers per joint of a flat array (F, N). No body has so many joints that nine or six numbers
    for each of the usual ones could be three for each of its own; with four that may be."""
    width = rows.shape[1]
    for size in (MATRIX, _SIX):
        if width % size == 0 and width // size in counts:
            return size
    if width % QUATERNION == 0 and width // QUATERNION in counts:
        quaternions = rows.reshape(len(rows), -1, QUATERNION)[:, :JOINT_COUNT]
        if width % AXIS_ANGLE or _are_quaternions(quaternions).all():
            return QUATERNION
    return AXIS_ANGLE


def _are_matrices(values: AnyArray) -> npt.NDArray[np.bool_]:
    """(F, J) which of (F, J, 9), or (F, J, 3, 3), are rotations."""
    matrices = values.reshape(*values.shape[:2], 3, 3).astype(np.float64)
    gram = matrices.swapaxes(-1, -2) @ matrices
    is_orthogonal = np.abs(gram - np.eye(3)).max(axis=(-1, -2)) < _NOT_ORTHOGONAL
    return is_orthogonal & (np.linalg.det(matrices) > 0)


def _are_quaternions(values: AnyArray) -> npt.NDArray[np.bool_]:
    """(F, J) which of (F, J, 4) have length 1."""
    return np.abs(np.linalg.norm(values, axis=-1) - 1) < _NOT_UNIT


def _refuse(key: str, wrong: npt.NDArray[np.bool_], what: str) -> None:
    frames = np.flatnonzero(wrong.any(axis=1))
    if len(frames):
        raise UnfitError(f"'{key}' has {what} in frame {frames[0]}")
