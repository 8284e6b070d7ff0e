"""Files to pixels and back: orientation, colours, transparency, and what is refused."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, UnidentifiedImageError

from ..errors import OutputError, PhotoError, printable
from ..types import Photo, UInt8
from ..user_paths import check_not_special
from . import colour_profiles, exif
from .grey_levels import DEEP_MODES, GREATEST, levels
from .transparency import before_backdrop, is_veiled

LEAST_OPACITY = 16  # of 255: what is nowhere more opaque shows nothing
SMALLEST_SIDE_PX = 64  # below this there is no telling a person's limbs apart
LARGEST_MEGAPIXELS = 200.0  # decoding more would take gigabytes
WORKING_MEGAPIXELS = 6.0  # a larger photo is reduced: no stage gains from more
JPEG_QUALITY = 92  # of 100: no visible loss on a photo's texture

# Brands that HEIC and AVIF files begin with, after "ftyp" at the fifth byte.
_HEIC_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def load_photo(path: Path | str) -> Photo:
    """Read a photo of any common kind: upright, sRGB, 8 bits, before a backdrop where it is
    transparent.

    Parameters
    ----------
    path : Path | str
        The photo's file.

    Returns
    -------
    Photo
        Its pixels, opacity, focal length and remarks.

    Raises
    ------
    PhotoError
        If it is no photo; the sentence states what to do.
    """
    path = Path(path)
    if not path.exists():
        raise PhotoError(f"There is no file {path}: choose a photo that exists.")
    if path.is_dir():
        raise PhotoError(f"{path} is a folder: choose a photo in it.")
    check_not_special(path, PhotoError, "choose another photo")
    if path.stat().st_size == 0:
        raise PhotoError(f"{path.name} is empty (0 bytes): choose another photo.")
    try:
        with warnings.catch_warnings():
            # Of damaged metadata, which no one needs, and of sizes, which are checked below before
            # anything is decoded.
            warnings.simplefilter("ignore")
            kind = _kind(path)
            if kind == "HEIC":
                _open_heic_too(path)
            with _opened(path, kind) as opened:
                if isinstance(opened, ImageFile.ImageFile) and kind == "TIFF":
                    # Pillow maps plain ones by their names, with width and height exchanged where
                    # EXIF states that they lie on their side; without a name it reads them.
                    opened.filename = ""
                _check_size(path, opened.size)
                return _decoded(path, opened)
    except Image.DecompressionBombError as error:
        raise PhotoError(
            f"{path.name} is too large: save it with at most {LARGEST_MEGAPIXELS:.0f} megapixels."
        ) from error
    except UnidentifiedImageError as error:
        if kind == "HEIC":
            raise PhotoError(
                f"{path.name} is a HEIC photo that cannot be read: save it as a JPEG."
            ) from error
        if kind == "TIFF":
            raise PhotoError(
                f"{path.name} is a TIFF of a kind that cannot be read: save it with 8 or 16 bits a "
                "colour."
            ) from error
        raise PhotoError(
            f"{path.name} is not a picture that can be read: choose a JPEG, PNG, WebP, TIFF, "
            "HEIC or AVIF."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError) as error:
        raise PhotoError(
            f"{path.name} is damaged or incomplete: save or download it again "
            f"({printable(str(error))})."
        ) from error


def _kind(path: Path) -> str:
    """What the file's first bytes indicate, among the kinds that are treated apart; else empty."""
    with path.open("rb") as file:
        head = file.read(12)
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in _HEIC_BRANDS:
        return "HEIC"
    if brand in _AVIF_BRANDS:
        return "AVIF"
    if head.startswith(exif.JPEG_HEAD):
        return "JPEG"
    return "TIFF" if head.startswith(_TIFF_HEADS) else ""


def _opened(path: Path, kind: str) -> Image.Image:
    """The file as Pillow opens it, without its EXIF block where that is all that hinders it."""
    try:
        return Image.open(path)
    except (OSError, SyntaxError, ValueError, RuntimeError):
        parts = exif.taken_out(path.read_bytes()) if kind in ("JPEG", "AVIF", "HEIC") else None
        if parts is None:
            raise
        content, block = parts
        opened = Image.open(io.BytesIO(content))
        if block:
            opened.info["exif"] = block  # some of it may be readable
        return opened


