"""Closed and open surfaces with closed forms, as a camera sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from photo_wake_up.addon.core.character.outline import contour
from photo_wake_up.addon.core.character.surface.occluding_contour import Rim, rim_of

Array = np.ndarray
HALVINGS = 50  # of a ray: to the last bit
FIXED = 1e4  # a prior's weight that all but fixes the depth


@dataclass(frozen=True, eq=False)
class Seen:
    """What integration takes (see `normal_integration.integrate`) and the truth."""

    rays: Array
    focal: float
    depth: Array  # (s, h, w), NaN outside
    normal: Array  # (s, h, w, 3)
    inside: Array
    rim: Rim | None = None

    @property
    def relief(self) -> float:
        return float(np.nanmax(self.depth) - np.nanmin(self.depth))


def within(mask: Array) -> Array:
    """The mask without its outermost pixels."""
    inner = mask.copy()
    for axis in (0, 1):
        for step in (1, -1):
            inner &= np.roll(mask, step, axis=axis)
    return inner


def flattened(depth: Array, relief: float) -> Array:
    """Depths (s, h, w) drawn towards their mean, down to a share of the relief."""
    mean = np.nanmean(depth)
    return mean + (depth - mean) * relief


def rays_of(size: int, focal: float) -> Array:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.stack([x / focal, y / focal, np.ones((size, size))], axis=-1)


def sphere(size: int, focal: float, distance: float) -> Seen:
    """Fills the square but for two pixels."""
    rays = rays_of(size, focal)
    half = (size / 2 - 2) / focal
    radius = distance * half / np.sqrt(1 + half**2)
    length2 = (rays**2).sum(axis=-1)
    root = distance**2 - length2 * (distance**2 - radius**2)
    inside = root > 0
    side = np.array([-1.0, 1.0])[:, None, None]
    depth = (distance + side * np.sqrt(np.maximum(root, 0))) / length2
    normal = (rays * depth[..., None] - [0, 0, distance]) / radius
    angle = np.linspace(0, 2 * np.pi, 4 * size, endpoint=False)
    loop = (size - 1) / 2 + (size / 2 - 2) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    at_rim = np.full(len(loop), (distance**2 - radius**2) / distance)
    depth = np.where(inside, depth, np.nan)
    return Seen(rays, focal, depth, normal, inside, rim_of(inside, loop, at_rim))


def vase(size: int, focal: float, distance: float) -> Seen:
    """A surface of revolution with a neck and a belly and round ends."""
    pixel = distance / focal

    def height(point: Array) -> Array:
        y = point[..., 1] / (pixel * size)
        radius = 0.36 + 0.06 * np.sin(7 * y) - 0.05 * np.cos(12 * y)
        across = np.hypot(point[..., 0], point[..., 2] - distance) / (pixel * size * radius)
        return across**2 + (y / 0.48) ** 2 - 1

    return closed(size, focal, distance, height)


def closed(size: int, focal: float, distance: float, height: Callable[[Array], Array]) -> Seen:
    """Front and back of a body {height < 0} about (0, 0, distance) that every ray meets in one
    piece; `height` maps (..., 3) to (...) and is smooth."""
    rays = rays_of(size, focal)
    reach = distance * size / focal

    def at(depth: Array) -> Array:
        return height(rays * depth[..., None])

    # The deepest point along a ray, by ternary search.
    low, high = np.full((size, size), distance - reach), np.full((size, size), distance + reach)
    for _ in range(HALVINGS):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        nearer = at(a) < at(b)
        low, high = np.where(nearer, low, a), np.where(nearer, b, high)
    middle = (low + high) / 2
    inside = at(middle) < 0
    depth = []
    for side in (-1, 1):
        within, without = middle.copy(), np.full((size, size), distance + side * reach)
        for _ in range(HALVINGS):
            half = (within + without) / 2
            is_in = at(half) < 0
            within, without = np.where(is_in, half, within), np.where(is_in, without, half)
        depth.append(np.where(inside, within, np.nan))
    truth = np.stack(depth)
    points = rays * np.nan_to_num(truth, nan=distance)[..., None]
    step = 1e-5 * reach
    gradient = np.stack(
        [height(points + step * axis) - height(points - step * axis) for axis in np.eye(3)],
        axis=-1,
    )
    normal = gradient / np.linalg.norm(gradient, axis=-1, keepdims=True)
    loop = _outline(at(middle), inside)
    known = _bicubic(middle, *loop.T)
    return Seen(rays, focal, truth, normal, inside, rim_of(inside, loop, known))


def _outline(height: Array, inside: Array) -> Array:
    """(m, 2) points where the height over the picture is 0: of the mask's outline, each moved
    along the slope of a bicubic surface through the heights."""
    loop = contour.resample(contour.trace(inside.astype(np.float32)).outer, 1.0)
    for _ in range(8):
        x, y = loop.T
        value = _bicubic(height, x, y)
        slope = np.stack(
            [_bicubic(height, x + 0.5, y) - _bicubic(height, x - 0.5, y),
             _bicubic(height, x, y + 0.5) - _bicubic(height, x, y - 0.5)], axis=1,
        )  # fmt: skip
        loop = loop - value[:, None] * slope / (slope**2).sum(axis=1, keepdims=True)
    return loop


def _bicubic(values: Array, x: Array, y: Array) -> Array:
    return map_coordinates(values, [y, x], order=3, mode="nearest")


def tent(size: int, focal: float, distance: float) -> Seen:
    """Two opposite slopes of 45 degrees over a plane; their ends are upright steps, and ridge and
    feet run between pixels."""
    x = np.arange(size) - (size - 1) / 2
    pixel = distance / focal
    roof = np.maximum(size / 4 - np.abs(x), 0)
    there = np.abs(x)[:, None] < size / 4
    height = np.where(there, roof[None, :], 0.0)
    slope = np.where(there & (roof > 0)[None, :], np.sign(x)[None, :], 0.0)
    normal = np.stack([slope, np.zeros_like(slope), -np.ones_like(slope)], axis=-1)
    return _open(size, focal, distance - pixel * height, normal)


def ramp(size: int, focal: float, distance: float) -> Seen:
    """A slope of 30 degrees with a step of a sixteenth of the picture in its middle."""
    pixel = distance / focal
    x = np.arange(size) - (size - 1) / 2
    tan = np.tan(np.radians(30))
    height = np.broadcast_to(tan * x + np.where(x > 0, size / 16, 0), (size, size))
    normal = np.broadcast_to(np.array([-tan, 0.0, -1.0]), (size, size, 3))
    return _open(size, focal, distance - pixel * height, normal)


def _open(size: int, focal: float, depth: Array, normal: Array) -> Seen:
    unit = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    inside = np.zeros((size, size), bool)
    inside[2:-2, 2:-2] = True
    truth = np.where(inside, depth, np.nan)
    return Seen(rays_of(size, focal), focal, truth[None], unit[None], inside)
