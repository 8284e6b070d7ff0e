"""A result as a Blender scene: everything in one collection named after the photo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..core.errors import WakeUpError, printable
from ..core.result import WakeUpResult, present
from ..core.staging.sunlight import for_shadows
from ..core.types import Float64, Photo
from .animation.actions import new_action, note_photo_pose, play, set_pose
from .encoded_images import CharacterImages, EncodedImages, encode_images
from .id_properties import GENERATED, IMAGES, PERSON, PHOTO_SIZE, ROLE, numbers
from .objects.character_mesh import new_armature, new_character
from .objects.images import new_image
from .objects.label_image import new_label_image
from .objects.light import made_for, new_fill, new_shadow, new_sun
from .objects.path import add_path
from .objects.plate import new_ground, new_plate, plate_depth, show_on_first_frame
from .render.camera import new_camera

_LONGEST_NAME = 40  # Blender cuts names at 63 bytes; room for what each datablock is


@dataclass(frozen=True)
class SceneParts:
    """The objects of one photo; one character and armature a person, in order."""

    characters: tuple[bpy.types.Object, ...]
    armatures: tuple[bpy.types.Object, ...]
    camera: bpy.types.Object
    plate: bpy.types.Object
    ground: bpy.types.Object

    @property
    def character(self) -> bpy.types.Object:
        """The only person's, or the first one's."""
        return self.characters[0]

    @property
    def armature(self) -> bpy.types.Object:
        """The only person's, or the first one's."""
        return self.armatures[0]


_SINGLE_ROLES = ("camera", "plate", "ground")
_ROLES = ("character", "armature", *_SINGLE_ROLES)


def build_scene(result: WakeUpResult, scene: bpy.types.Scene | None = None) -> bpy.types.Collection:
    """Make character, armature, clip, camera, plate and ground of a finished result.

    All is linked to one new collection of `scene` (the context's where None); nothing else in the
    file is touched: neither render settings nor the active camera (`stills.look_through` does).
    Mask, labels and photo are packed images with users of their own.
    """
    return build_group([result], scene)


def build_group(
    results: Sequence[WakeUpResult],
    scene: bpy.types.Scene | None = None,
    encoded: Sequence[EncodedImages] | None = None,
) -> bpy.types.Collection:
    """`build_scene` for several people of one photo (`pipeline.several_people`): camera, plate and
    ground once, and, where there are several, a collection within for each person's character and
    armature.

    encoded : `encode_images` of the results; None: they are encoded here
    """
    encoded = encode_images(results) if encoded is None else encoded
    scene = scene or bpy.context.scene
    first = results[0]
    name = printable(present(first.photo, "photo").name)[:_LONGEST_NAME]
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    body, lens = present(first.build, "build"), present(first.fitted, "fitted").camera
    photo, place = present(first.photo, "photo"), body.character.world_from_camera

    images, figures = {}, []
    for number, (result, files) in enumerate(zip(results, encoded, strict=True), start=1):
        alone = len(results) == 1
        own_name = name if alone else f"{name} {number}"
        own = collection if alone else bpy.data.collections.new(own_name)
        if not alone:
            collection.children.link(own)
        drawn = present(files.character, "build")
        figures.append(_new_figure(own_name, result, drawn, place, own))
        mask = new_image(f"{own_name} Mask", present(files.mask, "person"))
        mask.use_fake_user = True  # nothing refers to it, and it is there to be painted
        labels = new_label_image(f"{own_name} Labels", drawn.labels, drawn.found_labels)
        labels.use_fake_user = True
        for role, image in (("mask", mask), ("labels", labels)):
            images[role if number == 1 else f"{role} {number}"] = image.name

    reference = new_image(f"{name} Photo", present(encoded[0].photo, "photo"))
    images["photo"] = reference.name
    camera = new_camera(f"{name} Camera", lens, place, reference)
    toward_sun = for_shadows(place[:3, :3] @ np.array(body.sunlight.direction))
    depth = max(
        plate_depth(present(each.build, "build").character, each.motion, toward_sun)
        for each in results
    )
    filled, kept = (
        present(file, "background") for file in (encoded[0].background, encoded[0].still)
    )
    plate = new_plate(f"{name} Background", filled, lens, place, depth)
    still = new_plate(f"{name} Frame 1", kept, lens, place, depth)
    show_on_first_frame(still, lens, place, depth)
    ground = new_ground(f"{name} Ground")
    sun = new_sun(f"{name} Sun", toward_sun)
    shadows = [new_shadow(f"{mesh.name} Shadow", mesh, armature, sun) for mesh, armature in figures]
    for item in (camera, plate, still, ground, sun, new_fill(f"{name} Fill"), *shadows):
        collection.objects.link(item)

    if len(results) == 1 and first.motion is not None:
        add_path(f"{name} Path", first.motion, collection)
    for role, item in zip(_SINGLE_ROLES, (camera, plate, ground), strict=True):
        item[ROLE] = role
    for number, (mesh, armature) in enumerate(figures, start=1):
        mesh[ROLE], armature[ROLE] = "character", "armature"
        mesh[PERSON] = armature[PERSON] = number
    mark_collection(collection, images, photo)
    return collection


def _new_figure(
    name: str,
    result: WakeUpResult,
    drawn: CharacterImages,
    place: Float64,
    collection: bpy.types.Collection,
) -> tuple[bpy.types.Object, bpy.types.Object]:
    """One person's mesh and armature in `collection`, moving; they stand where `place` (4, 4), the
    camera frame in the scene's world, puts them."""
    character = present(result.build, "build").character
    armature = new_armature(f"{name} Armature", character.skeleton, collection)
    mesh = new_character(
        f"{name} Character", character, armature, collection, drawn.texture, drawn.normals
    )
    set_pose(armature, character.skeleton, character.pose)
    note_photo_pose(armature, character.pose)
    if result.motion is not None:
        clip = new_action(
            armature, character.skeleton, result.motion, f"{name} {result.motion_name}"
        )
        play(armature, clip)
    # Each character's own world has its origin under itself; all share the camera's axes.
    armature.location = (place @ np.linalg.inv(character.world_from_camera))[:3, 3]
    return mesh, armature


def mark_collection(collection: bpy.types.Collection, images: dict[str, str], photo: Photo) -> None:
    """Note on a collection that it was made from `photo`, and its loose `images` by name."""
    collection[ROLE] = "collection"
    collection[IMAGES] = images
    collection[PHOTO_SIZE] = [photo.width, photo.height]


def mark_generated(items: Iterable[bpy.types.Object]) -> None:
    """Note on objects that they were made here: `remove_scene` then knows those that the user has
    put beside them."""
    for item in items:
        item[GENERATED] = True


def mark_generated_with(item: bpy.types.Object, marked: bpy.types.Object) -> None:
    """Let an object go with another one of its result, where that one is marked."""
    if GENERATED in marked:
        mark_generated([item])


def find_parts(collection: bpy.types.Collection) -> SceneParts:
    """The objects of a collection that `build_scene` made; WakeUpError where one is missing."""
    found: dict[str, list[bpy.types.Object]] = {role: [] for role in _ROLES}
    for item in collection.all_objects:
        if item.get(ROLE) in found:
            found[item[ROLE]].append(item)
    missing = [role for role in _ROLES if not found[role]]
    if missing:
        raise WakeUpError(
            f"The collection {collection.name} has lost its {missing[0]}: wake the photo up again."
        )
    for item in (*found["armature"], *found["camera"]):
        if not all(item.scale):
            raise WakeUpError(f"{item.name} has no size any more: give it a scale other than 0.")
    characters, armatures = (
        tuple(sorted(found[role], key=lambda item: item.get(PERSON, 1)))
        for role in ("character", "armature")
    )
    return SceneParts(characters, armatures, *(found[role][0] for role in _SINGLE_ROLES))


def is_result(collection: bpy.types.Collection) -> bool:
    """Whether `build_scene` made this collection."""
    return collection.get(ROLE) == "collection"


def is_whole(collection: bpy.types.Collection) -> bool:
    """Whether a collection has everything that rendering and exporting need."""
    roles = {item[ROLE] for item in collection.all_objects if ROLE in item}
    return is_result(collection) and roles.issuperset(_ROLES)


def _noted_images(collection: bpy.types.Collection) -> dict[str, str]:
    """Names of the loose images by what they are; empty if the note was overwritten."""
    noted = collection.get(IMAGES)
    return noted.to_dict() if hasattr(noted, "to_dict") else {}


def _noted_image(collection: bpy.types.Collection, role: str) -> bpy.types.Image | None:
    return bpy.data.images.get(_noted_images(collection).get(role, ""))


def mask_image(collection: bpy.types.Collection) -> bpy.types.Image | None:
    """The mask as an image that the user may have painted; None if it was deleted."""
    return _noted_image(collection, "mask")


def label_image(collection: bpy.types.Collection) -> bpy.types.Image | None:
    """The part labels as an image that the user may have painted; None before the character is
    built, or where it was deleted."""
    return _noted_image(collection, "labels")


def photo_image(collection: bpy.types.Collection) -> bpy.types.Image | None:
    """The photo as an image; None if it was deleted."""
    return _noted_image(collection, "photo")


def photo_size(collection: bpy.types.Collection) -> tuple[int, int]:
    """Width and height in pixels of the photo that the collection was made from; WakeUpError
    where the note of it was overwritten."""
    size = numbers(collection, PHOTO_SIZE, 2)
    if size is None:
        raise WakeUpError(
            f"The collection {collection.name} no longer says how large its photo is: wake the "
            "photo up again."
        )
    return int(size[0]), int(size[1])


def _move_out(objects: list[bpy.types.Object]) -> None:
    home = bpy.context.scene.collection
    for item in objects:
        if item.name not in home.objects:
            home.objects.link(item)


def remove_scene(collection: bpy.types.Collection) -> None:
    """Delete the collection with all that `build_scene` made for it and no one else uses.

    Where objects are marked, others are the user's: they stay, in the scene's own collection.
    """
    images = [bpy.data.images.get(name) for name in _noted_images(collection).values()]
    objects = list(collection.all_objects)
    if any(GENERATED in item for item in objects):
        _move_out([item for item in objects if GENERATED not in item])
        objects = [item for item in objects if GENERATED in item]
    data = {item.data for item in objects if item.data is not None}
    actions = {
        item.animation_data.action
        for item in objects
        if item.animation_data is not None and item.animation_data.action is not None
    }
    actions |= {
        strip.action
        for item in objects
        if item.animation_data is not None
        for track in item.animation_data.nla_tracks
        for strip in track.strips
        if strip.action is not None
    }
    materials = {slot.material for item in objects for slot in item.material_slots}
    materials.discard(None)
    shadows = made_for(objects)
    textures = {
        node.image
        for material in materials
        for node in (material.node_tree.nodes if material.node_tree else ())
        if node.type == "TEX_IMAGE" and node.image is not None
    }
    bpy.data.batch_remove([*objects, *collection.children_recursive, collection])
    for block in (*data, *actions, *materials, *textures, *shadows):
        if block is not None and block.users == 0:
            bpy.data.batch_remove([block])
    for image in images:
        if image is not None and image.users <= int(image.use_fake_user):
            bpy.data.images.remove(image)
