"""The stage that builds the character."""

from __future__ import annotations

from dataclasses import replace

from ..body.stage import body_model
from ..result import WakeUpResult
from ..stage import Inputs, Report, Stage


def _run(inputs: Inputs, report: Report) -> WakeUpResult:
    from .build import CharacterSettings, build_character

    settings = inputs.settings
    chosen = CharacterSettings(
        triangles=settings.triangles,
        back=settings.back,
        mirrored_parts=settings.mirrored_parts,
        texture_px=settings.texture_px,
        seed=settings.seed,
    )
    built = build_character(
        inputs.photo, inputs.person, body_model(settings), inputs.fitted, chosen,
        progress=report, labels=inputs.result.painted,
    )  # fmt: skip
    return replace(inputs.result, build=built)


BUILD = Stage(
    name="build", title="Build Character", message="Building the character", share=0.38,
    needs=("person", "fitted"), run=_run, corrections=("mask", "labels"),
)  # fmt: skip
