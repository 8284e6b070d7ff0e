"""From what the networks think likely to a silhouette along the picture's own edges.

The role of the fully connected CRF in Photo Wake-Up (Krähenbühl and Koltun 2011), in two ways that
err differently. One is a mean field: each pixel's probability follows from the networks, from local
colour statistics of person and background, and from its surroundings by a guided filter (He, Sun,
Tang 2013) in place of the Gaussian kernels. The other is graph cuts on colour mixtures
(GrabCut, Rother et al. 2004). Measured on composed pictures of known masks, their weighted mean is
better than either, and both beat the networks alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from ...imaging.guided_filter import guided_filter
from ...imaging.seeded_opencv import grab_cut
from ...inference.roi import RotatedRoi
from ...types import AnyArray, Detection, Float32, Mask, UInt8
from ..landmarks import hands
from ..landmarks.pose_landmarks import LANDMARK

WORKING_SIDE_PX = 900  # longer side of the region that is worked on: time grows with area
CUT_SHARE = 0.15  # of the graph cut's prediction in the mean
LEAST_PROBABILITY = 0.02  # a network is never surer than this
SURE_PERSON, SURE_BACKGROUND = 0.95, 0.12  # probabilities that graph cuts do not question

# Mean field.
ROUNDS = 3
COLOUR_WEIGHT = 0.6  # of the colours' log-odds against the networks'
MOST_COLOUR_ODDS = 3.0
COLOUR_BINS = 24  # a channel of CIELAB
COLOUR_SPREAD_BINS = 1.0  # standard deviation that a colour is spread by
RARE_COLOUR = 1e-5  # share of a colour that neither side has
NEAR_SHARE = (
    0.08  # of the person's size: background farther away gives no information about colours
)
EDGE_RADIUS_PX, EDGE_EPSILON = 6, 1e-4  # of the guided filter, on the working grid, colours 0..1
CORE_ODDS = 1.0  # that what lies on a visible limb's axis is person
LEAST_CORE_PROBABILITY = (
    0.1  # a landmark may be off: where no network sees anything, it does not count
)

# Graph cut.
CUT_ROUNDS = 4
OPEN_BAND_SHARE = 0.012  # of the person's size: around the networks' outline

# Both look at overlapping parts along the figure, each with colours of its own: white shoes do not
# speak for a white wall behind the hands.
PARTS, PART_SHARE = 3, 0.5

LIMB_SHARE = 0.11  # radius of a limb's sure core over its length
LEAST_VISIBILITY = 0.65
# Bones whose cores are certainly person where both ends are seen.
_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("wrist", "pinky"),
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot_index"), ("shoulder", "hip"),
        ("ankle", "heel"),
    )
)  # fmt: skip
_HULLS = (("wrist", "index", "pinky", "thumb"), ("ankle", "heel", "foot_index"))

# The hand network's region over the hand's length to the knuckles, and that length over the
# forearm's where the hand points at us; its fingers' thickness over the hand's length.
HAND_ROI, KNUCKLES_SHARE, FINGER_SHARE = 2.9, 0.36, 0.08
LEAST_HAND_PRESENCE = 0.7
# A hand that is certainly there: the presence its network gives, the share of it that the masks'
# networks think possible (a palm on its wrist), and the probability that its fingers then have.
SURE_HAND_PRESENCE, HELD_HAND, HAND_PROBABILITY = 0.9, 0.25, 0.8
FARTHEST_WRIST = 0.8  # of the length to the knuckles, between both networks' wrists
_FINGERS = ((0, 1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_PALM = (0, 1, 5, 9, 13, 17)


def refine(
    rgb: UInt8,
    probability: Float32,
    detection: Detection,
    other_instances: Mask | None = None,
    seed: int = 0,
) -> Float32:
    """(H, W) 0..1: how likely each pixel is the person; the silhouette is where it is 0.5.

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3).
    probability : Float32
        (H, W) 0..1, the networks' prediction.
    detection : Detection
        The person.
    other_instances : Mask | None
        (H, W), what belongs to other people.
    seed : int
        Of the colour mixtures' first clusters.

    Returns
    -------
    Float32
        (H, W).
    """
    rows, columns = np.nonzero(probability > SURE_BACKGROUND)
    if len(rows) == 0:
        return np.zeros(probability.shape, np.float32)
    size = max(np.ptp(rows), np.ptp(columns)) + 1
    margin = int(0.12 * size) + 8
    y0, y1 = max(0, rows.min() - margin), min(probability.shape[0], rows.max() + margin + 1)
    x0, x1 = max(0, columns.min() - margin), min(probability.shape[1], columns.max() + margin + 1)
    scale = min(1.0, WORKING_SIDE_PX / max(y1 - y0, x1 - x0))
    shape = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    window = cv2.resize(rgb[y0:y1, x0:x1], shape, interpolation=cv2.INTER_AREA)
    small = cv2.resize(probability[y0:y1, x0:x1], shape, interpolation=cv2.INTER_AREA)
    near = np.zeros(small.shape, np.uint8)
    if other_instances is not None:
        near = cv2.resize(other_instances[y0:y1, x0:x1].astype(np.uint8), shape)
        small = np.where(near > 0, np.minimum(small, LEAST_PROBABILITY), small)
    cores = _limb_cores(detection, (x0, y0), scale, (shape[1], shape[0]))
    for hand, presence in _hand_cores(rgb, detection, (x0, y0), scale, (shape[1], shape[0])):
        cores |= hand
        # The masks' networks lose fingers against a bright wall; the hand's own has seen them.
        held = (small[hand] >= LEAST_CORE_PROBABILITY).mean() if hand.any() else 0.0
        if presence >= SURE_HAND_PRESENCE and held >= HELD_HAND:
            small = np.where(hand & (near == 0), np.maximum(small, HAND_PROBABILITY), small)
    cores &= (small >= LEAST_CORE_PROBABILITY) & (near == 0)
    field = _mean_field(window, small, cores, round(NEAR_SHARE * size * scale))
    cut = _graph_cut(window, small, cores, near > 0, round(OPEN_BAND_SHARE * size * scale), seed)
    mixed = (1 - CUT_SHARE) * field + CUT_SHARE * cut
    full = np.zeros(probability.shape, np.float32)
    full[y0:y1, x0:x1] = cv2.resize(mixed, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC)
    return full


# -- mean field -------------------------------------------------------------------------------


def _mean_field(window: UInt8, probability: Float32, cores: Mask, reach: int) -> Float32:
    """(h, w) 0..1. window (h, w, 3) RGB, reach in pixels."""
    bounded = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    unary = np.log(bounded / (1 - bounded)) + CORE_ODDS * cores
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(reach, 1) + 1,) * 2)
    near = cv2.dilate((probability > SURE_BACKGROUND).astype(np.uint8), disc).astype(np.float32)
    lab = cv2.cvtColor(window, cv2.COLOR_RGB2LAB).astype(np.int32) * COLOUR_BINS >> 8
    bins = (lab[..., 0] * COLOUR_BINS + lab[..., 1]) * COLOUR_BINS + lab[..., 2]
    guide = window.astype(np.float32) / 255
    belief = 1 / (1 + np.exp(-unary))
    for _ in range(ROUNDS):
        odds = unary + COLOUR_WEIGHT * _colour_odds(bins, belief * near, (1 - belief) * near)
        probability = (1 / (1 + np.exp(-odds))).astype(np.float32)
        belief = guided_filter(guide, probability, EDGE_RADIUS_PX, EDGE_EPSILON)
    return belief


def _colour_odds(bins: AnyArray, person: Float32, background: Float32) -> Float32:
    """(h, w) log-odds of person from each pixel's colour, by histograms of parts of the figure.

    bins : (h, w), each pixel's cell; person, background : (h, w), how much it counts for each
    """
    total = np.zeros(person.shape, np.float32)
    weight = np.zeros(person.shape, np.float32)
    for part, share in _parts(person.shape):
        cells = bins[part]
        of_person, of_background = (
            _histogram(cells, values[part]) for values in (person, background)
        )
        odds = np.log((of_person + RARE_COLOUR) / (of_background + RARE_COLOUR))
        total[part] += np.clip(odds[cells], -MOST_COLOUR_ODDS, MOST_COLOUR_ODDS) * share
        weight[part] += share
    return total / weight


def _histogram(cells: AnyArray, weight: Float32) -> Float32:
    """(bins,) smoothed, sums to 1 (0 where nothing counts)."""
    cube = (COLOUR_BINS,) * 3
    counted = np.bincount(cells.ravel(), weight.ravel(), COLOUR_BINS**3).reshape(cube)
    smooth = gaussian_filter(counted.astype(np.float32), COLOUR_SPREAD_BINS, mode="constant")
    return (smooth / max(float(smooth.sum()), 1e-6)).ravel()


# -- graph cut --------------------------------------------------------------------------------


def _graph_cut(
    window: UInt8, probability: Float32, cores: Mask, other_instances: Mask, band: int, seed: int
) -> Float32:
    """(h, w) 0..1, nearly a mask. band : half width of what is open, pixels."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(band, 2) + 1,) * 2)
    known = np.where(probability >= 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    sure = cv2.erode((probability >= SURE_PERSON).astype(np.uint8), disc)
    # Far from anything likely it is background: the networks' masks are coarse, not blind.
    possible = cv2.dilate((probability >= SURE_BACKGROUND).astype(np.uint8), disc)
    known[possible == 0] = cv2.GC_BGD
    known[(sure > 0) | cores] = cv2.GC_FGD
    # Where two people touch, colours draw the line; away from it the neighbour is background.
    known[other_instances & (known != cv2.GC_FGD)] = cv2.GC_PR_BGD
    known[cv2.erode(other_instances.astype(np.uint8), disc) > 0] = cv2.GC_BGD
    total = np.zeros(known.shape, np.float32)
    weight = np.zeros(known.shape, np.float32)
    for part, share in _parts(known.shape):
        # An upright picture's parts are views: where they overlap, each goes on from what the one
        # before has found. Those of a wide picture are copies and begin alike.
        labels = np.ascontiguousarray(known[part])
        of_person = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
        if of_person.any() and not of_person.all():
            grab_cut(window[part], labels, CUT_ROUNDS, seed)
            of_person = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
        total[part] += of_person * share
        weight[part] += share
    # Colour alone may bite into the person where both look alike: there the networks' mask stands.
    cut = np.where(probability > 0.97, 1.0, total / weight)
    return cv2.GaussianBlur(cut, (0, 0), 1.0)


# -- what both use ----------------------------------------------------------------------------


def _parts(shape: tuple[int, ...]) -> list[tuple[tuple[slice, slice], Float32]]:
    """Overlapping parts along the longer side of (h, w), each with weights that fade out."""
    height, width = shape
    upright, length = height >= width, max(height, width)
    size = min(length, round(length * PART_SHARE))
    ramp = np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1)).astype(np.float32)
    share = ramp[:, None] if upright else ramp[None]
    whole = slice(None)
    return [
        ((slice(start, start + size), whole) if upright else (whole, slice(start, start + size)),
         share)
        for start in np.linspace(0, length - size, PARTS).round().astype(int).tolist()
    ]  # fmt: skip


