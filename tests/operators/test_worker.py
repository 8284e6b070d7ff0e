"""The worker process gives what this process gives, and dies when it is told to."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from photo_wake_up.addon import worker
from photo_wake_up.addon.core.errors import PersonError, PhotoError, WakeUpError
from photo_wake_up.addon.core.pipeline.request import Request, run
from photo_wake_up.addon.core.pipeline.run import drain
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import WakeUpSettings


def _request(path, until: str) -> Request:
    return Request(WakeUpResult(), WakeUpSettings(), str(path), until)


def _at_work(path, monkeypatch):
    """A worker's generator after its first step, with the worker's folder and its process."""
    started = []
    real = worker._start
    monkeypatch.setattr(
        worker, "_start", lambda *a: started.append((a, real(*a))) or started[-1][1]
    )
    work = worker.advance_in_worker(_request(path, "motion"))
    next(work)
    (folder, _log), process = started[0]
    return work, folder, process


def test_same_values_and_errors_as_in_this_process(empty_picture):
    request = _request(empty_picture, "photo")
    there = drain(worker.advance_in_worker(request))
    here = drain(run(request))
    assert np.array_equal(there.photo.rgb, here.photo.rgb)
    assert type(there.photo) is type(here.photo)


def test_errors_keep_kind_and_sentence(empty_picture, tmp_path):
    with pytest.raises(PersonError, match="No person"):
        drain(worker.advance_in_worker(_request(empty_picture, "person")))
    missing = _request(tmp_path / "nothing.jpg", "photo")
    with pytest.raises(PhotoError) as there:
        drain(worker.advance_in_worker(missing))
    with pytest.raises(PhotoError) as here:
        drain(run(missing))
    assert str(there.value) == str(here.value)


def test_closing_ends_the_process_and_removes_its_folder(empty_picture, monkeypatch):
    work, folder, process = _at_work(empty_picture, monkeypatch)
    assert process.poll() is None and folder.is_dir()
    since = time.perf_counter()
    work.close()
    assert process.returncode is not None
    assert not folder.exists()
    assert time.perf_counter() - since < 5


def test_a_crash_becomes_a_sentence(empty_picture, monkeypatch, tmp_path):
    broken = tmp_path / "addon" / "worker_process.py"
    broken.parent.mkdir()
    broken.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    monkeypatch.setattr(worker, "_ROOT", tmp_path)
    with pytest.raises(WakeUpError, match="stopped unexpectedly"):
        drain(worker.advance_in_worker(_request(empty_picture, "photo")))


def test_killed_from_outside_is_a_sentence_and_leaves_no_folder(empty_picture, monkeypatch):
    work, folder, process = _at_work(empty_picture, monkeypatch)
    process.kill()
    with pytest.raises(WakeUpError, match="stopped unexpectedly"):
        drain(work)
    assert not folder.exists()


def test_a_missing_python_becomes_a_sentence(empty_picture, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WakeUpError, match="could not be started"):
        drain(worker.advance_in_worker(_request(empty_picture, "photo")))


def test_dotted_extension_names_are_rebuilt(tmp_path):
    """In Blender the package is bl_ext.<repository>.<id>; pickles name it so."""
    import subprocess
    from pathlib import Path

    root = Path(worker.__file__).resolve().parents[1]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import worker_process as w; "
        "from pathlib import Path; w.load_package(Path(sys.argv[1]).parent, 'bl_ext.here.waking'); "
        "sys.path.pop(0); import importlib; "
        "m = importlib.import_module('bl_ext.here.waking.addon.core.types'); "
        "print(m.Photo.__module__)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(root / "addon")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "bl_ext.here.waking.addon.core.types"
