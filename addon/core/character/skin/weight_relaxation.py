"""Skinning weights relaxed until no edge of the mesh is torn in any extreme of human motion.

Where parts that lie side by side in the photo share a surface (an arm on the trunk, thighs under
a skirt), the warped weights change within a few edges, and these edges become webs as soon as the
parts move apart. The change is spread over just as much of the surface as it takes:

    min_w  sum_i |w_i - w0_i|^2    subject to    |e(w, k)| <= limit |e0|  for all edges e, poses k

Each edge's constraint becomes a stiffness c_e of a graph Laplacian, w = (I + L_c)^-1 w0, found by
multiplicative steps (c_e grows by its excess, fades where there is slack), which is the condition
of Karush, Kuhn and Tucker: stiff edges are those that are just as long as they may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu
from scipy.spatial.transform import Rotation

from ...body.model.skeleton import JOINT, JOINT_COUNT
from ...body.world_pose import skin_matrices, unskin_vertices
from ...types import Float32, Float64, Int32, Mask, Pose, Skeleton
from .skinning_weights import strongest

# Five times its length in the photo, a surface's texture visibly tears.
TORN = 5.0

Turns = dict[str, tuple[tuple[str, float], ...]]


@dataclass(frozen=True)
class RelaxationTerms:
    """How far and how fast weights give way."""

    # An edge may grow to so many times its length in the photo: below TORN, because motions may
    # go a little beyond the extreme poses.
    limit: float = 3.75
    rounds: int = 40  # after a dozen nearly all edges keep the limit
    first_stiffness: float = 0.5  # of an edge that exceeds the limit: a neighbour's pull per own
    tolerance: float = 1.1  # over the limit: the last tenth would take as long as all the rest
    growth: float = 1.5  # power of the excess by which stiffness grows in a round
    largest_step: float = 8.0  # of the excess in one round
    slack: float = 0.5  # stiffness falls at most to this share in a round
    least_stiffness: float = 0.01  # below it an edge is free again
    most_stiffness: float = 1e6  # joins a thousand edges all but rigidly; beyond, sums lose digits


DEFAULT = RelaxationTerms()


def both(turns: Turns) -> Turns:
    """Turns of left joints, given without their side, with their mirror images on the right.

    Parameters
    ----------
    turns : Turns
        Names of joints, and their rotations.

    Returns
    -------
    Turns
        Twice as many joints.
    """
    mirrored = {"x": 1.0, "y": -1.0, "z": -1.0}
    return {
        f"{side}_{joint}": tuple(
            (axis, angle if side == "left" else mirrored[axis] * angle) for axis, angle in steps
        )
        for joint, steps in turns.items()
        for side in ("left", "right")
    }


# Ends of the common range of motion. Degrees about the world's axes at rest (x to the person's
# left, -y ahead, z up), one turn after the other, from a T-pose.
_BENT_SPINE = ("spine1", "spine2", "spine3")
_TURNED: Turns = dict.fromkeys(_BENT_SPINE, (("z", 15.0),))
_TURNED |= dict.fromkeys(("neck", "head"), (("z", 25.0),))
_BOWED: Turns = dict.fromkeys(_BENT_SPINE, (("x", -20.0),))
_BOWED["neck"] = (("x", -25.0),)
EXTREMES: tuple[Turns, ...] = (
    {},
    both({"shoulder": (("y", 75.0),)}),  # arms down
    both({"collar": (("y", -20.0),), "shoulder": (("y", -60.0),)}),  # overhead
    both({"shoulder": (("z", -90.0),), "elbow": (("z", -120.0),)}),  # ahead, folded
    both({"shoulder": (("z", -90.0), ("x", -75.0))}),  # up, by way of the front
    both({"shoulder": (("z", 35.0),)}),  # behind
    both({"hip": (("x", -95.0),), "knee": (("x", 100.0),), "shoulder": (("y", 60.0),)}),  # seated
    both({"hip": (("y", -25.0),)}),  # astride
    {  # strides
        "left_hip": (("x", -60.0),), "right_hip": (("x", 30.0),), "right_knee": (("x", 90.0),),
        "left_shoulder": (("y", 70.0), ("x", 40.0)), "right_shoulder": (("y", -70.0), ("x", -40.0)),
    },
    {
        "right_hip": (("x", -60.0),), "left_hip": (("x", 30.0),), "left_knee": (("x", 90.0),),
        "right_shoulder": (("y", -70.0), ("x", 40.0)), "left_shoulder": (("y", 70.0), ("x", -40.0)),
    },
    _TURNED,
    {joint: tuple((axis, -angle) for axis, angle in steps) for joint, steps in _TURNED.items()},
    _BOWED | both({"ankle": (("x", 35.0),)}),  # on tiptoe
)  # fmt: skip


def extreme_transforms(skeleton: Skeleton) -> Float64:
    """(K, 24, 4, 4) from rest to each extreme pose.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.

    Returns
    -------
    Float64
        (K, 24, 4, 4).
    """
    return np.stack([skin_matrices(skeleton, pose_with(turns, skeleton)) for turns in EXTREMES])


def pose_with(turns: Turns, skeleton: Skeleton) -> Pose:
    """A pose given by turns from the T-pose, the pelvis at its place at rest.

    Parameters
    ----------
    turns : Turns
        Names of joints, and their rotations, degrees.
    skeleton : Skeleton
        The character's.

    Returns
    -------
    Pose
        World.
    """
    local = [Rotation.identity()] * JOINT_COUNT
    for joint, steps in turns.items():
        for axis, degrees in steps:
            turn = Rotation.from_euler(axis, degrees, degrees=True)
            local[JOINT[joint]] = turn * local[JOINT[joint]]
    quaternions = np.stack([turn.as_quat(scalar_first=True) for turn in local])
    return Pose(quaternions, skeleton.joints[0])


def edges_of(triangles: Int32) -> Int32:
    """(E, 2) each edge of a mesh once.

    Parameters
    ----------
    triangles : Int32
        (T, 3) vertices.

    Returns
    -------
    Int32
        (E, 2).
    """
    every = np.sort(np.vstack([triangles[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    return np.unique(every, axis=0)


def stretch(
    posed: Float64, weights: Float32 | Float64, photo: Float64, transforms: Float64, edges: Int32
) -> Float64:
    """(E,) the largest |e| / |e0| of each edge over some poses.

    Parameters
    ----------
    posed : Float64
        (V, 3) in the photo's pose.
    weights : Float32 | Float64
        (V, 24), rows sum to 1.
    photo : Float64
        (24, 4, 4) from rest to it.
    transforms : Float64
        (K, 24, 4, 4) from rest to the poses.
    edges : Int32
        (E, 2) vertices.

    Returns
    -------
    Float64
        (E,).
    """
    rest = unskin_vertices(posed, weights, photo)
    homogeneous = np.concatenate([rest, np.ones((len(rest), 1))], axis=1)
    flat = transforms[:, :, :3].transpose(1, 0, 2, 3).reshape(transforms.shape[1], -1)
    blended = (weights @ flat).reshape(len(rest), -1, 4)
    moved = (blended @ homogeneous[..., None])[..., 0].reshape(len(rest), -1, 3)
    difference = moved[edges[:, 0]] - moved[edges[:, 1]]
    longest = (difference**2).sum(axis=-1).max(axis=1)
    own = ((posed[edges[:, 0]] - posed[edges[:, 1]]) ** 2).sum(axis=1)
    return np.sqrt(longest / own)


def relax(
    posed: Float64,
    weights: Float32,
    triangles: Int32,
    skeleton: Skeleton,
    photo: Float64,
    terms: RelaxationTerms = DEFAULT,
) -> Float32:
    """Weights (V, 24), four per row that sum to 1, with which no edge exceeds the limit, as near to
    the given ones as that allows.

    Where relaxing does not help (a pose that cannot be undone), the given weights stay, so the
    longest edge never becomes longer.

    Parameters
    ----------
    posed : Float64
        (V, 3) metres in the photo's pose.
    weights : Float32
        (V, 24), rows sum to 1.
    triangles : Int32
        (T, 3) vertices.
    skeleton : Skeleton
        The character's.
    photo : Float64
        (24, 4, 4) from rest to it.
    terms : RelaxationTerms
        Limit and weights.

    Returns
    -------
    Float32
        (V, 24), rows sum to 1.
    """
    given = strongest(weights)
    edges = edges_of(triangles)
    transforms = extreme_transforms(skeleton)
    before = stretch(posed, given, photo, transforms, edges)
    stiffness = np.zeros(len(edges))
    relaxed, now = given, before
    for _ in range(terms.rounds):
        if now.max() <= terms.tolerance * terms.limit:
            break
        stiffness = _stepped(stiffness, now / terms.limit, terms)
        free = np.zeros(len(posed), bool)
        free[edges[stiffness > 0]] = True
        relaxed = given.copy()
        relaxed[free] = strongest(_diffused(given, stiffness, edges, free))
        # All but these edges are as they were.
        near = free[edges].any(axis=1)
        now = before.copy()
        now[near] = _stretch_of(near, posed, relaxed, photo, transforms, edges)
    return _kept_where_better(given, relaxed, before, now, edges, TORN)


def _stepped(stiffness: Float64, ratio: Float64, terms: RelaxationTerms) -> Float64:
    """Stiffness after a round, from each edge's stretch over the limit."""
    grown = np.maximum(stiffness, terms.first_stiffness)
    grown = grown * np.minimum(ratio, terms.largest_step) ** terms.growth
    fading = stiffness * np.maximum(ratio, terms.slack)
    stepped = np.minimum(np.where(ratio > 1, grown, fading), terms.most_stiffness)
    return np.where(stepped < terms.least_stiffness, 0.0, stepped)


