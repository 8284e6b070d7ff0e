"""EXIF is optional: orientation and focal length where it tells them, the photo in any case."""

from __future__ import annotations

import io
import math
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.core.errors import WakeUpError
from photo_wake_up.addon.core.photo.focal_length import camera_of
from photo_wake_up.addon.core.photo.image_files import load_photo
from photo_wake_up.addon.core.types import Photo

from .picture_inputs import quarters

MUTATIONS = 400  # of each kind of file
_EXIF, _GPS = 0x8769, 0x8825
_FOCAL_35MM, _FOCAL, _PLANE_X_RESOLUTION, _PLANE_UNIT = 0xA405, 0x920A, 0xA20E, 0xA210


def _block(orientation: int = 6, fields: dict[int, object] | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "A maker of cameras", "A model"
    exif[0x0112], exif[0x011A], exif[0x0128] = orientation, 72.0, 2
    exif.get_ifd(_EXIF).update({0x829A: 0.01, 0x9201: -2.5, **(fields or {})})
    exif.get_ifd(_GPS)[2] = (48.0, 12.0, 30.5)
    return exif


def _file(kind: str, exif: Image.Exif, picture: np.ndarray | None = None) -> bytes:
    made = io.BytesIO()
    Image.fromarray(quarters(96, 64) if picture is None else picture).save(
        made, kind, exif=exif.tobytes()
    )
    return made.getvalue()


def _photo(folder: Path, content: bytes) -> Photo:
    path = folder / "photo.img"
    path.write_bytes(content)
    return load_photo(path)


def _with_checksum(png: bytes) -> bytes:
    at = png.index(b"eXIf")
    (size,) = struct.unpack(">I", png[at - 4 : at])
    end = at + 4 + size
    return png[:end] + struct.pack(">I", zlib.crc32(png[at:end])) + png[end + 4 :]


def _all_but_orientation(content: bytes) -> list[int]:
    """Where the block's bytes are, without its header, the number of its entries, and the third
    entry, which is the orientation."""
    start, length = content.index(b"MM\0*"), len(_block().tobytes()) - len(b"Exif\0\0")
    kept = {*range(10), *range(10 + 2 * 12, 10 + 3 * 12)}
    return [start + at for at in range(length) if at not in kept]


def _sub_blocks(content: bytes) -> list[int]:
    """Where a TIFF has its blocks of EXIF and of GPS; all else is the picture's own."""
    tags = Image.open(io.BytesIO(content)).tag_v2  # type: ignore[attr-defined]
    return [tags[block] + at for block in (_EXIF, _GPS) for at in range(18)]


@pytest.mark.parametrize(
    ("kind", "places", "finished"),
    [
        ("JPEG", _all_but_orientation, bytes),
        ("PNG", _all_but_orientation, _with_checksum),
        ("WEBP", _all_but_orientation, bytes),
        ("TIFF", _sub_blocks, bytes),
    ],
)
def test_a_damaged_block_leaves_photo_and_orientation(
    tmp_path: Path,
    kind: str,
    places: Callable[[bytes], list[int]],
    finished: Callable[[bytes], bytes],
) -> None:
    chance, whole = random.Random(17), _file(kind, _block())
    where = places(whole)
    for _ in range(MUTATIONS):
        content = bytearray(whole)
        for at in chance.sample(where, chance.randint(1, 4)):
            content[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])
        assert _photo(tmp_path, finished(bytes(content))).rgb.shape == (96, 64, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_block_of_rubbish_leaves_the_photo(tmp_path: Path, kind: str) -> None:
    """Header and orientation are hit as well: as stored or upright, but there."""
    chance, whole = random.Random(3), _file(kind, _block())
    start = whole.index(b"MM\0*")
    length = len(_block().tobytes()) - len(b"Exif\0\0") - 12  # AVIF's is shorter by an entry
    for _ in range(MUTATIONS // 4):
        content = bytearray(whole)
        content[start : start + length] = chance.randbytes(length)
        made = _with_checksum(bytes(content)) if kind == "PNG" else bytes(content)
        assert _photo(tmp_path, made).rgb.shape in ((96, 64, 3), (64, 96, 3))


def test_a_negative_ratio_is_not_written_back(tmp_path: Path) -> None:
    """Turning a picture is no reason to write its EXIF anew, which not every block allows."""
    content = bytearray(_file("JPEG", _block()))
    at = content.index(b"MM\0*") + 10 + 3 * 12  # the fourth entry, the resolution
    assert content[at : at + 2] == b"\x01\x1a"
    where = content.index(b"MM\0*") + int.from_bytes(content[at + 8 : at + 12], "big")
    content[at + 2 : at + 4] = b"\0\x05"
    content[where : where + 8] = b"\xff\xff\xff\xff\0\0\0\0"
    assert _photo(tmp_path, bytes(content)).rgb.shape == (96, 64, 3)


# -- focal lengths ------------------------------------------------------------------------------


def _told(folder: Path, *, orientation: int = 1, width: int = 120, **fields: object) -> Photo:
    names = {"film": _FOCAL_35MM, "focal": _FOCAL, "x": _PLANE_X_RESOLUTION, "unit": _PLANE_UNIT}
    block = _block(orientation, {names[name]: value for name, value in fields.items()})
    return _photo(folder, _file("JPEG", block, np.full((80, width, 3), 90, np.uint8)))


@pytest.mark.parametrize("film", [10, 13, 26, 50, 600, 3000])
def test_focal_lengths_of_photos_are_believed(tmp_path: Path, film: int) -> None:
    for orientation in (1, 6):
        photo = _told(tmp_path, film=film, orientation=orientation)
        assert photo.focal_px == pytest.approx(120 * film / 36) and not photo.remarks
        assert camera_of(photo).focal_px == photo.focal_px


@pytest.mark.parametrize("film", [1, 9, 3100, 65535])
def test_impossible_focal_lengths_are_left_out_and_told_of(tmp_path: Path, film: int) -> None:
    photo = _told(tmp_path, film=film)
    assert photo.focal_px is None and camera_of(photo).focal_px == 120
    (remark,) = photo.remarks
    assert f" {film} mm" in remark and remark.endswith(".")


def test_the_next_field_tells_it_where_the_first_does_not(tmp_path: Path) -> None:
    """4 mm on a sensor of 400 pixels a centimetre: 160 pixels. 0 means that it is not known."""
    sensor = {"focal": 4.0, "x": 400.0, "unit": 3}
    for film in (0, 1, 65535):
        photo = _told(tmp_path, film=film, **sensor)
        assert photo.focal_px == pytest.approx(160) and not photo.remarks
    assert _told(tmp_path, **sensor).focal_px == pytest.approx(160)
    inches = {**sensor, "x": 400.0 * 2.54, "unit": 2}
    assert _told(tmp_path, **inches).focal_px == pytest.approx(160)
    for fields in ({"film": 0}, {"film": 0, "focal": 4.0}, {"focal": 0.0, "x": 0.0}, {}):
        photo = _told(tmp_path, **fields)
        assert photo.focal_px is None and not photo.remarks
    far = _told(tmp_path, focal=400.0, x=40000.0, unit=3)
    assert far.focal_px is None and len(far.remarks) == 1


def test_a_reduced_photo_keeps_its_focal_length(tmp_path: Path) -> None:
    """In its own pixels, also where the file is decoded at half its size."""
    block = _block(1, {_FOCAL: 4.0, _PLANE_X_RESOLUTION: 20_000.0, _PLANE_UNIT: 3})
    photo = _photo(tmp_path, _file("JPEG", block, np.full((5000, 8000, 3), 90, np.uint8)))
    assert photo.width < 3200
    assert photo.focal_px == pytest.approx(8000 * photo.width / 8000, rel=1e-3)


def test_the_users_focal_length_has_the_same_bound() -> None:
    photo = Photo(np.zeros((80, 120, 3), np.uint8), None, 99.0, "made")
    assert camera_of(photo).focal_px == 99
    for pixels in (120 * 10 / 36, 33.34, 120, 9999.9, 10_000.0):
        assert camera_of(photo, pixels).focal_px == pixels
    for pixels in (1.0, 33.0, 10_100.0, 65535.0, -5.0, math.inf, math.nan):
        with pytest.raises(WakeUpError, match="from 34 to 10000 pixels") as refusal:
            camera_of(photo, pixels)
        assert "\n" not in str(refusal.value)
