"""Everyone in the photo: BlazePose's detector on the picture and on tiles of it.

The detector knows bodies that stand and sees many that do not; the photo is turned for it only
where no one was found or a person who is far from upright, so that ordinary photos take no longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ...errors import NobodyFoundError, PersonError
from ...inference.roi import RotatedRoi
from ...types import Detection, Float32, Mask, Photo, PoseLandmarks, UInt8
from ..drawings.figure_ground_segmentation import outline_in_box
from ..drawings.medial_axis_pose import joints_of_outline
from ..landmarks.joints import flat_landmarks
from ..landmarks.pose_landmarks import LANDMARK, LIMBS, LandmarkResult, infer, track_roi
from ..segmentation.instance_assignment import assign_instances, meet, painted_over, torso_length
from .pose_detector import detect
from .upright import QUARTER, along_axes, box_of, lean, own_box, turn_of, turned_photo

LEAST_TILE_SCORE = 0.6  # a tile shows parts of bodies, so it errs more
LEAST_PRESENCE = 0.85  # the landmark network's own word for "there is a body"
LEAST_SHOWN = 0.35  # mean visibility of shoulders, hips and knees: less is a portrait or no body
TILE_SHARES = (1.0, 0.6)  # tile side over the photo's shorter side
TILE_OVERLAP = 0.5
# Of the photo's height, both upright with the person; smaller ones have too few pixels to wake up.
SMALLEST_PERSON = 0.12
MOSTLY_WITHIN = 0.6  # share of landmarks in a larger person's box that makes a result a part of it
SURE_DETECTION_SCORE = 0.8
LEAST_PRESENCE_DETECTED = 0.5  # enough where the detector is sure: people that others overlap
MASK_GRID_PX = 192  # longer side of the masks that tell bodies apart
SAME_BODY_IOU, SAME_BODY_SHARE = 0.6, 0.85  # of two results' masks: above, they are one body
SAME_HEAD = 0.2  # of the torso's length between two results' heads: a head is twice as wide
HEAD = [LANDMARK[name] for name in ("nose", "left_ear", "right_ear")]
GOOD_QUALITY = 0.75  # presence times visibility times share of the limbs on the mask
SMALLEST_BOX_PX = 24  # a figure of fewer pixels cannot be told from its surroundings
LEAST_BOX_OVERLAP = 0.4  # intersection over union of a given box and the person that it means
# From upright in the turned photo in which a person was found: anyone who leans more is made up.
FARTHEST_LEAN = np.radians(60.0)
MOST_INFERENCES = 4  # of a body whose joints do not lie on its mask


def _candidates(rgb: UInt8) -> list[tuple[float, RotatedRoi]]:
    """Detections on the whole picture and on its tiles, in photo pixels."""
    height, width = rgb.shape[:2]
    found = detect(rgb)
    for share in TILE_SHARES:
        side = round(min(height, width) * share)
        if side >= max(height, width):
            continue
        for y0 in _starts(height, side):
            for x0 in _starts(width, side):
                for score, roi in detect(rgb[y0 : y0 + side, x0 : x0 + side]):
                    if score >= LEAST_TILE_SCORE:
                        moved = RotatedRoi(roi.x + x0, roi.y + y0, roi.side, roi.angle)
                        found.append((score, moved))
    return [(score, roi.snapped()) for score, roi in found]


def _starts(length: int, side: int) -> list[int]:
    count = max(1, int(np.ceil((length - side) / (side * (1 - TILE_OVERLAP)))) + 1)
    return sorted({round(s) for s in np.linspace(0, length - side, count)})


@dataclass(eq=False)
class _Body:
    """The best result of one body so far, and how often it was looked at."""

    result: LandmarkResult
    mask: Mask  # (h, w), the network's, on a small copy of the photo
    quality: float
    inferences: int = 1


def find_people(photo: Photo) -> tuple[Detection, ...]:
    """Everyone whose body can be seen, left to right.

    Parameters
    ----------
    photo : Photo
        The photo.

    Returns
    -------
    tuple[Detection, ...]
        At least one.

    Raises
    ------
    NobodyFoundError
        If no one is found, a PersonError.
    """
    rgb = photo.rgb
    bodies = _bodies(rgb, photo)
    kept = [
        body
        for body in bodies
        if not any(
            _part_of(body.result, other.result, photo)
            for other in bodies
            if other is not body and other.quality >= body.quality
        )
    ]
    kept = _one_a_head(kept)
    if not kept:
        raise NobodyFoundError(
            "No person was found in the photo: draw a box around the figure and, where it is "
            "needed, move its joints, or choose a photo that shows somebody from head to foot."
        )
    _infer_apart(rgb, kept, photo)
    people = [_detection(body.result, photo) for body in kept]
    return tuple(sorted(people, key=lambda person: float(person.box[0] + person.box[2])))


def _one_a_head(bodies: list[_Body]) -> list[_Body]:
    """The bodies in their order without those whose head is a better one's: results that went to
    different neighbours' limbs have masks that look like two bodies."""
    chosen: list[_Body] = []
    for body in sorted(bodies, key=lambda b: -b.quality):
        marks = body.result.landmarks
        head = marks.image[HEAD].mean(axis=0)
        for other in chosen:
            other_marks = other.result.landmarks
            reach = SAME_HEAD * min(torso_length(marks), torso_length(other_marks))
            if np.linalg.norm(head - other_marks.image[HEAD].mean(axis=0)) < reach:
                break
        else:
            chosen.append(body)
    return [body for body in bodies if body in chosen]


