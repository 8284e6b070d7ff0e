"""A pose as a small picture: a body of rounded limbs, for lists of clips."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...body.model.skeleton import JOINT, PARENTS
from ...body.world_pose import forward_kinematics
from ...types import Float64, Pose, Skeleton, UInt8
from ..ground.feet import leg_length

_TURNED = np.radians(-32.0)  # seen a little from the side: depth shows
_RISE = 0.12  # of the depth goes up in the picture: seen a little from above
_MARGIN = 1.12  # of the picture around the body
_FINER = 2  # drawn so many times finer and averaged
# Radii in shares of the leg's length, of the limb that ends in a joint.
_RADII = {
    "hip": 0.10, "knee": 0.095, "ankle": 0.07, "foot": 0.05, "spine1": 0.13, "spine2": 0.135,
    "spine3": 0.14, "neck": 0.07, "head": 0.075, "collar": 0.10, "shoulder": 0.075,
    "elbow": 0.062, "wrist": 0.052, "hand": 0.045,
}  # fmt: skip
_HEAD, _HEAD_UP = 0.135, 0.10  # the skull's radius and its middle over the head joint
_LEFT, _RIGHT, _MIDDLE = (0.93, 0.55, 0.30), (0.35, 0.60, 0.90), (0.86, 0.86, 0.88)
_NOSE, _NOSE_AHEAD, _DARK = 0.035, 0.13, (0.45, 0.45, 0.5)  # shows where the face is
_EDGE = 0.72  # how dark a limb's rim is against its middle


def draw_pose(skeleton: Skeleton, pose: Pose, size: int = 128) -> UInt8:
    """(size, size, 4) picture, RGBA with a transparent ground, rows from the top; the left side
    orange, the right one blue.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    pose : Pose
        The pose.
    size : int
        Pixels.

    Returns
    -------
    UInt8
        (size, size, 4).
    """
    root = np.asarray(pose.root, np.float64)[None]
    joints = forward_kinematics(skeleton, pose.rotations[None], root)[0]
    ahead = Rotation.from_quat(pose.rotations[0], scalar_first=True).apply([0.0, -1.0, 0.0])
    heading = np.arctan2(ahead[0], -ahead[1])
    places = _seen(joints[:, :3, 3] - root[0], heading)
    leg = leg_length(skeleton)
    skull = joints[JOINT["head"], :3, :3] @ np.array([0.0, 0.0, _HEAD_UP * leg])
    skull += joints[JOINT["head"], :3, 3] - root[0]
    top = _seen(skull, heading)
    nose = skull + joints[JOINT["head"], :3, :3] @ np.array([0.0, -_NOSE_AHEAD * leg, 0.0])
    limbs = [
        (places[parent], places[joint], _radius(name) * leg, _colour(name))
        for name, joint in JOINT.items()
        if (parent := PARENTS[joint]) >= 0
    ]
    limbs.append((places[JOINT["head"]], top, _HEAD * leg, _MIDDLE))
    tip = _seen(nose, heading)
    limbs.append((tip, tip, _NOSE * leg, _DARK))
    return _picture(limbs, size)


def _seen(points: Float64, heading: float) -> Float64:
    """(..., 3) points in the world as x right, y up and depth away from the viewer, who stands
    before the body."""
    angle = _TURNED - heading
    cos, sin = np.cos(angle), np.sin(angle)
    x = cos * points[..., 0] - sin * points[..., 1]
    away = sin * points[..., 0] + cos * points[..., 1]
    return np.stack([x, points[..., 2] + _RISE * away, away], axis=-1)


def _radius(name: str) -> float:
    return _RADII[name.partition("_")[2] or name]


def _colour(name: str) -> tuple[float, float, float]:
    side = name.partition("_")[0]
    return {"left": _LEFT, "right": _RIGHT}.get(side, _MIDDLE)


Limb = tuple[Float64, Float64, float, tuple[float, float, float]]


def _picture(limbs: list[Limb], size: int) -> UInt8:
    """Capsules from the farthest to the nearest, shaded towards their rims."""
    ends = np.array([[a, b] for a, b, _, _ in limbs])
    radii = np.array([radius for _, _, radius, _ in limbs])[:, None, None]
    low = (ends[..., :2] - radii).min(axis=(0, 1))
    high = (ends[..., :2] + radii).max(axis=(0, 1))
    middle, extent = (low + high) / 2, _MARGIN * float((high - low).max())
    side = size * _FINER
    across = ((np.arange(side) + 0.5) / side - 0.5) * extent
    x, y = np.meshgrid(across + middle[0], middle[1] - across)
    grid = np.stack([x, y], axis=-1)
    picture = np.zeros((side, side, 4))
    for k in np.argsort(-ends[..., 2].mean(axis=1)):
        first, last, radius, colour = limbs[k]
        along = last[:2] - first[:2]
        share = (grid - first[:2]) @ along / max(float(along @ along), 1e-12)
        nearest = first[:2] + np.clip(share, 0.0, 1.0)[..., None] * along
        rim = np.linalg.norm(grid - nearest, axis=-1) / radius
        inside = rim <= 1.0
        shade = 1.0 - (1.0 - _EDGE) * rim[inside] ** 3
        picture[inside, :3] = shade[:, None] * np.array(colour)
        picture[inside, 3] = 1.0
    shape = (size, _FINER, size, _FINER)
    alpha = picture[..., 3].reshape(shape).mean(axis=(1, 3))
    colour_sum = picture[..., :3].reshape(*shape, 3).mean(axis=(1, 3))
    rgb = colour_sum / np.maximum(alpha, 1e-6)[..., None]
    return np.rint(255 * np.dstack([rgb, alpha])).astype(np.uint8)
