"""Materials that show a photo's colours as they are, and one that takes light."""

from __future__ import annotations

import bpy


def new_photo_material(
    name: str, image: bpy.types.Image, interpolation: str = "Linear"
) -> bpy.types.Material:
    """A material whose colour is the image's, without light or shade.

    Cameras see emission, all other rays a diffuse surface, so that shadows and bounced light
    behave; glTF's exporter knows this arrangement and writes KHR_materials_unlit. The texture is
    the active node, which is the one that Workbench shows.
    """
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()

    output = tree.nodes.new("ShaderNodeOutputMaterial")
    mix = tree.nodes.new("ShaderNodeMixShader")
    rays = tree.nodes.new("ShaderNodeLightPath")
    emission = tree.nodes.new("ShaderNodeEmission")
    diffuse = tree.nodes.new("ShaderNodeBsdfDiffuse")
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    texture.interpolation = interpolation
    texture.extension = "EXTEND"
    for column, nodes in enumerate(([texture, rays], [diffuse, emission], [mix], [output])):
        for row, node in enumerate(nodes):
            node.location = (300 * column, -300 * row)

    tree.links.new(texture.outputs["Color"], emission.inputs["Color"])
    tree.links.new(texture.outputs["Color"], diffuse.inputs["Color"])
    tree.links.new(rays.outputs["Is Camera Ray"], mix.inputs[0])
    tree.links.new(diffuse.outputs[0], mix.inputs[1])
    tree.links.new(emission.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs["Surface"])
    tree.nodes.active = texture
    return material


def new_lit_material(
    name: str, image: bpy.types.Image, normals: bpy.types.Image | None
) -> bpy.types.Material:
    """A matt material of the image's colours that lamps light, with the relief of a tangent-space
    normal map. The photo's own light is in the colours already: it is for scenes and viewers that
    light everything, and never what frame 1 shows.
    """
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    surface = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = 1.0
    surface.inputs["Metallic"].default_value = 0.0
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    texture.extension = "EXTEND"
    texture.location = (-600, 300)
    tree.links.new(texture.outputs["Color"], surface.inputs["Base Color"])
    if normals is not None:
        relief = tree.nodes.new("ShaderNodeTexImage")
        relief.image = normals
        relief.extension = "EXTEND"
        relief.location = (-600, -100)
        tangent = tree.nodes.new("ShaderNodeNormalMap")
        tangent.location = (-300, -100)
        tree.links.new(relief.outputs["Color"], tangent.inputs["Color"])
        tree.links.new(tangent.outputs["Normal"], surface.inputs["Normal"])
    tree.nodes.active = texture
    return material


def new_plain_material(name: str, colour: tuple[float, float, float]) -> bpy.types.Material:
    """A material of one linear colour, without light or shade; Workbench shows it as well."""
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*colour, 1.0)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    emission = tree.nodes.new("ShaderNodeEmission")
    emission.inputs["Color"].default_value = (*colour, 1.0)
    output.location = (300, 0)
    tree.links.new(emission.outputs[0], output.inputs["Surface"])
    return material


def new_glowing_material(name: str, image: bpy.types.Image) -> bpy.types.Material:
    """A black surface that shines in the image's colours: how formats that know no material
    without light (USD's preview surface) come to show a photo as it is."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    surface = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Base Color"].default_value = (0.0, 0.0, 0.0, 1.0)
    surface.inputs["Roughness"].default_value = 1.0
    surface.inputs["Specular IOR Level"].default_value = 0.0
    surface.inputs["Emission Strength"].default_value = 1.0
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    texture.extension = "EXTEND"
    texture.location = (-600, 0)
    tree.links.new(texture.outputs["Color"], surface.inputs["Emission Color"])
    tree.nodes.active = texture
    return material
