"""Brickwork and paving painted once into tiling images: a look-up is far cheaper for the renderer
than octaves of noise at every hit."""

from __future__ import annotations

import bpy
import numpy as np
import numpy.typing as npt

from .materials import Colour, Graph

Array = npt.NDArray[np.float64]

SIDE_PX = 2048  # of the tile; finer than the picture's pixels on the wall


def clouds(side: int, slope: float, rng: np.random.Generator) -> Array:
    """(side, side) tiling noise of spectrum 1 / f^slope, mean 0, standard deviation 1."""
    f = np.fft.fftfreq(side)[:, None] ** 2 + np.fft.rfftfreq(side)[None, :] ** 2
    f[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.normal(size=(side, side))) / f ** (slope / 2)
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, (side, side))
    return field / field.std()


def paint(
    tile_m: float,
    size: tuple[float, float, float],
    colours: tuple[Colour, Colour, Colour],
    grime: float,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Linear colours (S, S, 3) and heights (S, S), 0 in the joints to 1, of stones in running bond.

    tile_m : side of the tile, metres, a multiple of the stone's width and of twice its height;
    size : width, height and joint, metres; colours : two for the stones, one for the joints
    """
    width, height, joint = size
    place = (np.arange(SIDE_PX) + 0.5) * tile_m / SIDE_PX
    # Hands lay stones: edges wander and the joints' width with them.
    u = place[None, :] + clouds(SIDE_PX, 2.6, rng) * joint * 0.12
    v = place[:, None] + clouds(SIDE_PX, 2.6, rng) * joint * 0.12
    rows, columns = round(tile_m / height), round(tile_m / width)
    row = np.floor(v / height).astype(int) % rows
    along = u / width + 0.5 * (row % 2)
    column = np.floor(along).astype(int) % columns
    edge = np.minimum(
        np.minimum(along % 1, 1 - along % 1) * width,
        np.minimum(v / height % 1, 1 - v / height % 1) * height,
    )
    stone = np.clip((edge - joint * 0.4) / (joint * 0.45), 0, 1)
    stone = stone * stone * (3 - 2 * stone)
    shade = rng.beta(1.6, 1.6, (rows, columns))[row, column][..., None]
    light = rng.normal(1.0, 0.08, (rows, columns))[row, column][..., None]
    colour = (np.array(colours[0]) * shade + np.array(colours[1]) * (1 - shade)) * light
    fine = clouds(SIDE_PX, 1.1, rng)
    speckle = clouds(SIDE_PX, 0.5, rng)
    colour = colour * np.exp(0.11 * fine + 0.06 * speckle)[..., None]
    mortar = np.array(colours[2]) * np.exp(0.10 * fine)[..., None]
    colour = mortar + (colour - mortar) * stone[..., None]
    stains = np.clip(clouds(SIDE_PX, 2.2, rng) * 0.35 + 0.35, 0, 1)
    colour = colour * (1 - grime * 0.6 * stains)[..., None]
    lean = rng.uniform(0.82, 1.0, (rows, columns))[row, column]
    relief = stone * lean + 0.045 * fine * (0.4 + 0.6 * stone)
    return np.clip(colour, 0, 1), relief


def material(
    name: str,
    tile_m: float,
    size: tuple[float, float, float],
    colours: tuple[Colour, Colour, Colour],
    relief_m: float,
    grime: float,
    rng: np.random.Generator,
) -> bpy.types.Material:
    """Masonry on an object's x and y, metres; `relief_m` is the joints' depth."""
    colour, height = paint(tile_m, size, colours, grime, rng)
    srgb = np.where(colour <= 0.0031308, colour * 12.92, 1.055 * colour ** (1 / 2.4) - 0.055)
    graph = Graph(name)
    place = graph.node(
        "ShaderNodeMapping",
        {"Vector": graph.coordinates(), "Scale": (1 / tile_m, 1 / tile_m, 1.0)},
    ).outputs[0]
    painted = graph.node("ShaderNodeTexImage", {0: place}, image=_image(name, srgb, "sRGB"))
    deep = _image(f"{name} Height", np.repeat(height[..., None], 3, 2), "Non-Color")
    raised = graph.node("ShaderNodeTexImage", {0: place}, image=deep)
    normal = graph.bump(raised.outputs["Color"], 0.9, relief_m)
    return graph.principled(Base_Color=painted.outputs["Color"], Roughness=0.88, Normal=normal)


def _image(name: str, values: Array, colours: str) -> bpy.types.Image:
    """An image of (S, S, 3); the first row lies at the bottom."""
    image = bpy.data.images.new(name, SIDE_PX, SIDE_PX, float_buffer=colours != "sRGB")
    image.colorspace_settings.name = colours
    pixels = np.ones((SIDE_PX, SIDE_PX, 4), np.float32)
    pixels[..., :3] = values
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image
