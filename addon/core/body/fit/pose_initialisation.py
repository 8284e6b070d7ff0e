"""The pose that the optimisation starts from, computed from the metric landmarks alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from ...numerics.rotations import shortest_arc
from ...perception.landmarks.pose_landmarks import LANDMARK
from ...perception.segmentation.instance_assignment import torso_length
from ...types import Float64, Person, PoseLandmarks
from ..model.body_model import BodyModel
from ..model.skeleton import JOINT, JOINT_COUNT

LOST = 0.05  # visibility below which a landmark's place is a guess not worth starting from
SHOULDER_HEIGHT = 0.75  # of the way from the hips' middle to the nose
# Landmarks at the ends of limbs that may stand in for the limb's own end.
_STAND_INS = {"wrist": ("index", "pinky"), "ankle": ("heel", "foot_index")}
# Shoulders nearer to each other in the picture, over the trunk's length, are seen from the side:
# which way the body then faces is the least certain.
NARROW = 0.4


def seen_from_the_side(marks: PoseLandmarks) -> bool:
    """Whether the shoulders are narrow in the picture.

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.

    Returns
    -------
    bool
        True if so.
    """
    left, right = (marks.image[LANDMARK[f"{side}_shoulder"]] for side in ("left", "right"))
    return bool(np.linalg.norm(left - right) < NARROW * torso_length(marks))


def first_pose(model: BodyModel, person: Person, mirrored: bool = False) -> Float64:
    """(24, 3) axis-angle from the metric landmarks alone: the trunk's frame, then each limb bone
    turned by the shortest arc from where its parent left it. Landmarks that are lost are replaced
    by what the others leave for them.

    Parameters
    ----------
    model : BodyModel
        The body model.
    person : Person
        The person that the body is laid over.
    mirrored : bool
        With what is near and what is far exchanged; the body then faces the other way.

    Returns
    -------
    Float64
        (24, 3) axis-angle, radians.
    """
    joints = (model.regressor @ model.template).astype(np.float64)
    marks = person.detection.landmarks
    world = marks.world.astype(np.float64) * ([1, 1, -1] if mirrored else [1, 1, 1])
    lost = {name for name, row in LANDMARK.items() if marks.visibility[row] < LOST}
    _replace_ends(world, lost)

    def mark(name: str) -> Float64:
        return world[LANDMARK[name]]

    across = (mark("left_shoulder") - mark("right_shoulder")) + (
        mark("left_hip") - mark("right_hip")
    )
    up = (mark("left_shoulder") + mark("right_shoulder")) - (mark("left_hip") + mark("right_hip"))
    y = up / np.linalg.norm(up)
    x = across - (across @ y) * y
    x /= np.linalg.norm(x)
    trunk = np.stack([x, y, np.cross(x, y)], axis=1)

    pose = np.zeros((JOINT_COUNT, 3))
    pose[0] = Rotation.from_matrix(trunk).as_rotvec()
    for side in ("left", "right"):
        for chain in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            above = trunk
            if f"{side}_{chain[1]}" in lost:
                ahead = trunk[:, 2] if chain[0] == "hip" else -trunk[:, 2]
                _bend_unseen(world, joints, side, chain, ahead)
            for start, end in pairwise(chain):
                j = JOINT[f"{side}_{start}"]
                bone = joints[JOINT[f"{side}_{end}"]] - joints[j]
                target = above.T @ (mark(f"{side}_{end}") - mark(f"{side}_{start}"))
                local = shortest_arc(bone, target).as_matrix()
                pose[j] = Rotation.from_matrix(local).as_rotvec()
                above = above @ local
    return pose


def _replace_ends(world: Float64, lost: set[str]) -> None:
    """Put lost hips, shoulders, wrists and ankles where others have them; changes `world`."""
    for side, other in (("left", "right"), ("right", "left")):
        if f"{side}_hip" in lost:  # the origin is the hips' middle
            world[LANDMARK[f"{side}_hip"]] = -world[LANDMARK[f"{other}_hip"]]
    if {"left_shoulder", "right_shoulder"} <= lost:
        for side in ("left", "right"):
            head = SHOULDER_HEIGHT * world[LANDMARK["nose"]]
            world[LANDMARK[f"{side}_shoulder"]] = head + world[LANDMARK[f"{side}_hip"]]
        lost = lost - {"left_shoulder", "right_shoulder"}
    for side, other in (("left", "right"), ("right", "left")):
        if f"{side}_shoulder" in lost:
            trunk = world[LANDMARK[f"{other}_shoulder"]] - world[LANDMARK[f"{other}_hip"]]
            world[LANDMARK[f"{side}_shoulder"]] = world[LANDMARK[f"{side}_hip"]] + trunk
        for end, others in _STAND_INS.items():
            seen = [f"{side}_{name}" for name in others if f"{side}_{name}" not in lost]
            if f"{side}_{end}" in lost and seen:
                rows = [LANDMARK[name] for name in seen]
                world[LANDMARK[f"{side}_{end}"]] = world[rows].mean(axis=0)


def _bend_unseen(
    world: Float64, joints: Float64, side: str, chain: tuple[str, str, str], ahead: Float64
) -> None:
    """Put a knee or elbow that is not seen where two bones of the body's lengths meet, bent
    towards `ahead`; changes `world` (33, 3)."""
    root, middle, end = (LANDMARK[f"{side}_{name}"] for name in chain)
    rest = [joints[JOINT[f"{side}_{name}"]] for name in chain]
    upper, lower = (float(np.linalg.norm(b - a)) for a, b in pairwise(rest))
    line = world[end] - world[root]
    reach = float(np.clip(np.linalg.norm(line), abs(upper - lower) + 1e-3, upper + lower - 1e-6))
    along = line / max(float(np.linalg.norm(line)), 1e-9)
    out = ahead - (ahead @ along) * along
    out /= max(float(np.linalg.norm(out)), 1e-9)
    share = (upper**2 - lower**2 + reach**2) / (2 * reach)  # law of cosines
    world[middle] = world[root] + along * share + out * np.sqrt(max(upper**2 - share**2, 0.0))
