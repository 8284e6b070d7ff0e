"""The glTF button."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy_extras.io_utils import ExportHelper

from ..addon.scene.export_gltf import export_glb
from .base import reported
from .render import checked_file, has_result


class WAKEUP_OT_export_gltf(ExportHelper, bpy.types.Operator):
    """Export the character with its clip as glTF"""

    bl_idname = "wakeup.export_gltf"
    bl_label = "Export glTF"
    bl_description = "Write character, skeleton, texture and clip to one .glb file"
    filename_ext = ".glb"

    lit: BoolProperty(  # type: ignore[valid-type]
        name="Lit",
        description="Write the material that takes light, with its normal map, instead of the "
        "photo's colours as they are",
        default=False,
    )
    plate: BoolProperty(  # type: ignore[valid-type]
        name="Background",
        description="Let the background picture come along, where it stands in the scene",
        default=False,
    )
    filter_glob: StringProperty(default="*.glb", options={"HIDDEN"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_result(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        with reported(self, context) as outcome:
            path = checked_file(self.filepath, ".glb")
            export_glb(context.scene.wake_up.result, path, lit=self.lit, plate=self.plate)
            outcome.message = f"{path.name} is written."
        return outcome.returned


CLASSES = (WAKEUP_OT_export_gltf,)
