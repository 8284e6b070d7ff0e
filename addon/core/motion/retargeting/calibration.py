"""What makes a foreign joint's orientation an SMPL joint's: constants of a whole motion.

C turns the source's axes into the world's, and B, one for each joint, makes the two agree where
both stand in T-pose. B comes from the source's rest pose where that is a standing person, else from
the motion itself: bones' directions and the axes about which knees and elbows bend.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...numerics.rotations import shortest_arc
from ...types import Float64
from .joint_map import SIDES
from .source_motion import SourceMotion

_UP = np.array([0.0, 0.0, 1.0])
_DOWN = -_UP
_AHEAD = np.array([0.0, -1.0, 0.0])
_OUTWARD = {"left": np.array([1.0, 0.0, 0.0]), "right": np.array([-1.0, 0.0, 0.0])}

# Cosines that identify a standing rest pose: legs opposite to the trunk, side by side, hips level.
_LEGS_BELOW = -0.7
_LEGS_ALONG = 0.5
_HIPS_LEVEL = 0.35

_PLANTED_PERCENTILE = 30.0
_LOWEST_PERCENTILE = 2.0  # lower may be noise
_PLANTED_LEGS = 0.035  # leg lengths (3 cm): an ankle so much over its lowest has left the flat foot
_NEAR_FLOOR_LEGS = 0.25  # over the lowest joint: farther up, an ankle is no standing foot's
_MOST_SOLE_TILT = np.radians(35.0)  # more is dancing on tiptoe, not a rest pose's tilt
_LEAST_BEND = 0.15  # mean sine of a knee's or elbow's bend that shows its axis
_NEXT = {
    "collar": "shoulder", "shoulder": "elbow", "elbow": "wrist", "wrist": "hand",
    "hip": "knee", "knee": "ankle", "ankle": "foot",
}  # fmt: skip


def source_axes(source: SourceMotion, joints: dict[str, int], placed: Float64) -> Float64:
    """(3, 3) C: rows are the world's axes (left, back, up) in the source's.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.
    joints : dict[str, int]
        SMPL joint names to the source's joints.
    placed : Float64
        (J, 3) joints at rest, the source's axes and unit.

    Returns
    -------
    Float64
        (3, 3).
    """
    rest = source.rest_positions()
    if _stands(rest, joints):
        up = _nearest_axis(_trunk(rest, joints) - _legs(rest, joints).mean(axis=0))
        left = _between(rest, joints, "hip") + _between(rest, joints, "shoulder")
    else:
        ankles = (placed[:, joints["left_ankle"]] + placed[:, joints["right_ankle"]]) / 2
        up = _nearest_axis((placed[:, joints["spine3"]] - ankles).mean(axis=0))
        left = np.roll(up, 1)
    left = _unit(left - up * (left @ up))
    return np.stack([left, np.cross(up, left), up])


def _stands(rest: Float64, joints: dict[str, int]) -> bool:
    """Whether the rest pose is a standing person's (arms anyhow)."""
    trunk, legs = _trunk(rest, joints), _legs(rest, joints)
    level = _unit(_between(rest, joints, "hip")) @ _unit(trunk)
    return bool(
        (legs @ trunk < _LEGS_BELOW).all()
        and legs[0] @ legs[1] > _LEGS_ALONG
        and abs(level) < _HIPS_LEVEL
    )


def _trunk(rest: Float64, joints: dict[str, int]) -> Float64:
    shoulders = (rest[joints["left_shoulder"]] + rest[joints["right_shoulder"]]) / 2
    hips = (rest[joints["left_hip"]] + rest[joints["right_hip"]]) / 2
    return _unit(shoulders - hips)


def _legs(rest: Float64, joints: dict[str, int]) -> Float64:
    """(2, 3) directions from the hips to the ankles."""
    return np.stack([_unit(rest[joints[f"{s}_ankle"]] - rest[joints[f"{s}_hip"]]) for s in SIDES])


