"""Garments grown from the body: cut patterns from offset skin, draped by Blender's cloth solver,
and shoes as implicit shells around the feet.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
import numpy.typing as npt
from scipy.ndimage import (
    binary_closing,
    binary_fill_holes,
    distance_transform_edt,
    gaussian_filter,
    grey_dilation,
)
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ...addon.core.body.model import parts
from ...addon.core.body.model.skeleton import JOINT
from .body import Array, Shape, pose_path, pose_vertices, to_world
from .surfaces import (
    Index,
    Patch,
    border,
    border_edges,
    compact,
    cut,
    smooth,
    subdivide,
    surface_net,
)
from .surfaces import vertex_normals as normals_of

SETTLE_FRAMES = 12  # frames for the folds to come to rest after the pose is reached
FRAMES_PER_STEP = 3  # cloth frames between two of the baked poses
STEPS = 5  # baked poses from the T-pose to the picture's
FABRIC_MM = 1.6  # thickness of the cloth that is seen at the hems


@dataclass(frozen=True, eq=False)
class Garment:
    """A pattern around the body in T-pose."""

    name: str
    patch: Patch  # values: 24 skinning weights, then the distance to the hem in metres
    pinned: npt.NDArray[np.bool_]  # (V,), sewn to the body: collar or waistband
    stiffness: float  # N/m of the cloth's springs
    bending: float
    clearance: float  # metres to the body


def _skin_patch(shape: Shape) -> Patch:
    """The body at rest without expression; values: weights and the original place."""
    values = np.concatenate([shape.model.weights.astype(np.float64), shape.bare], axis=1)
    return Patch(shape.bare.copy(), shape.model.faces.astype(np.int64), values)


def _landmark_heights(shape: Shape) -> dict[str, float]:
    """Heights along the body that patterns are cut at, body axes, metres."""
    joints = shape.joints
    middle = shape.bare[np.abs(shape.bare[:, 0]) < 0.012]
    return {
        "crotch": float(middle[middle[:, 1] < joints[0, 1] + 0.1][:, 1].min()),
        "waist": float(joints[JOINT["spine1"], 1]),
        "neck": float(joints[JOINT["neck"], 1]),
        "ankle": float(joints[JOINT["left_ankle"], 1]),
    }


def _cut_all(patch: Patch, levels: list) -> Patch:
    for level in levels:
        patch = cut(patch, level(patch.vertices))
    return patch


def _grown(patch: Patch, offset: Array, smoothing: int) -> Patch:
    normals = normals_of(patch.vertices, patch.faces)
    grown = Patch(patch.vertices + normals * offset[:, None], patch.faces, patch.values)
    return smooth(grown, smoothing)


def t_shirt(shape: Shape, looseness: float = 0.022, sleeves: float = 0.62) -> Garment:
    """A crew-neck T-shirt; `looseness` in metres from the skin, `sleeves` in upper arms."""
    at = _landmark_heights(shape)
    shoulder, elbow = shape.joints[JOINT["left_shoulder"]], shape.joints[JOINT["left_elbow"]]
    sleeve = shoulder[0] + sleeves * (elbow[0] - shoulder[0])
    hem = at["crotch"] + 0.05
    neck_axis = shape.joints[JOINT["neck"]]

    def neckline(p: Array) -> Array:
        # An ellipse around the neck, low in front and high behind.
        across = np.hypot(p[:, 0] / 0.074, (p[:, 2] - neck_axis[2]) / 0.085)
        slope = at["neck"] - 0.035 - 0.45 * (p[:, 2] - neck_axis[2])
        return np.maximum((slope - p[:, 1]) * 10.0, across - 1.0) * 0.08

    levels = [
        lambda p: np.minimum(p[:, 1] - hem, 0.5),
        lambda p: sleeve - np.abs(p[:, 0]),
        lambda p: np.where(p[:, 1] > at["neck"] + 0.08, -0.1, neckline(p)),
    ]
    patch = _cut_all(_skin_patch(shape), levels)
    patch = _without_loose_pieces(patch)
    body_y = patch.vertices[:, 1]
    near_hem = np.clip((at["waist"] + 0.1 - body_y) / 0.25, 0, 1)
    on_sleeve = np.clip((np.abs(patch.vertices[:, 0]) - shoulder[0]) / 0.1, 0, 1)
    collar = np.clip(neckline(patch.vertices) / 0.06, 0, 1)
    offset = looseness * (0.6 + 0.9 * near_hem + 0.7 * on_sleeve) * (0.25 + 0.75 * collar)
    patch = subdivide(_hanging(shape, _grown(patch, offset, 40), looseness))
    pinned = (neckline(patch.vertices) < 0.012) & (patch.vertices[:, 1] > at["neck"] - 0.15)
    patch = _with_hems(patch)
    return Garment("T-shirt", patch, pinned, stiffness=9.0, bending=0.25, clearance=0.006)


def _hanging(shape: Shape, patch: Patch, looseness: float) -> Patch:
    """Let the cloth of the torso hang from what stands out above it instead of following the
    skin: radii around the spine are raised to the envelope of their surroundings."""
    p = patch.vertices
    shoulder = shape.joints[JOINT["left_shoulder"]]
    axis = shape.joints[JOINT["spine2"], 2] + 0.02
    angle = np.arctan2(p[:, 0], p[:, 2] - axis)
    radius = np.hypot(p[:, 0], p[:, 2] - axis)
    torso = np.abs(p[:, 0]) < shoulder[0] + 0.02
    low, step, sectors = p[:, 1].min(), 0.015, 48  # metres a row; sectors of 7.5 degrees
    row = ((p[:, 1] - low) / step).astype(int)
    column = ((angle / (2 * np.pi) + 0.5) * sectors).astype(int) % sectors
    table = np.zeros((row.max() + 1, sectors))
    np.maximum.at(table, (row[torso], column[torso]), radius[torso])
    wide = grey_dilation(table, size=(7, 5), mode=("nearest", "wrap"))
    wide = gaussian_filter(wide, (2.5, 1.5), mode=("nearest", "wrap"))
    below = np.clip((shoulder[1] - 0.06 - p[:, 1]) / 0.12, 0, 1)
    inner = np.clip((shoulder[0] + 0.03 - np.abs(p[:, 0])) / 0.06, 0, 1)
    wish = np.maximum(wide[row, column] - looseness * 0.35, radius)
    factor = 1 + below * inner * (wish / np.maximum(radius, 1e-6) - 1)
    moved = p.copy()
    moved[:, 0] *= factor
    moved[:, 2] = axis + (p[:, 2] - axis) * factor
    return smooth(Patch(moved, patch.faces, patch.values), 6)


def _with_hems(patch: Patch) -> Patch:
    """Values become the 24 skinning weights and the distance to the nearest open edge."""
    edges = border_edges(patch.faces)
    ends = patch.vertices[edges]
    samples = np.concatenate([ends[:, 0] * (1 - t) + ends[:, 1] * t for t in (0, 0.25, 0.5, 0.75)])
    distance, _ = cKDTree(samples).query(patch.vertices)
    return Patch(patch.vertices, patch.faces, np.column_stack([patch.values[:, :24], distance]))


def _lengthened(patch: Patch, ring: npt.NDArray[np.bool_], by: float, rows: int) -> Patch:
    """Extrude the open edges whose vertices are in `ring` downwards by `by` metres."""
    vertices, faces, values = patch.vertices, [patch.faces], patch.values
    directed = np.concatenate([patch.faces[:, [0, 1]], patch.faces[:, [1, 2]],
                               patch.faces[:, [2, 0]]])  # fmt: skip
    open_edges = {tuple(edge) for edge in border_edges(patch.faces).tolist()}
    chosen = np.array([
        edge for edge in directed.tolist()
        if tuple(sorted(edge)) in open_edges and ring[edge].all()
    ])  # fmt: skip
    loop = np.unique(chosen)
    previous = loop
    for _ in range(rows):
        below = np.arange(len(loop)) + len(vertices)
        vertices = np.concatenate([vertices, vertices[previous] - [0, by / rows, 0]])
        values = np.concatenate([values, values[loop]])
        up = dict(zip(loop.tolist(), previous.tolist(), strict=True))
        down = dict(zip(loop.tolist(), below.tolist(), strict=True))
        quads = [(up[b], up[a], down[a], down[b]) for a, b in chosen.tolist()]
        faces.append(np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]))
        previous = below
    return Patch(vertices, np.concatenate(faces), values)


def trousers(shape: Shape, looseness: float = 0.016, length: float = 1.0) -> Garment:
    """Straight jeans from the waist; `looseness` in metres from the skin, `length` how much of
    the legs they cover: 1 to the ankles, 0.4 to above the knees."""
    at = _landmark_heights(shape)
    top = at["waist"] - 0.005
    bottom = at["crotch"] + length * (at["ankle"] + 0.02 - at["crotch"])
    reach = shape.joints[JOINT["left_shoulder"], 0] + 0.05

    def leg_region(p: Array) -> Array:
        return np.where(np.abs(p[:, 0]) > reach, -0.1, np.minimum(top - p[:, 1], p[:, 1] - bottom))

    patch = _without_loose_pieces(cut(_skin_patch(shape), leg_region(shape.bare)))
    y = patch.vertices[:, 1]
    knee = shape.joints[JOINT["left_knee"], 1]
    lower = np.clip((knee + 0.15 - y) / 0.35, 0, 1)
    waistband = np.clip((top - y) / 0.12, 0.0, 1)
    offset = looseness * (0.75 + 1.35 * lower) * (0.35 + 0.65 * waistband)
    patch = _grown(patch, offset, 24)
    patch = subdivide(_lengthened(patch, patch.vertices[:, 1] < bottom + 0.03, 0.045, 2))
    pinned = patch.vertices[:, 1] > top - 0.03
    patch = _with_hems(patch)
    return Garment("Trousers", patch, pinned, stiffness=25.0, bending=5.0, clearance=0.004)


def skirt(shape: Shape, length: float, sectors: int = 72, rows: int = 34) -> Garment:
    """A flared skirt that hangs `length` metres from the waist."""
    at = _landmark_heights(shape)
    top = at["waist"] - 0.005
    reach = shape.joints[JOINT["left_shoulder"], 0]
    body = shape.bare[(np.abs(shape.bare[:, 0]) < reach) & (shape.bare[:, 1] < top + 0.03)]
    axis = shape.joints[0, [0, 2]]
    angle = np.linspace(0, 2 * np.pi, sectors, endpoint=False)
    out = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    rings, radius = [], np.zeros(sectors)
    for y in np.linspace(top, top - length, rows):
        level = body[np.abs(body[:, 1] - y) < 0.03][:, [0, 2]] - axis
        # What hangs never draws in below what it hangs from.
        here = (level @ out.T).max(axis=0) + 0.012 if len(level) else radius
        radius = np.maximum(radius, here) if y < top - 0.02 else here
        flare = 1 + 0.28 * (top - y) / length
        ring = axis + out * (radius * flare)[:, None]
        rings.append(np.stack([ring[:, 0], np.full(sectors, y), ring[:, 1]], axis=1))
    vertices = np.concatenate(rings)
    first = np.arange(rows - 1)[:, None] * sectors
    k, after = np.arange(sectors), (np.arange(sectors) + 1) % sectors
    a, b = first + k, first + after
    c, d = b + sectors, a + sectors
    faces = np.stack([a, d, b, b, d, c], axis=-1).reshape(-1, 3)
    weights = np.zeros((len(vertices), 24))
    weights[:, 0] = 1.0
    patch = _with_hems(Patch(vertices, faces.astype(np.int64), weights))
    pinned = vertices[:, 1] > top - 0.03
    return Garment("Skirt", patch, pinned, stiffness=12.0, bending=1.0, clearance=0.005)


def _without_loose_pieces(patch: Patch) -> Patch:
    count = len(patch.vertices)
    pairs = patch.faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    graph = coo_matrix((np.ones(len(pairs)), tuple(pairs.T)), shape=(count, count))
    _, piece = connected_components(graph, directed=False)
    largest = np.bincount(piece).argmax()
    return compact(Patch(patch.vertices, patch.faces[piece[patch.faces[:, 0]] == largest],
                         patch.values))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Draped:
    """A garment at rest on the posed body, world axes, before the ground is set."""

    garment: Garment
    vertices: Array  # (V, 3), body axes


def drape(shape: Shape, pose: Array, garments: list[Garment], seed: int) -> list[Draped]:
    """Simulate the garments while the body moves from the T-pose into `pose`.

    Inner garments first: every garment also collides with the ones before it. Uses a scene of
    its own, which is removed at the end. Deterministic: the solver is, and `seed` only sets a
    tiny disturbance that breaks the symmetry of the folds.
    """
    rng = np.random.default_rng(seed)
    previous = bpy.context.window.scene if bpy.context.window else bpy.context.scene
    scene = bpy.data.scenes.new("Drape")
    if bpy.context.window:
        bpy.context.window.scene = scene
    poses = pose_path(pose, STEPS)
    # The collider is smooth: navel, toes and the like do not print through real cloth.
    smooth_body = smooth(_skin_patch(shape), 12).vertices
    body = _animated(
        scene, "Body", shape.model.faces, [pose_vertices(shape, p, smooth_body)[0] for p in poses]
    )
    _collide(body, 0.003)
    objects = []
    for garment in garments:
        patch = garment.patch
        rest = patch.vertices + rng.normal(0, 4e-4, patch.vertices.shape)
        weights = patch.values[:, :24]
        weights = weights / weights.sum(1, keepdims=True)
        keys = [pose_vertices(shape, p, rest, weights)[0] for p in poses]
        cloth = _animated(scene, garment.name, patch.faces, keys)
        _simulate(cloth, garment, [body, *objects])
        _collide(cloth, 0.002)
        objects.append(cloth)
    last = FRAMES_PER_STEP * (STEPS - 1) + SETTLE_FRAMES
    scene.frame_start, scene.frame_end = 0, last
    layer = scene.view_layers[0]
    for frame in range(last + 1):
        scene.frame_set(frame)
        layer.update()
    graph = bpy.context.evaluated_depsgraph_get() if bpy.context.scene == scene else (
        layer.depsgraph
    )  # fmt: skip
    found = []
    for cloth, garment in zip(objects, garments, strict=True):
        mesh = cloth.evaluated_get(graph).data
        vertices = np.zeros(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", vertices)
        patch = Patch(
            _from_world(vertices.reshape(-1, 3).astype(np.float64)),
            garment.patch.faces,
            garment.patch.values,
        )
        found.append(Draped(garment, smooth(patch, 2).vertices))
    if bpy.context.window:
        bpy.context.window.scene = previous
    for thing in [body, *objects]:
        bpy.data.meshes.remove(thing.data)
    for garment in garments:
        bpy.data.collections.remove(bpy.data.collections[f"Under {garment.name}"])
    bpy.data.scenes.remove(scene)
    return found


def skinned(shape: Shape, pose: Array, garments: list[Garment], _seed: int) -> list[Draped]:
    """Garments that follow the bones as the skin does: no folds, no simulation, any pose."""
    return [
        Draped(g, pose_vertices(shape, pose, g.patch.vertices, g.patch.values[:, :24])[0])
        for g in garments
    ]


def _from_world(points: Array) -> Array:
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def _animated(
    scene: bpy.types.Scene, name: str, faces: Index, keys: list[Array]
) -> bpy.types.Object:
    """A mesh object that moves through `keys` (body axes), evenly in time."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(to_world(keys[0], 0.0).tolist(), [], np.asarray(faces).tolist())
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    for index, key in enumerate(keys):
        block = thing.shape_key_add(name=f"{index}", from_mix=False)
        block.data.foreach_set("co", to_world(key, 0.0).astype(np.float32).ravel())
        block.interpolation = "KEY_LINEAR"
    shape_keys = mesh.shape_keys
    shape_keys.use_relative = False
    last = FRAMES_PER_STEP * (len(keys) - 1)
    for frame, block in ((0, shape_keys.key_blocks[0]), (last, shape_keys.key_blocks[-1])):
        shape_keys.eval_time = block.frame
        shape_keys.keyframe_insert("eval_time", frame=frame)
    for curve in shape_keys.animation_data.action.fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "SINE"
    return thing


