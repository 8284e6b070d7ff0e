"""The stage that performs the motion."""

from __future__ import annotations

from dataclasses import replace

from ..result import WakeUpResult
from ..stage import Inputs, Report, Stage


def _run(inputs: Inputs, _report: Report) -> WakeUpResult:
    from .ground.flesh import flesh_of
    from .performing.perform import perform
    from .performing.viewer import Viewer
    from .sources.library import load_motion

    settings = inputs.settings
    clip = inputs.clip or load_motion(settings.motion, settings.fps, settings.take)
    character = inputs.build.character
    lens, place = inputs.fitted.camera, character.world_from_camera
    performed = perform(
        character.skeleton,
        character.pose,
        clip,
        settings.frames,
        settings.fps,
        viewer=Viewer(place[:3, 3]) if settings.walks_out else Viewer.of(lens, place),
        options=settings.performing,
        path=settings.path or None,
        flesh=flesh_of(character.skeleton, character.rest_vertices, character.weights),
    )
    return replace(inputs.result, motion=performed, motion_name=clip.name, motion_notes=clip.notes)


MOTION = Stage(
    name="motion", title="Animate", message="Performing the motion", share=0.02,
    needs=("fitted", "build"), run=_run, beside=("background",),
)  # fmt: skip
