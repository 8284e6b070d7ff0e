"""Blender's own extension tool, as it lies in the bpy wheel."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from .errors import PackageError

_TOOL = "scripts/addons_core/bl_pkg/cli/blender_ext.py"
_TAGS = "scripts/modules/_bpy_internal/extensions/tags.py"


def _blender_files() -> Path:
    # Found, not imported: importing would start Blender.
    spec = importlib.util.find_spec("bpy")
    for folder in spec.submodule_search_locations or () if spec else ():
        for tool in Path(folder).glob(f"*/{_TOOL}"):
            return tool.parents[len(Path(_TOOL).parts) - 1]
    raise PackageError("The bpy wheel with Blender's extension tool is missing: run 'make setup'.")


def build(source: Path, target: Path) -> None:
    """Build the zip `target` from a folder with a manifest; PackageError with the tool's words."""
    tags = _blender_files() / _TAGS
    _run(
        "build", "--source-dir", str(source), "--output-filepath", str(target),
        "--valid-tags", str(tags),
    )  # fmt: skip


def validate(path: Path) -> None:
    """Check a zip or a folder; PackageError with the tool's words."""
    _run("validate", "--valid-tags", str(_blender_files() / _TAGS), str(path))


def _run(*arguments: str) -> None:
    command = [sys.executable, str(_blender_files() / _TOOL), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        raise PackageError(f"Blender's extension tool refuses ({arguments[0]}):\n{said}")