def _detection(result: LandmarkResult, photo: Photo) -> Detection:
    box = box_of(result.landmarks, _size(photo))
    return Detection(box, result.presence, result.landmarks)


def _size(photo: Photo) -> tuple[int, int]:
    return photo.width, photo.height


def _infer_apart(rgb: UInt8, bodies: list[_Body], photo: Photo) -> None:
    """Look at those whose boxes others reach into once more, the others painted over."""
    people = [_detection(body.result, photo) for body in bodies]
    scale = MASK_GRID_PX / max(photo.width, photo.height)
    instance, _ = assign_instances(
        people, [_small_probability(body.result, photo) for body in bodies], scale
    )
    for index, body in enumerate(bodies):
        rivals = [k for k, other in enumerate(people) if k != index and meet(people[index], other)]
        if not rivals:
            continue
        others = cv2.resize(
            np.isin(instance, rivals).astype(np.uint8), (photo.width, photo.height),
            interpolation=cv2.INTER_NEAREST,
        )  # fmt: skip
        result = track_roi(painted_over(rgb, others > 0), body.result.roi)
        mask = _small_probability(result, photo) >= 0.5
        quality = _quality(result, mask, photo)
        if quality > body.quality and _same_body([body], result, photo):
            body.result, body.mask, body.quality = result, mask, quality


def _bodies(rgb: UInt8, photo: Photo) -> list[_Body]:
    """One entry a body, whatever its direction."""
    bodies: list[_Body] = []
    _read_candidates(bodies, _candidates(rgb), rgb, photo)
    # Beside a person who lies others may lie as well; where no one stands, anyone may.
    quarters = {_quarter(body.result.landmarks) for body in bodies} if bodies else {1, 2, 3}
    for quarter in sorted(quarters - {0}):
        view = turned_photo(_size(photo), quarter * QUARTER)
        turned = [(score, view.roi_on_photo(roi)) for score, roi in _candidates(view.picture(rgb))]
        _read_candidates(bodies, turned, rgb, photo, quarter)
    return bodies


def _quarter(marks: PoseLandmarks) -> int:
    """How many quarter turns, 0 to 3, the photo has to be turned for a body to stand in it."""
    return round(turn_of(marks) / QUARTER) % 4


def _stands(marks: PoseLandmarks, quarter: int) -> bool:
    """Whether a body stands in the photo turned by so many quarters."""
    return bool(np.cos(lean(marks) - quarter * QUARTER) >= np.cos(FARTHEST_LEAN))


def _read_candidates(
    bodies: list[_Body],
    candidates: list[tuple[float, RotatedRoi]],
    rgb: UInt8,
    photo: Photo,
    quarter: int | None = None,
) -> None:
    """Add the bodies of some candidates: those whose results' masks are the same are the same
    body.

    quarter : in the photo turned by so many quarters they were found; only who stands there counts
    """
    for score, roi in sorted(candidates, key=lambda c: -c[0]):
        if any(_near(roi, body.result.roi) and _is_good(body) for body in bodies):
            continue
        result = infer(rgb, roi)
        body = _same_body(bodies, result, photo)
        if body is not None and _is_good(body):
            continue
        result = track_roi(rgb, roi, result)
        if not _is_person(result, score, photo):
            continue
        if quarter is not None and not _stands(result.landmarks, quarter):
            continue
        mask = _small_probability(result, photo) >= 0.5
        quality = _quality(result, mask, photo)
        # Beside a person who lies, turned pictures of things look like people more often.
        if quarter is not None and bodies and quality < GOOD_QUALITY:
            continue
        body = _same_body(bodies, result, photo)
        if body is None:
            bodies.append(_Body(result, mask, quality))
            continue
        body.inferences += 1
        if quality > body.quality:
            body.result, body.mask, body.quality = result, mask, quality


