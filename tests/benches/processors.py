"""Whether results are the same on every processor: `make test-processors`.

    python -m photo_wake_up.tests.benches.processors [--out build/bench] [--only NAME ...]

Libraries choose their kernels by what the processor can do and by the number of its cores, and
kernels differ in the last bits of what they compute. The same work is done in processes whose
libraries are told to do without (`SETTINGS`): photos through all stages to the first frame, and
the fit of known bodies. Writes processors.json, one row a bar, and names what differs most.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import photos
from .rows import Row, at_least, at_most, print_and_write

ROOT = Path(__file__).resolve().parents[2]
SEED = 5  # of the known bodies
FRAMES = 120  # of each clip, as many as usual
ONE_THREAD, PLAIN_NETWORKS = "WAKE_UP_ONE_THREAD", "WAKE_UP_PLAIN_NETWORKS"  # read by the child
_NO_AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
_NO_AVX2 = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": f"AVX2 FMA3 {_NO_AVX512}",
    "OPENCV_CPU_DISABLE": "AVX2,FP16,AVX512_SKX",
    "OPENCV_IPP": "disabled",
    "NUMBA_CPU_NAME": "generic",
    "ATEN_CPU_CAPABILITY": "default",
}
SETTINGS: dict[str, dict[str, str]] = {
    "as it is": {},
    "one thread": {**_ONE_THREAD, ONE_THREAD: "1"},
    "AVX2, no AVX-512": {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": _NO_AVX512,
        "OPENCV_CPU_DISABLE": "AVX512_SKX",
        "NUMBA_CPU_NAME": "haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
    },
    "no AVX2": _NO_AVX2,
    "no AVX2, one thread": {**_NO_AVX2, **_ONE_THREAD, ONE_THREAD: "1"},
    "plain network kernels": {"OPENBLAS_CORETYPE": "Zen", PLAIN_NETWORKS: "1"},
}


@dataclass(frozen=True, eq=False)
class Made:
    """What one process made of a photo or a known body."""

    joints: npt.NDArray[np.float32]  # (24, 3), metres
    mask: npt.NDArray[np.bool_] | None = None  # (H, W)
    psnr_db: float | None = None  # of the first frame, against the photo
    motion: npt.NDArray[np.float32] | None = None  # (clips * FRAMES, 24, 3), metres, world


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--only", nargs="*", help="names of photos, without suffix")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        options.child.write_bytes(pickle.dumps(_results(photos.photos(options.only))))
        sys.stdout.flush()
        os._exit(0)  # Blender's module may keep a process from ending
    folder = options.out / "processors"
    folder.mkdir(parents=True, exist_ok=True)
    runs = {}
    for title, setting in SETTINGS.items():
        file = folder / f"{title.replace(' ', '_').replace(',', '')}.pickle"
        environment = {**os.environ, **setting, "PYTHONPATH": str(ROOT / "build" / "packages")}
        named = [] if options.only is None else ["--only", *options.only]
        subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "photo_wake_up.tests.benches.processors",
             "--child", str(file), *named],
            env=environment, check=True,
        )  # fmt: skip
        runs[title] = pickle.loads(file.read_bytes())
        print(f"{title}: {len(runs[title])} results", flush=True)
    print_and_write([lambda: rows(runs)], options.out / "processors.json")
    return 0


def rows(runs: dict[str, dict[str, Made]]) -> list[Row]:
    """The bars; each is a largest difference between any two runs."""
    names = list(next(iter(runs.values())))
    joints, masks, frames, motions = {}, {}, {}, {}
    for name in names:
        made = [run[name] for run in runs.values()]
        places = np.array([each.joints for each in made], np.float64)
        joints[name] = 1000 * float(np.linalg.norm(np.ptp(places, axis=0), axis=1).max())
        if made[0].mask is not None:
            unlike = np.any([each.mask != made[0].mask for each in made], axis=0)
            masks[name] = 100 * float(unlike.mean())
            frames[name] = float(np.ptp([each.psnr_db for each in made]))
            places = np.array([each.motion for each in made], np.float64)
            motions[name] = 1000 * float(np.linalg.norm(np.ptp(places, axis=0), axis=2).max())
    for title, figures in (
        ("joints, mm", joints), ("mask, %", masks), ("frame 1, dB", frames), ("motion, mm", motions)
    ):  # fmt: skip
        worst = sorted(figures.items(), key=lambda item: -item[1])[:5]
        print(f"{title}: " + ", ".join(f"{name} {value:.3f}" for name, value in worst))
    return [
        at_least("settings", 6, len(runs)),
        at_most("joints, largest difference (mm)", 2, max(joints.values())),
        at_most("masks, largest share of pixels that differ (%)", 0.1, max(masks.values())),
        at_most("joints in all clips, largest difference (mm)", 2, max(motions.values())),
        at_most("first frames, largest difference of PSNR (dB)", 0.2, max(frames.values())),
    ]


def _results(photos: list[Path]) -> dict[str, Made]:
    """All photos, and all known bodies, in this process."""
    _as_told()
    from photo_wake_up.addon.core.body.fit.body_fit import fit_body
    from photo_wake_up.addon.core.body.model.body_files import cached_body_model
    from photo_wake_up.addon.core.inference.model_files import model_path

    from ...assets.fit_cases.cases import fit_cases
    from ...assets.fit_cases.observed import observed

    made = {photo.stem: _of_photo(photo) for photo in photos}
    model = cached_body_model(model_path("body.npz"))
    for case in fit_cases(model, SEED):
        photo, person = observed(model, case.truth(model), np.random.default_rng(SEED))
        made[case.name] = Made(fit_body(photo, person, model, case.height_m).joints)
    return made


def _as_told() -> None:
    """What libraries do not take from the environment."""
    import cv2

    from photo_wake_up.addon.core.inference import litert

    if os.environ.get(ONE_THREAD):
        cv2.setNumThreads(1)
        litert.THREADS = 1
    if os.environ.get(PLAIN_NETWORKS):
        from ai_edge_litert import interpreter

        usual = interpreter.Interpreter

        def plain(**options: Any) -> Any:
            resolver = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            try:
                made = usual(**options, experimental_op_resolver_type=resolver)
                made.allocate_tensors()
            except (ValueError, RuntimeError):  # an operation that only the delegate has
                return usual(**options)
            return made

        interpreter.Interpreter = plain


def _of_photo(photo: Path) -> Made:
    import bpy

    from photo_wake_up.addon.core.body.world_pose import forward_kinematics
    from photo_wake_up.addon.core.motion.clips import CLIPS
    from photo_wake_up.addon.core.pipeline.run import advance, drain, wake_up
    from photo_wake_up.addon.core.pipeline.stages import without
    from photo_wake_up.addon.core.settings import WakeUpSettings
    from photo_wake_up.addon.scene import build
    from photo_wake_up.addon.scene.render import stills

    result = drain(wake_up(photo, WakeUpSettings(frames=2)))
    skeleton, places = result.build.character.skeleton, []
    for clip in CLIPS:
        settings = WakeUpSettings(motion=clip, frames=FRAMES)
        motion = drain(advance(without(result, "motion"), settings)).motion
        posed = forward_kinematics(skeleton, motion.rotations, motion.root)
        places.append(posed[..., :3, 3].astype(np.float32))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    collection = build.build_group((result,), scene)
    stills.look_through(scene, collection)
    first = stills.first_frame(scene, collection).astype(np.float64)
    error = ((first - result.photo.rgb) ** 2).mean()
    psnr = 10 * np.log10(255**2 / max(float(error), 1e-9))
    return Made(result.fitted.joints, result.person.mask, psnr, np.concatenate(places))


if __name__ == "__main__":
    sys.exit(main())
