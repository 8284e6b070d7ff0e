"""The robust error function of the fit."""

from __future__ import annotations

import torch


def geman_mcclure(square: torch.Tensor, outlier: float) -> torch.Tensor:
    """Geman and McClure's function of a squared error: grows as it does, up to outlier**2."""
    return square * outlier**2 / (square + outlier**2)
