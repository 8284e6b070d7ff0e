"""The skinning function in PyTorch, whose own derivatives the project's are held to."""

from __future__ import annotations

import numpy as np
import torch

from photo_wake_up.addon.core.body.model.skeleton import JOINT_COUNT, PARENTS
from photo_wake_up.addon.core.body.model.skinning import SkinnedPoints


def skin(
    points: SkinnedPoints, betas: torch.Tensor, pose: torch.Tensor, translation: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Vertices (N, 3), joints (24, 3) and rest-to-posed rotations (24, 3, 3), double precision."""
    tensor = torch.from_numpy
    shaped = tensor(points.template) + tensor(points.shapes) @ betas
    joints = tensor(points.joint_template) + tensor(points.joint_shapes) @ betas
    local = rotations(pose)
    if points.correctives is not None:
        feature = (local[1:] - torch.eye(3)).reshape(JOINT_COUNT - 1, 9)
        shaped = shaped + torch.einsum("kf,kfnc->nc", feature, tensor(points.correctives))
    turned: list[torch.Tensor] = []
    placed: list[torch.Tensor] = []
    for j, parent in enumerate(PARENTS):
        if parent < 0:
            turned.append(local[j])
            placed.append(joints[j] + translation)
        else:
            turned.append(turned[parent] @ local[j])
            placed.append(placed[parent] + turned[parent] @ (joints[j] - joints[parent]))
    turn, place = torch.stack(turned), torch.stack(placed)
    by_joint = torch.einsum("jrc,njc->njr", turn, shaped[:, None] - joints) + place
    return torch.einsum("nj,njr->nr", tensor(points.weights), by_joint), place, turn


def rotations(axis_angle: torch.Tensor) -> torch.Tensor:
    """(N, 3) radians to (N, 3, 3): the exponential of the cross product's matrix."""
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    return torch.linalg.matrix_exp(cross)


def jacobian(function, unknowns: np.ndarray, shapes: int) -> np.ndarray:
    """(..., U) of a function of betas, pose and translation, by automatic differentiation."""

    def of(flat: torch.Tensor) -> torch.Tensor:
        return function(flat[:shapes], flat[shapes:-3].reshape(JOINT_COUNT, 3), flat[-3:])

    return torch.autograd.functional.jacobian(of, torch.from_numpy(unknowns)).numpy()
