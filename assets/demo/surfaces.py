"""Small surface operations for garments and shoes: cut, subdivide, smooth, isosurface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Patch:
    """A piece of surface with values carried on its vertices."""

    vertices: Array  # (V, 3)
    faces: Index  # (F, 3)
    values: Array  # (V, K), interpolated whenever vertices are made


def cut(patch: Patch, level: Array) -> Patch:
    """Keep what has level > 0, cutting triangles exactly along level = 0.

    level : (V,), linear on each triangle
    """
    level = np.where(np.abs(level) < 1e-9, 1e-9, level)
    edges = np.sort(
        np.concatenate([patch.faces[:, [0, 1]], patch.faces[:, [1, 2]], patch.faces[:, [2, 0]]]), 1
    )
    edges = np.unique(edges, axis=0)
    edges = edges[(level[edges[:, 0]] > 0) != (level[edges[:, 1]] > 0)]
    share = (level[edges[:, 0]] / (level[edges[:, 0]] - level[edges[:, 1]]))[:, None]

    def between(array: Array) -> Array:
        return array[edges[:, 0]] * (1 - share) + array[edges[:, 1]] * share

    vertices = np.concatenate([patch.vertices, between(patch.vertices)])
    values = np.concatenate([patch.values, between(patch.values)])
    middle = {(a, b): len(patch.vertices) + i for i, (a, b) in enumerate(edges.tolist())}
    inside = level > 0
    count = inside[patch.faces].sum(1)
    faces = [patch.faces[count == 3]]
    cut_faces: list[tuple[int, int, int]] = []
    for face in patch.faces[(count == 1) | (count == 2)].tolist():
        lone = inside[face].sum() == 1
        first = next(k for k in range(3) if inside[face[k]] == lone)
        a, b, c = face[first], face[(first + 1) % 3], face[(first + 2) % 3]
        ab, ac = middle[min(a, b), max(a, b)], middle[min(a, c), max(a, c)]
        cut_faces += [(a, ab, ac)] if lone else [(ab, b, c), (ab, c, ac)]
    if cut_faces:
        faces.append(np.array(cut_faces, np.int64))
    return compact(Patch(vertices, np.concatenate(faces), values))


def compact(patch: Patch) -> Patch:
    """Drop vertices that no face uses."""
    used, faces = np.unique(patch.faces, return_inverse=True)
    return Patch(patch.vertices[used], faces.reshape(-1, 3), patch.values[used])


def subdivide(patch: Patch) -> Patch:
    """Four triangles for one."""
    pairs = np.concatenate([patch.faces[:, [0, 1]], patch.faces[:, [1, 2]], patch.faces[:, [2, 0]]])
    edges, inverse = np.unique(np.sort(pairs, 1), axis=0, return_inverse=True)
    ab, bc, ca = (inverse.reshape(3, -1) + len(patch.vertices)).astype(np.int64)
    a, b, c = patch.faces.T
    faces = np.concatenate(
        [np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    )
    return Patch(
        np.concatenate([patch.vertices, patch.vertices[edges].mean(1)]),
        faces,
        np.concatenate([patch.values, patch.values[edges].mean(1)]),
    )


def neighbour_mean(faces: Index, count: int) -> csr_matrix:
    """(V, V) matrix that replaces each vertex by the mean of its neighbours."""
    rows = faces[:, [0, 1, 2, 1, 2, 0]].ravel()
    columns = faces[:, [1, 2, 0, 0, 1, 2]].ravel()
    graph = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    graph.data[:] = 1.0
    degree = np.maximum(np.asarray(graph.sum(1)).ravel(), 1)
    return diags(1 / degree) @ graph


def border_edges(faces: Index) -> Index:
    """(E, 2) open edges."""
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    edges, uses = np.unique(pairs, axis=0, return_counts=True)
    return edges[uses == 1]


def border(faces: Index, count: int) -> npt.NDArray[np.bool_]:
    """(V,) vertices on an open edge."""
    found = np.zeros(count, bool)
    found[border_edges(faces)] = True
    return found


def smooth(patch: Patch, steps: int, strength: float = 0.5) -> Patch:
    """Laplacian smoothing of the vertices; those on the border follow their border neighbours
    only, so that hems become even without shrinking away."""
    count = len(patch.vertices)
    mean = neighbour_mean(patch.faces, count)
    edges = border_edges(patch.faces)
    along = csr_matrix(
        (np.ones(2 * len(edges)), (edges[:, [0, 1]].ravel(), edges[:, [1, 0]].ravel())),
        shape=(count, count),
    )
    degree = np.asarray(along.sum(1)).ravel()
    rim = degree > 0
    keep = diags((~rim).astype(np.float64))
    mean = keep @ mean + diags(1 / np.maximum(degree, 1)) @ along
    vertices = patch.vertices
    for _ in range(steps):
        vertices = vertices + strength * (mean @ vertices - vertices)
    return Patch(vertices, patch.faces, patch.values)


def vertex_normals(vertices: Array, faces: Index) -> Array:
    """(V, 3) unit, area weighted."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    area = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, faces[:, k], area)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def surface_net(field: Array, origin: Array, step: float) -> tuple[Array, Index]:
    """Quads (F, 4) and vertices (V, 3) of the surface field = 0, positive inside.

    Surface nets (Gibson, Constrained Elastic Surface Nets, 1998): one vertex in each cell that
    the surface crosses, at the mean of the crossings on the cell's edges. field : (X, Y, Z),
    negative on its outer layer.
    """
    inside = field > 0
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    shape = tuple(n - 1 for n in field.shape)

    def corner(array: npt.NDArray, at: tuple[int, int, int]) -> npt.NDArray:
        return array[tuple(slice(o, o + n) for o, n in zip(at, shape, strict=True))]

    total = np.zeros((*shape, 3))
    crossings = np.zeros(shape)
    for first in corners:
        for axis in range(3):
            if first[axis] == 1:
                continue
            second = tuple(o + (k == axis) for k, o in enumerate(first))
            f, g = corner(field, first), corner(field, second)
            crosses = (f > 0) != (g > 0)
            t = np.where(crosses, f / np.where(crosses, f - g, 1.0), 0.0)
            place = np.array(first, np.float64) + t[..., None] * np.eye(3)[axis]
            total += np.where(crosses[..., None], place, 0.0)
            crossings += crosses
    active = crossings > 0
    number = np.full(shape, -1)
    number[active] = np.arange(active.sum())
    vertices = np.argwhere(active) + total[active] / crossings[active][:, None]
    quads = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        change = inside[tuple(low)] != inside[tuple(high)]
        at = np.argwhere(change)
        at = at[(at[:, u] > 0) & (at[:, v] > 0)]
        outward = inside[tuple(low)][tuple(at.T)]
        ring = []
        for du, dv in ((1, 1), (0, 1), (0, 0), (1, 0)):
            cell = at.copy()
            cell[:, u] -= du
            cell[:, v] -= dv
            ring.append(number[tuple(cell.T)])
        quad = np.stack(ring, 1)
        quad[~outward] = quad[~outward][:, ::-1]
        quads.append(quad)
    return origin + vertices * step, np.concatenate(quads)
