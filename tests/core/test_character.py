"""The character as a whole, from a known body: closed, skinned, textured, in its outline."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import trimesh

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body import world_pose as body_pose
from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.character.build import CharacterSettings, build_character
from photo_wake_up.addon.core.character.character_result import CharacterBuild
from photo_wake_up.addon.core.types import FittedBody, Person, Photo
from photo_wake_up.assets.fit_cases.observed import observed

from .test_body import FACING, posed

ARMS_AWAY, ARMS_CLOSE = 0.9, 1.42  # radians from the T-pose downwards
TRIANGLES = 12_000


def dressed(body: BodyModel, lowered: float, clothes_px: int) -> tuple[Photo, Person, FittedBody]:
    """A body whose silhouette is wider than its skin, in front of nothing."""
    angles = np.zeros((24, 3))
    angles[0] = FACING
    angles[JOINT["left_shoulder"], 2] = -lowered
    angles[JOINT["right_shoulder"], 2] = lowered
    fitted = posed(body, angles)
    _, person = observed(body, fitted, np.random.default_rng(0), 0.0, 0.0, 0.0)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * clothes_px + 1,) * 2)
    mask = cv2.dilate(person.mask.astype(np.uint8), disc) > 0
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    rgb = np.stack([x * 255 // x.max(), y * 255 // y.max(), np.full_like(x, 90)], axis=-1)
    rgb = rgb.astype(np.uint8)
    worn = Person(person.detection, mask, mask.astype(np.float32), rgb)
    return Photo(rgb, None, fitted.camera.focal_px, "made"), worn, fitted


@pytest.fixture(scope="module")
def away(body: BodyModel) -> tuple[CharacterBuild, Person, FittedBody]:
    photo, person, fitted = dressed(body, ARMS_AWAY, 4)
    return (
        build_character(
            photo, person, body, fitted, settings=CharacterSettings(triangles=TRIANGLES)
        ),
        person,
        fitted,
    )


@pytest.fixture(scope="module")
def close(body: BodyModel) -> tuple[CharacterBuild, Person, FittedBody]:
    photo, person, fitted = dressed(body, ARMS_CLOSE, 7)
    return (
        build_character(
            photo, person, body, fitted, settings=CharacterSettings(triangles=TRIANGLES)
        ),
        person,
        fitted,
    )


@pytest.fixture(params=["away", "close"])
def case(request: pytest.FixtureRequest) -> tuple[CharacterBuild, Person, FittedBody]:
    return request.getfixturevalue(request.param)


def test_the_mesh_is_closed_and_outward(case) -> None:
    character = case[0].character
    mesh = trimesh.Trimesh(character.vertices, character.triangles, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert mesh.volume > 0.02
    assert character.vertices[:, 2].min() == pytest.approx(0, abs=1e-5)


def test_all_layers_together_keep_the_count_of_triangles(case) -> None:
    assert 0.85 * TRIANGLES <= len(case[0].character.triangles) <= TRIANGLES


def test_its_projection_is_the_mask(case) -> None:
    build, person, fitted = case
    character = build.character
    camera_from_world = np.linalg.inv(character.world_from_camera)
    seen = frames.transform(camera_from_world, character.vertices.astype(np.float64))
    pixels = frames.project(fitted.camera, seen)
    # OpenCV also fills the pixels that an edge touches: drawn four times finer, that is an eighth.
    canvas = np.zeros((4 * person.mask.shape[0], 4 * person.mask.shape[1]), np.uint8)
    for triangle in np.round(pixels[character.triangles] * 4 * 16).astype(np.int32):
        cv2.fillConvexPoly(canvas, triangle, 1, cv2.LINE_8, 4)
    drawn = canvas[::4, ::4] > 0
    assert (drawn & person.mask).sum() / (drawn | person.mask).sum() > 0.99


def test_the_rest_mesh_skins_to_the_photos_pose(case) -> None:
    character = case[0].character
    matrices = body_pose.skin_matrices(character.skeleton, character.pose)
    skinned = body_pose.skin_vertices(character.rest_vertices, character.weights, matrices)
    assert np.abs(skinned - character.vertices).max() < 1e-5
    # Un-posing throws nothing away: a T-pose is no larger than a person with outstretched arms.
    assert np.ptp(character.rest_vertices, axis=0).max() < 2.2


def test_every_vertex_knows_the_bodys_vertex_under_it(case, body: BodyModel) -> None:
    build, _, fitted = case
    character = build.character
    on_body = frames.transform(
        character.world_from_camera, fitted.vertices[character.body_vertex].astype(np.float64)
    )
    away = np.linalg.norm(character.vertices - on_body, axis=1)
    assert away.mean() < 0.03, "no farther than the clothes"
    assert np.percentile(away, 99) < 0.07
    # The same limb: a touching arm's vertices are not the trunk's.
    joints = body.weights[character.body_vertex].argmax(axis=1)
    assert (joints == character.weights.argmax(axis=1)).mean() > 0.94


def test_every_corner_has_the_photos_colour(case) -> None:
    """The texture read at a front corner's UV is the photo at the vertex's own pixel."""
    build, person, fitted = case
    character = build.character
    camera_from_world = np.linalg.inv(character.world_from_camera)
    seen = frames.transform(camera_from_world, character.vertices.astype(np.float64))
    pixels = np.round(frames.project(fitted.camera, seen)).astype(int)
    size = len(character.texture)
    x = np.clip(np.round(character.uv[..., 0] * size - 0.5).astype(int), 0, size - 1)
    y = np.clip(np.round((1 - character.uv[..., 1]) * size - 0.5).astype(int), 0, size - 1)
    painted = character.texture[y, x, :3].astype(int)
    at = pixels[character.triangles]
    inside = person.mask[at[..., 1].clip(0, 999), at[..., 0].clip(0, 799)]
    photo = person.foreground[at[..., 1].clip(0, 999), at[..., 0].clip(0, 799)].astype(int)
    close_enough = np.abs(painted - photo).max(axis=-1) <= 6
    # All but what another layer hides, and the face on the back of the head.
    assert close_enough[inside].mean() > 0.85


def test_free_arms_stay_in_one_piece_and_touching_ones_do_not(away, close) -> None:
    assert away[0].report.layers == ("body",)
    assert set(close[0].report.layers) == {"body", "left arm", "right arm"}


def test_a_lifted_arm_pulls_no_skin_along(close) -> None:
    """Raising both arms to the T-pose stretches few edges, and none from arm to hip."""
    character = close[0].character
    edges = np.vstack([character.triangles[:, [k, (k + 1) % 3]] for k in range(3)])

    def lengths(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)

    stretch = lengths(character.rest_vertices) / np.maximum(lengths(character.vertices), 1e-4)
    assert np.percentile(stretch, 95) < 1.8
    assert lengths(character.rest_vertices).max() < 0.25


def test_a_layer_lifted_in_its_window_lies_where_its_picture_is(close) -> None:
    """Arms that touch the trunk are lifted in windows of their own: a vertex that got its window's
    place wrong would leave the outline by the window's corner."""
    built, _person, _ = close
    assert len(built.report.layers) == 3
    for warp in built.report.warps:
        assert warp.hole_fraction < 0.02 and warp.foldover_fraction < 0.005
    skeleton, character = built.character.skeleton, built.character
    for side, sign in (("left", 1.0), ("right", -1.0)):
        follows = (
            character.weights[:, [JOINT[f"{side}_elbow"], JOINT[f"{side}_wrist"]]].sum(1) > 0.9
        )
        assert follows.sum() > 50
        along = sign * character.rest_vertices[follows, 0]
        elbow = abs(skeleton.joints[JOINT[f"{side}_elbow"], 0])
        assert along.min() > elbow - 0.1, "the forearm is out on its own side"
