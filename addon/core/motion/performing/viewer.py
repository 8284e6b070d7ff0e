"""The viewer that a character walks towards: the photo's camera, how near to it one may come, and
what its picture shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...body.model.skeleton import JOINT
from ...types import Camera, Float64, Skeleton

# The crown is so many times as high as the joint of the head, measured on bodies in T-pose, from
# children to tall men: 1.10, and a little for steps.
_CROWN = 1.11
_AHEAD = (0.0, 1.0)  # photos are taken along y (`frames`)


@dataclass(frozen=True, eq=False)
class Viewer:
    """A camera that is level, as the photo's is taken to be.

    Edges of the picture are given by how far they are from the camera's axis, a metre away;
    infinite where the picture has no such edge.
    """

    position: Float64  # (3,), metres, in the world where the ground is z = 0
    rise: float = np.inf  # of the upper edge over the camera's level
    fall: float = np.inf  # of the lower edge under the camera's level
    left: float = np.inf  # of the left edge from the axis
    right: float = np.inf  # of the right edge from the axis
    ahead: tuple[float, float] = _AHEAD  # unit vector on the ground along which the camera looks

    @staticmethod
    def of(camera: Camera, place: npt.ArrayLike) -> Viewer:
        """The camera of a photo that is taken from `place`: (3,) its position, looking along y, or
        (4, 4) world from camera.

        Parameters
        ----------
        camera : Camera
            The photo's.
        place : npt.ArrayLike
            (3,) metres, world, or (4, 4).

        Returns
        -------
        Viewer
            In the world's metres.
        """
        at = np.array(place, np.float64)
        ahead = _AHEAD
        if at.shape == (4, 4):
            level = at[:2, 2] / max(float(np.linalg.norm(at[:2, 2])), 1e-12)
            ahead = (float(level[0]), float(level[1])) if level.any() else _AHEAD
            at = at[:3, 3]
        return Viewer(
            at,
            rise=(camera.cy + 0.5) / camera.focal_px,
            fall=(camera.height - 0.5 - camera.cy) / camera.focal_px,
            left=(camera.cx + 0.5) / camera.focal_px,
            right=(camera.width - 0.5 - camera.cx) / camera.focal_px,
            ahead=ahead,
        )

    def nearest(self, skeleton: Skeleton) -> float:
        """Metres: nearer than this, the picture's upper edge cuts off a person's head who stands
        upright; infinite where it does so from anywhere.

        Parameters
        ----------
        skeleton : Skeleton
            The character's.

        Returns
        -------
        float
            Metres, on the ground.
        """
        above = _CROWN * float(skeleton.joints[JOINT["head"], 2]) - float(self.position[2])
        if above <= 0:
            return 0.0
        return above / self.rise if self.rise > 0 else np.inf
