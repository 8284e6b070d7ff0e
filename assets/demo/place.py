"""The courtyard behind the person: brick wall, paving, a door, pots with plants, sun and sky."""

from __future__ import annotations

import bpy
import numpy as np
import numpy.typing as npt

from . import masonry, materials

Array = npt.NDArray[np.float64]

WALL_Y = 1.35  # metres behind the person


def build_place(collection: bpy.types.Collection, rng: np.random.Generator) -> None:
    """Fill `collection` with the courtyard and set the scene's light. World frame, metres."""
    _ground(collection, rng)
    _wall(collection, rng)
    _door(collection, x=-1.02)
    _pot(collection, rng, (0.98, 0.85), 0.21, 0.36, bush=0.36)
    _pot(collection, rng, (1.42, 0.42), 0.15, 0.26, bush=0.25)
    _pot(collection, rng, (-1.62, 0.78), 0.17, 0.30, bush=0.30)
    _gutter(collection, x=0.47)
    _light(collection)


def flat_mesh(
    collection: bpy.types.Collection, name: str, vertices: Array, faces: list,
    material: bpy.types.Material, smooth: bool = False,
) -> bpy.types.Object:  # fmt: skip
    """A mesh of vertices (V, 3) and polygons, linked to `collection`."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.asarray(vertices).tolist(), [], [list(map(int, f)) for f in faces])
    mesh.materials.append(material)
    if smooth:
        mesh.shade_smooth()
    thing = bpy.data.objects.new(name, mesh)
    collection.objects.link(thing)
    return thing


def _ground(collection: bpy.types.Collection, rng: np.random.Generator) -> None:
    stone = masonry.material(
        "Paving", 4.0, (0.40, 0.40, 0.008),
        ((0.30, 0.275, 0.24), (0.22, 0.205, 0.185), (0.085, 0.075, 0.06)), 0.010, 0.5, rng,
    )  # fmt: skip
    s = 8.0
    corners = np.array([[-s, -s, 0], [s, -s, 0], [s, s, 0], [-s, s, 0]])
    flat_mesh(collection, "Ground", corners, [(0, 1, 2, 3)], stone)


def _wall(collection: bpy.types.Collection, rng: np.random.Generator) -> None:
    brick = masonry.material(
        "Brick", 3.6, (0.225, 0.075, 0.011),
        ((0.33, 0.115, 0.07), (0.19, 0.068, 0.048), (0.34, 0.30, 0.25)), 0.010, 0.55, rng,
    )  # fmt: skip
    # The wall lies in its object's x and y, where the brick pattern is.
    corners = np.array([[-8, 0, 0], [8, 0, 0], [8, 4.5, 0], [-8, 4.5, 0]], float)
    wall = flat_mesh(collection, "Wall", corners, [(0, 1, 2, 3)], brick)
    wall.location = (0.03, WALL_Y, 0)
    wall.rotation_euler = (np.pi / 2, 0, 0)
    plinth = masonry.material(
        "Plinth", 4.8, (0.6, 0.24, 0.008),
        ((0.30, 0.28, 0.25), (0.24, 0.225, 0.2), (0.12, 0.11, 0.09)), 0.008, 0.5, rng,
    )  # fmt: skip
    base = box(collection, "Plinth", (16, 0.48, 0.05), plinth)
    base.location = (0.1, WALL_Y - 0.02, 0.0)
    base.rotation_euler = (np.pi / 2, 0, 0)


def box(
    collection: bpy.types.Collection, name: str, size: tuple[float, float, float],
    material: bpy.types.Material, bevel: float = 0.006,
) -> bpy.types.Object:  # fmt: skip
    """A bevelled block around its object's origin, linked to `collection`; metres."""
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * size / 2
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    thing = flat_mesh(collection, name, corners, faces, material)
    modifier = thing.modifiers.new("Bevel", "BEVEL")
    modifier.width, modifier.segments = bevel, 2
    return thing


