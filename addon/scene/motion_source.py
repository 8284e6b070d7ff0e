"""Armatures of the scene, and files that Blender imports, as motions to be retargeted.

Sampling happens in a scene of its own that is deleted again: neither the current frame nor any
pose of the user's scene is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import bpy
import numpy as np

from ..core.errors import MotionError, WakeUpError
from ..core.motion.bvh import SourceMotion, read_bvh
from ..core.motion.fbx_claims import check_fbx
from ..core.motion.library import load_motion
from ..core.motion.mapping_presets import checked_mapping, mapping_for
from ..core.motion.retarget import retarget
from ..core.motion.sampled import source_from_matrices
from ..core.types import Clip
from ..core.user_paths import check_readable
from .motion import frame_rate
from .output_files import plain_source

# What animation can write to an object or a bone.
_CHANNELS = (
    "location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale",
)  # fmt: skip
_MOST_FRAMES = 100_000  # more than an hour: surely a slip in an action's range


def sample_armature(
    armature: bpy.types.Object,
    frames: Sequence[int] | None = None,
    fps: float | None = None,
    in_world: bool = True,
) -> SourceMotion:
    """What an armature does, with all that constraints, drivers, parents and NLA strips add to it.

    frames : which to sample; None: all of its animation
    fps : of those frames; None: the context's scene's
    in_world : in the world's axes and metres; else in the armature object's own

    Raises WakeUpError where it is no armature or does not move.
    """
    if armature.type != "ARMATURE":
        raise WakeUpError(f"{armature.name} is no armature: choose one that is animated.")
    if fps is None:
        fps = frame_rate(bpy.context.scene)
    if frames is None:
        frames = animated_frames(armature)
    bones = armature.data.bones
    names = [bone.name for bone in bones]
    where = {name: index for index, name in enumerate(names)}
    parents = [where[bone.parent.name] if bone.parent else -1 for bone in bones]
    rest = np.array([bone.matrix_local for bone in bones], np.float64).reshape(-1, 4, 4)
    tails = np.array([bone.tail_local for bone in bones], np.float64).reshape(-1, 3)
    place = np.empty((len(frames), 4, 4))
    posed = np.empty((len(frames), len(bones), 4, 4))
    with _alone(armature) as (stage, layer):
        for index, frame in enumerate(frames):
            stage.frame_set(frame)
            evaluated = armature.evaluated_get(layer.depsgraph)
            place[index] = evaluated.matrix_world if in_world else np.eye(4)
            posed[index] = [evaluated.pose.bones[name].matrix for name in names]
    return source_from_matrices(names, parents, rest, tails, place, posed, fps)


def animated_frames(armature: bpy.types.Object) -> range:
    """All whole frames of the armature's action and NLA strips; WakeUpError where there are none,
    or more than an hour of them."""
    animation = armature.animation_data
    spans = []
    if animation is not None:
        if animation.action is not None and animation.action.frame_range[1] >= 0:
            spans.append(tuple(animation.action.frame_range))
        spans += [
            (strip.frame_start, strip.frame_end)
            for track in animation.nla_tracks
            if not track.mute
            for strip in track.strips
            if not strip.mute
        ]
    if not spans:
        raise WakeUpError(f"The armature {armature.name} has no action: give it one first.")
    first = round(min(span[0] for span in spans))
    last = round(max(span[1] for span in spans))
    if last - first >= _MOST_FRAMES:
        raise WakeUpError(
            f"The animation of {armature.name} is {last - first + 1} frames long: shorten it."
        )
    return range(first, last + 1)


def source_from_fbx(path: Path) -> SourceMotion:
    """The motion in an FBX file, read by Blender's own importer, which leaves nothing behind.

    Raises MotionError where Blender has no importer or the file holds no moving skeleton.
    """
    check_readable(path, MotionError, "choose another motion file")
    if not path.is_file():
        raise MotionError(f"There is no file {path.name} any more: choose the motion again.")
    check_fbx(path)
    with _imported() as stage:
        _import_fbx(path)
        moving = [item for item in stage.objects if item.type == "ARMATURE" and item.animation_data]
        if not moving:
            raise MotionError(f"{path.name} holds no skeleton that moves: choose another file.")
        armature = max(moving, key=lambda item: len(item.data.bones))
        # The importer gives its scene the file's frames a second.
        fps = frame_rate(stage)
        return sample_armature(armature, fps=fps)


def clip_from_file(
    path: Path, fps: float, mappings: Path | None = None, mapping: Mapping[str, str] | None = None
) -> Clip:
    """The motion in a .bvh, .fbx or any other file that `load_motion` reads, at `fps`.

    mappings : folder of the user's mapping presets; None: there are none
    mapping : SMPL joints to bones' names, before any preset

    Raises MotionError where it cannot be read or holds no human motion.
    """
    read = {".bvh": read_bvh, ".fbx": source_from_fbx}.get(path.suffix.lower())
    if read is None:
        return load_motion(path, fps)
    return clip_from_source(read(path), path.stem, fps, mappings, mapping)


def clip_from_source(
    source: SourceMotion,
    name: str,
    fps: float,
    mappings: Path | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Clip:
    """The clip of a motion that was read; arguments and errors as in `clip_from_file`."""
    if mapping is not None:
        joints = checked_mapping(source, mapping)
    else:
        joints = mapping_for(source, mappings)
    return retarget(source, name, fps, joints)


def _import_fbx(path: Path) -> None:
    """Import into the window's scene."""
    if hasattr(bpy.types, "IMPORT_SCENE_OT_fbx"):
        read = partial(bpy.ops.import_scene.fbx, use_image_search=False)
    elif hasattr(bpy.types, "WM_OT_fbx_import"):  # Blender 5's
        read = bpy.ops.wm.fbx_import
    else:
        raise MotionError(
            "Blender's FBX importer is switched off: enable 'FBX format' in Preferences, Add-ons."
        )
    try:
        with plain_source(path) as plain:
            read(filepath=str(plain), use_anim=True)
    except Exception as error:  # the importer meets damaged files with whatever comes
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise MotionError(
            f"{path.name} cannot be imported ({reason[0].removeprefix('Error: ')}): "
            "choose another file."
        ) from error


