"""Procedural materials of the demo picture, each a small Cycles node graph."""

from __future__ import annotations

from typing import Any

import bpy

Colour = tuple[float, float, float]  # linear Rec. 709


class Graph:
    """A material's node tree, built by calls that return sockets."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()
        self.output = self.tree.nodes.new("ShaderNodeOutputMaterial")

    def node(self, kind: str, inputs: dict[str | int, Any] | None = None, **settings: Any) -> Any:
        """Add a node; `inputs` are values or sockets to link."""
        node = self.tree.nodes.new(kind)
        for key, value in settings.items():
            setattr(node, key, value)
        for key, value in (inputs or {}).items():
            self._feed(node.inputs[key], value)
        return node

    def _feed(self, socket: Any, value: Any) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif isinstance(value, tuple) and len(value) == 3 and socket.type == "RGBA":
            socket.default_value = (*value, 1.0)
        else:
            socket.default_value = value

    def attribute(self, name: str, output: str = "Vector") -> Any:
        return self.node("ShaderNodeAttribute", attribute_name=name).outputs[output]

    def coordinates(self) -> Any:
        """Object coordinates, metres."""
        return self.node("ShaderNodeTexCoord").outputs["Object"]

    def noise(
        self, scale: float, detail: float = 4.0, where: Any = None, rough: float = 0.5
    ) -> Any:
        inputs = {"Scale": scale, "Detail": detail, "Roughness": rough}
        inputs["Vector"] = where if where is not None else self.coordinates()
        return self.node("ShaderNodeTexNoise", inputs).outputs[0]

    def math(self, operation: str, first: Any, second: Any = 0.0, clamp: bool = False) -> Any:
        return self.node(
            "ShaderNodeMath", {0: first, 1: second}, operation=operation, use_clamp=clamp
        ).outputs[0]

    def spread(self, value: Any, low: float, high: float, to: tuple[float, float]) -> Any:
        """Map low..high to the range `to`, clamped."""
        return self.node(
            "ShaderNodeMapRange",
            {"Value": value, 1: low, 2: high, 3: to[0], 4: to[1]},
        ).outputs[0]

    def mix(self, share: Any, first: Any, second: Any, how: str = "MIX") -> Any:
        node = self.node("ShaderNodeMix", data_type="RGBA", blend_type=how)
        for index, value in ((0, share), (6, first), (7, second)):
            self._feed(node.inputs[index], value)
        return node.outputs[2]

    def bump(self, height: Any, strength: float, distance: float, below: Any = None) -> Any:
        inputs: dict[str | int, Any] = {
            "Height": height, "Strength": strength, "Distance": distance,
        }  # fmt: skip
        if below is not None:
            inputs["Normal"] = below
        return self.node("ShaderNodeBump", inputs).outputs[0]

    def principled(self, **inputs: Any) -> bpy.types.Material:
        """Finish with a Principled BSDF; underscores in names stand for spaces."""
        shader = self.node(
            "ShaderNodeBsdfPrincipled", {key.replace("_", " "): v for key, v in inputs.items()}
        )
        self.tree.links.new(shader.outputs[0], self.output.inputs["Surface"])
        return self.material


def skin() -> bpy.types.Material:
    """Skin: colour from the vertex attribute Skin, mottled, with subsurface scattering."""
    graph = Graph("Skin")
    colour = graph.attribute("Skin", "Color")
    mottle = graph.spread(graph.noise(55, 5), 0.35, 0.65, (0.0, 1.0))
    colour = graph.mix(mottle, graph.mix(1.0, colour, (0.93, 0.86, 0.83), "MULTIPLY"), colour)
    pores = graph.noise(900, 2)
    rough = graph.spread(graph.noise(40, 3), 0.3, 0.7, (0.42, 0.56))
    return graph.principled(
        Base_Color=colour,
        Roughness=rough,
        Subsurface_Weight=0.22,
        Subsurface_Radius=(1.0, 0.36, 0.2),
        Subsurface_Scale=0.008,
        Specular_IOR_Level=0.4,
        Normal=graph.bump(pores, 0.18, 0.0006),
    )


def eye(iris: Colour) -> bpy.types.Material:
    """An eyeball whose object axis +z looks ahead; a wet coat over white, iris and pupil."""
    graph = Graph("Eye")
    normal = graph.node("ShaderNodeTexCoord").outputs["Generated"]
    forward = graph.node("ShaderNodeSeparateXYZ", {0: normal}).outputs[2]
    fibre = graph.spread(graph.noise(900, 3), 0.3, 0.7, (0.6, 1.3))
    colour = graph.mix(1.0, iris, fibre, "MULTIPLY")
    # Generated z is 1 at the pupil; an angle a from it is (1 + cos a) / 2.
    white = graph.mix(graph.spread(graph.noise(300, 4), 0.5, 0.7, (0, 0.25)), (0.74, 0.70, 0.67),
                      (0.62, 0.40, 0.36))  # fmt: skip
    limbus = graph.spread(forward, 0.915, 0.930, (0.0, 1.0))
    ring = graph.spread(forward, 0.928, 0.942, (0.25, 1.0))
    pupil = graph.spread(forward, 0.988, 0.991, (0.0, 1.0))
    colour = graph.mix(limbus, white, graph.mix(1.0, colour, ring, "MULTIPLY"))
    colour = graph.mix(pupil, colour, (0.003, 0.003, 0.003))
    return graph.principled(
        Base_Color=colour, Roughness=0.35, Coat_Weight=1.0, Coat_Roughness=0.02, Coat_IOR=1.38
    )


def hair(melanin: float, redness: float) -> bpy.types.Material:
    """Hair strands by the Principled Hair BSDF."""
    graph = Graph("Hair")
    shader = graph.node(
        "ShaderNodeBsdfHairPrincipled",
        model="CHIANG",
        parametrization="MELANIN",
    )
    for name, value in (
        ("Melanin", melanin), ("Melanin Redness", redness), ("Roughness", 0.32),
        ("Radial Roughness", 0.45), ("Random Color", 0.25), ("Random Roughness", 0.2),
    ):  # fmt: skip
        shader.inputs[name].default_value = value
    graph.tree.links.new(shader.outputs[0], graph.output.inputs["Surface"])
    return graph.material


def _wrinkles(graph: Graph, strength: float) -> Any:
    """Fine creases, longer along the limbs than across, over the folds of the cloth itself."""
    rest = graph.attribute("Rest")
    stretched = graph.node(
        "ShaderNodeMapping", {"Vector": rest, "Scale": (1.0, 0.45, 1.0)}
    ).outputs[0]
    creases = graph.noise(26, 3, stretched, 0.45)
    return graph.bump(creases, strength, 0.02)


def knit(colour: Colour, stripe: Colour, stripes: tuple[tuple[float, float], ...]) -> (
    bpy.types.Material
):  # fmt: skip
    """T-shirt jersey with stripes at these rest heights (from, to), metres."""
    graph = Graph("Jersey")
    rest = graph.attribute("Rest")
    height = graph.node("ShaderNodeSeparateXYZ", {0: rest}).outputs[1]
    base: Any = colour
    for low, high in stripes:
        up = graph.spread(height, low, low + 0.0015, (0.0, 1.0))
        down = graph.spread(height, high, high + 0.0015, (1.0, 0.0))
        base = graph.mix(graph.math("MULTIPLY", up, down), base, stripe)
    heather = graph.spread(graph.noise(420, 2, rest), 0.3, 0.7, (0.84, 1.1))
    wear = graph.spread(graph.noise(9, 3, rest), 0.3, 0.7, (0.9, 1.06))
    base = graph.mix(1.0, base, graph.math("MULTIPLY", heather, wear), "MULTIPLY")
    base, stitched = _hem(graph, base, 0.02)
    weave = graph.bump(graph.noise(750, 1, rest), 0.25, 0.0012, _wrinkles(graph, 0.4))
    weave = graph.bump(stitched, 0.6, 0.001, weave)
    return graph.principled(
        Base_Color=base, Roughness=0.88, Sheen_Weight=0.25, Sheen_Roughness=0.5,
        Specular_IOR_Level=0.25, Normal=weave,
    )  # fmt: skip


def _hem(graph: Graph, base: Any, width: float) -> tuple[Any, Any]:
    """A line of stitches `width` metres from the hems; also the bump's height."""
    distance = graph.attribute("Hem", "Fac")
    off = graph.math("ABSOLUTE", graph.math("SUBTRACT", distance, width))
    line = graph.spread(off, 0.0006, 0.0024, (0.0, 1.0))
    shade = graph.spread(line, 0.0, 1.0, (0.72, 1.0))
    return graph.mix(1.0, base, shade, "MULTIPLY"), line


