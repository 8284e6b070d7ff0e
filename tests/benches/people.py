"""Detection, joints, masks and mattes against their bars: `make bench-people`.

    python -m photo_wake_up.tests.benches.people [--out build/bench] [--no-drawings]

Agreement with MediaPipe, people found in the real pictures, masks and mattes of the rendered
scenes whose truth is known, masks of turned photos, the cut-outs' rims, times, and what is said
where nobody is found.
Writes people.json, one row a bar: {"what", "bar", "value", "met"}, all measured in this run, and
sheets of the rendered scenes' errors. Without the folder of real photos the demo photo is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from photo_wake_up.addon.core.errors import PersonError
from photo_wake_up.addon.core.perception.detection.people import choose, find_people
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import track_roi
from photo_wake_up.addon.core.perception.segmentation.masks import segment_person
from photo_wake_up.addon.core.perception.segmentation.network_masks import roi_of
from photo_wake_up.addon.core.photo.image_files import load_photo, save_png
from photo_wake_up.addon.core.types import Detection, Float32, Photo, UInt8

from ..reference import agreement
from . import mask_metrics
from .rows import Row, at_least, at_most, print_and_write, row
from .turned_photos import turned, turned_mask

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PHOTO_WAKE_UP_DATA", ROOT.parent / "shared" / "data"))
DEMO_PHOTO = ROOT / "build" / "demo_photo" / "photo.png"
SCENES = ROOT / "build" / "mask_scenes"
LEAST_SCENES = 12
REPEATS = 3  # of what is timed; the median counts, the machine is shared

# Whole people taller than 15 % of the picture. The Apollo crew is cut at the knees, and the street
# of the dancer has nobody else in it.
GROUPS = {"apollo11_crew": 3, "six_walking_beach": 6, "three_footballers": 3}
JOINT_PAIRS = {  # of the rendered scenes' SMPL joints: index, and the landmark it is near
    16: 11, 17: 12, 18: 13, 19: 14, 20: 15, 21: 16, 4: 25, 5: 26, 7: 27, 8: 28,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--no-drawings", action="store_true", help="do not wake the drawings up")
    options = parser.parse_args()
    out: Path = options.out
    parts: list[Callable[[Path], list[Row]]] = [
        _agreement, _people, _masks, _turned, _rims, _times, _nobody,
    ]  # fmt: skip
    if not options.no_drawings:
        parts.append(_drawings)
    print_and_write([partial(part, out) for part in parts], out / "people.json")
    return 0


def _real_photos() -> list[Path]:
    """Single people, each whole; the demo photo where the folder is absent."""
    if not DATA.is_dir():
        return [DEMO_PHOTO]
    files = sorted((DATA / "photos").glob("*.jpg")) + sorted((DATA / "photos").glob("*.png"))
    return [path for path in files if not path.stem.endswith("_mask")]


def _agreement(_out: Path) -> list[Row]:
    """MediaPipe's landmarks and raw masks against ours, every readable picture."""
    seen = [row for row in agreement.measure() if "landmarks" in row]
    return [
        row("pictures where MediaPipe finds a person", "", len(seen), None),
        at_most(
            "landmarks, median distance over height, worst picture", 0.01,
            float(max(row["landmarks"] for row in seen)),
        ),
        at_least("raw mask IoU with MediaPipe, worst picture", 0.97,
                  float(min(row["mask_iou"] for row in seen))),
        row("world landmarks, median distance, worst picture (m)", "",
             float(max(row["world_m"] for row in seen)), None),
    ]  # fmt: skip


def _people(_out: Path) -> list[Row]:
    """How many people are found, picture by picture."""
    rows, wrong = [], 0
    expected = dict.fromkeys(_real_photos(), 1)
    if DATA.is_dir():
        expected |= {DATA / "groups" / f"{name}.jpg": count for name, count in GROUPS.items()}
    for path, count in expected.items():
        found = _found(load_photo(path))
        wrong += abs(len(found) - count)
        rows.append(row(f"people in {path.stem}", f"{count}", len(found), len(found) == count))
    return [*rows, at_most("people missed or made up, all pictures", 0, wrong)]


