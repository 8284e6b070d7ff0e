"""An exported GLB is read back: mesh, skin, clip, texture."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import bpy
import numpy as np
import pytest
from scipy.spatial import cKDTree

from photo_wake_up.addon.core.errors import OutputError
from photo_wake_up.addon.core.interchange.glb import Glb as Document
from photo_wake_up.addon.core.motion.sources.library import CLIP_NAMES
from photo_wake_up.addon.core.types import ShapeKey
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.animation.clip_assets import add_clip_actions
from photo_wake_up.addon.scene.animation.performing import push_nla_strips
from photo_wake_up.addon.scene.export.gltf import export_glb

from . import figures, read_back

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
    push_nla_strips(armature, [("one", result.motion), ("two", result.motion)], in_turn)
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


def animation_state(armature):
    animation = armature.animation_data
    tracks = [
        (track.name, track.mute, [(strip.name, strip.action) for strip in track.strips])
        for track in animation.nla_tracks
    ]
    return animation.action, animation.action_slot, tracks


@pytest.mark.parametrize("kind", ["unlit", "lit", "plate", "strips", "still"])
def test_validator_finds_nothing(empty_file, tmp_path, kind):
    result = figures.result(moving=kind != "still")
    collection = build.build_scene(result)
    armature = build.find_parts(collection).armature
    if kind == "strips":
        push_nla_strips(armature, [("one", result.motion), ("two", result.motion)], in_turn=False)
    export_glb(collection, tmp_path / "a.glb", lit=kind == "lit", plate=kind == "plate")
    glb = Glb(tmp_path / "a.glb")
    assert len(glb.json["skins"]) == 1 and len(glb.json.get("animations", ())) == {
        "strips": 3, "still": 0,
    }.get(kind, 1)  # fmt: skip
    read_back.assert_valid(tmp_path / "a.glb")


def test_reader_sees_the_same_vertices_on_every_frame(empty_file, tmp_path):
    empty_file.render.fps = int(figures.FPS)
    collection = build.build_scene(figures.result())
    export_glb(collection, tmp_path / "a.glb", plate=True)
    mesh, armature = read_back.imported(bpy.ops.import_scene.gltf, tmp_path / "a.glb")
    assert armature.animation_data.action.name.startswith("swing")
    frames = range(1, figures.FRAMES + 1)
    # The importer puts a clip's start on frame 0.
    mine = build.find_parts(collection).character
    assert read_back.farthest(mine, mesh, frames, shift=-1) < 1e-4


def test_clips_are_named_and_what_plays_comes_first(empty_file, tmp_path):
    collection = build.build_scene(figures.result())
    armature = build.find_parts(collection).armature
    add_clip_actions(armature, figures.FPS)
    push_nla_strips(armature, [("one", figures.result().motion)], in_turn=False)
    before = animation_state(armature)
    export_glb(collection, tmp_path / "a.glb")
    names = [clip["name"] for clip in Glb(tmp_path / "a.glb").json["animations"]]
    assert names == ["one", "swing", *CLIP_NAMES]
    assert animation_state(armature) == before
    assert not any(track.name.startswith("~") for track in armature.animation_data.nla_tracks)


def test_the_armatures_own_action_comes_first_and_comes_back(empty_file, tmp_path):
    result = figures.result()
    collection = build.build_scene(result)
    armature = build.find_parts(collection).armature
    action = armature.animation_data.action
    armature.animation_data.action = None
    push_nla_strips(armature, [("swing", result.motion), ("two", result.motion)], in_turn=False)
    armature.animation_data.action = action
    before = animation_state(armature)
    export_glb(collection, tmp_path / "a.glb")
    names = [clip["name"] for clip in Glb(tmp_path / "a.glb").json["animations"]]
    assert names == ["swing", "swing 2", "two"]
    assert animation_state(armature) == before and before[0] is not None


def test_plate_comes_along_with_a_power_of_two(empty_file, tmp_path):
    import cv2

    collection = build.build_scene(figures.result())
    images = {image.name for image in bpy.data.images}
    export_glb(collection, tmp_path / "a.glb", plate=True)
    glb = Glb(tmp_path / "a.glb")
    sizes = {
        image["name"]: cv2.imdecode(
            np.frombuffer(glb.view(image["bufferView"]), np.uint8), cv2.IMREAD_COLOR
        ).shape[1::-1]
        for image in glb.json["images"]
    }
    assert sorted(sizes.values()) == [(64, 64), (256, 256)]  # the plate's are 160 x 240
    assert all("KHR_materials_unlit" in m["extensions"] for m in glb.json["materials"])
    (plate,) = (n for n in glb.json["nodes"] if "mesh" in n and "skin" not in n)
    place = build.find_parts(collection).plate.location
    assert plate["translation"] == pytest.approx([place.x, place.z, -place.y], abs=1e-5)
    assert {image.name for image in bpy.data.images} == images


def test_what_fails_leaves_the_file_before(empty_file, tmp_path, monkeypatch):
    from photo_wake_up.addon.scene.export import gltf

    collection = build.build_scene(figures.result())
    (tmp_path / "a.glb").write_text("mine")

    def failing(_content):
        raise OutputError("Half-way.")

    monkeypatch.setattr(gltf.Glb, "from_bytes", failing)
    with pytest.raises(OutputError, match="Half-way"):
        export_glb(collection, tmp_path / "a.glb")
    assert (tmp_path / "a.glb").read_text() == "mine"
    assert [item.name for item in tmp_path.iterdir()] == ["a.glb"]


def test_targets_that_cannot_be_written_are_one_sentence(empty_file, tmp_path):
    collection = build.build_scene(figures.result(moving=False))
    (tmp_path / "folder.glb").mkdir()
    for path in (tmp_path / "folder.glb", tmp_path / "missing" / "a.glb"):
        with pytest.raises(OutputError, match=r"choose another place\.$"):
            export_glb(collection, path)
    assert [item.name for item in tmp_path.iterdir()] == ["folder.glb"]


def test_container_survives_its_round_trip(exported, tmp_path):
    content = (tmp_path / "character.glb").read_bytes()
    document = Document.from_bytes(content)
    again = Document.from_bytes(document.to_bytes())
    assert again.json == document.json and again.binary == document.binary
    for broken in (b"", content[:40], b"GLTF" + content[4:]):
        with pytest.raises(OutputError):
            Document.from_bytes(broken)


def test_shape_keys_are_morph_targets(empty_file, tmp_path):
    """Each lies as offsets in glTF's axes beside the vertices that it moves, at strength 0."""
    result = figures.result()
    figure = result.build.character
    random = np.random.default_rng(8)
    keys = tuple(
        ShapeKey(name, random.normal(0, 0.02, figure.vertices.shape).astype(np.float32))
        for name in ("jawOpen", "eyeBlinkLeft")
    )
    result = replace(
        result, build=replace(result.build, character=replace(figure, shape_keys=keys))
    )
    path = tmp_path / "keyed.glb"
    export_glb(build.build_scene(result), path)
    glb = Glb(path)
    (mesh,) = glb.json["meshes"]
    assert mesh["extras"]["targetNames"] == [key.name for key in keys]
    assert mesh["weights"] == [0.0, 0.0]
    (primitive,) = mesh["primitives"]
    places = glb.array(primitive["attributes"]["POSITION"])
    rest = figure.rest_vertices[:, [0, 2, 1]] * np.array([1, 1, -1])
    away, nearest = cKDTree(rest).query(places)
    assert away.max() < 1e-5
    for key, target in zip(keys, primitive["targets"], strict=True):
        wanted = key.offsets[:, [0, 2, 1]] * np.array([1, 1, -1])
        # Several vertices may share a place; then one of them has the offset.
        off = np.abs(glb.array(target["POSITION"]) - wanted[nearest]).max(axis=1)
        assert np.percentile(off, 50) < 1e-5
