"""What those who define the formats have against exported files: Khronos (glTF), Pixar (USD)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from .reference import PYTHON

ROOT = Path(__file__).resolve().parents[1]
NODE_MODULES = ROOT / "build" / "npm" / "node_modules"
_LEAST_VALIDATORS = 20  # of Pixar's, which come as plugins; fewer are a broken installation


def khronos(path: Path) -> dict[str, Any] | None:
    """The issues of a .glb or .vrm: numErrors, numWarnings, messages; None without npm."""
    if not (NODE_MODULES / "gltf-validator").is_dir():
        return None
    script = ROOT / "tests" / "validate_glb.mjs"
    issues: dict[str, Any] = _told("node", script, NODE_MODULES, path)["issues"]
    return issues


def pixar(path: Path) -> list[str] | None:
    """Sentences about a USD file; None before `make reference`."""
    if not PYTHON.is_file():
        return None
    told = _told(PYTHON, ROOT / "tests" / "reference" / "validate_usd.py", path)
    assert told["validators"] > _LEAST_VALIDATORS, "The validators were not found"
    says: list[str] = told["says"]
    return says


def _told(*command: Path | str) -> dict[str, Any]:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told
