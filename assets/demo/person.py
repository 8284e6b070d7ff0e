"""The dressed person as Blender objects: skin, eyes, hair, clothes and shoes."""

from __future__ import annotations

from dataclasses import dataclass, field

import bpy
import numpy as np
import numpy.typing as npt

from ...addon.core.body.model.skeleton import JOINT
from . import clothes, hair, materials
from .body import Array, Shape, Stance, make_shape, pose_vertices, standing_pose, to_world
from .surfaces import Index

SKIN_TONE = (0.52, 0.285, 0.19)  # linear, of the forearm; the shades below belong to it
BLUSH = (0.56, 0.19, 0.13)
LIPS = (0.43, 0.13, 0.105)


@dataclass(frozen=True)
class Looks:
    """Everything that tells one demo person from another."""

    betas: tuple[float, ...] = (0.7, -2.1, 0.3)
    expression: dict[str, float] = field(
        default_factory=lambda: {
            "mouthSmileLeft": 0.75,
            "mouthSmileRight": 0.7,
            "cheekSquintLeft": 0.15,
            "cheekSquintRight": 0.15,
            "eyeWideLeft": 0.3,
            "eyeWideRight": 0.3,
            "browInnerUp": 0.15,
        }
    )
    clothes: str = "draped"  # "draped", "skinned" (no folds, but quick) or "swimwear"
    stance: Stance = Stance(
        turn=0.10, sway=-0.025, tilt=0.05, drop=0.010,
        feet=((0.155, 0.04, 0.38), (-0.085, -0.02, -0.22)),
        arms_down=(1.14, 1.18), arms_ahead=(0.05, -0.03), elbows=(0.42, 0.30),
        head_turn=-0.10, head_tilt=-0.03,
    )  # fmt: skip
    shirt: materials.Colour = (0.015, 0.155, 0.165)
    stripe: materials.Colour = (0.78, 0.70, 0.52)
    jeans: tuple[materials.Colour, materials.Colour] = ((0.018, 0.033, 0.075), (0.10, 0.16, 0.26))
    iris: materials.Colour = (0.10, 0.045, 0.02)
    melanin: float = 0.88
    skin: materials.Colour = SKIN_TONE
    hair: str = "short"  # "short", "long" or "none"
    sleeves: float = 0.62  # in upper arms from the shoulder; about 1.9 reaches the wrist
    shirt_looseness_m: float = 0.022
    legs: float = 1.0  # how much of the legs trousers cover
    skirt_m: float = 0.0  # length of a skirt in the trousers' place; 0: trousers


@dataclass(frozen=True, eq=False)
class DressedPerson:
    """What was built, and the numbers it was built from."""

    objects: list[bpy.types.Object]
    shape: Shape
    pose: Array  # (24, 3), axis-angle, body axes
    ground: float  # body-axes height that is z = 0 in the world
    joints: Array  # (24, 3), world


def build_person(collection: bpy.types.Collection, looks: Looks, seed: int) -> DressedPerson:
    """Shape, pose, dress and paint one person; objects are linked to `collection`."""
    shape = make_shape(looks.betas, looks.expression)
    return build_posed(collection, looks, shape, standing_pose(shape, looks.stance), seed)


def build_posed(
    collection: bpy.types.Collection, looks: Looks, shape: Shape, pose: Array, seed: int
) -> DressedPerson:
    """`build_person` for any pose (24, 3), axis-angle, body axes; `looks.stance` is not read."""
    rng = np.random.default_rng(seed)
    garments: list[clothes.Garment] = []
    shoes: list[clothes.Shoe] = []
    if looks.clothes != "swimwear":
        shoes = [clothes.shoe(shape, side) for side in ("left", "right")]
        below = (
            clothes.skirt(shape, looks.skirt_m)
            if looks.skirt_m
            else clothes.trousers(shape, length=looks.legs)
        )
        garments = [below, clothes.t_shirt(shape, looks.shirt_looseness_m, looks.sleeves)]
    skin, joints = pose_vertices(shape, pose)
    posed_shoes = [pose_vertices(shape, pose, s.vertices, s.weights)[0] for s in shoes]
    ground = float(min(s[:, 1].min() for s in (posed_shoes or [skin])))
    drape = clothes.drape if looks.clothes == "draped" else clothes.skinned
    frame = hair.face_frame(shape)

    objects = [_skin(shape, frame, skin, garments, ground, looks)]
    objects += _eyes(shape, frame, pose, looks, ground)
    for item in drape(shape, pose, garments, seed):
        objects.append(_garment(shape, item, looks, ground))
    for shoe, vertices in zip(shoes, posed_shoes, strict=True):
        objects.append(_shoe(shoe, vertices, ground))
    fibre = materials.hair(looks.melanin, 0.45)
    brows, lashes = hair.brows_and_lashes(shape, frame, rng)
    cut = hair.CUTS[looks.hair](shape, frame, rng)
    for name, strands in (("Hair", cut), ("Brows", brows), ("Lashes", lashes)):
        if len(strands.points):
            objects.append(_strands(name, strands, shape, pose, fibre, ground))
    for thing in objects:
        collection.objects.link(thing)
    return DressedPerson(objects, shape, pose, ground, to_world(joints, ground))