def _collide(thing: bpy.types.Object, thickness: float) -> None:
    modifier = thing.modifiers.new("Collision", "COLLISION")
    modifier.settings.thickness_outer = thickness
    modifier.settings.thickness_inner = 0.03
    modifier.settings.cloth_friction = 12.0


def _simulate(thing: bpy.types.Object, garment: Garment, colliders: list[bpy.types.Object]) -> None:
    group = thing.vertex_groups.new(name="Pinned")
    group.add(np.nonzero(garment.pinned)[0].tolist(), 1.0, "REPLACE")
    modifier = thing.modifiers.new("Cloth", "CLOTH")
    settings = modifier.settings
    settings.quality = 5
    settings.time_scale = 1.0
    settings.mass = 0.25
    settings.air_damping = 2.0
    settings.tension_stiffness = settings.compression_stiffness = garment.stiffness
    settings.shear_stiffness = garment.stiffness * 0.5
    settings.bending_stiffness = garment.bending
    settings.vertex_group_mass = "Pinned"
    settings.pin_stiffness = 1.0
    modifier.collision_settings.collision_quality = 3
    modifier.collision_settings.distance_min = garment.clearance
    within = bpy.data.collections.new(f"Under {garment.name}")
    for collider in colliders:
        within.objects.link(collider)
    modifier.collision_settings.collection = within
    modifier.collision_settings.use_self_collision = False
    modifier.point_cache.frame_start = 0
    modifier.point_cache.frame_end = 250


