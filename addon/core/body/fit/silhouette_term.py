"""How well a body's surface fills a silhouette, from both sides, for the fit.

Skin may not stick out of the person's outline; the outline lies on the skin or, with clothes and
hair, off it. Photo Wake-Up's warp starts from this body: what is missing here must be stretched
there.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ...numerics.least_squares import Residuals
from ...types import Camera, Float64, Mask
from ..model.body_model import BodyModel
from ..model.skinning import Skinned
from .fit_terms import projected, projected_derivatives

INSIDE_SIGMA_M = 0.012  # how far undressed skin may stick out of the silhouette
OUTLINE_SIGMA_M = 0.025  # how far tight clothes stand off the skin
OUTLIER_M = 0.08  # beyond this it is hair, a skirt, something that is carried
SILHOUETTE_WEIGHT = 40.0  # both sides together against one landmark
SURFACE_SAMPLES = 2000
OUTLINE_SAMPLES = 300
MASK_GRID_PX = 320  # the distance map's longer side
MARGIN_PX = 8  # of the map: over so many of its pixels beyond the photo the distance falls to zero
RIM_PX = 2  # so near to the photo's edge an outline is the photo's, not the person's
LEAST_FREE = 50  # points of an outline that the photo's edge must leave


def surface_samples(model: BodyModel, seed: int = 0) -> npt.NDArray[np.int64]:
    """Vertices spread evenly over the surface: faces and hands have more of them than they have
    area. The same ones for a seed.

    Parameters
    ----------
    model : BodyModel
        The body model.
    seed : int
        Of which vertices stand for the surface.

    Returns
    -------
    npt.NDArray[np.int64]
        (N,) vertices.
    """
    corners = model.template[model.faces].astype(np.float64)
    sides = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.linalg.norm(np.cross(*sides), axis=1)
    share = np.bincount(model.faces.ravel(), np.repeat(area, 3), len(model.template))
    count = min(SURFACE_SAMPLES, int((share > 0).sum()))
    rng = np.random.default_rng(seed)
    return rng.choice(len(share), count, replace=False, p=share / share.sum())


class SilhouetteTerm:
    """The term for one silhouette (H, W).

    The body's vertices from the `first` on are the surface's samples.
    """

    def __init__(self, mask: Mask, camera: Camera, first: int = 0) -> None:
        self._outside = DistanceOutside(mask)
        self._outline = _outline(mask)
        self._camera = camera
        self._first = first

    def __call__(
        self, body: Skinned, pixels_per_metre: float, derivatives: bool
    ) -> tuple[Residuals, Residuals]:
        """Residuals in metres at the body's depth: how far skin sticks out (M, 1), and from the
        outline to the nearest skin (K, 2)."""
        samples = body.vertices[self._first :]
        seen = projected(self._camera, samples)
        distance, slope = self._outside(seen)
        out = np.flatnonzero(distance > 0)
        _, nearest = cKDTree(seen).query(self._outline)
        gap = (seen[nearest] - self._outline) / pixels_per_metre

        out_by = gap_by = None
        if derivatives:
            used, back = np.unique(np.concatenate([out, nearest]), return_inverse=True)
            moved = body.vertex_derivatives(used + self._first)
            moved = projected_derivatives(self._camera, samples[used], moved) / pixels_per_metre
            out_by = np.einsum("mc,mcu->mu", slope[out], moved[back[: len(out)]])[:, None]
            gap_by = moved[back[len(out) :]]
        return (
            Residuals(
                distance[out, None] / pixels_per_metre,
                np.full(len(out), SILHOUETTE_WEIGHT / INSIDE_SIGMA_M**2 / len(samples)),
                out_by, OUTLIER_M,
            ),
            Residuals(
                gap, np.full(len(gap), SILHOUETTE_WEIGHT / OUTLINE_SIGMA_M**2 / len(gap)),
                gap_by, OUTLIER_M,
            ),
        )  # fmt: skip


class DistanceOutside:
    """The distance to a silhouette (H, W), pixels, as a twice differentiable function of place: a
    cubic B-spline whose coefficients are the distances on a coarse grid (Unser, Splines, 1999).

    Zero within. Beyond the photo nothing is known, so that what lies there is not outside of the
    person: the distance falls to zero along a margin.
    """

    def __init__(self, mask: Mask) -> None:
        height, width = mask.shape
        scale = min(1.0, MASK_GRID_PX / max(height, width))
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
        outside = cv2.distanceTransform((~small).astype(np.uint8), cv2.DIST_L2, 5) / scale
        fading = 1 - np.arange(1, MARGIN_PX + 1) / MARGIN_PX
        ramps = [np.concatenate([fading[::-1], np.ones(n), fading]) for n in outside.shape]
        padded = np.pad(outside.astype(np.float64), MARGIN_PX, mode="edge")
        self._coefficients = np.pad(padded * np.outer(*ramps), 2)
        self._scale = np.array(size) / (width, height)

    def __call__(self, pixels: Float64) -> tuple[Float64, Float64]:
        """(N,) distances at photo pixels (N, 2), and their slopes (N, 2)."""
        grid = (pixels + 0.5) * self._scale - 0.5 + MARGIN_PX + 2
        last = np.array(self._coefficients.shape[::-1]) - 3.0
        inside = ((grid >= 1) & (grid <= last)).all(axis=1)
        grid = np.clip(grid, 1, last)
        first = np.floor(grid).astype(np.int64)
        first = np.minimum(first, (last - 1).astype(np.int64))
        values, slopes = _cubic_weights(grid - first)
        rows = first[:, 1, None] + np.arange(-1, 3)
        columns = first[:, 0, None] + np.arange(-1, 3)
        taps = self._coefficients[rows[:, :, None], columns[:, None]]
        along_x = np.einsum("nrc,nc->nr", taps, values[:, 0])
        distance = np.einsum("nr,nr->n", along_x, values[:, 1])
        slope = np.stack(
            [
                np.einsum("nrc,nc,nr->n", taps, slopes[:, 0], values[:, 1]),
                np.einsum("nr,nr->n", along_x, slopes[:, 1]),
            ],
            axis=1,
        )
        return np.where(inside, distance, 0.0), np.where(inside[:, None], slope * self._scale, 0.0)


def _cubic_weights(t: Float64) -> tuple[Float64, Float64]:
    """(N, 2, 4) each: the uniform cubic B-spline's weights and their slopes at t (N, 2), 0..1."""
    s = 1 - t
    values = [s**3, 3 * t**3 - 6 * t**2 + 4, 3 * s**3 - 6 * s**2 + 4, t**3]
    slopes = [-3 * s**2, 9 * t**2 - 12 * t, 12 * s - 9 * s**2, 3 * t**2]
    return np.stack(values, axis=-1) / 6, np.stack(slopes, axis=-1) / 6


def _outline(mask: Mask) -> Float64:
    """(K, 2) points along the outline, without those where the photo cuts the person."""
    height, width = mask.shape
    outlines, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )  # fmt: skip
    outline = max(outlines, key=len)[:, 0].astype(np.float32)
    last = np.array([width - 1, height - 1], np.float32) - RIM_PX
    free = ((outline > RIM_PX) & (outline < last)).all(axis=1)
    outline = outline[free] if free.sum() > LEAST_FREE else outline
    return outline[:: max(1, len(outline) // OUTLINE_SAMPLES)].astype(np.float64)
