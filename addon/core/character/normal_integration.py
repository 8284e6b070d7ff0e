"""Depth from normals under perspective, with depth given on the outline.

Photo Wake-Up section 4.2 after Basri, Jacobs, Kemelmacher-Shlizerman (2007). With a surface
point P = Z r, r = ((u - cx) / f, (v - cy) / f, 1), a normal n is at right angles to dP/du, so for
w = log Z

    (n . r) (w_{u+1} - w_u) = -n_x / f        and the same with v and n_y:

linear in w, exact under perspective, and multiplied through by n . r, so that pixels on the rim,
where the surface turns away, do not explode. A soft prior pulls w towards the body's depth, which
decides what normals leave open: steps between parts, and the offset of each part.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from ..types import Float32, Float64, Mask

Index = npt.NDArray[np.int64]


def integrate(
    normal: Float32,
    inside: Mask,
    rays: Float64,
    focal_grid: float,
    rim_depth: Float64,
    rim: Mask,
    prior: Float64 | None = None,
    prior_weight: float = 0.0,
) -> Float64:
    """Depth (h, w) of a sheet, NaN outside.

    normal : (h, w, 3) unit, camera frame, outward (front sheet: n . r < 0)
    inside : (h, w) pixels of the sheet; rim : its outline pixels, where `rim_depth` (h, w),
        metres, holds exactly
    rays : (h, w, 3), z = 1, through the pixels' centres; focal_grid : focal length in grid pixels
    prior : (h, w) depth in metres, pulled to with `prior_weight` (per pixel, relative to the
        normals' equations)
    """
    index = np.full(inside.shape, -1, np.int64)
    index[inside] = np.arange(int(inside.sum()))
    n_ray = np.einsum("hwc,hwc->hw", normal, rays)
    equations: list[tuple[npt.NDArray, ...]] = []
    for axis, component in ((1, 0), (0, 1)):
        here, there = _neighbours(inside, axis)
        turned = (n_ray[here] + n_ray[there]) / 2
        slope = -(normal[..., component][here] + normal[..., component][there]) / 2 / focal_grid
        equations.append((index[here], index[there], turned, slope))
    start = np.concatenate([e[0] for e in equations])
    end = np.concatenate([e[1] for e in equations])
    turned = np.concatenate([e[2] for e in equations]).astype(np.float64)
    slope = np.concatenate([e[3] for e in equations]).astype(np.float64)

    count = int(inside.sum())
    rows = np.arange(len(start))
    difference = sparse.csr_matrix(
        (
            np.concatenate([-turned, turned]),
            (np.concatenate([rows, rows]), np.concatenate([start, end])),
        ),
        shape=(len(start), count),
    )
    matrix = (difference.T @ difference).tocsc()
    right = difference.T @ slope
    if prior is not None and prior_weight > 0:
        matrix = matrix + prior_weight * sparse.identity(count, format="csc")
        right = right + prior_weight * np.log(prior[inside])

    fixed = rim[inside]
    known = np.log(rim_depth[inside][fixed])
    free = ~fixed
    log_depth = np.empty(count)
    log_depth[fixed] = known
    if free.any():
        reduced = matrix[free][:, free].tocsc()
        # The rim's equations may be all but empty: a whisper of regularity keeps the matrix whole.
        reduced = reduced + 1e-12 * sparse.identity(reduced.shape[0], format="csc")
        load = right[free] - matrix[free][:, fixed] @ known
        log_depth[free] = splu(
            reduced, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
        ).solve(load)
    depth = np.full(inside.shape, np.nan)
    depth[inside] = np.exp(log_depth)
    return depth


def _neighbours(inside: Mask, axis: int) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    """Index tuples of each pair of neighbouring inside pixels along an axis."""
    first = [slice(None)] * 2
    second = [slice(None)] * 2
    first[axis] = slice(None, -1)
    second[axis] = slice(1, None)
    both = np.nonzero(inside[tuple(first)] & inside[tuple(second)])
    offset = [0, 0]
    offset[axis] = 1
    return both, (both[0] + offset[0], both[1] + offset[1])