def _limb_cores(
    detection: Detection, origin: tuple[int, int], scale: float, shape: tuple[int, int]
) -> Mask:
    """(h, w): thin capsules along the limbs, and the palms, that are seen."""
    marks, seen = detection.landmarks.image, detection.landmarks.visibility
    points = (marks - np.array(origin)) * scale
    canvas = np.zeros(shape, np.uint8)
    for first, second in _LIMBS:
        a, b = LANDMARK[first], LANDMARK[second]
        if min(seen[a], seen[b]) < LEAST_VISIBILITY:
            continue
        thick = max(1, round(LIMB_SHARE * float(np.linalg.norm(points[a] - points[b]))))
        ends = [tuple(np.rint(points[k]).astype(int).tolist()) for k in (a, b)]
        cv2.line(canvas, ends[0], ends[1], 1, thick)
    for side in ("left", "right"):
        for names in _HULLS:
            corners = [LANDMARK[f"{side}_{name}"] for name in names]
            if seen[corners].min() >= LEAST_VISIBILITY:
                _fill(canvas, points[corners])
    return canvas > 0


def _hand_cores(
    rgb: UInt8, detection: Detection, origin: tuple[int, int], scale: float, shape: tuple[int, int]
) -> Iterator[tuple[Mask, float]]:
    """Palm and fingers (h, w) of each hand that the hand network sees, and how sure it is."""
    marks, seen = detection.landmarks.image.astype(np.float64), detection.landmarks.visibility
    for side in ("left", "right"):
        elbow, wrist, index, pinky = (
            LANDMARK[f"{side}_{name}"] for name in ("elbow", "wrist", "index", "pinky")
        )
        if min(seen[wrist], seen[index]) < LEAST_VISIBILITY:
            continue
        reach = (marks[index] + marks[pinky]) / 2 - marks[wrist]
        forearm = float(np.linalg.norm(marks[wrist] - marks[elbow]))
        knuckles = max(float(np.linalg.norm(reach)), KNUCKLES_SHARE * forearm, 1.0)
        middle = marks[wrist] + reach / max(float(np.linalg.norm(reach)), 1e-6) * knuckles
        angle = float(np.arctan2(reach[0], -reach[1]))
        roi = RotatedRoi(float(middle[0]), float(middle[1]), HAND_ROI * knuckles, angle)
        hand = hands.infer(rgb, roi)
        off = float(np.linalg.norm(hand.image[0] - marks[wrist]))
        if hand.presence < LEAST_HAND_PRESENCE or off > FARTHEST_WRIST * knuckles:
            continue
        canvas = np.zeros(shape, np.uint8)
        points = (hand.image - np.array(origin)) * scale
        _fill(canvas, points[list(_PALM)])
        length = float(np.linalg.norm(points[12] - points[0]))
        thick = max(1, round(FINGER_SHARE * length))
        for finger in _FINGERS:
            line = np.rint(points[list(finger)]).astype(np.int32)
            cv2.polylines(canvas, [line], False, 1, thick)
        yield canvas > 0, hand.presence


def _fill(canvas: UInt8, points: AnyArray) -> None:
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
