"""The sun, the character's shadow on the ground, and the switch from the photo's light to lamps.

The shadow is a mesh that geometry nodes make again in every frame: a fine grid on the ground under
the character, of which stays what rays towards the sun find covered. It therefore looks alike in
every engine, Workbench included, needs no lit materials, and follows when the sun is turned.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np
from mathutils import Vector

from ...core.types import Float64
from ..animation.actions import FIRST_FRAME
from ..animation.fcurves import interpolate_constantly
from ..id_properties import SHADOW

_SUN_STRENGTH = 3.0  # watts a square metre: about what keeps a lit character's colours
_SUN_ANGLE_DEG = 2.0  # softer than the real sun's half a degree, as in haze
_FILL_STRENGTH = 1.0  # watts a square metre: a third of the sun's, as the sky's on a clear day
_FILL_FROM = (0.0, -0.9, 0.44)  # world
_SUN_DISTANCE_M = 3.0  # where the object is drawn; a sun's place has no meaning
_CELL_M = 0.012  # of the shadow's grid: below, frames take longer than they show
_MARGIN_M = 0.08  # around the shadow, for its soft edge
_MOST_CELLS = 400  # a side: a shadow longer than that is coarser
_BLUR_ROUNDS = 5  # over a cell each: the edge's softness
_ROUNDING = 4  # rounds in which a layer's edge, cut along cells, is smoothed
# Shares of cover at which a layer ends and the opacity of each; together about 0.6.
_LAYERS = ((0.15, 0.14), (0.35, 0.19), (0.55, 0.23), (0.75, 0.27))
_LIFT_M = 0.002  # of the lowest layer and between two: engines can separate them
_LOWEST_SUN = 0.2  # sine of the elevation to which shadows follow a sun that sets
_RAY_M = 10.0  # towards the sun: more than a person's height at the lowest sun


def new_sun(name: str, direction: Float64) -> bpy.types.Object:
    """A Sun light that shines from `direction` (3,), world, towards the sun."""
    data = bpy.data.lights.new(name, "SUN")
    data.energy, data.angle = _SUN_STRENGTH, np.radians(_SUN_ANGLE_DEG)
    sun = bpy.data.objects.new(name, data)
    toward = Vector(direction)
    sun.rotation_mode = "QUATERNION"
    sun.rotation_quaternion = toward.to_track_quat("Z", "Y")
    sun.location = toward * _SUN_DISTANCE_M
    return sun


def new_fill(name: str) -> bpy.types.Object:
    """A light from the viewer without shadows, so that what the sun leaves dark can be seen."""
    data = bpy.data.lights.new(name, "SUN")
    data.energy, data.use_shadow = _FILL_STRENGTH, False
    fill = bpy.data.objects.new(name, data)
    fill.rotation_mode = "QUATERNION"
    fill.rotation_quaternion = Vector(_FILL_FROM).to_track_quat("Z", "Y")
    fill.location = Vector(_FILL_FROM) * _SUN_DISTANCE_M
    return fill


def new_shadow(
    name: str, character: bpy.types.Object, armature: bpy.types.Object, sun: bpy.types.Object
) -> bpy.types.Object:
    """The shadow that `sun` has `character` cast on the ground under its armature.

    There is none on the first frame, where the photo has the person's own.
    """
    shadow = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    shadow.parent = armature  # the space that the character's mesh is in as well
    modifier = shadow.modifiers.new("Shadow", "NODES")
    modifier.node_group = _shadow_nodes(name, character, sun)
    shadow.hide_select = True
    shadow[SHADOW] = True
    for frame, size in ((FIRST_FRAME, 0.0), (FIRST_FRAME + 1, 1.0)):
        shadow.scale = [size] * 3
        shadow.keyframe_insert("scale", frame=frame)
    interpolate_constantly(shadow)
    return shadow


def show_shadow(items: Iterable[bpy.types.Object], shown: bool) -> None:
    """Show or hide the shadows among a collection's objects."""
    # Hiding rebuilds what Blender keeps for `all_objects`: it may not be walked meanwhile.
    for item in [item for item in items if SHADOW in item]:
        item.hide_render = item.hide_viewport = not shown


def made_for(items: Iterable[bpy.types.Object]) -> list[bpy.types.ID]:
    """The node groups of the shadows among `items`, and their materials."""
    groups = [
        modifier.node_group
        for item in items
        if SHADOW in item
        for modifier in item.modifiers
        if modifier.type == "NODES" and modifier.node_group is not None
    ]
    return groups + [
        node.inputs["Material"].default_value
        for group in groups
        for node in group.nodes
        if node.bl_idname == "GeometryNodeSetMaterial"
    ]


def relight(characters: Iterable[bpy.types.Object], lit: bool) -> None:
    """Have characters wear their lit material, which the scene's lamps shade, or the photo's own
    colours. Frame 1 is the photo with the latter alone."""
    for character in characters:
        mesh = character.data
        chosen = min(int(lit), len(mesh.materials) - 1)
        mesh.polygons.foreach_set("material_index", np.full(len(mesh.polygons), chosen, np.int32))
        mesh.update()


def _shadow_material(name: str, opacity: float) -> bpy.types.Material:
    """Black of an opacity in every engine."""
    material = bpy.data.materials.new(name)
    material.diffuse_color = (0.0, 0.0, 0.0, opacity)  # Workbench's
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    mix = tree.nodes.new("ShaderNodeMixShader")
    clear = tree.nodes.new("ShaderNodeBsdfTransparent")
    black = tree.nodes.new("ShaderNodeEmission")
    black.inputs["Color"].default_value = (0.0, 0.0, 0.0, 1.0)
    mix.inputs[0].default_value = opacity
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(black.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs["Surface"])
    for column, node in enumerate((clear, black, mix, output)):
        node.location = (250 * column, 0)
    return material