def _object(name: str, vertices: Array, faces: Index, ground: float) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(to_world(vertices, ground).tolist(), [], np.asarray(faces).tolist())
    mesh.shade_smooth()
    return bpy.data.objects.new(name, mesh)


def _attribute(mesh: bpy.types.Mesh, name: str, values: Array) -> None:
    kinds = {1: ("FLOAT", "value"), 3: ("FLOAT_VECTOR", "vector"), 4: ("FLOAT_COLOR", "color")}
    kind, field_name = kinds[values.shape[1] if values.ndim > 1 else 1]
    layer = mesh.attributes.new(name, kind, "POINT")
    layer.data.foreach_set(field_name, np.ascontiguousarray(values, np.float32).ravel())


def _subdivided(thing: bpy.types.Object, levels: int = 1) -> None:
    modifier = thing.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = levels


def _skin(
    shape: Shape, frame: hair.FaceFrame, vertices: Array, garments: list[clothes.Garment],
    ground: float, looks: Looks,
) -> bpy.types.Object:  # fmt: skip
    hidden = clothes.covered(shape, garments, 0.035)
    if garments:  # feet are in the shoes
        hidden |= shape.bare[:, 1] < shape.joints[JOINT["left_ankle"], 1]
    hidden[-2 * hair.EYE_VERTICES :] = True
    faces = shape.model.faces[~hidden[shape.model.faces].any(axis=1)]
    thing = _object("Skin", vertices, faces, ground)
    colours = _skin_colours(shape, frame)
    # Other tones are the painted one, shades and all, darker or lighter.
    colours[:, :3] *= np.array(looks.skin) / SKIN_TONE
    if not garments:
        colours[_swimwear(shape), :3] = looks.shirt
    _attribute(thing.data, "Skin", colours)
    thing.data.materials.append(materials.skin())
    _subdivided(thing)
    return thing


def _swimwear(shape: Shape) -> npt.NDArray[np.bool_]:
    """(V,) the skin under shorts and a top that hug it."""
    p, joints = shape.bare, shape.joints
    trunk = np.abs(p[:, 0]) < joints[JOINT["left_shoulder"], 0] + 0.01
    hip, chest = joints[JOINT["left_hip"], 1], joints[JOINT["spine3"], 1]
    return trunk & (np.abs(p[:, 1] - hip - 0.01) < 0.12) | trunk & (np.abs(p[:, 1] - chest) < 0.10)


def _skin_colours(shape: Shape, frame: hair.FaceFrame) -> Array:
    """(V, 4) linear colours: tone, blush, lips, beard shadow, scalp."""
    p = shape.rest
    colour = np.tile(np.array(SKIN_TONE), (len(p), 1))

    def tint(share: Array, to: tuple[float, float, float]) -> None:
        share = np.clip(share, 0, 1)[:, None]
        colour[:] = colour * (1 - share) + np.array(to) * share

    def near(centre: Array, reach: float) -> Array:
        return np.exp(-((np.linalg.norm(p - centre, axis=1) / reach) ** 2))

    eyes = frame.eyes.mean(0)
    for eye in frame.eyes:
        cheek = np.array([eye[0] * 1.45, eyes[1] - 0.042, eye[2] + 0.005])
        tint(0.34 * near(cheek, 0.022), BLUSH)
        socket = eye + np.array([0, -0.012, 0.012])
        tint(0.30 * near(socket, 0.014), (0.33, 0.16, 0.12))
        lid = eye + np.array([0, 0.010, 0.010])
        tint(0.25 * near(lid, 0.009), (0.36, 0.17, 0.12))
    tint(0.30 * near(frame.nose, 0.016), BLUSH)
    is_head = shape.model.weights[:, JOINT["head"]]
    ears = np.clip((np.abs(p[:, 0]) - 0.066) / 0.008, 0, 1) * is_head * (p[:, 2] < eyes[2] - 0.03)
    tint(0.35 * ears, BLUSH)
    beard = (
        np.clip((frame.nose[1] - 0.012 - p[:, 1]) / 0.02, 0, 1)
        * np.clip((p[:, 1] - frame.chin + 0.035) / 0.02, 0, 1)
        * np.clip((p[:, 2] - eyes[2] + 0.065) / 0.03, 0, 1)
        * is_head
    )
    tint(0.20 * beard, (0.20, 0.135, 0.115))
    tint(_lips(shape) * 0.62, LIPS)
    brow_shadow = np.zeros(len(p))
    for eye in frame.eyes:
        x = (p[:, 0] - eye[0]) * np.sign(eye[0])
        arch = eye[1] + 0.0185 + 0.0045 * np.clip(x / 0.02, -1, 1)
        brow_shadow += np.exp(-(((p[:, 1] - arch) / 0.0035) ** 2) - (x / 0.018) ** 4) * (
            p[:, 2] > eye[2] - 0.012
        )
    tint(0.55 * brow_shadow, (0.10, 0.06, 0.045))
    tint(0.75 * hair.scalp(shape, frame), (0.07, 0.045, 0.035))
    # Knuckles and finger tips are redder than the forearm.
    hands = shape.model.weights[:, [JOINT["left_hand"], JOINT["right_hand"]]].sum(1)
    tint(0.22 * hands, BLUSH)
    return np.concatenate([colour, np.ones((len(p), 1))], 1)


