"""All clips of an armature side by side as NLA tracks, for exporters that write one of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy

from ...core.motion.sources.takes import distinct
from .clip_assets import library_actions

_SUFFIX = " Armature"  # of an armature's name; what stands before is its character's


@contextmanager
def clips_on_tracks(armature: bpy.types.Object) -> Iterator[tuple[str, ...]]:
    """Within, each clip is an NLA track that bears its name, and nothing else is played.

    A clip is the armature's action, each of its NLA tracks, and each action of its clip library.
    Yields the names, first the one that plays otherwise. Action, tracks, names and what was muted
    come back.
    """
    animation = armature.animation_data
    if animation is None:
        yield ()
        return
    tracks = [track for track in animation.nla_tracks if track.strips]
    before = [(track, track.name, track.mute) for track in tracks]
    strips = [(strip, strip.name) for track in tracks for strip in track.strips]
    action, slot = animation.action, animation.action_slot
    library = [each for each in library_actions(armature) if each != action]
    playing = [] if action is not None else [track for track in tracks if not track.mute]
    others = [track for track in tracks if track not in playing]
    added: list[bpy.types.NlaTrack] = []
    try:
        animation.action = None
        first = [_new_track(animation, action, slot)] if action is not None else []
        added += first
        last = [_new_track(animation, each, each.slots[0]) for each in library]
        added += last
        ordered = [*first, *playing, *others, *last]
        names = distinct([_label(armature, _title(track)) for track in ordered])
        _rename(ordered, names)
        # Some exporters name a clip after its strip.
        alone = [track.strips[0] for track in ordered if len(track.strips) == 1]
        _rename(alone, [t.name for t in ordered if len(t.strips) == 1])
        for track in ordered:
            track.mute = False
        yield tuple(names)
    finally:
        for track in added:
            animation.nla_tracks.remove(track)
        _rename(tracks, [name for _, name, _ in before])
        _rename([strip for strip, _ in strips], [name for _, name in strips])
        for track, _, muted in before:
            track.mute = muted
        animation.action = action
        if action is not None and slot is not None:
            animation.action_slot = slot


def _new_track(
    animation: bpy.types.AnimData, action: bpy.types.Action, slot: bpy.types.ActionSlot | None
) -> bpy.types.NlaTrack:
    track = animation.nla_tracks.new()
    track.name = action.name
    start = action.frame_range[0]
    strip = track.strips.new(action.name, round(start), action)
    if slot is not None:
        strip.action_slot = slot
    return track


def _title(track: bpy.types.NlaTrack) -> str:
    """A track's own name, which for one action is the action's without what made it unique."""
    return track.strips[0].action.name if len(track.strips) == 1 else track.name


def _label(armature: bpy.types.Object, name: str) -> str:
    """A clip's name without the character's: 'walk', not 'photo Armature walk'."""
    for prefix in (armature.name, armature.name.removesuffix(_SUFFIX)):
        if name.startswith(f"{prefix} "):
            return name[len(prefix) + 1 :]
    return name


def _rename(
    items: list[bpy.types.NlaTrack] | list[bpy.types.NlaStrip], names: Sequence[str]
) -> None:
    """In two rounds, because Blender changes a name that another track or strip has."""
    for number, item in enumerate(items):
        item.name = f"~{number}"
    for item, name in zip(items, names, strict=True):
        item.name = name
