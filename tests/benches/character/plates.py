"""The background plate against rendered places whose emptiness is known.

The hole is the product's (`plate.grown`) around the exact mattes; ours and OpenCV's methods fill
the same hole, for which the shadow stays out of it. What taking the shadow out changes is measured
beside. Scenes before a plain backdrop are shown and not counted.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from photo_wake_up.addon.core.background.plate import fill_background, grown
from photo_wake_up.addon.core.errors import PersonError
from photo_wake_up.addon.core.perception.detection.people import find_people
from photo_wake_up.addon.core.photo.image_files import load_photo
from photo_wake_up.addon.core.types import Float32, Mask, Photo, UInt8

from ..rows import Row, at_least, at_most, row

ROOT = Path(__file__).resolve().parents[3]
SCENES = ROOT / "build" / "mask_scenes"
SHEET = ROOT / "build" / "bench" / "character" / "plates.png"
PLAIN = "studio"  # scenes whose name begins so have nothing to continue
LEAST_SCENES = 10
BETTER_DB, MOST_SECONDS = 1.5, 3.0
RADIUS_PX = 5  # OpenCV's neighbourhood, as in its documentation's range of 3 to 5
TIMED_PIXELS = 1_000_000
REPEATS = 3  # of what is timed; the least counts, for others work on the machine too
SHADE = 0.87  # of the light: where less arrives than in the empty place, there is shadow
STRIP_PX = 3  # width of the rim just inside of the hole that is looked at for the person's colours
MOST_LEFT = 1e-3  # share of the person's opacity that may lie outside of the hole
THUMB_PX = 420  # width of one picture of the sheet


@dataclass(frozen=True, eq=False)
class Scene:
    """A rendered scene and what is known of it."""

    name: str
    photo: Photo
    empty: UInt8  # (H, W, 3), the place with nobody in it
    person: Mask  # (H, W), everybody
    matte: Float32  # (H, W), 0..1, how much of each pixel is of somebody

    @property
    def counts(self) -> bool:
        return not self.name.startswith(PLAIN)


def rows(_out: Path) -> list[Row]:
    """One row a bar, and the contact sheet."""
    scenes = load_scenes()
    ours, telea, stokes, strips = [], [], [], []
    shadows: list[tuple[float, float]] = []
    with_shadow, changed = [], []
    left, rims, outside = 0, [], []
    for scene in scenes:
        hole = grown(scene.person)
        filled = fill_background(scene.photo, scene.person, shadow=False).rgb
        bare = fill_background(scene.photo, scene.person, shadow=True)
        others = [
            cv2.inpaint(scene.photo.rgb, hole.astype(np.uint8), RADIUS_PX, method)
            for method in (cv2.INPAINT_TELEA, cv2.INPAINT_NS)
        ]
        strips.append((scene, hole, others[0], filled, bare.rgb))
        left += _people_left(scene, bare.rgb)
        rims.append(_rim_of_person(scene, hole, bare.rgb))
        outside.append(float(scene.matte[~hole].sum() / scene.matte.sum()))
        shade = _shade(scene) & ~hole
        shadows.append((psnr(scene.photo.rgb, scene.empty, shade),
                        psnr(bare.rgb, scene.empty, shade)))  # fmt: skip
        taken = bare.hole & ~hole
        if taken.any():
            before, after = (psnr(p, scene.empty, taken) for p in (scene.photo.rgb, bare.rgb))
            changed.append(after - before)
        if scene.counts:
            ours.append(psnr(filled, scene.empty, hole))
            with_shadow.append(psnr(bare.rgb, scene.empty, hole))
            telea.append(psnr(others[0], scene.empty, hole))
            stokes.append(psnr(others[1], scene.empty, hole))
    _write_sheet(strips)
    seconds, processor, pixels = _seconds(scenes)
    mean = statistics.fmean
    return [
        at_least("plates: scenes with textured grounds and walls", LEAST_SCENES, len(ours)),
        row("plates: PSNR in the hole, dB", "told", mean(ours), None),
        row("plates: PSNR in the hole, Telea, dB", "told", mean(telea), None),
        row("plates: PSNR in the hole, Navier-Stokes, dB", "told", mean(stokes), None),
        at_least("plates: better than Telea, dB", BETTER_DB, mean(ours) - mean(telea)),
        at_least("plates: better than Navier-Stokes, dB", BETTER_DB, mean(ours) - mean(stokes)),
        row("plates: least gain over the better one in a scene, dB", "told",
            min(o - max(t, n) for o, t, n in zip(ours, telea, stokes, strict=True)), None),
        row("plates: PSNR in the hole, shadow taken out, dB", "told", mean(with_shadow), None),
        row("plates: PSNR where the shadow is, photo, dB", "told", mean(s[0] for s in shadows),
            None),
        row("plates: PSNR where the shadow is, taken out, dB", "told", mean(s[1] for s in shadows),
            None),
        # It does no harm: in no scene is what is taken for shadow worse than the photo was.
        at_least("plates: least gain where a shadow was taken out, dB", 0.0, min(changed)),
        at_most(f"plates: seconds at {pixels / 1e6:.2f} megapixels", MOST_SECONDS, seconds),
        row("plates: of the processor's time, seconds", "told", processor, None),
        at_most("plates: people found where they were", 0, left),
        at_most("plates: greatest share of a matte outside of the hole", MOST_LEFT, max(outside)),
        # Told, not asked for: shirts that look like the wall behind them count as well.
        row("plates: greatest share of a rim in the person's colour", "told", max(rims), None),
    ]  # fmt: skip


def load_scenes() -> list[Scene]:
    """The rendered scenes with their empty places; there are none until they are rendered."""
    scenes = []
    for path in sorted(SCENES.glob("*/background.png")):
        folder = path.parent
        mattes = [
            np.asarray(Image.open(each), np.float64) / 65535
            for each in sorted(folder.glob("matte_*.png"))
        ]
        empty = load_photo(path).rgb
        photo = load_photo(folder / "photo.png")
        matte = np.sum(mattes, axis=0).astype(np.float32)
        scenes.append(Scene(folder.name, photo, empty, matte >= 0.5, matte))
    return scenes


def psnr(picture: UInt8, truth: UInt8, where: Mask) -> float:
    """Peak signal-to-noise ratio of the pixels in `where`, dB; infinite where they agree."""
    if not where.any():
        return float("inf")
    error = np.mean((picture[where].astype(np.float64) - truth[where]) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def _people_left(scene: Scene, filled: UInt8) -> int:
    """How many people our own detector finds in the plate where somebody was."""
    try:
        found = find_people(Photo(filled, None, None, scene.name))
    except PersonError:
        return 0
    height, width = scene.person.shape
    count = 0
    for person in found:
        x0, y0, x1, y1 = np.clip(person.box.round().astype(int), 0, [width, height] * 2)
        count += bool(scene.person[y0:y1, x0:x1].any()) and not person.is_drawn
    return count


def _rim_of_person(scene: Scene, hole: Mask, filled: UInt8) -> float:
    """Share of the rim just inside of the hole that is the person's colour and not the place's."""
    inner = cv2.erode(hole.astype(np.uint8), np.ones((2 * STRIP_PX + 1,) * 2), borderValue=1) > 0
    rim = hole & ~inner
    # The person's own colour nearest to each rim pixel.
    _, label = cv2.distanceTransformWithLabels(
        (~scene.person).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    own = np.zeros((label.max() + 1, 3), np.float32)
    own[label[scene.person]] = scene.photo.rgb[scene.person]
    colour = own[label]

    def far(picture: UInt8, other: np.ndarray) -> np.ndarray:
        return np.linalg.norm(picture.astype(np.float32) - other, axis=2)[rim]

    looks_like_person = far(filled, colour) < 0.3 * far(scene.empty, colour)
    return float(looks_like_person.mean())


def _shade(scene: Scene) -> Mask:
    """Where the people keep light away, by the two renderings."""
    light = [
        cv2.GaussianBlur((p.astype(np.float32) / 255) ** 2.2, (0, 0), 2).mean(2) + 0.003
        for p in (scene.photo.rgb, scene.empty)
    ]
    return light[0] < SHADE * light[1]


def _seconds(scenes: list[Scene]) -> tuple[float, float, int]:
    """Medians over the scenes, enlarged to one megapixel: seconds, the processor's, pixels."""
    taken, worked, pixels = [], [], 0
    for scene in scenes:
        scale = np.sqrt(TIMED_PIXELS / scene.person.size)
        size = tuple(int(np.ceil(n * scale)) for n in scene.person.shape[::-1])
        rgb = cv2.resize(scene.photo.rgb, size, interpolation=cv2.INTER_CUBIC)
        person = cv2.resize(scene.person.astype(np.uint8), size) > 0
        pixels = size[0] * size[1]
        photo = Photo(rgb, None, None, scene.name)
        times = []
        for _ in range(REPEATS):
            begun = time.perf_counter(), time.process_time()
            fill_background(photo, person)
            times.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
        taken.append(min(t[0] for t in times))
        worked.append(min(t[1] for t in times))
    return statistics.median(taken), statistics.median(worked), pixels


def _write_sheet(strips: list[tuple[Scene, Mask, UInt8, UInt8, UInt8]]) -> None:
    """Photo, hole, Telea, ours, ours with the shadow taken out, truth: a row a scene."""
    lines = []
    for scene, hole, telea, filled, bare in strips:
        marked = np.where(hole[..., None], np.uint8([255, 0, 255]), scene.photo.rgb)
        line = np.hstack([scene.photo.rgb, marked, telea, filled, bare, scene.empty])
        height = round(line.shape[0] * 6 * THUMB_PX / line.shape[1])
        lines.append(cv2.resize(line, (6 * THUMB_PX, height), interpolation=cv2.INTER_AREA))
    SHEET.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(lines)).save(SHEET)
