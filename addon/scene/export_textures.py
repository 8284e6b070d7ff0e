"""What a character wears in a file: its materials, with pictures of sides that files may have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..core.images import with_power_of_two_sides
from .images import new_image, read_colours

PHOTO_SLOT, LIT_SLOT = 0, 1  # of a character's materials


@contextmanager
def wearing(character: bpy.types.Object, slot: int) -> Iterator[None]:
    """Within, the whole character wears its material of that number."""
    count = len(character.data.polygons)
    before = np.zeros(count, np.int32)
    character.data.polygons.foreach_get("material_index", before)
    character.data.polygons.foreach_set("material_index", np.full(count, slot, np.int32))
    try:
        yield
    finally:
        character.data.polygons.foreach_set("material_index", before)


@contextmanager
def power_of_two_textures(objects: Iterable[bpy.types.Object], largest: int) -> Iterator[None]:
    """Within, all pictures on these objects have sides that are powers of two up to `largest`."""
    nodes = [
        node
        for item in objects
        for slot in item.material_slots
        if slot.material is not None and slot.material.node_tree is not None
        for node in slot.material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image is not None
    ]
    before = [(node, node.image) for node in nodes]
    made: dict[str, bpy.types.Image] = {}
    try:
        for node, image in before:
            if image.name not in made and _fits(image, largest):
                continue
            if image.name not in made:
                made[image.name] = _stretched(image, largest)
            node.image = made[image.name]
        yield
    finally:
        for node, image in before:
            node.image = image
        for image in made.values():
            bpy.data.images.remove(image)


def _fits(image: bpy.types.Image, largest: int) -> bool:
    return all(0 < side <= largest and side & (side - 1) == 0 for side in image.size)


def _stretched(image: bpy.types.Image, largest: int) -> bpy.types.Image:
    made = new_image(image.name, with_power_of_two_sides(read_colours(image), largest))
    made.colorspace_settings.name = image.colorspace_settings.name
    return made
