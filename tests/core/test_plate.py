"""The plate: what is known stays, what is filled comes from around, nothing from the hole."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from photo_wake_up.addon.core.background.plate import fill_background, grown
from photo_wake_up.addon.core.background.shadows import cast_shadow
from photo_wake_up.addon.core.imaging.inpainting import complete
from photo_wake_up.addon.core.imaging.shift_map import dominant_offsets, labelled
from photo_wake_up.addon.core.numerics.grid_laplacian import membrane
from photo_wake_up.addon.core.photo.transparency import before_backdrop, studio_backdrop
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
    return Photo(rgb if alpha is None else before_backdrop(rgb, alpha), alpha, None, "made")


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
    """Also with a soft edge, a faint shadow at the feet, and a second person farther off."""
    alpha = np.where(person(), 255, 0).astype(np.uint8)
    soft = cv2.GaussianBlur(alpha, (5, 5), 0)
    cv2.ellipse(soft, (120, 168), (40, 6), 0, 0, 360, 60, -1)
    soft = np.maximum(soft, alpha)
    filled = fill_background(photo_of(stripes(), alpha), person())
    assert (filled.rgb == studio_backdrop(HEIGHT, WIDTH)).all()
    shaded = fill_background(photo_of(stripes(), soft), person())
    assert (shaded.rgb[shaded.hole] == studio_backdrop(HEIGHT, WIDTH)[shaded.hole]).all()
    beside = soft.copy()
    beside[40:160, 5:40] = 255
    with_other = fill_background(photo_of(stripes(), beside), person())
    assert (with_other.rgb[with_other.hole] == shaded.rgb[shaded.hole]).all()
    assert (with_other.rgb[60:140, 10:30] == stripes()[60:140, 10:30]).all()


def _corners() -> np.ndarray:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(alpha, (30, 0), (WIDTH - 31, HEIGHT - 1), 255, -1)
    cv2.rectangle(alpha, (0, 30), (WIDTH - 1, HEIGHT - 31), 255, -1)
    for x in (30, WIDTH - 31):
        for y in (30, HEIGHT - 31):
            cv2.circle(alpha, (x, y), 30, 255, -1, cv2.LINE_AA)
    return alpha


def _nearly_opaque() -> np.ndarray:
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:3, :3] = 254
    return alpha


def _vignette() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    far = np.hypot((x - 120) / 120, (y - 90) / 90)
    return (255 * np.clip(1.9 - 1.2 * far, 0, 1)).astype(np.uint8)


def _half() -> np.ndarray:
    """The left half is missing, up to the middle of the person."""
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, :120] = 0
    return alpha


def _pasted() -> np.ndarray:
    """A small photo on a transparent sheet, most of which is empty."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[15:178, 85:155] = 255
    return alpha


