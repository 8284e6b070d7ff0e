"""A hundred photos through one command, measured against the bars: `make bench-batch` (Linux).

    python -m photo_wake_up.tests.benches.batch --out build/bench [--count 100] [--jobs 2]

The album is made of the test photos, each several times over and different each time, with files
among them that must be refused. Without the folder of real photos the demo photo takes their place.
The album is woken up twice: the second time nothing is computed. Writes batch.json and leaves the
contact sheet of the album in the folder `batch`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from .photos import DATA, REFUSED, ROOT, photos
from .rows import Row, at_most, print_and_write, row

BROKEN_IN = 10  # one of so many files is one that must be refused
MOST_MB = 4096.0  # a photo's process, as for single photos
MOST_GROWTH_MB = 50.0  # of the batch's own process from the tenth photo to the last
_LOOK_S = 0.5  # between two looks at memory
_VARIANTS = ("as it is", "mirrored", "dark", "small", "mirrored and small")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    album, results = options.out / "album", options.out / "batch"
    for folder in (album, results):
        shutil.rmtree(folder, ignore_errors=True)
    refused = make_album(album, options.count)
    runs = (
        lambda: first_run(album, results, options.jobs, refused),
        lambda: second_run(album, results, options.jobs),
    )
    return 0 if print_and_write(runs, options.out / "batch.json") else 1


def make_album(album: Path, count: int) -> set[str]:
    """`count` files; the names of those that must be refused."""
    album.mkdir(parents=True)
    pictures = ((path, how) for how in cycle(_VARIANTS) for path in photos())
    broken = cycle(sorted(path for path in (DATA / "broken").glob("*") if _is_refused(path)))
    refused: set[str] = set()
    for number in range(1, count + 1):
        path = next(broken, None) if number % BROKEN_IN == 0 else None
        if path is not None:
            name = f"{number:03} {path.name}"
            shutil.copy(path, album / name)
            refused.add(name)
            continue
        path, how = next(pictures)
        _save(path, how, album / f"{number:03} {path.stem} {how}")
    return refused


def _is_refused(path: Path) -> bool:
    return path.name in REFUSED and path.suffix in (".jpg", ".png")


def _save(path: Path, how: str, target: Path) -> None:
    if how == "as it is":
        shutil.copy(path, target.with_suffix(path.suffix))
        return
    # Upright, and with the transparency of those that have it.
    has_alpha = path.suffix == ".png"
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED if has_alpha else cv2.IMREAD_COLOR)
    if "mirrored" in how:
        picture = picture[:, ::-1]
    if how == "dark":
        picture = picture.copy()
        picture[..., :3] = (picture[..., :3] * 0.6).astype(np.uint8)
    if "small" in how:
        picture = cv2.resize(picture, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(target.with_suffix(".png")), picture)


def _run(album: Path, results: Path, jobs: int) -> Iterator[tuple[int, float]]:
    """Run the command; meanwhile, how many photos are through and the process's memory in MB."""
    command = [
        sys.executable, "-m", "photo_wake_up.addon.cli", str(album), "--out", str(results),
        "--render", "none", "--jobs", str(jobs),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            yield _through(results), _memory_mb(process.pid)
            time.sleep(_LOOK_S)


def _through(results: Path) -> int:
    summary = _summary(results)
    return sum(summary.get(status, 0) for status in ("done", "kept", "failed"))


def _summary(results: Path) -> dict:
    path = results / "summary.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def _memory_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def first_run(album: Path, results: Path, jobs: int, refused: set[str]) -> list[Row]:
    began, memory = time.perf_counter(), list(_run(album, results, jobs))
    seconds = time.perf_counter() - began
    told = _summary(results)["photos"]
    failed = {each["photo"] for each in told if each["status"] == "failed"}
    died = [each["photo"] for each in told if each["log"]]
    early = max(mb for through, mb in memory if through <= 10)
    late = max(mb for through, mb in memory if through < len(told))
    peaks = [each["peak_memory_mb"] for each in told if each["peak_memory_mb"]]
    ious = [each["silhouette_iou"] for each in told if each["silhouette_iou"] is not None]
    return [
        row("photos", "", len(told), None),
        row("seconds a photo", "", round(seconds / len(told), 1), None),
        row("photos woken up", "all", len(told) - len(failed), not failed - refused),
        row("files refused with a sentence", "all", len(failed), failed == refused),
        at_most("processes that died", 0, len(died)),
        at_most("memory of a photo's process, MB", MOST_MB, max(peaks)),
        # The contact sheet comes last; `batch_sheet.MOST_MEGAPIXELS` bounds it.
        row(
            "memory of the batch's own process with the contact sheet, MB",
            "",
            round(max(mb for _, mb in memory)),
            None,
        ),
        at_most("its growth after the tenth photo, MB", MOST_GROWTH_MB, round(late - early, 1)),
        row("least silhouette IoU", "", round(min(ious), 4), None),
    ]


def second_run(album: Path, results: Path, jobs: int) -> list[Row]:
    before = _summary(results)
    began, _ = time.perf_counter(), list(_run(album, results, jobs))
    after = _summary(results)
    kept = after["kept"] == before["done"] and after["done"] == 0
    return [
        row("pressing again: kept", "all", after["kept"], kept),
        row("pressing again: seconds", "", round(time.perf_counter() - began, 1), None),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
