"""What single stages found, as datablocks to look at and to correct before the result is whole."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..core import frames
from ..core.body.model import cached_body_model
from ..core.body.pose import pose_of, skeleton_of
from ..core.model_files import model_path
from ..core.pipeline import WakeUpResult
from .build import mark_collection
from .camera import new_camera
from .character import new_armature, new_character
from .images import new_image
from .meshes import new_mesh
from .motion import set_pose

_LONGEST_NAME = 40  # as in build


def build_preview(
    result: WakeUpResult, body_file: str, scene: bpy.types.Scene
) -> bpy.types.Collection:
    """One new collection with what there is: the mask as an image, the fitted body in its pose
    before the photo's camera, the character.

    body_file : the body that was fitted; empty for the default
    """
    name = result.photo.name[:_LONGEST_NAME]
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    photo = new_image(f"{name} Photo", result.photo.rgb)
    mask = new_image(f"{name} Mask", result.person.mask)
    for image in (photo, mask):
        image.use_fake_user = True
    mark_collection(collection, {"mask": mask.name, "photo": photo.name}, result.photo)
    if result.fitted is None:
        return collection
    fitted = result.fitted
    if result.build is not None:
        character = result.build.character
        place, skeleton, pose = character.world_from_camera, character.skeleton, character.pose
        armature = new_armature(f"{name} Armature", skeleton, collection)
        new_character(f"{name} Character", character, armature, collection)
    else:
        model = cached_body_model(Path(body_file) if body_file else model_path("body.npz"))
        under = [fitted.joints[0, 0], fitted.vertices[:, 1].max(), fitted.joints[0, 2]]
        place = frames.world_from_camera(np.array(under))
        skeleton, pose = skeleton_of(model, fitted), pose_of(fitted, place)
        armature = new_armature(f"{name} Armature", skeleton, collection)
        body = new_mesh(f"{name} Body", frames.transform(place, fitted.vertices), model.faces)
        thing = bpy.data.objects.new(body.name, body)
        thing.display_type = "WIRE"
        collection.objects.link(thing)
    set_pose(armature, skeleton, pose)
    collection.objects.link(new_camera(f"{name} Camera", fitted.camera, place, photo))
    return collection
