"""The project's clips as actions of a character's armature, marked as assets with pictures."""

from __future__ import annotations

import bpy
import numpy as np

from ...core.body.model.skeleton import BONE_NAMES, PARENTS
from ...core.errors import MotionError
from ...core.motion.clips.cyclic_clip import cyclic_motion
from ...core.motion.clips.pose_thumbnail import draw_pose
from ...core.motion.sources.library import CLIP_NAMES, load_motion
from ...core.types import Clip, Motion, Pose, Skeleton, UInt8
from ..id_properties import CLIP
from .actions import FIRST_FRAME, new_action

PREVIEW_PX = 128  # what Blender draws previews at, and a picture's side
_SHOWN = 0.45  # of a clip: where its preview is taken, well within what it is about
_TRAVELS_M = 0.5  # a round; sitting down goes back by less


def add_clip_actions(armature: bpy.types.Object, fps: float) -> list[bpy.types.Action]:
    """An action for each clip of the library, `fps` frames per second; earlier ones of the same
    armature are replaced wherever they are used.

    Raises MotionError for an armature that lacks bones of a character.
    """
    skeleton = skeleton_of(armature)
    return [_clip_action(armature, skeleton, load_motion(name, fps)) for name in CLIP_NAMES]


def library_actions(armature: bpy.types.Object) -> list[bpy.types.Action]:
    """The actions that `add_clip_actions` has made for an armature."""
    marks = {f"{armature.name}|{name}": place for place, name in enumerate(CLIP_NAMES)}
    found = [action for action in bpy.data.actions if action.get(CLIP) in marks]
    return sorted(found, key=lambda action: marks[action[CLIP]])


def skeleton_of(armature: bpy.types.Object) -> Skeleton:
    """The skeleton that an armature's bones are, by their names."""
    bones = armature.data.bones
    missing = [name for name in BONE_NAMES if name not in bones]
    if missing:
        raise MotionError(
            f"The armature {armature.name} has no bone {missing[0]}: wake the photo up again."
        )
    joints = np.array([bones[name].head_local for name in BONE_NAMES], np.float64)
    return Skeleton(BONE_NAMES, PARENTS, joints)


def _clip_action(armature: bpy.types.Object, skeleton: Skeleton, clip: Clip) -> bpy.types.Action:
    motion = cyclic_motion(skeleton, clip)
    mark = f"{armature.name}|{clip.name}"
    earlier = [action for action in bpy.data.actions if action.get(CLIP) == mark]
    action = new_action(armature, skeleton, motion, f"{armature.name} {clip.name}")
    for old in earlier:
        name = old.name
        old.user_remap(action)
        bpy.data.actions.remove(old)
        action.name = name
    action[CLIP] = mark
    action.use_fake_user = True
    action.use_frame_range = True
    action.frame_start, action.frame_end = FIRST_FRAME, FIRST_FRAME + len(motion.root) - 1
    travels = np.linalg.norm(motion.root[-1, :2] - motion.root[0, :2]) > _TRAVELS_M
    # Anyone who travels would leap back at the end of each round.
    action.use_cyclic = clip.loop and not travels
    action.asset_mark()
    asset = action.asset_data
    asset.author = "Photo Wake-Up"
    asset.description = (
        f"'{clip.name}' for {armature.name}: {len(motion.root)} frames"
        f"{', a loop' if clip.loop else ''}"
    )
    for tag in ("photo wake-up", clip.name, *(("loop",) if clip.loop else ()),
                *(("travels",) if travels else ())):  # fmt: skip
        asset.tags.new(tag, skip_if_exists=True)
    _set_preview(action, draw_pose(skeleton, _shown(motion), PREVIEW_PX))
    return action


def _shown(motion: Motion) -> Pose:
    frame = int(_SHOWN * (len(motion.root) - 1))
    return Pose(motion.rotations[frame], motion.root[frame])


def _set_preview(action: bpy.types.Action, picture: UInt8) -> None:
    """picture : (S, S, 4) sRGB, rows from the top; Blender's begin at the bottom."""
    preview = action.preview_ensure()
    preview.image_size = picture.shape[1], picture.shape[0]
    preview.image_pixels_float.foreach_set((picture[::-1] / 255.0).astype(np.float32).ravel())
