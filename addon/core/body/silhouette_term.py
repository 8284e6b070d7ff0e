"""How well a body's surface fills a silhouette, from both sides, for the fit.

Skin may not stick out of the person's outline; the outline lies on the skin or, with clothes and
hair, off it. Photo Wake-Up's warp starts from this body: what is missing here must be stretched
there.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ..types import Float32, Mask
from .model import BodyModel
from .robust import geman_mcclure

INSIDE_SIGMA_M = 0.012  # how far undressed skin may stick out of the silhouette
OUTLINE_SIGMA_M = 0.025  # how far tight clothes stand off the skin
OUTLIER_M = 0.08  # beyond this it is hair, a skirt, something that is carried
SILHOUETTE_WEIGHT = 40.0  # both sides together against one landmark
SURFACE_SAMPLES = 2000
OUTLINE_SAMPLES = 300
MASK_GRID_PX = 320  # the distance map's longer side
RIM_PX = 2  # so near to the photo's edge an outline is the photo's, not the person's
LEAST_FREE = 50  # points of an outline that the photo's edge must leave


def surface_samples(model: BodyModel) -> npt.NDArray[np.int64]:
    """Vertices spread evenly over the surface: faces and hands have more of them than they have
    area. Always the same ones."""
    corners = model.template[model.faces].astype(np.float64)
    sides = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.linalg.norm(np.cross(*sides), axis=1)
    share = np.bincount(model.faces.ravel(), np.repeat(area, 3), len(model.template))
    count = min(SURFACE_SAMPLES, int((share > 0).sum()))
    rng = np.random.default_rng(0)
    return rng.choice(len(share), count, replace=False, p=share / share.sum())


class SilhouetteTerm:
    """The term for one silhouette (H, W)."""

    def __init__(self, mask: Mask) -> None:
        height, width = mask.shape
        scale = min(1.0, MASK_GRID_PX / max(height, width))
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
        outside = cv2.distanceTransform((~small).astype(np.uint8), cv2.DIST_L2, 5) / scale
        self._outside = torch.from_numpy(outside.astype(np.float32))[None, None]
        self._size = (width, height)
        self._outline = torch.from_numpy(_outline(mask))

    def __call__(self, surface: torch.Tensor, metre: torch.Tensor) -> torch.Tensor:
        """surface (N, 2) in photo pixels; metre: one metre at the body, in pixels."""
        width, height = self._size
        scaled = torch.stack(
            [surface[:, 0] / (width - 1) * 2 - 1, surface[:, 1] / (height - 1) * 2 - 1], dim=-1
        )
        # Beyond the photo nothing is known: what lies there is not outside of the person.
        within = (scaled.abs() <= 1).all(dim=-1)
        distance = torch.nn.functional.grid_sample(
            self._outside, scaled[None, None], align_corners=True, padding_mode="border"
        )[0, 0, 0]
        out = geman_mcclure((distance / metre).square(), OUTLIER_M) / INSIDE_SIGMA_M**2
        gap = torch.cdist(self._outline, surface).min(dim=1).values / metre
        open_ = geman_mcclure(gap.square(), OUTLIER_M) / OUTLINE_SIGMA_M**2
        return SILHOUETTE_WEIGHT * ((out * within).mean() + open_.mean())


def _outline(mask: Mask) -> Float32:
    """(K, 2) points along the outline, without those where the photo cuts the person."""
    height, width = mask.shape
    outlines, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )  # fmt: skip
    outline = max(outlines, key=len)[:, 0].astype(np.float32)
    last = np.array([width - 1, height - 1], np.float32) - RIM_PX
    free = ((outline > RIM_PX) & (outline < last)).all(axis=1)
    outline = outline[free] if free.sum() > LEAST_FREE else outline
    return np.ascontiguousarray(outline[:: max(1, len(outline) // OUTLINE_SAMPLES)])
