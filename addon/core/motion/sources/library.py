"""Clips by name: the project's own, any BVH file and any SMPL sequence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...errors import MotionError
from ...types import Clip
from ...user_paths import check_readable, is_folder
from ..clips import CLIPS
from .bvh import bvh_takes
from .takes import only_take

CLIP_NAMES: tuple[str, ...] = tuple(CLIPS)


def needs_blender(name_or_path: Path | str) -> bool:
    """Whether it is a motion that `load_motion` cannot read and Blender's importers can.

    Parameters
    ----------
    name_or_path : Path | str
        A clip's name or a file.

    Returns
    -------
    bool
        True for FBX files.
    """
    return Path(name_or_path).suffix.lower() == ".fbx"


def load_motion(name_or_path: Path | str, fps: float, take: str = "") -> Clip:
    """The built-in clip of that name, or the motion of a BVH file or an .npz file with a sequence
    of SMPL poses (AMASS), at `fps` frames per second.

    Parameters
    ----------
    name_or_path : Path | str
        A clip's name or a file.
    fps : float
        Frames per second.
    take : str
        Name or number, from 1, of which of a file's people; empty: the first.

    Returns
    -------
    Clip
        At `fps`.

    Raises
    ------
    MotionError
        If the name is unknown, with those that there are, or the file cannot be read or
        hold no human motion.
    """
    if not fps > 0:
        raise MotionError(f"A motion cannot have {fps:g} frames a second: choose 24 or 30.")
    name = str(name_or_path)
    if name.lower() in CLIPS:
        only_take(take, name.lower())
        return CLIPS[name.lower()](float(fps))
    path = Path(name)
    check_readable(path, MotionError, "choose another motion file")
    from ..editing.loops import at_rate
    from ..retargeting.retarget import retarget

    kind = path.suffix.lower()
    if kind == ".bvh":
        takes = bvh_takes(path, take=take)
        source = takes.sources[takes.chosen]
        clip = retarget(source, takes.clip_name(takes.chosen), fps)
        return replace(clip, notes=takes.notes())
    if kind == ".npz":
        from .smpl_sequence import read_smpl_sequence

        only_take(take, path.name)
        return at_rate(read_smpl_sequence(path), fps)
    if needs_blender(path):
        raise MotionError(f"{path.name} is for Blender to read: choose a BVH or .npz file here.")
    if kind in (".pkl", ".pickle"):
        raise MotionError(
            f"{path.name} is a pickle, which may run anything and is not opened: save its arrays "
            "as an .npz file."
        )
    if name and is_folder(path, MotionError, "choose another motion"):
        raise MotionError(
            f"{path.name} is a folder: choose one of its files, or --motions for all of them."
        )
    raise MotionError(
        f"There is no motion '{name}': choose {', '.join(CLIP_NAMES)}, or a BVH, FBX or .npz file."
    )
