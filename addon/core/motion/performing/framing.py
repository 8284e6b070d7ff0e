"""Keeping a performance in the picture: where the root may go so that the whole body is seen.

Each edge of the picture is a plane through the camera. That the body is on its inner side limits,
for a body in a given pose, how far to that side the root may be: a half-plane of the ground,
another one in every frame. The way over the ground is led along their borders instead of across;
poses stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from ...body.world_pose import forward_kinematics
from ...types import Float64, Skeleton
from ..ground.feet import ANKLES, BALL, HIPS, KNEES, TIP, TOES, soles_of
from ..ground.flesh import Flesh
from .viewer import Viewer

# Hair and clothes are outside of the flesh, and the way is smoothed after it has been led.
_MARGIN_M = 0.06
_SHOE_M = 0.012  # under the soles
_SHOE_TIP_M = 0.035  # before the toes
_UNSURE_M = 0.04  # that the flesh is outside of a person's outline, at most
_POSE_S = 0.25  # swinging limbs need their room so long before and after
_ROUNDS = 2  # of leading: smoothed, the first one crosses the borders by a little
_SMOOTH_S = 0.12  # over which a person comes to the border of the room


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
    settled: Float64 | None = None,
) -> list[Border]:
    """The borders of the room before the camera.

    An edge that cuts the body off already is not looked after, but for the upper one: no one comes
    nearer to it.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    flesh : Flesh
        The character's.
    viewer : Viewer
        The photo's camera.
    rotations : Float64
        (F, 24, 4) the body, frame by frame.
    root : Float64
        (F, 3) the body, frame by frame.
    nearest : float
        Metres that the root must keep from the viewer, towards where it begins.
    fps : float
        Frames per second.
    stride : float
        Share of their steps that the legs will go.
    settled : Float64 | None
        (F,), 0..1, how far a person may be led farther inside than at the beginning, which
        takes steps or another pose; None: not at all.

    Returns
    -------
    list[Border]
        Half-planes of the ground.
    """
    start = root[0, :2]
    away = start - viewer.position[:2]
    away = away / max(float(np.linalg.norm(away)), 1e-9)
    relaxed = np.zeros(len(root)) if settled is None else settled

    def border(
        normal: Float64, inward: Float64, free: Float64, scale: float, margin: float, edge: str
    ) -> None:
        """free : (F,) how far the root may be to the outside; scale : metres of that for a metre
        that the body is away from the edge; margin : metres that it keeps off, where it has them"""
        had = float(free[0] - start @ normal) / scale
        limit = _calm(free, fps) - scale * np.clip(had, -_UNSURE_M, margin)
        kept = np.maximum(limit, start @ normal)
        share = relaxed if had >= -_UNSURE_M else 0.0
        found.append(Border(normal, inward, (1 - share) * kept + share * limit, edge))

    nearest_limit = np.full(len(root), -(viewer.position[:2] @ away) - nearest)
    found = [Border(-away, away, np.maximum(nearest_limit, -(start @ away)), "near")]
    ahead = np.array(viewer.ahead)
    right = np.array([ahead[1], -ahead[0]])
    world = forward_kinematics(skeleton, rotations, root)
    points, radii = _surface(skeleton, flesh, world, stride)
    offsets = points - root[:, None]
    deep, aside = offsets[..., :2] @ ahead, offsets[..., :2] @ right
    high = offsets[..., 2] + root[:, None, 2] - viewer.position[2]
    eye = viewer.position[:2]
    for edge, sign, tangent in (("right", 1.0, viewer.right), ("left", -1.0, viewer.left)):
        if np.isfinite(tangent):
            # sign * aside <= tangent * depth, at the distance of the flesh from the edge's plane
            normal, slant = sign * right - tangent * ahead, np.hypot(1.0, tangent)
            free = (tangent * deep - sign * aside - radii * slant).min(axis=1)
            border(normal, -sign * right, free + normal @ eye, slant, _MARGIN_M, edge)
    for sign, tangent in ((1.0, viewer.rise), (-1.0, viewer.fall)):
        if np.isfinite(tangent) and tangent > 0:
            slant = np.hypot(1.0, tangent)
            free = (deep - (sign * high + radii * slant) / tangent).min(axis=1)
            free, scale = free - ahead @ eye, slant / tangent
            if sign > 0 or free[0] + start @ ahead >= -_UNSURE_M * scale:
                margin = _MARGIN_M if sign > 0 else 0.0
                border(-ahead, ahead, free, scale, margin, "near")
    return found


def _surface(
    skeleton: Skeleton, flesh: Flesh, world: Float64, stride: float
) -> tuple[Float64, Float64]:
    """Centres (F, P, 3) and radii (P,) of the spheres that the body and its shoes lie within, with
    legs that go a share of their steps."""
    soles = soles_of(skeleton).in_world(world, skeleton)
    toes = soles[:, :, TIP] - soles[:, :, BALL]
    soles[:, :, TIP] += _SHOE_TIP_M * toes / np.linalg.norm(toes, axis=-1, keepdims=True)
    centres = flesh.centres(world)
    for side in range(2):
        for joints in ((KNEES[side],), (ANKLES[side], TOES[side])):
            step = world[:, joints[0], :2, 3] - world[:, HIPS[side], :2, 3]
            shorter = (stride - 1.0) * step
            shorter[0] = 0.0  # the photo's
            centres[:, np.isin(flesh.joints, joints), :2] += shorter[:, None]
        soles[:, side, :, :2] += shorter[:, None]
    centres = np.concatenate([centres, soles.reshape(len(world), -1, 3)], axis=1)
    of_soles = np.full(centres.shape[1] - len(flesh.radii), _SHOE_M)
    return centres, np.concatenate([flesh.radii, of_soles])


def inside(path: Float64, found: list[Border]) -> bool:
    """Whether a way (F, 2) crosses none of the borders.

    Parameters
    ----------
    path : Float64
        (F, 2) metres, world.
    found : list[Border]
        The borders.

    Returns
    -------
    bool
        True if all of it is inside.
    """
    return all(bool((path @ border.normal <= border.limit + 1e-6).all()) for border in found)


def led(path: Float64, found: list[Border], fps: float) -> Float64:
    """The way (F, 2) along the borders where it would cross them.

    Steps that would cross are taken inward as far as they do; what comes back comes back at once.

    Parameters
    ----------
    path : Float64
        (F, 2) metres, world.
    found : list[Border]
        The borders.
    fps : float
        Frames per second.

    Returns
    -------
    Float64
        (F, 2) metres, world.
    """
    for _ in range(_ROUNDS):
        if all(bool((path @ border.normal <= border.limit).all()) for border in found):
            break
        moved = np.zeros_like(path)
        off = np.zeros(2)
        for frame in range(1, len(path)):
            for border in found:
                over = float((path[frame] + off) @ border.normal - border.limit[frame])
                if over > 0:
                    off = off + over * border.inward
            moved[frame] = off
        path = path + gaussian_filter1d(moved, _SMOOTH_S * fps, axis=0, mode="nearest")
    return path


def _calm(limit: Float64, fps: float) -> Float64:
    """A limit (F,) that does not swing with every limb: as strict as it is at its strictest."""
    width = 2 * int(round(_POSE_S * fps)) + 1
    strictest = minimum_filter1d(limit, width, mode="nearest")
    return gaussian_filter1d(strictest, _POSE_S * fps / 2, mode="nearest")
