"""Install the extension's zip as a user would, wake up a photo, and take the extension off again.

    python -I run_installed.py ZIP PHOTO

Runs in an environment that holds Blender's wheel and nothing else, with BLENDER_USER_RESOURCES
naming an empty folder. Prints what was measured, and ends with 1 and the reason at the first thing
that is not as it should be.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import traceback
import zipfile
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np

ID = "photo_wake_up"
REPOSITORY = "user_default"
PACKAGE = f"bl_ext.{REPOSITORY}.{ID}"
FRAMES = 48  # two seconds
LEAST_MOVE_M = 0.5  # who walks for two seconds has gone further than this
RESOURCES = Path(os.environ["BLENDER_USER_RESOURCES"]).resolve()
EXTENSIONS = RESOURCES / "extensions"
EXTENSION = EXTENSIONS / REPOSITORY / ID
WHEELS = EXTENSIONS / ".local"  # where Blender unpacks extensions' wheels
# What Blender's wheel asks pip for; Blender's own Python has it, too.
BLENDERS_OWN = {
    "bpy", "numpy", "Cython", "cython", "requests", "urllib3", "certifi", "charset_normalizer",
    "idna", "zstandard",
}  # fmt: skip


class NotAsItShouldBe(Exception):
    """One sentence."""


def check(fact: object, sentence: str) -> None:
    """Stop with the sentence where the fact does not hold."""
    if not fact:
        raise NotAsItShouldBe(sentence)


def validate(path: Path) -> None:
    """Blender's own opinion of the zip."""
    scripts = Path(bpy.utils.system_resource("SCRIPTS"))
    tool = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    tags = scripts / "modules" / "_bpy_internal" / "extensions" / "tags.py"
    command = [sys.executable, "-I", str(tool), "validate", "--valid-tags", str(tags), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"Blender's tool refuses the zip: {done.stdout}{done.stderr}")


def install(path: Path) -> None:
    """*Install from Disk*, then the tick in the list of add-ons."""
    answer = bpy.ops.extensions.package_install_files(
        filepath=str(path), repo=REPOSITORY, enable_on_install=False
    )
    check(answer == {"FINISHED"} and EXTENSION.is_dir(), "Blender did not install the zip.")
    answer = bpy.ops.preferences.addon_enable(module=PACKAGE)
    check(answer == {"FINISHED"}, "Blender did not switch the extension on.")
    check(PACKAGE in bpy.context.preferences.addons, "The extension is not on.")


def wake_up(photo: Path) -> dict[str, float]:
    """The one button; returns how far the character goes in metres, and how large it is."""
    scene = bpy.context.scene
    scene.wake_up.photo, scene.wake_up.frames = str(photo), FRAMES
    check(bpy.ops.wakeup.wake_up() == {"FINISHED"}, "The button did not wake the photo up.")
    made = scene.wake_up.result
    check(made is not None, "There is no collection.")
    kinds = {item.type for item in made.all_objects}
    check({"MESH", "ARMATURE", "CAMERA"} <= kinds, f"The scene has nothing but {sorted(kinds)}.")
    characters = [
        item
        for item in made.all_objects
        if item.type == "MESH" and any(made.type == "ARMATURE" for made in item.modifiers)
    ]
    check(len(characters) == 1, f"There are {len(characters)} characters.")
    first, last = (_vertices(characters[0], frame) for frame in (1, FRAMES))
    check(np.isfinite(first).all() and np.isfinite(last).all(), "The character is not finite.")
    gone = float(np.linalg.norm(last.mean(0) - first.mean(0)))
    check(gone > LEAST_MOVE_M, f"The character has gone {gone:.2f} m only.")
    bent = float(np.abs((last - last.mean(0)) - (first - first.mean(0))).max())
    check(bent > LEAST_MOVE_M / 5, f"The character slides, its shape changes by {bent:.2f} m.")
    size = first.max(0) - first.min(0)
    check(1.2 < size[2] < 2.2, f"The character is {size[2]:.2f} m tall.")
    return {"gone_m": gone, "height_m": float(size[2]), "vertices": float(len(first))}


def _vertices(item: bpy.types.Object, frame: int) -> np.ndarray:
    """(V, 3) in the world, metres, as the frame shows them."""
    bpy.context.scene.frame_set(frame)
    shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    local = np.zeros(len(shown.data.vertices) * 3, np.float32)
    shown.data.vertices.foreach_get("co", local)
    matrix = np.array(shown.matrix_world)
    return local.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def find_in_worker(photo: Path) -> None:
    """The same code in a process of its own, which is how the window computes."""
    worker, requests, pipeline = (
        sys.modules[f"{PACKAGE}.addon.{name}"]
        for name in ("worker", "core.pipeline.request", "core.pipeline.run")
    )
    request = requests.Request(
        requests.WakeUpResult(), requests.WakeUpSettings(), str(photo), "person"
    )
    result = pipeline.drain(worker.advance_in_worker(request))
    check(result.person is not None and result.person.mask.any(), "The worker found nobody.")


