"""What is transparent lies before a backdrop; only who is cut out keeps the file's own outline."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.core.errors import PhotoError
from photo_wake_up.addon.core.perception.drawings import figure_ground_segmentation
from photo_wake_up.addon.core.perception.segmentation import masks
from photo_wake_up.addon.core.photo.image_files import load_photo
from photo_wake_up.addon.core.photo.transparency import (
    before_backdrop,
    is_cut_out,
    is_veiled,
    ring,
    studio_backdrop,
)
from photo_wake_up.addon.core.types import Mask, Photo, UInt8

from .picture_inputs import quarters

HEIGHT, WIDTH = 200, 160


def person() -> Mask:
    """A head, a trunk and a leg."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (80, 40), 14, 1, -1)
    cv2.rectangle(mask, (60, 55), (100, 120), 1, -1)
    cv2.rectangle(mask, (72, 120), (88, 180), 1, -1)
    return mask > 0


def opaque_where(mask: Mask) -> UInt8:
    return np.where(mask, 255, 0).astype(np.uint8)


def test_colours_beneath_full_transparency_are_gone() -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), (250, 0, 90), np.uint8)
    alpha = opaque_where(person())
    made = before_backdrop(rgb, alpha)
    assert (made[person()] == (250, 0, 90)).all()
    assert (made[~person()] == studio_backdrop(HEIGHT, WIDTH)[~person()]).all()
    half = before_backdrop(rgb, np.full_like(alpha, 128)).astype(float)
    mean = (rgb.astype(float) + studio_backdrop(HEIGHT, WIDTH)) / 2
    assert np.abs(half - mean).max() <= 1


