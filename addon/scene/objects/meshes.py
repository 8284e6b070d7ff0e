"""Arrays to Blender meshes, in bulk."""

from __future__ import annotations

import bpy
import numpy as np
import numpy.typing as npt


def new_mesh(
    name: str,
    vertices: npt.NDArray[np.floating],
    polygons: npt.NDArray[np.integer],
    uv: npt.NDArray[np.floating] | None = None,
) -> bpy.types.Mesh:
    """A smoothly shaded mesh.

    vertices : (V, 3), metres; polygons : (P, K) indices, counter-clockwise from outside;
    uv : (P, K, 2), origin bottom left
    """
    count, corners = polygons.shape
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    mesh.loops.add(count * corners)
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(polygons, np.int32).ravel())
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", np.arange(count, dtype=np.int32) * corners)
    if uv is not None:
        layer = mesh.uv_layers.new(name="UVMap", do_init=False)
        layer.uv.foreach_set("vector", np.ascontiguousarray(uv, np.float32).ravel())
    mesh.update(calc_edges=True)
    return mesh
