"""Where a person's shadow lies on the ground.

A cast shadow is the ground with less light: darker than the ground beside it, in nearly the same
colour, and it begins at the feet (the cues that Finlayson et al., "On the Removal of Shadows from
Images", PAMI 2006, and Guo, Dai, Hoiem, "Single-Image Shadow Detection", CVPR 2011, rest on).
Pictures are taken level, so what the ground looks like in the light is given by its own rows.
Conservative: what is not certainly a shadow is left to the picture.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..imaging.masks import dilated_by_disc
from ..types import Float32, Mask, UInt8

WORKING_SIDE_PX = 512  # longer side that shadows are looked for at; their edges are soft
FEET_SHARE = 0.14  # of the person's height, from below: where it meets its shadow
REACH_SHARE = 0.03  # of the height: how far from the feet a shadow may begin
GROUND_SHARE = 1.0  # of the height above the lowest foot: how far up ground and wall are looked at
ASIDE_SHARE = 1.3  # of the height, to each side: what of a row shows the ground's own look
LEAST_KNOWN = 24  # pixels of a row that must be known for it to be informative
LEAST_DARKENING = 0.16  # of log light; less is texture, or not worth the filling
MOST_DARKENING = 2.2  # of log light; more is no shadow by day but something black
TEXTURE_FACTOR = 2.0  # deviations of a row's own texture that a shadow must exceed
LEAST_TINT = 0.12  # of log red/green and blue/green: noise, light from coloured things
# A shadow loses the sun's light and keeps the sky's: red may fall and blue may rise against green,
# the more the darker it is.
RED_FALL, BLUE_RISE = 0.5, 0.4  # of the darkening
LARGEST_SHARE = 0.5  # of the person's own area; more is a dark floor
MOST_UNEVEN = 0.75  # deviation over mean of the darkening in one shadow; more is several things
LEAST_AREA_SHARE = 0.002  # of the person's area
EDGE_SHARE = 0.03  # of the height: the soft edge around what is certainly dark


def cast_shadow(rgb: UInt8, person: Mask) -> Mask:
    """(H, W) bool: the shadow that the person casts on the ground, its soft edge included.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3) uint8, sRGB.
    person : Mask
        (H, W) bool, everyone who casts one. Empty where there is none that is sure. No pixel
        of the person has any influence. The person is not part of it.

    Returns
    -------
    Mask
        (H, W).
    """
    height, width = person.shape
    scale = min(1.0, WORKING_SIDE_PX / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(person.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    found = np.zeros(small.shape, bool)
    figures, seen = cv2.connectedComponents((small >= 0.5).astype(np.uint8))
    if figures > 1:
        light = _light(rgb, person, size)
        for number in range(1, figures):
            found |= _of_figure(light, small > 0, seen == number)
    full = cv2.resize(found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return (full >= 0.5) & ~person


def _light(rgb: UInt8, person: Mask, size: tuple[int, int]) -> Float32:
    """(h, w, 3) log of linear light, of the known pixels alone."""
    linear = (rgb.astype(np.float32) / 255) ** 2.2 * ~person[..., None]
    known = cv2.resize((~person).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    known, total = (cv2.GaussianBlur(a, (0, 0), 1.0) for a in (known, total))
    # One grey level in a hundred: black has no colour to compare.
    return np.log(total / np.maximum(known, 1e-3)[..., None] + 0.003).astype(np.float32)


def _of_figure(light: Float32, person: Mask, figure: Mask) -> Mask:
    """The shadow of one connected figure; light (h, w, 3), person: everyone."""
    rows, columns = np.nonzero(figure)
    tall = int(np.ptp(rows)) + 1
    nothing = np.zeros_like(figure)
    if rows.max() >= len(figure) - 1:  # cut off by the picture's edge: no feet to begin at
        return nothing
    top = max(int(rows.max() - GROUND_SHARE * tall), 0)
    aside = int(ASIDE_SHARE * tall)
    left, right = max(int(columns.min()) - aside, 0), int(columns.max()) + 1 + aside
    feet = figure.copy()
    feet[: int(rows.max() - FEET_SHARE * tall)] = False
    near = dilated_by_disc(feet, max(round(REACH_SHARE * tall), 2)) & ~person
    darkening, threshold, tinted = _against_rows(light[top:, left:right], ~person[top:, left:right])
    sure, soft = nothing.copy(), nothing.copy()
    box = slice(top, None), slice(left, right)
    dark = (darkening > threshold) & (darkening < MOST_DARKENING) & ~tinted & ~person[box]
    sure[box] = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))) > 0
    soft[box] = (darkening > LEAST_DARKENING / 4) & ~tinted & ~person[box]
    amount = np.zeros(figure.shape, np.float32)
    amount[box] = darkening
    # A shadow goes on behind the legs: what lies on both sides of them is one.
    _count, pieces = cv2.connectedComponents((sure & ~person).astype(np.uint8))
    shadow = nothing.copy()
    for number in np.unique(pieces[near & sure]):
        piece = pieces == number
        values = amount[piece]
        area = int(piece.sum())
        if (
            number == 0
            or not LEAST_AREA_SHARE * len(rows) <= area <= LARGEST_SHARE * len(rows)
            or values.std() > MOST_UNEVEN * values.mean()
        ):
            continue
        shadow |= piece
    edge = max(round(EDGE_SHARE * tall), 2)
    return shadow | (dilated_by_disc(shadow, edge) & (soft | dilated_by_disc(shadow, 1)) & ~person)


def _against_rows(light: Float32, known: Mask) -> tuple[Float32, Float32, Mask]:
    """How much darker than its row each pixel is, what a row's texture excuses, other colours.

    light : (h, w, 3) log; returns (h, w) log, (h, 1) log, (h, w) bool
    """
    values = np.where(known[..., None], light, np.nan)
    told = known.sum(1) >= LEAST_KNOWN
    usual = np.zeros((len(light), 3), np.float32)
    texture = np.full(len(light), np.inf, np.float32)
    usual[told] = np.nanmedian(values[told], axis=1)
    off = light - usual[:, None]
    brightness = off.mean(2)
    deviation = np.where(known, np.abs(brightness), np.nan)[told]
    texture[told] = 1.4826 * np.nanmedian(deviation, axis=1)
    threshold = np.maximum(LEAST_DARKENING, TEXTURE_FACTOR * texture)[:, None]
    red, blue = off[..., 0] - off[..., 1], off[..., 2] - off[..., 1]
    more = np.maximum(-brightness, 0)
    tinted = (red > LEAST_TINT) | (red < -LEAST_TINT - RED_FALL * more)
    tinted |= (blue < -LEAST_TINT) | (blue > LEAST_TINT + BLUE_RISE * more)
    return -brightness, threshold, tinted
