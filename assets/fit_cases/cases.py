"""Bodies of known pose, shape, place and camera: what the body fit is measured against.

Every case is drawn from a family (standing, sitting, seen from behind ...) with a seed; nothing
here renders. Poses are in body axes (x to the body's left, y up, z ahead), angles in degrees where
they are written down and in radians in what is returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from ...addon.core.body.model.body_model import BodyModel
from ...addon.core.body.model.posed import posed_body, rest_height
from ...addon.core.body.model.skeleton import JOINT, JOINT_COUNT
from ...addon.core.frames import WORLD_FROM_BODY_AXES, default_camera
from ...addon.core.motion.sources.library import load_motion
from ...addon.core.types import Camera, FittedBody, Float64

CLIP_FPS = 24.0
PORTRAIT = (768, 1024)  # pixels
LANDSCAPE = (1024, 768)
FILLED = (0.78, 0.86)  # how much of the picture the person fills
USUAL_FOCAL = (0.95, 1.45)  # longer sides of the picture; phones and normal lenses
LONG_FOCAL = (2.2, 3.2)
WIDE_FOCAL = (0.62, 0.72)
ADULT_M = (1.58, 1.88)
CHILD_M = (1.02, 1.35)
# Camera axes (x right, y down, z away) of a level camera that looks at a body's front.
CAMERA_FROM_BODY_AXES: Float64 = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True, eq=False)
class FitCase:
    """One body before one camera.

    pose (24, 3): axis-angle, [0] turns the body on the ground (body axes, before the camera);
    camera_from_body (4, 4): from the body's axes, metres, to the camera frame
    """

    name: str
    family: str
    betas: Float64
    pose: Float64
    height_m: float
    camera: Camera
    camera_from_body: Float64
    tells_focal: bool  # whether the picture says its focal length, as EXIF does
    dressed: bool

    def truth(self, model: BodyModel) -> FittedBody:
        """The body in the camera frame."""
        turn = Rotation.from_matrix(self.camera_from_body[:3, :3])
        pose = self.pose.copy()
        pose[0] = (turn * Rotation.from_rotvec(pose[0])).as_rotvec()
        root = rest_pelvis(model, self.betas)
        scale = self.height_m / rest_height(model, self.betas)
        # Turning about the pelvis instead of the origin shifts it.
        place = self.camera_from_body[:3, :3] @ (root * scale) + self.camera_from_body[:3, 3]
        return posed_body(model, self.camera, self.betas, pose, place / scale - root, self.height_m)


def rest_pelvis(model: BodyModel, betas: Float64) -> Float64:
    """(3,) the pelvis of a shape in T-pose, in the model's units."""
    rest = model.template + model.shapes[..., : len(betas)].astype(np.float64) @ betas
    return model.regressor[0].astype(np.float64) @ rest


@dataclass
class _Draft:
    """What a family decides; the rest follows from it."""

    pose: Float64
    child: bool = False
    build: float = 0.0  # below zero slim, above heavy, about -1.5 to 1.5
    yaw: float = 0.0  # degrees to the body's own left
    rise: float = 0.0  # degrees that the camera looks down
    focal: tuple[float, float] = USUAL_FOCAL
    tells_focal: bool = False


def _blank() -> Float64:
    return np.zeros((JOINT_COUNT, 3))


def _turn(pose: Float64, joint: str, *steps: tuple[str, float]) -> None:
    """Set a joint's rotation: intrinsic turns about its own axes, degrees."""
    turn = Rotation.identity()
    for axis, angle in steps:
        turn = turn * Rotation.from_euler(axis, angle, degrees=True)
    pose[JOINT[joint]] = turn.as_rotvec()


def _arm(
    pose: Float64, side: str, down: float, ahead: float = 0.0, twist: float = 0.0,
    elbow: float = 15.0,
) -> None:  # fmt: skip
    """down: degrees below the horizontal; ahead: swung forward; twist: about the upper arm, so
    that a bent forearm points inwards; elbow: flexion."""
    sign = 1.0 if side == "left" else -1.0
    collar = 0.12 * down
    _turn(pose, f"{side}_collar", ("z", -sign * collar))
    swing = ("x", -ahead)  # about the body's own left-right axis, after the arm is down
    _turn(pose, f"{side}_shoulder", swing, ("z", -sign * (down - collar)), ("x", twist))
    _turn(pose, f"{side}_elbow", ("y", -sign * elbow))


