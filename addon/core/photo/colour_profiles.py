"""Colours to sRGB, by the ICC profile that a picture carries."""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

# What sRGB itself comes to lies within this many levels of 255 of it: profiles differ by rounding.
_SAME_LEVELS = 2
# A profile under which white is darker, or black lighter, than this is damaged: no paper and no
# screen is like that.
_LEAST_WHITE, _GREATEST_BLACK = 128, 96

_SPACE_OF = {"RGB": "RGB", "L": "GRAY", "I;16": "GRAY", "CMYK": "CMYK"}  # of Pillow's modes
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
# Otherwise the deepest black of a printer stays grey on the screen.
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
# Little CMS's tables are too coarse for the shadows of linear greys, and no faster there.
_GREY_FLAGS = _FLAGS | ImageCms.Flags.NOOPTIMIZE

# Adobe RGB (1998): primaries and white of the specification, adapted to D50 (Bradford).
_ADOBE_RGB_COLUMNS = (
    (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457),
)  # fmt: skip
_ADOBE_RGB_GAMMA = 563 / 256


class ProfileError(Exception):
    """A profile that is damaged or is of another kind of picture."""


def in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture in sRGB, mode RGB; the same one where the profile is sRGB itself.

    Parameters
    ----------
    image : Image.Image
        Mode RGB, L, CMYK or I;16; a grey picture may have an RGB profile.
    profile : bytes
        An ICC profile's bytes.

    Returns
    -------
    Image.Image
        Mode RGB.

    Raises
    ------
    ProfileError
        If the profile is damaged or of another kind of picture.
    """
    try:
        return _converted(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        raise ProfileError(str(error)) from error


def _converted(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    space = source.profile.xcolor_space.strip()
    if space == "RGB" and image.mode in ("L", "I;16"):
        image = eight_bits(image).convert("RGB")
    if _SPACE_OF[image.mode] != space:
        raise ProfileError(f"a profile of {space}, a picture of {_SPACE_OF[image.mode]}")
    changed = _applied(source, _probe(image.mode))
    before = np.asarray(eight_bits(_probe(image.mode)).convert("RGB"), int)
    after = np.asarray(changed, int)
    black, white = after[0, 0], after[0, 1]  # where `_probe` has them
    if white.min() < _LEAST_WHITE or black.max() > _GREATEST_BLACK:
        raise ProfileError("white is not white, or black is not black")
    if image.mode != "CMYK" and np.abs(after - before).max() <= _SAME_LEVELS:
        return image
    return _applied(source, image)


def _applied(source: ImageCms.ImageCmsProfile, image: Image.Image) -> Image.Image:
    flags = _GREY_FLAGS if _SPACE_OF[image.mode] == "GRAY" else _FLAGS
    made = ImageCms.profileToProfile(
        image, source, _srgb(), renderingIntent=_INTENT, outputMode="RGB", flags=flags
    )
    assert made is not None  # it is where nothing is changed in place
    return made


def eight_bits(image: Image.Image) -> Image.Image:
    """A grey picture of 16 bits (mode I;16) as one of 8 (mode L); any other one as it is.

    Parameters
    ----------
    image : Image.Image
        Of any mode.

    Returns
    -------
    Image.Image
        Mode L if it was I;16.
    """
    if image.mode != "I;16":
        return image
    values = np.asarray(image, np.float32) / 257
    return Image.fromarray(np.rint(values).astype(np.uint8))


@lru_cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache
def _probe(mode: str) -> Image.Image:
    """A picture of black, white, and colours from all over the cube, one row."""
    if mode in ("L", "I;16"):
        greys = np.array([0, 255, *range(0, 256, 5)], np.uint8)[None]
        return Image.fromarray(greys.astype(np.uint16) * 257 if mode == "I;16" else greys)
    steps = np.arange(0, 256, 51)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    if mode == "CMYK":
        ends = [[255] * 4, [0] * 4]
        cube = np.concatenate([cube, np.zeros((len(cube), 1), int)], axis=1)
    else:
        ends = [[0] * 3, [255] * 3]
    return Image.fromarray(np.concatenate([ends, cube]).astype(np.uint8)[None], mode)


@lru_cache
def adobe_rgb() -> bytes:
    """An ICC profile of Adobe RGB (1998): ICC.1:2001-04, a matrix and a gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(_ADOBE_RGB_GAMMA * 256))
    tags = [(b"rTRC", curve), (b"gTRC", curve), (b"bTRC", curve)]
    white = (0.9642, 1.0, 0.8249)  # D50, which profiles refer to
    for name, xyz in zip(
        (b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), (*_ADOBE_RGB_COLUMNS, white), strict=True
    ):
        fixed = (round(value * 65536) for value in xyz)
        tags.append((name, b"XYZ " + bytes(4) + struct.pack(">3i", *fixed)))
    at, table, content = 132 + 12 * len(tags), b"", b""
    for name, data in tags:
        table += name + struct.pack(">II", at + len(content), len(data))
        content += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s28s3i", at + len(content), b"", 0x02100000, b"mntr", b"RGB ", b"XYZ ",
        bytes(12), b"acsp", bytes(28), *(round(value * 65536) for value in white),
    )  # fmt: skip
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content