class _Painter:
    """Stands for what fills the plate: paints the hole in one colour."""

    def fill(self, rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
        return np.where(hole[..., None], np.uint8([180, 90, 40]), rgb)


@pytest.mark.parametrize("opacity", [_nearly_opaque, _corners, _vignette, _half, _pasted])
def test_what_is_only_partly_transparent_is_filled_as_any_photo(opacity) -> None:
    seen = stripes()
    seen[person()] = (10, 250, 90)
    photo = photo_of(seen, opacity())
    painter: Any = _Painter()
    filled = fill_background(photo, person(), network=painter)
    assert (filled.rgb[filled.hole] == (180, 90, 40)).all()
    assert (filled.rgb[~filled.hole] == photo.rgb[~filled.hole]).all()
    assert (filled.still[~person()] == photo.rgb[~person()]).all()


def test_nine_pixels_that_are_not_quite_opaque_change_nothing() -> None:
    wall = np.full((HEIGHT, WIDTH, 3), (180, 90, 40), np.uint8)
    seen = wall.copy()
    seen[person()] = (10, 250, 90)
    filled = fill_background(photo_of(seen, _nearly_opaque()), person())
    assert np.abs(filled.rgb.astype(int) - wall).max() <= 1


def checks(period: int = 24) -> np.ndarray:
    """Coloured squares that repeat both ways: nothing but their period tells what is behind."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    tile = np.random.default_rng(8).integers(40, 220, (period // 8, period // 8, 3))
    return tile[(y % period) // 8, (x % period) // 8].astype(np.uint8)


def test_what_repeats_goes_on_exactly() -> None:
    truth = checks()
    seen = truth.copy()
    seen[person()] = (250, 0, 0)
    filled = fill_background(photo_of(seen), person())
    wrong = np.abs(filled.rgb.astype(int) - truth).max(2)[filled.hole] > 2
    assert wrong.mean() < 0.01


def test_a_post_that_is_hidden_from_side_to_side_goes_on() -> None:
    columns = np.arange(WIDTH)
    rgb = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:] = np.where(columns < 60, 40, 170)[None, :, None] * np.array([0.3, 1.0, 0.9])
    rgb[:, 60:76] = (190, 185, 175)  # the post, between a door and a wall with level seams
    rgb[:, 76:] = (170, 80, 60)
    rgb[::12, 76:] = (200, 195, 185)
    hole = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(hole, (68, 95), (14, 20), 0, 0, 360, 1, -1)  # a hand
    cv2.line(hole, (90, 95), (120, 20), 1, 16)  # and its arm
    filled = complete(rgb, hole > 0, np.random.default_rng(0))
    away = np.abs(filled.astype(int) - rgb).max(2)
    assert (away[hole > 0] > 30).mean() < 0.05


def test_the_translations_of_what_repeats_are_its_periods() -> None:
    picture, hole = checks().astype(np.float32) / 255, grown(person())
    offsets = dominant_offsets(picture, hole)
    assert len(offsets) > 0
    assert (offsets[: len(offsets) // 2] % 24 == 0).all()
    found = labelled(picture, hole, membrane(picture, hole), offsets)
    assert found is not None
    move, leads = found
    ys, xs = np.nonzero(hole & leads)
    assert len(ys) > 0.99 * hole.sum()
    source = np.stack([ys, xs]) + move[ys, xs].T
    assert not hole[tuple(source)].any()
    assert (picture[tuple(source)] == picture[ys, xs]).all()


def test_a_membrane_keeps_whatever_is_linear() -> None:
    y, x = np.mgrid[:60, :80].astype(np.float32) / 100
    plane = np.stack([0.2 * x + 0.3 * y, 1 - x, 0.5 + 0 * x], axis=-1)
    hole = np.zeros((60, 80), bool)
    hole[20:40, 25:60] = True
    for sideways in (1.0, 6.0):
        assert np.abs(membrane(plane, hole, sideways) - plane).max() < 1e-5


def lit_ground() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sandy ground with some grain; the same with the person's shadow on it; the shadow."""
    grain = np.random.default_rng(2).normal(0, 2, (HEIGHT, WIDTH, 1))
    ground = np.clip(np.array([190, 170, 140]) + grain, 0, 255).astype(np.uint8)
    shadow = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillConvexPoly(shadow, np.array([[104, 160], [138, 165], [215, 140], [205, 128]]), 1)
    shadow = (shadow > 0) & ~person()
    # Half of the light, and less of the red than of the blue.
    shaded = (ground.astype(float) ** 2.2 * [0.4, 0.5, 0.6]) ** (1 / 2.2)
    return ground, np.where(shadow[..., None], shaded, ground).astype(np.uint8), shadow


def test_a_shadow_at_the_feet_is_found() -> None:
    _, seen, shadow = lit_ground()
    found = cast_shadow(seen, person())
    # Its rim may be found a little wider; never less than nearly all.
    assert found[shadow].mean() > 0.95
    reach = cv2.distanceTransform((~shadow).astype(np.uint8), cv2.DIST_L2, 5)
    assert reach[found].max() < 8 and not (found & person()).any()


def test_the_person_has_no_influence_on_its_shadow() -> None:
    _, seen, _ = lit_ground()
    results = []
    for colour in ((0, 0, 0), (255, 0, 255)):
        painted = seen.copy()
        painted[person()] = colour
        results.append(cast_shadow(painted, person()))
    assert np.array_equal(*results)


@pytest.mark.parametrize("what", ["plain", "apart", "coloured", "cut off"])
def test_what_is_no_shadow_stays(what: str) -> None:
    ground, seen, shadow = lit_ground()
    mask = person()
    if what == "plain":
        seen = ground
    elif what == "apart":  # a dark patch of the same kind that does not begin at the feet
        seen = ground.copy()
        seen[60:100, 190:220] //= 2
    elif what == "coloured":
        seen = ground.copy()
        seen[shadow] = (150, 40, 40)
    else:  # the feet are below the picture
        seen, mask = seen[: HEIGHT - 25], mask[: HEIGHT - 25]
    assert not cast_shadow(seen, mask).any()


def test_the_shadow_leaves_the_plate_and_stays_in_the_first_frame() -> None:
    ground, seen, shadow = lit_ground()
    gone = fill_background(photo_of(seen), person())
    kept = fill_background(photo_of(seen), person(), shadow=False)
    assert (gone.hole | ~shadow).all() and np.array_equal(kept.hole, grown(person()))
    assert np.abs(gone.rgb.astype(int) - ground)[gone.hole].mean() < 4
    outside = shadow & ~kept.hole
    assert (kept.rgb[outside] == seen[outside]).all()
    assert (gone.still[~person()] == seen[~person()]).all()
    assert (gone.rgb[~gone.hole] == seen[~gone.hole]).all()