def _door(collection: bpy.types.Collection, x: float) -> None:
    """A plank door in a stone frame; its middle at `x`."""
    paint = materials.wood((0.018, 0.075, 0.075), (0.045, 0.15, 0.14))
    frame = materials.wood((0.34, 0.31, 0.27), (0.5, 0.47, 0.42), 0.6)
    iron = materials.plain("Iron", (0.05, 0.045, 0.04), 0.4, 0.9)
    width, height = 0.92, 2.06
    planks = 6
    for k in range(planks):
        plank = box(collection, "Plank", (width / planks - 0.006, 0.04, height), paint, 0.008)
        plank.location = (x + (k + 0.5 - planks / 2) * width / planks, WALL_Y - 0.03, height / 2)
    for side in (-1, 1):
        post = box(collection, "Post", (0.12, 0.12, height + 0.1), frame)
        post.location = (x + side * (width / 2 + 0.06), WALL_Y - 0.04, height / 2)
    lintel = box(collection, "Lintel", (width + 0.34, 0.14, 0.16), frame)
    lintel.location = (x, WALL_Y - 0.05, height + 0.08)
    for z in (0.35, 1.65):
        band = box(collection, "Band", (width * 0.8, 0.012, 0.05), iron, 0.003)
        band.location = (x - width * 0.08, WALL_Y - 0.055, z)
    knob = _ring_solid(collection, "Knob", [(0, 0.0), (0.03, 0.0), (0.036, 0.02), (0.0, 0.045)],
                       iron)  # fmt: skip
    knob.location = (x + width * 0.38, WALL_Y - 0.05, 1.02)
    knob.rotation_euler = (np.pi / 2, 0, 0)
    step = box(collection, "Step", (width + 0.4, 0.4, 0.11), frame, 0.012)
    step.location = (x, WALL_Y - 0.2, 0.055)


def _ring_solid(
    collection: bpy.types.Collection, name: str, profile: list[tuple[float, float]],
    material: bpy.types.Material,
) -> bpy.types.Object:  # fmt: skip
    """A solid of revolution about z; profile : (radius, height) from bottom to top."""
    n = 40
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    rings = np.array(
        [np.stack([r * np.cos(angle), r * np.sin(angle), np.full(n, z)], 1) for r, z in profile]
    )
    faces = [
        (k * n + i, k * n + (i + 1) % n, (k + 1) * n + (i + 1) % n, (k + 1) * n + i)
        for k in range(len(profile) - 1)
        for i in range(n)
    ]
    return flat_mesh(collection, name, rings.reshape(-1, 3), faces, material, smooth=True)


def _pot(
    collection: bpy.types.Collection, rng: np.random.Generator, at: tuple[float, float],
    radius: float, height: float, bush: float,
) -> None:  # fmt: skip
    profile = [
        (0.0, 0.0), (radius * 0.68, 0.0), (radius * 0.70, 0.01), (radius * 0.93, height * 0.82),
        (radius * 0.94, height * 0.83), (radius * 1.04, height * 0.83), (radius * 1.05, height),
        (radius * 0.92, height), (radius * 0.9, height * 0.9), (0.0, height * 0.9),
    ]  # fmt: skip
    pot = _ring_solid(collection, "Pot", profile, materials.terracotta())
    pot.location = (*at, 0)
    _bush(collection, rng, np.array([*at, height + bush * 0.75]), bush)


