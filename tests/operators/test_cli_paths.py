"""The command takes any name for what it reads and writes, and says in one sentence which cannot
be."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import cv2
import pytest

from photo_wake_up.addon.cli import command as cli
from photo_wake_up.addon.cli.result_folder import read_report

from ..core.test_user_paths import NOBODY, locked  # noqa: F401 - a fixture
from ..scene.test_paths import folder_called
from .test_cli import FILES, refused

OPTIONS = (
    "PHOTO", "--out", "--motion", "--motions", "--joints", "--mask-network", "--joint-network",
    "--plate-network",
)  # fmt: skip


@pytest.fixture
def photo(tmp_path) -> Path:
    """A picture that shows nobody."""
    path = tmp_path / "photo.png"
    shades = cv2.GaussianBlur(cv2.randu(cv2.UMat(96, 96, cv2.CV_8UC3), 0, 255).get(), (0, 0), 8)
    cv2.imwrite(str(path), shades)
    return path


def with_path(option: str, path: str, photo: Path, out: Path) -> list[str]:
    """The command's arguments, one of whose paths is this one."""
    if option == "PHOTO":
        return [path, "--out", str(out)]
    if option == "--out":
        return [str(photo), f"--out={path}"]
    return [str(photo), "--out", str(out), f"{option}={path}"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("{a}#", "mp4"), ("{blend_name}", "png"), ("two\nlines \udcff", "mp4"), ("deep", "mp4"),
     ("//", "png")],
)  # fmt: skip
def test_results_in_folders_of_any_name(woken, tmp_path, capfd, name, kind):
    """`tests/scene/test_paths.py` has more names: here are all of a result's files."""
    place = folder_called(tmp_path, name)
    out = place / ("result" if name in ("//", "deep") else name)
    arguments = [f"{place}/{name[-1:]}.jpg", f"--out={out}", "--render", kind, "--width", "16"]
    assert cli.main(arguments) == cli.DONE
    expected = FILES | ({"video.mp4"} if kind == "mp4" else {"frames"})
    assert {item.name for item in out.iterdir()} == expected
    assert [item.name for item in place.iterdir()] == [out.name]
    assert read_report(out) is not None
    printed = capfd.readouterr()
    assert printed.err == "" and printed.out.splitlines()[-1].startswith("Done in ")
    # Blender's own button renders beside the file.
    if name != "deep":
        place = str(out / "scene.blend").replace("//", "/")
        bpy.ops.wm.open_mainfile(filepath=place)
        scene = bpy.context.scene
        scene.frame_end = 1
        bpy.ops.render.render(animation=True)
        assert {item.name for item in out.iterdir()} == expected


@pytest.mark.parametrize("option", OPTIONS)
def test_names_that_are_too_long(tmp_path, capfd, photo, option):
    out = tmp_path / "out"
    for name in ("n" * 300, "/".join(["n" * 200] * 25), "n" * 300 + ".bvh", "n" * 300 + ".npz"):
        said = refused(capfd, *with_path(option, f"{tmp_path}/{name}", photo, out))
        assert "File name too long" in said
    assert {item.name for item in tmp_path.iterdir()} == {"photo.png"}


@pytest.mark.parametrize("option", OPTIONS)
def test_users_that_are_not_there(tmp_path, capfd, photo, option, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (f"~{NOBODY}", f"~{NOBODY}/a.bvh"):
        said = refused(capfd, *with_path(option, path, photo, tmp_path / "out"))
        assert f"no user {NOBODY}" in said
    assert {item.name for item in tmp_path.iterdir()} == {"photo.png"}


@pytest.mark.skipif(os.name != "posix", reason="permissions are another matter there")
@pytest.mark.parametrize("option", OPTIONS)
def test_folders_that_one_may_not_enter(locked, capfd, option):  # noqa: F811 - the fixture
    for name in ("a.bvh", "a.npz", "a", "b/c"):
        said = refused(
            capfd, *with_path(option, f"{locked}/{name}", Path("photo.png"), Path("out"))
        )
        assert "Permission denied" in said


def test_home_is_home_for_every_option(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for option in OPTIONS:
        options = cli.parser().parse_args(with_path(option, "~/x.y", Path("p"), Path("o")))
        field = option.strip("-").replace("-", "_").lower()
        assert getattr(options, field) == str(tmp_path / "x.y")


def test_without_a_photo_nothing_is_taken_for_one(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "which photo" in refused(capfd, "", "--out", "out")
    assert not list(tmp_path.iterdir())
