"""Rotated regions of interest (ROI): squares of the photo, as every network of BlazePose's family
looks at them, and their pixels.

Everything here has a plain form, which is what the reference implementation (MediaPipe 0.10.21 on
a CPU) does, and a better one, which is the default:

- The reference takes one bilinear sample a pixel, however many photo pixels lie under it. Averaging
  first makes a body's landmarks steadier: a region moved by a few photo pixels moves them 0.27 % of
  the person's height instead of 0.37 %, halving the photo 0.19 % instead of 0.38 %.
- BlazePose and Face Mesh count from the edge of their first pixel, so that its centre is at 0.5,
  while the reference takes positions for indices of pixels. Its landmarks are half a network pixel
  too far right and down (0.53 and 0.58 measured between photos and their mirror images).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..types import Float32, Float64, UInt8

AVERAGING_FROM = 2.0  # photo pixels a network pixel; below, bilinear sampling misses nothing
LEFT_TO_BILINEAR = 1.5  # averaging stops at this many, so that turning does not blur further
FIRST_CENTRE = 0.5  # where a network sees the centre of its first pixel
# The lattice of regions: ratio of neighbouring sides, step of the centre in sides, step of the
# angle in radians. A network's pixel is 1/256 to 1/192 of the side, and what processors differ by
# is less than a hundredth of a pixel.
SNAPPED_SIDE, SNAPPED_PLACE, SNAPPED_ANGLE = 1.01, 1 / 128, np.pi / 360
SAME_ROI = 0.5  # intersection over union above which two regions show the same thing


@dataclass(frozen=True)
class RotatedRoi:
    """A rotated square of the photo: centre and side in photo pixels, angle in radians
    (positive turns the body's up direction clockwise away from the picture's)."""

    x: float
    y: float
    side: float
    angle: float

    def matrix(self, pixels: int = 256) -> Float32:
        """(2, 3) affine from the pixels of a network with `pixels` a side to the photo's, both
        with centres at integers; as in the reference, the region's middle is at pixels / 2.

        Parameters
        ----------
        pixels : int
            Of the network's side.

        Returns
        -------
        Float32
            (2, 3).
        """
        turn = self.turn() * (self.side / pixels)
        shift = np.array([self.x, self.y]) - turn @ [pixels / 2, pixels / 2]
        return np.hstack([turn, shift[:, None]]).astype(np.float32)

    def snapped(self) -> RotatedRoi:
        """The nearest region of a coarse lattice.

        Regions follow from what networks have found in other regions. A last bit that differs, by
        the processor's arithmetic, changes a grey value in the next region's pixels, and after
        some passes the landmarks by pixels of the photo. Networks see neighbours on the lattice
        equally well, and what was not equal to the last bit becomes equal.
        """
        step = np.log(SNAPPED_SIDE)
        side = float(np.exp(round(np.log(self.side) / step) * step))
        grid = side * SNAPPED_PLACE
        return RotatedRoi(
            round(self.x / grid) * grid, round(self.y / grid) * grid, side,
            round(self.angle / SNAPPED_ANGLE) * SNAPPED_ANGLE,
        )  # fmt: skip

    def turn(self) -> Float64:
        """(2, 2) rotation from the region's axes to the photo's.

        Returns
        -------
        Float64
            (2, 2).
        """
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        return np.array([[cosine, -sine], [sine, cosine]])

    def place(self, points: Float32, pixels: int, *, plain: bool) -> Float32:
        """Points (N, 2) or (N, 3) that a network with `pixels` a side gives, in the photo's
        pixels; a third coordinate (depth) has the scale of the first.

        Parameters
        ----------
        points : Float32
            (N, 2) or (N, 3), the network's pixels.
        pixels : int
            Of the network's side.
        plain : bool
            One sample per pixel, as the reference does it.

        Returns
        -------
        Float32
            (N, 2) or (N, 3), photo pixels.
        """
        matrix = self.matrix(pixels)
        placed = points * np.float32(self.side / pixels)
        index = points[:, :2] - np.float32(0.0 if plain else FIRST_CENTRE)
        placed[:, :2] = index @ matrix[:, :2].T + matrix[:, 2]
        return placed.astype(np.float32)

    def turned(self, points: Float32) -> Float32:
        """Metric points (N, 3) along the region's axes, along the photo's.

        Parameters
        ----------
        points : Float32
            (N, 3) metres.

        Returns
        -------
        Float32
            (N, 3) metres.
        """
        result = points.astype(np.float32)
        result[:, :2] = result[:, :2] @ self.turn().T.astype(np.float32)
        return result


def whole(rgb: UInt8) -> RotatedRoi:
    """The upright square that holds all of a picture (its rim is letterbox).

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.

    Returns
    -------
    RotatedRoi
        Photo pixels.
    """
    height, width = rgb.shape[:2]
    return RotatedRoi(width / 2, height / 2, float(max(width, height)), 0.0)


def along(start: Float32, end: Float32, target: float) -> float:
    """The angle, -pi..pi, of a region in which the direction from start to end is at `target`
    radians, counter-clockwise from the picture's x axis.

    Parameters
    ----------
    start : Float32
        (2,) photo pixels.
    end : Float32
        (2,) photo pixels.
    target : float
        Radians.

    Returns
    -------
    float
        Radians.
    """
    dx, dy = (end - start).tolist()
    angle = target - float(np.arctan2(-dy, dx))
    return angle - 2 * np.pi * float(np.floor((angle + np.pi) / (2 * np.pi)))


def around_box(box: Float32, angle: float, scale: float, rise: float = 0.0) -> RotatedRoi:
    """The region around a box (4,) x0 y0 x1 y1: centred on it and then moved up (in its own
    turned axes) by `rise` of the box's height, `scale` times its longer side.

    Parameters
    ----------
    box : Float32
        (4,) x0 y0 x1 y1, photo pixels.
    angle : float
        Radians.
    scale : float
        Times the box's longer side.
    rise : float
        Share of the box's height.

    Returns
    -------
    RotatedRoi
        Photo pixels.
    """
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    up = rise * height
    return RotatedRoi(
        x + up * np.sin(angle), y - up * np.cos(angle), scale * max(width, height), angle
    )


def distinct(rois: list[RotatedRoi]) -> list[RotatedRoi]:
    """The regions in their order; of those that cover the same place only the last.

    Parameters
    ----------
    rois : list[RotatedRoi]
        In order of their scores.

    Returns
    -------
    list[RotatedRoi]
        At most as many.
    """
    kept: list[RotatedRoi] = []
    for roi in rois:
        kept = [other for other in kept if _overlap(roi, other) <= SAME_ROI]
        kept.append(roi)
    return kept


def _overlap(a: RotatedRoi, b: RotatedRoi) -> float:
    """Intersection over union, as if neither was turned."""
    sides = [
        min(p + a.side / 2, q + b.side / 2) - max(p - a.side / 2, q - b.side / 2)
        for p, q in ((a.x, b.x), (a.y, b.y))
    ]
    shared = max(sides[0], 0.0) * max(sides[1], 0.0)
    return shared / (a.side**2 + b.side**2 - shared)


def sample(rgb: UInt8, roi: RotatedRoi, pixels: int, *, plain: bool, letterbox: bool) -> UInt8:
    """The region's pixels (pixels, pixels, 3), bilinear.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    roi : RotatedRoi
        Photo pixels.
    pixels : int
        Of the side.
    plain : bool
        One sample a pixel; otherwise a photo that is much finer is first averaged.
    letterbox : bool
        Black beyond the photo; otherwise its rim goes on.

    Returns
    -------
    UInt8
        (pixels, pixels, 3).
    """
    matrix = roi.matrix(pixels)
    shrink = roi.side / pixels
    source = rgb
    if not plain and shrink > AVERAGING_FROM:
        factor = LEFT_TO_BILINEAR / shrink
        shape = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
        source = cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA)
        # Pixel centres at integers: (x + 0.5) * factor - 0.5, each side with its own rounding.
        factors = np.array(shape) / rgb.shape[1::-1]
        matrix = (matrix * factors[:, None]).astype(np.float32)
        matrix[:, 2] += (factors - 1) / 2
    return cv2.warpAffine(
        source, matrix, (pixels, pixels), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT if letterbox else cv2.BORDER_REPLICATE,
    )  # fmt: skip