def _leg(
    pose: Float64, side: str, flexion: float = 0.0, apart: float = 4.0, knee: float = 4.0,
    toes: float = 8.0,
) -> None:  # fmt: skip
    """Degrees; the ankle makes up for hip and knee, so that the sole stays level."""
    sign = 1.0 if side == "left" else -1.0
    _turn(pose, f"{side}_hip", ("x", -flexion), ("z", sign * apart), ("y", sign * toes))
    _turn(pose, f"{side}_knee", ("x", knee))
    _turn(pose, f"{side}_ankle", ("x", flexion - knee), ("z", -sign * apart))


def _trunk(pose: Float64, rng: np.random.Generator, bend: float = 0.0, head: float = 10.0) -> None:
    """A trunk that bends forward, and a head that looks about. Degrees."""
    for joint in ("spine1", "spine2", "spine3"):
        _turn(
            pose, joint, ("x", bend / 3 + rng.normal(0, 1)), ("y", rng.normal(0, 2)),
            ("z", rng.normal(0, 1.5)),
        )  # fmt: skip
    look = rng.uniform(-head, head)
    _turn(pose, "neck", ("y", look * 0.4), ("x", rng.normal(2, 3)))
    _turn(pose, "head", ("y", look * 0.6), ("z", rng.normal(0, 3)))


def _standing(rng: np.random.Generator) -> Float64:
    pose = _blank()
    _trunk(pose, rng)
    for side in ("left", "right"):
        _arm(
            pose, side, rng.uniform(62, 76), rng.uniform(-8, 12), rng.uniform(0, 25),
            rng.uniform(8, 32),
        )  # fmt: skip
        _leg(pose, side, rng.uniform(-2, 4), rng.uniform(2, 7), rng.uniform(0, 7))
    return pose


def _from_clip(name: str, rng: np.random.Generator) -> Float64:
    """A moment of one of the project's own clips."""
    clip = load_motion(name, CLIP_FPS)
    moment = clip.rotations[rng.integers(len(clip.rotations))]
    axes = WORLD_FROM_BODY_AXES
    local = Rotation.from_quat(moment, scalar_first=True).as_matrix()
    pose = Rotation.from_matrix(axes.T @ local @ axes).as_rotvec()
    pose[1:] += rng.normal(0, np.radians(3), pose[1:].shape)
    return pose


def _walking(rng: np.random.Generator) -> Float64:
    return _from_clip("walk", rng)


def _running(rng: np.random.Generator) -> Float64:
    return _from_clip("run", rng)


def _arms_up(rng: np.random.Generator) -> Float64:
    pose = _standing(rng)
    for side in ("left", "right"):
        _arm(pose, side, -rng.uniform(25, 70), rng.uniform(-5, 10), 0.0, rng.uniform(5, 70))
    return pose


def _hands_on_hips(rng: np.random.Generator) -> Float64:
    pose = _standing(rng)
    for side in ("left", "right"):
        _arm(pose, side, rng.uniform(46, 54), -12.0, rng.uniform(88, 98), rng.uniform(98, 108))
    return pose


def _arms_over_torso(rng: np.random.Generator) -> Float64:
    pose = _standing(rng)
    kind = rng.integers(2)
    for k, side in enumerate(("left", "right")):
        high = 12.0 if k == kind else 0.0
        _arm(
            pose, side, rng.uniform(68, 74), 14 + high, rng.uniform(58, 70),
            rng.uniform(80, 96) + high,
        )  # fmt: skip
    return pose


def _arms_crossed(rng: np.random.Generator) -> Float64:
    """Forearms across chest and belly, one hand on the other arm."""
    pose = _standing(rng)
    sides = ["left", "right"]
    rng.shuffle(sides)
    for side, high in zip(sides, (16.0, 0.0), strict=True):
        _arm(
            pose, side, rng.uniform(78, 84), 14 + high, rng.uniform(66, 76),
            rng.uniform(98, 106) + high / 4,
        )  # fmt: skip
    return pose


def _hand_to_face(rng: np.random.Generator) -> Float64:
    """One hand at the chin or on the chest, the other arm across the belly or hanging."""
    pose = _standing(rng)
    sides = ["left", "right"]
    rng.shuffle(sides)
    ahead = rng.uniform(24, 62)
    _arm(pose, sides[0], rng.uniform(80, 86), ahead, rng.uniform(44, 60), rng.uniform(124, 132))
    if rng.random() < 0.6:
        _arm(pose, sides[1], rng.uniform(72, 78), 8.0, rng.uniform(58, 68), rng.uniform(88, 100))
    return pose


def _legs_crossed(rng: np.random.Generator) -> Float64:
    """One leg before the other one, both feet on the ground."""
    pose = _standing(rng)
    sides = ["left", "right"]
    rng.shuffle(sides)
    _leg(pose, sides[0], rng.uniform(8, 14), -rng.uniform(10, 14), rng.uniform(6, 14))
    _leg(pose, sides[1], rng.uniform(-6, -2), -rng.uniform(2, 5), rng.uniform(2, 8))
    return pose


