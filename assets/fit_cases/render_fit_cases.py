"""Render the cases of known bodies as photos, dressed and undressed, for the whole perception.

    python -m photo_wake_up.assets.fit_cases.render_fit_cases --seed 1 [--out DIR] [NAME ...]
        [--surfaces-only]

One PNG a case; what is true of its body follows from the case itself (`cases.py`). Beside it an
NPZ with what is true of its surface, skin and clothes together: vertices (V, 3) float32, camera
frame, metres, and triangles (T, 3) int32. Hair is strands and no part of the surface. What is
there is not made again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import bpy
import numpy as np

from ...addon.core.body.model.posed import rest_height
from ...addon.core.body.model.skeleton import JOINT
from ...addon.core.frames import WORLD_FROM_BODY_AXES
from ...addon.core.types import Float64
from ..demo import materials
from ..demo.body import make_shape, pose_vertices, rotation_matrix
from ..demo.build_demo_photo import film, photograph
from ..demo.camera import add_pinhole_camera, develop
from ..demo.ground_truth import write_png
from ..demo.person import DressedPerson, Looks, build_posed
from ..demo.place import box
from ..mask_scenes.places import PLACES
from .cases import FitCase, fit_cases, occlusion_cases

SAMPLES = 8  # rays a pixel
PER_CENT = 70  # of the case's own resolution: networks look at 256 pixels, time goes with area
GRAIN = 0.008  # standard deviation of the sensor's noise, of full scale
GROUNDS = ("studio", "meadow", "beach", "stairs", "wallpaper_room")  # places with free ground
AIR = "meadow"  # whose floor is left out where the camera looks up from below it
SKINS = ((0.52, 0.285, 0.19), (0.60, 0.38, 0.29), (0.33, 0.17, 0.10), (0.20, 0.10, 0.06))
STOOL_M = (0.34, 0.34)  # width and depth of what sitting bodies sit on


def render_case(path: Path, case: FitCase, seed: int) -> None:
    """Render one case into a PNG."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rng = draws(case, seed)
    root = bpy.context.scene.collection
    shape = make_shape(case.betas, {})
    person = build_posed(root, looks_of(case, rng), shape, case.pose, seed)
    _turn_eyes(person)
    scale = case.height_m / rest_height(shape.model, case.betas)
    if case.family == "sitting":
        _stool(root, person)
    matrix = _world_from_camera(case, scale, person.ground)
    place = bpy.data.collections.new("Place")
    root.children.link(place)
    below_ground = matrix[2, 3] < 0.2
    PLACES[AIR if below_ground else rng.choice(GROUNDS)](place, rng)
    if below_ground:
        for thing in [t for t in place.objects if t.name.startswith("Floor")]:
            bpy.data.objects.remove(thing)
    add_pinhole_camera(case.camera, matrix)
    bpy.context.scene.render.resolution_percentage = PER_CENT
    develop(SAMPLES, seed)
    bpy.context.scene.view_settings.look = "AgX - Base Contrast"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part.png")
    pixels = photograph(draft)
    write_png(draft, pixels + film(pixels, rng.normal(0, GRAIN, pixels.shape)))
    draft.replace(path)


def draws(case: FitCase, seed: int) -> np.random.Generator:
    """The random numbers of a case's picture; looks are drawn first."""
    return np.random.default_rng([seed, *case.name.encode()])


