"""The export button."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from bpy_extras.io_utils import ExportHelper

from ..addon.scene.export.registry import (
    EXPORTERS,
    ExportOptions,
    export_character,
    exporter_of,
)
from .base import QuickOperator
from .render import checked_file, has_result

_GLOB = ";".join(f"*{exporter.suffix}" for exporter in EXPORTERS)
_ITEMS = tuple((each.name, each.name.upper(), each.title) for each in EXPORTERS)


class WAKEUP_OT_export(QuickOperator, ExportHelper, bpy.types.Operator):
    """Export the character for other programs"""

    bl_idname = "wakeup.export"
    bl_label = "Export Character"
    bl_description = "Write character, skeleton, texture and clips to a file for other programs"
    bl_options = set[str]()  # nothing of the scene changes
    filename_ext = ""  # ExportHelper's; the kind says which
    check_extension = None

    kind: EnumProperty(  # type: ignore[valid-type]
        name="Format", description="What is written", items=_ITEMS, default="glb"
    )
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
    author: StringProperty(  # type: ignore[valid-type]
        name="Author", description="Whose avatar it is, as the file says", default=""
    )
    filter_glob: StringProperty(  # type: ignore[valid-type]
        name="Files", description="Which files are listed", default=_GLOB, options={"HIDDEN"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_result(cls, context)

    def draw(self, _context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "kind")
        for option in exporter_of(self.kind).options:
            self.layout.prop(self, option)

    def act(self, context: bpy.types.Context) -> str:
        path = checked_file(self.filepath, exporter_of(self.kind).suffix)
        options = ExportOptions(self.lit, self.plate, self.author)
        export_character(context.scene.wake_up.result, self.kind, path, options=options)
        return f"{path.name} is written."


CLASSES = (WAKEUP_OT_export,)
