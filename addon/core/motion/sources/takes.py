"""Motion files in which there is more than one motion: several takes, several people, props."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import MotionError, quoted
from ..retargeting.mapping_presets import mapping_for
from ..retargeting.source_motion import SourceMotion

_MOST_NAMED = 30  # takes in one sentence; their numbers choose the others


@dataclass(frozen=True, eq=False)
class Takes:
    """What a motion file holds: each of its people in each of its recordings."""

    file: Path
    names: tuple[str, ...]  # of all takes, each another one
    chosen: int  # the one that is meant, from 0
    sources: Mapping[int, SourceMotion]  # those that were read, at least the chosen one

    def clip_name(self, index: int) -> str:
        """What a take is called as a clip: the file's name, with its own where there are more.

        Parameters
        ----------
        index : int
            Of a take, from 0.

        Returns
        -------
        str
            The name.
        """
        return self.file.stem if len(self.names) < 2 else f"{self.file.stem} {self.names[index]}"

    def order(self) -> tuple[int, ...]:
        """Those that were read, the chosen one first."""
        return (self.chosen, *(index for index in self.sources if index != self.chosen))

    def notes(self) -> tuple[str, ...]:
        """Sentences for the user: which takes are not performed, and what reading assumed."""
        assumed = self.sources[self.chosen].notes
        others = [name for index, name in enumerate(self.names) if index != self.chosen]
        if not others:
            return assumed
        told = (
            f"{self.file.name} has {len(self.names)} takes: '{quoted(self.names[self.chosen])}' is "
            f"performed, not {_told(others, 'and')}."
        )
        return (told, *assumed)


def is_person(source: SourceMotion, mappings: Path | None = None) -> bool:
    """Whether the joints of a body are found in a skeleton.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.
    mappings : Path | None
        Folder of the user's mapping presets; None: there are none.

    Returns
    -------
    bool
        True if retargeting knows its joints.
    """
    try:
        mapping_for(source, mappings)
    except MotionError:
        return False
    return True


def people_among(
    skeletons: Sequence[SourceMotion], knows: Callable[[SourceMotion], bool] = is_person
) -> list[int]:
    """Which skeletons are people's, in order, by what `knows` decides; where none is, the one
    with the most joints, of which can be said what it lacks.

    Parameters
    ----------
    skeletons : Sequence[SourceMotion]
        Of one file, at least one.
    knows : Callable[[SourceMotion], bool]
        Decides whether a skeleton is a person's.

    Returns
    -------
    list[int]
        Indices, at least one.
    """
    if len(skeletons) == 1:
        return [0]
    people = [index for index, skeleton in enumerate(skeletons) if knows(skeleton)]
    if people:
        return people
    return [max(range(len(skeletons)), key=lambda index: len(skeletons[index].names))]


def chosen_take(names: Sequence[str], wanted: str, file: str) -> int:
    """Which of a file's takes is meant, from 0: by name, in any letter case, or by number from 1;
    the first where nothing is wanted. Raises MotionError, naming the takes, where there is none
    of that name.

    Parameters
    ----------
    names : Sequence[str]
        The takes' names, in the file's order.
    wanted : str
        What the user asked for.
    file : str
        Its name, for the sentence.

    Returns
    -------
    int
        Index from 0.

    Raises
    ------
    MotionError
        If there is no such take; the sentence names those that there are.
    """
    wanted = wanted.strip()
    if not wanted:
        return 0
    for same in (str, str.casefold):
        for index, name in enumerate(names):
            if same(name) == same(wanted):
                return index
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    numbers = f" (numbers 1 to {len(names)})" if len(names) > 1 else ""
    raise MotionError(
        f"{file} has no take '{quoted(wanted)}': choose {_told(names, 'or')}{numbers}."
    )


def only_take(wanted: str, name: str) -> None:
    """Raise MotionError where another take is wanted of a motion that has only one.

    Parameters
    ----------
    wanted : str
        What the user asked for.
    name : str
        The motion's, for the sentence.

    Raises
    ------
    MotionError
        If it is not the first.
    """
    if wanted.strip() not in ("", "1"):
        raise MotionError(f"{name} has only one take: leave out the take '{quoted(wanted)}'.")


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The same names, numbered from the second time on.

    Parameters
    ----------
    names : Sequence[str]
        Any, also equal ones.

    Returns
    -------
    tuple[str, ...]
        As many, no two equal.
    """
    made: list[str] = []
    for name in names:
        number, tried = 1, name
        while tried in made:
            number += 1
            tried = f"{name} {number}"
        made.append(tried)
    return tuple(made)


def _told(names: Sequence[str], last: str) -> str:
    told = [f"'{quoted(name)}'" for name in names[:_MOST_NAMED]]
    if len(names) > _MOST_NAMED:
        told.append(f"{len(names) - _MOST_NAMED} more")
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} {last} {told[-1]}"
