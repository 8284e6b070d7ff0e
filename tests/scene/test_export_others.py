"""USDZ and FBX are read back: vertices on every frame, clips, textures, and what is refused."""

from __future__ import annotations

import io
import zipfile
from dataclasses import fields

import bpy
import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.core.errors import OutputError
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.animation.performing import push_nla_strips
from photo_wake_up.addon.scene.export import fbx, registry, usd

from . import figures, read_back

# System, length of a unit in metres, and the unit that lengths are shown in.
UNITS = (
    ("METRIC", 0.01, "CENTIMETERS"), ("METRIC", 1.0, "METERS"), ("METRIC", 100.0, "KILOMETERS"),
    ("METRIC", 0.001, "ADAPTIVE"), ("IMPERIAL", 1.0, "FEET"), ("IMPERIAL", 0.3048, "INCHES"),
    ("NONE", 0.01, None),
)  # fmt: skip

WRITERS = {"usdz": usd.export_usdz, "fbx": fbx.export_fbx}


@pytest.fixture
def scene(empty_file):
    empty_file.render.fps = int(figures.FPS)
    bpy.ops.preferences.addon_enable(module="io_scene_fbx")
    collection = build.build_scene(figures.result())
    return collection, build.find_parts(collection)


def importer(kind):
    return {"usdz": bpy.ops.wm.usd_import, "fbx": bpy.ops.import_scene.fbx}[kind]


def kept():
    """What an export must leave as it is."""
    objects = sorted((item.name, item.hide_viewport) for item in bpy.data.objects)
    blocks = [
        sorted(block.name for block in getattr(bpy.data, kind))
        for kind in ("images", "materials", "actions", "meshes")
    ]
    scene = bpy.context.scene
    worn = [[slot.material.name for slot in item.material_slots] for item in scene.objects]
    return objects, blocks, worn, scene.frame_start, scene.frame_end, scene.frame_current


@pytest.mark.parametrize("kind", WRITERS)
def test_reader_sees_the_same_vertices_on_every_frame(scene, tmp_path, kind):
    collection, parts = scene
    bpy.context.scene.frame_end = 3  # shorter than the motion: all of it is written
    before = kept()
    path = tmp_path / f"a.{kind}"
    WRITERS[kind](collection, path)
    assert kept() == before and [item.name for item in tmp_path.iterdir()] == [path.name]
    mesh, armature = read_back.imported(importer(kind), path)
    assert set(armature.data.bones.keys()) == {
        name if kind == "fbx" else name.replace(":", "_")
        for name in parts.armature.data.bones.keys()
    }
    frames = range(1, figures.FRAMES + 1)
    assert read_back.farthest(parts.character, mesh, frames) < 1e-5


@pytest.mark.parametrize("kind", WRITERS)
def test_a_character_that_stands_still(empty_file, tmp_path, kind):
    bpy.ops.preferences.addon_enable(module="io_scene_fbx")
    collection = build.build_scene(figures.result(moving=False))
    WRITERS[kind](collection, tmp_path / f"a.{kind}")
    mesh, _ = read_back.imported(importer(kind), tmp_path / f"a.{kind}")
    assert read_back.farthest(build.find_parts(collection).character, mesh, [1]) < 1e-5


