"""Which joint of a foreign skeleton is which: by name, and where names say nothing, by shape."""

from __future__ import annotations

import re

import numpy as np

from ..errors import MotionError
from ..types import Float64
from .bvh import SourceMotion

SIDES = ("left", "right")

# Names of each part, best first, without side, prefix, digits' zeros and punctuation: those of
# Mixamo, MotionBuilder and Rokoko, CMU's ASF, Daz and Poser, Biped, Unreal, MakeHuman and SMPL.
# "shoulder" is an arm in some and a collar in others: who has no other name for the arm means it.
_LIMB_NAMES: dict[str, tuple[str, ...]] = {
    "hip": ("upleg", "upperleg01", "upperleg", "thigh", "femur", "hip", "thighbend"),
    "knee": ("lowleg", "leg", "lowerleg01", "lowerleg", "shin", "calf", "tibia", "knee"),
    "ankle": ("foot", "ankle"),
    "foot": ("toebase", "toe", "toes", "ball", "toe0", "toe1", "footend"),
    "shoulder": ("arm", "upperarm01", "upperarm", "uparm", "humerus", "shoulder", "shldr"),
    "elbow": ("forearm", "lowerarm01", "lowerarm", "lowarm", "radius", "elbow"),
    "wrist": ("hand", "wrist"),
    "hand": (
        "handmiddle1", "inhandmiddle", "fingerbase", "middle01", "middle1", "finger31",
        "handend", "fingers", "handindex1", "finger2",
    ),
    "collar": ("collar", "clavicle", "shoulder", "collarbone"),
}  # fmt: skip
_NEEDED = ("hip", "knee", "ankle", "shoulder", "elbow")
_HEAD_NAMES = ("head", "skull")

_TOLD_NAMES, _TOLD_LETTERS = 4, 60  # of unknown joints, so that a sentence stays one

_PREFIX = re.compile(r"^(mixamorig\d*|bip\d*|ccbase|def|org|valvebiped)(?=.)")
_SIDE_FIRST = re.compile(r"^(left|right|l|r)(?=[^a-z]|(?<=left)|(?<=right))")
_SIDE_LAST = re.compile(r"(?:[^a-z0-9](left|right|l|r)|(left|right))$")


def map_joints(source: SourceMotion) -> dict[str, int]:
    """SMPL joint names to the source's joints.

    Always there: pelvis, spine3 (the chest) and both hips, knees, ankles, shoulders and elbows;
    feet, wrists, hands, collars and head where the source has them. Raises MotionError when the
    skeleton is not a person's.
    """
    found = _by_name(source)
    missing = [f"{s}_{part}" for s in SIDES for part in _NEEDED if f"{s}_{part}" not in found]
    if missing or not _is_ordered(source, found):
        shaped = _by_shape(source)
        if shaped is None:
            what = missing[0].replace("_", " ") if missing else "human order of joints"
            known = ", ".join(source.names[:_TOLD_NAMES])
            raise MotionError(
                f"{source.where(0)}: the skeleton is not a person's (no {what} is among its "
                f"{len(source.names)} joints {known[:_TOLD_LETTERS]}): choose a motion of a human "
                "body."
            )
        found = shaped
    found["pelvis"] = _common(source, found["left_hip"], found["right_hip"])
    found["spine3"] = _common(source, found["left_shoulder"], found["right_shoulder"])
    if "head" not in found:
        top = _head_by_shape(source, found)
        if top is not None:
            found["head"] = top
    return found


def plain_name(name: str) -> tuple[str, str]:
    """Side ('left', 'right' or '') and the rest of a joint's name, lower case, letters and digits.

    Side markers are words (LeftArm, arm_left) or single letters set apart (LHipJoint's L only
    before a capital, arm.L, l_arm).
    """
    bare = name.rsplit(":", 1)[-1].strip()
    # A capital L or R before another capital is a side: LThumb, RHipJoint.
    capital = re.match(r"^([LR])(?=[A-Z])", bare)
    if capital:
        bare = f"{capital[1]}_{bare[1:]}"
    bare = bare.lower()
    bare = re.sub(r"^[^a-z]+", "", bare)
    stripped = _PREFIX.sub("", re.sub(r"^(cc_base|b|j)_", "", bare))
    stripped = re.sub(r"^[^a-z]+", "", stripped)
    side = ""
    match = _SIDE_FIRST.match(stripped)
    if match:
        side, stripped = match[1], stripped[match.end() :]
    else:
        match = _SIDE_LAST.search(stripped)
        if match:
            side, stripped = match[1] or match[2], stripped[: match.start()]
    side = {"l": "left", "r": "right"}.get(side, side)
    return side, re.sub(r"[^a-z0-9]", "", stripped)


def _by_name(source: SourceMotion) -> dict[str, int]:
    where: dict[tuple[str, str], int] = {}
    for joint, name in enumerate(source.names):
        where.setdefault(plain_name(name), joint)
    found: dict[str, int] = {}
    for side in SIDES:
        taken: set[int] = set()
        for part, names in _LIMB_NAMES.items():
            for name in names:
                named = where.get((side, name))
                if named is not None and named not in taken:
                    found[f"{side}_{part}"] = named
                    taken.add(named)
                    break
    for name in _HEAD_NAMES:
        if ("", name) in where:
            found["head"] = where["", name]
            break
    return found


def _above(source: SourceMotion, joint: int) -> list[int]:
    """The joint and those above it, up to the root."""
    chain = [joint]
    while source.parents[chain[-1]] >= 0:
        chain.append(source.parents[chain[-1]])
    return chain


