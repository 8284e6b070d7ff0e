"""Joints that a person may move by hand: seventeen landmarks, which the others follow."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import PersonError, quoted
from ...types import Detection, Float32, PoseLandmarks, UInt8
from ...user_paths import check_readable
from ..detection.upright import view_of
from .joint_networks import COCO_17, JointNetwork
from .pose_landmarks import LANDMARK, NAMES

# Photo pixels by landmark name.
Joints = Mapping[str, tuple[float, float]]

EDITABLE = (
    "nose",
    *(
        f"{side}_{joint}"
        for joint in (
            "shoulder", "elbow", "wrist", "index", "hip", "knee", "ankle", "foot_index",
        )
        for side in ("left", "right")
    ),
)  # fmt: skip

# Landmarks that keep their place beside an editable one.
_FOLLOWERS: dict[str, tuple[str, ...]] = {
    "nose": NAMES[1:11],
    **{
        f"{side}_{leader}": tuple(f"{side}_{name}" for name in names)
        for side in ("left", "right")
        for leader, names in (("index", ("pinky", "thumb")), ("ankle", ("heel",)))
    },
}
# Bones from the trunk outwards: their lengths tell how far they point at or away from the viewer.
_BONES = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("hip", "knee"),
        ("knee", "ankle"), ("ankle", "foot_index"),
    )
)  # fmt: skip
_MOST_BYTES = 100_000  # of a file of joints: seventeen take two kilobytes
MOVED_PX = 0.75  # less is rounding on the way through Blender
_FARTHEST_PX = 1e6  # of a joint from the photo's corner; NaN is not nearer either
LEAST_JOINT_SCORE = 0.3  # of a network of the user's; top-down networks call 0.3 visible
NOSE_TO_TOES_M = 1.55  # of a person 1.7 m tall
# Of the distance from nose to toes, for landmarks that an outline does not tell.
_EYE_SHARE, _EAR_SHARE, _MOUTH_SHARE, _HEEL_SHARE = 0.02, 0.045, 0.02, 0.03


def joints_of(marks: PoseLandmarks) -> dict[str, tuple[float, float]]:
    """The editable joints' photo pixels.

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.

    Returns
    -------
    dict[str, tuple[float, float]]
        Names and photo pixels.
    """
    return {
        name: (float(marks.image[LANDMARK[name], 0]), float(marks.image[LANDMARK[name], 1]))
        for name in EDITABLE
    }


def moved(marks: PoseLandmarks, joints: Joints) -> PoseLandmarks:
    """The landmarks with some joints at other photo pixels; the same object where none moved.

    A joint that was moved is certain (visibility 1). In metres, bones keep their length: one that
    was drawn shorter points more towards or away from the viewer, to the side it did before.

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.
    joints : Joints
        Names and photo pixels.

    Returns
    -------
    PoseLandmarks
        Other landmarks moved along.
    """
    changed = {
        name
        for name, place in joints.items()
        if math.dist(place, marks.image[LANDMARK[name]].tolist()) > MOVED_PX
    }
    if not changed:
        return marks
    image, world = marks.image.astype(np.float64), marks.world.astype(np.float64)
    depth, visibility = marks.depth.copy(), marks.visibility.copy()
    before = world.copy()
    metres = _metres_per_pixel(marks)
    for name in sorted(changed):
        step = np.asarray(joints[name], np.float64) - image[LANDMARK[name]]
        visibility[LANDMARK[name]] = 1.0
        for follower in (name, *_FOLLOWERS.get(name, ())):
            image[LANDMARK[follower]] += step
            world[LANDMARK[follower], :2] += step * metres
    for start, end in _BONES:
        a, b = LANDMARK[start], LANDMARK[end]
        if np.array_equal(world[[a, b]], before[[a, b]]):
            continue
        old = before[b] - before[a]
        flat = world[b, :2] - world[a, :2]
        away = math.sqrt(max(float(old @ old - flat @ flat), 0.0))
        world[b, 2] = world[a, 2] + math.copysign(away, old[2])
        for follower in _FOLLOWERS.get(end, ()):
            k = LANDMARK[follower]
            world[k, 2] = world[b, 2] + before[k, 2] - before[b, 2]
    return PoseLandmarks(
        image.astype(np.float32), depth, world.astype(np.float32), visibility.astype(np.float32)
    )


def with_joints(person: Detection, joints: Joints) -> Detection:
    """The detection with some joints moved; the same object where none moved.

    Parameters
    ----------
    person : Detection
        The detection.
    joints : Joints
        Names and photo pixels.

    Returns
    -------
    Detection
        With the joints.
    """
    marks = moved(person.landmarks, joints)
    return person if marks is person.landmarks else replace(person, landmarks=marks)


def with_joints_of(network: JointNetwork, rgb: UInt8, person: Detection) -> Detection:
    """The detection with its joints where another network sees them clearly, in the view in which
    the person stands. rgb (H, W, 3).

    Parameters
    ----------
    network : JointNetwork
        The user's.
    rgb : UInt8
        (H, W, 3), sRGB.
    person : Detection
        The detection.

    Returns
    -------
    Detection
        With the joints.
    """
    view = view_of(person, (rgb.shape[1], rgb.shape[0]))
    found, scores = network.joints(view.picture(rgb), view.detection(person).box)
    places = view.points_on_photo(found)
    seen = {
        name: (float(x), float(y))
        for name, (x, y), score in zip(COCO_17, places, scores, strict=True)
        if name in EDITABLE and score >= LEAST_JOINT_SCORE
    }
    return with_joints(person, seen)


def flat_landmarks(joints: Joints) -> PoseLandmarks:
    """Landmarks of a figure of which only its 17 joints in the picture are known, such as a
    drawing: it lies in the picture's plane and faces the viewer.

    Landmarks that are not given are placed beside those that are, with visibility 0.

    Parameters
    ----------
    joints : Joints
        Names and photo pixels.

    Returns
    -------
    PoseLandmarks
        Depth 0 everywhere.
    """
    image = np.zeros((len(NAMES), 2))
    visibility = np.zeros(len(NAMES), np.float32)
    for name in EDITABLE:
        image[LANDMARK[name]] = joints[name]
        visibility[LANDMARK[name]] = 1.0
    toes = max(joints["left_foot_index"][1], joints["right_foot_index"][1])
    size = max(toes - joints["nose"][1], 1.0)
    nose = image[LANDMARK["nose"]]
    for side, sign in (("left", 1.0), ("right", -1.0)):  # who faces us has the left on our right
        for part in ("eye_inner", "eye", "eye_outer"):
            image[LANDMARK[f"{side}_{part}"]] = nose + np.array([sign, -1]) * _EYE_SHARE * size
        image[LANDMARK[f"{side}_ear"]] = nose + np.array([sign, 0]) * _EAR_SHARE * size
        image[LANDMARK[f"mouth_{side}"]] = nose + np.array([sign, 1]) * _MOUTH_SHARE * size
        for finger in ("pinky", "thumb"):
            image[LANDMARK[f"{side}_{finger}"]] = joints[f"{side}_index"]
        ankle = image[LANDMARK[f"{side}_ankle"]]
        image[LANDMARK[f"{side}_heel"]] = ankle + np.array([0.0, _HEEL_SHARE * size])
    hips = image[[LANDMARK["left_hip"], LANDMARK["right_hip"]]].mean(axis=0)
    world = np.zeros((len(NAMES), 3))
    world[:, :2] = (image - hips) * NOSE_TO_TOES_M / size
    return PoseLandmarks(
        image.astype(np.float32), np.zeros(len(NAMES), np.float32), world.astype(np.float32),
        visibility,
    )  # fmt: skip


def read_joints(path: Path | str) -> dict[str, tuple[float, float]]:
    """Joints from a JSON file: {"left_wrist": [x, y], ...} in photo pixels, any of EDITABLE.

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    dict[str, tuple[float, float]]
        Names and photo pixels.

    Raises
    ------
    PersonError
        If the file is not that.
    """
    path = Path(path)
    check_readable(path, PersonError, "choose another file of joints")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PersonError(f"{path.name} is too long for a file of joints: choose another one.")
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PersonError(
            f"The file of joints {path.name} cannot be read: {error.strerror or error}."
        ) from error
    except (ValueError, RecursionError) as error:  # a path with a zero in it is a ValueError
        raise PersonError(f"The file of joints {path.name} is not JSON: {error}.") from error
    if not isinstance(told, dict) or not told:
        raise PersonError(
            f'{path.name} must hold joints by name, as in {{"left_wrist": [310, 240]}}.'
        )
    joints = {}
    for name, place in told.items():
        if name not in EDITABLE:
            raise PersonError(
                f"{path.name} has the joint '{quoted(name)}': the names are {', '.join(EDITABLE)}."
            )
        if not _is_point(place):
            raise PersonError(f"{path.name} must give '{name}' as [x, y] in pixels of the photo.")
        joints[name] = (float(place[0]), float(place[1]))
    return joints


def _is_point(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(
            isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= _FARTHEST_PX
            for v in value
        )
    )


def _metres_per_pixel(marks: PoseLandmarks) -> float:
    """How long a photo pixel is at the person: spread of the metric points over the image's."""

    def spread(points: Float32) -> float:
        return float(np.abs(points - points.mean(axis=0)).mean())

    return spread(marks.world[:, :2]) / max(spread(marks.image), 1e-6)
