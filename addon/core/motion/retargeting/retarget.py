"""A foreign skeleton's motion as a clip of the 24 SMPL joints.

Each SMPL joint takes the world orientation of the source's joint, times a constant that makes the
two agree where both stand in T-pose: G_target(t) = C G_source(t) B, C turning the source's axes
into the world's. Bones thus keep the directions and the twist they have in the source, whatever
its rest pose. `calibration` finds the constants.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...body.model.skeleton import JOINT, JOINT_COUNT, PARENTS, SMPL_JOINTS
from ...errors import MotionError
from ...types import Clip, Float64
from ..clips.authoring import ANKLE_HEIGHT, HIP_DROP
from ..editing.loops import as_loop, at_rate
from ..editing.orientation import apart, heading, ways_ahead
from ..ground.floor import lowest_of_clip
from .calibration import calibration_constants, limb_bone, source_axes
from .joint_map import SIDES, map_joints
from .source_motion import SourceMotion

_UP = np.array([0.0, 0.0, 1.0])

_FLOOR_PERCENTILE = 5.0  # the body is this low at the moments when it touches the floor
_FACING_S = 0.4  # the start of the motion, which faces the viewer
_CALIBRATION_JUMP = np.radians(40.0)  # no joint turns this far in a frame


def retarget(
    source: SourceMotion,
    name: str,
    fps: float | None = None,
    mapping: dict[str, int] | None = None,
) -> Clip:
    """The source's motion as a clip that begins over the origin and faces -y.

    Parameters
    ----------
    source : SourceMotion
        The foreign skeleton and its motion.
    name : str
        The clip's.
    fps : float | None
        Frames per second of the clip; None keeps the source's frames as they are.
    mapping : dict[str, int] | None
        SMPL joint names to the source's joints (`mapping_presets.checked_mapping`); None finds
        them by name and shape.

    Returns
    -------
    Clip
        Leg lengths are the source's own.

    Raises
    ------
    MotionError
        If the skeleton is not a person's.
    """
    joints = map_joints(source) if mapping is None else dict(mapping)
    for side in SIDES:
        for part in ("hip", "knee", "shoulder"):
            if limb_bone(source, joints, f"{side}_{part}") is None:
                raise MotionError(
                    f"{source.where(joints[f'{side}_{part}'])}: the skeleton has no length from "
                    f"its {side} {part} on; choose another motion."
                )
    turned, placed = source.world()
    axes = source_axes(source, joints, placed)
    turned = np.einsum("ab,fjbc->fjac", axes, turned)  # C G
    placed = placed @ axes.T
    constants = calibration_constants(source, joints, axes, turned, placed)
    world = _target_world(joints, constants, turned)
    root = _root(joints, world, placed)
    facing = facing_ahead(world[:, 0], source.fps)
    world = facing @ world
    root = (root - [root[0, 0], root[0, 1], 0.0]) @ facing.T
    rotations, root = _without_leading_rest_pose(_local(world), root)
    clip = as_loop(Clip(name, source.fps, rotations, root, False))
    return clip if fps is None else at_rate(clip, fps)


def facing_ahead(pelvis: Float64, fps: float) -> Float64:
    """(3, 3) the turn about the vertical after which a motion begins facing -y.

    Parameters
    ----------
    pelvis : Float64
        (F, 3, 3) its orientation in the world, identity facing -y.
    fps : float
        Frames per second.

    Returns
    -------
    Float64
        (3, 3).
    """
    start = max(int(round(_FACING_S * fps)), 1)
    about = heading(ways_ahead(pelvis[:start]).mean(axis=0))
    return Rotation.from_rotvec([0.0, 0.0, -about]).as_matrix()


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
    all in leg lengths.

    Parameters
    ----------
    ankles : Float64
        (F,) height of the lower ankle, leg lengths.
    body : Float64
        (F,) height of the lowest other part, leg lengths.

    Returns
    -------
    float
        Height in leg lengths.
    """
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
    return float(apart(first, second).max())
