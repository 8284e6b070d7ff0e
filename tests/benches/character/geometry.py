"""The character's surface against the true one, over rendered people of known surface.

Each case is measured twice: the character made of the true body and the picture's mask ("given
the body"), and the one that the whole path makes of the picture. Distances are the mean of both
directions of nearest point-to-surface distances, after the similarity that brings the surfaces
closest, in the true one's centimetres. Normals of the front are compared pixel by pixel, where
both surfaces are, each seen by its own camera.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from ....addon.core import frames
from ....addon.core.body.fit.body_fit import fit_body
from ....addon.core.body.rasterisation import fragments, vertex_normals
from ....addon.core.body.stage import body_model
from ....addon.core.character.build import build_character
from ....addon.core.perception.detection.people import choose, find_people
from ....addon.core.perception.segmentation.masks import segment_person
from ....addon.core.photo.image_files import load_photo
from ....addon.core.settings import WakeUpSettings
from ....addon.core.types import Camera, Crop, FittedBody, Person, Photo
from ....assets.fit_cases.cases import FitCase, fit_cases
from ..photos import ROOT
from ..rows import Row, at_most, row

SEED = 1
PICTURES = ROOT / "build" / "fit_cases" / f"seed_{SEED}"
NAMES = (
    "standing_1", "standing_2", "heavy_1", "slim_2", "walking_1", "walking_2", "running_1",
    "arms_up_2", "hands_on_hips_1", "arms_over_torso_2", "sitting_1", "sitting_2", "turned_45_1",
    "turned_90_2", "from_behind_1", "child_1",
)  # fmt: skip
CHAMFER_CM = 2.0
NORMAL_DEG = 20.0
SAMPLES = 20_000  # points a surface
CANDIDATES = 8  # triangles whose distance from a point is computed
ALIGNING_ROUNDS = 30

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles (T, 3) over vertices (V, 3), camera frame, metres, seen by a camera."""

    vertices: Array
    triangles: Array
    camera: Camera


@dataclass(frozen=True, eq=False)
class Known:
    """A rendered person whose surface and body are known, as the perception sees it."""

    case: FitCase
    photo: Photo
    person: Person
    truth: Surface
    body: FittedBody


@dataclass(frozen=True)
class Errors:
    chamfer_cm: float
    normal_deg: float


def rows(out: Path) -> list[Row]:
    if not PICTURES.is_dir():
        return [row("geometry: no pictures (make bench-fit renders them)", "", 0, None)]
    people = [known(name) for name in NAMES if (PICTURES / f"{name}.png").is_file()]
    found = {
        "given the body": [errors(of_body(who, who.body), who.truth) for who in people],
        "whole path": [errors(of_body(who, fitted(who)), who.truth) for who in people],
    }
    result = []
    for path, values in found.items():
        for who, value in zip(people, values, strict=True):
            result.append(
                row(
                    f"geometry, {path}: {who.case.name}",
                    "",
                    f"{value.chamfer_cm:.2f} cm {value.normal_deg:.1f} deg",
                    None,
                )
            )
        chamfer = float(np.mean([v.chamfer_cm for v in values]))
        degrees = float(np.mean([v.normal_deg for v in values]))
        result.append(at_most(f"geometry, {path}: Chamfer, cm", CHAMFER_CM, chamfer))
        result.append(at_most(f"geometry, {path}: front normals, deg", NORMAL_DEG, degrees))
    return result


@cache
def known(name: str) -> Known:
    model = body_model(WakeUpSettings())
    case = next(case for case in fit_cases(model, SEED) if case.name == name)
    photo = load_photo(PICTURES / f"{name}.png")
    found = find_people(photo)
    who = choose(found)
    person = segment_person(photo, who, [each for each in found if each is not who])
    # Pictures are rendered smaller than the case says.
    focal = case.camera.focal_px * photo.width / case.camera.width
    camera = frames.default_camera(photo.width, photo.height, focal)
    surface = PICTURES / f"{name}.npz"
    if not surface.is_file():
        _build_surfaces()
    with np.load(surface) as fields:
        truth = Surface(fields["vertices"].astype(np.float64), fields["triangles"], camera)
    return Known(case, photo, person, truth, replace(case, camera=camera).truth(model))


def _build_surfaces() -> None:
    """In a process of its own: Blender keeps what it once loaded."""
    subprocess.run(
        [sys.executable, "-m", "photo_wake_up.assets.fit_cases.render_fit_cases", "--seed",
         str(SEED), "--out", str(PICTURES.parent), "--surfaces-only", *NAMES],
        check=True,
    )  # fmt: skip


