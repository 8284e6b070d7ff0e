"""A photo's person and the fitted body become a character: the stages of Photo Wake-Up's
section 4 in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from .. import frames
from ..body import pose as body_pose
from ..body.maps import render_maps
from ..body.model import BodyModel
from ..body.skeleton import JOINT
from ..perception.landmarks import LANDMARK
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
    UInt8,
)
from . import contour, contour_matching, skinning_weights, texture, triangulation
from .layers import Layer, divide, label_map, limbs_of
from .lift import ClosedMesh, lift, sample_inside
from .normal_integration import integrate
from .warp import Warp, WarpedSheet, warp, warp_sheet

FIGURE_PX = 640  # grid pixels along the figure's larger extent (A4: at least 512)
CROP_MARGIN_PX = 12  # grid pixels around person and body, room for filters
DEFAULT_TRIANGLES = 30_000
# Pull of the body's depth against one normal equation: takes over beyond about 100 pixels, so
# relief comes from the normals and the placing of parts from the body.
DEPTH_PRIOR_WEIGHT = 1e-4
LAYER_GAP_M = 0.004  # between what the photo shows and what lies behind it
HEAD_RADIUS_M = 0.19  # a head with hair, from its middle


@dataclass(frozen=True)
class CharacterReport:
    """What the stages measured of their own work."""

    hole_fraction: float  # of the silhouette's pixels, mean of both sheets
    foldover_fraction: float  # of the silhouette's pixels
    collapsed_fraction: float  # of the outline's steps
    triangles: int
    layers: tuple[str, ...]  # "body", then the limbs that were divided off


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

    matte = np.where(person.mask, np.maximum(person.matte, 0.5), person.matte)
    outline = contour.trace(matte)
    crop = frame(outline, photo, fitted)
    tell(0.05, "Rendering the body's maps")
    maps = within_photo(render_maps(model, fitted, crop), photo)

    tell(0.15, "Matching the outlines")
    on_grid = _to_grid(outline, crop)
    mapping = warp(on_grid, maps, terms)
    layers = _divide(photo, model, fitted, crop, maps, mapping)

    spacing = triangulation.spacing_for(on_grid, triangles)
    surfaces = []
    for k, layer in enumerate(layers):
        tell(0.3 + 0.5 * k / len(layers), "Integrating the normals")
        if len(layers) == 1:
            surfaces.append(_lift_layer(layer, on_grid, maps, mapping, fitted, spacing))
            continue
        part_outline = _to_grid(contour.trace(_matte_of(layer.region, matte, crop)), crop)
        part_maps = within_photo(render_maps(model, fitted, crop, layer.faces), photo)
        part_mapping = warp(part_outline, part_maps, terms)
        surfaces.append(_lift_layer(layer, part_outline, part_maps, part_mapping, fitted, spacing))
    surfaces = _in_order(surfaces)

    tell(0.85, "Painting the texture")
    character = _assemble(photo, person, model, fitted, crop, surfaces)
    inside = sum(int(surface.mapping.inside.sum()) for surface in surfaces)
    holes = sum(int(surface.holes.sum()) for surface in surfaces)

    def mean(name: str) -> float:
        return float(
            sum(getattr(s.mapping, name) * s.mapping.inside.sum() for s in surfaces) / inside
        )

    report = CharacterReport(
        hole_fraction=holes / (2 * inside),
        foldover_fraction=mean("foldover_fraction"),
        collapsed_fraction=mean("collapsed_fraction"),
        triangles=len(character.triangles),
        layers=tuple(layer.name for layer in layers),
    )
    tell(1.0, "Character built")
    return CharacterBuild(character, maps, report)


@dataclass(frozen=True, eq=False)
class _Surface:
    """A layer's closed surface with what the later steps need of it."""

    layer: Layer
    mapping: Warp
    mesh: ClosedMesh
    weights: Float32  # (V, 24), before smoothing
    front_depth: Float64  # (h, w)
    holes: Mask  # (h, w) of both sheets, counted


def _to_grid(outline: contour.Outline, crop: Crop) -> contour.Outline:
    return contour.to_grid(outline, np.array([crop.x0, crop.y0]), crop.scale)