def _between(rest: Float64, joints: dict[str, int], part: str) -> Float64:
    return rest[joints[f"left_{part}"]] - rest[joints[f"right_{part}"]]


def calibration_constants(
    source: SourceMotion,
    joints: dict[str, int],
    axes: Float64,
    turned: Float64,
    placed: Float64,
) -> dict[str, Float64]:
    """B (3, 3) of each SMPL joint that has a source.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.
    joints : dict[str, int]
        SMPL joint names to the source's joints.
    axes : Float64
        (3, 3), of `source_axes`.
    turned : Float64
        (F, J, 3, 3) orientations in the source's world.
    placed : Float64
        (J, 3) joints at rest, the source's axes and unit.

    Returns
    -------
    dict[str, Float64]
        (3, 3) for each.
    """
    if _stands(source.rest_positions(), joints):
        constants = _from_rest(source, joints, axes)
    else:
        constants = _from_motion(source, joints, turned)
    for side in SIDES:
        constants[f"{side}_ankle"] = _level_foot(
            source, joints, side, constants[f"{side}_ankle"], turned, placed
        )
        if f"{side}_foot" in joints:
            # Toes are straight on average.
            ankle, toe = joints[f"{side}_ankle"], joints[f"{side}_foot"]
            relative = _mean(turned[:, toe].transpose(0, 2, 1) @ turned[:, ankle])
            constants[f"{side}_foot"] = relative @ constants[f"{side}_ankle"]
    return constants


def _from_rest(source: SourceMotion, joints: dict[str, int], axes: Float64) -> dict[str, Float64]:
    """Constants from a standing rest pose: each limb's bones are turned from the T-pose to the
    rest pose by the shortest way, one after the other, so that the twist passes down."""
    aligned = {"pelvis": np.eye(3), "spine3": np.eye(3), "head": np.eye(3)}
    for side in SIDES:
        aligned[f"{side}_collar"] = np.eye(3)
        for chain, straight in (
            (("shoulder", "elbow", "wrist"), _OUTWARD[side]),
            (("hip", "knee"), _DOWN),
        ):
            frame = np.eye(3)
            for part in chain:
                bone = limb_bone(source, joints, f"{side}_{part}")
                if bone is not None:
                    frame = shortest_arc(frame @ straight, axes @ bone).as_matrix() @ frame
                aligned[f"{side}_{part}"] = frame
        # The foot stands square to the shin as seen from the front, and flat from the side.
        shin = aligned[f"{side}_knee"] @ _DOWN
        roll = Rotation.from_rotvec([0.0, np.arctan2(-shin[0], -shin[2]), 0.0])
        aligned[f"{side}_ankle"] = roll.as_matrix()
    return {name: axes.T @ frame for name, frame in aligned.items() if name in joints}


