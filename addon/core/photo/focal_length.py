"""How long a focal length can be, from any source: EXIF, the command or the panel."""

from __future__ import annotations

import math

from .. import frames
from ..errors import WakeUpError
from ..types import Camera, Photo

FULL_FRAME_WIDTH_MM = 36.0  # what "35 mm equivalent" focal lengths refer to
# Below are fisheye lenses, which are no pinhole; above, telescopes. A body that is laid through
# such a camera stands inside of it, or kilometres away.
LEAST_FOCAL_MM, GREATEST_FOCAL_MM = 10.0, 3000.0
_ROUNDING = 1e-3  # of itself: as much as pixels and millimetres lose when they are written down


def is_plausible(equivalent_mm: float) -> bool:
    """Whether a lens of a 35 mm equivalent focal length takes photos of people; not NaN.

    Parameters
    ----------
    equivalent_mm : float
        Millimetres, as on 35 mm film.

    Returns
    -------
    bool
        True from LEAST_FOCAL_MM to GREATEST_FOCAL_MM.
    """
    least, greatest = LEAST_FOCAL_MM * (1 - _ROUNDING), GREATEST_FOCAL_MM * (1 + _ROUNDING)
    return least <= equivalent_mm <= greatest


def camera_of(photo: Photo, focal_px: float | None = None) -> Camera:
    """The photo's camera with the focal length that the user gives, else EXIF's, else the longer
    side in pixels.

    Parameters
    ----------
    photo : Photo
        Whose size and EXIF count.
    focal_px : float | None
        The user's focal length in pixels; None or 0: not given.

    Returns
    -------
    Camera
        The principal point is the photo's middle.

    Raises
    ------
    WakeUpError
        If what the user gives is no photo's focal length.
    """
    longer = max(photo.width, photo.height)
    if focal_px and not is_plausible(focal_px / longer * FULL_FRAME_WIDTH_MM):
        low, high = (
            mm * longer / FULL_FRAME_WIDTH_MM for mm in (LEAST_FOCAL_MM, GREATEST_FOCAL_MM)
        )
        raise WakeUpError(
            f"A focal length of {focal_px:g} pixels is none of a photo: tell one from "
            f"{math.ceil(low)} to {math.floor(high)} pixels, or leave it out."
        )
    return frames.default_camera(photo.width, photo.height, focal_px or photo.focal_px)
