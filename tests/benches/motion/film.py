"""Frame 1 through every camera's start, and how long a preview takes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import bpy
import numpy as np

from ....addon.core.pipeline.run import drain, wake_up
from ....addon.core.reports.report import peak_signal_to_noise_db
from ....addon.core.settings import WakeUpSettings
from ....addon.core.staging.camera_moves import MOVES
from ....addon.scene import build
from ....addon.scene.render import film, stills
from ....addon.scene.render.settings import set_size
from ..photos import photos
from ..rows import Row, at_least, at_most, row

SECONDS, FPS = 10, 24
PREVIEW_PX = (1280, 720)
PREVIEW_S = 90.0
LEAST_PSNR_DB, MEAN_PSNR_DB = 30.0, 34.0


def rows(_out: Path) -> list[Row]:
    """Of each photo with every preset, and a preview's seconds on the first photo."""
    worst: dict[str, list[float]] = {name: [] for name in MOVES}
    seconds: list[float] = []
    for path in photos():
        result = drain(wake_up(path, WakeUpSettings(frames=SECONDS * FPS, fps=FPS)))
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        scene = bpy.context.scene
        collection = build.build_scene(result, scene)
        stills.look_through(scene, collection, width=PREVIEW_PX[0], fps=FPS)
        for name, found in worst.items():
            stills.choose_camera(scene, collection, name)
            found.append(
                peak_signal_to_noise_db(stills.first_frame(scene, collection), result.photo.rgb)
            )
        if not seconds:
            stills.choose_camera(scene, collection, "orbit")
            seconds = [_preview(scene, collection, kind) for kind in (False, True)]
    return [
        at_most("10 s preview, 1280x720, 24 fps, s", PREVIEW_S, seconds[0]),
        at_most("the same frame by frame, as in the window, s", PREVIEW_S, seconds[1]),
        *(at_least(f"frame 1, camera {name}, dB, least", LEAST_PSNR_DB, min(found))
          for name, found in worst.items()),
        *(at_least(f"frame 1, camera {name}, dB, mean", MEAN_PSNR_DB, float(np.mean(found)))
          for name, found in worst.items()),
        row("photos", "", len(worst["held"]), None),
    ]  # fmt: skip


def _preview(scene: bpy.types.Scene, collection: bpy.types.Collection, stepwise: bool) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        set_size(scene, *PREVIEW_PX)
        started = time.perf_counter()
        for _ in film.film(scene, collection, "mp4", Path(scratch) / "preview.mp4", stepwise):
            pass
        return time.perf_counter() - started
