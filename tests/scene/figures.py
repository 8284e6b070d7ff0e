"""A synthetic result: a figure of tubes with the project's skeleton, before a painted wall."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body import world_pose as body_pose
from photo_wake_up.addon.core.body.model.body_files import cached_body_model
from photo_wake_up.addon.core.body.model.parts import NOTHING, TORSO
from photo_wake_up.addon.core.body.model.skeleton import BONE_NAMES, JOINT, JOINT_COUNT, PARENTS
from photo_wake_up.addon.core.character.character_result import CharacterBuild, CharacterReport
from photo_wake_up.addon.core.inference.model_files import model_path
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.staging.sunlight import Sunlight
from photo_wake_up.addon.core.types import (
    Background,
    Camera,
    Character,
    Detection,
    FittedBody,
    Motion,
    Person,
    Photo,
    Pose,
    PoseLandmarks,
    Skeleton,
)

WIDTH, HEIGHT, FOCAL_PX = 160, 240, 300.0
PRINCIPAL_POINT = (70.25, 131.5)  # off the centre, so that shifts are exercised
FRAMES, FPS = 10, 24.0
TEXTURE_PX = 64

_REST_M = {
    "pelvis": (0, 0, 0.95), "left_hip": (0.09, 0, 0.88), "right_hip": (-0.09, 0, 0.88),
    "spine1": (0, 0.01, 1.06), "left_knee": (0.1, 0, 0.48), "right_knee": (-0.1, 0, 0.48),
    "spine2": (0, 0.01, 1.18), "left_ankle": (0.1, 0.02, 0.08), "right_ankle": (-0.1, 0.02, 0.08),
    "spine3": (0, 0, 1.26), "left_foot": (0.11, -0.1, 0.03), "right_foot": (-0.11, -0.1, 0.03),
    "neck": (0, 0, 1.42), "left_collar": (0.06, 0, 1.36), "right_collar": (-0.06, 0, 1.36),
    "head": (0, -0.01, 1.5), "left_shoulder": (0.17, 0, 1.37), "right_shoulder": (-0.17, 0, 1.37),
    "left_elbow": (0.42, 0, 1.37), "right_elbow": (-0.42, 0, 1.37),
    "left_wrist": (0.66, 0, 1.37), "right_wrist": (-0.66, 0, 1.37),
    "left_hand": (0.74, 0, 1.37), "right_hand": (-0.74, 0, 1.37),
}  # fmt: skip


def skeleton() -> Skeleton:
    joints = np.zeros((JOINT_COUNT, 3))
    for name, place in _REST_M.items():
        joints[JOINT[name]] = place
    return Skeleton(BONE_NAMES, PARENTS, joints)


def photo_pose() -> Pose:
    """Arms lowered, everything else turned a little and the whole body a lot."""
    random = np.random.default_rng(5)
    turns = random.normal(0, 0.15, (JOINT_COUNT, 3))
    turns[0] = (0.1, -0.05, 0.6)
    turns[JOINT["left_shoulder"]] = (0.1, 1.1, 0.2)
    turns[JOINT["right_shoulder"]] = (0.2, -1.0, 0.1)
    quaternions = Rotation.from_rotvec(turns).as_quat(scalar_first=True)
    return Pose(quaternions, np.array([0.1, -0.05, 0.97]))


def motion(start: Pose) -> Motion:
    """Every joint swings and the pelvis travels; frame 0 is the start."""
    times = np.linspace(0, 1, FRAMES)
    random = np.random.default_rng(6)
    swing = random.normal(0, 1.5, (JOINT_COUNT, 3))
    rotations = np.empty((FRAMES, JOINT_COUNT, 4))
    for index, time in enumerate(times):
        moved = Rotation.from_rotvec(swing * np.sin(2 * np.pi * time) * 0.4)
        start_ = Rotation.from_quat(start.rotations, scalar_first=True)
        rotations[index] = (moved * start_).as_quat(scalar_first=True)
    rotations[::2] *= -1  # the same rotations: a consumer has to keep them continuous
    root = start.root + times[:, None] * np.array([0.1, -0.8, 0.02])
    return Motion(FPS, rotations, root)


def _tube(start, end, radius, sides=8):
    """Closed tube: vertices, triangles, and each vertex's place along it."""
    axis = (end - start) / np.linalg.norm(end - start)
    across = np.cross(axis, [0.3, 0.9, 0.2])
    across /= np.linalg.norm(across)
    other = np.cross(axis, across)
    angle = np.arange(sides) * 2 * np.pi / sides
    ring = radius * (np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * other)
    vertices = np.concatenate([start + ring, end + ring, [start, end]])
    along = np.concatenate([np.zeros(sides), np.ones(sides), [0, 1]])
    now, then = np.arange(sides), (np.arange(sides) + 1) % sides
    low, high = np.full(sides, 2 * sides), np.full(sides, 2 * sides + 1)
    triangles = np.concatenate([
        np.stack([now, then, then + sides], 1), np.stack([now, then + sides, now + sides], 1),
        np.stack([low, then, now], 1), np.stack([high, now + sides, then + sides], 1),
    ])  # fmt: skip
    return vertices, triangles, along


