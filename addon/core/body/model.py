"""SMPL-format bodies: reading their files, and the skinning function.

Loper et al., SMPL: A Skinned Multi-Person Linear Model (2015), equations 2 to 10: shape
directions move the template, a regressor finds the joints, pose-dependent correctives are added,
and linear blend skinning moves the vertices by their joints' transforms.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import torch

from ..errors import ModelFileError
from ..types import Float32, Int32, UInt8
from .parts import part_of_joint
from .skeleton import JOINT_COUNT, PARENTS

MOST_SHAPES = 16  # shape directions that are read; further ones are below a millimetre


@dataclass(frozen=True, eq=False)
class BodyModel:
    """An SMPL-format body, body frame, metres."""

    name: str
    template: Float32  # (V, 3), T-pose
    shapes: Float32  # (V, 3, B), offsets a unit of beta
    correctives: Float32 | None  # (207, V * 3), pose-dependent offsets; None where all are zero
    regressor: Float32  # (24, V), rows sum to 1
    weights: Float32  # (V, 24), rows sum to 1
    faces: Int32  # (F, 3), counter-clockwise from outside
    part: UInt8  # (V,), body part

    @property
    def shape_count(self) -> int:
        return int(self.shapes.shape[2])


def load_body_model(path: Path | str) -> BodyModel:
    """Read an SMPL-format .npz or .pkl file.

    Pickles are read with an unpickler that makes arrays and nothing else, so a file cannot run
    code; chumpy arrays are read without chumpy. Raises ModelFileError for any other file.
    """
    path = Path(path)
    try:
        fields = _read_npz(path) if path.suffix == ".npz" else _read_pickle(path)
        return _checked(path.stem, path.name, fields)
    except OSError as error:
        raise ModelFileError(f"The body file {path.name} cannot be read: {error}.") from error
    except _DAMAGED as error:
        raise ModelFileError(
            f"{path.name} is not an SMPL body: choose an SMPL .npz or .pkl file ({error})."
        ) from error


# What readers raise for files of another kind, or cut short.
_DAMAGED = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, ImportError,
    pickle.UnpicklingError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        wanted = [key for key in archive.files if key in _WANTED]
        return {key: archive[key] for key in wanted}


_WANTED = {
    "v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table", "part",
}  # fmt: skip


class _StandIn:
    """Takes the place of a foreign object in a pickle: keeps its state, runs nothing."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class _Stored(_StandIn):
    """chumpy.ch.Ch: an array, `x`."""


class _Selected(_StandIn):
    """chumpy.reordering.Select: `a`'s entries `idxs`, in the shape `preferred_shape`."""


class _Computed(_StandIn):
    """Any other chumpy expression. Bodies carry some that are results of the others."""


class _Sparse(_StandIn):
    """A compressed sparse matrix of any SciPy release."""


class _SparseColumns(_Sparse):
    pass


class _SparseRows(_Sparse):
    pass


def _bare(cls: type, base: type, _state: object) -> object:
    """What copyreg's `_reconstructor` does for objects of pickle's oldest protocols."""
    if not issubclass(cls, _StandIn) or base is not object:
        raise pickle.UnpicklingError("it holds objects that a body does not need")
    return cls()


class _ArraysOnly(pickle.Unpickler):
    """Makes NumPy arrays and stand-ins; refuses everything that could run code."""

    _ALLOWED = {
        ("numpy", "ndarray"), ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
        ("_codecs", "encode"),
    }  # fmt: skip
    _REPLACED: dict[tuple[str, str], Any] = {
        ("chumpy.ch", "Ch"): _Stored, ("chumpy.reordering", "Select"): _Selected,
        ("copy_reg", "_reconstructor"): _bare, ("copyreg", "_reconstructor"): _bare,
        ("__builtin__", "object"): object, ("builtins", "object"): object,
    }  # fmt: skip

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._REPLACED:
            return self._REPLACED[module, name]
        if module.split(".")[0] == "chumpy":
            return _Computed
        if module.startswith("scipy.sparse") and name in ("csc_matrix", "csr_matrix"):
            return _SparseColumns if name == "csc_matrix" else _SparseRows
        if (module, name) in self._ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a body does not need")


