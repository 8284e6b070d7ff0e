"""Installed in place the repository is the package, whatever its folder's name."""

from __future__ import annotations

import email
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD_FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "blender_manifest.toml", "README.md",
               "LICENSE", "requirements.txt", "requirements-dev.txt")  # fmt: skip


def _built(hook: str, repository: Path, out: Path) -> Path:
    """The wheel that pip would install; `hook` is the build backend's function (PEP 517, 660)."""
    code = f"import setuptools.build_meta as b, sys; b.{hook}(sys.argv[1])"
    out.mkdir()
    subprocess.run(
        [sys.executable, "-c", code, str(out)], cwd=repository, check=True, capture_output=True,
        timeout=120,
    )  # fmt: skip
    (wheel,) = out.glob("*.whl")
    return wheel


def _names_in(requirements: str) -> set[str]:
    lines = (ROOT / requirements).read_text("utf-8").splitlines()
    return {line.split("==")[0] for line in lines if line and not line.startswith("#")}


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's code under another name, without any link."""
    copy = tmp_path_factory.mktemp("somewhere") / "a copy"
    copy.mkdir()
    for name in BUILD_FILES:
        shutil.copy(ROOT / name, copy)
    shutil.copy(ROOT / "__init__.py", copy)
    for folder in ("addon", "operators", "assets", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "build" / "models").mkdir(parents=True)
    return copy


@pytest.fixture(scope="module")
def editable(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _built("build_editable", repository, tmp_path_factory.mktemp("wheels") / "editable")


def test_installed_in_place_every_module_is_the_repositorys(repository, editable, tmp_path):
    site = tmp_path / "site"
    shutil.unpack_archive(editable, site, "zip")
    (repository / "addon" / "core" / "made_later.py").write_text("HERE = True\n")
    code = (
        "import site, sys; site.addsitedir(sys.argv[1])\n"
        "import photo_wake_up, photo_wake_up.addon.core.errors as errors\n"
        "import photo_wake_up.tests.benches.rows, photo_wake_up.assets.package\n"
        "from photo_wake_up.addon.core import made_later\n"
        "print(photo_wake_up.__file__, errors.__file__, made_later.__file__, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(site)], check=False, cwd=tmp_path,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [Path(line).resolve() for line in done.stdout.splitlines()]
    inside = ("__init__.py", "addon/core/errors.py", "addon/core/made_later.py")
    assert found == [(repository / name).resolve() for name in inside]


def test_requirements_are_those_of_the_two_files(editable):
    told = _metadata(editable).get_all("Requires-Dist") or []
    development = {line.split("==")[0] for line in told if "extra ==" in line}
    running = {line.split("==")[0] for line in told if "extra ==" not in line}
    assert running == _names_in("requirements.txt")
    assert development == _names_in("requirements-dev.txt")


def test_the_version_stands_in_one_place(editable):
    stated = tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))["version"]
    assert _metadata(editable)["Version"] == stated
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project and "version" in project["dynamic"]


def test_a_wheel_holds_every_module_that_runs_and_no_other(repository, tmp_path):
    wheel = _built("build_wheel", repository, tmp_path / "out")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    folders = ((repository / folder).rglob("*.py") for folder in ("addon", "operators"))
    code = {path.relative_to(repository).as_posix() for found in folders for path in found}
    assert held == {f"photo_wake_up/{name}" for name in code | {"__init__.py"}}
