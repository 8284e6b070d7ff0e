"""A photo's person and the fitted body become a character: the stages of Photo Wake-Up's
section 4 in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import frames
from ..body import pose as body_pose
from ..body.maps import render_maps
from ..body.model import BodyModel
from ..types import (
    BodyMaps,
    Camera,
    Character,
    Crop,
    FittedBody,
    Float32,
    Float64,
    Mask,
    Person,
    Photo,
    Progress,
)
from . import contour, contour_matching, skinning_weights, texture, triangulation
from .lift import ClosedMesh, lift, sample_inside
from .normal_integration import integrate
from .warp import Warp, WarpedSheet, warp, warp_sheet

FIGURE_PX = 640  # grid pixels along the figure's larger extent (A4: at least 512)
CROP_MARGIN_PX = 12  # grid pixels around person and body, room for filters
DEFAULT_TRIANGLES = 30_000
# Pull of the body's depth against one normal equation: takes over beyond about 100 pixels, so
# relief comes from the normals and the placing of parts from the body.
DEPTH_PRIOR_WEIGHT = 1e-4


@dataclass(frozen=True)
class CharacterReport:
    """What the stages measured of their own work."""

    hole_fraction: float  # of the silhouette's pixels, mean of both sheets
    foldover_fraction: float  # of the silhouette's pixels
    collapsed_fraction: float  # of the outline's steps
    triangles: int


@dataclass(frozen=True, eq=False)
class CharacterBuild:
    """The character with what led to it, for overlays, later stages and corrections."""

    character: Character
    maps: BodyMaps
    report: CharacterReport


def build_character(
    photo: Photo,
    person: Person,
    model: BodyModel,
    fitted: FittedBody,
    triangles: int = DEFAULT_TRIANGLES,
    terms: contour_matching.MatchingTerms = contour_matching.DEFAULT,
    progress: Callable[[Progress], None] | None = None,
) -> CharacterBuild:
    """Warp the fitted body to the person's outline, lift it, stitch, texture and un-pose it.

    Raises PersonError where the mask holds no person-sized piece.
    """

    def tell(fraction: float, message: str) -> None:
        if progress is not None:
            progress(Progress(fraction, message))

    outline = contour.trace(np.where(person.mask, np.maximum(person.matte, 0.5), person.matte))
    crop = frame(outline, photo, fitted)
    tell(0.05, "Rendering the body's maps")
    maps = within_photo(render_maps(model, fitted, crop), photo)

    tell(0.2, "Matching the outlines")
    on_grid = contour.to_grid(outline, np.array([crop.x0, crop.y0]), crop.scale)
    mapping = warp(on_grid, maps, terms)
    front, back = warp_sheet(mapping, maps.front), warp_sheet(mapping, maps.back)

    tell(0.5, "Integrating the normals")
    front_depth, back_depth = integrate_sheets(mapping, front, back, fitted.camera, crop)

    tell(0.75, "Stitching front and back")
    spacing = triangulation.spacing_for(on_grid, triangles)
    flat = triangulation.triangulate(on_grid, spacing)
    scale_m = float(np.nanmean(front_depth)) / (fitted.camera.focal_px * crop.scale)
    rim_depth = mapping.rim_depth_at(flat.points[: flat.rim_count])
    mesh = lift(flat, front_depth, back_depth, rim_depth, scale_m)
    weights = skinning_weights.finish(_weights(mesh, front, back, mapping.inside), mesh.triangles)

    tell(0.9, "Painting the texture")
    character = _assemble(photo, person, model, fitted, crop, mesh, weights)
    report = CharacterReport(
        hole_fraction=float((front.holes.sum() + back.holes.sum()) / (2 * mapping.inside.sum())),
        foldover_fraction=mapping.foldover_fraction,
        collapsed_fraction=mapping.collapsed_fraction,
        triangles=len(mesh.triangles),
    )
    tell(1.0, "Character built")
    return CharacterBuild(character, maps, report)


def frame(outline: contour.Outline, photo: Photo, fitted: FittedBody) -> Crop:
    """The window of the photo that holds the person and what is seen of the body."""
    person_low, person_high = outline.outer.min(axis=0), outline.outer.max(axis=0)
    scale = FIGURE_PX / float((person_high - person_low).max())
    body = frames.project(fitted.camera, fitted.vertices.astype(np.float64))
    limit = np.array([photo.width - 1.0, photo.height - 1.0])
    low = np.minimum(person_low, np.clip(body.min(axis=0), 0, limit)) - CROP_MARGIN_PX / scale
    high = np.maximum(person_high, np.clip(body.max(axis=0), 0, limit)) + CROP_MARGIN_PX / scale
    width, height = np.ceil((high - low) * scale).astype(int) + 1
    return Crop(float(low[0]), float(low[1]), scale, int(width), int(height))


def within_photo(maps: BodyMaps, photo: Photo) -> BodyMaps:
    """The maps without what lies beyond the photo's edges: where the picture cuts the person,
    it must cut the body too, else the outlines do not correspond."""
    from dataclasses import replace

    crop = maps.crop
    x, y = np.meshgrid(np.arange(crop.width), np.arange(crop.height))
    pixels = frames.photo_from_grid(crop, np.stack([x, y], axis=-1).astype(np.float64))
    limit = np.array([photo.width - 0.5, photo.height - 0.5])
    beyond = ((pixels < -0.5) | (pixels > limit)).any(axis=-1)
    if not beyond.any():
        return maps

    def cut(sheet):
        return replace(
            sheet,
            depth=np.where(beyond, np.nan, sheet.depth).astype(np.float32),
            normal=np.where(beyond[..., None], np.nan, sheet.normal).astype(np.float32),
            weights=np.where(beyond[..., None], 0, sheet.weights).astype(np.float32),
            label=np.where(beyond, 0, sheet.label).astype(np.uint8),
            vertex=np.where(beyond, -1, sheet.vertex).astype(np.int32),
        )

    return BodyMaps(crop, cut(maps.front), cut(maps.back))


def integrate_sheets(
    mapping: Warp, front: WarpedSheet, back: WarpedSheet, camera: Camera, crop: Crop
) -> tuple[Float64, Float64]:
    """Depth (h, w) in metres of both sheets, equal on the silhouette."""
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
    rim = inside & ~core
    rim_depth = np.zeros(inside.shape)
    rows, columns = np.nonzero(rim)
    rim_depth[rim] = mapping.rim_depth_at(np.stack([columns, rows], axis=1).astype(np.float64))
    focal = camera.focal_px * crop.scale
    return tuple(  # type: ignore[return-value]
        integrate(
            sheet.normal, inside, rays, focal, rim_depth, rim, sheet.depth, DEPTH_PRIOR_WEIGHT
        )
        for sheet in (front, back)
    )


def _weights(mesh: ClosedMesh, front: WarpedSheet, back: WarpedSheet, inside: Mask) -> Float32:
    """(V, 24) weights at the mesh's vertices; the rim takes the mean of both sheets."""
    outside = ~inside[..., None]
    sampled = [
        sample_inside(np.where(outside, np.nan, sheet.weights), mesh.pixels)
        for sheet in (front, back)
    ]
    share = (mesh.sheet[:, None] + 1) / 2
    return (sampled[0] * share + sampled[1] * (1 - share)).astype(np.float32)


