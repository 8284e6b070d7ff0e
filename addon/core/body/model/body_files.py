"""Reading body files: SMPL, SMPL-H and SMPL-X, checked and folded into SMPL's 24 joints.

SMPL-H (Romero et al., Embodied Hands, 2017) gives SMPL's hands fifteen finger joints each, SMPL-X
(Pavlakos et al., Expressive Body Capture, 2019) adds a jaw and two eyes. A photo of a whole person
shows none of these well, so they rest: fingers follow their hand, jaw and eyes the head. With
fingers, face and expression at rest the folded body is the file's own, vertex by vertex.
"""

from __future__ import annotations

import pickle
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelFileError, printable
from ...npz_arrays import UnfitArchiveError, read_npz
from ...types import Float32
from ...user_paths import check_readable
from .array_pickles import read_arrays
from .body_model import BodyModel
from .parts import PART_NAMES, part_of_joint
from .skeleton import JOINT, JOINT_COUNT, PARENTS

MOST_SHAPES = 16  # shape directions that are read; further ones are below a millimetre
MOST_BYTES = 2**30  # of a file, and of what is unpacked from it; SMPL-X's pickles have half of it
WEIGHT_TOLERANCE = 1e-2  # how far a vertex' weights may be from one; files hold rounded ones
LARGEST_NUMBER = 1e6  # in a file, whatever its unit; what is damaged is mostly far larger
MOST_LETTERS = 120  # of a reader's complaint that are passed on
# SMPL-X's directions are shapes first, then expressions: 300 and 100 in whole files, 10 and 10 in
# those of its first release.
SMPLX_SHAPES, SMPLX_FEW_SHAPES = 300, 10

_NEEDED = ("v_template", "shapedirs", "J_regressor", "weights", "f", "kintree_table")
_WANTED = {*_NEEDED, "posedirs", "part", "facial_actions", "facial_action_names"}

# The joints that SMPL, SMPL-H and SMPL-X share: all of SMPL's but the two hands.
_BODY_JOINTS = 22
# Fingers in the order of SMPL-H's and SMPL-X's joints, three joints each, and the joint of SMPL
# that moves each finger: its hand joint moves the hand without palm and thumb.
_FINGERS = {"index": "hand", "middle": "hand", "pinky": "hand", "ring": "hand", "thumb": "wrist"}
_PHALANGES = 3
# SMPL's hand joint sits where the fingers begin, in their middle.
_HAND_ROOTS = ("index", "middle", "ring")


@dataclass(frozen=True)
class BodyFormat:
    """A published format: its joints, and how SMPL's come from them."""

    name: str
    parents: tuple[int, ...]  # -1 for the pelvis
    owners: tuple[int, ...]  # the joint of SMPL that moves each joint's vertices
    origins: tuple[tuple[int, ...], ...]  # (24,) the joints whose mean place is SMPL's joint
    posed_joints: int  # joints, pelvis left out, that have pose directions in SMPL, too


def _with_fingers(name: str, face_joints: int) -> BodyFormat:
    parents = [*PARENTS[:_BODY_JOINTS], *[JOINT["head"]] * face_joints]
    owners = [*range(_BODY_JOINTS), *[JOINT["head"]] * face_joints]
    origins: list[tuple[int, ...]] = [(joint,) for joint in range(_BODY_JOINTS)]
    for side in ("left", "right"):
        root = {}
        for finger, owner in _FINGERS.items():
            root[finger] = len(parents)
            parents += [JOINT[f"{side}_wrist"], root[finger], root[finger] + 1]
            owners += [JOINT[f"{side}_{owner}"]] * _PHALANGES
        origins.append(tuple(root[finger] for finger in _HAND_ROOTS))
    return BodyFormat(name, tuple(parents), tuple(owners), tuple(origins), _BODY_JOINTS - 1)


SMPL = BodyFormat(
    "SMPL", PARENTS, tuple(range(JOINT_COUNT)), tuple((joint,) for joint in range(JOINT_COUNT)),
    JOINT_COUNT - 1,
)  # fmt: skip
SMPLH = _with_fingers("SMPL-H", face_joints=0)
SMPLX = _with_fingers("SMPL-X", face_joints=3)
FORMATS = {len(form.parents): form for form in (SMPL, SMPLH, SMPLX)}

# What the same authors publish besides, and users take for a body.
_OTHERS = {5: "FLAME's, a head", 16: "MANO's, a hand", 33: "SMAL's, an animal", 75: "SUPR's"}


class _UnfitError(Exception):
    """Why a file is not a body, said in words of the user's."""


