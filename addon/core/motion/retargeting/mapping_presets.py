"""Which joint is which, said by the user, and kept in files for skeletons of the same kind.

A preset is a small JSON file that Blender users can read and pass on:

    {"format": "photo-wake-up joint mapping", "version": 1,
     "skeleton": "<signature>", "bones": ["Hips", ...], "joints": {"left_hip": "LeftUpLeg", ...}}

`skeleton` is the signature of names and tree, `bones` all names of it (for people to read), and
`joints` gives a bone's name to SMPL's joints; joints without a bone are left out. Lengths are no
part of the signature: every performer of one system has the same skeleton.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ...errors import MotionError
from ...user_paths import is_file
from .joint_map import SIDES, map_joints
from .source_motion import SourceMotion

FORMAT, VERSION = "photo-wake-up joint mapping", 1
_MOST_BYTES = 1_000_000  # a skeleton of ten thousand bones; anything longer is another file

# What `retarget` reads, from the root outwards; the first two follow from hips and shoulders
# where nothing is said.
FOLLOWING = ("pelvis", "spine3")
_NEEDED_PARTS = ("hip", "knee", "ankle", "shoulder", "elbow")
NEEDED_JOINTS: tuple[str, ...] = tuple(f"{s}_{part}" for s in SIDES for part in _NEEDED_PARTS)
MAPPED_JOINTS: tuple[str, ...] = (
    *FOLLOWING, "head",
    *(
        f"{side}_{part}"
        for side in SIDES
        for part in (
            "hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist", "hand"
        )
    ),
)  # fmt: skip
_CHAINS = (("hip", "knee", "ankle", "foot"), ("collar", "shoulder", "elbow", "wrist", "hand"))


def skeleton_signature(source: SourceMotion) -> str:
    """Names a skeleton by its joints' names and tree: 32 hexadecimal digits.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.

    Returns
    -------
    str
        The same for skeletons that differ in sizes and motion alone.
    """
    named = [[name, parent] for name, parent in zip(source.names, source.parents, strict=True)]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:32]


def named_mapping(source: SourceMotion, joints: Mapping[str, int]) -> dict[str, str]:
    """A mapping as `map_joints` gives it, by the bones' names.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.
    joints : Mapping[str, int]
        SMPL joint names to the source's joints.

    Returns
    -------
    dict[str, str]
        SMPL joint names to bones' names.
    """
    return {joint: source.names[index] for joint, index in joints.items()}


def checked_mapping(source: SourceMotion, mapping: Mapping[str, str]) -> dict[str, int]:
    """The user's mapping of SMPL joints to bones' names, as `retarget` takes it.

    Pelvis and chest are added where they are not named.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.
    mapping : Mapping[str, str]
        SMPL joint names to bones' names.

    Returns
    -------
    dict[str, int]
        SMPL joint names to the source's joints.

    Raises
    ------
    MotionError
        If a joint or bone is unknown, a needed joint has no bone, two joints share one, or a
        limb's bones do not hang below one another.
    """
    where: dict[str, int] = {}
    for index, name in enumerate(source.names):
        where.setdefault(name, index)
    found: dict[str, int] = {}
    for joint, bone in mapping.items():
        if joint not in MAPPED_JOINTS:
            raise MotionError(f"'{joint[:40]}' is no joint of the body: remove it.")
        if bone not in where:
            raise MotionError(f"The skeleton has no bone '{bone[:60]}': choose another one.")
        found[joint] = where[bone]
    missing = next((joint for joint in NEEDED_JOINTS if joint not in found), None)
    if missing is not None:
        raise MotionError(f"The {_told(missing)} has no bone: choose the one that it is.")
    limbs = [joint for joint in found if joint not in FOLLOWING]
    for number, joint in enumerate(limbs):
        for other in limbs[:number]:
            if found[joint] == found[other]:
                raise MotionError(
                    f"{_told(other).capitalize()} and {_told(joint)} have the same bone "
                    f"'{source.names[found[joint]][:60]}': choose another one for either."
                )
    for side in SIDES:
        for chain in _CHAINS:
            there = [f"{side}_{part}" for part in chain if f"{side}_{part}" in found]
            for upper, lower in itertools.pairwise(there):
                if found[upper] not in _above(source, found[lower]):
                    raise MotionError(
                        f"The bone of the {_told(lower)} does not hang below that of the "
                        f"{_told(upper)}: choose another one for either."
                    )
    for joint, part in zip(FOLLOWING, ("hip", "shoulder"), strict=True):
        both = [found[f"{side}_{part}"] for side in SIDES]
        carriers = [j for j in _above(source, both[0]) if j in set(_above(source, both[1]))]
        if found.get(joint) in carriers:
            continue
        if joint in found:
            raise MotionError(
                f"The bone of the {_told(joint)} does not carry both {part}s: choose another one."
            )
        if not carriers:
            raise MotionError(f"No bone carries both {part}s: choose another motion.")
        found[joint] = carriers[0]
    return found


def write_preset(path: Path, source: SourceMotion, mapping: Mapping[str, str]) -> None:
    """Write a mapping that `checked_mapping` takes; nothing is written where it does not.

    Raises MotionError, also where the file cannot be written.

    Parameters
    ----------
    path : Path
        A JSON file.
    source : SourceMotion
        The foreign skeleton and its motion.
    mapping : Mapping[str, str]
        SMPL joint names to bones' names.

    Raises
    ------
    MotionError
        If the mapping is none, or the file cannot be written.
    """
    checked_mapping(source, mapping)
    preset = {
        "format": FORMAT, "version": VERSION, "skeleton": skeleton_signature(source),
        "bones": list(source.names), "joints": dict(mapping),
    }  # fmt: skip
    text = json.dumps(preset, indent=1, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Anyone who reads at the same time sees the old preset or the new one.
        handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(beside, path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MotionError(
            f"The mapping cannot be written to {path.name}: {error.strerror or error}."
        ) from error


def read_preset(path: Path, source: SourceMotion) -> dict[str, str]:
    """The mapping in a preset file, by names, for a skeleton that has these bones.

    The skeleton may be another one than the preset was made for, as long as all bones that are
    named are there.

    Parameters
    ----------
    path : Path
        A JSON file.
    source : SourceMotion
        The foreign skeleton and its motion.

    Returns
    -------
    dict[str, str]
        SMPL joint names to bones' names.

    Raises
    ------
    MotionError
        If the file is no preset or does not fit.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MotionError(f"{path.name} is too long for a joint mapping: choose another file.")
        preset = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MotionError(
            f"The mapping {path.name} cannot be read: {error.strerror or error}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise MotionError(f"{path.name} is not a joint mapping: choose another file.") from error
    if not isinstance(preset, dict) or preset.get("format") != FORMAT:
        raise MotionError(f"{path.name} is not a joint mapping: choose another file.")
    if preset.get("version") != VERSION:
        raise MotionError(f"{path.name} was written by another version: save the mapping anew.")
    joints = preset.get("joints")
    if not isinstance(joints, dict) or not all(isinstance(bone, str) for bone in joints.values()):
        raise MotionError(f"{path.name} names no bones: choose another joint mapping.")
    try:
        checked_mapping(source, joints)
    except MotionError as error:
        raise MotionError(f"{path.name} does not fit. {error}") from error
    return joints


def preset_path(folder: Path, source: SourceMotion) -> Path:
    """Where the mapping of a skeleton is kept in the user's folder.

    Parameters
    ----------
    folder : Path
        The user's.
    source : SourceMotion
        The foreign skeleton and its motion.

    Returns
    -------
    Path
        A path; there need be no file.
    """
    return folder / f"{skeleton_signature(source)}.json"


def mapping_for(source: SourceMotion, folder: Path | None) -> dict[str, int]:
    """The joints of a skeleton: from the user's preset where there is one that fits, else as
    `map_joints` finds them. Raises MotionError where neither knows a person in it.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.
    folder : Path | None
        Of the presets; None: there are none.

    Returns
    -------
    dict[str, int]
        SMPL joint names to the source's joints.
    """
    if folder is not None:
        path = preset_path(folder, source)
        if is_file(path, MotionError, "see to the folder's permissions"):
            return checked_mapping(source, read_preset(path, source))
    return map_joints(source)


def _above(source: SourceMotion, joint: int) -> list[int]:
    """The joints that carry a joint, from its parent to the root."""
    chain = []
    while source.parents[joint] >= 0:
        joint = source.parents[joint]
        chain.append(joint)
    return chain


def _told(joint: str) -> str:
    return {"spine3": "chest"}.get(joint, joint.replace("_", " "))