def _lips(shape: Shape) -> Array:
    """(V,) 0..1: the red of the lips, where rolling them in moves the skin most."""
    from ...addon.core.inference.model_files import model_path

    with np.load(model_path("body.npz")) as fields:
        names = list(fields["facial_action_names"])
        rolls = [fields["facial_actions"][names.index(n)] for n in
                 ("mouthRollUpper", "mouthRollLower")]  # fmt: skip
    amount = np.zeros(len(shape.rest))
    for roll in rolls:
        length = np.linalg.norm(roll.astype(np.float64), axis=1)
        amount = np.maximum(amount, length / max(length.max(), 1e-9))
    return np.clip((amount - 0.6) / 0.2, 0, 1)


def _eyes(
    shape: Shape, frame: hair.FaceFrame, pose: Array, looks: Looks, ground: float
) -> list[bpy.types.Object]:
    """Two spheres that look at the camera, which is ahead."""
    material = materials.eye(looks.iris)
    head = np.zeros((2, shape.model.weights.shape[1]))
    head[:, JOINT["head"]] = 1.0
    centres, _ = pose_vertices(shape, pose, frame.eyes, head)
    found = []
    for centre in centres:
        mesh = bpy.data.meshes.new("Eye")
        import bmesh

        shell = bmesh.new()
        bmesh.ops.create_uvsphere(shell, u_segments=32, v_segments=24, radius=frame.eye_radius)
        shell.to_mesh(mesh)
        shell.free()
        mesh.shade_smooth()
        mesh.materials.append(material)
        thing = bpy.data.objects.new("Eye", mesh)
        thing.location = to_world(centre[None], ground)[0]
        # The sphere's pole +z is the pupil: turn it to the viewer, slightly down to the camera.
        thing.rotation_euler = (np.pi / 2 + 0.07, 0, 0)
        found.append(thing)
    return found


def _garment(shape: Shape, item: clothes.Draped, looks: Looks, ground: float) -> bpy.types.Object:
    patch = item.garment.patch
    thing = _object(item.garment.name, item.vertices, patch.faces, ground)
    mesh = thing.data
    _attribute(mesh, "Rest", patch.vertices)
    _attribute(mesh, "Hem", patch.values[:, 24])
    if item.garment.name == "T-shirt":
        chest = shape.joints[JOINT["spine3"], 1]
        bands = ((chest - 0.045, chest - 0.005), (chest + 0.012, chest + 0.022))
        mesh.materials.append(materials.knit(looks.shirt, looks.stripe, bands))
    else:
        y, z = patch.vertices[:, 1], patch.vertices[:, 2]
        hip, knee = shape.joints[JOINT["left_hip"], 1], shape.joints[JOINT["left_knee"], 1]
        front = np.clip((z - 0.01) / 0.06, 0, 1)
        thigh = np.exp(-(((y - (hip + knee) / 2) / 0.13) ** 2))
        at_knee = np.exp(-(((y - knee) / 0.06) ** 2))
        _attribute(mesh, "Fade", 0.18 + front * (0.45 * thigh + 0.35 * at_knee))
        _attribute(mesh, "Seam", z - shape.joints[JOINT["left_knee"], 2] + 0.005)
        mesh.materials.append(materials.denim(*looks.jeans))
    _subdivided(thing)
    shell = thing.modifiers.new("Fabric", "SOLIDIFY")
    shell.thickness = clothes.FABRIC_MM / 1000
    shell.offset = 0.0
    return thing


def _shoe(shoe: clothes.Shoe, vertices: Array, ground: float) -> bpy.types.Object:
    thing = _object("Shoe", vertices, shoe.quads, ground)
    for material in (
        materials.rubber("Canvas", (0.42, 0.40, 0.37), 0.8, 0.25),
        materials.rubber("Sole", (0.68, 0.66, 0.61), 0.55, 0.35),
        materials.rubber("Cap", (0.66, 0.64, 0.59), 0.45, 0.25),
    ):
        thing.data.materials.append(material)
    thing.data.polygons.foreach_set("material_index", shoe.material.astype(np.int32))
    return thing


def _strands(
    name: str, strands: hair.Strands, shape: Shape, pose: Array, material: bpy.types.Material,
    ground: float,
) -> bpy.types.Object:  # fmt: skip
    per = strands.points.shape[1]
    points, _ = pose_vertices(
        shape, pose, strands.points.reshape(-1, 3), np.repeat(strands.weights, per, axis=0)
    )
    return hair.add_strands(name, points.reshape(-1, per, 3), strands.radius, material, ground)
