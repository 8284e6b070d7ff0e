"""What the stages have made of a photo so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from .character.character_result import CharacterBuild
from .types import Background, Detection, FittedBody, Motion, Person, Photo, UInt8

_Value = TypeVar("_Value")


@dataclass(frozen=True, eq=False)
class StageCost:
    """What a stage took."""

    seconds: float
    peak_memory_mb: float  # of the whole process up to the stage's end


@dataclass(frozen=True, eq=False)
class WakeUpResult:
    """The values of all stages, None where a stage has not run."""

    photo: Photo | None = None
    people: tuple[Detection, ...] | None = None
    person: Person | None = None
    fitted: FittedBody | None = None
    build: CharacterBuild | None = None
    background: Background | None = None
    motion: Motion | None = None
    motion_name: str = ""  # the clip's
    motion_notes: tuple[str, ...] = ()  # sentences of the clip's file: assumptions, other takes
    painted: UInt8 | None = None  # (H, W), part labels that the user asks for, 0 where nothing
    costs: dict[str, StageCost] = field(default_factory=dict)


def present(value: _Value | None, stage: str) -> _Value:
    """A stage's value. RuntimeError where it has not run, a programmer's error: it belongs among
    the needs of whoever asks.

    Parameters
    ----------
    value : _Value | None
        The field of a result.
    stage : str
        Its name.

    Returns
    -------
    _Value
        The value.

    Raises
    ------
    RuntimeError
        If the stage has not run.
    """
    if value is None:
        raise RuntimeError(f"the stage '{stage}' has not run")
    return value
