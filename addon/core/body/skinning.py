"""The skinning function of SMPL-format bodies, in PyTorch.

Loper et al., SMPL: A Skinned Multi-Person Linear Model (2015), equations 2 to 10: shape
directions move the template, a regressor finds the joints, pose-dependent correctives are added,
and linear blend skinning moves the vertices by their joints' transforms.

Apart from `model`, because importing PyTorch takes seconds: what only knows bodies does without.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from .model import BodyModel
from .skeleton import JOINT_COUNT, PARENTS


@dataclass(frozen=True, eq=False)
class SkinningTensors:
    """A body, or some of its vertices, as torch tensors for `skin`."""

    template: torch.Tensor  # (N, 3)
    shapes: torch.Tensor  # (N, 3, B)
    correctives: torch.Tensor | None  # (207, N * 3)
    joint_template: torch.Tensor  # (24, 3), joints of the template
    joint_shapes: torch.Tensor  # (24, 3, B), how betas move the joints
    weights: torch.Tensor  # (N, 24)


def tensors(
    model: BodyModel,
    vertices: npt.NDArray[np.integer] | None = None,
    dtype: torch.dtype = torch.float32,
) -> SkinningTensors:
    """What `skin` needs, for all vertices or a selection. Joints stay exact: the regressor is
    linear, so it is applied to template and shapes once, here."""
    chosen = slice(None) if vertices is None else vertices

    def tensor(array: npt.NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(dtype)

    correctives = None
    if model.correctives is not None:
        per_vertex = model.correctives.reshape(len(model.correctives), -1, 3)[:, chosen]
        correctives = tensor(per_vertex.reshape(len(model.correctives), -1))
    regressor = model.regressor.astype(np.float64)
    return SkinningTensors(
        tensor(model.template[chosen]),
        tensor(model.shapes[chosen]),
        correctives,
        tensor(regressor @ model.template),
        tensor(np.einsum("jv,vcb->jcb", regressor, model.shapes)),
        tensor(model.weights[chosen]),
    )


def rotation_matrices(axis_angle: torch.Tensor) -> torch.Tensor:
    """Rodrigues' formula: (..., 3) to (..., 3, 3), smooth through zero."""
    square = (axis_angle * axis_angle).sum(-1, keepdim=True)
    angle = torch.sqrt(square + 1e-16)
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    first = (torch.sin(angle) / angle).unsqueeze(-1)
    second = ((1 - torch.cos(angle)) / (angle * angle)).unsqueeze(-1)
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return identity + first * cross + second * (cross @ cross)


def joint_transforms(
    joints: torch.Tensor, rotations: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Forward kinematics. joints (B, 24, 3) at rest, rotations (B, 24, 3, 3) local.

    Returns posed joints (B, 24, 3) and rest-to-posed transforms (B, 24, 3, 4).
    """
    world: list[torch.Tensor] = []
    place: list[torch.Tensor] = []
    for j, parent in enumerate(PARENTS):
        if parent < 0:
            world.append(rotations[:, j])
            place.append(joints[:, j])
        else:
            world.append(world[parent] @ rotations[:, j])
            bone = (joints[:, j] - joints[:, parent]).unsqueeze(-1)
            place.append(place[parent] + (world[parent] @ bone).squeeze(-1))
    turned = torch.stack(world, 1)
    posed = torch.stack(place, 1)
    shift = posed - (turned @ joints.unsqueeze(-1)).squeeze(-1)
    return posed, torch.cat([turned, shift.unsqueeze(-1)], dim=-1)


def skin(
    body: SkinningTensors, betas: torch.Tensor, pose: torch.Tensor, translation: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pose a body. betas (B, S), pose (B, 24, 3) axis-angle, translation (B, 3).

    Returns vertices (B, N, 3), joints (B, 24, 3) and rest-to-posed transforms (B, 24, 4, 4),
    translation included in all three.
    """
    shapes = betas.shape[1]
    shaped = body.template + torch.einsum("ncs,bs->bnc", body.shapes[..., :shapes], betas)
    joints = body.joint_template + torch.einsum(
        "jcs,bs->bjc", body.joint_shapes[..., :shapes], betas
    )
    rotations = rotation_matrices(pose)
    if body.correctives is not None:
        identity = torch.eye(3, dtype=pose.dtype)
        feature = (rotations[:, 1:] - identity).reshape(len(pose), -1)
        shaped = shaped + (feature @ body.correctives).reshape(len(pose), -1, 3)
    posed, transforms = joint_transforms(joints, rotations)
    transforms = torch.cat(
        [transforms[..., :3], (transforms[..., 3] + translation[:, None]).unsqueeze(-1)], dim=-1
    )
    blended = torch.einsum("nj,bjrc->bnrc", body.weights, transforms)
    vertices = (blended[..., :3] @ shaped.unsqueeze(-1)).squeeze(-1) + blended[..., 3]
    last = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=pose.dtype)
    last = last.expand(len(pose), JOINT_COUNT, 1, 4)
    return vertices, posed + translation[:, None], torch.cat([transforms, last], dim=2)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread within.

    A body's tensors are small: a second thread gains nothing, and waiting for it costs three
    times the whole wherever another process wants the processor. Torch's own number of threads is
    put back, since Blender and other extensions share it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