def _shadow_nodes(
    name: str, character: bpy.types.Object, sun: bpy.types.Object
) -> bpy.types.GeometryNodeTree:
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    join = _add(tree, "GeometryNodeJoinGeometry")
    figure = _add(tree, "GeometryNodeObjectInfo", {"Object": character}).outputs["Geometry"]
    turned = _add(tree, "GeometryNodeObjectInfo", {"Object": sun}).outputs["Rotation"]
    toward = _add(tree, "FunctionNodeRotateVector", {0: (0.0, 0.0, 1.0), 1: turned}).outputs[0]
    part = _add(tree, "ShaderNodeSeparateXYZ", {0: toward}).outputs
    height = _math(tree, "MAXIMUM", part["Z"], _LOWEST_SUN)
    toward = _add(tree, "ShaderNodeCombineXYZ", {0: part["X"], 1: part["Y"], 2: height}).outputs[0]

    # Where the shadow lies: the figure moved along the rays to the ground.
    place = _add(tree, "GeometryNodeInputPosition").outputs[0]
    above = _math(tree, "MAXIMUM", _add(tree, "ShaderNodeSeparateXYZ", {0: place}).outputs["Z"], 0)
    way = _vector(tree, "SCALE", toward, scale=_math(tree, "DIVIDE", above, height))
    fallen = _vector(tree, "SUBTRACT", place, way)
    flat = _add(tree, "GeometryNodeSetPosition", {"Geometry": figure, "Position": fallen})
    bounds = _add(tree, "GeometryNodeBoundBox", {"Geometry": flat.outputs[0]}).outputs
    low = _vector(tree, "SUBTRACT", bounds["Min"], (_MARGIN_M,) * 3)
    high = _vector(tree, "ADD", bounds["Max"], (_MARGIN_M,) * 3)
    middle = _vector(tree, "SCALE", _vector(tree, "ADD", low, high), scale=0.5)
    size = _add(tree, "ShaderNodeSeparateXYZ", {0: _vector(tree, "SUBTRACT", high, low)}).outputs
    counts = [
        _math(tree, "MINIMUM", _math(tree, "DIVIDE", size[axis], _CELL_M), _MOST_CELLS)
        for axis in (0, 1)
    ]
    grid = _add(
        tree, "GeometryNodeMeshGrid",
        {"Size X": size[0], "Size Y": size[1], "Vertices X": counts[0], "Vertices Y": counts[1]},
    ).outputs["Mesh"]  # fmt: skip
    level = _vector(tree, "MULTIPLY", middle, (1.0, 1.0, 0.0))
    ground = _add(tree, "GeometryNodeSetPosition", {"Geometry": grid, "Offset": level}).outputs[0]

    ray = _add(tree, "GeometryNodeRaycast", {
        "Target Geometry": figure, "Source Position": place, "Ray Direction": toward,
        "Ray Length": _RAY_M,
    })  # fmt: skip
    soft = _add(
        tree, "GeometryNodeBlurAttribute", {0: ray.outputs["Is Hit"], "Iterations": _BLUR_ROUNDS}
    ).outputs[0]
    kept = _add(
        tree, "GeometryNodeStoreNamedAttribute",
        {"Geometry": ground, "Name": "cover", "Value": soft},
    ).outputs[0]  # fmt: skip
    cover = _add(tree, "GeometryNodeInputNamedAttribute", {"Name": "cover"}).outputs[0]
    # The mean of a cell's neighbours is its own place but at the edge.
    rounded = _add(
        tree, "GeometryNodeBlurAttribute", {0: place, "Iterations": _ROUNDING},
        data_type="FLOAT_VECTOR",
    ).outputs[0]  # fmt: skip
    for number, (least, opacity) in enumerate(_LAYERS):
        outside = _add(tree, "FunctionNodeCompare", {0: cover, 1: least}, operation="LESS_THAN")
        layer = _add(
            tree, "GeometryNodeDeleteGeometry",
            {"Geometry": kept, "Selection": outside.outputs[0]},
        ).outputs[0]  # fmt: skip
        lifted = _add(
            tree, "GeometryNodeSetPosition",
            {"Geometry": layer, "Position": rounded, "Offset": (0.0, 0.0, (number + 1) * _LIFT_M)},
        ).outputs[0]  # fmt: skip
        painted = _add(
            tree, "GeometryNodeSetMaterial",
            {"Geometry": lifted, "Material": _shadow_material(f"{name} {number + 1}", opacity)},
        ).outputs[0]  # fmt: skip
        tree.links.new(painted, join.inputs[0])
    output = tree.nodes.new("NodeGroupOutput")
    tree.links.new(join.outputs[0], output.inputs[0])
    return tree


def _add(
    tree: bpy.types.NodeTree, kind: str, inputs: dict | None = None, **settings: object
) -> bpy.types.Node:
    """A node whose inputs are linked to sockets or set to values."""
    node = tree.nodes.new(kind)
    for key, value in settings.items():
        setattr(node, key, value)
    for key, value in (inputs or {}).items():
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, node.inputs[key])
        else:
            node.inputs[key].default_value = value
    return node


def _math(tree: bpy.types.NodeTree, operation: str, first: object, second: object) -> object:
    return _add(tree, "ShaderNodeMath", {0: first, 1: second}, operation=operation).outputs[0]


def _vector(
    tree: bpy.types.NodeTree, operation: str, first: object, second: object = None,
    scale: object = None,
) -> object:  # fmt: skip
    inputs = {0: first}
    if second is not None:
        inputs[1] = second
    if scale is not None:
        inputs[3] = scale
    return _add(tree, "ShaderNodeVectorMath", inputs, operation=operation).outputs[0]
