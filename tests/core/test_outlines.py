"""Outlines, their matching, and mean-value coordinates."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photo_wake_up.addon.core.character.outline import (
    contour,
    contour_matching,
    mean_value_coordinates,
)
from photo_wake_up.addon.core.errors import PersonError


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    """Anti-aliased disc: 1 inside, 0 outside, a linear ramp one pixel wide."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(x - centre[0], y - centre[1])
    return np.clip(radius - distance + 0.5, 0, 1).astype(np.float32)


def wavy_loop(count: int, phase: float = 0.0, lobes: int = 5, depth: float = 0.25) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) + phase
    radius = 100 * (1 + depth * np.cos(lobes * angle))
    return contour.resample(
        200 + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), 1.0
    )


def test_outline_of_a_disc_is_the_circle() -> None:
    outline = contour.trace(disc((220, 240), (118.3, 104.7), 80.0))
    assert outline.holes == ()
    radius = np.hypot(outline.outer[:, 0] - 118.3, outline.outer[:, 1] - 104.7)
    assert np.abs(radius - 80.0).max() < 0.15
    assert contour.signed_area(outline.outer) == pytest.approx(np.pi * 80.0**2, rel=2e-3)


def test_ring_has_a_hole_that_turns_the_other_way() -> None:
    matte = disc((220, 220), (110, 110), 90) - disc((220, 220), (110, 110), 30)
    outline = contour.trace(matte)
    assert len(outline.holes) == 1
    assert contour.signed_area(outline.outer) > 0 > contour.signed_area(outline.holes[0])


def test_only_the_largest_piece_is_traced_and_filaments_are_cut() -> None:
    matte = disc((300, 300), (120, 150), 90)
    matte[148:150, 200:299] = 1.0  # a rope
    matte = np.maximum(matte, disc((300, 300), (270, 40), 15))  # a stray blob
    outline = contour.trace(matte)
    assert outline.outer[:, 0].max() < 220
    assert outline.outer[:, 1].min() > 55


def test_two_sizeable_pieces_become_one_outline_that_holds_both() -> None:
    """A rail across a person cuts the mask in two."""
    upper = disc((300, 200), (100, 80), 60)
    lower = disc((300, 200), (100, 220), 50)
    outline = contour.trace(np.maximum(upper, lower))
    drawn = contour.rasterise(outline, upper.shape)
    both = (upper >= 0.5) | (lower >= 0.5)
    assert (drawn & both).sum() / both.sum() > 0.995
    assert (drawn & ~both).sum() / both.sum() < 0.015  # the neck


def test_empty_mask_is_refused() -> None:
    with pytest.raises(PersonError):
        contour.trace(np.zeros((64, 64), np.float32))


def test_rasterised_outline_is_the_mask() -> None:
    matte = disc((220, 220), (110.2, 109.6), 90) - disc((220, 220), (100, 100), 30)
    solid = matte >= 0.5
    drawn = contour.rasterise(contour.trace(matte), matte.shape)
    assert (drawn & solid).sum() / (drawn | solid).sum() > 0.998


def test_normals_point_outwards() -> None:
    outline = contour.trace(disc((220, 220), (110, 110), 80))
    loop = contour.resample(outline.outer, 2.0)
    away = (loop - 110) / np.linalg.norm(loop - 110, axis=1, keepdims=True)
    assert (contour.normals(loop) * away).sum(axis=1).min() > 0.97


@settings(max_examples=20)
@given(shift=st.integers(0, 400), moved=st.floats(-3, 3))
def test_matching_a_loop_with_itself_finds_the_shift(shift: int, moved: float) -> None:
    loop = wavy_loop(600)
    n = len(loop)
    phi = contour_matching.match(np.roll(loop, -shift, axis=0) + moved, loop, 250.0)
    error = (phi - (np.arange(n) + shift)) % n
    error = np.minimum(error, n - error)
    # A small translation may slide the match along straight runs by about as much.
    assert error.max() <= 2 + 2 * abs(moved)


@settings(max_examples=15)
@given(
    lobes=st.integers(3, 7), depth=st.floats(0.05, 0.3), size=st.floats(0.8, 1.25),
    published=st.booleans(),
)  # fmt: skip
def test_matching_is_monotone_and_goes_around_once(
    lobes: int, depth: float, size: float, published: bool
) -> None:
    body = wavy_loop(500, lobes=lobes)
    person = (wavy_loop(480, lobes=lobes, depth=depth) - 200) * size + 203
    terms = contour_matching.PUBLISHED if published else contour_matching.DEFAULT
    phi = contour_matching.match(person, body, 250.0, terms)
    advance = (np.roll(phi, -1) - phi) % len(body)
    assert advance.sum() == len(body)
    assert advance.max() <= 32


