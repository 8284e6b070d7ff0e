"""Where the extension keeps what users make: never beside its code."""

from __future__ import annotations

from pathlib import Path

import bpy

_PACKAGE = (__package__ or "").rpartition(".addon")[0]  # the extension's name in Blender


def mappings_folder() -> Path:
    """The folder of the joint mappings; it may not be there yet."""
    try:
        return Path(bpy.utils.extension_path_user(_PACKAGE, path="mappings"))
    except ValueError:  # run from its sources, not as an installed extension
        return Path(bpy.utils.user_resource("CONFIG")) / "photo_wake_up" / "mappings"