def character() -> Character:
    bones, pose = skeleton(), photo_pose()
    vertices, triangles, weights, uv, offset = [], [], [], [], 0
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            continue
        points, faces, along = _tube(bones.joints[parent], bones.joints[joint], 0.04)
        # Up to three joints a vertex, so that blending is exercised.
        blend = np.zeros((len(points), JOINT_COUNT))
        blend[:, parent] += 0.6 + 0.2 * (1 - along)
        blend[:, joint] += 0.2 * along
        blend[:, max(PARENTS[parent], 0)] += 0.2
        vertices.append(points)
        triangles.append(faces + offset)
        weights.append(blend)
        shade = np.stack([np.full(len(points), (joint + 0.5) / JOINT_COUNT), along], axis=1)
        uv.append(shade[faces])
        offset += len(points)
    rest = np.concatenate(vertices).astype(np.float32)
    blend = np.concatenate(weights)
    blend = (blend / blend.sum(axis=1, keepdims=True)).astype(np.float32)
    posed = body_pose.skin_vertices(rest, blend, body_pose.skin_matrices(bones, pose))
    texture = np.full((TEXTURE_PX, TEXTURE_PX, 4), 255, np.uint8)
    texture[..., 0] = np.linspace(40, 250, TEXTURE_PX).astype(np.uint8)[None]
    texture[..., 1] = np.linspace(200, 30, TEXTURE_PX).astype(np.uint8)[:, None]
    return Character(
        vertices=posed.astype(np.float32),
        rest_vertices=rest,
        triangles=np.concatenate(triangles).astype(np.int32),
        uv=np.concatenate(uv).astype(np.float32),
        texture=texture,
        weights=blend,
        skeleton=bones,
        pose=pose,
        world_from_camera=frames.world_from_camera(np.array([0.05, 0.9, 3.0])),
        body_vertex=np.zeros(len(rest), np.int32),
        normal_map=np.tile(np.array([150, 100, 240], np.uint8), (TEXTURE_PX, TEXTURE_PX, 1)),
    )


def wall() -> np.ndarray:
    """(H, W, 3): a gradient with tiles of two brightnesses."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    tiles = (x // 16 + y // 16) % 2 * 60
    return np.stack([40 + tiles + x // 2, 60 + tiles + y // 4, 90 + tiles], -1).astype(np.uint8)


def body_at(joints: np.ndarray) -> np.ndarray:
    """(V, 3) the default body upright about the figure's joints in the camera's frame: a body that
    was fitted has the body model's vertices, not the character's."""
    upright = cached_body_model(model_path("body.npz")).template * np.array([1.0, -1.0, -1.0])
    return (upright - upright.mean(axis=0) + joints.mean(axis=0)).astype(np.float32)


def result(moving: bool = True) -> WakeUpResult:
    """A finished result whose mask is the projection of the figure's vertices."""
    figure = character()
    camera = Camera(FOCAL_PX, *PRINCIPAL_POINT, WIDTH, HEIGHT)
    in_camera = frames.transform(
        np.linalg.inv(figure.world_from_camera), figure.vertices.astype(np.float64)
    )
    pixels = np.rint(frames.project(camera, in_camera)).astype(int)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[pixels[:, 1].clip(0, HEIGHT - 1), pixels[:, 0].clip(0, WIDTH - 1)] = True
    rgb = wall()
    photo = Photo(rgb, None, None, "tubes")
    landmarks = PoseLandmarks(
        np.zeros((33, 2), np.float32), np.zeros(33, np.float32), np.zeros((33, 3), np.float32),
        np.zeros(33, np.float32),
    )  # fmt: skip
    detection = Detection(np.array([0, 0, WIDTH, HEIGHT], np.float32), 1.0, landmarks)
    person = Person(detection, mask, mask.astype(np.float32), rgb)
    world = body_pose.forward_kinematics(figure.skeleton, figure.pose.rotations, figure.pose.root)[
        :, :3, 3
    ]
    joints = frames.transform(np.linalg.inv(figure.world_from_camera), world).astype(np.float32)
    still = np.zeros((JOINT_COUNT, 3), np.float32)
    fitted = FittedBody(
        betas=np.zeros(10, np.float32), pose=still, translation=np.zeros(3, np.float32), scale=1.0,
        camera=camera, vertices=body_at(joints), joints=joints, rest_joints=still,
        transforms=np.tile(np.eye(4, dtype=np.float32), (JOINT_COUNT, 1, 1)),
    )  # fmt: skip
    labels = np.where(mask, TORSO, NOTHING).astype(np.uint8)
    light = Sunlight((0.3, -0.8, -0.52), False, 0.0)
    nothing = dict.fromkeys(CharacterReport.__dataclass_fields__, 0)
    report = CharacterReport(**{**nothing, "layers": (), "warps": ()})
    return WakeUpResult(
        photo=photo,
        people=(detection,),
        person=person,
        fitted=fitted,
        build=CharacterBuild(figure, report, labels, labels, light),
        background=Background(rgb, mask, rgb),
        motion=motion(figure.pose) if moving else None,
        motion_name="swing" if moving else "",
    )
