"""From the network's 256-pixel mask to a silhouette at the photo's resolution.

The network's masks, averaged over several squares, say what is surely person, surely background,
and what is open; graph cuts on colour mixtures (GrabCut, Rother et al. 2004, the role of the fully
connected CRF in Photo Wake-Up) decide the open band along the picture's edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..errors import PersonError
from ..types import Detection, Float32, Mask, Person, Photo, UInt8
from . import matte
from .figure import segment_in_box
from .landmarks import LANDMARK, Square, read, square_from_points
from .mask_networks import MaskNetwork, SingleMaskNetwork
from .neighbours import owners, painted_over
from .people import meet, on_grey, settle

GRABCUT_SIDE_PX = 700  # longer side of the region that GrabCut works on: time grows with area
GRABCUT_ROUNDS = 4
TILES, TILE_SHARE = 3, 0.5  # tiles along the figure, and each one's share of its length
SURE_PERSON, SURE_BACKGROUND = 0.95, 0.12  # of the averaged network mask
LIMB_SHARE = 0.11  # radius of a limb's sure core over its length
SMALLEST_GAP = 0.0008  # of the person's box area: smaller gaps in the mask are filled

# Bones whose cores are surely person where both ends are seen.
_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("wrist", "pinky"),
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot_index"), ("shoulder", "hip"),
        ("ankle", "heel"),
    )
)  # fmt: skip
LEAST_VISIBILITY = 0.65
OWNERS_GRID_PX = 512  # longer side of the grid on which neighbours are told apart


def segment_person(
    photo: Photo,
    detection: Detection,
    others: Sequence[Detection] = (),
    network: MaskNetwork | None = None,
) -> Person:
    """Cut one person out: silhouette, soft matte and clean foreground colours.

    others : everybody else in the photo; what is theirs stays out of the mask
    network : one of the user's in place of the built-in one
    A photo that is already cut out (transparent around the person) keeps its own edge.
    Raises PersonError where no outline is found.
    """
    rgb = on_grey(photo)
    if detection.is_drawn:
        return cut_out(photo, detection, outline_in_box(photo, detection.box))
    rivals = [other for other in others if meet(detection, other)]
    theirs = _of_rivals(rgb, detection, rivals)
    alone = painted_over(rgb, theirs) if rivals else rgb
    if network is None:
        soft = network_mask(alone, detection)
    else:
        soft = network.mask(alone, detection.box)
    if photo.alpha is not None and _alpha_is_cut_out(photo.alpha, soft):
        opacity = photo.alpha.astype(np.float32) / 255
        mask = solid((opacity >= 0.5) & ~theirs, detection.box)
    elif isinstance(network, SingleMaskNetwork):
        # Networks that make one large mask see finer edges than colours tell.
        mask = solid((soft >= 0.5) & ~theirs, detection.box)
        opacity = matte.estimate(rgb, mask)
        mask = solid(opacity >= 0.5, detection.box)
    else:
        mask = refine(rgb, soft, detection, theirs)
        opacity = matte.estimate(rgb, mask)
        mask = solid(opacity >= 0.5, detection.box)
    if mask.sum() < 400:
        raise PersonError(
            "The person's outline could not be found: choose a photo where the person stands out "
            "from the background, or paint the mask."
        )
    return _person(rgb, detection, mask, opacity)


def outline_in_box(photo: Photo, box: Float32) -> Mask:
    """(H, W) bool: the figure in a box (4,) that no network sees, by transparency or colours.

    Raises PersonError where there is none.
    """
    if photo.alpha is None or (photo.alpha >= 128).all():
        return segment_in_box(photo.rgb, box)
    within = np.zeros(photo.alpha.shape, bool)
    x0, y0, x1, y1 = np.rint(box).astype(int)
    within[y0 : y1 + 1, x0 : x1 + 1] = photo.alpha[y0 : y1 + 1, x0 : x1 + 1] >= 128
    return solid(within, box)


def cut_out(photo: Photo, detection: Detection, mask: Mask) -> Person:
    """A person whose silhouette (H, W) is given: it is taken as it is, only its edge is softened
    along the picture's own."""
    rgb = on_grey(photo)
    return _person(rgb, detection, mask, matte.estimate(rgb, mask))


