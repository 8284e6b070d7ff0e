"""Joints of a figure of which only the outline is known, from the outline's own skeleton.

Limbs are branches of the medial axis. They are found as cheapest ways from the trunk's middle to
the outline's farthest points, where a step costs the more the nearer the outline is: such ways run
along the medial axis, and unlike a thinned skeleton they have no spurs. Ends become head, hands
and feet by where they are; joints lie along the ways at the proportions of a body.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from ...errors import PersonError
from ...imaging.masks import largest_component
from ...types import Float64, Mask

GRID_PX = 150  # longer side of the figure on the grid that ways are sought on
CENTRING = 2.0  # power of the distance from the outline that a step's cost falls with
MOST_BRANCHES = 9
LEAST_BRANCH = 0.085  # of the figure's size: shorter branches are bumps, spikes of hair
LEAST_THICKNESSES = 1.1  # a branch sticks out of what it grows from by this many half widths
HEAD_CONE = 0.9  # tangent of the angle against the vertical within which the head is looked for
HEAD_SHARE = 0.16  # of the figure's height where no neck is seen, chin to crown
NOSE_SHARE = 0.45  # between chin and crown
LIMB_START = 1.6  # half widths of a limb that the trunk is thicker than where the limb begins
LOWEST_SHOULDER = 0.12  # of the height below the shoulders' level
LOWEST_HIPS = 0.5  # of the way from the chin down to the feet
SHOULDERS_SHARE = 0.24  # shoulder to shoulder over the figure's height
HIPS_SHARE = 0.12  # hip to hip
WRIST_ALONG, HAND_ALONG = 0.84, 0.97  # of an arm from shoulder to the fingers' end
KNEE_ALONG, ANKLE_ALONG, TOE_ALONG = 0.48, 0.9, 0.99  # of a leg from hip to the toes
HANGING = {"elbow": 0.17, "wrist": 0.32, "index": 0.38}  # below the shoulder, of the height
STANDING = {"knee": 0.55, "ankle": 0.94, "foot_index": 1.0}  # of the way from the hips down

Point = tuple[float, float]


def joints_of_outline(mask: Mask) -> dict[str, Point]:
    """Where a figure that faces us has its joints (`joints.EDITABLE`), photo pixels.

    Parameters
    ----------
    mask : Mask
        (H, W) bool. Our left is the figure's right. What cannot be told from the outline, such
        as arms that lie against the body, follows a body's proportions, within the mask.

    Returns
    -------
    dict[str, Point]
        Names and photo pixels.

    Raises
    ------
    PersonError
        If the mask is empty.
    """
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        raise PersonError("The mask is empty: paint the figure white.")
    x0, y0 = int(columns.min()), int(rows.min())
    part = mask[y0 : rows.max() + 1, x0 : columns.max() + 1].astype(np.float32)
    scale = min(1.0, GRID_PX / max(part.shape))
    size = (max(3, round(part.shape[1] * scale)), max(3, round(part.shape[0] * scale)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA) >= 0.4
    figure = _Figure(np.pad(small, 1))
    found = _Joints(figure).places
    back = np.array([part.shape[1] / size[0], part.shape[0] / size[1]])
    return {
        name: (
            float((point[0] - 1 + 0.5) * back[0] - 0.5 + x0),
            float((point[1] - 1 + 0.5) * back[1] - 0.5 + y0),
        )
        for name, point in found.items()
    }


class _Figure:
    """The outline's inside as a graph of pixels, grown branch by branch from the trunk."""

    def __init__(self, mask: Mask) -> None:
        self.mask = largest_component(mask, 8)
        self.depth = cv2.distanceTransform(self.mask.astype(np.uint8), cv2.DIST_L2, 5)
        self.number = np.full(self.mask.shape, -1)
        self.pixels = np.argwhere(self.mask)  # (N, 2), row and column
        self.number[self.mask] = np.arange(len(self.pixels))
        self.size = float(max(self.mask.shape))
        self._lengths, self._costs = self._graphs()
        self.centre = self._trunk_middle()
        self.branches = self._grow()

    def _graphs(self) -> tuple[coo_matrix, coo_matrix]:
        """Steps between neighbours: their length, and their cost off the medial axis."""
        starts, ends, lengths = [], [], []
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            y, x = np.nonzero(self.mask)
            inside = (y + dy < self.mask.shape[0]) & (x + dx >= 0) & (x + dx < self.mask.shape[1])
            y, x = y[inside], x[inside]
            both = self.mask[y + dy, x + dx]
            y, x = y[both], x[both]
            starts.append(self.number[y, x])
            ends.append(self.number[y + dy, x + dx])
            lengths.append(np.full(len(y), float(np.hypot(dy, dx))))
        a, b, length = (np.concatenate(parts) for parts in (starts, ends, lengths))
        depth = self.depth[self.mask]
        middle = (depth[a] + depth[b]) / 2
        cost = length / np.maximum(middle, 0.5) ** CENTRING
        count = len(self.pixels)
        shape = (count, count)
        return (
            coo_matrix((length, (a, b)), shape=shape).tocsr(),
            coo_matrix((cost, (a, b)), shape=shape).tocsr(),
        )

    def _trunk_middle(self) -> int:
        """The pixel deep inside that lies nearest to the figure's middle, all in all."""
        depth = self.depth[self.mask].astype(np.float64)
        weight = depth**2
        middle = (self.pixels * weight[:, None]).sum(axis=0) / weight.sum()
        away = np.linalg.norm(self.pixels - middle, axis=1) / self.size
        return int(np.argmax(depth / depth.max() - 1.5 * away))

    def _grow(self) -> list[Float64]:
        """Ways (n, 2) of x, y from the trunk's middle to ends, the farthest first."""
        _, before = dijkstra(
            self._costs, directed=False, indices=self.centre, return_predecessors=True
        )
        depth = self.depth[self.mask]
        tree = [self.centre]
        branches: list[Float64] = []
        while len(branches) < MOST_BRANCHES:
            away, _, root = dijkstra(
                self._lengths, directed=False, indices=tree, min_only=True,
                return_predecessors=True,
            )  # fmt: skip
            # How far an end sticks out of the flesh around the branch that it would grow from.
            out = np.where(np.isfinite(away), away - LEAST_THICKNESSES * depth[root], -1.0)
            end = int(np.argmax(out))
            if out[end] < LEAST_BRANCH * self.size:
                break
            way = [end]
            while way[-1] != self.centre:
                way.append(int(before[way[-1]]))
            tree = sorted(set(tree) | set(way))
            branches.append(self.pixels[way[::-1]][:, ::-1].astype(np.float64))
        return branches

    def depth_at(self, way: Float64) -> Float64:
        """Half widths along a way."""
        return self.depth[way[:, 1].astype(int), way[:, 0].astype(int)].astype(np.float64)

    def inside(self, point: Float64) -> Float64:
        """The point, or the nearest one of the figure."""
        x, y = np.rint(point).astype(int)
        within = 0 <= y < self.mask.shape[0] and 0 <= x < self.mask.shape[1]
        if within and self.mask[y, x]:
            return np.asarray(point, np.float64)
        nearest = np.argmin(np.linalg.norm(self.pixels[:, ::-1] - point, axis=1))
        return self.pixels[nearest][::-1].astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Ends:
    """Which ways lead to head, hands and feet; None if there is no such branch."""

    head: Float64 | None
    hands: dict[str, Float64 | None]
    feet: dict[str, Float64 | None]