def _found(photo: Photo) -> tuple[Detection, ...]:
    try:
        return find_people(photo)
    except PersonError:
        return ()


def _masks(out: Path) -> list[Row]:
    """Masks and mattes of the rendered scenes against what was rendered."""
    measured, missing = [], 0
    scenes = sorted(path for path in SCENES.iterdir() if (path / "photo.png").is_file())
    for scene in scenes:
        photo = load_photo(scene / "photo.png")
        people = _found(photo)
        for truth_file in sorted(scene.glob("matte_*.png")):
            truth = cv2.imread(str(truth_file), cv2.IMREAD_UNCHANGED).astype(np.float32) / 65535
            number = truth_file.stem.removeprefix("matte_")
            joints = json.loads((scene / f"joints_{number}.json").read_text())["joints_px"]
            who = _nearest(people, np.array(joints))
            if who is None:
                missing += 1
                measured.append((f"{scene.name} {number}", 0.0, 0.0, 1.0, 1.0))
                continue
            others = [person for person in people if person is not who]
            person = segment_person(photo, who, others)
            raw = _raw_mask(photo.rgb, who)
            known = truth >= 0.5
            measured.append((
                f"{scene.name} {number}",
                mask_metrics.iou(person.mask, known),
                mask_metrics.boundary_f(person.mask, known),
                mask_metrics.sad(raw, truth),
                mask_metrics.sad(person.matte, truth),
            ))  # fmt: skip
            _save_errors(out / "masks" / f"{scene.name}_{number}.png", photo, person.mask, known)
    rows = [row(f"mask of {name}: IoU", "", round(iou, 4), None)
            for name, iou, *_ in measured]  # fmt: skip
    ious, boundaries, raws, mattes = (np.array(column) for column in zip(
        *(row[1:] for row in measured), strict=True))  # fmt: skip
    return [
        *rows,
        at_least("rendered scenes", LEAST_SCENES, len(scenes)),
        at_most("people of rendered scenes not found", 0, missing),
        at_least("masks: mean IoU", 0.97, float(ious.mean())),
        at_least("masks: mean boundary F-score (2 px)", 0.85, float(boundaries.mean())),
        at_least("mattes: SAD better than the raw mask's by", 0.4,
                  float(1 - mattes.sum() / raws.sum())),
    ]  # fmt: skip


def _raw_mask(rgb: UInt8, detection: Detection) -> Float32:
    """(H, W) 0..1: BlazePose's own 256-pixel mask in the person's region, nothing else."""
    result = track_roi(rgb, roi_of(detection))
    size = (rgb.shape[1], rgb.shape[0])
    return cv2.warpAffine(result.mask, result.roi.matrix(), size, flags=cv2.INTER_LINEAR)


def _nearest(people: tuple[Detection, ...], joints: np.ndarray) -> Detection | None:
    """Whose landmarks are nearest to known joints; nobody where all are somewhere else."""
    limit = 0.15 * float(np.ptp(joints[:, 1]))

    def distance(person: Detection) -> float:
        marks = person.landmarks.image[list(JOINT_PAIRS.values())]
        return float(np.median(np.linalg.norm(marks - joints[list(JOINT_PAIRS)], axis=1)))

    near = min(people, key=distance, default=None)
    return near if near is not None and distance(near) < limit else None


def _save_errors(path: Path, photo: Photo, mask: np.ndarray, truth: np.ndarray) -> None:
    """The picture with what was added in red and what was lost in blue."""
    path.parent.mkdir(exist_ok=True)
    shown = photo.rgb.copy()
    shown[mask & ~truth] = (255, 0, 0)
    shown[truth & ~mask] = (0, 120, 255)
    save_png(path, shown)


