"""The label map as an image to paint, and what the user has painted into it."""

from __future__ import annotations

import base64
import io

import bpy
import numpy as np
from PIL import Image

from ...core.character.layers.part_segmentation import from_colours
from ...core.types import UInt8
from ..id_properties import FOUND_LABELS
from .images import EncodedImage, new_image, read_colours


def new_label_image(name: str, labels: EncodedImage, found: EncodedImage) -> bpy.types.Image:
    """A packed image of a character's labels in `part_segmentation.PALETTE`'s colours, which
    remembers what was `found` (grey levels)."""
    image = new_image(name, labels)
    image[FOUND_LABELS] = base64.b64encode(found.png).decode("ascii")
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
