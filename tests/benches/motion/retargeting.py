"""Retargeting: the default body's limbs against the recorded performer's, frame by frame.

Directions are those of the straight lines from joint to joint, in the world; one turn about the
vertical for the whole clip makes the headings equal. The trunk's line, from the middle of the hips
to that of the shoulders, leans differently in different skeletons that stand upright (where the hip
joints lie in the pelvis, CMU's most), so the difference of the two leans at rest, which belongs to
the skeletons and not to the motion, is taken off about the line of the hips. Limbs are compared as
they are: no difference of the rest poses is taken from them, which is stricter than the bar asks
for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ....addon.core.body.model.skeleton import JOINT
from ....addon.core.body.world_pose import forward_kinematics
from ....addon.core.motion.editing.sampling import clip_at
from ....addon.core.motion.retargeting.joint_map import map_joints
from ....addon.core.motion.retargeting.retarget import retarget
from ....addon.core.motion.retargeting.source_motion import SourceMotion
from ....addon.core.motion.sources.bvh import read_bvh
from ....addon.core.motion.sources.library import load_motion
from ....addon.core.types import Clip, Float64
from ..rows import Row, at_most, row
from .sources import SIDES, Source, body, clip_paths, root_of, source

LIMB_BAR_DEG = 10.0
FLIP_DEG = 60.0
SCENE_FPS = 24.0
SAME_LEGS = 0.01  # leg lengths that a joint may be off in a pose that is the same again
UPRIGHT = 0.8  # cosine between the trunk and the upright of a rest pose that stands

_BONES = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
LIMBS = tuple(f"{side} {a}-{b}" for side in SIDES for a, b in _BONES) + ("trunk",)


def rows(_out: Path) -> list[Row]:
    found: list[Row] = []
    for path in clip_paths():
        truth = source(path)
        clip = retarget(read_bvh(path), path.stem)
        read = read_bvh(path)
        nameless = replace(read, names=tuple(f"joint{k}" for k in range(len(read.names))))
        for how, motion in (("names", read), ("shape", nameless)):
            what = f"{path.stem}: limbs' joints mistaken by {how}"
            found.append(at_most(what, 0, mistaken(truth, motion)))
        apart = limb_errors(truth, clip).mean(axis=0)
        worst = int(apart.argmax())
        what = f"{path.stem}: limb off the source, deg, {LIMBS[worst]}"
        found.append(at_most(what, LIMB_BAR_DEG, float(apart[worst])))
        found.append(row(f"{path.stem}: limbs off the source, deg, mean", "", apart.mean(), None))
        raw = float(limb_errors(truth, clip, as_at_rest=False)[:, -1].mean())
        found.append(row(f"{path.stem}: trunk, rest poses' difference left in", "", raw, None))
        found.append(at_most(f"{path.stem}: turns > 60 deg a frame", 0, flips(truth, clip)))
        frames = len(clip.root) + repeats(truth) - truth.frame_count
        found.append(at_most(f"{path.stem}: frames lost or added", 0, abs(frames)))
        found.append(at_most(f"{path.stem}: duration at 24/s off, frames", 1.0, late(truth)))
    return found


def mistaken(truth: Source, motion: SourceMotion) -> int:
    """How many of the limbs' joints are mapped to others than they are."""
    found = map_joints(motion)
    return sum(found.get(name) != joint for name, joint in truth.joints.items())


def limb_errors(truth: Source, clip: Clip, as_at_rest: bool = True) -> Float64:
    """(F, 9) degrees between the limbs' directions in source and clip.

    as_at_rest : whether the trunk's lean in the skeletons' rest poses is taken off
    """
    skeleton = body().skeleton
    # All of the file's frames: past a loop's last one the next round begins.
    rotations, root = clip_at(clip, np.arange(truth.frame_count))
    played = replace(clip, rotations=rotations, root=root)
    placed = forward_kinematics(skeleton, rotations, root_of(played))[..., :3, 3]
    ours = directions({name: placed[:, joint] for name, joint in JOINT.items()})
    theirs = directions(truth.places)
    rest = {name: skeleton.joints[joint][None] for name, joint in JOINT.items()}
    upright = directions(truth.rest)[0, -1, 2] > UPRIGHT
    if as_at_rest and upright:
        across = hip_line(truth.places)
        back = Rotation.from_rotvec(across * (lean(rest) - lean(truth.rest)))
        theirs[:, -1] = back.apply(theirs[:, -1])
    cross = (theirs[..., 0] * ours[..., 1] - theirs[..., 1] * ours[..., 0]).sum()
    yaw = np.arctan2(cross, (theirs[..., :2] * ours[..., :2]).sum())
    cos, sin = np.cos(yaw), np.sin(yaw)
    theirs = theirs @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]).T
    return np.degrees(np.arccos(np.clip((ours * theirs).sum(axis=-1), -1.0, 1.0)))


