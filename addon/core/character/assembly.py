"""One mesh of all layers' surfaces, bound to the skeleton, on the ground, and at rest."""

from __future__ import annotations

import numpy as np

from .. import frames
from ..body import world_pose
from ..body.model.body_model import BodyModel
from ..types import Character, Crop, FittedBody, Float64, Person
from .skin import skinning_weights, weight_relaxation
from .surface.layer_reconstruction import Surface, body_vertices
from .texture.atlas import Texture


def assemble(
    person: Person,
    model: BodyModel,
    fitted: FittedBody,
    crop: Crop,
    surfaces: list[Surface],
    painted: Texture,
) -> Character:
    """One mesh of all surfaces, bound to the skeleton and taken back to the rest pose.

    Parameters
    ----------
    person : Person
        The person.
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.
    crop : Crop
        The surfaces' grid.
    surfaces : list[Surface]
        One for each layer, in order of depth.
    painted : Texture
        Charts and colours.

    Returns
    -------
    Character
        In the photo's pose and at rest, world axes, metres.
    """
    meshes = [surface.mesh for surface in surfaces]
    first = np.cumsum([0, *(len(mesh.depth) for mesh in meshes)])
    grid = np.vstack([mesh.pixels for mesh in meshes])
    pixels = frames.photo_from_grid(crop, grid)
    triangles = np.vstack(
        [mesh.triangles + start for mesh, start in zip(meshes, first[:-1], strict=True)]
    ).astype(np.int32)
    in_camera = frames.unproject(
        fitted.camera, pixels, np.concatenate([mesh.depth for mesh in meshes])
    )
    place = frames.world_from_camera(ground_under(person, fitted, in_camera))
    vertices = frames.transform(place, in_camera)

    skeleton = world_pose.skeleton_of(model, fitted)
    pose = world_pose.pose_of(fitted, place)
    matrices = world_pose.skin_matrices(skeleton, pose)
    smoothed = skinning_weights.finish(np.vstack([s.weights for s in surfaces]), triangles)
    sharpened = skinning_weights.invertible(smoothed, matrices)
    weights = weight_relaxation.relax(vertices, sharpened, triangles, skeleton, matrices)
    rest = world_pose.unskin_vertices(vertices, weights, matrices)

    corners = []
    for k, (mesh, start) in enumerate(zip(meshes, first[:-1], strict=True)):
        at = pixels[mesh.triangles + start]
        corners.append(painted.layout.uv(at[: mesh.front_count], 2 * k))
        corners.append(painted.layout.uv(at[mesh.front_count :], 2 * k + 1))
    return Character(
        vertices=vertices.astype(np.float32),
        rest_vertices=rest.astype(np.float32),
        triangles=triangles,
        uv=np.concatenate(corners),
        texture=painted.colours,
        weights=weights,
        skeleton=skeleton,
        pose=pose,
        world_from_camera=place,
        body_vertex=np.concatenate([body_vertices(surface) for surface in surfaces]),
        normal_map=painted.normal_map,
    )


def ground_under(person: Person, fitted: FittedBody, in_camera: Float64) -> Float64:
    """(3,) camera-frame point on the ground under the pelvis: the world's origin.

    The ground touches the lowest point of the person; where the picture cuts the feet off, the
    lowest of the fitted body.

    Parameters
    ----------
    person : Person
        The person.
    fitted : FittedBody
        The body.
    in_camera : Float64
        (V, 3) the character's vertices, metres, camera frame.

    Returns
    -------
    Float64
        (3,) metres.
    """
    cut_off = bool(person.mask[-1].any())
    lowest = fitted.vertices[:, 1].max() if cut_off else in_camera[:, 1].max()
    return np.array([fitted.joints[0, 0], lowest, fitted.joints[0, 2]], np.float64)
