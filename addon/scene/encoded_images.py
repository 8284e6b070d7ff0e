"""A result's pictures, encoded: two thirds of the time that a scene takes to build, which need no
Blender and so can be spent in a thread before it is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.character.character_result import CharacterBuild
from ..core.character.layers.part_segmentation import PALETTE
from ..core.result import WakeUpResult, present
from .objects.images import EncodedImage, encoded


@dataclass(frozen=True)
class CharacterImages:
    """What one person's character is drawn and corrected with."""

    texture: EncodedImage
    normals: EncodedImage | None  # None: no relief is kept
    labels: EncodedImage  # in `part_segmentation.PALETTE`'s colours
    found_labels: EncodedImage  # body parts as grey levels


@dataclass(frozen=True)
class EncodedImages:
    """One result's pictures, None where the stage has not run; of several people, only the first
    one's have what all share: photo, background and still."""

    photo: EncodedImage | None
    mask: EncodedImage | None
    character: CharacterImages | None
    background: EncodedImage | None
    still: EncodedImage | None


def encode_images(results: Sequence[WakeUpResult]) -> tuple[EncodedImages, ...]:
    """The pictures of results of the same photo, one value for each."""
    return tuple(_encoded(result, shares=index == 0) for index, result in enumerate(results))


def _encoded(result: WakeUpResult, shares: bool) -> EncodedImages:
    person, build, background = result.person, result.build, result.background
    behind = background if shares else None
    return EncodedImages(
        photo=encoded(present(result.photo, "photo").rgb) if shares else None,
        mask=None if person is None else encoded(person.mask),
        character=None if build is None else _of_character(build),
        background=None if behind is None else encoded(behind.rgb),
        still=None if behind is None else encoded(behind.still),
    )


def _of_character(build: CharacterBuild) -> CharacterImages:
    relief = build.character.normal_map
    return CharacterImages(
        texture=encoded(build.character.texture[..., :3]),
        normals=None if relief is None else encoded(relief),
        labels=encoded(build.labels, PALETTE),
        found_labels=encoded(build.found_labels),
    )
