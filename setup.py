"""What setuptools cannot read from pyproject.toml: the version and the packages.

The repository itself is the package photo_wake_up, as it is in Blender, where the extension's
folder is the package: setuptools' own search would name its folders without that.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
PACKAGE = "photo_wake_up"
CODE_FOLDERS = ("addon", "operators")  # what runs; tests and build scripts are not installed

inside = find_packages(
    str(ROOT), include=[f"{folder}{end}" for folder in CODE_FOLDERS for end in ("", ".*")]
)
manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
setup(
    script_name="setup.py",  # which is no module of the package, though it lies beside some
    version=manifest["version"],
    packages=[PACKAGE, *(f"{PACKAGE}.{name}" for name in inside)],
)
