"""The project's own clips, made for any frame rate; each subject in a module of its own.

All are loops but `sit`, which ends sitting.
"""

from __future__ import annotations

from collections.abc import Callable

from ...types import Clip
from .authoring import STANDING
from .dancing import dance
from .gait import run, walk
from .jumping import jump
from .sitting import sit
from .standing import idle, look, wave
from .turning import turn

CLIPS: dict[str, Callable[[float], Clip]] = {
    "walk": walk, "run": run, "jump": jump, "dance": dance, "wave": wave, "sit": sit,
    "turn": turn, "look": look, "idle": idle,
}  # fmt: skip

__all__ = [
    "CLIPS", "STANDING", "dance", "idle", "jump", "look", "run", "sit", "turn", "walk", "wave",
]  # fmt: skip