def _assemble(
    photo: Photo,
    person: Person,
    model: BodyModel,
    fitted: FittedBody,
    crop: Crop,
    mesh: ClosedMesh,
    weights: Float32,
) -> Character:
    pixels = frames.photo_from_grid(crop, mesh.pixels)
    in_camera = frames.unproject(fitted.camera, pixels, mesh.depth)
    place = frames.world_from_camera(ground_under(person, photo, fitted, in_camera))
    vertices = frames.transform(place, in_camera)

    skeleton = body_pose.skeleton_of(model, fitted)
    pose = body_pose.pose_of(fitted, place)
    blended = np.einsum(
        "vj,jab->vab", weights.astype(np.float64), body_pose.skin_matrices(skeleton, pose)
    )
    homogeneous = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    rest = np.linalg.solve(blended, homogeneous[..., None])[:, :3, 0]

    layout = texture.lay_out(person.mask)
    corners = pixels[mesh.triangles]
    uv = layout.uv(corners, back=False)
    uv[mesh.front_count :] = layout.uv(corners[mesh.front_count :], back=True)
    return Character(
        vertices=vertices.astype(np.float32),
        rest_vertices=rest.astype(np.float32),
        triangles=mesh.triangles,
        uv=uv,
        texture=texture.paint(person, layout),
        weights=weights,
        skeleton=skeleton,
        pose=pose,
        world_from_camera=place,
    )


def ground_under(person: Person, photo: Photo, fitted: FittedBody, in_camera: Float64) -> Float64:
    """(3,) camera-frame point on the ground under the pelvis: the world's origin.

    The ground touches the lowest point of the person; where the picture cuts the feet off, the
    lowest of the fitted body.
    """
    cut_off = bool(person.mask[-1].any())
    lowest = fitted.vertices[:, 1].max() if cut_off else in_camera[:, 1].max()
    return np.array([fitted.joints[0, 0], lowest, fitted.joints[0, 2]], np.float64)
