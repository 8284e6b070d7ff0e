"""A soft edge for a silhouette, and the person's own colours behind it.

Levin, Lischinski, Weiss, A Closed-Form Solution to Natural Image Matting (2008), in a band around
the outline; Germer et al., Fast Multi-Level Foreground Estimation (2020). Both from PyMatting.
"""

from __future__ import annotations

import cv2
import numpy as np

from ...imaging.fill_nearest import fill_nearest
from ...types import AnyArray, Float32, Mask, UInt8

BAND_SHARE = 0.005  # half width of the open band over the person's size
LONGEST_SIDE_PX = 900  # the matte is solved at most at this size of the person's window
LEAK = 0.1  # opacity; measured on rendered people, whose opacity is known
SOLID = 0.98  # opacity from which a pixel is the person's alone
FARTHEST_SHIFT = 0.45  # how far from the silhouette's one half the matte may move its edge


def estimate(rgb: UInt8, mask: Mask) -> Float32:
    """(H, W) float32 opacity 0..1: the mask with a soft edge along the picture's own.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    mask : Mask
        (H, W).

    Returns
    -------
    Float32
        (H, W).
    """
    window = _window(mask)
    if window is None:
        return mask.astype(np.float32)
    y0, y1, x0, x1 = window
    size = max(y1 - y0, x1 - x0)
    scale = min(1.0, LONGEST_SIDE_PX / size)
    shape = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    colours = cv2.resize(rgb[y0:y1, x0:x1], shape, interpolation=cv2.INTER_AREA)
    soft = cv2.resize(mask[y0:y1, x0:x1].astype(np.float32), shape, interpolation=cv2.INTER_AREA)
    radius = max(2, round(BAND_SHARE * size * scale))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    binary = (soft >= 0.5).astype(np.uint8)
    inner, outer = cv2.erode(binary, disc), cv2.dilate(binary, disc)
    # Limbs thinner than the band keep a core, else nothing would hold them.
    core = cv2.distanceTransform(binary, cv2.DIST_L2, 5)
    ridge = (core >= cv2.dilate(core, np.ones((3, 3)))) & (core > 1.5)
    trimap = np.full(binary.shape, 0.5)
    trimap[(inner > 0) | ridge] = 1.0
    trimap[outer == 0] = 0.0
    # Without a known colour nearby its opacities leak: a tenth at either end is none at all.
    alpha = np.clip((_closed_form(colours, trimap) - LEAK) / (1 - 2 * LEAK), 0, 1)
    # The silhouette was decided with more knowledge than a matte has: it may only be softened.
    steered = np.clip(alpha, soft - FARTHEST_SHIFT, soft + FARTHEST_SHIFT)
    full = np.zeros(mask.shape, np.float32)
    full[y0:y1, x0:x1] = cv2.resize(
        np.clip(steered, 0, 1).astype(np.float32), (x1 - x0, y1 - y0),
        interpolation=cv2.INTER_LINEAR,
    )  # fmt: skip
    return full


def _closed_form(colours: UInt8, trimap: AnyArray) -> AnyArray:
    from pymatting import cf_laplacian
    from scipy.sparse import diags
    from scipy.sparse.linalg import splu

    height, width = trimap.shape
    known = (trimap != 0.5).ravel()
    laplacian = cf_laplacian(
        colours.astype(np.float64) / 255, epsilon=1e-6, is_known=known.reshape(height, width)
    ).tocsr()
    free = np.nonzero(~known)[0]
    if len(free) == 0:
        return trimap
    rows = laplacian[free]
    # A small pull to the trimap's one half keeps pixels whole that nothing touches.
    system = rows[:, free] + diags(np.full(len(free), 1e-6))
    load = -rows[:, np.nonzero(known)[0]] @ trimap.ravel()[known] + 0.5e-6
    alpha = trimap.ravel().copy()
    alpha[free] = splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A").solve(load)
    return np.clip(alpha, 0, 1).reshape(height, width)


def foreground(rgb: UInt8, opacity: Float32) -> UInt8:
    """(H, W, 3) uint8: the person's colours, the old background taken out of the soft edge.

    Outside of the person's window the photo's own colours are left.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.
    opacity : Float32
        (H, W) 0..1.

    Returns
    -------
    UInt8
        (H, W, 3).
    """
    from pymatting import estimate_foreground_ml

    window = _window(opacity > 0.02)
    if window is None:
        return rgb.copy()
    y0, y1, x0, x1 = window
    part = rgb[y0:y1, x0:x1].astype(np.float32) / 255
    share = opacity[y0:y1, x0:x1].astype(np.float32)
    clean = _with_sure_neighbours(estimate_foreground_ml(part, share), share)
    result = rgb.copy()
    result[y0:y1, x0:x1] = np.clip(clean * 255 + 0.5, 0, 255).astype(np.uint8)
    # Where the person is solid the photo is right to the last bit.
    solid = opacity > SOLID
    result[solid] = rgb[solid]
    return result


def _with_sure_neighbours(colours: Float32, opacity: Float32) -> Float32:
    """Colours (h, w, 3) drawn towards the nearest solid pixel's the less of a pixel is the person:
    dividing by a small opacity makes errors large, and lenses and sharpening darken or lighten
    exactly there (Photo Wake-Up gives the whole rim its nearest inner colour)."""
    solid = opacity > SOLID
    if not solid.any():
        return colours
    smooth = cv2.boxFilter(colours * solid[..., None], -1, (3, 3), normalize=False)
    count = cv2.boxFilter(solid.astype(np.float32), -1, (3, 3), normalize=False)
    inner = fill_nearest(smooth / np.maximum(count, 1)[..., None], solid)
    own = (opacity**2)[..., None]
    return np.where(solid[..., None], colours, own * colours + (1 - own) * inner)


def _window(mask: Mask) -> tuple[int, int, int, int] | None:
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return None
    margin = int(0.03 * max(np.ptp(rows), np.ptp(columns))) + 6
    return (
        max(0, int(rows.min()) - margin), min(mask.shape[0], int(rows.max()) + margin + 1),
        max(0, int(columns.min()) - margin), min(mask.shape[1], int(columns.max()) + margin + 1),
    )  # fmt: skip
