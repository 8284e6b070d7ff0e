"""What holds for all files: the user's own models and where stages run."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from ..core.inference.model_files import MODEL_FILES, find_model

PACKAGE = (__package__ or "").rpartition(".addon")[0]  # the extension's name in Blender


class WakeUpPreferences(bpy.types.AddonPreferences):
    """The extension's page in Blender's preferences."""

    bl_idname = PACKAGE

    body_file: StringProperty(  # type: ignore[valid-type]
        name="Body Model",
        description="An SMPL, SMPL-H or SMPL-X file of yours (.npz or .pkl); empty takes the body "
        "that comes with the extension",
        subtype="FILE_PATH",
    )
    mask_network: StringProperty(  # type: ignore[valid-type]
        name="Mask Network",
        description="An ONNX file of yours that cuts people out: one mask (BiRefNet, RMBG, "
        "U-2-Net, MODNet) or instances (Mask R-CNN); empty takes the one that comes with the "
        "extension",
        subtype="FILE_PATH",
    )
    joint_network: StringProperty(  # type: ignore[valid-type]
        name="Joint Network",
        description="An ONNX file of yours that finds COCO's 17 joints of a person (RTMPose, "
        "ViTPose, HRNet); empty takes the one that comes with the extension",
        subtype="FILE_PATH",
    )
    plate_network: StringProperty(  # type: ignore[valid-type]
        name="Background Network",
        description="An ONNX file of yours that fills holes in pictures (LaMa); empty takes the "
        "PatchMatch that comes with the extension",
        subtype="FILE_PATH",
    )
    use_worker: BoolProperty(  # type: ignore[valid-type]
        name="Separate Process",
        description="Compute in a process of its own, so that Blender's window never waits",
        default=True,
    )

    def draw(self, _context: bpy.types.Context) -> None:
        self.layout.prop(self, "use_worker")
        own = self.layout.box()
        own.label(text="Files of yours, instead of what comes with the extension")
        for name in ("body_file", "mask_network", "joint_network", "plate_network"):
            own.prop(self, name)
        own.label(text="Their licences are yours to keep, also for what you make with them")
        _draw_model_files(self.layout.box())


def _draw_model_files(layout: bpy.types.UILayout) -> None:
    """What comes with the extension, where it is, and under which licence."""
    layout.label(text="Files that come with the extension")
    for file in MODEL_FILES:
        path = find_model(file.name)
        row = layout.split(factor=0.2)
        row.label(text=file.purpose, icon="ERROR" if path is None else "CHECKMARK")
        place = row.split(factor=0.7)
        place.label(text="Missing: install the extension again" if path is None else str(path))
        place.label(text=file.licence)


CLASSES = (WakeUpPreferences,)


def body_file(context: bpy.types.Context) -> str:
    """Path of the user's body model; empty for the default."""
    entry = context.preferences.addons.get(PACKAGE)
    return bpy.path.abspath(entry.preferences.body_file) if entry else ""


def mask_network(context: bpy.types.Context) -> str:
    """Path of the user's mask network; empty for the default."""
    entry = context.preferences.addons.get(PACKAGE)
    return bpy.path.abspath(entry.preferences.mask_network) if entry else ""


def joint_network(context: bpy.types.Context) -> str:
    """Path of the user's joint network; empty for the default."""
    entry = context.preferences.addons.get(PACKAGE)
    return bpy.path.abspath(entry.preferences.joint_network) if entry else ""


def plate_network(context: bpy.types.Context) -> str:
    """Path of the user's network for the background; empty for the default."""
    entry = context.preferences.addons.get(PACKAGE)
    return bpy.path.abspath(entry.preferences.plate_network) if entry else ""


def uses_worker(context: bpy.types.Context) -> bool:
    """Whether buttons compute in a separate process."""
    entry = context.preferences.addons.get(PACKAGE)
    return bool(entry.preferences.use_worker) if entry else True
