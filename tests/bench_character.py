"""The character's bars, part by part: `make bench-character`.

    python -m photo_wake_up.tests.bench_character --out build/bench [--only plates motion ...]

Each part is a module of `character_bench` with `rows(out)`; pictures to look at go to
`build/bench/character/`, the rows to `build/bench/character.json`.
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
    "contours",
    "integration",
    "geometry",
    "occlusion",
    "motion",
    "turntables",
    "plates",
    "times",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--only", nargs="*", choices=PARTS)
    options = parser.parse_args()
    pictures: Path = options.out / "character"
    pictures.mkdir(parents=True, exist_ok=True)
    parts = [
        partial(import_module(f"{__package__}.character_bench.{name}").rows, pictures)
        for name in options.only or PARTS
    ]
    print_and_write(parts, options.out / "character.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
