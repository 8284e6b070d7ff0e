"""Pixels to packed Blender images and rendered files back to pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import numpy.typing as npt
from PIL import Image

from ...core.types import Detection, Mask, Photo, UInt8
from ..id_properties import PAINTED

# (H, W) bool, or uint8: (H, W) grey, (H, W, 3) or (H, W, 4) sRGB; first row on top
Pixels = npt.NDArray[np.generic]

THUMBNAIL_PX = 96  # side of a person's picture in the list
_PNG_COMPRESSION = 1  # of 9: packing is waited for, and a .blend can be compressed as a whole


@dataclass(frozen=True)
class EncodedImage:
    """A picture as the file that an image datablock packs."""

    png: bytes
    width: int
    height: int
    has_alpha: bool


def encoded(pixels: Pixels, palette: UInt8 | None = None) -> EncodedImage:
    """The pixels as an encoded image; touches nothing of Blender's, so it may run beside it.

    palette : (N, 3) uint8 sRGB, the colours that `pixels` (H, W) are indices of
    """
    height, width = pixels.shape[:2]
    has_alpha = pixels.ndim == 3 and pixels.shape[2] > 3
    return EncodedImage(as_png(pixels, palette), width, height, has_alpha)


def as_png(pixels: Pixels, palette: UInt8 | None = None) -> bytes:
    """The pixels as a PNG file."""
    values = pixels.astype(np.uint8) * 255 if pixels.dtype == bool else pixels
    picture = Image.fromarray(np.ascontiguousarray(values))
    if palette is not None:
        picture.putpalette(palette.tobytes())
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=_PNG_COMPRESSION)
    return file.getvalue()


def new_image(name: str, picture: EncodedImage) -> bpy.types.Image:
    """A packed image datablock."""
    image = bpy.data.images.new(name, picture.width, picture.height, alpha=picture.has_alpha)
    image.pack(data=picture.png, data_len=len(picture.png))
    # A generated image would be made again in black when the file is opened again.
    image.source = "FILE"
    return image


def new_thumbnail(name: str, photo: Photo, person: Detection) -> bpy.types.Image:
    """A small packed image of a person's box, which is its own preview in lists."""
    x0, y0, x1, y1 = person.box.round().astype(int)
    part = Image.fromarray(np.ascontiguousarray(photo.rgb[y0 : y1 + 1, x0 : x1 + 1]))
    part.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    square = Image.new("RGBA", (THUMBNAIL_PX, THUMBNAIL_PX))
    square.paste(part, ((THUMBNAIL_PX - part.width) // 2, (THUMBNAIL_PX - part.height) // 2))
    pixels = np.asarray(square)
    image = new_image(name, encoded(pixels))
    preview = image.preview_ensure()
    preview.image_size = (THUMBNAIL_PX, THUMBNAIL_PX)
    preview.image_pixels_float.foreach_set(np.flipud(pixels).astype(np.float32).ravel() / 255)
    preview.icon_size = (THUMBNAIL_PX, THUMBNAIL_PX)
    preview.icon_pixels_float.foreach_set(np.flipud(pixels).astype(np.float32).ravel() / 255)
    return image


def keep_paint(image: bpy.types.Image) -> None:
    """Pack what was painted on an image: Blender does not save it otherwise."""
    if image.is_dirty:
        image.pack()
        image[PAINTED] = True


def is_painted(image: bpy.types.Image) -> bool:
    """Whether an image was painted on since it was made here."""
    return image.is_dirty or PAINTED in image


def read_mask(image: bpy.types.Image) -> Mask:
    """(H, W) bool, first row on top: where a mask image, perhaps painted by the user, is light."""
    width, height = image.size
    values = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(values)
    return np.flipud(values.reshape(height, width, image.channels)[..., 0] >= 0.5)


def read_colours(image: bpy.types.Image) -> UInt8:
    """(H, W, 3) sRGB, first row on top, of an image with eight bits a channel."""
    width, height = image.size
    values = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(values)
    colours = np.flipud(values.reshape(height, width, image.channels)[..., :3])
    return np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)


def read_file(path: Path) -> UInt8:
    """(H, W, 4) uint8 of a picture file that was rendered."""
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGBA"))
