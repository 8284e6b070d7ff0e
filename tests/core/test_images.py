"""Reading photos of every kind, and refusing what is none with a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.core.errors import OutputError, PhotoError
from photo_wake_up.addon.core.photo.colour_profiles import adobe_rgb
from photo_wake_up.addon.core.photo.image_files import load_photo, save_png, with_power_of_two_sides

from .picture_inputs import CUT_OUT_HEIC, ROTATED_HEIC, quarters


def picture(width: int = 96, height: int = 128) -> np.ndarray:
    """No symmetry: each corner has a colour of its own."""
    y, x = np.mgrid[:height, :width]
    return np.stack(
        [x * 255 // (width - 1), y * 255 // (height - 1), np.full_like(x, 60)], axis=-1
    ).astype(np.uint8)


# How the stored pixels come from the upright ones, by EXIF orientation.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[::-1],
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: a.transpose(1, 0, 2)[:, ::-1],
}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_exif_orientation_comes_out_upright(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    upright = picture()
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    options = {"jpg": {"quality": 95}, "webp": {"lossless": True}}.get(suffix, {})
    image.save(path, exif=exif, **options)
    read = load_photo(path).rgb
    assert read.shape == upright.shape
    assert np.abs(read.astype(int) - upright.astype(int)).max() <= (14 if suffix == "jpg" else 0)


@pytest.mark.parametrize("orientation", [3, 6, 7])
@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "LA", "1", "I;16", "F"])
def test_every_kind_of_tiff_comes_out_upright(tmp_path: Path, mode: str, orientation: int) -> None:
    """Pixels are told apart by a brightness that rises along both sides."""
    upright = (picture()[..., 0] // 3 + picture()[..., 1] // 2).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright[..., None])[..., 0]))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    elif mode == "CMYK":
        image = image.convert("RGB").convert("CMYK")
    elif mode != "L":
        image = image.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "photo.tif", exif=exif)
    read = load_photo(tmp_path / "photo.tif").rgb.astype(int)
    if mode == "1":
        assert read[:32, :32].mean() < 60 and read[-32:, -32:].mean() > 180
    else:
        assert np.abs(read - upright[..., None]).max() <= 3
    assert read.shape == (128, 96, 3)


def test_colour_modes_agree(tmp_path: Path) -> None:
    upright = picture()
    image = Image.fromarray(upright)
    grey = np.asarray(image.convert("L"))
    image.convert("CMYK").save(tmp_path / "cmyk.tif")
    image.convert("L").save(tmp_path / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    image.save(tmp_path / "photo.webp", lossless=True)
    image.save(tmp_path / "png_named.jpg", format="PNG")
    assert np.abs(load_photo(tmp_path / "cmyk.tif").rgb.astype(int) - upright).max() <= 3
    for name in ("grey.png", "grey16.png"):
        read = load_photo(tmp_path / name).rgb
        assert np.abs(read[..., 0].astype(int) - grey).max() <= 1
        assert (read[..., 0] == read[..., 2]).all()
    for name in ("photo.webp", "png_named.jpg"):
        assert (load_photo(tmp_path / name).rgb == upright).all()


def test_transparency_is_kept_apart(tmp_path: Path) -> None:
    alpha = np.zeros((128, 96), np.uint8)
    alpha[30:90, 20:70] = 255
    Image.fromarray(np.dstack([picture(), alpha])).save(tmp_path / "cut.png")
    Image.fromarray(np.dstack([picture(), np.full_like(alpha, 255)])).save(tmp_path / "full.png")
    cut = load_photo(tmp_path / "cut.png")
    assert cut.alpha is not None and (cut.alpha == alpha).all()
    assert cut.rgb.shape == (128, 96, 3)
    assert load_photo(tmp_path / "full.png").alpha is None


def test_a_huge_photo_is_reduced(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (6000, 4000), (10, 200, 30)).save(path)
    photo = load_photo(path)
    assert photo.width * photo.height <= 6.1e6
    assert photo.width / photo.height == pytest.approx(1.5, rel=2e-3)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_what_is_no_photo_is_refused_in_one_sentence(tmp_path: Path) -> None:
    whole = tmp_path / "whole.png"
    Image.fromarray(picture()).save(whole)
    tiny = tmp_path / "tiny.png"
    Image.new("RGB", (1, 1)).save(tiny)
    large = tmp_path / "large.png"
    Image.new("1", (20_000, 20_000)).save(large)
    cases = [
        tmp_path / "absent.jpg",
        tmp_path,
        write(tmp_path / "empty.jpg", b""),
        write(tmp_path / "text.jpg", b"This is a letter, not a picture."),
        write(tmp_path / "cut.png", whole.read_bytes()[: whole.stat().st_size // 2]),
        tiny,
        large,
    ]
    for path in cases:
        with pytest.raises(PhotoError) as refusal:
            load_photo(path)
        assert "\n" not in str(refusal.value) and len(str(refusal.value)) > 20


def test_a_tiff_of_floating_point_colours_is_named(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "photo.tif"), np.zeros((96, 64, 3), np.float32))
    with pytest.raises(PhotoError, match="TIFF of a kind that cannot be read: save it with 8 or"):
        load_photo(tmp_path / "photo.tif")


def test_saved_pictures_are_read_back(tmp_path: Path) -> None:
    save_png(tmp_path / "photo.png", picture())
    assert (load_photo(tmp_path / "photo.png").rgb == picture()).all()
    mask = picture()[..., 0] > 100
    save_png(tmp_path / "mask.png", mask)
    assert (np.asarray(Image.open(tmp_path / "mask.png")) == mask * 255).all()
    with pytest.raises(OutputError):
        save_png(tmp_path / "absent" / "photo.png", picture())


def test_heic_opens_upright_in_srgb_with_its_focal_length(tmp_path: Path) -> None:
    """The file says twice that it lies on its side; turned once, it stands."""
    for name in ("photo.heic", "photo.HIF", "named.jpg"):
        photo = load_photo(write(tmp_path / name, ROTATED_HEIC))
        assert photo.rgb.shape == (96, 64, 3) and photo.alpha is None and not photo.remarks
        assert photo.focal_px == pytest.approx(96 * 26 / 36)
        stored = Image.fromarray(quarters())
        stored.save(tmp_path / "same.png", icc_profile=adobe_rgb())  # what the HEIC's profile is
        truth = load_photo(tmp_path / "same.png").rgb.astype(int)
        middles = np.ix_([24, 72], [16, 48])
        assert np.abs(photo.rgb[middles] - truth[middles]).max() <= 6


def test_heic_with_transparency(tmp_path: Path) -> None:
    photo = load_photo(write(tmp_path / "cut.heic", CUT_OUT_HEIC))
    assert photo.alpha is not None
    assert (photo.alpha[24:72, 20:44] > 250).all() and (photo.alpha[:14] < 5).all()


def test_heic_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for end in (40, 300, 700):
        cut = write(tmp_path / "cut.heic", ROTATED_HEIC[:end])
        with pytest.raises(PhotoError, match="HEIC|damaged"):
            load_photo(cut)
    rubbish = write(tmp_path / "other.heic", ROTATED_HEIC[:12] + bytes(500))
    with pytest.raises(PhotoError, match="HEIC photo that cannot be read: save it as a JPEG"):
        load_photo(rubbish)
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(PhotoError, match="HEIC photo.*: save it as a JPEG"):
        load_photo(write(tmp_path / "photo.heic", ROTATED_HEIC))


def test_the_first_of_several_pictures_is_read(tmp_path: Path) -> None:
    """MPO, as cameras write previews or second views, TIFF and GIF."""
    for name, options in (("a.mpo", {"quality": 95}), ("a.tif", {}), ("a.gif", {})):
        first, second = Image.fromarray(quarters()), Image.new("RGB", (64, 96), (9, 9, 9))
        first.save(tmp_path / name, save_all=True, append_images=[second], **options)
        read = load_photo(tmp_path / name).rgb
        assert np.abs(read[24, 16].astype(int) - quarters()[24, 16]).max() <= 4


def _outcomes(folder: Path) -> dict[str, str]:
    """Each picture of a folder either reads as a photo or is refused; nothing else happens."""
    outcomes = {}
    for path in sorted(folder.iterdir()):
        try:
            photo = load_photo(path)
        except PhotoError as error:
            assert "\n" not in str(error) and str(error).endswith(".") and path.name in str(error)
            outcomes[path.name] = "refused"
        else:
            assert photo.rgb.ndim == 3 and photo.rgb.dtype == np.uint8
            outcomes[path.name] = f"{photo.width}x{photo.height}"
    return outcomes


def test_real_awkward_files(data: Path) -> None:
    outcomes = _outcomes(data / "broken")
    assert outcomes["exif_rotate6.jpg"] == "564x944"
    assert outcomes["exif_rotate6.png"] == "600x800"
    assert outcomes["exif_person_6.jpg"] == "1200x1800"
    assert outcomes["exif_rotate3.jpg"] == "539x900"
    assert outcomes["cmyk.jpg"] == "900x1600"
    refused = {name for name, outcome in outcomes.items() if outcome == "refused"}
    assert refused == {
        "empty.jpg", "text_named.jpg", "truncated.jpg", "truncated.png", "tiny_12x16.png",
        "huge_20000x20000.png", "bvh_truncated.bvh", "bvh_no_motion.bvh",
    }  # fmt: skip


def test_a_telephones_heic(data: Path) -> None:
    """Upright, like the depth that was taken out of it."""
    outcomes = _outcomes(data / "depth")
    assert outcomes["phone_apple_disparity_pug.heic"] == "2828x2121"
    assert outcomes["phone_gdepth_table.jpg"] == "768x1024"
    photo = load_photo(data / "depth" / "phone_apple_disparity_pug.heic")
    assert photo.focal_px == pytest.approx(2828 * 26 / 36) and not photo.remarks


def test_what_went_wrong_is_right(data: Path) -> None:
    folder = data.parent / "reported"
    if not folder.is_dir():
        pytest.skip("the folder of inputs that went wrong is not there")
    _outcomes(folder)
    opaque = load_photo(folder / "focal_35mm_1.jpg")
    assert opaque.focal_px is None and "1 mm" in opaque.remarks[0]
    edited = load_photo(folder / "alpha_254.png")
    assert edited.alpha is not None and np.abs(edited.rgb.astype(int) - opaque.rgb).mean() < 3
    grey = load_photo(folder / "grey_float01.tif").rgb.astype(int)
    assert np.abs(grey[..., 0] - opaque.rgb.mean(axis=2)).mean() < 6
    truth = load_photo(folder / "red_srgb.jpg").rgb.astype(int)
    for name in ("red_p3.jpg", "red_adobergb.png"):
        assert np.abs(load_photo(folder / name).rgb - truth).mean() < 2
    for number in range(4):
        assert load_photo(folder / f"exif_mutated_{number}.jpg").rgb.shape == (96, 64, 3)
    assert load_photo(folder / "exif_orient_ratneg.jpg").rgb.shape == opaque.rgb.shape


@pytest.mark.parametrize(
    ("size", "largest", "expected"),
    [((160, 240), 8192, (256, 256)), ((64, 128), 64, (64, 64)), ((3000, 1), 2048, (2048, 1))],
)
def test_textures_get_sides_that_are_powers_of_two(size, largest, expected):
    grey = np.full((size[1], size[0], 3), 117, np.uint8)
    made = with_power_of_two_sides(grey, largest)
    assert made.shape == (expected[1], expected[0], 3) and (made == 117).all()
    assert with_power_of_two_sides(made, largest) is made
