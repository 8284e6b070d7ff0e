"""Everyone in the photo: BlazePose's detector on the picture and on tiles of it."""

from __future__ import annotations

import numpy as np

from ..errors import PersonError
from ..types import Detection, Float32, Photo, PoseLandmarks, UInt8
from .bodies import detect
from .landmarks import LANDMARK, Reading, Square, read

LEAST_TILE_SCORE = 0.6  # a tile shows parts of bodies, so it errs more
LEAST_PRESENCE = 0.85  # the landmark network's own word for "there is a body"
LEAST_SHOWN = 0.35  # mean visibility of shoulders, hips and knees: less is a portrait or no body
SETTLING_PASSES = 4
TILE_SHARES = (1.0, 0.6)  # tile side over the photo's shorter side
TILE_OVERLAP = 0.5
SMALLEST_PERSON = 0.12  # of the photo's height; smaller ones have too few pixels to wake up
MOSTLY_WITHIN = 0.6  # share of landmarks in a larger person's box that makes a reading a part of it
SAME_PERSON = 0.45  # mean joint distance over torso length below which two readings are one


def _candidates(rgb: UInt8) -> list[tuple[float, Square]]:
    """Detections on the whole picture and on its tiles, in photo pixels."""
    height, width = rgb.shape[:2]
    found = detect(rgb)
    for share in TILE_SHARES:
        side = round(min(height, width) * share)
        if side >= max(height, width):
            continue
        for y0 in _starts(height, side):
            for x0 in _starts(width, side):
                for score, square in detect(rgb[y0 : y0 + side, x0 : x0 + side]):
                    if score >= LEAST_TILE_SCORE:
                        moved = Square(square.x + x0, square.y + y0, square.side, square.angle)
                        found.append((score, moved))
    return found


def _starts(length: int, side: int) -> list[int]:
    count = max(1, int(np.ceil((length - side) / (side * (1 - TILE_OVERLAP)))) + 1)
    return sorted({round(s) for s in np.linspace(0, length - side, count)})


def settle(rgb: UInt8, square: Square) -> Reading:
    """Read a body again and again, each time in the square that the last reading proposes."""
    reading = read(rgb, square)
    for _ in range(SETTLING_PASSES - 1):
        if reading.presence < LEAST_PRESENCE / 2:
            break
        reading = read(rgb, reading.next_square)
    return reading


def find_people(photo: Photo) -> tuple[Detection, ...]:
    """Everyone whose body can be seen, left to right.

    Raises PersonError where nobody is found.
    """
    rgb = on_grey(photo)
    kept: list[tuple[float, Reading]] = []
    for _, square in sorted(_candidates(rgb), key=lambda c: -c[0]):
        reading = settle(rgb, square)
        if not _is_person(reading, photo):
            continue
        quality = reading.presence * float(reading.landmarks.visibility.mean())
        rival = next((k for k, (_, r) in enumerate(kept) if _same(r, reading)), None)
        if rival is None:
            kept.append((quality, reading))
        elif quality > kept[rival][0]:
            kept[rival] = (quality, reading)
    kept = [
        (quality, reading)
        for quality, reading in kept
        if not any(
            _same(reading, other) or _part_of(reading, other, photo)
            for other_quality, other in kept
            if other is not reading and other_quality >= quality
        )
    ]
    if not kept:
        raise PersonError(
            "No person was found in the photo: choose one that shows somebody from head to foot, "
            "not too small."
        )
    people = [
        Detection(_box(reading.landmarks, photo), reading.presence, reading.landmarks)
        for _, reading in kept
    ]
    return tuple(sorted(people, key=lambda person: float(person.box[0] + person.box[2])))


def choose(people: tuple[Detection, ...], number: int = 0) -> Detection:
    """Person `number` counted from 1 at the left; 0 is the largest one."""
    if number == 0:
        return max(people, key=lambda p: float((p.box[2] - p.box[0]) * (p.box[3] - p.box[1])))
    if not 1 <= number <= len(people):
        there = "is one person" if len(people) == 1 else f"are {len(people)} people"
        raise PersonError(
            f"There {there} in the photo: choose a number from 1 to {len(people)} instead of "
            f"{number}, counted from the left."
        )
    return people[number - 1]


def on_grey(photo: Photo) -> UInt8:
    """The photo's pixels (H, W, 3), a transparent background replaced by light grey."""
    if photo.alpha is None:
        return photo.rgb
    share = photo.alpha[..., None].astype(np.float32) / 255
    return (photo.rgb * share + 200.0 * (1 - share)).round().astype(np.uint8)


def _is_person(reading: Reading, photo: Photo) -> bool:
    marks = reading.landmarks
    if reading.presence < LEAST_PRESENCE:
        return False
    body = [
        LANDMARK[f"{side}_{joint}"]
        for side in ("left", "right")
        for joint in ("shoulder", "hip", "knee")
    ]
    box = _box(marks, photo)
    large = (box[3] - box[1]) >= SMALLEST_PERSON * photo.height
    return bool(large and marks.visibility[body].mean() >= LEAST_SHOWN)


def _same(a: Reading, b: Reading) -> bool:
    distance = np.linalg.norm(a.landmarks.image - b.landmarks.image, axis=1).mean()
    return bool(distance < SAME_PERSON * min(_torso(a.landmarks), _torso(b.landmarks)))


def _part_of(small: Reading, large: Reading, photo: Photo) -> bool:
    """Whether a reading is of some of another person's limbs: its torso lies in the other's box
    and is far smaller than the other's."""
    if _torso(small.landmarks) > 0.5 * _torso(large.landmarks):
        return False
    box, inner = _box(large.landmarks, photo), small.landmarks.image
    within = ((inner >= box[:2]) & (inner <= box[2:])).all(axis=1)
    return bool(within.mean() > MOSTLY_WITHIN)


def _torso(marks: PoseLandmarks) -> float:
    shoulders = marks.image[[11, 12]].mean(axis=0)
    hips = marks.image[[23, 24]].mean(axis=0)
    return max(float(np.linalg.norm(shoulders - hips)), 1e-3)


def _box(marks: PoseLandmarks, photo: Photo) -> Float32:
    """The landmarks' box, widened to the crown and the soles, within the photo."""
    low, high = marks.image.min(axis=0), marks.image.max(axis=0)
    margin = 0.08 * float((high - low).max())
    limit = np.array([photo.width, photo.height], np.float32) - 1
    return np.concatenate(
        [np.clip(low - margin, 0, limit), np.clip(high + margin, 0, limit)]
    ).astype(np.float32)