# What readers raise for files of another kind, or cut short.
_DAMAGED = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, ImportError,
    RuntimeError, MemoryError, ArithmeticError, SyntaxError, AssertionError, tokenize.TokenError,
    pickle.UnpicklingError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def load_body_model(path: Path | str) -> BodyModel:
    """Read an SMPL, SMPL-H or SMPL-X file, .npz or .pkl, of any sex.

    Pickles are read with an unpickler that makes arrays and nothing else, so a file cannot run
    code; chumpy arrays are read without chumpy. What a file is, its `kintree_table` indicates.
    Raises ModelFileError, one sentence, for any other file.

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    BodyModel
        With SMPL's 24 joints.

    Raises
    ------
    ModelFileError
        If it is any other file.
    """
    path = Path(path)
    check_readable(path, ModelFileError, "choose an SMPL, SMPL-H or SMPL-X file, .npz or .pkl")
    try:
        fields = _read(path)
        return _folded(path.stem, _format_of(fields), fields)
    except OSError as error:
        raise ModelFileError(
            f"The body file {path.name} cannot be read ({error.strerror or error}): choose an "
            "SMPL, SMPL-H or SMPL-X file, .npz or .pkl."
        ) from error
    except (_UnfitError, *_DAMAGED) as error:
        # Some messages quote what was found, which in a damaged file is no text.
        said = " ".join(str(error).split())[:MOST_LETTERS].rstrip(".") or type(error).__name__
        said = printable(said)
        told = isinstance(error, (_UnfitError, pickle.UnpicklingError))
        reason = said if told else f"it is damaged or of another kind: {said}"
        raise ModelFileError(
            f"{path.name} is not an SMPL body ({reason}): choose an SMPL, SMPL-H or SMPL-X file, "
            ".npz or .pkl."
        ) from error


@lru_cache(maxsize=4)
def cached_body_model(path: Path) -> BodyModel:
    """`load_body_model`, remembered between calls.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    BodyModel
        The same object for the same path.
    """
    return load_body_model(path)