def foreign_modules() -> list[str]:
    """Imported modules of files that neither Python, nor Blender, nor the extension brought."""
    standard = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
    standard.append(Path(sys.base_prefix).resolve())
    wheel = Path(sysconfig.get_path("purelib")).resolve()  # lies within the environment
    own = [EXTENSION, WHEELS, wheel / "bpy"]
    foreign = []
    for name, module in sorted(sys.modules.items()):
        path = _origin(module)
        if path is None or not path.is_file() or path == Path(__file__).resolve():
            continue  # packages that Blender makes up have names in brackets for files
        if any(path.is_relative_to(folder) for folder in own):
            continue
        if path.is_relative_to(wheel):
            if name.partition(".")[0] not in BLENDERS_OWN and "_cython" not in name:
                foreign.append(f"{name} of {path}")
        elif not any(path.is_relative_to(folder) for folder in standard) or (
            "site-packages" in path.parts
        ):
            foreign.append(f"{name} of {path}")
    return foreign


def _origin(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None


def of_wheels() -> list[str]:
    """Top-level modules that come out of the extension's wheels."""
    found = set()
    for name, module in list(sys.modules.items()):
        path = _origin(module)
        if path is not None and path.is_relative_to(WHEELS):
            found.add(name.partition(".")[0])
    return sorted(found)


def switch_off() -> None:
    """Without the tick in the list of add-ons Blender knows nothing of the extension."""
    check(_classes(), "No classes of the extension were registered.")
    check(bpy.ops.preferences.addon_disable(module=PACKAGE) == {"FINISHED"}, "It stays on.")
    _check_silent("Switched off")


def uninstall() -> None:
    """Switch on once more, then *Uninstall* as it is."""
    answer = bpy.ops.preferences.addon_enable(module=PACKAGE)
    check(answer == {"FINISHED"} and _classes(), "It cannot be switched on a second time.")
    index = [repo.module for repo in bpy.context.preferences.extensions.repos].index(REPOSITORY)
    answer = bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id=ID)
    check(answer == {"FINISHED"}, "Blender did not uninstall the extension.")
    check(PACKAGE not in bpy.context.preferences.addons, "The preferences keep its settings.")
    _check_silent("Uninstalled")
    left = sorted(name for name in sys.modules if name.startswith(PACKAGE))
    check(not left, f"Uninstalled, the extension leaves {left[:3]} in memory.")
    check(not EXTENSION.exists(), "Uninstalled, the extension leaves its folder.")


def _classes() -> list[str]:
    return [name for name in dir(bpy.types) if name.upper().startswith("WAKEUP")]


def _check_silent(when: str) -> None:
    """No class, property or handler of the extension is left."""
    check(not _classes(), f"{when}, the extension leaves {_classes()[:3]}.")
    left = [
        f"{kind.__name__}.{name}"
        for kind in bpy.types.ID.__subclasses__()
        for name in dir(kind)
        if name.startswith("wake_up")
    ]
    check(not left, f"{when}, the extension leaves the properties {left[:3]}.")
    handlers = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    left = [
        f"{function.__name__} in {name}"
        for name, functions in handlers.items()
        if isinstance(functions, list)
        for function in functions
        if ID in (function.__module__ or "")
    ]
    check(not left, f"{when}, the extension leaves a handler, {left[:1]}.")


def files() -> set[str]:
    """What is in Blender's folder of the user, without Python's caches."""
    return {
        path.relative_to(RESOURCES).as_posix()
        for path in RESOURCES.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def run(path: Path, photo: Path) -> dict[str, object]:
    """All of it, in a user's order."""
    check(not any(ID in entry for entry in sys.path), "The project is on Python's path.")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    before = files()
    report: dict[str, object] = {"blender": bpy.app.version_string}
    with zipfile.ZipFile(path) as archive:
        carried = sum(name.endswith(".whl") for name in archive.namelist())

    def timed(name: str, function, *arguments):
        start = time.perf_counter()
        answer = function(*arguments)
        report[name] = round(time.perf_counter() - start, 1)
        return answer

    validate(path)
    timed("install_s", install, path)
    unpacked = [f.stat().st_size for f in EXTENSIONS.rglob("*") if f.is_file()]
    report["installed_mb"] = round(sum(unpacked) / 1e6)
    infos = list(WHEELS.glob("lib/python*/site-packages/*.dist-info"))
    check(len(infos) == carried, f"{len(infos)} of {carried} wheels were unpacked.")
    report.update(timed("wake_up_s", wake_up, photo))
    timed("worker_s", find_in_worker, photo)
    foreign = foreign_modules()
    check(not foreign, f"{len(foreign)} modules come from elsewhere, {foreign[:10]}.")
    report["modules_of_wheels"] = of_wheels()
    written = {name for name in files() - before if not name.startswith("extensions/")}
    check(not written, f"Beside the extension it wrote {sorted(written)[:3]}.")
    timed("switch_off_s", switch_off)
    timed("uninstall_s", uninstall)
    # Blender's own list of what is installed stays, as it does after every extension.
    left = sorted(
        name for name in files() - before
        if not name.startswith(("extensions/.cache/", f"extensions/{REPOSITORY}/.blender_ext/"))
    )  # fmt: skip
    check(not left, f"{len(left)} files are left behind, {left[:5]}.")
    return report


def main() -> int:
    path, photo = (Path(argument).resolve() for argument in sys.argv[1:3])
    try:
        report = run(path, photo)
    except NotAsItShouldBe as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except BaseException:  # the process must not end by itself with an extension switched on
        traceback.print_exc()
        return 1
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Blender's module can hang at the end of its process
