"""A fitted body that the user poses: handles for the limbs, what was changed, and the fit that
goes on from it.

Only rotations that differ from the fit's become the user's own ("held"); everything else keeps
the fit's own numbers, so that a body that no one has touched is the fit to the last bit.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from .. import frames
from ..perception.landmarks.pose_landmarks import LANDMARK, NAMES
from ..photo.focal_length import camera_of
from ..types import (
    Camera,
    Detection,
    FittedBody,
    Float32,
    Float64,
    Mask,
    Person,
    Photo,
    Pose,
    Skeleton,
)
from .fit.body_fit import refine_body
from .fit.landmark_points import landmark_points
from .model.body_model import BodyModel
from .model.posed import scaled_body
from .model.skeleton import JOINT, JOINT_COUNT, PARENTS
from .world_pose import forward_kinematics, pose_in_camera, skin_matrices

# Rotations come back from Blender's single precision with errors of about 1e-5 radians; a tenth
# of a degree is less than anyone turns a joint on purpose.
TURNED_RAD = 2e-3
MOVED_M = 2e-3  # of the pelvis: less than a pixel of a person who fills a one-megapixel photo
# A straight limb does not show which way it bends, and solvers get stuck in it: it starts this
# much bent.
LEAST_BEND_RAD = np.radians(10.0)
_ASKED_BEND_RAD = np.radians(20.0)  # added to a limb to see to which side its middle goes
# Of a landmark that follows from a held joint, over one that is plainly seen: the fit weighs
# landmarks by visibility. A hand that was dragged half a metre out of the silhouette then stays
# within three millimetres of its place; with 10 it gives way by a centimetre, with 1 by seventeen.
USERS_WEIGHT = 30.0
_POLE_M = 0.4  # from elbow or knee to what it points at: clear of the body, still in view


@dataclass(frozen=True)
class Limb:
    """An arm or a leg as a chain of two bones. Joints are SMPL's indices."""

    handle: str  # what is dragged: the person's own left or right hand or foot
    pole: str  # what elbow or knee points at
    root: int
    middle: int
    end: int
    hinge: tuple[float, float, float]  # unit, body axes: the middle bends about it, positively


def _limb(side: str, arm: bool) -> Limb:
    root, middle, end = ("shoulder", "elbow", "wrist") if arm else ("hip", "knee", "ankle")
    inwards = -1.0 if side == "left" else 1.0  # forearms bend forward, knees back
    return Limb(
        handle=f"{side} {'hand' if arm else 'foot'}",
        pole=f"{side} {middle}",
        root=JOINT[f"{side}_{root}"],
        middle=JOINT[f"{side}_{middle}"],
        end=JOINT[f"{side}_{end}"],
        hinge=(0.0, inwards, 0.0) if arm else (1.0, 0.0, 0.0),
    )


LIMBS: tuple[Limb, ...] = tuple(
    _limb(side, arm) for arm in (True, False) for side in ("left", "right")
)


@dataclass(frozen=True, eq=False)
class LimbHandles:
    """Where a posed limb is to be taken hold of, world axes, metres."""

    limb: Limb
    end: Float64  # (3,), the wrist or ankle as posed
    pole: Float64  # (3,), at rest: moves with the bone above the limb's root
    hinge: Float64  # (3,), unit, the middle joint's axis at rest


def limb_handles(skeleton: Skeleton, pose: Pose) -> tuple[LimbHandles, ...]:
    """Handles and poles of all limbs for a body that stands in `pose`.

    Parameters
    ----------
    skeleton : Skeleton
        The character's.
    pose : Pose
        World.

    Returns
    -------
    tuple[LimbHandles, ...]
        Two arms and two legs.
    """
    posed = forward_kinematics(skeleton, pose.rotations, pose.root)[:, :3, 3]
    skinning = skin_matrices(skeleton, pose)
    made = []
    for limb in LIMBS:
        hinge = frames.WORLD_FROM_BODY_AXES @ np.array(limb.hinge)
        bent = pose.rotations.copy()
        turn = Rotation.from_quat(bent[limb.middle], scalar_first=True)
        turn = turn * Rotation.from_rotvec(hinge * _ASKED_BEND_RAD)
        bent[limb.middle] = turn.as_quat(scalar_first=True)
        joints = forward_kinematics(skeleton, bent, pose.root)[:, :3, 3]
        root, middle, end = (joints[j] for j in (limb.root, limb.middle, limb.end))
        along = (end - root) / np.linalg.norm(end - root)
        aside = (middle - root) - ((middle - root) @ along) * along
        pole = posed[limb.middle] + _POLE_M * aside / max(float(np.linalg.norm(aside)), 1e-9)
        above = np.linalg.inv(skinning[PARENTS[limb.root]])
        made.append(LimbHandles(limb, posed[limb.end], frames.transform(above, pole), hinge))
    return tuple(made)


