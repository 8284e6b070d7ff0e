"""A photo's person and the fitted body become a character: the stages of Photo Wake-Up's
section 4 in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .. import frames
from ..body import world_pose as body_pose
from ..body.model.body_model import BodyModel
from ..body.model.parts import PART_NAMES
from ..body.rasterisation import render_maps
from ..staging.sunlight import propose_sun
from ..types import (
    Character,
    Crop,
    FittedBody,
    Float64,
    Mask,
    Person,
    Photo,
    Progress,
    UInt8,
)
from .character_result import DEFAULT_TRIANGLES, CharacterBuild, CharacterReport, WarpReport
from .layers.division import divide
from .layers.part_segmentation import FRONT_ONLY, on_photo
from .outline import contour, contour_matching
from .outline.warp import warp
from .skin import skinning_weights, weight_relaxation
from .surface import triangulation
from .surface.layer_reconstruction import (
    Surface,
    body_vertices,
    in_order,
    lift_layer,
    placed,
)
from .texture import atlas, normal_map
from .texture.charts import chart_images
from .working_grid import colours_on_grid, frame, matte_on_photo, on_grid, window_of, within_photo


@dataclass(frozen=True)
class CharacterSettings:
    """How the character is made."""

    triangles: int = DEFAULT_TRIANGLES  # at most so many in the mesh
    terms: contour_matching.MatchingTerms = contour_matching.DEFAULT
    back: str = "synthesised"  # or "mirrored": how the texture's back is painted
    mirrored_parts: tuple[str, ...] = ()  # of `PART_NAMES`: mirrored even so
    texture_px: int = atlas.DEFAULT_ATLAS  # the atlas's largest side
    seed: int = 0  # of colour clusters and of what the texture's hidden parts are made from

    @property
    def mirrored(self) -> tuple[str, ...]:
        """The parts whose back is the front's mirror image."""
        return PART_NAMES if self.back == "mirrored" else self.mirrored_parts


