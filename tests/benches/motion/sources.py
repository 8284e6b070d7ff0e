"""What the recorded clips truly do, read without the code under test, and the body that repeats it.

The joints' names and the upward axis of each file are written down here by hand, and the files are
read by a few lines of their own, so that a joint mapped wrongly or an angle read in the wrong order
shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ....addon.core.body.model.skeleton import BONE_NAMES, PARENTS
from ....addon.core.body.stage import body_model
from ....addon.core.frames import DEFAULT_HEIGHT_M, WORLD_FROM_BODY_AXES
from ....addon.core.motion import clips
from ....addon.core.motion.ground.feet import leg_length
from ....addon.core.settings import WakeUpSettings
from ....addon.core.types import Clip, Float32, Float64, Pose, Skeleton
from ..photos import DATA

MOCAP = DATA / "mocap"

SIDES = ("left", "right")
PARTS = ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist")
_USUAL = ("UpLeg", "Leg", "Foot", "ToeBase", "Arm", "ForeArm", "Hand")
_NAMES = {"jumping_jacks_cmu": ("Hip", "Knee", "Ankle", "Toe", "Shoulder", "Elbow", "Wrist")}
_Z_UP = ("jump_zup_fair", "wave_hello_zup_fair")
_FACES = ("face_poseunits_makehuman",)  # no body moves in them


@dataclass(frozen=True, eq=False)
class Source:
    """A recorded clip."""

    name: str
    path: Path
    fps: float
    # joint names ('left_knee') to places (F, 3), z up, the file's unit
    places: dict[str, Float64]
    turns: Float64  # (F - 1, J), degrees that each of the file's joints turns to the next frame
    joints: dict[str, int]  # joint names to columns of `turns`
    rest: dict[str, Float64]  # joint names to places (1, 3) with all angles zero, as in `places`

    @property
    def frame_count(self) -> int:
        return len(self.places["left_hip"])

    @property
    def leg(self) -> float:
        """Length of thigh and shin, mean of both legs and all frames, the file's unit."""
        return float(
            sum(
                np.linalg.norm(self.places[f"{s}_{a}"] - self.places[f"{s}_{b}"], axis=1).mean()
                for s in SIDES
                for a, b in (("hip", "knee"), ("knee", "ankle"))
            )
            / 2
        )


@dataclass(frozen=True, eq=False)
class Body:
    """The default body in T-pose: world axes, metres, feet on z = 0."""

    skeleton: Skeleton
    vertices: Float32  # (V, 3)
    weights: Float32  # (V, 24)


def clip_paths() -> list[Path]:
    """The recorded clips of bodies."""
    return [path for path in sorted(MOCAP.glob("*.bvh")) if path.stem not in _FACES]


@cache
def source(path: Path) -> Source:
    names, parents, offsets, channels = [], [], [], []
    lines = path.read_text().splitlines()
    above: list[int] = []
    start = next(k for k, line in enumerate(lines) if line.strip() == "MOTION")
    for line in lines[:start]:
        words = line.split()
        if words and words[0] in ("ROOT", "JOINT"):
            parents.append(above[-1] if above else -1)
            above.append(len(names))
            names.append(words[1].split(":")[-1])
        elif words and words[0] == "End":
            above.append(-1)
        elif words and words[0] == "OFFSET" and above[-1] >= 0:
            offsets.append([float(word) for word in words[1:]])
        elif words and words[0] == "CHANNELS":
            channels.append(words[2:])
        elif words and words[0] == "}":
            above.pop()
    fps = 1.0 / float(lines[start + 2].split()[-1])
    values = np.array([line.split() for line in lines[start + 3 :] if line.strip()], float)
    placed, local = _posed(parents, np.array(offsets), channels, values)
    still, _ = _posed(parents, np.array(offsets), [[] for _ in names], values[:1])
    if path.stem not in _Z_UP:
        placed, still = (at[..., [0, 2, 1]] * [1.0, -1.0, 1.0] for at in (placed, still))
    table = dict(zip(PARTS, _NAMES.get(path.stem, _USUAL), strict=True))
    joints = {f"{s}_{p}": names.index(s.capitalize() + table[p]) for s in SIDES for p in PARTS}
    dots = np.abs(np.einsum("fjk,fjk->fj", local[1:], local[:-1]))
    turns = np.degrees(2 * np.arccos(np.clip(dots, 0.0, 1.0)))
    places = {name: placed[:, joint] for name, joint in joints.items()}
    rest = {name: still[:, joint] for name, joint in joints.items()}
    return Source(path.stem, path, fps, places, turns, joints, rest)


def _posed(
    parents: list[int], offsets: Float64, channels: list[list[str]], values: Float64
) -> tuple[Float64, Float64]:
    """Places (F, J, 3) in the file's axes and local quaternions (F, J, 4) of the joints."""
    frames = len(values)
    turned, placed = [], np.empty((frames, len(parents), 3))
    local = np.empty((frames, len(parents), 4))
    column = 0
    for joint, parent in enumerate(parents):
        names = channels[joint]
        own = dict(zip(names, values[:, column : column + len(names)].T, strict=True))
        column += len(names)
        axes = [name for name in names if name.endswith("rotation")]
        turn = Rotation.identity(frames)
        if axes:
            angles = np.stack([own[name] for name in axes], axis=1)
            turn = Rotation.from_euler("".join(name[0] for name in axes), angles, degrees=True)
        local[:, joint] = turn.as_quat()
        step = np.tile(offsets[joint], (frames, 1))
        if "Xposition" in own:  # absolute in all files that are here
            step = np.stack([own[f"{axis}position"] for axis in "XYZ"], axis=1)
        turned.append(turn if parent < 0 else turned[parent] * turn)
        placed[:, joint] = step
        if parent >= 0:
            placed[:, joint] = placed[:, parent] + turned[parent].apply(step)
    return placed, local


@cache
def body() -> Body:
    model = body_model(WakeUpSettings())
    vertices = model.template.astype(np.float64) @ WORLD_FROM_BODY_AXES.T
    vertices *= DEFAULT_HEIGHT_M / np.ptp(vertices[:, 2])
    joints = model.regressor.astype(np.float64) @ vertices
    shift = np.array([-joints[0, 0], -joints[0, 1], -vertices[:, 2].min()])
    skeleton = Skeleton(BONE_NAMES, PARENTS, joints + shift)
    return Body(skeleton, (vertices + shift).astype(np.float32), model.weights)


def root_of(clip: Clip) -> Float64:
    """(F, 3) metres: the clip's root for the body."""
    skeleton = body().skeleton
    leg = leg_length(skeleton)
    root = clip.root * leg
    root[:, 2] += skeleton.joints[0, 2] - clips.STANDING * leg
    return root


def standing() -> Pose:
    """The pose that performances begin with: relaxed standing, facing -y."""
    clip = clips.idle(24.0)
    return Pose(clip.rotations[0], root_of(clip)[0])
