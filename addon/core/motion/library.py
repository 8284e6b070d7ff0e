"""Clips by name: the project's own, and any BVH file."""

from __future__ import annotations

from pathlib import Path

from ..errors import MotionError
from ..types import Clip
from .bvh import read_bvh
from .clips import CLIPS

CLIP_NAMES: tuple[str, ...] = tuple(CLIPS)


def load_motion(name_or_path: Path | str, fps: float) -> Clip:
    """The built-in clip of that name, or the motion of a BVH file, at `fps` frames a second.

    Raises MotionError for an unknown name, naming those that there are, and for files that cannot
    be read or hold no human motion.
    """
    if not fps > 0:
        raise MotionError(f"A motion cannot have {fps:g} frames a second: choose 24 or 30.")
    name = str(name_or_path)
    if name.lower() in CLIPS:
        return CLIPS[name.lower()](float(fps))
    path = Path(name)
    if path.suffix.lower() != ".bvh":
        names = ", ".join(CLIP_NAMES)
        raise MotionError(f"There is no motion '{name}': choose {names} or a BVH file.")
    from .retarget import retarget

    return retarget(read_bvh(path), path.stem, fps)
