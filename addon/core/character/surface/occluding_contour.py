"""The rim: where the front and the back of a closed surface meet, seen from the grid's pixels.

The rim lies on the outline, not on pixel centres, and a tenth of the relief of a round limb lies
in the last half pixel before it. So every pixel beside the outline knows the point of the outline
that is nearest to it, and in which direction the outline faces there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree

from ...types import Float64, Mask

NEAREST_PX = 0.05  # a pixel nearer to the outline than this counts as this far from it
FARTHEST_PX = 1.5  # a diagonal; a foot farther off belongs to a spur that the mask lost
NEIGHBOURS = 4  # feet that a depth between them is the mean of


@dataclass(frozen=True, eq=False)
class Rim:
    """The outline as its n pixels (those with a 4-neighbour outside, row by row) see it.

    pixels : (h, w) bool
    foot : (n, 2) grid pixels, the point of the outline that is nearest to each
    outward : (n, 2) unit vectors in the picture, at right angles to the outline
    depth : (n,) metres, what the body says of the outline's depth there
    """

    pixels: Mask
    foot: Float64
    outward: Float64
    depth: Float64


def rim_of(inside: Mask, points: Float64, depth: Float64) -> Rim:
    """The rim of a silhouette (h, w) from points (m, 2) along its outline and their depth (m,).

    Parameters
    ----------
    inside : Mask
        (h, w).
    points : Float64
        (m, 2) grid pixels.
    depth : Float64
        (m,) metres.

    Returns
    -------
    Rim
        For each pixel of the silhouette, its nearest point of the outline.
    """
    pixels = inside & ~_core(inside)
    rows, columns = np.nonzero(pixels)
    at = np.stack([columns, rows], axis=1).astype(np.float64)
    _, nearest = cKDTree(points).query(at, k=2)
    first, second = points[nearest[:, 0]], points[nearest[:, 1]]
    along = second - first
    length = np.maximum(np.linalg.norm(along, axis=1), 1e-9)
    share = np.clip(((at - first) * along).sum(axis=1) / length**2, 0, 1)
    outward = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
    towards = _towards_outside(inside)[rows, columns]
    outward *= np.where((outward * towards).sum(axis=1) < 0, -1.0, 1.0)[:, None]
    off = first + share[:, None] * along - at
    reach = np.clip((off * outward).sum(axis=1), NEAREST_PX, FARTHEST_PX)
    foot = at + reach[:, None] * outward
    known = depth[nearest[:, 0]] * (1 - share) + depth[nearest[:, 1]] * share
    return Rim(pixels, foot, outward, known)


def depth_between(rim: Rim, depth: Float64, points: Float64) -> Float64:
    """Depths (k,) at points (k, 2) of the outline, from those of the rim's feet (n,).

    Parameters
    ----------
    rim : Rim
        Of the same outline.
    depth : Float64
        (n,) metres.
    points : Float64
        (k, 2) grid pixels.

    Returns
    -------
    Float64
        (k,) metres.
    """
    count = min(NEIGHBOURS, len(depth))
    distance, nearest = cKDTree(rim.foot).query(points, k=[*range(1, count + 1)])
    weight = 1.0 / (distance**2 + NEAREST_PX**2)
    return (depth[nearest] * weight).sum(axis=1) / weight.sum(axis=1)


def _core(inside: Mask) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return (
        cv2.erode(inside.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        > 0
    )


def _towards_outside(inside: Mask) -> Float64:
    """(h, w, 2) x and y of the way out, of any length."""
    soft = cv2.GaussianBlur(np.pad(inside.astype(np.float64), 2), (5, 5), 1.0)
    x = cv2.Sobel(soft, cv2.CV_64F, 1, 0)[2:-2, 2:-2]
    y = cv2.Sobel(soft, cv2.CV_64F, 0, 1)[2:-2, 2:-2]
    return -np.stack([x, y], axis=-1)
