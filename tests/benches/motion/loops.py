"""Loops: where the last frame is followed by the first, every joint goes on as it came.

Each of the project's looping clips is made at FINE_FPS frames a second and put on the default body.
At the wrap, the places (world, metres) of all joints as they come are those that a cubic through
the last four frames has one frame later; as they go on, those of the first frame, carried by one
round's travel. The position's break is the distance between the two, the velocity's break the
difference of the cubic's derivative there and that of the cubic through the first four frames:
what is left after the natural extrapolation of both sides. A round's travel is that of
`loop_step`, which is what repeats the clip, so a wrong step shows in the position. Of all joints
the worst counts.

At the rate of films no extrapolation is exact, so what shows there is compared with the clip
itself: the third difference of the joints' places across the wrap against the largest inside.

Recordings that are taken for loops are measured at their own rate in the second way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ....addon.core.body.world_pose import forward_kinematics
from ....addon.core.motion.editing.sampling import clip_at
from ....addon.core.motion.retargeting.retarget import retarget
from ....addon.core.motion.sources.bvh import read_bvh
from ....addon.core.motion.sources.library import CLIP_NAMES, load_motion
from ....addon.core.types import Clip, Float64
from ..rows import Row, at_most, row
from .sources import body, clip_paths, root_of

POSITION_BAR_M = 1e-3
VELOCITY_BAR_M_S = 1e-2

# A clip's curves may bend as hard at a key as muscles pull; at this rate, 50 m/s2 within a frame
# change the velocity by half of the bar.
FINE_FPS = 9600.0
FILM_FPS = 24.0
ROUGHEST = 1.5  # jerk across a wrap, in the largest inside, that eyes do not tell from the rest

# Of the cubic through four frames: its value and its derivative one frame after, and at the first.
_NEXT = np.array([-1.0, 4.0, -6.0, 4.0])
_NEXT_SLOPE = np.array([-11.0, 42.0, -57.0, 26.0]) / 6
_FIRST_SLOPE = np.array([-11.0, 18.0, -9.0, 2.0]) / 6


def rows(_out: Path) -> list[Row]:
    found: list[Row] = []
    for name in CLIP_NAMES:
        clip = load_motion(name, FINE_FPS)
        if not clip.loop:
            found.append(row(f"{name}: no loop", "", "", None))
            continue
        apart, change = breaks(clip)
        found.append(at_most(f"{name}: position's break at the wrap, m", POSITION_BAR_M, apart))
        what = f"{name}: velocity's break at the wrap, m/s"
        found.append(at_most(what, VELOCITY_BAR_M_S, change))
        rough = roughness(load_motion(name, FILM_FPS))
        found.append(at_most(f"{name}: jerk at the wrap over that inside, 24/s", ROUGHEST, rough))
    for path in clip_paths():
        clip = retarget(read_bvh(path), path.stem)
        if clip.loop:
            what = f"{path.stem}: jerk at the wrap over that inside"
            found.append(at_most(what, ROUGHEST, roughness(clip)))
    return found


def breaks(clip: Clip) -> tuple[float, float]:
    """Metres and metres a second by which the worst joint breaks at the wrap."""
    count = len(clip.root)
    first, last = places(clip, np.arange(4)), places(clip, np.arange(count - 4, count))
    onward = places(clip, np.array([count]))[0]
    came = np.einsum("f,fji->ji", _NEXT, last)
    arriving = np.einsum("f,fji->ji", _NEXT_SLOPE, last) * clip.fps
    leaving = np.einsum("f,fji->ji", _FIRST_SLOPE, first) * clip.fps
    return (
        float(np.linalg.norm(onward - came, axis=-1).max()),
        float(np.linalg.norm(leaving - arriving, axis=-1).max()),
    )


def roughness(clip: Clip) -> float:
    """Largest third difference of a joint's place that spans the wrap over the largest that does
    not."""
    count = len(clip.root)
    jerk = np.diff(places(clip, np.arange(2 * count)), n=3, axis=0)
    jerk = np.linalg.norm(jerk, axis=-1).max(axis=1)
    # A difference of the frames k to k + 3 spans the wrap when one of them is before it.
    return float(jerk[count - 3 : count].max() / jerk[: count - 3].max())


def places(clip: Clip, frames: Float64) -> Float64:
    """(N, 24, 3) metres: the joints of the body at frames (N,), which may run past the wrap."""
    rotations, root = clip_at(clip, frames)
    moved = Clip(clip.name, clip.fps, rotations, root, clip.loop)
    return forward_kinematics(body().skeleton, rotations, root_of(moved))[..., :3, 3]
