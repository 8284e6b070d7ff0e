"""What is fuzzed: every reader of files that nobody vouches for, with inputs to begin from.

A reader gives a valid value or raises a WakeUpError of one sentence, soon and in little room;
whatever else it does is a finding.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from photo_wake_up.addon.core.errors import WakeUpError

from ..core import test_damaged_files as damaged
from ..core.motion_inputs import stick_bvh, stick_row
from ..core.test_onnx_networks import FLOAT, WHOLE, ending, red_network, seeing_heat, seeing_simcc

MOST_SECONDS = 10.0  # of processor time for one input, instrumented; a reader takes a tenth
MOST_LETTERS = 600  # of a sentence
_EXIF_MARK = b"Exif\0\0"


class FindingError(AssertionError):
    """A reader's value or sentence is not what it must be, or came too late."""


@dataclass(frozen=True)
class Target:
    """A kind of file.

    name : also of the folder of its cases
    suffix : of the files that the reader gets
    read : what is tested; checks what it reads and raises FindingError
    make_seeds : valid files, and valid files of other kinds, which are small
    wrap : makes a file of what is mutated, where that is a part of one
    words : what mutations put in
    repair : makes checksums right again
    needs_blender : whether the reader is Blender's
    """

    name: str
    suffix: str
    read: Callable[[Path], object]
    make_seeds: Callable[[], Sequence[bytes]]
    wrap: Callable[[bytes], bytes] = bytes
    words: Sequence[bytes] = ()
    repair: Callable[[bytes], bytes] | None = None
    needs_blender: bool = False

    def seeds(self) -> Sequence[bytes]:
        return self.make_seeds()

    def try_on(self, content: bytes) -> bool:
        """Whether the reader takes this content; any exception but a WakeUpError is a finding."""
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            path = Path(folder) / f"file{self.suffix}"
            path.write_bytes(self.wrap(content))
            started = time.process_time()
            try:
                self.read(path)
                taken = True
            except WakeUpError as error:
                _check_sentence(str(error))
                taken = False
            if time.process_time() - started > MOST_SECONDS:
                raise FindingError(f"takes more than {MOST_SECONDS:g} s")
            return taken


def _check_sentence(said: str) -> None:
    if not said.endswith(".") or not said.isprintable() or len(said) > MOST_LETTERS:
        raise FindingError("is refused without a proper sentence")


def _demand(holds: object, what: str) -> None:
    if not holds:
        raise FindingError(what)


# -- pictures ---------------------------------------------------------------------------------


def _read_photo(path: Path) -> None:
    from photo_wake_up.addon.core.photo.image_files import load_photo

    photo = load_photo(path)
    _demand(photo.rgb.dtype == np.uint8 and photo.rgb.shape[2:] == (3,), "pixels are not RGB")
    _demand(min(photo.rgb.shape[:2]) >= 1, "there are no pixels")
    _demand(photo.alpha is None or photo.alpha.shape == photo.rgb.shape[:2], "alpha differs")
    _demand(photo.focal_px is None or 0 < photo.focal_px < np.inf, "a focal length is none")


@cache
def _profiles() -> tuple[bytes, ...]:
    kinds = ("sRGB", "XYZ", "LAB")
    return tuple(ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes() for kind in kinds)


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "a camera", 72.0
    details = exif.get_ifd(0x8769)
    details[0x920A], details[0xA405], details[0xA20E], details[0xA210] = 35.0, 50, 4000.0, 2
    details[0xA20F], details[0xA002], details[0xA003] = 4000.0, 80, 72
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 1.5)
    return exif.tobytes()


@cache
def _picture() -> Image.Image:
    shade = np.add.outer(np.arange(72), 2 * np.arange(80)).astype(np.uint8)
    return Image.fromarray(shade).convert("RGB")


def _saved(kind: str, **options: Any) -> bytes:
    made = io.BytesIO()
    _picture().save(made, kind, **options)
    return made.getvalue()


