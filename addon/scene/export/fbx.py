"""The character as FBX, for game engines and other modelling programs."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..animation.clip_tracks import clips_on_tracks
from ..build import find_parts
from ..output_files import written_whole
from ..selection import evaluated_alone, selected
from .blender_exporters import in_metres, need_exporter, writing
from .textures import LARGEST_TEXTURE_PX, LIT_SLOT, power_of_two_textures, wearing_only


def export_fbx(collection: bpy.types.Collection, path: Path, person: int = 1) -> None:
    """Write one person's mesh, skeleton, textures and clips to one binary .fbx file.

    Every clip is a take of its own, in the order of the NLA tracks. FBX knows no material without
    light: it is the lit one, with its normal map; both pictures are within the file.

    Raises OutputError where the exporter is switched off or the file cannot be written; an earlier
    file stays then.
    """
    parts = find_parts(collection)
    need_exporter("fbx", "io_scene_fbx", "FBX format")
    character, armature = parts.characters[person - 1], parts.armatures[person - 1]
    objects = [character, armature]
    with (
        written_whole(path) as made,
        wearing_only(character, LIT_SLOT),
        power_of_two_textures(objects, LARGEST_TEXTURE_PX, made.parent),
        clips_on_tracks(armature) as clips,
        selected(objects),
        evaluated_alone(objects),
        in_metres(),
        writing(path),
    ):
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
