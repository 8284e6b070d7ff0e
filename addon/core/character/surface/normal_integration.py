"""Depth from normals under perspective, front and back solved together.

Photo Wake-Up section 4.2 after Basri, Jacobs, Kemelmacher-Shlizerman (2007). A surface point is
P = Z r, r = ((u - cx) / f, (v - cy) / f, 1). The chord between two points of a circular arc is at
right angles to the sum m of their normals, so neighbours p and q obey (P_q - P_p) . m = 0, and
with w = log Z

    (m . r) (w_q - w_p) = -m . (r_q - r_p)        r half way between r_p and r_q:

linear in w, true to third order in the step on planes and spheres, and multiplied through by
m . r, so that pixels where the surface turns away do not explode. Where both pixels face the
camera, the mean of their slopes takes the place of the slope of m, which is as good on what is
smooth and right at a crease too. To these come

* the rim (the project's own): the outline's point that is nearest to a pixel has its normal at
  right angles to the ray, so the same rule gives how much deeper than the pixel it lies, from the
  front and from the back: the sum of both joins the sheets there, at a depth that is free;
* the body's depth as a soft prior, which decides what normals leave open (ECON's lambda_d), and
  which cuts the equations between neighbours where the body itself has a step in depth, and is
  followed from neighbour to neighbour there and where the surface turns away;
* what is left of each equation, which weakens it in a later round (bilateral normal integration
  keeps steps by weights that are found so; here one weight per pair of neighbours);
* a least thickness: where the sheets would come closer or cross, an edge holds them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...numerics.multigrid import GridGraph, solve
from ...types import Float32, Float64, Mask, SolveInfo
from .occluding_contour import Rim

UNEXPLAINED_PX = 2.0  # depth between neighbours that normals do not explain: 1 / e is left
FACING = 0.5  # |n . r| from which a pixel has a slope of its own
LEAST_WEIGHT = 1e-2  # of an edge: what its equation lacks follows the body's depth
REWEIGHTINGS = 0  # a body has its own steps, and each round costs as much as the first solution
FADING = 0.5  # what is unusual falls from round to round, of the largest remainder
USUAL_PX = 0.1  # remainder of an equation that is never unusual: noise
RIM_WEIGHT = 10.0  # of the joint at the rim, in equations between neighbours
RIM_PRIOR_WEIGHT = 1e-2  # pull of the body's outline on the rim: beyond about ten pixels
CUT_PX = 12.0  # body's thickness at the rim beyond the rule's: a quarter of the joint is left
LEAST_TURNED = 0.03  # |m . r| of a pixel beside the rim, a sphere's of a thousand pixels
APART_ROUNDS = 2  # in which sheets that came too close are pushed apart
APART_SHARE = 2e-3  # of the pixels; fewer are moved apart one by one
APART_WEIGHT = 1.0
TOLERANCE_PX = 1e-2  # of depth in grid pixels: far less than the normals are good for
TIKHONOV = 1e-9  # Tikhonov's term: screening towards the start, where nothing else holds a pixel


@dataclass(frozen=True, eq=False)
class Integrated:
    """Depths in metres of s sheets (h, w), NaN outside, and of the rim's feet (n,)."""

    depth: Float64
    rim: Float64
    solve: SolveInfo  # of all solutions together, last steps in shares of the depth