def _from_motion(
    source: SourceMotion, joints: dict[str, int], turned: Float64
) -> dict[str, Float64]:
    """Constants when the rest pose gives no information: two directions make each joint's frame."""
    bone = {name: way for name in joints if (way := limb_bone(source, joints, name)) is not None}
    hips = [_offset(source, joints["pelvis"], joints[f"{s}_hip"]) for s in SIDES]
    spine = _offset(source, joints["pelvis"], joints["spine3"])
    if joints["spine3"] == joints["pelvis"]:
        spine = -(hips[0] + hips[1])
    left, up = _OUTWARD["left"], _UP
    constants = {"pelvis": _frame((left, hips[0] - hips[1]), (up, spine))}
    arms = [_offset(source, joints["spine3"], joints[f"{s}_shoulder"]) for s in SIDES]
    carried = _carried_up(joints, turned, "pelvis", constants["pelvis"])
    constants["spine3"] = _frame((left, arms[0] - arms[1]), (up, carried["spine3"]))
    carried = _carried_up(joints, turned, "spine3", constants["spine3"])
    if "head" in joints:
        constants["head"] = _mean(
            turned[:, joints["head"]].transpose(0, 2, 1) @ turned[:, joints["spine3"]]
        ) @ constants["spine3"]  # fmt: skip
    for side in SIDES:
        out = _OUTWARD[side]
        collar = f"{side}_collar"
        if collar in bone:
            constants[collar] = _frame((out, bone[collar]), (up, carried[collar]))
        for upper, lower, straight, hinge in (
            ("shoulder", "elbow", out, -_UP if side == "left" else _UP),
            ("hip", "knee", _DOWN, left),
        ):
            first, second = f"{side}_{upper}", f"{side}_{lower}"
            axis = _hinge(turned, joints, bone, first, second)
            for name in (first, second):
                if name not in bone:  # a forearm without hand or end
                    constants[name] = _follow(joints, turned, constants, side, upper, lower)
                    continue
                if axis is not None:
                    seen = _mean_direction(turned[:, joints[name]], axis)
                    constants[name] = _frame((straight, bone[name]), (hinge, seen))
                else:
                    back = _carried_back(joints, turned, constants, first)
                    constants[name] = _frame((straight, bone[name]), (-_AHEAD, back[name]))
        if f"{side}_wrist" in joints:
            constants[f"{side}_wrist"] = _follow(joints, turned, constants, side, "elbow", "wrist")
        constants[f"{side}_ankle"] = _follow(joints, turned, constants, side, "knee", "ankle")
    return constants


def _follow(
    joints: dict[str, int], turned: Float64, constants: dict[str, Float64], side: str,
    upper: str, lower: str,
) -> Float64:  # fmt: skip
    """The constant of a joint that is, on average, straight to the one above."""
    first, second = joints[f"{side}_{upper}"], joints[f"{side}_{lower}"]
    relative = _mean(turned[:, second].transpose(0, 2, 1) @ turned[:, first])
    return relative @ constants[f"{side}_{upper}"]


def _carried_up(
    joints: dict[str, int], turned: Float64, above: str, constant: Float64
) -> dict[str, Float64]:
    """Where a joint's up direction is, on average, in the other joints' own axes."""
    up = turned[:, joints[above]] @ (constant @ _UP)
    return {name: _mean_direction(turned[:, joint], up) for name, joint in joints.items()}


def _carried_back(
    joints: dict[str, int], turned: Float64, constants: dict[str, Float64], limb: str
) -> dict[str, Float64]:
    above = "pelvis" if limb.endswith("hip") else "spine3"
    back = turned[:, joints[above]] @ (constants[above] @ -_AHEAD)
    return {name: _mean_direction(turned[:, joint], back) for name, joint in joints.items()}


def _hinge(
    turned: Float64,
    joints: dict[str, int],
    bone: dict[str, Float64],
    first: str,
    second: str,
) -> Float64 | None:
    """(F, 3) the axis about which a knee or elbow bends, in the world; longer where it bends
    more; None when it is hardly ever bent."""
    if second not in bone:
        return None
    upper = turned[:, joints[first]] @ _unit(bone[first])
    lower = turned[:, joints[second]] @ _unit(bone[second])
    axis = np.cross(upper, lower)
    return axis if np.linalg.norm(axis, axis=1).mean() > _LEAST_BEND else None


