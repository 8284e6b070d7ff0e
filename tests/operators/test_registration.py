"""Switching the extension on and off leaves Blender as it was."""

from __future__ import annotations

import inspect
import subprocess
import sys
import tempfile
import threading
import types
from pathlib import Path

import bpy
import bpy.utils.previews
import pytest

import photo_wake_up
from photo_wake_up.addon import worker
from photo_wake_up.addon.cli import command as cli
from photo_wake_up.addon.core.inference.model_files import MODEL_FILES, model_path
from photo_wake_up.addon.core.pipeline.request import Request
from photo_wake_up.addon.core.pipeline.stages import titles
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import WakeUpSettings
from photo_wake_up.addon.scene.build import build_scene
from photo_wake_up.addon.ui import motion_panels, painting, panels
from photo_wake_up.operators.base import Job

from ..scene import figures


def _is_ours(thing: object) -> bool:
    return "photo_wake_up" in (getattr(thing, "__module__", "") or "")


def _drawn_with(kind: type) -> list[object]:
    """Functions that somebody has appended to a menu's, panel's or header's draw()."""
    return list(getattr(getattr(kind, "draw", None), "_draw_funcs", ()))


def _footprint() -> dict[str, object]:
    """Everything by which an extension can be noticed in Blender."""
    kinds = [getattr(bpy.types, name) for name in dir(bpy.types)]
    handlers = {
        name: [getattr(handler, "__name__", "") for handler in found]
        for name in dir(bpy.app.handlers)
        if isinstance(found := getattr(bpy.app.handlers, name), list)
    }
    keyconfigs = bpy.context.window_manager.keyconfigs
    return {
        "types": {name for name in dir(bpy.types) if "wakeup" in name.lower()},
        "classes": {
            cls.__name__
            for base in (
                bpy.types.Operator, bpy.types.Panel, bpy.types.PropertyGroup, bpy.types.UIList,
                bpy.types.Menu, bpy.types.Header, bpy.types.AddonPreferences,
                bpy.types.KeyingSetInfo, bpy.types.Gizmo, bpy.types.GizmoGroup,
                bpy.types.RenderEngine, bpy.types.FileHandler, bpy.types.Macro,
            )
            for cls in base.__subclasses__()
            if getattr(cls, "is_registered", False) and _is_ours(cls)
        },
        # On scenes, window managers, objects, and every other kind of datablock.
        "properties": {
            (kind.__name__, name)
            for kind in kinds
            if isinstance(kind, type) and issubclass(kind, bpy.types.ID)
            for name in kind.bl_rna.properties.keys()
        },
        "handlers": handlers,
        "operators": set(dir(bpy.ops.wakeup)),
        "menus": [f for kind in kinds for f in _drawn_with(kind) if _is_ours(f)],
        "keys": [
            item.idname
            for config in (keyconfigs.addon, keyconfigs.user)
            if config is not None
            for keymap in config.keymaps
            for item in keymap.keymap_items
            if item.idname.startswith("wakeup.")
        ],
        "previews": set(bpy.utils.previews._uuid_open),
        "threads": {thread.name for thread in threading.enumerate()},
        "folders": set(Path(tempfile.gettempdir()).glob("photo-wake-up-*")),
    }  # fmt: skip


def test_three_times_on_and_off_leaves_nothing(monkeypatch):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    timers: list[object] = []
    monkeypatch.setattr(bpy.app.timers, "register", lambda function, **_: timers.append(function))
    before = _footprint()
    assert not before["types"] and not before["classes"] and not before["operators"]
    for _ in range(3):
        photo_wake_up.register()
        on = _footprint()
        assert on["properties"] - before["properties"] == {
            ("Scene", "wake_up"), ("Scene", "wake_up_motion"), ("WindowManager", "wake_up"),
        }  # fmt: skip
        assert "wake_up" in on["operators"]
        assert len(on["classes"]) == len(registration_classes())
        assert cli._handle is not None and painting._handlers
        photo_wake_up.unregister()
        assert _footprint() == before
        assert cli._handle is None and not painting._handlers
    assert not timers


def registration_classes() -> tuple[type, ...]:
    from photo_wake_up.addon.registration import CLASSES

    return CLASSES


