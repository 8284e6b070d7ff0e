"""Normal integration, triangulation, stitching, weights and texture layout."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import spsolve

from photo_wake_up.addon.core.character.outline import contour
from photo_wake_up.addon.core.character.skin import skinning_weights
from photo_wake_up.addon.core.character.surface import triangulation
from photo_wake_up.addon.core.character.surface.inflation import lift
from photo_wake_up.addon.core.character.surface.normal_integration import integrate
from photo_wake_up.addon.core.character.texture import atlas
from photo_wake_up.addon.core.numerics import multigrid
from photo_wake_up.addon.core.numerics.grid_laplacian import fill_harmonically
from photo_wake_up.addon.core.numerics.multigrid import GridGraph, solve

from . import analytic_surfaces as surfaces
from .test_outlines import disc

LENSES = pytest.mark.parametrize("focal", [2.0, 50.0])  # in picture sides


def lifted(seen: surfaces.Seen, weight: float, scale: float = 1.0, **more):
    """About the true depth, or from a flattened one where that has no weight."""
    prior = surfaces.flattened(seen.depth, 1.0 if weight else 0.8)
    return integrate(
        seen.normal.astype(np.float32), seen.inside, seen.rays, seen.focal, prior * scale,
        weight, seen.rim and replace(seen.rim, depth=seen.rim.depth * scale), **more,
    )  # fmt: skip


def relief_error(found: np.ndarray, seen: surfaces.Seen) -> float:
    return float(np.nanmean(np.abs(found - seen.depth))) / seen.relief


@LENSES
@pytest.mark.parametrize("weight", [0.0, 1e-4])
@pytest.mark.parametrize("shape", [surfaces.sphere, surfaces.vase])
def test_front_and_back_of_a_closed_surface_are_restored(shape, weight, focal) -> None:
    """Within 0.2 % of the relief, and the rim that both share within a hundredth of a pixel's
    worth of it where the outline is a circle."""
    seen = shape(192, focal * 192, 2 * focal)
    found = lifted(seen, weight)
    assert relief_error(found.depth, seen) < 2e-3
    assert np.isnan(found.depth[:, ~seen.inside]).all()
    assert np.nanmin(found.depth[1] - found.depth[0]) > 0
    assert np.abs(found.rim - seen.rim.depth).mean() / seen.relief < 2e-3


def test_a_tent_is_found_from_its_edge_although_its_ends_are_steps() -> None:
    """Nothing tells the steps but what the normals cannot explain: within 1 % of the relief."""
    seen = surfaces.tent(128, 1e5, 100.0)
    edge = seen.inside & ~surfaces.within(seen.inside)
    flat = np.where(edge, seen.depth, np.nanmax(seen.depth))
    smooth, stepped = (
        integrate(
            seen.normal.astype(np.float32), seen.inside, seen.rays, seen.focal, flat,
            surfaces.FIXED * edge, reweightings=rounds,
        ).depth
        for rounds in (0, 10)
    )  # fmt: skip
    assert relief_error(smooth, seen) > 0.05
    assert relief_error(stepped, seen) < 0.01


@pytest.mark.parametrize("shape", [surfaces.tent, surfaces.ramp])
def test_steps_that_the_prior_tells_stay_steps(shape) -> None:
    seen = shape(256, 1e5, 100.0)
    assert relief_error(lifted(seen, 1e-4).depth, seen) < 2e-3


@settings(max_examples=8)
@given(scale=st.floats(0.1, 10.0))
def test_depth_scales_with_the_prior(scale: float) -> None:
    seen = surfaces.sphere(64, 128.0, 3.0)
    one, other = lifted(seen, 1e-4), lifted(seen, 1e-4, scale)
    np.testing.assert_allclose(other.depth, one.depth * scale, rtol=1e-4)
    np.testing.assert_allclose(other.rim, one.rim * scale, rtol=1e-4)


def test_sheets_that_the_normals_make_cross_are_kept_apart() -> None:
    """A lens whose two faces are hollow: they meet in the middle before the edge does."""
    seen = surfaces.sphere(96, 192.0, 3.0)
    hollow = replace(seen, normal=seen.normal * [-1, -1, 1], rim=None)
    middle = np.where(seen.inside, 3.0, np.nan)
    thin = replace(hollow, depth=np.stack([middle - 0.05, middle + 0.05]))
    crossed = lifted(thin, 1e-4).depth
    assert np.nanmin(crossed[1] - crossed[0]) < -0.1
    kept = lifted(thin, 1e-4, least_thickness=np.full(seen.inside.shape, 0.01)).depth
    assert np.nanmin(kept[1] - kept[0]) > 0.0099


def test_a_tilted_plane_under_perspective_is_restored_exactly() -> None:
    size, focal = 128, 150.0
    rays = surfaces.rays_of(size, focal)
    normal = np.array([0.4, -0.3, -1.0])
    normal /= np.linalg.norm(normal)
    depth = -2.0 / (rays @ normal)
    inside = disc((size, size), ((size - 1) / 2,) * 2, 50) > 0.5
    fixed = inside & ~surfaces.within(inside)
    found = integrate(
        np.broadcast_to(normal, (1, size, size, 3)).astype(np.float32), inside, rays, focal,
        np.where(fixed, depth, 2.0)[None], surfaces.FIXED * fixed,
    ).depth[0]  # fmt: skip
    assert np.nanmax(np.abs(found - depth) / depth) < 1e-4


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31), sheets=st.integers(1, 2))
def test_graphs_are_solved_as_a_direct_solver_does(seed: int, sheets: int) -> None:
    """On a ragged silhouette with edges of all weights, to 1e-6."""
    rng = np.random.default_rng(seed)
    height, width = 37, 52
    inside = cv2.GaussianBlur(rng.random((height, width)), (0, 0), 2.0) > 0.48
    inside[10:20, 10:40] = True
    shape = (sheets, height, width)
    right, down = (10.0 ** rng.uniform(-2, 0, shape) for _ in range(2))
    right[..., :-1] *= inside[:, :-1] & inside[:, 1:]
    right[..., -1] = 0
    down[:, :-1] *= inside[:-1] & inside[1:]
    down[:, -1] = 0
    across = 10.0 ** rng.uniform(-2, 1, inside.shape) * (inside & (sheets == 2))
    anchor = np.where(inside, 10.0 ** rng.uniform(-4, -2, shape), 0.0)
    load = np.where(inside, rng.normal(size=shape) * 1e-2, 0.0)
    found, ended = solve(GridGraph(right, down, across, anchor), load, np.zeros(shape), 1e-9)
    assert ended.converged and ended.last_step < 1e-9 and 1 < ended.iterations < 100

    number = np.arange(load.size).reshape(shape)
    pairs = [
        (number[..., :-1], number[..., 1:], right[..., :-1]),
        (number[:, :-1], number[:, 1:], down[:, :-1]),
    ]
    if sheets == 2:
        pairs.append((number[0], number[1], across))
    start, end, stiffness = (
        np.concatenate([np.ravel(p[k]) for p in pairs]) for k in range(3)
    )  # fmt: skip
    joined = sparse.csr_matrix((stiffness, (start, end)), shape=(load.size,) * 2)
    joined = joined + joined.T
    diagonal = np.asarray(joined.sum(axis=1)).ravel() + anchor.ravel()
    system = sparse.diags(np.where(anchor.ravel() > 0, diagonal, 1.0)) - joined
    expected = spsolve(system.tocsc(), load.ravel()).reshape(shape)
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()
    assert (found[:, ~inside] == 0).all()


def test_a_solution_that_did_not_settle_is_told(monkeypatch) -> None:
    """Too few iterations, or numbers that are not finite, are no convergence; nothing to do is."""
    shape = (1, 30, 40)
    stiff = np.ones(shape)
    stiff[..., -1] = 0
    anchor, load = np.full(shape, 1e-4), np.random.default_rng(2).normal(size=shape)
    hanging = GridGraph(stiff, np.zeros(shape), np.zeros(shape[1:]), anchor)
    assert solve(hanging, load, np.zeros(shape), 1e-6)[1].converged
    assert solve(hanging, load * 0, np.zeros(shape), 1e-6)[1].converged
    broken = load.copy()
    broken[0, 3, 3] = np.nan
    assert not solve(hanging, broken, np.zeros(shape), 1e-6)[1].converged
    monkeypatch.setattr(multigrid, "MOST_ITERATIONS", 1)
    ended = solve(hanging, load, np.zeros(shape), 1e-6)[1]
    assert not ended.converged and ended.iterations == 1 and ended.last_step >= 1e-6
    whole = lifted(surfaces.sphere(40, 80.0, 2.0), 1e-4)
    assert not whole.solve.converged and whole.solve.iterations >= 1


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


@settings(max_examples=12)
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


@settings(max_examples=25)
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
    layout = atlas.lay_out(masks)
    assert layout.size & (layout.size - 1) == 0
    assert layout.size <= atlas.DEFAULT_ATLAS
    rng = np.random.default_rng(3)
    images = [
        cv2.GaussianBlur(rng.integers(0, 256, (*shape, 3)).astype(np.uint8), (0, 0), 6)
        for _ in masks
    ]
    painted = atlas.paint(images, layout)
    for k, (image, mask) in enumerate(zip(images, masks, strict=True)):
        rows, columns = np.nonzero(mask)
        some = rng.integers(0, len(rows), 200)
        uv = layout.uv(np.stack([columns[some], rows[some]], axis=1).astype(np.float64), k)
        assert (uv > 0).all() and (uv < 1).all()
        x = np.round(uv[:, 0] * layout.size - 0.5).astype(int)
        y = np.round((1 - uv[:, 1]) * layout.size - 0.5).astype(int)
        difference = np.abs(
            painted[y, x, :3].astype(int) - image[rows[some], columns[some]].astype(int)
        )
        assert difference.max() <= (0 if layout.scale == 1.0 else 40)
    assert (painted[..., 3] == 255).all()


def test_colours_spread_from_the_nearest_pixel() -> None:
    rgb = np.zeros((20, 20, 3), np.uint8)
    rgb[:, :10] = (200, 10, 30)
    rgb[5:8, 15:18] = (7, 8, 9)
    mask = np.zeros((20, 20), bool)
    mask[:, :8] = True
    spread = atlas.spread_colours(rgb, mask)
    assert (spread == (200, 10, 30)).all()
