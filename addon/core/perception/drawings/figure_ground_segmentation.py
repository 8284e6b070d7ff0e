"""A figure cut out of a box without any network: drawings, paintings, cartoons, sculptures.

Three hypotheses, from the most to the least that the picture has to be like: a figure on plain
paper; strokes on paper in uneven light, which enclose the figure (adaptive threshold, closing and
filling, after Smith et al., A Method for Animating Children's Drawings of the Human Figure, 2023);
anything else, by colour mixtures (GrabCut, Rother et al. 2004).
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes

from ...errors import PersonError
from ...imaging.masks import largest_component
from ...imaging.seeded_opencv import grab_cut
from ...photo.transparency import OPAQUE, is_cut_out
from ...types import Float32, Mask, Photo, UInt8

WORKING_SIDE_PX = 700  # longer side of the box's picture that is worked on
RING_SHARE = 0.03  # of the box: along its border the paper is expected
PAPER_ROUNDS = 6  # of fitting the paper's light
LEAST_INK = 9.0  # difference of CIELAB lightness or colour from the paper that can be ink
INK_DEVIATIONS = 5.0  # and in robust deviations of the paper's own grain
PLAIN_SHARE = 0.96  # of what is not the figure is paper, where the paper is plain
MOST_LOST_INK = 0.12  # share of the ink that is not the figure's, where the paper is plain
MOST_AT_BORDER = 0.02  # share of the box's border that a figure may touch without being doubted
STROKE_SHARE = 0.04  # widest stroke over the box's longer side
LEAST_STROKE_INK, MOST_STROKE_INK = 0.002, 0.3  # share of the box
DARKEST_PAPER = 110  # 8-bit CIELAB lightness
OWN_INK_SHARE = 0.6  # of all ink that belongs to the figure, where strokes are a drawing
SOLID_SHARE = 0.8  # of a figure that is ink where it is painted, not drawn
GAP_STROKES = (1.0, 2.0, 4.0)  # gaps in an outline that are closed, in stroke widths
ENCLOSED_ENOUGH = 0.05  # share of the box that a larger gap has to win
LEAST_LIMB_SHARE = 0.02  # of the figure's height: thinner limbs, drawn as lines, get this width
SMALLEST_FIGURE = 0.01  # share of the box
CUT_SIDE_PX = 420  # longer side for graph cuts: without hints they take long
CUT_ROUNDS = 5
FULL_BOX_SHARE = 0.96  # a box this large leaves no background around itself
MOST_OPAQUE_AT_BORDER = 0.4  # share of a box's border that a figure which was cut out may touch
SMALLEST_GAP = 0.0008  # of the person's box area: smaller gaps in the mask are filled
EDGE_RING_SHARE = 0.02  # taken for background within such a box


def outline_in_box(photo: Photo, box: Float32, seed: int = 0) -> Mask:
    """(H, W) bool: the figure in a box (4,) that no network sees, by transparency or colours.

    Parameters
    ----------
    photo : Photo
        The photo.
    box : Float32
        (4,) x0 y0 x1 y1, photo pixels.
    seed : int
        As in `segment_in_box`.

    Returns
    -------
    Mask
        (H, W).

    Raises
    ------
    PersonError
        If there is none.
    """
    if photo.alpha is not None:
        x0, y0, x1, y1 = np.rint(box).astype(int)
        opaque = photo.alpha[y0 : y1 + 1, x0 : x1 + 1] >= OPAQUE
        border = np.concatenate([opaque[0], opaque[-1], opaque[:, 0], opaque[:, -1]])
        within = np.zeros(photo.alpha.shape, bool)
        within[y0 : y1 + 1, x0 : x1 + 1] = opaque
        figure = solid(within, box)
        if border.mean() <= MOST_OPAQUE_AT_BORDER and is_cut_out(photo.alpha, figure):
            return figure
    return segment_in_box(photo.rgb, box, seed)


def segment_in_box(rgb: UInt8, box: Float32, seed: int = 0) -> Mask:
    """The figure in a box.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3) uint8.
    box : Float32
        (4,) x0 y0 x1 y1, photo pixels.
    seed : int
        Of the colour mixtures' first clusters.

    Returns
    -------
    Mask
        (H, W) bool, one piece.

    Raises
    ------
    PersonError
        If nothing stands out in the box.
    """
    height, width = rgb.shape[:2]
    x0, y0 = np.clip(np.floor(box[:2]).astype(int), 0, [width - 1, height - 1])
    x1, y1 = np.clip(np.ceil(box[2:]).astype(int) + 1, [x0 + 1, y0 + 1], [width, height])
    part = rgb[y0:y1, x0:x1]
    scale = min(1.0, WORKING_SIDE_PX / max(part.shape[:2]))
    size = (max(2, round(part.shape[1] * scale)), max(2, round(part.shape[0] * scale)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    figure = _on_plain_paper(small)
    if figure is None or _at_border(figure) > MOST_AT_BORDER:
        # What reaches the border may be a shadow on the paper: strokes know nothing of shadows.
        drawn = _of_strokes(small)
        if drawn is not None and (figure is None or _at_border(drawn) < _at_border(figure) / 2):
            figure = drawn
    if figure is None:
        figure = _by_colours(rgb, (x0, y0, x1, y1), size, seed)
    if figure.mean() < SMALLEST_FIGURE or figure.mean() > 1 - SMALLEST_FIGURE / 4:
        raise PersonError(
            "Nothing stands out in the box: draw it closely around the figure, or paint the mask."
        )
    wide = cv2.resize(
        figure.astype(np.float32), (x1 - x0, y1 - y0),
        interpolation=cv2.INTER_LINEAR if scale < 1 else cv2.INTER_NEAREST,
    )  # fmt: skip
    mask = np.zeros((height, width), bool)
    mask[y0:y1, x0:x1] = wide >= 0.5
    return largest_component(mask)


def _at_border(figure: Mask) -> float:
    """Share of the picture's border that a figure (h, w) touches."""
    border = np.concatenate([figure[0], figure[-1], figure[:, 0], figure[:, -1]])
    return float(border.mean())


