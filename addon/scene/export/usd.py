"""The character as USDZ, within what phones show of one (Apple's AR Quick Look)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ...core.errors import OutputError
from ..animation.motion_source import animated_frames
from ..build import find_parts
from ..output_files import written_whole
from ..selection import evaluated_alone, selected
from .blender_exporters import in_metres, writing
from .textures import LIT_SLOT, glowing, power_of_two_textures, wearing_only

# Apple's advice for AR Quick Look; beyond them, phones refuse files or drop textures.
MOST_POLYGONS = 100_000
LARGEST_TEXTURE_PX = 2048


def export_usdz(
    collection: bpy.types.Collection, path: Path, person: int = 1, lit: bool = False
) -> None:
    """Write one person's mesh, skeleton, texture and what it plays to one .usdz file.

    Metres, Y up. USD knows one animation a file: the one that the character plays. Its preview
    surface has no material without light, so the photo's colours shine from a black one; `lit`
    writes the material that takes light instead.

    Raises OutputError where the character is too large or the file cannot be written; an earlier
    file stays then.
    """
    parts = find_parts(collection)
    character, armature = parts.characters[person - 1], parts.armatures[person - 1]
    count = len(character.data.polygons)
    if count > MOST_POLYGONS:
        raise OutputError(
            f"The character has {count} triangles and phones show {MOST_POLYGONS} at most: build "
            "it with fewer."
        )
    dress = wearing_only(character, LIT_SLOT) if lit else glowing(character)
    objects = [character, armature]
    with (
        written_whole(path) as made,
        dress,
        power_of_two_textures(objects, LARGEST_TEXTURE_PX, made.parent),
        selected(objects),
        evaluated_alone(objects),
        in_metres(),
        _frames_of(armature) as moves,
        writing(path),
    ):
        bpy.ops.wm.usd_export(
            filepath=str(made),
            selected_objects_only=True,
            **_also_hidden(),
            export_animation=moves,
            export_armatures=True,
            export_materials=True,
            generate_preview_surface=True,
            export_textures_mode="NEW",
            convert_orientation=True,
            export_global_forward_selection="NEGATIVE_Z",
            export_global_up_selection="Y",
            convert_world_material=False,
            export_custom_properties=False,
            evaluation_mode="VIEWPORT",
            root_prim_path="/character",
        )


def _also_hidden() -> dict[str, bool]:
    """Have what is selected go along though it is hidden; Blender 5.2 no longer asks."""
    asked = bpy.ops.wm.usd_export.get_rna_type().properties
    return {"visible_objects_only": False} if "visible_objects_only" in asked else {}


@contextmanager
def _frames_of(armature: bpy.types.Object) -> Iterator[bool]:
    """Within, the scene has the frames of what the armature plays; whether it plays anything."""
    scene, animation = bpy.context.scene, armature.animation_data
    moves = animation is not None and (
        animation.action is not None
        or any(track.strips and not track.mute for track in animation.nla_tracks)
    )
    before = scene.frame_start, scene.frame_end, scene.frame_current
    try:
        if moves:
            frames = animated_frames(armature)
            scene.frame_start, scene.frame_end = frames[0], frames[-1]
        yield moves
    finally:
        scene.frame_start, scene.frame_end = before[:2]
        scene.frame_set(before[2])
