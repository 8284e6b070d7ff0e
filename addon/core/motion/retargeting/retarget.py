"""A foreign skeleton's motion as a clip of the 24 SMPL joints.

Each SMPL joint takes the world orientation of the source's joint, times a constant that makes the
two agree where both stand in T-pose: G_target(t) = C G_source(t) B, C turning the source's axes
into the world's. Bones thus keep the directions and the twist they have in the source, whatever
its rest pose. The constant B comes from the source's rest pose where that is a standing person,
else from the motion itself: bones' directions and the axes about which knees and elbows bend.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from ...body.skeleton import JOINT, JOINT_COUNT, PARENTS, SMPL_JOINTS
from ...errors import MotionError
from ...types import Clip, Float64
from ..clips.authoring import ANKLE_HEIGHT, HIP_DROP
from ..editing.orientation import heading, ways_ahead
from ..editing.sampling import clip_at, loop_step
from ..ground.floor import lowest_of_clip
from .joint_map import SIDES, map_joints
from .source_motion import SourceMotion

_UP = np.array([0.0, 0.0, 1.0])
_DOWN = -_UP
_AHEAD = np.array([0.0, -1.0, 0.0])
_OUTWARD = {"left": np.array([1.0, 0.0, 0.0]), "right": np.array([-1.0, 0.0, 0.0])}

# Cosines that tell a standing rest pose: legs opposite to the trunk, side by side, hips level.
_LEGS_BELOW = -0.7
_LEGS_ALONG = 0.5
_HIPS_LEVEL = 0.35

_FLOOR_PERCENTILE = 5.0  # the body is this low at the moments when it touches the floor
_PLANTED_PERCENTILE = 30.0
_LOWEST_PERCENTILE = 2.0  # lower may be noise
_PLANTED_LEGS = 0.035  # leg lengths (3 cm): an ankle so much over its lowest has left the flat foot
_NEAR_FLOOR_LEGS = 0.25  # over the lowest joint: farther up, an ankle is no standing foot's
_MOST_SOLE_TILT = np.radians(35.0)  # more is dancing on tiptoe, not a rest pose's tilt
_LEAST_BEND = 0.15  # mean sine of a knee's or elbow's bend that shows its axis
_LOOP_MEAN, _LOOP_MOST = np.radians(4.0), np.radians(15.0)
_REPEATED = 0.25  # of a frame's step: a last pose so near to the first one is the first one
_REPEATED_HEIGHT = 0.01  # leg lengths
_FACING_S = 0.4  # the start of the motion, which faces the viewer
_SAME_RATE = 1e-3
_CALIBRATION_JUMP = np.radians(40.0)  # no joint turns this far in a frame


def retarget(
    source: SourceMotion,
    name: str,
    fps: float | None = None,
    mapping: dict[str, int] | None = None,
) -> Clip:
    """The source's motion as a clip that begins over the origin and faces -y.

    fps : frames a second of the clip; None keeps the source's frames as they are
    mapping : SMPL joint names to the source's joints (`mapping_presets.checked_mapping`); None
        finds them by name and shape

    Raises MotionError when the skeleton is not a person's.
    """
    joints = map_joints(source) if mapping is None else dict(mapping)
    for side in SIDES:
        for part in ("hip", "knee", "shoulder"):
            if _bone(source, joints, f"{side}_{part}") is None:
                raise MotionError(
                    f"{source.where(joints[f'{side}_{part}'])}: the skeleton has no length from "
                    f"its {side} {part} on; choose another motion."
                )
    turned, placed = source.world()
    axes = _axes(source, joints, placed)
    turned = np.einsum("ab,fjbc->fjac", axes, turned)  # C G
    placed = placed @ axes.T
    constants = _constants(source, joints, axes, turned, placed)
    world = _target_world(joints, constants, turned)
    root = _root(joints, world, placed)
    facing = facing_ahead(world[:, 0], source.fps)
    world = facing @ world
    root = (root - [root[0, 0], root[0, 1], 0.0]) @ facing.T
    rotations, root = _without_leading_rest_pose(_local(world), root)
    clip = as_loop(Clip(name, source.fps, rotations, root, False))
    return clip if fps is None else at_rate(clip, fps)


def as_loop(clip: Clip) -> Clip:
    """The clip as a loop where its first pose goes on from its last, else as it is.

    Many loops are written with their first pose again at the end, which is where the next round
    begins: that frame is left out, or each round would halt for a frame.
    """
    if _repeats(clip):
        clip = replace(clip, rotations=clip.rotations[:-1], root=clip.root[:-1])
        return replace(clip, loop=True)
    return replace(clip, loop=_is_loop(clip))


def facing_ahead(pelvis: Float64, fps: float) -> Float64:
    """(3, 3) the turn about the vertical after which a motion begins facing -y.

    pelvis : (F, 3, 3) its orientation in the world, identity facing -y
    """
    start = max(int(round(_FACING_S * fps)), 1)
    about = heading(ways_ahead(pelvis[:start]).mean(axis=0))
    return Rotation.from_rotvec([0.0, 0.0, -about]).as_matrix()


def at_rate(clip: Clip, fps: float) -> Clip:
    """The clip with another number of frames a second and the same duration; a loop's duration is
    rounded to whole frames."""
    if abs(fps / clip.fps - 1) < _SAME_RATE:
        return replace(clip, fps=fps)
    count = len(clip.root)
    if clip.loop:
        frames = max(int(round(count * fps / clip.fps)), 2)
        at = np.arange(frames) * (count / frames)
    else:
        at = np.arange(int((count - 1) * fps / clip.fps + 1e-6) + 1) * (clip.fps / fps)
    rotations, root = clip_at(clip, at)
    return replace(clip, fps=fps, rotations=rotations, root=root)


def _axes(source: SourceMotion, joints: dict[str, int], placed: Float64) -> Float64:
    """(3, 3) C: rows are the world's axes (left, back, up) in the source's."""
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


def _constants(
    source: SourceMotion,
    joints: dict[str, int],
    axes: Float64,
    turned: Float64,
    placed: Float64,
) -> dict[str, Float64]:
    """B (3, 3) of each SMPL joint that has a source."""
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
                bone = _bone(source, joints, f"{side}_{part}")
                if bone is not None:
                    frame = _shortest(frame @ straight, axes @ bone) @ frame
                aligned[f"{side}_{part}"] = frame
        # The foot stands square to the shin as seen from the front, and flat from the side.
        shin = aligned[f"{side}_knee"] @ _DOWN
        roll = Rotation.from_rotvec([0.0, np.arctan2(-shin[0], -shin[2]), 0.0])
        aligned[f"{side}_ankle"] = roll.as_matrix()
    return {name: axes.T @ frame for name, frame in aligned.items() if name in joints}


def _from_motion(
    source: SourceMotion, joints: dict[str, int], turned: Float64
) -> dict[str, Float64]:
    """Constants when the rest pose says nothing: two directions make each joint's frame."""
    bone = {name: way for name in joints if (way := _bone(source, joints, name)) is not None}
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
    level = _shortest(constant @ _UP, normal) @ constant
    if np.arccos(np.clip((constant @ _UP) @ normal, -1, 1)) > _MOST_SOLE_TILT and _stands(
        source.rest_positions(), joints
    ):
        level, normal = constant, constant @ _UP
    return _pointing(source, joints, side, level, normal)


