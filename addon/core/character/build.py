"""A photo's person and the fitted body become a character: the stages of Photo Wake-Up's section 4,
as four steps that take and return values, and what binds their results together.

    photo, mask, fitted body
            |
       correspond      outline, working grid, the body's maps, their warp to the person
            |            `outline/`, `working_grid.py`, `body/rasterisation.py`
         segment       part labels; layers where limbs hide or are hidden, each with its outline
            |            `layers/`
       reconstruct     for each layer: its own maps and warp, depth from normals, a closed surface;
            |            then the order of the layers in depth: `surface/`
          paint        charts of fronts and backs, hidden parts synthesised, atlas, normal map
            |            `texture/`
        assemble       one mesh, skinning weights, the rest pose: `assembly.py`, `skin/`
            |
        Character

The warp stands twice in it, since the method asks for it: that of the whole figure shows which part
each pixel is of, and once the layers are known each is warped by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .. import frames
from ..body.model.body_model import BodyModel
from ..body.model.parts import PART_NAMES
from ..body.rasterisation import render_maps
from ..staging.sunlight import propose_sun
from ..types import (
    BodyMaps,
    Character,
    Crop,
    FittedBody,
    Float32,
    Mask,
    Person,
    Photo,
    Progress,
    UInt8,
)
from .assembly import assemble
from .character_result import DEFAULT_TRIANGLES, CharacterBuild, CharacterReport, WarpReport
from .layers.division import Division, divide
from .layers.part_segmentation import FRONT_ONLY, on_photo
from .outline import contour, contour_matching
from .outline.warp import Warp, warp
from .surface import triangulation
from .surface.layer_reconstruction import (
    Surface,
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


@dataclass(frozen=True, eq=False)
class Subject:
    """What a character is made from."""

    photo: Photo
    person: Person
    model: BodyModel
    fitted: FittedBody


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Where on the body each pixel of the whole figure is."""

    matte: Float32  # (H, W), 0..1, at least 0.5 within the mask
    crop: Crop  # the working grid
    outline: contour.Outline  # the person's, grid pixels
    maps: BodyMaps  # the body on the grid, cut off where the photo ends
    mapping: Warp


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The figure in parts."""

    division: Division  # labels and layers
    outlines: tuple[contour.Outline, ...]  # of each layer, grid pixels


Tell = Callable[[float, str], None]  # how far the work has come, and what is done now


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
        Receives how far it has come; may raise to stop it.
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

    subject = Subject(photo, person, model, fitted)
    front_only = None if labels is None else labels == FRONT_ONLY
    figure = correspond(subject, settings.terms, tell)
    parts = segment(subject, figure, labels, settings.seed)
    surfaces = reconstruct(subject, figure, parts, settings, tell)
    tell(0.85, "Painting the texture")
    painted = paint(subject, figure.crop, surfaces, settings, front_only)
    character = assemble(person, model, fitted, figure.crop, surfaces, painted)
    tell(1.0, "Character built")

    shown = on_photo(parts.division.labels, figure.crop, person.mask)
    if front_only is not None:
        shown = np.where(front_only & person.mask, FRONT_ONLY, shown).astype(np.uint8)
    found = on_photo(parts.division.found, figure.crop, person.mask)
    light = propose_sun(photo, person.mask, shown, figure.maps)
    return CharacterBuild(character, _report(surfaces, character), shown, found, light)


def correspond(
    subject: Subject, terms: contour_matching.MatchingTerms, tell: Tell
) -> Correspondence:
    """Match the person's outline to the fitted body's, and carry the interior along.

    Parameters
    ----------
    subject : Subject
        What the character is made from.
    terms : contour_matching.MatchingTerms
        Weights of the match.
    tell : Tell
        Receives how far it has come; may raise to stop it.

    Returns
    -------
    Correspondence
        Of the whole figure.

    Raises
    ------
    PersonError
        If the mask holds no person-sized piece.
    """
    photo, person = subject.photo, subject.person
    matte = np.where(person.mask, np.maximum(person.matte, 0.5), person.matte)
    outline = contour.trace(matte)
    crop = frame(outline, photo, subject.fitted)
    tell(0.05, "Rendering the body's maps")
    maps = within_photo(render_maps(subject.model, subject.fitted, crop), photo)
    tell(0.15, "Matching the outlines")
    outline = on_grid(outline, crop)
    return Correspondence(matte, crop, outline, maps, warp(outline, maps, terms))


def segment(
    subject: Subject, figure: Correspondence, labels: UInt8 | None, seed: int
) -> Segmentation:
    """Label the figure's parts, and divide off the limbs that hide or are hidden as layers.

    Parameters
    ----------
    subject : Subject
        What the character is made from.
    figure : Correspondence
        Of the whole figure.
    labels : UInt8 | None
        (H, W) parts that the user wants pixels to show, as in `build_character`.
    seed : int
        Of colour clusters.

    Returns
    -------
    Segmentation
        At least one layer; the first has the head.
    """
    crop, colours = figure.crop, colours_on_grid(subject.photo, figure.crop)
    division = divide(
        figure.mapping, figure.maps, colours, subject.model, subject.fitted, labels, seed
    )
    if len(division.layers) == 1:
        return Segmentation(division, (figure.outline,))
    mattes = [matte_on_photo(layer.region, figure.matte, crop) for layer in division.layers]
    return Segmentation(division, tuple(on_grid(contour.trace(each), crop) for each in mattes))


def reconstruct(
    subject: Subject,
    figure: Correspondence,
    parts: Segmentation,
    settings: CharacterSettings,
    tell: Tell,
) -> list[Surface]:
    """Make each layer a closed surface, and put the layers in order of depth.

    Parameters
    ----------
    subject : Subject
        What the character is made from.
    figure : Correspondence
        Of the whole figure.
    parts : Segmentation
        The layers and their outlines.
    settings : CharacterSettings
        How fine.
    tell : Tell
        Receives how far it has come; may raise to stop it.

    Returns
    -------
    list[Surface]
        One for each layer, on the figure's grid.
    """
    photo, model, fitted = subject.photo, subject.model, subject.fitted
    crop, layers = figure.crop, parts.division.layers
    flats = triangulation.triangulate_all(list(parts.outlines), settings.triangles)
    body_on_grid = frames.grid_from_photo(
        crop, frames.project(fitted.camera, fitted.vertices.astype(np.float64))
    )
    surfaces = []
    for k, (layer, outline) in enumerate(zip(layers, parts.outlines, strict=True)):
        tell(0.3 + 0.5 * k / len(layers), "Integrating the normals")
        maps, mapping, corner, flat = figure.maps, figure.mapping, (0, 0), flats[k]
        if len(layers) > 1:
            # What follows takes as long as its picture is large, and a limb needs little of it.
            used = body_on_grid[np.unique(model.faces[layer.faces])]
            window, corner = window_of(crop, layer.region, used)
            maps = within_photo(render_maps(model, fitted, window, layer.faces), photo)
            away = np.array(corner[::-1], np.float64)
            mapping = warp(contour.to_grid(outline, away, 1.0), maps, settings.terms)
            flat = replace(flat, points=flat.points - away)
        face = subject.person.face if layer is layers[0] else None
        surface = lift_layer(layer, flat, maps, mapping, model, fitted, face)
        surfaces.append(placed(surface, corner, (crop.height, crop.width)))
    return in_order(surfaces)


def paint(
    subject: Subject,
    crop: Crop,
    surfaces: list[Surface],
    settings: CharacterSettings,
    front_only: Mask | None,
) -> atlas.Texture:
    """Paint the front and the back of each layer, and pack them into an atlas.

    Parameters
    ----------
    subject : Subject
        What the character is made from.
    crop : Crop
        The surfaces' grid.
    surfaces : list[Surface]
        One for each layer.
    settings : CharacterSettings
        How large, and which back.
    front_only : Mask | None
        (H, W) what the back must not repeat, such as a shirt's logo.

    Returns
    -------
    atlas.Texture
        Charts, colours and normal map.
    """
    images, masks = chart_images(
        subject.photo, subject.person, subject.model, crop, surfaces, settings.mirrored,
        front_only, settings.seed,
    )  # fmt: skip
    layout = atlas.lay_out(masks, settings.texture_px)
    relief = normal_map.bake(surfaces, subject.fitted.camera, crop, layout)
    return atlas.Texture(layout, atlas.paint(images, layout), relief)


def _report(surfaces: list[Surface], character: Character) -> CharacterReport:
    warps = tuple(_measured(surface) for surface in surfaces)
    pixels = [each.pixels for each in warps]

    def mean(name: str) -> float:
        return float(np.average([getattr(each, name) for each in warps], weights=pixels))

    return CharacterReport(
        hole_fraction=mean("hole_fraction"),
        foldover_fraction=mean("foldover_fraction"),
        collapsed_fraction=mean("collapsed_fraction"),
        triangles=len(character.triangles),
        layers=tuple(surface.layer.name for surface in surfaces),
        warps=warps,
    )


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