def test_switching_off_stops_what_is_at_work(empty_picture, monkeypatch):
    """A process that computes for a window ends with the extension, and its folder is gone."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    started: list[subprocess.Popen] = []

    def popen(*arguments, **options):
        started.append(real(*arguments, **options))
        return started[-1]

    real = subprocess.Popen
    monkeypatch.setattr(worker.subprocess, "Popen", popen)
    before = _footprint()
    photo_wake_up.register()
    try:
        request = Request(WakeUpResult(), WakeUpSettings(), str(empty_picture), "person")
        job = Job(bpy.context, worker.advance_in_worker(request), "Find Person")
        job.watch(bpy.context.window)
        while not started:
            assert not job.step()
        assert started[0].poll() is None
    finally:
        photo_wake_up.unregister()
    assert started[0].poll() is not None
    assert job._timer is None
    for thread in threading.enumerate():
        if thread.name == "wake-up progress":
            thread.join(timeout=5)
    assert _footprint() == before


def test_the_root_imports_nothing_by_itself():
    """Blender reads every extension's root at start: it has to be quick."""
    code = (
        "import sys, photo_wake_up; "
        "assert not [m for m in sys.modules if m.startswith('photo_wake_up.')]; "
        "assert 'bpy' not in sys.modules and 'numpy' not in sys.modules"
    )
    path = str(photo_wake_up.__file__).rsplit("/", 2)[0]
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=True)


def _described(name: str, text: str) -> None:
    assert text, f"{name} has no description"
    assert not text.endswith("."), f"{name}: Blender adds the full stop to {text!r}"
    assert text[0].isupper() or not text[0].isalpha(), f"{name}: {text!r}"


def test_everything_registered_says_what_it_is(addon):
    """Tooltips of operators, of all properties and of every choice in a menu."""
    seen = 0
    for cls in registration_classes():
        if issubclass(cls, bpy.types.Operator):
            assert cls.bl_label
            _described(cls.__name__, cls.bl_description)
        if issubclass(cls, bpy.types.Panel):
            assert cls.bl_label and not cls.bl_label.endswith(".")
        for name in inspect.get_annotations(cls):
            if name not in cls.bl_rna.properties:
                continue
            prop = cls.bl_rna.properties[name]
            where = f"{cls.__name__}.{name}"
            assert prop.name and not prop.name.endswith("."), where
            _described(where, prop.description)
            if prop.type == "ENUM":
                for item in prop.enum_items:
                    assert item.name, where
                    _described(f"{where} {item.identifier}", item.description)
            seen += 1
    assert seen > 60


class Layout:
    """Takes what a panel asks of a layout, and refuses what Blender's own would refuse."""

    def __init__(self) -> None:
        self.operators: list[str] = []
        self.labels: list[str] = []
        self.icons: list[str] = []
        self.properties: set[str] = set()

    def __getattr__(self, name: str):
        function = bpy.types.UILayout.bl_rna.functions[name]
        known = set(function.parameters.keys())

        def call(*arguments: object, **options: object) -> object:
            assert set(options) <= known, (name, set(options) - known)
            if options.get("icon"):
                assert options["icon"] in function.parameters["icon"].enum_items, options["icon"]
                self.icons.append(str(options["icon"]))
            if name == "operator":
                kind, short = str(arguments[0]).split(".")
                assert short in dir(getattr(bpy.ops, kind)), arguments[0]
                self.operators.append(str(arguments[0]))
            elif name == "label":
                self.labels.append(str(options["text"]))
            elif name in ("prop", "template_ID"):
                data, wanted = arguments
                assert wanted in data.bl_rna.properties, wanted
                self.properties.add(str(wanted))
            return self

        return call

    def __setattr__(self, name: str, value: object) -> None:
        if name not in ("operators", "labels", "icons", "properties"):
            assert name in bpy.types.UILayout.bl_rna.properties, name
        super().__setattr__(name, value)


def drawn(kinds: tuple[type, ...]) -> Layout:
    """What the panels among `kinds` draw, header first."""
    layout = Layout()
    for cls in kinds:
        if not issubclass(cls, bpy.types.Panel):
            continue
        stand = types.SimpleNamespace(layout=layout, stage=getattr(cls, "stage", ""))
        if hasattr(cls, "draw_stage"):
            stand.draw_stage = types.MethodType(cls.draw_stage, stand)
            cls.draw_header(stand, bpy.context)
        cls.draw(stand, bpy.context)
    return layout


def test_panels_draw_without_a_result(addon):
    """draw() reads settings only: it works on an empty file and while a stage runs."""
    every = (*panels.CLASSES, *motion_panels.CLASSES)
    for running in (False, True):
        status = bpy.context.window_manager.wake_up
        status.running, status.message = running, "Fitting the body " * 4
        layout = drawn(every)
        assert layout.icons.count("RADIOBUT_OFF") == 2 * len(titles())
        assert set(layout.operators) == {
            f"wakeup.{cls.bl_idname.split('.')[1]}"
            for cls in registration_classes()
            if issubclass(cls, bpy.types.Operator)
        }
    shown = layout.properties
    hidden = {"person", "people", "active_person", "motion_file", "mask", "labels", "result",
              "key", "made", "take"}  # fmt: skip
    assert set(type(addon.wake_up).__annotations__) - hidden <= shown
    assert all(hasattr(bpy.types, cls.__name__) for cls in every)