def covered(shape: Shape, garments: list[Garment], depth: float) -> npt.NDArray[np.bool_]:
    """(V,) body vertices that lie under a garment, at least `depth` from its hems."""
    hidden = np.zeros(len(shape.bare), bool)
    for garment in garments:
        patch = garment.patch
        distance, nearest = cKDTree(patch.vertices).query(shape.bare)
        rim = border(patch.faces, len(patch.vertices))
        to_rim, _ = cKDTree(patch.vertices[rim]).query(shape.bare)
        # Legs may stand well off a skirt; arms hang in front of it.
        under = distance < 0.06
        if garment.name == "Skirt":
            top, hem = patch.vertices[:, 1].max(), patch.vertices[:, 1].min()
            level = (shape.bare[:, 1] < top) & (shape.bare[:, 1] > hem)
            under |= level & (np.abs(shape.bare[:, 0]) < shape.joints[JOINT["left_shoulder"], 0])
        hidden |= under & (patch.values[nearest, 24] > depth) & (to_rim > depth)
    return hidden


@dataclass(frozen=True, eq=False)
class Shoe:
    """One shoe around a foot at rest; quads, and the material of each."""

    vertices: Array  # (V, 3), T-pose, body axes
    quads: Index  # (F, 4)
    material: Index  # (F,), 0 upper, 1 sole, 2 toe cap, 3 laces
    weights: Array  # (V, 24)


