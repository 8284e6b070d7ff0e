"""One layer's way from warped maps to a closed surface, and the order of layers in depth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .. import frames
from ..types import BodyMaps, Camera, Crop, Face, FittedBody, Float32, Float64, Int32, Mask
from . import triangulation
from .face_relief import with_face
from .layers import Layer
from .lift import ClosedMesh, least_thickness, lift, sample_inside
from .normal_integration import integrate
from .rim import Rim, depth_between, rim_of
from .texture_labels import seen_through
from .warp import Warp, WarpedSheet, warp_sheet

# Pull of the body's depth against one normal equation: takes over beyond about 100 pixels, so
# relief comes from the normals and the placing of parts from the body.
DEPTH_PRIOR_WEIGHT = 1e-4
RIM_REACH_PX = 2  # grid pixels that a layer's surface may reach beyond what the photo shows of it
LAYER_GAP_M = 0.004  # between what the photo shows and what lies behind it


@dataclass(frozen=True, eq=False)
class Surface:
    """A layer's closed surface with what the later steps need of it."""

    layer: Layer
    mapping: Warp
    mesh: ClosedMesh
    weights: Float32  # (V, 24), before smoothing
    front_depth: Float64  # (h, w), metres, NaN outside
    back_depth: Float64  # (h, w), the same of the far sheet
    holes: Mask  # (h, w) of both sheets, counted
    front_vertex: Int32  # (h, w), the body's vertex at each pixel, -1 outside
    back_vertex: Int32  # (h, w), the same of the far sheet


def lift_layer(
    layer: Layer,
    flat: triangulation.FlatMesh,
    maps: BodyMaps,
    mapping: Warp,
    fitted: FittedBody,
    face: Face | None = None,
) -> Surface:
    """Integrate a layer's two sheets and close them to a surface of triangles.

    flat : the layer's outline filled with triangles; maps, mapping : the layer's, same grid
    face : the person's, where the layer is the one that has the head
    """
    front, back = warp_sheet(mapping, maps.front), warp_sheet(mapping, maps.back)
    if face is not None:
        front = with_face(front, face, fitted.camera, maps.crop, mapping.inside)
    sheets = integrate_sheets(mapping, front, back, fitted.camera, maps.crop)
    rim_depth = depth_between(sheets.rim, sheets.rim_depth, flat.points[: flat.rim_count])
    metres = _metres_a_pixel(sheets.front, fitted.camera, maps.crop)
    mesh = lift(flat, sheets.front, sheets.back, rim_depth, metres)
    return Surface(
        layer, mapping, mesh, _weights_at(mesh, front, back, mapping.inside), sheets.front,
        sheets.back, np.stack([front.holes, back.holes]),
        seen_through(mapping, maps.front), seen_through(mapping, maps.back),
    )  # fmt: skip


def in_order(surfaces: list[Surface]) -> list[Surface]:
    """Push what the photo does not show behind what it shows, so that seen from the photo's
    camera every pixel belongs to the layer that owns it.

    At the border of what a layer owns nothing is pushed: the edge of a near limb would be drawn
    out to a wall as far as what is behind it.
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


def integrate_sheets(
    mapping: Warp, front: WarpedSheet, back: WarpedSheet, camera: Camera, crop: Crop
) -> Sheets:
    """Both sheets from their warped normals, about the body's depth."""
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
        least_thickness(to_rim * _metres_a_pixel(front.depth[inside], camera, crop)),
    )
    return Sheets(found.depth[0], found.depth[1], rim, found.rim)


def _metres_a_pixel(depth: Float64, camera: Camera, crop: Crop) -> float:
    """The size of a grid pixel at the mean of depths, of which some may be NaN."""
    return float(np.nanmean(depth)) / (camera.focal_px * crop.scale)


def _weights_at(mesh: ClosedMesh, front: WarpedSheet, back: WarpedSheet, inside: Mask) -> Float32:
    """(V, 24) weights at the mesh's vertices; the rim takes the mean of both sheets."""
    outside = ~inside[..., None]
    sampled = [
        sample_inside(np.where(outside, np.nan, sheet.weights), mesh.pixels)
        for sheet in (front, back)
    ]
    share = (mesh.sheet[:, None] + 1) / 2
    return (sampled[0] * share + sampled[1] * (1 - share)).astype(np.float32)
