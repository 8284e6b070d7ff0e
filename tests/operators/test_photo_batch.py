"""A folder of photos: what fails fails alone, what is finished stays and is not done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.cli import command as cli
from photo_wake_up.addon.cli import folder as photo_folder
from photo_wake_up.addon.cli.result_folder import REPORT, move_into_place, read_report
from photo_wake_up.addon.cli.standard_output import say
from photo_wake_up.addon.core.errors import WakeUpError
from photo_wake_up.addon.core.photo.photo_folder import fingerprint, photos_in, result_names
from photo_wake_up.addon.core.reports.batch_sheet import MOST_MEGAPIXELS, Entry, overview

ROOT = Path(__file__).resolve().parents[2]

# Takes the command's arguments and does what the photo's name says. Starts quickly: it imports
# nothing but what writes results.
PRETENDER = """
import os, shutil, signal, sys, time
from pathlib import Path
from photo_wake_up.addon.cli.result_folder import beside, move_into_place, write_report
photo, out = Path(sys.argv[1]), Path(sys.argv[-1])
here = Path(__file__).parent
with open(here / "done.txt", "a") as told:
    print(photo.name, file=told)
with beside(out) as folder:
    shutil.copy(here / "grey.png", folder / "strip.png")
    if "dies" in photo.name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "slow" in photo.name:
        (here / "slow").touch()
        time.sleep(60)
    if "refused" in photo.name:
        print("a warning", file=sys.stderr)
        print("Nobody is here: choose another photo.", file=sys.stderr)
        sys.exit(2)
    if "bug" in photo.name:
        raise KeyError("surprise")
    if "greedy" in photo.name:
        raise MemoryError
    report = {"seconds": 1.5, "people": 2, "first_frame_psnr_db": 40.0, "peak_memory_mb": 9.0}
    frames = sys.argv[sys.argv.index("--frames") + 1] if "--frames" in sys.argv else "120"
    write_report(folder, report, f"{frames} {photo.read_bytes().hex()}")
    move_into_place(folder, out)
"""


@pytest.fixture
def pretending(tmp_path, monkeypatch):
    """The command's process replaced by a quick one; gives which photos it was started for."""
    script = tmp_path / "bin" / "pretender.py"
    script.parent.mkdir()
    script.write_text(PRETENDER)
    Image.fromarray(np.full((64, 140, 3), 90, np.uint8)).save(script.with_name("grey.png"))
    done = script.with_name("done.txt")
    monkeypatch.setattr(photo_folder, "this_command", lambda: (sys.executable, str(script)))
    monkeypatch.setattr(
        photo_folder,
        "made_from",
        lambda options, photo: f"{options.frames} {photo.read_bytes().hex()}",
    )

    def started() -> list[str]:
        names = sorted(done.read_text().split()) if done.exists() else []
        done.unlink(missing_ok=True)
        return names

    return started


def _photos(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for shade, name in enumerate(names):
        Image.new("RGB", (80, 100), (40 * shade % 256, 90, 120)).save(folder / name)
    return folder


def _run(folder: Path, out: Path, *options: str) -> int:
    return cli.main([str(folder), "--out", str(out), *options])


def _rows(out: Path) -> dict[str, dict]:
    return {row["photo"]: row for row in json.loads((out / "summary.json").read_text())["photos"]}


def _hidden(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".wake-up")]


def test_each_photo_fails_alone(pretending, tmp_path, capfd):
    names = ("a.png", "bug.png", "dies.png", "greedy.png", "refused.png", "z.png")
    album, out = _photos(tmp_path / "album", *names), tmp_path / "new" / "out"
    (album / "notes.txt").write_text("no photo")
    assert _run(album, out, "--jobs", "2", "--frames", "7") == cli.SOME_FAILED == 1
    rows = _rows(out)
    assert list(rows) == list(names)
    assert [rows[name]["status"] for name in names] == ["done", *["failed"] * 4, "done"]
    assert rows["refused.png"]["error"] == "Nobody is here: choose another photo."
    assert "crashed" in rows["dies.png"]["error"]
    assert "surprise" in rows["bug.png"]["error"] and "Traceback" in rows["bug.png"]["log"][0]
    for name in ("dies.png", "greedy.png"):
        assert "memory" in rows[name]["error"] and "smaller photo" in rows[name]["error"]
    # A fault of the program is no matter of the photo's size or of how many are at work.
    assert not any(word in rows["bug.png"]["error"] for word in ("memory", "smaller", "--jobs"))
    assert all(rows[name]["error"].endswith(".") for name in names[1:5])
    assert rows["a.png"]["people"] == 2 and rows["a.png"]["first_frame_psnr_db"] == 40
    assert {item.name for item in out.iterdir()} == {"a", "z", "summary.json", "contact_sheet.png"}
    assert {item.name for item in (out / "a").iterdir()} == {"strip.png", REPORT}
    assert not _hidden(tmp_path)
    sheet = np.asarray(Image.open(out / "contact_sheet.png"))
    assert (sheet == 90).all(axis=2).any()  # of the strips
    printed = capfd.readouterr()
    assert "2 of 6 photos" in printed.out and "Traceback" not in printed.out + printed.err


