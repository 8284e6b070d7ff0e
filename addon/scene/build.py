"""A result as a Blender scene: everything in one collection named after the photo."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ..core.errors import WakeUpError
from ..core.pipeline import WakeUpResult
from ..core.types import Photo
from .camera import new_camera
from .character import new_armature, new_character
from .images import new_image
from .motion import new_action, play, set_pose
from .plate import new_ground, new_plate, plate_depth, show_on_first_frame

_ROLE = "photo_wake_up_role"  # custom property that tells an object's part in the scene
_IMAGES = "photo_wake_up_images"  # names of the collection's loose images
_LONGEST_NAME = 40  # Blender cuts names at 63 bytes; room for what each datablock is


@dataclass(frozen=True)
class SceneParts:
    """The objects of one result."""

    character: bpy.types.Object
    armature: bpy.types.Object
    camera: bpy.types.Object
    plate: bpy.types.Object
    ground: bpy.types.Object


def build_scene(result: WakeUpResult, scene: bpy.types.Scene | None = None) -> bpy.types.Collection:
    """Make character, armature, clip, camera, plate and ground of a finished result.

    All is linked to one new collection of `scene` (the context's where None); nothing else in the
    file is touched: neither render settings nor the active camera (`render.look_through` does).
    Mask and photo are packed images with users of their own.
    """
    scene = scene or bpy.context.scene
    name = result.photo.name[:_LONGEST_NAME]
    character = result.build.character
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)

    armature = new_armature(f"{name} Armature", character.skeleton, collection)
    mesh = new_character(f"{name} Character", character, armature, collection)
    set_pose(armature, character.skeleton, character.pose)
    if result.motion is not None:
        clip = new_action(
            armature, character.skeleton, result.motion, f"{name} {result.motion_name}"
        )
        play(armature, clip)

    place = character.world_from_camera
    reference = new_image(f"{name} Photo", result.photo.rgb)
    camera = new_camera(f"{name} Camera", result.fitted.camera, place, reference)
    depth = plate_depth(character, result.motion)
    lens = result.fitted.camera
    plate = new_plate(f"{name} Background", result.background.rgb, lens, place, depth)
    still = new_plate(f"{name} Frame 1", result.background.still, lens, place, depth)
    show_on_first_frame(still, lens, place, depth)
    ground = new_ground(f"{name} Ground")
    for item in (camera, plate, still, ground):
        collection.objects.link(item)

    mask = new_image(f"{name} Mask", result.person.mask)
    mask.use_fake_user = True  # nothing refers to it, and it is there to be painted
    roles = SceneParts(mesh, armature, camera, plate, ground)
    for role, item in vars(roles).items():
        item[_ROLE] = role
    mark_collection(collection, {"mask": mask.name, "photo": reference.name}, result.photo)
    return collection


def mark_collection(collection: bpy.types.Collection, images: dict[str, str], photo: Photo) -> None:
    """Note on a collection that it was made from `photo`, and its loose `images` by name."""
    collection[_ROLE] = "collection"
    collection[_IMAGES] = images
    collection["photo_wake_up_photo_size"] = [photo.width, photo.height]


def find_parts(collection: bpy.types.Collection) -> SceneParts:
    """The objects of a collection that `build_scene` made; WakeUpError where one is missing."""
    found = {item[_ROLE]: item for item in collection.all_objects if _ROLE in item}
    missing = [role for role in SceneParts.__dataclass_fields__ if role not in found]
    if missing:
        raise WakeUpError(
            f"The collection {collection.name} has lost its {missing[0]}: wake the photo up again."
        )
    return SceneParts(**{role: found[role] for role in SceneParts.__dataclass_fields__})


def is_result(collection: bpy.types.Collection) -> bool:
    """Whether `build_scene` made this collection."""
    return collection.get(_ROLE) == "collection"


def is_whole(collection: bpy.types.Collection) -> bool:
    """Whether a collection has everything that rendering and exporting need."""
    roles = {item[_ROLE] for item in collection.all_objects if _ROLE in item}
    return is_result(collection) and roles.issuperset(SceneParts.__dataclass_fields__)


def mask_image(collection: bpy.types.Collection) -> bpy.types.Image | None:
    """The mask as an image that the user may have painted; None where it was deleted."""
    return bpy.data.images.get(collection.get(_IMAGES, {}).get("mask", ""))


def photo_size(collection: bpy.types.Collection) -> tuple[int, int]:
    """Width and height in pixels of the photo that the collection was made from."""
    width, height = collection["photo_wake_up_photo_size"]
    return int(width), int(height)


def remove_scene(collection: bpy.types.Collection) -> None:
    """Delete the collection with all that `build_scene` made for it and nobody else uses."""
    images = [bpy.data.images.get(name) for name in collection.get(_IMAGES, {}).values()]
    objects = list(collection.all_objects)
    data = {item.data for item in objects if item.data is not None}
    actions = {
        item.animation_data.action
        for item in objects
        if item.animation_data is not None and item.animation_data.action is not None
    }
    materials = {slot.material for item in objects for slot in item.material_slots}
    materials.discard(None)
    textures = {
        node.image
        for material in materials
        for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image is not None
    }
    bpy.data.batch_remove([*objects, collection])
    for block in (*data, *actions, *materials, *textures):
        if block.users == 0:
            bpy.data.batch_remove([block])
    for image in images:
        if image is not None and image.users <= int(image.use_fake_user):
            bpy.data.images.remove(image)
