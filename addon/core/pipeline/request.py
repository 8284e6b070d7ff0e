"""One entrance to all computation: the command, the buttons and the worker hand in a request."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from ..result import WakeUpResult
from ..settings import WakeUpSettings
from ..types import Clip, Progress
from .corrections import Corrections, advance_with
from .several_people import wake_up_everyone

# One result, or one for each person.
Outcome = WakeUpResult | tuple[WakeUpResult, ...]


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be computed."""

    result: WakeUpResult  # what there is already
    settings: WakeUpSettings
    photo_path: str
    until: str  # the stage that is wanted
    corrections: Corrections = Corrections()  # by hand
    everyone: bool = False  # all people of the photo, each a result of its own
    clip: Clip | None = None  # the motion, where only Blender can read its file


def run(request: Request) -> Generator[Progress, None, Outcome]:
    """Compute it; the generator's return value is the outcome.

    Closing the generator stops the work at the running stage's next report.

    Parameters
    ----------
    request : Request
        What is wanted.

    Yields
    ------
    Generator[Progress, None, Outcome]
        How far the work has come; the generator's value is the outcome.

    Raises
    ------
    WakeUpError
        Of any kind, with a sentence for the user and the stage that failed.
    """
    if request.everyone:
        return wake_up_everyone(request.photo_path, request.settings, request.clip)
    return advance_with(
        request.result, request.settings, request.photo_path, request.until, request.corrections,
        request.clip,
    )  # fmt: skip
