"""Standing: idling, waving and looking around."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...types import Clip, Float64
from . import authoring
from .authoring import (
    LEFT,
    RIGHT,
    STANDING,
    STRAIGHT,
    about,
    bend_elbow,
    hanging_arm,
    whole_frames,
)

FOOT_X = 0.125  # half of the distance between the feet, leg lengths
_STAND_KNEE = 5.0  # no one stands with locked knees


def idle(fps: float) -> Clip:
    """Standing: breathing and a slow shift of the weight.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        A loop.
    """
    frames = whole_frames(5.0, fps)
    turn = 2 * np.pi * np.arange(frames) / frames
    segments, root = relaxed(turn)
    return Clip("idle", fps, authoring.local_rotations(segments, frames), root, True)


def wave(fps: float) -> Clip:
    """Standing, the right arm raised, waving and lowered again.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        A loop.
    """
    seconds, waves = 4.0, 4
    frames = whole_frames(seconds, fps)
    time = np.arange(frames) * seconds / frames
    segments, root = relaxed(2 * np.pi * time / seconds)
    raised = authoring.keyed([0.0, 0.15, 0.75, 3.05, 3.75, seconds], [0, 0, 1, 1, 0, 0])(time)

    def swung(at: Float64) -> Float64:
        beat = 2 * np.pi * waves * (at - 0.6) / 2.4
        return np.where((at > 0.6) & (at < 3.0), np.sin(beat) * np.sin(beat / waves / 2), 0.0)

    swing = swung(time)
    chest = segments["spine3"]
    collar = chest * about("y", 9.0 * raised)
    # From hanging at the side to the height of the shoulder, turned out until the palm shows.
    upper = (
        collar
        * about("x", -4.0 - 14.0 * raised)
        * about("z", 15.0 * (1.0 - raised))
        * about("y", -82.0 + 86.0 * raised + 3.0 * swing)
        * about("x", -80.0 * raised)
    )
    forearm = bend_elbow(RIGHT, upper, 13.0 + 75.0 * raised + 17.0 * swing)
    segments["right_collar"] = collar
    segments["right_shoulder"] = upper
    segments["right_elbow"] = forearm
    segments["right_wrist"] = forearm * about("z", 9.0 * swung(time - 0.05))
    segments["head"] = segments["head"] * about("y", -4.0 * raised)
    return Clip("wave", fps, authoring.local_rotations(segments, frames), root, True)


def look(fps: float) -> Clip:
    """Standing and looking about: to the left, to the right, up, and ahead again.

    Parameters
    ----------
    fps : float
        Frames per second.

    Returns
    -------
    Clip
        A loop.
    """
    seconds = 5.0
    frames = whole_frames(seconds, fps)
    time = np.arange(frames) * seconds / frames
    segments, root = relaxed(2 * np.pi * time / seconds)
    times = [0.0, 0.25, 0.95, 1.5, 2.45, 3.1, 3.85, 4.3, 4.75, seconds]
    aside = authoring.keyed(times, [0, 0, 52, 48, -56, -52, -14, -10, 0, 0])
    nod = authoring.keyed(times, [0, 0, -4, 6, 4, -6, -16, -12, 0, 0])(time)
    # The head goes first; the chest follows later and less.
    follows = 0.28 * aside(np.maximum(time - 0.15, 0.0))
    chest = about("z", follows) * segments["spine3"]
    head = about("z", aside(time)) * about("x", nod) * segments["head"]
    turned = authoring.trunk(segments["pelvis"], chest, head)
    for name in ("left", "right"):
        for joint in ("collar", "shoulder", "elbow"):
            segments[f"{name}_{joint}"] = about("z", follows) * segments[f"{name}_{joint}"]
    rotations = authoring.local_rotations({**segments, **turned}, frames)
    return Clip("look", fps, rotations, root, True)


def relaxed(turn: Float64) -> tuple[dict[str, Rotation], Float64]:
    """Segments and root of relaxed standing; `turn` (F,) runs once through 2 pi.

    Parameters
    ----------
    turn : Float64
        (F,) radians.

    Returns
    -------
    tuple[dict[str, Rotation], Float64]
        SMPL joint names to orientations, world, and (F, 3) leg lengths.
    """
    frames = len(turn)
    sway = 0.010 * np.sin(turn)
    breath = np.sin(turn + 0.8)
    pelvis = about("y", -0.8 * np.sin(turn)) * about("z", 0.6 * np.sin(turn + 1.0))
    legs = []
    for side in (LEFT, RIGHT):
        hip = sway + pelvis.apply([side * authoring.HIP_HALF_WIDTH, 0, -authoring.HIP_DROP])[:, 0]
        adduction = np.degrees(np.arctan2(side * hip - FOOT_X, 1.0))
        # The leg that carries less bends a little more.
        knee = _STAND_KNEE - side * 1.5 * np.sin(turn)
        flat = np.zeros(frames)
        legs.append(authoring.pose_leg(side, pelvis, knee * 0.5, adduction, knee, flat, 9.0, flat))
    chest = about("x", 1.0 - 0.9 * breath) * about("y", 0.5 * np.sin(turn))
    head = about("x", 1.0 + 0.5 * np.sin(turn + 2.0)) * about("z", 1.5 * np.sin(turn + 0.4))
    segments = {**authoring.trunk(pelvis, chest, head), **authoring.leg_segments(*legs)}
    for name, side in (("left", LEFT), ("right", RIGHT)):
        segments[f"{name}_collar"] = chest * about("y", -side * 0.8 * breath)
        upper = hanging_arm(side, chest, -2.0 + 0.8 * np.sin(turn + side), 8.0 + 0.7 * breath)
        segments[f"{name}_shoulder"] = upper
        segments[f"{name}_elbow"] = bend_elbow(side, upper, 14.0 + 1.2 * np.sin(turn + 0.5))
    low = np.stack([leg.sole[..., 2].min(axis=1) for leg in legs]).min(axis=0)
    root = np.stack([sway, np.zeros(frames), STANDING - STRAIGHT - low], axis=1)
    return segments, root
