"""Colours come out as sRGB, whatever profile the file carries."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from photo_wake_up.addon.core.photo.colour_profiles import adobe_rgb
from photo_wake_up.addon.core.photo.image_files import load_photo

from .picture_inputs import (
    P3_COLUMNS,
    PROPHOTO_COLUMNS,
    SRGB_CURVE,
    cmyk_profile,
    grey_profile,
    quarters,
    rgb_profile,
)

# The same red as it is written in each space, from the definitions of the spaces.
RED = (169, 31, 42)
SPACES = {
    "sRGB": (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), RED),
    "Display P3": (rgb_profile(P3_COLUMNS), (156, 45, 47)),
    "Adobe RGB": (adobe_rgb(), (145, 36, 46)),
    "ProPhoto": (rgb_profile(PROPHOTO_COLUMNS, 1.8), (110, 50, 36)),
}
FORMATS: dict[str, tuple[dict[str, Any], int]] = {  # with the levels that are lost
    "jpg": ({"quality": 100, "subsampling": 0}, 3),
    "png": ({}, 2),
    "tif": ({}, 2),
    "webp": ({"lossless": True}, 2),
    "avif": ({"quality": 100}, 4),
}


def _plain(colour: tuple[int, ...], width: int = 96, height: int = 64) -> np.ndarray:
    return np.broadcast_to(np.uint8(colour), (height, width, len(colour))).copy()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("space", SPACES)
def test_a_red_is_the_same_red(tmp_path: Path, space: str, suffix: str) -> None:
    profile, stored = SPACES[space]
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(_plain(stored)).save(path, icc_profile=profile, **FORMATS[suffix][0])
    photo = load_photo(path)
    assert np.abs(photo.rgb.astype(int) - RED).max() <= FORMATS[suffix][1]
    assert not photo.remarks


def test_pixels_that_are_srgb_are_not_touched(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    columns = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))
    for profile in (SPACES["sRGB"][0], rgb_profile(columns, SRGB_CURVE), b""):
        Image.fromarray(noise).save(tmp_path / "photo.png", icc_profile=profile)
        assert (load_photo(tmp_path / "photo.png").rgb == noise).all()


def test_transparency_and_palettes_have_profiles_too(tmp_path: Path) -> None:
    profile, stored = SPACES["Adobe RGB"]
    opacity = np.full((64, 96, 1), 255, np.uint8)
    opacity[:, 60:] = 0
    clear = Image.fromarray(np.dstack([_plain(stored), opacity]))
    clear.save(tmp_path / "clear.png", icc_profile=profile)
    photo = load_photo(tmp_path / "clear.png")
    assert (photo.alpha == opacity[..., 0]).all()
    assert np.abs(photo.rgb[:, :60].astype(int) - RED).max() <= 2
    assert (photo.rgb[:, 60:, 0] == photo.rgb[:, 60:, 2]).all()  # the backdrop stays grey
    Image.fromarray(_plain(stored)).quantize(8).save(tmp_path / "few.png", icc_profile=profile)
    assert np.abs(load_photo(tmp_path / "few.png").rgb.astype(int) - RED).max() <= 2


def _encoded(linear: float) -> float:
    """IEC 61966-2-1, 0 to 255."""
    return 255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_greys_of_8_and_16_bits_with_a_curve(tmp_path: Path, gamma: float) -> None:
    deep = np.linspace(0, 65535, 96).round().astype(np.uint16)[None].repeat(64, axis=0)
    Image.fromarray(deep).save(tmp_path / "deep.png", icc_profile=grey_profile(gamma))
    shallow = (deep // 257).astype(np.uint8)
    Image.fromarray(shallow).save(tmp_path / "shallow.png", icc_profile=grey_profile(gamma))
    for name, values in (("deep.png", deep / 65535), ("shallow.png", shallow / 255)):
        truth = np.array([_encoded(value**gamma) for value in values[0]])
        photo = load_photo(tmp_path / name)
        assert np.abs(photo.rgb[0, :, 1] - truth).max() <= 1.5 and not photo.remarks
        assert (photo.rgb[..., 0] == photo.rgb[..., 2]).all()


def test_a_grey_picture_may_have_an_rgb_profile(tmp_path: Path) -> None:
    """Many programs leave the profile where they take the colours away."""
    grey = np.tile(np.arange(96, dtype=np.uint8) * 2, (64, 1))
    columns = PROPHOTO_COLUMNS
    for name, picture in (("8.png", grey), ("16.png", grey.astype(np.uint16) * 257)):
        Image.fromarray(picture).save(tmp_path / name, icc_profile=rgb_profile(columns, 1.8))
        photo = load_photo(tmp_path / name)
        truth = np.array([_encoded((value / 255) ** 1.8) for value in grey[0]])
        assert np.abs(photo.rgb[0, 10:, 0] - truth[10:]).max() <= 2 and not photo.remarks


def test_a_printers_inks_are_what_its_profile_says(tmp_path: Path) -> None:
    """Cyan, printed, is no screen's cyan: CIELAB 55, -37, -50 is about sRGB 0, 147, 221."""
    inks = {
        (c, m, y, k): (
            max(100 * (1 - 0.45 * c) * (1 - 0.5 * m) * (1 - 0.1 * y) * (1 - 0.9 * k), 5.0),
            (1 - k) * (-37.0 * c + 74 * m - 5 * y), (1 - k) * (-50.0 * c - 3 * m + 90 * y),
        )
        for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)
    }  # fmt: skip
    profile = cmyk_profile(inks)
    for stored, truth in (
        ((0, 0, 0, 0), (255, 255, 255)), ((255, 0, 0, 0), (0, 147, 221)),
        ((255, 255, 255, 255), (0, 0, 0)),
    ):  # fmt: skip
        picture = Image.fromarray(_plain(stored), "CMYK")
        for suffix in ("tif", "jpg"):
            path = tmp_path / f"photo.{suffix}"
            picture.save(path, icc_profile=profile)
            photo = load_photo(path)
            assert np.abs(photo.rgb[30, 40].astype(int) - truth).max() <= 18, (stored, suffix)
            assert not photo.remarks