def denim(dark: Colour, worn: Colour) -> bpy.types.Material:
    """Jeans: indigo, faded on thighs and knees, with a twill's grain."""
    graph = Graph("Denim")
    rest = graph.attribute("Rest")
    fade = graph.attribute("Fade", "Fac")
    cloud = graph.spread(graph.noise(14, 5, rest, 0.6), 0.3, 0.7, (-0.22, 0.22))
    share = graph.math("ADD", fade, cloud, clamp=True)
    base = graph.mix(share, dark, worn)
    grain = graph.node("ShaderNodeMapping", {"Vector": rest, "Scale": (1.0, 0.22, 1.0)}).outputs[0]
    threads = graph.spread(graph.noise(700, 2, grain), 0.3, 0.7, (0.72, 1.25))
    base = graph.mix(1.0, base, threads, "MULTIPLY")
    base, stitched = _hem(graph, base, 0.025)
    seam = graph.attribute("Seam", "Fac")
    near = graph.spread(graph.math("ABSOLUTE", seam), 0.0012, 0.0035, (0.0, 1.0))
    base = graph.mix(1.0, base, graph.spread(near, 0, 1, (0.55, 1.0)), "MULTIPLY")
    weave = graph.bump(graph.noise(600, 1, rest), 0.2, 0.001, _wrinkles(graph, 0.6))
    weave = graph.bump(graph.math("MULTIPLY", stitched, near), 0.8, 0.0015, weave)
    return graph.principled(Base_Color=base, Roughness=0.85, Specular_IOR_Level=0.25, Normal=weave)


