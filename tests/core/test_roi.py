"""Rotated regions of interest and anchored proposals against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from photo_wake_up.addon.core.inference import ssd
from photo_wake_up.addon.core.inference.roi import (
    RotatedRoi,
    along,
    around_box,
    distinct,
    sample,
    whole,
)

TURNED = RotatedRoi(61.0, 43.0, 48.0, 0.4)


def ramps(height: int, width: int) -> np.ndarray:
    """A picture whose red is twice x and whose green is twice y."""
    y, x = np.mgrid[:height, :width]
    return np.stack([2 * x, 2 * y, 0 * x], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("plain", [True, False])
def test_a_region_shows_the_pixels_that_its_matrix_says(plain: bool) -> None:
    """On ramps every sampled colour is the place that it was taken from, averaged or not."""
    pixels = 16 if not plain else 32  # 3 and 1.5 photo pixels a network pixel
    seen = sample(ramps(90, 120), TURNED, pixels, plain=plain, letterbox=True)
    v, u = np.mgrid[:pixels, :pixels]
    places = np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32)
    expected = TURNED.place(places, pixels, plain=True)
    assert np.abs(seen.reshape(-1, 3)[:, :2] - 2 * expected).max() < 1.6  # two roundings to uint8


def test_a_letterbox_is_black_and_other_regions_go_on_with_the_rim() -> None:
    white = np.full((20, 40, 3), 255, np.uint8)
    boxed = sample(white, whole(white), 40, plain=True, letterbox=True)
    assert (boxed[:9] == 0).all() and (boxed[11:29] == 255).all() and (boxed[31:] == 0).all()
    assert (sample(white, whole(white), 40, plain=True, letterbox=False) == 255).all()


def test_points_are_placed_half_a_network_pixel_before_the_reference() -> None:
    middle = np.array([[16.0, 16.0, 8.0]], np.float32)
    plain = TURNED.place(middle, 32, plain=True)
    assert np.allclose(plain, [[61, 43, 12]], atol=1e-4)  # 48 / 32 photo pixels a pixel
    moved = TURNED.place(middle, 32, plain=False)
    back = (moved - plain)[0, :2] @ TURNED.turn()
    assert np.allclose(back, [-0.75, -0.75], atol=1e-4) and moved[0, 2] == plain[0, 2]


def test_metric_points_turn_with_the_region() -> None:
    up = np.array([[0.0, -1.0, 0.5]], np.float32)
    assert np.allclose(RotatedRoi(0, 0, 1, np.pi / 2).turned(up), [[1, 0, 0.5]], atol=1e-6)


def test_a_region_turns_with_the_line_that_it_is_laid_along() -> None:
    wrist, knuckle = np.array([10.0, 10.0]), np.array([20.0, 10.0])  # fingers point right
    angle = along(wrist, knuckle, np.pi / 2)
    assert angle == pytest.approx(np.pi / 2)
    roi = around_box(np.array([0, 0, 10, 6], np.float32), angle, 2.0, rise=0.5)
    assert roi.side == 20
    assert (roi.x, roi.y) == pytest.approx((5 + 3, 3))  # its up is the picture's right
    assert -np.pi <= along(knuckle, wrist, -3.0) <= np.pi


def test_of_regions_on_one_place_the_last_is_kept() -> None:
    first, near, far = RotatedRoi(0, 0, 10, 0), RotatedRoi(1, 1, 10, 1.0), RotatedRoi(8, 0, 10, 0)
    assert distinct([first, far, near]) == [far, near]


def test_anchors_are_two_a_cell_and_stride() -> None:
    anchors = ssd._anchors(128, (8, 16, 16, 16))
    assert anchors.shape == (16 * 16 * 2 + 8 * 8 * 6, 2)
    assert np.allclose(anchors[:3], [[4 / 128] * 2, [4 / 128] * 2, [12 / 128, 4 / 128]])
    assert np.allclose(anchors[-6:], 120 / 128)


def test_proposals_that_overlap_are_one_thing() -> None:
    """Unit regions moved by d overlap by (1 - d) / (1 + d): 0.3 lies at d = 7 / 13."""
    low = np.array([[0, 0], [0.53, 0], [5, 5], [0.55, 0]], np.float32)
    groups = ssd._groups(low, low + 1, np.array([0.9, 0.8, 0.95, 0.6], np.float32))
    assert [group.tolist() for group in groups] == [[2], [0, 1], [3]]


def test_the_nearest_region_of_the_lattice_is_near_and_stays_itself():
    """Networks see the same: a twentieth of the body at most is lost at a rim."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        roi = RotatedRoi(*rng.uniform(-100, 3000, 2), rng.uniform(20, 3000), rng.uniform(-3.2, 3.2))
        snapped = roi.snapped()
        assert snapped.snapped() == snapped
        assert abs(np.log(snapped.side / roi.side)) < 0.0101
        assert max(abs(snapped.x - roi.x), abs(snapped.y - roi.y)) < roi.side / 120
        assert abs(snapped.angle - roi.angle) < np.radians(0.51)


def test_last_bits_of_a_region_are_forgotten():
    """What a network reads, and all that follows, is then the same on every processor."""
    roi = RotatedRoi(811.3, 402.7, 655.1, 0.123)
    for field in ("x", "y", "side", "angle"):
        for factor in (1 + 1e-6, 1 - 1e-6):
            moved = replace(roi, **{field: getattr(roi, field) * factor})
            assert moved.snapped() == roi.snapped()
