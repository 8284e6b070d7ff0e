"""The stage that fills the background."""

from __future__ import annotations

from dataclasses import replace

from ..result import WakeUpResult
from ..stage import Inputs, Report, Stage


def _run(inputs: Inputs, report: Report) -> WakeUpResult:
    from .plate import fill_background
    from .plate_networks import load_plate_network

    settings = inputs.settings
    network = load_plate_network(settings.plate_network) if settings.plate_network else None
    background = fill_background(
        inputs.photo, inputs.foreground.mask, seed=settings.seed, progress=report,
        shadow=settings.remove_shadow, network=network,
    )  # fmt: skip
    return replace(inputs.result, background=background)


BACKGROUND = Stage(
    name="background", title="Fill Background", message="Filling the background", share=0.16,
    needs=("person",), run=_run, corrections=("mask",),
)  # fmt: skip
