"""Armatures of the scene, and files that Blender imports, as motions to be retargeted.

Sampling happens in a scene of its own that is deleted again: neither the current frame nor any
pose of the user's scene is touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import bpy
import numpy as np

from ...core.errors import MotionError, WakeUpError
from ...core.motion.retargeting.mapping_presets import checked_mapping, mapping_for
from ...core.motion.retargeting.retarget import retarget
from ...core.motion.retargeting.source_motion import SourceMotion
from ...core.motion.sources.armature_source import source_from_matrices
from ...core.motion.sources.bvh import bvh_takes
from ...core.motion.sources.fbx_check import check_fbx
from ...core.motion.sources.library import load_motion
from ...core.motion.sources.takes import Takes, chosen_take, distinct, is_person, people_among
from ...core.types import Clip
from ...core.user_paths import check_readable
from ..output_files import plain_source
from .actions import frame_rate

# What animation can write to an object or a bone.
_CHANNELS = (
    "location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale",
)  # fmt: skip
# Ten minutes at 30 frames per second, which take ten seconds and more to evaluate, while Blender's
# window stands still; files that claim more are damaged, or to be cut.
_MOST_FRAMES = 18_000
_NUMBERED = re.compile(r"\.\d{3}$")  # what Blender adds to a name that there is already


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
    order = [armature.pose.bones.find(name) for name in names]
    columns = np.empty(16 * len(bones), np.float32)  # of all matrices, as Blender stores them
    with _alone(armature) as (stage, layer):
        for index, frame in enumerate(frames):
            stage.frame_set(frame)
            evaluated = armature.evaluated_get(layer.depsgraph)
            place[index] = evaluated.matrix_world if in_world else np.eye(4)
            evaluated.pose.bones.foreach_get("matrix", columns)
            posed[index] = columns.reshape(-1, 4, 4).transpose(0, 2, 1)[order]
    return source_from_matrices(names, parents, rest, tails, place, posed, fps)


def animated_frames(armature: bpy.types.Object) -> range:
    """All whole frames of the armature's action and NLA strips; WakeUpError where there are none,
    or more than _MOST_FRAMES."""
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
            f"The animation of {armature.name} is {last - first + 1} frames long: shorten it to "
            f"{_MOST_FRAMES} or fewer."
        )
    return range(first, last + 1)


def source_from_fbx(path: Path, take: str = "") -> SourceMotion:
    """The motion of one of an FBX file's takes; arguments and errors as in `fbx_takes`."""
    takes = fbx_takes(path, take=take)
    return takes.sources[takes.chosen]


def fbx_takes(
    path: Path,
    knows: Callable[[SourceMotion], bool] = is_person,
    take: str = "",
    every: bool = False,
) -> Takes:
    """The motions in an FBX file, read by Blender's own importer, which leaves nothing behind: of
    each armature that is a person's, each of the file's takes.

    knows : whether a skeleton is a person's; where none is, the largest one is taken
    take : name or number, from 1, of the one that is meant; empty: the first
    every : whether all are sampled, or only that one

    Raises MotionError where Blender has no importer, the file holds no moving skeleton or there is
    no such take.
    """
    check_readable(path, MotionError, "choose another motion file")
    if not path.is_file():
        raise MotionError(f"There is no file {path.name} any more: choose the motion again.")
    check_fbx(path)
    actions_before = {action.name for action in bpy.data.actions}
    blocks_before = {action.session_uid for action in bpy.data.actions}
    with _imported() as stage:
        _import_fbx(path)
        moving = [
            item
            for item in stage.objects
            if item.type == "ARMATURE" and item.animation_data and item.animation_data.action
        ]
        if not moving:
            raise MotionError(f"{path.name} holds no skeleton that moves: choose another file.")
        new = [a for a in bpy.data.actions if a.session_uid not in blocks_before]
        recordings = _recordings(stage, new, actions_before)
        # The importer gives its scene the file's frames per second.
        sample = partial(sample_armature, fps=frame_rate(stage))
        people = moving
        if len(moving) > 1:
            shapes = [sample(item, frames=animated_frames(item)[:1]) for item in moving]
            people = [moving[index] for index in people_among(shapes, knows)]
        found = [
            (person, name)
            for name, played in recordings.items()
            for person in people
            if person.name in played
        ] or [(person, "") for person in people]
        names = _take_names([(person.name, name) for person, name in found], len(people) > 1)
        chosen = chosen_take(names, take, path.name)
        sources = {}
        for index in range(len(found)) if every else [chosen]:
            person, name = found[index]
            _play(stage, recordings.get(name, {}))
            sources[index] = replace(sample(person), file=path.name)
        return Takes(path, names, chosen, sources)


