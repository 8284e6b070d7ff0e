"""Arrays out of untrusted .npz files: numbers only, nothing is unpickled."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from typing import IO, Any, BinaryIO

import numpy as np
import numpy.typing as npt

# What reading an archive of another kind, or one cut short, raises besides UnfitArchiveError.
DAMAGED = (
    ValueError, KeyError, IndexError, TypeError, EOFError, RuntimeError, MemoryError,
    ArithmeticError, SyntaxError, NotImplementedError, AssertionError, tokenize.TokenError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class UnfitArchiveError(Exception):
    """Why an archive is not read, a part of a sentence."""


def read_npz(
    file: BinaryIO, wanted: Collection[str], most_bytes: int, instead: str = ""
) -> dict[str, npt.NDArray[Any]]:
    """The arrays called `wanted` of an .npz file; no other member is touched.

    Parameters
    ----------
    file : BinaryIO
        Opened for reading in binary.
    wanted : Collection[str]
        Names of arrays.
    most_bytes : int
        What they may unpack to, together.
    instead : str
        What to do about an array that is stored as a Python object, a part of a sentence.

    Returns
    -------
    dict[str, npt.NDArray[Any]]
        Those of them that the file has, of any shape.

    Raises
    ------
    UnfitArchiveError
        If it has no arrays, is too large, or has objects in place of wanted arrays. Damaged files
        raise one of DAMAGED.
    """
    fields = {}
    with zipfile.ZipFile(file) as archive:
        members = {item.filename: item for item in archive.infolist()}
        if not any(name.endswith(".npy") for name in members):
            raise UnfitArchiveError("it is an archive without arrays, perhaps to be unpacked first")
        chosen = {key: members[f"{key}.npy"] for key in wanted if f"{key}.npy" in members}
        if sum(item.file_size for item in chosen.values()) > most_bytes:
            raise UnfitArchiveError(f"it claims more than {most_bytes >> 20} MB")
        for key, item in chosen.items():
            with archive.open(item) as member:
                _check_header(key, member, item.file_size, instead)
            with archive.open(item) as member:
                fields[key] = np.lib.format.read_array(member, allow_pickle=False)
    return fields


def _check_header(key: str, member: IO[bytes], size: int, instead: str) -> None:
    """Look at an array's header before room is made for what it claims."""
    version = np.lib.format.read_magic(member)
    if version not in ((1, 0), (2, 0)):
        raise UnfitArchiveError(f"'{key}' is of an unknown format")
    if version == (1, 0):
        shape, _, kind = np.lib.format.read_array_header_1_0(member)
    else:
        shape, _, kind = np.lib.format.read_array_header_2_0(member)
    if kind.hasobject:
        raise UnfitArchiveError(f"'{key}' is stored as a Python object{instead}")
    if math.prod(shape) * kind.itemsize > size:
        raise UnfitArchiveError(f"'{key}' is cut short")
