"""Where the model files are: networks and the default body."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import ModelFileError

ENVIRONMENT_VARIABLE = "PHOTO_WAKE_UP_MODELS"  # a folder that is looked into first
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def model_folders() -> tuple[Path, ...]:
    """Folders that are searched: the environment's, the packaged extension's, the build's."""
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    first = (Path(chosen),) if chosen else ()
    return (*first, _PACKAGE_ROOT / "assets" / "models", _PACKAGE_ROOT / "build" / "models")


def model_path(name: str) -> Path:
    """The path of a model file; ModelFileError where it is not installed."""
    for folder in model_folders():
        if (folder / name).is_file():
            return folder / name
    raise ModelFileError(
        f"The model file {name} is missing: run 'make models', or install the extension again."
    )
