"""The body fit: an SMPL-format body laid over the person (SMPLify and beyond).

Bogo et al., Keep it SMPL (2016) and its successors minimise joint reprojection, pose and shape
priors. Added here: the directions of BlazePose's metric landmarks, which settle what lies in front
of what, a first pose computed from them instead of a mean pose, and a two-sided silhouette term.
Lengths are metres on a body 1.7 m tall, errors in the image are scaled to that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from .. import frames
from ..perception.landmarks import LANDMARK
from ..types import Camera, FittedBody, Float32, Float64, Mask, Person, Photo, Progress
from .landmark_points import landmark_points
from .model import BodyModel, SkinningTensors, one_thread, skin, tensors
from .posed import posed_body
from .skeleton import JOINT, JOINT_COUNT, SMPL_JOINTS

JOINT_SIGMA_M = 0.025  # spread of landmarks around the body's points
JOINT_OUTLIER_M = 0.12  # Geman-McClure: beyond this a landmark is taken for an error
# A drawn figure has other proportions than a body: its joints are as good as far from the body's.
DRAWN_OUTLIER_M = 0.6
DIRECTION_SIGMA = 0.30  # radians, spread of the metric landmarks' bone directions
INSIDE_SIGMA_M = 0.012  # how far undressed skin may stick out of the silhouette
OUTLINE_SIGMA_M = 0.05  # how far clothes and hair stand off the skin
OUTLINE_OUTLIER_M = 0.10
SILHOUETTE_WEIGHT = 25.0  # both sides together against one landmark
SURFACE_SAMPLES = 1200
OUTLINE_SAMPLES = 260
BETA_SIGMA = 1.0
MASK_GRID_PX = 320  # the distance map's longer side

# Spread (radians) of each joint's rotation about its x, y, z axis in T-pose; small is stiff.
_SPREAD: dict[str, tuple[float, float, float]] = {
    "pelvis": (50, 50, 50),
    "spine1": (0.25, 0.2, 0.2), "spine2": (0.2, 0.2, 0.2), "spine3": (0.2, 0.2, 0.2),
    "neck": (0.3, 0.4, 0.25), "head": (0.3, 0.4, 0.25),
    "collar": (0.12, 0.2, 0.25), "shoulder": (0.8, 1.2, 1.2), "elbow": (0.5, 1.5, 0.25),
    "wrist": (0.3, 0.4, 0.5), "hand": (0.05, 0.05, 0.05),
    "hip": (1.2, 0.5, 0.6), "knee": (0.9, 0.12, 0.12), "ankle": (0.5, 0.25, 0.2),
    "foot": (0.15, 0.05, 0.05),
}  # fmt: skip
# Hinges bend one way only: sign of the free direction about the axis.
_HINGES = (
    ("left_knee", 0, 1.0), ("right_knee", 0, 1.0), ("left_elbow", 1, -1.0),
    ("right_elbow", 1, 1.0),
)  # fmt: skip
HINGE_SIGMA = 0.06  # radians of bending the wrong way
# Legs that look nearly straight are straight: metric landmarks tend to bend them towards the
# camera. Knees that are clearly bent are left alone.
STRAIGHT_SIGMA, STRAIGHT_OUTLIER = 0.15, 0.5  # radians of knee flexion
# A body that nearly stands upright does not lean towards or away from the camera; depth in one
# picture is the weakest cue. Bodies that clearly lean, sit or lie are left alone.
LEAN_SIGMA, LEAN_OUTLIER = 0.05, 0.35  # tangent of the angle against the picture's vertical

# Bones whose direction in space the metric landmarks tell: landmarks from, to; joints from, to.
_BONES = tuple(
    (f"{side}_{a}", f"{side}_{b}", 1.0)
    for side in ("left", "right")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)
_CROSS_BONES = (("right_shoulder", "left_shoulder", 1.5), ("right_hip", "left_hip", 1.0))


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
    camera = frames.default_camera(photo.width, photo.height, focal_px or photo.focal_px)
    with one_thread():
        problem = _Problem(person, model, camera)
        pose = first_pose(model, person)
        state = problem.start(pose)
        for k, stage in enumerate(_STAGES):
            if progress is not None:
                progress(Progress(k / len(_STAGES), "Fitting the body"))
            state = problem.minimise(state, stage)
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
    Deterministic.
    """
    camera = frames.default_camera(photo.width, photo.height, focal_px or photo.focal_px)
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


