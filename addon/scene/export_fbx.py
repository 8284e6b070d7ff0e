"""The character as FBX, for game engines and other modelling programs."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..core.errors import OutputError, said_by
from .build import find_parts
from .clip_tracks import clips_on_tracks
from .export_textures import LIT_SLOT, power_of_two_textures, wearing_only
from .output_files import written_whole
from .selection import evaluated_alone, selected

_LARGEST_TEXTURE_PX = 8192  # what graphics cards take; the pipeline makes no larger ones


def export_fbx(collection: bpy.types.Collection, path: Path, person: int = 1) -> None:
    """Write one person's mesh, skeleton, textures and clips to one binary .fbx file.

    Every clip is a take of its own, in the order of the NLA tracks. FBX knows no material without
    light: it is the lit one, with its normal map; both pictures are within the file.

    Raises OutputError where the exporter is switched off or the file cannot be written; an earlier
    file stays then.
    """
    parts = find_parts(collection)
    if not _exporter_is_on():
        raise OutputError("Switch on the add-on 'FBX format' in Blender's preferences.")
    character, armature = parts.characters[person - 1], parts.armatures[person - 1]
    objects = [character, armature]
    with (
        written_whole(path) as made,
        wearing_only(character, LIT_SLOT),
        power_of_two_textures(objects, _LARGEST_TEXTURE_PX, made.parent),
        clips_on_tracks(armature) as clips,
        selected(objects),
        evaluated_alone(objects),
    ):
        try:
            bpy.ops.export_scene.fbx(
                filepath=str(made),
                use_selection=True,
                object_types={"ARMATURE", "MESH"},
                # Metres become the format's centimetres in the file, not as a scale of objects.
                apply_scale_options="FBX_SCALE_UNITS",
                use_mesh_modifiers=False,
                mesh_smooth_type="OFF",
                use_tspace=False,
                add_leaf_bones=False,
                bake_anim=bool(clips),
                bake_anim_use_all_bones=True,
                bake_anim_use_nla_strips=True,
                bake_anim_use_all_actions=False,
                bake_anim_force_startend_keying=True,
                bake_anim_step=1.0,
                bake_anim_simplify_factor=0.0,
                path_mode="COPY",
                embed_textures=True,
            )
        except RuntimeError as error:
            raise OutputError(
                f"{path.name} could not be written ({said_by(error)}): choose another place."
            ) from error


def _exporter_is_on() -> bool:
    import addon_utils

    return hasattr(bpy.ops.export_scene, "fbx") and addon_utils.check("io_scene_fbx")[1]
