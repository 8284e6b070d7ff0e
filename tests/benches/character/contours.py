"""Contours and warp: steps that collapse, holes, foldover, monotone matching, time.

Measured on every subject's whole silhouette and on every layer's own; the published mode beside
it on the whole silhouettes, without bars. Holes count against the silhouette that is matched, the
body's with covered gaps closed; how much lies on closed gaps is told too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ....addon.core.body.rasterisation import render_maps
from ....addon.core.body.stage import body_model
from ....addon.core.character.outline import contour, contour_matching
from ....addon.core.character.outline.warp import Warp, warp, warp_sheet
from ....addon.core.character.working_grid import FIGURE_PX, frame, on_grid, within_photo
from ....addon.core.settings import WakeUpSettings
from ....addon.core.types import BodyMaps, UInt8
from ..rows import Row, at_least, at_most, row
from .subjects import Subject, character_of, subjects

MOST_COLLAPSED = 0.10
MOST_HOLES = 0.02
MOST_FOLDOVER = 0.005
MOST_SECONDS = 0.6


@dataclass(frozen=True)
class Figures:
    """One warp's figures; fractions of its silhouette's pixels, or of its outline's steps."""

    who: str
    collapsed: float
    holes: float  # mean of both sheets
    on_gaps: float
    foldover: float


def rows(out: Path) -> list[Row]:
    whole, published, layers, seconds, monotone = [], [], [], [], []
    for who in subjects():
        outline, maps = _outline_and_maps(who)
        start = time.process_time()
        mapping = warp(outline, maps)
        seconds.append((time.process_time() - start, who.name))
        monotone.append(_goes_around_once(outline, mapping))
        whole.append(_figures(who.name, mapping, maps))
        cv2.imwrite(str(out / f"warp_{who.name}.png"), _picture(mapping, maps)[..., ::-1])
        published.append(_figures(who.name, warp(outline, maps, contour_matching.PUBLISHED), maps))
        layers += [
            Figures(
                f"{who.name}, {each.layer}", each.collapsed_fraction, each.hole_fraction,
                each.spanned_fraction, each.foldover_fraction,
            )
            for each in character_of(who).report.warps
        ]  # fmt: skip
    result = [at_least("matching monotone, share of subjects", 1.0, float(np.mean(monotone)))]
    bars = (("collapsed", MOST_COLLAPSED), ("holes", MOST_HOLES), ("foldover", MOST_FOLDOVER))
    for name, limit in bars:
        for where, group in (("silhouette", whole), ("layer", layers)):
            worst = max(group, key=lambda each: getattr(each, name))
            result.append(
                at_most(f"{name}, worst {where} ({worst.who})", limit, getattr(worst, name))
            )
            result.append(at_most(f"{name}, mean {where}", limit, _mean(group, name)))
        worst = max(published, key=lambda each: getattr(each, name))
        result.append(
            row(f"published: {name}, worst ({worst.who})", "", getattr(worst, name), None)
        )
        result.append(row(f"published: {name}, mean", "", _mean(published, name), None))
    worst = max(whole, key=lambda each: each.on_gaps)
    result.append(row(f"on closed gaps, worst ({worst.who})", "", worst.on_gaps, None))
    result.append(row("on closed gaps, mean", "", _mean(whole, "on_gaps"), None))
    slowest, name = max(seconds)
    result.append(at_most(f"warp, CPU seconds, worst ({name})", MOST_SECONDS, slowest))
    return result


def _mean(group: list[Figures], name: str) -> float:
    return float(np.mean([getattr(each, name) for each in group]))


def _outline_and_maps(who: Subject) -> tuple[contour.Outline, BodyMaps]:
    matte = np.where(who.person.mask, np.maximum(who.person.matte, 0.5), who.person.matte)
    outline = contour.trace(matte)
    crop = frame(outline, who.photo, who.fitted)
    maps = render_maps(body_model(WakeUpSettings()), who.fitted, crop)
    return on_grid(outline, crop), within_photo(maps, who.photo)


def _goes_around_once(outline: contour.Outline, mapping: Warp) -> bool:
    """Whether the matched positions never step back and go around the body once."""
    body = contour.trace(mapping.body.mask.astype(np.float32)).outer
    person = contour.resample(outline.outer, contour_matching.DEFAULT.spacing)
    step = contour.length(body) / (contour_matching.DEFAULT.finer * len(person))
    position = contour_matching.positions(person, contour.resample(body, step), FIGURE_PX)
    advance = np.diff(np.append(position, position[0] + 1.0))
    return bool(advance.min() >= 0.0)


def _figures(who: str, mapping: Warp, maps: BodyMaps) -> Figures:
    pixels = int(mapping.inside.sum())
    holes = [warp_sheet(mapping, sheet).holes.sum() for sheet in (maps.front, maps.back)]
    return Figures(
        who,
        mapping.collapsed_fraction,
        float(np.mean(holes)) / pixels,
        float(mapping.on_gaps().sum()) / pixels,
        mapping.foldover_fraction,
    )


def _picture(mapping: Warp, maps: BodyMaps) -> UInt8:
    """(h, 2 w, 3) RGB: the source's grid in squares of 12 pixels with closed gaps in grey and
    holes in black, and the warped normals."""
    front = warp_sheet(mapping, maps.front)
    x, y = mapping.source_xy()
    squares = (np.floor(x / 12) + np.floor(y / 12)) % 2
    part = cv2.remap(maps.front.label, x, y, cv2.INTER_NEAREST).astype(np.uint8)
    grid = cv2.applyColorMap(part * 36, cv2.COLORMAP_HSV)
    grid[mapping.on_gaps()] = 220
    grid = (grid * (0.75 + 0.25 * squares[..., None])).astype(np.uint8)
    grid[front.holes] = 0
    normals = np.clip((front.normal + 1) * 127.5, 0, 255).astype(np.uint8)
    outside = ~mapping.inside
    grid[outside] = normals[outside] = 255
    return np.hstack([grid, normals])