def test_panels_read_from_top_to_bottom_as_the_work_goes():
    stages = [cls for cls in panels.CLASSES if hasattr(cls, "stage")]
    assert [cls.stage for cls in stages] == list(titles())
    assert [cls.bl_label for cls in stages] == list(titles().values())
    every = [
        cls
        for cls in (*panels.CLASSES, *motion_panels.CLASSES)
        if getattr(cls, "bl_parent_id", "") == "WAKEUP_PT_photo"
    ]
    order = sorted(every, key=lambda cls: cls.bl_order)
    assert len({cls.bl_order for cls in every}) == len(every)
    assert [cls.bl_label for cls in order] == [
        *titles().values(), "Motions", "Posing", "Output",
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["empty", "photo", "whole", "running", "another mode"])
def test_every_disabled_button_says_why(addon, state, tmp_path):
    if state != "empty":
        addon.wake_up.photo = str(tmp_path / "somebody.png")
    if state == "whole":
        addon.wake_up.result = build_scene(figures.result(), addon)
        # Neither an armature nor a file is chosen yet.
        addon.wake_up_motion.source = "ARMATURE"
    if state == "another mode":
        data = bpy.data.meshes.new("Mesh")
        item = bpy.data.objects.new("Mesh", data)
        addon.collection.objects.link(item)
        bpy.context.view_layer.objects.active = item
        bpy.ops.object.mode_set(mode="EDIT")
    bpy.context.window_manager.wake_up.running = state == "running"
    disabled = 0
    for cls in registration_classes():
        if not issubclass(cls, bpy.types.Operator):
            continue
        operator = getattr(bpy.ops.wakeup, cls.bl_idname.split(".")[1])
        if operator.poll():
            # Nothing works without a photo, or while a stage works.
            assert state in ("photo", "whole"), cls.bl_idname
            continue
        disabled += 1
        with pytest.raises(RuntimeError) as refused:
            operator()
        said = str(refused.value).partition("poll() ")[2].strip()
        assert said and "context is incorrect" not in said, (cls.bl_idname, said)
        assert not said.endswith("."), said
        if state == "running":
            assert said == "A stage is at work: wait for it, or press Esc"
    assert disabled > (2 if state == "whole" else 10)
    if state == "another mode":
        bpy.ops.object.mode_set(mode="OBJECT")


def test_preferences_draw_every_property(addon):
    from photo_wake_up.addon.ui import preferences

    layout = Layout()
    stand = types.SimpleNamespace(layout=layout, bl_rna=preferences.WakeUpPreferences.bl_rna)
    preferences.WakeUpPreferences.draw(stand, bpy.context)
    assert layout.properties == set(preferences.WakeUpPreferences.__annotations__)
    for file in MODEL_FILES:
        assert file.purpose in layout.labels and file.licence in layout.labels
        assert str(model_path(file.name)) in layout.labels
    # Where the extension is not installed, nothing is chosen.
    assert preferences.chosen_files(bpy.context) == {
        "body_file": "", "mask_network": "", "joint_network": "", "plate_network": "",
    }  # fmt: skip
    scene = bpy.context.scene
    scene.wake_up.remove_shadow = False
    settings = scene.wake_up.pipeline_settings(
        scene,
        {"body_file": "b", "mask_network": "m", "joint_network": "j", "plate_network": "p"},
    )
    assert (settings.body_file, settings.mask_network, settings.joint_network) == ("b", "m", "j")
    assert (settings.plate_network, settings.remove_shadow) == ("p", False)


@pytest.mark.parametrize("name", ["PHOTO", "RESULT"])
def test_polls_both_ways(addon, name, tmp_path):
    operator = bpy.ops.wakeup.wake_up if name == "PHOTO" else bpy.ops.wakeup.render
    assert not operator.poll()
    with pytest.raises(RuntimeError, match="Choose a photo" if name == "PHOTO" else "Wake Up"):
        operator()
    if name == "PHOTO":
        addon.wake_up.photo = str(tmp_path / "somebody.png")
        assert operator.poll()
        bpy.context.window_manager.wake_up.running = True
        assert not operator.poll()