def rubber(name: str, colour: Colour, rough: float, grime: float) -> bpy.types.Material:
    """Shoe parts: canvas or rubber, dirtier with `grime` 0..1."""
    graph = Graph(name)
    spots = graph.spread(graph.noise(70, 6, rough=0.65), 0.35, 0.7, (1.0, 1.0 - grime))
    base = graph.mix(1.0, colour, spots, "MULTIPLY")
    bump = graph.bump(graph.noise(800, 1), 0.15, 0.0008)
    return graph.principled(Base_Color=base, Roughness=rough, Normal=bump)


def wood(dark: Colour, light: Colour, scale: float = 1.0) -> bpy.types.Material:
    """Painted or oiled planks with grain along the object's z."""
    graph = Graph("Wood")
    along = graph.node(
        "ShaderNodeMapping", {"Vector": graph.coordinates(), "Scale": (30.0, 30.0, 1.6)}
    ).outputs[0]
    grain = graph.noise(scale, 3, along, 0.6)
    colour = graph.mix(graph.spread(grain, 0.3, 0.7, (0.0, 1.0)), dark, light)
    return graph.principled(
        Base_Color=colour, Roughness=0.55, Normal=graph.bump(grain, 0.25, 0.004)
    )


def leaves() -> bpy.types.Material:
    """Leaves: colour from the attribute Leaf."""
    graph = Graph("Leaves")
    colour = graph.attribute("Leaf", "Color")
    return graph.principled(
        Base_Color=colour, Roughness=0.42, Specular_IOR_Level=0.35,
    )  # fmt: skip


def terracotta() -> bpy.types.Material:
    graph = Graph("Terracotta")
    spots = graph.spread(graph.noise(14, 4, rough=0.65), 0.3, 0.7, (0.7, 1.12))
    base = graph.mix(1.0, (0.42, 0.15, 0.075), spots, "MULTIPLY")
    return graph.principled(
        Base_Color=base, Roughness=0.85, Normal=graph.bump(graph.noise(60, 1), 0.25, 0.004)
    )


def plain(name: str, colour: Colour, rough: float = 0.6, metal: float = 0.0) -> bpy.types.Material:
    graph = Graph(name)
    return graph.principled(Base_Color=colour, Roughness=rough, Metallic=metal)