def _photos() -> list[bytes]:
    profile = _profiles()[0]
    return [
        *damaged.PICTURES,
        _saved("JPEG", icc_profile=profile, exif=_exif(), quality=30),
        _saved("PNG", icc_profile=profile, exif=_exif()),
        _saved("WEBP", icc_profile=profile, exif=_exif()),
        _saved("TIFF", icc_profile=profile),
    ]


def _exif_blocks() -> list[bytes]:
    block = _exif().removeprefix(_EXIF_MARK)
    return [block, b"MM" + block[2:]]


def _with_exif(block: bytes) -> bytes:
    """A JPEG, or every other time a PNG, with this block; too long for one is cut."""
    if len(block) % 2:
        return _saved("PNG", exif=_EXIF_MARK + block)
    return _saved("JPEG", exif=_EXIF_MARK + block[:65000])


def _with_profile(profile: bytes) -> bytes:
    kind = ("JPEG", "PNG", "TIFF")[len(profile) % 3]
    return _saved(kind, icc_profile=profile[:60000] or None)


def right_chunks(content: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what is in them."""
    made, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        body = content[at + 4 : at + 8 + size]
        made += content[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    return bytes(made + content[at:])


# -- motions ----------------------------------------------------------------------------------


def _read_clip(path: Path) -> None:
    from photo_wake_up.addon.core.motion.sources.library import load_motion

    clip = load_motion(path, 24.0)
    _demand(len(clip.root) == len(clip.rotations) >= 1, "a clip has no frames")
    _demand(np.isfinite(clip.rotations).all() and np.isfinite(clip.root).all(), "is not finite")
    lengths = np.linalg.norm(clip.rotations, axis=2)
    _demand(np.allclose(lengths, 1, atol=1e-4), "rotations are none")


def _bvhs() -> list[bytes]:
    rows = [stick_row(LeftArm=(5 * k, 0, 0)) for k in range(3)]
    text = stick_bvh(rows)
    return [
        text.encode(),
        text.replace("\n", "\r\n").lower().encode(),
        text.split("MOTION")[0].encode(),
    ]


_BVH_WORDS = (
    b"HIERARCHY", b"ROOT ", b"JOINT ", b"End Site", b"OFFSET ", b"CHANNELS 6 ", b"CHANNELS 3 ",
    b"Xposition ", b"Yrotation ", b"MOTION\n", b"Frames: ", b"Frame Time: ", b"{", b"}", b"1e308 ",
    b"-1e5 ", b"nan ", b"inf ", b"0 ", b"99999999999", "\u0663".encode(), "\u00b2".encode(), b"1_0",
)  # fmt: skip


def _sequences() -> list[bytes]:
    fields = damaged.damaged()
    return [damaged.SEQUENCE, _stored(fields)]


def _stored(fields: dict[str, np.ndarray]) -> bytes:
    """An archive without compression, in which mutations reach the arrays."""
    made = io.BytesIO()
    np.savez(made, **fields)
    return made.getvalue()


def right_members(content: bytes) -> bytes:
    """An archive whose members have the checksums of what is in them; as it is where it is none."""
    made = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
            for member in old.infolist():
                with old.open(member) as file:
                    file._expected_crc = None  # type: ignore[attr-defined]  # read it all the same
                    new.writestr(member.filename, file.read(1 << 20))
    except Exception:
        return content
    return made.getvalue()


# -- bodies -----------------------------------------------------------------------------------


def _read_body(path: Path) -> None:
    from photo_wake_up.addon.core.body.model.body_files import load_body_model

    body = load_body_model(path)
    for values in (body.template, body.shapes, body.regressor, body.weights):
        _demand(np.isfinite(values).all(), "is not finite")
    _demand(body.faces.min() >= 0 and body.faces.max() < len(body.template), "faces lead away")


def _bodies() -> list[bytes]:
    return [damaged.BODY, _stored(damaged.FIELDS)]


def _pickles() -> list[bytes]:
    small = {key: np.zeros((2, 3)) for key in ("v_template", "weights")}
    return [*damaged.PICKLES, *(pickle.dumps(small, protocol=number) for number in range(6))]


_PICKLE_WORDS = (
    b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"cos\nsystem\n",
    b"cchumpy.ch\nCh\n", b"cscipy.sparse.csc\ncsc_matrix\n", b"cnumpy\ndtype\n", b"\x80\x05",
    b"\x93", b"R", b"b", b"(", b"t", b"0", b"2", b"q\x00", b"h\x00", b"\x8a\xff",
    b"B\xff\xff\xff\x7f",
)  # fmt: skip


# -- JSON -------------------------------------------------------------------------------------


@cache
def _skeleton() -> Any:
    from photo_wake_up.addon.core.motion.sources.bvh import read_bvh

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stick.bvh"
        path.write_bytes(_bvhs()[0])
        return read_bvh(path)


def _read_mapping(path: Path) -> None:
    from photo_wake_up.addon.core.motion.retargeting.mapping_presets import (
        checked_mapping,
        read_preset,
    )

    source = _skeleton()
    mapping = checked_mapping(source, read_preset(path, source))
    _demand(all(0 <= bone < len(source.names) for bone in mapping.values()), "bones are none")


def _mappings() -> list[bytes]:
    from photo_wake_up.addon.core.motion.retargeting.joint_map import map_joints
    from photo_wake_up.addon.core.motion.retargeting.mapping_presets import (
        named_mapping,
        write_preset,
    )

    source = _skeleton()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preset.json"
        write_preset(path, source, named_mapping(source, map_joints(source)))
        return [path.read_bytes()]


def _read_joints(path: Path) -> None:
    from photo_wake_up.addon.core.perception.landmarks.joints import EDITABLE, read_joints

    joints = read_joints(path)
    _demand(set(joints) <= set(EDITABLE), "there are other joints")
    _demand(np.isfinite(list(joints.values())).all(), "is not finite")


def _joints() -> list[bytes]:
    return [b'{"left_wrist": [310, 240], "nose": [1.5, -2e1]}', b'{"right_ankle": [0, 0]}']


def _read_report(path: Path) -> None:
    from photo_wake_up.addon.cli.result_folder import REPORT, read_report

    path.rename(path.with_name(REPORT))
    report = read_report(path.parent)
    if report is not None:
        _demand(isinstance(report["made_from"], str), "it is made from nothing")


def _reports() -> list[bytes]:
    return [json.dumps({"made_from": "a", "files": ["report.json"], "seconds": 1.5}).encode()]


_JSON_WORDS = (
    b"[" * 2000, b'{"a":' * 2000, b"1e999", b"-1e999", b"NaN", b"9" * 400, b"true", b"null", b"[]",
    b"{}", b'""', b'"nose"', b'"\\ud800"', b'"\\u001b"', b'"joints"', b'"files"', b"[[1,2]]",
)  # fmt: skip


# -- networks ---------------------------------------------------------------------------------


def _read_networks(path: Path) -> None:
    from photo_wake_up.addon.core.background.plate_networks import load_plate_network
    from photo_wake_up.addon.core.perception.landmarks.joint_networks import load_joint_network
    from photo_wake_up.addon.core.perception.segmentation.mask_networks import load_mask_network

    for load in (load_joint_network, load_plate_network):
        try:
            load(str(path))
        except WakeUpError as error:
            _check_sentence(str(error))
    load_mask_network(str(path))


def _networks() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        made = [
            red_network(path).read_bytes(),
            red_network(path, metadata={"mean": "[0.5, 0.5, 0.5]"}).read_bytes(),
            seeing_heat(path, (64, 48)).read_bytes(),
            seeing_simcc(path).read_bytes(),
            ending(path, [("x", FLOAT, [1, 3, "h", "w"])], [("y", WHOLE, [1])]).read_bytes(),
        ]
    return [content for content in made if len(content) < 20_000] or made[:1]


# -- FBX --------------------------------------------------------------------------------------


def _read_fbx(path: Path) -> None:
    import bpy

    from photo_wake_up.addon.scene.animation.motion_source import clip_from_file

    before = {kind: len(getattr(bpy.data, kind)) for kind in _BLOCKS}
    try:
        clip = clip_from_file(path, 24.0)
        _demand(np.isfinite(clip.rotations).all() and np.isfinite(clip.root).all(), "is not finite")
    finally:
        after = {kind: len(getattr(bpy.data, kind)) for kind in _BLOCKS}
    _demand(before == after, "something of the file is left behind")


_BLOCKS = ("scenes", "objects", "armatures", "actions", "meshes", "materials", "images", "cameras")


def _fbxs() -> list[bytes]:
    """An armature that swings, without a mesh."""
    import bpy

    from photo_wake_up.addon.scene import build, selection

    from ..scene import figures

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.preferences.addon_enable(module="io_scene_fbx")
    scene = bpy.context.scene
    scene.render.fps, scene.frame_end = int(figures.FPS), 3
    armature = build.find_parts(build.build_scene(figures.result())).armature
    with tempfile.TemporaryDirectory() as folder, selection.selected([armature]):
        path = Path(folder) / "figure.fbx"
        bpy.ops.export_scene.fbx(
            filepath=str(path),
            use_selection=True,
            object_types={"ARMATURE"},
            add_leaf_bones=False,
            bake_anim_use_all_bones=False,
            bake_anim_use_all_actions=False,
            bake_anim_use_nla_strips=False,
        )
        content = path.read_bytes()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.preferences.addon_enable(module="io_scene_fbx")
    return [content]


_PHOTO_WORDS = (
    b"IHDR", b"iCCP", b"eXIf", b"acTL", b"tRNS", b"\xff\xe1", b"\xff\xc0", b"II*\0", b"MM\0*",
)  # fmt: skip
_PROFILE_WORDS = (
    b"rTRC", b"rXYZ", b"wtpt", b"para", b"curv", b"mft2", b"mAB ", b"RGB ", b"GRAY", b"CMYK",
)  # fmt: skip
_ARRAY_WORDS = (
    b"poses.npy", b"trans.npy", b"v_template.npy", b"'<f8'", b"'|O'", b"'>i2'", b"(9, 66)", b"True",
)  # fmt: skip
_NETWORK_WORDS = (b"mean", b"std", b"Resize", b"\x08\x01", b"\xff" * 9 + b"\x01")
_FBX_WORDS = (b"Takes", b"AnimStack", b"Limb", b"LclR", b"KTime", b"Properties70", b"Model")

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("photo", ".img", _read_photo, _photos, repair=right_chunks, words=_PHOTO_WORDS),
        Target("exif", ".img", _read_photo, _exif_blocks, wrap=_with_exif),
        Target("icc", ".img", _read_photo, _profiles, wrap=_with_profile, words=_PROFILE_WORDS),
        Target("bvh", ".bvh", _read_clip, _bvhs, words=_BVH_WORDS),
        Target("npz", ".npz", _read_clip, _sequences, repair=right_members, words=_ARRAY_WORDS),
        Target("body", ".npz", _read_body, _bodies, repair=right_members, words=_ARRAY_WORDS),
        Target("pickle", ".pkl", _read_body, _pickles, words=_PICKLE_WORDS),
        Target("mapping", ".json", _read_mapping, _mappings, words=_JSON_WORDS),
        Target("joints", ".json", _read_joints, _joints, words=_JSON_WORDS),
        Target("report", ".json", _read_report, _reports, words=_JSON_WORDS),
        Target("onnx", ".onnx", _read_networks, _networks, words=_NETWORK_WORDS),
        Target("fbx", ".fbx", _read_fbx, _fbxs, words=_FBX_WORDS, needs_blender=True),
    )
}