def _read_pickle(path: Path) -> dict[str, Any]:
    fields = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    if not isinstance(fields, dict):
        raise ValueError("it does not hold a table of arrays")
    return {key: _as_array(value) for key, value in fields.items() if key in _WANTED}


def _as_array(value: Any) -> Any:
    """A field's value as a dense array; AttributeError where a stand-in lacks what it needs."""
    if isinstance(value, _Stored):
        return np.asarray(value.x)  # type: ignore[attr-defined]
    if isinstance(value, _Selected):
        source = _as_array(value.a)  # type: ignore[attr-defined]
        chosen = source.ravel()[np.asarray(value.idxs)]  # type: ignore[attr-defined]
        return chosen.reshape(getattr(value, "preferred_shape", chosen.shape))
    if isinstance(value, _Sparse):
        matrix = (
            scipy.sparse.csr_matrix if isinstance(value, _SparseRows) else (scipy.sparse.csc_matrix)
        )
        parts = value.data, value.indices, value.indptr  # type: ignore[attr-defined]
        return matrix(parts, shape=value._shape).toarray()  # type: ignore[attr-defined]
    if isinstance(value, _StandIn):
        raise ValueError("an array in it is computed, not stored")
    return np.asarray(value)


def _checked(name: str, file_name: str, fields: dict[str, Any]) -> BodyModel:
    def refuse(reason: str) -> ModelFileError:
        return ModelFileError(f"{file_name} is not an SMPL body with 24 joints: {reason}.")

    for key in ("v_template", "shapedirs", "J_regressor", "weights", "f"):
        if key not in fields:
            raise refuse(f"'{key}' is missing")
    template = np.asarray(fields["v_template"], np.float32)
    count = len(template)
    shapes = np.asarray(fields["shapedirs"], np.float32)[:, :, :MOST_SHAPES]
    regressor = np.asarray(fields["J_regressor"], np.float32)
    weights = np.asarray(fields["weights"], np.float32)
    faces = np.asarray(fields["f"]).astype(np.int32)
    expected = {
        "v_template": (template.shape, (count, 3)),
        "shapedirs": (shapes.shape[:2], (count, 3)),
        "J_regressor": (regressor.shape, (JOINT_COUNT, count)),
        "weights": (weights.shape, (count, JOINT_COUNT)),
        "f": (faces.shape[1:], (3,)),
    }
    for key, (found, wanted) in expected.items():
        if found != wanted:
            raise refuse(f"'{key}' has the shape {found} instead of {wanted}")
    if not all(np.isfinite(a).all() for a in (template, shapes, regressor, weights)):
        raise refuse("it holds numbers that are not finite")
    if not len(faces) or faces.min() < 0 or faces.max() >= count:
        raise refuse("its triangles point beyond its vertices")
    correctives = None
    if "posedirs" in fields and np.any(fields["posedirs"]):
        correctives = np.asarray(fields["posedirs"], np.float32).reshape(count * 3, -1).T
        if correctives.shape[0] != 9 * (JOINT_COUNT - 1):
            raise refuse(f"'posedirs' has {correctives.shape[0]} poses instead of 207")
    part = fields.get("part")
    if part is None:
        part = part_of_joint()[weights.argmax(axis=1)]
    elif np.shape(part) != (count,):
        raise refuse(f"'part' has the shape {np.shape(part)} instead of {(count,)}")
    return BodyModel(
        name, template, shapes, correctives, regressor, weights, faces, np.asarray(part, np.uint8)
    )


@dataclass(frozen=True, eq=False)
class SkinningTensors:
    """A body, or some of its vertices, as torch tensors for `skin`."""

    template: torch.Tensor  # (N, 3)
    shapes: torch.Tensor  # (N, 3, B)
    correctives: torch.Tensor | None  # (207, N * 3)
    joint_template: torch.Tensor  # (24, 3), joints of the template
    joint_shapes: torch.Tensor  # (24, 3, B), how betas move the joints
    weights: torch.Tensor  # (N, 24)


