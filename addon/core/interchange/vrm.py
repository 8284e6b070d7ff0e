"""VRM 1.0: what makes a .glb of a character an avatar (specification of VRMC_vrm 1.0).

The rest pose must be a T-pose that looks along +z of glTF, feet on y = 0, which is how every
character rests (`core.frames`). Clips are not part of the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..body.model.skeleton import BONE_NAMES, SMPL_JOINTS
from ..errors import OutputError

_EXTENSION = "VRMC_vrm"
_LICENCE = "https://vrm.dev/licenses/1.0/"  # the only one that version 1.0 accepts
_UNUSED = ("animations", "cameras")  # of glTF, in VRM

# VRM's humanoid bones by our joints. The hand joints at the knuckles are no finger's.
HUMANOID_BONES: dict[str, str] = {
    "pelvis": "hips", "spine1": "spine", "spine2": "chest", "spine3": "upperChest",
    "neck": "neck", "head": "head",
    "left_hip": "leftUpperLeg", "left_knee": "leftLowerLeg", "left_ankle": "leftFoot",
    "left_foot": "leftToes",
    "right_hip": "rightUpperLeg", "right_knee": "rightLowerLeg", "right_ankle": "rightFoot",
    "right_foot": "rightToes",
    "left_collar": "leftShoulder", "left_shoulder": "leftUpperArm", "left_elbow": "leftLowerArm",
    "left_wrist": "leftHand",
    "right_collar": "rightShoulder", "right_shoulder": "rightUpperArm",
    "right_elbow": "rightLowerArm", "right_wrist": "rightHand",
}  # fmt: skip

REQUIRED_BONES: tuple[str, ...] = (
    "hips", "spine", "head",
    "leftUpperLeg", "leftLowerLeg", "leftFoot", "rightUpperLeg", "rightLowerLeg", "rightFoot",
    "leftUpperArm", "leftLowerArm", "leftHand", "rightUpperArm", "rightLowerArm", "rightHand",
)  # fmt: skip


@dataclass(frozen=True)
class AvatarMeta:
    """What VRM demands to be said of an avatar; all other permissions keep VRM's own defaults,
    which allow nothing but the author's own use."""

    name: str
    author: str


def make_avatar(document: dict[str, Any], meta: AvatarMeta) -> None:
    """Turn a character's glTF document, with bones named as ours, into an avatar's.

    Parameters
    ----------
    document : dict[str, Any]
        The character's glTF document; changed in place.
    meta : AvatarMeta
        Name, author and licence.

    Raises
    ------
    OutputError
        If a bone that VRM demands is missing or there twice.
    """
    if not meta.name.strip() or not meta.author.strip():
        raise OutputError("An avatar needs a name and an author: fill in both.")
    human: dict[str, dict[str, int]] = {}
    nodes = document.get("nodes", [])
    joints = sorted({joint for skin in document.get("skins", ()) for joint in skin["joints"]})
    for joint, bone in zip(SMPL_JOINTS, BONE_NAMES, strict=True):
        name = HUMANOID_BONES.get(joint)
        if name is None:
            continue
        found = [number for number in joints if nodes[number].get("name") == bone]
        if len(found) > 1 or (not found and name in REQUIRED_BONES):
            raise OutputError(f"The skeleton needs one bone {bone}: press Build Character again.")
        if found:
            human[name] = {"node": found[0]}
    for unused in _UNUSED:
        document.pop(unused, None)
    document.setdefault("extensions", {})[_EXTENSION] = {
        "specVersion": "1.0",
        "meta": {"name": meta.name, "authors": [meta.author], "licenseUrl": _LICENCE},
        "humanoid": {"humanBones": human},
    }
    used = document.setdefault("extensionsUsed", [])
    if _EXTENSION not in used:
        used.append(_EXTENSION)
