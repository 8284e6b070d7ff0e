"""One picture of a folder of photos: photo, character and a moment of the motion of each."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from ..types import UInt8

MOST_MEGAPIXELS = 80.0  # of the picture: more photos are shown smaller
PANEL_HEIGHT, STRIP_HEIGHT = 300, 640  # pixels, in the picture and in each result's own strip
_STRIP_ASPECT = 2.2  # three panels of a usual photo, upright or not; others leave a margin
_COLUMNS = 3
_GAP, _LABEL = 0.05, 0.14  # between photos and below each, as shares of a panel's height
_PAPER, _INK, _ALARM, _EMPTY = (245, 245, 245), (30, 30, 30), (176, 32, 32), (222, 222, 222)
_LEAST_PANEL = 40  # pixels; smaller ones show nothing


@dataclass(frozen=True)
class Entry:
    """A photo's place in the picture."""

    name: str
    remark: str  # shown behind the name
    has_failed: bool
    picture: Callable[[], UInt8 | None]  # (H, W, 3), read only when its turn comes


def strip(pictures: Sequence[npt.NDArray[np.uint8]]) -> UInt8:
    """(STRIP_HEIGHT, W, 3): pictures (H, W, 3) side by side.

    Parameters
    ----------
    pictures : Sequence[npt.NDArray[np.uint8]]
        (H, W, 3) each, of any size.

    Returns
    -------
    UInt8
        (STRIP_HEIGHT, W, 3).
    """
    gap = np.full((STRIP_HEIGHT, round(_GAP * STRIP_HEIGHT) // 2, 3), _PAPER, np.uint8)
    parts: list[npt.NDArray[np.uint8]] = []
    for picture in pictures:
        parts += [_resized(picture, STRIP_HEIGHT / picture.shape[0]), gap]
    joined: UInt8 = np.concatenate(parts[:-1], axis=1)
    return joined


def overview(entries: Sequence[Entry]) -> UInt8:
    """(H, W, 3): the entries row by row, named. One picture is in memory at a time, and the
    whole has at most MOST_MEGAPIXELS.

    Parameters
    ----------
    entries : Sequence[Entry]
        One for each photo, at least one.

    Returns
    -------
    UInt8
        (H, W, 3), sRGB.
    """
    columns = min(_COLUMNS, len(entries))
    rows = -(-len(entries) // columns)
    area = columns * rows * (_STRIP_ASPECT + _GAP) * (1 + _LABEL + _GAP)  # in squared heights
    height = int(min(PANEL_HEIGHT, math.sqrt(MOST_MEGAPIXELS * 1e6 / area)))
    height = max(height, _LEAST_PANEL)
    width, gap, label = (round(share * height) for share in (_STRIP_ASPECT, _GAP, _LABEL))
    sheet = Image.new(
        "RGB",
        (columns * (width + gap) + gap, rows * (height + label + gap) + gap),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=round(0.7 * label))
    for index, entry in enumerate(entries):
        x = gap + index % columns * (width + gap)
        y = gap + index // columns * (height + label + gap)
        picture = entry.picture()
        if picture is None:
            draw.rectangle((x, y, x + width - 1, y + height - 1), _EMPTY)
        else:
            scale = min(width / picture.shape[1], height / picture.shape[0])
            shown = Image.fromarray(_resized(picture, scale))
            sheet.paste(shown, (x + (width - shown.width) // 2, y + (height - shown.height) // 2))
        text = _shortened(f"{entry.name}  {entry.remark}", draw, font, width)
        draw.text((x, y + height), text, _ALARM if entry.has_failed else _INK, font)
    return np.asarray(sheet)


def _shortened(
    text: str, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    width: int,
) -> str:  # fmt: skip
    """The text's beginning, as far as there is room for it."""
    # What the font has no letters for (it has Latin ones) is drawn as boxes, never an error.
    text = " ".join(text.split()).encode("utf-8", "replace").decode()
    if draw.textlength(text, font) <= width:
        return text

    def needs(count: int) -> int:
        return math.ceil(draw.textlength(text[:count] + "...", font))

    kept = bisect_right(range(len(text)), width, key=needs)
    return text[: max(kept - 1, 0)] + "..."


def _resized(picture: npt.NDArray[np.uint8], scale: float) -> UInt8:
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    sampling = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: UInt8 = cv2.resize(np.ascontiguousarray(picture), size, interpolation=sampling)
    return resized
