"""What single stages found, as datablocks to look at and to correct before the result is whole."""

from __future__ import annotations

import bpy
import numpy as np

from ..core import frames
from ..core.body.stage import body_model
from ..core.errors import printable
from ..core.result import WakeUpResult, present
from ..core.settings import WakeUpSettings
from ..core.types import Camera, Float64
from .animation.actions import set_pose
from .build import mark_collection
from .encoded_images import EncodedImages, encode_images
from .objects.character_mesh import new_armature, new_character
from .objects.images import new_image
from .objects.label_image import new_label_image
from .render.camera import new_camera
from .rig.joint_markers import new_corrections
from .rig.pose_correction import new_posed_body

_LONGEST_NAME = 40  # as in build


def build_preview(
    result: WakeUpResult,
    body_file: str,
    scene: bpy.types.Scene,
    height_m: float = frames.DEFAULT_HEIGHT_M,
    encoded: EncodedImages | None = None,
) -> bpy.types.Collection:
    """One new collection with what there is: the photo before its camera, mask and labels as
    images, joints to drag, the fitted body in its pose, the character.

    body_file : the body that was fitted; empty for the default
    encoded : `encode_images` of the result; None: they are encoded here
    """
    files = encode_images([result])[0] if encoded is None else encoded
    original = present(result.photo, "photo")
    name = printable(original.name)[:_LONGEST_NAME]
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    photo = new_image(f"{name} Photo", present(files.photo, "photo"))
    images = {"photo": photo}
    drawn = files.character
    if files.mask is not None:
        images["mask"] = new_image(f"{name} Mask", files.mask)
    if result.build is not None and drawn is not None:
        labels = new_label_image(f"{name} Labels", drawn.labels, drawn.found_labels)
        images["labels"] = labels
    for image in images.values():
        image.use_fake_user = True
    mark_collection(collection, {role: item.name for role, item in images.items()}, original)
    lens, place = photo_camera(result, height_m)
    if result.build is not None and drawn is not None:
        character = result.build.character
        skeleton, pose = character.skeleton, character.pose
        armature = new_armature(f"{name} Armature", skeleton, collection)
        new_character(
            f"{name} Character", character, armature, collection, drawn.texture, drawn.normals
        )
        set_pose(armature, skeleton, pose)
    elif result.fitted is not None:
        model = body_model(WakeUpSettings(body_file=body_file))
        new_posed_body(name, model, result.fitted, place, collection)
    collection.objects.link(new_camera(f"{name} Camera", lens, place, photo))
    add_corrections(result, collection, height_m)
    return collection


def add_corrections(
    result: WakeUpResult,
    collection: bpy.types.Collection,
    height_m: float = frames.DEFAULT_HEIGHT_M,
) -> bpy.types.Collection:
    """Put the person's joints into a result's collection, to be dragged."""
    lens, place = photo_camera(result, height_m)
    person = result.person.detection if result.person is not None else None
    depth = -float(place[1, 3])  # from the camera to the world's origin
    return new_corrections(
        printable(present(result.photo, "photo").name)[:_LONGEST_NAME],
        person,
        lens,
        place,
        depth,
        collection,
    )


def photo_camera(result: WakeUpResult, height_m: float) -> tuple[Camera, Float64]:
    """The photo's camera and its place (4, 4) in the world: the fitted body's where there is one,
    else as if the person, or a figure as high as the photo, were `height_m` tall."""
    if result.build is not None:
        return present(result.fitted, "fitted").camera, result.build.character.world_from_camera
    if result.fitted is not None:
        fitted = result.fitted
        under = [fitted.joints[0, 0], fitted.vertices[:, 1].max(), fitted.joints[0, 2]]
        return fitted.camera, frames.world_from_camera(np.array(under))
    photo = present(result.photo, "photo")
    lens = frames.default_camera(photo.width, photo.height, photo.focal_px)
    box = np.array([0.0, 0.0, photo.width, photo.height])
    if result.person is not None:
        box = result.person.detection.box.astype(np.float64)
    depth = lens.focal_px * height_m / max(box[3] - box[1], 1.0)
    foot = np.array([[(box[0] + box[2]) / 2, box[3]]])
    return lens, frames.world_from_camera(frames.unproject(lens, foot, np.array([depth]))[0])
