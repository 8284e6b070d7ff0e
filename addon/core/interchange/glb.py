"""A .glb file as its JSON and its binary chunk (glTF 2.0, chapter 4.4), and changes to the JSON."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import OutputError

_MAGIC, _VERSION = b"glTF", 2
_JSON, _BINARY = b"JSON", b"BIN\0"
_ALIGNMENT = 4  # bytes; JSON is filled up with spaces, the binary chunk with zeros


@dataclass(frozen=True, eq=False)
class Glb:
    """json : the document; binary : its only buffer, perhaps empty."""

    json: dict[str, Any]
    binary: bytes

    @staticmethod
    def from_bytes(content: bytes) -> Glb:
        """Raises OutputError for what is no glTF 2.0 in binary form.

        Parameters
        ----------
        content : bytes
            A file's bytes.

        Returns
        -------
        Glb
            The document and its binary chunk.

        Raises
        ------
        OutputError
            If it is no glTF 2.0 in binary form.
        """
        chunks: dict[bytes, bytes] = {}
        try:
            magic, version, length = struct.unpack_from("<4sII", content)
            at = 12
            while at < length:
                size, kind = struct.unpack_from("<I4s", content, at)
                chunks[kind] = content[at + 8 : at + 8 + size]
                at += 8 + size
            if (magic, version, length) != (_MAGIC, _VERSION, len(content)):
                raise ValueError(magic)
            return Glb(json.loads(chunks[_JSON]), chunks.get(_BINARY, b""))
        except (struct.error, KeyError, ValueError) as error:
            raise OutputError("The glTF exporter wrote no glTF: export again.") from error

    def to_bytes(self) -> bytes:
        """The file's content."""
        text = json.dumps(self.json, ensure_ascii=False, separators=(",", ":")).encode()
        chunks = [_chunk(_JSON, text, b" ")]
        if self.binary:
            chunks.append(_chunk(_BINARY, self.binary, b"\0"))
        body = b"".join(chunks)
        return struct.pack("<4sII", _MAGIC, _VERSION, 12 + len(body)) + body


def _chunk(kind: bytes, content: bytes, filling: bytes) -> bytes:
    filled = content + filling * (-len(content) % _ALIGNMENT)
    return struct.pack("<I4s", len(filled), kind) + filled


def put_animations_in_order(document: dict[str, Any], names: Sequence[str]) -> None:
    """Sort a document's animations by their place in `names`: viewers play the first one when
    no one chooses. Nothing in glTF refers to an animation by its number.

    Parameters
    ----------
    document : dict[str, Any]
        A glTF document; changed in place.
    names : Sequence[str]
        Names of animations, the first one first.
    """
    if "animations" in document:
        where = {name: index for index, name in enumerate(names)}
        document["animations"].sort(key=lambda clip: where.get(clip["name"], len(where)))
