"""What each layer's front and back are painted with: photo-sized images and their masks.

Photo Wake-Up section 4.5. The front is the photo, but for the rim, where old background shines
through; what another layer hides is synthesised from the same part. The back is the front's mirror
image wherever the labels ask for what is there; elsewhere, as on the back of the head,
it is synthesised from pixels of the label asked for, and blended into what is around.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...body.model.body_model import BodyModel
from ...body.model.parts import NOTHING, PART_NAMES
from ...imaging.fill_nearest import fill_nearest
from ...imaging.masks import dilated_by_distance
from ...imaging.resampling import resampled_on_photo
from ...imaging.texture_synthesis import synthesise
from ...numerics.grid_laplacian import screened_membrane
from ...types import Crop, Int32, Mask, Person, Photo, UInt8
from ..surface.layer_reconstruction import Surface
from ..working_grid import mask_on_photo
from . import atlas, texture_labels

SOLID = 0.98  # matte from which a pixel is the person's alone
RIM_SHARE = 0.002  # of the figure; so near to the outline the foreground's colours are a guess
LEAST_RIM_PX = 1.0
RIM_SOFTNESS = 0.003  # of the figure; blur of the colours that the rim takes from inside
BORDER_SHARE = 0.006  # of the figure; layers are divided no more exactly than this
BLEND_SHARE = 0.005  # of the figure; colours differ across a seam no farther than this
BLEND_REACH = 4.0  # times that: beyond, the difference has faded to a fiftieth


def chart_images(
    photo: Photo,
    person: Person,
    model: BodyModel,
    crop: Crop,
    surfaces: list[Surface],
    mirrored_parts: tuple[str, ...] = (),
    front_only: Mask | None = None,
    seed: int = 0,
) -> tuple[list[UInt8], list[Mask]]:
    """Front and back image of each layer, photo-sized, and the masks they must cover.

    Parameters
    ----------
    photo : Photo
        The photo.
    person : Person
        The person.
    model : BodyModel
        The body model.
    crop : Crop
        The grid.
    surfaces : list[Surface]
        One for each layer.
    mirrored_parts : tuple[str, ...]
        Of `PART_NAMES`, those whose back is the front's mirror image.
    front_only : Mask | None
        (H, W) bool, what the back must not repeat, such as a shirt's logo.
    seed : int
        Of colour clusters and of what is synthesised.

    Returns
    -------
    tuple[list[UInt8], list[Mask]]
        (H, W, 3) and (H, W) each, front and back in turn.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(person.mask)
    figure = max(float(np.ptp(rows)), float(np.ptp(columns)), 1.0)
    depth = cv2.distanceTransform(person.mask.astype(np.uint8), cv2.DIST_L2, 5)
    solid = (person.matte >= SOLID) & (depth > max(LEAST_RIM_PX, RIM_SHARE * figure))
    face = texture_labels.face_mask(person)
    blend = BLEND_SHARE * figure
    views = [_view(surface, photo, person, model, crop, len(surfaces) == 1) for surface in surfaces]
    # What a layer hides of a limb, as the shoulder under an arm, is on the limb's own layer.
    part_shown = np.zeros_like(views[0].part)
    sources = np.zeros_like(person.mask)
    for view in views:
        seen = view.own & solid & ~dilated_by_distance(view.hidden, BORDER_SHARE * figure)
        part_shown[seen] = view.part[seen]
        sources |= seen
    if front_only is None:
        front_only = np.zeros_like(person.mask)
    images, masks = [], []
    for view in views:
        region, own, hidden, part = view.region, view.own, view.hidden, view.part
        shown = with_soft_rim(person.foreground, own & solid, RIM_SOFTNESS * figure)
        image = np.where((sources & ~own)[..., None], person.foreground, shown)
        label = np.where(own, part, part_shown).astype(np.uint8)
        front = filled_front(image, own, hidden, part, label, sources & ~face, blend, rng)
        labels = texture_labels.propose(person, front, region, view.ahead, view.behind, model, seed)
        kept = np.isin(part, [PART_NAMES.index(name) for name in mirrored_parts])
        back = painted_back(front, region, labels, sources & own, kept, front_only, blend, rng)
        images += [atlas.spread_colours(front, region), atlas.spread_colours(back, region)]
        masks += [region, region]
    return images, masks