def _pointing(
    source: SourceMotion, joints: dict[str, int], side: str, level: Float64, normal: Float64
) -> Float64:
    """A foot's constant, turned about the sole's normal to point to the toes."""
    toes = _bone(source, joints, f"{side}_ankle")
    if toes is None:
        return level
    flat = toes - normal * (toes @ normal)
    if np.linalg.norm(flat) < 0.3 * np.linalg.norm(toes):
        return level
    return _shortest(level @ _AHEAD, _unit(flat)) @ level


_NEXT = {
    "collar": "shoulder", "shoulder": "elbow", "elbow": "wrist", "wrist": "hand",
    "hip": "knee", "knee": "ankle", "ankle": "foot",
}  # fmt: skip


def _bone(source: SourceMotion, joints: dict[str, int], name: str) -> Float64 | None:
    """(3,) the bone from a limb's joint to its next, in the joint's own axes."""
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


def _target_world(
    joints: dict[str, int], constants: dict[str, Float64], turned: Float64
) -> Float64:
    """(F, 24, 3, 3) world orientations of the SMPL joints."""
    frames = len(turned)
    world = np.empty((frames, JOINT_COUNT, 3, 3))

    def of(name: str) -> Float64:
        return turned[:, joints[name]] @ constants[name]

    pelvis, chest = of("pelvis"), of("spine3")
    head = of("head") if "head" in joints else chest
    made = {
        "spine1": _share(pelvis, chest, 1 / 3),
        "spine2": _share(pelvis, chest, 2 / 3),
        "neck": _share(chest, head, 1 / 2),
        "head": head,
    }
    for joint, name in enumerate(SMPL_JOINTS):
        if name in made:
            world[:, joint] = made[name]
        elif name in constants:
            world[:, joint] = of(name)
        else:
            world[:, joint] = world[:, PARENTS[joint]]
    return world


def _share(first: Float64, second: Float64, share: float) -> Float64:
    """(F, 3, 3) rotations `share` of the way from first to second."""
    way = Rotation.from_matrix(first.transpose(0, 2, 1) @ second).as_rotvec()
    return first @ Rotation.from_rotvec(share * way).as_matrix()


