"""The motions' bars, part by part: `make bench-motion`.

    python -m photo_wake_up.tests.benches.motion --out build/bench [--only feet loops ...]

Each part is a module beside this one with `rows(out)`; pictures to look at go to
`build/bench/motion/`, the rows to `build/bench/motion.json`. A new part is a new module and its
name in PARTS.
"""

from __future__ import annotations

import sys

from ..rows import run_parts

PARTS = (
    "retargeting",
    "feet",
    "loops",
    "broken",
    "strips",
    "film",
)

if __name__ == "__main__":
    sys.exit(run_parts("motion", PARTS, __doc__))
