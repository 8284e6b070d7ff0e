"""What a character wears in a file: its materials, with pictures of sides that files may have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np

from ...core.errors import WakeUpError
from ...core.photo.image_files import save_picture, with_power_of_two_sides
from ..objects.images import encoded, new_image, read_colours
from ..objects.material import new_glowing_material

PHOTO_SLOT, LIT_SLOT = 0, 1  # of a character's materials
LARGEST_TEXTURE_PX = 8192  # what graphics cards take; the pipeline makes no larger ones


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
def glowing(character: bpy.types.Object) -> Iterator[None]:
    """Within, the character wears one material that shines in the photo's colours, instead of the
    arrangement of nodes that only Blender and glTF know."""
    slot = character.material_slots[PHOTO_SLOT]
    before = slot.material
    made = new_glowing_material(before.name, photo_texture(character))
    try:
        slot.material = made
        with wearing(character, PHOTO_SLOT):
            yield
    finally:
        slot.material = before
        bpy.data.materials.remove(made)


@contextmanager
def wearing_only(character: bpy.types.Object, slot: int) -> Iterator[None]:
    """`wearing` for exporters that write all of an object's materials: within, it has one."""
    slots = character.material_slots
    other = PHOTO_SLOT if slot == LIT_SLOT else LIT_SLOT
    before = slots[other].material
    try:
        slots[other].material = slots[slot].material
        with wearing(character, slot):
            yield
    finally:
        slots[other].material = before


def photo_texture(character: bpy.types.Object) -> bpy.types.Image:
    """The picture on the material of the photo's colours; WakeUpError where it has none."""
    material = character.material_slots[PHOTO_SLOT].material
    for node in material.node_tree.nodes if material and material.node_tree else ():
        if node.type == "TEX_IMAGE" and node.image is not None:
            return node.image
    raise WakeUpError(f"{character.name} has lost its texture: press Build Character again.")


@contextmanager
def power_of_two_textures(
    objects: Iterable[bpy.types.Object], largest: int, folder: Path | None = None
) -> Iterator[None]:
    """Within, all pictures on these objects have sides that are powers of two up to `largest`.

    folder : where all of them are files within, for exporters that know pictures by their files
    """
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
            if image.name not in made and folder is not None:
                made[image.name] = _in_file(image, largest, folder / f"texture_{len(made) + 1}")
            elif image.name not in made and not _fits(image, largest):
                made[image.name] = _stretched(image, largest)
            node.image = made.get(image.name, image)
        yield
    finally:
        for node, image in before:
            node.image = image
        for image in made.values():
            bpy.data.images.remove(image)


def _fits(image: bpy.types.Image, largest: int) -> bool:
    return all(0 < side <= largest and side & (side - 1) == 0 for side in image.size)


def _stretched(image: bpy.types.Image, largest: int) -> bpy.types.Image:
    made = new_image(image.name, encoded(with_power_of_two_sides(read_colours(image), largest)))
    made.colorspace_settings.name = image.colorspace_settings.name
    return made


def _in_file(image: bpy.types.Image, largest: int, stem: Path) -> bpy.types.Image:
    """Colours as JPEG, which is a tenth of a PNG's size; values such as normals as PNG."""
    values = with_power_of_two_sides(read_colours(image), largest)
    space = image.colorspace_settings.name
    path = stem.with_suffix(".png" if space == "Non-Color" else ".jpg")
    save_picture(path, values)
    made = bpy.data.images.load(str(path))
    made.colorspace_settings.name = space
    return made
