"""Which part of the body each pixel of the person shows (Photo Wake-Up, section 4.4).

Labels start as the body's, carried over by the warp and made even by a Markov random field; where
surfaces meet that are no neighbours on the body, their border moves to the picture's edges by
mixtures of colours. Whatever the user has painted goes over what was found.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...body.model.parts import HEAD, LEFT_ARM, NOTHING, PART_NAMES, RIGHT_ARM
from ...imaging.fill_nearest import fill_nearest
from ...imaging.graph_cut import expand, neighbour_pairs
from ...imaging.resampling import resampled_on_grid, resampled_on_photo
from ...imaging.seeded_opencv import k_means
from ...types import AnyArray, Crop, Float32, Float64, Mask, UInt8

# Of the field that makes first labels even: pixels of distance that a step of border is worth. The
# paper's 16 makes fingers and wrists disappear into what is behind them.
EVENNESS_PX = 1.0
FRONT_ONLY = 7  # painted on what the back must not repeat, such as a shirt's logo; no part
LOOSE_PX = 3  # only pixels that are so near to another label, or off the body, may change theirs
# How far the fitted limbs lie beside the photo's, over the figure's extent: landmarks of wrists
# and ankles err by about 2 cm to each side on a person of 1.7 m.
FIT_ERROR = 0.01
REACH = 3.0  # fit errors on both sides of a border within which it may move
SAMPLED_REACH = 3.0  # of the pixels that colours are taken from, over that of a border
# Neighbouring pixels share their cloth and shading: a pixel's colour is no evidence by itself.
COLOUR_WEIGHT = 0.4
# Of a step of border where the picture is flat. The paper's 8 stands against likelihoods without
# bounds; here WRONG_LABELS and COLOUR_WEIGHT bound them, and 8 would cut off every limb of one
# colour with what is behind it.
CONTRAST_WEIGHT = 4.0
MIXTURE_SIZE = 16  # colours that all parts share
WRONG_LABELS = 0.2  # share of a part's pixels that colours are taken from and that are another's
REFINEMENT_ROUNDS = 2  # colours and borders found in turn
LEAST_VARIANCE = 9.0  # of a mixture's colour, in squares of 8-bit steps: the sensor's noise
MOST_SAMPLES = 4000  # pixels that clusters are looked for in; more change nothing


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Part labels of the person's pixels."""

    part: UInt8  # (h, w), `body.parts`, 0 outside
    known: Mask  # (h, w), where the pixel lands on the body; elsewhere the nearest label stands


def first_labels(source: Float32, inside: Mask, body_labels: UInt8, gaps: Mask) -> LabelMap:
    """Labels that are near to the body's own and have short borders (equation for U and V).

    U is the distance on the body's map from f(p) to the nearest pixel of the label; the paper
    measures from p itself, which is as good only where clothes are tight.

    Parameters
    ----------
    source : Float32
        (h, w, 2) body pixel x, y of each pixel of the person.
    inside : Mask
        (h, w) the person.
    body_labels : UInt8
        (h, w) what the body shows at its own pixels.
    gaps : Mask
        (h, w) pixels of the person that land on a closed gap of the body; what fills one at the
        head is hair, a hood or a collar, which no arm carries along.

    Returns
    -------
    LabelMap
        Labels, and where they are sure.
    """
    x, y = (np.nan_to_num(source[..., axis], nan=-10.0) for axis in (0, 1))
    parts = np.unique(body_labels[body_labels > NOTHING])
    distance = np.stack(
        [
            cv2.remap(
                cv2.distanceTransform((body_labels != part).astype(np.uint8), cv2.DIST_L2, 5),
                x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
            )
            for part in parts
        ],
        axis=-1,
    )  # fmt: skip
    at_head = _touching(gaps, cv2.remap(body_labels, x, y, cv2.INTER_NEAREST) == HEAD)
    distance[at_head[..., None] & np.isin(parts, (LEFT_ARM, RIGHT_ARM))] = np.inf
    start = np.where(inside, distance.argmin(axis=-1), -1).astype(np.int64)
    known = inside & (distance.min(axis=-1) <= 0.5)
    kernel = np.ones((2 * LOOSE_PX + 1,) * 2, np.uint8)
    ranks = start.astype(np.int16)
    mixed = cv2.dilate(ranks, kernel) != cv2.erode(np.where(inside, ranks, 99), kernel)
    loose = inside & (mixed | ~known)
    chosen = start.copy()
    if loose.any():
        chosen = _expanded(start, loose, inside, distance.astype(np.float64), EVENNESS_PX)
    return LabelMap(np.where(inside, parts[np.maximum(chosen, 0)], 0).astype(np.uint8), known)


