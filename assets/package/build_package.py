"""Build the extension's zip for this platform with Blender's own tool.

    python -m photo_wake_up.assets.package.build_package --out build/package

The zip holds the code, the models with their licences and the wheels of requirements.txt; the
tool checks it when it is finished, and lists what is in it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path, PurePosixPath

from . import extension_tool
from .contents import code_files, model_files, model_licences, smuggled, web_files
from .errors import PackageError
from .manifest import WHEELS_FOLDER, completed, zip_name
from .wheels import collect, host_platform, host_tags, installed_here, needed, read_requirements

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = "blender_manifest.toml"
_MB = 1e6


def build_package(out: Path, build: Path) -> Path:
    """Write the zip into `out`; `build` holds models and downloads. Returns the zip's path."""
    pins = needed(read_requirements(ROOT / "requirements.txt"), installed_here())
    wheels = collect(pins, build / "wheels", host_tags())
    text = (ROOT / MANIFEST).read_text(encoding="utf-8")
    platform, python = host_platform(), sys.version_info[:2]
    manifest = completed(text, [path.name for path in wheels], platform, python)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix="staging-") as name:
        staging = Path(name) / "photo_wake_up"
        for inside in code_files(ROOT):
            _copy(ROOT / inside, staging / inside)
        brought = {**model_files(build / "models"), **web_files(build / "web")}
        for inside, path in brought.items():
            _copy(path, staging / inside)
        for inside, data in model_licences(build / "downloads").items():
            (staging / inside).write_bytes(data)
        for path in wheels:
            _copy(path, staging / WHEELS_FOLDER / path.name)
        (staging / MANIFEST).write_text(manifest, encoding="utf-8")
        finished = Path(name) / zip_name(text, platform)
        extension_tool.build(staging, finished)
        extension_tool.validate(finished)
        with zipfile.ZipFile(finished) as archive:
            wrong = smuggled(archive.namelist())
        if wrong:
            raise PackageError(f"The zip would hold {wrong[0]}, which may not be shipped.")
        return finished.replace(out / finished.name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def listing(path: Path) -> str:
    """What is in a zip: files and megabytes by folder, and each wheel."""
    sizes: dict[str, list[int]] = defaultdict(list)
    wheels = []
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            inside = PurePosixPath(entry.filename)
            if entry.is_dir():
                continue
            sizes[inside.parent.as_posix()].append(entry.compress_size)
            if inside.suffix == ".whl":
                wheels.append((entry.compress_size, inside.name))
    lines = [f"{path.name}: {path.stat().st_size / _MB:.1f} MB"]
    for folder, entries in sorted(sizes.items()):
        count = f"{len(entries)} file{'s' if len(entries) > 1 else ''}"
        lines.append(f"  {folder:32} {count:>10} {sum(entries) / _MB:8.2f} MB")
        if folder == WHEELS_FOLDER:
            lines += [f"    {name} {size / _MB:.2f} MB" for size, name in sorted(wheels)[::-1]]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    arguments = parser.parse_args()
    try:
        path = build_package(arguments.out, arguments.build)
    except PackageError as error:
        print(error, file=sys.stderr)
        return 2
    print(listing(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
