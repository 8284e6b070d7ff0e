"""Names that are handed to make reach the command as they stand: nothing of them is expanded, split
or run, neither by make nor by a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or shutil.which("bash") is None, reason="make or bash is missing"
)

NAMES = (
    "me.jpg",
    'a $(touch ran) `touch ran` "z".jpg',
    "$(shell touch ran).jpg",
    "${shell touch ran}.jpg",
    "$$(touch ran).jpg",
    "price $5 $HOME $$ $.jpg",
    "'; touch ran; '.jpg",
    '"; touch ran; ".jpg',
    "$(error stopped) $(info said).jpg",
    "a # b.jpg",
    "back\\slash\\.jpg",
    "tab\tand blank .jpg",
    "two\nlines.jpg",
    "--version",
    "-x.jpg",
    "a=b, %c; d&e|f>ran <g!.jpg",
    "*.jpg",
    "~nobody.jpg",
    "Zoë {x} 写真.jpg",
)


def _make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Runs make; in place of Python, printf tells the words that it was called with."""
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), "--old-file=setup",
         r"RUN=printf '%s\0'", *arguments],
        check=False, env=clean | environment, capture_output=True, timeout=60,
    )  # fmt: skip


def _words(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("through", ["argument", "environment"])
def test_a_name_reaches_the_command_whole(tmp_path, name, through):
    ran = ROOT / "ran"
    out = f"{name} out"
    command = ["-m", "photo_wake_up.addon.cli", f"--out={out}", "--frames", "3", "--", name]
    if through == "argument":
        done = _make("wake-up", f"PHOTO={name}", f"OUT={out}", "ARGS=--frames 3")
    else:
        done = _make("wake-up", "ARGS=--frames 3", PHOTO=name, OUT=out)
    was_run = ran.exists()
    ran.unlink(missing_ok=True)
    assert not was_run
    assert _words(done) == command


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("--", "~", "*"))])
def test_a_folder_reaches_the_command_whole(tmp_path, name):
    album = tmp_path / name
    album.mkdir()
    words = _words(_make("batch", f"PHOTOS={album}", f"OUT={name}"))
    assert words == ["-m", "photo_wake_up.addon.cli", f"--out={name}", "--", str(album)]
    refused = _make("batch", f"PHOTOS={album}/missing", f"OUT={name}")
    assert refused.returncode == 2 and not refused.stdout
    assert refused.stderr.startswith(os.fsencode(f"{album}/missing is no folder: "))
    assert not (ROOT / "ran").exists()


def test_options_are_a_list_of_words():
    done = _make("wake-up", "PHOTO=a.jpg", "OUT=b", """ARGS=--motion "my walk.bvh" --seed '4'""")
    assert _words(done)[3:-2] == ["--motion", "my walk.bvh", "--seed", "4"]


@pytest.mark.parametrize("given", [(), ("PHOTO=a.jpg",), ("OUT=b",), ("PHOTO=", "OUT=b")])
def test_what_is_missing_is_said(given):
    done = _make("wake-up", *given)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith(b"Say which photo and where to: ")


@pytest.mark.parametrize("arguments", ["--motion 'x", '--motion "x', "--motion $(x"])
@pytest.mark.parametrize("target", ["wake-up", "batch"])
def test_a_quote_that_is_not_closed_is_named(tmp_path, target, arguments):
    done = _make(target, "PHOTO=a.jpg", f"PHOTOS={tmp_path}", "OUT=b", f"ARGS={arguments}")
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith(b"ARGS cannot be read: close its quotes")


def test_words_of_arguments_are_looked_at_but_not_run_before_their_turn(tmp_path):
    ran = tmp_path / "ran"
    _make("wake-up", "PHOTO=a.jpg", "OUT=b", f"ARGS=$(echo x >> {ran})")
    assert ran.read_text() == "x\n"
