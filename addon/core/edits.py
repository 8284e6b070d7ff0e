"""Stages that go on from what the user has corrected."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np

from .pipeline import WakeUpResult, WakeUpSettings, advance
from .types import Mask, Person, Photo, Progress

_PERSON_SHARE = 0.2  # of the progress bar, for everything up to the mask


def advance_with_mask(
    result: WakeUpResult,
    settings: WakeUpSettings,
    photo_path: Path | str,
    until: str,
    mask: Mask | None,
) -> Generator[Progress, None, WakeUpResult]:
    """`pipeline.advance`, with `mask` (H, W) in place of the mask that was found where the two
    differ. A mask of another size than the photo belongs to another photo and is left out."""
    if mask is None or until in ("photo", "people"):
        return (yield from advance(result, settings, photo_path, until))
    first = advance(result, settings, photo_path, "person")
    result = yield from _part(first, 0.0, _PERSON_SHARE)
    result = with_mask(result, mask)
    if until == "person":
        yield Progress(1.0, "Done")
        return result
    return (yield from _part(advance(result, settings, photo_path, until), _PERSON_SHARE, 1.0))


def with_mask(result: WakeUpResult, mask: Mask) -> WakeUpResult:
    """The result with this mask and without all that was made from another one."""
    found = result.person.mask  # type: ignore[union-attr]
    if mask.shape != found.shape or np.array_equal(mask, found) or not mask.any():
        return result
    person = repainted(result.photo, result.person, mask)  # type: ignore[arg-type]
    return replace(result.without("person"), person=person)


def repainted(photo: Photo, person: Person, mask: Mask) -> Person:
    """The person with a silhouette that the user has painted: it is taken as it is, only its edge
    is softened along the picture's own."""
    from .perception import matte
    from .perception.people import on_grey

    rgb = on_grey(photo)
    opacity = matte.estimate(rgb, mask)
    opacity = np.where(mask, np.maximum(opacity, 0.5), np.minimum(opacity, 0.499))
    return Person(
        person.detection, mask, opacity.astype(np.float32), matte.foreground(rgb, opacity)
    )


def _part(
    work: Generator[Progress, None, WakeUpResult], start: float, end: float
) -> Generator[Progress, None, WakeUpResult]:
    """Pass progress on as the part from `start` to `end` of the whole."""
    while True:
        try:
            progress = next(work)
        except StopIteration as finished:
            return finished.value
        yield Progress(start + (end - start) * progress.fraction, progress.message)
