"""What a character can be written to, by kind of file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from ...core.errors import OutputError
from .fbx import export_fbx
from .gltf import export_glb
from .html import export_html
from .usd import export_usdz
from .vrm import export_vrm

# The suffix of each kind's files is its name with a dot before.
KINDS: dict[str, str] = {
    "glb": "glTF: every viewer, engine and browser",
    "usdz": "USDZ: iPhone and iPad (AR Quick Look), Pixar's USD",
    "fbx": "FBX: Unreal, Unity, Maya",
    "vrm": "VRM 1.0: an avatar, at rest and without clips",
    "html": "a web page with viewer and buttons, which needs no network",
}


@dataclass(frozen=True)
class ExportOptions:
    """lit : the material that takes light (glb, usdz, vrm, html; fbx has no other)
    plate : the background comes along (glb)
    author : of the avatar (vrm)
    """

    lit: bool = False
    plate: bool = False
    author: str = ""


def suffix(kind: str) -> str:
    """Of files of this kind."""
    return f".{kind}"


def export_character(
    collection: bpy.types.Collection,
    kind: str,
    path: Path,
    person: int = 1,
    options: ExportOptions | None = None,
) -> None:
    """Write one person, counted from 1, to a file of a kind of KINDS.

    Raises OutputError, one sentence, where that cannot be; no part of a file is left then.
    """
    chosen = options or ExportOptions()
    if kind == "glb":
        export_glb(collection, path, person, chosen.lit, chosen.plate)
    elif kind == "usdz":
        export_usdz(collection, path, person, chosen.lit)
    elif kind == "fbx":
        export_fbx(collection, path, person)
    elif kind == "vrm":
        export_vrm(collection, path, person, chosen.lit, chosen.author)
    elif kind == "html":
        export_html(collection, path, person, chosen.lit)
    else:
        raise OutputError(f"There is no export to '{kind}': choose {', '.join(KINDS)}.")
