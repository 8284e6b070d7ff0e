"""Arrays out of pickles, without running anything that a pickle asks for.

SMPL's authors publish bodies as pickles of dictionaries: NumPy arrays, chumpy arrays and SciPy
matrices. Here every name that such a pickle looks up becomes a stand-in which only keeps what it
is given, so neither chumpy nor foreign code is needed, and arrays are made from the bytes that are
really there, so no number in the file can claim memory.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse

from ...errors import quoted

# The unpickler makes room for as many remembered objects as the largest number states; bodies have
# some hundreds.
MOST_REMEMBERED = 1_000_000
MOST_DENSE = 2**26  # entries of a sparse matrix made dense; a body's regressor has some 600,000


class _StandIn:
    """Takes the place of a foreign object in a pickle: keeps its state, runs nothing."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class _Stored(_StandIn):
    """chumpy.ch.Ch: an array, `x`."""

    x: Any


class _Selected(_StandIn):
    """chumpy.reordering.Select: `a`'s entries `idxs`, in the shape `preferred_shape`."""

    a: Any
    idxs: Any


class _Computed(_StandIn):
    """Any other chumpy expression. Bodies carry some that are results of the others."""


class _Sparse(_StandIn):
    """A compressed sparse matrix of any SciPy release."""

    data: Any
    indices: Any
    indptr: Any
    _shape: Any


class _SparseColumns(_Sparse):
    pass


class _SparseRows(_Sparse):
    pass


class _Type(_StandIn):
    """numpy.dtype: a letter and a size, and `order`, the order of its bytes."""

    def __init__(self, name: str, *_copying: object) -> None:
        self.name = name
        self.order: Any = "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]


class _Array(_StandIn):
    """numpy.ndarray, as the parts that a pickle describes it."""

    shape: Any
    kind: Any
    columns_first: Any
    content: Any

    def __setstate__(self, state: Any) -> None:
        _version, self.shape, self.kind, self.columns_first, self.content = state


def _empty_array(*_class_shape_and_type: object) -> _Array:
    """numpy.core.multiarray._reconstruct: an array whose state follows."""
    return _Array()


def _scalar(kind: object, content: object) -> _Array:
    """numpy.core.multiarray.scalar"""
    made = _Array()
    made.__setstate__((1, (), kind, False, content))
    return made


def _array_of_buffer(content: object, kind: object, shape: object, order: object) -> _Array:
    """numpy.core.numeric._frombuffer, which the pickles of protocol 5 ask for."""
    made = _Array()
    made.__setstate__((1, shape, kind, order == "F", content))
    return made


def _bare(cls: type, base: type, _state: object) -> object:
    """copyreg._reconstructor, for objects of pickle's oldest protocols."""
    if not issubclass(cls, _StandIn) or base is not object:
        raise pickle.UnpicklingError("it holds objects that a body does not need")
    return cls()


def _encoded(text: str, _encoding: str = "latin1") -> bytes:
    """_codecs.encode: how Python 3 stores bytes in old protocols, always as Latin 1."""
    return text.encode("latin1")


def _no_bytes(*_length: object) -> bytes:
    """bytes, which old protocols call without arguments where an array is empty."""
    return b""


class _ArraysOnly(pickle.Unpickler):
    """Makes stand-ins; refuses everything else."""

    _REPLACED: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): _Array, ("numpy", "dtype"): _Type,
        ("_codecs", "encode"): _encoded,
        ("__builtin__", "bytes"): _no_bytes, ("builtins", "bytes"): _no_bytes,
        ("chumpy.ch", "Ch"): _Stored, ("chumpy.reordering", "Select"): _Selected,
        ("copy_reg", "_reconstructor"): _bare, ("copyreg", "_reconstructor"): _bare,
        ("__builtin__", "object"): object, ("builtins", "object"): object,
    }  # fmt: skip
    for _core in ("numpy.core", "numpy._core"):  # before and since NumPy 2
        _REPLACED[f"{_core}.multiarray", "_reconstruct"] = _empty_array
        _REPLACED[f"{_core}.multiarray", "scalar"] = _scalar
        _REPLACED[f"{_core}.numeric", "_frombuffer"] = _array_of_buffer

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._REPLACED:
            return self._REPLACED[module, name]
        if module.split(".", maxsplit=1)[0] == "chumpy":
            return _Computed
        if module.startswith("scipy.sparse") and name in ("csc_matrix", "csr_matrix"):
            return _SparseColumns if name == "csc_matrix" else _SparseRows
        raise pickle.UnpicklingError(
            f"it asks for {quoted(module)}.{quoted(name)}, which a body does not need"
        )


def read_arrays(data: bytes, wanted: set[str]) -> dict[str, npt.NDArray[Any]]:
    """The arrays called `wanted` of a pickled dictionary; others are left out.

    Damaged pickles raise what Python and NumPy raise for them.

    Parameters
    ----------
    data : bytes
        The pickle.
    wanted : set[str]
        Keys of the dictionary.

    Returns
    -------
    dict[str, npt.NDArray[Any]]
        Those that are there, of any shape.

    Raises
    ------
    UnpicklingError
        If the pickle asks for anything but arrays.
    """
    # What the unpickler would make room for before it has read it is looked at first.
    for code, argument, _place in pickletools.genops(data):
        if code.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > MOST_REMEMBERED:
            raise pickle.UnpicklingError("it claims more objects than a body has")
    fields = _ArraysOnly(io.BytesIO(data), encoding="latin1").load()
    if not isinstance(fields, dict):
        raise pickle.UnpicklingError("it does not hold a table of arrays")
    return {key: _as_array(value) for key, value in fields.items() if key in wanted}


def _as_array(value: Any) -> npt.NDArray[Any]:
    """A field's value as a dense array; AttributeError where a stand-in lacks what it needs."""
    if isinstance(value, _Array):
        return _stored_array(value)
    if isinstance(value, _Stored):
        return _as_array(value.x)
    if isinstance(value, _Selected):
        chosen = _as_array(value.a).ravel()[_as_array(value.idxs)]
        return chosen.reshape(getattr(value, "preferred_shape", chosen.shape))
    if isinstance(value, _Sparse):
        if math.prod(value._shape) > MOST_DENSE:
            raise pickle.UnpicklingError("a matrix in it is larger than a body's")
        matrix = (
            scipy.sparse.csr_matrix if isinstance(value, _SparseRows) else scipy.sparse.csc_matrix
        )
        parts = tuple(_as_array(part) for part in (value.data, value.indices, value.indptr))
        sparse = matrix(parts, shape=value._shape)
        sparse.check_format(full_check=True)  # toarray() itself would write beyond its memory
        return sparse.toarray()
    raise pickle.UnpicklingError("an array in it is computed, not stored")


def _stored_array(value: _Array) -> npt.NDArray[Any]:
    if not isinstance(value.kind, _Type):
        raise pickle.UnpicklingError("an array in it is of no known type")
    kind: np.dtype[Any] = np.dtype(value.kind.name).newbyteorder(value.kind.order)
    if kind.kind not in "biuf":
        raise pickle.UnpicklingError("an array in it does not hold numbers")
    content = value.content
    if isinstance(content, str):  # as Python 2 wrote it
        content = content.encode("latin1")
    flat = np.frombuffer(content, kind)
    return flat.reshape(value.shape, order="F" if value.columns_first else "C")
