"""The bare body of a demo picture: shape, face, a standing pose with both feet on the ground.

Everything is in body axes (x to the body's left, y up, z ahead) and metres until `to_world`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from ...addon.core.body.model.body_files import cached_body_model
from ...addon.core.body.model.body_model import BodyModel
from ...addon.core.body.model.skeleton import JOINT, JOINT_COUNT
from ...addon.core.body.model.skinning import SkinnedPoints, skin
from ...addon.core.frames import WORLD_FROM_BODY_AXES
from ...addon.core.inference.model_files import model_path

Array = npt.NDArray[np.float64]


ARMS_AT_START = 0.6  # of the way down: from the T-pose, sleeves would bunch in the armpits
LEGS_AT_START = 0.5


@dataclass(frozen=True, eq=False)
class Shape:
    """One person's body at rest, with the face's expression in it."""

    model: BodyModel
    rest: Array  # (V, 3), T-pose, body axes
    joints: Array  # (24, 3), T-pose, body axes
    betas: Array  # (B,)
    bare: Array  # (V, 3), T-pose without the expression


def make_shape(betas: npt.ArrayLike, expression: dict[str, float]) -> Shape:
    """A body of the default model. `expression` maps facial actions (ARKit's names) to 0..1."""
    path = model_path("body.npz")
    model = cached_body_model(path)
    coefficients = np.zeros(model.shape_count)
    given = np.asarray(betas, np.float64)
    coefficients[: len(given)] = given
    bare = model.template + model.shapes.astype(np.float64) @ coefficients
    with np.load(path) as fields:
        names = list(fields["facial_action_names"])
        actions = fields["facial_actions"]
        offset = sum(
            value * actions[names.index(name)].astype(np.float64)
            for name, value in expression.items()
        )
    joints = model.regressor.astype(np.float64) @ bare
    return Shape(model, bare + offset, joints, coefficients, bare)


def pose_vertices(
    shape: Shape, pose: Array, rest: Array | None = None, weights: Array | None = None
) -> tuple[Array, Array]:
    """Skin `rest` (N, 3) with `weights` (N, 24), by default the body itself.

    pose : (24, 3) axis-angle. Returns vertices (N, 3) and joints (24, 3), body axes.
    """
    rest = shape.rest if rest is None else rest
    weights = shape.model.weights if weights is None else weights
    points = SkinnedPoints(
        template=rest.astype(np.float64),
        shapes=np.zeros((len(rest), 3, 0)),
        correctives=None,
        joint_template=shape.joints,
        joint_shapes=np.zeros((JOINT_COUNT, 3, 0)),
        weights=weights.astype(np.float64),
    )
    posed = skin(points, np.zeros(0), pose, np.zeros(3))
    return posed.vertices, posed.joints


def to_world(points: Array, ground: float) -> Array:
    """Body axes to the world's; `ground` is the body-frame height that becomes z = 0."""
    return (points - [0.0, ground, 0.0]) @ WORLD_FROM_BODY_AXES.T


@dataclass(frozen=True)
class Stance:
    """A standing pose in the body's own terms; angles in radians, lengths in metres."""

    turn: float = 0.0  # of the whole body about the vertical, to its own left
    sway: float = 0.0  # the hips' shift to the body's left
    tilt: float = 0.0  # the pelvis' roll, left side up
    feet: tuple[tuple[float, float, float], tuple[float, float, float]] = (
        (0.11, 0.0, 0.2),
        (-0.11, 0.0, -0.2),
    )  # ankles: x, z over the ground, and how far the toes point to the body's left
    arms_down: tuple[float, float] = (1.2, 1.2)  # left, right; 0 is the T-pose
    arms_ahead: tuple[float, float] = (0.0, 0.0)
    elbows: tuple[float, float] = (0.3, 0.3)
    head_turn: float = 0.0
    head_tilt: float = 0.0
    drop: float = 0.03  # how far the hips sink below straight legs
    # Rotations (axis-angle, radians) that take the place of what follows from the above, by joint.
    joints: dict[str, tuple[float, float, float]] = field(default_factory=dict)


def standing_pose(shape: Shape, stance: Stance) -> Array:
    """(24, 3) axis-angle, the feet flat on the ground by inverse kinematics."""
    pose = np.zeros((JOINT_COUNT, 3))
    pose[JOINT["pelvis"]] = [0.0, stance.turn, stance.tilt]
    for name, share in (("spine1", -0.9), ("spine3", -0.4)):
        pose[JOINT[name]] = [0.0, 0.0, stance.tilt * share]
    pose[JOINT["neck"]] = [0.02, stance.head_turn * 0.4, stance.head_tilt * 0.5]
    pose[JOINT["head"]] = [0.0, stance.head_turn * 0.6, stance.head_tilt * 0.5]
    for side, sign, which in (("left", 1.0, 0), ("right", -1.0, 1)):
        down = stance.arms_down[which]
        # The collar takes a share of the swing, as a shoulder blade does.
        pose[JOINT[f"{side}_collar"]] = [0.0, 0.0, -sign * down * 0.1]
        pose[JOINT[f"{side}_shoulder"]] = [0.0, -sign * stance.arms_ahead[which], -sign * down]
        pose[JOINT[f"{side}_elbow"]] = [0.25, -sign * stance.elbows[which], 0.0]
        pose[JOINT[f"{side}_wrist"]] = [0.1, -sign * 0.05, -sign * 0.12]
    for name, rotation in stance.joints.items():
        pose[JOINT[name]] = rotation
    rest = shape.joints
    hip_height = rest[JOINT["left_hip"], 1] - rest[JOINT["left_ankle"], 1]
    for side, which in (("left", 0), ("right", 1)):
        x, z, toes = stance.feet[which]
        target = np.array([x - stance.sway, -hip_height + stance.drop + rest[1, 1], z])
        _place_foot(shape, pose, side, target, toes)
    return pose


def _place_foot(shape: Shape, pose: Array, side: str, target: Array, toes: float) -> None:
    """Turn hip, knee and ankle of `pose` so that the ankle is at `target` and the sole is flat."""
    hip, knee, ankle = (JOINT[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    heading = np.array([0.0, toes, 0.0])

    def ankle_at(angles: Array) -> tuple[Array, Array]:
        pose[hip], pose[knee] = angles[:3], [abs(angles[3]), 0.0, 0.0]
        world = np.eye(3)
        for joint in (0, hip, knee):
            world = world @ rotation_matrix(pose[joint])
        _, joints = pose_vertices(shape, pose, shape.rest[:1], shape.model.weights[:1])
        return joints[ankle], world

    def residual(angles: Array) -> Array:
        place, world = ankle_at(angles)
        # The knee looks where the toes point, a little less.
        wish = np.array([np.sin(toes * 0.8), np.cos(toes * 0.8)])
        look = world[[0, 2], 2]
        return np.concatenate([(place - target) * 20, look / np.linalg.norm(look) - wish])

    found = least_squares(residual, np.array([-0.1, toes, 0.0, 0.2]), max_nfev=60)
    _, world = ankle_at(found.x)
    flat = world.T @ rotation_matrix(heading)
    pose[ankle] = Rotation.from_matrix(flat).as_rotvec()


def rotation_matrix(axis_angle: Array) -> Array:
    """(3, 3) from axis-angle (3,)."""
    return Rotation.from_rotvec(axis_angle).as_matrix()


def pose_path(pose: Array, steps: int, legs_apart: float = 0.06) -> list[Array]:
    """Poses (24, 3) from one with arms and legs apart to `pose`, for the cloth to follow."""
    start = np.zeros_like(pose)
    for joint in ("collar", "shoulder"):
        for side in ("left", "right"):
            start[JOINT[f"{side}_{joint}"]] = pose[JOINT[f"{side}_{joint}"]] * ARMS_AT_START
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for joint in ("hip", "knee"):
            start[JOINT[f"{side}_{joint}"]] = pose[JOINT[f"{side}_{joint}"]] * LEGS_AT_START
        start[JOINT[f"{side}_hip"], 2] += sign * legs_apart
    return [start + (pose - start) * t for t in np.linspace(0.0, 1.0, steps)]