def _level_foot(
    source: SourceMotion, joints: dict[str, int], side: str, constant: Float64,
    turned: Float64, placed: Float64,
) -> Float64:  # fmt: skip
    """The foot's constant such that the sole is flat where the foot stands, pointing to the toes.

    Rest poses differ in how the foot is drawn, but a foot that stands on the floor is flat: at
    the moments when the ankle is both low and slow, the sole's normal is the vertical.
    """
    ankle = joints[f"{side}_ankle"]
    height = placed[:, ankle, 2]
    speed = np.linalg.norm(np.gradient(placed[:, ankle], axis=0), axis=1) if len(placed) > 1 else 0
    leg = np.linalg.norm(placed[:, ankle] - placed[:, joints[f"{side}_hip"]], axis=1).max()
    lowest = np.percentile(height, _LOWEST_PERCENTILE) + _PLANTED_LEGS * leg
    low = height <= min(float(np.percentile(height, _PLANTED_PERCENTILE)), lowest) + 1e-9
    # In a handstand, or on one's back, it is low nowhere.
    low &= height <= placed[:, list(joints.values()), 2].min(axis=1) + _NEAR_FLOOR_LEGS * leg
    if not low.any():
        return _pointing(source, joints, side, constant, constant @ _UP)
    slow = speed <= np.percentile(np.where(low, speed, np.inf)[low], 50) + 1e-9
    normals = turned[low & slow, ankle].transpose(0, 2, 1) @ _UP
    normal = _unit(np.median(normals, axis=0))
    level = shortest_arc(constant @ _UP, normal).as_matrix() @ constant
    if np.arccos(np.clip((constant @ _UP) @ normal, -1, 1)) > _MOST_SOLE_TILT and _stands(
        source.rest_positions(), joints
    ):
        level, normal = constant, constant @ _UP
    return _pointing(source, joints, side, level, normal)


def _pointing(
    source: SourceMotion, joints: dict[str, int], side: str, level: Float64, normal: Float64
) -> Float64:
    """A foot's constant, turned about the sole's normal to point to the toes."""
    toes = limb_bone(source, joints, f"{side}_ankle")
    if toes is None:
        return level
    flat = toes - normal * (toes @ normal)
    if np.linalg.norm(flat) < 0.3 * np.linalg.norm(toes):
        return level
    return shortest_arc(level @ _AHEAD, _unit(flat)).as_matrix() @ level


def limb_bone(source: SourceMotion, joints: dict[str, int], name: str) -> Float64 | None:
    """(3,) the bone from a limb's joint to its next, in the joint's own axes.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.
    joints : dict[str, int]
        SMPL joint names to the source's joints.
    name : str
        An SMPL joint of a limb.

    Returns
    -------
    Float64 | None
        (3,) in the source's unit, None if the source has no such bone.
    """
    side, _, part = name.partition("_")
    if part not in _NEXT or name not in joints:
        return None
    below = joints.get(f"{side}_{_NEXT[part]}")
    if below is not None:
        bone = _offset(source, joints[name], below)
    else:
        bone = source.ends.get(joints[name], np.zeros(3))
    return bone if np.linalg.norm(bone) > 1e-9 else None


def _offset(source: SourceMotion, first: int, second: int) -> Float64:
    """(3,) from a joint to one below it, in the first's axes at rest."""
    way = np.zeros(3)
    while second != first and second >= 0:
        way = way + source.offsets[second]
        second = source.parents[second]
    return way


def _mean(rotations: Float64) -> Float64:
    """(3, 3) the mean of rotations (F, 3, 3)."""
    return Rotation.from_matrix(rotations).mean().as_matrix()


def _mean_direction(turned: Float64, world_vectors: Float64) -> Float64:
    """(3,) world vectors (F, 3) in a joint's own axes (F, 3, 3), averaged."""
    return np.einsum("fba,fb->a", turned, world_vectors) / len(turned)


def _frame(main: tuple[Float64, Float64], hint: tuple[Float64, Float64]) -> Float64:
    """(3, 3) the rotation that turns the main direction's first into its second, and the hint's
    first as nearly as possible into its second."""
    return _basis(main[1], hint[1]) @ _basis(main[0], hint[0]).T


def _basis(main: Float64, hint: Float64) -> Float64:
    x = _unit(main)
    across = hint - x * (hint @ x)
    if np.linalg.norm(across) < 1e-6 * max(float(np.linalg.norm(hint)), 1e-12):
        across = np.eye(3)[int(np.abs(x).argmin())]
        across = across - x * (across @ x)
    y = _unit(across)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _unit(vector: Float64) -> Float64:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _nearest_axis(direction: Float64) -> Float64:
    axis = np.zeros(3)
    k = int(np.abs(direction).argmax())
    axis[k] = np.sign(direction[k])
    return axis