def write_surface(path: Path, case: FitCase, seed: int) -> None:
    """Build the person of a case without rendering it, and write the surface to an NPZ."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rng = draws(case, seed)
    shape = make_shape(case.betas, {})
    root = bpy.context.scene.collection
    person = build_posed(root, looks_of(case, rng), shape, case.pose, seed)
    scale = case.height_m / rest_height(shape.model, case.betas)
    to_camera = np.linalg.inv(_world_from_camera(case, scale, person.ground))[:3]
    evaluated = bpy.context.evaluated_depsgraph_get()
    vertices, triangles, count = [], [], 0
    for thing in person.objects:
        if thing.type != "MESH" or thing.name.startswith("Eye"):
            continue
        mesh = thing.evaluated_get(evaluated).to_mesh()
        mesh.calc_loop_triangles()
        points = np.empty((len(mesh.vertices), 3), np.float32)
        mesh.vertices.foreach_get("co", points.ravel())
        corners = np.empty((len(mesh.loop_triangles), 3), np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners.ravel())
        place = np.array(thing.matrix_world)
        world = points @ place[:3, :3].T + place[:3, 3]
        vertices.append((world @ to_camera[:, :3].T + to_camera[:, 3]) * scale)
        triangles.append(corners + count)
        count += len(points)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part.npz")
    np.savez_compressed(
        draft, vertices=np.vstack(vertices).astype(np.float32),
        triangles=np.vstack(triangles).astype(np.int32),
    )  # fmt: skip
    draft.replace(path)


def looks_of(case: FitCase, rng: np.random.Generator) -> Looks:
    """What the case's person looks like: skin, hair, colours and cut of the clothes."""
    colours = rng.uniform(0.02, 0.5, (3, 3))
    return Looks(
        betas=tuple(case.betas),
        clothes="skinned" if case.dressed else "swimwear",
        skin=SKINS[rng.integers(len(SKINS))],
        hair=str(rng.choice(["short", "short", "none"])),
        melanin=float(rng.uniform(0.3, 1.0)),
        shirt=tuple(colours[0]), stripe=tuple(colours[1]),
        jeans=(tuple(colours[2] * 0.5), tuple(colours[2])),
        sleeves=float(rng.choice([0.62, 1.85])),
        legs=float(rng.choice([0.4, 1.0])),
    )  # fmt: skip


def _turn_eyes(person: DressedPerson) -> None:
    """Eyes look where the head does."""
    head = np.eye(3)
    for joint in ("pelvis", "spine1", "spine2", "spine3", "neck", "head"):
        head = head @ rotation_matrix(person.pose[JOINT[joint]])
    ahead = WORLD_FROM_BODY_AXES @ head[:, 2]
    for thing in person.objects:
        if thing.name.startswith("Eye"):
            thing.rotation_euler[2] = float(np.arctan2(ahead[0], -ahead[1]))


def _stool(collection: bpy.types.Collection, person: DressedPerson) -> None:
    """A box under the seat."""
    posed, _ = pose_vertices(person.shape, person.pose)
    weights = person.shape.model.weights
    seat = weights[:, [0, JOINT["left_hip"], JOINT["right_hip"]]].sum(1) > 0.9
    near = seat & (np.linalg.norm(posed[:, [0, 2]] - posed[seat].mean(0)[[0, 2]], axis=1) < 0.2)
    height = float(posed[near, 1].min() - person.ground) - 0.01
    stool = box(collection, "Stool", (*STOOL_M, height), materials.plain("Stool", (0.2, 0.2, 0.2)))
    pelvis = person.joints[0]
    stool.location = (pelvis[0], pelvis[1], height / 2)


def _world_from_camera(case: FitCase, scale: float, ground: float) -> Float64:
    """(4, 4) from the camera's frame, in the body's own size: `scale` metres are one unit."""
    turn, shift = case.camera_from_body[:3, :3], case.camera_from_body[:3, 3]
    origin = -turn.T @ shift / scale - [0.0, ground, 0.0]
    matrix = np.eye(4)
    matrix[:3, :3] = WORLD_FROM_BODY_AXES @ turn.T
    matrix[:3, 3] = WORLD_FROM_BODY_AXES @ origin
    return matrix


def main() -> None:
    from ...addon.core.body.model.body_files import cached_body_model
    from ...addon.core.inference.model_files import model_path

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases to render (all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/fit_cases"))
    parser.add_argument("--surfaces-only", action="store_true", help="render no pictures")
    options = parser.parse_args()
    model = cached_body_model(model_path("body.npz"))
    for case in [*fit_cases(model, options.seed), *occlusion_cases(model, options.seed)]:
        if options.names and case.name not in options.names:
            continue
        picture = options.out / f"seed_{options.seed}" / f"{case.name}.png"
        for path, make in (
            (picture.with_suffix(".npz"), write_surface),
            (picture, None if options.surfaces_only else render_case),
        ):
            if path.is_file() or make is None:
                continue
            begun = time.perf_counter()
            make(path, case, options.seed)
            print(f"{path.name}: {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
