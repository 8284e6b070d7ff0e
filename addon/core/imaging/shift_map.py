"""A first guess of what fills a hole: few translations of the picture, put together.

What repeats in a picture (bricks, windows, boards, wallpaper) repeats at few distances, so a hole
is filled well by pieces of the picture moved by these: He, Sun, "Statistics of Patch Offsets for
Image Completion" (ECCV 2012). Which pixel takes which translation is a labelling whose seams must
not be seen: the energy of Pritch, Kav-Venaki, Peleg, "Shift-Map Image Editing" (ICCV 2009).

Departures: the translations are those under which what lies around the hole agrees best with the
picture (a masked sum of squares, for all translations at once by FFT), piece by piece of its rim,
because what repeats on the wall does not on the ground, and a post goes on upwards; a smooth first
guess draws the colours towards it, but not across edges; the energy is minimised by max-product
belief propagation in sweeps (Tappen, Freeman, ICCV 2003) in place of graph cuts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.fft import irfft2, next_fast_len, rfft2

from ..types import Float32, Floats, Int32, Mask
from .fill_nearest import nearest_in

RIM_PX = 10  # how far around the hole is compared; some periods of what is worth repeating
BAND_COUNT = 6  # pieces of the rim in each direction; both sides of each are also taken alone
BEST_PER_PIECE = 5  # translations
MOST_OFFSETS = 48  # in all: the labelling costs their number squared
LEAST_MOVE_PX = 4  # shorter translations repeat what is smooth, not what is periodic
LEAST_OVERLAP = 0.6  # of a rim's piece that a translation must compare
LEAST_REACH = 0.25  # of the piece of hole beside that a translation must fill
APART_PX = 2  # two best translations of one piece are farther apart than this
ROW_COST = 0.02  # of a move up or down by the picture's height, in squared colours (0..1)
SMOOTH_COST = 0.15  # of squared colours that differ from the smooth first guess
SMOOTH_LIMIT = 0.07  # squared colours: beyond lies an edge, which the guess has smoothed away
EDGE_WEIGHT = 2.0  # of the squared differences of gradients, beside those of colours
SWEEPS = 4  # of belief propagation; each crosses the hole four times
# What is plain is best continued smoothly: one more label, the smooth filling itself. Where the
# rim has texture, that label costs its variance, less that of a sensor's noise.
TEXTURE_COST = 20.0  # of squared colours; beyond the floor, the label is hardly ever taken
FINE_PX = 2.0  # deviation of the blur that fine detail is measured against
NOISE_FLOOR = 3.6e-5  # squared colours: 1.5 grey levels
FORBIDDEN = 1e3  # cost of a translation that leads into the hole or out of the picture


def dominant_offsets(image: Float32, hole: Mask) -> Int32:
    """(K, 2) translations (rows, columns) under which the hole's rim resembles the picture.

    Parameters
    ----------
    image : Float32
        (h, w, 3), 0..1.
    hole : Mask
        (h, w) bool. K <= MOST_OFFSETS; none where nothing is known.

    Returns
    -------
    Int32
        (K, 2).
    """
    height, width = hole.shape
    known = (~hole).astype(np.float32)
    near = cv2.distanceTransform(hole.astype(np.uint8) ^ 1, cv2.DIST_L2, 5)
    rim = (near > 0) & (near <= RIM_PX)
    size = next_fast_len(2 * height), next_fast_len(2 * width)

    def spectrum(plane: Float32 | Mask) -> npt.NDArray[np.complexfloating[Any, Any]]:
        return rfft2(plane.astype(np.float32), size)

    # Colours without their mean: smaller sums of squares, less rounding.
    colour = (image - image[~hole].mean(0)) * known[..., None]
    square = (colour**2).sum(2)
    f_known, f_square = spectrum(known), spectrum(square)
    f_colour = [spectrum(colour[..., c]) for c in range(3)]
    found: list[tuple[int, float, int, int]] = []
    for inside, sides in _pieces(hole):
        f_inside = np.conj(spectrum(inside))
        share = irfft2(f_inside * f_known, size) / inside.sum()
        for side in sides:
            piece = rim & side
            if piece.sum() < RIM_PX**2:
                continue
            f_piece = np.conj(spectrum(piece))
            count = irfft2(f_piece * f_known, size)
            total = np.conj(spectrum(square * piece)) * f_known + f_piece * f_square
            for c in range(3):
                total -= 2 * np.conj(spectrum(colour[..., c] * piece)) * f_colour[c]
            cost = irfft2(total, size) / np.maximum(count, 1)
            allowed = (count >= LEAST_OVERLAP * piece.sum()) & (share >= LEAST_REACH)
            found += _least(cost, allowed, height, width)
    return _distinct(found)


def _pieces(hole: Mask) -> Iterator[tuple[Mask, tuple[Mask, Mask, Mask]]]:
    """The hole's pieces from top to bottom, then from left to right, each with what lies around it
    on both of its sides and on either."""
    for axis in (0, 1):
        along = np.arange(hole.shape[axis])
        across = np.arange(hole.shape[1 - axis])
        taken = np.nonzero(hole.any(1 - axis))[0]
        bounds = np.linspace(taken[0], taken[-1] + 1, BAND_COUNT + 1).round().astype(int)
        for start, end in itertools.pairwise(bounds):
            band = _spread((along >= start - RIM_PX) & (along < end + RIM_PX), axis, hole.shape)
            inside = hole & band
            if not inside.any():
                continue
            before = _spread(across < np.nonzero(inside)[1 - axis].mean(), 1 - axis, hole.shape)
            yield inside, (band, band & before, band & ~before)


def _spread(line: Mask, axis: int, shape: tuple[int, ...]) -> Mask:
    """(h, w) what holds for each row (axis 0) or column (axis 1)."""
    return np.broadcast_to(np.expand_dims(line, 1 - axis), shape)


def _least(
    cost: Floats, allowed: Mask, height: int, width: int
) -> list[tuple[int, float, int, int]]:
    """The best of all cyclic translations, some pixels apart: rank, cost, rows, columns."""
    cost = np.roll(cost, (height, width), (0, 1))[: 2 * height, : 2 * width]
    allowed = np.roll(allowed, (height, width), (0, 1))[: 2 * height, : 2 * width]
    down = np.arange(-height, height)[: cost.shape[0], None]
    aside = np.arange(-width, width)[None, : cost.shape[1]]
    moved = np.maximum(np.abs(down), np.abs(aside)) >= LEAST_MOVE_PX
    cost = np.where(allowed & moved, cost + ROW_COST * np.abs(down) / height, np.inf)
    cost = cost.astype(np.float32)
    side = 2 * APART_PX + 1
    valley = (cost <= cv2.erode(cost, np.ones((side, side), np.uint8))) & np.isfinite(cost)
    ys, xs = np.nonzero(valley)
    best = np.argsort(cost[ys, xs], kind="stable")[:BEST_PER_PIECE]
    return [
        (rank, float(cost[ys[k], xs[k]]), int(ys[k]) - height, int(xs[k]) - width)
        for rank, k in enumerate(best)
    ]


def _distinct(found: list[tuple[int, float, int, int]]) -> Int32:
    """The translations without repetitions, each piece's best first, at most MOST_OFFSETS: what is
    plain repeats at any distance and would leave no room for what is not."""
    chosen = list(dict.fromkeys((down, aside) for _, _, down, aside in sorted(found)))
    return np.array(chosen[:MOST_OFFSETS], np.int32).reshape(-1, 2)


def labelled(
    image: Float32, hole: Mask, smooth: Float32, offsets: Int32
) -> tuple[Int32, Mask] | None:
    """Which translation each pixel of the hole takes, so that the seams show least.

    Parameters
    ----------
    image : Float32
        (h, w, 3), 0..1.
    hole : Mask
        (h, w), True where to fill.
    smooth : Float32
        (h, w, 3), a smooth filling of the hole, which the colours should not leave far.
    offsets : Int32
        (K, 2) rows and columns.

    Returns
    -------
    tuple[Int32, Mask] | None
        (h, w, 2) the translation in and beside the hole, and (h, w) whether it leads to a known
        pixel: not where the smooth filling is the best. None if there is no translation.
    """
    if len(offsets) == 0:
        return None
    height, width = hole.shape
    ys, xs = np.nonzero(hole)
    top, left = max(ys[0] - 1, 0), max(xs.min() - 1, 0)
    bottom, right = min(ys[-1] + 2, height), min(xs.max() + 2, width)
    box = slice(top, bottom), slice(left, right)
    inside = hole[box]
    y, x = np.mgrid[box]
    source_y = y[..., None] + offsets[:, 0]
    source_x = x[..., None] + offsets[:, 1]
    valid = (source_y >= 0) & (source_y < height) & (source_x >= 0) & (source_x < width)
    np.clip(source_y, 0, height - 1, out=source_y)
    np.clip(source_x, 0, width - 1, out=source_x)
    valid &= ~hole[source_y, source_x]
    features = _features(image, hole)
    moved = features[source_y, source_x]  # (h, w, K, F)
    unary = np.where(valid, 0.0, FORBIDDEN).astype(np.float32)
    here = features[box]
    mismatch = ((moved - here[..., None, :]) ** 2).sum(-1) * valid
    # Known pixels take no part but through their neighbours: what would stand there is compared.
    border = np.where(inside[..., None], 0.0, mismatch).astype(np.float32)
    spread = cv2.blur(border.reshape(*inside.shape, -1), (3, 3), borderType=cv2.BORDER_CONSTANT)
    unary += 9 * spread.reshape(unary.shape)
    departure = ((moved[..., :3] - smooth[box][..., None, :]) ** 2).sum(-1)
    unary += SMOOTH_COST * np.minimum(departure, SMOOTH_LIMIT)
    unary += ROW_COST * np.abs(offsets[:, 0]) / height
    unary[~inside] = 0.0
    plain = _features(np.where(hole[..., None], smooth, image), np.zeros_like(hole))[box]
    moved = np.concatenate([moved, plain[:, :, None]], 2)
    missed = TEXTURE_COST * np.maximum(_texture(image, hole)[box] - NOISE_FLOOR, 0)
    unary = np.dstack([unary, missed * inside]).astype(np.float32)
    label = _propagated(unary, moved, inside)
    result = np.zeros((height, width, 2), np.int32)
    result[box] = np.vstack([offsets, np.zeros((1, 2), np.int32)])[label]
    result = result[nearest_in(hole)]
    place = np.mgrid[:height, :width].transpose(1, 2, 0) + result
    ok = ((place >= 0) & (place < (height, width))).all(2)
    place = np.clip(place, 0, np.array([height - 1, width - 1]))
    return result, ok & ~hole[place[..., 0], place[..., 1]]


def _features(image: Float32, hole: Mask) -> Float32:
    """(h, w, 5): colours, and the brightness's gradients where both pixels are known."""
    grey = image.mean(2)
    down, aside = np.zeros_like(grey), np.zeros_like(grey)
    down[:-1] = (grey[1:] - grey[:-1]) * ~(hole[1:] | hole[:-1])
    aside[:, :-1] = (grey[:, 1:] - grey[:, :-1]) * ~(hole[:, 1:] | hole[:, :-1])
    weight = np.float32(np.sqrt(EDGE_WEIGHT))
    return np.dstack([image, weight * down, weight * aside]).astype(np.float32)


