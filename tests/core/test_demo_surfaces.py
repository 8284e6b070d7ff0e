"""The demo photo's own geometry: cutting, subdividing and isosurfaces against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.assets.demo.surfaces import Patch, border_edges, cut, subdivide, surface_net

STEP, RADIUS = 0.05, 0.7


@pytest.fixture(scope="module")
def ball() -> Patch:
    """A sphere as triangles."""
    axis = np.arange(-1.0, 1.0 + STEP / 2, STEP)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    field = RADIUS - np.sqrt(x * x + y * y + z * z)
    vertices, quads = surface_net(field, np.array([-1.0, -1.0, -1.0]), STEP)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Patch(vertices, triangles, vertices.copy())


def _volume(patch: Patch) -> float:
    a, b, c = patch.vertices[patch.faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


def test_surface_net_of_a_ball_is_closed_and_outward(ball: Patch):
    assert len(border_edges(ball.faces)) == 0
    assert np.abs(np.linalg.norm(ball.vertices, axis=1) - RADIUS).max() < STEP * 0.2
    assert _volume(ball) == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.01)


def test_a_cut_is_exact_and_the_halves_make_the_whole(ball: Patch):
    level = ball.vertices[:, 1] - 0.123
    upper, lower = cut(ball, level), cut(ball, -level)
    assert upper.vertices[:, 1].min() == pytest.approx(0.123)
    assert lower.vertices[:, 1].max() == pytest.approx(0.123)
    rim = np.unique(border_edges(upper.faces))
    assert np.allclose(upper.vertices[rim, 1], 0.123)
    assert _volume(upper) + _volume(lower) == pytest.approx(_volume(ball))
    # Values travel with the vertices that the cut makes.
    assert np.allclose(upper.values, upper.vertices)


def test_subdivision_changes_nothing_but_the_count(ball: Patch):
    fine = subdivide(ball)
    assert len(fine.faces) == 4 * len(ball.faces)
    assert _volume(fine) == pytest.approx(_volume(ball))
    assert len(border_edges(fine.faces)) == 0
    assert np.allclose(fine.values, fine.vertices)
