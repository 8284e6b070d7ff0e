"""Rotations between directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photo_wake_up.addon.core.numerics.rotations import shortest_arc


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31))
def test_the_shortest_arc_leads_from_one_direction_to_the_other(seed: int) -> None:
    """By the angle between them, about an axis at right angles to both: no way is shorter."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 20, 3)) * 10.0 ** rng.uniform(-3, 3, (2, 20, 1))
    arcs = shortest_arc(first, second)
    a, b = _unit(first), _unit(second)
    assert np.allclose(arcs.apply(a), b, atol=1e-12)
    assert np.allclose(np.cos(arcs.magnitude()), (a * b).sum(axis=1), atol=1e-12)
    axes = arcs.as_rotvec()
    assert np.abs((axes * a).sum(axis=1)).max() < 1e-12
    assert np.abs((axes * b).sum(axis=1)).max() < 1e-12
    for one, other, arc in zip(first, second, arcs, strict=True):
        alone = shortest_arc(one, other)
        assert alone.single and np.allclose(alone.as_matrix(), arc.as_matrix(), atol=1e-14)


@pytest.mark.parametrize("direction", [*np.eye(3), *-np.eye(3), [1.0, 2.0, -3.0], [1.0, 1.0, 0.0]])
def test_opposite_directions_are_half_a_turn_apart(direction) -> None:
    first = np.asarray(direction, float)
    for bent in (0.0, 1e-10, 1e-8, 1e-6):
        aside = bent * np.cross(first, [0.3, -0.5, 0.8])
        arc = shortest_arc(first, -2.0 * first + aside)
        assert np.allclose(arc.apply(_unit(first)), _unit(-2.0 * first + aside), atol=1e-8)
        assert abs(arc.magnitude() - np.pi) < 1e-5
    batch = shortest_arc(np.stack([first, first]), np.stack([-first, first]))
    assert np.allclose(batch.apply(first), [-first, first], atol=1e-9)


def test_what_has_no_direction_stays() -> None:
    nothing, up = np.zeros(3), np.array([0.0, 0.0, 1.0])
    for first, second in ((nothing, up), (up, nothing), (nothing, nothing), (up, 3 * up)):
        assert shortest_arc(first, second).magnitude() == 0.0
