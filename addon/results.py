"""Results of stages, kept while Blender runs, each under a key that the scene remembers.

The key is a property of the scene, so Undo brings back the key and with it the result that it
stood for: results are immutable, and a stage makes a new one under a new key.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from .core.pipeline.stages import without
from .core.result import WakeUpResult
from .core.settings import OPTIONS, WakeUpSettings

MOST_RESULTS = 8  # a result of a 1-megapixel photo is about 30 MB


@dataclass(frozen=True)
class Source:
    """What a result was made from."""

    photo: str  # path
    digest: str  # of the photo file's bytes
    settings: WakeUpSettings

    @staticmethod
    def of(path: Path, settings: WakeUpSettings) -> Source:
        """The source as it is on the disk now."""
        return Source(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), settings)

    @property
    def of_person(self) -> str:
        """Names photo and person, for what is corrected by hand; wherever the photo lies."""
        return f"{self.digest}|{self.settings.person}|{self.settings.box}"


_kept: OrderedDict[str, tuple[WakeUpResult, Source]] = OrderedDict()
_numbers = count(1)


def keep(result: WakeUpResult, source: Source) -> str:
    """Store a result; returns its key. The least used one is forgotten when there are many."""
    key = f"{next(_numbers)}"
    _kept[key] = (result, source)
    while len(_kept) > MOST_RESULTS:
        _kept.popitem(last=False)
    return key


def recall(key: str) -> WakeUpResult | None:
    """The result under `key`; None if it was forgotten or the file was opened again."""
    if key not in _kept:
        return None
    _kept.move_to_end(key)
    return _kept[key][0]


def reusable(key: str, source: Source) -> WakeUpResult:
    """The values under `key` that still hold for `source`; an empty result where none do."""
    result = recall(key)
    if result is None:
        return WakeUpResult()
    before = _kept[key][1]
    if (before.photo, before.digest) != (source.photo, source.digest):
        return WakeUpResult()
    stale = {
        option.stage
        for name, option in OPTIONS.items()
        if getattr(before.settings, name) != getattr(source.settings, name)
    }
    return without(result, *stale)


def forget_all() -> None:
    """Free the memory: another file was opened, or the extension is switched off."""
    _kept.clear()