def _on_plain_paper(small: UInt8) -> Mask | None:
    """(h, w) the figure where everything else is paper under smoothly changing light."""
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    paper, grain = _paper(lab)
    ink = np.linalg.norm(lab - paper, axis=2) > max(LEAST_INK, INK_DEVIATIONS * grain)
    figure = _enclosed(ink)
    if figure is None:
        return None
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    outside = cv2.dilate(figure.astype(np.uint8), disc) == 0
    if not outside.any() or (~ink[outside]).mean() < PLAIN_SHARE:
        return None
    if (ink & outside).sum() > MOST_LOST_INK * ink.sum():
        return None
    return figure


def _paper(lab: Float32) -> tuple[Float32, float]:
    """The paper's colour everywhere (h, w, 3), a quadratic through what looks like paper, and its
    grain (robust deviation). What lies along the border is paper at first."""
    height, width = lab.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).reshape(-1, 6)
    values = lab.reshape(-1, 3)
    ring = np.ones((height, width), bool)
    margin = max(2, round(RING_SHARE * max(height, width)))
    ring[margin:-margin, margin:-margin] = False
    distance = np.linalg.norm(values - np.median(values[ring.ravel()], axis=0), axis=1)
    chosen = distance <= max(float(np.median(distance[ring.ravel()])) * 3, LEAST_INK)
    grain = 1.0
    fitted = values
    for _ in range(PAPER_ROUNDS):
        few = np.nonzero(chosen)[0]
        few = few[:: max(1, len(few) // 20000)]
        factors, *_ = np.linalg.lstsq(terms[few], values[few], rcond=None)
        fitted = terms @ factors
        distance = np.linalg.norm(values - fitted, axis=1)
        grain = 1.4826 * float(np.median(distance[chosen]))
        chosen = distance <= max(3 * grain, LEAST_INK / 2)
        if chosen.sum() < 100:
            break
    return fitted.reshape(lab.shape).astype(np.float32), grain


def _of_strokes(small: UInt8) -> Mask | None:
    """(h, w) what dark strokes enclose, with the strokes; light may change in steps."""
    light = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 0]
    reach = max(5, round(STROKE_SHARE * max(light.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (reach // 2) + 1,) * 2)
    dark = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, kernel).astype(np.float32)
    grain = 1.4826 * float(np.median(np.abs(dark - np.median(dark))))
    level, _ = cv2.threshold(dark.astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    ink = dark > max(LEAST_INK, INK_DEVIATIONS * grain, 0.7 * level)
    if not LEAST_STROKE_INK <= ink.mean() <= MOST_STROKE_INK:
        return None
    figure = _enclosed(ink)
    if figure is None or (ink & figure).sum() < OWN_INK_SHARE * ink.sum():
        return None
    outside = ~figure
    if not outside.any() or np.median(light[outside]) < DARKEST_PAPER:
        return None
    return figure


def _enclosed(ink: Mask) -> Mask | None:
    """(h, w) the largest figure that ink makes: strokes, what they enclose once small gaps are
    closed, and limbs drawn as lines, made wide enough to become a mesh."""
    if not ink.any():
        return None
    thick = cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 5)
    ridge = (thick >= cv2.dilate(thick, np.ones((3, 3)))) & (thick > 0)
    stroke = max(2.0, 2 * float(np.median(thick[ridge])))
    stroke = min(stroke, STROKE_SHARE * max(ink.shape))
    best = _filled(ink, 0)
    # Lines alone enclose nothing at first; what is filled with colour has no gaps to close.
    lines = np.median(thick[ink & best]) if best.any() else 0.0
    if (ink & best).sum() < SOLID_SHARE * best.sum() or 2 * lines <= stroke:
        for gap in GAP_STROKES:
            candidate = _filled(ink, max(1, round(gap * stroke / 2)))
            if candidate.sum() - best.sum() > ENCLOSED_ENOUGH * ink.size:
                best = candidate
    rows = np.nonzero(best.any(axis=1))[0]
    radius = round(LEAST_LIMB_SHARE * float(np.ptp(rows) + 1) / 2)
    if radius > 0:
        # Only what is thinner than a limb grows: the figure's outline stays where it is drawn.
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        body = cv2.morphologyEx(best.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
        thin = best & ~body
        thick = cv2.distanceTransform(best.astype(np.uint8), cv2.DIST_L2, 5)
        lines = thin & (thick < radius)
        away = cv2.dilate(body.astype(np.uint8), disc) == 0
        best = best | (cv2.dilate((lines & away).astype(np.uint8), disc) > 0)
    return largest_component(best)


def _filled(ink: Mask, radius: int) -> Mask:
    """Ink with gaps of twice `radius` closed, filled, the largest piece."""
    margin = 2 * radius + 2  # the figure may touch the box: paper goes on beyond it
    wide = np.pad(ink, margin)
    if radius > 0:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        wide = cv2.morphologyEx(wide.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0
    return largest_component(binary_fill_holes(wide)[margin:-margin, margin:-margin])


def _by_colours(
    rgb: UInt8, bounds: tuple[int, int, int, int], size: tuple[int, int], seed: int
) -> Mask:
    """(h, w) by graph cuts on colour mixtures; what surrounds the box is background."""
    x0, y0, x1, y1 = bounds
    height, width = rgb.shape[:2]
    scale = min(1.0, CUT_SIDE_PX / max(x1 - x0, y1 - y0))
    full, size = size, (max(2, round((x1 - x0) * scale)), max(2, round((y1 - y0) * scale)))
    margin_x, margin_y = (round(0.15 * length) for length in (x1 - x0, y1 - y0))
    u0, v0 = max(0, x0 - margin_x), max(0, y0 - margin_y)
    u1, v1 = min(width, x1 + margin_x), min(height, y1 + margin_y)
    wide = (max(2, round((u1 - u0) * scale)), max(2, round((v1 - v0) * scale)))
    window = cv2.resize(rgb[v0:v1, u0:u1], wide, interpolation=cv2.INTER_AREA)
    left, top = round((x0 - u0) * scale), round((y0 - v0) * scale)
    right, bottom = min(wide[0], left + size[0]), min(wide[1], top + size[1])
    labels = np.full((wide[1], wide[0]), cv2.GC_BGD, np.uint8)
    labels[top:bottom, left:right] = cv2.GC_PR_FGD
    covered = (right - left) * (bottom - top) / (wide[0] * wide[1])
    if covered > FULL_BOX_SHARE:
        ring = max(1, round(EDGE_RING_SHARE * max(wide)))
        labels[:ring], labels[:, :ring], labels[:, -ring:] = (cv2.GC_BGD,) * 3
    # People and figures fill the middle of their box, not its corners.
    v, u = np.mgrid[-1 : 1 : (bottom - top) * 1j, -1 : 1 : (right - left) * 1j]
    corners = (np.abs(u) ** 2 + np.abs(v) ** 2 > 1.45) & (labels[top:bottom, left:right] > 1)
    labels[top:bottom, left:right][corners] = cv2.GC_PR_BGD
    if (labels == cv2.GC_BGD).any():
        grab_cut(window, labels, CUT_ROUNDS, seed)
    found = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))[top:bottom, left:right]
    figure = np.zeros((size[1], size[0]), bool)
    figure[: found.shape[0], : found.shape[1]] = found
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    figure = cv2.morphologyEx(figure.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    wide_figure = cv2.resize(figure.astype(np.float32), full, interpolation=cv2.INTER_LINEAR)
    return largest_component(wide_figure >= 0.5)


def solid(mask: Mask, box: Float32) -> Mask:
    """The person's largest piece without pinholes; real gaps between limbs stay open.

    Parameters
    ----------
    mask : Mask
        (H, W).
    box : Float32
        (4,), the person's, upright with the body.

    Returns
    -------
    Mask
        (H, W).
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if count < 2:
        return np.zeros_like(mask)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = labels == 1 + int(np.argmax(areas))
    outside = (~kept).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    least = SMALLEST_GAP * float((box[2] - box[0]) * (box[3] - box[1]))
    touches = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    for piece in range(1, count):
        if piece not in touches and stats[piece, cv2.CC_STAT_AREA] < least:
            kept |= labels == piece
    return kept
