"""An empty file with the extension switched on, and switched off again whatever happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.cli import one_photo
from photo_wake_up.addon.core.types import Progress

from ..scene import figures

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def two_takes(tmp_path: Path) -> Path:
    """An FBX file of a person who jumps in one take and waves in another, beside a rope of more
    bones. Named before `addon` it is made before that."""
    import bpy

    from ..scene.fbx_files import acting, exported, rope

    bpy.ops.wm.read_factory_settings(use_empty=True)
    acting("Actor", ["jump", "wave"])
    rope()
    return exported(tmp_path / "takes.fbx", every_action=True)


@pytest.fixture
def addon():
    """The registered extension in an empty file; yields the scene."""
    import bpy

    from photo_wake_up.addon import registration

    bpy.ops.wm.read_factory_settings(use_empty=True)
    registration.register()
    try:
        yield bpy.context.scene
    finally:
        # A process that ends with an operator still registered can hang.
        registration.unregister()


@pytest.fixture(scope="session")
def demo_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered demo photo at half its size: the buttons are tested here, not the quality."""
    path = ROOT / "build" / "demo_photo" / "photo.png"
    if not path.is_file():
        pytest.skip("the demo photo is not rendered yet: make demo")
    half = tmp_path_factory.mktemp("demo") / "demo.png"
    with Image.open(path) as picture:
        picture.convert("RGB").reduce(2).save(half)
    return half


@pytest.fixture
def empty_picture(tmp_path: Path) -> Path:
    """A picture without anybody in it."""
    path = tmp_path / "empty.png"
    shade = np.linspace(60, 200, 300, dtype=np.uint8)
    Image.fromarray(np.repeat(np.tile(shade, (400, 1))[..., None], 3, 2)).save(path)
    return path


@pytest.fixture
def woken(monkeypatch):
    """The stages' part of the command's work, done beforehand on a figure of tubes."""

    def instead(*_arguments):
        yield Progress(0.5, "Pretending")
        return figures.result()

    monkeypatch.setattr(one_photo, "run", instead)
