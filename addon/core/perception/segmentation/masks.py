"""Cutting one person out: silhouette, soft edge, clean colours.

`network_masks` says how likely each pixel is the person, `refinement` draws the outline along the
picture's edges, both in the view in which the person stands (`upright`); `matte` softens it;
`instance_assignment` keeps other people out.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ...errors import PersonError
from ...photo.transparency import OPAQUE, is_cut_out
from ...types import Detection, Float32, Mask, Person, Photo, UInt8
from ..detection.upright import view_of
from ..drawings.figure_ground_segmentation import outline_in_box, solid
from ..landmarks.face_hand_rois import close_ups
from ..landmarks.pose_landmarks import track_roi
from . import matte
from .instance_assignment import assign_instances, meet, painted_over
from .mask_networks import MaskNetwork, SingleMaskNetwork
from .network_masks import probability_of_person, roi_of
from .refinement import refine

# Mean opacity around what a network takes for a cut-out person: it misses what people hold.
MOST_LEFT = 0.5

ASSIGNMENT_GRID_PX = 512  # longer side of the grid on which neighbours are told apart


def segment_person(
    photo: Photo,
    detection: Detection,
    others: Sequence[Detection] = (),
    network: MaskNetwork | None = None,
    seed: int = 0,
) -> Person:
    """Cut one person out: silhouette, soft matte and clean foreground colours.

    A photo that is already cut out (transparent around the person) keeps its own edge.

    Parameters
    ----------
    photo : Photo
        The photo.
    detection : Detection
        The person.
    others : Sequence[Detection]
        Everyone else in the photo; what is theirs stays out of the mask.
    network : MaskNetwork | None
        One of the user's in place of the built-in one.
    seed : int
        Of the colour mixtures' first clusters.

    Returns
    -------
    Person
        Mask, matte, colours, face and hands.

    Raises
    ------
    PersonError
        If no outline is found.
    """
    rgb = photo.rgb
    if detection.is_drawn:
        return cut_out(photo, detection, outline_in_box(photo, detection.box, seed))
    rivals = [other for other in others if meet(detection, other)]
    other_instances = _of_rivals(rgb, detection, rivals)
    alone = painted_over(rgb, other_instances) if rivals else rgb
    view = view_of(detection, (photo.width, photo.height))
    standing = view.detection(detection)
    if network is None:
        soft = probability_of_person(view.picture(alone), standing)
    else:
        soft = network.mask(view.picture(alone), standing.box)
    if photo.alpha is not None and _alpha_is_cut_out(photo.alpha, view.on_photo(soft)):
        opacity = photo.alpha.astype(np.float32) / 255
        mask = solid((opacity >= 0.5) & ~other_instances, standing.box)
    else:
        if isinstance(network, SingleMaskNetwork):
            # Networks that make one large mask see finer edges than colours tell.
            found = (view.on_photo(soft) >= 0.5) & ~other_instances
        else:
            refined = refine(view.picture(rgb), soft, standing, view.mask(other_instances), seed)
            found = view.on_photo(refined) >= 0.5
        mask = solid(found, standing.box)
        opacity = matte.estimate(rgb, mask)
        mask = solid(opacity >= 0.5, standing.box)
    if mask.sum() < 400:
        raise PersonError(
            "The person's outline could not be found: choose a photo where the person stands out "
            "from the background, or paint the mask."
        )
    return _person(rgb, detection, mask, opacity)


def cut_out(photo: Photo, detection: Detection, mask: Mask) -> Person:
    """A person whose silhouette (H, W) is given: it is taken as it is, only its edge is softened
    along the picture's own.

    Parameters
    ----------
    photo : Photo
        The photo.
    detection : Detection
        The person.
    mask : Mask
        (H, W).

    Returns
    -------
    Person
        With this very mask.
    """
    return _person(photo.rgb, detection, mask, matte.estimate(photo.rgb, mask))


def _person(rgb: UInt8, detection: Detection, mask: Mask, opacity: Float32) -> Person:
    """mask == opacity >= 0.5, and nothing of the matte is left far from the mask."""
    near = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    soft = np.where(mask, np.maximum(opacity, 0.5), np.minimum(opacity, 0.499)) * near
    colours = matte.foreground(rgb, soft)
    face, hands = close_ups(rgb, detection)
    return Person(detection, mask, soft.astype(np.float32), colours, face, hands)


def _of_rivals(rgb: UInt8, detection: Detection, rivals: list[Detection]) -> Mask:
    """(H, W) bool: what belongs to people who stand close, as the network's masks tell."""
    shape = rgb.shape[:2]
    if not rivals:
        return np.zeros(shape, bool)
    people = [detection, *rivals]
    scale = min(1.0, ASSIGNMENT_GRID_PX / max(shape))
    size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
    probabilities = []
    for person in people:
        result = track_roi(rgb, roi_of(person))
        probabilities.append(cv2.warpAffine(result.mask, result.roi.matrix() * scale, size))
    instance, _ = assign_instances(people, probabilities, scale)
    other_instances = (instance > 0).astype(np.uint8)
    return cv2.resize(other_instances, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0


def _alpha_is_cut_out(alpha: UInt8, soft: Float32) -> bool:
    """Whether transparency follows the person: it agrees with the network's mask."""
    opaque, person = alpha >= OPAQUE, soft >= 0.5
    union = (opaque | person).sum()
    agrees = bool(union and (opaque & person).sum() / union > 0.7)
    # In a close-up all of the photo is much like the person, though nothing was cut out.
    return agrees and is_cut_out(alpha, person, MOST_LEFT)