@dataclass(frozen=True, eq=False)
class PoseCorrection:
    """A fitted body that the user may have posed: all that another fit needs to go on from it.

    Fields as in FittedBody.
    """

    betas: Float32  # (B,)
    pose: Float32  # (24, 3)
    translation: Float32  # (3,), metres
    scale: float
    pelvis: Float32  # (3,), metres, camera frame, posed
    focal_px: float  # of the camera that the body was fitted through
    held: Mask  # (24,), joints whose local rotations are the user's

    @staticmethod
    def of(fitted: FittedBody, held: Mask | None = None) -> PoseCorrection:
        """The fit as it is, with the joints that were held in it.

        Parameters
        ----------
        fitted : FittedBody
            The body.
        held : Mask | None
            (24,) joints whose rotations the user set; None: none.

        Returns
        -------
        PoseCorrection
            Nothing changed yet.
        """
        return PoseCorrection(
            fitted.betas, fitted.pose, fitted.translation, fitted.scale, fitted.joints[0],
            fitted.camera.focal_px, np.zeros(JOINT_COUNT, bool) if held is None else held,
        )  # fmt: skip

    def is_in(self, fitted: FittedBody) -> bool:
        """Whether this very body is the fitted one: there is nothing to go on from.

        Parameters
        ----------
        fitted : FittedBody
            The body.

        Returns
        -------
        bool
            True if they are equal to the last bit.
        """
        return (
            np.array_equal(self.betas, fitted.betas)
            and np.array_equal(self.pose, fitted.pose)
            and np.array_equal(self.translation, fitted.translation)
            and self.focal_px == fitted.camera.focal_px
        )


def posed_by_hand(
    before: PoseCorrection,
    pose: Pose,
    world_from_camera: Float64,
    dragged: Sequence[int] = (),
) -> PoseCorrection:
    """What the user made of a fitted body: joints whose rotations differ are held from now on,
    those that were held before stay so.

    Parameters
    ----------
    before : PoseCorrection
        The correction that the user went on from.
    pose : Pose
        The body as it is now, in the world.
    world_from_camera : Float64
        (4, 4).
    dragged : Sequence[int]
        Joints at the ends of limbs that were dragged: hands and feet keep the turn that the
        drag gave them.

    Returns
    -------
    PoseCorrection
        With all joints that are held.
    """
    found, pelvis = pose_in_camera(pose, world_from_camera)
    old = Rotation.from_rotvec(before.pose.astype(np.float64))
    changed = (old.inv() * Rotation.from_rotvec(found)).magnitude() > TURNED_RAD
    step = pelvis - before.pelvis
    changed[0] |= bool(np.linalg.norm(step) > MOVED_M)
    turned = np.where(changed[:, None], found, before.pose).astype(np.float32)
    held = before.held | changed
    held[list(dragged)] = True
    if not changed[0]:
        return replace(before, pose=turned, held=held)
    moved = (before.translation + step).astype(np.float32)
    return replace(
        before, pose=turned, held=held, translation=moved, pelvis=pelvis.astype(np.float32)
    )


