"""What a perception with known errors would see of a body, without rendering it."""

from __future__ import annotations

import numpy as np

from ...addon.core import frames
from ...addon.core.body.fit.landmark_points import landmark_points
from ...addon.core.body.model.body_model import BodyModel
from ...addon.core.body.model.posed import body_mask
from ...addon.core.perception.landmarks.pose_landmarks import LANDMARK
from ...addon.core.types import Detection, FittedBody, Person, Photo, PoseLandmarks

SEEN = 0.95  # visibility of a landmark that is there
# Landmarks that the body has no point of its own for, and the one that is nearest.
_STAND_INS = {"thumb": "index", "eye_inner": "eye", "eye_outer": "eye"}


def observed(
    model: BodyModel,
    truth: FittedBody,
    rng: np.random.Generator,
    image_noise_px: float = 3.0,
    world_noise_m: float = 0.04,
    drop_out: float = 0.1,
) -> tuple[Photo, Person]:
    """A person as perceived, and the photo it would be in (grey: nothing is drawn).

    Noise is Gaussian, each coordinate for itself; `drop_out` is the share of landmarks that are
    missing (visibility 0, anywhere). The mask is the undressed body's, exact.
    """
    pairs = landmark_points(model)
    camera = truth.camera
    points = np.concatenate([truth.joints[pairs.joints], truth.vertices[pairs.vertices]])
    points = points.astype(np.float64)
    where = dict(zip(pairs.landmarks.tolist(), points, strict=True))
    for name, row in LANDMARK.items():
        for missing, nearest in _STAND_INS.items():
            if name.endswith(missing):
                where.setdefault(row, where[LANDMARK[name.replace(missing, nearest)]])
    nose = where[LANDMARK["nose"]]
    hips = (where[LANDMARK["left_hip"]] + where[LANDMARK["right_hip"]]) / 2
    spots = np.array([where.get(row, nose) for row in range(len(LANDMARK))])

    image = frames.project(camera, spots) + rng.normal(0, image_noise_px, (len(spots), 2))
    world = spots - hips + rng.normal(0, world_noise_m, spots.shape)
    visibility = np.full(len(spots), SEEN)
    lost = rng.random(len(spots)) < drop_out
    visibility[lost] = 0.0
    size = (camera.width, camera.height)
    image[lost] = rng.uniform(0, 1, (int(lost.sum()), 2)) * size
    world[lost] = rng.normal(0, 0.5, (int(lost.sum()), 3))

    mask = body_mask(model, truth, max(size))
    rows, columns = np.nonzero(mask)
    box = np.array([columns.min(), rows.min(), columns.max(), rows.max()], np.float32)
    depth = (spots - hips)[:, 2] / hips[2] * camera.focal_px
    marks = PoseLandmarks(
        image.astype(np.float32), depth.astype(np.float32), world.astype(np.float32),
        visibility.astype(np.float32),
    )  # fmt: skip
    rgb = np.full((camera.height, camera.width, 3), 128, np.uint8)
    photo = Photo(rgb, None, camera.focal_px, "observed")
    return photo, Person(Detection(box, 1.0, marks), mask, mask.astype(np.float32), rgb)
