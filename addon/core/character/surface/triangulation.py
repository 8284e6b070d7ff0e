"""A flat triangle mesh that fills a silhouette exactly, ready to be lifted into two sheets.

Boundary edges are the outline's own, no triangle edge runs from outline to outline inside of the
silhouette, so front and back sheets that share the outline's vertices make one closed manifold.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

from ...types import Float64
from ..outline.contour import Outline, along, rasterise, resample, signed_area

Index = npt.NDArray[np.int64]

FINE_BAND = 3.0  # width, in spacings, of the band at the outline that gets finer triangles
FINE_SHARE = 0.5  # spacing in that band: the surface turns away there
CLEARANCE = 0.45  # spacings that inner points keep from the outline, else slivers appear
LEAST_FILLED = 0.92  # of the asked count of triangles, where a few tries reach it
USUAL_TRIES, MOST_TRIES = 3, 12  # to come near to the count; to come below it
SPACING_STEP = 1.02  # ratio of neighbouring spacings: four per cent of triangles
REFINEMENT_ROUNDS = 40  # each round splits what is left; a handful is usual


@dataclass(frozen=True, eq=False)
class FlatMesh:
    """Triangles in the plane.

    points : (P, 2) float64 pixels; the first `rim_count` are the outline's, loop after loop
    triangles : (T, 3) int64, of positive signed area
    """

    points: Float64
    triangles: Index
    rim_count: int


def triangulate(outline: Outline, spacing: float) -> FlatMesh:
    """Fill an outline with triangles whose edges are about `spacing` pixels, finer at the rim.

    The Delaunay triangulation of outline and inner points, refined until it conforms: an outline
    edge that is missing gets a new point of the outline between its ends, an inner edge that joins
    two outline points gets its middle as a new inner point.

    Parameters
    ----------
    outline : Outline
        Pixels.
    spacing : float
        Pixels.

    Returns
    -------
    FlatMesh
        Its first vertices are the outline's.
    """
    fine = spacing * FINE_SHARE
    loops = [resample(loop, fine) for loop in outline.loops]
    places = [np.arange(len(loop)) / len(loop) for loop in loops]
    inner = _inner_points(Outline(loops[0], tuple(loops[1:])), spacing)
    for _ in range(REFINEMENT_ROUNDS):
        rim = np.vstack(loops)
        points = np.vstack([rim, inner])
        triangles = _oriented(points, Delaunay(points).simplices.astype(np.int64))
        edges = _edge_keys(triangles, len(points))
        split = [_missing(loop_edges, edges, len(points)) for loop_edges in _loop_edges(loops)]
        if any(missing.any() for missing in split):
            # The outline does not cross itself, but its chords may: only its own points end that.
            places = [_halved(at, missing) for at, missing in zip(places, split, strict=True)]
            loops = [along(loop, at) for loop, at in zip(outline.loops, places, strict=True)]
            continue
        triangles = _inside(points, triangles, loops)
        chords = _chords(triangles, loops)
        if len(chords) == 0:
            return _without_unused(points, triangles, len(rim))
        inner = np.vstack([inner, (points[chords[:, 0]] + points[chords[:, 1]]) / 2])
    return _split_chords(points, triangles, loops)


def _inner_points(outline: Outline, spacing: float) -> Float64:
    """Two hexagonal lattices: a fine one near the outline, a coarse one inside."""
    low = np.floor(outline.outer.min(axis=0)) - 2
    scale = max(1.0, 4.0 / (spacing * FINE_SHARE))  # at least 4 raster pixels a fine spacing
    moved = Outline((outline.outer - low) * scale, tuple((h - low) * scale for h in outline.holes))
    size = np.ceil(moved.outer.max(axis=0)).astype(int) + 3
    inside = rasterise(moved, (int(size[1]), int(size[0])))
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) / scale

    def lattice(step: float, nearest: float, farthest: float) -> Float64:
        height = step * np.sqrt(3) / 2
        extent = size / scale
        rows = np.arange(0, extent[1], height)
        columns = np.arange(0, extent[0], step)
        x, y = np.meshgrid(columns, rows)
        x[1::2] += step / 2
        at = np.stack([x.ravel(), y.ravel()], axis=1)
        column, row = np.round(at * scale).astype(int).T
        there = (column < size[0]) & (row < size[1])
        depth = np.zeros(len(at))
        depth[there] = distance[row[there], column[there]]
        return at[(depth > nearest) & (depth <= farthest)] + low

    fine = spacing * FINE_SHARE
    band = FINE_BAND * spacing
    return np.vstack(
        [lattice(fine, CLEARANCE * spacing, band), lattice(spacing, band + 0.3 * spacing, np.inf)]
    )


def _oriented(points: Float64, triangles: Index) -> Index:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    turned = triangles.copy()
    turned[area < 0] = turned[area < 0][:, [0, 2, 1]]
    return turned[np.abs(area) > 1e-12]


def _key(a: Index, b: Index, count: int) -> Index:
    return np.minimum(a, b) * count + np.maximum(a, b)


def _edge_keys(triangles: Index, count: int) -> Index:
    """(3 T,) one key an edge: of the corners 0-1 of all triangles, then 1-2, then 2-0."""
    return np.concatenate(
        [_key(triangles[:, k], triangles[:, (k + 1) % 3], count) for k in range(3)]
    )


def _loop_edges(loops: list[Float64]) -> list[Index]:
    """For each loop its (n, 2) edges as indices into the stacked loops."""
    edges = []
    first = 0
    for loop in loops:
        here = first + np.arange(len(loop))
        edges.append(np.stack([here, np.roll(here, -1)], axis=1))
        first += len(loop)
    return edges


def _missing(loop_edges: Index, edges: Index, count: int) -> npt.NDArray[np.bool_]:
    return ~np.isin(_key(loop_edges[:, 0], loop_edges[:, 1], count), edges)


def _halved(places: Float64, where: npt.NDArray[np.bool_]) -> Float64:
    """Places on a loop, shares of its length, with one more in the middle of each marked edge."""
    at = np.nonzero(where)[0]
    ends = np.append(places, 1.0)
    return np.insert(places, at + 1, (ends[at] + ends[at + 1]) / 2)


def _inside(points: Float64, triangles: Index, loops: list[Float64]) -> Index:
    """Triangles within the outline: pieces cut apart by the outline are in or out as a whole."""
    count = len(points)
    keys = _edge_keys(triangles, count)
    owner = np.tile(np.arange(len(triangles)), 3)
    rim_keys = np.concatenate([_key(e[:, 0], e[:, 1], count) for e in _loop_edges(loops)])
    open_edge = ~np.isin(keys, rim_keys)
    order = np.argsort(keys[open_edge], kind="stable")
    sorted_keys, sorted_owner = keys[open_edge][order], owner[open_edge][order]
    pair = np.nonzero(sorted_keys[1:] == sorted_keys[:-1])[0]
    graph = coo_matrix(
        (np.ones(len(pair)), (sorted_owner[pair], sorted_owner[pair + 1])),
        shape=(len(triangles),) * 2,
    )
    _, piece = connected_components(graph, directed=False)
    # Every outline edge of positive sense has the inside on its left: its triangle is inside.
    directed = {}
    corners = triangles
    for k in range(3):
        key = corners[:, k] * count + corners[:, (k + 1) % 3]
        directed[k] = key
    rim_directed = np.concatenate([e[:, 0] * count + e[:, 1] for e in _loop_edges(loops)])
    on_left = np.zeros(len(triangles), bool)
    for key in directed.values():
        on_left |= np.isin(key, rim_directed)
    return triangles[np.isin(piece, np.unique(piece[on_left]))]


def _chords(triangles: Index, loops: list[Float64]) -> Index:
    """(C, 2) inner edges whose two ends lie on the outline."""
    rim_count = sum(len(loop) for loop in loops)
    edges = np.vstack([triangles[:, [k, (k + 1) % 3]] for k in range(3)])
    edges = edges[(edges < rim_count).all(axis=1)]
    loop_edges = np.vstack(_loop_edges(loops))
    own = _key(loop_edges[:, 0], loop_edges[:, 1], rim_count)
    keys, first = np.unique(_key(edges[:, 0], edges[:, 1], rim_count), return_index=True)
    return edges[first[~np.isin(keys, own)]]


def _split_chords(points: Float64, triangles: Index, loops: list[Float64]) -> FlatMesh:
    """What refinement leaves: triangles at a chord are split there, whatever their shape."""
    rim_count = sum(len(loop) for loop in loops)
    for _ in range(3):  # a triangle may have three chords; one a pass is split
        chords = _chords(triangles, loops)
        for a, b in chords:
            middle = len(points)
            points = np.vstack([points, (points[a] + points[b]) / 2])
            hit = np.nonzero((triangles == a).any(axis=1) & (triangles == b).any(axis=1))[0]
            halves = []
            for t in hit:
                for end in (a, b):
                    half = triangles[t].copy()
                    half[half == end] = middle
                    halves.append(half)
            triangles = np.vstack([np.delete(triangles, hit, axis=0), halves])
    return _without_unused(points, triangles, rim_count)


def _without_unused(points: Float64, triangles: Index, rim_count: int) -> FlatMesh:
    used = np.zeros(len(points), bool)
    used[triangles] = True
    used[:rim_count] = True
    renumber = np.cumsum(used) - 1
    return FlatMesh(points[used], renumber[triangles], rim_count)


def triangulate_all(outlines: list[Outline], triangle_count: int) -> list[FlatMesh]:
    """Flat meshes of equal spacing which, each closed by a second sheet, have at most this many
    triangles together, and hardly fewer.

    Where the outlines alone need more, the coarsest meshes that were tried.

    Parameters
    ----------
    outlines : list[Outline]
        Pixels.
    triangle_count : int
        Of all closed meshes together.

    Returns
    -------
    list[FlatMesh]
        One for each outline.
    """
    rung = _rung(spacing_for(outlines, triangle_count))
    best, fewest, most = None, np.inf, 0
    for attempt in range(MOST_TRIES):
        meshes = [triangulate(outline, SPACING_STEP**rung) for outline in outlines]
        count = 2 * sum(len(mesh.triangles) for mesh in meshes)
        fits = count <= triangle_count
        if best is None or (fits and count > most) or (most == 0 and count < fewest):
            best, fewest, most = meshes, count, count if fits else 0
        near = count >= LEAST_FILLED * triangle_count or attempt >= USUAL_TRIES
        if fits and near:
            break
        aim = (1 + LEAST_FILLED) / 2 * triangle_count
        wanted = _rung(SPACING_STEP**rung * max(np.sqrt(count / aim), 0.5))
        rung = wanted if wanted != rung else rung + (-1 if fits else 1)
    assert best is not None
    return best


def _rung(spacing: float) -> int:
    """The nearest rung of the ladder of spacings. A last bit of an outline, which is the
    processor's, would otherwise change the spacing, and with it every point within."""
    return round(float(np.log(spacing) / np.log(SPACING_STEP)))


