"""What the command's contact sheet shows of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.body.model.body_model import BodyModel
from ..core.result import WakeUpResult, present
from ..core.types import UInt8

if TYPE_CHECKING:
    import bpy

_DIRECTIONS = {"front": 0.0, "side": 90.0, "back": 180.0}  # degrees about the upright
# Of the motion, shown on the contact sheet: most happens soon after the start.
_SHEET_MOMENTS = (0.1, 0.22, 0.4, 1.0)
_GLANCE = 2  # which of them stands for the motion: well on its way


def panels_of(
    results: tuple[WakeUpResult, ...],
    model: BodyModel,
    first: UInt8,
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
) -> tuple[list[tuple[str, UInt8]], tuple[UInt8, UInt8, UInt8]]:
    """The contact sheet's labelled panels, and those that tell the result at a glance: the photo,
    the character, a moment of its motion."""
    from ..core.reports import contact_sheet as sheet
    from ..scene import build
    from ..scene.render import stills

    result = results[0]
    photo = present(result.photo, "photo")
    people = [present(each.person, "person") for each in results]
    bodies = [present(each.fitted, "fitted") for each in results]
    size = sheet.panel_size(photo)
    last = stills.last_frame(build.find_parts(collection))
    moments = [max(1, round(moment * last)) for moment in _SHEET_MOMENTS]
    turned = [
        (f"{direction}{f' of {number}' if len(results) > 1 else ''}", sheet.on_checks(view))
        for number in range(1, len(results) + 1)
        for direction, view in zip(
            _DIRECTIONS,
            stills.views(scene, collection, tuple(_DIRECTIONS.values()), size, number),
            strict=True,
        )
    ]
    motion = stills.stills(scene, collection, moments, size[0])
    panels = [
        ("photo", photo.rgb),
        (
            "masks and joints" if len(results) > 1 else "mask and joints",
            sheet.masks_and_joints(
                photo, [(who.mask, body) for who, body in zip(people, bodies, strict=True)]
            ),
        ),
        (
            "fitted bodies" if len(results) > 1 else "fitted body",
            sheet.fit_overlay(photo, model, bodies),
        ),
        ("background", present(result.background, "background").rgb),
        *turned,
        ("rendered frame 1", first),
        *((f"{result.motion_name}, frame {at}", p) for at, p in zip(moments, motion, strict=True)),
    ]
    return panels, (photo.rgb, turned[0][1], motion[_GLANCE])
