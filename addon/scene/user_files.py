"""Where the extension keeps what users make: never beside its code."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..ui.preferences import PACKAGE


def mappings_folder() -> Path:
    """The folder of the joint mappings; it may not be there yet."""
    try:
        return Path(bpy.utils.extension_path_user(PACKAGE, path="mappings"))
    except ValueError:  # run from its sources, not as an installed extension
        return Path(bpy.utils.user_resource("CONFIG")) / "photo_wake_up" / "mappings"
