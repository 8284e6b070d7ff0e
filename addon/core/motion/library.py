"""Clips by name: the project's own, any BVH file and any SMPL sequence."""

from __future__ import annotations

from pathlib import Path

from ..errors import MotionError
from ..types import Clip
from ..user_paths import check_readable
from .bvh import read_bvh
from .clips import CLIPS

CLIP_NAMES: tuple[str, ...] = tuple(CLIPS)


def load_motion(name_or_path: Path | str, fps: float) -> Clip:
    """The built-in clip of that name, or the motion of a BVH file or an .npz file with a sequence
    of SMPL poses (AMASS), at `fps` frames a second.

    Raises MotionError for an unknown name, naming those that there are, and for files that cannot
    be read or hold no human motion.
    """
    if not fps > 0:
        raise MotionError(f"A motion cannot have {fps:g} frames a second: choose 24 or 30.")
    name = str(name_or_path)
    if name.lower() in CLIPS:
        return CLIPS[name.lower()](float(fps))
    path = Path(name)
    check_readable(path, MotionError, "choose another motion file")
    from .retarget import at_rate, retarget

    if path.suffix.lower() == ".bvh":
        return retarget(read_bvh(path), path.stem, fps)
    if path.suffix.lower() == ".npz":
        from .smpl_sequence import read_smpl_sequence

        return at_rate(read_smpl_sequence(path), fps)
    names = ", ".join(CLIP_NAMES)
    raise MotionError(
        f"There is no motion '{name}': choose {names}, or a BVH file or .npz file of SMPL poses."
    )
