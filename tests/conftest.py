"""What all tests share: the package's name, the test data, and a Blender that is left clean."""

from __future__ import annotations

import importlib
import importlib.util
import os
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from .skips import SkipCount

# The same examples each time, however slow the machine: a change alone decides what fails.
settings.register_profile("photo_wake_up", derandomize=True, database=None, deadline=None)
settings.load_profile("photo_wake_up")

ROOT = Path(__file__).resolve().parents[1]
_EXIT_CODE = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--refuse-needless-skips",
        action="store_true",
        help="fail where a test was skipped though what it misses is there (tests/skips.py)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The package is the repository itself under the name that it is imported by: where it is not
    installed ('pip install -e .'), by way of a link, which Windows refuses to ordinary users."""
    package = ROOT / "build" / "packages" / "photo_wake_up"
    if not package.is_dir() and not _is_installed():
        package.parent.mkdir(parents=True, exist_ok=True)
        package.symlink_to("../..")
        importlib.invalidate_caches()
    config.pluginmanager.register(SkipCount(refuses=config.getoption("refuse_needless_skips")))


def _is_installed() -> bool:
    """Whether the package's name leads here, and not into another copy of the repository."""
    spec = importlib.util.find_spec("photo_wake_up")
    return spec is not None and Path(spec.origin or "").resolve().parent == ROOT


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Switch off an extension that a test left on, whatever became of the test."""
    session.config.stash[_EXIT_CODE] = int(session.exitstatus)
    bpy = sys.modules.get("bpy")
    if bpy is not None and hasattr(bpy.types.Scene, "wake_up"):
        from photo_wake_up.addon import registration

        registration.unregister()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Once glTF was exported, Blender's Python module never lets its process end by itself.

    Everything is reported by now, so the process ends here with pytest's own exit code.
    """
    if "bpy" in sys.modules and _EXIT_CODE in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_EXIT_CODE])


@pytest.fixture(scope="session", autouse=True)
def offline():
    """Nothing that is tested, the demo photo's whole way included, asks the network for anything:
    whoever connects, or looks a name up, fails."""

    def refuse(*_address: object, **_options: object) -> None:
        raise AssertionError("a test has asked for the network")

    def connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse()
        real(self, address)

    real = socket.socket.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real test pictures; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("PHOTO_WAKE_UP_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the folder of real test pictures is not there (PHOTO_WAKE_UP_DATA)")
    return folder


@pytest.fixture(scope="session")
def body():
    """The default body."""
    from photo_wake_up.addon.core.body.model.body_files import load_body_model
    from photo_wake_up.addon.core.inference.model_files import model_path

    return load_body_model(model_path("body.npz"))