def integrate(
    normal: Float32,
    inside: Mask,
    rays: Float64,
    focal_grid: float,
    prior: Float64,
    prior_weight: Float64 | float,
    rim: Rim | None = None,
    least_thickness: Float64 | None = None,
    reweightings: int = REWEIGHTINGS,
) -> Integrated:
    """One open sheet, or the front and back of a closed surface.

    Parameters
    ----------
    normal : Float32
        (s, h, w, 3) unit, camera frame, outward (front: n . r < 0); s is 1, or 2 with the front
        first.
    inside : Mask
        (h, w) pixels of the surface.
    rays : Float64
        (h, w, 3), z = 1, through the pixels' centres.
    focal_grid : float
        Focal length in grid pixels.
    prior : Float64
        (s, h, w) depth in metres that the solution is pulled to.
    prior_weight : Float64 | float
        (s, h, w) of that pull, or one for all; a normal's equation has weight 1 where the surface
        faces the camera.
    rim : Rim | None
        Where the two sheets meet.
    least_thickness : Float64 | None
        (h, w) metres, kept between them.
    reweightings : int
        Rounds in which steep steps lose weight; 0: none.

    Returns
    -------
    Integrated
        (s, h, w) depth in metres, and how the solver ended.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        guess = np.where(inside, np.log(prior), 0.0)
    screening = np.where(inside, np.broadcast_to(prior_weight, guess.shape), 0.0)
    equations = [_Equations.of(normal, inside, rays, focal_grid, axis) for axis in (2, 1)]
    for each in equations:
        each.lean_on(guess, screening, focal_grid)
    screening = np.where(inside, screening + TIKHONOV, 0.0)
    right_hand_side = screening * guess
    across = np.zeros(inside.shape)
    steps = None
    if rim is not None:
        steps, joint = _rim_steps(normal, rays, focal_grid, guess, rim)
        across[rim.pixels] = joint
        right_hand_side[:, rim.pixels] += np.array([[-1.0], [1.0]]) * joint * (steps[0] - steps[1])
        pull = RIM_PRIOR_WEIGHT * joint / RIM_WEIGHT
        screening[:, rim.pixels] += pull
        right_hand_side[:, rim.pixels] += pull * (np.log(rim.depth) - steps)

    solves: list[SolveInfo] = []

    def solved(start: Float64) -> Float64:
        right, down = (each.edge_weight() for each in equations)
        total = right_hand_side + sum(each.right_hand_side() for each in equations)
        tolerance = TOLERANCE_PX / focal_grid
        solution, ended = solve(GridGraph(right, down, across, screening), total, start, tolerance)
        solves.append(ended)
        return solution

    found = solved(guess)
    for k in range(reweightings):
        left = [np.abs(each.left_over(found)) * (each.weight > 0) for each in equations]
        largest = max(float(each.max()) for each in left)
        unusual = max(largest * FADING ** (k + 1), USUAL_PX / focal_grid)
        for each, rest in zip(equations, left, strict=True):
            each.weaken(rest / unusual)
        found = solved(found)
    if len(normal) == 2 and least_thickness is not None:
        least = np.where(inside, least_thickness / np.exp(guess[0]), 0.0)
        for _ in range(APART_ROUNDS):
            close = inside & (found[1] - found[0] < least) & (across < APART_WEIGHT)
            if close.sum() <= APART_SHARE * inside.sum():
                break
            across[close] += APART_WEIGHT
            right_hand_side[0][close] -= APART_WEIGHT * least[close]
            right_hand_side[1][close] += APART_WEIGHT * least[close]
            found = solved(found)
        found = _kept_apart(found, least)
    depth = np.where(inside, np.exp(found), np.nan)
    ends = np.zeros(0) if rim is None or steps is None else (found[:, rim.pixels] + steps)
    together = SolveInfo(
        iterations=sum(each.iterations for each in solves),
        last_step=solves[-1].last_step,
        converged=all(each.converged for each in solves),
    )
    return Integrated(depth, np.exp(ends.mean(axis=0)) if ends.size else ends, together)


@dataclass(eq=False)
class _Equations:
    """The equations between neighbours along an axis of (s, h, w), at the first of each pair:
    turned (w_q - w_p) = slope, with a weight each; 0 where there is no pair. Where an edge weighs
    less than `least`, w_q - w_p = step makes up for it."""

    axis: int
    turned: Float64
    slope: Float64
    weight: Float64
    least: Float64
    step: Float64

    @classmethod
    def of(
        cls, normal: Float32, inside: Mask, rays: Float64, focal_grid: float, axis: int
    ) -> _Equations:
        here, there = _first(axis), _second(axis)
        component = 2 - axis
        both = inside[here[1:]] & inside[there[1:]]
        # Rays are affine in the pixel: half way between two they are the mean of both.
        middle = (rays[here[1:]] + rays[there[1:]]) / 2
        turned, slope, weight, least, step = (np.zeros(normal.shape[:3]) for _ in range(5))
        m = np.where(both[..., None], (normal[here] + normal[there]) / 2, 0.0)
        turned[here] = m[..., 0] * middle[..., 0] + m[..., 1] * middle[..., 1] + m[..., 2]
        chord = m[..., component]
        facing = np.einsum("shwc,hwc->shw", normal, rays)
        steep = normal[..., component] / np.where(np.abs(facing) > FACING, facing, np.nan)
        mean = turned[here] * (steep[here] + steep[there]) / 2
        slope[here] = -np.where(np.isnan(mean), chord, mean) / focal_grid
        weight[here] = both
        return cls(axis, turned, slope, weight, least, step)

    def left_over(self, log_depth: Float64) -> Float64:
        """(s, h, w) what depths (logarithms) leave of the equations."""
        here, there = _first(self.axis), _second(self.axis)
        left = np.zeros_like(self.turned)
        left[here] = self.turned[here] * (log_depth[there] - log_depth[here]) - self.slope[here]
        return left

    def lean_on(self, guess: Float64, trust: Float64, focal_grid: float) -> None:
        """Cut the equations at the steps of a guess (s, h, w), and follow it where the normals
        say little; only where `trust` (s, h, w) is above 0."""
        here, there = _first(self.axis), _second(self.axis)
        trusted = self.weight > 0
        trusted[here] &= (trust[here] > 0) & (trust[there] > 0)
        self.step[here] = guess[there] - guess[here]
        self.least = np.where(trusted, LEAST_WEIGHT, 0.0)
        left_px = np.where(trusted, self.left_over(guess) * focal_grid, 0.0)
        self.weaken(left_px / UNEXPLAINED_PX)

    def weaken(self, unusual: Float64) -> None:
        """Welsch's weights: 1 / e is left of an equation where `unusual` (s, h, w) is 1."""
        self.weight = (self.weight > 0) * np.exp(-(unusual**2))

    def edge_weight(self) -> Float64:
        return np.maximum(self.weight * self.turned**2, self.least)

    def right_hand_side(self) -> Float64:
        there = _second(self.axis)
        own = self.weight * self.turned
        force = own * self.slope + np.maximum(self.least - own * self.turned, 0.0) * self.step
        total = -force
        total[there] += force[_first(self.axis)]
        return total


