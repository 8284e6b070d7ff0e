"""The plate: the photo without the person."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..imaging.inpainting import complete
from ..imaging.masks import dilated_by_disc
from ..photo.transparency import is_cut_out, studio_backdrop
from ..types import Background, Mask, Photo, Progress
from .plate_networks import PlateNetwork
from .shadows import cast_shadow

# The hole reaches this far beyond the person's outline: hair, soft edges, motion blur.
MARGIN_SHARE = 0.015  # of the person's larger extent
LEAST_MARGIN_PX = 3
SHADOW_MARGIN_PX = 2  # around a shadow, which is found at a lower resolution


def fill_background(
    photo: Photo,
    person: Mask,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    shadow: bool = True,
    network: PlateNetwork | None = None,
) -> Background:
    """Fill what the person hides; the photo's pixels are kept everywhere else.

    A photo that is a cut-out (nearly all transparent around the person) gets a plain grey backdrop.

    Parameters
    ----------
    photo : Photo
        The photo.
    person : Mask
        (H, W) bool, everyone who is to leave the picture.
    seed : int
        Of PatchMatch.
    progress : Callable[[Progress], None] | None
        Receives how far it has come; may raise to stop it.
    shadow : bool
        Whether the shadow that they cast leaves it too; frame 1 keeps it (`still`).
    network : PlateNetwork | None
        What fills in place of PatchMatch.

    Returns
    -------
    Background
        The plate, the hole, and what stands behind frame 1.
    """

    def report(fraction: float) -> None:
        if progress is not None:
            progress(Progress(fraction, "Filling the background"))

    hole = grown(person)
    if is_cut_out(photo.alpha, person):
        backdrop = studio_backdrop(photo.height, photo.width)
        rgb = np.where(hole[..., None], backdrop, photo.rgb)
        return Background(rgb, hole, rgb)
    if not hole.any():
        return Background(photo.rgb.copy(), hole, photo.rgb.copy())
    if hole.all():
        backdrop = studio_backdrop(photo.height, photo.width)
        return Background(backdrop, hole, backdrop)
    if shadow:
        with_shadow = hole | dilated_by_disc(cast_shadow(photo.rgb, person), SHADOW_MARGIN_PX)
        hole = hole if with_shadow.all() else with_shadow
    if network is None:
        filled = complete(photo.rgb, hole, np.random.default_rng(seed), report)
    else:
        filled = network.fill(photo.rgb, hole)
        report(1.0)
    return Background(filled, hole, np.where(person[..., None], filled, photo.rgb))


def grown(person: Mask) -> Mask:
    """The hole to fill: the person and a margin around.

    Parameters
    ----------
    person : Mask
        (H, W).

    Returns
    -------
    Mask
        (H, W).
    """
    rows, columns = np.nonzero(person)
    if len(rows) == 0:
        return person.copy()
    extent = max(np.ptp(rows), np.ptp(columns))
    radius = max(LEAST_MARGIN_PX, round(MARGIN_SHARE * extent))
    return dilated_by_disc(person, radius)
