"""The manifest in the zip: the repository's, and what only a build knows."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from typing import Any

from .errors import PackageError

WHEELS_FOLDER = "wheels"
# Compiled wheels run in one Python. Which Blender has it: from the first, before the second.
_BLENDERS = {(3, 11): ("4.5.0", "5.1.0"), (3, 13): ("5.1.0", None)}


def completed(
    text: str, wheels: Sequence[str], blender_platform: str, python: tuple[int, int]
) -> str:
    """The manifest with its wheels (file names), platform and the Blenders that they run in."""
    manifest = tomllib.loads(text)
    if python not in _BLENDERS:
        raise PackageError(f"No Blender from 4.5 on has Python {python[0]}.{python[1]}.")
    first, end = _BLENDERS[python]
    added: dict[str, Any] = {
        "platforms": [blender_platform],
        "wheels": [f"./{WHEELS_FOLDER}/{name}" for name in wheels],
    }
    if end:
        added["blender_version_max"] = end
    twice = sorted(added.keys() & manifest.keys())
    if twice:
        raise PackageError(f"The build writes {twice[0]} into the manifest: take it out there.")
    lines = text.splitlines()
    # Keys stand before the first table.
    tables = [k for k, line in enumerate(lines) if line.startswith("[")]
    place = tables[0] if tables else len(lines)
    # TOML writes strings and lists of strings as JSON does.
    new = [f"{key} = {json.dumps(value, indent=2)}" for key, value in sorted(added.items())]
    finished = "\n".join([*lines[:place], *new, "", *lines[place:], ""])
    finished = finished.replace(
        f'blender_version_min = "{manifest["blender_version_min"]}"',
        f'blender_version_min = "{first}"',
    )
    expected = {**manifest, **added, "blender_version_min": first}
    if tomllib.loads(finished) != expected:
        raise PackageError("The manifest could not be completed: keep its plain layout.")
    return finished


def zip_name(text: str, blender_platform: str) -> str:
    """The zip's file name, as Blender's own tool names those of one platform."""
    manifest = tomllib.loads(text)
    platform = blender_platform.replace("-", "_")
    return f"{manifest['id']}-{manifest['version']}-{platform}.zip"