def _diffused(given: Float32, stiffness: Float64, edges: Int32, free: Mask) -> Float32:
    """(F, 24) solution of (I + L) w = w0 on the free vertices; no stiff edge leaves them."""
    number = np.cumsum(free) - 1
    stiff = stiffness > 0
    ends, pull = number[edges[stiff]], stiffness[stiff]
    count = int(free.sum())
    adjacency = sparse.coo_matrix((pull, (ends[:, 0], ends[:, 1])), shape=(count, count))
    adjacency = adjacency + adjacency.T
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    system = (sparse.diags(1.0 + degree) - adjacency).tocsc()
    solver = splu(system, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return np.maximum(solver.solve(given[free].astype(np.float64)), 0.0).astype(np.float32)


def _stretch_of(
    chosen: Mask, posed: Float64, weights: Float32, photo: Float64, transforms: Float64,
    edges: Int32,
) -> Float64:  # fmt: skip
    """`stretch` of some edges only."""
    used, ends = np.unique(edges[chosen], return_inverse=True)
    return stretch(posed[used], weights[used], photo, transforms, ends.reshape(-1, 2))


def _kept_where_better(
    given: Float32, relaxed: Float32, before: Float64, after: Float64, edges: Int32, limit: float
) -> Float32:
    """The relaxed weights but in those connected patches in which the longest edge or the number
    of edges over the limit has grown."""
    changed = (given != relaxed).any(axis=1)
    # An edge with one changed end belongs to that end's patch.
    inner = edges[changed[edges].all(axis=1)]
    graph = sparse.coo_matrix((np.ones(len(inner)), (inner[:, 0], inner[:, 1])), [len(given)] * 2)
    count, patch = connected_components(graph, directed=False)
    longest, over = np.zeros((2, count)), np.zeros((2, count))
    touched = changed[edges].any(axis=1)
    of_patch = patch[np.where(changed[edges[:, 0]], edges[:, 0], edges[:, 1])][touched]
    for k, values in enumerate((before, after)):
        np.maximum.at(longest[k], of_patch, values[touched])
        over[k] = np.bincount(of_patch, values[touched] > limit, minlength=count)
    better = (longest[1] <= longest[0]) & (over[1] <= over[0])
    return np.where(better[patch][:, None], relaxed, given)
