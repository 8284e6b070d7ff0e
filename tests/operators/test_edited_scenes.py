"""What users do to a result between two presses: every button then works or says one sentence."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.core.pipeline.stages import without
from photo_wake_up.addon.core.types import Progress
from photo_wake_up.addon.ui import motion_panels, panels
from photo_wake_up.operators import base

from ..core.motion_inputs import stick_bvh, stick_row
from ..scene import figures
from .test_registration import drawn

# Every button but those that open a window to paint in, and those that open the fitted body: the
# figure of tubes has none.
BUTTONS = (
    "wake_up", "animate", "add_box", "add_controls", "apply_controls",
    "remove_controls", "freeze_parts", "read_skeleton", "save_mapping", "forget_mapping",
    "perform", "perform_folder", "export", "render",
)  # fmt: skip


@pytest.fixture
def quick(addon, tmp_path, monkeypatch):
    """The extension on, and the stages' part of the work done beforehand; gives the photo."""
    monkeypatch.setattr(base, "run", _instead)
    rgb = np.zeros((figures.HEIGHT, figures.WIDTH, 3), np.uint8)
    path = tmp_path / "tubes.png"
    Image.fromarray(rgb).save(path)
    clips = tmp_path / "clips"
    clips.mkdir()
    (clips / "a.bvh").write_text(stick_bvh([stick_row(LeftArm=(5 * k, 0, 0)) for k in range(4)]))
    return path


def _instead(request):
    yield Progress(0.5, "Pretending")
    stages = ("photo", "people", "person", "fitted", "build", "background", "motion")
    later = stages[stages.index(request.until) + 1 :] if request.until in stages else ()
    return without(figures.result(), *later[:1])


@pytest.mark.parametrize("everyone", [False, True])
@pytest.mark.parametrize("button", ["wake_up", "animate"])
def test_a_motion_that_only_blender_reads_reaches_the_stages(
    two_takes, quick, monkeypatch, button, everyone
):
    """The stages may run in a process without Blender."""
    asked = []

    def instead(request):
        asked.append(request)
        yield from ()
        result = replace(figures.result(), motion_notes=request.clip.notes if request.clip else ())
        return (result,) if request.everyone else result

    monkeypatch.setattr(base, "run", instead)
    settings = _set_up(quick)
    settings.motion, settings.motion_file = "FILE", str(two_takes)
    settings.take, settings.everyone = "Actor wave", everyone
    press = getattr(bpy.ops.wakeup, button)
    assert press() == {"FINISHED"}
    clip = pickle.loads(pickle.dumps(asked[0])).clip
    assert clip.name == "takes Actor wave" and clip.fps == asked[0].settings.fps
    assert asked[0].settings.motion == str(two_takes) and asked[0].settings.take == "Actor wave"
    assert "'Actor wave' is performed, not 'Actor jump'." in (
        bpy.context.window_manager.wake_up.message
    )
    settings.take = "swim"
    with pytest.raises(RuntimeError, match="takes.fbx has no take 'swim'"):
        press()
    settings.motion = "walk"
    assert press() == {"FINISHED"}
    assert len(asked) == 2 and asked[1].clip is None and asked[1].settings.take == ""


def _set_up(photo: Path) -> bpy.types.PropertyGroup:
    settings = bpy.context.scene.wake_up
    settings.photo, settings.width, settings.frames = str(photo), 32, 3
    settings.output, settings.video = "png", str(photo.with_name("video.mp4"))
    bpy.context.scene.wake_up_motion.folder = str(photo.parent / "clips")
    return settings


def _saved(photo: Path) -> Path:
    """A file with a result in it, as the button leaves it."""
    path = photo.with_name("whole.blend")
    if not path.exists():
        bpy.ops.wm.read_homefile(use_empty=True)
        _set_up(photo)
        assert bpy.ops.wakeup.wake_up() == {"FINISHED"}
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def _result() -> bpy.types.Collection:
    return bpy.context.scene.wake_up.result


def _of_type(kind: str) -> list[bpy.types.Object]:
    return [item for item in bpy.data.objects if item.type == kind]


def _remove_type(kind: str) -> Callable[[], None]:
    return lambda: bpy.data.batch_remove(_of_type(kind))


def _remove_data(kind: str) -> Callable[[], None]:
    return lambda: bpy.data.batch_remove(list(getattr(bpy.data, kind)))


