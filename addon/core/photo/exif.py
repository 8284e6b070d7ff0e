"""What the project needs of a picture's EXIF block: which way is up, the focal length, and whether
the colours are Adobe RGB.

EXIF is optional. Editors and messengers damage it often and in many ways, so whatever of it cannot
be read counts as not being there: nothing here raises, and the photo is read all the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from PIL import ExifTags, Image

from .focal_length import FULL_FRAME_WIDTH_MM, is_plausible

_FOCAL_35MM = 0xA405
_FOCAL = 0x920A
_PLANE_X_RESOLUTION = 0xA20E
_PLANE_UNIT = 0xA210
_MM_A_UNIT = {2: 25.4, 3: 10.0}  # inch, centimetre
_COLOUR_SPACE = 0xA001
_INTEROPERABILITY_INDEX = 0x0001
_SUB_BLOCKS = (ExifTags.IFD.Exif, ExifTags.IFD.Interop, ExifTags.IFD.GPSInfo)

JPEG_HEAD = b"\xff\xd8\xff"
_APP1 = 0xE1
_EXIF_NAME = b"Exif\0"
_ENTRY_BYTES = 12
# The list of what an AVIF or HEIC file holds: the entry's header, then what kind of thing it is.
_EXIF_ITEM = re.compile(rb"(infe[\x02\x03].{7,9})Exif", re.DOTALL)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_Value = TypeVar("_Value")


def _read(reading: Callable[[], _Value], otherwise: _Value) -> _Value:
    try:
        return reading()
    except Exception:  # noqa: BLE001 - a damaged block fails in a dozen ways, and none matters
        return otherwise


def drop_damaged(image: Image.Image) -> None:
    """Forget those parts of an opened picture's EXIF that cannot be read: Pillow would read them,
    and fail, while it decodes the pixels of a TIFF.

    Parameters
    ----------
    image : Image.Image
        Opened, not yet decoded; its EXIF is changed in place.
    """
    exif = _exif(image)
    for block in _SUB_BLOCKS:
        if _read(lambda block=block: exif.get_ifd(block), None) is None:  # type: ignore[misc]
            _read(lambda block=block: exif.pop(block, None), None)  # type: ignore[misc]


def taken_out(content: bytes) -> tuple[bytes, bytes] | None:
    """A JPEG, AVIF or HEIC file without its EXIF block, for one so damaged that Pillow does not
    open the file, and the block (empty but for JPEG: the others have their orientation elsewhere);
    None if there is none to take out.

    Parameters
    ----------
    content : bytes
        The file's bytes.

    Returns
    -------
    tuple[bytes, bytes] | None
        The file without the block, and the block.
    """
    if content.startswith(JPEG_HEAD):
        return _out_of_jpeg(content)
    renamed = _EXIF_ITEM.sub(rb"\1none", content, count=1)
    return None if renamed == content else (renamed, b"")


def _out_of_jpeg(content: bytes) -> tuple[bytes, bytes] | None:
    at = len(JPEG_HEAD) - 1  # of a segment's first byte, which is 0xFF
    while content[at : at + 1] == b"\xff" and len(content) > at + 4:
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        block = content[at + 4 : end]
        if content[at + 1] == _APP1 and block.startswith(_EXIF_NAME):
            return content[:at] + content[end:], block
        at = end
    return None


def upright(image: Image.Image) -> Image.Image:
    """A decoded picture turned as its EXIF states; the same one where it gives no information.

    Pillow turns TIFFs, and libheif HEIC files, as they decode them: there is no orientation then.

    Parameters
    ----------
    image : Image.Image
        Decoded.

    Returns
    -------
    Image.Image
        The picture as one holds it.
    """
    block = image.info.get("exif")
    told = _orientation_in(block) if isinstance(block, bytes) else None
    if told is None:
        told = _read(lambda: int(_exif(image).get(ExifTags.Base.Orientation, 1)), 1)
    turn = _TURNS.get(told)
    return image if turn is None else image.transpose(turn)


def _orientation_in(block: bytes) -> int | None:
    """The orientation by itself, 1 to 8: Pillow gives up at the first entry, before it, whose
    value lies beyond the block's end. None if it is not there."""
    block = block.removeprefix(_EXIF_NAME + b"\0")
    order: Literal["little", "big"] = "little" if block.startswith(b"II") else "big"

    def number(at: int, length: int) -> int:
        return int.from_bytes(block[at : at + length], order)

    first = number(4, 4) + 2
    for at in range(first, first + _ENTRY_BYTES * number(first - 2, 2), _ENTRY_BYTES):
        if at + _ENTRY_BYTES > len(block):
            break
        if number(at, 2) == ExifTags.Base.Orientation:
            told = number(at + 8, {3: 2, 4: 4}.get(number(at + 2, 2), 0))  # short, long
            return told if 1 <= told <= 8 else None
    return None