def _is_good(body: _Body) -> bool:
    """Whether no other result of this body is needed."""
    return body.quality >= GOOD_QUALITY or body.inferences >= MOST_INFERENCES


def _near(candidate: RotatedRoi, known: RotatedRoi) -> bool:
    """Whether a candidate's region is all but a known one."""
    apart = np.hypot(candidate.x - known.x, candidate.y - known.y)
    ratio = candidate.side / known.side
    return bool(apart < 0.1 * known.side and 0.75 < ratio < 1.33)


def _same_body(bodies: list[_Body], result: LandmarkResult, photo: Photo) -> _Body | None:
    """The body that a result is of: their masks cover each other, whatever the joints are."""
    mask = _small_probability(result, photo) >= 0.5
    for body in bodies:
        shared = int((mask & body.mask).sum())
        least = min(int(mask.sum()), int(body.mask.sum()))
        union = int((mask | body.mask).sum())
        if shared > SAME_BODY_IOU * union or shared > SAME_BODY_SHARE * least > 0:
            return body
    return None


def _small_probability(result: LandmarkResult, photo: Photo) -> Float32:
    """(h, w), 0..1: the network's mask on a copy of the photo MASK_GRID_PX long."""
    scale = MASK_GRID_PX / max(photo.width, photo.height)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return cv2.warpAffine(result.mask, result.roi.matrix() * scale, size)


def _quality(result: LandmarkResult, mask: Mask, photo: Photo) -> float:
    """0..1, how much a result is to be believed."""
    marks = result.landmarks
    return result.presence * float(marks.visibility.mean()) * _cover(marks, mask, photo)


def _cover(marks: PoseLandmarks, mask: Mask, photo: Photo) -> float:
    """How much of the limbs lies on the mask, 0..1, limbs that are seen counting more."""
    scale = MASK_GRID_PX / max(photo.width, photo.height)
    along = np.linspace(0.1, 0.9, 9)[:, None]
    total, weight = 0.0, 1e-6
    for first, second in LIMBS:
        a, b = LANDMARK[first], LANDMARK[second]
        points = (marks.image[a] * (1 - along) + marks.image[b] * along) * scale
        columns, rows = points.round().astype(int).T
        inside = (columns >= 0) & (rows >= 0) & (columns < mask.shape[1]) & (rows < mask.shape[0])
        if not inside.any():
            continue
        seen = float(min(marks.visibility[a], marks.visibility[b]))
        total += seen * float(mask[rows[inside], columns[inside]].mean())
        weight += seen
    return total / weight


def find_in_box(photo: Photo, box: Float32, seed: int = 0) -> tuple[Detection, ...]:
    """Everyone, left to right, with a person in `box` (4,) x0 y0 x1 y1 whatever the networks say.

    Where they see no one there, the outline in the box gives the joints: drawings, paintings,
    sculptures; seed : of the colours' clusters there.

    Parameters
    ----------
    photo : Photo
        The photo.
    box : Float32
        (4,) x0 y0 x1 y1, photo pixels.
    seed : int
        Of the colours' clusters.

    Returns
    -------
    tuple[Detection, ...]
        At least one.

    Raises
    ------
    PersonError
        If the box is outside of the photo or holds no figure.
    """
    rgb = photo.rgb
    low = np.clip(box[:2], 0, [photo.width - 1, photo.height - 1])
    high = np.clip(box[2:], 0, [photo.width - 1, photo.height - 1])
    if (high - low).min() < SMALLEST_BOX_PX:
        raise PersonError(
            f"The box must lie in the photo ({photo.width} by {photo.height} pixels) and be at "
            f"least {SMALLEST_BOX_PX} pixels wide and high."
        )
    asked = np.concatenate([low, high]).astype(np.float32)
    try:
        people = list(find_people(photo))
    except PersonError:
        people = []
    if not any(_overlap(person.box, asked) >= LEAST_BOX_OVERLAP for person in people):
        people = [p for p in people if _overlap(p.box, asked) < LEAST_BOX_OVERLAP / 2]
        people.append(_seen_in_box(rgb, asked, photo) or _drawn_in_box(photo, asked, seed))
    return tuple(sorted(people, key=lambda person: float(person.box[0] + person.box[2])))


