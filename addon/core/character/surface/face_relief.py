"""The person's own face in place of the fitted body's.

Photo Wake-Up section 4.5 turns the body's average head until its fiducials project onto the
picture's, and warps what is left of the difference. Face Mesh gives more than fiducials: 468
points with depth. Here their surface takes the place of the body's in the front sheet, so every
feature lies at its own pixel and the profile is the person's. A band at the face's edge leads over
to the warped body.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from ... import frames
from ...body.fit.orientation_observations import head_turn
from ...body.model.skeleton import JOINT
from ...body.rasterisation import fragments, vertex_normals
from ...types import AnyArray, Camera, Crop, Face, Float32, Float64, Mask
from ..outline.warp import WarpedSheet

BAND_SHARE = 0.15  # of the face's height: width of the band that leads over to the body
FEWEST_PIXELS = 200  # on the grid; a smaller face shows no relief
# Features of the body's head are smoothed away over this share of the face's height.
FEATURE_SHARE = 0.15
# A head that is turned further from the camera shows Face Mesh too little of its far side; the
# body's own head then has the better profile.
LARGEST_TURN = np.radians(60.0)
# Of Face Mesh's points, the axis about which they are unrolled lies this far behind the middle, in
# face widths: far enough for the sides to face outwards, near enough to part cheek and nose.
UNROLLING_AXIS = 0.3


def with_face(
    sheet: WarpedSheet, face: Face, camera: Camera, crop: Crop, inside: Mask
) -> WarpedSheet:
    """A front sheet with normals, soft depth and skinning weights of a face that was seen.

    Parameters
    ----------
    sheet : WarpedSheet
        The front.
    face : Face
        The person's.
    camera : Camera
        The photo's.
    crop : Crop
        The grid.
    inside : Mask
        (h, w) the pixels of the sheet. Beside the head nothing changes.

    Returns
    -------
    WarpedSheet
        The front with the face.
    """
    if head_turn(face)[2, 2] > -np.cos(LARGEST_TURN):  # its look along the camera's view
        return sheet
    depth, normal = face_surface(face, camera, crop, float(np.nanmedian(sheet.depth[inside])))
    seen = np.isfinite(depth) & inside
    if int(seen.sum()) < FEWEST_PIXELS:
        return sheet
    share = _share(seen)
    # Only the relief is known, not how far away the face is: that is the body's to say.
    offset = np.average((sheet.depth - depth)[seen], weights=share[seen] + 1e-6)

    def blend(ours: AnyArray, theirs: AnyArray) -> AnyArray:
        k = share if ours.ndim == 2 else share[..., None]
        return np.where(k > 0, (1 - k) * ours + k * np.nan_to_num(theirs), ours)

    plain = _without_features(sheet, inside, seen)
    turned = blend(plain, normal)
    turned = turned / np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1e-6)
    of_head = np.zeros_like(sheet.weights)
    of_head[..., JOINT["head"]] = 1.0
    return replace(
        sheet,
        depth=blend(sheet.depth, depth + offset),
        normal=turned.astype(np.float32),
        weights=blend(sheet.weights, of_head).astype(np.float32),
        holes=sheet.holes & (share < 1),
    )


def face_surface(
    face: Face, camera: Camera, crop: Crop, distance_m: float
) -> tuple[Float64, Float32]:
    """Depth (h, w) in metres and outward normals (h, w, 3) of a face's points on a crop's grid,
    NaN beside the face.

    Parameters
    ----------
    face : Face
        The person's.
    camera : Camera
        The photo's.
    crop : Crop
        The grid.
    distance_m : float
        How far away the face is about; Face Mesh gives depth in pixels only.

    Returns
    -------
    tuple[Float64, Float32]
        (h, w) metres and (h, w, 3).
    """
    points = face.mesh.astype(np.float64)
    triangles = face_triangles(face)
    metre = distance_m / camera.focal_px
    depth = distance_m + (points[:, 2] - points[:, 2].mean()) * metre
    in_camera = np.column_stack([points[:, :2] * metre, depth])
    normals = vertex_normals(in_camera, triangles)
    grid = frames.grid_from_photo(crop, points[:, :2])
    pixel, triangle, share = fragments(grid, depth, triangles, crop)
    at = (share * depth[triangles[triangle]]).sum(axis=1)
    order = np.lexsort((-at, pixel))  # the nearest comes last and stays
    depth_map = np.full(crop.height * crop.width, np.nan)
    normal_map = np.full((crop.height * crop.width, 3), np.nan, np.float32)
    depth_map[pixel[order]] = at[order]
    mixed = np.einsum("kc,kcd->kd", share, normals[triangles[triangle]])
    mixed /= np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12)
    normal_map[pixel[order]] = mixed[order]
    shape = (crop.height, crop.width)
    return depth_map.reshape(shape), normal_map.reshape(*shape, 3)


def face_triangles(face: Face) -> npt.NDArray[np.int64]:
    """(T, 3) triangles over a face's points, counter-clockwise seen from outside.

    The points are turned to look ahead, unrolled about an upright axis behind them, and
    triangulated there, where nose and cheeks do not overlap however the head is turned.

    Parameters
    ----------
    face : Face
        The person's.

    Returns
    -------
    npt.NDArray[np.int64]
        (T, 3).
    """
    axes = head_turn(face)
    ahead = (face.mesh.astype(np.float64) - face.mesh.mean(axis=0)) @ axes
    width = float(np.ptp(ahead[:, 0]))
    behind = ahead[:, 2] - ahead[:, 2].min() + UNROLLING_AXIS * width
    across = np.arctan2(ahead[:, 0], behind) * width / 2
    flat = np.column_stack([across, ahead[:, 1]])
    simplices = Delaunay(flat).simplices.astype(np.int64)
    a, b, c = (flat[simplices[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    # In the head's own axes (x left, y up, seen from ahead) positive area is counter-clockwise.
    return np.where((area > 0)[:, None], simplices, simplices[:, [0, 2, 1]])


def _without_features(sheet: WarpedSheet, inside: Mask, seen: Mask) -> Float32:
    """The sheet's normals (h, w, 3) with the head's smoothed, but for its rim, which has to stay
    as steep as it is."""
    head = sheet.weights[..., JOINT["head"]] * inside
    sigma = FEATURE_SHARE * _height(seen)
    total = cv2.GaussianBlur(sheet.normal * head[..., None], (0, 0), sigma)
    smooth = total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-6)
    to_rim = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    share = (head * np.clip(to_rim / (2 * sigma), 0, 1))[..., None]
    mixed = (1 - share) * sheet.normal + share * smooth
    return mixed / np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), 1e-6)


def _height(seen: Mask) -> int:
    rows = np.nonzero(seen.any(axis=1))[0]
    return int(rows[-1] - rows[0] + 1)


def _share(seen: Mask) -> Float64:
    """(h, w) 0..1: how much of the face is taken, rising smoothly from its edge."""
    distance = cv2.distanceTransform(np.pad(seen.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    t = np.clip(distance / (BAND_SHARE * _height(seen)), 0, 1).astype(np.float64)
    return t * t * (3 - 2 * t)
