"""The scene says what the arrays say: projection, skinning, motion, plate, and nothing more."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body import world_pose as body_pose
from photo_wake_up.addon.core.character.layers.part_segmentation import PALETTE
from photo_wake_up.addon.core.errors import WakeUpError
from photo_wake_up.addon.core.types import Camera, ShapeKey
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.animation.actions import FIRST_FRAME
from photo_wake_up.addon.scene.encoded_images import encode_images
from photo_wake_up.addon.scene.objects import images
from photo_wake_up.addon.scene.render import stills
from photo_wake_up.addon.scene.render.camera import new_camera
from photo_wake_up.addon.scene.render.settings import render_animation, set_size, set_video

from . import figures

DATABLOCKS = (
    "objects", "meshes", "materials", "images", "armatures", "actions", "cameras", "collections",
)  # fmt: skip


def posed_vertices(mesh_object: bpy.types.Object) -> np.ndarray:
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    evaluated.to_mesh_clear()
    world = np.array(mesh_object.matrix_world, np.float64)
    return frames.transform(world, points.reshape(-1, 3).astype(np.float64))


def everything() -> dict[str, set[str]]:
    return {kind: {block.name for block in getattr(bpy.data, kind)} for kind in DATABLOCKS}


@pytest.mark.parametrize(
    "camera",
    [
        Camera(300.0, 79.5, 119.5, 160, 240),
        Camera(1234.5, 70.25, 131.5, 160, 240),
        Camera(500.0, 350.0, 100.0, 640, 360),
    ],
)
def test_blender_projects_as_the_pinhole_camera_does(empty_file, camera):
    random = np.random.default_rng(0)
    points = random.uniform([-1, -1, 2], [1, 1, 6], (50, 3))
    angle = 0.3
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    place = frames.world_from_camera(np.array([0.3, 1.1, 4.0]))
    place[:3, :3] = turn @ place[:3, :3]
    camera_object = new_camera("camera", camera, place)
    empty_file.collection.objects.link(camera_object)
    set_size(empty_file, camera.width, camera.height)
    bpy.context.view_layer.update()
    expected = frames.project(camera, points)
    for point, pixel in zip(frames.transform(place, points), expected, strict=True):
        u, v, depth = world_to_camera_view(empty_file, camera_object, Vector(point))
        found = (u * camera.width - 0.5, (1 - v) * camera.height - 0.5)
        assert np.allclose(found, pixel, atol=0.01)
        assert depth > 0


def test_photo_pose_gives_back_the_lifted_vertices(empty_file):
    result = figures.result(moving=False)
    parts = build.find_parts(build.build_scene(result))
    assert np.abs(posed_vertices(parts.character) - result.build.character.vertices).max() < 1e-5


def test_rest_is_the_t_pose_in_world_axes(empty_file):
    result = figures.result(moving=False)
    character = result.build.character
    parts = build.find_parts(build.build_scene(result))
    parts.armature.data.pose_position = "REST"
    bpy.context.view_layer.update()
    assert np.abs(posed_vertices(parts.character) - character.rest_vertices).max() < 1e-6
    bones = parts.armature.data.bones
    for joint, name in enumerate(character.skeleton.names):
        assert np.allclose(bones[name].head_local, character.skeleton.joints[joint], atol=1e-6)
        parent = character.skeleton.parents[joint]
        above = bones[name].parent
        assert (above.name if above else None) == (
            character.skeleton.names[parent] if parent >= 0 else None
        )


def test_every_frame_of_the_clip_is_the_motion(empty_file):
    result = figures.result()
    character, motion = result.build.character, result.motion
    parts = build.find_parts(build.build_scene(result))
    assert stills.last_frame(parts) == FIRST_FRAME + figures.FRAMES - 1
    for index in range(figures.FRAMES):
        empty_file.frame_set(FIRST_FRAME + index)
        world = body_pose.forward_kinematics(
            character.skeleton, motion.rotations[index], motion.root[index]
        )
        evaluated = parts.armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        heads = [evaluated.pose.bones[name].head for name in character.skeleton.names]
        assert np.abs(np.array(heads) - world[:, :3, 3]).max() < 1e-5
        world[:, :3, 3] -= np.einsum("jab,jb->ja", world[:, :3, :3], character.skeleton.joints)
        expected = body_pose.skin_vertices(character.rest_vertices, character.weights, world)
        assert np.abs(posed_vertices(parts.character) - expected).max() < 1e-5


def test_curves_take_the_short_way_between_frames(empty_file):
    result = figures.result()
    parts = build.find_parts(build.build_scene(result))
    skeleton = result.build.character.skeleton
    for frame in range(FIRST_FRAME, FIRST_FRAME + figures.FRAMES - 1):
        quaternions = []
        for at in (frame, frame + 1):
            empty_file.frame_set(at)
            bones = parts.armature.pose.bones
            quaternions.append([bones[name].rotation_quaternion[:] for name in skeleton.names])
        assert (np.sum(np.multiply(*quaternions), axis=1) > 0).all()


def test_plate_stands_behind_every_pose(empty_file):
    result = figures.result()
    parts = build.find_parts(build.build_scene(result))
    camera_from_world = np.linalg.inv(result.build.character.world_from_camera)
    plate = frames.transform(camera_from_world, posed_vertices(parts.plate))[:, 2]
    assert np.ptp(plate) < 1e-5
    for frame in range(FIRST_FRAME, FIRST_FRAME + figures.FRAMES):
        empty_file.frame_set(frame)
        figure = frames.transform(camera_from_world, posed_vertices(parts.character))
        assert figure[:, 2].max() < plate.min()


def test_frame_without_the_character_is_the_plate(empty_file):
    result = figures.result(moving=False)
    collection = build.build_scene(result)
    build.find_parts(collection).character.hide_render = True
    picture = stills.first_frame(empty_file, collection)
    assert picture.shape == result.background.rgb.shape
    assert np.abs(picture.astype(int) - result.background.rgb).max() <= 1


def test_silhouette_is_the_character_and_nothing_else(empty_file):
    result = figures.result(moving=False)
    collection = build.build_scene(result)
    opacity = stills.silhouette(empty_file, collection)
    camera = result.fitted.camera
    character = result.build.character
    in_camera = frames.transform(
        np.linalg.inv(character.world_from_camera), character.vertices.astype(np.float64)
    )
    pixels = np.rint(frames.project(camera, in_camera)).astype(int)
    inside = ((pixels >= 1) & (pixels < [camera.width - 1, camera.height - 1])).all(axis=1)
    for x, y in pixels[inside]:
        assert opacity[y - 1 : y + 2, x - 1 : x + 2].max() == 255
    assert 0.005 < (opacity > 127).mean() < 0.2


def test_views_turn_about_the_character(empty_file):
    result = figures.result(moving=False)
    collection = build.build_scene(result)
    front, back = stills.views(empty_file, collection, (0.0, 180.0), (90, 120))
    seen = front[..., 3] > 127
    assert 0.02 < seen.mean() < 0.6
    # Without perspective, the back's outline is the front's mirrored.
    mirrored = back[:, ::-1, 3] > 127
    assert (seen & mirrored).sum() / (seen | mirrored).sum() > 0.9


def test_rendering_leaves_the_users_settings_alone(empty_file):
    collection = build.build_scene(figures.result(moving=False))
    empty_file.render.resolution_x, empty_file.frame_end = 123, 77
    empty_file.render.filepath = "//mine"
    stills.first_frame(empty_file, collection)
    stills.views(empty_file, collection, (0.0,), (32, 32))
    assert (empty_file.render.resolution_x, empty_file.frame_end) == (123, 77)
    assert empty_file.render.filepath == "//mine"
    assert empty_file.camera is None
    assert not build.find_parts(collection).plate.hide_render


def test_building_touches_nothing_of_the_users(empty_file):
    mine = bpy.data.objects.new("mine", bpy.data.meshes.new("mine"))
    empty_file.collection.objects.link(mine)
    bpy.context.view_layer.objects.active = mine
    mine.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    settings = [
        (owner, item.identifier, str(getattr(owner, item.identifier)))
        for owner in (empty_file, empty_file.render, empty_file.view_settings)
        for item in owner.bl_rna.properties
        if item.type in ("INT", "FLOAT", "ENUM", "STRING", "BOOLEAN")
    ]
    before = everything()
    collection = build.build_scene(figures.result())
    assert mine.mode == "EDIT" and mine.select_get()
    assert bpy.context.view_layer.objects.active is mine
    bpy.ops.object.mode_set(mode="OBJECT")
    assert [(o, name, str(getattr(o, name))) for o, name, _ in settings] == settings
    made = {k: names - before[k] for k, names in everything().items()}
    assert all(name.startswith("tubes") for names in made.values() for name in names)
    assert {item.name for item in collection.all_objects} == made["objects"]
    assert empty_file.camera is None

    build.remove_scene(collection)
    assert everything() == before


def test_two_results_live_side_by_side(empty_file):
    first = build.build_scene(figures.result())
    second = build.build_scene(figures.result())
    one, two = build.find_parts(first), build.find_parts(second)
    assert one.character != two.character
    assert two.character.modifiers[0].object == two.armature
    build.remove_scene(first)
    assert build.find_parts(second) == two


def test_mask_comes_back_as_it_was_and_as_painted(empty_file):
    result = figures.result(moving=False)
    collection = build.build_scene(result)
    image = build.mask_image(collection)
    assert np.array_equal(images.read_mask(image), result.person.mask)
    pixels = np.array(image.pixels[:], np.float32).reshape(figures.HEIGHT, figures.WIDTH, -1)
    pixels[-1, 3, :3] = 1.0  # the top row, as Blender counts from below
    image.pixels.foreach_set(pixels.ravel())
    assert images.read_mask(image)[0, 3]


def test_lost_parts_are_named(empty_file):
    collection = build.build_scene(figures.result(moving=False))
    bpy.data.objects.remove(build.find_parts(collection).plate)
    with pytest.raises(WakeUpError, match="lost its plate"):
        build.find_parts(collection)


def test_scene_survives_saving_and_loading(empty_file, tmp_path):
    result = figures.result()
    build.build_scene(result)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    collection = bpy.data.collections["tubes"]
    assert build.is_result(collection)
    assert build.photo_size(collection) == (figures.WIDTH, figures.HEIGHT)
    parts = build.find_parts(collection)
    bpy.context.scene.frame_set(FIRST_FRAME)
    assert np.abs(posed_vertices(parts.character) - result.build.character.vertices).max() < 1e-5
    picture = stills.first_frame(bpy.context.scene, collection)
    corner = picture[:20, :20].astype(int)
    assert np.abs(corner - result.background.rgb[:20, :20]).max() <= 1


def test_video_has_the_frames_and_the_rate(empty_file, tmp_path):
    import cv2

    collection = build.build_scene(figures.result())
    stills.look_through(empty_file, collection, width=64, fps=figures.FPS)
    set_video(empty_file, tmp_path / "video.mp4")
    render_animation(empty_file)
    video = cv2.VideoCapture(str(tmp_path / "video.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == figures.FRAMES
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(figures.FPS)
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 64
    assert video.get(cv2.CAP_PROP_FRAME_HEIGHT) % 2 == 0
    codec = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    assert codec in (b"h264", b"avc1")
    video.release()


def test_everyone_stands_where_the_photo_shows_them(empty_file):
    """Two people with worlds of their own in one scene: each vertex keeps its pixel."""
    result = figures.result()
    other = replace_place(result, np.array([0.4, 0.8, 3.3]))
    collection = build.build_group([result, other])
    parts = build.find_parts(collection)
    assert len(parts.characters) == len(parts.armatures) == 2
    assert [child.name for child in collection.children] == ["tubes 1", "tubes 2"]
    bpy.context.view_layer.update()
    camera_from_world = np.linalg.inv(result.build.character.world_from_camera)
    for each, mesh in zip((result, other), parts.characters, strict=True):
        character = each.build.character
        expected = frames.transform(
            np.linalg.inv(character.world_from_camera), character.vertices.astype(np.float64)
        )
        seen = frames.transform(camera_from_world, posed_vertices(mesh).astype(np.float64))
        assert np.abs(seen - expected).max() < 1e-4
    build.remove_scene(collection)
    assert not [item for item in bpy.data.objects if item.name.startswith("tubes")]
    assert not [item for item in bpy.data.collections if item.name.startswith("tubes")]


def replace_place(result, origin):
    """The result with its world's origin at another point of the camera frame."""
    from dataclasses import replace

    character = replace(result.build.character, world_from_camera=frames.world_from_camera(origin))
    return replace(result, build=replace(result.build, character=character))


