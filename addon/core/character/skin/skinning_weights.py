"""Skinning weights of the character's vertices: smooth, four at most, summing to one."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ...types import Float32, Float64, Int32

MOST_INFLUENCES = 4  # glTF's JOINTS_0 / WEIGHTS_0 carry four, and so do most engines
SMOOTHING_ROUNDS = 6  # evens out steps of the warp over about as many edges
SMOOTHING_SHARE = 0.5
MOST_TAKEN = 0.9  # of a row's largest weight
# A blend of opposite rotations flattens space, and undoing it throws vertices far away: no
# direction may shrink below this under a vertex's blended transform.
LEAST_STRETCH = 0.45
SHARPENING_POWERS = (1.5, 2.5, 5.0, 12.0, 60.0)


def finish(weights: Float32, triangles: Int32) -> Float32:
    """Smooth weights over the mesh and keep the four largest of each vertex.

    Parameters
    ----------
    weights : Float32
        (V, 24) float32, non-negative.
    triangles : Int32
        (T, 3).

    Returns
    -------
    Float32
        (V, 24) float32 whose rows sum to 1 to float precision.
    """
    return strongest(smooth(weights, triangles))


def smooth(weights: Float32, triangles: Int32) -> Float32:
    """Laplacian smoothing of weights over the mesh's edges.

    Parameters
    ----------
    weights : Float32
        (V, 24).
    triangles : Int32
        (T, 3) vertices.

    Returns
    -------
    Float32
        (V, 24).
    """
    count = len(weights)
    start = triangles[:, [0, 1, 2]].ravel()
    end = triangles[:, [1, 2, 0]].ravel()
    adjacency = sparse.csr_matrix((np.ones(len(start)), (start, end)), shape=(count, count))
    adjacency = ((adjacency + adjacency.T) > 0).astype(np.float64)
    degree = np.maximum(np.asarray(adjacency.sum(axis=1)), 1.0)
    smoothed = weights.astype(np.float64)
    for _ in range(SMOOTHING_ROUNDS):
        mean = (adjacency @ smoothed) / degree
        smoothed += SMOOTHING_SHARE * (mean - smoothed)
    return smoothed.astype(np.float32)


def strongest(weights: Float32) -> Float32:
    """Keep the MOST_INFLUENCES largest weights of each row and let them sum to one.

    The largest weight that goes is taken off from those that stay: weights that change little
    from vertex to vertex still do so afterwards, where one bone takes another's place.

    Parameters
    ----------
    weights : Float32
        (V, 24), non-negative.

    Returns
    -------
    Float32
        (V, 24), rows sum to 1.
    """
    ranked = np.sort(weights.astype(np.float64), axis=1)[:, ::-1]
    first_gone = ranked[:, MOST_INFLUENCES : MOST_INFLUENCES + 1]
    # A row of equal weights would lose everything.
    taken = np.minimum(first_gone, MOST_TAKEN * ranked[:, :1])
    order = np.argsort(-weights, axis=1, kind="stable")[:, :MOST_INFLUENCES]
    rows = np.arange(len(weights))[:, None]
    kept = np.zeros(weights.shape, np.float64)
    kept[rows, order] = weights[rows, order] - taken
    kept = np.maximum(kept, 0.0)
    kept /= kept.sum(axis=1, keepdims=True)
    return kept.astype(np.float32)


def invertible(weights: Float32, matrices: Float64) -> Float32:
    """Sharpen the weights of vertices whose blended transform is all but singular.

    The sharper a row, the nearer its blend is to one bone's rigid motion.

    Parameters
    ----------
    weights : Float32
        (V, 24) rows that sum to 1.
    matrices : Float64
        (24, 4, 4) rest to pose.

    Returns
    -------
    Float32
        (V, 24), rows sum to 1.
    """
    result = weights.copy()
    flat = np.arange(len(weights))
    for power in SHARPENING_POWERS:
        blended = np.einsum("vj,jab->vab", result[flat].astype(np.float64), matrices[:, :3, :3])
        smallest = np.linalg.svd(blended, compute_uv=False)[:, -1]
        flat = flat[smallest < LEAST_STRETCH]
        if len(flat) == 0:
            break
        sharp = weights[flat].astype(np.float64) ** power
        result[flat] = (sharp / sharp.sum(axis=1, keepdims=True)).astype(np.float32)
    return result