_Played = dict[str, tuple[bpy.types.Action, bpy.types.ActionSlot]]  # by objects' names


def _recordings(
    stage: bpy.types.Scene, actions: Sequence[bpy.types.Action], names_before: set[str]
) -> dict[str, _Played]:
    """What objects play in each of an imported file's takes, in the file's order.

    names_before : of the actions that were there before these

    Importers give each take an action of its own for each object, named after object, take and
    layer, or (Blender 5's own) one for all of them, named after the take, with objects' slots.
    """
    recordings: dict[str, _Played] = {}
    objects = sorted(stage.objects, key=lambda item: len(item.name), reverse=True)
    for action in sorted(actions, key=lambda each: each.session_uid):
        said = action.name
        if _NUMBERED.sub("", said) in names_before:
            said = _NUMBERED.sub("", said)
        for slot in action.slots:
            if slot.target_id_type not in ("OBJECT", "UNSPECIFIED"):
                continue
            owner = next((o for o in objects if o.name == slot.name_display), None)
            owner = owner or next((o for o in objects if said.startswith(f"{o.name}|")), None)
            if owner is None:
                continue
            name = said.removeprefix(f"{owner.name}|")
            # Blender's exporter names a take after object and action.
            name = name.removeprefix(f"{_NUMBERED.sub('', owner.name)}|")
            recordings.setdefault(name, {}).setdefault(owner.name, (action, slot))
    return recordings


def _take_names(found: Sequence[tuple[str, str]], is_of_many: bool) -> tuple[str, ...]:
    """What takes are called by, from people's and recordings' names: without the layer's name
    where all have the same one, with the person's where there are several."""
    layers = {name.rpartition("|")[2] for _, name in found if "|" in name}
    if len(found) > 1 and len(layers) == 1 and all("|" in name for _, name in found):
        found = [(person, name.rpartition("|")[0]) for person, name in found]
    if is_of_many:
        return distinct([f"{person}: {name}" if name else person for person, name in found])
    return distinct([name for _, name in found])


def _play(stage: bpy.types.Scene, played: _Played) -> None:
    """Have the objects play a take; those that have nothing in it go on with what they play."""
    for name, (action, slot) in played.items():
        animation = stage.objects[name].animation_data
        animation.action = action
        animation.action_slot = slot


def takes_of_file(
    path: Path,
    knows: Callable[[SourceMotion], bool] = is_person,
    take: str = "",
    every: bool = False,
) -> Takes | None:
    """The motions in a .bvh or .fbx file, arguments and errors as in `fbx_takes`; None for other
    files, which have SMPL's joints already."""
    kind = path.suffix.lower()
    if kind == ".bvh":
        return bvh_takes(path, knows, take)
    return fbx_takes(path, knows, take, every) if kind == ".fbx" else None


def clip_from_file(
    path: Path,
    fps: float,
    mappings: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    take: str = "",
) -> Clip:
    """The motion in a .bvh, .fbx or any other file that `load_motion` reads, at `fps`.

    mappings : folder of the user's mapping presets; None: there are none
    mapping : SMPL joints to bones' names, before any preset
    take : name or number, from 1, of which take or person; empty: the first

    Raises MotionError where it cannot be read or holds no human motion.
    """
    takes = takes_of_file(path, partial(is_person, mappings=mappings), take)
    if takes is None:
        return load_motion(path, fps, take)
    return clip_of_take(takes, takes.chosen, fps, mappings, mapping)


def clips_from_file(path: Path, fps: float, mappings: Path | None = None) -> tuple[Clip, ...]:
    """A clip for each take of a file, in its order; arguments and errors as in
    `clip_from_file`."""
    takes = takes_of_file(path, partial(is_person, mappings=mappings), every=True)
    if takes is None:
        return (load_motion(path, fps),)
    return tuple(clip_of_take(takes, index, fps, mappings) for index in takes.sources)


def clip_of_take(
    takes: Takes,
    index: int,
    fps: float,
    mappings: Path | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Clip:
    """The clip of a take that was read; arguments and errors as in `clip_from_file`. The chosen
    one's notes name the others."""
    source = takes.sources[index]
    clip = clip_from_source(source, takes.clip_name(index), fps, mappings, mapping)
    return replace(clip, notes=takes.notes() if index == takes.chosen else source.notes)


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
    """A scene with this armature only, gone afterwards: quick to evaluate, and no one's frame
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
