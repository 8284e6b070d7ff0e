"""Motions that touch the floor with something else than feet, and walks that leave the picture."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.skeleton import JOINT
from photo_wake_up.addon.core.body.world_pose import forward_kinematics
from photo_wake_up.addon.core.motion import clips
from photo_wake_up.addon.core.motion.editing.sampling import clip_at
from photo_wake_up.addon.core.motion.ground.feet import leg_length
from photo_wake_up.addon.core.types import Clip, Motion
from photo_wake_up.tests.benches.motion.sources import body

FPS = 24.0
_UP, _DOWN, _AHEAD = ("y", -88.0), ("y", 80.0), ("z", -88.0)

# Euler angles of the pelvis (axes, degrees) and turns of joints, both sides where 'both'.
POSES: dict[str, tuple[tuple[str, float], dict[str, tuple[str, float]]]] = {
    "handstand": (("y", 180.0), {"both_shoulder": _UP}),
    "on the back": (("x", -90.0), {"both_shoulder": _DOWN}),
    "prone": (("x", 90.0), {"both_shoulder": _DOWN}),
    "boat": (("x", -45.0), {"both_hip": ("x", -80.0), "both_shoulder": _AHEAD}),
    "legs up": (("x", -90.0), {"both_hip": ("x", -85.0), "both_shoulder": _DOWN}),
    "kneeling": (
        ("x", 0.0),
        {"both_knee": ("x", 90.0), "both_ankle": ("x", 60.0), "both_shoulder": _DOWN},
    ),
    "on all fours": (
        ("x", 90.0),
        {
            "both_hip": ("x", -90.0),
            "both_knee": ("x", 90.0),
            "both_ankle": ("x", 75.0),
            "both_shoulder": _AHEAD,
        },
    ),
}


def posed(name: str, frames: int = 1) -> np.ndarray:
    """(F, 24, 4) rotations of a pose of POSES, held."""
    (axis, degrees), turns = POSES[name]
    rotations = np.tile([1.0, 0.0, 0.0, 0.0], (frames, 24, 1))
    rotations[:, 0] = _turn(axis, degrees)
    for joint, (about, angle) in turns.items():
        for side, sign in (("left", 1.0), ("right", -1.0)):
            own = angle if about == "x" else sign * angle
            rotations[:, JOINT[joint.replace("both", side)]] = _turn(about, own)
    return rotations


def held(name: str, height: float, frames: int = 72) -> Clip:
    """A pose of POSES, its root at a height that tells nothing of the floor."""
    root = np.zeros((frames, 3))
    root[:, 2] = height
    return Clip(name, FPS, posed(name, frames), root, False)


def cartwheel() -> Clip:
    """One turn sideways over the hands, 2.1 m, in 3 seconds; what is lowest is on the floor."""
    frames = 72
    share = np.clip((np.linspace(0.0, 1.0, frames) - 0.15) / 0.7, 0.0, 1.0)
    share = share**2 * (3 - 2 * share)
    rotations = posed("handstand", frames)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rotations[:, JOINT[f"{side}_hip"]] = _turn("y", -sign * 15.0)
    rotations[:, 0] = Rotation.from_euler("y", 2 * np.pi * share[:, None]).as_quat(
        scalar_first=True
    )
    root = np.zeros((frames, 3))
    root[:, 0] = 2.6 * share
    return on_floor(Clip("cartwheel", FPS, rotations, root, False))


def log_roll() -> Clip:
    """Once over the long axis along the ground, in 4 seconds, an arm held off the trunk: it dips
    below the ground where the body rolls over it, as recordings' arms do."""
    frames = 96
    share = np.linspace(0.0, 1.0, frames)
    rotations = posed("on the back", frames)
    rotations[:, JOINT["left_shoulder"]] = _turn("y", 35.0)
    roll = Rotation.from_euler("y", 2 * np.pi * share[:, None])
    rotations[:, 0] = (roll * Rotation.from_quat(rotations[:, 0], scalar_first=True)).as_quat(
        scalar_first=True
    )
    root = np.zeros((frames, 3))
    root[:, 0] = 1.2 * share
    return on_floor(Clip("log roll", FPS, rotations, root, False), without_arms())


def without_arms() -> np.ndarray:
    """(V,) bool: vertices of `skin` that follow neither arm."""
    weights = body().weights[::3]
    arms = [
        JOINT[f"{side}_{part}"]
        for side in ("left", "right")
        for part in ("shoulder", "elbow", "wrist", "hand")
    ]
    return weights[:, arms].sum(axis=1) < 0.1


def turning_walk(degrees: float, frames: int = 120) -> Clip:
    """A recording of somebody who walks ahead for two seconds, then turns left and walks on."""
    rotations, root = clip_at(clips.walk(FPS), np.arange(frames))
    angle = np.radians(degrees) * np.clip((np.arange(frames) - 48) / FPS, 0.0, 1.0)
    turn = Rotation.from_euler("z", angle[:, None])
    rotations[:, 0] = (turn * Rotation.from_quat(rotations[:, 0], scalar_first=True)).as_quat(
        scalar_first=True
    )
    steps = np.diff(root, axis=0)
    root = np.concatenate([root[:1], root[0] + np.cumsum(turn[1:].apply(steps), axis=0)])
    return Clip("turning", FPS, rotations, root, False)


def skin(motion: Motion) -> np.ndarray:
    """(F, V, 3) the default body's surface, every third vertex, metres."""
    whole = body()
    vertices, weights = whole.vertices[::3].astype(np.float64), whole.weights[::3]
    world = forward_kinematics(whole.skeleton, motion.rotations, motion.root)
    found = np.zeros((len(world), len(vertices), 3))
    for joint in range(24):
        own = np.flatnonzero(weights[:, joint])
        turned = (vertices[own] - whole.skeleton.joints[joint]) @ world[:, joint, :3, :3].transpose(
            0, 2, 1
        )
        moved = turned + world[:, joint, None, :3, 3]
        found[:, own] += weights[own, joint, None] * moved
    return found


def on_floor(clip: Clip, which: np.ndarray | slice = slice(None)) -> Clip:
    """The clip with the default body's lowest point, of these vertices of `skin`, on the floor in
    every frame."""
    whole = body()
    leg = leg_length(whole.skeleton)
    lowest = skin(Motion(FPS, clip.rotations, 0 * clip.root))[:, which, 2].min(axis=1)
    root = clip.root.copy()
    root[:, 2] = (-lowest - whole.skeleton.joints[0, 2]) / leg + clips.STANDING
    return Clip(clip.name, clip.fps, clip.rotations, root, clip.loop)


def _turn(axis: str, degrees: float) -> np.ndarray:
    return Rotation.from_euler(axis, degrees, degrees=True).as_quat(scalar_first=True)
