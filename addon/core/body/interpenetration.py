"""Forearms that are seen are not inside the trunk: the fit's term for bodies that go through
themselves.

Bogo et al., Keep it SMPL (2016), section 3.2, give body parts for spheres that may not share a
place. Here the trunk keeps its own surface, as the implicit one of its vertices' planes (Kolluri,
Provably Good Moving Least Squares, 2005, equation 1), and a forearm is pushed out of it to the
side where the picture has it: what is seen lies before the trunk. Of an arm that is hidden nothing
is said, for it may as well lie behind.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from ..perception.landmarks import LANDMARK
from ..types import PoseLandmarks
from .maps import vertex_normals
from .model import BodyModel
from .parts import TORSO
from .robust import geman_mcclure
from .skeleton import JOINT

ALONG = (0.0, 1 / 3, 2 / 3, 1.0)  # points of a forearm, from the elbow to the wrist
SEEN = 0.5  # visibility from which on an elbow or a wrist lies before the trunk
INSIDE_SIGMA_M = 0.02  # how deep in the trunk's skin a forearm's middle may be: clothes and flesh
OUTLIER_M = 0.15  # half of a trunk; deeper, the arm may well be on the other side
PLANES_REACH_M = 0.03  # deviation of the planes' weights: the vertices' mean distance
SURELY_INSIDE_M = 0.03  # under the skin; less counts less, so that arms come out without a step


class InterpenetrationTerm:
    """The term for one person's forearms and trunk.

    vertices : (N,) the body's vertices that each evaluation poses
    """

    def __init__(
        self, model: BodyModel, marks: PoseLandmarks, vertices: npt.NDArray[np.integer]
    ) -> None:
        rows = np.flatnonzero(model.part[vertices] == TORSO)
        of_trunk = vertices[rows]
        normals = vertex_normals(model.template.astype(np.float64), model.faces)[of_trunk]
        self._rows = torch.from_numpy(rows)
        self._normals = torch.from_numpy(normals).float()
        self._weights = torch.from_numpy(model.weights[of_trunk]).float()
        points = [
            (JOINT[f"{side}_elbow"], JOINT[f"{side}_wrist"], share)
            for side in ("left", "right")
            for share in ALONG
            if _visibility(marks, side, share) >= SEEN
        ]
        self._elbows = [elbow for elbow, _, _ in points]
        self._wrists = [wrist for _, wrist, _ in points]
        self._along = torch.tensor([share for _, _, share in points])[:, None]

    def __call__(
        self, vertices: torch.Tensor, joints: torch.Tensor, transforms: torch.Tensor
    ) -> torch.Tensor:
        """vertices (N, 3), joints (24, 3), transforms (24, 4, 4): posed, camera frame, metres."""
        if not self._elbows:
            return joints.new_zeros(())
        points = torch.lerp(joints[self._elbows], joints[self._wrists], self._along)
        trunk = vertices[self._rows]
        turns = torch.einsum("nj,jrc->nrc", self._weights, transforms[:, :3, :3])
        normals = (turns @ self._normals[:, :, None])[:, :, 0]
        above = points @ normals.T - (trunk * normals).sum(dim=1)  # each vertex' plane
        nearness = -torch.cdist(points, trunk).square() / (2 * PLANES_REACH_M**2)
        facing = torch.relu(-(normals * trunk).sum(dim=1) / trunk.norm(dim=1))

        height = (torch.softmax(nearness, dim=1) * above).sum(dim=1)
        inside = (-height / SURELY_INSIDE_M).clamp(0, 1)
        seen = torch.softmax(nearness + (facing + 1e-6).log(), dim=1)
        depth = torch.relu(-(seen * above).sum(dim=1))  # under the side that the camera sees
        return (inside * geman_mcclure(depth.square(), OUTLIER_M)).sum() / INSIDE_SIGMA_M**2


def _visibility(marks: PoseLandmarks, side: str, share: float) -> float:
    elbow, wrist = (marks.visibility[LANDMARK[f"{side}_{joint}"]] for joint in ("elbow", "wrist"))
    return float((1 - share) * elbow + share * wrist)
