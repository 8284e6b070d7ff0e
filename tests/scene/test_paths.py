"""Any name will do for what is written and read: nothing in it is a template, a frame's number or a
folder of Blender's, and where a name cannot be, one sentence says so before any work."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import pytest

from photo_wake_up.addon.core.errors import MotionError, OutputError
from photo_wake_up.addon.scene import build, output_files
from photo_wake_up.addon.scene.animation.motion_source import source_from_fbx
from photo_wake_up.addon.scene.export import registry
from photo_wake_up.addon.scene.render import film, stills
from photo_wake_up.addon.scene.render.settings import set_video

from . import figures

NAMES = (
    "{a}", "{blend_name}", "{{b}}", "open { and } shut", "frame_####", "a#b", "100%d %s",
    "Zoë 写真 😀", " blank ", "dots...", "two\nlines", "a[1]", "a <UDIM> *?|", "$HOME `x`", "~",
    "//", "back\\slash", "no text \udcff", "deep",
)  # fmt: skip
FRAMES = 2


def folder_called(tmp_path: Path, name: str) -> Path:
    """A folder of that name; "deep" is longer than Blender's paths, "//" begins so."""
    if name == "//":
        return Path(f"/{tmp_path}")
    folder = tmp_path.joinpath(*["deep" * 30] * 10) if name == "deep" else tmp_path / name
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def shot(empty_file):
    """A scene set up to be rendered, and its collection."""
    collection = build.build_scene(figures.result())
    stills.look_through(empty_file, collection, width=32, fps=figures.FPS)
    empty_file.frame_end = FRAMES
    return empty_file, collection


def filmed(shot, kind, target, stepwise=False) -> Path:
    work = film.film(*shot, kind, target, stepwise)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value


def names_in(folder: Path) -> set[str]:
    return {item.name for item in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_films(shot, tmp_path, name):
    folder = folder_called(tmp_path, name)
    own = "video" if name in ("//", "deep") else name
    for stepwise in (False, True):
        video = folder / f"{own}.mp4"
        assert filmed(shot, "mp4", video, stepwise) == video
        assert names_in(folder) == {video.name} and video.stat().st_size > 500
        video.unlink()
    # Blender's own button writes the same file.
    if name not in ("deep", "back\\slash"):
        bpy.ops.render.render(animation=True)
        assert names_in(folder) == {video.name}
        video.unlink()
    before = shot[0].render.filepath
    pictures = filmed(shot, "png", folder / own)
    assert names_in(pictures) == {"frame_0001.png", "frame_0002.png"}
    assert names_in(folder) == {own} and shot[0].render.filepath == before
    assert filmed(shot, "gif", folder / f"{own}.gif").stat().st_size > 500
    assert names_in(folder) == {own, f"{own}.gif"}


@pytest.mark.parametrize("name", NAMES)
def test_exports(shot, tmp_path, name):
    for module in ("io_scene_fbx", "io_scene_gltf2"):
        bpy.ops.preferences.addon_enable(module=module)
    folder = folder_called(tmp_path, name)
    own = "character" if name in ("//", "deep") else name
    files = {f"{own}.{kind}" for kind in ("glb", "usdz", "fbx", "vrm")}
    for file in files:
        registry.export_character(shot[1], file.rpartition(".")[2], folder / file)
    assert names_in(folder) == files
    assert all((folder / file).stat().st_size > 5000 for file in files)
    source = source_from_fbx(folder / f"{own}.fbx")
    assert len(source.names) == 24


@pytest.mark.parametrize("name", NAMES)
def test_blender_files(shot, tmp_path, name):
    folder = folder_called(tmp_path, name)
    set_video(shot[0], "//video.mp4")
    output_files.save_blend(folder / "scene.blend")
    assert names_in(folder) == {"scene.blend"}
    if name in ("deep", "back\\slash"):  # Blender itself opens none there
        return
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend" if name == "//" else
                                          folder / "scene.blend"))  # fmt: skip
    bpy.ops.render.render(animation=True)
    assert names_in(folder) == {"scene.blend", "video.mp4"}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_photos(empty_file, name):
    from dataclasses import replace

    result = figures.result()
    result = replace(result, photo=replace(result.photo, name=name * 3))
    assert build.is_whole(build.build_scene(result))


