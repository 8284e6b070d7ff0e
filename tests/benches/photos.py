"""The command over every test photo, measured against the bars: `make bench`.

    python -m photo_wake_up.tests.benches.photos --out build/bench [--only NAME ...]
        [--render mp4|none]

Everything is measured from what the command wrote, not from what it says of itself: frame 1 and
the rendered silhouette against the photo and the mask, the mesh, its weights and its clip from
character.glb and scene.blend, the video by its own frames. Writes bench.json and the contact
sheets. Without the folder of real photos the demo photo is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import trimesh

from .. import validators

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PHOTO_WAKE_UP_DATA", ROOT.parent / "shared" / "data"))
SECONDS_A_PHOTO = 900  # a run that takes longer counts as hung

WHOLE_PEOPLE = (
    "photos/*.jpg",
    "photos/child_jump_cutout.png",
    "groups/six_walking_beach.jpg",
    "groups/three_footballers.jpg",
    "drawings/cartoon_basketball_player.jpg",
    "broken/exif_person_6.jpg",
)
STANDING = (
    "standing_frontal_studio",
    "standing_frontal_deck",
    "walking_coat_street",
    "arms_crossed_suit_small",
    "cartoon_basketball_player",
    "photo",
)
# Files that must be refused; all others of the folder must work.
REFUSED = {
    "bvh_no_motion.bvh", "bvh_truncated.bvh", "empty.jpg", "huge_20000x20000.png",
    "no_person_cat.jpg", "text_named.jpg", "tiny_12x16.png", "truncated.jpg", "truncated.png",
    "exif_rotate6.png",  # a drawing of a garlic: no person
}  # fmt: skip

BARS = {
    "psnr_db": (">=", 30.0),
    "silhouette_iou": (">=", 0.99),
    "watertight": ("is", True),
    "outward": ("is", True),
    "triangles": ("<=", 60_000),
    "weight_sum_error": ("<=", 1e-5),
    "influences": ("<=", 4),
    "depth_over_width": ("in", (0.45, 0.95)),
    "photo_to_scene_s": ("<=", 20.0),
    "peak_memory_mb": ("<=", 4096.0),
    "glb_errors": ("<=", 0),
    "glb_warnings": ("<=", 0),
    "vrm_errors": ("<=", 0),
    "vrm_warnings": ("<=", 0),
    "usdz_errors": ("<=", 0),
    "glb_has_skin_and_clip": ("is", True),
    "video_ok": ("is", True),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--only", nargs="*", help="names of photos, without suffix")
    parser.add_argument("--render", choices=("mp4", "none"), default="mp4")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--no-broken", action="store_true")
    options = parser.parse_args()
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for photo in photos(options.only):
        row = _measured(photo, out, options.render, options.frames)
        rows.append(row)
        print(_line(row), flush=True)
    refusals = []
    if not options.no_broken and not options.only and (DATA / "broken").is_dir():
        refusals = [_broken(path, out) for path in sorted((DATA / "broken").iterdir())]
        for row in refusals:
            print(f"{row['file']:28} exit {row['exit']} {row['met']} {row['says'][:100]}")
    values = [row["psnr_db"] for row in rows if "psnr_db" in row]
    mean = float(np.mean(values)) if values else 0.0
    summary = {
        "mean_psnr_db": {"bar": 34.0, "value": mean, "met": mean >= 34.0},
        "photos": rows,
        "broken": refusals,
    }
    (out / "bench.json").write_text(json.dumps(summary, indent=1))
    missed = [f"{row['name']}: {', '.join(row['missed'])}" for row in rows if row["missed"]]
    missed += [row["file"] for row in refusals if not row["met"]]
    print(f"\nmean PSNR of frame 1: {mean:.1f} dB (bar 34)")
    print("bars missed:" if missed else "all bars met", *missed, sep="\n  ")
    return 0


def photos(only: list[str] | None = None) -> list[Path]:
    """The test photos with whole people and the demo photo, without the folder the latter alone."""
    found = [ROOT / "build" / "demo_photo" / "photo.png"]
    if DATA.is_dir():
        found = [path for pattern in WHOLE_PEOPLE for path in sorted(DATA.glob(pattern))] + found
    return [path for path in found if not only or path.stem in only]


def command(photo: Path, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a photo, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "packages")}
    return subprocess.run(
        [sys.executable, "-m", "photo_wake_up.addon.cli", str(photo), "--out", str(out),
         *arguments],
        capture_output=True, text=True, timeout=SECONDS_A_PHOTO, env=environment, check=False,
    )  # fmt: skip


def _measured(photo: Path, out: Path, render: str, frames: int) -> dict[str, Any]:
    folder = out / photo.stem
    shutil.rmtree(folder, ignore_errors=True)
    row: dict[str, Any] = {"name": photo.stem, "missed": []}
    began = time.perf_counter()
    try:
        done = command(
            photo, folder, "--render", render, "--frames", str(frames), "--export", "glb,vrm,usdz"
        )
    except subprocess.TimeoutExpired:
        row["missed"] = ["hung"]
        return row
    row["seconds"] = round(time.perf_counter() - began, 1)
    if done.returncode != 0:
        row["missed"] = [f"exit {done.returncode}: {done.stderr.strip()[-300:]}"]
        return row
    report = json.loads((folder / "report.json").read_text())
    row["photo_to_scene_s"] = report["photo_to_scene_seconds"]
    row["peak_memory_mb"] = report["peak_memory_mb"]
    row["stages_s"] = {name: stage["seconds"] for name, stage in report["stages"].items()}
    row["hole_fraction"] = report["hole_fraction"]
    row["foldover_fraction"] = report["foldover_fraction"]
    row |= _truth(photo, folder)
    row |= _scene(folder, photo.stem in STANDING)
    row |= _glb(folder / "character.glb")
    row |= _validated(folder / "character.glb") | _validated(folder / "character.vrm")
    row |= _usdz(folder / "character.usdz")
    if render == "mp4":
        row |= _video(folder / "video.mp4", frames)
    shutil.copy(folder / "contact_sheet.png", out / f"{photo.stem}.png")
    row["missed"] = [key for key in BARS if key in row and not _met(key, row[key])]
    return row


def _met(key: str, value: Any) -> bool:
    how, bar = BARS[key]
    if how == ">=":
        return value >= bar
    if how == "<=":
        return value <= bar
    if how == "in":
        return bar[0] <= value <= bar[1]
    return value is bar


def _truth(photo: Path, folder: Path) -> dict[str, float]:
    """Frame 1 against the photo as the project reads it, over the whole frame."""
    from photo_wake_up.addon.core.photo.image_files import load_photo

    loaded = load_photo(photo)
    frame = cv2.imread(str(folder / "first_frame.png"))[..., ::-1].astype(np.float64)
    truth = loaded.rgb
    if loaded.alpha is not None:  # the backdrop of a cut-out is the project's own choice
        solid = loaded.alpha > 250
        error = ((frame - truth) ** 2)[solid].mean()
    else:
        error = ((frame - truth) ** 2).mean()
    return {"psnr_db": round(float(10 * np.log10(255**2 / max(error, 1e-9))), 2)}


def _scene(folder: Path, standing: bool) -> dict[str, Any]:
    """The rendered silhouette, the mesh and its weights, from scene.blend in a process of its
    own (Blender keeps global state)."""
    script = (
        "import sys, json; from photo_wake_up.tests.benches.photos import scene_figures;"
        "print('FIGURES' + json.dumps(scene_figures(sys.argv[1])))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "packages")}
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True, text=True, env=environment, timeout=SECONDS_A_PHOTO, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("FIGURES")]
    if not lines:
        return {"watertight": False, "scene_error": done.stderr[-300:]}
    figures = json.loads(lines[0].removeprefix("FIGURES"))
    if not standing:
        figures.pop("depth_over_width")
    return figures


def scene_figures(folder: str) -> dict[str, Any]:
    """Figures of a scene.blend beside mask.png, read by Blender itself."""
    import bpy

    from photo_wake_up.addon.scene.build import find_parts, is_result
    from photo_wake_up.addon.scene.render.stills import silhouette

    bpy.ops.wm.open_mainfile(filepath=str(Path(folder) / "scene.blend"))
    collection = next(c for c in bpy.data.collections if is_result(c))
    parts = find_parts(collection)
    scene = bpy.context.scene
    scene.frame_set(1)
    drawn = silhouette(scene, collection) > 127
    mask = cv2.imread(str(Path(folder) / "mask.png"), cv2.IMREAD_GRAYSCALE) > 127
    evaluated = parts.character.evaluated_get(bpy.context.evaluated_depsgraph_get())
    posed = np.array([evaluated.matrix_world @ v.co for v in evaluated.data.vertices])
    mesh = parts.character.data
    mesh.calc_loop_triangles()
    triangles = np.array([t.vertices for t in mesh.loop_triangles])
    solid = trimesh.Trimesh(posed, triangles, process=False)
    weights = [[g.weight for g in v.groups if g.weight > 0] for v in mesh.vertices]
    return {
        "silhouette_iou": round(float((drawn & mask).sum() / (drawn | mask).sum()), 5),
        "watertight": bool(solid.is_watertight and solid.is_winding_consistent),
        "outward": bool(solid.volume > 0),
        "triangles": len(triangles),
        "weight_sum_error": float(max(abs(sum(w) - 1) for w in weights)),
        "influences": max(len(w) for w in weights),
        "depth_over_width": round(_chest(parts, posed), 3),
    }


def _chest(parts: Any, posed: np.ndarray) -> float:
    """Depth over width of the trunk at chest height, arms left out (by their weights)."""
    mesh = parts.character.data
    arms = {
        group.index
        for group in parts.character.vertex_groups
        if any(part in group.name for part in ("Arm", "Hand"))
    }
    trunk = np.array(
        [sum(g.weight for g in v.groups if g.group in arms) < 0.3 for v in mesh.vertices]
    )
    bones = parts.armature.pose.bones
    chest = next(bone for bone in bones if bone.name.endswith("Spine2")).head
    band = trunk & (np.abs(posed[:, 2] - chest.z) < 0.04)
    # The trunk's own axes: a turned body is as deep as a frontal one.
    left, right = (
        next(bone for bone in bones if bone.name.endswith(name)).head
        for name in ("LeftArm", "RightArm")
    )
    across = np.array([left.x - right.x, left.y - right.y])
    across /= np.linalg.norm(across)
    flat = posed[band][:, :2]
    width = np.ptp(flat @ across)
    depth = np.ptp(flat @ np.array([-across[1], across[0]]))
    return float(depth / width)


def _glb(path: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {"glb_mb": round(path.stat().st_size / 1e6, 2)}
    data = path.read_bytes()
    length = int.from_bytes(data[12:16], "little")
    content = json.loads(data[20 : 20 + length])
    figures["glb_has_skin_and_clip"] = bool(content.get("skins")) and bool(
        content.get("animations")
    )
    return figures


def _validated(path: Path) -> dict[str, int]:
    """What Khronos' validator counts in a .glb or .vrm."""
    issues, kind = validators.khronos(path), path.suffix[1:]
    if issues is None:
        return {}
    return {f"{kind}_errors": issues["numErrors"], f"{kind}_warnings": issues["numWarnings"]}


