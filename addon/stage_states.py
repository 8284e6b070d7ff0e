"""How far each stage of a scene is, and why it is not further. Nothing is computed anew for it.

What a scene shows is noted in it as text (`Made`), so that the states are part of Undo, and are
still true when the file is opened again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .core.pipeline.stages import STAGES, editable, titles, with_followers
from .core.settings import OPTIONS, WakeUpSettings

NOT_YET, DONE, OUT_OF_DATE, FAILED = "NOT_YET", "DONE", "OUT_OF_DATE", "FAILED"


@dataclass(frozen=True)
class StageState:
    """One stage's state, and a line that says more, or nothing."""

    condition: str  # NOT_YET, DONE, OUT_OF_DATE or FAILED
    reason: str = ""


@dataclass(frozen=True)
class Made:
    """What a scene's result was made from."""

    photo: tuple[str, str]  # path as it was typed, and in full
    settings: Mapping[str, Any]  # WakeUpSettings as JSON has them
    stages: tuple[str, ...]  # that have a value
    everyone: bool  # whether all people of the photo were made

    def as_text(self) -> str:
        """For a property of the scene."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> Made | None:
        """What was noted; None where nothing was, or by another version of this project."""
        try:
            noted = json.loads(text)
            photo, whole = noted["photo"]
            return Made(
                (str(photo), str(whole)), dict(noted["settings"]), tuple(noted["stages"]),
                bool(noted["everyone"]),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError):
            return None


def plain(settings: WakeUpSettings) -> dict[str, Any]:
    """Settings as JSON has them."""
    return json.loads(json.dumps(asdict(settings)))


def stage_states(
    made: Made | None,
    wanted: Made,
    edited: Collection[str] = (),
    failure: tuple[str, str] = ("", ""),
) -> dict[str, StageState]:
    """The state of each stage that has a title.

    made : what is there; None where nothing is
    wanted : what the settings ask for now; its stages are not looked at
    edited : names of `stages.editable` that the user has changed by hand since
    failure : the stage that failed last and the sentence that says why; empty where none did
    """
    changed = _changed(made, wanted) if made is not None else {}
    touched = {name: stages for name, stages in editable().items() if name in edited}
    direct = {*changed, *(stage for stages in touched.values() for stage in stages)}
    stale = with_followers(direct)
    states = {}
    for stage in titles():
        if stage == _shown(failure[0]):
            states[stage] = StageState(FAILED, failure[1])
        elif made is None or stage not in made.stages:
            states[stage] = StageState(NOT_YET)
        elif stage not in stale:
            states[stage] = StageState(DONE)
        else:
            edits = [name for name, stages in touched.items() if stage in stages]
            states[stage] = StageState(
                OUT_OF_DATE, _reason(changed.get(stage, []), edits, _above(stage, stale))
            )
    return states


def _changed(made: Made, wanted: Made) -> dict[str, list[str]]:
    """Titles of the settings that differ, by the stage that reads them."""
    if not set(made.photo).intersection(wanted.photo):
        return {"people": ["photo"]}
    found: dict[str, list[str]] = {}
    for name, option in OPTIONS.items():
        # What an older version has not noted cannot be told from what it was.
        if name in made.settings and made.settings[name] != wanted.settings[name]:
            found.setdefault(option.stage, []).append(option.title)
    # Single stages are of one person in either case.
    if made.everyone != wanted.everyone:
        found.setdefault("motion", []).append("everyone")
    return found


def _above(stage: str, stale: Collection[str]) -> str:
    """The title of the last stale stage that a stage's value is made from; "" where none is."""
    shown = titles()
    above = [other for other in shown if other in STAGES[stage].needs and other in stale]
    return shown[above[-1]] if above else ""


def _reason(settings: list[str], edits: list[str], above: str) -> str:
    if settings:
        return f"Changed since: {', '.join(settings)}"
    if edits:
        return f"Edited since: {', '.join(edits)}"
    return f"Follows from: {above}"


def _shown(stage: str) -> str:
    return "people" if stage == "photo" else stage
