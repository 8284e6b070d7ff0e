"""The body's flesh around its joints: what touches a floor, and what a picture must have room for.

A skeleton that stands on its hands, lies or kneels does not touch the floor with its joints, but
with what is around them: spheres fixed to the bones. Of feet they are only the upper side; where a
foot stands is given by the soles (`feet`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...body.model.skeleton import JOINT, JOINT_COUNT
from ...types import Float64, Floats, Mask, Skeleton
from ..editing.mirror import PARTNERS
from .default_body import FLESH, LEG_M
from .feet import ANKLES, TOES, leg_length

HANDS = tuple((JOINT[f"{side}_wrist"], JOINT[f"{side}_hand"]) for side in ("left", "right"))
ARMS = tuple(
    JOINT[f"{side}_{part}"]
    for side in ("left", "right")
    for part in ("shoulder", "elbow", "wrist", "hand")
)
FEET = (*ANKLES, *TOES)
# Legs and head as well.
TRUNK = tuple(joint for joint in range(JOINT_COUNT) if joint not in (*ARMS, *FEET))
# How much a body or close clothes are thinner or thicker than the default body.
_THINNER_M, _THICKER_M, _THINNEST_M = 0.02, 0.04, 0.005
# Percentiles of the directions: curled fingers are rather over the floor than in it.
_OF_BODY, _OF_HANDS = 40.0, 75.0
_FEWEST_POINTS = 8  # of a part's surface that show how thick it is
_AROUND = [-1.0, -0.5, 0.0, 0.5, 1.0]
_DIRECTIONS = np.array([(x, y, z) for x in _AROUND for y in _AROUND for z in _AROUND])
_DIRECTIONS = _DIRECTIONS[np.abs(_DIRECTIONS).max(axis=1) == 1.0]  # of a cube's surface
_DIRECTIONS /= np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True)
# A foot whose sole looks down more than this (cosine of its tilt) is on the floor with its sole.
_SOLE_DOWN = 0.2
_ON_SIDE = 0.7  # of a foot's breadth is up, where it lies on its side


@dataclass(frozen=True, eq=False)
class Flesh:
    """Spheres fixed to a skeleton's bones."""

    joints: npt.NDArray[np.int64]  # (P,), the joint that each goes with
    offsets: Float64  # (P, 3), metres, from the joint to the centre at rest, world axes
    radii: Float64  # (P,), metres

    def centres(self, world: Float64) -> Float64:
        """(F, P, 3) metres, from the joints' transforms (F, 24, 4, 4) of `forward_kinematics`.

        Parameters
        ----------
        world : Float64
            (F, 24, 4, 4), world from each joint at rest.

        Returns
        -------
        Float64
            (F, P, 3) metres, world.
        """
        bones = world[:, self.joints]
        return np.einsum("fpab,pb->fpa", bones[..., :3, :3], self.offsets) + bones[..., :3, 3]


@dataclass(frozen=True, eq=False)
class Lows:
    """The lowest points of parts of the body, frame by frame; soles are not looked at."""

    heights: Float64  # (F, 24), metres, of the flesh of each joint; infinite where it has none
    speeds: Float64  # (F - 1, 24), metres per second, of these points on the way to the next frame

    def of(self, joints: tuple[int, ...]) -> tuple[Float64, Float64]:
        """Height (F,) and speed (F - 1,) of the lowest of these parts.

        Parameters
        ----------
        joints : tuple[int, ...]
            Indices of SMPL joints.

        Returns
        -------
        tuple[Float64, Float64]
            (F,) metres and (F - 1,) metres per second.
        """
        at = self.heights[:, joints].argmin(axis=1)[:, None]
        heights = np.take_along_axis(self.heights[:, joints], at, axis=1)[:, 0]
        speeds = np.take_along_axis(self.speeds[:, joints], at[:-1], axis=1)[:, 0]
        return heights, speeds


