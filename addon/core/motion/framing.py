"""Keeping a performance in the picture: where the root may go so that the whole body is seen.

Each edge of the picture is a plane through the camera. Where the body is on its inner side says, of
a body in a given pose, how far to that side the root may be: a half-plane of the ground, another
one in every frame. The way over the ground is led along their borders instead of across; poses
stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from ..body.pose import forward_kinematics
from ..types import Float64, Skeleton
from .feet import ANKLES, KNEES, TOES
from .flesh import Flesh
from .viewer import Viewer

# Hair and clothes are outside of the flesh, and the way is smoothed after it has been led.
_MARGIN_M = 0.05
_LEGS = (*KNEES, *ANKLES, *TOES)
_POSE_S = 0.25  # swinging limbs need their room so long before and after
_SMOOTH_S = 0.12  # over which somebody comes to the border of the room


@dataclass(frozen=True, eq=False)
class Border:
    """A line that the root must not cross, in every frame."""

    normal: Float64  # (2,), outward
    inward: Float64  # (2,), the way back, normal @ inward = -1
    limit: Float64  # (F,), metres: inside is where the root (2,) @ normal is not more
    edge: str  # 'left', 'right', 'near': of the picture, or of the room before the camera


def borders(
    skeleton: Skeleton,
    flesh: Flesh,
    viewer: Viewer,
    rotations: Float64,
    root: Float64,
    nearest: float,
    fps: float,
    stride: float = 1.0,
) -> list[Border]:
    """The borders of the room before the camera.

    rotations (F, 24, 4), root (F, 3) : the body, frame by frame; nearest : metres that the root
    must keep from the viewer, towards where it begins; stride : share of their steps that the legs
    will go

    Nobody has to be farther inside than at the beginning, so somebody who stays is always inside;
    what the lower edge cuts off already is not looked after.
    """
    start = root[0, :2]
    away = start - viewer.position[:2]
    away = away / max(float(np.linalg.norm(away)), 1e-9)
    found = [_border(-away, away, np.full(len(root), -(viewer.position[:2] @ away) - nearest),
                     start, "near")]  # fmt: skip
    ahead = np.array(viewer.ahead)
    right = np.array([ahead[1], -ahead[0]])
    world = forward_kinematics(skeleton, rotations, root)
    offsets = flesh.centres(world) - root[:, None]
    offsets[:, np.isin(flesh.joints, _LEGS), :2] *= stride
    deep, aside = offsets[..., :2] @ ahead, offsets[..., :2] @ right
    high = offsets[..., 2] + root[:, None, 2] - viewer.position[2]
    radii = flesh.radii + _MARGIN_M
    for edge, sign, tangent in (("right", 1.0, viewer.right), ("left", -1.0, viewer.left)):
        if np.isfinite(tangent):
            # sign * aside <= tangent * depth, at the distance of the flesh from the edge's plane
            normal = sign * right - tangent * ahead
            free = tangent * deep - sign * aside - radii * np.hypot(1.0, tangent)
            limit = free.min(axis=1) + normal @ viewer.position[:2]
            found.append(_border(normal, -sign * right, _calm(limit, fps), start, edge))
    least = np.full(len(root), -np.inf)
    if np.isfinite(viewer.rise) and viewer.rise > 0:
        upper = (high + radii * np.hypot(1.0, viewer.rise)) / viewer.rise - deep
        least = np.maximum(least, upper.max(axis=1))
    if np.isfinite(viewer.fall) and viewer.fall > 0:
        # Feet come down on the ground: the edge is theirs, without hair or clothes.
        lower = (flesh.radii * np.hypot(1.0, viewer.fall) - high) / viewer.fall - deep
        lower = lower.max(axis=1)
        if lower[0] <= (start - viewer.position[:2]) @ ahead:
            least = np.maximum(least, lower)
    if np.isfinite(least).all():
        limit = _calm(-least, fps) - ahead @ viewer.position[:2]
        found.append(_border(-ahead, ahead, limit, start, "near"))
    return found


def inside(path: Float64, found: list[Border]) -> bool:
    """Whether a way (F, 2) crosses none of the borders."""
    return all(bool((path @ border.normal <= border.limit + 1e-6).all()) for border in found)


def led(path: Float64, found: list[Border], fps: float) -> Float64:
    """The way (F, 2) along the borders where it would cross them.

    Steps that would cross are taken inward as far as they do; what comes back comes back at once.
    """
    moved = np.zeros_like(path)
    off = np.zeros(2)
    if all(bool((path @ border.normal <= border.limit).all()) for border in found):
        return path
    for frame in range(1, len(path)):
        for border in found:
            over = float((path[frame] + off) @ border.normal - border.limit[frame])
            if over > 0:
                off = off + over * border.inward
        moved[frame] = off
    return path + gaussian_filter1d(moved, _SMOOTH_S * fps, axis=0, mode="nearest")


def _border(normal: Float64, inward: Float64, limit: Float64, start: Float64, edge: str) -> Border:
    return Border(normal, inward, np.maximum(limit, start @ normal), edge)


def _calm(limit: Float64, fps: float) -> Float64:
    """A limit (F,) that does not swing with every limb: as strict as it is at its strictest."""
    width = 2 * int(round(_POSE_S * fps)) + 1
    strictest = minimum_filter1d(limit, width, mode="nearest")
    return gaussian_filter1d(strictest, _POSE_S * fps / 2, mode="nearest")
