"""Ways to damage files: anywhere, and where their checksums would not tell."""

from __future__ import annotations

import io
import resource
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hypothesis import strategies as st

# Numbers that claim much, nothing, or the impossible, as files write them.
NUMBERS = (
    *(struct.pack(form, value) for form in ("<I", ">I", "<H", ">H", "<q") for value in (
        0, 1, 0x7FFF,
    )),
    b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\xff\xff", b"\x00" * 8,
    struct.pack("<d", float("nan")), struct.pack("<d", float("inf")), struct.pack("<d", 1e308),
    b"99999999999999999999", b"-1", b"1e400", b"nan", b"\n", b"{", b"}", b"\x00", b"\xfe",
)  # fmt: skip

Edit = tuple[float, int, bytes]  # where, as a share of the length; how much goes; what comes


def edits(most: int = 4) -> st.SearchStrategy[list[Edit]]:
    """Some places of a file where bytes go, come, or are others."""
    content = st.one_of(st.sampled_from(NUMBERS), st.binary(max_size=12))
    gone = st.one_of(st.sampled_from([0, 1, 2, 4, 8]), st.integers(0, 400))
    return st.lists(st.tuples(st.floats(0, 1), gone, content), min_size=1, max_size=most)


def edited(content: bytes, changes: Sequence[Edit]) -> bytes:
    for at, gone, come in changes:
        place = int(at * len(content))
        content = content[:place] + come + content[place + gone :]
    return content


def with_png_chunk(content: bytes, number: int, changes: Sequence[Edit]) -> bytes:
    """A PNG one of whose chunks is damaged, and has the right checksum for it all the same."""
    chunks, at = [], 8
    while at + 8 <= len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    index = number % len(chunks)
    chunks[index] = (chunks[index][0], edited(chunks[index][1], changes))
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return content[:8] + b"".join(parts)


def with_member(content: bytes, number: int, changes: Sequence[Edit]) -> bytes:
    """An archive one of whose members is damaged, and has the right checksum all the same."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        for name in names:
            data = old.read(name)
            if name == names[number % len(names)]:
                # The header is what is believed: most damage goes there.
                data = edited(data[:128], changes) + data[128:]
            new.writestr(name, data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


@contextmanager
def bounded(seconds: float, megabytes: float) -> Iterator[None]:
    """Within, neither so much time passes nor so much more memory is in use than ever before."""
    before, started = _peak_mb(), time.process_time()
    yield
    assert time.process_time() - started < seconds
    assert _peak_mb() - before < megabytes


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in kilobytes