def _root(joints: dict[str, int], world: Float64, placed: Float64) -> Float64:
    """(F, 3) the clip's root from the middle of the hips, in the performer's leg lengths; its
    height is 1 where the source stands with straight legs on flat feet.

    The floor is what the lowest part touches: the source's ankles, a foot's height over it, or
    another part of the body, as far from the hips as the default body has it in the same pose.
    """
    hips = (placed[:, joints["left_hip"]] + placed[:, joints["right_hip"]]) / 2
    leg = np.mean([
        np.linalg.norm(placed[:, joints[f"{s}_{a}"]] - placed[:, joints[f"{s}_{b}"]], axis=1)
        for s in SIDES for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]) * 2  # fmt: skip
    ankles = placed[:, [joints[f"{s}_ankle"] for s in SIDES], 2].min(axis=1) / leg
    root = hips / leg
    up = world[:, JOINT["pelvis"], 2, 2]
    body = root[:, 2] + up * HIP_DROP + lowest_of_clip(_local(world))
    root[:, 2] -= floor_of_clip(ankles, body) + ANKLE_HEIGHT
    return root + (world[:, JOINT["pelvis"]] @ _UP - _UP) * HIP_DROP


def floor_of_clip(ankles: Float64, body: Float64) -> float:
    """Height of the floor under a clip, from its lower ankle (F,) and the lowest other part (F,),
    all in leg lengths."""
    return float(np.percentile(np.minimum(ankles - ANKLE_HEIGHT, body), _FLOOR_PERCENTILE))


def _local(world: Float64) -> Float64:
    """(F, 24, 4) local quaternions from world orientations (F, 24, 3, 3)."""
    local = world.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            local[:, joint] = world[:, parent].transpose(0, 2, 1) @ world[:, joint]
    flat = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat(scalar_first=True)
    return flat.reshape(len(world), JOINT_COUNT, 4)


def _without_leading_rest_pose(rotations: Float64, root: Float64) -> tuple[Float64, Float64]:
    """The motion with its first frame replaced by the second's pose where it jumps.

    Many files (CMU's conversions) begin with one frame of calibration pose, which is no part of
    the motion; it is replaced, not dropped, so that times stay the file's.
    """
    if len(root) < 3 or _farthest(rotations[0], rotations[1]) < _CALIBRATION_JUMP:
        return rotations, root
    if _farthest(rotations[1], rotations[2]) > _CALIBRATION_JUMP / 2:
        return rotations, root
    root = np.concatenate([2 * root[1:2] - root[2:3], root[1:]])
    return np.concatenate([rotations[1:2], rotations[1:]]), root - root[0] * [1.0, 1.0, 0.0]


def _farthest(first: Float64, second: Float64) -> float:
    """Largest angle in radians between two poses (24, 4)."""
    return float(_angles(first, second).max())


def _angles(first: Float64, second: Float64) -> Float64:
    """(24,) angles in radians between the joints of two poses (24, 4)."""
    dots = np.abs(np.einsum("jk,jk->j", first, second))
    return 2 * np.arccos(np.clip(dots, 0.0, 1.0))


def _repeats(clip: Clip) -> bool:
    """Whether the last pose is the first again: far nearer to it than frames are to the next."""
    if len(clip.root) < 5:
        return False
    steps = [_angles(clip.rotations[a], clip.rotations[b]).mean() for a, b in ((0, 1), (-2, -1))]
    apart = _angles(clip.rotations[0], clip.rotations[-1]).mean()
    sunk = abs(clip.root[0, 2] - clip.root[-1, 2])
    return bool(apart < _REPEATED * min(steps) and sunk < _REPEATED_HEIGHT)


def _is_loop(clip: Clip) -> bool:
    """Whether the first pose goes on from the last: as near to it as a frame's step or two."""
    if len(clip.root) < 4:
        return False
    apart = _angles(clip.rotations[-1], clip.rotations[0])
    sunk = abs(clip.root[0, 2] + loop_step(clip.root)[2] - clip.root[-1, 2])
    return bool(apart.mean() < _LOOP_MEAN and apart.max() < _LOOP_MOST and sunk < 0.05)


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


def _shortest(first: Float64, second: Float64) -> Float64:
    """(3, 3) the shortest turn of one direction (3,) into another."""
    a, b = _unit(first), _unit(second)
    axis = np.cross(a, b)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9 and a @ b < 0:
        axis, sine = np.cross(a, np.eye(3)[int(np.abs(a).argmin())]), 0.0
        return Rotation.from_rotvec(np.pi * _unit(axis)).as_matrix()
    angle = np.arctan2(sine, a @ b)
    return Rotation.from_rotvec(axis * (angle / max(sine, 1e-12))).as_matrix()


def _unit(vector: Float64) -> Float64:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _nearest_axis(direction: Float64) -> Float64:
    axis = np.zeros(3)
    k = int(np.abs(direction).argmax())
    axis[k] = np.sign(direction[k])
    return axis
