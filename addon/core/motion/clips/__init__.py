"""The project's own clips, made for any frame rate; each subject in a module of its own.

All are loops but `sit`, which ends sitting.
"""

from __future__ import annotations

from collections.abc import Callable

from ...types import Clip
from ..authoring import STANDING
from .gait import run, walk
from .jumping import jump
from .standing import idle, wave

CLIPS: dict[str, Callable[[float], Clip]] = {
    "walk": walk, "run": run, "jump": jump, "wave": wave, "idle": idle,
}  # fmt: skip

__all__ = ["CLIPS", "STANDING", "idle", "jump", "run", "walk", "wave"]
