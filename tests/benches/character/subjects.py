"""Who is measured: every test photo with a whole person, woken up to the body and to the mesh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ....addon.core.body.stage import body_model
from ....addon.core.character.build import build_character
from ....addon.core.character.character_result import CharacterBuild
from ....addon.core.pipeline.run import advance, drain
from ....addon.core.result import WakeUpResult
from ....addon.core.settings import WakeUpSettings
from ....addon.core.types import FittedBody, Person, Photo
from ..photos import photos


@dataclass(frozen=True, eq=False)
class Subject:
    """A person with the fitted body."""

    name: str
    photo: Photo
    person: Person
    fitted: FittedBody


@cache
def subject(path: Path) -> Subject:
    """The most prominent person of a photo, fitted."""
    result = drain(advance(WakeUpResult(), WakeUpSettings(), path, until="fitted"))
    assert result.photo is not None and result.person is not None and result.fitted is not None
    return Subject(path.stem, result.photo, result.person, result.fitted)


def subjects() -> list[Subject]:
    """Everybody, the demo photo's person last."""
    return [subject(path) for path in photos()]


@cache
def character_of(who: Subject) -> CharacterBuild:
    """The character that the default settings make."""
    return build_character(who.photo, who.person, body_model(WakeUpSettings()), who.fitted)
