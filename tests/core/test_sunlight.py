"""The sun is found again on bodies that were shaded with one."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.addon.core.staging.sunlight import fit_sun, for_shadows

SUNS = [
    (-0.45, -0.75, -0.5), (0.6, -0.5, -0.6), (0.9, -0.4, -0.1), (-0.8, -0.5, 0.3),
    (0.1, -0.9, -0.4), (0.3, -0.3, -0.9),
]  # fmt: skip


def body(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Normals (N, 3) that face the camera, of upright ovals and a ball, and the part of each."""
    normals, parts = [], []
    for part, tallness in ((1, 1.0), (2, 2.5), (3, 5.0), (4, 5.0), (5, 6.0), (6, 6.0)):
        points = random.normal(size=(3000, 3))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        points[:, 1] /= tallness
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        points[:, 2] = -np.abs(points[:, 2])
        normals.append(points)
        parts.append(np.full(len(points), part))
    return np.concatenate(normals), np.concatenate(parts)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sun", SUNS)
def test_direction_within_twenty_degrees(sun, seed):
    """Garments of different albedo, prints on them, hands' shadows, noise, and ambient light."""
    random = np.random.default_rng(seed)
    normals, parts = body(random)
    toward = np.array(sun) / np.linalg.norm(sun)
    albedo = random.uniform(0.15, 0.8, 7)[parts]
    albedo *= np.where(random.random(len(parts)) < 0.1, random.uniform(0.3, 2.0), 1.0)
    light = 0.35 + np.maximum(normals @ toward, 0)
    light[random.random(len(parts)) < 0.08] = 0.35
    luminance = albedo * light * random.normal(1, 0.06, len(parts))
    found = fit_sun(normals, luminance, parts)
    assert found.measured and found.shading > 0.3
    assert np.linalg.norm(found.direction) == pytest.approx(1)
    assert np.degrees(np.arccos(np.dot(found.direction, toward))) < 20


def test_even_light_has_the_usual_sun():
    random = np.random.default_rng(1)
    normals, parts = body(random)
    found = fit_sun(normals, random.normal(0.5, 0.05, len(parts)), parts)
    assert not found.measured
    few = fit_sun(normals[:20], np.ones(20), parts[:20])
    assert not few.measured and few.direction == found.direction
    with pytest.raises(ValueError, match="Each pixel"):
        fit_sun(normals, np.ones(3), parts)


def test_shadows_stay_within_sight():
    for direction in ([1.0, 0, 0], [0.2, 0.1, 3.0], [0.5, 0.5, -2.0], [0.3, -0.4, 0.5]):
        kept = for_shadows(np.array(direction))
        assert np.linalg.norm(kept) == pytest.approx(1)
        assert np.sin(np.radians(19.9)) < kept[2] < np.sin(np.radians(80.1))
        assert np.cross(kept[:2], direction[:2]) == pytest.approx(0, abs=1e-9)
    assert np.allclose(
        for_shadows(np.array([0.3, -0.4, 0.5])), np.array([0.3, -0.4, 0.5]) / 0.5**0.5
    )