def _bush(
    collection: bpy.types.Collection, rng: np.random.Generator, centre: Array, size: float
) -> None:
    """Leaves on twigs that start in the pot and end on a lumpy ball."""
    twigs = 130
    direction = rng.normal(size=(twigs, 3))
    direction[:, 2] = np.abs(direction[:, 2]) * 0.9 - 0.25
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    reach = size * rng.uniform(0.65, 1.1, (twigs, 1))
    start = centre - [0, 0, size * 0.8] + rng.normal(0, size * 0.12, (twigs, 3))
    end = centre + direction * reach * [1, 1, 1.05]
    count = 26
    t = rng.uniform(0.3, 1.0, (twigs, count, 1)) ** 0.7
    base = start[:, None] * (1 - t) + end[:, None] * t + rng.normal(0, size * 0.035,
                                                                  (twigs, count, 3))  # fmt: skip
    base = base.reshape(-1, 3)
    n = len(base)
    outward = base - centre
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
    axis = outward * 0.7 + rng.normal(0, 0.6, (n, 3)) + [0, 0, 0.15]
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    across = np.cross(axis, outward + rng.normal(0, 0.4, (n, 3)))
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    normal = np.cross(axis, across)
    length = rng.uniform(0.030, 0.052, (n, 1))
    width = length * rng.uniform(0.42, 0.55, (n, 1))
    # A leaf: two halves folded along the middle, pointed at the end.
    points = np.stack([
        base,
        base + axis * length * 0.45 + across * width * 0.5 + normal * width * 0.18,
        base + axis * length - normal * length * 0.12,
        base + axis * length * 0.45 - across * width * 0.5 + normal * width * 0.18,
        base + axis * length * 0.5,
    ], 1)  # fmt: skip
    first = np.arange(n)[:, None] * 5
    faces = np.concatenate([first + f for f in ([0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4])])
    mesh = bpy.data.meshes.new("Bush")
    mesh.from_pydata(points.reshape(-1, 3).tolist(), [], faces.tolist())
    shade = rng.uniform(0.0, 1.0, (n, 1))
    colour = (1 - shade) * np.array([0.018, 0.075, 0.012]) + shade * np.array([0.075, 0.20, 0.03])
    rgba = np.concatenate([np.repeat(colour, 5, 0), np.ones((n * 5, 1))], 1)
    layer = mesh.attributes.new("Leaf", "FLOAT_COLOR", "POINT")
    layer.data.foreach_set("color", rgba.astype(np.float32).ravel())
    mesh.materials.append(materials.leaves())
    collection.objects.link(bpy.data.objects.new("Bush", mesh))


def _gutter(collection: bpy.types.Collection, x: float) -> None:
    zinc = materials.plain("Zinc", (0.30, 0.31, 0.32), 0.45, 0.7)
    pipe = _ring_solid(collection, "Pipe", [(0.04, 0.1), (0.04, 4.5)], zinc)
    pipe.location = (x, WALL_Y - 0.07, 0)
    for z in (0.9, 2.3):
        clamp = _ring_solid(collection, "Clamp", [(0.041, z), (0.047, z), (0.047, z + 0.03),
                                                  (0.041, z + 0.03)], zinc)  # fmt: skip
        clamp.location = (x, WALL_Y - 0.07, 0)


def _light(collection: bpy.types.Collection) -> None:
    """Late morning: a sun from the front left and a clear sky."""
    elevation, azimuth = np.radians(46), np.radians(-38)  # from the front (-y) towards the left
    lamp = bpy.data.lights.new("Sun", "SUN")
    lamp.energy, lamp.angle, lamp.color = 3.6, np.radians(1.2), (1.0, 0.93, 0.83)
    sun = bpy.data.objects.new("Sun", lamp)
    sun.rotation_euler = (np.pi / 2 - elevation, 0, azimuth)
    collection.objects.link(sun)
    world = bpy.data.worlds.new("Sky")
    world.use_nodes = True
    nodes = world.node_tree.nodes
    sky = nodes.new("ShaderNodeTexSky")
    # Blender 5 renamed the Nishita model.
    kinds = sky.bl_rna.properties["sky_type"].enum_items.keys()
    sky.sky_type = "NISHITA" if "NISHITA" in kinds else "SINGLE_SCATTERING"
    sky.sun_disc = False
    sky.sun_elevation, sky.sun_rotation = elevation, np.pi - azimuth
    background = nodes["Background"]
    background.inputs["Strength"].default_value = 0.16
    world.node_tree.links.new(sky.outputs[0], background.inputs[0])
    bpy.context.scene.world = world