def _common(source: SourceMotion, first: int, second: int) -> int:
    """The nearest joint that carries both."""
    over = set(_above(source, first))
    return next(joint for joint in _above(source, second) if joint in over)


def _is_ordered(source: SourceMotion, found: dict[str, int]) -> bool:
    """Whether each limb's joints hang below one another."""
    for side in SIDES:
        for upper, lower in (
            ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"),
            ("shoulder", "elbow"), ("elbow", "wrist"),
        ):  # fmt: skip
            a, b = found.get(f"{side}_{upper}"), found.get(f"{side}_{lower}")
            if a is not None and b is not None and a not in _above(source, b)[1:]:
                return False
    return True


def _by_shape(source: SourceMotion) -> dict[str, int] | None:
    """The limbs from the tree alone: two like branches below the pelvis are legs, two like
    branches above them arms. Left and right follow from where the feet point."""
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(source.parents):
        children.setdefault(parent, []).append(joint)
    pelvis = _fork(children, 0)
    if pelvis is None:
        return None
    legs, others = _pair(source, children, pelvis)
    for branch in others:
        chest = _fork(children, branch)
        if chest is None:
            continue
        arms, rest = _pair(source, children, chest)
        leg_joints = [limb for leg in legs if (limb := _longest_two(source, children, leg))]
        arm_joints = [limb for arm in arms if (limb := _longest_two(source, children, arm))]
        if len(leg_joints) < 2 or len(arm_joints) < 2:
            continue
        swap = _is_right_first(source, leg_joints, arm_joints)
        found: dict[str, int] = {}
        for side, leg, arm in zip(
            SIDES, leg_joints[::-1] if swap else leg_joints,
            _same_side(source, leg_joints, arm_joints, swap), strict=True,
        ):  # fmt: skip
            for part, joint in zip(("hip", "knee", "ankle", "foot"), leg, strict=False):
                found[f"{side}_{part}"] = joint
            for part, joint in zip(("shoulder", "elbow", "wrist", "hand"), arm, strict=False):
                found[f"{side}_{part}"] = joint
        if rest:
            found["head"] = _chain(children, rest[0])[-1]
        return found
    return None


def _fork(children: dict[int, list[int]], joint: int) -> int | None:
    """The first joint from here on with three branches."""
    while True:
        below = children.get(joint, [])
        if len(below) >= 3:
            return joint
        if len(below) != 1:
            return None
        joint = below[0]


def _chain(children: dict[int, list[int]], joint: int) -> list[int]:
    """From the joint down its first branches (a hand's first finger) to the end."""
    chain = [joint]
    while children.get(chain[-1]):
        chain.append(children[chain[-1]][0])
    return chain


def _pair(
    source: SourceMotion, children: dict[int, list[int]], fork: int
) -> tuple[list[int], list[int]]:
    """The two branches that are most alike in length, and the others."""
    branches = children[fork]
    lengths = [
        sum(float(np.linalg.norm(source.offsets[j])) for j in _chain(children, branch)[1:])
        for branch in branches
    ]
    best = min(
        ((a, b) for a in range(len(branches)) for b in range(a + 1, len(branches))),
        key=lambda ab: (
            abs(lengths[ab[0]] - lengths[ab[1]]) - 1e-3 * (lengths[ab[0]] + lengths[ab[1]])
        ),
    )
    pair = [branches[k] for k in best]
    return pair, [branch for branch in branches if branch not in pair]


def _longest_two(
    source: SourceMotion, children: dict[int, list[int]], branch: int
) -> list[int] | None:
    """The joints from the start of a limb's two longest bones in a row to its end."""
    chain = _chain(children, branch)
    if len(chain) < 3:
        return None
    lengths = [float(np.linalg.norm(source.offsets[joint])) for joint in chain[1:]]
    start = int(np.argmax([a + b for a, b in zip(lengths, lengths[1:], strict=False)]))
    return chain[start:]


def _is_right_first(source: SourceMotion, legs: list[list[int]], arms: list[list[int]]) -> bool:
    rest = source.rest_positions()
    up = np.mean([rest[arm[0]] - rest[leg[2]] for leg, arm in zip(legs, arms, strict=True)], axis=0)
    ahead = np.zeros(3)
    for leg in legs:
        ahead += rest[leg[3]] - rest[leg[2]] if len(leg) > 3 else source.ends.get(leg[2], 0.0)
    left = np.cross(up, ahead)
    return bool((rest[legs[0][0]] - rest[legs[1][0]]) @ left < 0)


def _same_side(
    source: SourceMotion, legs: list[list[int]], arms: list[list[int]], swap: bool
) -> list[list[int]]:
    """The arms in the order left, right, by the side of the legs they are on."""
    rest = source.rest_positions()
    across: Float64 = rest[legs[0][0]] - rest[legs[1][0]]
    if swap:
        across = -across
    first_left = bool((rest[arms[0][0]] - rest[arms[1][0]]) @ across > 0)
    return arms if first_left else arms[::-1]


def _head_by_shape(source: SourceMotion, found: dict[str, int]) -> int | None:
    """The end of the branch of the chest that carries no arm."""
    limbs = set(_above(source, found["left_shoulder"])) | set(
        _above(source, found["right_shoulder"])
    )
    for joint, parent in enumerate(source.parents):
        if parent == found["spine3"] and joint not in limbs:
            children: dict[int, list[int]] = {}
            for child, above in enumerate(source.parents):
                children.setdefault(above, []).append(child)
            return _chain(children, joint)[-1]
    return None
