"""The relief that decimation leaves out, as a tangent-space normal map in the texture's atlas.

The dense sheets that came out of normal integration are compared with the triangles' interpolated
normals. Tangents are MikkTSpace's as far as it matters here: each chart is a picture of the photo,
so the direction in which u grows is the photo's x, carried by the surface and made orthogonal to
the interpolated normal. Stored as glTF has it: x along u, y along v, z outward, green up.
"""

from __future__ import annotations

import cv2
import numpy as np

from ... import frames
from ...body.rasterisation import fragments, vertex_normals
from ...types import Camera, Crop, Float32, Float64, Integers, Mask, UInt8
from ..surface.inflation import ClosedMesh
from ..surface.layer_reconstruction import Surface
from .atlas import AtlasLayout

FLAT = (128, 128, 255)
RIM_PX = 3.0  # grid pixels from the outline: the sheets end there, and the map fades to flat
STEEPEST = 0.7  # of the tilt's sine; beyond are steps between parts, not relief
RELIEF_BLUR_PX = 0.8  # grid pixels; less than a grid pixel is noise of the integration


def bake(surfaces: list[Surface], camera: Camera, crop: Crop, layout: AtlasLayout) -> UInt8:
    """(S, S, 3) uint8: the normal map of all charts, flat where there is nothing.

    Parameters
    ----------
    surfaces : list[Surface]
        One for each layer.
    camera : Camera
        The photo's.
    crop : Crop
        The grid.
    layout : AtlasLayout
        Where each chart is.

    Returns
    -------
    UInt8
        (S, S, 3).
    """
    atlas = np.full((layout.size, layout.size, 3), FLAT, np.uint8)
    for number, surface in enumerate(surfaces):
        for back, depth in ((0, surface.front_depth), (1, surface.back_depth)):
            tilt = sheet_normals(surface.mesh, depth, camera, crop, bool(back))
            chart = layout.charts[2 * number + back]
            width = min(int(np.ceil(chart.width * layout.scale)), layout.size - chart.left)
            height = min(int(np.ceil(chart.height * layout.scale)), layout.size - chart.top)
            step = crop.scale / layout.scale  # grid pixels an atlas pixel
            move = np.array(
                [
                    [step, 0, (chart.x0 - crop.x0) * crop.scale],
                    [0, step, (chart.y0 - crop.y0) * crop.scale],
                ]
            )
            atlas[chart.top : chart.top + height, chart.left : chart.left + width] = encoded(
                cv2.warpAffine(
                    tilt, move, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                    borderMode=cv2.BORDER_CONSTANT, borderValue=(0.0, 0.0, 1.0),
                )
            )  # fmt: skip
    return atlas


def encoded(normals: Float32) -> UInt8:
    """(..., 3) uint8 of normals (..., 3), made unit: -1 is 0, 0 is 128, 1 is 255.

    Parameters
    ----------
    normals : Float32
        (..., 3).

    Returns
    -------
    UInt8
        (..., 3).
    """
    unit = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    # 128 stands for exactly 0, so that flat is flat; glTF's own 127.5 has no such number.
    return np.clip(np.rint(unit * 127.0 + 128.0), 0, 255).astype(np.uint8)


def sheet_normals(
    mesh: ClosedMesh, depth: Float64, camera: Camera, crop: Crop, back: bool
) -> Float32:
    """(h, w, 3) unit, tangent space: the dense sheet's normals as its triangles see them.

    Parameters
    ----------
    mesh : ClosedMesh
        Whose triangles are lit.
    depth : Float64
        (h, w) metres, NaN outside.
    camera : Camera
        The photo's.
    crop : Crop
        The grid.
    back : bool
        The far sheet, whose chart is seen from inside.

    Returns
    -------
    Float32
        (h, w, 3).
    """
    inside = np.isfinite(depth)
    dense = _dense_normals(depth, camera, crop)
    points = frames.unproject(camera, frames.photo_from_grid(crop, mesh.pixels), mesh.depth)
    faces = mesh.triangles[mesh.front_count :] if back else mesh.triangles[: mesh.front_count]
    smooth, along = vertex_normals(points, mesh.triangles), _along_u(mesh.pixels, points, faces)
    pixel, triangle, share = fragments(mesh.pixels, mesh.depth, faces, crop)
    corner = faces[triangle]
    normal = _unit(np.einsum("kc,kcd->kd", share, smooth[corner]))
    tangent = np.einsum("kc,kcd->kd", share, along[corner])
    tangent = _unit(tangent - (tangent * normal).sum(axis=1, keepdims=True) * normal)
    # Seen through the character the far chart is mirrored: there v grows the other way round.
    across = np.cross(normal, tangent) * (-1.0 if back else 1.0)

    flat = np.zeros((*depth.shape, 3), np.float32)
    flat[..., 2] = 1
    seen = dense.reshape(-1, 3)[pixel]
    seen = np.where((seen * normal).sum(axis=1, keepdims=True) < 0, -seen, seen)
    tilt = np.stack([(seen * axis).sum(axis=1) for axis in (tangent, across, normal)], axis=1)
    flat.reshape(-1, 3)[pixel] = np.where(np.isfinite(tilt), tilt, (0.0, 0.0, 1.0))
    return _faded(flat, inside)


def _dense_normals(depth: Float64, camera: Camera, crop: Crop) -> Float64:
    """(h, w, 3) unit, either sense; NaN where a neighbour is missing."""
    x, y = np.meshgrid(np.arange(crop.width), np.arange(crop.height))
    grid = np.stack([x, y], axis=-1).astype(np.float64)
    points = frames.unproject(camera, frames.photo_from_grid(crop, grid), depth)
    right, down = np.full_like(points, np.nan), np.full_like(points, np.nan)
    right[:, 1:-1] = points[:, 2:] - points[:, :-2]
    down[1:-1] = points[2:] - points[:-2]
    return _unit(np.cross(right, down))


def _along_u(pixels: Float64, points: Float64, faces: Integers) -> Float64:
    """(V, 3) how the surface runs when u grows, mean over a vertex's triangles by their area."""
    a, b, c = (faces[:, k] for k in range(3))
    first, second = pixels[b] - pixels[a], pixels[c] - pixels[a]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    # Solve P(x) = P_a + J (x - x_a) for J's column of x, times the area.
    column = second[:, 1:] * (points[b] - points[a]) - first[:, 1:] * (points[c] - points[a])
    column *= np.sign(area)[:, None]
    total = np.zeros_like(points)
    for axis in range(3):
        total[:, axis] = np.bincount(
            faces.ravel(), np.repeat(column[:, axis], 3), minlength=len(points)
        )
    return total


def _faded(tilt: Float32, inside: Mask) -> Float32:
    """Noise taken out, steps limited, and nothing left at the outline."""
    lateral = cv2.GaussianBlur(tilt[..., :2], (0, 0), RELIEF_BLUR_PX)
    size = np.linalg.norm(lateral, axis=-1, keepdims=True)
    lateral = lateral * np.minimum(1.0, STEEPEST / np.maximum(size, 1e-9))
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    lateral = lateral * np.clip(distance / RIM_PX - 1.0, 0.0, 1.0)[..., None]
    upright = np.sqrt(1.0 - (lateral**2).sum(axis=-1, keepdims=True))
    return np.concatenate([lateral, upright], axis=-1).astype(np.float32)


def _unit(vectors: Float64) -> Float64:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
