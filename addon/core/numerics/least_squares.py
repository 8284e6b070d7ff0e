"""Robust nonlinear least squares: the Levenberg-Marquardt method on reweighted residuals.

Marquardt, An Algorithm for Least-Squares Estimation of Nonlinear Parameters (1963), with the
damping of Nielsen, Damping Parameter in Marquardt's Method (1999), and robust weights by
iterative reweighting (Holland and Welsch, Robust Regression, 1977).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..types import Float64, Mask, SolveInfo

FIRST_DAMPING = 1e-3  # of the normal matrix' diagonal
LEAST_DAMPING = 1e-9
MOST_DAMPING = 1e9  # beyond this no step, however short, makes the cost smaller
# Added to the diagonal (of residuals in units of their spread), so that an unknown of
# which nothing is known stays where it is.
LEAST_CURVATURE = 1e-6


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residual vectors of one kind.

    The cost of each is weight * rho(|values|^2), rho(s) = s, or, with an outlier scale, Geman and
    McClure's s o^2 / (s + o^2), which grows as s does up to o^2.
    """

    values: Float64  # (M, D)
    weights: Float64  # (M,)
    jacobian: Float64 | None = None  # (M, D, U), by the unknowns
    outlier: float | Float64 | None = None  # of |values|, one or (M,)

    @property
    def cost(self) -> float:
        square = (self.values**2).sum(axis=1)
        if self.outlier is not None:
            limit = np.square(self.outlier)
            square = square * limit / (square + limit)
        return float(self.weights @ square)

    def reweighted(self) -> Float64:
        """(M,) weights of the quadratic function that touches the cost here.

        Returns
        -------
        Float64
            (M,).
        """
        if self.outlier is None:
            return self.weights
        limit = np.square(self.outlier)
        return self.weights * np.square(limit / ((self.values**2).sum(axis=1) + limit))


def total_cost(residuals: Sequence[Residuals]) -> float:
    """The sum of all costs.

    Parameters
    ----------
    residuals : Sequence[Residuals]
        Of any number of terms.

    Returns
    -------
    float
        Half the weighted squares, robust ones bounded.
    """
    return sum(each.cost for each in residuals)


def normal_equations(residuals: Sequence[Residuals], unknowns: int) -> tuple[Float64, Float64]:
    """The Gauss-Newton matrix (U, U) and half the cost's gradient (U,).

    Parameters
    ----------
    residuals : Sequence[Residuals]
        With their Jacobians.
    unknowns : int
        U.

    Returns
    -------
    tuple[Float64, Float64]
        (U, U) and (U,).
    """
    matrix, gradient = np.zeros((unknowns, unknowns)), np.zeros(unknowns)
    for each in residuals:
        if not each.values.size:
            continue
        assert each.jacobian is not None
        roots = np.sqrt(each.reweighted())[:, None]
        rows = (each.jacobian * roots[:, :, None]).reshape(-1, unknowns)
        matrix += rows.T @ rows
        gradient += (each.values * roots).ravel() @ rows
    return matrix, gradient


def minimise(
    linearised: Callable[[Float64], list[Residuals]],
    beside: Callable[[Float64, Float64], list[Residuals]],
    step_size: Callable[[Float64, Float64], float],
    start: Float64,
    free: Mask,
    iterations: int,
    tolerance: float,
) -> tuple[Float64, SolveInfo]:
    """The unknowns (U,) of a local minimum near `start`, and how it was found.

    Parameters
    ----------
    linearised : Callable[[Float64], list[Residuals]]
        Residuals with Jacobians at a point (U,).
    beside : Callable[[Float64, Float64], list[Residuals]]
        Residuals at a first point, with whatever is held fixed within a step (a scale, say) as
        it is at a second.
    step_size : Callable[[Float64, Float64], float]
        How far a step (U,) moves things at a point (U,), in the unit of `tolerance`.
    start : Float64
        (U,).
    free : Mask
        (U,) bool, unknowns that may change.
    iterations : int
        At most.
    tolerance : float
        A step below it ends the search.

    Returns
    -------
    tuple[Float64, SolveInfo]
        (U,), and iterations, last step and whether it converged.
    """
    here = start.copy()
    damping, growth = FIRST_DAMPING, 2.0
    moved = np.inf
    for iteration in range(iterations):
        residuals = linearised(here)
        cost = total_cost(residuals)
        matrix, gradient = normal_equations(residuals, len(here))
        matrix, gradient = matrix[np.ix_(free, free)], gradient[free]
        diagonal = np.diag(matrix) + LEAST_CURVATURE
        while True:
            factor = cho_factor(matrix + np.diag(damping * diagonal), check_finite=False)
            step = np.zeros_like(here)
            step[free] = -cho_solve(factor, gradient, check_finite=False)
            there = here + step
            gained = cost - total_cost(beside(there, here))
            expected = step[free] @ (damping * diagonal * step[free] - gradient)
            if gained > 0:
                break
            moved = step_size(here, step)
            damping, growth = damping * growth, growth * 2
            if moved < tolerance or damping > MOST_DAMPING:
                # Steps this short change the cost by less than it can be computed to.
                return here, SolveInfo(iteration, moved, moved < tolerance)
        moved = step_size(here, step)
        here = there
        damping *= max(1 / 3, 1 - float(2 * gained / expected - 1) ** 3)
        damping, growth = max(damping, LEAST_DAMPING), 2.0
        if moved < tolerance:
            return here, SolveInfo(iteration + 1, moved, True)
    return here, SolveInfo(iterations, moved, False)
