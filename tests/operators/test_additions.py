"""What is added is found everywhere: a setting by its field, a stage by its file and an entry.

Each is added to a copy of the extension, in which a process of its own then looks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SETTING = """
    sharpness: float = setting(
        0.5, "background", "sharpness", help="How sharp the background is",
        kept=SCENE, limits=Limits(0.0, 1.0), argument=Argument("--sharpness", "SHARE"),
    )
"""
FIND_SETTING = """
from photo_wake_up.addon.core.errors import WakeUpError
from photo_wake_up.addon.cli.arguments import check, chosen_settings, made_from, parser
made = parser()
told["help"] = "--sharpness SHARE" in made.format_help() and "(0.5)" in made.format_help()
given = made.parse_args(["a.png", "--out", "b", "--sharpness", "0.25"])
told["parsed"] = chosen_settings(given).sharpness
told["noted"] = made_from(given, Path("a")) != made_from(made.parse_args(["a.png"]), Path("a"))
try:
    check(made.parse_args(["a.png", "--out", "b", "--sharpness", "2"]))
except WakeUpError as error:
    told["refused"] = str(error)
from photo_wake_up.addon.ui.setting_properties import shown_of
from photo_wake_up.addon.core.settings import WakeUpSettings
group = scene.wake_up
rna = group.bl_rna.properties["sharpness"]
told["property"] = [rna.name, rna.description, rna.default, rna.hard_min, rna.hard_max]
told["shown"] = "sharpness" in shown_of(WakeUpSettings, "background")
before = plain(group.pipeline_settings(scene))
group.sharpness = 0.75
after = plain(group.pipeline_settings(scene))
told["chosen"] = after["sharpness"]
photo = ("a", "a")
states = stage_states(Made(photo, before, tuple(STAGES), False), Made(photo, after, (), False))
told["states"] = {name: state.reason for name, state in states.items() if state.reason}
"""

# A stage of its own, with a value that WakeUpResult has no field for.
STAGE = '''
"""The stage that measures how bright the photo is."""

from __future__ import annotations

from ..result import WakeUpResult
from ..stage import Inputs, Report, Stage


def _run(inputs: Inputs, _report: Report) -> WakeUpResult:
    return inputs.result.with_value("brightness", float(inputs.photo.rgb.mean()))


BRIGHTNESS = Stage(
    name="brightness", title="Measure Brightness", message="Measuring the brightness", share=0.01,
    needs=("photo",), run=_run,
)
'''
FIND_STAGE = """
from photo_wake_up.addon import worker
from photo_wake_up.addon.core.pipeline.request import Request, run
from photo_wake_up.addon.core.pipeline.run import drain
from photo_wake_up.addon.core.pipeline.stages import without
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import WakeUpSettings
request = Request(WakeUpResult(), WakeUpSettings(), sys.argv[1], "brightness")
messages = []
work = run(request)
while True:
    try:
        messages.append(next(work).message)
    except StopIteration as ended:
        here = ended.value
        break
told["message"] = "Measuring the brightness" in messages and "brightness" in here.costs
told["here"] = here.value("brightness")
told["worker"] = drain(worker.advance_in_worker(request)).value("brightness")
told["dropped"] = without(here, "photo").value("brightness")
made = Made(("a", "a"), plain(WakeUpSettings()), stages_done(here), False)
told["states"] = stage_states(made, made)["brightness"].condition
from photo_wake_up.addon.ui.scene_states import states_of
told["panel"] = states_of(bpy.context)["brightness"].condition
told["drawn"] = bpy.types.WAKEUP_PT_brightness.bl_label
scene.wake_up.photo = sys.argv[1]
told["button"] = list(bpy.ops.wakeup.brightness())
told["pressed"] = states_of(bpy.context)["brightness"].condition
"""
BEGIN = """
import json, os, sys
from pathlib import Path
import bpy
import photo_wake_up
from photo_wake_up.addon.core.pipeline.stages import STAGES, stages_done
from photo_wake_up.addon.stage_states import Made, plain, stage_states
assert Path(photo_wake_up.__file__).parent == Path(sys.argv[2]), photo_wake_up.__file__
bpy.ops.wm.read_factory_settings(use_empty=True)
photo_wake_up.register()
scene, told = bpy.context.scene, {}
try:
"""
END = """
finally:
    photo_wake_up.unregister()
Path(sys.argv[3]).write_text(json.dumps(told))
os._exit(0)
"""


@pytest.fixture
def extension(tmp_path: Path) -> Path:
    """A copy of the extension's code."""
    copy = tmp_path / "packages" / "photo_wake_up"
    for name in ("addon", "operators"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__.py", "blender_manifest.toml"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def _insert(path: Path, before: str, text: str) -> None:
    code = path.read_text("utf-8")
    assert code.count(before) == 1
    path.write_text(code.replace(before, text + before), encoding="utf-8")


def _found(extension: Path, script: str, photo: Path) -> dict[str, object]:
    """What a process that imports the copy tells."""
    answer = extension.parent / "answer.json"
    indented = "".join(f"    {line}\n" for line in script.strip().splitlines())
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGIN + indented + END, str(photo), str(extension),
         str(answer)],
        env={**os.environ, "PYTHONPATH": str(extension.parent)}, cwd=extension.parent,
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(answer.read_text())


def test_a_setting_is_a_field(extension, empty_picture):
    _insert(extension / "addon/core/settings.py", "    seed: int = setting(", SETTING.lstrip("\n"))
    assert _found(extension, FIND_SETTING, empty_picture) == {
        "help": True,
        "parsed": 0.25,
        "noted": True,
        "refused": "--sharpness is a number from 0 to 1.",
        "property": ["Sharpness", "How sharp the background is", 0.5, 0.0, 1.0],
        "shown": True,
        "chosen": 0.75,
        "states": {"background": "Changed since: sharpness"},
    }


def test_a_stage_is_a_file_and_an_entry(extension, empty_picture):
    assert len(STAGE.strip().splitlines()) <= 30
    (extension / "addon/core/photo/brightness_stage.py").write_text(STAGE.lstrip("\n"))
    stages = extension / "addon/core/pipeline/stages.py"
    _insert(stages, "from ..photo.stage", "from ..photo.brightness_stage import BRIGHTNESS\n")
    _insert(stages, "PEOPLE, PERSON, FITTED", "BRIGHTNESS, ")
    found = _found(extension, FIND_STAGE, empty_picture)
    assert found.pop("here") == found.pop("worker") == pytest.approx(130.0, abs=1.0)
    assert found == {
        "message": True,
        "dropped": None,
        "states": "DONE",
        "panel": "NOT_YET",
        "drawn": "Measure Brightness",
        "button": ["FINISHED"],
        "pressed": "DONE",
    }