def hip_line(places: dict[str, Float64]) -> Float64:
    """(F, 3) unit direction from the right hip to the left."""
    line = places["left_hip"] - places["right_hip"]
    return line / np.linalg.norm(line, axis=1, keepdims=True)


def lean(places: dict[str, Float64]) -> float:
    """Radians by which the trunk of one frame leans forward, about the line of the hips."""
    (trunk,), (left,) = directions(places)[:, -1], hip_line(places)
    ahead = np.cross(left, [0.0, 0.0, 1.0])
    return float(np.arctan2(trunk @ ahead, trunk[2]))


def directions(places: dict[str, Float64]) -> Float64:
    """(F, 9, 3) unit directions of the limbs."""
    ways = [places[f"{s}_{b}"] - places[f"{s}_{a}"] for s in SIDES for a, b in _BONES]
    middle = {
        part: (places[f"left_{part}"] + places[f"right_{part}"]) / 2 for part in ("hip", "shoulder")
    }
    ways.append(middle["shoulder"] - middle["hip"])
    stacked = np.stack(ways, axis=1)
    return stacked / np.linalg.norm(stacked, axis=-1, keepdims=True)


def flips(truth: Source, clip: Clip) -> int:
    """How often a joint turns farther than FLIP_DEG between frames that the source's does not, at
    the file's own rate and at the scene's."""
    count = 0
    theirs = np.zeros((truth.frame_count - 1, len(JOINT)))
    for name, column in truth.joints.items():
        theirs[:, JOINT[name]] = truth.turns[:, column]
    ours = turns_of(clip)
    frames = min(len(ours), len(theirs))
    count += int(((ours[:frames] > FLIP_DEG) & (theirs[:frames] < FLIP_DEG)).sum())
    # At the scene's rate a step takes as many of the file's frames; their turns add up.
    resampled = turns_of(load_motion(truth.path, SCENE_FPS))
    step = truth.fps / SCENE_FPS
    summed = np.concatenate([np.zeros((1, theirs.shape[1])), np.cumsum(theirs, axis=0)])
    for k in range(len(resampled)):
        first, last = int(k * step), min(int(np.ceil((k + 1) * step)), len(summed) - 1)
        can = summed[last] - summed[min(first, last)]
        count += int(((resampled[k] > FLIP_DEG) & (can < FLIP_DEG)).sum())
    return count


def turns_of(clip: Clip) -> Float64:
    """(F - 1, 24) degrees that each joint turns to the next frame."""
    dots = np.abs(np.einsum("fjk,fjk->fj", clip.rotations[1:], clip.rotations[:-1]))
    return np.degrees(2 * np.arccos(np.clip(dots, 0.0, 1.0)))


def repeats(truth: Source) -> bool:
    """Whether the file's last frame is its first again, moved on: then a loop has one frame less,
    and its next round's first is the file's last."""
    joints = np.stack(list(truth.places.values()), axis=1)  # (F, J, 3)
    joints = joints - joints[:, :1]
    apart = np.linalg.norm(joints[-1] - joints[0], axis=-1).max()
    return bool(
        apart < SAME_LEGS * truth.leg < np.linalg.norm(joints[1] - joints[0], axis=-1).max()
    )


def late(truth: Source) -> float:
    """Frames by which the clip at the scene's rate is longer or shorter than the file; a loop
    lasts one frame longer than from its first to its last, and as long as a file that has its
    first frame again at the end."""
    clip = load_motion(truth.path, SCENE_FPS)
    ours = (len(clip.root) - (0 if clip.loop else 1)) / SCENE_FPS
    last = 0 if clip.loop and not repeats(truth) else 1
    return abs(ours - (truth.frame_count - last) / truth.fps) * SCENE_FPS