def first_pose(model: BodyModel, person: Person) -> Float64:
    """(24, 3) axis-angle from the metric landmarks alone: the trunk's frame, then each limb bone
    turned by the shortest arc from where its parent left it."""
    world = person.detection.landmarks.world.astype(np.float64)

    def mark(name: str) -> Float64:
        return world[LANDMARK[name]]

    across = (mark("left_shoulder") - mark("right_shoulder")) + (
        mark("left_hip") - mark("right_hip")
    )
    up = (mark("left_shoulder") + mark("right_shoulder")) - (mark("left_hip") + mark("right_hip"))
    y = up / np.linalg.norm(up)
    x = across - (across @ y) * y
    x /= np.linalg.norm(x)
    trunk = np.stack([x, y, np.cross(x, y)], axis=1)

    joints = (model.regressor @ model.template).astype(np.float64)
    pose = np.zeros((JOINT_COUNT, 3))
    pose[0] = Rotation.from_matrix(trunk).as_rotvec()
    for side in ("left", "right"):
        for chain in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            above = trunk
            for start, end in zip(chain[:-1], chain[1:], strict=True):
                j = JOINT[f"{side}_{start}"]
                bone = joints[JOINT[f"{side}_{end}"]] - joints[j]
                target = above.T @ (mark(f"{side}_{end}") - mark(f"{side}_{start}"))
                local = _shortest_arc(bone, target)
                pose[j] = Rotation.from_matrix(local).as_rotvec()
                above = above @ local
    return pose


def _shortest_arc(source: Float64, target: Float64) -> Float64:
    a, b = source / np.linalg.norm(source), target / max(float(np.linalg.norm(target)), 1e-9)
    axis = np.cross(a, b)
    sine, cosine = float(np.linalg.norm(axis)), float(a @ b)
    if sine < 1e-8:
        return np.eye(3)
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine)).as_matrix()