def test_pictures_encoded_ahead_are_the_same_and_are_not_encoded_again(empty_file, monkeypatch):
    result = figures.result()
    painted = result.background
    result = replace(
        result, background=replace(painted, rgb=painted.rgb.copy(), still=255 - painted.rgb)
    )
    files = encode_images([result])
    encoded = []
    encode = images.as_png
    monkeypatch.setattr(images, "as_png", lambda *how: encoded.append(how[0].shape) or encode(*how))
    collection = build.build_group([result], encoded=files)
    assert not encoded
    labels = build.label_image(collection)
    assert np.array_equal(images.read_colours(labels), PALETTE[result.build.labels])
    assert np.array_equal(images.read_mask(build.mask_image(collection)), result.person.mask)
    wanted = [result.background.rgb, result.background.still, result.photo.rgb]
    made = [images.read_colours(image) for image in bpy.data.images if image.size[0] == 160]
    for rgb in wanted:
        assert any(np.array_equal(rgb, colours) for colours in made)


def test_shape_keys_move_the_mesh_at_rest_before_it_is_posed(empty_file):
    result = figures.result()
    figure = result.build.character
    offsets = np.random.default_rng(8).normal(0, 0.02, figure.vertices.shape).astype(np.float32)
    keyed = replace(figure, shape_keys=(ShapeKey("jawOpen", offsets),))
    collection = build.build_scene(replace(result, build=replace(result.build, character=keyed)))
    mesh = build.find_parts(collection).character
    assert np.allclose(posed_vertices(mesh), figure.vertices, atol=1e-4), "as the photo shows it"
    blocks = mesh.data.shape_keys.key_blocks
    assert list(blocks.keys()) == ["Basis", "jawOpen"] and blocks["jawOpen"].value == 0
    blocks["jawOpen"].value = 1.0
    bpy.context.view_layer.update()
    matrices = body_pose.skin_matrices(figure.skeleton, figure.pose)
    moved = body_pose.skin_vertices(figure.rest_vertices + offsets, figure.weights, matrices)
    assert np.allclose(posed_vertices(mesh), moved, atol=1e-4)
    build.remove_scene(collection)
    assert not bpy.data.shape_keys
    plain = build.find_parts(build.build_scene(result)).character
    assert plain.data.shape_keys is None
