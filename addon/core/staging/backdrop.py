"""What lies behind the person, and how far a camera may move before it shows what is not there.

All is in the photo's camera frame (x right, y down, z away, metres; `frames`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..types import Camera, Float64


@dataclass(frozen=True, eq=False)
class CameraMove:
    """A camera's place and lens, frame by frame."""

    position: Float64  # (F, 3), metres, in the photo's camera frame
    rotation: Float64  # (F, 3, 3), this camera's axes in the photo's camera frame
    focal_px: Float64  # (F,), in pixels of the photo
    principal: Float64  # (F, 2), principal point in pixels of the photo
    note: str = ""  # what was limited and why, a sentence for the user


class Backdrop(Protocol):
    """What a camera sees behind the person: a picture on a plate, or one in layers.

    The limit of a plate is its edge; that of layers is as well what the nearer ones uncover
    (disocclusion) and nothing was painted for. Planners ask for these two and no more.
    """

    @property
    def depth(self) -> float:
        """Metres along z of what keeps its place and size in the view, where a move has the
        choice: the plate, or the layer that fills most of the photo."""

    def margin(self, move: CameraMove, camera: Camera) -> Float64:
        """How far each view goes beyond what is there.

        Parameters
        ----------
        move : CameraMove
            F cameras.
        camera : Camera
            The photo's, whose own view shows nothing that is not there.

        Returns
        -------
        Float64
            (F,), at most 1 where all that the view shows is there, and larger the farther it goes
            beyond: at an edge, by how much the view would have to be enlarged about its principal
            point. Infinite where no enlargement helps.
        """


@dataclass(frozen=True)
class FlatPlate:
    """A backdrop that is the rectangle which fills the photo's view at a depth."""

    depth: float  # metres along the photo camera's z

    def margin(self, move: CameraMove, camera: Camera) -> Float64:
        """As in `Backdrop`: its corners are projected; each of its edges then bounds the view's
        corners v by n . v <= h.

        Parameters
        ----------
        move : CameraMove
            F cameras.
        camera : Camera
            The photo's.

        Returns
        -------
        Float64
            (F,), how much each view would have to be enlarged so that the plate fills it.
        """
        left, right = -0.5 - camera.cx, camera.width - 0.5 - camera.cx
        top, bottom = -0.5 - camera.cy, camera.height - 0.5 - camera.cy
        photo = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        plate = np.concatenate([photo / camera.focal_px, np.ones((4, 1))], axis=1) * self.depth
        seen = np.einsum("fji,fcj->fci", move.rotation, plate[None] - move.position[:, None])
        depth = seen[..., 2:]
        with np.errstate(divide="ignore", invalid="ignore"):
            quad = seen[..., :2] / depth * move.focal_px[:, None, None]
        along = np.roll(quad, -1, axis=1) - quad
        outward = np.stack([along[..., 1], -along[..., 0]], axis=-1)
        reach = np.einsum("fei,fei->fe", outward, quad)
        view = photo[None] + np.array([camera.cx, camera.cy]) - move.principal[:, None]
        wanted = np.einsum("fei,fci->fec", outward, view).max(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = (wanted / reach).max(axis=1)
        possible = (depth[..., 0] > 0).all(axis=1) & (reach > 0).all(axis=1)
        return np.where(possible, factor, np.inf)
