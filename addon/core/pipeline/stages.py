"""All stages in the order of the work, and what follows from what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..background.stage import BACKGROUND
from ..body.stage import FITTED
from ..character.stage import BUILD
from ..motion.stage import MOTION
from ..perception.stages import PEOPLE, PERSON
from ..photo.stage import PHOTO
from ..result import WakeUpResult
from ..stage import Stage

# By name. A new stage is a file beside its room and an entry here.
STAGES: dict[str, Stage] = {
    stage.name: stage for stage in (PHOTO, PEOPLE, PERSON, FITTED, BUILD, BACKGROUND, MOTION)
}
LAST = MOTION.name


def with_followers(stages: Iterable[str]) -> set[str]:
    """These stages and all whose values are made from theirs.

    Parameters
    ----------
    stages : Iterable[str]
        Names.

    Returns
    -------
    set[str]
        Names.
    """
    found = set(stages)
    for stage in STAGES.values():
        if found.intersection(stage.needs):
            found.add(stage.name)
    return found


def needed_for(stage: str, result: WakeUpResult) -> list[Stage]:
    """The stage and the missing ones that it rests on, in order.

    Parameters
    ----------
    stage : str
        Its name.
    result : WakeUpResult
        What there is already.

    Returns
    -------
    list[Stage]
        Values of STAGES.
    """
    wanted: set[str] = set()

    def want(name: str) -> None:
        if result.value(name) is None and name not in wanted:
            wanted.add(name)
            for needed in STAGES[name].needs:
                want(needed)

    want(stage)
    for other in STAGES[stage].beside:
        want(other)
    return [each for each in STAGES.values() if each.name in wanted]


def without(result: WakeUpResult, *stages: str) -> WakeUpResult:
    """The result without these stages' values and all that was made from them.

    Parameters
    ----------
    result : WakeUpResult
        What there is already.
    *stages : str
        Names.

    Returns
    -------
    WakeUpResult
        Their fields empty.
    """
    gone = with_followers(stages)
    for name in gone:
        result = result.with_value(name, None)
    # Strokes are of one person's picture.
    return replace(result, painted=None) if "person" in gone else result


def stages_done(result: WakeUpResult) -> tuple[str, ...]:
    """Names of the stages that have a value, in order.

    Parameters
    ----------
    result : WakeUpResult
        What there is already.

    Returns
    -------
    tuple[str, ...]
        Names.
    """
    return tuple(name for name in STAGES if result.value(name) is not None)


def editable() -> dict[str, tuple[str, ...]]:
    """What the user edits by hand, and the stages that read it."""
    found: dict[str, tuple[str, ...]] = {}
    for stage in STAGES.values():
        for name in stage.corrections:
            found[name] = (*found.get(name, ()), stage.name)
    return found


def titles() -> dict[str, str]:
    """The stages that the panel shows and what they are called there; reading the photo is part
    of looking for people."""
    return {stage.name: stage.title for stage in STAGES.values() if stage.title}
