"""What a character can be written to, one entry a format.

Command, button and checks read the entries; what writes a file needs Blender and is imported when
it is called, so that the command knows the formats before Blender is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import OutputError

if TYPE_CHECKING:
    import bpy


@dataclass(frozen=True)
class ExportOptions:
    """What may be chosen; each format reads those that its `Exporter.options` names.

    lit : the material that takes light instead of the photo's colours as they are
    plate : the background comes along
    author : of the avatar
    """

    lit: bool = False
    plate: bool = False
    author: str = ""


@dataclass(frozen=True)
class Exporter:
    """A format."""

    name: str  # as users choose it
    title: str
    suffix: str  # of its files
    options: tuple[str, ...]  # fields of ExportOptions that it reads, in the order they are shown
    # A result's collection, the file, which person from 1, what was chosen. Raises OutputError.
    write: Callable[[bpy.types.Collection, Path, int, ExportOptions], None]


def _write_glb(
    collection: bpy.types.Collection, path: Path, person: int, options: ExportOptions
) -> None:
    from .gltf import export_glb

    export_glb(collection, path, person, options.lit, options.plate)


def _write_usdz(
    collection: bpy.types.Collection, path: Path, person: int, options: ExportOptions
) -> None:
    from .usd import export_usdz

    export_usdz(collection, path, person, options.lit)


def _write_fbx(
    collection: bpy.types.Collection, path: Path, person: int, _options: ExportOptions
) -> None:
    from .fbx import export_fbx

    export_fbx(collection, path, person)


def _write_vrm(
    collection: bpy.types.Collection, path: Path, person: int, options: ExportOptions
) -> None:
    from .vrm import export_vrm

    export_vrm(collection, path, person, options.lit, options.author)


def _write_html(
    collection: bpy.types.Collection, path: Path, person: int, options: ExportOptions
) -> None:
    from .html import export_html

    export_html(collection, path, person, options.lit)


EXPORTERS = (
    Exporter(
        "glb", "glTF: every viewer, engine and browser", ".glb", ("lit", "plate"), _write_glb
    ),
    Exporter(
        "usdz", "USDZ: iPhone and iPad (AR Quick Look), Pixar's USD", ".usdz", ("lit",),
        _write_usdz,
    ),
    # FBX has no other material than the one that takes light.
    Exporter("fbx", "FBX: Unreal, Unity, Maya", ".fbx", (), _write_fbx),
    Exporter(
        "vrm", "VRM 1.0: an avatar, at rest and without clips", ".vrm", ("lit", "author"),
        _write_vrm,
    ),
    Exporter(
        "html", "a web page with viewer and buttons, which needs no network", ".html", ("lit",),
        _write_html,
    ),
)  # fmt: skip
KINDS = tuple(exporter.name for exporter in EXPORTERS)


def exporter_of(kind: str) -> Exporter:
    """The format of that name; OutputError, which names them all, where there is none."""
    for exporter in EXPORTERS:
        if exporter.name == kind:
            return exporter
    raise OutputError(f"There is no export to '{kind}': choose {', '.join(KINDS)}.")


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
    exporter_of(kind).write(collection, path, person, options or ExportOptions())
