"""One picture that shows what was made of a photo: what was found, the character from three
sides, and four moments of its motion."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from .. import frames
from ..body.model.body_model import BodyModel
from ..body.model.skeleton import JOINT, PARENTS
from ..body.rasterisation import render_maps
from ..imaging.resampling import resampled_on_photo
from ..types import BodyMaps, Crop, FittedBody, Float32, Mask, Photo, UInt8

COLUMNS = 4  # panels in a row: what was found, the character, its motion
PANEL_WIDTH = 480  # pixels; four of them make a sheet of nearly 2000
_GAP = 8  # pixels between panels
_LABEL_HEIGHT = 28  # pixels under each panel
_PAPER = (245, 245, 245)
_INK = (30, 30, 30)
_VEIL = 0.35  # brightness that remains outside of the mask
_BODY = np.array([120.0, 190.0, 255.0])  # colour of the fitted body
_LEFT, _MIDDLE, _RIGHT = (255, 140, 0), (255, 255, 255), (0, 160, 255)
# A panel of the upper row must not grow endlessly for panoramas and scans.
_LARGEST_ASPECT, _SMALLEST_ASPECT = 2.0, 0.6


def panel_size(photo: Photo) -> tuple[int, int]:
    """Width and height of a panel that has the photo's aspect, within limits.

    Parameters
    ----------
    photo : Photo
        Whose aspect it is.

    Returns
    -------
    tuple[int, int]
        Pixels.
    """
    aspect = float(np.clip(photo.height / photo.width, _SMALLEST_ASPECT, _LARGEST_ASPECT))
    return PANEL_WIDTH, round(PANEL_WIDTH * aspect)


def masks_and_joints(photo: Photo, people: Sequence[tuple[Mask, FittedBody]]) -> UInt8:
    """(H, W, 3): the photo dimmed outside of everyone's mask, the fitted joints over it (left
    orange, right blue).

    Parameters
    ----------
    photo : Photo
        The photo.
    people : Sequence[tuple[Mask, FittedBody]]
        (H, W) mask and body of each person.

    Returns
    -------
    UInt8
        (H, W, 3), sRGB.
    """
    picture = photo.rgb.astype(np.float32)
    picture[~np.any([mask for mask, _ in people], axis=0)] *= _VEIL
    overlay: UInt8 = picture.astype(np.uint8)
    for _, fitted in people:
        _draw_joints(overlay, fitted)
    return overlay


def _draw_joints(overlay: UInt8, fitted: FittedBody) -> None:
    points = frames.project(fitted.camera, fitted.joints.astype(np.float64))
    thickness = max(1, round(max(overlay.shape[:2]) / 350))
    sides = {JOINT[name]: _side(name) for name in JOINT}
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            a, b = (tuple(np.rint(points[index]).astype(int).tolist()) for index in (parent, joint))
            cv2.line(overlay, a, b, sides[joint], thickness, cv2.LINE_AA)
    for joint, point in enumerate(points):
        centre = tuple(np.rint(point).astype(int).tolist())
        cv2.circle(overlay, centre, 2 * thickness, sides[joint], -1, cv2.LINE_AA)


def fit_overlay(photo: Photo, model: BodyModel, bodies: Sequence[FittedBody]) -> UInt8:
    """`body_overlay` of fitted bodies, as fine as a panel shows it.

    Parameters
    ----------
    photo : Photo
        The photo.
    model : BodyModel
        The body model that was fitted.
    bodies : Sequence[FittedBody]
        One for each person.

    Returns
    -------
    UInt8
        (H, W, 3), sRGB, of the photo's size.
    """
    scale = PANEL_WIDTH / photo.width
    whole = Crop(0.0, 0.0, scale, PANEL_WIDTH, round(photo.height * scale))
    return body_overlay(photo, [render_maps(model, fitted, whole) for fitted in bodies])


def body_overlay(photo: Photo, bodies: Sequence[BodyMaps]) -> UInt8:
    """(H, W, 3): the fitted bodies, shaded by their normals, half transparent over the photo.

    Parameters
    ----------
    photo : Photo
        The photo.
    bodies : Sequence[BodyMaps]
        Rendered bodies, nearer ones last.

    Returns
    -------
    UInt8
        (H, W, 3), sRGB.
    """
    picture = photo.rgb.astype(np.float32)
    for maps in bodies:
        picture = _with_body(picture, maps)
    return picture.clip(0, 255).astype(np.uint8)


def _with_body(picture: Float32, maps: BodyMaps) -> Float32:
    normal = np.nan_to_num(maps.front.normal)
    shade = np.clip(0.35 - 0.65 * normal[..., 2], 0.0, 1.0) * maps.mask
    layers = np.stack([shade, maps.mask.astype(np.float32)], axis=-1).astype(np.float32)
    layers = resampled_on_photo(layers, maps.crop, picture.shape)
    shade, cover = layers[..., :1], 0.65 * layers[..., 1:]
    body = shade / np.maximum(layers[..., 1:], 1e-3) * _BODY
    return (picture * (1 - cover) + body * cover).astype(np.float32)


def on_checks(picture: UInt8) -> UInt8:
    """(H, W, 4) over a grey board, as (H, W, 3).

    Parameters
    ----------
    picture : UInt8
        (H, W, 4), sRGB and opacity, not multiplied by it.

    Returns
    -------
    UInt8
        (H, W, 3), sRGB.
    """
    y, x = np.indices(picture.shape[:2])
    board = np.where((x // 16 + y // 16) % 2, 205, 225).astype(np.float32)[..., None]
    opacity = picture[..., 3:].astype(np.float32) / 255
    return (picture[..., :3] * opacity + board * (1 - opacity)).astype(np.uint8)


def compose(panels: Sequence[tuple[str, npt.NDArray[np.uint8]]], size: tuple[int, int]) -> UInt8:
    """(H, W, 3): labelled panels row by row, each fitted into `size` (width, height).

    Parameters
    ----------
    panels : Sequence[tuple[str, npt.NDArray[np.uint8]]]
        Label and picture (H, W, 3) of each.
    size : tuple[int, int]
        Pixels.

    Returns
    -------
    UInt8
        (H, W, 3), sRGB.
    """
    width, height = size
    cell_w, cell_h = width + _GAP, height + _LABEL_HEIGHT + _GAP
    rows = -(-len(panels) // COLUMNS)
    sheet = np.empty((rows * cell_h + _GAP, COLUMNS * cell_w + _GAP, 3), np.uint8)
    sheet[:] = _PAPER
    for index, (label, picture) in enumerate(panels):
        top = _GAP + index // COLUMNS * cell_h
        left = _GAP + index % COLUMNS * cell_w
        fitted = _fit(picture, size)
        y = top + (height - fitted.shape[0]) // 2
        x = left + (width - fitted.shape[1]) // 2
        sheet[y : y + fitted.shape[0], x : x + fitted.shape[1]] = fitted
        cv2.putText(
            sheet, label, (left + 2, top + height + 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, _INK, 1,
            cv2.LINE_AA,
        )  # fmt: skip
    return sheet


def _fit(picture: UInt8, size: tuple[int, int]) -> UInt8:
    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    new = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, new, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _side(joint: str) -> tuple[int, int, int]:
    if joint.startswith("left"):
        return _LEFT
    return _RIGHT if joint.startswith("right") else _MIDDLE
