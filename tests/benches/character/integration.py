"""Integration of normals: errors on surfaces with closed forms, times, and DiLiGenT's objects.

The surfaces fill the square as a sphere does. Closed ones are solved as characters are, front and
back together about the true depth as a prior, and once more from a flattened one without weight,
where the outline's depth alone places the surface. Times are those of a flattened prior. The tent
is also solved from its edge's depth and nothing else, where steps have to be found: told without a
bar, as are DiLiGenT's objects.
"""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from ....addon.core.character.surface.inflation import least_thickness
from ....addon.core.character.surface.layer_reconstruction import DEPTH_PRIOR_WEIGHT
from ....addon.core.character.surface.normal_integration import Integrated, integrate
from ...core import analytic_surfaces as analytic
from ..photos import DATA
from ..rows import Row, at_most, row

SIZE = 512  # pixels, the least that characters are made at
RELIEF_PERCENT = 0.2
SECONDS = {512: 1.0, 1024: 4.0}
RUNS = 3  # the quickest counts: other work on the machine only adds
LENSES = {"near": 2.0, "long": 50.0}  # focal lengths in picture sides
TENT_REWEIGHTINGS = 10
DILIGENT = ("bear", "reading")
DILIGENT_REWEIGHTINGS = (0, 8)

FLATTENED = 0.8  # of the relief, as a body under wider clothes

Array = np.ndarray


def rows(out: Path) -> list[Row]:
    result = []
    for lens, focal in LENSES.items():
        for shape in (analytic.sphere, analytic.vase):
            seen = shape(SIZE, focal * SIZE, 2.0 * focal)
            for title, weight, relief in (
                ("", DEPTH_PRIOR_WEIGHT, 1.0),
                (", rim alone", 0.0, FLATTENED),
            ):
                found = _closed(seen, weight, relief)
                result.append(_relief(f"{shape.__name__}, {lens} lens{title}", seen, found))
                crossing = int(np.nansum(found.depth[0] > found.depth[1]))
                result.append(at_most("  pixels where the sheets cross", 0, crossing))
    tent = analytic.tent(SIZE, 1e5, 100.0)
    fixed = tent.inside & ~analytic.within(tent.inside)
    found = integrate(
        tent.normal.astype(np.float32), tent.inside, tent.rays, tent.focal,
        np.where(fixed, tent.depth, np.nanmax(tent.depth)), analytic.FIXED * fixed,
        reweightings=TENT_REWEIGHTINGS,
    )  # fmt: skip
    result.append({**_relief("tent, edge alone", tent, found), "bar": "", "met": None})
    for shape in (analytic.tent, analytic.ramp):
        seen = shape(SIZE, 1e5, 100.0)
        found = integrate(
            seen.normal.astype(np.float32), seen.inside, seen.rays, seen.focal, seen.depth,
            DEPTH_PRIOR_WEIGHT,
        )  # fmt: skip
        result.append(_relief(f"{shape.__name__}, steps known", seen, found))
    result += [_seconds(size, bar) for size, bar in SECONDS.items()]
    for name in DILIGENT:
        if (DATA / "normals" / f"{name}_depth_gt.npz").is_file():
            result += _diligent(name)
    return result


def _closed(seen: analytic.Seen, weight: float, relief: float) -> Integrated:
    to_rim = cv2.distanceTransform(seen.inside.astype(np.uint8), cv2.DIST_L2, 5) - 0.5
    pixel = float(np.nanmean(seen.depth)) / seen.focal
    return integrate(
        seen.normal.astype(np.float32), seen.inside, seen.rays, seen.focal,
        analytic.flattened(seen.depth, relief), weight, seen.rim, least_thickness(to_rim * pixel),
    )  # fmt: skip


def _relief(name: str, seen: analytic.Seen, found: Integrated) -> Row:
    error = float(np.nanmean(np.abs(found.depth - seen.depth))) / seen.relief * 100
    return at_most(f"integration, {name}: % of relief", RELIEF_PERCENT, error)


def _seconds(size: int, bar: float) -> Row:
    seen = analytic.sphere(size, 2.0 * size, 4.0)
    taken = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        _closed(seen, DEPTH_PRIOR_WEIGHT, FLATTENED)
        taken.append(time.perf_counter() - begun)
    return at_most(f"integration, front and back at {size}: s", bar, min(taken))


def _diligent(name: str) -> list[Row]:
    """Depth is known up to a scale: the one that brings the logarithms' medians together."""
    folder = DATA / "normals"
    with np.load(folder / f"{name}_depth_gt.npz") as fields:
        truth = fields["depth_gt"].astype(np.float64)
    matrix = np.loadtxt(folder / f"{name}_K.txt")
    picture = cv2.imread(str(folder / f"{name}_normal.png"), cv2.IMREAD_UNCHANGED)[..., 2::-1]
    mask = cv2.imread(str(folder / f"{name}_mask.png"), cv2.IMREAD_GRAYSCALE) > 0
    top = float(np.iinfo(picture.dtype).max)
    # The file's y is up and its z towards the camera.
    normal = (picture / top * 2 - 1) * [1, -1, -1]
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    rays = np.stack(
        [(x - matrix[0, 2]) / matrix[0, 0], (y - matrix[1, 2]) / matrix[1, 1], np.ones(mask.shape)],
        axis=-1,
    )
    mask &= np.isfinite(truth)
    result = []
    for rounds in DILIGENT_REWEIGHTINGS:
        found = integrate(
            normal[None].astype(np.float32), mask, rays, float(matrix[0, 0]),
            np.full((1, *mask.shape), float(np.nanmean(truth))), 0.0, reweightings=rounds,
        ).depth[0]  # fmt: skip
        found = found * np.exp(np.nanmedian(np.log(truth[mask] / found[mask])))
        error = float(np.abs(found - truth)[mask].mean())
        angle = _angle(_normals(rays, found), _normals(rays, truth))
        title = f"integration, {name}, {rounds} reweightings"
        result.append(row(f"{title}: depth, mm", "", error, None))
        result.append(row(f"{title}: normals, deg", "", angle, None))
    return result


def _normals(rays: Array, depth: Array) -> Array:
    points = rays * depth[..., None]
    normal = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1))
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def _angle(a: Array, b: Array) -> float:
    """Mean angle in degrees where both are known."""
    cosine = (a * b).sum(axis=-1)
    return float(np.degrees(np.arccos(np.clip(cosine[np.isfinite(cosine)], -1, 1))).mean())
