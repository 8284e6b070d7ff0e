"""The command: its files, its sentences, its exit codes, and nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.cli import arguments as given
from photo_wake_up.addon.cli import command as cli
from photo_wake_up.addon.cli import one_photo
from photo_wake_up.addon.cli.result_folder import read_report
from photo_wake_up.addon.core.errors import PersonError
from photo_wake_up.addon.core.motion.performing.perform import perform
from photo_wake_up.addon.core.motion.performing.viewer import Viewer
from photo_wake_up.addon.core.pipeline.run import advance
from photo_wake_up.addon.core.pipeline.stages import without
from photo_wake_up.addon.core.reports.batch_sheet import STRIP_HEIGHT
from photo_wake_up.addon.core.settings import WakeUpSettings
from photo_wake_up.addon.core.types import Progress
from photo_wake_up.addon.scene.animation.motion_source import clip_from_file
from photo_wake_up.addon.scene.animation.performing import sampled_motion
from photo_wake_up.addon.scene.export.registry import EXPORTERS

from ..core.motion_inputs import angles_between, stick_bvh, stick_row
from ..scene import figures

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "scene.blend", "character.glb", "mask.png", "background.png", "contact_sheet.png",
    "first_frame.png", "report.json", "strip.png",
}  # fmt: skip


def refused(capfd, *arguments) -> str:
    """The one sentence that the command refuses the arguments with."""
    assert cli.main([str(argument) for argument in arguments]) == cli.REFUSED
    sentence = capfd.readouterr().err
    assert sentence.count("\n") == 1 and sentence.strip().endswith(".")
    assert "Traceback" not in sentence and len(sentence) < 200
    return sentence


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for option in (
        "out", "list-people", "person", "box", "joints", "motion", "frames", "render", "engine",
        "height", "triangles", "back", "texture", "seed", "mask-network", "joint-network",
        "plate-network", "keep-shadow", "motions", "speed", "mirror", "in-place", "return",
        "export", "camera", "width", "no-shadow", "relight", "jobs", "take",
    ):  # fmt: skip
        assert f"--{option}" in text


def test_networks_reach_the_stages(monkeypatch, tmp_path, capfd):
    seen = []

    def instead(request):
        settings = request.settings
        seen.append(
            (settings.mask_network, settings.joint_network, settings.plate_network,
             settings.remove_shadow)
        )  # fmt: skip
        raise PersonError("That is enough.")

    monkeypatch.setattr(one_photo, "run", instead)
    networks = ["--mask-network", "m.onnx", "--joint-network", "j.onnx"]
    plate = ["--plate-network", "p.onnx", "--keep-shadow"]
    assert refused(capfd, "photo.jpg", "--out", tmp_path, *networks, *plate) == "That is enough.\n"
    refused(capfd, "photo.jpg", "--out", tmp_path)
    assert seen == [("m.onnx", "j.onnx", "p.onnx", False), ("", "", "", True)]


def test_choices_of_texture_reach_the_stages(monkeypatch, tmp_path, capfd):
    seen = []

    def instead(request):
        settings = request.settings
        seen.append((settings.back, settings.mirrored_parts, settings.texture_px))
        raise PersonError("That is enough.")

    monkeypatch.setattr(one_photo, "run", instead)
    refused(capfd, "photo.jpg", "--out", tmp_path)
    refused(capfd, "photo.jpg", "--out", tmp_path, "--back", "mirrored", "--texture", "4096")
    refused(capfd, "photo.jpg", "--out", tmp_path, "--back", "left leg, head")
    assert seen == [
        ("synthesised", (), 2048),
        ("mirrored", (), 4096),
        ("synthesised", ("head", "left leg"), 2048),
    ]


def test_everything_is_written(woken, tmp_path, capfd):
    out = tmp_path / "new" / "result"
    arguments = ["photo.jpg", "--out", str(out), "--frames", str(figures.FRAMES), "--render", "png"]
    assert cli.main(arguments) == cli.DONE
    assert {item.name for item in out.iterdir()} == FILES | {"frames"}
    assert len(list((out / "frames").glob("*.png"))) == figures.FRAMES
    assert list((tmp_path / "new").iterdir()) == [out]
    report = read_report(out)
    options = cli.parser().parse_args(["--jobs", "2", *arguments])
    assert report["made_from"] == given.made_from(options, Path("photo.jpg"))
    assert set(report["files"]) >= FILES - {"report.json"}
    assert np.asarray(Image.open(out / "strip.png")).shape[0] == STRIP_HEIGHT
    assert report["watertight"] and report["triangles"] > 0
    assert {"scene", "render", "export"} <= set(report["stages"])
    assert np.asarray(Image.open(out / "contact_sheet.png")).shape[1] >= 1600
    first = np.asarray(Image.open(out / "first_frame.png"))
    assert first.shape == (figures.HEIGHT, figures.WIDTH, 3)
    printed = capfd.readouterr()
    assert "Pretending" in printed.out and "Fra:" not in printed.out
    bpy.ops.wm.open_mainfile(filepath=str(out / "scene.blend"))
    assert bpy.context.scene.camera.name == "tubes Camera"
    assert bpy.context.scene.frame_end == figures.FRAMES


def test_a_result_unlike_the_photo_is_told(monkeypatch, tmp_path, capfd):
    """In the report and on the terminal, where outline or picture are not those of the photo."""
    good = figures.result()
    person = replace(good.person, mask=np.roll(good.person.mask, 40, axis=1))
    inverted = replace(good.photo, rgb=255 - good.photo.rgb)

    def told(result):
        monkeypatch.setattr(one_photo, "run", lambda *_arguments: iter_of(result))
        out = tmp_path / "out"
        assert cli.main(["p.jpg", "--out", str(out), "--render", "none"]) == cli.DONE
        return json.loads((out / "report.json").read_text()), capfd.readouterr().out

    def iter_of(result):
        yield Progress(0.5, "Pretending")
        return result

    report, printed = told(replace(good, person=person))
    assert report["silhouette_iou"] < 0.9
    (warning,) = (each for each in report["warnings"] if "outline is not the person's" in each)
    assert warning in printed.splitlines()
    report, printed = told(replace(good, photo=inverted))
    assert report["first_frame_psnr_db"] < 20
    (warning,) = (each for each in report["warnings"] if "differs from the photo" in each)
    assert warning in printed.splitlines()
    # All warnings are printed, none of them twice.
    assert all(printed.splitlines().count(each) == 1 for each in report["warnings"])


def test_exports_are_those_that_were_asked_for(woken, tmp_path):
    assert set(given.KINDS) == {exporter.name for exporter in EXPORTERS}
    arguments = [
        "p.jpg",
        "--out",
        str(tmp_path),
        "--render",
        "none",
        "--export",
        "VRM, usdz,vrm,fbx",
    ]
    assert cli.main(arguments) == cli.DONE
    written = {"character.vrm", "character.usdz", "character.fbx"}
    assert {item.name for item in tmp_path.iterdir()} == FILES - {"character.glb"} | written


def test_a_folder_of_motions_becomes_strips(woken, tmp_path, capfd):
    clips = tmp_path / "clips"
    clips.mkdir()
    for name, count in (("a", 9), ("c", 5)):
        rows = [stick_row(LeftArm=(5 * k, 0, 0)) for k in range(count)]
        (clips / f"{name}.bvh").write_text(stick_bvh(rows))
    (clips / "b.bvh").write_text("HIERARCHY")
    out = tmp_path / "out"
    options = ["--motions", str(clips), "--render", "none"]
    assert cli.main(["photo.jpg", "--out", str(out), *options]) == cli.DONE
    assert "b.bvh, line 1" in capfd.readouterr().out
    report = json.loads((out / "report.json").read_text())
    assert [each["clip"] for each in report["motions"]["performed"]] == ["a", "c"]
    assert list(report["motions"]["failures"]) == ["b.bvh"]
    lengths = [each["frames"] for each in report["motions"]["performed"]]
    bpy.ops.wm.open_mainfile(filepath=str(out / "scene.blend"))
    scene = bpy.context.scene
    assert report["frames"] == scene.frame_end == sum(lengths) - 1
    tracks = scene.objects["tubes Armature"].animation_data.nla_tracks
    assert [len(track.strips) for track in tracks if not track.mute] == [2]


@pytest.fixture
def performed(monkeypatch):
    """The figure of tubes performs what the command hands to the stages."""

    def instead(request):
        done = without(figures.result(), "motion")
        where = request.photo_path, request.until, request.clip
        return (yield from advance(done, request.settings, *where))

    monkeypatch.setattr(one_photo, "run", instead)


@pytest.mark.parametrize(
    ("options", "performs", "leaves"), [([], "jump", "wave"), (["--take", "actor wave"],
    "wave", "jump"), (["--take", "2"], "wave", "jump")],
)  # fmt: skip
def test_an_fbx_file_is_performed(two_takes, performed, tmp_path, capfd, options, performs, leaves):
    out = tmp_path / "out"
    arguments = ["p.jpg", "--out", str(out), "--render", "none", "--frames", "30"]
    assert cli.main([*arguments, "--motion", str(two_takes), *options]) == cli.DONE
    note = f"takes.fbx has 2 takes: 'Actor {performs}' is performed, not 'Actor {leaves}'."
    assert note in capfd.readouterr().out
    report = json.loads((out / "report.json").read_text())
    assert report["motion"] == f"takes Actor {performs}" and note in report["warnings"]
    bpy.ops.wm.open_mainfile(filepath=str(out / "scene.blend"))
    armature = bpy.context.scene.objects["tubes Armature"]
    clip = clip_from_file(two_takes, WakeUpSettings.fps, take=f"Actor {performs}")
    figure = figures.result().build.character
    lens, camera = figures.result().fitted.camera, figure.world_from_camera[:3, 3]
    wanted = perform(
        figure.skeleton, figure.pose, clip, 30, WakeUpSettings.fps, Viewer.of(lens, camera)
    )
    found = sampled_motion(armature).motion.rotations
    assert angles_between(found, wanted.rotations).max() < 0.1


def test_fbx_files_that_cannot_be_performed_are_one_sentence(two_takes, performed, tmp_path, capfd):
    out = ["photo.jpg", "--out", tmp_path / "out", "--motion"]
    said = refused(capfd, *out, two_takes, "--take", "swim")
    assert "no take 'swim': choose 'Actor jump' or 'Actor wave'" in said
    assert "no file gone.fbx" in refused(capfd, *out, tmp_path / "gone.fbx")
    (tmp_path / "broken.fbx").write_bytes(b"no fbx")
    assert "broken.fbx is not an FBX file" in refused(capfd, *out, tmp_path / "broken.fbx")
    assert not (tmp_path / "out").exists()
    assert "walk has only one take" in refused(capfd, *out, "walk", "--take", "2")


def test_folders_without_motions_are_refused_before_any_work(tmp_path, capfd):
    (tmp_path / "empty").mkdir()
    for name, says in (("gone", "no folder gone"), ("empty", "holds no motion files")):
        out = ["--out", tmp_path / "out", "--motions", tmp_path / name]
        assert says in refused(capfd, "photo.jpg", *out)
    assert [item.name for item in tmp_path.iterdir()] == ["empty"]


def test_earlier_results_are_replaced_and_other_files_kept(woken, tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "frame_0999.png").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "report.json").write_text("old")
    (tmp_path / "character.usdz").write_text("old")
    assert cli.main(["photo.jpg", "--out", str(tmp_path), "--render", "none"]) == cli.DONE
    assert {item.name for item in tmp_path.iterdir()} == FILES | {"mine.txt"}
    assert json.loads((tmp_path / "report.json").read_text())["render"] == "none"


def test_a_focal_length_that_is_none_is_one_sentence(tmp_path, capfd):
    photo = tmp_path / "grey.png"
    Image.new("RGB", (96, 128), (90, 90, 90)).save(photo)
    for pixels in ("1", "3.5e4"):
        sentence = refused(capfd, photo, "--out", tmp_path / "out", "--focal", pixels)
        assert "focal length" in sentence and "from 36 to 10666 pixels" in sentence
    assert list(tmp_path.iterdir()) == [photo]


@pytest.mark.parametrize(
    "options",
    [
        ["--height", "17"],
        ["--height", "nan"],
        ["--frames", "0"],
        ["--focal", "-1"],
        ["--seed", "-1"],
        ["--speed", "0"],
        ["--speed", "nan"],
        ["--triangles", "12"],
        ["--triangles", "many"],
        ["--back", "wings"],
        ["--texture", "3000"],
        ["--render", "avi"],
        ["--export", "glb,obj"],
        ["--export", ""],
        ["--camera", "crane"],
        ["--width", "3"],
        ["--engine", "unreal"],
        ["--person", "left"],
        ["--person", "-1"],
        ["--box", "10,20,30"],
        ["--box", "30,20,10,40"],
        ["--person", "all", "--box", "all"],
        ["--nonsense"],
    ],
)
def test_bad_options_are_one_sentence(options, tmp_path, capfd):
    sentence = refused(capfd, "photo.jpg", "--out", tmp_path / "out", *options)
    assert options[0].strip("-") in sentence
    assert not list(tmp_path.iterdir())


def test_a_wrong_kind_of_export_is_named_with_the_right_ones(tmp_path, capfd):
    sentence = refused(capfd, "photo.jpg", "--out", tmp_path / "out", "--export", "glb,doc")
    assert "'doc'" in sentence and "'glb'" not in sentence
    assert all(kind in sentence for kind in given.KINDS)


def test_out_is_needed(capfd):
    assert "--out" in refused(capfd, "photo.jpg")


def test_people_are_listed_and_nothing_is_written(demo_photo, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main([str(demo_photo), "--list-people"]) == cli.DONE
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 1 and lines[0].startswith("1: x ") and "no number" in lines[0]
    assert not list(tmp_path.iterdir())


def test_everyone_is_written(monkeypatch, tmp_path):
    def everyone(*_arguments):
        yield Progress(0.5, "Pretending")
        return figures.result(), figures.result()

    monkeypatch.setattr(one_photo, "run", everyone)
    arguments = ["photo.jpg", "--out", str(tmp_path), "--person", "all", "--render", "none"]
    assert cli.main(arguments) == cli.DONE
    single = {"character.glb", "mask.png"}
    several = {"character_1.glb", "character_2.glb", "mask_1.png", "mask_2.png"}
    assert {item.name for item in tmp_path.iterdir()} == FILES - {"video.mp4"} - single | several
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["persons"]) == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON"),
        ("[1, 2]", "by name"),
        ('{"left_tentacle": [1, 2]}', "left_tentacle"),
        ('{"nose": [1]}', "nose"),
        ('{"nose": [1, NaN]}', "nose"),
    ],
)
def test_wrong_joints_are_one_sentence(content, says, tmp_path, capfd):
    path = tmp_path / "joints.json"
    path.write_text(content)
    assert cli.main(["p.jpg", "--out", str(tmp_path / "o"), "--joints", str(path)]) == cli.REFUSED
    assert says in capfd.readouterr().err


def test_no_photo_leaves_no_folder(tmp_path, capfd):
    refused(capfd, tmp_path / "missing.jpg", "--out", tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


def test_failure_leaves_the_folder_as_it_was(monkeypatch, tmp_path, capfd):
    def failing(*_arguments):
        yield Progress(0.1, "Looking")
        raise PersonError("No person was found.")

    monkeypatch.setattr(one_photo, "run", failing)
    (tmp_path / "mine.txt").write_text("mine")
    assert refused(capfd, "photo.jpg", "--out", tmp_path) == "No person was found.\n"
    assert [item.name for item in tmp_path.iterdir()] == ["mine.txt"]


def test_out_that_is_a_file(tmp_path, capfd):
    (tmp_path / "file").write_text("mine")
    assert "is a file" in refused(capfd, "photo.jpg", "--out", tmp_path / "file")
    refused(capfd, "photo.jpg", "--out", tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody may write to")
def test_out_that_cannot_be_written_is_refused_before_any_work(monkeypatch, capfd):
    monkeypatch.setattr(one_photo, "run", None)  # calling it would be a TypeError
    assert "cannot be written" in refused(capfd, "photo.jpg", "--out", "/proc/wake-up")
    assert "cannot be written" in refused(capfd, "photo.jpg", "--out", "/proc")


# Wakes the figure of tubes up where no file can grow beyond argv[1] kilobytes. Ends at once: after
# an export Blender's Python module would never.
_WITHOUT_ROOM = """
import os, resource, sys
from photo_wake_up.addon.cli import command, one_photo
from photo_wake_up.tests.scene import figures
def instead(*_arguments):
    yield from ()
    return figures.result()
one_photo.run = instead
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]) * 1024, resource.RLIM_INFINITY))
code = command.main(["photo.jpg", "--out", sys.argv[2], "--render", "none"])
sys.stderr.flush()
os._exit(code)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on files' sizes")
@pytest.mark.parametrize("most_kb", [2, 100])
def test_a_full_disk_is_a_sentence_and_leaves_the_folder_as_it_was(most_kb, tmp_path):
    """Where room runs out in the Blender file, and where it does in something after that."""
    (tmp_path / "mine.txt").write_text("mine")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "packages")}
    command = [sys.executable, "-W", "ignore", "-c", _WITHOUT_ROOM, str(most_kb), str(tmp_path)]
    ended = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == cli.REFUSED
    assert ended.stderr.count("\n") == 1 and "written" in ended.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["mine.txt"]


def test_no_room_for_the_report_is_a_sentence(tmp_path, capfd, monkeypatch, woken):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(one_photo, "_write", full)
    assert "make room" in refused(capfd, "photo.jpg", "--out", tmp_path / "out")
    assert not list(tmp_path.iterdir())