def flesh_of(
    skeleton: Skeleton,
    vertices: Floats | None = None,
    weights: Floats | None = None,
) -> Flesh:
    """A body's flesh: the default body's, as large as the skeleton, and as thick as a surface.

    Thicker and thinner only by what bodies and close clothes differ: skirts do not carry anyone.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    vertices : Floats | None
        (V, 3) the surface at rest, world axes, metres, around the skeleton; None: the default
        body's.
    weights : Floats | None
        (V, 24) of the surface's skinning; None: the default body's.

    Returns
    -------
    Flesh
        Spheres around the joints.
    """
    scale = leg_length(skeleton) / LEG_M
    joints, offsets, radii = [], [], []
    for name, centre, radius in FLESH:
        joints.append(JOINT[name])
        offsets.append(centre)
        radii.append(radius)
        if name.startswith("left"):
            joints.append(PARTNERS[JOINT[name]])
            offsets.append((-centre[0], centre[1], centre[2]))
            radii.append(radius)
    usual = Flesh(np.array(joints), scale * np.array(offsets), scale * np.array(radii))
    if vertices is None or weights is None:
        return usual
    return _as_thick(usual, skeleton, vertices, weights)


def _as_thick(
    usual: Flesh,
    skeleton: Skeleton,
    vertices: Floats,
    weights: Floats,
) -> Flesh:
    """The flesh with radii such that it ends where the surface does, in most of the directions in
    which each sphere is outermost."""
    radii = usual.radii.copy()
    owner = np.asarray(weights).argmax(axis=1)
    for joint in np.unique(usual.joints):
        own = np.flatnonzero(usual.joints == joint)
        points = vertices[owner == joint] - skeleton.joints[joint]
        if joint in FEET or len(points) < _FEWEST_POINTS:
            continue
        ends = usual.offsets[own] @ _DIRECTIONS.T + usual.radii[own, None]
        beyond = (points @ _DIRECTIONS.T).max(axis=0) - ends.max(axis=0)
        outermost = ends.argmax(axis=0)
        outer = _OF_HANDS if joint in ARMS else _OF_BODY
        for row, sphere in enumerate(own):
            seen = beyond[outermost == row]
            if len(seen):
                change = float(np.clip(np.percentile(seen, outer), -_THINNER_M, _THICKER_M))
                radii[sphere] = max(radii[sphere] + change, _THINNEST_M)
    return Flesh(usual.joints, usual.offsets, radii)


def soles_down(world: Float64) -> Mask:
    """(F, 2) bool: whose feet's soles look down or, on tiptoe, back; not those of a person who
    kneels with the instep on the floor, or lies on the foot's side.

    Parameters
    ----------
    world : Float64
        (F, 24, 4, 4) of `forward_kinematics`.

    Returns
    -------
    Mask
        (F, 2).
    """
    on_side = np.abs(world[:, ANKLES, 2, 0]) > _ON_SIDE
    return (world[:, ANKLES, 2, 2] > -_SOLE_DOWN) & ~on_side


def lows_of(flesh: Flesh, world: Float64, fps: float) -> Lows:
    """The lowest points of all parts; world (F, 24, 4, 4) from `forward_kinematics`, fps frames
    per second.

    Parameters
    ----------
    flesh : Flesh
        The character's.
    world : Float64
        (F, 24, 4, 4) of `forward_kinematics`.
    fps : float
        Frames per second.

    Returns
    -------
    Lows
        For each part of the body.
    """
    heights = np.full((len(world), JOINT_COUNT), np.inf)
    speeds = np.zeros((max(len(world) - 1, 0), JOINT_COUNT))
    for joint in np.unique(flesh.joints):
        own = flesh.joints == joint
        turned = np.einsum("fab,pb->fpa", world[:, joint, :3, :3], flesh.offsets[own])
        # The point under the centre, as the body carries it on to the next frame.
        low = (turned[..., 2] - flesh.radii[own]).argmin(axis=1)
        every = np.arange(len(world))
        lowest = turned[every, low]
        lowest[:, 2] -= flesh.radii[own][low]
        heights[:, joint] = lowest[:, 2] + world[:, joint, 2, 3]
        back = np.einsum("fba,fb->fa", world[:, joint, :3, :3], lowest)[:-1]
        moved = np.einsum("fab,fb->fa", world[1:, joint, :3, :3], back) - lowest[:-1]
        moved += np.diff(world[:, joint, :3, 3], axis=0)
        speeds[:, joint] = np.linalg.norm(moved, axis=1) * fps
    on_soles = np.tile(world[:, ANKLES, 2, 2] > _SOLE_DOWN, 2)  # ankles, then toes
    heights[:, FEET] = np.where(on_soles, np.inf, heights[:, FEET])
    return Lows(heights, speeds)
