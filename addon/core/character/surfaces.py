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
from .lift import ClosedMesh, lift, sample_inside
from .normal_integration import integrate
from .texture_labels import seen_through
from .warp import Warp, WarpedSheet, warp_sheet

# Pull of the body's depth against one normal equation: takes over beyond about 100 pixels, so
# relief comes from the normals and the placing of parts from the body.
DEPTH_PRIOR_WEIGHT = 1e-4
LAYER_GAP_M = 0.004  # between what the photo shows and what lies behind it
BORDER_PX = 3  # grid pixels beside what a layer owns that it may cover of others: about one edge


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
    front_depth, back_depth = integrate_sheets(mapping, front, back, fitted.camera, maps.crop)
    metres = float(np.nanmean(front_depth)) / (fitted.camera.focal_px * maps.crop.scale)
    rim_depth = mapping.rim_depth_at(flat.points[: flat.rim_count])
    mesh = lift(flat, front_depth, back_depth, rim_depth, metres)
    return Surface(
        layer, mapping, mesh, _weights_at(mesh, front, back, mapping.inside), front_depth,
        back_depth, np.stack([front.holes, back.holes]),
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
        reach = 2 * BORDER_PX + 1
        beside = cv2.dilate(surface.layer.own.astype(np.uint8), np.ones((reach, reach))) > 0
        column, row = np.round(surface.mesh.pixels).astype(int).T
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


def integrate_sheets(
    mapping: Warp, front: WarpedSheet, back: WarpedSheet, camera: Camera, crop: Crop
) -> tuple[Float64, Float64]:
    """Depth (h, w) in metres of both sheets; on the silhouette's pixels it is the body's."""
    inside = mapping.inside
    x, y = np.meshgrid(np.arange(crop.width), np.arange(crop.height))
    pixels = frames.photo_from_grid(crop, np.stack([x, y], axis=-1).astype(np.float64))
    rays = frames.unproject(camera, pixels, np.ones(inside.shape))
    core = np.zeros_like(inside)
    core[1:-1, 1:-1] = (
        inside[1:-1, 1:-1]
        & inside[:-2, 1:-1]
        & inside[2:, 1:-1]
        & inside[1:-1, :-2]
        & inside[1:-1, 2:]
    )
    # A rim pixel's centre lies up to a pixel inside of the outline, where front and back already
    # differ: a tenth of the relief of a round limb lies in the first half pixel.
    rim = inside & ~core
    focal = camera.focal_px * crop.scale
    return tuple(  # type: ignore[return-value]
        integrate(
            sheet.normal, inside, rays, focal, sheet.depth, rim, sheet.depth, DEPTH_PRIOR_WEIGHT
        )
        for sheet in (front, back)
    )


def _weights_at(mesh: ClosedMesh, front: WarpedSheet, back: WarpedSheet, inside: Mask) -> Float32:
    """(V, 24) weights at the mesh's vertices; the rim takes the mean of both sheets."""
    outside = ~inside[..., None]
    sampled = [
        sample_inside(np.where(outside, np.nan, sheet.weights), mesh.pixels)
        for sheet in (front, back)
    ]
    share = (mesh.sheet[:, None] + 1) / 2
    return (sampled[0] * share + sampled[1] * (1 - share)).astype(np.float32)
