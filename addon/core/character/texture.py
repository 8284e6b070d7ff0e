"""One atlas for the character: the photo on the front, its mirror image on the back.

Photo Wake-Up section 4.5. Front and back are two panels of a square power-of-two image. Where the
person fits, a panel is the photo pixel by pixel, so nothing of its sharpness is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..types import Float32, Float64, Mask, Person, UInt8

LARGEST_ATLAS = 2048  # pixels a side: what AR viewers accept
SMALLEST_ATLAS = 256
PANEL_MARGIN = 4  # pixels of spread colour around the person, for texture filtering


@dataclass(frozen=True)
class AtlasLayout:
    """Where the two panels lie: atlas pixel = (photo pixel - (x0, y0)) * scale + panel origin."""

    size: int  # atlas pixels a side
    x0: float
    y0: float
    scale: float  # atlas pixels a photo pixel
    front: tuple[int, int]  # x, y of the front panel's first pixel
    back: tuple[int, int]
    panel: tuple[int, int]  # width, height of a panel in atlas pixels

    def uv(self, photo_pixels: Float64, back: bool) -> Float32:
        """Photo pixels (..., 2) to UV (origin bottom left) in the front or back panel."""
        origin = np.array(self.back if back else self.front, np.float64)
        atlas = (photo_pixels - np.array([self.x0, self.y0])) * self.scale + origin
        # Pixel centres are at integers here and at half pixels in UV.
        uv = (atlas + 0.5) / self.size
        uv[..., 1] = 1.0 - uv[..., 1]
        return uv.astype(np.float32)


def lay_out(mask: Mask, largest: int = LARGEST_ATLAS) -> AtlasLayout:
    """The smallest power-of-two atlas that holds the person twice, else a scaled-down one."""
    rows, columns = np.nonzero(mask)
    x0, y0 = columns.min() - PANEL_MARGIN, rows.min() - PANEL_MARGIN
    width = int(columns.max() - x0 + 1 + PANEL_MARGIN)
    height = int(rows.max() - y0 + 1 + PANEL_MARGIN)
    upright = height >= width
    size = SMALLEST_ATLAS
    needed = max(2 * width, height) if upright else max(width, 2 * height)
    while size < min(needed, largest):
        size *= 2
    scale = min(1.0, size / needed)
    panel = (int(np.floor(width * scale)), int(np.floor(height * scale)))
    back = (size // 2, 0) if upright else (0, size // 2)
    return AtlasLayout(size, float(x0), float(y0), scale, (0, 0), back, panel)


def paint(person: Person, layout: AtlasLayout) -> UInt8:
    """(S, S, 4) uint8 sRGB and opacity: both panels, the person's colours spread over the rest."""
    spread = spread_colours(person.foreground, person.mask)
    panel_w, panel_h = layout.panel
    move = np.array(
        [[1 / layout.scale, 0, layout.x0], [0, 1 / layout.scale, layout.y0]], np.float64
    )
    sampling = cv2.INTER_NEAREST if layout.scale == 1.0 else cv2.INTER_AREA
    if layout.scale == 1.0:
        panel = cv2.warpAffine(
            spread, move, (panel_w, panel_h), flags=sampling | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
    else:
        # Area averaging before the resampling, else fine patterns alias.
        sigma = 0.4 / layout.scale
        panel = cv2.warpAffine(
            cv2.GaussianBlur(spread, (0, 0), sigma), move, (panel_w, panel_h),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
    atlas = np.zeros((layout.size, layout.size, 4), np.uint8)
    atlas[..., :3] = np.median(person.foreground[person.mask], axis=0).astype(np.uint8)
    atlas[..., 3] = 255
    for x, y in (layout.front, layout.back):
        atlas[y : y + panel_h, x : x + panel_w, :3] = panel
    return atlas


def spread_colours(rgb: UInt8, mask: Mask) -> UInt8:
    """Give every pixel outside of the mask the colour of the nearest one inside."""
    _, labels = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros((labels.max() + 1, 3), np.uint8)
    source[labels[mask]] = rgb[mask]
    return np.where(mask[..., None], rgb, source[labels])
