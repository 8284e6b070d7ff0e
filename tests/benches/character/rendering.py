"""A character turned about the upright and drawn from far away: a z-buffer with texture look-up."""

from __future__ import annotations

import cv2
import numpy as np

from ....addon.core.body.rasterisation import fragments
from ....addon.core.types import Character, Crop, Float64, UInt8

FINER = 2  # drawn so many times finer and averaged
BACKDROP = (96, 110, 128)  # sRGB; no usual colour of clothes, so that rims of old background show
MARGIN = 1.04  # of a frame around what is drawn
FAR_M = 10.0  # every depth is positive, as from a camera


def turned(points: Float64, degrees: float) -> Float64:
    """(V, 3) points in the world, seen after a turn about the upright: x right, y down, z away
    from the viewer, metres. 0 is the photo's side, 90 the character's own left side where it
    faces the camera, 180 the back."""
    angle = np.radians(degrees)
    x, y, z = points.astype(np.float64).T
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x + sin * y, -z, cos * y - sin * x], axis=1)


def frame_of(points: Float64, aspect: float) -> tuple[Float64, float]:
    """Points moved to turn about their own middle, and the height in metres of a frame with the
    given width over height that shows them all at any turn."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    moved = points - middle
    radius = np.hypot(*moved[:, :2].T).max()
    return moved, MARGIN * float(max(high[2] - low[2], 2 * radius / aspect))


def draw(
    character: Character,
    points: Float64,
    degrees: float,
    size: tuple[int, int],
    frame: tuple[float, float, float],
) -> UInt8:
    """Picture (height, width, 3) in the texture's own colours without light.

    points : (V, 3) of the character's vertices in the world
    size : width and height in pixels
    frame : x and y of the picture's middle in the turned frame, and its height, metres
    """
    at = turned(points, degrees)
    width, height = size
    crop = Crop(0.0, 0.0, 1.0, width * FINER, height * FINER)
    scale = crop.height / frame[2]
    grid = (at[:, :2] - frame[:2]) * scale + np.array([crop.width, crop.height]) / 2 - 0.5
    depth = at[:, 2] - at[:, 2].min() + FAR_M
    pixel, triangle, share = fragments(grid, depth, character.triangles, crop)
    far = (share * depth[character.triangles[triangle]]).sum(axis=1)
    order = np.lexsort((far, pixel))
    seen = order[np.r_[True, np.diff(pixel[order]) > 0]] if len(order) else order
    uv = np.einsum("kc,kcd->kd", share[seen], character.uv[triangle[seen]].astype(np.float64))
    picture = np.full((crop.height * crop.width, 3), BACKDROP, np.uint8)
    picture[pixel[seen]] = sample(character.texture[..., :3], uv)
    picture = picture.reshape(crop.height, crop.width, 3)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def sample(texture: UInt8, uv: Float64) -> UInt8:
    """Bilinear colours (N, 3) of a texture (S, S, 3) at UV (N, 2), origin bottom left."""
    side = len(texture)
    # OpenCV takes no map of more than 32767 columns.
    padded = np.zeros((-(-len(uv) // 4096) * 4096, 2))
    padded[: len(uv)] = uv
    x = (padded[:, 0] * side - 0.5).astype(np.float32).reshape(-1, 4096)
    y = ((1 - padded[:, 1]) * side - 0.5).astype(np.float32).reshape(-1, 4096)
    found = cv2.remap(
        np.ascontiguousarray(texture), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return found.reshape(-1, 3)[: len(uv)]
