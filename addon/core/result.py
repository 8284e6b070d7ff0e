"""What the stages have made of a photo so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

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
    # Values of stages that have no field here, by the stages' names.
    others: Mapping[str, Any] = field(default_factory=dict)

    def value(self, stage: str) -> Any:
        """A stage's value.

        Parameters
        ----------
        stage : str
            Its name.

        Returns
        -------
        Any
            None where it has not run.
        """
        return getattr(self, stage) if stage in _FIELDS else self.others.get(stage)

    def with_value(self, stage: str, value: Any) -> WakeUpResult:
        """The result with a stage's value.

        Parameters
        ----------
        stage : str
            Its name.
        value : Any
            None takes it away.

        Returns
        -------
        WakeUpResult
            With all other values as they are.
        """
        if stage in _FIELDS:
            return replace(self, **{stage: value})
        kept = {name: other for name, other in self.others.items() if name != stage}
        return replace(self, others=kept if value is None else {**kept, stage: value})


_FIELDS = frozenset(each.name for each in fields(WakeUpResult))


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
