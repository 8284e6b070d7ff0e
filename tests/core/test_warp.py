"""The boundary-matched warp on bodies whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.addon.core.character import contour
from photo_wake_up.addon.core.character.surfaces import integrate_sheets
from photo_wake_up.addon.core.character.warp import warp, warp_sheet
from photo_wake_up.addon.core.types import BodyMaps, Camera, Crop, SurfaceMaps

from .test_outlines import disc

SIZE = 320
FOCAL = 4000.0
DISTANCE = 12.5  # metres; a grid pixel is 1/320 m there
CAMERA = Camera(FOCAL, (SIZE - 1) / 2, (SIZE - 1) / 2, SIZE, SIZE)
CROP = Crop(0.0, 0.0, 1.0, SIZE, SIZE)


def ellipsoid_maps(a: float, b: float, c: float) -> BodyMaps:
    """An ellipsoid in the middle of the picture; half axes a, b in pixels, c in metres (depth).

    The lens is long, so the projection is orthographic to far below a pixel.
    """
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    root = 1 - (x / a) ** 2 - (y / b) ** 2
    inside = root > 0
    metre = FOCAL / DISTANCE
    height = np.sqrt(np.maximum(root, 0)) * c
    weights = np.zeros((SIZE, SIZE, 24), np.float32)
    weights[..., 0] = inside & (y < 0)
    weights[..., 1] = inside & (y >= 0)
    sheets = []
    for side in (-1, 1):
        gradient = np.stack([x / a**2 * metre, y / b**2 * metre, side * height / c**2], axis=-1)
        normal = gradient / np.maximum(np.linalg.norm(gradient, axis=-1, keepdims=True), 1e-9)
        sheets.append(
            SurfaceMaps(
                np.where(inside, DISTANCE + side * height, np.nan).astype(np.float32),
                np.where(inside[..., None], normal, np.nan).astype(np.float32),
                weights,
                inside.astype(np.uint8),
                np.where(inside, 0, -1).astype(np.int32),
            )
        )
    return BodyMaps(CROP, *sheets)


def ellipse(a: float, b: float) -> contour.Outline:
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    loop = np.stack([a * np.cos(angle), b * np.sin(angle)], axis=1) + (SIZE - 1) / 2
    return contour.Outline(loop, ())


def test_the_same_outline_gives_the_identity() -> None:
    mapping = warp(ellipse(90, 130), ellipsoid_maps(90, 130, 0.2))
    y, x = np.mgrid[:SIZE, :SIZE]
    moved = np.hypot(mapping.source[..., 0] - x, mapping.source[..., 1] - y)
    assert np.nanmax(moved) < 2.5
    assert np.nanmean(moved) < 0.6
    assert mapping.foldover_fraction < 5e-3
    assert mapping.collapsed_fraction < 0.1


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_a_wider_person_stretches_the_body_without_holes_or_folds(factor: float) -> None:
    maps = ellipsoid_maps(80, 120, 0.2)
    mapping = warp(ellipse(80 * factor, 120), maps)
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    expected = x / factor
    error = np.abs(mapping.source[..., 0] - (SIZE - 1) / 2 - expected)
    assert np.nanmean(error) < 2.0
    assert mapping.foldover_fraction < 5e-3
    for sheet in (maps.front, maps.back):
        warped = warp_sheet(mapping, sheet)
        assert warped.holes.sum() / mapping.inside.sum() < 0.02
        inside = mapping.inside
        assert np.abs(warped.weights[inside].sum(axis=1) - 1).max() < 1e-5
        assert np.abs(np.linalg.norm(warped.normal[inside], axis=1) - 1).max() < 1e-5
        assert np.isfinite(warped.depth[inside]).all()


def test_front_and_back_of_an_ellipsoid_are_lifted_back_to_it() -> None:
    maps = ellipsoid_maps(90, 130, 0.2)
    mapping = warp(ellipse(90, 130), maps)
    sheets = integrate_sheets(
        mapping, warp_sheet(mapping, maps.front), warp_sheet(mapping, maps.back), CAMERA, CROP
    )
    for found, sheet in ((sheets.front, maps.front), (sheets.back, maps.back)):
        error = np.abs(found - sheet.depth)
        assert np.nanmean(error) < 0.004  # metres, of a relief of 0.2
    assert (sheets.back - sheets.front)[mapping.inside].min() > 0
    assert np.abs(sheets.rim_depth - DISTANCE).mean() < 0.01


def test_a_gap_of_the_person_that_the_body_lacks_keeps_a_rim_in_the_middle() -> None:
    maps = ellipsoid_maps(100, 130, 0.2)
    hole = contour.trace(disc((SIZE, SIZE), (170, 180), 20)).outer[::-1]
    mapping = warp(contour.Outline(ellipse(100, 130).outer, (hole,)), maps)
    assert not mapping.inside[180, 170]
    depth = mapping.rim_depth_at(np.array([[170.0, 160.0], [190.0, 180.0]]))
    assert np.abs(depth - DISTANCE).max() < 0.02
