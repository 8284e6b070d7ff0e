"""The mapping of a skeleton's joints as the list that the panel shows and the user edits."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from ...core.motion.retargeting.mapping_presets import FOLLOWING, MAPPED_JOINTS, skeleton_signature
from ...core.motion.retargeting.source_motion import SourceMotion


def fill(
    settings: bpy.types.PropertyGroup, source: SourceMotion, mapping: Mapping[str, str]
) -> None:
    """Show a skeleton's bones, and the mapping of SMPL joints to them."""
    settings.bones.clear()
    for name, parent in zip(source.names, source.parents, strict=True):
        bone = settings.bones.add()
        bone.name, bone.parent = name, parent
    settings.mapping.clear()
    for joint in MAPPED_JOINTS:
        if joint in FOLLOWING and joint not in mapping:
            continue
        entry = settings.mapping.add()
        entry.joint, entry.bone = joint, mapping.get(joint, "")
    settings.active_joint = min(settings.active_joint, len(settings.mapping) - 1)
    settings.skeleton = skeleton_signature(source)


def mapping_shown(settings: bpy.types.PropertyGroup) -> dict[str, str]:
    """The mapping as the list has it, without joints that have no bone."""
    return {entry.joint: entry.bone for entry in settings.mapping if entry.bone}


def mapping_of(settings: bpy.types.PropertyGroup, source: SourceMotion) -> dict[str, str] | None:
    """The mapping that is shown where it is of this skeleton; None if it is of another."""
    return mapping_shown(settings) if settings.skeleton == skeleton_signature(source) else None


def skeleton_shown(settings: bpy.types.PropertyGroup) -> SourceMotion:
    """The skeleton of the list: names and tree, without places or motion."""
    count = len(settings.bones)
    return SourceMotion(
        names=tuple(bone.name for bone in settings.bones),
        parents=tuple(bone.parent for bone in settings.bones),
        offsets=np.zeros((count, 3)),
        ends={},
        fps=1.0,
        rotations=np.zeros((0, count, 4)),
        positions=np.zeros((0, count, 3)),
    )
