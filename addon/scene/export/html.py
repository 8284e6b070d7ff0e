"""The character on a web page of its own."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...core.interchange.web_page import web_page
from ..output_files import written_whole
from .gltf import character_glb


def export_html(
    collection: bpy.types.Collection, path: Path, person: int = 1, lit: bool = False
) -> None:
    """Write one person's character with viewer and buttons to one .html file, which needs no
    network and no server.

    Raises OutputError as `export_glb` does, and where the viewer is not installed.
    """
    with written_whole(path) as made:
        glb = character_glb(collection, made, person, lit)
        made.write_text(web_page(collection.name, glb), encoding="utf-8")
