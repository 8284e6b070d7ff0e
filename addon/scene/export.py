"""The character as glTF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np

from ..core.errors import OutputError, said_by
from .build import find_parts
from .selection import selected

_JPEG_QUALITY = 92  # no visible loss on a photo's texture


def export_glb(
    collection: bpy.types.Collection, path: Path, person: int = 1, lit: bool = False
) -> None:
    """Write one person's mesh, skin, texture and clip to one .glb file.

    At most four influences a vertex, the clip starting at time 0. The material is unlit, so that
    viewers show the photo's colours; `lit` writes the one that takes light, with its normal map.
    Raises OutputError where the exporter is switched off or the file cannot be written.
    """
    parts = find_parts(collection)
    if not hasattr(bpy.ops.export_scene, "gltf") or not _exporter_is_on():
        raise OutputError("Switch on the add-on 'glTF 2.0 format' in Blender's preferences.")
    character = parts.characters[person - 1]
    with _wearing(character, 1 if lit else 0), selected([character, parts.armatures[person - 1]]):
        try:
            bpy.ops.export_scene.gltf(
                filepath=str(path),
                export_format="GLB",
                use_selection=True,
                export_yup=True,
                export_apply=False,
                export_texcoords=True,
                export_normals=True,
                export_materials="EXPORT",
                export_image_format="JPEG",
                export_image_quality=_JPEG_QUALITY,
                export_skins=True,
                export_influence_nb=4,
                export_all_influences=False,
                export_armature_object_remove=True,
                export_animations=True,
                export_animation_mode=_animations_of(parts.armatures[person - 1]),
                export_anim_slide_to_zero=True,
                export_frame_range=False,
                export_cameras=False,
                export_lights=False,
            )
        except RuntimeError as error:
            raise OutputError(
                f"{path.name} could not be written ({said_by(error)}): choose another place."
            ) from error


def _animations_of(armature: bpy.types.Object) -> str:
    """What is a clip in the file: the action, else each NLA track."""
    animation = armature.animation_data
    has_strips = animation is not None and animation.action is None and animation.nla_tracks
    return "NLA_TRACKS" if has_strips else "ACTIVE_ACTIONS"


@contextmanager
def _wearing(character: bpy.types.Object, slot: int) -> Iterator[None]:
    """Within, the whole character wears its material of that number."""
    count = len(character.data.polygons)
    before = np.zeros(count, np.int32)
    character.data.polygons.foreach_get("material_index", before)
    character.data.polygons.foreach_set("material_index", np.full(count, slot, np.int32))
    try:
        yield
    finally:
        character.data.polygons.foreach_set("material_index", before)


def _exporter_is_on() -> bool:
    import addon_utils

    return addon_utils.check("io_scene_gltf2")[1]
