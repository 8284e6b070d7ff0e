"""Where the people of the mask scenes stand: ten places of simple shapes and procedural paint.

World frame, metres; the person is at the origin, the camera looks along +y. Each function fills a
collection and sets the light.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np

from ..demo import materials
from ..demo.materials import Colour, Graph
from ..demo.place import box, build_place, flat_mesh

Rng = np.random.Generator
Place = Callable[[bpy.types.Collection, Rng], None]


def studio(collection: bpy.types.Collection, _rng: Rng) -> None:
    """A pale paper backdrop that curves into the floor, a large soft light at the left."""
    paper = materials.plain("Paper", (0.62, 0.61, 0.59), 0.9)
    angle = np.linspace(0, np.pi / 2, 16)
    curve = np.stack([1.2 + 1.0 * np.sin(angle), 1.0 - 1.0 * np.cos(angle)], axis=1)
    profile = np.vstack([[-5.0, 0.0], curve, [2.2, 6.0]])
    points = np.array([[x, y, z] for x in (-6.0, 6.0) for y, z in profile])
    n = len(profile)
    faces = [(k, k + 1, n + k + 1, n + k) for k in range(n - 1)]
    flat_mesh(collection, "Backdrop", points, faces, paper, smooth=True)
    _area(collection, (-2.6, -2.6, 2.6), 3.0, 190.0, (1.0, 0.97, 0.93))
    _sky((0.5, 0.52, 0.55), 0.55)


def wallpaper_room(collection: bpy.types.Collection, rng: Rng) -> None:
    """A papered wall with a busy pattern, boards, a sideboard, pictures, a lamp at the right."""
    graph = Graph("Wallpaper")
    cells = graph.node(
        "ShaderNodeTexVoronoi", {"Vector": graph.coordinates(), "Scale": 7.0}
    ).outputs["Distance"]
    flower = graph.spread(cells, 0.16, 0.22, (1.0, 0.0))
    stripes = graph.node(
        "ShaderNodeTexWave", {"Vector": graph.coordinates(), "Scale": 4.0}
    ).outputs[1]
    base = graph.mix(graph.spread(stripes, 0.45, 0.55, (0.0, 1.0)), (0.30, 0.12, 0.10),
                     (0.42, 0.22, 0.15))  # fmt: skip
    paper = graph.principled(Base_Color=graph.mix(flower, base, (0.66, 0.58, 0.36)), Roughness=0.8)
    _wall(collection, 1.6, paper)
    _floor(collection, materials.wood((0.12, 0.06, 0.03), (0.3, 0.17, 0.09), 0.5))
    oak = materials.wood((0.18, 0.10, 0.05), (0.35, 0.22, 0.12))
    board = box(collection, "Sideboard", (1.5, 0.45, 0.8), oak)
    board.location = (1.25, 1.3, 0.4)
    for x, z in ((-1.1, 1.7), (-0.45, 1.45), (0.9, 1.8)):
        frame = box(collection, "Picture", (0.45, 0.03, 0.55), oak)
        frame.location = (x, 1.57, z)
        colour = tuple(rng.uniform(0.05, 0.6, 3))
        canvas = box(collection, "Canvas", (0.37, 0.02, 0.47), _mottled("Canvas", colour, 14.0))
        canvas.location = (x, 1.55, z)
    _area(collection, (2.4, -1.4, 2.2), 0.7, 90.0, (1.0, 0.78, 0.55))
    _sky((0.9, 0.85, 0.8), 0.22)


def meadow(collection: bpy.types.Collection, rng: Rng) -> None:
    """Grass, round trees, hills and a clear sky with a high sun."""
    _floor(collection, _mottled("Grass", (0.07, 0.16, 0.025), 9.0, 0.6), 60.0)
    for _ in range(16):
        x, y = rng.uniform(-14, 14), rng.uniform(8, 26)
        size = rng.uniform(1.0, 2.4)
        _ball(collection, (x, y, size * 1.1), size, _mottled("Tree", (0.03, 0.09, 0.02), 5.0, 0.9))
    for x in (-30, -5, 22):
        _ball(collection, (x, 58, -6), 17, _mottled("Hill", (0.06, 0.12, 0.05), 0.6, 0.5))
    _sun(collection, 58, 30, 4.2, (1.0, 0.95, 0.86))
    _sky((0.32, 0.52, 0.95), 1.0)


def beach(collection: bpy.types.Collection, _rng: Rng) -> None:
    """Sand, a strip of sea, a hazy sky, a low sun from the right."""
    _floor(collection, _mottled("Sand", (0.52, 0.40, 0.26), 12.0, 0.35), 80.0)
    sea = _mottled("Sea", (0.06, 0.22, 0.28), 1.4, 0.4)
    flat_mesh(
        collection, "Sea",
        np.array([[-90, 9, 0.02], [90, 9, 0.02], [90, 200, 0.02], [-90, 200, 0.02]]),
        [(0, 1, 2, 3)], sea,
    )  # fmt: skip
    foam = materials.plain("Foam", (0.8, 0.82, 0.82), 0.9)
    flat_mesh(
        collection, "Foam",
        np.array([[-90, 8.6, 0.03], [90, 8.9, 0.03], [90, 9.3, 0.03], [-90, 9.5, 0.03]]),
        [(0, 1, 2, 3)], foam,
    )  # fmt: skip
    _sun(collection, 24, 62, 4.0, (1.0, 0.86, 0.68))
    _sky((0.62, 0.72, 0.85), 0.9)


def night_street(collection: bpy.types.Collection, rng: Rng) -> None:
    """Wet asphalt at night: out-of-focus lights far behind, one lamp above."""
    _floor(collection, materials.plain("Asphalt", (0.025, 0.025, 0.03), 0.35), 60.0)
    _wall(collection, 24.0, materials.plain("Dark", (0.02, 0.02, 0.03), 0.9), 60.0)
    for _ in range(60):
        colour = np.array([(1.0, 0.6, 0.2), (1.0, 0.85, 0.6), (0.3, 0.6, 1.0), (1.0, 0.15, 0.1)])[
            rng.integers(4)
        ]
        glow = _glow(tuple(colour), float(rng.uniform(8, 30)))
        place = (rng.uniform(-9, 9), rng.uniform(9, 20), rng.uniform(0.2, 6))
        _ball(collection, place, 0.09, glow, subdivisions=2)
    _area(collection, (-0.8, -2.2, 3.4), 0.6, 130.0, (1.0, 0.83, 0.62))
    _area(collection, (1.8, 2.4, 2.6), 0.5, 70.0, (0.5, 0.65, 1.0))
    _sky((0.05, 0.07, 0.14), 0.6)


def stairs(collection: bpy.types.Collection, _rng: Rng) -> None:
    """Concrete steps under an overcast sky."""
    concrete = _mottled("Concrete", (0.33, 0.32, 0.31), 2.0, 0.25)
    _floor(collection, concrete, 30.0)
    for k in range(16):
        step = box(collection, "Step", (9.0, 0.4, 0.17), concrete, 0.01)
        step.location = (0, 1.4 + 0.36 * k, 0.085 + 0.17 * k)
    steel = materials.plain("Steel", (0.35, 0.36, 0.37), 0.3, 0.9)
    for x in (-1.4, 1.3):
        rail = box(collection, "Rail", (0.05, 6.4, 0.05), steel)
        rail.location, rail.rotation_euler = (x, 4.2, 2.2), (np.arctan(0.17 / 0.36), 0, 0)
        for k in range(7):
            post = box(collection, "Post", (0.04, 0.04, 0.95), steel)
            post.location = (x, 1.5 + 0.9 * k, 0.5 + 0.425 * k)
    _sky((0.75, 0.8, 0.86), 1.1)


def forest(collection: bpy.types.Collection, rng: Rng) -> None:
    """Trunks and undergrowth, light from above the leaves."""
    _floor(collection, _mottled("Leaves", (0.10, 0.055, 0.025), 16.0, 0.8), 40.0)
    bark = _mottled("Bark", (0.09, 0.065, 0.045), 18.0, 0.7)
    for _ in range(38):
        x, y = rng.uniform(-9, 9), rng.uniform(1.8, 17)
        width = rng.uniform(0.12, 0.4)
        trunk = box(collection, "Trunk", (width, width, 12.0), bark, width / 3)
        trunk.location, trunk.rotation_euler = (
            (x, y, 5.8),
            (rng.normal(0, 0.04), 0, rng.uniform(0, 3)),
        )
    for _ in range(70):
        x, y = rng.uniform(-8, 8), rng.uniform(1.6, 12)
        size = rng.uniform(0.15, 0.5)
        green = _mottled("Fern", (0.05, 0.12, 0.03), 22.0, 0.9)
        _ball(collection, (x, y, size * 0.6), size, green)
    _sun(collection, 62, -25, 2.4, (1.0, 0.95, 0.8))
    _sky((0.35, 0.5, 0.35), 0.55)


def office(collection: bpy.types.Collection, rng: Rng) -> None:
    """Bright windows behind, desks, chairs and shelves of binders."""
    _floor(collection, _mottled("Carpet", (0.10, 0.11, 0.13), 60.0, 0.4))
    _wall(collection, 4.2, materials.plain("Wall", (0.55, 0.55, 0.52), 0.9))
    white = materials.plain("White", (0.7, 0.7, 0.68), 0.5)
    for x in (-3.0, -1.2, 0.6, 2.4):
        pane = box(collection, "Window", (1.5, 0.02, 1.5), _glow((0.75, 0.87, 1.0), 2.2))
        pane.location = (x, 4.16, 1.75)
        for z in (1.0, 1.75, 2.5):
            bar = box(collection, "Bar", (1.55, 0.05, 0.05), white)
            bar.location = (x, 4.13, z)
    for x, y in ((-1.7, 2.4), (1.6, 2.0)):
        desk = box(collection, "Desk", (1.5, 0.75, 0.04), white)
        desk.location = (x, y, 0.73)
        for side in (-0.7, 0.7):
            leg = box(collection, "Leg", (0.05, 0.7, 0.72), white)
            leg.location = (x + side, y, 0.36)
        screen = box(collection, "Screen", (0.6, 0.04, 0.36), materials.plain("Black", (0.02,) * 3))
        screen.location = (x, y, 1.0)
    for k in range(22):
        colour = tuple(rng.uniform(0.03, 0.55, 3))
        binder = box(collection, "Binder", (0.07, 0.25, 0.32), materials.plain("Binder", colour))
        binder.location = (-2.9 + 0.085 * k, 3.95, 0.72)
    _area(collection, (0.3, -2.2, 2.8), 1.6, 85.0, (1.0, 0.95, 0.88))
    _sky((0.8, 0.85, 0.9), 0.35)


def shop_street(collection: bpy.types.Collection, rng: Rng) -> None:
    """A house front with windows, awnings and parked cars at dusk."""
    _floor(collection, _mottled("Pavement", (0.2, 0.19, 0.18), 6.0, 0.3), 40.0)
    _wall(collection, 7.0, _mottled("Plaster", (0.5, 0.33, 0.2), 3.0, 0.2), 30.0)
    dark = materials.plain("Pane", (0.03, 0.04, 0.06), 0.1)
    for x in np.arange(-7.5, 8.0, 1.9):
        for z in (1.3, 3.6, 5.9):
            lit = rng.random() < 0.35
            glass = _glow((1.0, 0.75, 0.4), 1.6) if lit else dark
            pane = box(collection, "Window", (1.0, 0.1, 1.4), glass)
            pane.location = (float(x), 6.97, z)
        cloth = materials.plain("Awning", tuple(rng.uniform(0.05, 0.6, 3)), 0.8)
        awning = box(collection, "Awning", (1.5, 0.9, 0.06), cloth)
        awning.location, awning.rotation_euler = (float(x), 6.6, 2.35), (0.5, 0, 0)
    for x in (-3.6, 1.4, 5.4):
        paint = materials.plain("Car", tuple(rng.uniform(0.03, 0.5, 3)), 0.25, 0.3)
        body = box(collection, "Car", (3.8, 1.6, 0.7), paint, 0.2)
        body.location = (x, 4.6, 0.65)
        cabin = box(collection, "Cabin", (2.0, 1.4, 0.6), dark, 0.2)
        cabin.location = (x, 4.6, 1.25)
    _sun(collection, 12, -70, 2.2, (1.0, 0.6, 0.35))
    _sky((0.35, 0.42, 0.62), 0.7)


PLACES: dict[str, Place] = {
    "courtyard": build_place, "studio": studio, "wallpaper_room": wallpaper_room,
    "meadow": meadow, "beach": beach, "night_street": night_street, "stairs": stairs,
    "forest": forest, "office": office, "shop_street": shop_street,
}  # fmt: skip


def _floor(
    collection: bpy.types.Collection, material: bpy.types.Material, side: float = 12.0
) -> None:
    corners = np.array([[-side, -side, 0], [side, -side, 0], [side, side, 0], [-side, side, 0]])
    flat_mesh(collection, "Floor", corners, [(0, 1, 2, 3)], material)


def _wall(
    collection: bpy.types.Collection, y: float, material: bpy.types.Material, width: float = 14.0
) -> None:
    half = width / 2
    corners = np.array([[-half, y, 0], [half, y, 0], [half, y, half], [-half, y, half]])
    flat_mesh(collection, "Wall", corners, [(0, 1, 2, 3)], material)


def _ball(
    collection: bpy.types.Collection, place: tuple[float, float, float], radius: float,
    material: bpy.types.Material, subdivisions: int = 4,
) -> None:  # fmt: skip
    import bmesh

    mesh = bpy.data.meshes.new("Ball")
    shape = bmesh.new()
    bmesh.ops.create_icosphere(shape, subdivisions=subdivisions, radius=radius)
    shape.to_mesh(mesh)
    shape.free()
    mesh.shade_smooth()
    mesh.materials.append(material)
    thing = bpy.data.objects.new("Ball", mesh)
    thing.location = place
    collection.objects.link(thing)


def _mottled(name: str, colour: Colour, scale: float, contrast: float = 0.3) -> bpy.types.Material:
    """Rough paint whose brightness wanders, with relief to match."""
    graph = Graph(name)
    coarse, fine = graph.noise(scale, 6.0, None, 0.65), graph.noise(scale * 7, 4.0, None, 0.6)
    both = graph.math("ADD", graph.math("MULTIPLY", coarse, 0.6), graph.math("MULTIPLY", fine, 0.4))
    shade = graph.spread(both, 0.3, 0.7, (1 - contrast, 1 + contrast))
    base = graph.mix(1.0, colour, shade, "MULTIPLY")
    return graph.principled(
        Base_Color=base, Roughness=0.85, Normal=graph.bump(both, contrast, 0.4 / scale)
    )


def _glow(colour: Colour, strength: float) -> bpy.types.Material:
    graph = Graph("Glow")
    light = graph.node("ShaderNodeEmission", {0: colour, 1: strength})
    graph.tree.links.new(light.outputs[0], graph.output.inputs["Surface"])
    return graph.material


def _area(
    collection: bpy.types.Collection, place: tuple[float, float, float], size: float, watt: float,
    colour: Colour,
) -> None:  # fmt: skip
    """A square lamp that looks at the person's chest."""
    from mathutils import Vector

    lamp = bpy.data.lights.new("Lamp", "AREA")
    lamp.size, lamp.energy, lamp.color = size, watt, colour
    thing = bpy.data.objects.new("Lamp", lamp)
    thing.location = place
    towards = Vector((0.0, 0.0, 1.1)) - Vector(place)
    thing.rotation_euler = towards.to_track_quat("-Z", "Y").to_euler()
    collection.objects.link(thing)


def _sun(
    collection: bpy.types.Collection, elevation: float, azimuth: float, strength: float,
    colour: Colour,
) -> None:  # fmt: skip
    """Degrees above the horizon, and from behind the camera to the right."""
    lamp = bpy.data.lights.new("Sun", "SUN")
    lamp.energy, lamp.angle, lamp.color = strength, np.radians(1.0), colour
    thing = bpy.data.objects.new("Sun", lamp)
    thing.rotation_euler = (np.pi / 2 - np.radians(elevation), 0, np.radians(azimuth))
    collection.objects.link(thing)


def _sky(colour: Colour, strength: float) -> None:
    world = bpy.data.worlds.new("Sky")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (*colour, 1.0)
    background.inputs["Strength"].default_value = strength
    bpy.context.scene.world = world