@pytest.mark.parametrize("directory", ["{a}", "a#b", "two\nlines"])
def test_the_systems_own_folder_for_scratch(shot, tmp_path, monkeypatch, directory):
    import tempfile

    scratch = folder_called(tmp_path, directory)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    assert stills.first_frame(*shot).shape == (figures.HEIGHT, figures.WIDTH, 3)
    target = tmp_path / "[x]"
    target.mkdir()
    assert filmed(shot, "mp4", target / "a.mp4").is_file()
    assert not list(scratch.iterdir())


def test_files_come_whole_from_another_disk(tmp_path, monkeypatch):
    """Where nothing can be moved at once, all is copied before any earlier file goes."""
    import errno

    folder, away = tmp_path / "out", tmp_path / "away"
    folder.mkdir(), away.mkdir()
    sources = [away / f"{number}" for number in range(3)]
    for source in sources:
        source.write_text("new")
    targets = [folder / source.name for source in sources]
    targets[0].write_text("old")
    real = os.replace

    def replace(source, target):
        if Path(source).parent == away:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    copied = output_files.shutil.copyfile

    def full(source, target):
        if Path(source).name == "2":
            raise OSError(errno.ENOSPC, "No space left on device")
        return copied(source, target)

    monkeypatch.setattr(output_files.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space"):
        output_files.put(sources, targets)
    assert names_in(folder) == {"0"} and targets[0].read_text() == "old"
    monkeypatch.setattr(output_files.shutil, "copyfile", copied)
    output_files.put(sources, targets)
    assert [target.read_text() for target in targets] == ["new"] * 3
    assert names_in(folder) == {"0", "1", "2"}


@pytest.mark.parametrize(
    ("given", "suffix", "made"),
    [
        ("walk v1.2", ".mp4", "walk v1.2.mp4"),
        ("walk.mp4", ".glb", "walk.glb"),
        ("walk.MP4", ".mp4", "walk.mp4"),
        ("walk.mp4", "", "walk"),
        ("take.1", "", "take.1"),
        ("dots..", ".gif", "dots...gif"),
        (".mp4", ".mp4", ".mp4.mp4"),
    ],
)
def test_a_names_own_dots_stay(given, suffix, made):
    others = (".mp4", ".glb", ".gif")
    assert output_files.with_suffix(Path("/x") / given, suffix, others) == Path("/x") / made


@pytest.mark.parametrize("kind", ["mp4", "png", "gif", "character"])
def test_names_that_cannot_be_are_refused_before_any_frame(shot, tmp_path, kind, monkeypatch):
    monkeypatch.setattr(
        film, "render_animation", lambda _scene: pytest.fail("a frame was rendered")
    )
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "folder.gif").mkdir()
    (tmp_path / "folder").write_text("a file")
    for target in ("n" * 300, "nowhere/a", "folder/a", "folder", "folder.mp4/" + "n" * 256):
        with pytest.raises(OutputError) as refused:
            filmed(shot, kind, tmp_path / target)
        assert len(str(refused.value)) < 300 and str(refused.value).endswith(".")
    assert names_in(tmp_path) == {"folder", "folder.mp4", "folder.gif"}


@pytest.mark.parametrize("kind", ["glb", "usdz", "fbx", "vrm"])
def test_exports_that_cannot_be_are_refused(shot, tmp_path, kind):
    (tmp_path / f"folder.{kind}").mkdir()
    for target in ("n" * 300, f"nowhere/a.{kind}", f"folder.{kind}"):
        with pytest.raises(OutputError) as refused:
            registry.export_character(shot[1], kind, tmp_path / target)
        assert len(str(refused.value)) < 300 and str(refused.value).endswith(".")
    assert names_in(tmp_path) == {f"folder.{kind}"}


def test_motions_that_cannot_be_read(empty_file, tmp_path):
    for name in ("n" * 300 + ".fbx", "nothing.fbx"):
        with pytest.raises(MotionError):
            source_from_fbx(tmp_path / name)
