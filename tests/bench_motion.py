"""The motions' bars, part by part: `make bench-motion`.

    python -m photo_wake_up.tests.bench_motion --out build/bench [--only feet loops ...]

Each part is a module of `motion_bench` with `rows(out)`; pictures to look at go to
`build/bench/motion/`, the rows to `build/bench/motion.json`. A new part is a new module and its
name in PARTS.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

from .bench import ROOT
from .bench_rows import print_and_write

PARTS = (
    "retargeting",
    "feet",
    "loops",
    "broken",
    "strips",
    "film",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--only", nargs="*", choices=PARTS)
    options = parser.parse_args()
    pictures: Path = options.out / "motion"
    pictures.mkdir(parents=True, exist_ok=True)
    parts = [
        partial(import_module(f"{__package__}.motion_bench.{name}").rows, pictures)
        for name in options.only or PARTS
    ]
    print_and_write(parts, options.out / "motion.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
