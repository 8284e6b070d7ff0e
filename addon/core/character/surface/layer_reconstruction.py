"""One layer's way from warped maps to a closed surface, and the order of layers in depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ... import frames
from ...body.model.body_model import BodyModel
from ...imaging.fill_nearest import nearest_in
from ...types import (
    BodyMaps,
    Camera,
    Crop,
    Face,
    FittedBody,
    Float32,
    Float64,
    Int32,
    Mask,
    SolveInfo,
)
from ..layers.division import Layer
from ..outline.warp import Warp, WarpedSheet, seen_through, warp_sheet
from . import triangulation
from .face_relief import with_face
from .inflation import ClosedMesh, least_thickness, lift, sample_inside
from .normal_integration import integrate
from .occluding_contour import Rim, depth_between, rim_of

# Pull of the body's depth against one normal equation: takes over beyond about 100 pixels, so
# relief comes from the normals and the placing of parts from the body.
DEPTH_PRIOR_WEIGHT = 1e-4
RIM_REACH_PX = 2  # grid pixels that a layer's surface may reach beyond what the photo shows of it
ON_BODY_M = 0.03  # from a sheet of the body; nearer, the relief is that of clothes and muscles
NEAREST_FACES = 4  # whose weights are averaged
LEAST_DISTANCE_M = 0.004  # nearer faces count the same
LAYER_GAP_M = 0.004  # between what the photo shows and what lies behind it


_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Surface:
    """A layer's closed surface with what the later steps need of it."""

    layer: Layer
    mapping: Warp  # in the layer's own window
    mesh: ClosedMesh
    weights: Float32  # (V, 24), before smoothing
    front_depth: Float64  # (h, w), metres, NaN outside
    back_depth: Float64  # (h, w), the same of the far sheet
    holes: Mask  # (2, h, w) of both sheets, in the layer's window
    front_vertex: Int32  # (h, w), the body's vertex at each pixel, -1 outside
    back_vertex: Int32  # (h, w), the same of the far sheet
    solve: SolveInfo  # of the normals' integration


def lift_layer(
    layer: Layer,
    flat: triangulation.FlatMesh,
    maps: BodyMaps,
    mapping: Warp,
    model: BodyModel,
    fitted: FittedBody,
    face: Face | None = None,
) -> Surface:
    """Integrate a layer's two sheets and close them to a surface of triangles.

    Parameters
    ----------
    layer : Layer
        What is lifted.
    flat : triangulation.FlatMesh
        The layer's outline filled with triangles.
    maps : BodyMaps
        The layer's, same grid.
    mapping : Warp
        The layer's, same grid.
    model : BodyModel
        Whose weights the surface takes.
    fitted : FittedBody
        The body.
    face : Face | None
        The person's, where the layer is the one that has the head.

    Returns
    -------
    Surface
        Closed, on the layer's grid.
    """
    front, back = warp_sheet(mapping, maps.front), warp_sheet(mapping, maps.back)
    if face is not None:
        front = with_face(front, face, fitted.camera, maps.crop, mapping.inside)
    sheets = integrate_sheets(mapping, front, back, fitted.camera, maps.crop)
    rim_depth = depth_between(sheets.rim, sheets.rim_depth, flat.points[: flat.rim_count])
    metres = _metres_per_pixel(sheets.front, fitted.camera, maps.crop)
    mesh = lift(flat, sheets.front, sheets.back, rim_depth, metres)
    weights = _weights_at(mesh, mapping, front, back, layer, model, fitted, maps.crop)
    holes = np.stack([front.holes, back.holes])
    return Surface(
        layer, mapping, mesh, weights, sheets.front, sheets.back, holes,
        seen_through(mapping, maps.front), seen_through(mapping, maps.back),
        sheets.solve,
    )  # fmt: skip


def placed(surface: Surface, corner: tuple[int, int], shape: tuple[int, int]) -> Surface:
    """A surface that was lifted in a window of the grid, on the whole grid.

    Parameters
    ----------
    surface : Surface
        On the window.
    corner : tuple[int, int]
        The window's first row and column.
    shape : tuple[int, int]
        The grid's (h, w).

    Returns
    -------
    Surface
        On the whole grid.
    """
    (row, column), mesh = corner, surface.mesh

    def whole(values: npt.NDArray[_Value], outside: float) -> npt.NDArray[_Value]:
        height, width = values.shape
        grid = np.full(shape, outside, values.dtype)
        grid[row : row + height, column : column + width] = values
        return grid

    return replace(
        surface,
        mesh=replace(mesh, pixels=mesh.pixels + np.array([column, row])),
        front_depth=whole(surface.front_depth, np.nan),
        back_depth=whole(surface.back_depth, np.nan),
        front_vertex=whole(surface.front_vertex, -1),
        back_vertex=whole(surface.back_vertex, -1),
    )


def body_vertices(surface: Surface) -> Int32:
    """(V,) the body's vertex that each vertex of a surface's mesh lies over: on the sheet that the
    vertex belongs to, the front one along the rim.

    Parameters
    ----------
    surface : Surface
        On the grid of its mesh's pixels (`placed`).

    Returns
    -------
    Int32
        (V,) indices of the body's vertices.
    """
    front, back = (
        sheet[nearest_in(sheet >= 0)] for sheet in (surface.front_vertex, surface.back_vertex)
    )
    height, width = front.shape
    column, row = np.round(surface.mesh.pixels).astype(int).T
    at = row.clip(0, height - 1), column.clip(0, width - 1)
    found: Int32 = np.where(surface.mesh.sheet < 0, back[at], front[at]).astype(np.int32)
    return found