class _Problem:
    """The objective for one person: targets as tensors, evaluated on a few hundred vertices."""

    def __init__(self, person: Person, model: BodyModel, camera: Camera) -> None:
        marks = person.detection.landmarks
        points = landmark_points(model)
        self.camera = camera
        self.points = points
        rng = np.random.default_rng(0)
        surface = rng.choice(
            len(model.template), min(SURFACE_SAMPLES, len(model.template)), replace=False
        )
        self.body: SkinningTensors = tensors(model, np.concatenate([points.vertices, surface]))
        self.vertex_marks = len(points.vertices)
        self.shape_count = model.shape_count

        self.targets = _tensor(marks.image[points.landmarks])
        self.outlier_m = DRAWN_OUTLIER_M if person.detection.is_drawn else JOINT_OUTLIER_M
        self.trust = _tensor(points.trust * marks.visibility[points.landmarks])
        self.directions = _directions(marks.world, marks.visibility)
        self.inverse_spread = _tensor(_inverse_spreads())
        self._silhouette(person.mask)

    def _silhouette(self, mask: Mask) -> None:
        height, width = mask.shape
        scale = min(1.0, MASK_GRID_PX / max(height, width))
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
        outside = cv2.distanceTransform((~small).astype(np.uint8), cv2.DIST_L2, 5) / scale
        self.outside = _tensor(outside)[None, None]
        self.size = (width, height)
        outlines, _ = cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        outline = max(outlines, key=len)[:, 0].astype(np.float32)
        # Where the photo cuts the person there is no outline of the body.
        free = (
            (outline > 2) & (outline < np.array([width, height], np.float32) - 3)
        ).all(axis=1)  # fmt: skip
        outline = outline[free] if free.sum() > 50 else outline
        step = max(1, len(outline) // OUTLINE_SAMPLES)
        self.outline = _tensor(outline[::step])

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
        optimiser = torch.optim.LBFGS(
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
        vertices, joints, _ = skin(
            self.body, state.betas[None], state.pose[None], state.translation[None]
        )
        vertices, joints = vertices[0], joints[0]
        # One metre at the body, in pixels: errors in the image become metres.
        metre = self.camera.focal_px / state.translation[2].detach().clamp_min(0.3)
        points = torch.cat(
            [joints[torch.from_numpy(self.points.joints)], vertices[: self.vertex_marks]]
        )
        error = ((self._project(points) - self.targets) / metre).square().sum(-1)
        loss = (self.trust * _robust(error, self.outlier_m) / JOINT_SIGMA_M**2).sum()
        loss = loss + self._direction_term(joints)
        loss = loss + stage.pose * (state.pose * self.inverse_spread).square().sum()
        for name, axis, sign in _HINGES:
            wrong = torch.relu(-sign * state.pose[JOINT[name], axis])
            loss = loss + (wrong / HINGE_SIGMA).square()
        knees = state.pose[[JOINT["left_knee"], JOINT["right_knee"]], 0]
        straight = _robust(knees.square(), STRAIGHT_OUTLIER) / STRAIGHT_SIGMA**2
        loss = loss + straight.sum() + _lean_term(joints)
        loss = loss + stage.shape * (state.betas / BETA_SIGMA).square().sum()
        if stage.silhouette > 0:
            surface = self._project(vertices[self.vertex_marks :])
            loss = loss + stage.silhouette * self._silhouette_term(surface, metre)
        return loss

    def _project(self, points: torch.Tensor) -> torch.Tensor:
        centre = torch.tensor([self.camera.cx, self.camera.cy])
        return points[:, :2] / points[:, 2:].clamp_min(0.1) * self.camera.focal_px + centre

    def _direction_term(self, joints: torch.Tensor) -> torch.Tensor:
        start, end, target, weight = self.directions
        bone = joints[end] - joints[start]
        bone = bone / bone.norm(dim=1, keepdim=True).clamp_min(1e-6)
        # 2 (1 - cos) is the squared angle to second order.
        return (weight * 2 * (1 - (bone * target).sum(-1)) / DIRECTION_SIGMA**2).sum()

    def _silhouette_term(self, surface: torch.Tensor, metre: torch.Tensor) -> torch.Tensor:
        width, height = self.size
        scaled = torch.stack(
            [surface[:, 0] / (width - 1) * 2 - 1, surface[:, 1] / (height - 1) * 2 - 1], dim=-1
        )
        # Beyond the photo nothing is known: what lies there is not outside of the person.
        within = (scaled.abs() <= 1).all(dim=-1)
        distance = torch.nn.functional.grid_sample(
            self.outside, scaled[None, None], align_corners=True, padding_mode="border"
        )[0, 0, 0]
        out = _robust((distance / metre).square(), OUTLINE_OUTLIER_M) / INSIDE_SIGMA_M**2
        inside_term = (out * within).mean()
        gap = torch.cdist(self.outline, surface).min(dim=1).values / metre
        outline_term = (_robust(gap.square(), OUTLINE_OUTLIER_M) / OUTLINE_SIGMA_M**2).mean()
        return SILHOUETTE_WEIGHT * (inside_term + outline_term)


def _lean_term(joints: torch.Tensor) -> torch.Tensor:
    """How far trunk and legs lean along the camera's axis, for bodies that are nearly upright."""
    ankles = (joints[JOINT["left_ankle"]] + joints[JOINT["right_ankle"]]) / 2
    pelvis, neck = joints[JOINT["pelvis"]], joints[JOINT["neck"]]
    total = joints.new_zeros(())
    for low, high in ((ankles, neck), (ankles, pelvis)):
        bone = low - high
        tangent = bone[2] / bone[1].clamp_min(0.2)
        total = total + _robust(tangent.square(), LEAN_OUTLIER) / LEAN_SIGMA**2
    return total


def _robust(square: torch.Tensor, outlier: float) -> torch.Tensor:
    """Geman and McClure's function of a squared error."""
    return square * outlier**2 / (square + outlier**2)


def _tensor(array: Float32 | Float64) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _directions(
    world: Float32, visibility: Float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Joints from and to (K,), unit directions (K, 3) in camera axes, weights (K,)."""
    starts, ends, targets, weights = [], [], [], []
    for a, b, weight in (*_BONES, *_CROSS_BONES):
        bone = world[LANDMARK[b]] - world[LANDMARK[a]]
        starts.append(JOINT[a])
        ends.append(JOINT[b])
        targets.append(bone / max(float(np.linalg.norm(bone)), 1e-6))
        weights.append(weight * min(visibility[LANDMARK[a]], visibility[LANDMARK[b]]))
    return (
        torch.tensor(starts), torch.tensor(ends), _tensor(np.array(targets)),
        _tensor(np.array(weights)),
    )  # fmt: skip


def _inverse_spreads() -> Float64:
    """(24, 3) one over each rotation's spread."""
    rows = []
    for name in SMPL_JOINTS:
        plain = name.removeprefix("left_").removeprefix("right_")
        rows.append(_SPREAD[plain])
    return 1.0 / np.array(rows)
