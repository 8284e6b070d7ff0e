"""An empty Blender file for each test that builds a scene."""

from __future__ import annotations

import bpy
import pytest


@pytest.fixture
def empty_file() -> bpy.types.Scene:
    """The scene of a file without objects."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return bpy.context.scene
