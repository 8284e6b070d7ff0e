"""Custom properties of datablocks (Blender's ID properties): their keys, what each holds, and how
numbers are read back, since users can see, edit and overwrite them.

Objects are found again by these, not by names. Keys stay as they are: they are in users' files.
Matrices are world from camera, 16 numbers row by row.
"""

from __future__ import annotations

import bpy
import numpy as np

from ..core.types import Float64

# A result's collection.
IMAGES = "photo_wake_up_images"  # names of its loose images by their roles
PHOTO_SIZE = "photo_wake_up_photo_size"  # width and height in pixels
PHOTO_SOURCE = "photo_wake_up_digest"  # which photo it is of
PERSON_SOURCE = "photo_wake_up_source"  # which photo and person; of mask and label images, too

# Its objects.
ROLE = "photo_wake_up_role"  # an object's part in the scene; of the collection, too
PERSON = "photo_wake_up_person"  # whose character or armature it is, counted from 1
GENERATED = "photo_wake_up_made"  # marks objects that are not the user's own
FRAME_1_PLATE = "photo_wake_up_still"  # marks the plate of frame 1
SHADOW = "photo_wake_up_shadow"  # marks shadow objects
WALL = "photo_wake_up_wall"  # marks the wall
PATH = "photo_wake_up_path"  # of the path: its points as it was made, metres, world, flat

# The character's armature and its actions.
PHOTO_POSE = "photo_wake_up_pose"  # rotations (24, 4) and root (3,), flat
MUTED_PARTS = "photo_wake_up_frozen"  # numbers of the parts that are held
CONTROL_SHAPE = "photo_wake_up_controls"  # name of the object that its controls are drawn as
CLIP = "photo_wake_up_clip"  # of an action: which clip of which armature it is
OTHER_TAKE = "photo_wake_up_other_take"  # marks actions to choose from

# What is corrected: joints and box over the photo, the fitted body, painted images.
MARKED_JOINT = "photo_wake_up_joint"  # of a marker: its joint's name
FOUND_AT = "photo_wake_up_found"  # of a marker: photo pixels (2,) where the joint was found
BOX = "photo_wake_up_box"  # marks the box
LENS = "photo_wake_up_lens"  # of their collection: focal length, cx, cy, width, height, pixels
MARKER_DEPTH = "photo_wake_up_depth"  # of their collection: metres from the camera to their plane
MARKER_PLACE = "photo_wake_up_place"  # of their collection: a matrix
FIT = "photo_wake_up_fit"  # of a collection: the fields of PoseCorrection
FIT_PLACE = "photo_wake_up_fit_place"  # of a collection: a matrix
FIT_BODY = "photo_wake_up_fit_body"  # of a collection: which body was fitted; empty: the default
POSED = "photo_wake_up_posed"  # "armature" or "body": the posed armature and its body
POSED_CHANNELS = "photo_wake_up_set"  # of the posed armature: its channels as they were made
PAINTED = "photo_wake_up_painted"  # marks images that were painted and then packed
# Of a label image: the labels before anything was painted over them, as a PNG. It is saved with the
# image, so that strokes are known as such in a file that is opened again.
FOUND_LABELS = "photo_wake_up_found_labels"


def numbers(block: bpy.types.ID, key: str, count: int = -1) -> Float64 | None:
    """(count,) what is noted under `key`, any count where -1; None if it is something else."""
    try:
        noted = np.array(block[key], np.float64)
    except (KeyError, TypeError, ValueError):
        return None
    is_whole = noted.ndim == 1 and count in (-1, len(noted))
    return noted if is_whole else None
