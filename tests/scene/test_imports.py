"""Enabling the extension is quick: what takes seconds to import waits until it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[2] / "build" / "packages"
SLOW = ("torch", "numba", "pymatting")
_SOURCE = f"""
import sys, os, bpy
import photo_wake_up.addon.registration, photo_wake_up.addon.worker
print([name for name in {SLOW!r} if name in sys.modules], flush=True)
os._exit(0)
"""


def test_registration_imports_nothing_slow():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SOURCE],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.strip().splitlines()[-1] == "[]"
