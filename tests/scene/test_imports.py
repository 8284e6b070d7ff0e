"""Enabling the extension is quick: what takes seconds to import waits until it is needed, and the
command starts without Blender."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from photo_wake_up.addon.scene.export.registry import KINDS

PACKAGES = Path(__file__).resolve().parents[2] / "build" / "packages"
SLOW = ("torch", "numba", "pymatting")
_SOURCE = f"""
import sys, os, bpy
import photo_wake_up.addon.registration, photo_wake_up.addon.worker
print([name for name in {SLOW!r} if name in sys.modules], flush=True)
os._exit(0)
"""


_WITHOUT_BLENDER = """
import sys
sys.modules["bpy"] = None
from photo_wake_up.addon.scene.export.registry import KINDS
print(*KINDS)
"""


def _last_line(source):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", source],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout.strip().splitlines()[-1]


def test_registration_imports_nothing_slow():
    assert _last_line(_SOURCE) == "[]"


def test_the_command_knows_the_export_formats_without_blender():
    assert _last_line(_WITHOUT_BLENDER).split() == list(KINDS)