def in_box(people: tuple[Detection, ...], box: Float32) -> Detection:
    """The person whose box is most like `box` (4,).

    Parameters
    ----------
    people : tuple[Detection, ...]
        Everyone who was found, left to right.
    box : Float32
        (4,) x0 y0 x1 y1, photo pixels.

    Returns
    -------
    Detection
        The most alike.
    """
    return max(people, key=lambda person: _overlap(person.box, np.asarray(box, np.float32)))


def _seen_in_box(rgb: UInt8, box: Float32, photo: Photo) -> Detection | None:
    """A person that the networks see once they look at the box alone."""
    margin = 0.1 * (box[2:] - box[:2])
    x0, y0 = np.maximum(box[:2] - margin, 0).astype(int)
    x1, y1 = np.minimum(box[2:] + margin + 1, [photo.width, photo.height]).astype(int)
    part = Photo(np.ascontiguousarray(rgb[y0:y1, x0:x1]), None, None, photo.name)
    best: Detection | None = None
    for body in _bodies(part.rgb, part):
        marks = body.result.landmarks
        there = replace(marks, image=marks.image + np.array([x0, y0], np.float32))
        person = Detection(box_of(there, _size(photo)), body.result.presence, there)
        if _overlap(person.box, box) >= LEAST_BOX_OVERLAP and (
            best is None or person.score > best.score
        ):
            best = person
    return best


def _drawn_in_box(photo: Photo, box: Float32, seed: int) -> Detection:
    """A figure of which only the outline is known."""
    return Detection(box, 0.0, flat_landmarks(joints_of_outline(outline_in_box(photo, box, seed))))


def _overlap(a: Float32, b: Float32) -> float:
    """Intersection over union of two boxes."""
    shared = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    both = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared
    return float(shared / max(float(both), 1e-6))


def choose(people: tuple[Detection, ...], number: int = 0) -> Detection:
    """Person `number` counted from 1 at the left; 0 is the largest one.

    Parameters
    ----------
    people : tuple[Detection, ...]
        Everyone who was found, left to right.
    number : int
        From 1; 0: the largest one.

    Returns
    -------
    Detection
        The one who is meant.

    Raises
    ------
    PersonError
        If there are not so many.
    """
    if number == 0:
        return max(people, key=_area)
    if not 1 <= number <= len(people):
        there = "is one person" if len(people) == 1 else f"are {len(people)} people"
        raise PersonError(
            f"There {there} in the photo: choose a number from 1 to {len(people)} instead of "
            f"{number}, counted from the left."
        )
    return people[number - 1]


def _area(person: Detection) -> float:
    """Of the person's box, square pixels, along the body's own axes: the upright box of who lies
    askew holds more of the photo than of them."""
    angle = 0.0 if person.is_drawn else turn_of(person.landmarks)
    box = person.box if angle == 0 else own_box(person.landmarks, angle)
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _is_person(result: LandmarkResult, score: float, photo: Photo) -> bool:
    """Detector and landmark network have to agree: where one is less sure, the other must be."""
    marks = result.landmarks
    sure = score >= SURE_DETECTION_SCORE
    if result.presence < (LEAST_PRESENCE_DETECTED if sure else LEAST_PRESENCE):
        return False
    body = [
        LANDMARK[f"{side}_{joint}"]
        for side in ("left", "right")
        for joint in ("shoulder", "hip", "knee")
    ]
    angle = turn_of(marks)
    if angle == 0:
        box, photo_height = box_of(marks, _size(photo)), float(photo.height)
    else:
        box = own_box(marks, angle)
        photo_height = photo.height * np.cos(angle) ** 2 + photo.width * np.sin(angle) ** 2
    large = (box[3] - box[1]) >= SMALLEST_PERSON * photo_height
    return bool(large and marks.visibility[body].mean() >= LEAST_SHOWN)


def _part_of(small: LandmarkResult, large: LandmarkResult, photo: Photo) -> bool:
    """Whether a result is of some of another person's limbs: its torso lies in the other's box
    and is far smaller than the other's."""
    if torso_length(small.landmarks) > 0.5 * torso_length(large.landmarks):
        return False
    angle, inner = turn_of(large.landmarks), small.landmarks.image
    if angle == 0:
        box = box_of(large.landmarks, _size(photo))
    else:
        box, inner = own_box(large.landmarks, angle), along_axes(inner, angle)
    within = ((inner >= box[:2]) & (inner <= box[2:])).all(axis=1)
    return bool(within.mean() > MOSTLY_WITHIN)