@dataclass(frozen=True, eq=False)
class _View:
    """A layer at the photo's pixels (H, W)."""

    own: Mask  # where the photo shows it
    region: Mask  # all of it
    ahead: Int32  # the body's vertices on its front sheet, and behind
    behind: Int32
    part: UInt8  # `body.parts` of the front sheet

    @property
    def hidden(self) -> Mask:
        return self.region & ~self.own


def _view(
    surface: Surface, photo: Photo, person: Person, model: BodyModel, crop: Crop, whole: bool
) -> _View:
    layer = surface.layer
    own = mask_on_photo(layer.pure, crop, photo) & person.mask
    region = mask_on_photo(layer.region, crop, photo) & person.mask
    if whole:
        own = region = person.mask
    ahead = vertices_on_photo(surface.front_vertex, crop, photo)
    behind = vertices_on_photo(surface.back_vertex, crop, photo)
    part = np.where(region & (ahead >= 0), model.part[ahead], NOTHING).astype(np.uint8)
    return _View(own, region, ahead, behind, part)


def with_soft_rim(colours: UInt8, solid: Mask, sigma_px: float) -> UInt8:
    """The colours (H, W, 3) of solid pixels; all others take those of the nearest solid ones, a
    little blurred: the steep sides of the surface stretch whatever is at the rim to stripes.

    Parameters
    ----------
    colours : UInt8
        (H, W, 3).
    solid : Mask
        (H, W).
    sigma_px : float
        Photo pixels.

    Returns
    -------
    UInt8
        (H, W, 3).
    """
    share = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), max(sigma_px, 0.5))
    total = cv2.GaussianBlur(
        np.where(solid[..., None], colours, 0).astype(np.float32), (0, 0), max(sigma_px, 0.5)
    )
    soft = np.rint(total / np.maximum(share, 1e-6)[..., None]).clip(0, 255).astype(np.uint8)
    return np.where(solid[..., None], colours, atlas.spread_colours(soft, solid))


def vertices_on_photo(vertex: Int32, crop: Crop, photo: Photo) -> Int32:
    """(H, W) the body's vertices (h, w) of the crop's grid, spread beyond where there are some.

    Parameters
    ----------
    vertex : Int32
        (h, w), -1 where there is none.
    crop : Crop
        The grid.
    photo : Photo
        The photo.

    Returns
    -------
    Int32
        (H, W).
    """
    known = vertex >= 0
    if not known.any():
        return np.full((photo.height, photo.width), -1, np.int32)
    # Single floats hold the numbers of vertices exactly up to 2^24.
    return resampled_on_photo(
        fill_nearest(vertex, known).astype(np.float32), crop, (photo.height, photo.width),
        cv2.INTER_NEAREST, cv2.BORDER_REPLICATE,
    ).astype(np.int32)  # fmt: skip


def filled_front(
    shown: UInt8,
    own: Mask,
    hidden: Mask,
    part: UInt8,
    label: UInt8,
    sources: Mask,
    blend_px: float,
    rng: np.random.Generator,
) -> UInt8:
    """A layer's front (H, W, 3): what the photo shows, and the hidden rest from the same part.

    Parameters
    ----------
    shown : UInt8
        (H, W, 3) the layer's colours, spread beyond `own`, and those of the sources.
    own : Mask
        (H, W) what the photo shows of the layer.
    hidden : Mask
        (H, W) what other layers hide of it.
    part : UInt8
        (H, W) the layer's parts.
    label : UInt8
        (H, W) the parts that the photo shows.
    sources : Mask
        (H, W) what may be copied.
    blend_px : float
        How far colours are blended, photo pixels.
    rng : np.random.Generator
        Decides all that is random.

    Returns
    -------
    UInt8
        (H, W, 3).
    """
    if not hidden.any():
        return shown
    made = synthesise(shown, own, hidden, part, label, sources, rng)
    same = np.where(own, part, NOTHING).astype(np.uint8)
    return blended(
        made.colours, shown, hidden & made.painted, own | hidden, part, same,
        np.zeros_like(own), blend_px,
    )  # fmt: skip