def tensors(
    model: BodyModel,
    vertices: npt.NDArray[np.integer] | None = None,
    dtype: torch.dtype = torch.float32,
) -> SkinningTensors:
    """What `skin` needs, for all vertices or a selection. Joints stay exact: the regressor is
    linear, so it is applied to template and shapes once, here."""
    chosen = slice(None) if vertices is None else vertices

    def tensor(array: npt.NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(dtype)

    correctives = None
    if model.correctives is not None:
        per_vertex = model.correctives.reshape(len(model.correctives), -1, 3)[:, chosen]
        correctives = tensor(per_vertex.reshape(len(model.correctives), -1))
    regressor = model.regressor.astype(np.float64)
    return SkinningTensors(
        tensor(model.template[chosen]),
        tensor(model.shapes[chosen]),
        correctives,
        tensor(regressor @ model.template),
        tensor(np.einsum("jv,vcb->jcb", regressor, model.shapes)),
        tensor(model.weights[chosen]),
    )


def rotation_matrices(axis_angle: torch.Tensor) -> torch.Tensor:
    """Rodrigues' formula: (..., 3) to (..., 3, 3), smooth through zero."""
    square = (axis_angle * axis_angle).sum(-1, keepdim=True)
    angle = torch.sqrt(square + 1e-16)
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    first = (torch.sin(angle) / angle).unsqueeze(-1)
    second = ((1 - torch.cos(angle)) / (angle * angle)).unsqueeze(-1)
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return identity + first * cross + second * (cross @ cross)


def joint_transforms(
    joints: torch.Tensor, rotations: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Forward kinematics. joints (B, 24, 3) at rest, rotations (B, 24, 3, 3) local.

    Returns posed joints (B, 24, 3) and rest-to-posed transforms (B, 24, 3, 4).
    """
    world: list[torch.Tensor] = []
    place: list[torch.Tensor] = []
    for j, parent in enumerate(PARENTS):
        if parent < 0:
            world.append(rotations[:, j])
            place.append(joints[:, j])
        else:
            world.append(world[parent] @ rotations[:, j])
            bone = (joints[:, j] - joints[:, parent]).unsqueeze(-1)
            place.append(place[parent] + (world[parent] @ bone).squeeze(-1))
    turned = torch.stack(world, 1)
    posed = torch.stack(place, 1)
    shift = posed - (turned @ joints.unsqueeze(-1)).squeeze(-1)
    return posed, torch.cat([turned, shift.unsqueeze(-1)], dim=-1)


def skin(
    body: SkinningTensors, betas: torch.Tensor, pose: torch.Tensor, translation: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pose a body. betas (B, S), pose (B, 24, 3) axis-angle, translation (B, 3).

    Returns vertices (B, N, 3), joints (B, 24, 3) and rest-to-posed transforms (B, 24, 4, 4),
    translation included in all three.
    """
    shapes = betas.shape[1]
    shaped = body.template + torch.einsum("ncs,bs->bnc", body.shapes[..., :shapes], betas)
    joints = body.joint_template + torch.einsum(
        "jcs,bs->bjc", body.joint_shapes[..., :shapes], betas
    )
    rotations = rotation_matrices(pose)
    if body.correctives is not None:
        identity = torch.eye(3, dtype=pose.dtype)
        feature = (rotations[:, 1:] - identity).reshape(len(pose), -1)
        shaped = shaped + (feature @ body.correctives).reshape(len(pose), -1, 3)
    posed, transforms = joint_transforms(joints, rotations)
    transforms = torch.cat(
        [transforms[..., :3], (transforms[..., 3] + translation[:, None]).unsqueeze(-1)], dim=-1
    )
    blended = torch.einsum("nj,bjrc->bnrc", body.weights, transforms)
    vertices = (blended[..., :3] @ shaped.unsqueeze(-1)).squeeze(-1) + blended[..., 3]
    last = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=pose.dtype)
    last = last.expand(len(pose), JOINT_COUNT, 1, 4)
    return vertices, posed + translation[:, None], torch.cat([transforms, last], dim=2)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread within.

    A body's tensors are small: a second thread gains nothing, and waiting for it costs three
    times the whole wherever another process wants the processor. Torch's own number of threads is
    put back, since Blender and other extensions share it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=4)
def cached_body_model(path: Path) -> BodyModel:
    """`load_body_model`, remembered between calls."""
    return load_body_model(path)