def shoe(shape: Shape, side: str, step: float = 0.0035) -> Shoe:
    """A sneaker as the isosurface of the foot's closed and dilated volume, with a flat sole."""
    part = parts.LEFT_LEG if side == "left" else parts.RIGHT_LEG
    ankle = shape.joints[JOINT[f"{side}_ankle"]]
    toes = shape.joints[JOINT[f"{side}_foot"]]
    collar = ankle[1] + 0.025
    near = (shape.model.part == part) & (shape.bare[:, 1] < collar + 0.03)
    points = _surface_samples(shape.bare, shape.model.faces, near, step)
    floor = points[:, 1].min()
    low, high = points.min(0) - 0.035, points.max(0) + 0.035
    size = np.ceil((high - low) / step).astype(int)
    cells = np.zeros(size, bool)
    cells[tuple(np.round((points - low) / step).astype(int).T)] = True
    # Closing bridges the toes and the arch; filling makes it solid.
    reach = round(0.013 / step)
    ball = np.linalg.norm(np.indices((2 * reach + 1,) * 3) - reach, axis=0) <= reach
    padded = np.pad(cells, reach)
    closed = binary_closing(padded, ball)[reach:-reach, reach:-reach, reach:-reach]
    solid = np.stack([binary_fill_holes(closed[:, j]) for j in range(size[1])], axis=1)
    signed = distance_transform_edt(~solid) - distance_transform_edt(solid)
    upper = 0.005 - gaussian_filter(signed, 1.6) * step
    height = low[1] + np.arange(size[1]) * step - floor
    # The sole: the footprint of the lower foot, drawn down to the ground.
    print_ = solid[:, (height < 0.045)].any(axis=1)
    footprint = distance_transform_edt(~print_) - distance_transform_edt(print_)
    along = gaussian_filter(footprint, 2.0)[:, None, :] * step
    sole_top = 0.018
    depth = np.abs(height + (0.012 - sole_top) / 2) - (sole_top + 0.012) / 2
    sole = np.minimum(0.009 - along, -depth[None, :, None])
    field = np.maximum(upper, sole)
    top = collar - (low[1] + np.arange(size[1]) * step)
    field = np.minimum(field, top[None, :, None])
    for axis in range(3):
        edge = [slice(None)] * 3
        for end in (0, -1):
            edge[axis] = end
            field[tuple(edge)] = -step
    vertices, quads = surface_net(gaussian_filter(field, 0.7), low, step)
    middle = vertices[quads].mean(1)
    material = np.zeros(len(quads), np.int64)
    toe_line = toes[2] + 0.035 - 0.8 * np.maximum(middle[:, 1] - floor - 0.03, 0)
    material[middle[:, 2] > toe_line] = 2
    material[middle[:, 1] < floor + sole_top + 0.002] = 1
    _, nearest = cKDTree(shape.bare[near]).query(vertices)
    weights = shape.model.weights[near][nearest].astype(np.float64)
    # A shoe does not bend at each toe: the whole follows ankle and ball.
    return Shoe(vertices, quads, material, weights)


def _surface_samples(vertices: Array, faces: Index, near: Array, step: float) -> Array:
    """Points on the faces around `near`, closer to each other than `step`."""
    chosen = faces[near[faces].all(1)]
    corners = vertices[chosen]
    n = 12
    weights = np.array([(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]) / n
    points = np.einsum("kc,fcx->fkx", weights, corners).reshape(-1, 3)
    return np.unique(np.round(points / (step * 0.5)), axis=0) * step * 0.5