def _resize_images() -> None:
    for image in bpy.data.images:
        if image.size[0]:
            image.scale(7, 5)


def _edit_bones(change: Callable[[bpy.types.Armature], None]) -> Callable[[], None]:
    def damage() -> None:
        for armature in _of_type("ARMATURE"):
            armature.hide_set(False)
            armature.hide_viewport = False
            bpy.context.view_layer.objects.active = armature
            bpy.ops.object.mode_set(mode="EDIT")
            change(armature.data)
            bpy.ops.object.mode_set(mode="OBJECT")

    return damage


def _rename_bones(data: bpy.types.Armature) -> None:
    data.edit_bones[3].name = "my own bone"


def _empty_meshes() -> None:
    for mesh in bpy.data.meshes:
        mesh.clear_geometry()


def _other_notes() -> None:
    """As an add-on or a user in the properties editor might leave them."""
    for block in (*bpy.data.collections, *bpy.data.objects):
        for key in list(block.keys()):
            if key.startswith("photo_wake_up") and key != "photo_wake_up_role":
                block[key] = 7


def _hide() -> None:
    for layer in bpy.context.view_layer.layer_collection.children:
        layer.exclude = True


def _squash() -> None:
    for item in bpy.data.objects:
        item.scale = (0.0, 0.0, 0.0)


def _link() -> None:
    """The result comes from a library, where nothing of it can be changed."""
    library, name = bpy.data.filepath, _result().name
    photo = Path(bpy.context.scene.wake_up.photo)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(photo.with_name("linking.blend")))
    with bpy.data.libraries.load(library, link=True) as (_, wanted):
        wanted.collections = [name]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    _set_up(photo).result = wanted.collections[0]
    assert _result().library is not None


def _override() -> None:
    _link()
    linked = _result()
    own = linked.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    bpy.context.scene.wake_up.result = own
    assert own.override_library is not None


def _second_scene(kind: str) -> Callable[[], None]:
    """Another scene with the same settings, and the same result or a copy of it."""

    def damage() -> None:
        bpy.ops.scene.new(type=kind)

    return damage


def _other_version() -> None:
    """As a version of this project leaves it that notes other things."""
    bpy.context.scene.wake_up.made = '{"version": 99, "stages": 7}'
    for image in bpy.data.images:
        for key in [key for key in image.keys() if key.startswith("photo_wake_up")]:
            del image[key]


DAMAGES: dict[str, Callable[[], None]] = {
    "images resized": _resize_images,
    "a bone renamed": _edit_bones(_rename_bones),
    "the collection removed": lambda: bpy.data.collections.remove(_result()),
    "armatures removed": _remove_type("ARMATURE"),
    "cameras removed": _remove_type("CAMERA"),
    "meshes emptied": _empty_meshes,
    "materials removed": _remove_data("materials"),
    "actions removed": _remove_data("actions"),
    "notes overwritten": _other_notes,
    "the collection hidden": _hide,
    "no size": _squash,
    "noted by another version": _other_version,
    "linked from a library": _link,
    "overridden": _override,
    "a second scene with the same result": _second_scene("LINK_COPY"),
    "a second scene with a copy": _second_scene("FULL_COPY"),
}


def _press(button: str) -> str:
    """What the button says where it refuses; empty where it works."""
    arguments = {}
    if button == "export":
        arguments["filepath"] = str(Path(bpy.data.filepath).parent / "out.glb")
    try:
        getattr(bpy.ops.wakeup, button)(**arguments)
    except RuntimeError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_button_works_or_says_a_sentence(damage, quick):
    path = _saved(quick)
    content = path.read_bytes()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    _set_up(quick)
    DAMAGES[damage]()
    assert drawn((*panels.CLASSES, *motion_panels.CLASSES)).labels, "The panels still draw"
    wrong = {}
    for button in BUTTONS:
        bpy.ops.wm.open_mainfile(filepath=str(path))
        _set_up(quick)
        DAMAGES[damage]()
        said = _press(button)
        if "Traceback" in said:
            wrong[button] = said[-700:]
        assert bpy.context.window_manager.wake_up.running is False
    assert path.read_bytes() == content, "The file that others link from has changed"
    assert not wrong, "\n".join(f"{button}: {said}" for button, said in wrong.items())
