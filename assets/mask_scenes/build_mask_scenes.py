"""Render people whose exact masks are known, to measure masks and mattes against.

    python -m photo_wake_up.assets.mask_scenes.build_mask_scenes [--out DIR] [NAME ...]

For each scene a folder with photo.png (8 bit), and for each person, counted from the left,
matte_1.png (16 bit: the share of each pixel that is seen of the person) and joints_1.json; and
background.png (8 bit), the same place without people, for measuring what is filled in behind them:
other grain, and without the people's shadows. What is there is not rendered again.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy
import numpy as np
from PIL import Image

from ...addon.core.frames import project, transform
from ..demo.body import Stance
from ..demo.build_demo_photo import film, photograph
from ..demo.camera import View, add_camera, develop
from ..demo.ground_truth import render_pixels, write_png
from ..demo.person import DressedPerson, Looks, build_person
from .places import PLACES

PHOTO_SAMPLES, MATTE_SAMPLES = 10, 24  # rays a pixel
GRAIN = 0.008  # standard deviation of the sensor's noise, of full scale
SIZE_PX = 1008  # longer side


@dataclass(frozen=True)
class Standing:
    """A person, and where: metres to the right and behind the origin, radians to its left."""

    looks: Looks
    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0


@dataclass(frozen=True)
class Scene:
    """One picture. People from left to right."""

    place: str
    people: tuple[Standing, ...]
    view: View = field(
        default_factory=lambda: View(width=756, height=SIZE_PX, distance=3.0, eye_height=1.0)
    )
    seed: int = 1


def _looks(**changes: object) -> Looks:
    return replace(Looks(), **changes)


_APART = Stance(arms_down=(0.95, 0.9), elbows=(0.15, 0.2), feet=((0.16, 0, 0.3), (-0.16, 0, -0.3)))
_RAISED = replace(_APART, arms_down=(-0.75, 1.1), elbows=(0.3, 0.3), head_tilt=0.08)
_BOTH_UP = replace(_APART, arms_down=(-0.6, -0.7), elbows=(0.5, 0.4))
_CLOSE = Stance(arms_down=(1.3, 1.28), arms_ahead=(0.05, 0.1), elbows=(0.2, 0.25))
_STEP = Stance(
    feet=((0.1, 0.3, 0.05), (-0.1, -0.28, -0.1)), arms_down=(1.15, 1.15),
    arms_ahead=(-0.45, 0.5), elbows=(0.4, 0.6), drop=0.05,
)  # fmt: skip
_LUNGE = Stance(
    feet=((0.36, 0.1, 0.9), (-0.42, -0.05, -0.3)), arms_down=(0.05, 0.1), elbows=(0.05, 0.08),
    drop=0.16, head_turn=0.5,
)  # fmt: skip
# Hands on the hips: the upper arms turn the bent forearms inwards.
_AKIMBO = Stance(
    feet=((0.17, 0, 0.3), (-0.17, 0, -0.3)),
    joints={
        "left_shoulder": (0.75, -0.35, -0.75), "right_shoulder": (0.75, 0.35, 0.75),
        "left_elbow": (0.0, -1.75, 0.0), "right_elbow": (0.0, 1.75, 0.0),
    },
)  # fmt: skip

_DARK = (0.20, 0.10, 0.06)
_BROWN = (0.33, 0.17, 0.10)
_FAIR = (0.60, 0.38, 0.29)

SCENES: dict[str, Scene] = {
    "studio_white_shirt": Scene(
        "studio",
        (Standing(_looks(stance=_APART, shirt=(0.6, 0.6, 0.58), stripe=(0.5, 0.5, 0.5),
                         jeans=((0.05, 0.05, 0.05), (0.1, 0.1, 0.1)))),),
    ),
    "wallpaper_red_skirt": Scene(
        "wallpaper_room",
        (Standing(_looks(betas=(-0.8, 1.6, -0.4), stance=_CLOSE, hair="long", melanin=0.55,
                         skin=_FAIR, skirt_m=0.62, shirt=(0.32, 0.03, 0.05),
                         stripe=(0.32, 0.03, 0.05), jeans=((0.04, 0.03, 0.06),) * 2)),),
    ),
    "meadow_arm_raised": Scene(
        "meadow",
        (Standing(_looks(betas=(0.2, 0.8, 1.0), stance=_RAISED, skin=_DARK, melanin=1.0,
                         shirt=(0.45, 0.30, 0.03), stripe=(0.45, 0.30, 0.03), legs=0.42,
                         jeans=((0.1, 0.09, 0.06), (0.2, 0.18, 0.14)))),),
    ),
    "beach_lunge": Scene(
        "beach",
        (Standing(_looks(betas=(1.4, -1.0, -0.6), stance=_LUNGE, skin=_BROWN, legs=0.45,
                         shirt=(0.03, 0.06, 0.2), stripe=(0.03, 0.06, 0.2))),),
        View(width=SIZE_PX, height=756, distance=3.4, eye_height=0.9),
    ),
    "night_dark_jumper": Scene(
        "night_street",
        (Standing(_looks(betas=(0.9, -1.8, 0.6), stance=_CLOSE, sleeves=1.85,
                         shirt_looseness_m=0.03, shirt=(0.03, 0.03, 0.035),
                         stripe=(0.03, 0.03, 0.035), jeans=((0.02, 0.02, 0.02),) * 2)),),
        View(width=756, height=SIZE_PX, distance=3.0, eye_height=1.0, aperture=2.0),
    ),
    "stairs_akimbo": Scene(
        "stairs",
        (Standing(_looks(betas=(-1.2, 1.2, 0.8), stance=_AKIMBO, hair="long", melanin=0.95,
                         skin=_BROWN, shirt=(0.28, 0.28, 0.27), stripe=(0.6, 0.1, 0.1))),),
    ),
    "forest_step": Scene(
        "forest",
        (Standing(_looks(betas=(0.5, -0.6, -1.0), stance=_STEP, sleeves=1.8,
                         shirt=(0.06, 0.09, 0.03), stripe=(0.06, 0.09, 0.03),
                         jeans=((0.06, 0.045, 0.03), (0.12, 0.09, 0.06))), yaw=0.3),),
    ),
    "office_backlit": Scene(
        "office",
        (Standing(_looks(betas=(-0.3, -1.2, 1.4), stance=_CLOSE, hair="none", skin=_FAIR,
                         sleeves=1.85, shirt=(0.25, 0.35, 0.55), stripe=(0.25, 0.35, 0.55))),),
    ),
    "shop_street_from_behind": Scene(
        "shop_street",
        (Standing(_looks(betas=(0.1, 1.4, 0.2), stance=_STEP, hair="long", melanin=0.35,
                         shirt=(0.5, 0.33, 0.2), stripe=(0.1, 0.1, 0.1)), yaw=2.9),),
        View(width=756, height=SIZE_PX, distance=3.2, eye_height=1.2),
    ),
    "courtyard_side_view": Scene(
        "courtyard",
        (Standing(_looks(betas=(0.8, -1.4, -1.2), stance=_STEP, skin=_DARK, melanin=1.0,
                         shirt=(0.33, 0.11, 0.07), stripe=(0.8, 0.8, 0.75)), yaw=1.35),),
    ),
    "studio_both_up": Scene(
        "studio",
        (Standing(_looks(betas=(-0.5, 2.0, -0.8), stance=_BOTH_UP, hair="long", melanin=0.7,
                         skirt_m=0.8, shirt=(0.02, 0.12, 0.09), stripe=(0.02, 0.12, 0.09),
                         jeans=((0.02, 0.1, 0.08),) * 2)),),
        View(width=756, height=SIZE_PX, distance=3.3, eye_height=1.1),
    ),
    "meadow_akimbo_shorts": Scene(
        "meadow",
        (Standing(_looks(betas=(1.6, -0.4, 1.2), stance=_AKIMBO, legs=0.4,
                         shirt=(0.10, 0.22, 0.05), stripe=(0.7, 0.7, 0.65))),),
        seed=4,
    ),
    "beach_pair": Scene(
        "beach",
        (
            Standing(_looks(stance=_CLOSE, shirt=(0.5, 0.1, 0.08), stripe=(0.5, 0.1, 0.08)),
                     x=-0.36, y=0.25, yaw=0.15),
            Standing(_looks(betas=(-0.6, 1.8, 0.0), stance=_APART, hair="long", melanin=0.45,
                            skin=_FAIR, skirt_m=0.6, shirt=(0.05, 0.2, 0.35),
                            stripe=(0.05, 0.2, 0.35)), x=0.28, yaw=-0.15),
        ),
        View(width=900, height=SIZE_PX, distance=3.3, eye_height=1.0),
    ),
    "shop_street_pair": Scene(
        "shop_street",
        (
            Standing(_looks(betas=(-0.2, -1.6, 0.9), stance=_STEP, sleeves=1.85,
                            shirt=(0.03, 0.03, 0.04), stripe=(0.03, 0.03, 0.04)), x=-0.55),
            Standing(_looks(betas=(0.7, 1.0, -0.4), stance=_RAISED, hair="long", skin=_DARK,
                            melanin=1.0, shirt=(0.6, 0.5, 0.1), stripe=(0.6, 0.5, 0.1)),
                     x=0.5, y=0.1),
        ),
        View(width=SIZE_PX, height=SIZE_PX, distance=3.4, eye_height=1.1),
    ),
}  # fmt: skip


def build_scene(folder: Path, scene: Scene) -> None:
    """Render one scene and its answers into `folder`."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    root = bpy.context.scene.collection
    place = bpy.data.collections.new("Place")
    root.children.link(place)
    people: list[tuple[bpy.types.Collection, DressedPerson, Standing]] = []
    for number, standing in enumerate(scene.people, start=1):
        collection = bpy.data.collections.new(f"Person {number}")
        root.children.link(collection)
        person = build_person(collection, standing.looks, scene.seed + number)
        _move(person, standing)
        people.append((collection, person, standing))
    PLACES[scene.place](place, np.random.default_rng(scene.seed))
    _set_camera(scene)
    folder.mkdir(parents=True, exist_ok=True)
    pixels = photograph(folder / "photo.png")
    grain = np.random.default_rng(scene.seed).normal(0, GRAIN, pixels.shape)
    for number, (collection, person, standing) in enumerate(people, start=1):
        matte = _matte(folder, collection)
        levels = np.round(matte * 65535).astype(np.uint16)
        Image.fromarray(levels).save(folder / f"matte_{number}.png")
        joints = project(scene.view.camera(), _in_camera(person, standing, scene.view))
        told = {"joints_px": np.round(joints, 2).tolist()}
        (folder / f"joints_{number}.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
    # Last: a scene whose photo is there is complete.
    write_png(folder / "photo.png", pixels + film(pixels, grain))


def build_background(folder: Path, scene: Scene) -> None:
    """Render the scene's place with nobody in it into `folder`.

    People bring no lights, and the place has a random generator of its own, so all else is the
    photo's; the grain has another seed, as a second picture's would.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    place = bpy.data.collections.new("Place")
    bpy.context.scene.collection.children.link(place)
    PLACES[scene.place](place, np.random.default_rng(scene.seed))
    _set_camera(scene)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "unfinished.png"
    pixels = photograph(unfinished)
    grain = np.random.default_rng([scene.seed, 1]).normal(0, GRAIN, pixels.shape)
    write_png(unfinished, pixels + film(pixels, grain))
    unfinished.replace(folder / "background.png")


def _set_camera(scene: Scene) -> None:
    add_camera(scene.view)
    develop(PHOTO_SAMPLES, scene.seed)
    bpy.context.scene.view_settings.look = "AgX - Base Contrast"


def _move(person: DressedPerson, standing: Standing) -> None:
    """Stand the person where it belongs, turned about its own upright."""
    pivot = bpy.data.objects.new("Pivot", None)
    bpy.context.scene.collection.objects.link(pivot)
    for thing in person.objects:
        thing.parent = pivot
    pivot.location, pivot.rotation_euler = (standing.x, standing.y, 0), (0, 0, standing.yaw)


def _in_camera(person: DressedPerson, standing: Standing, view: View) -> np.ndarray:
    """(24, 3) the joints in the camera's frame."""
    cosine, sine = np.cos(standing.yaw), np.sin(standing.yaw)
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    world = person.joints @ turn.T + [standing.x, standing.y, 0]
    return transform(np.linalg.inv(view.world_from_camera()), world)


def _matte(folder: Path, collection: bpy.types.Collection) -> np.ndarray:
    """(H, W) 0..1: what is seen of one person, everything else cut out."""
    scene = bpy.context.scene
    layer = scene.view_layers[0]
    children = layer.layer_collection.children
    white = bpy.data.materials.new("White")
    for child in children:
        child.holdout = child.collection != collection
    layer.material_override = white
    cycles = scene.cycles
    before = (cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling,
              cycles.max_bounces)  # fmt: skip
    cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling = MATTE_SAMPLES, False, False
    cycles.max_bounces = 0
    scene.render.film_transparent = True
    try:
        return np.clip(render_pixels(folder / "pass.exr")[..., 3], 0, 1)
    finally:
        scene.render.film_transparent = False
        layer.material_override = None
        for child in children:
            child.holdout = False
        (cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling,
         cycles.max_bounces) = before  # fmt: skip
        bpy.data.materials.remove(white)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenes to render (all)")
    parser.add_argument("--out", type=Path, default=Path("build/mask_scenes"))
    options = parser.parse_args()
    for name in options.names or SCENES:
        folder = options.out / name
        begun = time.perf_counter()
        photographed = (folder / "photo.png").is_file() and (folder / "joints_1.json").is_file()
        if not photographed:
            build_scene(folder, SCENES[name])
        if not (folder / "background.png").is_file():
            build_background(folder, SCENES[name])
        elif photographed:
            continue
        print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
