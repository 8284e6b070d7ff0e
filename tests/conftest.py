"""What all tests share: the package's name, the test data, and a Blender that is left clean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real test pictures; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("PHOTO_WAKE_UP_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the folder of real test pictures is not there (PHOTO_WAKE_UP_DATA)")
    return folder


@pytest.fixture(scope="session")
def body():  # noqa: ANN201 - imported late, so that tests without a body need none
    """The default body."""
    from photo_wake_up.addon.core.body.model import load_body_model
    from photo_wake_up.addon.core.model_files import model_path

    return load_body_model(model_path("body.npz"))
