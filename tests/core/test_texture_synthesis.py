"""Texture by numbers: labels are kept, sources are the only colours, and textures continue."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photo_wake_up.addon.core.imaging.texture_synthesis import synthesise


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**31), height=st.integers(30, 150), width=st.integers(30, 150),
    count=st.integers(1, 4),
)  # fmt: skip
def test_every_pixel_stems_from_a_source_of_its_label(seed, height, width, count) -> None:
    """Each label has colours of its own in one channel; what is no source has others."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(1, count + 1, (height // 8 + 1, width // 8 + 1)).astype(np.uint8)
    label = np.kron(blocks, np.ones((8, 8), np.uint8))[:height, :width]
    image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    image[..., 0] = 50 * label
    target = np.zeros((height, width), bool)
    target[height // 4 : height // 2 + 2, width // 3 : width // 2 + 4] = True
    sources = rng.random((height, width)) < 0.7
    sources &= ~target
    image[~sources, 0] = 255
    wanted = rng.integers(1, count + 1, (height, width)).astype(np.uint8)
    made = synthesise(image, ~target, target, wanted, label, sources, rng)
    there = np.isin(wanted, label[sources])
    assert (made.painted == (target & there)).all()
    assert (made.colours[made.painted][:, 0] == 50 * wanted[made.painted]).all()
    assert (made.colours[~made.painted] == image[~made.painted]).all()


@pytest.mark.parametrize("size", [40, 400])
def test_a_constant_picture_stays_constant(size: int) -> None:
    image = np.full((size, size, 3), (37, 120, 250), np.uint8)
    target = np.zeros((size, size), bool)
    target[size // 4 : size // 2, size // 4 : size // 2] = True
    broken = image.copy()
    broken[target] = 0
    one = np.ones((size, size), np.uint8)
    made = synthesise(broken, ~target, target, one, one, ~target, _rng())
    assert (made.colours == image).all()


@pytest.mark.parametrize("size", [96, 300])
def test_stripes_go_on(size: int) -> None:
    """A periodic texture has an exact answer: the hole is filled as if it had not been there."""
    x = np.arange(size)
    stripes = np.where(x // 6 % 2, 200, 40).astype(np.uint8)
    image = np.repeat(np.repeat(stripes[None], size, axis=0)[..., None], 3, axis=2)
    target = np.zeros((size, size), bool)
    target[size // 3 : size // 2, size // 3 : size // 2] = True
    broken = image.copy()
    broken[target] = (255, 0, 0)
    one = np.ones((size, size), np.uint8)
    made = synthesise(broken, ~target, target, one, one, ~target, _rng())
    error = np.abs(made.colours[target].astype(int) - image[target])
    assert error.mean() < 12


def test_nothing_to_copy_leaves_the_picture() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    target = np.zeros((20, 20), bool)
    target[5:9, 5:9] = True
    wanted = np.full((20, 20), 2, np.uint8)
    made = synthesise(image, ~target, target, wanted, wanted - 1, ~target, _rng())
    assert not made.painted.any() and (made.colours == image).all()


def test_the_same_seed_paints_the_same() -> None:
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (60, 60, 3)).astype(np.uint8)
    target = np.zeros((60, 60), bool)
    target[20:40, 20:40] = True
    one = np.ones((60, 60), np.uint8)
    first, second = (synthesise(image, ~target, target, one, one, ~target, _rng()) for _ in "ab")
    assert (first.colours == second.colours).all()


def test_sizes_must_agree() -> None:
    mask = np.zeros((5, 5), bool)
    with pytest.raises(ValueError, match="one size"):
        synthesise(
            np.zeros((5, 6, 3), np.uint8), mask, mask, mask.astype(np.uint8),
            mask.astype(np.uint8), mask, _rng(),
        )  # fmt: skip
