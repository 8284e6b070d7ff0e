"""Mean-value coordinates: carry values from an outline into the plane (Floater 2003)."""

from __future__ import annotations

import numpy as np
import torch

from ..types import Float32, Float64

POINTS_A_BATCH = 4096  # bounds the memory of the points x corners table to about 50 MB
ON_OUTLINE = 1e-9  # pixels: a point this near to an edge or a corner is on it
DOMINANT = 1e9  # stands for the tangent of a right angle


def interpolate(
    points: Float64, loops: tuple[Float64, ...], values: tuple[Float64, ...]
) -> Float32:
    """Values (N, k) at points, from values given at the corners of closed loops.

    points : (N, 2); loops : closed polygons (n_l, 2), the outer one first, holes turning the
    other way; values : (n_l, k), one row a corner.

    lambda_i = w_i / sum w,  w_i = (tan(a_{i-1} / 2) + tan(a_i / 2)) / |p_i - x|, with signed
    angles, so holes are carried by their own corners. tan(a / 2) = cross / (r r' + dot) is stable
    as a goes to 0; a point on a corner takes the corner's value.
    """
    # Float64: on the outline numerator and denominator both vanish.
    corner = [torch.from_numpy(np.ascontiguousarray(loop)) for loop in loops]
    value = torch.from_numpy(np.ascontiguousarray(np.vstack(values)))
    result = np.empty((len(points), value.shape[1]), np.float32)
    for low in range(0, len(points), POINTS_A_BATCH):
        x = torch.from_numpy(np.ascontiguousarray(points[low : low + POINTS_A_BATCH]))
        weights = torch.cat([_weights(x, loop) for loop in corner], dim=1)
        blended = weights @ value / weights.sum(dim=1, keepdim=True)
        result[low : low + POINTS_A_BATCH] = blended.float().numpy()
    return result


def _weights(x: torch.Tensor, loop: torch.Tensor) -> torch.Tensor:
    """Unnormalised weights (N, n) of a loop's corners."""
    dx = loop[None, :, 0] - x[:, None, 0]
    dy = loop[None, :, 1] - x[:, None, 1]
    r = torch.sqrt(dx * dx + dy * dy).clamp_min(ON_OUTLINE)
    dx_next, dy_next, r_next = (torch.roll(a, -1, dims=1) for a in (dx, dy, r))
    cross = dx * dy_next - dx_next * dy
    opening = r * r_next + dx * dx_next + dy * dy_next
    # On an edge the angle is straight: its tangent dominates, which leaves linear interpolation
    # between the edge's ends. At a corner both of its edges are such.
    half = torch.where(opening <= ON_OUTLINE * (r + r_next), DOMINANT, cross / opening)
    return (torch.roll(half, 1, dims=1) + half) / r
