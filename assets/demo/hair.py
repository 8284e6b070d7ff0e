"""Hair as strands: where it grows, how long it is and how it falls. Body axes, metres."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
import numpy.typing as npt

from ...addon.core.body.model.skeleton import JOINT
from .body import Array, Shape, to_world
from .surfaces import vertex_normals


@dataclass(frozen=True, eq=False)
class Strands:
    """Hair strands of equal point counts, with where each grows at rest."""

    points: Array  # (N, P, 3), at rest, body axes
    weights: npt.NDArray[np.float64]  # (N, 24), skinning weights of the root
    radius: float  # metres at the root


@dataclass(frozen=True)
class FaceFrame:
    """Measures of the head at rest that hair, brows and skin colours refer to."""

    eyes: Array  # (2, 3), centres of the eyeballs, left first
    eye_radius: float
    crown: float  # height of the top of the head
    chin: float
    middle: Array  # (3,), centre of the skull
    nose: Array  # (3,), tip of the nose


EYE_VERTICES = 72  # each of the body's eyeballs is a separate piece of this many vertices


def face_frame(shape: Shape) -> FaceFrame:
    """Find eyes, crown, chin and nose on the default body."""
    count = len(shape.bare)
    left, right = (shape.bare[count - EYE_VERTICES * k : count - EYE_VERTICES * (k - 1) or None]
                   for k in (2, 1))  # fmt: skip
    if left[:, 0].mean() < right[:, 0].mean():
        left, right = right, left
    eyes = np.array([left.mean(0), right.mean(0)])
    radius = float(np.linalg.norm(left - eyes[0], axis=1).mean())
    head = shape.bare[shape.model.weights[:, JOINT["head"]] > 0.5]
    middle_line = head[np.abs(head[:, 0]) < 0.012]
    crown = float(head[:, 1].max())
    nose = middle_line[middle_line[:, 2].argmax()]
    below = middle_line[(middle_line[:, 2] > nose[2] - 0.045)]
    skull = np.array([0.0, crown - 0.105, eyes[:, 2].mean() - 0.075])
    return FaceFrame(eyes, radius, crown, float(below[:, 1].min()), skull, nose)


def _roots(
    shape: Shape, chance: Array, count: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """`count` points on the body drawn by density `chance` (V,): points, normals, weights."""
    faces = shape.model.faces
    vertices = shape.rest
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]),
                          axis=1)  # fmt: skip
    share = area * chance[faces].mean(1)
    chosen = rng.choice(len(faces), count, p=share / share.sum())
    a, b = rng.random((2, count))
    flip = a + b > 1
    a[flip], b[flip] = 1 - a[flip], 1 - b[flip]
    mix = np.stack([1 - a - b, a, b], 1)[..., None]
    normals = vertex_normals(vertices, faces.astype(np.int64))
    picked = faces[chosen]
    return (
        (vertices[picked] * mix).sum(1),
        (normals[picked] * mix).sum(1),
        (shape.model.weights[picked].astype(np.float64) * mix).sum(1),
    )


def scalp(shape: Shape, frame: FaceFrame) -> Array:
    """(V,) 0..1: how densely hair grows, with a soft hairline."""
    p = shape.rest - frame.middle
    is_head = shape.model.weights[:, JOINT["head"]] + shape.model.weights[:, JOINT["neck"]]
    # The hairline in head-centred terms: high over the brow, down before the ears, to the nape.
    # How far forward a point is, 0 behind the ears and 1 at the forehead's front.
    front = np.clip((p[:, 2] + 0.005) / 0.095, 0, 1)
    temple = np.clip(np.abs(p[:, 0]) / 0.075, 0, 1)
    line = np.where(p[:, 2] > -0.012, -0.035 + 0.088 * front**0.8 + 0.004 * temple, -0.085)
    sideburn = (p[:, 2] < 0.022) & (p[:, 2] > -0.012) & (np.abs(p[:, 0]) > 0.06)
    line = np.where(sideburn, -0.045, line)
    ear = (np.abs(p[:, 0]) > 0.0665) & (np.abs(p[:, 2] + 0.03) < 0.036) & (p[:, 1] < -0.012)
    density = np.clip((p[:, 1] - line) / 0.012, 0, 1)
    density[(is_head < 0.5) | ear] = 0
    density[-2 * EYE_VERTICES :] = 0
    return density


def short_hair(
    shape: Shape, frame: FaceFrame, rng: np.random.Generator, count: int = 26000, points: int = 7
) -> Strands:
    """A short cut with a side parting: long on top and swept aside, short at the sides."""
    root, normal, weights = _roots(shape, scalp(shape, frame), count, rng)
    p = root - frame.middle
    top = np.clip((p[:, 1] + 0.005) / 0.07, 0, 1)
    length = (0.014 + 0.036 * top**1.3) * rng.uniform(0.75, 1.15, count)
    parting = 0.028
    side = np.where(p[:, 0] > parting, 1.0, -1.0)
    # Swept from the parting to the sides and back, lying down towards the nape and the ears.
    sweep = np.stack([side * 0.75 * top, -0.75 * (1 - top) - 0.05, -0.45 - 0.2 * (1 - top)], 1)
    # The fringe stands up and goes back.
    fringe = np.clip((p[:, 2] - 0.035) / 0.05, 0, 1) * top
    sweep += fringe[:, None] * np.array([-0.25, 0.55, 0.15])
    tangent = sweep - (sweep * normal).sum(1, keepdims=True) * normal
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    # Locks: neighbours share a direction and a clump's wave.
    clump = np.floor(p / 0.009)
    key = (clump @ np.array([73.0, 151.0, 283.0])) % 97
    sway = np.stack([np.sin(key * k) for k in (1.7, 2.9, 4.3)], 1)
    tangent += 0.28 * sway + rng.normal(0, 0.13, (count, 3))
    lift = (0.42 + 0.45 * top)[:, None]
    line = [root]
    direction = normal * lift + tangent * (1 - lift * 0.5)
    for step in range(1, points):
        t = step / (points - 1)
        direction = normal * lift * (1 - 1.25 * t) + tangent * (0.55 + 0.6 * t)
        direction += np.array([0, -0.25, 0]) * t
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        line.append(line[-1] + direction * (length / (points - 1))[:, None])
    return Strands(np.stack(line, 1), weights, 0.00016)


def long_hair(
    shape: Shape, frame: FaceFrame, rng: np.random.Generator, count: int = 22000, points: int = 14
) -> Strands:
    """Hair to the shoulders, parted in the middle, that falls over the ears."""
    root, normal, weights = _roots(shape, scalp(shape, frame), count, rng)
    p = root - frame.middle
    side = np.where(p[:, 0] >= 0, 1.0, -1.0)
    length = 0.36 * rng.uniform(0.8, 1.05, count)
    clump = np.floor(p / 0.014)
    key = (clump @ np.array([73.0, 151.0, 283.0])) % 97
    sway = np.stack([np.sin(key * k) for k in (1.7, 2.9, 4.3)], 1)
    top = np.clip((p[:, 1] + 0.01) / 0.08, 0, 1)[:, None]
    outward = np.stack([side, 0 * side, -0.55 + 0 * side], 1)
    direction = normal * 0.5 + outward * top + 0.12 * sway + rng.normal(0, 0.05, (count, 3))
    line, radius = [root], 0.088
    for step in range(1, points):
        t = step / (points - 1)
        falling = direction * (1 - t) ** 2 + np.array([0.0, -1.3 * t - 0.25, 0.0]) + 0.06 * sway
        falling /= np.linalg.norm(falling, axis=1, keepdims=True)
        here = line[-1] + falling * (length / (points - 1))[:, None]
        # It lies on the skull and beside the neck, not in them, and leaves the face free.
        away = here - frame.middle
        flat = np.linalg.norm(away[:, [0, 2]], axis=1)
        least = radius * np.clip(1.02 - 0.25 * np.maximum(-away[:, 1] - 0.1, 0) / 0.1, 0.8, 1.02)
        push = np.maximum(least / np.maximum(flat, 1e-6), 1.0)
        low = away[:, 1] < 0.03
        here[low, 0] = frame.middle[0] + away[low, 0] * push[low]
        here[low, 2] = frame.middle[2] + np.minimum(away[low, 2] * push[low], 0.02)
        line.append(here)
    return Strands(np.stack(line, 1), weights, 0.00020)


def brows_and_lashes(
    shape: Shape, frame: FaceFrame, rng: np.random.Generator
) -> tuple[Strands, Strands]:
    """Brows as short strands along an arch over each eye, upper lashes along the lids."""
    p = shape.rest
    skin = np.ones(len(p), bool)
    skin[-2 * EYE_VERTICES :] = False
    density = np.zeros(len(p))
    for eye in frame.eyes:
        sign = np.sign(eye[0])
        x = (p[:, 0] - eye[0]) * sign  # outwards
        arch = eye[1] + 0.0185 + 0.0045 * np.clip(x / 0.02, -1, 1)
        arch -= 9.0 * np.maximum(x - 0.008, 0) ** 2
        thickness = 0.0042 - 0.07 * np.maximum(x, 0) ** 1.05
        near = (np.abs(p[:, 1] - arch) < np.maximum(thickness, 0.0012)) & (x > -0.021) & (x < 0.027)
        density[near & skin & (p[:, 2] > eye[2] - 0.012)] = 1.0
    if not density.any():
        return _none(), _none()
    root, normal, weights = _roots(shape, density, 900, rng)
    sign = np.sign(root[:, :1])
    direction = normal * 0.35 + np.concatenate([sign, 0.25 + 0 * sign, 0 * sign], 1)
    direction += rng.normal(0, 0.15, direction.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = rng.uniform(0.004, 0.008, (len(root), 1))
    brows = np.stack([root + direction * length * t for t in (0.0, 0.5, 1.0)], 1)
    return Strands(brows, weights, 0.00010), _lashes(shape, frame, rng)


def _none(*_arguments: object) -> Strands:
    return Strands(np.zeros((0, 2, 3)), np.zeros((0, 24)), 0.0001)


CUTS = {"short": short_hair, "long": long_hair, "none": _none}


def _lashes(shape: Shape, frame: FaceFrame, rng: np.random.Generator) -> Strands:
    """Upper lashes from the skin that touches the front of each eyeball above its middle."""
    p = shape.rest[: -2 * EYE_VERTICES]
    roots = []
    for eye in frame.eyes:
        away = p - eye
        distance = np.linalg.norm(away, axis=1)
        lid = (distance < frame.eye_radius * 1.12) & (away[:, 2] > frame.eye_radius * 0.45)
        lid &= (away[:, 1] > 0.0005) & (away[:, 1] < 0.008)
        roots.append(np.nonzero(lid)[0])
    chosen = np.concatenate(roots)
    if len(chosen) == 0:
        return _none()
    chosen = rng.choice(chosen, 260)
    root = p[chosen] + rng.normal(0, 0.0007, (260, 3)) * [1, 0.2, 0.4]
    direction = np.stack([np.sign(root[:, 0]) * 0.25, np.full(260, 0.25), np.ones(260)], 1)
    direction += rng.normal(0, 0.12, direction.shape)
    line = np.stack([root + direction * t + np.array([0, 0.0018, 0]) * (t / 0.007) ** 2
                     for t in (0.0, 0.0035, 0.007)], 1)  # fmt: skip
    return Strands(line, shape.model.weights[chosen].astype(np.float64), 0.00009)


def add_strands(
    name: str, points: Array, radius: float, material: bpy.types.Material, ground: float
) -> bpy.types.Object:
    """Hair curves from posed points (N, P, 3), body axes."""
    curves = bpy.data.hair_curves.new(name)
    count, per = points.shape[:2]
    curves.add_curves([per] * count)
    world = to_world(points.reshape(-1, 3), ground).astype(np.float32)
    curves.attributes["position"].data.foreach_set("vector", world.ravel())
    taper = np.tile(np.linspace(1.0, 0.35, per), count) * radius
    attribute = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    attribute.data.foreach_set("value", taper.astype(np.float32))
    curves.materials.append(material)
    return bpy.data.objects.new(name, curves)
