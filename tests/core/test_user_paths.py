"""Paths that cannot be are refused with one sentence by whatever reads them; others mean what a
shell would take them for."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from photo_wake_up.addon.core import user_paths
from photo_wake_up.addon.core.body.model.body_files import load_body_model
from photo_wake_up.addon.core.errors import PersonError, WakeUpError
from photo_wake_up.addon.core.inference.model_files import ENVIRONMENT_VARIABLE, find_model
from photo_wake_up.addon.core.motion.performing.playlist import motion_files
from photo_wake_up.addon.core.motion.sources.library import load_motion
from photo_wake_up.addon.core.perception.landmarks.joints import read_joints
from photo_wake_up.addon.core.perception.segmentation.mask_networks import load_mask_network
from photo_wake_up.addon.core.photo.photo_folder import photos_in
from photo_wake_up.addon.core.pipeline.run import advance
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import WakeUpSettings

NO_USER = 65534  # the number of the user who owns nothing
NOBODY = "nobody-of-this-name"


def read_photo(path: Path) -> object:
    return list(advance(WakeUpResult(), WakeUpSettings(), path, "photo"))


READERS = {
    "photo.jpg": read_photo,
    "clip.bvh": lambda path: load_motion(path, 24.0),
    "clip.npz": lambda path: load_motion(path, 24.0),
    "net.onnx": load_mask_network,
    "joints.json": read_joints,
    "body.npz": load_body_model,
    "clips": motion_files,
    "photos": photos_in,
}


def sentence_of(read, path) -> str:
    with pytest.raises(WakeUpError) as refused:
        read(path)
    said = str(refused.value)
    assert said.endswith(".") and said.isprintable() and len(said) < 400
    return said


@pytest.fixture
def locked(tmp_path):
    """A folder that one may not enter, with a file that could be read."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o755)
    user = os.geteuid()
    if user == 0:  # nothing is closed to root
        tmp_path.chmod(0o700)
        os.seteuid(NO_USER)
    else:
        folder.chmod(0)
    try:
        yield folder
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


@pytest.mark.parametrize("name", READERS)
def test_names_that_are_too_long(tmp_path, name):
    read = READERS[name]
    suffix = Path(name).suffix
    sentence_of(read, tmp_path / ("n" * 300 + suffix))
    sentence_of(read, tmp_path.joinpath(*["n" * 200] * 30) / name)


@pytest.mark.skipif(os.name != "posix", reason="permissions are another matter there")
@pytest.mark.parametrize("name", READERS)
def test_folders_that_one_may_not_enter(locked, name):
    assert "Permission denied" in sentence_of(READERS[name], locked / name)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("odd", ["gone", "two\nlines", "no text \udcff", "~x", "{a}", "a\x1b[31m"])
def test_what_is_not_there(tmp_path, name, odd):
    sentence_of(READERS[name], tmp_path / f"{odd}{Path(name).suffix}")
    (tmp_path / "file").write_text("")
    sentence_of(READERS[name], tmp_path / "file" / name)


@pytest.mark.skipif(os.name != "posix", reason="permissions are another matter there")
def test_files_that_one_may_not_read():
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        files = [Path(name) / reader for reader in READERS if "." in reader]
        for file in files:
            file.write_bytes(b"x" * 100)
            file.chmod(0)
        try:
            if user == 0:
                os.seteuid(NO_USER)
            for file in files:
                assert "Permission denied" in sentence_of(READERS[file.name], file)
        finally:
            os.seteuid(user)


def test_a_models_folder_that_cannot_be(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / ("n" * 300)))
    assert ENVIRONMENT_VARIABLE in sentence_of(find_model, "body.npz")


def test_home_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert user_paths.user_path("~/a.jpg") == tmp_path / "a.jpg"
    assert user_paths.user_path("b/~/c.jpg") == Path("b/~/c.jpg")
    assert user_paths.user_path("./~a.jpg") == Path("~a.jpg")
    assert user_paths.user_path("//tmp/a") == Path("/tmp/a")
    assert "no user nobody" in sentence_of(user_paths.user_path, f"~{NOBODY}/a.jpg")
    sentence_of(user_paths.user_path, "~" + "n" * 300)
    (tmp_path / f"~{NOBODY}.jpg").write_text("")
    assert user_paths.user_path(f"~{NOBODY}.jpg") == Path(f"~{NOBODY}.jpg")


@pytest.mark.parametrize(
    "told",
    ["[" * 100_000, '{"nose": [1e999, 0]}', '{"nose": [' + "9" * 400 + ", 0]}",
     '{"nose": [NaN, 0]}', '{"nose": [1, true]}',
     '{"no\\nse\\u001b": [1, 2]}', '{"nose": [1, 2]' + " " * 200_000 + "}",
     "{}", "[]", "\ufeff{}", '{"' + "n" * 5000 + '": [1, 2]}', "\x00", ""],
)  # fmt: skip
def test_joints_that_are_none(tmp_path, told):
    path = tmp_path / "joints.json"
    path.write_text(told, encoding="utf-8")
    with pytest.raises(PersonError) as refused:
        read_joints(path)
    said = str(refused.value)
    assert said.endswith(".") and said.isprintable() and len(said) < 500


def test_joints_of_any_name(tmp_path):
    path = tmp_path / "{joints} #\n.json"
    path.write_text(json.dumps({"nose": [1, 2.5]}))
    assert read_joints(path) == {"nose": (1.0, 2.5)}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("read", [read_photo, lambda path: load_motion(path, 24.0)])
@pytest.mark.parametrize("suffix", ["", ".jpg", ".bvh", ".npz"])
def test_pipes_and_devices_are_named_and_do_not_wait(tmp_path, read, suffix):
    pipe, device = tmp_path / f"pipe{suffix}", tmp_path / f"zero{suffix}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path, kind in ((pipe, "named pipe"), (device, "device")):
        with pytest.raises(WakeUpError, match=f"{path.name} is a {kind}, not a file: choose"):
            read(path)
