"""Files to pixels and back: orientation, colour modes, transparency, and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import OutputError, PhotoError
from .types import Photo, UInt8

SMALLEST_SIDE_PX = 64  # below this there is no telling a person's limbs apart
LARGEST_MEGAPIXELS = 200.0  # decoding more would take gigabytes
WORKING_MEGAPIXELS = 6.0  # a larger photo is reduced: no stage gains from more
FULL_FRAME_WIDTH_MM = 36.0  # EXIF's "35 mm equivalent" focal length refers to this
JPEG_QUALITY = 92  # of 100: no visible loss on a photo's texture

_EXIF_IFD = 0x8769
_FOCAL_35MM = 0xA405
_FOCAL = 0x920A
_PLANE_X_RESOLUTION = 0xA20E
_PLANE_UNIT = 0xA210
_MM_A_UNIT = {2: 25.4, 3: 10.0}  # inch, centimetre


def load_photo(path: Path | str) -> Photo:
    """Read a photo of any common kind: upright, sRGB, 8 bits.

    Raises PhotoError, with a sentence that says what to do, for anything that is not one.
    """
    path = Path(path)
    if not path.exists():
        raise PhotoError(f"There is no file {path}: choose a photo that exists.")
    if path.is_dir():
        raise PhotoError(f"{path} is a folder: choose a photo in it.")
    if path.stat().st_size == 0:
        raise PhotoError(f"{path.name} is empty (0 bytes): choose another photo.")
    try:
        with warnings.catch_warnings():
            # The size is checked below, before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                _check_size(path, opened.size)
                return _decoded(path, opened)
    except Image.DecompressionBombError as error:
        raise PhotoError(
            f"{path.name} is too large: save it with at most {LARGEST_MEGAPIXELS:.0f} megapixels."
        ) from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"{path.name} is not a picture that can be read: choose a JPEG, PNG, WebP or TIFF."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise PhotoError(
            f"{path.name} is damaged or incomplete: save or download it again ({error})."
        ) from error


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if min(size) < SMALLEST_SIDE_PX:
        raise PhotoError(
            f"{path.name} is only {width} x {height} pixels: "
            f"choose a photo of at least {SMALLEST_SIDE_PX} pixels a side."
        )
    if width * height > LARGEST_MEGAPIXELS * 1e6:
        raise PhotoError(
            f"{path.name} has {width * height / 1e6:.0f} megapixels: "
            f"save it with at most {LARGEST_MEGAPIXELS:.0f}."
        )


def _decoded(path: Path, opened: Image.Image) -> Photo:
    shrink = np.sqrt(WORKING_MEGAPIXELS * 1e6 / (opened.width * opened.height))
    if shrink < 1:
        # JPEG decodes at a half, a quarter or an eighth at once.
        opened.draft(opened.mode, (int(opened.width * shrink), int(opened.height * shrink)))
    focal_share = _focal_share_of_width(opened)
    sideways = opened.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    image = ImageOps.exif_transpose(_eight_bits(opened))
    shrink = np.sqrt(WORKING_MEGAPIXELS * 1e6 / (image.width * image.height))
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    image = image.convert("RGBA" if has_alpha else "RGB")
    if shrink < 1:
        size = (round(image.width * shrink), round(image.height * shrink))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    pixels = np.asarray(image)
    alpha = None
    if has_alpha and pixels[..., 3].min() < 255:
        alpha = np.ascontiguousarray(pixels[..., 3])
    focal = None
    if focal_share is not None:
        focal = focal_share * (image.height if sideways else image.width)
    return Photo(np.ascontiguousarray(pixels[..., :3]), alpha, focal, path.stem)


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit and floating-point greys scaled to 8 bits (Pillow would clip them)."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        exif = image.getexif()
        values = np.asarray(image, np.float64)
        top = 65535.0 if values.max() > 255 else 255.0
        grey = Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8))
        grey.getexif().update(exif)
        return grey
    return image


def _focal_share_of_width(image: Image.Image) -> float | None:
    """Focal length in widths of the stored picture, where EXIF tells it."""
    fields = image.getexif().get_ifd(_EXIF_IFD)
    try:
        equivalent = float(fields.get(_FOCAL_35MM) or 0)
        if equivalent > 0:
            # The equivalence is by the diagonal; for 3:2 sensors it is by the width.
            longer = max(image.size) / image.size[0]
            return equivalent / FULL_FRAME_WIDTH_MM * longer
        focal, resolution = float(fields[_FOCAL]), float(fields[_PLANE_X_RESOLUTION])
        unit = _MM_A_UNIT[int(fields.get(_PLANE_UNIT, 2))]
        share = focal * resolution / unit / image.size[0]
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    # Edited pictures keep the sensor's density at another size: then this is nonsense.
    return share if 0.3 < share < 20 else None


def save_png(path: Path | str, pixels: npt.NDArray[np.generic]) -> None:
    """Write (H, W), (H, W, 3) or (H, W, 4) uint8, or a bool mask as black and white."""
    values = pixels.astype(np.uint8) * 255 if pixels.dtype == bool else pixels
    try:
        Image.fromarray(values).save(path, compress_level=4)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def save_picture(path: Path, rgb: UInt8) -> None:
    """Write (H, W, 3) as what the file's name says, JPEG without visible loss."""
    try:
        Image.fromarray(rgb).save(path, quality=JPEG_QUALITY, subsampling=0)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def with_power_of_two_sides(rgb: UInt8, largest: int) -> UInt8:
    """A picture (H, W, C) stretched to sides that are powers of two, neither above `largest`.

    Sides grow, so that no detail is lost, unless that is too much: textures are addressed by
    shares of their sides, not by pixels. The same array where nothing is to be done.
    """
    height, width = rgb.shape[:2]
    wide, high = (min(1 << (side - 1).bit_length(), largest) for side in (width, height))
    if (wide, high) == (width, height):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((wide, high), Image.Resampling.LANCZOS))