@settings(max_examples=15)
@given(
    lobes=st.integers(3, 7), depth=st.floats(0.0, 0.3), size=st.floats(0.8, 1.25),
    shift=st.integers(0, 2000),
)  # fmt: skip
def test_positions_rise_once_around_and_never_stand_still(
    lobes: int, depth: float, size: float, shift: int
) -> None:
    person = (wavy_loop(480, lobes=lobes, depth=depth) - 200) * size + 203
    person = contour.resample(person, 4.0)
    body = wavy_loop(500, lobes=lobes)
    step = contour.length(body) / (contour_matching.DEFAULT.finer * len(person))
    body = np.roll(contour.resample(body, step), shift, axis=0)
    position = contour_matching.positions(person, body, 250.0)
    advance = np.diff(np.append(position, position[0] + 1.0))
    # Smoothing keeps the least advance: it is a mean of advances.
    least = round(contour_matching.DEFAULT.least * len(body) / len(person)) / len(body)
    assert advance.min() >= least - 1e-12
    assert advance.sum() == pytest.approx(1.0)
    assert contour_matching.collapsed_fraction(position) == 0.0


@settings(max_examples=60)
@given(data=st.data())
def test_the_cheapest_path_is_the_cheapest_of_all(data: st.DataObject) -> None:
    m = data.draw(st.integers(2, 4))
    n = data.draw(st.integers(m, 7))
    least = data.draw(st.integers(0, 1))
    most = data.draw(st.integers(-(-n // m) + 1, n))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    cost = rng.random((m, n))
    start, first = int(rng.integers(m)), int(rng.integers(n))
    steps = contour_matching.Steps(least, most, n / m, rng.random())

    def total(advances: tuple[int, ...]) -> float:
        columns = (first + np.concatenate([[0], np.cumsum(advances[:-1])])) % n
        rows = (start + np.arange(m)) % m
        return float(
            cost[rows, columns].sum() + steps.rate * np.abs(np.array(advances) - steps.mean).sum()
        )

    ways = itertools.product(range(least, most + 1), repeat=m)
    expected = min(total(way) for way in ways if sum(way) == n)
    path, found = contour_matching._cheapest_path(cost, start, first, steps)
    assert found == pytest.approx(expected)
    assert total(tuple(np.diff(np.append(path, n)))) == pytest.approx(expected)


@given(finer=st.integers(1, 20), still=st.integers(0, 60))
def test_collapse_does_not_depend_on_how_finely_the_body_is_sampled(finer: int, still: int) -> None:
    advance = np.where(np.arange(100) < still, 0, 100)
    coarse = np.concatenate([[0], np.cumsum(advance[:-1])])
    length = float(advance.sum())
    assert contour_matching.collapsed_fraction(coarse, length) == still / 100
    assert contour_matching.collapsed_fraction(coarse * finer, length * finer) == still / 100


def test_slope_term_keeps_the_outline_from_collapsing() -> None:
    body = wavy_loop(600)
    person = (wavy_loop(600, depth=0.15) - 200) * 1.2 + 200
    ours = contour_matching.match(person, body, 250.0)
    published = contour_matching.match(person, body, 250.0, contour_matching.PUBLISHED)
    assert contour_matching.collapsed_fraction(ours, len(body)) <= 0.10
    assert contour_matching.collapsed_fraction(
        ours, len(body)
    ) < contour_matching.collapsed_fraction(published, len(body))


def test_mean_value_coordinates_reproduce_affine_functions() -> None:
    """Linear precision (Floater 2003, proposition 1), with a hole in the domain."""
    outer = wavy_loop(200)[::4]
    hole = (200 + 20 * np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 24)[:-1]), np.sin(a)], 1))[
        ::-1
    ]
    affine = np.array([[1.3, -0.2], [0.4, 0.7]])
    rng = np.random.default_rng(7)
    angle, radius = rng.uniform(0, 2 * np.pi, 500), rng.uniform(25, 70, 500)
    points = 200 + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    loops = (outer, np.ascontiguousarray(hole))
    carried = mean_value_coordinates.interpolate(
        points, loops, tuple(loop @ affine.T + 5 for loop in loops)
    )
    assert np.abs(carried - (points @ affine.T + 5)).max() < 1e-3


def test_corners_take_their_own_value() -> None:
    loop = wavy_loop(300)[::3]
    values = np.random.default_rng(1).normal(size=(len(loop), 2))
    carried = mean_value_coordinates.interpolate(loop, (loop,), (values,))
    assert np.abs(carried - values).max() < 1e-4