def test_fbx_has_a_take_for_each_clip_and_both_pictures(scene, tmp_path):
    collection, parts = scene
    push_nla_strips(parts.armature, [("one", figures.result().motion)], in_turn=False)
    fbx.export_fbx(collection, tmp_path / "a.fbx")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.preferences.addon_enable(module="io_scene_fbx")
    mesh, armature = read_back.imported(bpy.ops.import_scene.fbx, tmp_path / "a.fbx")
    takes = {action.name.partition("|")[2] for action in bpy.data.actions}
    assert takes == {"one", "swing"} and armature.animation_data.action is not None
    (material,) = mesh.data.materials
    surface = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    colour = surface.inputs["Base Color"].links[0].from_node.image
    relief = surface.inputs["Normal"].links[0].from_node.inputs["Color"].links[0].from_node.image
    assert colour.packed_file and relief.packed_file and colour != relief
    middle = 4 * (figures.TEXTURE_PX * figures.TEXTURE_PX // 2)
    assert relief.pixels[middle] > 0.5 > colour.pixels[middle]  # red


@pytest.mark.parametrize("lit", [False, True])
def test_usdz_is_within_the_limits_of_phones(scene, tmp_path, monkeypatch, lit):
    monkeypatch.setattr(usd, "LARGEST_TEXTURE_PX", 32)
    collection, parts = scene
    usd.export_usdz(collection, tmp_path / "a.usdz", lit=lit)
    with zipfile.ZipFile(tmp_path / "a.usdz") as opened:
        names = opened.namelist()
        # What the format demands: nothing compressed, the scene first.
        assert {each.compress_type for each in opened.infolist()} == {zipfile.ZIP_STORED}
        assert names[0].endswith(".usdc") and len(names) == 2 + lit
        for name in names[1:]:
            assert Image.open(io.BytesIO(opened.read(name))).size == (32, 32)
    read_back.assert_valid_usd(tmp_path / "a.usdz")
    monkeypatch.setattr(usd, "MOST_POLYGONS", 100)
    with pytest.raises(OutputError, match="100 at most"):
        usd.export_usdz(collection, tmp_path / "b.usdz")
    assert [item.name for item in tmp_path.iterdir()] == ["a.usdz"]
    assert len(parts.character.data.polygons) > usd.MOST_POLYGONS


@pytest.mark.parametrize("kind", WRITERS)
def test_targets_that_cannot_be_written_are_one_sentence(scene, tmp_path, kind):
    (tmp_path / f"folder.{kind}").mkdir()
    for path in (tmp_path / f"folder.{kind}", tmp_path / "missing" / f"a.{kind}"):
        with pytest.raises(OutputError, match=r"choose another place\.$"):
            WRITERS[kind](scene[0], path)
    assert [item.name for item in tmp_path.iterdir()] == [f"folder.{kind}"]


@pytest.mark.parametrize("kind", ["glb", "usdz", "fbx", "vrm"])
@pytest.mark.parametrize("units", UNITS, ids=lambda units: f"{units[0]} {units[1]:g}")
def test_metres_whatever_the_scenes_units(scene, tmp_path, kind, units):
    """What is read back has the size that it has in a scene of metres, and stands where it does."""
    bpy.ops.preferences.addon_enable(module="io_scene_gltf2")
    collection, parts = scene
    settings = bpy.context.scene.unit_settings
    settings.system, settings.scale_length = units[:2]
    if units[2] is not None:
        settings.length_unit = units[2]

    def shown():
        names = ("system", "scale_length", "length_unit", "mass_unit", "temperature_unit")
        return [getattr(settings, name) for name in names]

    before = shown()
    mine = [read_back.corners(parts.character, frame) for frame in (1, figures.FRAMES)]
    path = tmp_path / f"a.{kind}"
    registry.export_character(collection, kind, path)
    assert shown() == before
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.context.scene.render.fps = int(figures.FPS)
    bpy.ops.preferences.addon_enable(module="io_scene_fbx")
    if kind == "vrm":  # at rest: as tall as the skeleton
        path = path.rename(path.with_suffix(".glb"))
        mesh, armature = read_back.imported(bpy.ops.import_scene.gltf, path)
        heads = [armature.matrix_world @ bone.head_local for bone in armature.data.bones]
        tallest = max(head.z for head in heads) - min(head.z for head in heads)
        places = np.array(figures.skeleton().joints)
        assert tallest == pytest.approx(np.ptp(places, axis=0).max(), abs=0.2)
        return
    reader, shift = (bpy.ops.import_scene.gltf, -1) if kind == "glb" else (importer(kind), 0)
    mesh, _ = read_back.imported(reader, path)
    for frame, seen in zip((1, figures.FRAMES), mine, strict=True):
        assert np.abs(read_back.corners(mesh, frame + shift) - seen).max() < 1e-5


def test_formats_are_told_apart_and_read_options_that_there_are():
    known = {field.name for field in fields(registry.ExportOptions)}
    for exporter in registry.EXPORTERS:
        assert set(exporter.options) <= known
        assert registry.exporter_of(exporter.name) is exporter
    for told_apart in ("name", "suffix", "title", "write"):
        values = {getattr(exporter, told_apart) for exporter in registry.EXPORTERS}
        assert len(values) == len(registry.EXPORTERS)
    with pytest.raises(OutputError, match=r"^There is no export to 'obj': choose glb, .*html\.$"):
        registry.exporter_of("obj")