class _Joints:
    """Joints from a figure's branches."""

    def __init__(self, figure: _Figure) -> None:
        self.figure = figure
        rows, _columns = np.nonzero(figure.mask)
        self.top, self.bottom = float(rows.min()), float(rows.max())
        self.height = self.bottom - self.top + 1
        self.centre = figure.pixels[figure.centre][::-1].astype(np.float64)
        ends = self._ends(figure.branches)
        self.places: dict[str, Float64] = {}
        self.chin = self._head(ends)
        self._arms(ends, self.chin)
        self._legs(ends)

    def _ends(self, branches: list[Float64]) -> _Ends:
        rest = list(branches)
        heads = [
            way
            for way in rest
            if self.centre[1] - way[-1][1] > 0.5 * abs(way[-1][0] - self.centre[0]) / HEAD_CONE
            and way[-1][1] < self.centre[1]
        ]
        head = max(heads, key=self._headness, default=None)
        if head is not None:
            rest = _without(rest, head)
        feet = self._pair([way for way in rest if self._is_foot(way)], lowest=True)
        for foot in feet.values():
            rest = _without(rest, foot) if foot is not None else rest
        lowest_foot = max((f[-1][1] for f in feet.values() if f is not None), default=self.bottom)
        upper = [way for way in rest if way[-1][1] < lowest_foot - 0.1 * self.height]
        return _Ends(head, self._pair(upper, lowest=False), feet)

    def _headness(self, way: Float64) -> float:
        """Heads are above the trunk, upright, and thick up to their end."""
        step = way[-1] - self.centre
        upright = -step[1] / max(float(np.linalg.norm(step)), 1e-6)
        last = self.figure.depth_at(way)[len(way) // 2 :]
        return float(upright * (1 + np.median(last) / self.figure.depth.max()))

    def _is_foot(self, way: Float64) -> bool:
        """Feet end below the trunk, farther down than to the side, in the lower part."""
        step = way[-1] - self.centre
        low = way[-1][1] > self.bottom - 0.3 * self.height
        return bool(low and step[1] > 0.55 * abs(step[0]))

    def _pair(self, ways: list[Float64], lowest: bool) -> dict[str, Float64 | None]:
        """The figure's left and right one: on our right and left, the lowest or the longest."""

        def rank(way: Float64) -> float:
            return float(way[-1][1]) if lowest else _length(way)

        chosen = sorted(ways, key=rank, reverse=True)
        if lowest:
            # A heel, or the toes of a foot seen from the side, are no second leg.
            kept: list[Float64] = []
            for way in chosen:
                if all(_shared(way, other) < 0.75 for other in kept):
                    kept.append(way)
            pair = sorted(kept[:2], key=lambda way: float(way[-1][0]))
            if len(pair) == 2:
                return {"right": pair[0], "left": pair[1]}
            chosen = pair
        sides: dict[str, Float64 | None] = {"left": None, "right": None}
        for way in chosen:
            side = "left" if way[-1][0] >= self.centre[0] else "right"
            if sides[side] is None:
                sides[side] = way
        return sides

    def _head(self, ends: _Ends) -> Float64:
        """Place the nose; returns the chin."""
        if ends.head is None:
            # No branch: the trunk's top is the head's.
            column = np.nonzero(self.figure.mask[int(self.top) + 1])[0]
            crown = np.array([float(column.mean()), self.top])
            chin = crown + [0.0, HEAD_SHARE * self.height]
        else:
            crown = ends.head[-1]
            chin = self._neck(ends.head)
        self.places["nose"] = self.figure.inside(chin + NOSE_SHARE * (crown - chin))
        return chin

    def _neck(self, way: Float64) -> Float64:
        """Where the way to the crown is narrowest between two wider stretches; else at a body's
        proportion below the crown."""
        depth = self.figure.depth_at(way)
        lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
        best, narrowness = None, 0.9
        for k in range(2, len(way) - 2):
            below, above = depth[:k].max(), depth[k:].max()
            share = depth[k] / max(min(below, above), 1e-6)
            if share < narrowness and lengths[-1] - lengths[k] > 0.05 * self.height:
                best, narrowness = k, share
        if best is not None:
            return way[best]
        return _along(way, max(0.0, 1 - HEAD_SHARE * self.height / max(_length(way), 1e-6)))

    def _arms(self, ends: _Ends, chin: Float64) -> None:
        down = self.centre - chin
        down /= max(float(np.linalg.norm(down)), 1e-6)
        level = chin + down * 0.05 * self.height
        for side, sign in (("left", 1.0), ("right", -1.0)):
            across = np.array([-down[1], down[0]]) * -sign
            across = across if across[0] * sign > 0 else -across
            guess = self.figure.inside(level + across * SHOULDERS_SHARE / 2 * self.height)
            way = ends.hands[side]
            if way is None:
                for name, share in HANGING.items():
                    hanging = guess + np.array([0.25 * sign * share, share]) * self.height
                    self.places[f"{side}_{name}"] = self.figure.inside(hanging)
                self.places[f"{side}_shoulder"] = guess
                continue
            limb = way[self._limb_start(way) :]
            # An arm that leaves the trunk below the shoulder has hung along it down to there.
            low = float((limb[0] - level) @ down) > LOWEST_SHOULDER * self.height
            shoulder = guess if low else limb[0]
            whole = np.vstack([shoulder, limb])
            self.places[f"{side}_shoulder"] = self.figure.inside(shoulder)
            self.places[f"{side}_elbow"] = _along(whole, WRIST_ALONG / 2)
            self.places[f"{side}_wrist"] = _along(whole, WRIST_ALONG)
            self.places[f"{side}_index"] = _along(whole, HAND_ALONG)

    def _legs(self, ends: _Ends) -> None:
        feet = [way for way in ends.feet.values() if way is not None]
        starts = {
            side: way[self._limb_start(way)] for side, way in ends.feet.items() if way is not None
        }
        if len(feet) == 2:
            hips = np.mean(list(starts.values()), axis=0)
        else:
            hips = self.centre.copy()
        # Legs that come out of a skirt or trousers begin higher than they are seen to.
        chin = self.chin[1]
        hips[1] = min(hips[1], chin + LOWEST_HIPS * (self.bottom - chin))
        bottom = feet[0][-1] if len(feet) == 1 else np.array([hips[0], self.bottom])
        for side, sign in (("left", 1.0), ("right", -1.0)):
            way = ends.feet[side]
            aside = np.array([sign * HIPS_SHARE / 2 * self.height, 0.0])
            if len(feet) < 2 or way is None:
                # A skirt, or legs together: both go down to the same place.
                self.places[f"{side}_hip"] = self.figure.inside(hips + aside)
                for name, share in STANDING.items():
                    place = hips + share * (bottom - hips) + 0.6 * aside
                    self.places[f"{side}_{name}"] = self.figure.inside(place)
                continue
            start = starts[side].copy()
            spread = np.clip(abs(start[0] - hips[0]), abs(aside[0]), 2 * abs(aside[0]))
            hip = self.figure.inside(np.array([hips[0] + sign * spread, min(start[1], hips[1])]))
            self.places[f"{side}_hip"] = hip
            limb = np.vstack([hip, way[self._limb_start(way) :]])
            self.places[f"{side}_knee"] = _along(limb, KNEE_ALONG)
            self.places[f"{side}_ankle"] = _along(limb, ANKLE_ALONG)
            self.places[f"{side}_foot_index"] = _along(limb, TOE_ALONG)

    def _limb_start(self, way: Float64) -> int:
        """Where a limb leaves the trunk: from there on the way is about as thin as its outer
        half."""
        depth = self.figure.depth_at(way)
        limb = float(np.median(depth[len(depth) // 2 :]))
        thick = np.nonzero(depth > LIMB_START * limb)[0]
        return min(int(thick[-1]) + 1 if len(thick) else 0, len(way) - 2)


def _length(way: Float64) -> float:
    return float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())


def _along(way: Float64, share: float) -> Float64:
    """The point at a share 0..1 of a way's length."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    at = share * lengths[-1]
    return np.array([np.interp(at, lengths, way[:, k]) for k in range(2)])


def _shared(a: Float64, b: Float64) -> float:
    """Share of the shorter way that both go together."""
    together = {tuple(p) for p in a.tolist()} & {tuple(p) for p in b.tolist()}
    return len(together) / min(len(a), len(b))


def _without(ways: list[Float64], gone: Float64) -> list[Float64]:
    return [way for way in ways if way is not gone]