def focal_length(image: Image.Image) -> tuple[float | None, str]:
    """The focal length in longer sides of the stored picture, as it was opened (before any
    reduction), and a sentence for the user where EXIF gives one that cannot be right.

    Parameters
    ----------
    image : Image.Image
        Opened, not yet reduced or turned.

    Returns
    -------
    tuple[float | None, str]
        Share of the longer side, None if EXIF has none; the sentence, empty if nothing is wrong.
    """
    told = [mm for mm in _told_mm(_fields(image), image.size) if 0 < mm < math.inf]  # 0: unknown
    for mm in told:
        if is_plausible(mm):
            return mm / FULL_FRAME_WIDTH_MM, ""
    if not told:
        return None, ""
    return None, (
        f"The photo's EXIF tells a focal length of {told[0]:g} mm, which cannot be right and was "
        "left out: tell it where you know it."
    )


def is_adobe_rgb(image: Image.Image) -> bool:
    """Whether EXIF states that the colours are Adobe RGB, as cameras do that embed no profile
    (DCF's optional colour space).

    Parameters
    ----------
    image : Image.Image
        Opened.

    Returns
    -------
    bool
        True if EXIF states so.
    """
    fields = _fields(image)
    space = fields.get(_COLOUR_SPACE)
    if space == 2:  # not in the standard, but written
        return True
    index = _read(
        lambda: _exif(image).get_ifd(ExifTags.IFD.Interop).get(_INTEROPERABILITY_INDEX), None
    )
    word = index.decode("latin-1") if isinstance(index, bytes) else str(index)
    return space in (None, 0xFFFF) and word.rstrip("\0 ") == "R03"


def _exif(image: Image.Image) -> Image.Exif:
    """The block, or as much of it as can be read: Pillow reads it once, and the second time gives
    what it came to before it failed."""
    _read(image.getexif, None)
    return image.getexif()


def _fields(image: Image.Image) -> Mapping[int, Any]:
    return _read(lambda: _exif(image).get_ifd(ExifTags.IFD.Exif), {})


def _told_mm(fields: Mapping[int, Any], size: tuple[int, int]) -> list[float]:
    """The 35 mm equivalents that EXIF gives, the one that it gives outright first.

    The equivalence is by the diagonal; for 3:2 sensors it is by the longer side.
    """
    focal, resolution = _number(fields, _FOCAL), _number(fields, _PLANE_X_RESOLUTION)
    unit = _MM_A_UNIT.get(int(_number(fields, _PLANE_UNIT, 2.0)), math.nan)
    in_pixels = focal * resolution / unit
    return [_number(fields, _FOCAL_35MM), in_pixels / max(size) * FULL_FRAME_WIDTH_MM]


def _number(fields: Mapping[int, Any], tag: int, otherwise: float = math.nan) -> float:
    """A field as a number; `otherwise` where it is not there or none."""
    value = _read(lambda: float(fields[tag]), otherwise)
    return value if math.isfinite(value) else otherwise
