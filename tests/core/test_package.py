"""What the package's builder decides: which files go in, which wheels, what the manifest says."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path, PurePosixPath

import pytest
from packaging.tags import Tag, compatible_tags, cpython_tags

from photo_wake_up.addon.core.inference import model_files as searched
from photo_wake_up.addon.core.interchange import web_page
from photo_wake_up.assets.build_networks import NETWORKS
from photo_wake_up.assets.package import contents, extension_tool, wheels
from photo_wake_up.assets.package.build_package import MANIFEST, ROOT
from photo_wake_up.assets.package.contents import code_files, model_files, smuggled, web_files
from photo_wake_up.assets.package.errors import PackageError
from photo_wake_up.assets.package.manifest import completed, zip_name
from photo_wake_up.assets.package.wheels import Installed, Pin, blender_platform, choose, needed

LINUX = [Tag("cp311", "cp311", "manylinux_2_28_x86_64"), Tag("py3", "none", "any")]
TEXT = (ROOT / MANIFEST).read_text(encoding="utf-8")


def _tags(*platforms: str, python: tuple[int, int] = (3, 11)) -> list[Tag]:
    return [
        *cpython_tags(python, platforms=platforms),
        *compatible_tags(python, f"cp{python[0]}{python[1]}", platforms),
    ]


# --- Files


def test_what_git_keeps_of_the_code_is_what_goes_in():
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git repository")
    told = ("--cached", "--others", "--exclude-standard")  # new files that are not added yet, too
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", *told, "--",
         *contents.TOP_FILES, *contents.CODE_FOLDERS],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    kept = {PurePosixPath(name) for name in listed.stdout.split("\0") if name}
    assert set(code_files(ROOT)) == {name for name in kept if (ROOT / name).is_file()}


def test_data_goes_in_and_rubbish_stays_out(tmp_path: Path):
    wanted = ["__init__.py", "LICENSE", "addon/core/table.json", "addon/ui/panels.py",
              "operators/base.py"]  # fmt: skip
    unwanted = ["addon/__pycache__/a.cpython-311.pyc", "addon/.DS_Store", "operators/base.py~",
                "addon/core/.hidden/x.py", "addon/core/x.py.orig", "tests/test_x.py",
                "assets/build_body.py", "build/models/body.npz", "README.md"]  # fmt: skip
    for name in (*wanted, *unwanted):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path) for path in code_files(tmp_path)] == sorted(wanted)


def test_code_that_goes_in_imports_nothing_that_stays_out():
    for path in code_files(ROOT):
        if path.suffix == ".py":
            text = (ROOT / path).read_text(encoding="utf-8")
            for outside in ("smplx", "anny", "photo_wake_up", "mediapipe"):
                assert f"import {outside}" not in text and f"from {outside}" not in text, path


def _models(folder: Path) -> Path:
    for name in ("body.npz", *NETWORKS):
        (folder / name).write_bytes(b"model")
    return folder


def test_models_lie_where_the_extension_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contents, "NETWORKS", dict.fromkeys(NETWORKS, ""))
    (_models(tmp_path) / "SMPL_NEUTRAL.npz").write_bytes(b"somebody's own")
    found = model_files(tmp_path)
    assert {path.name for path in found} == {"body.npz", *NETWORKS}
    package = searched._PACKAGE_ROOT
    assert {package / path.parent for path in found} <= set(searched.model_folders())


def test_only_the_networks_that_were_checked_are_shipped(tmp_path: Path):
    with pytest.raises(PackageError, match=r"not the network that was checked"):
        model_files(_models(tmp_path))
    (tmp_path / "body.npz").unlink()
    with pytest.raises(PackageError, match=r"body\.npz is missing: run 'make models'"):
        model_files(tmp_path)


def test_the_viewer_lies_where_pages_look_for_it(tmp_path):
    with pytest.raises(PackageError, match="make setup"):
        web_files(tmp_path)
    (tmp_path / web_page._VIEWER).write_text("viewer")
    (inside,) = web_files(tmp_path)
    assert ROOT / inside.parent in web_page._FOLDERS


def test_smuggled_names_are_seen():
    fine = [
        "addon/core/body/fit/body_fit.py",
        "blender_manifest.toml",
        "wheels/torch-2.13.0-any.whl",
    ]
    wrong = ["wheels/smplx-0.1.28-py3-none-any.whl", "tests/conftest.py", "build/x", "addon/a.pyc",
             "addon/__pycache__/a", ".git/config"]  # fmt: skip
    assert smuggled([*fine, *wrong]) == wrong


# --- Wheels


def _environment(**packages: tuple[str, ...]) -> dict[str, Installed]:
    return {name.replace("_", "-"): Installed("1.0", asks) for name, asks in packages.items()}


def test_requirements_are_followed_to_the_end_and_markers_obeyed():
    here = _environment(
        a=("B>=0.5", 'c; extra == "more"', 'windows-only; sys_platform == "win32"', "numpy"),
        b=("d_e", "numpy"), c=(), d_e=("a",), windows_only=(), unrelated=(),
    )  # fmt: skip
    names = ["a", "b", "d-e"]
    assert needed(["a==1.0"], here, {"sys_platform": "linux"}) == tuple(
        Pin(name, "1.0") for name in names
    )
    on_windows = needed(["a==1.0"], here, {"sys_platform": "win32"})
    assert [pin.name for pin in on_windows] == [*names, "windows-only"]
    assert "c" in {pin.name for pin in needed(["a[more]"], here, {"sys_platform": "linux"})}


@pytest.mark.parametrize(
    ("asks", "sentence"),
    [
        ("smplx", "smplx may not be shipped"),
        ("nvidia-cublas", "CUDA build"),
        ("triton", "CUDA build"),
        ("a>1.0", "needed, and build/venv has 1.0: run 'make setup'"),
        ("absent", "needed, and build/venv does not have it"),
    ],
)
def test_what_may_not_or_cannot_be_shipped_is_refused(asks: str, sentence: str):
    here = _environment(a=(asks,), smplx=(), nvidia_cublas=(), triton=())
    with pytest.raises(PackageError, match=sentence):
        needed(["a"], here)


def test_the_projects_own_requirements_can_be_shipped():
    here = wheels.installed_here()
    pins = needed(wheels.read_requirements(ROOT / "requirements.txt"), here)
    names = {pin.name for pin in pins}
    assert {"scipy", "ai-edge-litert", "pymatting", "llvmlite"} <= names
    assert not names & {"numpy", "smplx", "torch", "anny", "bpy", "pytest"}
    assert all(pin.version == here[pin.name].version for pin in pins)


WHEELS = [
    "scipy-1.17.1-cp311-cp311-macosx_12_0_arm64.whl",
    "scipy-1.17.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    "scipy-1.17.1-cp311-cp311-win_amd64.whl",
    "scipy-1.17.1-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    "scipy-1.18.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    "scipy-1.17.1.tar.gz",
    "notes.whl",
]


@pytest.mark.parametrize(
    ("tags", "index"),
    [
        (_tags("macosx_12_0_arm64"), 0),
        (_tags("manylinux_2_28_x86_64", "manylinux_2_27_x86_64"), 1),
        (_tags("win_amd64"), 2),
        (_tags("manylinux_2_28_x86_64", python=(3, 13)), 3),
        (_tags("manylinux_2_17_aarch64"), None),
    ],
)
def test_a_wheel_is_of_its_version_platform_and_python(tags: list[Tag], index: int | None):
    found = choose(Pin("scipy", "1.17.1"), WHEELS, tags)
    assert found == (None if index is None else WHEELS[index])


def test_the_most_fitting_wheel_is_chosen_and_a_local_version_is_one_of_its_own():
    files = ["torch-2.13.0-py3-none-any.whl", "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl"]
    assert choose(Pin("torch", "2.13.0"), files, LINUX) == files[1]
    assert choose(Pin("torch", "2.13.0+cpu"), files, LINUX) is None
    local = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"
    assert choose(Pin("torch", "2.13.0+cpu"), [*files, local], LINUX) == local


def test_no_wheel_asks_for_a_newer_system_than_blender_does(monkeypatch: pytest.MonkeyPatch):
    offered = ["manylinux_2_35_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"]
    monkeypatch.setattr(wheels, "sys_tags", lambda: _tags(*offered))
    platforms = {tag.platform for tag in wheels.host_tags()}
    assert platforms == {*offered[1:], "any"}


def test_platforms_have_blenders_names():
    assert blender_platform("Linux", "x86_64") == "linux-x64"
    assert blender_platform("Linux", "aarch64") == "linux-arm64"
    assert blender_platform("Windows", "AMD64") == "windows-x64"
    assert blender_platform("Darwin", "arm64") == "macos-arm64"
    assert blender_platform("Darwin", "x86_64") == "macos-x64"
    with pytest.raises(PackageError, match="Plan9"):
        blender_platform("Plan9", "mips")


# --- Manifest


def test_the_manifest_is_completed_and_nothing_else_in_it_changes():
    names = ["torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl", "tqdm-4-py3-none-any.whl"]
    before = tomllib.loads(TEXT)
    after = tomllib.loads(completed(TEXT, names, "linux-x64", (3, 11)))
    assert after == {
        **before,
        "platforms": ["linux-x64"],
        "wheels": [f"./wheels/{name}" for name in names],
        "blender_version_max": "5.1.0",  # from then on Blender's Python is 3.13
    }
    later = tomllib.loads(completed(TEXT, names, "macos-arm64", (3, 13)))
    assert later["blender_version_min"] == "5.1.0" and "blender_version_max" not in later
    assert later["permissions"] == before["permissions"]


def test_a_manifest_that_cannot_be_completed_is_refused():
    with pytest.raises(PackageError, match=r"Python 3\.12"):
        completed(TEXT, [], "linux-x64", (3, 12))
    with pytest.raises(PackageError, match="writes wheels"):
        completed("wheels = []\n" + TEXT, [], "linux-x64", (3, 11))


def test_blenders_own_tool_accepts_the_manifest_and_refuses_a_wrong_one(tmp_path: Path):
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "good" / MANIFEST).write_text(TEXT)
    extension_tool.validate(tmp_path / "good")
    (tmp_path / "bad" / MANIFEST).write_text(TEXT.replace('"Rigging"', '"Witchcraft"'))
    with pytest.raises(PackageError, match="Witchcraft"):
        extension_tool.validate(tmp_path / "bad")


def test_the_zip_is_named_for_version_and_platform():
    version = tomllib.loads(TEXT)["version"]
    assert zip_name(TEXT, "linux-x64") == f"photo_wake_up-{version}-linux_x64.zip"