def _open_heic_too(path: Path) -> None:
    """Teach Pillow HEIC, what telephones write; its pixels come upright then."""
    try:
        from pi_heif import register_heif_opener
    except ImportError as error:
        raise PhotoError(
            f"{path.name} is a HEIC photo, and what reads these is missing: save it as a JPEG."
        ) from error
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


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
    focal_share, focal_remark = exif.focal_length(opened)
    # CIELAB is what it is without a profile, and Pillow turns it into sRGB.
    profile = opened.info.get("icc_profile") if opened.mode != "LAB" else None
    if not profile and exif.is_adobe_rgb(opened):
        profile = colour_profiles.adobe_rgb()
    exif.drop_damaged(opened)
    shrink = np.sqrt(WORKING_MEGAPIXELS * 1e6 / (opened.width * opened.height))
    if shrink < 1:
        # JPEG decodes at a half, a quarter or an eighth at once.
        opened.draft(opened.mode, (int(opened.width * shrink), int(opened.height * shrink)))
    opened.load()
    image = _with_plain_mode(exif.upright(opened))
    shrink = np.sqrt(WORKING_MEGAPIXELS * 1e6 / (image.width * image.height))
    if shrink < 1:
        size = (round(image.width * shrink), round(image.height * shrink))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    rgb, colour_remark = _in_srgb(image, profile)
    alpha, veil_remark = None, ""
    if "A" in image.getbands():
        opacity = np.asarray(image.getchannel("A"))
        if opacity.min() < 255:
            if opacity.max() < LEAST_OPACITY:
                raise PhotoError(
                    f"{path.name} is transparent all over: choose a photo that shows somebody."
                )
            alpha, rgb = opacity.copy(), before_backdrop(rgb, opacity)
            if is_veiled(opacity):
                veil_remark = (
                    "The photo is half transparent and looks pale before the grey backdrop: save "
                    "it without transparency."
                )
    focal = None if focal_share is None else focal_share * max(image.size)
    remarks = tuple(remark for remark in (focal_remark, colour_remark, veil_remark) if remark)
    return Photo(np.ascontiguousarray(rgb), alpha, focal, path.stem, remarks)


def _with_plain_mode(image: Image.Image) -> Image.Image:
    """The picture in mode L, LA, RGB, RGBA, CMYK, or F (0 to GREATEST) for deep greys."""
    if image.mode in DEEP_MODES:
        return Image.fromarray(levels(image))
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        return image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> tuple[UInt8, str]:
    """A picture of one of the plain modes as sRGB (H, W, 3), without regard to transparency, and a
    sentence for the user where its profile is damaged and its colours are taken as they are."""
    if image.mode == "F":
        deep = np.clip(np.rint(np.asarray(image)), 0, GREATEST).astype(np.uint16)
        image = Image.fromarray(deep)
    elif image.mode in ("LA", "RGBA"):
        image = image.convert(image.mode[:-1])
    remark = ""
    if profile:
        try:
            image = colour_profiles.in_srgb(image, profile)
        except colour_profiles.ProfileError:
            remark = (
                "The photo's colour profile is damaged or of another kind of picture and was left "
                "out: its colours may be off."
            )
    return np.asarray(colour_profiles.eight_bits(image).convert("RGB")), remark


def save_png(path: Path | str, pixels: npt.NDArray[np.generic]) -> None:
    """Write (H, W), (H, W, 3) or (H, W, 4) uint8, or a bool mask as black and white.

    Parameters
    ----------
    path : Path | str
        The file to write.
    pixels : npt.NDArray[np.generic]
        (H, W), (H, W, 3) or (H, W, 4).

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    values = pixels.astype(np.uint8) * 255 if pixels.dtype == bool else pixels
    try:
        Image.fromarray(values).save(path, compress_level=4)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def save_picture(path: Path, rgb: UInt8) -> None:
    """Write (H, W, 3) as what the file's name indicates, JPEG without visible loss.

    Parameters
    ----------
    path : Path
        The file to write; its suffix is its format.
    rgb : UInt8
        (H, W, 3), sRGB.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    try:
        Image.fromarray(rgb).save(path, quality=JPEG_QUALITY, subsampling=0)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def with_power_of_two_sides(rgb: UInt8, largest: int) -> UInt8:
    """A picture (H, W, C) stretched to sides that are powers of two, neither above `largest`.

    Sides grow, so that no detail is lost, unless that is too much: textures are addressed by
    shares of their sides, not by pixels. The same array where nothing is to be done.

    Parameters
    ----------
    rgb : UInt8
        (H, W, C).
    largest : int
        A power of two, pixels.

    Returns
    -------
    UInt8
        (H', W', C).
    """
    height, width = rgb.shape[:2]
    wide, high = (min(1 << (side - 1).bit_length(), largest) for side in (width, height))
    if (wide, high) == (width, height):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((wide, high), Image.Resampling.LANCZOS))