def _usdz(path: Path) -> dict[str, int]:
    """How much Pixar's validators have against a .usdz."""
    says = validators.pixar(path)
    return {} if says is None else {"usdz_errors": len(says)}


def _video(path: Path, frames: int) -> dict[str, Any]:
    capture = cv2.VideoCapture(str(path))
    code = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode("latin1")
    count = 0
    while capture.read()[0]:
        count += 1
    rate = capture.get(cv2.CAP_PROP_FPS)
    ok = code.lower() in ("h264", "avc1") and count == frames and abs(rate - 24) < 1e-3
    return {"video": f"{code} {count} frames at {rate:g}", "video_ok": ok}


def _broken(path: Path, out: Path) -> dict[str, Any]:
    """A damaged or awkward file: it works, or one sentence and no folder."""
    folder = out / "broken" / path.name
    shutil.rmtree(folder, ignore_errors=True)
    done = command(path, folder, "--render", "none", "--frames", "2")
    says = done.stderr.strip()
    row = {
        "file": path.name,
        "exit": done.returncode,
        "says": says.splitlines()[-1] if says else "",
    }
    if path.name in REFUSED:
        clean = not folder.exists() and "Traceback" not in says
        row["met"] = done.returncode == 2 and clean and len(says.splitlines()) == 1
    else:
        row["met"] = done.returncode == 0 and (folder / "report.json").is_file()
    return row


def _line(row: dict[str, Any]) -> str:
    shown = " ".join(f"{key}={row[key]}" for key in BARS if key in row)
    return f"{row['name']:28} {shown}" + (f"  MISSED {row['missed']}" if row["missed"] else "")


if __name__ == "__main__":
    sys.exit(main())
