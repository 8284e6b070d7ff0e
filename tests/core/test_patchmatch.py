"""The nearest-neighbour field against exhaustive search, and votes against sums patch by patch."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.addon.core.imaging.patchmatch import (
    NO_SOURCE,
    Field,
    Search,
    averaged,
    pointed_at,
    random_sources,
    similarity,
    typical_cost,
    votes,
)


def _problem(seed: int):
    """Descriptors, labels and targets of a picture of 24 x 30 pixels."""
    rng = np.random.default_rng(seed)
    descriptors = rng.normal(size=(24, 30, 4)).astype(np.float32)
    labels = rng.integers(NO_SOURCE, 3, (24, 30)).astype(np.int16)
    target = np.argwhere(rng.random((24, 30)) < 0.3).astype(np.int32)
    wanted = rng.integers(0, 3, len(target)).astype(np.int16)
    sought = rng.normal(size=(len(target), 4)).astype(np.float32)
    return rng, descriptors, labels, target, wanted, sought


@pytest.mark.parametrize("seed", range(5))
def test_a_search_keeps_labels_and_only_ever_gains(seed: int) -> None:
    """Costs are those of the sources, fall with every step, and end at the best there is once
    every place was offered."""
    rng, descriptors, labels, target, wanted, sought = _problem(seed)
    field = Field.of(target, random_sources(labels, wanted, rng))
    search = Search(field, descriptors, sought, labels, wanted)

    def check() -> None:
        assert (labels[tuple(field.source.T)] == wanted).all()
        apart = descriptors[tuple(field.source.T)] - sought
        assert np.allclose(field.cost, (apart**2).sum(axis=1), rtol=1e-5)

    check()
    for step in (
        lambda: search.propagate(4), lambda: search.propagate(1),
        lambda: search.jump((6.0, 8.0), rng),
        lambda: search.offer(rng.integers(-9, 40, target.shape)),
    ):  # fmt: skip
        before = field.cost.copy()
        step()
        check()
        assert (field.cost <= before).all()
    for place in np.argwhere(labels >= 0):
        search.offer(np.tile(place, (len(target), 1)))
    check()
    every = ((descriptors[None] - sought[:, None, None]) ** 2).sum(axis=-1)
    every[labels[None] != wanted[:, None, None]] = np.inf
    assert np.allclose(field.cost, every.min(axis=(1, 2)), rtol=1e-5)


def test_one_right_offset_spreads_to_all_that_share_it() -> None:
    """A picture that stands twice: where one target knows its twin, propagation tells the rest."""
    rng = np.random.default_rng(1)
    half = rng.normal(size=(20, 20, 5)).astype(np.float32)
    descriptors = np.concatenate([half, half], axis=1)
    labels = np.full((20, 40), NO_SOURCE, np.int16)
    labels[:, 20:] = 0
    target = np.argwhere(labels == NO_SOURCE).astype(np.int32)
    wanted = np.zeros(len(target), np.int16)
    field = Field.of(target, np.tile(np.array([[0, 39]], np.int32), (len(target), 1)))
    field.source[210] = target[210] + (0, 20)
    search = Search(field, descriptors, descriptors[tuple(target.T)], labels, wanted)
    for _ in range(40):
        search.propagate(1)
    assert (field.source - field.target == (0, 20)).all()
    assert (field.cost == 0).all()


def test_a_slack_takes_what_costs_a_little_more() -> None:
    descriptors = np.array([[[0.0], [1.0], [1.05]]], np.float32)
    labels, wanted = np.array([[NO_SOURCE, 0, 0]], np.int16), np.zeros(1, np.int16)
    field = Field.of(np.zeros((1, 2), np.int32), np.array([[0, 1]], np.int32))
    search = Search(field, descriptors, descriptors[0, :1], labels, wanted)
    search.offer(np.array([[0, 2]]))
    assert field.source.tolist() == [[0, 1]]
    search.offer(np.array([[0, 2]]), slack=1.2)
    assert field.source.tolist() == [[0, 2]]


def test_votes_are_what_patches_say_one_by_one() -> None:
    rng = np.random.default_rng(3)
    image = rng.random((15, 18, 3)).astype(np.float32)
    target = np.argwhere(rng.random((15, 18)) < 0.2).astype(np.int32)
    source = np.stack([rng.integers(0, 15, len(target)), rng.integers(0, 18, len(target))], axis=1)
    weight = rng.random(len(target)).astype(np.float32)
    bias = rng.normal(size=(len(target), 3)).astype(np.float32)
    field = Field.of(target, source.astype(np.int32))
    mirrored = np.pad(image, ((3, 3), (3, 3), (0, 0)), mode="reflect")
    expected = np.zeros((21, 24, 4))
    for (y, x), (v, u), share, more in zip(target, source, weight, bias, strict=True):
        expected[y : y + 7, x : x + 7, :3] += share * (mirrored[v : v + 7, u : u + 7] + more)
        expected[y : y + 7, x : x + 7, 3] += share
    assert np.allclose(votes(image, field, weight, bias), expected[3:-3, 3:-3], atol=1e-5)
    plain = votes(image, field, weight)
    assert (plain == votes(image, field, weight, 0 * bias)).all()


def test_likeness_falls_with_cost() -> None:
    cost = np.linspace(0, 4, 101, dtype=np.float32)
    assert typical_cost(cost) == pytest.approx(3.0)
    assert np.allclose(similarity(cost), np.exp(-cost / 6))
    alike = similarity(np.zeros(5, np.float32))
    assert (alike == 1).all() and typical_cost(np.zeros(5, np.float32)) > 0


def test_what_is_not_known_is_not_averaged() -> None:
    rng = np.random.default_rng(4)
    known = rng.random((40, 60)) < 0.5
    image = rng.random((40, 60, 3)).astype(np.float32)
    colours, share = averaged(
        np.where(known[..., None], image, 7.0).astype(np.float32), known, (6, 4)
    )
    blocks = known.reshape(4, 10, 6, 10)
    sums = (image * known[..., None]).reshape(4, 10, 6, 10, 3).sum(axis=(1, 3))
    assert np.allclose(share, blocks.mean(axis=(1, 3)), atol=1e-5)
    assert np.allclose(colours, sums / blocks.sum(axis=(1, 3))[..., None], atol=1e-5)


def test_offsets_of_a_coarse_level_point_into_the_picture() -> None:
    """A field of one offset: all nine moves point at the same place, held within the picture."""
    offset = np.tile(np.array([5.0, -8.0]), (10, 20, 1))
    pixel = np.argwhere(np.ones((20, 40), bool))
    expected = np.clip(pixel + (5, -8), 0, (19, 39))
    moves = []
    for move, low, place in pointed_at(offset, pixel, np.array([2.0, 2.0]), (20, 40)):
        moves.append(move)
        assert (np.stack(place, axis=1) == expected).all()
        wanted = np.clip(np.rint((pixel - 0.5) / 2) + move, 0, (9, 19))
        assert (np.stack(low, axis=1) == wanted).all()
    assert len(set(moves)) == 9