def _divide(
    photo: Photo,
    model: BodyModel,
    fitted: FittedBody,
    crop: Crop,
    maps: BodyMaps,
    mapping: Warp,
) -> list[Layer]:
    move = np.array([[1 / crop.scale, 0, crop.x0], [0, 1 / crop.scale, crop.y0]])
    colours = cv2.warpAffine(
        photo.rgb, move, (crop.width, crop.height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    x = np.nan_to_num(mapping.source[..., 0], nan=-10.0)
    y = np.nan_to_num(mapping.source[..., 1], nan=-10.0)

    def silhouette(faces: npt.NDArray[np.bool_]) -> Mask:
        part = render_maps(model, fitted, crop, faces).mask.astype(np.uint8)
        return cv2.remap(part, x, y, cv2.INTER_NEAREST) > 0

    joints = fitted.joints.astype(np.float64)
    on_grid = frames.grid_from_photo(crop, frames.project(fitted.camera, joints))
    metre = fitted.camera.focal_px * crop.scale / joints[0, 2]
    limbs = limbs_of(on_grid, joints[:, 2], metre)
    labels = label_map(mapping, maps)
    return divide(labels, maps.front.label, colours, mapping.inside, model, limbs, silhouette)


def _matte_of(region: Mask, matte: Float32, crop: Crop) -> Float32:
    """A layer's matte at the photo's resolution: the person's edge where the layer meets the
    background, the region's own where it meets other layers."""
    reaching = np.where(region, 1.0, 0.0).astype(np.float32)
    move = np.array(
        [[crop.scale, 0, -crop.x0 * crop.scale], [0, crop.scale, -crop.y0 * crop.scale]]
    )
    # Beyond the person's edge the region goes on, so that the person's own edge decides there.
    inside = cv2.warpAffine(
        (matte >= 0.5).astype(np.float32),
        np.array([[1 / crop.scale, 0, crop.x0], [0, 1 / crop.scale, crop.y0]]),
        (crop.width, crop.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    solid = inside >= 0.98
    _, nearest = cv2.distanceTransformWithLabels(
        (~solid).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(nearest.max() + 1, np.float32)
    lookup[nearest[solid]] = reaching[solid]
    reaching = np.where(solid, reaching, lookup[nearest])
    height, width = matte.shape
    full = cv2.warpAffine(
        reaching, move, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return np.minimum(full, matte)


def _lift_layer(
    layer: Layer,
    outline: contour.Outline,
    maps: BodyMaps,
    mapping: Warp,
    fitted: FittedBody,
    spacing: float,
) -> _Surface:
    front, back = warp_sheet(mapping, maps.front), warp_sheet(mapping, maps.back)
    front_depth, back_depth = integrate_sheets(mapping, front, back, fitted.camera, maps.crop)
    flat = triangulation.triangulate(outline, spacing)
    metres = float(np.nanmean(front_depth)) / (fitted.camera.focal_px * maps.crop.scale)
    rim_depth = mapping.rim_depth_at(flat.points[: flat.rim_count])
    mesh = lift(flat, front_depth, back_depth, rim_depth, metres)
    return _Surface(
        layer, mapping, mesh, _weights(mesh, front, back, mapping.inside), front_depth,
        np.stack([front.holes, back.holes]),
    )  # fmt: skip


def _in_order(surfaces: list[_Surface]) -> list[_Surface]:
    """Push what the photo does not show behind what it shows, so that seen from the photo's
    camera every pixel belongs to the layer that owns it."""
    ordered = []
    for surface in surfaces:
        depth = surface.mesh.depth.copy()
        column, row = np.round(surface.mesh.pixels).astype(int).T
        for other in surfaces:
            if other is surface:
                continue
            height, width = other.layer.own.shape
            there = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            covered = np.zeros(len(depth), bool)
            covered[there] = other.layer.own[row[there], column[there]]
            front = np.full(len(depth), -np.inf)
            front[there] = other.front_depth[row[there], column[there]]
            limit = np.where(covered & np.isfinite(front), front + LAYER_GAP_M, -np.inf)
            # The back sheet keeps its distance from the front that was pushed.
            limit = limit + np.where(surface.mesh.sheet < 0, LAYER_GAP_M, 0.0)
            depth = np.maximum(depth, limit)
        ordered.append(replace(surface, mesh=replace(surface.mesh, depth=depth)))
    return ordered


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
    surfaces: list[_Surface],
) -> Character:
    meshes = [surface.mesh for surface in surfaces]
    first = np.cumsum([0, *(len(mesh.depth) for mesh in meshes)])
    grid = np.vstack([mesh.pixels for mesh in meshes])
    pixels = frames.photo_from_grid(crop, grid)
    triangles = np.vstack(
        [mesh.triangles + start for mesh, start in zip(meshes, first[:-1], strict=True)]
    ).astype(np.int32)
    in_camera = frames.unproject(
        fitted.camera, pixels, np.concatenate([mesh.depth for mesh in meshes])
    )
    place = frames.world_from_camera(ground_under(person, fitted, in_camera))
    vertices = frames.transform(place, in_camera)

    skeleton = body_pose.skeleton_of(model, fitted)
    pose = body_pose.pose_of(fitted, place)
    matrices = body_pose.skin_matrices(skeleton, pose)
    smoothed = skinning_weights.finish(np.vstack([s.weights for s in surfaces]), triangles)
    weights = skinning_weights.invertible(smoothed, matrices)
    blended = np.einsum("vj,jab->vab", weights.astype(np.float64), matrices)
    homogeneous = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    rest = np.linalg.solve(blended, homogeneous[..., None])[:, :3, 0]

    images, masks = _panels(photo, person, fitted, crop, surfaces)
    layout = texture.lay_out(masks)
    corners = []
    for k, (mesh, start) in enumerate(zip(meshes, first[:-1], strict=True)):
        at = pixels[mesh.triangles + start]
        corners.append(layout.uv(at[: mesh.front_count], 2 * k))
        corners.append(layout.uv(at[mesh.front_count :], 2 * k + 1))
    return Character(
        vertices=vertices.astype(np.float32),
        rest_vertices=rest.astype(np.float32),
        triangles=triangles,
        uv=np.concatenate(corners),
        texture=texture.paint(images, layout),
        weights=weights,
        skeleton=skeleton,
        pose=pose,
        world_from_camera=place,
    )


def _panels(
    photo: Photo, person: Person, fitted: FittedBody, crop: Crop, surfaces: list[_Surface]
) -> tuple[list[UInt8], list[Mask]]:
    """Front and back image of each layer, photo-sized, and the masks they must cover."""
    face = face_mask(photo, person)
    head = face.copy()
    if face.any():
        head |= _head_mask(photo, person, fitted)
    images, masks = [], []
    for surface in surfaces:
        layer = surface.layer
        own = _on_photo(layer.own, crop, photo) & person.mask
        region = _on_photo(layer.region, crop, photo) & person.mask
        if len(surfaces) == 1:
            own = region = person.mask
        front = texture.front_colours(person.foreground, own, region)
        back = texture.without_face(front, face & region, head & region)
        if layer is surfaces[0].layer and face.any():
            back = texture.spread_colours(back, region)
        images += [front, back]
        masks += [region, region]
    return images, masks


def _on_photo(mask: Mask, crop: Crop, photo: Photo) -> Mask:
    move = np.array(
        [[crop.scale, 0, -crop.x0 * crop.scale], [0, crop.scale, -crop.y0 * crop.scale]]
    )
    full = cv2.warpAffine(
        mask.astype(np.float32), move, (photo.width, photo.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )  # fmt: skip
    # The grid ends half a cell inside of the person's edge: reach over it.
    reach = 2 * int(np.ceil(1.5 / crop.scale)) + 1
    return cv2.dilate((full > 0.5).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0


def face_mask(photo: Photo, person: Person) -> Mask:
    """(H, W) bool: the face's skin where it looks towards the camera, else nothing.

    An ellipse through eyes and mouth, from above the brows to below the chin.
    """
    marks = person.detection.landmarks
    eyes = marks.image[[LANDMARK["left_eye"], LANDMARK["right_eye"]]].mean(axis=0)
    mouth = marks.image[[LANDMARK["mouth_left"], LANDMARK["mouth_right"]]].mean(axis=0)
    ears = marks.world[[LANDMARK["left_ear"], LANDMARK["right_ear"]]]
    canvas = np.zeros((photo.height, photo.width), np.uint8)
    if marks.world[LANDMARK["nose"], 2] > ears[:, 2].mean():
        return canvas > 0
    down = mouth - eyes
    tall = float(np.linalg.norm(down))
    ear_gap = np.linalg.norm(marks.image[LANDMARK["left_ear"]] - marks.image[LANDMARK["right_ear"]])
    centre = eyes + 0.6 * down
    axes = (1.75 * tall, max(1.25 * tall, 0.62 * float(ear_gap)))
    angle = float(np.degrees(np.arctan2(down[1], down[0])))
    cv2.ellipse(
        canvas, (int(centre[0]), int(centre[1])), (int(axes[0]), int(axes[1])), angle, 0, 360, 1, -1
    )
    return (canvas > 0) & person.mask


def _head_mask(photo: Photo, person: Person, fitted: FittedBody) -> Mask:
    """(H, W) bool: the person's pixels above the neck, about as wide as a head with hair."""
    neck, head = fitted.joints[JOINT["neck"]], fitted.joints[JOINT["head"]]
    centre = frames.project(fitted.camera, (head + 0.6 * (head - neck)).astype(np.float64))
    radius = HEAD_RADIUS_M * fitted.camera.focal_px / float(head[2])
    canvas = np.zeros((photo.height, photo.width), np.uint8)
    cv2.circle(canvas, (int(centre[0]), int(centre[1])), int(radius), 1, -1)
    return (canvas > 0) & person.mask


def ground_under(person: Person, fitted: FittedBody, in_camera: Float64) -> Float64:
    """(3,) camera-frame point on the ground under the pelvis: the world's origin.

    The ground touches the lowest point of the person; where the picture cuts the feet off, the
    lowest of the fitted body.
    """
    cut_off = bool(person.mask[-1].any())
    lowest = fitted.vertices[:, 1].max() if cut_off else in_camera[:, 1].max()
    return np.array([fitted.joints[0, 0], lowest, fitted.joints[0, 2]], np.float64)