def _quarter_clear(image: Image.Image) -> Image.Image:
    """With the upper left quarter transparent."""
    opacity = Image.new("L", image.size, 255)
    opacity.paste(0, (0, 0, image.width // 2, image.height // 2))
    image.putalpha(opacity)
    return image


def _as_palette(image: Image.Image) -> Image.Image:
    few = image.convert("RGB").quantize(8)
    few.info["transparency"] = few.getpixel((2, 2))
    return few


def _as_key(image: Image.Image) -> Image.Image:
    plain = image.convert("RGB")
    plain.info["transparency"] = plain.getpixel((2, 2))
    return plain


KINDS = {
    "rgba.png": _quarter_clear,
    "rgba.webp": _quarter_clear,
    "rgba.tif": _quarter_clear,
    "rgba.avif": _quarter_clear,
    "palette.png": _as_palette,
    "palette.gif": _as_palette,
    "key.png": _as_key,
    "grey.png": lambda image: _quarter_clear(image.convert("L")),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_way_to_be_transparent(tmp_path: Path, name: str) -> None:
    image = KINDS[name](Image.fromarray(quarters()))
    options = {"quality": 100, "subsampling": "4:4:4"} if name.endswith("avif") else {}
    options |= {"lossless": True} if name.endswith("webp") else {}
    kept = {"transparency": image.info["transparency"]} if "transparency" in image.info else {}
    image.save(tmp_path / name, **options, **kept)
    photo = load_photo(tmp_path / name)
    assert photo.alpha is not None
    clear = np.zeros((96, 64), bool)
    clear[:48, :32] = True
    assert (photo.alpha == np.where(clear, 0, 255)).all()
    assert (photo.rgb[clear] == studio_backdrop(96, 64)[clear]).all()
    plain = np.asarray(image.convert("RGBA"))[..., :3].astype(int)
    assert np.abs(photo.rgb.astype(int) - plain)[~clear].max() <= 8  # AVIF loses some


def test_sixteen_bits_with_opacity(tmp_path: Path) -> None:
    """Grey and colour; OpenCV writes what Pillow does not."""
    opacity = opaque_where(person()).astype(np.uint16) * 257
    colour = np.full((HEIGHT, WIDTH, 3), (30, 90, 200), np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), np.dstack([colour[..., ::-1], opacity]))
    photo = load_photo(tmp_path / "deep.png")
    assert (photo.alpha == opaque_where(person())).all()
    assert (photo.rgb[person()] == (30, 90, 200)).all()
    assert (photo.rgb[~person()] == studio_backdrop(HEIGHT, WIDTH)[~person()]).all()


def test_a_reduced_cut_out_has_no_rim_of_what_was_beneath(tmp_path: Path) -> None:
    """Where it is smaller, edges mix with the backdrop alone."""
    alpha = np.zeros((3000, 2600), np.uint8)
    cv2.circle(alpha, (1300, 1500), 900, 255, -1)
    rgb = np.where(alpha[..., None] > 0, np.uint8(195), np.uint8([0, 255, 0]))
    Image.fromarray(np.dstack([rgb, alpha])).save(tmp_path / "cut.png", compress_level=1)
    read = load_photo(tmp_path / "cut.png").rgb.astype(int)
    assert np.abs(read[..., 1] - read[..., 0]).max() <= 2


# -- what is a cut-out --------------------------------------------------------------------------


def test_who_is_surrounded_by_nothing_is_cut_out() -> None:
    alpha = opaque_where(person())
    assert is_cut_out(alpha, person())
    assert is_cut_out(cv2.GaussianBlur(alpha, (5, 5), 0), person())
    smaller = cv2.erode(person().astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert is_cut_out(alpha, smaller)  # a mask that is not quite right
    assert not is_cut_out(None, person())
    assert not is_cut_out(alpha, np.zeros_like(person()))
    assert not is_cut_out(255 - alpha, person())  # all but the person


def _others() -> dict[str, UInt8]:
    corners = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(corners, (WIDTH // 2, HEIGHT // 2), (95, 115), 0, 0, 360, 255, -1)
    far = np.hypot(*(np.indices((HEIGHT, WIDTH)) - [[[100]], [[80]]])) / 100
    half = np.full((HEIGHT, WIDTH), 255, np.uint8)
    half[:, :80] = 0
    frame = np.zeros((HEIGHT, WIDTH), np.uint8)
    frame[20:-12, 35:-35] = 255
    nearly = np.full((HEIGHT, WIDTH), 255, np.uint8)
    nearly[:3, :3] = 254
    return {
        "nine pixels": nearly,
        "round corners": corners,
        "vignette": (255 * np.clip(1.8 - 1.3 * far, 0, 1)).astype(np.uint8),
        "half": half,
        "frame": frame,
        "a veil": np.full((HEIGHT, WIDTH), 140, np.uint8),
    }


@pytest.mark.parametrize("name", _others())
def test_what_is_partly_transparent_is_no_cut_out(name: str) -> None:
    assert not is_cut_out(_others()[name], person())


def test_around_is_near_but_not_at_the_edge() -> None:
    away = cv2.distanceTransform((~person()).astype(np.uint8), cv2.DIST_L2, 5)
    assert (
        ring(person()).any() and 3 < away[ring(person())].min() <= away[ring(person())].max() <= 9
    )


def test_a_close_up_keeps_the_networks_outline() -> None:
    """The person fills most of a photo whose corners are round: nearly all of it is opaque, which
    says nothing of the outline."""
    soft = np.zeros((HEIGHT, WIDTH), np.float32)
    soft[20:, 12:-12] = 1
    opaque = np.full((HEIGHT, WIDTH), 255, np.uint8)
    opaque[:4, :4] = 0
    assert not masks._alpha_is_cut_out(opaque, soft)
    cut = opaque_where(soft > 0)
    cut[60:75, :12] = 255  # what the person holds, and the network does not see
    assert masks._alpha_is_cut_out(cut, soft)


def test_a_figure_in_a_box_is_looked_for_where_corners_are_missing() -> None:
    """A drawing whose corners are round: not all that is opaque is the figure."""
    paper = np.full((HEIGHT, WIDTH, 3), 235, np.uint8)
    paper[person()] = (150, 90, 60)
    box = np.array([0, 0, WIDTH - 1, HEIGHT - 1], np.float32)
    for name in ("round corners", "nine pixels"):
        alpha = _others()[name]
        mask = figure_ground_segmentation.outline_in_box(
            Photo(before_backdrop(paper, alpha), alpha, None, "drawn"), box
        )
        assert (mask & person()).sum() / (mask | person()).sum() > 0.9, name
    alpha = opaque_where(person())
    cut = figure_ground_segmentation.outline_in_box(
        Photo(before_backdrop(paper, alpha), alpha, None, "cut"), box
    )
    assert (cut == person()).all()


def test_a_photo_that_is_transparent_all_over_is_refused(tmp_path) -> None:
    path = tmp_path / "clear.png"
    pixels = np.full((HEIGHT, WIDTH, 4), 120, np.uint8)
    for opacity in (0, 9):
        pixels[..., 3] = opacity
        Image.fromarray(pixels).save(path)
        with pytest.raises(PhotoError, match="clear.png is transparent all over"):
            load_photo(path)
    pixels[50:60, 50:60, 3] = 255
    Image.fromarray(pixels).save(path)
    assert load_photo(path).alpha is not None


@pytest.mark.parametrize(("opacity", "pale"), [(40, True), (128, True), (225, True), (240, False)])
def test_a_half_transparent_photo_is_remarked_on(tmp_path: Path, opacity: int, pale: bool) -> None:
    image = Image.new("RGBA", (WIDTH, HEIGHT), (200, 40, 40, opacity))
    image.save(tmp_path / "pale.png")
    remarks = load_photo(tmp_path / "pale.png").remarks
    assert any("half transparent" in remark for remark in remarks) == pale


def test_soft_edges_and_missing_parts_are_no_veil() -> None:
    soft = cv2.GaussianBlur(opaque_where(person()), (0, 0), 1)
    assert not is_veiled(soft)
    assert not is_veiled(opaque_where(person()))
    assert not is_veiled(np.zeros((HEIGHT, WIDTH), np.uint8))
