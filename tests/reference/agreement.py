"""How far what we find in pictures is from what MediaPipe itself finds.

`measure` runs MediaPipe in an environment of its own (`make reference`) and our plain path here,
both on the same pixels, and compares the two picture by picture.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from photo_wake_up.addon.core.errors import PhotoError
from photo_wake_up.addon.core.perception.detection import pose_detector
from photo_wake_up.addon.core.perception.landmarks.faces import LEAST_PRESENCE, find_faces
from photo_wake_up.addon.core.perception.landmarks.hands import find_hands
from photo_wake_up.addon.core.photo.image_files import load_photo, save_png
from photo_wake_up.addon.core.types import UInt8

from . import PYTHON

ROOT = Path(__file__).resolve().parents[2]
DEMO_PHOTO = ROOT / "build" / "demo_photo" / "photo.png"
DATA = Path(os.environ.get("PHOTO_WAKE_UP_DATA", ROOT.parent / "shared" / "data"))
SUFFIXES = (".jpg", ".png", ".webp", ".gif")
SECONDS = 600  # a reference that takes longer counts as hung


def pictures() -> list[Path]:
    """The demo photo and every file of the data folder that is called a picture."""
    files = sorted(path for path in DATA.rglob("*") if path.suffix in SUFFIXES)
    return [DEMO_PHOTO, *files]


def measure(paths: Sequence[Path] | None = None) -> list[dict[str, Any]]:
    """One row a picture that can be read; distances are medians over the points.

    name
    person : whether (MediaPipe, we) find somebody; where both do
        landmarks, depth : share of the person's height in the picture; landmarks_most : nine of
            ten landmarks are nearer (one may hang on a threshold by a hair)
        world_m : metres
        visibility : largest difference
        mask_iou : of the raw masks at 0.5
    faces, meshes, hands : how many (MediaPipe, we) find; where these are equal and there is one
        face, mesh : share of the face's width, the worst face
        hand : share of the hand's longer side, the worst hand; hand_world_m : metres
        hand_right : largest difference of the probability that it is a right hand
    """
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        read: dict[str, UInt8] = {}
        for path in pictures() if paths is None else paths:
            try:
                rgb = load_photo(path).rgb
            except PhotoError:
                continue
            read[f"{path.parent.name}-{path.name}"] = rgb
            save_png(folder / f"{path.parent.name}-{path.name}.png", rgb)
        subprocess.run(
            [str(PYTHON), str(ROOT / "tests" / "reference" / "run_mediapipe.py"), name,
             *(str(folder / f"{picture}.png") for picture in read)],
            check=True, capture_output=True, timeout=SECONDS,
        )  # fmt: skip
        for picture, rgb in read.items():
            with np.load(folder / f"{picture}.npz") as theirs:
                rows.append(
                    {"name": picture} | _pose(rgb, theirs) | _faces(rgb, theirs)
                    | _hands(rgb, theirs)
                )  # fmt: skip
    return rows


def _pose(rgb: UInt8, theirs: Any) -> dict[str, Any]:
    ours = pose_detector.infer_one(rgb)
    row: dict[str, Any] = {"person": (len(theirs["pose"]) > 0, ours is not None)}
    if ours is None or not row["person"][0]:
        return row
    points, marks = theirs["pose"][0], ours.landmarks
    height = np.ptp(points[:, 1])
    mask = ours.mask_on_photo(rgb.shape[1], rgb.shape[0]) >= 0.5
    truth = theirs["pose_mask"][0] >= 128
    return row | {
        "landmarks": _distance(marks.image, points[:, :2]) / height,
        "landmarks_most": _distance(marks.image, points[:, :2], 90) / height,
        "depth": float(np.median(np.abs(marks.depth - points[:, 2]))) / height,
        "world_m": _distance(marks.world, theirs["pose_world"][0]),
        "visibility": float(np.abs(marks.visibility - theirs["pose_visibility"][0]).max()),
        "mask_iou": float((mask & truth).sum() / max((mask | truth).sum(), 1)),
    }


def _faces(rgb: UInt8, theirs: Any) -> dict[str, Any]:
    ours = find_faces(rgb, least_presence=0.0, plain=True)
    meshes = [face.mesh for face in ours if face.presence > LEAST_PRESENCE]
    row: dict[str, Any] = {
        "faces": (len(theirs["face_score"]), len(ours)),
        "meshes": (len(theirs["mesh"]), len(meshes)),
    }
    if ours and row["faces"][0] == len(ours):
        row["face"] = max(
            _distance(
                np.vstack([face.box.reshape(2, 2), face.points]),
                np.vstack([box.reshape(2, 2), points]),
            ) / (box[2] - box[0])
            for face, box, points in zip(
                ours, theirs["face_box"], theirs["face_points"], strict=True
            )
        )  # fmt: skip
    if meshes and row["meshes"][0] == len(meshes):
        row["mesh"] = max(
            _distance(mesh, truth) / np.ptp(truth[:, 0])
            for mesh, truth in zip(meshes, theirs["mesh"], strict=True)
        )
    return row


def _hands(rgb: UInt8, theirs: Any) -> dict[str, Any]:
    ours = find_hands(rgb)
    row: dict[str, Any] = {"hands": (len(theirs["hand"]), len(ours))}
    if ours and row["hands"][0] == len(ours):
        pairs = list(zip(ours, theirs["hand"], theirs["hand_world"], strict=True))
        row["hand"] = max(
            _distance(np.column_stack([hand.image, hand.depth]), points)
            / np.ptp(points[:, :2], axis=0).max()
            for hand, points, _ in pairs
        )
        row["hand_world_m"] = max(_distance(hand.world, world) for hand, _, world in pairs)
        # MediaPipe takes pictures for mirrored: its right hand is the person's left.
        right = np.array([hand.right for hand in ours])
        row["hand_right"] = float(np.abs(1 - right - theirs["hand_right"]).max())
    return row


def _distance(ours: np.ndarray, theirs: np.ndarray, percent: float = 50) -> float:
    return float(np.percentile(np.linalg.norm(ours - theirs, axis=1), percent))