def _turned(_out: Path) -> list[Row]:
    """Masks of photos that are turned against the turned masks: quarter turns of every photo, all
    multiples of 15 degrees of the demo photo."""
    rows, worst = [], 1.0
    for path in dict.fromkeys([DEMO_PHOTO, *_real_photos()]):
        photo = load_photo(path)
        upright = segment_person(photo, choose(find_people(photo)))
        step = 15 if path == DEMO_PHOTO else 90
        ious = []
        for degrees in range(step, 360, step):
            there, matrix = turned(photo, degrees)
            found = _found(there)
            truth = turned_mask(upright.matte, matrix, there)
            mask = segment_person(there, choose(found)).mask if found else np.zeros_like(truth)
            ious.append(mask_metrics.iou(mask, truth))
        worst = min(worst, *ious)
        rows.append(row(f"{path.stem} turned by multiples of {step} degrees: least mask IoU", "",
                         round(min(ious), 4), None))  # fmt: skip
    return [*rows, at_least("masks of turned photos: IoU with the turned mask, worst", 0.97, worst)]


def _rims(_out: Path) -> list[Row]:
    """No rim of background colour: the cut-out's outer 3 px against the next 3 inside."""
    rows, values = [], []
    for path in _real_photos():
        photo = load_photo(path)
        person = segment_person(photo, choose(find_people(photo)))
        whole = mask_metrics.rim_difference(person.foreground, person.mask, arcs=False)
        along = mask_metrics.rim_difference(person.foreground, person.mask)
        values.append(whole)
        rows.append(row(f"rim of {path.stem} (along short arcs {along:.1f})", "<= 5",
                         round(whole, 2), whole <= 5))  # fmt: skip
    return [*rows, at_most("rims: largest mean colour difference (CIEDE2000)", 5.0, max(values))]


def _times(_out: Path) -> list[Row]:
    """On the demo photo, 1 megapixel and one person, with everything loaded."""
    photo = load_photo(DEMO_PHOTO)
    (person,) = find_people(photo)
    joints = _median_seconds(lambda: find_people(photo))
    mask = _median_seconds(lambda: segment_person(photo, person))
    return [
        at_most("detection to joints, 1 megapixel (s)", 0.3, joints),
        at_most("refinement and matte, 1 megapixel (s)", 4.0, mask),
    ]


def _median_seconds(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "packages")}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "photo_wake_up.addon.cli", *arguments],
        capture_output=True, text=True, timeout=600, env=environment, check=False,
    )  # fmt: skip


def _nobody(_out: Path) -> list[Row]:
    """What the command says of a picture without anybody: one sentence that names the way out."""
    with tempfile.TemporaryDirectory() as name:
        shade = np.linspace(60, 200, 300, dtype=np.uint8)
        save_png(Path(name) / "empty.png", np.repeat(np.tile(shade, (400, 1))[..., None], 3, 2))
        ended = _command(str(Path(name) / "empty.png"), "--out", str(Path(name) / "out"))
    said = [line for line in ended.stderr.splitlines() if not line.startswith("INFO")]
    good = ended.returncode == 2 and len(said) == 1 and "box" in said[0] and "joints" in said[0]
    return [row("nobody found: one sentence with box and joints", "yes", " ".join(said), good)]


def _drawings(out: Path) -> list[Row]:
    """Every drawing wakes up: those that no network sees from a box around everything."""
    rows = []
    files = sorted((DATA / "drawings").glob("*")) if DATA.is_dir() else []
    for path in files:
        if path.suffix not in (".jpg", ".png") or path.stem.endswith("_mask"):
            continue
        box = [] if _found(load_photo(path)) else ["--box", "all"]
        ended = _command(str(path), "--out", str(out / path.stem), "--render", "none",
                         "--frames", "48", *box)  # fmt: skip
        how = "wakes up from a box" if box else "wakes up by itself"
        rows.append(row(f"{path.stem} {how}", "exit 0", ended.returncode, ended.returncode == 0))
    return rows


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
