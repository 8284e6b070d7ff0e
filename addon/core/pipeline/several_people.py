"""Everyone in a photo at once: a result for each person, on one ground before one plate."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import PersonError
from ..result import WakeUpResult, present
from ..settings import WakeUpSettings
from ..types import Character, Clip, FittedBody, Float32, Foreground, Progress
from .run import advance, motion_checked, within

# Of a person's own height: who would have to be taller or smaller than that to stand on the
# others' ground jumps, sits, or stands on something.
LEAST_SCALE, GREATEST_SCALE = 0.72, 1.35
_PLATE_SHARE = 0.1  # of the progress bar


def wake_up_everyone(
    photo_path: Path | str, settings: WakeUpSettings, clip: Clip | None = None
) -> Generator[Progress, None, tuple[WakeUpResult, ...]]:
    """A finished result for everyone, left to right, with the same photo, people and background.

    Each is `settings.height_m` tall unless standing on the same ground before the same camera
    makes a person taller or smaller. Who cannot be cut out is left out; PersonError where no one
    can. `clip` is as in `advance`.

    Parameters
    ----------
    photo_path : Path | str
        The photo's file.
    settings : WakeUpSettings
        What the user chose.
    clip : Clip | None
        The settings' motion, if only Blender can read its file; None: it is read here.

    Yields
    ------
    Generator[Progress, None, tuple[WakeUpResult, ...]]
        How far the work has come; the generator's value is a result for each person.
    """
    if clip is None:
        yield from motion_checked(settings)
    first = yield from within(advance(WakeUpResult(), settings, photo_path, "people"), 0.0, 0.05)
    people = first.people or ()
    share = (1.0 - 0.05 - _PLATE_SHARE) / len(people)
    built: list[WakeUpResult] = []
    refused: PersonError | None = None
    for index in range(len(people)):
        try:
            numbered = replace(settings, person=index + 1)
            work = advance(first, numbered, photo_path, "build")
            begun = 0.05 + share * index
            built.append((yield from within(work, begun, begun + share, f"Person {index + 1}: ")))
        except PersonError as error:
            refused = error
    if not built:
        raise refused or PersonError("No person was found in the photo: draw a box around one.")
    built = _on_one_ground(built)

    everyone = Foreground.of([present(result.person, "person") for result in built])
    yield Progress(1.0 - _PLATE_SHARE, "Filling the background")
    plate = yield from within(
        advance(built[0], settings, photo_path, "background", everyone=everyone),
        1.0 - _PLATE_SHARE, 1.0,
    )  # fmt: skip
    finished = []
    for result in built:
        shared = replace(result, background=plate.background)
        own = yield from within(advance(shared, settings, photo_path, "motion", clip), 1.0, 1.0)
        finished.append(replace(own, costs={**result.costs, **plate.costs, **own.costs}))
    yield Progress(1.0, "Done")
    return tuple(finished)


def _on_one_ground(results: list[WakeUpResult]) -> list[WakeUpResult]:
    """Each result scaled about the camera, which no pixel shows, so that all stand as deep below
    it as the most prominent person does."""
    depths = [_ground(result) for result in results]
    sizes = [int(present(result.person, "person").mask.sum()) for result in results]
    common = depths[int(np.argmax(sizes))]
    scaled = []
    for result, depth in zip(results, depths, strict=True):
        factor = common / depth if depth > 0 and common > 0 else 1.0
        fits = LEAST_SCALE <= factor <= GREATEST_SCALE
        scaled.append(_scaled(result, factor) if fits else result)
    return scaled


def _ground(result: WakeUpResult) -> float:
    """Metres from the camera down to the ground that a character stands on."""
    return float(present(result.build, "build").character.world_from_camera[2, 3])


def _scaled(result: WakeUpResult, factor: float) -> WakeUpResult:
    fitted = scaled_body(present(result.fitted, "fitted"), factor)
    build = present(result.build, "build")
    character = scaled_character(build.character, factor)
    return replace(result, fitted=fitted, build=replace(build, character=character))


def scaled_body(fitted: FittedBody, factor: float) -> FittedBody:
    """The body `factor` times as large and as far from the camera.

    Parameters
    ----------
    fitted : FittedBody
        The body.
    factor : float
        Above 0.

    Returns
    -------
    FittedBody
        Equal in the picture.
    """
    transforms = fitted.transforms.copy()
    transforms[:, :3, 3] *= factor

    def times(values: Float32) -> Float32:
        return (values * factor).astype(np.float32)

    return replace(
        fitted,
        translation=times(fitted.translation),
        scale=fitted.scale * factor,
        vertices=times(fitted.vertices),
        joints=times(fitted.joints),
        rest_joints=times(fitted.rest_joints),
        transforms=transforms,
    )


def scaled_character(character: Character, factor: float) -> Character:
    """The character `factor` times as large and as far from the camera.

    Parameters
    ----------
    character : Character
        The character.
    factor : float
        Above 0.

    Returns
    -------
    Character
        Equal in the picture.
    """
    place = character.world_from_camera.copy()
    place[:3, 3] *= factor
    return replace(
        character,
        vertices=(character.vertices * factor).astype(np.float32),
        rest_vertices=(character.rest_vertices * factor).astype(np.float32),
        skeleton=replace(character.skeleton, joints=character.skeleton.joints * factor),
        pose=replace(character.pose, root=character.pose.root * factor),
        world_from_camera=place,
        shape_keys=tuple(
            replace(key, offsets=(key.offsets * factor).astype(np.float32))
            for key in character.shape_keys
        ),
    )
