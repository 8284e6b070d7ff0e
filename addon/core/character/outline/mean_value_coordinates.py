"""Mean-value coordinates: carry values from an outline into the plane (Floater 2003)."""

from __future__ import annotations

import numba
import numpy as np

from ...types import Float32, Float64, Int32

ON_OUTLINE = 1e-9  # pixels: a point this near to an edge or a corner is on it
DOMINANT = 1e9  # stands for the tangent of a right angle


def interpolate(
    points: Float64, loops: tuple[Float64, ...], values: tuple[Float64, ...]
) -> Float32:
    """Values (N, k) at points, from values given at the corners of closed loops.

    lambda_i = w_i / sum w,  w_i = (tan(a_{i-1} / 2) + tan(a_i / 2)) / |p_i - x|, with signed
    angles, so holes are carried by their own corners. tan(a / 2) = cross / (r r' + dot) is stable
    as a goes to 0; a point on a corner takes the corner's value.

    Parameters
    ----------
    points : Float64
        (N, 2).
    loops : tuple[Float64, ...]
        Closed polygons (n_l, 2), the outer one first, holes turning the other way.
    values : tuple[Float64, ...]
        (n_l, k), one row per corner.

    Returns
    -------
    Float32
        (N, k).
    """
    ends = np.cumsum([len(loop) for loop in loops]).astype(np.int32)
    # Float64: on the outline numerator and denominator both vanish.
    return _interpolated(
        np.ascontiguousarray(points, np.float64),
        np.ascontiguousarray(np.vstack(loops).T, np.float64),
        ends,
        np.ascontiguousarray(np.vstack(values), np.float64),
    )


@numba.njit(cache=True, error_model="numpy")
def _interpolated(points: Float64, corners: Float64, ends: Int32, values: Float64) -> Float32:
    """corners : (2, n) of all loops one after the other; ends : where each ends

    Three plain passes over the corners of each point, which the compiler turns into vector
    instructions.
    """
    count = corners.shape[1]
    dx, dy, r, half = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    result = np.empty((len(points), values.shape[1]), np.float32)
    for p in range(len(points)):
        x, y = points[p, 0], points[p, 1]
        for i in range(count):
            dx[i] = corners[0, i] - x
            dy[i] = corners[1, i] - y
            r[i] = max(np.sqrt(dx[i] * dx[i] + dy[i] * dy[i]), ON_OUTLINE)
        first = 0
        for end in ends:
            for i in range(first, end - 1):
                half[i] = _half_tangent(dx[i], dy[i], r[i], dx[i + 1], dy[i + 1], r[i + 1])
            last = end - 1
            half[last] = _half_tangent(dx[last], dy[last], r[last], dx[first], dy[first], r[first])
            first = end
        total = 0.0
        blended = np.zeros(values.shape[1])
        first = 0
        for end in ends:
            before = half[end - 1]
            for i in range(first, end):
                weight = (before + half[i]) / r[i]
                before = half[i]
                total += weight
                for k in range(values.shape[1]):
                    blended[k] += weight * values[i, k]
            first = end
        for k in range(values.shape[1]):
            result[p, k] = blended[k] / total
    return result


@numba.njit(cache=True, error_model="numpy")
def _half_tangent(
    dx: float, dy: float, r: float, dx_next: float, dy_next: float, r_next: float
) -> float:
    """The tangent of half the angle under which an edge is seen.

    On an edge the angle is straight: its tangent dominates, which leaves linear interpolation
    between the edge's ends. At a corner both of its edges are such.
    """
    opening = r * r_next + dx * dx_next + dy * dy_next
    tangent = (dx * dy_next - dx_next * dy) / opening
    return DOMINANT if opening <= ON_OUTLINE * (r + r_next) else tangent
