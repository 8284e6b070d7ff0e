"""A character turned about the upright and drawn from far away: a z-buffer with texture look-up."""

from __future__ import annotations

import cv2
import numpy as np

from ...addon.core.types import Character, Float64, Mask, UInt8

FINER = 2  # drawn so many times finer and averaged
BACKDROP = (96, 110, 128)  # sRGB; no usual colour of clothes, so that rims of old background show


def turned(character: Character, degrees: float) -> Float64:
    """(V, 3) vertices in the photo's pose, seen after a turn about the upright: x right, y down,
    z away from the viewer, metres. 0 is the photo's side, 90 the character's own left side where
    it faces the camera, 180 the back."""
    angle = np.radians(degrees)
    x, y, z = character.vertices.astype(np.float64).T
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x + sin * y, -z, cos * y - sin * x], axis=1)


def draw(
    character: Character,
    degrees: float,
    height: int,
    width: int | None = None,
    frame: tuple[float, float, float] | None = None,
) -> tuple[UInt8, Mask]:
    """Picture (height, width, 3) in the texture's own colours without light, and where it is drawn.

    width : pixels; None fits the character at any turn
    frame : x and y in metres of the picture's middle in the turned frame, and its height in metres;
        None frames the whole character
    """
    points = turned(character, degrees)
    low, high = points.min(axis=0), points.max(axis=0)
    radius = np.hypot(*character.vertices[:, :2].T).max()
    if frame is None:
        frame = (0.0, float(low[1] + high[1]) / 2, 1.04 * float(high[1] - low[1]))
    if width is None:
        width = int(np.ceil(2.04 * radius / frame[2] * height))
    rows, columns = height * FINER, width * FINER
    scale = rows / frame[2]
    at = (points[:, :2] - frame[:2]) * scale + np.array([columns, rows]) / 2 - 0.5
    corner, depth = at[character.triangles], points[character.triangles, 2]
    lowest = np.clip(np.ceil(corner.min(axis=1)), 0, None).astype(np.int64)
    highest = np.floor(corner.max(axis=1)).astype(np.int64)
    highest = np.minimum(highest, [columns - 1, rows - 1])
    size = np.maximum(highest - lowest + 1, 0)
    count = size[:, 0] * size[:, 1]
    owner = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    x = lowest[owner, 0] + within % np.maximum(size[owner, 0], 1)
    y = lowest[owner, 1] + within // np.maximum(size[owner, 0], 1)
    a, b, c = (corner[owner, k] for k in range(3))
    point = np.stack([x, y], axis=1)
    share = np.stack([_cross(c - b, point - b), _cross(a - c, point - c), _cross(b - a, point - a)])
    area = _cross(b - a, c - a)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (share / area).T
    met = (share >= -1e-9).all(axis=1)
    x, y, owner, share = x[met], y[met], owner[met], share[met]
    far = (share * depth[owner]).sum(axis=1)
    order = np.lexsort((far, y * columns + x))
    pixel = (y * columns + x)[order]
    nearest = order[np.r_[True, pixel[1:] != pixel[:-1]]] if len(order) else order
    uv = np.einsum("kc,kcd->kd", share[nearest], character.uv[owner[nearest]].astype(np.float64))
    sampled = sample(character.texture[..., :3], uv)
    picture = np.full((rows, columns, 3), BACKDROP, np.uint8)
    picture[y[nearest], x[nearest]] = sampled
    covered = np.zeros((rows, columns), np.float32)
    covered[y[nearest], x[nearest]] = 1
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    covered = cv2.resize(covered, (width, height), interpolation=cv2.INTER_AREA)
    return picture, covered > 0.5


def _cross(p: Float64, q: Float64) -> Float64:
    return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]


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