# -- reading ----------------------------------------------------------------------------------


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The wanted arrays of a file. What it is, its first bytes indicate, not its name."""
    if path.stat().st_size > MOST_BYTES:
        raise _UnfitError(f"it is larger than {MOST_BYTES >> 20} MB, and no body is")
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            try:
                return read_npz(file, _WANTED, MOST_BYTES, ", so take the .pkl file instead")
            except UnfitArchiveError as error:
                raise _UnfitError(str(error)) from error
        file.seek(0)
        return read_arrays(file.read(), _WANTED)


# -- checking ---------------------------------------------------------------------------------


def _format_of(fields: dict[str, npt.NDArray[Any]]) -> BodyFormat:
    """Which format a file has, by its table of parents."""
    if "kintree_table" not in fields and "v_template" not in fields:
        raise _UnfitError("it holds no body")
    for key in _NEEDED:
        if key not in fields:
            raise _UnfitError(f"'{key}' is missing")
    table = _numbers(fields, "kintree_table")
    if table.ndim != 2 or len(table) != 2:
        raise _UnfitError(f"'kintree_table' has the shape {table.shape} instead of (2, 24)")
    count = table.shape[1]
    form = FORMATS.get(count)
    if form is None:
        whose = f" ({_OTHERS[count]})" if count in _OTHERS else ""
        raise _UnfitError(
            f"it has {count} joints{whose} where SMPL has 24, SMPL-H 52 and SMPL-X 55"
        )
    # The pelvis' parent is written as -1 in any integer type, so it is not looked at.
    for joint in range(1, count):
        if int(table[0, joint]) != form.parents[joint]:
            raise _UnfitError(
                f"its joint {joint} hangs on joint {int(table[0, joint])}, "
                f"{form.name}'s on {form.parents[joint]}"
            )
    return form


def _numbers(fields: dict[str, npt.NDArray[Any]], key: str) -> npt.NDArray[Any]:
    """A field that must hold finite numbers."""
    values = fields[key]
    if values.dtype.kind not in "iuf":
        raise _UnfitError(f"'{key}' does not hold numbers")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise _UnfitError(f"'{key}' holds numbers that are not finite")
    if values.dtype.kind == "f" and np.abs(values).max(initial=0.0) > LARGEST_NUMBER:
        raise _UnfitError(f"'{key}' holds numbers that no body has")
    return values


def _folded(name: str, form: BodyFormat, fields: dict[str, npt.NDArray[Any]]) -> BodyModel:
    """The body with SMPL's joints, out of a file's fields."""
    template = _numbers(fields, "v_template")
    count, joints = len(template) if template.ndim else 0, len(form.parents)
    shapes, faces = _numbers(fields, "shapedirs"), _numbers(fields, "f")
    directions = shapes.shape[2] if shapes.ndim == 3 else 0
    regressor, weights = _numbers(fields, "J_regressor"), _numbers(fields, "weights")
    for key, found, wanted in (
        ("v_template", template.shape, (count, 3)),
        ("shapedirs", shapes.shape, (count, 3, directions or 10)),
        ("J_regressor", regressor.shape, (joints, count)),
        ("weights", weights.shape, (count, joints)),
        ("f", faces.shape, (len(faces) if faces.ndim else 0, 3)),
    ):
        if found != wanted:
            raise _UnfitError(f"'{key}' has the shape {found} instead of {wanted}")
    if not len(faces) or faces.min() < 0 or faces.max() >= count:
        raise _UnfitError("its triangles point beyond its vertices")
    if np.abs(weights.sum(axis=1) - 1).max() > WEIGHT_TOLERANCE:
        raise _UnfitError("the weights of a vertex do not sum to one")
    if form is SMPLX:
        few = shapes.shape[2] < SMPLX_SHAPES
        shapes = shapes[:, :, : SMPLX_FEW_SHAPES if few else SMPLX_SHAPES]
    folded = _folded_weights(form, weights)
    actions, action_names = _facial_actions(fields, count)
    return BodyModel(
        name=name,
        template=template.astype(np.float32),
        shapes=shapes[:, :, :MOST_SHAPES].astype(np.float32),
        correctives=_folded_correctives(form, fields, count),
        regressor=np.stack([regressor[list(rows)].mean(axis=0) for rows in form.origins]).astype(
            np.float32
        ),
        weights=folded,
        faces=faces.astype(np.int32),
        part=_parts(fields, folded),
        facial_actions=actions,
        facial_action_names=action_names,
    )


def _folded_weights(form: BodyFormat, weights: npt.NDArray[Any]) -> Float32:
    """(V, 24): each joint of SMPL takes over the weights of the joints that it moves."""
    takes = np.zeros((len(form.owners), JOINT_COUNT))
    takes[np.arange(len(form.owners)), form.owners] = 1.0
    folded: Float32 = (weights @ takes).astype(np.float32)
    return folded


def _folded_correctives(
    form: BodyFormat, fields: dict[str, npt.NDArray[Any]], count: int
) -> Float32 | None:
    """(207, V * 3), nine rows per joint; None if all are zero.

    The shared joints keep their own. Those of fingers, jaw and eyes, which do not turn themselves,
    would be multiplied by zero, and a hand joint of SMPL has none in formats with fingers.
    """
    if "posedirs" not in fields:
        return None
    given = _numbers(fields, "posedirs")
    wanted = (count, 3, 9 * (len(form.parents) - 1))
    if given.shape != wanted:
        star = " (STAR's are of another kind)" if given.shape[2:] == (93,) else ""
        raise _UnfitError(f"'posedirs' has the shape {given.shape} instead of {wanted}{star}")
    kept = 9 * form.posed_joints
    given = given[:, :, :kept].reshape(count * 3, kept)
    if not given.any():
        return None
    correctives = np.zeros((9 * (JOINT_COUNT - 1), count * 3), np.float32)
    correctives[:kept] = given.T
    return correctives


def _parts(fields: dict[str, npt.NDArray[Any]], weights: Float32) -> npt.NDArray[np.uint8]:
    """(V,) body part of each vertex: as the file states, otherwise its strongest joint's."""
    if "part" not in fields:
        return part_of_joint()[weights.argmax(axis=1)]
    part = _numbers(fields, "part")
    if part.shape != weights.shape[:1]:
        raise _UnfitError(f"'part' has the shape {part.shape} instead of {weights.shape[:1]}")
    if part.min() < 0 or part.max() >= len(PART_NAMES):
        raise _UnfitError("'part' holds parts that a body has not")
    return part.astype(np.uint8)


def _facial_actions(
    fields: dict[str, npt.NDArray[Any]], count: int
) -> tuple[Float32 | None, tuple[str, ...]]:
    """(A, V, 3) offsets and their A names; None and no names where the file has none."""
    if "facial_actions" not in fields:
        return None, ()
    offsets = _numbers(fields, "facial_actions")
    names = fields.get("facial_action_names", np.empty(0, np.str_))
    if names.dtype.kind != "U" or names.ndim != 1 or len(set(names.tolist())) != len(names):
        raise _UnfitError("'facial_action_names' does not hold distinct names")
    if offsets.shape != (len(names), count, 3):
        wanted = (len(names), count, 3)
        raise _UnfitError(f"'facial_actions' has the shape {offsets.shape} instead of {wanted}")
    return offsets.astype(np.float32), tuple(names.tolist())