def test_what_is_whole_and_the_same_is_not_done_again(pretending, tmp_path):
    album, out = _photos(tmp_path / "album", "a.png", "b.png", "c.png"), tmp_path / "out"
    assert _run(album, out) == cli.DONE == 0
    assert pretending() == ["a.png", "b.png", "c.png"]
    assert _run(album, out, "--jobs", "2") == cli.DONE
    assert pretending() == []
    assert {row["status"] for row in _rows(out).values()} == {"kept"}
    (out / "a" / "strip.png").unlink()  # no longer whole
    Image.new("RGB", (80, 100), "red").save(album / "c.png")  # another photo of that name
    (out / "b" / "mine.txt").write_text("mine")
    assert _run(album, out) == cli.DONE
    assert pretending() == ["a.png", "c.png"]
    assert _run(album, out, "--frames", "9") == cli.DONE  # other settings
    assert pretending() == ["a.png", "b.png", "c.png"]
    assert (out / "b" / "mine.txt").read_text() == "mine"


def test_failed_photos_are_tried_again(pretending, tmp_path):
    album, out = _photos(tmp_path / "album", "a.png", "refused.png"), tmp_path / "out"
    for expected in (["a.png", "refused.png"], ["refused.png"]):
        assert _run(album, out) == cli.SOME_FAILED
        assert pretending() == expected


@pytest.mark.skipif(os.name != "posix", reason="needs signals for one process")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopping_keeps_what_is_finished_and_nothing_else(stop, pretending, tmp_path):
    album, out = _photos(tmp_path / "album", "a.png", "slow.png", "z.png"), tmp_path / "out"
    script = str(tmp_path / "bin" / "pretender.py")
    command = (
        "import sys; from photo_wake_up.addon.cli import command, folder; "
        f"folder.this_command = lambda: (sys.executable, {script!r}); "
        f"sys.exit(command.main([{str(album)!r}, '--out', {str(out)!r}]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", command], env=environment,
        # A shell's background jobs ignore Ctrl-C, and so does what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads yet
    )  # fmt: skip
    slow = tmp_path / "bin" / "slow"
    until = time.monotonic() + 60
    while not slow.exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(stop)
    assert process.wait(timeout=30) == cli.STOPPED
    assert {item.name for item in out.iterdir()} == {"a", "summary.json"}
    assert read_report(out / "a") is not None and not _hidden(tmp_path)
    assert [row["status"] for row in _rows(out).values()] == ["done", "waiting", "waiting"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--jobs", "0"], "--jobs"),
        (["--list-people"], "--list-people"),
        (["--joints", "j.json"], "--joints"),
        (["--height", "17"], "--height"),
    ],
)
def test_wrong_use_is_one_sentence(options, says, tmp_path, capfd):
    album = _photos(tmp_path / "album", "a.png")
    assert _run(album, tmp_path / "out", *options) == cli.REFUSED
    sentence = capfd.readouterr().err
    assert says in sentence and sentence.count("\n") == 1 and sentence.strip().endswith(".")
    assert [item.name for item in tmp_path.iterdir()] == ["album"]


def test_folders_that_do_not_fit_are_refused(tmp_path, capfd):
    album = _photos(tmp_path / "album", "a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    for folder, out, says in (
        ("empty", "out", "no photos"),
        ("album", "album", "among the photos"),
        ("album", "file", "is a file"),
        ("album", "file/below", "cannot be written"),
    ):
        assert _run(tmp_path / folder, tmp_path / out) == cli.REFUSED
        assert says in capfd.readouterr().err
    assert list(album.iterdir()) == [album / "a.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album", "empty", "file"]