def in_order(surfaces: list[Surface]) -> list[Surface]:
    """Push what the photo does not show behind what it shows, so that seen from the photo's
    camera every pixel belongs to the layer that owns it.

    At the border of what a layer owns nothing is pushed: the edge of a near limb would be drawn
    out to a wall as far as what is behind it.

    Parameters
    ----------
    surfaces : list[Surface]
        On one grid.

    Returns
    -------
    list[Surface]
        As many, in the same order.
    """
    ordered = []
    for surface in surfaces:
        depth = surface.mesh.depth.copy()
        column, row = np.round(surface.mesh.pixels).astype(int).T
        reach = np.ones((2 * RIM_REACH_PX + 1,) * 2, np.uint8)
        beside = cv2.dilate(surface.layer.own.astype(np.uint8), reach) > 0
        for other in surfaces:
            if other is surface:
                continue
            height, width = other.layer.own.shape
            there = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            covered = np.zeros(len(depth), bool)
            covered[there] = (other.layer.own & ~beside)[row[there], column[there]]
            front = np.full(len(depth), -np.inf)
            front[there] = other.front_depth[row[there], column[there]]
            limit = np.where(covered & np.isfinite(front), front + LAYER_GAP_M, -np.inf)
            # The back sheet keeps its distance from the front that was pushed.
            limit = limit + np.where(surface.mesh.sheet < 0, LAYER_GAP_M, 0.0)
            depth = np.maximum(depth, limit)
        ordered.append(replace(surface, mesh=replace(surface.mesh, depth=depth)))
    return ordered


@dataclass(frozen=True, eq=False)
class Sheets:
    """Depths of front and back (h, w) in metres, and of the rim that they share (n,)."""

    front: Float64
    back: Float64
    rim: Rim
    rim_depth: Float64
    solve: SolveInfo


def integrate_sheets(
    mapping: Warp, front: WarpedSheet, back: WarpedSheet, camera: Camera, crop: Crop
) -> Sheets:
    """Both sheets from their warped normals, about the body's depth.

    Parameters
    ----------
    mapping : Warp
        Where on the body each pixel is.
    front : WarpedSheet
        Warped.
    back : WarpedSheet
        Warped.
    camera : Camera
        The photo's.
    crop : Crop
        The grid.

    Returns
    -------
    Sheets
        Metres.
    """
    inside = mapping.inside
    x, y = np.meshgrid(np.arange(crop.width), np.arange(crop.height))
    pixels = frames.photo_from_grid(crop, np.stack([x, y], axis=-1).astype(np.float64))
    rays = frames.unproject(camera, pixels, np.ones(inside.shape))
    rim = rim_of(inside, mapping.rim_points, mapping.rim_depth)
    to_rim = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) - 0.5
    found = integrate(
        np.stack([front.normal, back.normal]),
        inside,
        rays,
        camera.focal_px * crop.scale,
        np.stack([front.depth, back.depth]),
        DEPTH_PRIOR_WEIGHT,
        rim,
        least_thickness(to_rim * _metres_per_pixel(front.depth[inside], camera, crop)),
    )
    return Sheets(found.depth[0], found.depth[1], rim, found.rim, found.solve)


def _metres_per_pixel(depth: Float64, camera: Camera, crop: Crop) -> float:
    """The size of a grid pixel at the mean of depths, of which some may be NaN."""
    return float(np.nanmean(depth)) / (camera.focal_px * crop.scale)


def _weights_at(
    mesh: ClosedMesh,
    mapping: Warp,
    front: WarpedSheet,
    back: WarpedSheet,
    layer: Layer,
    model: BodyModel,
    fitted: FittedBody,
    crop: Crop,
) -> Float32:
    """(V, 24) weights at the mesh's vertices: those of its sheet, and where the surface is not
    where the body's sheet is, those of the body's point next to it.

    Along the rim and where the surface spans a step of the body's depth, it is between the two
    sheets: a forearm that points at the camera has the hand on the one and the elbow on the other.
    Where cloth spans a gap between limbs there is no body, and it follows both sheets' mean.
    """
    outside = ~mapping.inside[..., None]

    def sampled(values: Float32 | Float64) -> Float64:
        return sample_inside(np.where(outside, np.nan, values), mesh.pixels)

    ahead = ((mesh.sheet[:, None] + 1) / 2).astype(np.float64)
    weights = sampled(front.weights) * ahead + sampled(back.weights) * (1 - ahead)
    body_depth = np.where(
        mesh.sheet > 0, sampled(front.depth[..., None])[:, 0], sampled(back.depth[..., None])[:, 0]
    )
    off = (mesh.sheet == 0) | (np.abs(mesh.depth - body_depth) > ON_BODY_M)
    off &= sampled(mapping.on_gaps()[..., None].astype(np.float64))[:, 0] == 0
    if off.any():
        source = frames.photo_from_grid(crop, sampled(mapping.source)[off])
        at = frames.unproject(fitted.camera, source, mesh.depth[off])
        weights[off] = _weights_beside(at, model.faces[layer.faces], model, fitted)
    return weights.astype(np.float32)


def _weights_beside(points: Float64, faces: Int32, model: BodyModel, fitted: FittedBody) -> Float64:
    """(N, 24) weights of the body's faces (F, 3) next to points (N, 3) of the camera's frame."""
    corners = fitted.vertices[faces].astype(np.float64)
    middles, weights = corners.mean(axis=1), model.weights[faces].mean(axis=1)
    distance, nearest = cKDTree(middles).query(points, k=NEAREST_FACES)
    share = 1 / np.maximum(distance, LEAST_DISTANCE_M) ** 2
    share /= share.sum(axis=1, keepdims=True)
    return np.einsum("kn,knj->kj", share, weights[nearest])
