"""The photo's camera as a Blender camera, and its moves as keyframes."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix
from scipy.spatial.transform import Rotation

from ...core import frames
from ...core.body.model.skeleton import BONE_NAMES, JOINT
from ...core.staging.backdrop import Backdrop, CameraMove
from ...core.staging.camera_moves import HELD, Subject, plan_move
from ...core.types import Camera, Float64
from ..animation.actions import FIRST_FRAME, frame_rate

SENSOR_WIDTH_MM = 36.0  # full frame: focal lengths read as photographers know them
_NEAREST_M = 0.02  # a walker may come close
# Of the way to the person: telephoto lenses stand a hundred metres off, where a nearer plane would
# leave depths of the same limb equal: 24 bits are shared out by the reciprocal of depth.
_NEAREST_SHARE = 0.02
_FARTHEST_M = 1000.0
# Half a second at 24 frames per second: few enough keys to be edited by hand.
_KEY_EVERY = 12  # frames
_LEAST_KEYS = 16  # in short shots as well: a cubic between two keys is then off by < 1 mm
_FREE, _BEZIER = 0, 2  # handle type and interpolation as foreach_set wants them


def new_camera(
    name: str,
    camera: Camera,
    world_from_camera: Float64,
    reference: bpy.types.Image | None = None,
) -> bpy.types.Object:
    """A camera object that projects as `camera` does when the render has the photo's aspect.

    world_from_camera : (4, 4); reference : the photo, shown half transparent behind the scene
    """
    data = bpy.data.cameras.new(name)
    # Horizontal fit ties lens and shift to the width alone.
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_WIDTH_MM
    data.lens = camera.focal_px * SENSOR_WIDTH_MM / camera.width
    data.shift_x = ((camera.width - 1) / 2 - camera.cx) / camera.width
    data.shift_y = (camera.cy - (camera.height - 1) / 2) / camera.width
    away = float(np.linalg.norm(world_from_camera[:2, 3]))  # the person stands over the origin
    data.clip_start, data.clip_end = max(_NEAREST_M, _NEAREST_SHARE * away), _FARTHEST_M
    if reference is not None:
        background = data.background_images.new()
        background.image = reference
        background.alpha = 0.5
        background.display_depth = "BACK"
        # Videos have even heights, rounded down: the photo is cut there, not squeezed.
        background.frame_method = "CROP"
        data.show_background_images = True

    matrix = world_from_camera.copy()
    matrix[:3, :3] = world_from_camera[:3, :3] @ frames.CAMERA_FROM_BLENDER_CAMERA
    camera_object = bpy.data.objects.new(name, data)
    camera_object.matrix_world = Matrix(matrix.tolist())
    return camera_object


def move_camera(
    scene: bpy.types.Scene,
    camera_object: bpy.types.Object,
    armatures: Sequence[bpy.types.Object],
    name: str,
    photo_size: tuple[int, int],
    backdrop: Backdrop | None,
) -> str:
    """Key one of `staging.camera_moves` on the photo's camera over the scene's frames, in place of
    an earlier move; returns what had to be limited, a sentence or "".

    photo_size : width and height, pixels; backdrop : None if it may be left
    """
    place, camera = photo_camera(camera_object, photo_size)
    _forget_move(camera_object)
    _show(camera_object, camera, place)
    if name == HELD:
        return ""
    subject = _subject(scene, armatures, np.linalg.inv(place))
    fps = frame_rate(scene)
    move = plan_move(name, camera, subject, fps, backdrop)
    _key_move(camera_object, move, camera, place)
    return move.note


def photo_camera(
    camera_object: bpy.types.Object, photo_size: tuple[int, int]
) -> tuple[Float64, Camera]:
    """World from camera (4, 4) and the pinhole of the photo: the object's on the first frame."""
    action = camera_object.animation_data and camera_object.animation_data.action
    data = camera_object.data
    if action:
        scene = bpy.context.scene
        frame = scene.frame_current
        scene.frame_set(FIRST_FRAME)
    matrix = np.array(camera_object.matrix_basis, np.float64)
    width, height = photo_size
    focal = data.lens * width / SENSOR_WIDTH_MM
    cx = (width - 1) / 2 - data.shift_x * width
    cy = (height - 1) / 2 + data.shift_y * width
    if action:
        scene.frame_set(frame)
    matrix[:3, :3] = matrix[:3, :3] @ frames.CAMERA_FROM_BLENDER_CAMERA
    return matrix, Camera(focal, cx, cy, width, height)


def _forget_move(camera_object: bpy.types.Object) -> None:
    animation = camera_object.animation_data
    action = animation.action if animation else None
    for block in (camera_object, camera_object.data):
        block.animation_data_clear()
    if action is not None and action.users == 0:
        bpy.data.actions.remove(action)


