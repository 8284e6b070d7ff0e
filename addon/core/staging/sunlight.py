"""Where a photo's sun stands, from how the person is shaded: Lambert's law and ambient light.

A pixel's luminance is albedo * (ambient + max(0, n . s)), n its normal and s towards the sun, times
the sun's strength. Albedos differ from garment to garment: each body part has one of its own, and
what does not fit (prints, hair, cast shadows) weighs less and less (Huber's weights).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import frames
from ..types import AnyArray, BodyMaps, Float64, Mask, Photo, UInt8

_ROUNDS = 30  # of albedos, lit pixels and weights in turn; most photos settle in ten
_MOST_PIXELS = 20_000  # evenly taken: four numbers need no more
_LEAST_FACING = 0.3  # cosine to the view: at the outline, body and photo are not the same surface
_LEAST_PIXELS = 200  # fewer give no information
_LEAST_SHADING = 0.05  # share of the luminance's variance below which the light is even
_LEAST_ELEVATION_DEG = 20.0  # lower, shadows run out of the picture
_HIGHEST_ELEVATION_DEG = 80.0  # higher, no one sees them
# Towards a sun as photographers place it: behind their left shoulder and high. Camera frame.
_USUAL = np.array([-0.45, -0.75, -0.5])
_LUMA = np.array([0.2126, 0.7152, 0.0722])  # Rec. 709, of linear colours


@dataclass(frozen=True)
class Sunlight:
    """A sun for the character."""

    direction: tuple[float, float, float]  # towards the sun, unit, camera frame
    measured: bool  # False: the light is even and the direction the usual one
    shading: float  # 0..1, share of the luminance's variance that the direction explains


def propose_sun(photo: Photo, mask: Mask, labels: UInt8, maps: BodyMaps) -> Sunlight:
    """The sun that shades the person, as far as the photo shows it.

    Parameters
    ----------
    photo : Photo
        The photo.
    mask : Mask
        (H, W), where the person is and which part each pixel shows (0: none).
    labels : UInt8
        (H, W), where the person is and which part each pixel shows (0: none).
    maps : BodyMaps
        The built body's normals.

    Returns
    -------
    Sunlight
        Camera frame.
    """
    rows, columns = np.nonzero(maps.mask)
    normals = maps.front.normal[rows, columns].astype(np.float64)
    places = frames.photo_from_grid(maps.crop, np.stack([columns, rows], axis=1).astype(np.float64))
    x, y = np.rint(places).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < photo.width) & (y < photo.height)
    inside &= np.isfinite(normals).all(axis=1)
    x, y, normals = x[inside], y[inside], normals[inside]
    kept = mask[y, x] & (labels[y, x] > 0) & (normals[:, 2] < -_LEAST_FACING)
    x, y, normals = x[kept], y[kept], normals[kept]
    step = max(1, len(x) // _MOST_PIXELS)
    x, y, normals = x[::step], y[::step], normals[::step]
    encoded = photo.rgb[y, x].astype(np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return fit_sun(normals, linear @ _LUMA, labels[y, x].astype(np.int64))


def fit_sun(normals: Float64, luminance: Float64, parts: AnyArray) -> Sunlight:
    """The direction by weighted least squares, part by part of one albedo.

    Parameters
    ----------
    normals : Float64
        (N, 3), unit, camera frame.
    luminance : Float64
        (N,), linear.
    parts : AnyArray
        (N,) whole numbers.

    Returns
    -------
    Sunlight
        Camera frame; the usual direction if the pixels give no information.

    Raises
    ------
    ValueError
        If the counts differ.
    """
    if not len(normals) == len(luminance) == len(parts):
        raise ValueError("Each pixel needs a normal, a luminance and a part.")
    usual = _USUAL / np.linalg.norm(_USUAL)
    if len(normals) < _LEAST_PIXELS:
        return Sunlight(tuple(usual.tolist()), False, 0.0)
    names, group = np.unique(parts, return_inverse=True)
    relative = luminance / np.maximum(_medians(luminance, group, len(names)), 1e-4)[group]
    weights = np.ones(len(normals))
    albedo = np.ones(len(names))
    lit = np.ones(len(normals), bool)
    light = np.zeros(4)
    for _ in range(_ROUNDS):
        basis = np.concatenate([np.ones((len(normals), 1)), normals * lit[:, None]], axis=1)
        scaled = basis * albedo[group][:, None] * weights[:, None]
        light = np.linalg.lstsq(scaled, relative * weights, rcond=None)[0]
        lit = normals @ light[1:] > 0
        model = np.maximum(light[0], 0.05) + np.maximum(normals @ light[1:], 0.0)
        albedo = np.maximum(_medians(relative / model, group, len(names)), 0.05)
        error = relative - albedo[group] * model
        scale = 1.4826 * np.median(np.abs(error)) + 1e-6
        weights = np.sqrt(np.minimum(1.0, 1.345 * scale / np.maximum(np.abs(error), 1e-9)))
    flat = relative - _medians(relative, group, len(names))[group]
    squares = float(np.sum(weights * flat**2))
    shading = 1 - float(np.sum(weights * error**2)) / squares if squares > 1e-9 else 0.0
    length = float(np.linalg.norm(light[1:]))
    if shading < _LEAST_SHADING or length < 1e-6:
        return Sunlight(tuple(usual.tolist()), False, max(shading, 0.0))
    return Sunlight(tuple((light[1:] / length).tolist()), True, shading)


def for_shadows(direction: Float64) -> Float64:
    """(3,): the direction in the world frame, raised or lowered to where its shadow falls within
    sight.

    Parameters
    ----------
    direction : Float64
        (3,), towards the sun, world frame, not zero.

    Returns
    -------
    Float64
        (3,), unit.
    """
    across = direction[:2] / max(float(np.linalg.norm(direction[:2])), 1e-9)
    elevation = np.degrees(np.arcsin(np.clip(direction[2] / np.linalg.norm(direction), -1, 1)))
    kept = np.radians(np.clip(elevation, _LEAST_ELEVATION_DEG, _HIGHEST_ELEVATION_DEG))
    return np.append(across * np.cos(kept), np.sin(kept))


def _medians(values: Float64, group: AnyArray, count: int) -> Float64:
    """(count,): the median of each group's values."""
    return np.array([np.median(values[group == number]) for number in range(count)])
