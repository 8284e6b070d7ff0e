"""The guide of the texture's back: which label each pixel of the person has, which the back wants.

Photo Wake-Up section 4.5 lets the user recolour a label map so that the back is never painted
with the face or a shirt's logo. Here the map is proposed: the body's parts seen through the warp,
the head divided into face, hair and other skin by colour, so that hair takes the face's place.
Labels are those of `body.parts`, and the two below.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ...body.model.body_model import BodyModel
from ...body.model.parts import HEAD, NOTHING, TORSO
from ...body.model.skeleton import JOINT
from ...imaging.masks import dilated_by_distance
from ...imaging.seeded_opencv import k_means
from ...perception.landmarks.pose_landmarks import LANDMARK
from ...types import Float32, Int32, Mask, Person, UInt8

HAIR, FACE = 7, 8  # labels beside those of `body.parts`

# Along the face, 0 at the eyes and 1 at the mouth; a face is about 2.5 of these long.
NAPE = 1.1  # short hair ends here behind, about the ear lobes
CROWN = -0.6  # what lies above beside the face is hair, a hat or a bald scalp
CHIN = 2.0
CHEEKS = (0.3, 0.8)
CHEEK_REACH = 0.7  # of the same unit, to either side of the nose
LONG_HAIR = 6.0  # as far below the eyes hair is looked for
SKIN_SPREAD = 20.0  # CIE76 from the cheeks' colour that is still the face's skin
COLOURS_KEPT = 3  # of hair, skin and clothes each: lights and shades
HAIR_FAVOUR = 1.4  # beside the face little is skin: hair may be farther from its colours by this
HANGING_COLOUR = 20.0  # CIE76 from hair's colours, beyond the head
SIDEBURN = 0.4  # hair lower down has to be joined to what is above
BALD = 14.0  # CIE76 between crown and cheeks up to which the head is bald
HANGING_SHARE = 90  # per cent of the hanging hair that is above its end behind the neck
FACE_MARGIN = 0.2  # around the face hair is mixed with skin and no good to be copied
LOCK = 0.1  # half the width of the thinnest lock that hangs
FACE_SIDE = 0.62  # of the body's head from back to front: its face begins, just before the ears
# A nose is 1.6 times as far before the ears as an ear is aside of the middle: farther aside in
# the picture, in halves of the ears' distance, and the head is turned by more than 45 degrees.
PROFILE = 1.6
FEWEST_PIXELS = 20  # for a colour to be known


@dataclass(frozen=True, eq=False)
class FaceFrame:
    """Coordinates on a face that looks towards the camera."""

    eyes: npt.NDArray[np.float64]  # (2,), photo pixels, midway between the eyes
    down: npt.NDArray[np.float64]  # (2,), photo pixels, from there to the mouth

    def along(self, shape: tuple[int, ...]) -> tuple[Float32, Float32]:
        """(H, W) each: how far down (0 eyes, 1 mouth) and aside of the middle each pixel is.

        Parameters
        ----------
        shape : tuple[int, ...]
            (H, W).

        Returns
        -------
        tuple[Float32, Float32]
            (H, W) each, in distances from the eyes to the mouth.
        """
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        x, y = x - np.float32(self.eyes[0]), y - np.float32(self.eyes[1])
        dx, dy = (self.down / (self.down @ self.down)).astype(np.float32)
        return x * dx + y * dy, y * dx - x * dy


@dataclass(frozen=True, eq=False)
class Labels:
    """Of one layer, photo-sized; 0 beyond it."""

    front: UInt8  # (H, W), what the photo's pixels are
    back: UInt8  # (H, W), what the back is to be painted with; where the two agree it is mirrored


def face_frame(person: Person) -> FaceFrame | None:
    """Where the face is, None if it looks away from the camera.

    Parameters
    ----------
    person : Person
        The person.

    Returns
    -------
    FaceFrame | None
        Photo pixels.
    """
    marks = person.detection.landmarks
    eyes = marks.image[[LANDMARK["left_eye"], LANDMARK["right_eye"]]].mean(axis=0)
    mouth = marks.image[[LANDMARK["mouth_left"], LANDMARK["mouth_right"]]].mean(axis=0)
    ears = marks.world[[LANDMARK["left_ear"], LANDMARK["right_ear"]]]
    down = (mouth - eyes).astype(np.float64)
    if marks.world[LANDMARK["nose"], 2] > ears[:, 2].mean() or np.linalg.norm(down) < 1.0:
        return None
    return FaceFrame(eyes.astype(np.float64), down)


def is_profile(person: Person, face: FaceFrame) -> bool:
    """Whether the face is seen rather from the side than from the front.

    Parameters
    ----------
    person : Person
        The person.
    face : FaceFrame
        The person's.

    Returns
    -------
    bool
        True if so.
    """
    marks = person.detection.landmarks.image.astype(np.float64)
    left, right = marks[LANDMARK["left_ear"]], marks[LANDMARK["right_ear"]]
    across = np.array([-face.down[1], face.down[0]]) / np.linalg.norm(face.down)
    aside = abs((marks[LANDMARK["nose"]] - (left + right) / 2) @ across)
    return bool(aside > PROFILE * abs((left - right) @ across) / 2)


def face_mask(person: Person) -> Mask:
    """(H, W) bool: the face's skin where it looks towards the camera, else nothing.

    An ellipse through eyes and mouth, from the hairline to below the chin, and the hull of Face
    Mesh's points where there are some.

    Parameters
    ----------
    person : Person
        The person.

    Returns
    -------
    Mask
        (H, W).
    """
    canvas = np.zeros(person.mask.shape, np.uint8)
    face = face_frame(person)
    if face is None:
        return canvas > 0
    if person.face is not None:
        hull = cv2.convexHull(np.round(person.face.mesh[:, :2]).astype(np.int32))
        cv2.fillConvexPoly(canvas, hull, 1)
    marks = person.detection.landmarks.image
    tall = float(np.linalg.norm(face.down))
    ear_gap = float(np.linalg.norm(marks[LANDMARK["left_ear"]] - marks[LANDMARK["right_ear"]]))
    centre = face.eyes + 0.6 * face.down
    axes = (1.75 * tall, max(1.25 * tall, 0.62 * ear_gap))
    angle = float(np.degrees(np.arctan2(face.down[1], face.down[0])))
    box = (tuple(map(float, centre)), (2 * axes[0], 2 * axes[1]), angle)
    cv2.ellipse(canvas, box, 1, -1)
    return (canvas > 0) & person.mask


def on_face_side(model: BodyModel) -> Mask:
    """(V,) bool: vertices of the body's face and of the sides of the head before the ears.

    Parameters
    ----------
    model : BodyModel
        The body model.

    Returns
    -------
    Mask
        (V,).
    """
    head = model.weights[:, JOINT["head"]] > 0.5
    depth = model.template[:, 2]
    low, high = depth[head].min(), depth[head].max()
    return head & (depth > low + FACE_SIDE * (high - low))


def propose(
    person: Person,
    colours: UInt8,
    region: Mask,
    front: Int32,
    back: Int32,
    model: BodyModel,
    seed: int = 0,
) -> Labels:
    """The labels of one layer.

    Parameters
    ----------
    person : Person
        The person.
    colours : UInt8
        (H, W, 3) the person's.
    region : Mask
        (H, W) the layer.
    front : Int32
        (H, W) the body's vertex in front and behind at each pixel, -1 where unknown.
    back : Int32
        (H, W) the body's vertex in front and behind at each pixel, -1 where unknown.
    model : BodyModel
        The body model.
    seed : int
        Of colour clusters.

    Returns
    -------
    Labels
        Front and back.
    """
    part = np.where(region & (front >= 0), model.part[front], NOTHING).astype(np.uint8)
    face = face_frame(person)
    head = part == HEAD
    # What lies behind a profile is the other profile.
    if face is None or is_profile(person, face) or head.sum() < FEWEST_PIXELS:
        return Labels(part, part)
    face_skin = face_mask(person)
    if 2 * (face_skin & head).sum() < face_skin.sum():  # a hand before the face, not the head
        return Labels(part, part)
    wanted = np.where(region & (back >= 0), model.part[back], NOTHING).astype(np.uint8)
    behind = head & ~on_face_side(model)[back]
    return _with_head(face, face_skin, colours, region, part, wanted, behind, seed)


def _with_head(
    face: FaceFrame,
    face_skin: Mask,
    colours: UInt8,
    region: Mask,
    part: UInt8,
    wanted: UInt8,
    behind: Mask,
    seed: int,
) -> Labels:
    """Divide the head into face, hair and skin, and let hair cover its back down to the nape."""
    rows, columns = np.nonzero((part == HEAD) | (region & face_skin))
    reach = int(np.ceil(LONG_HAIR * np.linalg.norm(face.down)))
    window = (
        slice(rows.min(), min(rows.max() + reach, region.shape[0])),
        slice(max(columns.min() - reach, 0), columns.max() + reach),
    )
    down, aside = (c[window] for c in face.along(region.shape))
    lab = to_lab(colours[window])
    inside, face_skin = region[window], face_skin[window] & region[window]
    head = (part[window] == HEAD) | (face_skin & (down < CHIN))
    solid = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0

    unit = float(np.linalg.norm(face.down))
    near_face = dilated_by_distance(face_skin, FACE_MARGIN * unit)
    cheeks = face_skin & (down > CHEEKS[0]) & (down < CHEEKS[1]) & (np.abs(aside) < CHEEK_REACH)
    crown = head & solid & (down < CROWN) & ~near_face
    front, back = part.copy(), part.copy()
    if cheeks.sum() < FEWEST_PIXELS:
        return Labels(front, back)
    above = head & (down < NAPE)
    hair, hanging = above & (down < CROWN) & ~face_skin, np.zeros_like(head)
    if crown.sum() >= FEWEST_PIXELS:
        cheek = np.median(lab[cheeks], axis=0)
        bald = bool(np.linalg.norm(cheek - np.median(lab[crown], axis=0)) < BALD)
        skin = face_skin & (np.linalg.norm(lab - cheek, axis=-1) < SKIN_SPREAD)
        skin_colours, hair_colours = (_main_colours(lab[of], seed) for of in (skin, crown))
        to_skin, to_hair = _distance(lab, skin_colours), _distance(lab, hair_colours)
        hair = above & ~near_face & (down < SIDEBURN) & ((to_hair < HAIR_FAVOUR * to_skin) | bald)
        if not bald:
            like_hair = (to_hair < HAIR_FAVOUR * to_skin) & (to_hair < HANGING_COLOUR)
            candidate = inside & ~near_face & like_hair
            hanging = _hanging(candidate, hair, down, LOCK * unit, part[window] == TORSO)
            hair |= hanging
    labels = front[window]
    labels[above | face_skin] = FACE
    labels[hair] = HAIR

    covered = (above & behind[window]) | hair
    # Hair that hangs to one side of the neck or both hangs behind it, too.
    if hanging.any():
        longest = max(NAPE, float(np.percentile(down[hanging], HANGING_SHARE)))
        covered |= ((part[window] == HEAD) | face_skin) & (down < longest)
    covered |= inside & _between(hair & (down > 0), aside)
    chosen = back[window]
    chosen[(labels == FACE) & ~covered] = HEAD
    chosen[covered] = HAIR
    # Where the body shows the side of its face behind, too, the photo's own skin may stay.
    turned = head & ~behind[window] & (wanted[window] == HEAD)
    chosen[turned] = labels[turned]
    return Labels(front, back)


def _hanging(candidate: Mask, hair: Mask, down: Float32, lock_px: float, torso: Mask) -> Mask:
    """Hair that hangs down from the head: of hair's colour and joined to it by more than a thread.
    Clothes of hair's colour cannot be told from it: then nothing is."""
    if (candidate & torso).sum() > 0.5 * max(int(torso.sum()), 1):
        return np.zeros_like(hair)
    joined = ((candidate | hair) & (down < LONG_HAIR)).astype(np.uint8)
    size = 2 * max(1, round(lock_px)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    # Lights and shades leave gaps in a lock's colour; threads are no locks.
    joined = cv2.morphologyEx(joined, cv2.MORPH_CLOSE, disc)
    locks = cv2.morphologyEx(joined, cv2.MORPH_OPEN, disc)
    count, pieces = cv2.connectedComponents(locks, connectivity=4)
    kept = np.zeros(count, np.uint8)
    kept[np.unique(pieces[hair & (down > 0)])] = 1
    kept[0] = 0
    return (cv2.dilate(kept[pieces], disc) > 0) & candidate & (down > 0)


def _main_colours(lab: Float32, seed: int) -> Float32:
    """(k, 3) by k-means, of colours (N, 3)."""
    some = np.ascontiguousarray(lab[:: max(1, len(lab) // 4000)])
    count = min(COLOURS_KEPT, len(some))
    return k_means(some, count, iterations=20, least_move=0.5, attempts=2, seed=seed)[1]


def _distance(lab: Float32, colours: Float32) -> Float32:
    """(H, W) CIE76 to the nearest of the colours (k, 3)."""
    return np.min([np.linalg.norm(lab - colour, axis=-1) for colour in colours], axis=0)


def _between(hair: Mask, aside: Float32) -> Mask:
    """Between hair to the left and hair to the right, row by row: a curtain behind the neck."""
    left, right = hair & (aside > 0), hair & (aside < 0)
    both = left.any(axis=1) & right.any(axis=1)
    first, last = hair.argmax(axis=1), hair.shape[1] - 1 - hair[:, ::-1].argmax(axis=1)
    column = np.arange(hair.shape[1])
    return both[:, None] & (column >= first[:, None]) & (column <= last[:, None])


def to_lab(rgb: UInt8) -> Float32:
    """(..., 3) CIE L* a* b* (D65) of sRGB pixels (H, W, 3).

    Parameters
    ----------
    rgb : UInt8
        (H, W, 3).

    Returns
    -------
    Float32
        (H, W, 3).
    """
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
