"""Motion: how far edges stretch and volumes change while every character moves.

Each character performs the project's clips as the pipeline has them performed, and is put into
held poses at the ends of what people do. Lengths and volumes are compared with the photo's pose,
which is what the photo shows. A strip of poses for each character is drawn to look at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from ....addon.core.body.world_pose import skin_matrices, skin_vertices
from ....addon.core.character.skin.weight_relaxation import Turns, both, edges_of, pose_with
from ....addon.core.errors import WakeUpError
from ....addon.core.motion.performing.perform import perform
from ....addon.core.motion.performing.viewer import Viewer
from ....addon.core.motion.sources.library import load_motion
from ....addon.core.types import Character, Float32, Float64, Int32, Pose, UInt8
from ..photos import ROOT
from ..rows import Row, at_most, row
from . import rendering
from .subjects import Subject, character_of, subject, subjects

MOST_STRETCH_P95 = 1.6
MOST_STRETCH = 5.0
MOST_VOLUME_CHANGE = 0.15

PICTURES = ROOT / "build" / "fit_cases" / "seed_1"
RENDERED = tuple(
    f"{family}_1"
    for family in (
        "arms_crossed", "arms_over_torso", "arms_up", "child", "from_behind", "hand_to_face",
        "hands_on_hips", "running", "sitting", "standing",
    )
)  # fmt: skip

CLIPS = ("walk", "run", "jump")
FPS, FRAMES, EVERY = 24.0, 120, 7  # of the performance every seventh frame is measured
VIEW_PX = (437, 529)  # width and height of a picture
VIEW = (0.0, -1.03, 2.3)  # the middle's place and the height in metres; arms overhead fit
VIEWED_FROM = (0.0, 65.0)  # degrees from straight ahead, a row each
SHOWN = 5  # which of these is drawn: in the midst of a step, at the top of the jump

# Held poses: turns in degrees about the world's axes (x to the character's left, -y ahead, z up),
# from a T-pose.
HELD: dict[str, Turns] = {
    "sit": both(
        {
            "hip": (("x", -85.0),),
            "knee": (("x", 85.0),),
            "shoulder": (("y", 65.0), ("x", -20.0)),
            "elbow": (("z", -40.0),),
        }
    ),
    "arms overhead": both({"collar": (("y", -20.0),), "shoulder": (("y", -60.0),)}),
    "twist": {
        **both({"shoulder": (("y", 60.0),)}),
        **dict.fromkeys(("spine1", "spine2", "spine3"), (("z", 15.0),)),
        "neck": (("z", 25.0),),
        "head": (("z", 20.0),),
    },
}


@dataclass(frozen=True)
class Deformation:
    """One character in one pose against the photo's pose."""

    p95: float  # edge stretch |e| / |e0|
    worst: float
    volume: float  # |V - V0| / V0


def rows(out: Path) -> list[Row]:
    """The bars over all characters and motions; strips of poses into `out`."""
    found: dict[tuple[str, str], Deformation] = {}
    from_rest: dict[tuple[str, str], float] = {}
    for who in [*subjects(), *rendered()]:
        character = character_of(who).character
        for motion, poses in motions(character).items():
            found[who.name, motion] = worst_of(measured(character, poses, character.vertices))
            of_rest = measured(character, poses, character.rest_vertices)
            from_rest[who.name, motion] = worst_of(of_rest).p95
        Image.fromarray(strip(character)).save(out / f"motion_{who.name}.png")
    made: list[Row] = []
    for name, title, limit in (
        ("p95", "edge stretch, 95th percentile", MOST_STRETCH_P95),
        ("worst", "longest edge over its length", MOST_STRETCH),
        ("volume", "volume change", MOST_VOLUME_CHANGE),
    ):
        values = {key: float(getattr(value, name)) for key, value in found.items()}
        key = max(values, key=lambda k: values[k])
        met = sum(value <= limit for value in values.values())
        made.append(at_most(f"{title}: {key[1]} of {key[0]}", limit, values[key]))
        made.append(row(f"{title}: motions that keep it", "", f"{met} of {len(values)}", None))
    key = max(from_rest, key=lambda k: from_rest[k])
    what = f"edge stretch against the T-pose, 95th percentile: {key[1]} of {key[0]}"
    made.append(row(what, "", from_rest[key], None))
    return made


def rendered() -> list[Subject]:
    """Rendered bodies of known poses, those in which somebody is found."""
    made = []
    for name in RENDERED:
        path = PICTURES / f"{name}.png"
        if path.is_file():
            with contextlib.suppress(WakeUpError):
                made.append(subject(path))
    return made


def motions(character: Character) -> dict[str, list[Pose]]:
    """Poses of every motion, the performed clips' sampled."""
    made = {}
    for name in CLIPS:
        performed = perform(
            character.skeleton,
            character.pose,
            load_motion(name, FPS),
            FRAMES,
            FPS,
            viewer=Viewer(character.world_from_camera[:3, 3]),
        )
        made[name] = [
            Pose(performed.rotations[k], performed.root[k])
            for k in range(0, len(performed.root), EVERY)
        ]
    for name, turns in HELD.items():
        made[name] = [pose_with(turns, character.skeleton)]
    return made


def strip(character: Character) -> UInt8:
    """Six poses side by side, from ahead and, below, from the character's left."""
    every = motions(character)
    shown = [every[name][SHOWN] for name in CLIPS] + [every[name][0] for name in HELD]
    pictures = []
    for pose in shown:
        # Seen from where the character looks.
        ahead = Rotation.from_quat(pose.rotations[0], scalar_first=True).apply([0, -1, 0])
        facing = np.degrees(np.arctan2(ahead[0], -ahead[1]))
        points = posed(character, pose)
        x, y, _ = (points.min(axis=0) + points.max(axis=0)) / 2
        points = points - (x, y, 0.0)
        pictures.append(
            np.vstack(
                [
                    rendering.draw(character, points, facing + turn, VIEW_PX, VIEW)
                    for turn in VIEWED_FROM
                ]
            )
        )
    return np.hstack(pictures)


def measured(character: Character, poses: list[Pose], against: Float32) -> Iterator[Deformation]:
    """against : (V, 3) the pose whose lengths and volume count as unchanged."""
    edges = edges_of(character.triangles)
    start = against.astype(np.float64)
    length, volume = lengths(start, edges), volume_of(start, character.triangles)
    for pose in poses:
        moved = posed(character, pose)
        stretch = lengths(moved, edges) / length
        yield Deformation(
            float(np.percentile(stretch, 95)),
            float(stretch.max()),
            abs(volume_of(moved, character.triangles) - volume) / volume,
        )


def worst_of(each: Iterator[Deformation]) -> Deformation:
    every = list(each)
    return Deformation(
        max(d.p95 for d in every), max(d.worst for d in every), max(d.volume for d in every)
    )


def posed(character: Character, pose: Pose) -> Float64:
    """(V, 3) metres, world."""
    matrices = skin_matrices(character.skeleton, pose)
    return skin_vertices(character.rest_vertices, character.weights, matrices)


def lengths(points: Float64, edges: Int32) -> Float64:
    """(E,) metres."""
    return np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)


def volume_of(points: Float64, triangles: Int32) -> float:
    """Signed volume of closed surfaces, cubic metres, summed."""
    a, b, c = points[triangles].transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)
