"""What an FBX file claims to hold, looked at before room is made for it.

Blender's importer makes a list as long as a file states that a node has properties, and unpacks
arrays to whatever size: one wrong bit in a file of 400 kB takes 16 GB. The binary format (Blender
Foundation, "FBX binary file format specification", 2013): after 27 bytes, nodes, each with its end,
the number and length of its properties, and its name; then the properties, then nodes within it,
then an empty node.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path

from ...errors import MotionError

MOST_BYTES = 2**31  # that arrays unpack to together: hours of motion and millions of polygons
_MAGIC = b"Kaydara FBX Binary  \x00\x1a\x00"
_TEXT_HEAD = 4096  # bytes within which the text format names itself
_FIRST_NODE = 27  # behind magic and version
_WIDE_VERSION = 7500  # from it on, a node's numbers have eight bytes
_HEADERS = {False: struct.Struct("<IIIB"), True: struct.Struct("<QQQB")}
_SIZES = {b"Z": 1, b"Y": 2, b"B": 1, b"C": 1, b"I": 4, b"F": 4, b"D": 8, b"L": 8}
_STRINGS = (b"R", b"S")
_STRIDES = {b"b": 1, b"c": 1, b"i": 4, b"f": 4, b"d": 8, b"l": 8}
_ARRAY = struct.Struct("<III")  # number of elements, whether they are packed, bytes
_MOST_PACKED = 1032  # times that Deflate makes anything smaller, at most
_SMALL_BYTES = 2**26  # that an array may unpack to whatever it claims


def check_fbx(path: Path) -> None:
    """Raise MotionError where a binary FBX file claims more than there can be in it, or where its
    nodes do not lie within each other, since what is read then may claim anything.

    A file of another kind is refused as well. Other faults, and files that are not there, are left
    to the file's reader.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    MotionError
        If it claims what it cannot hold, or is no FBX.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
            if head != _MAGIC:
                _check_text(path, head + file.read(_TEXT_HEAD))
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                # Claims add up at once; whether they are kept takes seconds in large files.
                is_sound = _is_sound(data, False) and _is_sound(data, True)
    except (OSError, ValueError, struct.error):
        return
    if not is_sound:
        raise MotionError(
            f"{path.name} cannot be imported (it is damaged, or holds more than a motion): choose "
            "another file."
        )


def _check_text(path: Path, head: bytes) -> None:
    if b"FBX" not in head:
        raise MotionError(f"{path.name} is not an FBX file: choose another file.")


def _is_sound(data: mmap.mmap, unpacked_too: bool) -> bool:
    """Whether nodes lie within each other and what they claim has room; `unpacked_too`: and no
    array unpacks to more than it claims."""
    (version,) = struct.unpack_from("<I", data, len(_MAGIC))
    header = _HEADERS[version >= _WIDE_VERSION]
    at, ends, room = _FIRST_NODE, [len(data)], MOST_BYTES
    while ends:
        end, count, _, name = header.unpack_from(data, at)
        at += header.size + name
        if end == 0:
            around = ends.pop()
            if ends and at != around:
                return False
            continue
        if not at <= end <= ends[-1] or count > end - at:
            return False
        for _ in range(count):
            at, unpacked = _property(data, at, unpacked_too)
            room -= unpacked
            if room < 0 or at > end:
                return False
        if at < end:
            ends.append(end)
    return True


def _property(data: mmap.mmap, at: int, unpacked_too: bool) -> tuple[int, int]:
    """Where the property ends, and to how many bytes its array unpacks, as it claims or beyond any
    room where that is untrue; ValueError where it is of no known type."""
    kind, at = data[at : at + 1], at + 1
    if kind in _SIZES:
        return at + _SIZES[kind], 0
    if kind in _STRINGS:
        (length,) = struct.unpack_from("<I", data, at)
        return at + 4 + length, 0
    if kind not in _STRIDES:
        raise ValueError(kind)
    count, packed, length = _ARRAY.unpack_from(data, at)
    at += _ARRAY.size
    claimed = count * _STRIDES[kind]
    if packed != 1:
        return at + length, 0
    if claimed > length * _MOST_PACKED:
        return at + length, MOST_BYTES + 1
    large = unpacked_too and length * _MOST_PACKED > _SMALL_BYTES
    if large and _unpacks_beyond(data[at : at + length], claimed):
        return at + length, MOST_BYTES + 1
    return at + length, claimed


def _unpacks_beyond(packed: bytes, claimed: int) -> bool:
    """Whether Deflate's data unpack to more than is claimed; of damaged data that is unknown."""
    unpacker, found = zlib.decompressobj(), 0
    try:
        while packed and found <= claimed:
            found += len(unpacker.decompress(packed, 2**20))
            packed = unpacker.unconsumed_tail
    except zlib.error:
        return False
    return found > claimed