def _texture(image: Float32, hole: Mask) -> Float32:
    """(h, w) variance of what is fine in the known picture around each pixel, squared colours."""
    known = (~hole).astype(np.float32)

    def mean(values: Float32, sigma: float) -> Float32:
        share = cv2.GaussianBlur(known, (0, 0), sigma)
        if values.ndim == 2:
            return cv2.GaussianBlur(values * known, (0, 0), sigma) / np.maximum(share, 1e-6)
        weighted = cv2.GaussianBlur(values * known[..., None], (0, 0), sigma)
        return weighted / np.maximum(share, 1e-6)[..., None]

    fine = image - mean(image, FINE_PX)
    return mean((fine**2).mean(2), RIM_PX)


def _propagated(unary: Float32, moved: Float32, inside: Mask) -> npt.NDArray[np.intp]:
    """(h, w) labels of least energy found by min-sum belief propagation in four directions.

    unary : (h, w, K); moved : (h, w, K, F), what each label shows. An edge between two pixels of
    the hole costs the squared difference of what both labels show, at both pixels.
    """
    across = _edges(moved, 1, inside[:, 1:] & inside[:, :-1])
    along = _edges(moved, 0, inside[1:] & inside[:-1])
    from_left, from_right, from_top, from_bottom = (np.zeros_like(unary) for _ in range(4))
    height, width = inside.shape

    def passed(belief: Float32, cost: Float32) -> Float32:
        """(n, K) at the far end, from (n, K) and (n, K, K)."""
        message = (belief[:, :, None] + cost).min(1)
        return message - message.min(1, keepdims=True)

    for _ in range(SWEEPS):
        vertical = unary + from_top + from_bottom
        for x in range(width - 1):
            from_left[:, x + 1] = passed(vertical[:, x] + from_left[:, x], across[:, x])
        for x in range(width - 1, 0, -1):
            cost = across[:, x - 1].transpose(0, 2, 1)
            from_right[:, x - 1] = passed(vertical[:, x] + from_right[:, x], cost)
        horizontal = unary + from_left + from_right
        for y in range(height - 1):
            from_top[y + 1] = passed(horizontal[y] + from_top[y], along[y])
        for y in range(height - 1, 0, -1):
            cost = along[y - 1].transpose(0, 2, 1)
            from_bottom[y - 1] = passed(horizontal[y] + from_bottom[y], cost)
    return (unary + from_left + from_right + from_top + from_bottom).argmin(2)


def _edges(moved: Float32, axis: int, joined: Mask) -> Float32:
    """(h, w, K, K) less one along `axis`: costs of neighbours' labels, 0 where not joined."""
    before = np.take(moved, np.arange(moved.shape[axis] - 1), axis)
    after = np.take(moved, np.arange(1, moved.shape[axis]), axis)
    both = np.concatenate([before, after], -1)  # what one label shows at both pixels
    norm = (both**2).sum(-1)
    cost = norm[..., :, None] + norm[..., None, :] - 2 * both @ both.swapaxes(-1, -2)
    return np.maximum(cost, 0) * joined[..., None, None]