@contextmanager
def _alone(
    armature: bpy.types.Object,
) -> Iterator[tuple[bpy.types.Scene, bpy.types.ViewLayer]]:
    """A scene with this armature only, gone afterwards: quick to evaluate, and nobody's frame
    moves. What the armature depends on is evaluated with it."""
    stage = bpy.data.scenes.new("Photo Wake-Up Sampling")
    channels = [
        (owner, name, getattr(owner, name)[:])
        for owner in (armature, *armature.pose.bones)
        for name in _CHANNELS
    ]
    others: list[bpy.types.Object] = []
    try:
        stage.collection.objects.link(armature)
        layer = stage.view_layers[0]
        layer.update()
        yield stage, layer
        others = [item.original for item in layer.depsgraph.objects]
    finally:
        bpy.data.scenes.remove(stage)
        # Without a window Blender writes what it evaluates back to the originals.
        for owner, name, values in channels:
            setattr(owner, name, values)
        armature.update_tag()
        for item in others:
            if item != armature:
                item.update_tag(refresh={"TIME"})
        bpy.context.view_layer.update()


@contextmanager
def _imported() -> Iterator[bpy.types.Scene]:
    """A scene to import into, which the window shows for as long; afterwards it is gone with every
    datablock that is new in the file, of whatever kind."""
    windows = bpy.context.window_manager.windows
    window = bpy.context.window or (windows[0] if len(windows) else None)
    if window is None:
        raise MotionError("Blender imports FBX files only where it has a window: use BVH files.")
    shown = window.scene
    before = {block.session_uid for block in _datablocks()}
    try:
        stage = bpy.data.scenes.new("Photo Wake-Up Import")
        # Importers change the modes and selection of what the window shows, and its frame rate.
        window.scene = stage
        with bpy.context.temp_override(window=window):
            yield stage
    finally:
        window.scene = shown
        bpy.data.batch_remove([b for b in _datablocks() if b.session_uid not in before])


def _datablocks() -> Iterator[bpy.types.ID]:
    for name, kind in bpy.data.bl_rna.properties.items():
        if kind.type == "COLLECTION":
            yield from (b for b in getattr(bpy.data, name) if isinstance(b, bpy.types.ID))
