"""The way that a character walks: a smooth line on the ground, by metres gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from ...errors import MotionError
from ...types import Float64

_SPACING_M = 0.02
# No one turns on a point while walking: corners are rounded over about this length on both sides.
_ROUNDING_M = 0.15
_HEADING_M = 0.12  # the body's heading follows the line's over about this length
_SHORTEST_M = 0.05
_LONGEST_M = 1e4  # a longer one is a slip, and would fill the memory


@dataclass(frozen=True, eq=False)
class Route:
    """A line sampled every few centimetres."""

    points: Float64  # (N, 2) metres, world
    along: Float64  # (N,) metres from the start
    heading: Float64  # (N,) radians about z that turn -y into the line's direction, continuous

    @property
    def length(self) -> float:
        """Metres from start to end."""
        return float(self.along[-1])

    def at(self, along: Float64) -> Float64:
        """(F, 2) places after (F,) metres; before the start and after the end straight on.

        Parameters
        ----------
        along : Float64
            (F,) metres from the start.

        Returns
        -------
        Float64
            (F, 2) metres, world.
        """
        inside = np.clip(along, 0.0, self.length)
        placed = np.stack([np.interp(inside, self.along, axis) for axis in self.points.T], axis=1)
        return placed + (along - inside)[:, None] * self.direction(along)

    def heading_at(self, along: Float64) -> Float64:
        """(F,) radians after (F,) metres.

        Parameters
        ----------
        along : Float64
            (F,) metres from the start.

        Returns
        -------
        Float64
            (F,) radians about z, 0 along -y.
        """
        return np.interp(along, self.along, self.heading)

    def direction(self, along: Float64) -> Float64:
        """(F, 2) unit vectors.

        Parameters
        ----------
        along : Float64
            (F,) metres from the start.

        Returns
        -------
        Float64
            (F, 2), unit.
        """
        heading = self.heading_at(along)
        return np.stack([np.sin(heading), -np.cos(heading)], axis=1)


def route_along(path: npt.ArrayLike, start: npt.ArrayLike) -> Route:
    """The way from `start` (2,) along a path (N, 3) of points on the ground, metres, world.

    Heights do not count: the ground is z = 0. Corners are rounded; the end stays where it is.

    Parameters
    ----------
    path : npt.ArrayLike
        (N, 3) metres, world, at least two points.
    start : npt.ArrayLike
        (2,) metres, world.

    Returns
    -------
    Route
        By metres gone.

    Raises
    ------
    MotionError
        If the path is no line on the ground.
    """
    points = np.asarray(path, np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 2:
        raise MotionError("A path needs two points or more, each with x, y and z.")
    if not np.isfinite(points).all():
        raise MotionError("A path's points must be finite numbers: draw the path again.")
    begin = np.asarray(start, np.float64)[:2]
    # From where the character is, whatever comes first on the path.
    line = np.concatenate([begin[None], points[:, :2]])
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    line = line[np.concatenate([[True], steps > 1e-6])]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    if along[-1] < _SHORTEST_M:
        raise MotionError("The path is shorter than a step: draw it farther along the ground.")
    if along[-1] > _LONGEST_M:
        raise MotionError(f"The path is {along[-1]:.0f} m long: at most {_LONGEST_M:.0f} m go.")
    fine = _resampled(line, along)
    spacing = float(np.linalg.norm(fine[1] - fine[0]))
    smooth = _rounded(fine, _ROUNDING_M / spacing)
    gone = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(smooth, axis=0), axis=1))])
    slope = np.gradient(smooth, axis=0)
    heading = np.unwrap(np.arctan2(slope[:, 0], -slope[:, 1]))
    heading = gaussian_filter1d(heading, _HEADING_M / spacing, mode="nearest")
    return Route(smooth, gone, heading)


def _resampled(line: Float64, along: Float64) -> Float64:
    count = max(int(np.ceil(along[-1] / _SPACING_M)), 2) + 1
    even = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(even, along, axis) for axis in line.T], axis=1)


def _rounded(points: Float64, width: float) -> Float64:
    """Points smoothed with both ends kept: mirrored through its ends, a line stays one."""
    pad = min(int(4 * width) + 1, len(points) - 1)
    padded = np.pad(points, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
    return gaussian_filter1d(padded, width, axis=0, mode="nearest")[pad:-pad]
