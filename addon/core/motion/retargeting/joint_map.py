"""Which joint of a foreign skeleton is which: by name, or by shape where names fail."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ...errors import MotionError
from .source_motion import SourceMotion

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

_NEARLY_AS_LONG = 0.85
_LOOKED_AT = 25  # frames of the motion, evenly spread

_TOLD_NAMES, _TOLD_LETTERS = 4, 60  # of unknown joints, so that a sentence stays one

_PREFIX = re.compile(r"^(mixamorig\d*|bip\d*|ccbase|def|org|valvebiped)(?=.)")
_SIDE_FIRST = re.compile(r"^(left|right|l|r)(?=[^a-z]|(?<=left)|(?<=right))")
_SIDE_LAST = re.compile(r"(?:[^a-z0-9](left|right|l|r)|(left|right))$")


def map_joints(source: SourceMotion) -> dict[str, int]:
    """SMPL joint names to the source's joints.

    Always there: pelvis, spine3 (the chest) and both hips, knees, ankles, shoulders and elbows;
    feet, wrists, hands, collars and head where the source has them.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.

    Returns
    -------
    dict[str, int]
        Names of SMPL joints that were found, and their indices.

    Raises
    ------
    MotionError
        If the skeleton is not a person's.
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

    Parameters
    ----------
    name : str
        As the file has it.

    Returns
    -------
    tuple[str, str]
        Side and rest; the rest may be empty.
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
        leg_joints = _from_longest_two(source, [_chain(source, children, leg) for leg in legs])
        arm_joints = _from_longest_two(source, [_chain(source, children, arm) for arm in arms])
        if leg_joints is None or arm_joints is None:
            continue
        sides = _Sides(source)
        swap = sides.is_right_first(leg_joints, arm_joints)
        cross = sides.is_crossed(leg_joints, arm_joints)
        found: dict[str, int] = {}
        for side, leg, arm in zip(
            SIDES, leg_joints[::-1] if swap else leg_joints,
            arm_joints[::-1] if swap != cross else arm_joints, strict=True,
        ):  # fmt: skip
            for part, joint in zip(("hip", "knee", "ankle", "foot"), leg, strict=False):
                found[f"{side}_{part}"] = joint
            for part, joint in zip(("shoulder", "elbow", "wrist", "hand"), arm, strict=False):
                found[f"{side}_{part}"] = joint
            if source.parents[arm[0]] != chest:
                found[f"{side}_collar"] = source.parents[arm[0]]
        if rest:
            found["head"] = _stem(children, rest[0])[-1]
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


def _stem(children: dict[int, list[int]], joint: int) -> list[int]:
    """From the joint down to where it branches or ends."""
    chain = [joint]
    while len(children.get(chain[-1], [])) == 1:
        chain.append(children[chain[-1]][0])
    return chain


def _chain(source: SourceMotion, children: dict[int, list[int]], joint: int) -> list[int]:
    """From the joint down to the end, at branches (a hand's fingers) by the one in the middle and
    straight on."""
    chain = [joint]
    while below := children.get(chain[-1]):
        ways = np.stack([source.offsets[bone] for bone in (*below, chain[-1])])
        ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-12)
        chain.append(below[int((ways[:-1] @ ways.sum(axis=0)).argmax())])
    return chain


def _pair(
    source: SourceMotion, children: dict[int, list[int]], fork: int
) -> tuple[list[int], list[int]]:
    """The two branches that are most alike in length, and the others."""
    branches = children[fork]
    lengths = [
        sum(float(np.linalg.norm(source.offsets[j])) for j in _chain(source, children, branch)[1:])
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


def _from_longest_two(source: SourceMotion, limbs: list[list[int]]) -> list[list[int]] | None:
    """Two like limbs from the start of their two longest bones in a row; None if they have no
    two bones. A wide collar and the upper arm may be as long as upper arm and forearm, but hand and
    foot are short, so of bones that are nearly as long the last two count."""
    count = min(len(limb) for limb in limbs)
    if count < 3:
        return None
    lengths = np.sum(
        [[np.linalg.norm(source.offsets[j]) for j in limb[1:count]] for limb in limbs], axis=0
    )
    pairs = lengths[1:] + lengths[:-1]
    start = int(np.flatnonzero(pairs >= _NEARLY_AS_LONG * pairs.max())[-1])
    return [limb[start:] for limb in limbs]


class _Sides:
    """Left and right of unnamed limbs, from how the body stands in its motion: rest poses may have
    all bones along one axis, and shoulders in the middle."""

    def __init__(self, source: SourceMotion) -> None:
        frames = np.linspace(0, source.frame_count - 1, _LOOKED_AT).astype(int)
        seen = replace(
            source, rotations=source.rotations[frames], positions=source.positions[frames]
        )
        self.source = source
        self.turned, self.placed = seen.world()

    def is_right_first(self, legs: list[list[int]], arms: list[list[int]]) -> bool:
        """Whether the first leg is the right one, by where feet point and knees bend."""
        at = self.placed
        up = sum(at[:, arm[0]] - at[:, leg[2]] for leg, arm in zip(legs, arms, strict=True))
        ahead = np.zeros_like(up)
        for leg in legs:
            if len(leg) > 3:
                ahead += at[:, leg[3]] - at[:, leg[2]]
            elif leg[2] in self.source.ends:
                ahead += self.turned[:, leg[2]] @ self.source.ends[leg[2]]
            else:
                ahead += 2 * at[:, leg[1]] - at[:, leg[0]] - at[:, leg[2]]
        left = np.cross(up, ahead)
        return bool(((at[:, legs[0][0]] - at[:, legs[1][0]]) * left).sum() < 0)

    def is_crossed(self, legs: list[list[int]], arms: list[list[int]]) -> bool:
        """Whether the first arm is not on the first leg's side."""
        legs_apart = self.placed[:, legs[0][0]] - self.placed[:, legs[1][0]]
        # Elbows are on their sides, however near to one another arms begin.
        arms_apart = sum(self.placed[:, arms[0][k]] - self.placed[:, arms[1][k]] for k in (0, 1))
        return bool((legs_apart * arms_apart).sum() < 0)


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
            return _stem(children, joint)[-1]
    return None
