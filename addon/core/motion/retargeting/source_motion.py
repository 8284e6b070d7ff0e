"""A foreign skeleton and its motion, as a file or an armature has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ...types import Float64


@dataclass(frozen=True, eq=False)
class SourceMotion:
    """A skeleton that moves, in its own axes and units."""

    names: tuple[str, ...]
    parents: tuple[int, ...]  # -1 for the root; parents come before their children
    offsets: Float64  # (J, 3), place of the joint in its parent's axes at rest
    ends: dict[int, Float64]  # joint without children: (3,) offset of the bone's far end
    fps: float
    rotations: Float64  # (F, J, 4), unit quaternions w x y z, local to the parent
    positions: Float64  # (F, J, 3), place of the joint in its parent's axes
    file: str = ""  # name of the file that the motion was read from, if any
    lines: tuple[int, ...] = ()  # where in the file, from 1, each joint is made, if it has lines
    notes: tuple[str, ...] = ()  # sentences for the user about what was assumed

    def where(self, joint: int) -> str:
        """File and line of a joint, for a sentence about what is wrong with it.

        Parameters
        ----------
        joint : int
            Its index.

        Returns
        -------
        str
            A part of a sentence.
        """
        if not self.file:
            return "The motion"
        return f"{self.file}, line {self.lines[joint]}" if self.lines else self.file

    @property
    def frame_count(self) -> int:
        return len(self.rotations)

    def rest_positions(self) -> Float64:
        """(J, 3) joints with all rotations zero, the root at the origin.

        Returns
        -------
        Float64
            (J, 3), the source's unit.
        """
        rest = np.zeros_like(self.offsets)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                rest[joint] = rest[parent] + self.offsets[joint]
        return rest

    def world(self) -> tuple[Float64, Float64]:
        """World rotations (F, J, 3, 3) and positions (F, J, 3) of the joints.

        Returns
        -------
        tuple[Float64, Float64]
            (F, J, 3, 3) and (F, J, 3), the source's axes and unit.
        """
        frames, joints = self.rotations.shape[:2]
        local = Rotation.from_quat(self.rotations.reshape(-1, 4), scalar_first=True).as_matrix()
        local = local.reshape(frames, joints, 3, 3)
        turned = np.empty_like(local)
        placed = np.empty((frames, joints, 3))
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                turned[:, joint] = local[:, joint]
                placed[:, joint] = self.positions[:, joint]
            else:
                turned[:, joint] = turned[:, parent] @ local[:, joint]
                step = np.einsum("fab,fb->fa", turned[:, parent], self.positions[:, joint])
                placed[:, joint] = placed[:, parent] + step
        return turned, placed
