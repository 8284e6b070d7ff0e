"""FBX files that would take all memory are refused unread; sound ones, and other files, are not."""

from __future__ import annotations

import struct
import zlib

import pytest

from photo_wake_up.addon.core.errors import MotionError
from photo_wake_up.addon.core.motion.sources.fbx_check import check_fbx

from .damage import bounded

MAGIC = b"Kaydara FBX Binary  \x00\x1a\x00"


class Writer:
    """Nodes of one version; a node is (name, number of properties, their bytes, nodes within)."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.header = struct.Struct("<QQQB" if version >= 7500 else "<IIIB")

    def file(self, *nodes: tuple) -> bytes:
        content = MAGIC + struct.pack("<I", self.version)
        for node in nodes:
            content += self.node(len(content), *node)
        return content + bytes(self.header.size) + b"whatever comes behind"

    def node(self, at: int, name: bytes, count: int, values: bytes, *within: tuple) -> bytes:
        begin = at + self.header.size + len(name) + len(values)
        inner = b""
        for node in within:
            inner += self.node(begin + len(inner), *node)
        if within:
            inner += bytes(self.header.size)
        head = self.header.pack(begin + len(inner), count, len(values), len(name))
        return head + name + values + inner


def array(kind: bytes, count: int, content: bytes, packed: bool = True) -> bytes:
    content = zlib.compress(content) if packed else content
    return kind + struct.pack("<III", count, packed, len(content)) + content


PLAIN = b"".join(
    (b"Y\1\0", b"B\1", b"C\1", b"Z\1", b"I" + bytes(4), b"F" + bytes(4), b"D" + bytes(8),
     b"L" + bytes(8), b"S\3\0\0\0abc", b"R\2\0\0\0ab", array(b"d", 20, bytes(160)),
     array(b"i", 3, bytes(12), packed=False), array(b"b", 2, bytes(2)))
)  # fmt: skip
SOUND = (b"Objects", 13, PLAIN, (b"Model", 1, b"L" + bytes(8), (b"P", 0, b"")), (b"Q", 0, b""))
CLAIMS = {
    "properties": (b"Objects", 0xFFFFFFF0, PLAIN),
    "more properties than bytes": (b"Objects", 5000, PLAIN),
    "an array": (b"Objects", 1, array(b"d", 0x0FFFFFFF, bytes(160))),
    "an array that says less than it is": (b"Objects", 1, array(b"b", 9, bytes(2**27))),
    "arrays": (b"Objects", 40, array(b"b", 2**26, bytes(2**26)) * 40),
}


@pytest.fixture(params=[7400, 7500])
def writer(request):
    return Writer(request.param)


def test_sound_files_pass(writer, tmp_path):
    path = tmp_path / "a.fbx"
    path.write_bytes(writer.file(SOUND, (b"Takes", 0, b"")))
    check_fbx(path)


@pytest.mark.parametrize("what", CLAIMS)
def test_what_claims_too_much_is_refused(writer, tmp_path, what):
    path = tmp_path / "{a}.fbx"
    path.write_bytes(writer.file(SOUND, (b"Around", 0, b"", CLAIMS[what])))
    with bounded(5.0, 300.0), pytest.raises(MotionError, match="damaged") as refused:
        check_fbx(path)
    assert str(refused.value).endswith(".") and path.name in str(refused.value)


def test_an_end_that_is_lost_is_refused(writer, tmp_path):
    """What is read behind it is not what was written, and may claim anything."""
    content = bytearray(writer.file((b"Around", 0, b"", SOUND)))
    inner = len(MAGIC) + 4 + writer.header.size + len(b"Around")
    size = 8 if writer.version >= 7500 else 4
    for end in (0, len(content) + 99, 5):
        content[inner : inner + size] = end.to_bytes(size, "little")
        (tmp_path / "a.fbx").write_bytes(content)
        with pytest.raises(MotionError):
            check_fbx(tmp_path / "a.fbx")


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no motion at all", bytes(9000) + b"FBX"])
def test_other_files_are_none(tmp_path, content):
    path = tmp_path / "a.fbx"
    path.write_bytes(content)
    with pytest.raises(MotionError, match="a.fbx is not an FBX file"):
        check_fbx(path)


@pytest.mark.parametrize("content", [b"; FBX 7.3.0", MAGIC, MAGIC + b"\xe8"])
def test_other_faults_are_left_to_the_importer(tmp_path, content):
    path = tmp_path / "a.fbx"
    path.write_bytes(content)
    check_fbx(path)
    check_fbx(tmp_path / "missing.fbx")
    check_fbx(tmp_path)


def test_files_cut_short_end(writer, tmp_path):
    content = writer.file(SOUND)
    for length in range(0, len(content), 3):
        (tmp_path / "a.fbx").write_bytes(content[:length])
        try:
            check_fbx(tmp_path / "a.fbx")
        except MotionError:
            continue
