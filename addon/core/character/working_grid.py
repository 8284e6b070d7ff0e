"""The window of the photo in which the character is made: a grid of fixed size on the person."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from .. import frames
from ..imaging.fill_nearest import fill_nearest
from ..imaging.resampling import resampled_on_grid, resampled_on_photo
from ..types import BodyMaps, Crop, FittedBody, Float32, Float64, Mask, Photo, SurfaceMaps, UInt8
from .outline import contour

FIGURE_PX = 640  # grid pixels along the figure's larger extent (A4: at least 512)
CROP_MARGIN_PX = 12  # grid pixels around person and body, room for filters


def frame(outline: contour.Outline, photo: Photo, fitted: FittedBody) -> Crop:
    """The window of the photo that holds the person and what is seen of the body.

    Parameters
    ----------
    outline : contour.Outline
        The person's, grid pixels.
    photo : Photo
        The photo.
    fitted : FittedBody
        The body.

    Returns
    -------
    Crop
        With a margin.
    """
    person_low, person_high = outline.outer.min(axis=0), outline.outer.max(axis=0)
    scale = FIGURE_PX / float((person_high - person_low).max())
    body = frames.project(fitted.camera, fitted.vertices.astype(np.float64))
    limit = np.array([photo.width - 1.0, photo.height - 1.0])
    low = np.minimum(person_low, np.clip(body.min(axis=0), 0, limit)) - CROP_MARGIN_PX / scale
    high = np.maximum(person_high, np.clip(body.max(axis=0), 0, limit)) + CROP_MARGIN_PX / scale
    width, height = np.ceil((high - low) * scale).astype(int) + 1
    return Crop(float(low[0]), float(low[1]), scale, int(width), int(height))


def window_of(crop: Crop, shown: Mask, corners: Float64) -> tuple[Crop, tuple[int, int]]:
    """The part of a crop, on the same grid, that holds what is shown (h, w) and points (N, 2) in
    grid pixels as far as they are in the crop, with a margin; and its first row and column.

    Parameters
    ----------
    crop : Crop
        The grid.
    shown : Mask
        (h, w).
    corners : Float64
        (N, 2) grid pixels.

    Returns
    -------
    tuple[Crop, tuple[int, int]]
        Row before column.
    """
    rows, columns = np.nonzero(shown)
    limit = np.array([crop.width - 1.0, crop.height - 1.0])
    points = np.clip(np.vstack([np.stack([columns, rows], axis=1), corners]), 0, limit)
    low = np.maximum(np.floor(points.min(axis=0)) - CROP_MARGIN_PX, 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0)) + CROP_MARGIN_PX, limit).astype(int)
    width, height = high - low + 1
    x0, y0 = np.array([crop.x0, crop.y0]) + low / crop.scale
    window = Crop(float(x0), float(y0), crop.scale, int(width), int(height))
    return window, (int(low[1]), int(low[0]))


def within_photo(maps: BodyMaps, photo: Photo) -> BodyMaps:
    """The maps without what lies beyond the photo's edges: where the picture cuts the person,
    it must cut the body too, else the outlines do not correspond.

    Parameters
    ----------
    maps : BodyMaps
        The body's maps on the grid.
    photo : Photo
        The photo.

    Returns
    -------
    BodyMaps
        NaN beyond the edges.
    """
    crop = maps.crop
    x, y = np.meshgrid(np.arange(crop.width), np.arange(crop.height))
    pixels = frames.photo_from_grid(crop, np.stack([x, y], axis=-1).astype(np.float64))
    limit = np.array([photo.width - 0.5, photo.height - 0.5])
    beyond = ((pixels < -0.5) | (pixels > limit)).any(axis=-1)
    if not beyond.any():
        return maps

    def cut(sheet: SurfaceMaps) -> SurfaceMaps:
        return replace(
            sheet,
            depth=np.where(beyond, np.nan, sheet.depth).astype(np.float32),
            normal=np.where(beyond[..., None], np.nan, sheet.normal).astype(np.float32),
            weights=np.where(beyond[..., None], 0, sheet.weights).astype(np.float32),
            label=np.where(beyond, 0, sheet.label).astype(np.uint8),
            vertex=np.where(beyond, -1, sheet.vertex).astype(np.int32),
        )

    return BodyMaps(crop, cut(maps.front), cut(maps.back))


def on_grid(outline: contour.Outline, crop: Crop) -> contour.Outline:
    """An outline of the photo in the crop's pixels.

    Parameters
    ----------
    outline : contour.Outline
        Photo pixels.
    crop : Crop
        The grid.

    Returns
    -------
    contour.Outline
        Grid pixels.
    """
    return contour.to_grid(outline, np.array([crop.x0, crop.y0]), crop.scale)


def colours_on_grid(photo: Photo, crop: Crop) -> UInt8:
    """(h, w, 3): the photo on the crop's grid.

    Parameters
    ----------
    photo : Photo
        The photo.
    crop : Crop
        The grid.

    Returns
    -------
    UInt8
        (h, w, 3).
    """
    return resampled_on_grid(photo.rgb, crop)


def mask_on_photo(mask: Mask, crop: Crop, photo: Photo) -> Mask:
    """A mask of the crop's grid at the photo's resolution, widened by a grid pixel.

    Parameters
    ----------
    mask : Mask
        (h, w).
    crop : Crop
        The grid.
    photo : Photo
        The photo.

    Returns
    -------
    Mask
        (H, W).
    """
    full = resampled_on_photo(mask.astype(np.float32), crop, (photo.height, photo.width))
    # The grid ends half a cell inside of the person's edge: reach over it.
    reach = 2 * int(np.ceil(1.5 / crop.scale)) + 1
    return cv2.dilate((full > 0.5).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0


def matte_on_photo(region: Mask, matte: Float32, crop: Crop) -> Float32:
    """A layer's matte at the photo's resolution: the person's edge where the layer meets the
    background, the region's own where it meets other layers.

    Parameters
    ----------
    region : Mask
        (h, w) the layer's own.
    matte : Float32
        (H, W) 0..1, the person's.
    crop : Crop
        The grid.

    Returns
    -------
    Float32
        (H, W) 0..1.
    """
    reaching = np.where(region, 1.0, 0.0).astype(np.float32)
    # Beyond the person's edge the region goes on, so that the person's own edge decides there.
    solid = resampled_on_grid((matte >= 0.5).astype(np.float32), crop) >= 0.98
    full = resampled_on_photo(fill_nearest(reaching, solid), crop, matte.shape)
    return np.minimum(full, matte)