def painted_back(
    front: UInt8,
    region: Mask,
    labels: texture_labels.Labels,
    sources: Mask,
    mirrored: Mask,
    front_only: Mask,
    blend_px: float,
    rng: np.random.Generator,
) -> UInt8:
    """A layer's back (H, W, 3), seen through the layer from the front.

    Parameters
    ----------
    front : UInt8
        (H, W, 3).
    region : Mask
        (H, W) the layer.
    labels : texture_labels.Labels
        The guide.
    sources : Mask
        (H, W) what may be copied.
    mirrored : Mask
        (H, W) bool, where the front is kept.
    front_only : Mask
        (H, W) bool, what must not come from there to the back.
    blend_px : float
        How far colours are blended, photo pixels.
    rng : np.random.Generator
        Decides all that is random.

    Returns
    -------
    UInt8
        (H, W, 3).
    """
    wanted, excluded = labels.back, front_only & region
    target = region & ~mirrored & ((wanted != labels.front) | excluded)
    if not target.any():
        return front
    known = region & ~target
    sources = sources & ~excluded
    made = synthesise(front, known, target, wanted, labels.front, sources, rng)
    # A label that the photo shows nowhere takes the colours beside it.
    bare = target & ~made.painted
    back = np.where(bare[..., None], atlas.spread_colours(made.colours, region & ~bare),
                    made.colours)  # fmt: skip
    inner = cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
    rim = region & ~inner
    return blended(back, front, target, region, wanted, labels.front, rim, blend_px)


def blended(
    back: UInt8,
    front: UInt8,
    target: Mask,
    region: Mask,
    wanted: UInt8,
    shown: UInt8,
    rim: Mask,
    reach_px: float,
) -> UInt8:
    """The synthesised pixels, moved to the colours they meet: the front's at the outline `rim`,
    and those of what is not synthesised where it has the same label.

    Perez, Gangnet, Blake, "Poisson Image Editing" (2003), equation 4, in terms of the correction,
    which is a membrane; screened, so that it fades within `reach_px` of where it is asked for and
    a face's colour does not flow into the hair behind.

    Parameters
    ----------
    back : UInt8
        (H, W, 3), synthesised at the target.
    front : UInt8
        (H, W, 3).
    target : Mask
        (H, W) what was synthesised.
    region : Mask
        (H, W) the layer.
    wanted : UInt8
        (H, W) labels of the back.
    shown : UInt8
        (H, W) labels of the front.
    rim : Mask
        (H, W) the layer's outline.
    reach_px : float
        Photo pixels.

    Returns
    -------
    UInt8
        (H, W, 3).
    """
    # On either side of the target's border: how much the mirrored back differs from what goes on.
    same = ~target & region & (wanted == shown)
    beside = target & (cv2.dilate(same.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    beside &= cv2.dilate((wanted * same), np.ones((3, 3), np.uint8)) == wanted
    around = cv2.blur(np.where(same[..., None], front, 0).astype(np.float32), (3, 3))
    share = cv2.blur(same.astype(np.float32), (3, 3))
    asked = np.where((beside & ~rim)[..., None], around / np.maximum(share, 1e-6)[..., None], front)
    fixed = target & (rim | beside)
    if not fixed.any():
        return back
    distance = cv2.distanceTransform((~fixed).astype(np.uint8), cv2.DIST_L2, 5)
    near = target & (distance <= BLEND_REACH * reach_px)
    correction = screened_membrane(asked - back.astype(np.float32), fixed, near, reach_px)
    moved = np.clip(np.rint(back + correction), 0, 255).astype(np.uint8)
    return np.where(near[..., None], moved, back)
