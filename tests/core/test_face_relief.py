"""The face's surface against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body.fit.orientation_observations import (
    CHIN,
    FOREHEAD,
    LEFT_EDGE,
    RIGHT_EDGE,
)
from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.character.outline.warp import WarpedSheet
from photo_wake_up.addon.core.character.surface.face_relief import (
    face_surface,
    face_triangles,
    with_face,
)
from photo_wake_up.addon.core.types import Crop, Face

RADIUS_PX = 100.0
DISTANCE_M = 3.0
CAMERA = frames.default_camera(1000, 1000, 4000.0)
CROP = Crop(350.0, 350.0, 0.5, 150, 150)
MIDDLE = np.array([499.5, 499.5, 0.0])


def round_face(yaw_degrees: float = 0.0) -> Face:
    """468 points on the half sphere that a face looks ahead with, turned to its own left."""
    rng = np.random.default_rng(5)
    k = np.arange(468) + 0.5
    height = 1 - 1.8 * k / 468  # Fibonacci's lattice: evenly spread, no two in line
    angle = (np.pi * (1 + 5**0.5) * k) % np.pi
    across = np.sqrt(1 - height**2)
    # Camera axes: x right, y down, z away; a face looks along -z, its left is on the right.
    points = np.column_stack([across * np.cos(angle), -height, -across * np.sin(angle)])
    rng.shuffle(points)
    points[RIGHT_EDGE], points[LEFT_EDGE] = (-1, 0, 0), (1, 0, 0)
    points[FOREHEAD], points[CHIN] = (0, -0.8, -0.6), (0, 0.8, -0.6)
    turned = Rotation.from_euler("y", -yaw_degrees, degrees=True).apply(points)
    mesh = (turned * RADIUS_PX + MIDDLE).astype(np.float32)
    box = np.array([400, 400, 600, 600], np.float32)
    return Face(1.0, box, np.zeros((6, 2), np.float32), 1.0, mesh)


@pytest.mark.parametrize("yaw", [0.0, 20.0, -35.0])
def test_points_on_a_sphere_give_the_spheres_depth_and_normals(yaw: float) -> None:
    depth, normal = face_surface(round_face(yaw), CAMERA, CROP, DISTANCE_M)
    x, y = np.meshgrid(np.arange(CROP.width), np.arange(CROP.height))
    at = frames.photo_from_grid(CROP, np.stack([x, y], axis=-1).astype(float)) - MIDDLE[:2]
    inner = np.isfinite(depth) & (np.linalg.norm(at, axis=-1) < 0.6 * RADIUS_PX)
    inner &= np.abs(at[..., 0]) < 0.4 * RADIUS_PX
    assert inner.sum() > 1000
    bulge = -np.sqrt(RADIUS_PX**2 - (at**2).sum(axis=-1)[inner])
    metre = DISTANCE_M / CAMERA.focal_px
    error = (depth[inner] - depth[inner].mean()) / metre - (bulge - bulge.mean())
    assert np.abs(error).max() < 0.02 * RADIUS_PX
    truth = np.column_stack([at[inner], bulge]) / RADIUS_PX
    assert np.degrees(np.arccos((normal[inner] * truth).sum(axis=1).clip(-1, 1))).max() < 8


@pytest.mark.parametrize("yaw", [0.0, 40.0])
def test_triangles_cover_the_face_once_and_look_outwards(yaw: float) -> None:
    face = round_face(yaw)
    triangles = face_triangles(face)
    a, b, c = (face.mesh[triangles[:, k]].astype(float) for k in range(3))
    normal = np.cross(b - a, c - a)
    outwards = ((a + b + c) / 3 - MIDDLE) * normal
    large = np.linalg.norm(normal, axis=1) > 1.0
    assert (outwards.sum(axis=1)[large] > 0).all()
    edges = np.sort(np.vstack([triangles[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    assert np.unique(edges, axis=0, return_counts=True)[1].max() == 2


def body_sheet() -> tuple[WarpedSheet, np.ndarray]:
    shape = (CROP.height, CROP.width)
    inside = np.zeros(shape, bool)
    inside[5:-5, 5:-5] = True
    normal = np.zeros((*shape, 3), np.float32)
    normal[..., 2] = -1
    weights = np.zeros((*shape, 24), np.float32)
    weights[:100, :, JOINT["head"]] = 1
    weights[100:, :, JOINT["neck"]] = 1
    depth = np.full(shape, DISTANCE_M + 0.2)
    return WarpedSheet(depth, normal, weights, np.zeros(shape, bool)), inside


def test_a_face_changes_only_the_head_and_goes_with_it() -> None:
    sheet, inside = body_sheet()
    faced = with_face(sheet, round_face(), CAMERA, CROP, inside)
    seen = np.isfinite(face_surface(round_face(), CAMERA, CROP, DISTANCE_M)[0])
    away = ~seen & (sheet.weights[..., JOINT["head"]] == 0)
    for name in ("depth", "normal", "weights"):
        assert np.array_equal(getattr(faced, name)[away], getattr(sheet, name)[away])
    middle = (CROP.height // 2, CROP.width // 2)
    assert faced.weights[middle][JOINT["head"]] == 1
    np.testing.assert_allclose(faced.weights.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(faced.normal, axis=-1)[inside], 1, atol=1e-5)
    # It is the relief that is taken over, not the distance: the face stays where the body is.
    assert abs(faced.depth[seen & inside].mean() - sheet.depth[seen & inside].mean()) < 0.02
    assert faced.depth[middle] < faced.depth[seen & inside].mean()


@pytest.mark.parametrize("face", [round_face(75.0), round_face(180.0)])
def test_a_face_that_looks_aside_is_left_to_the_body(face: Face) -> None:
    sheet, inside = body_sheet()
    assert with_face(sheet, face, CAMERA, CROP, inside) is sheet


def test_a_face_of_a_few_pixels_is_left_to_the_body() -> None:
    sheet, inside = body_sheet()
    small = Crop(350.0, 350.0, 0.04, CROP.width, CROP.height)
    assert with_face(sheet, round_face(), CAMERA, small, inside) is sheet
