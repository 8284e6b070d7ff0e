"""Datablocks that belong to another file: Blender lets nothing be added to them."""

from __future__ import annotations

import bpy

from ..core.errors import WakeUpError


def require_own(*blocks: bpy.types.ID) -> None:
    """Raise WakeUpError where one of the datablocks is linked or overrides a linked one."""
    for block in blocks:
        if block.library is not None or block.override_library is not None:
            raise WakeUpError(
                f"{block.name} belongs to another file: open that file, or make it local first."
            )