def _first(axis: int) -> tuple[slice, ...]:
    return tuple(slice(None, -1) if k == axis else slice(None) for k in range(3))


def _second(axis: int) -> tuple[slice, ...]:
    return tuple(slice(1, None) if k == axis else slice(None) for k in range(3))


def _rim_steps(
    normal: Float32, rays: Float64, focal_grid: float, guess: Float64, rim: Rim
) -> tuple[Float64, Float64]:
    """Steps (2, n) of log depth from rim pixels to the outline, and the joint's weight (n,)."""
    rows, columns = np.nonzero(rim.pixels)
    ray = rays[rows, columns]
    offset = np.zeros_like(ray)
    offset[:, :2] = (rim.foot - np.stack([columns, rows], axis=1)) / focal_grid
    at_foot = ray + offset
    tangent = np.stack([-rim.outward[:, 1], rim.outward[:, 0], np.zeros(len(ray))], axis=1)
    facing = np.cross(tangent, at_foot)
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    facing *= np.sign((facing[:, :2] * rim.outward).sum(axis=1))[:, None]
    m = (normal[:, rows, columns] + facing) / 2
    turned = (m * (ray + offset / 2)).sum(axis=-1)
    # A front that faces away already, or a back that faces the camera, is as good as at the rim.
    sense = np.array([[-1.0], [1.0]])
    seen = (sense * turned > LEAST_TURNED).all(axis=0)
    turned = sense * np.maximum(sense * turned, LEAST_TURNED)
    steps = -(m * offset).sum(axis=-1) / turned
    steps = -sense * np.maximum(-sense * steps, 0.0)
    joint = seen * RIM_WEIGHT / (1 / turned**2).sum(axis=0)
    # Where the picture cuts the body the surface does not turn away: it stays open as the body's.
    beyond = (guess[1] - guess[0])[rows, columns] - (steps[0] - steps[1])
    joint /= (1 + (beyond * focal_grid / CUT_PX) ** 2) ** 2
    return steps, joint


def _kept_apart(log_depth: Float64, least: Float64) -> Float64:
    """What is still too close moves along the rays about the middle."""
    middle = log_depth.mean(axis=0)
    half = np.maximum(log_depth[1] - log_depth[0], least) / 2
    return np.stack([middle - half, middle + half])
