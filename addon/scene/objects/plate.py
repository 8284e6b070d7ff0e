"""The background plate behind the person and the ground under the feet."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from ...core import frames
from ...core.staging.backdrop import Backdrop, FlatPlate
from ...core.types import Camera, Character, Float64, Motion
from ..animation.actions import FIRST_FRAME
from ..animation.fcurves import interpolate_constantly
from ..id_properties import FRAME_1_PLATE
from .images import EncodedImage, new_image
from .material import new_photo_material
from .meshes import new_mesh

_CLEARANCE_M = 0.5  # between the deepest point and the plate: room to edit a pose
_REACH_M = 1.2  # an arm or leg stretched from the pelvis
_LONGEST_SHADOW_M = 4.0  # is left lying before the plate; farther away, moves would show no depth
_STILL_STEP_M = 0.01  # how far frame 1's plate stands before and behind the other
_GROUND_SIDE_M = 20.0  # wide enough for any clip and its shadows


def plate_depth(character: Character, motion: Motion | None, toward_sun: Float64) -> float:
    """Metres along the camera's z that lie behind the character and its shadow in the photo and in
    motion.

    toward_sun : (3,), unit, world
    """
    camera_from_world = np.linalg.inv(character.world_from_camera)
    places = frames.transform(camera_from_world, character.vertices.astype(np.float64))
    depth = float(places[:, 2].max())
    roots = [character.pose.root] if motion is None else motion.root
    root = frames.transform(camera_from_world, np.asarray(roots, np.float64))[:, 2].max()
    if motion is not None:
        depth = max(depth, root + _REACH_M)
    # The camera is level: what falls away from it in the world does so along its z.
    shadow = -toward_sun[1] / max(toward_sun[2], 1e-6) * float(character.vertices[:, 2].max())
    return max(depth, root + min(max(shadow, 0.0), _LONGEST_SHADOW_M)) + _CLEARANCE_M


def new_plate(
    name: str, picture: EncodedImage, camera: Camera, world_from_camera: Float64, depth: float
) -> bpy.types.Object:
    """A rectangle at `depth` metres that fills the camera's view with a picture."""
    right, bottom = camera.width - 0.5, camera.height - 0.5
    corners = np.array([[-0.5, bottom], [right, bottom], [right, -0.5], [-0.5, -0.5]])
    points = frames.unproject(camera, corners, np.full(4, depth))
    points = frames.transform(world_from_camera, points)
    centre = points.mean(axis=0)
    uv = np.array([[[0, 0], [1, 0], [1, 1], [0, 1]]], np.float32)
    mesh = new_mesh(name, points - centre, np.array([[0, 1, 2, 3]]), uv)
    mesh.materials.append(new_photo_material(name, new_image(name, picture)))
    plate = bpy.data.objects.new(name, mesh)
    plate.location = Vector(centre)
    return plate


def backdrop_of(plate: bpy.types.Object, world_from_camera: Float64) -> Backdrop:
    """How far a camera may move before a plate as it stands now.

    world_from_camera : (4, 4), of the photo's camera
    """
    middle = np.linalg.inv(world_from_camera) @ np.append(plate.matrix_world.translation, 1.0)
    return FlatPlate(float(middle[2]))


def show_on_first_frame(
    still: bpy.types.Object, camera: Camera, world_from_camera: Float64, depth: float
) -> None:
    """Let a plate stand before the plate at `depth` on the first frame and behind it from then on.

    Frame 1 then shows the photo's own pixels up to the person's outline; once the person moves,
    the wider filling takes over, which leaves nothing of the person behind. Moving the plate
    leaves the user the switches for its visibility.
    """
    middle = np.array([[(camera.width - 1) / 2, (camera.height - 1) / 2]])
    for frame, step in ((FIRST_FRAME, -_STILL_STEP_M), (FIRST_FRAME + 1, _STILL_STEP_M)):
        place = frames.unproject(camera, middle, np.array([depth + step]))
        still.location = Vector(frames.transform(world_from_camera, place)[0])
        still.scale = [(depth + step) / depth] * 3
        still.keyframe_insert("location", frame=frame)
        still.keyframe_insert("scale", frame=frame)
    interpolate_constantly(still)
    still[FRAME_1_PLATE] = True


def show_still(collection: bpy.types.Collection, shown: bool) -> None:
    """Show or hide the plate of frame 1: behind anyone who begins otherwise than in the photo it
    would show the person's outline and shadow."""
    # Blender makes a collection's list again when the visibility of anything in it changes.
    for item in list(collection.all_objects):
        if FRAME_1_PLATE in item:
            item.hide_viewport = item.hide_render = not shown


def new_ground(name: str) -> bpy.types.Object:
    """A square on z = 0: a shadow catcher for Cycles, drawn as a wire and left out of renders
    until the user lights the scene, so that frame 1 stays the photo."""
    half = _GROUND_SIDE_M / 2
    corners = np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
    ground = bpy.data.objects.new(name, new_mesh(name, corners, np.array([[0, 1, 2, 3]])))
    ground.is_shadow_catcher = True
    ground.display_type = "WIRE"
    ground.hide_render = True
    return ground