def build_character(
    photo: Photo,
    person: Person,
    model: BodyModel,
    fitted: FittedBody,
    settings: CharacterSettings = CharacterSettings(),
    progress: Callable[[Progress], None] | None = None,
    labels: UInt8 | None = None,
) -> CharacterBuild:
    """Warp the fitted body to the person's outline, lift it, stitch, texture and un-pose it.

    Parameters
    ----------
    photo : Photo
        The photo.
    person : Person
        The person.
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.
    settings : CharacterSettings
        How fine, and which back.
    progress : Callable[[Progress], None] | None
        Told how far it has come; may raise to stop it.
    labels : UInt8 | None
        (H, W) parts that the user wants pixels to show, 0 where it stays as it is found;
        `FRONT_ONLY` where the part stays and the back must not repeat what is seen.

    Returns
    -------
    CharacterBuild
        The character, and what was found on the way.

    Raises
    ------
    PersonError
        If the mask holds no person-sized piece.
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
    outline_on_grid = on_grid(outline, crop)
    mapping = warp(outline_on_grid, maps, settings.terms)
    division = divide(
        mapping, maps, colours_on_grid(photo, crop), model, fitted, labels, settings.seed
    )
    layers = division.layers

    outlines = [outline_on_grid]
    if len(layers) > 1:
        mattes = [matte_on_photo(layer.region, matte, crop) for layer in layers]
        outlines = [on_grid(contour.trace(layer_matte), crop) for layer_matte in mattes]
    flats = triangulation.triangulate_all(outlines, settings.triangles)
    body_on_grid = frames.grid_from_photo(
        crop, frames.project(fitted.camera, fitted.vertices.astype(np.float64))
    )
    surfaces = []
    for k, (layer, layer_outline) in enumerate(zip(layers, outlines, strict=True)):
        tell(0.3 + 0.5 * k / len(layers), "Integrating the normals")
        layer_maps, layer_mapping, corner, flat = maps, mapping, (0, 0), flats[k]
        if len(layers) > 1:
            # What follows takes as long as its picture is large, and a limb needs little of it.
            used = body_on_grid[np.unique(model.faces[layer.faces])]
            window, corner = window_of(crop, layer.region, used)
            layer_maps = within_photo(render_maps(model, fitted, window, layer.faces), photo)
            away = np.array(corner[::-1], np.float64)
            layer_mapping = warp(
                contour.to_grid(layer_outline, away, 1.0), layer_maps, settings.terms
            )
            flat = replace(flat, points=flat.points - away)
        face = person.face if layer is layers[0] else None
        surface = lift_layer(layer, flat, layer_maps, layer_mapping, model, fitted, face)
        surfaces.append(placed(surface, corner, (crop.height, crop.width)))
    surfaces = in_order(surfaces)

    tell(0.85, "Painting the texture")
    front_only = None if labels is None else labels == FRONT_ONLY
    character = _assemble(photo, person, model, fitted, crop, surfaces, settings, front_only)
    warps = tuple(_measured(surface) for surface in surfaces)
    pixels = [each.pixels for each in warps]

    def mean(name: str) -> float:
        return float(np.average([getattr(each, name) for each in warps], weights=pixels))

    report = CharacterReport(
        hole_fraction=mean("hole_fraction"),
        foldover_fraction=mean("foldover_fraction"),
        collapsed_fraction=mean("collapsed_fraction"),
        triangles=len(character.triangles),
        layers=tuple(layer.name for layer in layers),
        warps=warps,
    )
    tell(1.0, "Character built")
    shown = on_photo(division.labels, crop, person.mask)
    if front_only is not None:
        shown = np.where(front_only & person.mask, FRONT_ONLY, shown).astype(np.uint8)
    found = on_photo(division.found, crop, person.mask)
    light = propose_sun(photo, person.mask, shown, maps)
    return CharacterBuild(character, report, shown, found, light)


def _measured(surface: Surface) -> WarpReport:
    mapping = surface.mapping
    pixels = int(mapping.inside.sum())
    return WarpReport(
        layer=surface.layer.name,
        pixels=pixels,
        hole_fraction=float(surface.holes.sum()) / (2 * pixels),
        spanned_fraction=float(mapping.on_gaps().sum()) / pixels,
        foldover_fraction=mapping.foldover_fraction,
        collapsed_fraction=mapping.collapsed_fraction,
        integration=surface.solve,
    )


def _assemble(
    photo: Photo,
    person: Person,
    model: BodyModel,
    fitted: FittedBody,
    crop: Crop,
    surfaces: list[Surface],
    settings: CharacterSettings,
    front_only: Mask | None,
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
    sharpened = skinning_weights.invertible(smoothed, matrices)
    weights = weight_relaxation.relax(vertices, sharpened, triangles, skeleton, matrices)
    rest = body_pose.unskin_vertices(vertices, weights, matrices)

    images, masks = chart_images(
        photo, person, model, crop, surfaces, settings.mirrored, front_only, settings.seed
    )
    layout = atlas.lay_out(masks, settings.texture_px)
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
        texture=atlas.paint(images, layout),
        weights=weights,
        skeleton=skeleton,
        pose=pose,
        world_from_camera=place,
        body_vertex=np.concatenate([body_vertices(surface) for surface in surfaces]),
        normal_map=normal_map.bake(surfaces, fitted.camera, crop, layout),
    )


def ground_under(person: Person, fitted: FittedBody, in_camera: Float64) -> Float64:
    """(3,) camera-frame point on the ground under the pelvis: the world's origin.

    The ground touches the lowest point of the person; where the picture cuts the feet off, the
    lowest of the fitted body.

    Parameters
    ----------
    person : Person
        The person.
    fitted : FittedBody
        The body.
    in_camera : Float64
        (V, 3) the character's vertices, metres, camera frame.

    Returns
    -------
    Float64
        (3,) metres.
    """
    cut_off = bool(person.mask[-1].any())
    lowest = fitted.vertices[:, 1].max() if cut_off else in_camera[:, 1].max()
    return np.array([fitted.joints[0, 0], lowest, fitted.joints[0, 2]], np.float64)
