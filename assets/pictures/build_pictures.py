"""Make the README's pictures from what the command wrote for the demo photo.

    python -m photo_wake_up.assets.pictures.build_pictures build/pictures --out docs/pictures

The folder is of a run with `--wall --camera pull-back`; `make pictures` does both. Blender's window
is made anew where `make test-gui` has left a screenshot.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

import bpy
import cv2
import numpy as np
from PIL import Image

from ...addon.core.types import UInt8
from ...addon.scene import build
from ...addon.scene.render import stills

MOST_BYTES = 300_000  # of a picture: a README is read on phones, too
HEIGHT_PX = 640  # of the row of panels
GAP_PX = 10
PAPER = 246  # grey behind the character
TURNED_DEG = (38.0, 145.0)  # from before, a little to the side, and from behind
# Frames of the motion: on the frame, and with a foot on the ground before it.
WALL_FRAMES = (26, 38)
SHEET_WIDTH_PX = 1200
QUALITIES = range(92, 40, -4)  # of JPEG, the best that is small enough is taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=Path, help="what the command wrote")
    parser.add_argument("--window", type=Path, help="a screenshot of Blender's window")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.open_mainfile(filepath=str(options.result / "scene.blend"))
    _write(options.out / "walking_out.jpg", _walking_out())
    with Image.open(options.result / "contact_sheet.png") as opened:
        sheet = opened.convert("RGB")
        sheet.thumbnail((SHEET_WIDTH_PX, 2 * SHEET_WIDTH_PX), Image.Resampling.LANCZOS)
        _write(options.out / "stages.jpg", np.asarray(sheet))
    if options.window is not None and options.window.is_file():
        with Image.open(options.window) as opened:
            window = opened.convert("RGB")
            window.thumbnail((SHEET_WIDTH_PX, SHEET_WIDTH_PX), Image.Resampling.LANCZOS)
            _write(options.out / "window.jpg", np.asarray(window))
    return 0


def _walking_out() -> UInt8:
    """(H, W, 3): the photo, the character from two sides, and two frames before the wall."""
    scene = bpy.context.scene
    collection = next(item for item in bpy.data.collections if build.is_result(item))
    width, height = build.photo_size(collection)
    size = (round(HEIGHT_PX * width / height), HEIGHT_PX)
    photo = stills.first_frame(scene, collection)
    turned = stills.views(scene, collection, TURNED_DEG, (size[0], 2 * size[1]))
    walking = stills.stills(scene, collection, list(WALL_FRAMES), 2 * size[0])
    panels = [
        cv2.resize(photo, size, interpolation=cv2.INTER_AREA),
        *(_on_paper(view) for view in turned),
        *(cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in walking),
    ]
    gap = np.full((HEIGHT_PX, GAP_PX, 3), 255, np.uint8)
    row = [part for panel in panels for part in (panel, gap)]
    return np.concatenate(row[:-1], axis=1)


def _on_paper(view: UInt8) -> UInt8:
    """A view (H, W, 4) of the character as a panel of its own width, on plain paper."""
    opacity = view[..., 3:].astype(np.float32) / 255
    flat = view[..., :3] * opacity + PAPER * (1 - opacity)
    rows, columns = np.nonzero(view[..., 3])
    margin = GAP_PX
    cut = flat[
        max(rows.min() - margin, 0) : rows.max() + margin,
        max(columns.min() - margin, 0) : columns.max() + margin,
    ]
    width = round(cut.shape[1] * HEIGHT_PX / cut.shape[0])
    return cv2.resize(cut, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _write(path: Path, picture: UInt8) -> None:
    for quality in QUALITIES:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= MOST_BYTES:
            break
    path.write_bytes(file.getvalue())
    print(f"{path}: {picture.shape[1]} x {picture.shape[0]}, {file.tell()} bytes")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # Blender's module may wait for ever at an exit in the usual way
