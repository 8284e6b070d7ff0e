"""An exported avatar against what VRM 1.0 demands: bones, tree, rest pose, meta."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import SMPL_JOINTS
from photo_wake_up.addon.core.errors import OutputError
from photo_wake_up.addon.core.interchange.glb import Glb
from photo_wake_up.addon.core.interchange.vrm import (
    HUMANOID_BONES,
    REQUIRED_BONES,
    AvatarMeta,
    make_avatar,
)
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.export.vrm import export_vrm

from . import figures, read_back

# Each bone's nearest ancestor of those that we have (VRM 1.0, humanoid.md).
PARENTS = {
    "spine": "hips", "chest": "spine", "upperChest": "chest", "neck": "upperChest", "head": "neck",
    **{
        f"{side}{bone}": parent if parent in ("hips", "upperChest") else f"{side}{parent}"
        for side in ("left", "right")
        for bone, parent in (
            ("UpperLeg", "hips"), ("LowerLeg", "UpperLeg"), ("Foot", "LowerLeg"), ("Toes", "Foot"),
            ("Shoulder", "upperChest"), ("UpperArm", "Shoulder"), ("LowerArm", "UpperArm"),
            ("Hand", "LowerArm"),
        )
    },
}  # fmt: skip
MOST_TILT_DEG = 5.0


def places(document):
    """Every node's rest place (3,) in glTF's world, and its parent."""
    nodes = document["nodes"]
    parent = {child: n for n, node in enumerate(nodes) for child in node.get("children", ())}

    def matrix(number):
        node = nodes[number]
        assert "scale" not in node or np.allclose(node["scale"], 1, atol=1e-5)
        own = np.eye(4)
        own[:3, :3] = Rotation.from_quat(node.get("rotation", (0, 0, 0, 1))).as_matrix()
        own[:3, 3] = node.get("translation", (0, 0, 0))
        return matrix(parent[number]) @ own if number in parent else own

    return [matrix(number)[:3, 3] for number in range(len(nodes))], parent


def assert_is_avatar(path):
    """All that VRM 1.0 demands of bones, tree, rest pose and meta, and what glTF does."""
    document = Glb.from_bytes(path.read_bytes()).json
    avatar = document["extensions"]["VRMC_vrm"]
    assert "VRMC_vrm" in document["extensionsUsed"] and avatar["specVersion"] == "1.0"
    meta = avatar["meta"]
    assert meta["name"] and all(meta["authors"]) and len(meta["authors"]) == 1
    assert meta["licenseUrl"] == "https://vrm.dev/licenses/1.0/"
    assert "animations" not in document and "cameras" not in document

    bones = {name: bone["node"] for name, bone in avatar["humanoid"]["humanBones"].items()}
    assert set(REQUIRED_BONES) <= set(bones) and len(set(bones.values())) == len(bones)
    place, parent = places(document)
    number_of = {node: name for name, node in bones.items()}
    for name, node in bones.items():
        above = parent.get(node)
        while above is not None and above not in number_of:
            above = parent.get(above)
        assert (number_of.get(above)) == PARENTS.get(name)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm = [place[bones[side + name]] for name in ("UpperArm", "LowerArm", "Hand")]
        for start, end in itertools.pairwise(arm):
            along = (end - start) / np.linalg.norm(end - start)
            assert along[0] * sign > np.cos(np.radians(MOST_TILT_DEG))
        # It looks along +z: the toes are before the ankles.
        toes, ankle = place[bones[side + "Toes"]], place[bones[side + "Foot"]]
        assert toes[2] > ankle[2] and place[bones[side + "UpperLeg"]][0] * sign > 0
    assert place[bones["head"]][1] > place[bones["hips"]][1] > 0.3
    read_back.assert_valid(path)


def test_table_holds_what_vrm_demands():
    assert len(REQUIRED_BONES) == 15 and set(REQUIRED_BONES) <= set(HUMANOID_BONES.values())
    assert set(HUMANOID_BONES) <= set(SMPL_JOINTS)
    assert len(set(HUMANOID_BONES.values())) == len(HUMANOID_BONES)


@pytest.mark.parametrize("lit", [False, True])
def test_avatar_is_what_vrm_demands(empty_file, tmp_path, lit):
    collection = build.build_scene(figures.result())
    export_vrm(collection, tmp_path / "a.vrm", lit=lit, author="Somebody")
    document = Glb.from_bytes((tmp_path / "a.vrm").read_bytes()).json
    assert document["extensions"]["VRMC_vrm"]["meta"]["authors"] == ["Somebody"]
    assert_is_avatar(tmp_path / "a.vrm")
    assert [item.name for item in tmp_path.iterdir()] == ["a.vrm"]


def test_skeletons_that_lack_a_bone_are_refused():
    document = {"nodes": [{"name": "mixamorig:Hips"}], "skins": [{"joints": [0]}]}
    with pytest.raises(OutputError, match="LeftUpLeg"):
        make_avatar(document, AvatarMeta("a", "b"))
    with pytest.raises(OutputError, match="author"):
        make_avatar(document, AvatarMeta("a", " "))
