"""Stages that go on from what the user has corrected."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..body.stage import body_model
from ..result import StageCost, WakeUpResult, present
from ..settings import WakeUpSettings
from ..types import Clip, Mask, Progress, UInt8
from .run import advance, in_thread, peak_memory_mb, within
from .stages import without

if TYPE_CHECKING:
    from ..body.pose_edit import PoseCorrection

_PERSON_SHARE = 0.2  # of the progress bar, for everything up to the mask
_POSE_SHARE = 0.3  # where the fit that goes on from a corrected pose ends


@dataclass(frozen=True, eq=False)
class Corrections:
    """What the user has put in place of what was found; None leaves what was found."""

    mask: Mask | None = None  # (H, W)
    joints: dict[str, tuple[float, float]] | None = None  # photo pixels, names of joints.EDITABLE
    pose: PoseCorrection | None = None
    labels: UInt8 | None = None  # (H, W) body parts where the user has painted them, 0 elsewhere


def advance_with(
    result: WakeUpResult,
    settings: WakeUpSettings,
    photo_path: Path | str,
    until: str,
    corrections: Corrections,
    clip: Clip | None = None,
) -> Generator[Progress, None, WakeUpResult]:
    """`run.advance` that goes on from the corrections where they differ from what was found.

    Only what depends on a correction is computed again. `clip` is as in `advance`.

    Parameters
    ----------
    result : WakeUpResult
        What there is already.
    settings : WakeUpSettings
        What the user chose.
    photo_path : Path | str
        The photo's file.
    until : str
        The stage that is wanted.
    corrections : Corrections
        What the user changed.
    clip : Clip | None
        The settings' motion, if only Blender can read its file; None: it is read here.

    Yields
    ------
    Generator[Progress, None, WakeUpResult]
        How far the work has come; the generator's value is the result.
    """
    nothing = (
        corrections.mask is None
        and not corrections.joints
        and corrections.pose is None
        and corrections.labels is None
    )
    if nothing or until in ("photo", "people"):
        return (yield from advance(result, settings, photo_path, until, clip))
    first = advance(result, settings, photo_path, "person")
    result = yield from within(first, 0.0, _PERSON_SHARE)
    if corrections.mask is not None:
        result = with_mask(result, corrections.mask)
    if corrections.joints:
        result = with_joints(result, corrections.joints)
    if until == "person":
        yield Progress(1.0, "Done")
        return result
    if corrections.labels is not None:
        result = with_labels(result, corrections.labels)
    share = _PERSON_SHARE
    if corrections.pose is not None:
        pose, before, share = corrections.pose, result, _POSE_SHARE if until != "fitted" else 1.0
        yield Progress(_PERSON_SHARE, "Fitting the body")
        values = yield from in_thread(
            lambda _report: {"result": with_pose(before, settings, pose)},
            _PERSON_SHARE, share - _PERSON_SHARE, "Fitting the body",
        )  # fmt: skip
        result = values["result"]
    rest = advance(result, settings, photo_path, until, clip)
    result = yield from within(rest, share, 1.0)
    yield Progress(1.0, "Done")
    return result


def with_mask(result: WakeUpResult, mask: Mask) -> WakeUpResult:
    """The result with a silhouette that the user has painted, and without all that was made from
    another one. A mask of another size than the photo belongs to another photo and is left out.

    Parameters
    ----------
    result : WakeUpResult
        What there is already.
    mask : Mask
        (H, W).

    Returns
    -------
    WakeUpResult
        The same object if the mask is left out.
    """
    from ..perception.segmentation.masks import cut_out

    found = present(result.person, "person")
    if mask.shape != found.mask.shape or np.array_equal(mask, found.mask) or not mask.any():
        return result
    person = cut_out(present(result.photo, "photo"), found.detection, mask)
    return replace(without(result, "person"), person=person)


def with_joints(result: WakeUpResult, joints: dict[str, tuple[float, float]]) -> WakeUpResult:
    """The result with joints that the user has moved, and without the body that was laid over
    other ones; mask and background stay.

    Parameters
    ----------
    result : WakeUpResult
        What there is already.
    joints : dict[str, tuple[float, float]]
        Names and photo pixels.

    Returns
    -------
    WakeUpResult
        The same object if none moved.
    """
    from ..perception.landmarks import joints as editing

    person = present(result.person, "person")
    detection = editing.with_joints(person.detection, joints)
    if detection is person.detection:
        return result
    return replace(without(result, "fitted"), person=replace(person, detection=detection))


def with_labels(result: WakeUpResult, labels: UInt8) -> WakeUpResult:
    """The result with the part labels that the user has painted, 0 where nothing was painted, and
    without the character that was made from other ones. Labels of another size than the photo
    belong to another photo and are left out.

    Parameters
    ----------
    result : WakeUpResult
        What there is already.
    labels : UInt8
        (H, W) part labels.

    Returns
    -------
    WakeUpResult
        The same object if the labels are left out.
    """
    before = result.painted
    if before is None:
        before = np.zeros(present(result.person, "person").mask.shape, np.uint8)
    if labels.shape != before.shape or np.array_equal(labels, before):
        return result
    painted = labels if labels.any() else None
    return replace(without(result, "build"), painted=painted)


def with_pose(
    result: WakeUpResult, settings: WakeUpSettings, correction: PoseCorrection
) -> WakeUpResult:
    """The result with the fit that goes on from a pose that the user has corrected, and without
    all that was made from another body; mask, joints and background stay.

    Parameters
    ----------
    result : WakeUpResult
        What there is already.
    settings : WakeUpSettings
        What the user chose.
    correction : PoseCorrection
        What the user set.

    Returns
    -------
    WakeUpResult
        With the new fit.
    """
    from ..body.pose_edit import refine_posed

    if result.fitted is not None and correction.is_in(result.fitted):
        return result
    started = time.perf_counter()
    fitted = refine_posed(
        present(result.photo, "photo"), present(result.person, "person"), body_model(settings),
        correction,
        settings.height_m, settings.focal_px, settings.seed,
    )  # fmt: skip
    cost = StageCost(time.perf_counter() - started, peak_memory_mb())
    costs = {**result.costs, "fitted": cost}
    return replace(without(result, "fitted"), fitted=fitted, costs=costs)
