"""Deep greys are read in the range that they are written in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.core.photo.image_files import load_photo

HEIGHT, WIDTH = 64, 96


def ramp() -> np.ndarray:
    """(H, W), 0 to 1: what is meant, however it is written."""
    return np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)


def _read(folder: Path, values: np.ndarray, suffix: str = "tif") -> np.ndarray:
    path = folder / f"photo.{suffix}"
    Image.fromarray(values).save(path)
    photo = load_photo(path)
    assert (photo.rgb[..., 0] == photo.rgb[..., 2]).all() and photo.alpha is None
    return photo.rgb[..., 0].astype(float)


@pytest.mark.parametrize("white", [1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0, 5.0, 0.01, 1e9])
def test_floating_point_greys_of_every_range(tmp_path: Path, white: float) -> None:
    read = _read(tmp_path, (ramp() * white).astype(np.float32))
    assert np.abs(read - 255 * ramp()).max() <= 1.5


@pytest.mark.parametrize("white", [255, 1023, 4095, 65535])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_of_every_range(tmp_path: Path, white: int, suffix: str) -> None:
    read = _read(tmp_path, (ramp() * white).round().astype(np.uint16), suffix)
    assert np.abs(read - 255 * ramp()).max() <= 1


@pytest.mark.parametrize("white", [255, 4095, 65535, 10**8])
def test_thirty_two_bits_of_every_range(tmp_path: Path, white: int) -> None:
    read = _read(tmp_path, (ramp().astype(float) * white).round().astype(np.int32))
    assert np.abs(read - 255 * ramp()).max() <= 1.5


def test_dark_pictures_stay_dark(tmp_path: Path) -> None:
    """What is merely dim is not taken for another range."""
    cases = ((1.0, np.float32), (255.0, np.float32), (65535, np.uint16), (65535, np.int32))
    for white, kind in cases:
        dim = (0.3 * ramp() * white).astype(kind)
        assert np.abs(_read(tmp_path, dim) - 0.3 * 255 * ramp()).max() <= 1.5
        night = np.zeros((HEIGHT, WIDTH), kind)
        night[10:12, 10:14] = white  # a lamp
        night[30:, :] = 0.03 * white
        read = _read(tmp_path, night)
        assert read.max() == 255 and read[40, 40] == pytest.approx(8, abs=1)


def test_highlights_and_what_is_no_number(tmp_path: Path) -> None:
    values = ramp().copy()
    values[:2, :3] = np.nan
    values[2, :5] = np.inf
    values[3, :5] = -np.inf
    values[4, :8] = 40.0
    values[5, :8] = -3.0
    read = _read(tmp_path, values)
    kept = np.ones((HEIGHT, WIDTH), bool)
    kept[:6] = False
    assert np.abs(read - 255 * ramp())[kept].max() <= 1
    assert (read[:2, :3] == 0).all() and (read[2, :5] == 255).all() and (read[3, :5] == 0).all()
    assert (read[4, :8] == 255).all() and (read[5, :8] == 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -7.0])
def test_pictures_of_nothing_are_read(tmp_path: Path, value: float) -> None:
    assert len(np.unique(_read(tmp_path, np.full((HEIGHT, WIDTH), value, np.float32)))) == 1


def test_a_large_deep_picture_is_reduced(tmp_path: Path) -> None:
    deep = np.full((2600, 3000), 0.5, np.float32)
    deep[:, 1500:] = 1.0
    read = _read(tmp_path, deep)
    assert read.size <= 6.1e6 and read[0, 0] == 128 and read[-1, -1] == 255
