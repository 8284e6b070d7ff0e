"""Whatever a file holds, its reader gives a valid value or a sentence, soon and in little room."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from photo_wake_up.addon.core.body.model.body_files import load_body_model
from photo_wake_up.addon.core.errors import ModelFileError, MotionError, PhotoError, WakeUpError
from photo_wake_up.addon.core.motion.sources.bvh import read_bvh
from photo_wake_up.addon.core.motion.sources.smpl_sequence import read_smpl_sequence
from photo_wake_up.addon.core.photo.image_files import SMALLEST_SIDE_PX, load_photo

from .damage import NUMBERS, bounded, edited, edits, with_member, with_png_chunk
from .motion_inputs import stick_bvh, stick_row
from .picture_inputs import CUT_OUT_HEIC, ROTATED_HEIC
from .test_body_files import small
from .test_motion_smpl import damaged

SECONDS, MEGABYTES = 5.0, 600.0  # for one file of some kilobytes, pictures as large as are allowed
EXAMPLES = int(os.environ.get("DAMAGE_EXAMPLES", "50"))  # of each kind; more when looking for more

fuzzed = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    shade = np.add.outer(np.arange(72), 2 * np.arange(80)).astype(np.uint8)
    picture = Image.fromarray(shade).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x920A] = 35.0
    made = io.BytesIO()
    picture.save(
        made, kind, **({"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "AVIF") else {}), **options
    )
    return made.getvalue()


def _sixteen_bits() -> bytes:
    made = io.BytesIO()
    Image.fromarray(np.arange(72 * 80, dtype=np.uint16).reshape(72, 80) * 11).save(made, "PNG")
    return made.getvalue()


PICTURES = (
    _picture("JPEG"), _picture("JPEG", "CMYK"), _picture("JPEG", progressive=True),
    _picture("PNG"), _picture("PNG", "RGBA"), _picture("PNG", "P"), _sixteen_bits(),
    _picture("WEBP"), _picture("WEBP", "RGBA", lossless=True), _picture("TIFF"),
    _picture("TIFF", compression="tiff_lzw"), _picture("TIFF", compression="tiff_adobe_deflate"),
    _picture("GIF", "P"), _picture("BMP"), _picture("TGA"), _picture("PPM"), _picture("ICO"),
    _picture("JPEG2000"), _picture("DDS"), _picture("PCX"), _picture("SGI"), _picture("AVIF"),
    ROTATED_HEIC, CUT_OUT_HEIC,
)  # fmt: skip
BVH = stick_bvh([stick_row(LeftArm=(5 * k, 0, 0)) for k in range(4)]).encode()


def _npz(fields: dict[str, np.ndarray], **more: np.ndarray) -> bytes:
    made = io.BytesIO()
    np.savez_compressed(made, **fields, **more)
    return made.getvalue()


SEQUENCE = _npz(damaged())
FIELDS = small("SMPL", count=30)
FIELDS["shapedirs"] = FIELDS["shapedirs"][:, :, :2]
del FIELDS["posedirs"]
BODY = _npz(FIELDS)
_SPARSE = {**FIELDS, "J_regressor": scipy.sparse.csc_matrix(FIELDS["J_regressor"])}
PICKLES = tuple(pickle.dumps(_SPARSE, protocol=protocol) for protocol in (0, 2, 4))


def _outcome(
    folder: Path, name: str, content: bytes, read: Callable[[Path], object], kind: type[WakeUpError]
) -> object:
    """What the reader gives; None where it raises one sentence of the right kind."""
    path = folder / name
    path.write_bytes(content)
    with bounded(SECONDS, MEGABYTES):
        try:
            return read(path)
        except kind as error:
            said = str(error)
            assert said.endswith((".", ").")) and name.split(".", maxsplit=1)[0] in said
            assert len(said) < 400 and "\n" not in said and said.isprintable()
            return None


def _check_photo(folder: Path, content: bytes) -> None:
    photo = _outcome(folder, "photo.img", content, load_photo, PhotoError)
    if photo is not None:
        assert photo.rgb.dtype == np.uint8 and photo.rgb.ndim == 3 and photo.rgb.shape[2] == 3
        assert min(photo.rgb.shape[:2]) >= min(SMALLEST_SIDE_PX, 1)
        assert photo.alpha is None or photo.alpha.shape == photo.rgb.shape[:2]
        assert photo.focal_px is None or 0 < photo.focal_px < 1e6


def _check_motion(folder: Path, content: bytes) -> None:
    motion = _outcome(folder, "clip.bvh", content, read_bvh, MotionError)
    if motion is not None:
        assert np.isfinite(motion.rotations).all() and np.isfinite(motion.positions).all()
        assert np.allclose(np.linalg.norm(motion.rotations, axis=2), 1)
        assert all(-1 <= parent < joint for joint, parent in enumerate(motion.parents))


def _check_sequence(folder: Path, content: bytes) -> None:
    clip = _outcome(folder, "clip.npz", content, read_smpl_sequence, MotionError)
    if clip is not None:
        assert np.isfinite(clip.rotations).all() and np.isfinite(clip.root).all()
        assert np.allclose(np.linalg.norm(clip.rotations, axis=2), 1)


def _check_body(folder: Path, content: bytes) -> None:
    body = _outcome(folder, "body.npz", content, load_body_model, ModelFileError)
    if body is not None:
        for values in (body.template, body.shapes, body.regressor, body.weights):
            assert np.isfinite(values).all()
        assert body.faces.min() >= 0 and body.faces.max() < len(body.template)


@fuzzed
@given(st.sampled_from(PICTURES), edits())
def test_pictures(tmp_path, content, changes):
    _check_photo(tmp_path, edited(content, changes))


@fuzzed
@given(st.sampled_from([p for p in PICTURES if p[1:4] == b"PNG"]), st.integers(0, 6), edits(2))
def test_pictures_whose_checksums_are_right(tmp_path, content, number, changes):
    _check_photo(tmp_path, with_png_chunk(content, number, changes))


@fuzzed
@given(st.sampled_from(PICTURES), st.floats(0, 1))
def test_pictures_cut_short(tmp_path, content, share):
    _check_photo(tmp_path, content[: int(share * len(content))])


@fuzzed
@given(edits(6))
def test_motions(tmp_path, changes):
    _check_motion(tmp_path, edited(BVH, changes))


@fuzzed
@given(st.data())
def test_motions_with_other_words(tmp_path, data):
    """Words and lines that are right by themselves, in the wrong places."""
    lines = BVH.decode().splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        do = data.draw(st.sampled_from(["drop", "twice", "swap", "word"]))
        if do == "drop" and len(lines) > 1:
            del lines[at]
        elif do == "twice":
            lines.insert(at, lines[at])
        elif do == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif words := lines[at].split():
            words[data.draw(st.integers(0, len(words) - 1))] = data.draw(
                st.sampled_from(
                    ["1e308", "-1e5", "0", "nan", "99999999999", "٣", "²", "1_0", "JOINT", "End"]
                )
            )
            lines[at] = " ".join(words)
    _check_motion(tmp_path, "\n".join(lines).encode())


@fuzzed
@given(edits(3))
def test_sequences(tmp_path, changes):
    _check_sequence(tmp_path, edited(SEQUENCE, changes))


@fuzzed
@given(st.integers(0, 2), edits(3))
def test_sequences_whose_checksums_are_right(tmp_path, number, changes):
    _check_sequence(tmp_path, with_member(SEQUENCE, number, changes))


@fuzzed
@given(edits(3))
def test_bodies(tmp_path, changes):
    _check_body(tmp_path, edited(BODY, changes))


@fuzzed
@given(st.integers(0, 6), edits(3))
def test_bodies_whose_checksums_are_right(tmp_path, number, changes):
    _check_body(tmp_path, with_member(BODY, number, changes))


@fuzzed
@given(st.sampled_from(PICKLES), edits(3))
def test_pickled_bodies(tmp_path, content, changes):
    _check_body(tmp_path, edited(content, changes))


@fuzzed
@given(st.sampled_from(PICKLES), st.floats(0, 0.1), st.sampled_from(NUMBERS))
def test_pickled_bodies_with_other_beginnings(tmp_path, content, at, come):
    """Where most of a pickle's orders are, byte for byte."""
    place = int(at * len(content))
    _check_body(tmp_path, content[:place] + come + content[place + len(come) :])


@fuzzed
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\x80\x04", b"HIERARCHY\n"]))
@example(b"", b"")
def test_random_bytes(tmp_path, content, beginning):
    for check in (_check_photo, _check_motion, _check_sequence, _check_body):
        check(tmp_path, beginning + content)
