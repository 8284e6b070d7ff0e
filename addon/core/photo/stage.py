"""The stage that reads the photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import PhotoError
from ..result import WakeUpResult
from ..stage import Inputs, Report, Stage
from ..user_paths import check_readable


def _run(inputs: Inputs, _report: Report) -> WakeUpResult:
    from .focal_length import camera_of
    from .image_files import load_photo

    check_readable(Path(inputs.photo_path), PhotoError, "choose another photo")
    photo = load_photo(inputs.photo_path)
    camera_of(photo, inputs.settings.focal_px)  # refused before any work
    return replace(inputs.result, photo=photo)


PHOTO = Stage(
    name="photo", title="", message="Reading the photo", share=0.01, needs=(), run=_run
)  # fmt: skip
