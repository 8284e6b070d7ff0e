"""An empty Blender file for each test that builds a scene."""

from __future__ import annotations

import os

import bpy
import pytest


@pytest.fixture
def empty_file() -> bpy.types.Scene:
    """The scene of a file without objects."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return bpy.context.scene


def pytest_unconfigure(config: pytest.Config) -> None:
    """Once glTF was exported, Blender's Python module never lets its process end by itself.

    Everything is reported by now, so the process ends here with pytest's own exit code.
    """
    code = getattr(config, "wake_up_exit_code", None)
    if code is not None:
        os._exit(code)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.wake_up_exit_code = int(exitstatus)
