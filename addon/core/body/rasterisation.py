"""The fitted body as seen by the photo's camera: a z-buffer without loops over triangles.

Nearest and farthest surface along the same rays: the body's "back view" (Photo Wake-Up, section
4.3) then has exactly the front's silhouette, which the mirrored camera of the paper has not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import frames
from ..types import AnyArray, BodyMaps, Crop, FittedBody, Float32, Float64, Integers, SurfaceMaps
from .model.body_model import BodyModel
from .model.parts import part_of_joint

Index = npt.NDArray[np.int64]

NEAR_M = 0.05  # triangles nearer to the camera than this are not drawn


def render_maps(
    model: BodyModel, fitted: FittedBody, crop: Crop, faces: npt.NDArray[np.bool_] | None = None
) -> BodyMaps:
    """Depth, normals, weights, labels and vertices of the body on a crop's grid.

    Parameters
    ----------
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.
    crop : Crop
        The grid.
    faces : npt.NDArray[np.bool_] | None
        (F,) bool, the faces that are drawn; all of them where none are named.

    Returns
    -------
    BodyMaps
        Front and back.
    """
    vertices = fitted.vertices.astype(np.float64)
    normals = vertex_normals(vertices, model.faces)
    grid = frames.grid_from_photo(crop, frames.project(fitted.camera, vertices))
    drawn = np.arange(len(model.faces)) if faces is None else np.nonzero(faces)[0]
    pixel, triangle, share = fragments(grid, vertices[:, 2], model.faces[drawn], crop)
    triangle = drawn[triangle]
    # Perspective-correct: shares in the image, divided by depth, give shares on the triangle.
    corner_depth = vertices[model.faces[triangle], 2]
    share = share / corner_depth
    depth = 1.0 / share.sum(axis=1)
    share = share * depth[:, None]
    front = _sheet(model, normals, crop, pixel, triangle, share, depth, nearest=True)
    back = _sheet(model, normals, crop, pixel, triangle, share, depth, nearest=False)
    return BodyMaps(crop, front, back)


def vertex_normals(vertices: Float64, faces: Integers) -> Float64:
    """(V, 3) unit outward normals, area-weighted.

    Parameters
    ----------
    vertices : Float64
        (V, 3).
    faces : Integers
        (F, 3), counter-clockwise seen from outside.

    Returns
    -------
    Float64
        (V, 3).
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(faces[:, k], face[:, axis], len(vertices))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def fragments(
    grid: Float64, depth: Float64, faces: Integers, crop: Crop
) -> tuple[Index, Index, Float64]:
    """All pairs of a triangle and a pixel centre in it.

    Parameters
    ----------
    grid : Float64
        (V, 2) pixels of the grid.
    depth : Float64
        (V,) metres along the camera's z.
    faces : Integers
        (F, 3).
    crop : Crop
        The grid.

    Returns
    -------
    tuple[Index, Index, Float64]
        Flat pixel indices (K,), triangles (K,) and barycentric shares (K, 3) in the image.
    """
    corner = grid[faces]
    drawn = (depth[faces] > NEAR_M).all(axis=1)
    low = np.ceil(corner.min(axis=1)).astype(np.int64)
    high = np.floor(corner.max(axis=1)).astype(np.int64)
    low = np.maximum(low, 0)
    high = np.minimum(high, [crop.width - 1, crop.height - 1])
    size = np.maximum(high - low + 1, 0)
    candidates = np.where(drawn, size[:, 0] * size[:, 1], 0)
    triangle = np.repeat(np.arange(len(faces)), candidates)
    within = np.arange(len(triangle)) - np.repeat(np.cumsum(candidates) - candidates, candidates)
    x = low[triangle, 0] + within % size[triangle, 0]
    y = low[triangle, 1] + within // size[triangle, 0]

    a, b, c = (corner[:, k] for k in range(3))
    area: Float64 = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (
        c[:, 0] - a[:, 0]
    )
    point = np.stack([x, y], axis=1).astype(np.float64)

    def twice_area(p: Float64, q: Float64) -> Float64:
        p, q = p[triangle], q[triangle]
        return (q[:, 0] - p[:, 0]) * (point[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (
            point[:, 0] - p[:, 0]
        )

    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.stack([twice_area(b, c), twice_area(c, a), twice_area(a, b)], axis=1)
        share /= area[triangle, None]
        inside = (share >= -1e-9).all(axis=1) & (np.abs(area[triangle]) > 1e-12)
    return (y * crop.width + x)[inside], triangle[inside], np.clip(share[inside], 0, 1)


def _sheet(
    model: BodyModel,
    normals: Float64,
    crop: Crop,
    pixel: Index,
    triangle: Index,
    share: Float64,
    depth: Float64,
    nearest: bool,
) -> SurfaceMaps:
    order = np.lexsort((depth if nearest else -depth, pixel))
    first = np.ones(len(order), bool)
    first[1:] = pixel[order[1:]] != pixel[order[:-1]]
    seen = order[first]
    corner = model.faces[triangle[seen]]
    part = share[seen]
    count = crop.height * crop.width
    at = pixel[seen]

    def spread(values: npt.NDArray[np.generic], empty: float, dtype: type) -> AnyArray:
        # Zeros cost nothing until they are written to: most of the grid never is.
        image: AnyArray = np.zeros((count, *values.shape[1:]), dtype)
        if empty != 0:
            image[:] = empty
        image[at] = values
        return image.reshape(crop.height, crop.width, *values.shape[1:])

    normal = np.einsum("kc,kcd->kd", part, normals[corner])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    weights: Float32 = np.einsum("kc,kcj->kj", part.astype(np.float32), model.weights[corner])
    label = part_of_joint()[weights.argmax(axis=1)] if len(weights) else np.zeros(0, np.uint8)
    strongest = np.take_along_axis(corner, part.argmax(axis=1)[:, None], axis=1)[:, 0]
    return SurfaceMaps(
        depth=spread(depth[seen], np.nan, np.float32),
        normal=spread(normal, np.nan, np.float32),
        weights=spread(weights, 0, np.float32),
        label=spread(label, 0, np.uint8),
        vertex=spread(strongest, -1, np.int32),
    )
