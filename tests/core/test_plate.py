"""The plate: what is known stays, what is filled comes from around, nothing from the hole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from photo_wake_up.addon.core.background.patchmatch import complete
from photo_wake_up.addon.core.background.plate import fill_background, grown
from photo_wake_up.addon.core.types import Photo

HEIGHT, WIDTH = 180, 240


def person() -> np.ndarray:
    """A head, a trunk and two legs."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (120, 45), 14, 1, -1)
    cv2.rectangle(mask, (100, 60), (140, 115), 1, -1)
    cv2.rectangle(mask, (102, 115), (116, 165), 1, -1)
    cv2.rectangle(mask, (124, 115), (138, 165), 1, -1)
    return mask > 0


def stripes() -> np.ndarray:
    """Boards: dark seams at equal distances, level."""
    rows = np.where(np.arange(HEIGHT) % 18 < 3, 60, 170)
    return np.broadcast_to(rows[:, None, None], (HEIGHT, WIDTH, 3)).astype(np.uint8).copy()


def photo_of(rgb: np.ndarray, alpha: np.ndarray | None = None) -> Photo:
    return Photo(rgb, alpha, None, "made")


def test_the_photo_is_kept_outside_of_the_hole() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    filled = fill_background(photo_of(rgb), person())
    assert (filled.rgb[~filled.hole] == rgb[~filled.hole]).all()
    assert (filled.still[~person()] == rgb[~person()]).all()
    assert (filled.still[person()] == filled.rgb[person()]).all()


def test_the_hole_is_the_person_and_a_margin() -> None:
    hole = grown(person())
    assert (hole | ~person()).all()
    reach = cv2.distanceTransform((~person()).astype(np.uint8), cv2.DIST_L2, 5)
    assert 2 <= reach[hole].max() <= 12


def test_a_plain_wall_is_restored_exactly() -> None:
    wall = np.full((HEIGHT, WIDTH, 3), (180, 90, 40), np.uint8)
    seen = wall.copy()
    seen[person()] = (10, 250, 90)
    filled = fill_background(photo_of(seen), person())
    assert np.abs(filled.rgb.astype(int) - wall).max() <= 1


def test_a_sky_that_brightens_evenly_goes_on() -> None:
    column = np.linspace(90, 200, HEIGHT)[:, None, None]
    sky = np.broadcast_to(column, (HEIGHT, WIDTH, 3)).round().astype(np.uint8).copy()
    seen = sky.copy()
    seen[person()] = 0
    filled = fill_background(photo_of(seen), person())
    assert np.abs(filled.rgb.astype(int) - sky)[filled.hole].mean() < 3


def test_boards_go_on_better_than_by_diffusion() -> None:
    """At least 1.5 dB better than Telea and Navier-Stokes inside of the hole."""
    boards = stripes()
    seen = boards.copy()
    seen[person()] = (200, 30, 30)
    filled = fill_background(photo_of(seen), person())

    def psnr(picture: np.ndarray) -> float:
        error = (picture.astype(float) - boards)[filled.hole] ** 2
        return float(10 * np.log10(255**2 / max(error.mean(), 1e-9)))

    canvas = filled.hole.astype(np.uint8)
    for method in (cv2.INPAINT_TELEA, cv2.INPAINT_NS):
        assert psnr(filled.rgb) > psnr(cv2.inpaint(seen, canvas, 5, method)) + 1.5


def test_what_is_in_the_hole_has_no_influence() -> None:
    boards, hole = stripes(), grown(person())
    pictures = []
    for colour in ((0, 0, 0), (255, 0, 255)):
        seen = boards.copy()
        seen[hole] = colour
        pictures.append(complete(seen, hole, np.random.default_rng(3)))
    assert np.array_equal(*pictures)


def test_a_seed_decides_everything() -> None:
    noisy = np.random.default_rng(5).integers(90, 160, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    first, second = (fill_background(photo_of(noisy), person(), seed=4) for _ in range(2))
    assert np.array_equal(first.rgb, second.rgb)


@pytest.mark.parametrize("everything", [False, True])
def test_nothing_and_everything_to_fill(everything: bool) -> None:
    rgb = stripes()
    filled = fill_background(photo_of(rgb), np.full((HEIGHT, WIDTH), everything))
    assert filled.rgb.shape == rgb.shape
    if not everything:
        assert (filled.rgb == rgb).all()


def test_a_cut_out_gets_a_plain_backdrop() -> None:
    alpha = np.where(person(), 255, 0).astype(np.uint8)
    filled = fill_background(photo_of(stripes(), alpha), person())
    grey = filled.rgb.astype(int)
    assert (grey[..., 0] == grey[..., 2]).all()
    assert np.abs(np.diff(grey[..., 0], axis=0)).max() <= 2
