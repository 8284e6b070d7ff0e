"""What each layer's front and back are painted with: photo-sized images and their masks."""

from __future__ import annotations

import cv2
import numpy as np

from .. import frames
from ..body.skeleton import JOINT
from ..perception.landmarks import LANDMARK
from ..types import Crop, FittedBody, Mask, Person, Photo, UInt8
from . import texture
from .framing import mask_on_photo
from .surfaces import Surface

HEAD_RADIUS_M = 0.19  # a head with hair, from its middle


def panel_images(
    photo: Photo, person: Person, fitted: FittedBody, crop: Crop, surfaces: list[Surface]
) -> tuple[list[UInt8], list[Mask]]:
    """Front and back image of each layer, photo-sized, and the masks they must cover."""
    face = face_mask(photo, person)
    head = face.copy()
    if face.any():
        head |= _head_mask(photo, person, fitted)
    images, masks = [], []
    for surface in surfaces:
        layer = surface.layer
        own = mask_on_photo(layer.pure, crop, photo) & person.mask
        region = mask_on_photo(layer.region, crop, photo) & person.mask
        if len(surfaces) == 1:
            own = region = person.mask
        front = texture.front_colours(person.foreground, own, region)
        back = texture.without_face(front, face & region, head & region)
        if layer is surfaces[0].layer and face.any():
            back = texture.spread_colours(back, region)
        images += [front, back]
        masks += [region, region]
    return images, masks


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
