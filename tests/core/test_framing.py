"""Windows of the grid: on the same grid, around what they are for, and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.character.working_grid import CROP_MARGIN_PX, window_of
from photo_wake_up.addon.core.types import Crop


@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    scale=st.floats(0.1, 4.0),
)
def test_a_window_lies_on_the_grid_around_all_that_it_is_for(seed, height, width, scale) -> None:
    random = np.random.default_rng(seed)
    crop = Crop(*random.uniform(-50, 50, 2), scale, width, height)
    shown = np.zeros((height, width), bool)
    rows, columns = random.integers(0, height, 4), random.integers(0, width, 4)
    shown[rows, columns] = True
    points = random.uniform(-40, 130, (3, 2))  # some beyond the crop
    window, (row, column) = window_of(crop, shown, points)
    assert row >= 0 and row + window.height <= height
    assert column >= 0 and column + window.width <= width
    wanted = np.vstack([np.stack([columns, rows], 1), points.clip(0, [width - 1, height - 1])])
    for value, first, size, all_of_it in (
        (wanted[:, 0], column, window.width, width),
        (wanted[:, 1], row, window.height, height),
    ):
        assert first == 0 or value.min() >= first + CROP_MARGIN_PX
        last = first + size - 1
        assert last == all_of_it - 1 or value.max() <= last - CROP_MARGIN_PX
    # A pixel of the window is the pixel of the grid that lies so much farther.
    inner = random.uniform(0, 10, (5, 2))
    assert np.allclose(
        frames.photo_from_grid(window, inner),
        frames.photo_from_grid(crop, inner + np.array([column, row])),
        atol=1e-9,
    )
