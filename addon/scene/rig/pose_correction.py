"""The fitted body over the photo, to be posed, and its pose back.

The armature has the character's own bones. Beside them stand handles, bones named for the person's
own hands and feet: dragged, they pull the limb after them; untouched, they have no influence at
all. What was fitted is noted on the result's collection, so that a corrected pose keeps its meaning
when the file is saved, opened again, or goes on to become a character.
"""

from __future__ import annotations

import bpy
import numpy as np

from ...core import frames
from ...core.body.model.body_model import BodyModel
from ...core.body.model.skeleton import BONE_NAMES, PARENTS
from ...core.body.pose_edit import LIMBS, PoseCorrection, limb_handles, posed_by_hand
from ...core.body.world_pose import pose_of, skeleton_of, skin_matrices, unskin_vertices
from ...core.errors import WakeUpError
from ...core.types import FittedBody, Float64, Mask
from ..animation.actions import read_pose, set_pose
from ..id_properties import FIT, FIT_BODY, FIT_PLACE, POSED, POSED_CHANNELS, numbers
from ..objects.character_mesh import bind, new_armature
from ..objects.meshes import new_mesh
from ..selection import selected
from .ik_rig import TOUCHED_M, new_cube, new_handle_bones, new_ik

_UNTOUCHED = 1e-3  # of the channels, metres or sines: less than is held on to as the user's
_COLOUR = (0.25, 0.6, 1.0, 0.4)  # of the body: the photo shows through


def new_posed_body(
    name: str,
    model: BodyModel,
    fitted: FittedBody,
    world_from_camera: Float64,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """Armature and translucent mesh of the fitted body in `collection`, posed as fitted."""
    skeleton, pose = skeleton_of(model, fitted), pose_of(fitted, world_from_camera)
    armature = new_armature(f"{name} Armature", skeleton, collection)
    armature[POSED] = "armature"
    posed = frames.transform(world_from_camera, fitted.vertices.astype(np.float64))
    rest = unskin_vertices(posed, model.weights, skin_matrices(skeleton, pose))
    mesh = new_mesh(f"{name} Body", rest, model.faces)
    mesh.materials.append(_new_material(f"{name} Body"))
    body = bpy.data.objects.new(mesh.name, mesh)
    body[POSED] = "body"
    body.hide_select = True  # clicks go to the bones
    body.hide_render = True
    collection.objects.link(body)
    bind(body, armature, BONE_NAMES, model.weights)

    set_pose(armature, skeleton, pose)
    for bone in armature.pose.bones[1:]:
        bone.lock_location = (True, True, True)  # joints stay where the bones above end
    handles = limb_handles(skeleton, pose)
    cube = new_cube(f"{name} Handle", collection)
    with selected([armature], mode="EDIT"):
        for handle in handles:
            new_handle_bones(armature.data, handle)
    bpy.context.view_layer.update()
    for handle in handles:
        new_ik(armature, handle, cube)
    armature[POSED_CHANNELS] = _channels(armature).tolist()
    return armature


def _channels(armature: bpy.types.Object) -> Float64:
    """What has been done to each bone, one after the other: its own place, turn and size."""
    values = np.empty(len(armature.pose.bones) * 16, np.float32)
    armature.pose.bones.foreach_get("matrix_basis", values)
    return values.astype(np.float64)


def _new_material(name: str) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    material.diffuse_color = _COLOUR
    return material


def find_posed(collection: bpy.types.Collection) -> bpy.types.Object | None:
    """The armature that `new_posed_body` made for a result; None if it is not there."""
    return next((item for item in collection.objects if item.get(POSED) == "armature"), None)


def show_body(collection: bpy.types.Collection, shown: bool) -> None:
    """Show or hide the fitted body; its bones stay."""
    for item in collection.objects:
        if item.get(POSED) == "body":
            item.hide_viewport = not shown


def note_fit(
    collection: bpy.types.Collection,
    fitted: FittedBody,
    held: Mask | None,
    world_from_camera: Float64,
    body_file: str,
) -> None:
    """Note on a result's collection what was fitted and which joints (24,) are the user's."""
    noted = PoseCorrection.of(fitted, held)
    collection[FIT] = {
        "betas": noted.betas.astype(float).tolist(),
        "pose": noted.pose.astype(float).ravel().tolist(),
        "translation": noted.translation.astype(float).tolist(),
        "scale": float(noted.scale),
        "pelvis": noted.pelvis.astype(float).tolist(),
        "focal_px": float(noted.focal_px),
        "held": noted.held.astype(int).tolist(),
    }
    collection[FIT_PLACE] = np.asarray(world_from_camera, np.float64).ravel().tolist()
    collection[FIT_BODY] = body_file


def has_fit(collection: bpy.types.Collection) -> bool:
    """Whether a body was fitted for this result."""
    return FIT in collection


def read_correction(collection: bpy.types.Collection, body_file: str = "") -> PoseCorrection | None:
    """The fitted body with the pose that its armature has now, where there is one; None if
    nothing was fitted, or another body than `body_file`. WakeUpError where bones are missing."""
    if FIT not in collection or collection[FIT_BODY] != body_file:
        return None
    noted = collection[FIT]

    def array(name: str) -> np.ndarray:
        return np.array(noted[name], np.float32)

    before = PoseCorrection(
        array("betas"), array("pose").reshape(-1, 3), array("translation"),
        float(noted["scale"]), array("pelvis"), float(noted["focal_px"]),
        np.array(noted["held"], bool),
    )  # fmt: skip
    armature = find_posed(collection)
    if armature is None:
        return before
    missing = [name for name in BONE_NAMES if name not in armature.pose.bones]
    if missing:
        raise WakeUpError(f"The fitted body has lost the bone {missing[0]}: press Fit Body.")
    dragged = [
        limb.end
        for limb in LIMBS
        if limb.handle in armature.pose.bones
        and armature.pose.bones[limb.handle].location.length > TOUCHED_M
    ]
    place = np.array(collection[FIT_PLACE]).reshape(4, 4)
    return posed_by_hand(before, read_pose(armature, BONE_NAMES, PARENTS), place, dragged)


def is_posed_by_hand(collection: bpy.types.Collection) -> bool:
    """Whether the user has posed the fitted body of a result since it was fitted. Quick, for
    panels; what was posed is given by `read_correction`."""
    armature = find_posed(collection)
    made = numbers(armature, POSED_CHANNELS) if armature is not None else None
    if made is None:
        return False
    now = _channels(armature)
    return len(now) != len(made) or bool(np.abs(now - made).max() > _UNTOUCHED)