def _touching(pieces: Mask, those: Mask) -> Mask:
    """(h, w) the connected pieces of a mask that touch another one."""
    _, labels = cv2.connectedComponents(pieces.astype(np.uint8), connectivity=8)
    near = cv2.dilate(those.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    touched = np.zeros(labels.max() + 1, bool)
    touched[labels[near]] = True
    touched[0] = False
    return touched[labels]


def _expanded(
    start: AnyArray, loose: Mask, inside: Mask, unary: Float64, weight: float | Float64
) -> AnyArray:
    """Label ranks (h, w) after expansion moves of the loose pixels; the others hold theirs.

    unary : (h, w, K); weight : one for all pairs of neighbours over their distance, or one each
    """
    ring = cv2.dilate(loose.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    nodes = ring & inside
    pairs, length = neighbour_pairs(nodes)
    weights = weight / length
    flat_loose = loose.ravel()
    open_pair = flat_loose[pairs].any(axis=1)
    pairs, weights = pairs[open_pair], np.broadcast_to(weights, len(length))[open_pair]
    number = np.full(nodes.size, -1, np.int64)
    at = np.flatnonzero(nodes)
    number[at] = np.arange(len(at))
    costs = unary.reshape(-1, unary.shape[-1])[at].copy()
    held = ~flat_loose[at]
    costs[held] = np.inf
    ranks = start.ravel()[at]
    costs[held, ranks[held]] = 0
    result = start.copy().ravel()
    result[at] = expand(ranks, costs, number[pairs], np.ascontiguousarray(weights))
    return result.reshape(start.shape)


def follow_edges(
    labels: UInt8, occlusion: Mask, colours: UInt8, figure_px: float, seed: int = 0
) -> UInt8:
    """Labels (h, w) whose borders at occlusion pixels lie on the picture's edges.

    The paper's energy: minus the logarithm of each part's mixture of colours, and
    gamma exp(-beta |I_p - I_q|^2) / |p - q| between neighbours of different labels; both are
    estimated in turn. To U comes d^2 / (2 s^2), d the distance to the part's first pixels and s
    the fit's error: where a sleeve lies on a shirt of its own cloth, colours give no information.

    Parameters
    ----------
    labels : UInt8
        (h, w) part labels.
    occlusion : Mask
        (h, w) pixels where parts meet that are no neighbours on the body.
    colours : UInt8
        (h, w, 3) the photo on the same grid.
    figure_px : float
        The figure's larger extent, grid pixels.
    seed : int
        Of colour clusters.

    Returns
    -------
    UInt8
        (h, w).
    """
    inside = labels > NOTHING
    spread = max(1.0, FIT_ERROR * figure_px)
    reach = REACH * spread
    loose = inside & (_distance(occlusion) <= reach)
    parts = np.unique(labels[cv2.dilate(loose.astype(np.uint8), np.ones((3, 3))) > 0])
    parts = parts[parts > NOTHING]
    if not loose.any() or len(parts) < 2:
        return labels
    ranks = np.full(labels.shape, -1, np.int64)
    for rank, part in enumerate(parts):
        ranks[labels == part] = rank
    to_border = _distance(occlusion)
    near = inside & (to_border <= SAMPLED_REACH * reach)
    # Labels are the surer the farther from a border; fingers beside a hand that was fitted beside
    # them would make skin the shirt's colour.
    sureness = 1 - np.exp(-(to_border.astype(np.float64) ** 2) / (2 * spread**2))
    distance = np.stack([_distance(labels == part) for part in parts], axis=-1)
    prior = distance.astype(np.float64) ** 2 / (2 * spread**2)
    prior[distance > reach] = np.inf
    picture = cv2.GaussianBlur(colours, (3, 3), 0).astype(np.float64)

    ring = cv2.dilate(loose.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    pairs, _ = neighbour_pairs(ring & inside)
    flat = picture.reshape(-1, 3)
    step = ((flat[pairs[:, 0]] - flat[pairs[:, 1]]) ** 2).sum(axis=1)
    contrast = CONTRAST_WEIGHT * np.exp(-step / max(2 * step.mean(), 1e-9))
    colour = _responsibilities(picture, near, seed)
    chosen = ranks
    for _ in range(REFINEMENT_ROUNDS):
        unary = prior.copy()
        unary[loose] += COLOUR_WEIGHT * mixture_costs(
            colour, near, loose, chosen, sureness, len(parts)
        )
        chosen = _expanded(chosen, loose, inside, unary, contrast)
    return np.where(loose, parts[np.maximum(chosen, 0)], labels).astype(np.uint8)


def _distance(mask: Mask) -> Float32:
    """(h, w) pixels to the nearest one in the mask; far beyond the picture where there is none."""
    if not mask.any():
        return np.full(mask.shape, 1e4, np.float32)
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)


def _responsibilities(picture: Float64, near: Mask, seed: int) -> Float64:
    """(h, w, K) how much each of K Gaussians around the colours of the near pixels explains a
    pixel; rows of near pixels sum to 1, others are 0. picture : (h, w, 3), 0..255"""
    colours = picture[near]
    size = min(MIXTURE_SIZE, max(1, len(colours) // 8))
    thinned = colours[:: max(1, len(colours) // MOST_SAMPLES)].astype(np.float32)
    assigned, _ = k_means(thinned, size, iterations=10, least_move=1.0, attempts=1, seed=seed)
    logarithms = np.full((size, len(colours)), -np.inf)
    for k in range(size):
        those = thinned[assigned[:, 0] == k].astype(np.float64)
        if len(those) < 2:
            continue
        covariance = np.cov(those.T) + LEAST_VARIANCE * np.eye(3)
        offset = colours - those.mean(axis=0)
        square = np.einsum("nc,nc->n", offset @ np.linalg.inv(covariance), offset)
        share = np.log(len(those) / len(thinned))
        logarithms[k] = share - 0.5 * (square + np.log(np.linalg.det(2 * np.pi * covariance)))
    shares = np.exp(logarithms - np.logaddexp.reduce(logarithms, axis=0))
    result = np.zeros((*near.shape, size))
    result[near] = shares.T
    return result


def mixture_costs(
    colour: Float64, near: Mask, loose: Mask, ranks: AnyArray, sureness: Float64, count: int
) -> Float64:
    """(N, count) minus the logarithm of each part's likelihood at the N loose pixels, less what
    all parts have in common.

    them. GrabCut gives each part Gaussians of its own: the tighter ones then win wherever parts
    have the same colours, and an arm takes the whole shirt.

    Parameters
    ----------
    colour : Float64
        (h, w, K) responsibilities of Gaussians that all parts share; a part is its weights of.
    near : Mask
        (h, w) pixels that weights are taken from.
    loose : Mask
        (h, w) pixels whose part is sought, N of them.
    ranks : AnyArray
        (h, w) their parts, 0..count-1.
    sureness : Float64
        (h, w), 0..1, what a pixel counts.
    count : int
        Of parts.

    Returns
    -------
    Float64
        (N, count).
    """
    samples, counts = colour[near], sureness[near]
    overall = counts @ samples / counts.sum()
    costs = np.zeros((int(loose.sum()), count))
    for rank in range(count):
        of_part = ranks[near] == rank
        # One more sample of everyone's colours: a part that is hardly seen gives no information.
        weights = counts[of_part] @ samples[of_part] + overall
        weights /= counts[of_part].sum() + 1
        weights = (1 - WRONG_LABELS) * weights + WRONG_LABELS * overall
        costs[:, rank] = -np.log(colour[loose] @ (weights / np.maximum(overall, 1e-9)))
    return costs


# What a label image shows: a flat colour for each part, in the order of `body.parts.PART_NAMES`.
# The person's left is warm, the right is cold, as on the contact sheet.
PALETTE: UInt8 = np.array(
    [
        (0, 0, 0),  # nothing
        (255, 230, 0),  # head
        (150, 150, 150),  # torso
        (255, 80, 0),  # left arm
        (0, 100, 255),  # right arm
        (200, 0, 120),  # left leg
        (0, 190, 110),  # right leg
        (255, 255, 255),  # the part stays as it is, and is not repeated on the back
    ],
    np.uint8,
)


def from_colours(rgb: UInt8) -> UInt8:
    """(H, W) labels whose palette colour is nearest to the image (H, W, 3): soft brushes and
    colours picked by eye count as what they resemble.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3), sRGB.

    Returns
    -------
    UInt8
        (H, W).
    """
    codes = rgb.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    colours, which = np.unique(codes, return_inverse=True)
    channels = np.stack([colours >> 16, (colours >> 8) & 255, colours & 255], axis=1)
    away = ((channels[:, None] - PALETTE.astype(np.int64)) ** 2).sum(axis=-1)
    return away.argmin(axis=1).astype(np.uint8)[which].reshape(rgb.shape[:2])


def painted_over(labels: UInt8, painted: UInt8 | None, crop: Crop) -> UInt8:
    """Labels (h, w) on a crop's grid with the user's (H, W) in photo pixels over them, where those
    are not 0. Outside of the person nothing changes: that is the mask's business.

    Parameters
    ----------
    labels : UInt8
        (h, w) part labels.
    painted : UInt8 | None
        (H, W), 0 where nothing is painted; None: nothing at all.
    crop : Crop
        The grid.

    Returns
    -------
    UInt8
        (h, w).
    """
    if painted is None:
        return labels
    parts = np.where(painted == FRONT_ONLY, NOTHING, painted).astype(np.uint8)
    over = resampled_on_grid(parts, crop, cv2.INTER_NEAREST)
    return np.where((labels > NOTHING) & (over > NOTHING), over, labels).astype(np.uint8)


def on_photo(labels: UInt8, crop: Crop, mask: Mask) -> UInt8:
    """(H, W) the labels (h, w) of a crop's grid at the photo's pixels; the mask's pixels beyond
    take the nearest one.

    Parameters
    ----------
    labels : UInt8
        (h, w) part labels.
    crop : Crop
        The grid.
    mask : Mask
        (H, W) the person.

    Returns
    -------
    UInt8
        (H, W).
    """
    full = resampled_on_photo(labels, crop, mask.shape, cv2.INTER_NEAREST)
    known = full > NOTHING
    if not known.any():
        return full
    return np.where(mask, fill_nearest(full, known), 0).astype(np.uint8)


assert len(PALETTE) == len(PART_NAMES) + 1 == FRONT_ONLY + 1
