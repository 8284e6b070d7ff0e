"""The character's bars, part by part: `make bench-character`.

    python -m photo_wake_up.tests.benches.character --out build/bench [--only plates motion ...]

Each part is a module beside this one with `rows(out)`; pictures to look at go to
`build/bench/character/`, the rows to `build/bench/character.json`.
"""

from __future__ import annotations

import sys

from ..rows import run_parts

PARTS = (
    "contours",
    "integration",
    "geometry",
    "occlusion",
    "motion",
    "turntables",
    "plates",
    "times",
)

if __name__ == "__main__":
    sys.exit(run_parts("character", PARTS, __doc__))
