"""Feet: what stands still in the recording stands still in the performance, on the ground.

Which foot is planted when, and on what, is read from the recording alone: a joint of the foot
(ankle or ball) is planted while it keeps within STILL_M of one place for a while and is not above
the other foot's; where the floor is need not be known, and in some recordings it drifts.
Its slide in the performance is the widest distance between any two places, level, of the same joint
of the default body in that time. Penetration is how deep the skin of the body's feet is in the
ground at the deepest, in all frames after the photo's.

The frames in which the photo's pose goes over into the clip, and the clip into standing, are no
repetition of the recording: no planted phases are looked for there. They count for penetration.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import pdist

from ....addon.core.body.model.skeleton import JOINT
from ....addon.core.body.world_pose import forward_kinematics
from ....addon.core.motion.editing.sampling import clip_at
from ....addon.core.motion.ground.feet import leg_length
from ....addon.core.motion.ground.feet import phases as runs
from ....addon.core.motion.performing.perform import perform
from ....addon.core.motion.retargeting.retarget import retarget
from ....addon.core.motion.sources.bvh import read_bvh
from ....addon.core.motion.sources.library import load_motion
from ....addon.core.types import Clip, Float64, Motion
from ..rows import Row, at_least, at_most, row
from .retargeting import repeats
from .sources import SIDES, Source, body, clip_paths, root_of, source, standing

SLIDE_BAR_M = 0.02
PENETRATION_BAR_M = 0.01
OFF_GROUND_BAR_M = 0.02  # as the slide
TILT_BAR_DEG = 10.0  # as limbs

FPS = 24.0
LOOP_S = 5.0  # a loop is performed for so long
ENTERING_S = 1.3  # from the photo's pose into the clip
LEAVING_S = 1.7  # from the clip into standing, at the latest

# In the recording, at the body's size: less than the bar for the slide, so that a foot which truly
# slides is not taken for planted; a standing foot's joints are higher than the other's by this much
# at most, where its heel is off the ground; and shorter stands than that (three frames of a film)
# are passing touches.
STILL_M = 0.015
LOW_M = 0.05
SHORTEST_S = 0.12
FEWEST_CLIPS = 6  # the dance of the recordings is danced on sliding toes

GRAVITY = 9.81  # m/s2
FALL_S = 0.04  # hips are smoothed over so long, so that noise is no fall
SWING_S = 0.4  # of the foot that makes the first step out of the clip
CARRIED_S = 0.1  # shorter times between falls are noise

JOINTS = ("ankle", "foot")


def rows(_out: Path) -> list[Row]:
    found: list[Row] = []
    slides, depths = [], []
    for path in clip_paths():
        truth = source(path)
        clip = load_motion(path, FPS)
        frames = int(LOOP_S * FPS) if clip.loop else len(clip.root)
        motion = perform(body().skeleton, standing(), clip, frames, FPS)
        phases = performed_phases(truth, clip, motion)
        each = [slide(motion, *phase) for phase in phases]
        skin = lowest_skin(motion)
        balls = [(start + stop) // 2 for name, start, stop in phases if name.endswith("foot")]
        depth = float(-skin[1:].min(initial=0.0))
        tilts = sole_tilts(truth, retarget(read_bvh(path), path.stem))
        if len(tilts):
            what = f"{path.stem}: sole off level where it stands flat, deg"
            found.append(at_most(what, TILT_BAR_DEG, float(np.median(tilts))))
        found.append(row(f"{path.stem}: planted phases in the source", "", len(each), None))
        if each:
            mean = float(np.mean(each))
            slides.append(mean)
            found.append(at_most(f"{path.stem}: slide a phase, m, mean", SLIDE_BAR_M, mean))
            found.append(row(f"{path.stem}: slide a phase, m, most", "", max(each), None))
        if balls:
            what = f"{path.stem}: off the ground where it stands, m"
            found.append(at_most(what, OFF_GROUND_BAR_M, float(skin[balls].mean())))
        downs = [] if clip.loop else landings(truth, skin)
        if downs:
            what = f"{path.stem}: least height where it is carried, m, most"
            found.append(at_most(what, OFF_GROUND_BAR_M, max(downs)))
        found.append(at_most(f"{path.stem}: deepest in the ground, m", PENETRATION_BAR_M, depth))
        depths.append(depth)
    found.append(at_least("clips with planted phases in the source", FEWEST_CLIPS, len(slides)))
    slid, sunk = float(np.mean(slides)), float(np.mean(depths))
    found.append(at_most("slide a planted phase, m, mean over clips", SLIDE_BAR_M, slid))
    found.append(at_most("penetration, m, mean over clips", PENETRATION_BAR_M, sunk))
    return found


def planted_phases(truth: Source) -> list[tuple[str, int, int]]:
    """Joint and first and past-the-last frame of the file of each planted phase."""
    scale = leg_length(body().skeleton) / truth.leg
    shortest = max(int(round(SHORTEST_S * truth.fps)), 2)
    found = []
    for name in (f"{side}_{part}" for side in SIDES for part in JOINTS):
        places = truth.places[name] * scale
        other = truth.places[
            f"{'right' if name.startswith('left') else 'left'}_{name.split('_')[1]}"
        ]
        low = places[:, 2] <= other[:, 2] * scale + LOW_M
        start = 0
        while start < len(places):
            stop = start
            while (
                stop < len(places)
                and low[stop]
                and np.linalg.norm(places[start:stop] - places[stop], axis=1).max(initial=0.0)
                <= STILL_M
            ):
                stop += 1
            if stop - start >= shortest:
                found.append((name, start, stop))
                start = stop
            else:
                start += 1
    return found


def sole_tilts(truth: Source, clip: Clip) -> Float64:
    """(N,) degrees between the sole and the ground, of feet in the clip whose ankle is planted in
    the recording: then the whole sole is on the ground."""
    world = forward_kinematics(body().skeleton, clip.rotations, root_of(clip))
    upright = [
        world[start : min(stop, len(world)), JOINT[name], 2, 2]
        for name, start, stop in planted_phases(truth)
        if name.endswith("ankle")
    ]
    cosines = np.concatenate(upright) if upright else np.zeros(0)
    return np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))


def _beside(name: str) -> str:
    """The same joint of the other side."""
    side, part = name.split("_")
    return f"{'right' if side == 'left' else 'left'}_{part}"


def landings(truth: Source, skin: Float64) -> list[float]:
    """Metres over the ground that the feet come down to, each time that the ground carries the
    body in the recording.

    A body that does not fall is carried, also where no joint of a foot is still: from fall to fall
    its hips do not accelerate downwards with more than half of gravity.
    """
    scale = leg_length(body().skeleton) / truth.leg
    hips = (truth.places["left_hip"] + truth.places["right_hip"])[:, 2] / 2 * scale
    falls = gaussian_filter1d(hips, FALL_S * truth.fps, order=2) * truth.fps**2 < -GRAVITY / 2
    rate = truth.fps / FPS
    end = len(skin) - (LEAVING_S + SWING_S) * FPS
    found = []
    for start, stop in runs(~falls):
        first, last = max(int(np.ceil(start / rate)), int(ENTERING_S * FPS)), int(stop / rate)
        if stop - start >= CARRIED_S * truth.fps and first < last <= end:
            found.append(float(skin[first:last].min()))
    return found


def performed_phases(truth: Source, clip: Clip, motion: Motion) -> list[tuple[str, int, int]]:
    """The planted phases, or what of them is performed: joint and frames of the performance."""
    # The clip's frame k is the file's frame k * rate; the performance begins a loop where it likes.
    round_frames = truth.frame_count - repeats(truth)
    rate = round_frames / len(clip.root) if clip.loop else truth.fps / FPS
    begin = first_frame(clip, motion) if clip.loop else 0
    frames = len(motion.root)
    first, last = int(ENTERING_S * FPS), frames
    if not clip.loop:
        last -= int(LEAVING_S * FPS)
    rounds = range(int(np.ceil((begin + frames) / len(clip.root)))) if clip.loop else (0,)
    found = []
    for name, start, stop in planted_phases(truth):
        for turn in rounds:
            shift = turn * len(clip.root) - begin
            one = max(int(np.ceil(start / rate + shift)), first)
            end = min(int(np.floor((stop - 1) / rate + shift)) + 1, last)
            if end - one >= 2:
                found.append((name, one, end))
    return found


def first_frame(clip: Clip, motion: Motion) -> int:
    """The frame of a loop that the performance begins with: the one from which on the elbows and
    shoulders, which no lock moves, are the loop's own."""
    joints = [JOINT[f"{side}_{part}"] for side in SIDES for part in ("shoulder", "elbow")]
    frames = np.arange(int(ENTERING_S * FPS), len(motion.root))
    apart = []
    for begin in range(len(clip.root)):
        rotations, _ = clip_at(clip, begin + frames)
        dots = np.einsum("fjk,fjk->fj", rotations[:, joints], motion.rotations[frames][:, joints])
        apart.append(np.arccos(np.clip(np.abs(dots), 0.0, 1.0)).mean())
    return int(np.argmin(apart))


def slide(motion: Motion, name: str, start: int, stop: int) -> float:
    """Metres between the two places, level, of a joint in these frames that are farthest apart."""
    placed = forward_kinematics(
        body().skeleton, motion.rotations[start:stop], motion.root[start:stop]
    )
    return float(pdist(placed[:, JOINT[name], :2, 3]).max())


def lowest_skin(motion: Motion) -> Float64:
    """(F,) height in metres of the lowest vertex of the feet."""
    whole = body()
    feet = [JOINT[f"{side}_{part}"] for side in SIDES for part in JOINTS]
    of_feet = whole.weights[:, feet].sum(axis=1) > 0.5
    rest, weights = whole.vertices[of_feet].astype(np.float64), whole.weights[of_feet]
    world = forward_kinematics(whole.skeleton, motion.rotations, motion.root)
    heights = np.zeros((len(world), len(rest)))
    for joint in np.flatnonzero(weights.any(axis=0)):
        turned = world[:, joint, 2, :3] @ (rest - whole.skeleton.joints[joint]).T
        heights += weights[:, joint] * (turned + world[:, joint, 2, 3][:, None])
    return heights.min(axis=1)