def test_a_process_of_the_command_itself_gives_its_sentence(tmp_path):
    """Nothing pretended: the command, as it is started for each photo."""
    album, out = tmp_path / "album", tmp_path / "out"
    album.mkdir()
    (album / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    assert _run(album, out) == cli.SOME_FAILED
    (row,) = _rows(out).values()
    assert row["status"] == "failed" and row["error"].startswith("broken.jpg is ")
    assert row["log"] == []


def test_the_photo_is_found_among_the_arguments():
    photo = Path("/album/a.png")
    for given in (
        ["x", "--out", "o", "--motions", "x"],
        ["--motions", "x", "x", "--out", "o"],
        ["--out", "o", "--motions=x", "--", "x"],
    ):
        parsed = cli.parser().parse_args([*photo_folder.for_photo(given, photo), "--out", "other"])
        assert (parsed.photo, parsed.motions, parsed.out) == (str(photo), "x", "other")


def test_inside_blender_the_process_is_blenders(monkeypatch):
    class App:
        binary_path = "/opt/blender/blender"

    monkeypatch.setitem(sys.modules, "bpy", type("bpy", (), {"app": App}))
    assert photo_folder.this_command() == ("/opt/blender/blender", "--command", cli.BLENDER_COMMAND)


def test_photos_of_one_name_have_folders_of_their_own(tmp_path):
    album = _photos(tmp_path, "a.png", "A.JPG", "b.png", "c.d.png", "summary.json.png")
    (album / ".hidden.png").write_bytes(b"")
    (album / "folder.png").mkdir()
    photos = photos_in(album)
    assert [photo.name for photo in photos] == [
        "A.JPG", "a.png", "b.png", "c.d.png", "summary.json.png",
    ]  # fmt: skip
    assert result_names(photos, taken=("summary.json",)) == (
        "A.JPG", "a.png", "b", "c.d", "summary.json.png",
    )  # fmt: skip
    with pytest.raises(WakeUpError, match="cannot be listed"):
        photos_in(tmp_path / "gone")


def test_fingerprints_tell_settings_and_contents_apart(tmp_path):
    first, same, other = (tmp_path / name for name in "abc")
    first.write_bytes(b"1" * 3_000_000)
    same.write_bytes(b"1" * 3_000_000)
    other.write_bytes(b"1" * 2_999_999 + b"2")
    settings = {"frames": 3, "box": None}
    assert fingerprint(settings, [first]) == fingerprint(dict(settings), [same])
    prints = {
        fingerprint(settings, [first]),
        fingerprint(settings, [other]),
        fingerprint(settings, [first, other]),
        fingerprint(settings, [tmp_path / "gone"]),
        fingerprint({**settings, "frames": 4}, [first]),
    }
    assert len(prints) == 5


def test_results_that_cannot_be_moved_leave_the_earlier_ones(tmp_path, monkeypatch):
    new, out = tmp_path / "scratch" / "result", tmp_path / "out"
    for folder, content in ((new, "new"), (out, "old")):
        folder.mkdir(parents=True)
        for name in ("a.txt", "b.txt", REPORT):
            (folder / name).write_text(content)
    (out / "stale.gif").write_text("old")
    real = os.replace

    def failing(source, target):
        if Path(target) == out / "b.txt" and Path(source).parent == new:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr("photo_wake_up.addon.cli.result_folder.os.replace", failing)
    with pytest.raises(WakeUpError, match="No space left"):
        move_into_place(new, out, stale=["stale.gif"])
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(
        ("a.txt", "b.txt", REPORT, "stale.gif"), "old"
    )
    monkeypatch.undo()
    for leftover in new.parent.glob("*-replaced"):
        leftover.rmdir()
    move_into_place(new, out, stale=["stale.gif"])
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(
        ("a.txt", "b.txt", REPORT), "new"
    )


def test_the_overview_is_bounded_and_takes_any_name():
    picture = np.full((30, 200, 3), 60, np.uint8)
    many = [Entry("Grüße 照片 \udcff\n" * 30, "", False, lambda: picture)] * 700
    sheet = overview([*many, Entry("x", "failed", True, lambda: None)])
    assert sheet.ndim == 3 and sheet.shape[0] * sheet.shape[1] <= 1.05e6 * MOST_MEGAPIXELS
    assert overview(many[:1]).shape[1] < 800


def test_memory_is_a_photo_s_not_the_folder_s(pretending, tmp_path):
    """The process that goes through the folder keeps nothing of the photos."""
    import tracemalloc

    album = _photos(tmp_path / "album", *(f"{number}.png" for number in range(6)))
    _run(album, tmp_path / "out")
    big = np.zeros((2000, 3000, 3), np.uint8)
    for name in map(str, range(6)):
        Image.fromarray(big).save(tmp_path / "out" / name / "strip.png", compress_level=1)
    pretending()
    tracemalloc.start()
    try:
        _run(album, tmp_path / "out")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pretending() == []
    assert peak < 4 * big.nbytes


def test_photos_of_any_name(pretending, tmp_path, capsys):
    names = [
        "two\nlines.jpg",
        "-x.jpg",
        "{a}#%.jpg",
        "~b.jpg",
        "$(c).jpg",
        "d..jpg",
        "e\x1b[31m.jpg",
    ]
    album = _photos(tmp_path / "{album}\n#", *names)
    out = tmp_path / "{out}\n"
    assert _run(album, out) == cli.DONE
    assert len(pretending()) == len(" ".join(names).split())
    assert {path.name for path in out.iterdir() if path.is_dir()} == {name[:-4] for name in names}
    assert set(_rows(out)) == set(names)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(names) + 1 and all(line.isprintable() for line in lines)


def test_lines_that_a_terminal_cannot_show(capsys):
    say("no text \udcff, two\nlines")
    assert capsys.readouterr().out == "no text ?, two lines\n"
