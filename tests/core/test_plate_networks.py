"""Networks of the user's that fill the plate: tiny ONNX files whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photo_wake_up.addon.core.background.plate import fill_background
from photo_wake_up.addon.core.background.plate_networks import load_plate_network
from photo_wake_up.addon.core.errors import ModelFileError
from photo_wake_up.addon.core.types import Photo

from .test_onnx_networks import FLOAT, node, noise, refused, saved

BLUE = (0.1, 0.2, 0.9)


def painter(
    path: Path,
    size: tuple[int | str, int | str] = ("h", "w"),
    names: tuple[str, str] = ("image", "mask"),
    full: float = 1.0,
    outputs: int = 3,
) -> Path:
    """A network that adds BLUE times the hole to the picture, in 0..full."""
    picture, mask = ("image", FLOAT, [1, 3, *size]), ("mask", FLOAT, [1, 1, *size])
    ends = {"image": picture, "mask": mask}
    nodes = [
        node("Mul", "mask blue", "paint"),
        node("Add", "image paint", "painted"),
        node("Mul", "painted full", "whole"),
        node("Gather", "whole kept", "output", axis=1),
    ]
    constants = {
        "blue": np.float32(BLUE).reshape(1, 3, 1, 1), "full": np.float32(full),
        "kept": np.arange(outputs),
    }  # fmt: skip
    return saved(
        path, nodes, [ends[name] for name in names], [("output", FLOAT, [1, outputs, *size])],
        constants,
    )  # fmt: skip


def hole_of(height: int, width: int) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height // 2, width // 4 : width // 2] = True
    return hole


@pytest.mark.parametrize("size", [("h", "w"), (64, 64), (512, 512)])
@pytest.mark.parametrize("names", [("image", "mask"), ("mask", "image")])
@pytest.mark.parametrize("full", [1.0, 255.0])
def test_only_the_hole_is_painted(
    tmp_path: Path, size: tuple, names: tuple[str, str], full: float
) -> None:
    rgb, hole = noise(90, 150), hole_of(90, 150)
    filled = load_plate_network(painter(tmp_path / "lama.onnx", size, names, full)).fill(rgb, hole)
    assert (filled[~hole] == rgb[~hole]).all() and filled.dtype == np.uint8
    # The picture is black in the hole: what comes out there is the paint alone.
    inner = np.zeros_like(hole)
    inner[33:42, 42:70] = True
    assert np.abs(filled[inner] - np.float32(BLUE) * 255).max() < 3


def test_what_is_in_the_hole_has_no_influence(tmp_path: Path) -> None:
    network = load_plate_network(painter(tmp_path / "lama.onnx", (64, 64)))
    rgb, hole = noise(120, 100), hole_of(120, 100)
    other = rgb.copy()
    other[hole] = (255, 0, 255)
    assert np.array_equal(network.fill(rgb, hole), network.fill(other, hole))


def test_a_large_picture_is_brought_to_a_size_that_fits(tmp_path: Path) -> None:
    rgb, hole = noise(1400, 1700), hole_of(1400, 1700)
    hole[200:1300, 300:1500] = True
    filled = load_plate_network(painter(tmp_path / "lama.onnx")).fill(rgb, hole)
    assert (filled[~hole] == rgb[~hole]).all()
    assert np.abs(filled[700, 900] - np.float32(BLUE) * 255).max() < 3


def test_the_plate_is_filled_by_it(tmp_path: Path) -> None:
    network = load_plate_network(painter(tmp_path / "lama.onnx"))
    rgb, person = noise(100, 100), hole_of(100, 100)
    plate = fill_background(Photo(rgb, None, None, "made"), person, network=network)
    assert np.array_equal(plate.rgb, network.fill(rgb, plate.hole))
    assert (plate.still[~person] == rgb[~person]).all()


def test_nothing_and_everything_to_fill(tmp_path: Path) -> None:
    network = load_plate_network(painter(tmp_path / "lama.onnx"))
    rgb = noise(40, 40)
    for hole in (np.zeros((40, 40), bool), np.ones((40, 40), bool)):
        assert (network.fill(rgb, hole) == rgb).all()


def test_what_is_no_network_for_the_background(tmp_path: Path) -> None:
    one = saved(
        tmp_path / "one.onnx", [node("Identity", "image", "output")],
        [("image", FLOAT, [1, 3, 8, 8])], [("output", FLOAT, [1, 3, 8, 8])],
    )  # fmt: skip
    assert "needs the inputs 1x3xHxW (the picture)" in refused(load_plate_network, one)
    grey = painter(tmp_path / "grey.onnx", (64, 64), outputs=1)
    assert "'output' of shape 1x1x64x64" in refused(load_plate_network, grey)
    with pytest.raises(ModelFileError, match="There is no network file"):
        load_plate_network(tmp_path / "none.onnx")


def test_numbers_that_are_not_finite(tmp_path: Path) -> None:
    network = load_plate_network(painter(tmp_path / "half.onnx", full=float("nan")))
    refused(lambda _: network.fill(noise(40, 40), hole_of(40, 40)), Path("half.onnx"))