def _show(camera_object: bpy.types.Object, camera: Camera, place: Float64) -> None:
    """Have the object be the photo's camera again."""
    data = camera_object.data
    matrix = place.copy()
    matrix[:3, :3] = place[:3, :3] @ frames.CAMERA_FROM_BLENDER_CAMERA
    camera_object.matrix_basis = Matrix(matrix.tolist())
    data.lens = camera.focal_px * SENSOR_WIDTH_MM / camera.width
    data.shift_x = ((camera.width - 1) / 2 - camera.cx) / camera.width
    data.shift_y = (camera.cy - (camera.height - 1) / 2) / camera.width


def _subject(
    scene: bpy.types.Scene, armatures: Sequence[bpy.types.Object], camera_from_world: Float64
) -> Subject:
    """Where the people's middle is in each of the scene's frames, and their heads."""
    skinned = [
        modifier
        for item in scene.objects
        for modifier in item.modifiers
        if modifier.type == "ARMATURE" and modifier.show_viewport
    ]
    frame = scene.frame_current
    middle, head = [], []
    for modifier in skinned:  # bones are enough, and meshes take most of the time
        modifier.show_viewport = False
    try:
        for at in range(scene.frame_start, scene.frame_end + 1):
            scene.frame_set(at)
            bones = [(item.matrix_world, item.pose.bones) for item in armatures]
            middle.append(
                np.mean([world @ pose[BONE_NAMES[0]].head for world, pose in bones], axis=0)
            )
            head.append(
                np.mean([world @ pose[BONE_NAMES[JOINT["head"]]].tail for world, pose in bones], 0)
            )
    finally:
        for modifier in skinned:
            modifier.show_viewport = True
        scene.frame_set(frame)
    return Subject(
        frames.transform(camera_from_world, np.array(middle)),
        frames.transform(camera_from_world, np.array(head)),
    )


def _key_move(
    camera_object: bpy.types.Object, move: CameraMove, camera: Camera, place: Float64
) -> None:
    data, width = camera_object.data, camera.width
    camera_object.rotation_mode = "QUATERNION"
    axes = place[:3, :3] @ move.rotation @ frames.CAMERA_FROM_BLENDER_CAMERA
    turned = Rotation.from_matrix(axes).as_quat(scalar_first=True)
    turned *= np.where(turned @ turned[0] < 0, -1.0, 1.0)[:, None]
    shift = np.stack(
        [
            ((camera.width - 1) / 2 - move.principal[:, 0]) / width,
            (move.principal[:, 1] - (camera.height - 1) / 2) / width,
        ],
        axis=1,
    )
    channels = (
        (camera_object, "location", frames.transform(place, move.position)),
        (camera_object, "rotation_quaternion", turned),
        (data, "lens", (move.focal_px * SENSOR_WIDTH_MM / width)[:, None]),
        (data, "shift_x", shift[:, :1]),
        (data, "shift_y", shift[:, 1:]),
    )
    action = bpy.data.actions.new(camera_object.name)
    for block in (camera_object, data):
        block.animation_data_create().action = action
    for block, path, values in channels:
        if np.ptp(values, axis=0).max() > 1e-7:  # what stands still needs no keys
            for axis in range(values.shape[1]):
                curve = action.fcurve_ensure_for_datablock(block, path, index=axis)
                _set_smooth_keys(curve, values[:, axis])


def _set_smooth_keys(curve: bpy.types.FCurve, values: Float64) -> None:
    """(F,) values from FIRST_FRAME on: keys now and then, and between them cubics of the values'
    own slopes, so that the curve is smooth in velocity."""
    count = len(values)
    step = max(1, min(_KEY_EVERY, count // _LEAST_KEYS))
    at = np.unique(np.append(np.arange(0, count, step), count - 1))
    slopes = np.gradient(values) if count > 1 else np.zeros(1)
    slopes[0] = 0.0  # every move begins at rest
    keys = curve.keyframe_points
    keys.add(len(at))
    times = (at + FIRST_FRAME).astype(np.float64)
    third = np.diff(times) / 3
    before, after = np.append(1.0, third), np.append(third, 1.0)
    for name, moved in (("co", 0.0 * before), ("handle_left", -before), ("handle_right", after)):
        pairs = np.stack([times + moved, values[at] + slopes[at] * moved], axis=1)
        keys.foreach_set(name, pairs.astype(np.float32).ravel())
    for name, kind in (
        ("interpolation", _BEZIER), ("handle_left_type", _FREE), ("handle_right_type", _FREE),
    ):  # fmt: skip
        keys.foreach_set(name, np.full(len(at), kind, np.int32))
    curve.update()
