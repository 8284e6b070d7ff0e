"""A finished character as a performer: its skeleton and poses read back, motions put on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from ...core.body.model.skeleton import BONE_NAMES, PARENTS
from ...core.errors import MotionError, WakeUpError
from ...core.motion.ground.flesh import Flesh, flesh_of
from ...core.motion.performing.options import PerformOptions
from ...core.motion.performing.perform import perform
from ...core.motion.performing.playlist import is_same_pose
from ...core.motion.performing.viewer import Viewer
from ...core.motion.sources.armature_source import motion_of, source_from_matrices
from ...core.types import Clip, Float64, Motion, Pose, Skeleton
from ..build import SceneParts, find_parts, photo_size
from ..id_properties import OTHER_TAKE, PHOTO_POSE, numbers
from ..objects.character_mesh import rest_surface
from ..objects.path import read_path
from ..objects.plate import show_still
from ..objects.wall import find_wall
from ..render.camera import photo_camera
from .actions import FIRST_FRAME, new_action, play
from .motion_source import animated_frames, sample_armature
from .muting import mute_again

_FARTHEST_FRAME = 1_000_000  # Blender's own limit is a little above


def chosen_armature(
    collection: bpy.types.Collection, active: bpy.types.Object | None
) -> bpy.types.Object:
    """The active object's own armature where it is one of the result's people, else the first's.
    WakeUpError where there is none or it has lost a bone."""
    parts = find_parts(collection)
    armature = parts.armature
    for mesh, bones in zip(parts.characters, parts.armatures, strict=False):
        if active is not None and active in (mesh, bones):
            armature = bones
    missing = next((name for name in BONE_NAMES if name not in armature.pose.bones), None)
    if missing is not None:
        raise WakeUpError(
            f"{armature.name} has lost the bone {missing}: press Build Character again."
        )
    return armature


def read_skeleton(armature: bpy.types.Object) -> Skeleton:
    """The character's skeleton, from the bones at rest."""
    heads = [armature.data.bones[name].head_local for name in BONE_NAMES]
    return Skeleton(BONE_NAMES, PARENTS, np.array(heads, np.float64))


def photo_pose(armature: bpy.types.Object) -> Pose:
    """The pose that the photo has, in the armature's axes; in files where it was not noted, that
    of the animation's first frame."""
    values = numbers(armature, PHOTO_POSE, 4 * len(BONE_NAMES) + 3)
    if values is None:
        return sampled_motion(armature, [FIRST_FRAME]).pose(0)
    return Pose(values[:-3].reshape(-1, 4), values[-3:])


@dataclass(frozen=True, eq=False)
class Sampled:
    """What an armature does, in its own axes and metres, and from which frame on."""

    motion: Motion
    first_frame: int

    def pose(self, index: int) -> Pose:
        """The pose of one of the samples, counted from 0."""
        return Pose(self.motion.rotations[index], self.motion.root[index])


def sampled_motion(armature: bpy.types.Object, frames: Sequence[int] | None = None) -> Sampled:
    """All that bones, constraints and strips make of the character; None: the whole animation."""
    frames = animated_frames(armature) if frames is None else frames
    source = sample_armature(armature, frames, in_world=False)
    return Sampled(motion_of(source, BONE_NAMES), frames[0])


def current_pose(armature: bpy.types.Object) -> Pose:
    """The pose on the screen, keyed or not, with what constraints make of it; armature's axes."""
    bpy.context.view_layer.update()
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    posed = np.array([[evaluated.pose.bones[name].matrix for name in BONE_NAMES]], np.float64)
    bones = [armature.data.bones[name] for name in BONE_NAMES]
    rest = np.array([bone.matrix_local for bone in bones], np.float64)
    tails = np.array([bone.tail_local for bone in bones], np.float64)
    source = source_from_matrices(BONE_NAMES, PARENTS, rest, tails, np.eye(4)[None], posed, 1.0)
    return Sampled(motion_of(source, BONE_NAMES), FIRST_FRAME).pose(0)


@dataclass(frozen=True, eq=False)
class Performer:
    """What a motion needs to know of a character; stays true when its objects go."""

    skeleton: Skeleton
    viewer: Viewer  # the photo's camera, in the armature's axes: the viewer to face, where to stop
    path: Float64 | None  # (N, 3), the user's, in the armature's axes; None: to the camera
    flesh: Flesh  # what of the body touches the floor

    @staticmethod
    def of(armature: bpy.types.Object, collection: bpy.types.Collection) -> Performer:
        """The character of this armature before its result's camera."""
        parts = find_parts(collection)
        into = armature.matrix_world.inverted()
        place, lens = photo_camera(parts.camera, photo_size(collection))
        seen = np.array(into, np.float64) @ place
        walled = find_wall(collection) is not None
        viewer = Viewer(seen[:3, 3]) if walled else Viewer.of(lens, seen)
        points = read_path(collection) if len(parts.armatures) == 1 else ()
        path = np.array([into @ Vector(point) for point in points], np.float64)
        skeleton = read_skeleton(armature)
        surface = next(
            (
                rest_surface(mesh, BONE_NAMES)
                for mesh, bones in zip(parts.characters, parts.armatures, strict=False)
                if bones == armature
            ),
            None,
        )
        flesh = flesh_of(skeleton, *surface) if surface else flesh_of(skeleton)
        return Performer(skeleton, viewer, path if len(points) else None, flesh)

    def perform(
        self,
        clip: Clip,
        pose: Pose,
        frames: int,
        fps: float,
        options: PerformOptions | None = None,
        follows_path: bool = False,
    ) -> Motion:
        """The clip as this character performs it from `pose` on, in the armature's axes."""
        path = self.path if follows_path else None
        return perform(
            self.skeleton, pose, clip, frames, fps, self.viewer, options, path, self.flesh
        )