def refine_posed(
    photo: Photo,
    person: Person,
    model: BodyModel,
    correction: PoseCorrection,
    height_m: float = frames.DEFAULT_HEIGHT_M,
    focal_px: float | None = None,
    seed: int = 0,
) -> FittedBody:
    """The fit that goes on from a correction; held rotations stay as they are.

    Landmarks and silhouette may contradict the user and would move the trunk until limb and photo
    met half way, so landmarks at the far ends of held joints are put where the corrected body has
    them, and weigh more than all else: what gives way is the trunk and the limbs no one touched.

    Parameters
    ----------
    photo : Photo
        The photo.
    person : Person
        The person that the body is laid over.
    model : BodyModel
        The body model.
    correction : PoseCorrection
        What the user set.
    height_m : float
        In T-pose, metres.
    focal_px : float | None
        The user's focal length, photo pixels; None: EXIF's, else the longer side.
    seed : int
        As in `body_fit.fit_body`.

    Returns
    -------
    FittedBody
        With the held rotations.
    """
    camera = camera_of(photo, focal_px)
    body = corrected_body(model, correction, camera)
    person = replace(person, detection=_agreeing(person.detection, model, body, correction.held))
    return refine_body(photo, person, model, body, correction.held, height_m, focal_px, seed)


def corrected_body(model: BodyModel, correction: PoseCorrection, camera: Camera) -> FittedBody:
    """The body as the user has posed it, before a camera.

    Parameters
    ----------
    model : BodyModel
        The body model.
    correction : PoseCorrection
        What the user set.
    camera : Camera
        The photo's.

    Returns
    -------
    FittedBody
        Camera frame.
    """
    before = _before_camera(correction, camera)
    place = before.translation.astype(np.float64) / before.scale
    return scaled_body(model, camera, before.betas, before.pose, place, before.scale)


def _before_camera(correction: PoseCorrection, camera: Camera) -> PoseCorrection:
    """The body as far from a camera of another focal length as keeps its size in the photo."""
    if camera.focal_px == correction.focal_px:
        return correction
    away = correction.pelvis[2] * (camera.focal_px / correction.focal_px - 1)
    step = np.array([0.0, 0.0, away], np.float32)
    return replace(
        correction,
        translation=correction.translation + step,
        pelvis=correction.pelvis + step,
        focal_px=camera.focal_px,
    )


# Landmarks from the trunk outwards, as far as the fit reads directions between them.
_CHAINS = tuple(
    tuple(f"{side}_{joint}" for joint in chain)
    for side in ("left", "right")
    for chain in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
)


def _agreeing(person: Detection, model: BodyModel, body: FittedBody, held: Mask) -> Detection:
    """The person with those landmarks on the body whose places follow from held joints."""
    points = landmark_points(model)
    above = np.array([max(parent, 0) for parent in PARENTS])
    placed = held[above]  # the user said where these joints are, seen from the ones above
    placed[0] = held[0]
    leaders = np.array(
        [*points.joints, *(_leader(NAMES[k]) for k in points.landmarks[len(points.joints) :])]
    )
    theirs = placed[leaders]
    theirs[len(points.joints) :] |= held[leaders[len(points.joints) :]]
    if not theirs.any():
        return person
    marks = person.landmarks
    places = np.concatenate([body.joints[points.joints], body.vertices[points.vertices]])
    image, visibility = marks.image.copy(), marks.visibility.copy()
    chosen = points.landmarks[theirs]
    image[chosen] = frames.project(body.camera, places[theirs].astype(np.float64))
    visibility[chosen] = USERS_WEIGHT

    world = marks.world.copy()
    middle = (body.joints[JOINT["left_hip"]] + body.joints[JOINT["right_hip"]]) / 2
    for chain in _CHAINS:
        first = chain[0]
        if placed[JOINT[first]]:
            world[LANDMARK[first]] = body.joints[JOINT[first]] - middle
        for start, end in itertools.pairwise(chain):
            bone = marks.world[LANDMARK[end]] - marks.world[LANDMARK[start]]
            if placed[JOINT[end]]:
                bone = body.joints[JOINT[end]] - body.joints[JOINT[start]]
            world[LANDMARK[end]] = world[LANDMARK[start]] + bone
    return replace(
        person, landmarks=replace(marks, image=image, world=world, visibility=visibility)
    )


def _leader(landmark: str) -> int:
    """The joint that a landmark on the skin moves with."""
    side, _, part = landmark.partition("_")
    if part in ("index", "pinky"):
        return JOINT[f"{side}_wrist"]
    if part in ("heel", "foot_index"):
        return JOINT[f"{side}_ankle"]
    return JOINT["head"]
