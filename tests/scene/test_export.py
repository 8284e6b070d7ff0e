"""An exported GLB is read back: mesh, skin, clip, texture."""

from __future__ import annotations

import json
import struct

import bpy
import numpy as np
import pytest

from photo_wake_up.addon.core.errors import OutputError
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.export import export_glb
from photo_wake_up.addon.scene.performing import lay_strips

from . import figures

FORMATS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
COUNTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """Just enough of a reader, from the specification (glTF 2.0, chapters 3.6 and 4.4)."""

    def __init__(self, path):
        content = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size = struct.unpack_from("<I", content, 12)[0]
        self.json = json.loads(content[20 : 20 + size])
        self.binary = content[28 + size :]

    def view(self, index):
        view = self.json["bufferViews"][index]
        start = view.get("byteOffset", 0)
        return self.binary[start : start + view["byteLength"]]

    def array(self, index):
        accessor = self.json["accessors"][index]
        dtype, width = FORMATS[accessor["componentType"]], COUNTS[accessor["type"]]
        data = np.frombuffer(
            self.view(accessor["bufferView"]), dtype, accessor["count"] * width,
            accessor.get("byteOffset", 0),
        )  # fmt: skip
        return data.reshape(-1, width)


@pytest.fixture
def exported(empty_file, tmp_path):
    result = figures.result()
    path = tmp_path / "character.glb"
    export_glb(build.build_scene(result), path)
    return result, Glb(path)


def test_skin_has_the_skeleton_and_four_influences(exported):
    result, glb = exported
    (skin,) = glb.json["skins"]
    names = {glb.json["nodes"][joint]["name"] for joint in skin["joints"]}
    assert names == set(result.build.character.skeleton.names)
    attributes = glb.json["meshes"][0]["primitives"][0]["attributes"]
    assert "JOINTS_1" not in attributes
    weights, joints = glb.array(attributes["WEIGHTS_0"]), glb.array(attributes["JOINTS_0"])
    assert np.abs(weights.sum(axis=1) - 1).max() < 4 * 2e-7
    assert (joints[weights == 0] == 0).all()


def test_skinned_mesh_is_a_root_without_a_transform(exported):
    _, glb = exported
    nodes = glb.json["nodes"]
    (mesh,) = (index for index, node in enumerate(nodes) if "mesh" in node)
    assert mesh in glb.json["scenes"][0]["nodes"]
    assert not {"translation", "rotation", "scale", "matrix"} & set(nodes[mesh])


def test_triangles_and_texture_are_the_characters(exported):
    result, glb = exported
    (primitive,) = glb.json["meshes"][0]["primitives"]
    assert len(glb.array(primitive["indices"])) == result.build.character.triangles.size
    material = glb.json["materials"][primitive["material"]]
    assert "KHR_materials_unlit" in material["extensions"]
    texture = glb.json["textures"][material["pbrMetallicRoughness"]["baseColorTexture"]["index"]]
    image = glb.json["images"][texture["source"]]
    import cv2

    pixels = cv2.imdecode(np.frombuffer(glb.view(image["bufferView"]), np.uint8), cv2.IMREAD_COLOR)[
        ..., ::-1
    ]
    expected = result.build.character.texture[..., :3]
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).mean() < 4  # JPEG


def test_lit_export_has_the_normal_map(empty_file, tmp_path):
    import cv2

    result = figures.result()
    collection = build.build_scene(result)
    export_glb(collection, tmp_path / "lit.glb", lit=True)
    glb = Glb(tmp_path / "lit.glb")
    (primitive,) = glb.json["meshes"][0]["primitives"]
    material = glb.json["materials"][primitive["material"]]
    assert "KHR_materials_unlit" not in material.get("extensions", {})
    assert "baseColorTexture" in material["pbrMetallicRoughness"]
    texture = glb.json["textures"][material["normalTexture"]["index"]]
    image = glb.json["images"][texture["source"]]
    pixels = cv2.imdecode(np.frombuffer(glb.view(image["bufferView"]), np.uint8), cv2.IMREAD_COLOR)
    expected = result.build.character.normal_map
    assert pixels.shape == expected.shape
    assert np.abs(pixels[..., ::-1].astype(int) - expected).max() <= 3  # JPEG
    # Afterwards the character shows the photo again, and the next file is unlit.
    export_glb(collection, tmp_path / "unlit.glb")
    glb = Glb(tmp_path / "unlit.glb")
    assert ["KHR_materials_unlit" in m["extensions"] for m in glb.json["materials"]] == [True]


def test_clip_has_the_length_and_starts_at_zero(exported):
    _, glb = exported
    (clip,) = glb.json["animations"]
    times = [glb.array(sampler["input"]) for sampler in clip["samplers"]]
    assert min(time.min() for time in times) == 0
    length = (figures.FRAMES - 1) / figures.FPS
    assert max(time.max() for time in times) == pytest.approx(length, abs=1e-4)
    root = next(
        index
        for index, node in enumerate(glb.json["nodes"])
        if node.get("name", "").endswith("Hips")
    )
    assert any(
        channel["target"] == {"node": root, "path": "translation"} for channel in clip["channels"]
    )


@pytest.mark.parametrize(("in_turn", "lengths"), [(True, [2]), (False, [1, 1])])
def test_strips_are_clips_of_the_file(empty_file, tmp_path, in_turn, lengths):
    result = figures.result()
    collection = build.build_scene(result)
    armature = build.find_parts(collection).armature
    bpy.data.actions.remove(armature.animation_data.action)
    lay_strips(armature, [("one", result.motion), ("two", result.motion)], in_turn)
    muted = [track.mute for track in armature.animation_data.nla_tracks]
    export_glb(collection, tmp_path / "strips.glb")
    glb = Glb(tmp_path / "strips.glb")
    ends = [
        max(glb.array(sampler["input"]).max() for sampler in clip["samplers"])
        for clip in glb.json["animations"]
    ]
    one = (figures.FRAMES - 1) / figures.FPS
    assert ends == pytest.approx([count * one for count in lengths], abs=1e-4)
    assert [track.mute for track in armature.animation_data.nla_tracks] == muted


def test_exporting_leaves_the_selection(empty_file, tmp_path):
    mine = bpy.data.objects.new("mine", None)
    empty_file.collection.objects.link(mine)
    mine.select_set(True)
    collection = build.build_scene(figures.result(moving=False))
    export_glb(collection, tmp_path / "character.glb")
    assert [item.name for item in bpy.context.selected_objects] == ["mine"]


def test_folder_that_is_not_there_is_one_sentence(empty_file, tmp_path):
    collection = build.build_scene(figures.result(moving=False))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="character.glb"):
        export_glb(collection, tmp_path / "file" / "character.glb")