def set_action(
    armature: bpy.types.Object, motion: Motion, name: str, first_frame: int = FIRST_FRAME
) -> bpy.types.Action:
    """Make the motion the armature's own action, in place of the one before.

    An action that no one else uses goes, and so do the other takes of the file that it is from;
    NLA tracks stay, muted, because they would be played under it.
    """
    animation = armature.animation_data or armature.animation_data_create()
    _drop_other_takes(animation)
    action = new_action(armature, read_skeleton(armature), motion, name, first_frame)
    before = animation.action
    play(armature, action)
    for track in animation.nla_tracks:
        track.mute = True
    mute_again(armature)
    if before is not None and before.users == 0:
        bpy.data.actions.remove(before)
        action.name = name  # which the one before may have had
    return action


def lay_other_takes(armature: bpy.types.Object, takes: Sequence[tuple[str, Motion]]) -> None:
    """Motions to choose from: a muted NLA track each, until the armature takes another motion."""
    animation = armature.animation_data or armature.animation_data_create()
    skeleton = read_skeleton(armature)
    for name, motion in takes:
        action = new_action(armature, skeleton, motion, f"{armature.name} {name}")
        action[OTHER_TAKE] = True
        track = animation.nla_tracks.new()
        track.name, track.mute = name, True
        _new_strip(track, action, FIRST_FRAME)
    if takes:
        mute_again(armature)


def _drop_other_takes(animation: bpy.types.AnimData) -> None:
    for track in list(animation.nla_tracks):
        actions = {strip.action for strip in track.strips if strip.action is not None}
        if actions and all(OTHER_TAKE in action for action in actions):
            animation.nla_tracks.remove(track)
            for action in actions:
                if action.users == 0:
                    bpy.data.actions.remove(action)


def push_nla_strips(
    armature: bpy.types.Object, clips: Sequence[tuple[str, Motion]], in_turn: bool
) -> int:
    """Motions as NLA strips; returns the last frame.

    in_turn : one after the other on one track, each beginning with the frame on which the one
        before ends; else each on a track of its own, all but the first muted

    What was there before stays as muted tracks.
    """
    length = sum(len(motion.root) for _, motion in clips)
    if length > _FARTHEST_FRAME:
        raise MotionError(f"The clips are {length} frames long together: choose fewer.")
    animation = armature.animation_data or armature.animation_data_create()
    for track in animation.nla_tracks:
        track.mute = True
    if animation.action is not None:
        kept = animation.nla_tracks.new()
        kept.name = animation.action.name
        _new_strip(kept, animation.action, round(animation.action.frame_range[0]))
        kept.mute = True
        animation.action = None
    skeleton = read_skeleton(armature)
    start, end, shared = FIRST_FRAME, FIRST_FRAME, None
    for number, (name, motion) in enumerate(clips):
        track = shared or animation.nla_tracks.new()
        if in_turn:
            shared = track
        track.name = "Wake-Up" if in_turn else name
        track.mute = not in_turn and number > 0
        action = new_action(armature, skeleton, motion, f"{armature.name} {name}")
        _new_strip(track, action, start)
        end = max(end, start + len(motion.root) - 1)
        if in_turn:
            start += max(len(motion.root) - 1, 1)
    mute_again(armature)
    return end


def _new_strip(track: bpy.types.NlaTrack, action: bpy.types.Action, start: int) -> None:
    strip = track.strips.new(action.name, start, action)
    if action.slots:
        strip.action_slot = action.slots[0]


def show_frames(scene: bpy.types.Scene, parts: SceneParts, last: int) -> None:
    """Let the scene play to the end of what was added, at least."""
    others = [
        item.animation_data.action.frame_range[1]
        for item in parts.armatures
        if item.animation_data is not None and item.animation_data.action is not None
    ]
    scene.frame_start = min(scene.frame_start, FIRST_FRAME)
    scene.frame_end = round(max([last, *others]))


def match_first_frame(collection: bpy.types.Collection) -> None:
    """Let frame 1 show the photo's own pixels around everyone, as long as all begin as there."""
    begins = [
        is_same_pose(sampled_motion(armature, [FIRST_FRAME]).pose(0), photo_pose(armature))
        for armature in find_parts(collection).armatures
    ]
    show_still(collection, all(begins))
