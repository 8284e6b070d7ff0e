"""The character as an avatar (VRM 1.0)."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...core.interchange.vrm import AvatarMeta, make_avatar
from ..output_files import written_whole
from .gltf import character_glb

UNKNOWN_AUTHOR = "unknown"  # VRM demands that there be one


def export_vrm(
    collection: bpy.types.Collection,
    path: Path,
    person: int = 1,
    lit: bool = False,
    author: str = "",
) -> None:
    """Write one person's mesh, skin and texture at rest, in T-pose, with VRM's humanoid bones.

    author : whose avatar it is, as the file states

    Raises OutputError as `export_glb` does.
    """
    with written_whole(path) as made:
        glb = character_glb(collection, made, person, lit, moving=False)
        name = collection.name if person == 1 else f"{collection.name} {person}"
        make_avatar(glb.json, AvatarMeta(name, author.strip() or UNKNOWN_AUTHOR))
        made.write_bytes(glb.to_bytes())
