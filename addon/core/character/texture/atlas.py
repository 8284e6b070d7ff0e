"""One atlas for the character: a chart for the front and the back of each layer.

Charts hold the photo pixel by pixel where the atlas has room, so nothing of its sharpness is lost;
what they are painted with is in `charts`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...imaging.fill_nearest import fill_nearest
from ...imaging.resampling import resampled_on_grid
from ...types import Crop, Float32, Float64, Mask, UInt8

DEFAULT_ATLAS = 2048  # pixels per side: what AR viewers accept
SMALLEST_ATLAS = 256
PANEL_MARGIN = 4  # pixels of spread colour around the person, for texture filtering


@dataclass(frozen=True)
class Chart:
    """A window of the photo and its place in the atlas."""

    x0: int  # photo pixels
    y0: int
    width: int
    height: int
    left: int  # atlas pixels
    top: int


@dataclass(frozen=True)
class AtlasLayout:
    """Where the charts lie: atlas pixel = (photo pixel - (x0, y0)) * scale + (left, top)."""

    size: int  # atlas pixels per side, a power of two
    scale: float  # atlas pixels per photo pixel
    charts: tuple[Chart, ...]

    def uv(self, photo_pixels: Float64, chart: int) -> Float32:
        """Photo pixels (..., 2) to UV (origin bottom left) in one of the charts.

        Parameters
        ----------
        photo_pixels : Float64
            (..., 2).
        chart : int
            Which chart.

        Returns
        -------
        Float32
            (..., 2) 0..1.
        """
        at = self.charts[chart]
        atlas = (photo_pixels - np.array([at.x0, at.y0])) * self.scale + [at.left, at.top]
        # Pixel centres are at integers here and at half pixels in UV.
        uv = (atlas + 0.5) / self.size
        uv[..., 1] = 1.0 - uv[..., 1]
        return uv.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Texture:
    """A character's texture."""

    layout: AtlasLayout  # where each chart is
    colours: UInt8  # (S, S, 4), sRGB and opacity
    normal_map: UInt8  # (S, S, 3), tangent space


def lay_out(masks: list[Mask], largest: int = DEFAULT_ATLAS) -> AtlasLayout:
    """Pack a chart for each mask (its box in the photo) into the smallest power-of-two atlas;
    charts are scaled down together where the largest atlas is too small.

    Parameters
    ----------
    masks : list[Mask]
        (H, W) each.
    largest : int
        Side of the atlas, pixels.

    Returns
    -------
    AtlasLayout
        Where each chart is.
    """
    boxes = [_box(mask) for mask in masks]
    size = min(SMALLEST_ATLAS, largest)
    while size < largest and _shelves(boxes, 1.0, size) is None:
        size *= 2
    scale = 1.0
    while (places := _shelves(boxes, scale, size)) is None:
        scale *= 0.97
    charts = tuple(Chart(*box, left, top) for box, (left, top) in zip(boxes, places, strict=True))
    return AtlasLayout(size, scale, charts)


def _box(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask)
    x0, y0 = int(columns.min()) - PANEL_MARGIN, int(rows.min()) - PANEL_MARGIN
    width = int(columns.max()) + 1 + PANEL_MARGIN - x0
    return x0, y0, width, int(rows.max()) + 1 + PANEL_MARGIN - y0


def _shelves(
    boxes: list[tuple[int, int, int, int]], scale: float, size: int
) -> list[tuple[int, int]] | None:
    """Left and top of each box on shelves of falling height, or None if they do not fit."""
    places: list[tuple[int, int]] = [(0, 0)] * len(boxes)
    left = top = shelf = 0
    for k in sorted(range(len(boxes)), key=lambda k: -boxes[k][3]):
        width, height = (int(np.ceil(boxes[k][axis] * scale)) for axis in (2, 3))
        if left + width > size:
            left, top, shelf = 0, top + shelf, 0
        if width > size or top + height > size:
            return None
        places[k] = (left, top)
        left += width
        shelf = max(shelf, height)
    return places


def paint(images: list[UInt8], layout: AtlasLayout) -> UInt8:
    """(S, S, 4) uint8 sRGB and opacity: each chart's photo-sized image (H, W, 3) in its place.

    Parameters
    ----------
    images : list[UInt8]
        (H, W, 3) each.
    layout : AtlasLayout
        Where each chart is.

    Returns
    -------
    UInt8
        (S, S, 4).
    """
    atlas = np.zeros((layout.size, layout.size, 4), np.uint8)
    atlas[..., 3] = 255
    for image, chart in zip(images, layout.charts, strict=True):
        width = int(np.ceil(chart.width * layout.scale))
        height = int(np.ceil(chart.height * layout.scale))
        source = image
        if layout.scale < 1.0:  # averaging first, else fine patterns alias
            source = cv2.GaussianBlur(image, (0, 0), 0.4 / layout.scale)
        crop = Crop(chart.x0, chart.y0, layout.scale, width, height)
        place = atlas[chart.top : chart.top + height, chart.left : chart.left + width]
        place[..., :3] = resampled_on_grid(source, crop, border=cv2.BORDER_REPLICATE)
    return atlas


def spread_colours(rgb: UInt8, mask: Mask) -> UInt8:
    """Give every pixel outside of the mask the colour of the nearest one inside.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3).
    mask : Mask
        (H, W), somewhere True.

    Returns
    -------
    UInt8
        (H, W, 3).
    """
    return fill_nearest(rgb, mask)