def _sitting(rng: np.random.Generator) -> Float64:
    pose = _blank()
    _trunk(pose, rng, bend=rng.uniform(0, 15))
    for side in ("left", "right"):
        _arm(pose, side, rng.uniform(60, 72), rng.uniform(15, 32), rng.uniform(0, 30),
             rng.uniform(30, 60))  # fmt: skip
        flexion = rng.uniform(76, 92)
        _leg(pose, side, flexion, rng.uniform(4, 14), flexion + rng.uniform(-12, 8))
    return pose


def _turned(low: float, high: float) -> Callable[[np.random.Generator], _Draft]:
    """Standing or walking bodies whose yaw is between two angles (degrees), to either side."""

    def draw(rng: np.random.Generator) -> _Draft:
        pose = _standing(rng) if rng.random() < 0.5 else _walking(rng)
        return _Draft(pose, yaw=rng.uniform(low, high) * rng.choice([-1, 1]))

    return draw


def _plain(
    pose: Callable[[np.random.Generator], Float64], yaw: float = 12.0, **settings: object
) -> Callable[[np.random.Generator], _Draft]:
    def draw(rng: np.random.Generator) -> _Draft:
        return replace(_Draft(pose(rng), yaw=rng.uniform(-yaw, yaw)), **settings)

    return draw


def _seen_at(low: float, high: float) -> Callable[[np.random.Generator], _Draft]:
    def draw(rng: np.random.Generator) -> _Draft:
        return _Draft(_standing(rng), yaw=rng.uniform(-25, 25), rise=rng.uniform(low, high))

    return draw


def _child(rng: np.random.Generator) -> _Draft:
    pose = (_standing, _walking, _arms_up)[rng.integers(3)](rng)
    return _Draft(pose, child=True, yaw=rng.uniform(-30, 30))


# Family to how many cases and how one is drawn. Every second case of a family is dressed.
FAMILIES: dict[str, tuple[int, Callable[[np.random.Generator], _Draft]]] = {
    "standing": (4, _plain(_standing)),
    "slim": (2, _plain(_standing, build=-2.0)),
    "heavy": (2, _plain(_standing, build=2.0)),
    "walking": (4, _plain(_walking, yaw=25.0)),
    "running": (3, _plain(_running, yaw=30.0)),
    "arms up": (3, _plain(_arms_up)),
    "hands on hips": (3, _plain(_hands_on_hips)),
    "arms over torso": (3, _plain(_arms_over_torso)),
    "sitting": (4, _plain(_sitting, yaw=35.0)),
    "turned 45": (4, _turned(38, 52)),
    "turned 90": (4, _turned(80, 100)),
    "from behind": (3, _turned(160, 180)),
    "from above": (2, _seen_at(18, 30)),
    "from below": (2, _seen_at(-22, -12)),
    "child": (4, _child),
    "long lens": (2, _plain(_standing, yaw=30.0, focal=LONG_FOCAL, tells_focal=True)),
    "wide lens": (2, _plain(_standing, yaw=30.0, focal=WIDE_FOCAL, tells_focal=True)),
}
# Limbs over the rest of the body: what self-occlusion is measured against, beside those above. Two
# of three are dressed.
OCCLUSION_FAMILIES: dict[str, tuple[int, Callable[[np.random.Generator], _Draft]]] = {
    "arms crossed": (4, _plain(_arms_crossed, yaw=20.0)),
    "hand to face": (4, _plain(_hand_to_face, yaw=20.0)),
    "legs crossed": (3, _plain(_legs_crossed, yaw=20.0)),
}
# Those whose legs are straight and whose trunk is upright, before a level camera and another one.
STANDING_FAMILIES = (
    "standing", "slim", "heavy", "arms up", "hands on hips", "arms over torso", "long lens",
    "wide lens",
)  # fmt: skip
TILTED_FAMILIES = ("from above", "from below")


def fit_cases(model: BodyModel, seed: int) -> list[FitCase]:
    """All cases of a seed, always the same ones."""
    cases = []
    for number, (family, (count, draw)) in enumerate(FAMILIES.items()):
        for k in range(count):
            rng = np.random.default_rng([seed, number, k])
            name = f"{family.replace(' ', '_')}_{k + 1}"
            cases.append(_completed(name, family, draw(rng), model, rng, dressed=k % 2 == 1))
    return cases


