"""Switching the extension on and off leaves Blender as it was."""

from __future__ import annotations

import sys

import bpy
import pytest

import photo_wake_up


def _footprint() -> dict[str, object]:
    return {
        "types": {name for name in dir(bpy.types) if "wakeup" in name.lower()},
        "subclasses": {
            cls.__name__
            for base in (bpy.types.Operator, bpy.types.Panel, bpy.types.PropertyGroup)
            for cls in base.__subclasses__()
            if getattr(cls, "is_registered", False) and "photo_wake_up" in cls.__module__
        },
        "scene": {"wake_up"} & set(bpy.types.Scene.bl_rna.properties.keys()),
        "manager": {"wake_up"} & set(bpy.types.WindowManager.bl_rna.properties.keys()),
        "handlers": [
            handler
            for name in dir(bpy.app.handlers)
            if isinstance(handlers := getattr(bpy.app.handlers, name), list)
            for handler in handlers
            if "photo_wake_up" in getattr(handler, "__module__", "")
        ],
        "operators": [name for name in dir(bpy.ops.wakeup)],
    }


def test_three_times_on_and_off_leaves_nothing():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    before = _footprint()
    assert not any(before.values())
    for _ in range(3):
        photo_wake_up.register()
        assert {"wake_up"} == _footprint()["scene"]
        assert "wake_up" in _footprint()["operators"]
        photo_wake_up.unregister()
        assert _footprint() == before


def test_the_root_imports_nothing_by_itself():
    """Blender reads every extension's root at start: it has to be quick."""
    import subprocess

    code = (
        "import sys, photo_wake_up; "
        "assert not [m for m in sys.modules if m.startswith('photo_wake_up.')]; "
        "assert 'bpy' not in sys.modules and 'numpy' not in sys.modules"
    )
    path = str(photo_wake_up.__file__).rsplit("/", 2)[0]
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=True)


def test_every_operator_and_property_says_what_it_is(addon):
    from photo_wake_up.addon.registration import CLASSES

    for cls in CLASSES:
        if issubclass(cls, bpy.types.Operator):
            assert cls.bl_description and not cls.bl_description.endswith(".")
            assert cls.bl_label
        if issubclass(cls, bpy.types.PropertyGroup):
            for name, prop in cls.bl_rna.properties.items():
                if name not in ("rna_type", "name"):
                    assert prop.name and prop.description, f"{cls.__name__}.{name}"


def test_panels_draw_without_a_result(addon):
    """draw() reads settings only: it works on an empty file and while a stage runs."""
    from photo_wake_up.addon.ui import motion_panels, panels

    every = (*panels.CLASSES, *motion_panels.CLASSES)

    class Recorder:
        """Takes whatever a panel asks of a layout."""

        def __init__(self) -> None:
            self.operators: list[str] = []

        def operator(self, name: str, **_options: object) -> None:
            self.operators.append(name)

        def __getattr__(self, _name: str):  # noqa: ANN204
            return lambda *_a, **_k: self

    for running in (False, True):
        status = bpy.context.window_manager.wake_up
        status.running, status.message = running, "Fitting the body " * 4
        drawn = []
        for cls in every:
            if not issubclass(cls, bpy.types.Panel):
                continue
            layout = Recorder()
            panel = type("Stand", (), {"layout": layout})()
            cls.draw(panel, bpy.context)
            drawn += layout.operators
        assert set(drawn) == {
            "wakeup.wake_up", "wakeup.find_person", "wakeup.fit_body", "wakeup.build_character",
            "wakeup.fill_background", "wakeup.animate", "wakeup.render", "wakeup.export",
            "wakeup.add_box", "wakeup.paint_mask", "wakeup.paint_labels",
            "wakeup.use_corrections", "wakeup.add_clip_library",
            "wakeup.correct_pose", "wakeup.refine_pose", "wakeup.forget_pose",
            "wakeup.perform", "wakeup.perform_folder", "wakeup.read_skeleton",
            "wakeup.save_mapping", "wakeup.load_mapping", "wakeup.forget_mapping",
            "wakeup.add_controls", "wakeup.apply_controls", "wakeup.remove_controls",
            "wakeup.freeze_parts",
        }  # fmt: skip
    assert all(hasattr(bpy.types, cls.__name__) for cls in every)


def test_preferences_draw_every_property(addon):
    from photo_wake_up.addon.ui import preferences

    class Recorder:
        def __init__(self) -> None:
            self.drawn: list[str] = []

        def prop(self, _data: object, name: str) -> None:
            self.drawn.append(name)

        def box(self) -> Recorder:
            return self

        def label(self, text: str) -> None:
            assert "ONNX" in text

    layout = Recorder()
    stand = type("Stand", (), {"layout": layout})()
    preferences.WakeUpPreferences.draw(stand, bpy.context)
    assert set(layout.drawn) == set(preferences.WakeUpPreferences.__annotations__) - {"bl_idname"}
    # Where the extension is not installed, nothing is chosen.
    for chosen in (
        preferences.body_file, preferences.mask_network, preferences.joint_network,
        preferences.plate_network,
    ):  # fmt: skip
        assert chosen(bpy.context) == ""
    scene = bpy.context.scene
    scene.wake_up.remove_shadow = False
    settings = scene.wake_up.pipeline_settings(scene, "b", "m", "j", "p")
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