def spacing_for(outlines: list[Outline], triangle_count: int) -> float:
    """The spacing in pixels at which closed meshes of both sheets, one per outline, have about
    this many triangles together.

    Parameters
    ----------
    outlines : list[Outline]
        Pixels.
    triangle_count : int
        Of all closed meshes together.

    Returns
    -------
    float
        Pixels.
    """
    loops = [loop for outline in outlines for loop in outline.loops]
    area = sum(
        abs(signed_area(outline.outer)) - sum(abs(signed_area(h)) for h in outline.holes)
        for outline in outlines
    )
    length = sum(
        float(np.linalg.norm(np.roll(loop, -1, axis=0) - loop, axis=1).sum()) for loop in loops
    )
    # Triangles a sheet = coarse area / (sqrt(3)/4 s^2) + band area / (sqrt(3)/4 (s/2)^2).
    cell = np.sqrt(3) / 4
    low, high = 0.1, float(np.sqrt(area))
    for _ in range(60):  # bisection to far below any pixel
        s = (low + high) / 2
        band = min(area, length * FINE_BAND * s)
        triangles = 2 * ((area - band) / (cell * s * s) + band / (cell * (FINE_SHARE * s) ** 2))
        low, high = (s, high) if triangles > triangle_count else (low, s)
    return (low + high) / 2