def test_adobe_rgb_that_only_exif_tells(tmp_path: Path) -> None:
    """Cameras name the file _DSC..., write "R03" and embed nothing."""
    picture = Image.fromarray(_plain(SPACES["Adobe RGB"][1]))
    for space, index, truth in (
        (65535, "R03", RED), (65535, "R98", SPACES["Adobe RGB"][1]), (2, None, RED),
        (1, "R03", SPACES["Adobe RGB"][1]),
    ):  # fmt: skip
        exif = Image.Exif()
        fields = exif.get_ifd(0x8769)
        fields[0xA001] = space
        if index:
            fields[0xA005] = {1: index}
        picture.save(tmp_path / "photo.jpg", exif=exif, quality=100, subsampling=0)
        read = load_photo(tmp_path / "photo.jpg").rgb
        assert np.abs(read.astype(int) - truth).max() <= 2, (space, index)


def _flat(profile: bytes) -> bytes:
    """The same profile, whose green is no colour."""
    at = profile.index(b"gXYZ")
    (place,) = struct.unpack(">I", profile[at + 4 : at + 8])
    return profile[: place + 8] + bytes(12) + profile[place + 20 :]


BROKEN = {
    "cut short": rgb_profile(P3_COLUMNS)[:200],
    "text": b"This is no profile. " * 20,
    "of print": cmyk_profile({(c, m, y, k): (50.0, 0.0, 0.0) for c in (0, 1) for m in (0, 1)
                              for y in (0, 1) for k in (0, 1)}),
    "of grey": grey_profile(2.2),
    "white is not white": _flat(rgb_profile(P3_COLUMNS)),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_broken_profile_leaves_the_pixels_and_is_told_of(
    tmp_path: Path, name: str, suffix: str
) -> None:
    path, bare = tmp_path / f"photo.{suffix}", tmp_path / f"bare.{suffix}"
    Image.fromarray(quarters()).save(path, icc_profile=BROKEN[name])
    Image.fromarray(quarters()).save(bare)
    photo = load_photo(path)
    assert (photo.rgb == load_photo(bare).rgb).all()
    (remark,) = photo.remarks
    assert "colour profile" in remark and remark.endswith(".") and "\n" not in remark


def test_however_a_profile_is_damaged_the_photo_is_read(tmp_path: Path) -> None:
    chance = np.random.default_rng(2)
    whole, path = rgb_profile(P3_COLUMNS), tmp_path / "photo.png"
    for _ in range(300):
        profile = bytearray(whole)
        for at in chance.integers(0, len(whole), 4):
            profile[at] = chance.integers(0, 256)
        made = io.BytesIO()
        Image.fromarray(quarters()).save(made, "PNG", icc_profile=bytes(profile), compress_level=1)
        path.write_bytes(made.getvalue())
        assert load_photo(path).rgb.shape == (96, 64, 3)


def test_lab_needs_no_profile(tmp_path: Path) -> None:
    picture = Image.fromarray(_plain(RED))
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(picture, to_lab)
    assert lab is not None
    lab.save(tmp_path / "lab.tif", icc_profile=rgb_profile(P3_COLUMNS))
    photo = load_photo(tmp_path / "lab.tif")
    assert np.abs(photo.rgb.astype(int) - RED).max() <= 4 and not photo.remarks
