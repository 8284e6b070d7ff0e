"""A body of given shape, pose and place, as everything after the fit wants it."""

from __future__ import annotations

import cv2
import numpy as np

from ...types import Camera, Crop, FittedBody, Float32, Float64, Mask
from ..rasterisation import render_maps
from .body_model import BodyModel
from .skinning import skin, skinned_points

IOU_GRID_PX = 512  # longer side of the grid on which silhouettes are compared


def posed_body(
    model: BodyModel,
    camera: Camera,
    betas: Float32 | Float64,
    pose: Float32 | Float64,
    translation: Float32 | Float64,
    height_m: float,
) -> FittedBody:
    """Pose a body and scale it about the camera so that in T-pose it is `height_m` tall.

    Arguments as those of `scaled_body`.

    Parameters
    ----------
    model : BodyModel
        The body model.
    camera : Camera
        The photo's.
    betas : Float32 | Float64
        (B,) shape.
    pose : Float32 | Float64
        (24, 3) axis-angle, radians.
    translation : Float32 | Float64
        (3,) in the model's own units, before scaling.
    height_m : float
        In T-pose, metres.

    Returns
    -------
    FittedBody
        Camera frame, metres.
    """
    scale = height_m / rest_height(model, betas)
    return scaled_body(model, camera, betas, pose, translation, scale)


def rest_height(model: BodyModel, betas: Float32 | Float64) -> float:
    """How tall a shape stands in T-pose, in the model's own units.

    Parameters
    ----------
    model : BodyModel
        The body model.
    betas : Float32 | Float64
        (B,) shape.

    Returns
    -------
    float
        The model's units.
    """
    rest = model.template[:, 1] + model.shapes[:, 1, : len(betas)].astype(np.float64) @ betas
    return float(np.ptp(rest))


def scaled_body(
    model: BodyModel,
    camera: Camera,
    betas: Float32 | Float64,
    pose: Float32 | Float64,
    translation: Float32 | Float64,
    scale: float,
) -> FittedBody:
    """Pose a body and scale it about the camera.

    Parameters
    ----------
    model : BodyModel
        The body model.
    camera : Camera
        The photo's.
    betas : Float32 | Float64
        (B,) shape.
    pose : Float32 | Float64
        (24, 3) axis-angle, radians, [0] from body to camera frame.
    translation : Float32 | Float64
        (3,) in the model's own units, before scaling.
    scale : float
        Metres per unit of the model.

    Returns
    -------
    FittedBody
        Camera frame, metres.
    """
    body = skin(
        skinned_points(model),
        *(np.asarray(values, np.float64) for values in (betas, pose, translation)),
    )
    scaled = body.transforms
    scaled[:, :3, 3] *= scale
    single = np.float32
    return FittedBody(
        betas=np.asarray(betas, single),
        pose=np.asarray(pose, single),
        translation=(np.asarray(translation, np.float64) * scale).astype(single),
        scale=scale,
        camera=camera,
        vertices=(body.vertices * scale).astype(single),
        joints=(body.joints * scale).astype(single),
        rest_joints=(body.rest_joints * scale).astype(single),
        transforms=scaled.astype(single),
    )


def body_mask(model: BodyModel, fitted: FittedBody, longer_side_px: int = IOU_GRID_PX) -> Mask:
    """The undressed body's silhouette on the photo's grid, made smaller to a longer side.

    Parameters
    ----------
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.
    longer_side_px : int
        Of the grid.

    Returns
    -------
    Mask
        (h, w).
    """
    camera = fitted.camera
    scale = min(1.0, longer_side_px / max(camera.width, camera.height))
    crop = Crop(0.0, 0.0, scale, round(camera.width * scale), round(camera.height * scale))
    return render_maps(model, fitted, crop).mask


def silhouette_iou(model: BodyModel, fitted: FittedBody, mask: Mask) -> float:
    """Overlap of the undressed body's silhouette with the mask (H, W), 0..1.

    Parameters
    ----------
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body.
    mask : Mask
        (H, W) the person.

    Returns
    -------
    float
        0..1.
    """
    body = body_mask(model, fitted)
    person = cv2.resize(
        mask.astype(np.float32), (body.shape[1], body.shape[0]), interpolation=cv2.INTER_AREA
    )
    person = person >= 0.5
    return float((body & person).sum() / max((body | person).sum(), 1))
