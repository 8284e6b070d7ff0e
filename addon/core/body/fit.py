"""The body fit: an SMPL-format body laid over the person (SMPLify and beyond).

Bogo et al., Keep it SMPL (2016) and its successors minimise joint reprojection, pose and shape
priors. Added here: the directions of BlazePose's metric landmarks, which settle what lies in front
of what, a first pose computed from them instead of a mean pose, a two-sided silhouette term,
forearms that stay out of the trunk on the side where they are seen, and the turns of head and
hands by close-ups.
Lengths are metres on a body 1.7 m tall, errors in the image are scaled to that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .. import frames
from ..focal_length import camera_of
from ..perception.landmarks import LANDMARK
from ..types import (
    Camera,
    FittedBody,
    Float32,
    Float64,
    Mask,
    Person,
    Photo,
    PoseLandmarks,
    Progress,
)
from .first_pose import first_pose, seen_from_the_side
from .interpenetration import InterpenetrationTerm
from .landmark_points import landmark_points
from .model import BodyModel
from .pose_prior import PosePrior, uprightness
from .posed import posed_body
from .robust import geman_mcclure
from .silhouette_term import SilhouetteTerm, surface_samples
from .skeleton import JOINT
from .skinning import SkinningTensors, one_thread, skin, tensors
from .turns import observed_turns

JOINT_SIGMA_M = 0.025  # spread of landmarks around the body's points
JOINT_OUTLIER_M = 0.12  # Geman-McClure: beyond this a landmark is taken for an error
# A drawn figure has other proportions than a body: its joints are as good as far from the body's.
DRAWN_OUTLIER_M = 0.6
DIRECTION_SIGMA = 0.30  # radians, spread of the metric landmarks' bone directions
BETA_SIGMA = 1.0

# Bones whose direction in space the metric landmarks tell: landmarks from, to; joints from, to.
_BONES = tuple(
    (f"{side}_{a}", f"{side}_{b}", 1.0)
    for side in ("left", "right")
    for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"),
        # Across a joint: where that one is hidden, the limb's end still has a depth.
        ("shoulder", "wrist"), ("hip", "ankle"),
    )
)  # fmt: skip
# The trunk's lean: told by the prior where bodies stand upright, since metric landmarks err there
# in one direction (`pose_prior`), and by the landmarks where they do not.
_TRUNK = tuple((f"{side}_hip", f"{side}_shoulder", 1.0) for side in ("left", "right"))
_CROSS_BONES = (("right_shoulder", "left_shoulder", 1.5), ("right_hip", "left_hip", 1.0))


class _LBFGS(torch.optim.LBFGS):
    """PyTorch's L-BFGS without the wrappers that keep its compiler away from these methods: they
    import the compiler, which nothing here uses, and that takes longer than the fit."""

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Optimizer.zero_grad)


@dataclass(frozen=True)
class _Stage:
    """One stage of the optimisation."""

    rounds: int
    pose: float  # weight of the pose prior
    shape: float
    silhouette: float


_STAGES = (
    _Stage(rounds=60, pose=0.5, shape=5.0, silhouette=0.0),
    _Stage(rounds=80, pose=0.3, shape=1.0, silhouette=0.5),
    _Stage(rounds=120, pose=0.25, shape=0.6, silhouette=1.0),
)
_REFINING = _Stage(rounds=60, pose=0.25, shape=0.6, silhouette=1.0)


def fit_body(
    photo: Photo,
    person: Person,
    model: BodyModel,
    height_m: float = frames.DEFAULT_HEIGHT_M,
    focal_px: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> FittedBody:
    """Fit pose, shape and place of a body to the person's landmarks and silhouette.

    The result is scaled about the camera so that the body in T-pose is `height_m` tall.
    Deterministic.
    """
    camera = camera_of(photo, focal_px)
    with one_thread():
        problem = _Problem(person, model, camera)
        starts = [problem.start(first_pose(model, person))]
        if seen_from_the_side(person.detection.landmarks):
            starts.append(problem.start(first_pose(model, person, mirrored=True)))
        state = starts[0]
        for k, stage in enumerate(_STAGES):
            if progress is not None:
                progress(Progress(k / len(_STAGES), "Fitting the body"))
            found = [problem.minimise(start, stage) for start in starts]
            state = found[0]
            if len(found) > 1:
                state = min(found, key=lambda each: float(problem.objective(each, stage)))
            starts = [state]
        return problem.finished(state, model, height_m)


def refine_body(
    photo: Photo,
    person: Person,
    model: BodyModel,
    fitted: FittedBody,
    held: Mask,
    height_m: float = frames.DEFAULT_HEIGHT_M,
    focal_px: float | None = None,
) -> FittedBody:
    """Continue the fit from a pose that was corrected by hand.

    fitted : the body as corrected: `betas`, `pose`, `translation` and `scale` are read
    held : (24,) bool, joints whose local rotations are the user's: they stay as they are, to the
        last bit; place, shape and all other rotations follow the photo
    Deterministic. Raises WakeUpError where `focal_px` is no photo's focal length.
    """
    camera = camera_of(photo, focal_px)
    with one_thread():
        problem = _Problem(person, model, camera)
        start = _State(
            _tensor(fitted.betas), _tensor(fitted.pose), _tensor(fitted.translation / fitted.scale)
        )
        state = problem.minimise(start, _REFINING, torch.from_numpy(~held))
        return problem.finished(state, model, height_m)


@dataclass(frozen=True, eq=False)
class _State:
    betas: torch.Tensor  # (B,)
    pose: torch.Tensor  # (24, 3)
    translation: torch.Tensor  # (3,)


class _Problem:
    """The objective for one person: targets as tensors, evaluated on a few hundred vertices."""

    def __init__(self, person: Person, model: BodyModel, camera: Camera) -> None:
        marks = person.detection.landmarks
        points = landmark_points(model)
        self.camera = camera
        self.points = points
        chosen = np.concatenate([points.vertices, surface_samples(model)])
        self.body: SkinningTensors = tensors(model, chosen)
        self.vertex_marks = len(points.vertices)
        self.shape_count = model.shape_count

        self.targets = _tensor(marks.image[points.landmarks])
        self.outlier_m = DRAWN_OUTLIER_M if person.detection.is_drawn else JOINT_OUTLIER_M
        self.trust = _tensor(points.trust * marks.visibility[points.landmarks])
        self.directions = _directions(marks)
        self.prior = PosePrior(marks)
        self.silhouette = SilhouetteTerm(person.mask)
        self.interpenetration = InterpenetrationTerm(model, marks, chosen)
        self.turns = observed_turns(model, person)
        self.turned = torch.tensor([turn.joint for turn in self.turns], dtype=torch.long)
        self.turn_targets = _tensor(np.array([turn.target for turn in self.turns]))

    def start(self, pose: Float64) -> _State:
        """The first state: mean shape, and the place that fits the landmarks best (linear)."""
        betas = torch.zeros(self.shape_count)
        axis_angle = _tensor(pose)
        _, joints, _ = skin(self.body, betas[None], axis_angle[None], torch.zeros(1, 3))
        chosen = joints[0, torch.from_numpy(self.points.joints)].numpy().astype(np.float64)
        target = self.targets[: len(self.points.joints)].numpy().astype(np.float64)
        weight = self.trust[: len(self.points.joints)].numpy().astype(np.float64)
        f, c = self.camera.focal_px, np.array([self.camera.cx, self.camera.cy])
        ray = (target - c) / f
        rows, right = [], []
        for axis in (0, 1):
            row = np.zeros((len(target), 3))
            row[:, axis] = 1.0
            row[:, 2] = -ray[:, axis]
            rows.append(row * weight[:, None])
            right.append((ray[:, axis] * chosen[:, 2] - chosen[:, axis]) * weight)
        place, *_ = np.linalg.lstsq(np.vstack(rows), np.concatenate(right), rcond=None)
        place[2] = max(place[2], 0.5)
        return _State(betas, axis_angle, _tensor(place))

    def minimise(self, state: _State, stage: _Stage, free: torch.Tensor | None = None) -> _State:
        """L-BFGS from a state under a stage's weights. free (24,) bool: joints that may turn."""
        betas = state.betas.clone().requires_grad_()
        pose = state.pose.clone().requires_grad_()
        place = state.translation.clone().requires_grad_()
        optimiser = _LBFGS(
            [betas, pose, place], lr=1.0, max_iter=stage.rounds,
            max_eval=int(stage.rounds * 1.3), history_size=20, line_search_fn="strong_wolfe",
        )  # fmt: skip

        def closure() -> torch.Tensor:
            optimiser.zero_grad()
            loss = self.objective(_State(betas, pose, place), stage)
            loss.backward()
            if free is not None and pose.grad is not None:
                pose.grad[~free] = 0.0  # L-BFGS then never moves them
            return loss

        optimiser.step(closure)
        result = _State(betas.detach(), pose.detach(), place.detach())
        finite = all(torch.isfinite(t).all() for t in (result.betas, result.pose, place.detach()))
        return result if finite else state

    def finished(self, state: _State, model: BodyModel, height_m: float) -> FittedBody:
        return posed_body(
            model, self.camera, state.betas.numpy(), state.pose.numpy(),
            state.translation.numpy(), height_m,
        )  # fmt: skip

    def objective(self, state: _State, stage: _Stage) -> torch.Tensor:
        vertices, joints, transforms = skin(
            self.body, state.betas[None], state.pose[None], state.translation[None]
        )
        vertices, joints = vertices[0], joints[0]
        # One metre at the body, in pixels: errors in the image become metres.
        metre = self.camera.focal_px / joints[0, 2].detach().clamp_min(0.3)
        points = torch.cat(
            [joints[torch.from_numpy(self.points.joints)], vertices[: self.vertex_marks]]
        )
        error = ((self._project(points) - self.targets) / metre).square().sum(-1)
        loss = (self.trust * geman_mcclure(error, self.outlier_m) / JOINT_SIGMA_M**2).sum()
        loss = loss + self._direction_term(joints)
        loss = loss + self._turn_term(transforms[0]) + self.prior(state.pose, joints, stage.pose)
        loss = loss + self.interpenetration(vertices, joints, transforms[0])
        loss = loss + stage.shape * (state.betas / BETA_SIGMA).square().sum()
        if stage.silhouette > 0:
            surface = self._project(vertices[self.vertex_marks :])
            loss = loss + stage.silhouette * self.silhouette(surface, metre)
        return loss

    def _project(self, points: torch.Tensor) -> torch.Tensor:
        centre = torch.tensor([self.camera.cx, self.camera.cy])
        return points[:, :2] / points[:, 2:].clamp_min(0.1) * self.camera.focal_px + centre

    def _turn_term(self, transforms: torch.Tensor) -> torch.Tensor:
        if not self.turns:
            return transforms.new_zeros(())
        product = (transforms[self.turned, :3, :3] * self.turn_targets).sum(dim=(1, 2))
        angle = 3 - product  # 2 (1 - cos): the squared angle to second order
        terms = [
            geman_mcclure(angle[k], turn.outlier) / turn.sigma**2
            for k, turn in enumerate(self.turns)
        ]
        return torch.stack(terms).sum()

    def _direction_term(self, joints: torch.Tensor) -> torch.Tensor:
        start, end, target, weight = self.directions
        bone = joints[end] - joints[start]
        bone = bone / bone.norm(dim=1, keepdim=True).clamp_min(1e-6)
        # 2 (1 - cos) is the squared angle to second order.
        return (weight * 2 * (1 - (bone * target).sum(-1)) / DIRECTION_SIGMA**2).sum()


def _tensor(array: Float32 | Float64) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _directions(
    marks: PoseLandmarks,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Joints from and to (K,), unit directions (K, 3) in camera axes, weights (K,)."""
    starts, ends, targets, weights = [], [], [], []
    leaning = 1 - float(uprightness(marks)[0])
    trunk = tuple((a, b, weight * leaning) for a, b, weight in _TRUNK)
    for a, b, weight in (*_BONES, *_CROSS_BONES, *trunk):
        bone = marks.world[LANDMARK[b]] - marks.world[LANDMARK[a]]
        starts.append(JOINT[a])
        ends.append(JOINT[b])
        targets.append(bone / max(float(np.linalg.norm(bone)), 1e-6))
        seen = min(marks.visibility[LANDMARK[a]], marks.visibility[LANDMARK[b]])
        weights.append(weight * seen)
    return (
        torch.tensor(starts), torch.tensor(ends), _tensor(np.array(targets)),
        _tensor(np.array(weights)),
    )  # fmt: skip
