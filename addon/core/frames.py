"""Every axis, unit and pixel convention of the project, and the ways between them.

pixel frame    x right, y down, centres at integers, origin at the centre of the top-left pixel
camera frame   x right, y down, z away from the camera, metres (OpenCV's)
body frame     x to the body's left, y up, z to where the face looks, metres (SMPL's)
world frame    x right, y away from the viewer, z up, metres (Blender's); the ground is z = 0,
               a body at identity looks along -y, towards the viewer
armature rest  world axes, T-pose, the pelvis over the origin, feet on z = 0

A Blender camera looks along its own -z with y up. UV has its origin bottom left.
Quaternions are w, x, y, z.
"""

from __future__ import annotations

import numpy as np

from .types import Camera, Crop, Float64, Floats

# Rows are the target's axes written in the source's.
WORLD_FROM_CAMERA_AXES: Float64 = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
WORLD_FROM_BODY_AXES: Float64 = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
CAMERA_FROM_BLENDER_CAMERA: Float64 = np.diag([1.0, -1.0, -1.0])

# Blender's and SMPL's default; a person is this tall unless the user says otherwise.
DEFAULT_HEIGHT_M = 1.7


def default_camera(width: int, height: int, focal_px: float | None = None) -> Camera:
    """The camera of a photo: its focal length (EXIF), else the longer side in pixels.

    Parameters
    ----------
    width : int
        Of the photo, pixels.
    height : int
        Of the photo, pixels.
    focal_px : float | None
        EXIF's focal length, pixels; None or 0 if it is unknown.

    Returns
    -------
    Camera
        The camera, its principal point in the photo's middle.
    """
    focal = float(focal_px) if focal_px else float(max(width, height))
    return Camera(focal, (width - 1) / 2, (height - 1) / 2, width, height)


def project(camera: Camera, points: Floats) -> Floats:
    """Camera-frame points (..., 3) to photo pixels (..., 2).

    Parameters
    ----------
    camera : Camera
        The photo's.
    points : Floats
        (..., 3) metres, camera frame, in front of the camera.

    Returns
    -------
    Floats
        (..., 2) photo pixels.
    """
    z = points[..., 2:3]
    return points[..., :2] / z * camera.focal_px + np.array([camera.cx, camera.cy], points.dtype)


def unproject(camera: Camera, pixels: Floats, depth: Floats) -> Floats:
    """Photo pixels (..., 2) at depth (...) to camera-frame points (..., 3).

    Parameters
    ----------
    camera : Camera
        The photo's.
    pixels : Floats
        (..., 2) photo pixels.
    depth : Floats
        (...,) metres along the camera's z.

    Returns
    -------
    Floats
        (..., 3) metres, camera frame.
    """
    rays = (pixels - np.array([camera.cx, camera.cy], pixels.dtype)) / camera.focal_px
    return np.concatenate([rays * depth[..., None], depth[..., None]], axis=-1)


def photo_from_grid(crop: Crop, grid: Floats) -> Floats:
    """Crop-grid pixels (..., 2) to photo pixels.

    Parameters
    ----------
    crop : Crop
        The grid's place in the photo.
    grid : Floats
        (..., 2) pixels of the grid.

    Returns
    -------
    Floats
        (..., 2) photo pixels.
    """
    return grid / crop.scale + np.array([crop.x0, crop.y0], grid.dtype)


def grid_from_photo(crop: Crop, pixels: Floats) -> Floats:
    """Photo pixels (..., 2) to crop-grid pixels.

    Parameters
    ----------
    crop : Crop
        The grid's place in the photo.
    pixels : Floats
        (..., 2) photo pixels.

    Returns
    -------
    Floats
        (..., 2) pixels of the grid.
    """
    return (pixels - np.array([crop.x0, crop.y0], pixels.dtype)) * crop.scale


def world_from_camera(origin: Floats) -> Float64:
    """Rigid (4, 4) from camera to world frame; `origin` (3,) is the camera-frame point that
    becomes the world's origin (the ground under the pelvis). The camera is taken as level.

    Parameters
    ----------
    origin : Floats
        (3,) metres, camera frame.

    Returns
    -------
    Float64
        (4, 4), camera to world.
    """
    matrix = np.eye(4)
    matrix[:3, :3] = WORLD_FROM_CAMERA_AXES
    matrix[:3, 3] = -WORLD_FROM_CAMERA_AXES @ np.asarray(origin, np.float64)
    return matrix


def transform(matrix: Float64, points: Floats) -> Floats:
    """Apply a (4, 4) to points (..., 3).

    Parameters
    ----------
    matrix : Float64
        (4, 4), affine.
    points : Floats
        (..., 3) in the frame that the matrix starts from.

    Returns
    -------
    Floats
        (..., 3) in the frame that it leads to.
    """
    return points @ matrix[:3, :3].T.astype(points.dtype) + matrix[:3, 3].astype(points.dtype)
