"""The states of a scene's stages, for panels to show."""

from __future__ import annotations

import bpy

from ..scene.objects.images import is_painted
from ..scene.objects.path import read_path
from ..scene.rig.joint_markers import are_joints_moved, read_box
from ..scene.rig.pose_correction import is_posed_by_hand
from ..stage_states import Made, StageState, plain, stage_states
from .preferences import chosen_files


def states_of(context: bpy.types.Context) -> dict[str, StageState]:
    """The state of each stage that has a title, from what is noted in the scene."""
    settings, status = context.scene.wake_up, context.window_manager.wake_up
    collection = settings.result
    made = Made.from_text(settings.made) if collection is not None else None
    wanted = settings.pipeline_settings(
        context.scene,
        chosen_files(context),
        box=read_box(collection) if collection is not None else None,
        path=read_path(collection),
    )
    photo = (settings.photo, bpy.path.abspath(settings.photo))
    failed_here = status.failed_scene == context.scene.name
    return stage_states(
        made,
        Made(photo, plain(wanted), (), settings.everyone),
        _edited(settings),
        (status.failed_stage, status.failure) if failed_here else ("", ""),
    )


def _edited(settings: bpy.types.PropertyGroup) -> set[str]:
    """Which corrections (`stages.editable`) the user has changed by hand."""
    collection = settings.result
    if collection is None:
        return set()
    edits = {
        "mask": settings.mask is not None and is_painted(settings.mask),
        "labels": settings.labels is not None and is_painted(settings.labels),
        "joints": are_joints_moved(collection),
        "pose": is_posed_by_hand(collection),
    }
    return {name for name, is_edited in edits.items() if is_edited}