def occlusion_cases(model: BodyModel, seed: int) -> list[FitCase]:
    """All cases of OCCLUSION_FAMILIES, always the same ones."""
    cases = []
    for number, (family, (count, draw)) in enumerate(OCCLUSION_FAMILIES.items()):
        for k in range(count):
            rng = np.random.default_rng([seed, len(FAMILIES), number, k])
            name = f"{family.replace(' ', '_')}_{k + 1}"
            cases.append(_completed(name, family, draw(rng), model, rng, dressed=k % 3 < 2))
    return cases


def _completed(
    name: str, family: str, draft: _Draft, model: BodyModel, rng: np.random.Generator, dressed: bool
) -> FitCase:
    betas = body_shape(model, rng, draft.child, draft.build)
    height_m = float(rng.uniform(*(CHILD_M if draft.child else ADULT_M)))
    pose = draft.pose.copy()
    turn = Rotation.from_euler("y", draft.yaw, degrees=True)
    pose[0] = (turn * Rotation.from_rotvec(pose[0])).as_rotvec()

    focal = rng.uniform(*draft.focal)
    level = default_camera(*PORTRAIT)
    body = posed_body(model, level, betas, pose, np.zeros(3), height_m)
    points = body.vertices.astype(np.float64)
    size = PORTRAIT if np.ptp(points[:, 1]) >= 1.2 * np.ptp(points[:, 0]) else LANDSCAPE
    camera = default_camera(*size, focal * max(size))
    tilt = Rotation.from_euler("x", draft.rise, degrees=True).as_matrix()
    axes = CAMERA_FROM_BODY_AXES @ tilt
    return FitCase(
        name, family, betas, pose, height_m, camera,
        _framed(points @ axes.T, camera, axes, rng), draft.tells_focal, dressed,
    )  # fmt: skip


def _framed(points: Float64, camera: Camera, axes: Float64, rng: np.random.Generator) -> Float64:
    """(4, 4) the place before the camera at which points (N, 3), in camera axes, fill as much of
    the picture as asked."""
    filled = rng.uniform(*FILLED)
    size = np.array([camera.width, camera.height])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    distance = 3.0
    shift = np.zeros(3)
    for _ in range(12):  # perspective makes this a fixed point
        shift = np.array([0, 0, distance]) - middle
        seen = (points + shift)[:, :2] / (points + shift)[:, 2:] * camera.focal_px
        centre = (seen.min(axis=0) + seen.max(axis=0)) / 2
        middle[:2] += centre * distance / camera.focal_px
        distance *= float((np.ptp(seen, axis=0) / size).max()) / filled
    aside = rng.uniform(-0.03, 0.03, 2) * size * distance / camera.focal_px
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = shift + [*aside, 0]
    return matrix


def body_shape(model: BodyModel, rng: np.random.Generator, child: bool, build: float) -> Float64:
    """(B,) shape coefficients: a random body, moved along the directions that make a child (large
    head, short legs) or a slim or heavy one, found by geometry, so that any model serves."""
    betas = rng.normal(0, 0.6, model.shape_count)
    head, girth = _head_share(model), _girth(model)
    if child:
        betas = _moved(betas, head, 2.5)
    if build:
        betas = _moved(betas, girth, build)
    return np.clip(betas, -3.0, 3.0)


def _moved(betas: Float64, gradient: Float64, by: float) -> Float64:
    """Along a measure's gradient: `by` in units of what one deviation of the shape gives it."""
    direction = gradient / np.linalg.norm(gradient)
    return betas - (betas @ direction) * direction + by * direction


def _head_share(model: BodyModel) -> Float64:
    """(B,) how the head's share of the height grows with each coefficient."""
    joints = model.regressor.astype(np.float64)
    offset = np.einsum("jv,vcb->jcb", joints[[JOINT["head"]]], model.shapes)[0, 1]
    top = model.shapes[model.template[:, 1].argmax(), 1]
    low = model.shapes[model.template[:, 1].argmin(), 1]
    rest = model.template[:, 1]
    height = rest.max() - rest.min()
    share = (rest.max() - joints[JOINT["head"]] @ rest) / height
    return np.asarray((top - offset) - share * (top - low), np.float64)


def _girth(model: BodyModel) -> Float64:
    """(B,) how the belly grows with each coefficient."""
    joints = model.regressor.astype(np.float64) @ model.template
    spine = joints[JOINT["spine1"]]
    belly = (np.abs(model.template[:, 1] - spine[1]) < 0.06) & (
        np.abs(model.template[:, 0]) < joints[JOINT["left_shoulder"], 0]
    )
    out = model.template[belly][:, [0, 2]] - spine[[0, 2]]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    return np.einsum("vc,vcb->b", out, model.shapes[belly][:, [0, 2]]) / belly.sum()
