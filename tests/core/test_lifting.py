"""Normal integration, triangulation, stitching, weights and texture layout."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from photo_wake_up.addon.core.character import contour, skinning_weights, texture, triangulation
from photo_wake_up.addon.core.character.lift import lift
from photo_wake_up.addon.core.character.normal_integration import integrate
from photo_wake_up.addon.core.character.warp import fill_harmonically

from .test_outlines import disc


def sphere(size: int, focal: float, distance: float, radius: float, side: int):
    """Rays, depth, normals and silhouette of a sphere; side -1 the near sheet, +1 the far one."""
    centre = (size - 1) / 2
    y, x = np.mgrid[:size, :size]
    rays = np.stack([(x - centre) / focal, (y - centre) / focal, np.ones((size, size))], axis=-1)
    a, b = (rays**2).sum(axis=-1), distance
    root = b * b - a * (distance**2 - radius**2)
    inside = root > 0
    depth = np.where(inside, (b + side * np.sqrt(np.maximum(root, 0))) / a, np.nan)
    normal = (rays * depth[..., None] - [0, 0, distance]) / radius
    return rays, depth, np.nan_to_num(normal).astype(np.float32), inside


def rim_of(inside: np.ndarray) -> np.ndarray:
    core = inside.copy()
    for axis in (0, 1):
        for step in (1, -1):
            core &= np.roll(inside, step, axis=axis)
    return inside & ~core


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("focal", "distance"), [(800.0, 4.0), (4000.0, 20.0)])
def test_normals_of_a_sphere_integrate_to_the_sphere(side, focal, distance) -> None:
    """Within 0.2 % of the relief, near and far lens, both sheets."""
    rays, depth, normal, inside = sphere(256, focal, distance, 0.5, side)
    rim = rim_of(inside)
    found = integrate(normal, inside, rays, focal, np.nan_to_num(depth), rim)
    relief = np.nanmax(depth) - np.nanmin(depth)
    assert np.nanmean(np.abs(found - depth)) / relief < 2e-3
    assert np.isnan(found[~inside]).all()


def test_a_tilted_plane_under_perspective_is_restored_exactly() -> None:
    size, focal = 128, 150.0
    centre = (size - 1) / 2
    y, x = np.mgrid[:size, :size]
    rays = np.stack([(x - centre) / focal, (y - centre) / focal, np.ones((size, size))], axis=-1)
    normal = np.array([0.4, -0.3, -1.0])
    normal /= np.linalg.norm(normal)
    depth = -2.0 / (rays @ normal)
    inside = disc((size, size), (centre, centre), 50) > 0.5
    found = integrate(
        np.broadcast_to(normal, (size, size, 3)).astype(np.float32), inside, rays, focal, depth,
        rim_of(inside),
    )  # fmt: skip
    assert np.nanmax(np.abs(found - depth) / depth) < 1e-4


def test_harmonic_filling_restores_a_linear_function() -> None:
    y, x = np.mgrid[:60, :80].astype(np.float64)
    values = np.stack([2 * x + y, 3 - y], axis=-1)
    hole = disc((60, 80), (40, 30), 18) > 0.5
    broken = np.where(hole[..., None], 99.0, values)
    assert np.abs(fill_harmonically(broken, ~hole, hole) - values).max() < 1e-3


def figure() -> np.ndarray:
    """A blocky figure with a gap between arm and body and legs that nearly touch."""
    matte = np.zeros((300, 220), np.float32)
    matte[40:180, 80:140] = 1  # torso
    matte[20:60, 95:125] = 1  # head
    matte[60:75, 30:190] = 1  # shoulders and arms
    matte[75:160, 30:50] = 1  # right arm
    matte[145:160, 30:85] = 1  # hand on the hip: closes a hole
    matte[75:170, 170:190] = 1
    matte[180:280, 80:108] = 1
    matte[180:280, 111:140] = 1
    return matte


@settings(max_examples=12, deadline=None)
@given(spacing=st.floats(3.0, 20.0))
def test_closed_mesh_is_a_manifold_whatever_the_spacing(spacing: float) -> None:
    outline = contour.trace(figure())
    assert len(outline.holes) == 1
    flat = triangulation.triangulate(outline, spacing)
    inside = contour.rasterise(outline, (300, 220))
    y, x = np.mgrid[:300, :220]
    front = np.where(inside, 5 - 0.1 * np.sin(x / 40.0), np.nan)
    back = np.where(inside, 5.1 + 0.1 * np.cos(y / 60.0), np.nan)
    mesh = lift(flat, front, back, np.full(flat.rim_count, 5.0), 0.006)
    points = np.column_stack([(mesh.pixels - 110) * mesh.depth[:, None] / 800, mesh.depth])
    solid = trimesh.Trimesh(points, mesh.triangles, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.volume > 0
    assert np.bincount(solid.edges_unique_inverse).tolist() == [2] * len(solid.edges_unique)
    # The hand on the hip is a handle: one component of genus one.
    assert solid.euler_number == 0
    assert solid.body_count == 1
    # Its projection is the silhouette.
    area = abs(contour.signed_area(outline.outer)) - abs(contour.signed_area(outline.holes[0]))
    corners = flat.points[flat.triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    covered = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum() / 2
    assert covered == pytest.approx(area, rel=0.01 * spacing / 3)


@pytest.mark.parametrize("spacing", [8.0, 17.0])
def test_a_gap_narrower_than_the_spacing_is_left_open(spacing: float) -> None:
    """A hand that waves just off a hip: coarse chords of its two shores cross, the outline does
    not."""
    shore = np.linspace(0, 40, 161)
    wave = 4 * np.sin(shore / 1.5)
    lower = np.column_stack([shore, 20 + wave])
    upper = np.column_stack([shore[::-1], 20.3 + wave[::-1]])
    rest = [
        [-20.0, 21.0],
        [-20.0, 60.0],
        [60.0, 60.0],
        [60.0, -20.0],
        [-20.0, -20.0],
        [-20.0, 10.0],
    ]
    loop = np.vstack([upper, rest, [[0.0, 10.0]], lower])
    if contour.signed_area(loop) < 0:
        loop = loop[::-1].copy()
    outline = contour.Outline(loop, ())
    flat = triangulation.triangulate(outline, spacing)
    rim = np.arange(flat.rim_count)
    wanted = np.sort(np.stack([rim, np.roll(rim, -1)], axis=1), axis=1)
    edges, count = np.unique(
        np.sort(np.vstack([flat.triangles[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1),
        axis=0, return_counts=True,
    )  # fmt: skip
    assert len(flat.triangles) < 1_500
    assert np.array_equal(edges[count == 1], np.unique(wanted, axis=0))


@pytest.mark.parametrize("target", [5_000, 12_000, 30_000, 60_000])
@pytest.mark.parametrize("layers", [1, 3])
def test_triangles_are_at_most_as_many_as_asked_and_hardly_fewer(target: int, layers: int) -> None:
    outlines = [contour.trace(figure())] * layers
    meshes = triangulation.triangulate_all(outlines, target)
    count = 2 * sum(len(mesh.triangles) for mesh in meshes)
    assert 0.85 * target <= count <= target


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_four_strongest_weights_sum_to_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.random((200, 24)).astype(np.float32) ** 8
    kept = skinning_weights.strongest(weights)
    assert np.abs(kept.sum(axis=1) - 1).max() < 5e-7
    assert ((kept > 0).sum(axis=1) <= 4).all()
    order = np.sort(weights, axis=1)
    assert (kept.argmax(axis=1) == weights.argmax(axis=1)).all()
    assert (kept[weights < order[:, -4:-3]] == 0).all()


@pytest.mark.parametrize("shape", [(900, 400), (400, 900), (5000, 3000)])
def test_panels_hold_the_photo_where_the_uv_points(shape: tuple[int, int]) -> None:
    """The atlas read at a photo pixel's UV is that photo pixel, to the last bit at full scale."""
    whole = np.zeros(shape, bool)
    whole[20 : shape[0] - 30, 10 : shape[1] - 15] = True
    arm = np.zeros(shape, bool)
    arm[40:200, 30:90] = True
    masks = [whole, whole, arm, arm]
    layout = texture.lay_out(masks)
    assert layout.size & (layout.size - 1) == 0
    assert layout.size <= texture.DEFAULT_ATLAS
    rng = np.random.default_rng(3)
    images = [
        cv2.GaussianBlur(rng.integers(0, 256, (*shape, 3)).astype(np.uint8), (0, 0), 6)
        for _ in masks
    ]
    atlas = texture.paint(images, layout)
    for k, (image, mask) in enumerate(zip(images, masks, strict=True)):
        rows, columns = np.nonzero(mask)
        some = rng.integers(0, len(rows), 200)
        uv = layout.uv(np.stack([columns[some], rows[some]], axis=1).astype(np.float64), k)
        assert (uv > 0).all() and (uv < 1).all()
        x = np.round(uv[:, 0] * layout.size - 0.5).astype(int)
        y = np.round((1 - uv[:, 1]) * layout.size - 0.5).astype(int)
        difference = np.abs(
            atlas[y, x, :3].astype(int) - image[rows[some], columns[some]].astype(int)
        )
        assert difference.max() <= (0 if layout.scale == 1.0 else 40)
    assert (atlas[..., 3] == 255).all()


def test_colours_spread_from_the_nearest_pixel() -> None:
    rgb = np.zeros((20, 20, 3), np.uint8)
    rgb[:, :10] = (200, 10, 30)
    rgb[5:8, 15:18] = (7, 8, 9)
    mask = np.zeros((20, 20), bool)
    mask[:, :8] = True
    spread = texture.spread_colours(rgb, mask)
    assert (spread == (200, 10, 30)).all()
