"""The normal map: flat where nothing is lost, true where relief is."""

from __future__ import annotations

import numpy as np
import pytest

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body.rasterisation import vertex_normals
from photo_wake_up.addon.core.character.surface.inflation import ClosedMesh
from photo_wake_up.addon.core.character.texture import normal_map
from photo_wake_up.addon.core.types import Camera, Crop

SIZE, FOCAL, DISTANCE = 121, 600.0, 3.0
CAMERA = Camera(FOCAL, (SIZE - 1) / 2, (SIZE - 1) / 2, SIZE, SIZE)
CROP = Crop(0.0, 0.0, 1.0, SIZE, SIZE)


def plate(tilt: float, front: bool) -> tuple[ClosedMesh, np.ndarray]:
    """A plane of 2 x 2 large squares across the picture, and its dense depth; the other sheet of
    the mesh is left out."""
    side = np.linspace(0, SIZE - 1, 3)
    x, y = np.meshgrid(side, side)
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    quads = np.array([[r * 3 + c, r * 3 + c + 1, r * 3 + c + 4, r * 3 + c + 3]
                      for r in range(2) for c in range(2)])  # fmt: skip
    faces = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]]).astype(np.int32)
    if not front:
        faces = faces[:, [0, 2, 1]]
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float64)

    def depth_at(column: np.ndarray) -> np.ndarray:
        # A plane Z = DISTANCE + tilt X seen through the pinhole.
        ray = (column - CAMERA.cx) / FOCAL
        return DISTANCE / (1 - tilt * ray)

    count = len(faces) if front else 0
    mesh = ClosedMesh(pixels, depth_at(pixels[:, 0]), faces, count, 0, np.zeros(9, np.int8))
    return mesh, depth_at(x)


@pytest.mark.parametrize("front", [True, False])
@pytest.mark.parametrize("tilt", [0.0, 0.5, -0.9])
def test_a_planes_map_is_flat(front: bool, tilt: float) -> None:
    mesh, depth = plate(tilt, front)
    found = normal_map.sheet_normals(mesh, depth, CAMERA, CROP, not front)
    assert np.abs(found - (0, 0, 1)).max() < 1e-6
    assert (normal_map.encoded(found) == normal_map.FLAT).all()


@pytest.mark.parametrize("front", [True, False])
def test_waves_on_a_plane_tilt_towards_where_they_fall(front: bool) -> None:
    """z = a sin(kx) along the picture's x or y: the slope's closed form, in the panel's u or v."""
    mesh, flat = plate(0.0, front)
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float64)
    amplitude, wave = 0.002, 2 * np.pi / 40
    pixel_m = DISTANCE / FOCAL
    for axis, place in ((0, x), (1, y)):
        depth = flat + amplitude * np.sin(wave * place)
        found = normal_map.sheet_normals(mesh, depth, CAMERA, CROP, not front)
        slope = amplitude * wave * np.cos(wave * place) / pixel_m
        # Outward is towards the camera in front: where depth grows along x it looks along +x.
        expected = slope / np.sqrt(1 + slope**2) * (1 if front else -1)
        expected *= 1 if axis == 0 else -1  # v grows upwards
        core = (slice(12, -12),) * 2
        # A grid pixel of blur takes a few per cent off the crests.
        assert np.abs(found[..., axis][core] - expected[core]).max() < 0.03
        assert np.abs(found[..., 1 - axis][core]).max() < 0.02


def test_normals_decode_to_unit_length() -> None:
    normals = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    decoded = (normal_map.encoded(normals).astype(np.float64) - 128) / 127
    assert np.abs(np.linalg.norm(decoded, axis=1) - 1).max() < 0.01
    assert normal_map.encoded(np.array([0, 0, 1], np.float32)).tolist() == list(normal_map.FLAT)


def test_a_dense_mesh_needs_no_map() -> None:
    """On a sphere's cap whose triangles are as fine as the grid nearly nothing is left over."""
    side = 41
    camera, crop = Camera(200.0, 20.0, 20.0, side, side), Crop(0.0, 0.0, 1.0, side, side)
    y, x = np.mgrid[:side, :side].astype(np.float64)
    rays = np.stack([(x - 20) / 200, (y - 20) / 200, np.ones_like(x)], axis=-1)
    a = (rays**2).sum(axis=-1)
    depth = (2.0 - np.sqrt(4.0 - a * (4.0 - 0.6**2))) / a
    number = np.arange(side * side).reshape(side, side)
    corner = [number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]]
    a, b, c, d = (part.ravel() for part in corner)
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([a, d, c], 1)]).astype(np.int32)
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    mesh = ClosedMesh(pixels, depth.ravel(), faces, len(faces), 0, np.zeros(side**2, np.int8))
    points = frames.unproject(camera, pixels, depth.ravel())
    assert (vertex_normals(points, faces)[:, 2] < 0).all()  # outward is towards the camera
    found = normal_map.sheet_normals(mesh, depth, camera, crop, back=False)
    assert np.abs(found[4:-4, 4:-4, :2]).max() < 0.01
