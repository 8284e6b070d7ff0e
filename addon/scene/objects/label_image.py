"""The label map as an image to paint, and what the user has painted into it."""

from __future__ import annotations

import base64
import io

import bpy
import numpy as np
from PIL import Image

from ...core.character.character_result import CharacterBuild
from ...core.character.layers.part_segmentation import PALETTE, from_colours
from ...core.types import UInt8
from ..id_properties import FOUND_LABELS
from .images import as_png, new_image, read_colours


def new_label_image(name: str, build: CharacterBuild) -> bpy.types.Image:
    """A packed image of a character's labels in `part_segmentation.PALETTE`'s colours."""
    image = new_image(name, build.labels, PALETTE)
    image[FOUND_LABELS] = base64.b64encode(as_png(build.found_labels)).decode("ascii")
    return image


def read_painted(image: bpy.types.Image) -> UInt8 | None:
    """(H, W) body parts where the image differs from what was found, 0 elsewhere and where it was
    painted black: who is the person and who not is said by the mask. None if the image is no
    label image or was scaled."""
    if FOUND_LABELS not in image:
        return None
    with Image.open(io.BytesIO(base64.b64decode(image[FOUND_LABELS]))) as opened:
        found = np.asarray(opened)
    if tuple(image.size) != found.shape[::-1]:
        return None
    labels = from_colours(read_colours(image))
    return np.where(labels != found, labels, 0).astype(np.uint8)
