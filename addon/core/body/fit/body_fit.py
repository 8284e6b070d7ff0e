"""The body fit: an SMPL-format body laid over the person (SMPLify and beyond).

Bogo et al., Keep it SMPL (2016) and its successors minimise joint reprojection, pose and shape
priors. Added here: the directions of BlazePose's metric landmarks, which settle what lies in front
of what, a first pose computed from them instead of a mean pose, a two-sided silhouette term,
forearms that stay out of the trunk on the side where they are seen, and the turns of head and
hands by close-ups.
All terms are robust least squares (`least_squares`). Lengths are metres on a body 1.7 m tall,
errors in the image are scaled to that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ... import frames
from ...numerics.least_squares import Residuals, minimise, total_cost
from ...photo.focal_length import camera_of
from ...types import Camera, FittedBody, Float64, Mask, Person, Photo, Progress, SolveInfo
from ..model.body_model import BodyModel
from ..model.posed import posed_body
from ..model.skeleton import JOINT_COUNT
from ..model.skinning import Skinned, skin, skinned_points
from .fit_terms import DirectionTerm, LandmarkTerm, TurnTerm
from .interpenetration import InterpenetrationTerm
from .landmark_points import landmark_points
from .orientation_observations import observed_turns
from .pose_initialisation import first_pose, seen_from_the_side
from .pose_prior import PosePrior
from .silhouette_term import OUTLIER_M, SilhouetteTerm, surface_samples

JOINT_OUTLIER_M = 0.12  # Geman-McClure: beyond this a landmark is taken for an error
# A drawn figure has other proportions than a body: its joints are as good as far from the body's.
DRAWN_OUTLIER_M = 0.6
NEAREST_PELVIS_M = 0.3  # from the camera, where errors in the image are turned into metres
NEAREST_START_M = 0.5  # from the camera: no one is photographed whole from nearer


@dataclass(frozen=True)
class _Stage:
    """One stage of the optimisation."""

    iterations: int
    tolerance_m: float  # a step that moves no joint as far is the last
    pose: float  # weight of the pose prior
    shape: float
    silhouette: float
    # Of the silhouette's outlier scale: what is far off counts first and is left out later
    # (graduated non-convexity; Blake and Zisserman, Visual Reconstruction, 1987).
    reach: float


_STAGES = (
    _Stage(iterations=15, tolerance_m=2e-3, pose=0.5, shape=5.0, silhouette=0.0, reach=1.0),
    _Stage(iterations=15, tolerance_m=2e-3, pose=0.5, shape=1.0, silhouette=0.5, reach=3.0),
    _Stage(iterations=150, tolerance_m=2e-5, pose=0.5, shape=0.6, silhouette=1.0, reach=1.0),
)
_REFINING = _STAGES[-1]


def fit_body(
    photo: Photo,
    person: Person,
    model: BodyModel,
    height_m: float = frames.DEFAULT_HEIGHT_M,
    focal_px: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    seed: int = 0,
) -> FittedBody:
    """Fit pose, shape and place of a body to the person's landmarks and silhouette.

    The result is scaled about the camera so that the body in T-pose is `height_m` tall.
    Deterministic; seed : of which vertices stand for the surface.

    Parameters
    ----------
    photo : Photo
        The photo.
    person : Person
        The person that the body is laid over.
    model : BodyModel
        The body model.
    height_m : float
        In T-pose, metres.
    focal_px : float | None
        The user's focal length, photo pixels; None: EXIF's, else the longer side.
    progress : Callable[[Progress], None] | None
        Receives how far the fit has come; may raise to stop it.
    seed : int
        Of which vertices stand for the surface.

    Returns
    -------
    FittedBody
        In the photo's camera frame, with how the solver ended.
    """
    camera = camera_of(photo, focal_px)
    problem = _Problem(person, model, camera, seed)
    starts = [problem.start(first_pose(model, person))]
    if seen_from_the_side(person.detection.landmarks):
        starts.append(problem.start(first_pose(model, person, mirrored=True)))
    for k, stage in enumerate(_STAGES):
        if progress is not None:
            progress(Progress(k / len(_STAGES), "Fitting the body"))
        found = [problem.minimise(start, stage) for start in starts]
        unknowns, solve = min(found, key=lambda each: problem.cost(each[0], stage))
        starts = [unknowns]
    return problem.finished(unknowns, solve, model, height_m)


def refine_body(
    photo: Photo,
    person: Person,
    model: BodyModel,
    fitted: FittedBody,
    held: Mask,
    height_m: float = frames.DEFAULT_HEIGHT_M,
    focal_px: float | None = None,
    seed: int = 0,
) -> FittedBody:
    """Continue the fit from a pose that was corrected by hand.

    Parameters
    ----------
    photo : Photo
        The photo.
    person : Person
        The person that the body is laid over.
    model : BodyModel
        The body model.
    fitted : FittedBody
        The body as corrected: `betas`, `pose`, `translation` and `scale` are read.
    held : Mask
        (24,) bool, joints whose local rotations are the user's: they stay as they are, to the
        last bit; place, shape and all other rotations follow the photo.
    height_m : float
        In T-pose, metres.
    focal_px : float | None
        The user's focal length, photo pixels; None: EXIF's, else the longer side.
    seed : int
        Of which vertices stand for the surface.

    Returns
    -------
    FittedBody
        In the photo's camera frame, with how the solver ended.

    Raises
    ------
    WakeUpError
        If `focal_px` is no photo's focal length.
    """
    camera = camera_of(photo, focal_px)
    problem = _Problem(person, model, camera, seed)
    place = fitted.translation.astype(np.float64) / fitted.scale
    start = np.concatenate([fitted.betas, fitted.pose.ravel(), place]).astype(np.float64)
    unknowns, solve = problem.minimise(start, _REFINING, ~held)
    return problem.finished(unknowns, solve, model, height_m)


class _Problem:
    """The objective for one person, evaluated on a few hundred vertices.

    The unknowns (U,) are betas, pose and translation, as in `skinning`.
    """

    def __init__(self, person: Person, model: BodyModel, camera: Camera, seed: int) -> None:
        marks = person.detection.landmarks
        points = landmark_points(model)
        chosen = np.concatenate([points.vertices, surface_samples(model, seed)])
        self._camera = camera
        self._points = skinned_points(model, chosen)
        outlier_m = DRAWN_OUTLIER_M if person.detection.is_drawn else JOINT_OUTLIER_M
        self._landmarks = LandmarkTerm(points, marks, camera, outlier_m)
        self._directions = DirectionTerm(marks)
        self._turns = TurnTerm(observed_turns(model, person))
        self._prior = PosePrior(marks)
        self._silhouette = SilhouetteTerm(person.mask, camera, first=len(points.vertices))
        self._interpenetration = InterpenetrationTerm(model, marks, chosen)

    @property
    def _shapes(self) -> int:
        return self._points.shape_count

    def _skinned(self, unknowns: Float64) -> Skinned:
        betas, pose = unknowns[: self._shapes], unknowns[self._shapes : -3]
        return skin(self._points, betas, pose.reshape(JOINT_COUNT, 3), unknowns[-3:])

    def start(self, pose: Float64) -> Float64:
        """The first unknowns: mean shape, and the place that fits the landmarks best (linear)."""
        unknowns = np.concatenate([np.zeros(self._shapes), pose.ravel(), np.zeros(3)])
        unknowns[-3:] = self._landmarks.place(self._skinned(unknowns).joints)
        unknowns[-1] = max(unknowns[-1], NEAREST_START_M)
        return unknowns

    def minimise(
        self, start: Float64, stage: _Stage, free: Mask | None = None
    ) -> tuple[Float64, SolveInfo]:
        """The unknowns from a start under a stage's weights. free (24,) bool: joints that may
        turn."""
        may_change = np.ones(len(start), bool)
        if free is not None:
            may_change[self._shapes : -3] = np.repeat(free, 3)
        # Errors in the image become metres by the body's distance as it is before each step, so
        # that no step makes them smaller by moving the body away.
        return minimise(
            lambda here: self.residuals(here, stage, self._pixels_per_metre(here), True),
            lambda there, here: self.residuals(there, stage, self._pixels_per_metre(here), False),
            self._moved,
            start, may_change, stage.iterations, stage.tolerance_m,
        )  # fmt: skip

    def cost(self, unknowns: Float64, stage: _Stage) -> float:
        scale = self._pixels_per_metre(unknowns)
        return total_cost(self.residuals(unknowns, stage, scale, False))

    def residuals(
        self, unknowns: Float64, stage: _Stage, pixels_per_metre: float, derivatives: bool
    ) -> list[Residuals]:
        """All terms at some unknowns."""
        body = self._skinned(unknowns)
        made = [
            self._landmarks(body, pixels_per_metre, derivatives),
            self._directions(body, derivatives),
            self._turns(body, derivatives),
            *self._prior(body, stage.pose, derivatives),
            self._interpenetration(body, derivatives),
            self._shape(unknowns, stage.shape, derivatives),
        ]
        if stage.silhouette > 0:
            for each in self._silhouette(body, pixels_per_metre, derivatives):
                weights = each.weights * stage.silhouette
                made.append(replace(each, weights=weights, outlier=OUTLIER_M * stage.reach))
        return made

    def _shape(self, unknowns: Float64, weight: float, derivatives: bool) -> Residuals:
        """Betas have a spread of 1."""
        count = self._shapes
        by = np.eye(count, len(unknowns))[:, None] if derivatives else None
        return Residuals(unknowns[:count, None], np.full(count, weight), by)

    def _pixels_per_metre(self, unknowns: Float64) -> float:
        depth = float(self._skinned(unknowns).joints[0, 2])
        return self._camera.focal_px / max(depth, NEAREST_PELVIS_M)

    def _moved(self, here: Float64, step: Float64) -> float:
        """Metres that a step moves the joint that moves farthest."""
        moved = self._skinned(here).joints - self._skinned(here + step).joints
        return float(np.linalg.norm(moved, axis=1).max())

    def finished(
        self, unknowns: Float64, solve: SolveInfo, model: BodyModel, height_m: float
    ) -> FittedBody:
        betas, pose = unknowns[: self._shapes], unknowns[self._shapes : -3].reshape(JOINT_COUNT, 3)
        body = posed_body(model, self._camera, betas, pose, unknowns[-3:], height_m)
        return replace(body, solve=solve)