def fitted(who: Known) -> FittedBody:
    """The body that the picture alone gives, and the height that a user would tell."""
    focal = who.truth.camera.focal_px if who.case.tells_focal else None
    return fit_body(who.photo, who.person, body_model(WakeUpSettings()), who.case.height_m, focal)


def of_body(who: Known, body: FittedBody) -> Surface:
    """The character made about a body, in that body's camera frame."""
    made = build_character(who.photo, who.person, body_model(WakeUpSettings()), body).character
    to_camera = np.linalg.inv(made.world_from_camera)
    vertices = frames.transform(to_camera, made.vertices.astype(np.float64))
    return Surface(vertices, made.triangles, body.camera)


def errors(found: Surface, truth: Surface) -> Errors:
    rng = np.random.default_rng(0)
    return Errors(_chamfer_cm(found, truth, rng), _normal_error(found, truth))


def _chamfer_cm(found: Surface, truth: Surface, rng: np.random.Generator) -> float:
    points, there = _sampled(found, rng), _sampled(truth, rng)
    scale, turn, shift = _aligned(points, there)
    moved = replace(found, vertices=scale * found.vertices @ turn.T + shift)
    to_truth = _distance(scale * points @ turn.T + shift, truth).mean()
    from_truth = _distance(there, moved).mean()
    return float(to_truth + from_truth) / 2 * 100


def _sampled(surface: Surface, rng: np.random.Generator) -> Array:
    """(SAMPLES, 3) points, evenly by area."""
    corners = surface.vertices[surface.triangles]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    chosen = corners[rng.choice(len(area), SAMPLES, p=area / area.sum())]
    share = rng.dirichlet(np.ones(3), SAMPLES)
    return np.einsum("kc,kcd->kd", share, chosen)


def _aligned(points: Array, there: Array) -> tuple[float, Array, Array]:
    """Scale, rotation and shift that bring points closest to others, found by iterating nearest
    points in both directions."""
    scale = float(np.ptp(there[:, 1]) / np.ptp(points[:, 1]))
    turn: Array = np.eye(3)
    shift = there.mean(axis=0) - scale * points.mean(axis=0)
    tree = cKDTree(there)
    for _ in range(ALIGNING_ROUNDS):
        moved = scale * points @ turn.T + shift
        _, to = tree.query(moved)
        _, back = cKDTree(moved).query(there)
        source, target = np.vstack([points, points[back]]), np.vstack([there[to], there])
        matrix, _, _ = trimesh.registration.procrustes(source, target, reflection=False)
        scale = float(np.cbrt(np.linalg.det(matrix[:3, :3])))
        turn, shift = matrix[:3, :3] / scale, matrix[:3, 3]
    return scale, turn, shift


def _distance(points: Array, surface: Surface) -> Array:
    """(K,) to the surface: exact for the triangles whose middles are nearest."""
    corners = surface.vertices[surface.triangles]
    _, nearest = cKDTree(corners.mean(axis=1)).query(points, k=CANDIDATES)
    closest = trimesh.triangles.closest_point(
        corners[nearest.ravel()], np.repeat(points, CANDIDATES, axis=0)
    )
    distance = np.linalg.norm(closest - np.repeat(points, CANDIDATES, axis=0), axis=1)
    return distance.reshape(-1, CANDIDATES).min(axis=1)


def _normal_error(found: Surface, truth: Surface) -> float:
    """Mean angle in degrees between the normals of what the cameras see."""
    a, b = front_normals(found), front_normals(truth)
    both = np.isfinite(a[..., 0]) & np.isfinite(b[..., 0])
    cosine = (a[both] * b[both]).sum(axis=-1)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())


def front_normals(surface: Surface) -> Array:
    """(H, W, 3) unit normals of the nearest surface at each pixel, NaN where there is none."""
    camera = surface.camera
    crop = Crop(0.0, 0.0, 1.0, camera.width, camera.height)
    at = frames.project(camera, surface.vertices)
    normals = vertex_normals(surface.vertices, surface.triangles)
    pixel, triangle, share = fragments(at, surface.vertices[:, 2], surface.triangles, crop)
    corners = surface.triangles[triangle]
    share = share / surface.vertices[corners, 2]
    depth = 1 / share.sum(axis=1)
    order = np.lexsort((depth, pixel))
    seen = order[np.r_[True, np.diff(pixel[order]) > 0]]
    normal = np.einsum("kc,kcd->kd", share[seen], normals[corners[seen]])
    picture = np.full((camera.height * camera.width, 3), np.nan)
    picture[pixel[seen]] = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return picture.reshape(camera.height, camera.width, 3)