def _person(rgb: UInt8, detection: Detection, mask: Mask, opacity: Float32) -> Person:
    """mask == opacity >= 0.5, and nothing of the matte is left far from the mask."""
    near = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    soft = np.where(mask, np.maximum(opacity, 0.5), np.minimum(opacity, 0.499)) * near
    return Person(detection, mask, soft.astype(np.float32), matte.foreground(rgb, soft))


def _of_rivals(rgb: UInt8, detection: Detection, rivals: list[Detection]) -> Mask:
    """(H, W) bool: what belongs to people who stand close, as the network's masks tell."""
    shape = rgb.shape[:2]
    if not rivals:
        return np.zeros(shape, bool)
    people = [detection, *rivals]
    scale = min(1.0, OWNERS_GRID_PX / max(shape))
    size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
    chances = []
    for person in people:
        reading = settle(rgb, square_of(person))
        chances.append(cv2.warpAffine(reading.mask, reading.square.matrix() * scale, size))
    owner, _ = owners(people, chances, scale)
    theirs = (owner > 0).astype(np.uint8)
    return cv2.resize(theirs, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0


def square_of(detection: Detection) -> Square:
    """The network's square around a person whose landmarks are known."""
    marks = detection.landmarks.image
    hips = marks[[LANDMARK["left_hip"], LANDMARK["right_hip"]]].mean(axis=0)
    far = np.linalg.norm(marks - hips, axis=1).max()
    return square_from_points(hips, hips - [0, far])


def network_mask(rgb: UInt8, detection: Detection) -> Float32:
    """(H, W) probability of person: the network's mask, averaged over squares that differ a
    little in place, size and angle, which evens out its grid."""
    base = settle(rgb, square_of(detection)).square
    height, width = rgb.shape[:2]
    total = np.zeros((height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    for grow, shift, turn in (
        (1.0, (0, 0), 0.0), (1.06, (0.012, 0.007), 0.05), (0.95, (-0.008, 0.011), -0.05),
        (1.12, (0.003, -0.01), 0.0), (1.0, (-0.006, 0.004), 0.0),
    ):  # fmt: skip
        square = Square(
            base.x + shift[0] * base.side, base.y + shift[1] * base.side,
            base.side * grow, base.angle + turn,
        )  # fmt: skip
        reading = read(rgb, square)
        matrix = square.matrix()
        shape = (width, height)
        total += cv2.warpAffine(reading.mask, matrix, shape, flags=cv2.INTER_LINEAR)
        weight += cv2.warpAffine(np.ones_like(reading.mask), matrix, shape)
    return total / np.maximum(weight, 1.0)


def _alpha_is_cut_out(alpha: UInt8, soft: Float32) -> bool:
    """Whether transparency follows the person: it agrees with the network's mask."""
    opaque, person = alpha >= 128, soft >= 0.5
    union = (opaque | person).sum()
    return bool(union and (opaque & person).sum() / union > 0.7)


def refine(rgb: UInt8, soft: Float32, detection: Detection, theirs: Mask | None = None) -> Mask:
    """(H, W) bool silhouette at the photo's resolution.

    soft : (H, W) 0..1, the network's mask; theirs : (H, W), what belongs to other people
    """
    rows, columns = np.nonzero(soft > SURE_BACKGROUND)
    if len(rows) == 0:
        return np.zeros(soft.shape, bool)
    size = max(np.ptp(rows), np.ptp(columns)) + 1
    margin = int(0.12 * size) + 8
    y0, y1 = max(0, rows.min() - margin), min(soft.shape[0], rows.max() + margin + 1)
    x0, x1 = max(0, columns.min() - margin), min(soft.shape[1], columns.max() + margin + 1)
    scale = min(1.0, GRABCUT_SIDE_PX / max(y1 - y0, x1 - x0))
    shape = (round((x1 - x0) * scale), round((y1 - y0) * scale))
    window = cv2.resize(rgb[y0:y1, x0:x1], shape, interpolation=cv2.INTER_AREA)
    chance = cv2.resize(soft[y0:y1, x0:x1], shape, interpolation=cv2.INTER_AREA)

    known = np.where(chance >= 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    reach = max(2, round(0.012 * size * scale))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    sure = cv2.erode((chance >= SURE_PERSON).astype(np.uint8), disc)
    # Far from anything likely it is background: the network's mask is coarse, not blind.
    possible = cv2.dilate((chance >= SURE_BACKGROUND).astype(np.uint8), disc)
    known[possible == 0] = cv2.GC_BGD
    known[sure > 0] = cv2.GC_FGD
    known[_limb_cores(detection, (x0, y0), scale, chance) > 0] = cv2.GC_FGD
    if theirs is not None and theirs.any():
        # Where two people touch, colours draw the line; away from it the neighbour is background.
        near = cv2.resize(theirs[y0:y1, x0:x1].astype(np.uint8), shape)
        known[(near > 0) & (known != cv2.GC_FGD)] = cv2.GC_PR_BGD
        known[cv2.erode(near, disc) > 0] = cv2.GC_BGD
        chance = np.where(near > 0, 0.0, chance)
    cut = _local_grabcut(window, known)
    # Colour alone may bite into the person or reach out where both look alike: there the
    # network's word stands.
    cut = np.where(chance > 0.97, 1.0, cut)
    cut = cv2.GaussianBlur(cut, (0, 0), 1.0)
    full = np.zeros(soft.shape, np.float32)
    full[y0:y1, x0:x1] = cv2.resize(cut, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC)
    return solid(full >= 0.5, detection.box)


def _local_grabcut(window: UInt8, known: UInt8) -> Float32:
    """(h, w) share of person, 0..1: GrabCut in overlapping tiles along the longer side, each with
    colour mixtures of its own. White shoes then do not speak for a white wall behind the hands.

    window : (h, w, 3) RGB; known : (h, w) GrabCut's labels
    """
    height, width = known.shape
    upright = height >= width
    length = max(height, width)
    size = min(length, round(length * TILE_SHARE))
    starts = np.linspace(0, length - size, TILES).round().astype(int)
    ramp = np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1)).astype(np.float32)
    total = np.zeros(known.shape, np.float32)
    weight = np.zeros(known.shape, np.float32)
    for start in starts:
        part = slice(start, start + size)
        tile = (part, slice(None)) if upright else (slice(None), part)
        share = ramp[:, None] if upright else ramp[None]
        labels = np.ascontiguousarray(known[tile])
        of_person = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
        if of_person.any() and not of_person.all():
            # The mixtures start from k-means with OpenCV's own generator.
            cv2.setRNGSeed(0)
            cv2.grabCut(
                np.ascontiguousarray(window[tile][..., ::-1]), labels, None, np.zeros((1, 65)),
                np.zeros((1, 65)), GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK,
            )  # fmt: skip
            of_person = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
        total[tile] += of_person * share
        weight[tile] += share
    return total / weight


def _limb_cores(
    detection: Detection, origin: tuple[int, int], scale: float, chance: Float32
) -> UInt8:
    """Thin capsules along the limbs that are seen: they are person whatever the colours say."""
    marks, seen = detection.landmarks.image, detection.landmarks.visibility
    canvas = np.zeros(chance.shape, np.uint8)
    for first, second in _LIMBS:
        a, b = LANDMARK[first], LANDMARK[second]
        if min(seen[a], seen[b]) < LEAST_VISIBILITY:
            continue
        p, q = ((marks[k] - origin) * scale for k in (a, b))
        thick = max(1, round(LIMB_SHARE * float(np.linalg.norm(p - q))))
        ends = [tuple(int(v) for v in np.round(point)) for point in (p, q)]
        cv2.line(canvas, ends[0], ends[1], 1, thick)
    # A landmark may be off: where the network sees none of the person, it does not count.
    return canvas * (chance > 0.3)


def solid(mask: Mask, box: Float32) -> Mask:
    """The person's largest piece without pinholes; real gaps between limbs stay open.

    box : (4,), the person's
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
