"""Which wheels the extension carries: what its requirements come to in the tested environment.

Every version is the one that is installed where the tests run, so that what is shipped is what
was tested.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from .errors import PackageError

# Distributions that a requirement names and the extension does without.
LEFT_OUT = {
    "numpy": "Blender brings its own, and all others must share it",
}
# Distributions that may never be in a package, whoever asks for them.
FORBIDDEN = {
    "smplx": "for non-commercial research only",
    "anny": "needed at set-up only",
    "bpy": "Blender itself",
    "mediapipe": "its networks are taken out of it at set-up",
    "torch": "a reference in the tests; half of a gigabyte that nothing shipped needs",
}
_GPU = re.compile(r"nvidia-|triton$|cuda-")
_GPU_ADVICE = (
    "The PyTorch of build/venv is a CUDA build ({name} belongs to it): put its CPU build there "
    "(README, Troubleshooting) and try again."
)
# Blender's own Linux builds run from this glibc on; a wheel must not ask for more.
_GLIBC_MINOR = 28
_MANYLINUX = re.compile(r"manylinux_2_(\d+)_")

_SYSTEMS = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True, order=True)
class Pin:
    """One distribution in one version."""

    name: str  # canonical: lower case, hyphens
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class Installed:
    """What an environment holds of a distribution."""

    version: str
    requires: tuple[str, ...] = ()


def blender_platform(system: str, machine: str) -> str:
    """Blender's name for a platform, from `platform.system()` and `platform.machine()`."""
    try:
        return f"{_SYSTEMS[system]}-{_MACHINES[machine.lower()]}"
    except KeyError:
        raise PackageError(f"Blender has no name for {system} on {machine}.") from None


def host_platform() -> str:
    """Blender's name for the platform that this runs on."""
    return blender_platform(platform.system(), platform.machine())


def host_tags() -> tuple[Tag, ...]:
    """Tags of wheels that Blender runs on this platform with this Python, best first."""
    return tuple(tag for tag in sys_tags() if _is_old_enough(tag))


def _is_old_enough(tag: Tag) -> bool:
    manylinux = _MANYLINUX.match(tag.platform)
    return manylinux is None or int(manylinux[1]) <= _GLIBC_MINOR


def installed_here() -> dict[str, Installed]:
    """What this Python can import, by canonical name."""
    return {
        canonicalize_name(found.name): Installed(found.version, tuple(found.requires or ()))
        for found in metadata.distributions()
    }


def read_requirements(path: Path) -> list[str]:
    """The requirements of a file, without comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def needed(
    requirements: Iterable[str],
    installed: Mapping[str, Installed],
    environment: Mapping[str, str] | None = None,
) -> tuple[Pin, ...]:
    """What the requirements come to, sorted, less what is left out.

    `environment` overrides the markers of this platform. PackageError where something is not
    installed, is another version than was asked for, or may not be shipped.
    """
    waiting = [Requirement(text) for text in requirements]
    pins: dict[str, Pin] = {}
    followed: set[tuple[str, frozenset[str]]] = set()  # names with the extras asked for
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in LEFT_OUT:
            continue
        _refuse(name)
        here = installed.get(name)
        if here is None or not requirement.specifier.contains(here.version, prereleases=True):
            has = f"has {here.version}" if here else "does not have it"
            raise PackageError(f"{requirement} is needed, and build/venv {has}: run 'make setup'.")
        pins[name] = Pin(name, here.version)
        if (name, extras := frozenset(requirement.extras)) in followed:
            continue
        followed.add((name, extras))
        for text in here.requires:
            asked = Requirement(text)
            if _applies(asked, requirement.extras, environment):
                waiting.append(asked)
    return tuple(sorted(pins.values()))


def _refuse(name: str) -> None:
    if name in FORBIDDEN:
        raise PackageError(f"{name} may not be shipped ({FORBIDDEN[name]}): do not require it.")
    if _GPU.match(name):
        raise PackageError(_GPU_ADVICE.format(name=name))


def _applies(
    requirement: Requirement, extras: set[str], environment: Mapping[str, str] | None
) -> bool:
    marker = requirement.marker
    return marker is None or any(
        marker.evaluate({**(environment or {}), "extra": extra}) for extra in ("", *extras)
    )


def choose(pin: Pin, files: Iterable[str], tags: Sequence[Tag]) -> str | None:
    """The name of that wheel of `pin` among `files` whose tags come first; None without any."""
    ranks = {tag: rank for rank, tag in enumerate(tags)}
    best: tuple[int, str] | None = None
    for file in sorted(files):
        try:
            name, version, _, its_tags = parse_wheel_filename(file)
        except InvalidWheelFilename:
            continue
        if name != pin.name or version != Version(pin.version):
            continue
        rank = min((ranks[tag] for tag in its_tags if tag in ranks), default=None)
        if rank is not None and (best is None or rank < best[0]):
            best = (rank, file)
    return best[1] if best else None


def collect(pins: Sequence[Pin], folder: Path, tags: Sequence[Tag]) -> tuple[Path, ...]:
    """The pins' wheels in `folder`; pip fetches those that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [pin for pin in pins if _in(folder, pin, tags) is None]
    if missing:
        _download(missing, folder)
    found = []
    for pin in pins:
        path = _in(folder, pin, tags)
        if path is None:
            raise PackageError(f"There is no wheel of {pin} that Blender can use here.")
        found.append(path)
    return tuple(found)


def _in(folder: Path, pin: Pin, tags: Sequence[Tag]) -> Path | None:
    name = choose(pin, (path.name for path in folder.glob("*.whl")), tags)
    return folder / name if name else None


def _download(pins: Sequence[Pin], folder: Path) -> None:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary=:all:", "--dest", str(folder), *map(str, pins),
    ]  # fmt: skip
    if subprocess.run(command, check=False).returncode != 0:
        names = ", ".join(map(str, pins))
        raise PackageError(
            f"pip found no wheels of {names}: see above; a local version such as +cpu is on the "
            "index that it was installed from (PIP_EXTRA_INDEX_URL)."
        )
