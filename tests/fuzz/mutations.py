"""Byte-level mutations: places of a file where bytes go, come, move or are others."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from ..core.damage import NUMBERS, edited

MOST_BYTES = 1 << 16  # of an input; a seed that is longer sets its own bound
_MOST_EDITS = 4
_REPAIRED = 0.5  # share of inputs whose checksums are made right
_LONG_REPEAT = 2000  # times that a piece comes again: what nests too deeply, what is too long


def mutated(
    random: Random, content: bytes, others: Sequence[bytes], words: Sequence[bytes]
) -> bytes:
    """The content with some changes; pieces come from `others`, numbers and `words` too."""
    for _ in range(random.choice((1, 1, random.randint(1, _MOST_EDITS)))):
        content = _changed(random, content, others, words)
    return content[: max(MOST_BYTES, max(map(len, others), default=0))]


def is_repaired(random: Random) -> bool:
    """Whether an input's checksums are to be made right again."""
    return random.random() < _REPAIRED


def _changed(
    random: Random, content: bytes, others: Sequence[bytes], words: Sequence[bytes]
) -> bytes:
    at = random.random()
    kind = random.randrange(8)
    if kind <= 1:
        return edited(content, [(at, random.choice((0, 1, 2, 4, 8)), random.choice(NUMBERS))])
    if kind == 2 and words:
        return edited(content, [(at, random.choice((0, 0, 4, 8)), random.choice(words))])
    if kind == 3:  # a bit
        place = int(at * len(content))
        old = content[place] if place < len(content) else 0
        return content[:place] + bytes([old ^ (1 << random.randrange(8))]) + content[place + 1 :]
    if kind == 4:  # a piece of itself or of another file
        source = random.choice((content, *others))
        start = random.randrange(len(source) + 1)
        piece = source[start : start + random.randint(1, 200)]
        times = random.choice((1, 1, 1, 2, _LONG_REPEAT if len(piece) < 16 else 3))
        return edited(content, [(at, random.choice((0, len(piece))), piece * times)])
    if kind == 5:
        return edited(content, [(at, random.randint(1, 400), b"")])
    if kind == 6 and random.random() < 0.3:
        return content[: int(at * len(content))]
    return edited(content, [(at, random.randint(0, 4), random.randbytes(random.randint(1, 8)))])
