"""The wall that the photo hangs on, framed, when its edges come into view: the person walks out of
a picture, as in Photo Wake-Up (Weng et al., CVPR 2019, section 6)."""

from __future__ import annotations

import bpy
import numpy as np

from ...core.types import Float64, Int32
from ..build import find_parts, mark_generated_with
from ..id_properties import WALL
from .material import new_plain_material
from .meshes import new_mesh

# Across the moulding from the picture's edge outwards: how far out and how far towards the viewer,
# in widths of the moulding. It leans away from the picture, so that it hides none of it.
_PROFILE = ((0.0, 0.0), (0.0, 0.15), (0.3, 0.4), (0.75, 0.4), (1.0, 0.25), (1.0, 0.0))
_MOULDING_SHARE = 0.06  # of the picture's shorter side, as on pictures of a room's size
_WALL_SIDE = 12.0  # picture widths to each side: no camera move sees its end

# Linear colours. The outer face of a moulding is in its own shade, the face to the viewer is lit.
_PLASTER = (0.56, 0.53, 0.48)
_WOOD = (0.085, 0.043, 0.02)
_WOOD_LIT = (0.16, 0.085, 0.04)
_WOOD_DARK = (0.035, 0.018, 0.009)
# A material for each strip of the profile and, last, for the wall.
_COLOURS = {"Plaster": _PLASTER, "Wood": _WOOD, "Wood Lit": _WOOD_LIT, "Wood Dark": _WOOD_DARK}
_STRIPS = ("Wood Dark", "Wood", "Wood Lit", "Wood", "Wood Dark", "Plaster")


def choose_wall(collection: bpy.types.Collection, hung: bool) -> None:
    """Hang the photo on a wall, in a frame, or take the wall away again.

    The picture is the plate; the wall goes on from its edges, in its plane, so that the photo's
    own camera sees nothing of it.
    """
    wall = find_wall(collection)
    if hung == (wall is not None):
        return
    if wall is not None:
        mesh, materials = wall.data, list(wall.data.materials)
        bpy.data.batch_remove([wall, mesh, *materials])
        return
    plate = find_parts(collection).plate
    corners = np.array([tuple(vertex.co) for vertex in plate.data.vertices], np.float64)
    name = f"{collection.name} Wall"
    vertices, faces = _rings(corners)
    mesh = new_mesh(name, vertices, faces)
    for label, colour in _COLOURS.items():
        mesh.materials.append(new_plain_material(f"{name} {label}", colour))
    order = list(_COLOURS)
    mesh.polygons.foreach_set(
        "material_index", np.repeat([order.index(strip) for strip in _STRIPS], 4).astype(np.int32)
    )
    mesh.polygons.foreach_set("use_smooth", np.zeros(len(faces), bool))
    wall = bpy.data.objects.new(name, mesh)
    wall.matrix_world = plate.matrix_world
    wall[WALL] = True
    collection.objects.link(wall)
    mark_generated_with(wall, plate)


def find_wall(collection: bpy.types.Collection) -> bpy.types.Object | None:
    """The wall that the photo hangs on; None if it does not."""
    return next((item for item in collection.all_objects if WALL in item), None)


def _rings(corners: Float64) -> tuple[Float64, Int32]:
    """Vertices (4 R, 3) and quads (4 (R - 1), 4) of rings around a picture.

    corners : (4, 3), bottom left, bottom right, top right, top left, seen from in front
    """
    right, up = corners[1] - corners[0], corners[3] - corners[0]
    width, height = float(np.linalg.norm(right)), float(np.linalg.norm(up))
    right, up = right / width, up / height
    forward = np.cross(right, up)
    outward = np.array([-right - up, right - up, right + up, up - right])
    moulding = _MOULDING_SHARE * min(width, height)
    offsets = [(out * moulding, front * moulding) for out, front in _PROFILE]
    offsets.append((_WALL_SIDE * width, 0.0))
    rings = [corners + out * outward + front * forward for out, front in offsets]
    quads = [
        (4 * ring + side, 4 * ring + 4 + side, 4 * ring + 4 + after, 4 * ring + after)
        for ring in range(len(rings) - 1)
        for side, after in ((0, 1), (1, 2), (2, 3), (3, 0))
    ]
    return np.concatenate(rings), np.array(quads, np.int32)
