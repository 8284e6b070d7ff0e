"""The character as glTF."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...core.interchange.glb import Glb, put_animations_in_order
from ...core.photo.image_files import JPEG_QUALITY
from ..animation.clip_tracks import clips_on_tracks
from ..build import find_parts
from ..output_files import written_whole
from ..selection import evaluated_alone, selected
from .blender_exporters import in_metres, need_exporter, writing
from .textures import (
    LARGEST_TEXTURE_PX,
    LIT_SLOT,
    PHOTO_SLOT,
    power_of_two_textures,
    wearing,
)


def export_glb(
    collection: bpy.types.Collection,
    path: Path,
    person: int = 1,
    lit: bool = False,
    plate: bool = False,
) -> None:
    """Write one person's mesh, skin, texture and clips to one .glb file.

    One skin, at most four influences a vertex; every clip starts at time 0, first the one that the
    character plays; textures have sides that are powers of two. The material is unlit, so that
    viewers show the photo's colours; `lit` writes the one that takes light, with its normal map.
    plate : whether the background comes along, where it stands in the scene

    Raises OutputError where the exporter is switched off or the file cannot be written; an earlier
    file stays then.
    """
    with written_whole(path) as made:
        made.write_bytes(character_glb(collection, made, person, lit, plate).to_bytes())


def character_glb(
    collection: bpy.types.Collection,
    scratch: Path,
    person: int = 1,
    lit: bool = False,
    plate: bool = False,
    moving: bool = True,
) -> Glb:
    """What `export_glb` writes; `scratch` is where Blender's exporter may leave its file.

    moving : whether the clips come along; otherwise the file holds the character at rest
    """
    parts = find_parts(collection)
    need_exporter("gltf", "io_scene_gltf2", "glTF 2.0 format")
    character, armature = parts.characters[person - 1], parts.armatures[person - 1]
    objects = [character, armature, *([parts.plate] if plate else [])]
    with (
        wearing(character, LIT_SLOT if lit else PHOTO_SLOT),
        power_of_two_textures(objects, LARGEST_TEXTURE_PX),
        clips_on_tracks(armature) as clips,
        selected(objects),
        evaluated_alone(objects),
        in_metres(),
        writing(scratch),
    ):
        bpy.ops.export_scene.gltf(
            filepath=str(scratch.with_suffix(".glb")),
            export_format="GLB",
            use_selection=True,
            export_yup=True,
            export_apply=False,
            export_texcoords=True,
            export_normals=True,
            export_tangents=lit,  # left to viewers, relief looks different in each
            export_materials="EXPORT",
            export_image_format="JPEG",
            export_image_quality=JPEG_QUALITY,
            export_skins=True,
            export_influence_nb=4,
            export_all_influences=False,
            export_rest_position_armature=True,
            export_armature_object_remove=True,
            export_animations=moving,
            export_animation_mode="NLA_TRACKS",
            export_anim_slide_to_zero=True,
            export_frame_range=False,
            # Skinning the mesh on every frame would take most of the time.
            export_optimize_disable_viewport=True,
            export_cameras=False,
            export_lights=False,
        )
    glb = Glb.from_bytes(scratch.with_suffix(".glb").read_bytes())
    put_animations_in_order(glb.json, clips)
    return glb
