"""How long a photo takes to become a scene, and how much memory, in a process of its own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ....addon.core.photo.image_files import load_photo
from ..photos import command, photos
from ..rows import Row, at_most, row

MEGAPIXELS = (0.8, 1.3)  # what counts as one megapixel
WHOLE_PATH_S = 15.0
WHOLE_PATH_MB = 4096.0


def rows(_out: Path) -> list[Row]:
    """Of each photo of about a megapixel, and the slowest stage of the slowest."""
    found = []
    for path in photos():
        photo = load_photo(path)
        if MEGAPIXELS[0] <= photo.width * photo.height / 1e6 <= MEGAPIXELS[1]:
            found.append((path.stem, _report(path)))
    seconds, slowest = max((report["photo_to_scene_seconds"], name) for name, report in found)
    memory = max(report["peak_memory_mb"] for _, report in found)
    stages = dict(found)[slowest]["stages"]
    told = ", ".join(f"{name} {stage['seconds']:.1f}" for name, stage in stages.items())
    return [
        at_most(f"photo to scene, 1 megapixel, s, slowest: {slowest}", WHOLE_PATH_S, seconds),
        at_most("peak memory, MB", WHOLE_PATH_MB, memory),
        row(f"stages of the slowest, s: {told}", "", seconds, None),
    ]


def _report(path: Path) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        done = command(path, folder, "--render", "none", "--frames", "2")
        if done.returncode != 0:
            raise RuntimeError(f"{path.name}: {done.stderr[-500:]}")
        return json.loads((folder / "report.json").read_text())
