"""A stage as a value. Each is defined in a file of its own beside its room's algorithms, and listed
in `pipeline/stages.py`; everything that is to be known of a stage follows from these fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .character.character_result import CharacterBuild
from .result import WakeUpResult, present
from .settings import WakeUpSettings
from .types import Clip, Detection, FittedBody, Foreground, Person, Photo, Progress

Report = Callable[[Progress], None]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a stage may read: the values of the stages before it, and what the user has chosen.

    A value that a stage reads without naming it in its `needs` may not be there (`present`).
    """

    result: WakeUpResult
    settings: WakeUpSettings
    photo_path: Path | str = ""
    clip: Clip | None = None  # the settings' motion, where only Blender can read its file
    everyone: Foreground | None = None  # where more people than `person` leave the background

    def value(self, stage: str) -> Any:
        """The value of a stage that has no property here.

        Parameters
        ----------
        stage : str
            Its name.

        Returns
        -------
        Any
            What it has computed; `present` complains where it has not run.
        """
        return present(self.result.value(stage), stage)

    @property
    def photo(self) -> Photo:
        return present(self.result.photo, "photo")

    @property
    def people(self) -> tuple[Detection, ...]:
        return present(self.result.people, "people")

    @property
    def person(self) -> Person:
        return present(self.result.person, "person")

    @property
    def foreground(self) -> Foreground:
        """What the background is to be filled behind."""
        return Foreground.of([self.person]) if self.everyone is None else self.everyone

    @property
    def fitted(self) -> FittedBody:
        return present(self.result.fitted, "fitted")

    @property
    def build(self) -> CharacterBuild:
        return present(self.result.build, "build")


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage."""

    name: str  # under which WakeUpResult holds its value: a field, where it has one for it
    title: str  # what the panel calls it; empty: the panel does not show it
    message: str  # what the status line says while it works
    share: float  # of the time that all stages take, measured on 1-megapixel photos
    needs: tuple[str, ...]  # the stages whose values its own is made from
    # The result with the stage's own value. Imports of networks and solvers belong within, so that
    # they wait until they are needed.
    run: Callable[[Inputs, Report], WakeUpResult]
    corrections: tuple[str, ...] = ()  # fields of `Corrections` that it reads
    beside: tuple[str, ...] = ()  # stages that are computed as well where this one is the aim
