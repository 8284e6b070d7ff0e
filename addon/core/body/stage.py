"""The stage that lays a body over the person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..inference.model_files import model_path
from ..result import WakeUpResult
from ..settings import WakeUpSettings
from ..stage import Inputs, Report, Stage
from .model.body_model import BodyModel


def body_model(settings: WakeUpSettings) -> BodyModel:
    """The body that the settings ask for.

    Parameters
    ----------
    settings : WakeUpSettings
        Which file.

    Returns
    -------
    BodyModel
        Read once.
    """
    from .model.body_files import cached_body_model

    path = Path(settings.body_file) if settings.body_file else model_path("body.npz")
    return cached_body_model(path)


def _run(inputs: Inputs, report: Report) -> WakeUpResult:
    from .fit.body_fit import fit_body

    settings = inputs.settings
    fitted = fit_body(
        inputs.photo, inputs.person, body_model(settings), height_m=settings.height_m,
        focal_px=settings.focal_px, progress=report, seed=settings.seed,
    )  # fmt: skip
    return replace(inputs.result, fitted=fitted)


FITTED = Stage(
    name="fitted", title="Fit Body", message="Fitting the body", share=0.22, needs=("person",),
    run=_run, corrections=("mask", "joints", "pose"),
)  # fmt: skip
