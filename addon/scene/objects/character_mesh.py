"""A character's skeleton as an armature and its mesh as a skinned object."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
import numpy.typing as npt
from mathutils import Vector

from ...core.body.model.skeleton import JOINT
from ...core.types import Character, Float64, Skeleton
from ..selection import selected
from .images import EncodedImage, new_image
from .material import new_lit_material, new_photo_material
from .meshes import new_mesh

# The child that a bone points to, where a joint has several.
_POINTS_TO = {JOINT["spine3"]: JOINT["neck"]}
# Bones that point nowhere: direction (None goes on as the bone above does) and length in metres.
_DRAWN: dict[int, tuple[tuple[float, float, float] | None, float]] = {
    # Blender's rest matrices lose four digits where a bone points back along its parent to within
    # six degrees, as the upper legs would do if the hips pointed straight up.
    JOINT["pelvis"]: ((0.0, 0.34, 0.94), 0.12),
    JOINT["head"]: ((0.0, 0.0, 1.0), 0.18),
    JOINT["left_foot"]: ((0.0, -1.0, 0.0), 0.07),
    JOINT["right_foot"]: ((0.0, -1.0, 0.0), 0.07),
    JOINT["left_hand"]: (None, 0.08),
    JOINT["right_hand"]: (None, 0.08),
}
_SHORTEST_BONE_M = 1e-3  # Blender deletes bones of no length


def new_armature(
    name: str, skeleton: Skeleton, collection: bpy.types.Collection
) -> bpy.types.Object:
    """An armature in `collection` with one bone per joint, at rest in the world's axes.

    The object stays at the identity: the root bone carries all travel.
    """
    armature = bpy.data.armatures.new(name)
    armature.display_type = "STICK"
    armature_object = bpy.data.objects.new(name, armature)
    armature_object.show_in_front = True
    collection.objects.link(armature_object)
    with selected([armature_object], mode="EDIT"):
        bones: list[bpy.types.EditBone] = []
        for joint, (bone_name, parent) in enumerate(
            zip(skeleton.names, skeleton.parents, strict=True)
        ):
            bone = armature.edit_bones.new(bone_name)
            bone.head = Vector(skeleton.joints[joint])
            bone.tail = Vector(_tail(skeleton, joint))
            if parent >= 0:
                bone.parent = bones[parent]
            bones.append(bone)
    for pose_bone in armature_object.pose.bones:
        pose_bone.rotation_mode = "QUATERNION"
    return armature_object


def _tail(skeleton: Skeleton, joint: int) -> Float64:
    head = skeleton.joints[joint]
    if joint in _DRAWN:
        direction, length = _DRAWN[joint]
        if direction is None:
            above = head - skeleton.joints[skeleton.parents[joint]]
            direction = above / max(float(np.linalg.norm(above)), 1e-9)
        return head + np.asarray(direction) * length
    child = _POINTS_TO.get(joint, -1)
    if child < 0:
        child = skeleton.parents.index(joint)
    tail = skeleton.joints[child]
    if np.linalg.norm(tail - head) < _SHORTEST_BONE_M:
        return head + np.array([0.0, 0.0, _SHORTEST_BONE_M])
    return tail


def new_character(
    name: str,
    character: Character,
    armature: bpy.types.Object,
    collection: bpy.types.Collection,
    colours: EncodedImage,
    normals: EncodedImage | None = None,
) -> bpy.types.Object:
    """The character's mesh at rest in `collection`, textured and bound to the armature.

    colours, normals : its texture and its normal map
    It wears the first of its two materials, the photo's colours; the second is the lit one.
    """
    mesh = new_mesh(name, character.rest_vertices, character.triangles, character.uv)
    texture = new_image(f"{name} Texture", colours)
    relief = None
    if normals is not None:
        relief = new_image(f"{name} Normals", normals)
        relief.colorspace_settings.name = "Non-Color"
    mesh.materials.append(new_photo_material(name, texture))
    mesh.materials.append(new_lit_material(f"{name} Lit", texture, relief))
    mesh_object = bpy.data.objects.new(name, mesh)
    collection.objects.link(mesh_object)
    _add_shape_keys(mesh_object, character)
    bind(mesh_object, armature, character.skeleton.names, character.weights)
    return mesh_object


def _add_shape_keys(mesh_object: bpy.types.Object, character: Character) -> None:
    """The character's shape keys at strength 0, relative to its mesh at rest."""
    if not character.shape_keys:
        return
    mesh_object.shape_key_add(name="Basis", from_mix=False)
    for key in character.shape_keys:
        block = mesh_object.shape_key_add(name=key.name, from_mix=False)
        shape = np.ascontiguousarray(character.rest_vertices + key.offsets, np.float32)
        block.points.foreach_set("co", shape.ravel())
        block.value = 0.0


def bind(
    mesh_object: bpy.types.Object,
    armature: bpy.types.Object,
    names: Sequence[str],
    weights: npt.NDArray[np.floating],
) -> None:
    """Let a mesh at rest follow an armature's bones `names`, weights (V, 24)."""
    # Blender takes weights one by one: the methods are looked up once.
    add = [mesh_object.vertex_groups.new(name=bone).add for bone in names]
    vertex_index, joint_index = np.nonzero(weights)
    values = weights[vertex_index, joint_index]
    for vertex, joint, value in zip(
        vertex_index.tolist(), joint_index.tolist(), values.tolist(), strict=True
    ):
        add[joint]((vertex,), value, "REPLACE")

    modifier = mesh_object.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature
    mesh_object.parent = armature


def rest_surface(
    mesh_object: bpy.types.Object, names: Sequence[str]
) -> tuple[Float64, Float64] | None:
    """Vertices (V, 3) at rest, metres in the mesh's own axes, and weights (V, 24) of the bones
    `names`; None if the mesh has lost a bone's weights."""
    groups = [mesh_object.vertex_groups.get(name) for name in names]
    if any(group is None for group in groups) or not mesh_object.data.vertices:
        return None
    joint_of = {group.index: joint for joint, group in enumerate(groups)}
    count = len(mesh_object.data.vertices)
    vertices = np.empty(3 * count, np.float32)
    mesh_object.data.vertices.foreach_get("co", vertices)
    weights = np.zeros((count, len(names)))
    for row, vertex in zip(weights, mesh_object.data.vertices, strict=True):
        for element in vertex.groups:
            joint = joint_of.get(element.group)
            if joint is not None:
                row[joint] = element.weight
    return vertices.reshape(-1, 3).astype(np.float64), weights
