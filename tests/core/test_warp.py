"""The boundary-matched warp on bodies whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.addon.core.character.outline import (
    contour,
    contour_matching,
    mean_value_coordinates,
    silhouette_closing,
)
from photo_wake_up.addon.core.character.outline.warp import (
    _carry,
    _turned_over,
    _unfolded,
    warp,
    warp_sheet,
)
from photo_wake_up.addon.core.character.surface.layer_reconstruction import integrate_sheets
from photo_wake_up.addon.core.types import BodyMaps, Camera, Crop, Mask, SurfaceMaps

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
    _y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
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


def test_carrying_reproduces_affine_maps_tile_by_tile() -> None:
    """Linear precision: it holds for a thinned polygon as for the whole one."""
    outline = ellipse(100, 140)
    loop = contour.resample(outline.outer, 2.0)
    inside = contour.rasterise(outline, (SIZE, SIZE))
    affine = np.array([[1.2, -0.3], [0.2, 0.8]])
    carried = _carry(inside, (loop,), (loop @ affine.T + 7.0,))
    y, x = np.nonzero(inside)
    expected = np.stack([x, y], axis=1) @ affine.T + 7.0
    assert np.abs(carried[inside] - expected).max() < 1e-3


def test_tiles_and_lattice_differ_little_from_every_corner_at_every_pixel() -> None:
    outline = ellipse(70, 130)
    loop = contour.resample(outline.outer, 2.0)
    bent = loop + 6.0 * np.sin(loop[:, ::-1] / 25.0)
    inside = contour.rasterise(outline, (SIZE, SIZE))
    y, x = np.nonzero(inside)
    at = np.stack([x, y], axis=1).astype(np.float64)
    exact = mean_value_coordinates.interpolate(at, (loop,), (bent,))
    assert np.abs(_carry(inside, (loop,), (bent,))[inside] - exact).max() < 0.25


@pytest.mark.parametrize("radius", [4, 9])
def test_a_fold_is_smoothed_out(radius: int) -> None:
    y, x = np.mgrid[:80, :80].astype(np.float32)
    source = np.stack([x, y], axis=-1)
    inside = np.ones((80, 80), bool)
    turned = np.hypot(x - 40, y - 40) < radius
    source[turned] = (80, 80) - source[turned]  # a disc turned by half a turn tears at its rim
    assert _turned_over(source, inside)[1] > 0
    unfolded, left = _unfolded(source, inside)
    assert left == 0.0 == _turned_over(unfolded, inside)[1]
    assert np.abs(unfolded - np.stack([x, y], axis=-1)).max() < 2.0


def legs(gap: tuple[int, int] = (140, 180)) -> Mask:
    """A block on two legs with a gap between them, columns from `gap`."""
    mask = np.zeros((SIZE, SIZE), bool)
    mask[40:150, 110:210] = True
    mask[150:280, 110:210] = True
    mask[150:280, gap[0] : gap[1]] = False
    return mask


def close(
    body: Mask, person: Mask, holes: Mask | None = None
) -> silhouette_closing.ClosedSilhouette:
    nothing = np.zeros_like(body)
    return silhouette_closing.close(body, person, nothing if holes is None else holes, nothing)


def test_a_skirt_closes_the_gap_between_the_legs_and_nothing_else() -> None:
    body = legs()
    person = body.copy()
    person[150:250, 90:230] = True  # wider than the legs, and not down to the feet
    closed = close(body, person)
    expected = np.zeros_like(body)
    expected[150:250, 140:180] = True
    assert (closed.gaps != expected).sum() <= 0.03 * expected.sum()
    assert np.array_equal(closed.mask, body | closed.gaps)


def test_trousers_close_nothing() -> None:
    body = legs()
    person = contour.rasterise(contour.trace(body.astype(np.float32)), body.shape)
    person[150:280, 135:185] = False  # thicker legs would narrow the gap: here they widen it
    assert not close(body, person).gaps.any()
    wider = body.copy()
    wider[40:280, 100:120] = wider[40:280, 200:220] = True
    assert not close(body, wider).gaps.any()


def test_a_hole_of_the_person_where_the_body_is_open_gets_a_ring() -> None:
    """A hand on the hip that the fitted body does not bring there."""
    body = legs()
    person = legs((142, 178))
    person[268:290, 120:200] = True  # below the legs: they do not face each other across it
    hole = np.zeros_like(body)
    hole[150:268, 142:178] = True
    closed = close(body, person, hole)
    holes = contour.trace(closed.mask.astype(np.float32)).holes
    assert len(holes) == 1
    assert np.ptp(holes[0], axis=0) == pytest.approx([40, 118], abs=6)


def plate(mask: Mask) -> BodyMaps:
    """A body whose depth and weights are linear in the plane: front and back parallel."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    depth = DISTANCE + 0.001 * x - 0.0005 * y
    weights = np.zeros((SIZE, SIZE, 24), np.float32)
    weights[..., 3] = x / SIZE
    weights[..., 5] = 1 - x / SIZE
    normal = np.zeros((SIZE, SIZE, 3), np.float32)
    sheets = []
    for side in (-1, 1):
        normal[..., 2] = side
        sheets.append(
            SurfaceMaps(
                np.where(mask, depth + 0.05 * side, np.nan).astype(np.float32),
                np.where(mask[..., None], normal, np.nan).astype(np.float32),
                np.where(mask[..., None], weights, 0).astype(np.float32),
                mask.astype(np.uint8),
                np.where(mask, 0, -1).astype(np.int32),
            )
        )
    return BodyMaps(CROP, *sheets)


def test_linear_fields_cross_a_closed_gap_unchanged() -> None:
    body = legs()
    body[230:280, 110:210] = True  # the gap is a hole
    whole = body.copy()
    whole[150:280, 110:210] = True
    mapping = warp(contour.trace(whole.astype(np.float32)), plate(body))
    assert mapping.on_gaps().sum() == pytest.approx(80 * 40, rel=0.05)
    for side, sheet in ((0, plate(body).front), (1, plate(body).back)):
        warped = warp_sheet(mapping, sheet)
        deep = mapping.on_gaps()
        x, y = mapping.source_xy()
        expected = DISTANCE + 0.001 * x - 0.0005 * y + 0.05 * (2 * side - 1)
        assert np.abs(warped.depth - expected)[deep].max() < 1e-4
        assert np.abs(warped.weights[..., 3] - x / SIZE)[deep].max() < 1e-3
        assert np.abs(warped.normal[deep] - [0, 0, 2 * side - 1]).max() < 1e-5


def test_a_skirt_is_warped_without_holes_folds_or_collapse() -> None:
    person = legs()
    for row in range(150, 250):  # flaring
        reach = 50 + (row - 150) // 3
        person[row, 160 - reach : 160 + reach] = True
    outline = contour.trace(person.astype(np.float32))
    maps = plate(legs())
    mapping = warp(outline, maps)
    published = warp(outline, maps, contour_matching.PUBLISHED)
    pixels = person.sum()
    assert warp_sheet(mapping, maps.front).holes.sum() < 0.01 * pixels
    assert warp_sheet(published, maps.front).holes.sum() > 0.05 * pixels
    assert mapping.foldover_fraction < 1e-3
    assert mapping.collapsed_fraction == 0.0
    iou = (mapping.inside & person).sum() / (mapping.inside | person).sum()
    assert iou > 0.995
