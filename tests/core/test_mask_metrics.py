"""The measures themselves, against closed forms and published values."""

from __future__ import annotations

import numpy as np
import pytest

from ..benches.mask_metrics import boundary_f, ciede2000, iou, rim_difference, sad

# Sharma, Wu, Dalal (2005), table 1: pairs of CIELAB colours and their difference.
SHARMA = (
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.02), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, -1, 2), (50, 0, 0), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
)


@pytest.mark.parametrize(("first", "second", "difference"), SHARMA)
def test_ciede2000_gives_the_published_values(first, second, difference):
    assert ciede2000(first, second) == pytest.approx(difference, abs=1e-4)
    assert ciede2000(second, first) == pytest.approx(difference, abs=1e-4)


def test_overlap_and_outline_of_shifted_squares():
    a = np.zeros((100, 100), bool)
    b = a.copy()
    a[20:60, 20:60], b[20:60, 25:65] = True, True
    assert iou(a, a) == 1 and iou(a, b) == pytest.approx(35 / 45)
    assert boundary_f(a, a) == 1
    assert boundary_f(a, b, tolerance_px=5) == 1
    # Two pixels off at two sides: the sides that run along the shift still agree.
    sides = boundary_f(a, b, tolerance_px=2)
    assert 0.4 < sides < 0.6
    assert boundary_f(a, np.zeros_like(a)) == 0
    whole = np.ones_like(a)
    assert boundary_f(whole, whole) == 1  # the picture's border is no outline


def test_sad_counts_pixels_in_thousands():
    a = np.zeros((100, 50), np.float32)
    b = a.copy()
    b[:20] = 0.5
    assert sad(a, b) == pytest.approx(0.5)


def test_a_rim_of_another_colour_is_seen_and_a_clean_one_is_not():
    mask = np.zeros((120, 120), bool)
    mask[30:90, 30:90] = True
    clean = np.full((120, 120, 3), (180, 60, 50), np.uint8)
    assert rim_difference(clean, mask) == pytest.approx(0, abs=1e-4)
    haloed = clean.copy()
    core = np.zeros_like(mask)
    core[33:87, 33:87] = True
    haloed[mask & ~core] = (60, 120, 200)
    assert rim_difference(haloed, mask) > 30
    assert rim_difference(haloed, mask, arcs=False) > 30
    grain = np.random.default_rng(0).integers(-12, 13, clean.shape)
    assert rim_difference((clean + grain).clip(0, 255).astype(np.uint8), mask) < 3
