"""Parts of the body that stay while a motion plays: their curves are muted, as an animator would.

Muted curves keep their keys, so that a part moves again as soon as it is let go.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from ...core.body.model.parts import PART_NAMES, part_of_joint
from ...core.body.model.skeleton import BONE_NAMES
from ...core.types import Pose, Skeleton
from ..id_properties import MUTED_PARTS
from .actions import set_pose
from .fcurves import fcurves_of


def mute_parts(
    armature: bpy.types.Object, skeleton: Skeleton, parts: Iterable[int], pose: Pose
) -> None:
    """Hold these parts (`body.parts`) as `pose` has them and let all others go.

    A joint keeps its turn against the bone above, so that a frozen arm goes along with the trunk.
    The pelvis carries the whole body and moves even with a frozen torso.
    """
    wanted = set(parts)
    before = set(muted_parts(armature))
    _mute(armature, before - wanted, False)
    if wanted:
        armature[MUTED_PARTS] = sorted(wanted)
    elif MUTED_PARTS in armature:
        del armature[MUTED_PARTS]
    _mute(armature, wanted, True)
    set_pose(armature, skeleton, pose, _joints(wanted))


def muted_parts(armature: bpy.types.Object) -> tuple[int, ...]:
    """Numbers of the parts that are held."""
    return tuple(int(part) for part in armature.get(MUTED_PARTS, ()))


def mute_again(armature: bpy.types.Object) -> None:
    """Let a new motion leave the frozen parts alone, too."""
    _mute(armature, set(muted_parts(armature)), True)


def part_numbers(names: Iterable[str]) -> tuple[int, ...]:
    """Parts by their names."""
    return tuple(PART_NAMES.index(name) for name in names)


def _joints(parts: set[int]) -> list[int]:
    of = part_of_joint()
    return [joint for joint in range(1, len(BONE_NAMES)) if int(of[joint]) in parts]


def _mute(armature: bpy.types.Object, parts: set[int], muted: bool) -> None:
    paths = tuple(f'pose.bones["{BONE_NAMES[joint]}"].rotation' for joint in _joints(parts))
    if not paths:
        return
    for curve in fcurves_of(armature):
        if curve.data_path.startswith(paths):
            curve.mute = muted
