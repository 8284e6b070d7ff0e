"""Whom a character walks towards: the photo's camera, and how near to it one may come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.skeleton import JOINT
from ..types import Camera, Float64, Skeleton

# The crown is so many times as high as the joint of the head, measured on bodies in T-pose, from
# children to tall men: 1.10, and a little for steps.
_CROWN = 1.11


@dataclass(frozen=True, eq=False)
class Viewer:
    """A camera that is level, as the photo's is taken to be."""

    position: Float64  # (3,), metres, in the world where the ground is z = 0
    rise: float = np.inf  # of the picture's upper edge over the camera's level, a metre away

    @staticmethod
    def of(camera: Camera, position: Float64) -> Viewer:
        """The camera of a photo that is taken from `position` (3,)."""
        return Viewer(np.asarray(position, np.float64), (camera.cy + 0.5) / camera.focal_px)

    def nearest(self, skeleton: Skeleton) -> float:
        """Metres: nearer than this, the picture's upper edge cuts off somebody's head who stands
        upright; infinite where it does so from anywhere."""
        above = _CROWN * float(skeleton.joints[JOINT["head"], 2]) - float(self.position[2])
        if above <= 0:
            return 0.0
        return above / self.rise if self.rise > 0 else np.inf
