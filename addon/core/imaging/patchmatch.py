"""PatchMatch: the nearest-neighbour field of a picture's patches, and what is painted from it.

Barnes, Shechtman, Finkelstein, Goldman, "PatchMatch" (SIGGRAPH 2009), made data-parallel: at one
step length all targets are offered their neighbours' offsets at once, as jump flooding does. The
field's patches vote for colours as in Wexler, Shechtman, Irani, "Space-Time Completion of Video"
(PAMI 2007).

`inpainting` and `texture_synthesis` differ in what they describe patches by, in how far random
search goes, and in how a level of the pyramid follows from the one before: one halves its levels,
the other reduces the full picture to each, by labels, so that their fields' refinement is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..types import AnyArray, Float32, Float64, Int32, Mask
from .patch_descriptors import PATCH_AREA, PATCH_RADIUS

NO_SOURCE = -1  # label of pixels that may not be copied
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))
SHRINKING = 2.5  # of random search's radius from one jump to the next
LEAST_DIFFERENCE = 0.1 / 255  # grey levels (0..1) per pixel, below which patches are the same

Labels = npt.NDArray[np.int16]


@dataclass(eq=False)
class Field:
    """The nearest-neighbour field: the source patch that each target's patch resembles most.

    target : (T, 2), row and column, each once
    source : (T, 2)
    cost : (T,), squared distance of the descriptors
    """

    target: Int32
    source: Int32
    cost: Float32

    @classmethod
    def of(cls, target: Int32, source: Int32) -> Field:
        """A field whose costs are not known yet.

        Parameters
        ----------
        target : Int32
            (T, 2), row and column.
        source : Int32
            (T, 2).

        Returns
        -------
        Field
            Its costs are infinite.
        """
        return cls(target, source, np.full(len(target), np.inf, np.float32))


def random_sources(labels: Labels, wanted: Labels, rng: np.random.Generator) -> Int32:
    """A random source of its label for each target.

    Parameters
    ----------
    labels : Labels
        (h, w), the sources' labels, `NO_SOURCE` elsewhere; has all that are wanted.
    wanted : Labels
        (T,), the targets' labels.
    rng : np.random.Generator
        Decides all that is random.

    Returns
    -------
    Int32
        (T, 2), row and column.
    """
    source = np.empty((len(wanted), 2), np.int32)
    for label in np.unique(wanted):
        of_label = np.nonzero(wanted == label)[0]
        choice = np.argwhere(labels == label)
        source[of_label] = choice[rng.integers(0, len(choice), len(of_label))]
    return source


class Search:
    """The search for a field's sources on one level, which it changes in place."""

    def __init__(
        self, field: Field, descriptors: Float32, sought: Float32, labels: Labels, wanted: Labels
    ) -> None:
        """Compute what the field's present sources cost.

        Parameters
        ----------
        field : Field
            Of T targets.
        descriptors : Float32
            (h, w, d) of the patches around all sources.
        sought : Float32
            (T, d) of the targets' patches.
        labels : Labels
            (h, w), the sources' labels, `NO_SOURCE` elsewhere.
        wanted : Labels
            (T,), the label that each target's source must have.
        """
        height, width = labels.shape
        self._field = field
        self._size = np.array([height, width], np.int32)
        self._descriptors = descriptors.reshape(height * width, -1)
        self._sought = sought
        self._labels, self._wanted = labels.ravel(), wanted
        self._everyone = np.arange(len(field.target))
        self._index = np.full((height, width), -1, np.int32)
        self._index[tuple(field.target.T)] = self._everyone
        field.cost[:] = np.inf
        self.offer(field.source)

    def offer(
        self,
        candidates: AnyArray,
        which: npt.NDArray[np.intp] | None = None,
        slack: float = 1.0,
    ) -> None:
        """Take the candidates that are sources of the right label and cost less.

        Parameters
        ----------
        candidates : AnyArray
            (n, 2) row and column, anywhere.
        which : npt.NDArray[np.intp] | None
            (n,) the targets that they are offered to, each once; all if None.
        slack : float
            Times the present cost: what a candidate may cost.
        """
        field = self._field
        which = self._everyone if which is None else which
        inside = ((candidates >= 0) & (candidates < self._size)).all(axis=1)
        place = np.where(inside, candidates[:, 0] * self._size[1] + candidates[:, 1], 0)
        inside &= self._labels[place] == self._wanted[which]
        which, place, candidates = which[inside], place[inside], candidates[inside]
        difference = self._descriptors[place]
        difference -= self._sought[which]
        cost = np.einsum("td,td->t", difference, difference)
        better = cost < slack * field.cost[which]
        field.cost[which[better]] = cost[better]
        field.source[which[better]] = candidates[better]

    def propagate(
        self,
        step: int,
        slack: float = 1.0,
        directions: Sequence[tuple[int, int]] = NEIGHBOURS,
    ) -> None:
        """Offer each target the offsets of the targets beside it.

        Parameters
        ----------
        step : int
            Pixels to them.
        slack : float
            As for `offer`.
        directions : Sequence[tuple[int, int]]
            Rows and columns, one after the other.
        """
        field = self._field
        for direction in directions:
            shift = np.array(direction, np.int32) * np.int32(step)
            beside = field.target + shift
            np.clip(beside, 0, self._size - 1, out=beside)
            neighbour = self._index[beside[:, 0], beside[:, 1]]
            which = np.nonzero(neighbour >= 0)[0]
            self.offer(field.source[neighbour[which]] - shift, which, slack)

    def jump(self, reach: tuple[float, float], rng: np.random.Generator) -> None:
        """Offer random places around the sources, ever nearer: down to a pixel sideways.

        Parameters
        ----------
        reach : tuple[float, float]
            Rows and columns of the first and widest jump; at least a pixel each is tried.
        rng : np.random.Generator
            Decides all that is random.
        """
        field = self._field
        radius = np.array(reach, np.float64)
        while radius[1] >= 1:
            jump = rng.uniform(-1, 1, field.source.shape) * np.maximum(radius, 1)
            self.offer(field.source + np.rint(jump).astype(np.int32))
            radius /= SHRINKING


def typical_cost(cost: Float32) -> float:
    """Wexler's sigma squared: the 75th percentile, at least a tenth of a grey level per pixel.

    Parameters
    ----------
    cost : Float32
        (T,).

    Returns
    -------
    float
        Above 0.
    """
    return max(float(np.percentile(cost, 75)), PATCH_AREA * LEAST_DIFFERENCE**2)


def similarity(cost: Float32) -> Float32:
    """Weights of votes by how alike the patches are (Wexler's equation 3).

    Parameters
    ----------
    cost : Float32
        (T,).

    Returns
    -------
    Float32
        (T,), 0..1.
    """
    return np.exp(-cost / (2 * typical_cost(cost)))


def votes(image: Float32, field: Field, weight: Float32, bias: Float32 | None = None) -> Float32:
    """Sums of the colours that the patches over each pixel vote for.

    Parameters
    ----------
    image : Float32
        (h, w, 3), where the sources' colours come from.
    field : Field
        Of T targets.
    weight : Float32
        (T,) of each patch's votes.
    bias : Float32 | None
        (T, 3), added to a source's colours.

    Returns
    -------
    Float32
        (h, w, 4), weighted colours and weights: their quotient is the mean. 0 where no vote is.
    """
    reach, side = PATCH_RADIUS, 2 * PATCH_RADIUS + 1
    height, width = image.shape[:2]
    wide = width + 2 * reach
    # The field's pictures are padded so that no patch has to be cut.
    picture = cv2.copyMakeBorder(image, *[reach] * 4, cv2.BORDER_REFLECT_101).reshape(-1, 3)
    total = np.zeros(((height + 2 * reach) * wide, 4), np.float32)
    target = (field.target[:, 0] + reach) * wide + field.target[:, 1] + reach
    source = (field.source[:, 0] + reach) * wide + field.source[:, 1] + reach
    # All side * 3 numbers of a patch's row lie side by side: one look-up per row.
    runs = np.lib.stride_tricks.as_strided(
        picture, (len(picture) - side + 1, side, 3), (*picture.strides[:1], *picture.strides)
    )
    vote = np.empty((len(target), side, 4), np.float32)
    vote[..., 3] = weight[:, None]
    for dy in range(-reach, reach + 1):
        row = runs[source + dy * wide - reach]
        if bias is not None:
            row += bias[:, None]
        np.multiply(row, weight[:, None, None], out=vote[..., :3])
        for dx in range(side):
            # Each target once: no index repeats.
            total[target + (dy * wide + dx - reach)] += vote[:, dx]
    return total.reshape(height + 2 * reach, wide, 4)[reach:-reach, reach:-reach]


def pointed_at(
    offset: AnyArray, pixel: AnyArray, step: Float64, shape: tuple[int, int]
) -> Iterator[tuple[tuple[int, int], tuple[AnyArray, AnyArray], tuple[AnyArray, AnyArray]]]:
    """Where the offsets found on a coarser level around a pixel point at, on the full picture.

    Parameters
    ----------
    offset : AnyArray
        (h, w, 2) from targets to sources, rows and columns of the full picture.
    pixel : AnyArray
        (N, 2), row and column on the full picture.
    step : Float64
        (2,) full pixels per coarse pixel, rows and columns.
    shape : tuple[int, int]
        (H, W) of the full picture.

    Yields
    ------
    tuple[tuple[int, int], tuple[AnyArray, AnyArray], tuple[AnyArray, AnyArray]]
        For each of nine moves on the coarse level, row and column: the move, the coarse pixels
        (N,) whose offsets are followed, and the places (N,) in the full picture.
    """
    nearest = coarse_pixel(pixel, step)
    low_limit = np.array(offset.shape[:2]) - 1
    limit = np.array(shape) - 1
    for move in ((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
        low = np.clip(nearest + move, 0, low_limit)
        at = low[:, 0], low[:, 1]
        place = np.clip(pixel + np.rint(offset[at]).astype(np.int32), 0, limit)
        yield move, at, (place[:, 0], place[:, 1])


def coarse_pixel(pixel: AnyArray, step: Float64) -> Int32:
    """The pixel of a coarser level that each pixel lies in; may be one beyond its rim.

    Parameters
    ----------
    pixel : AnyArray
        (N, 2), row and column.
    step : Float64
        (2,) pixels per coarse pixel.

    Returns
    -------
    Int32
        (N, 2).
    """
    return np.rint((pixel + 0.5) / step - 0.5).astype(np.int32)


def averaged(image: Float32, known: Mask, size: tuple[int, int]) -> tuple[Float32, Float32]:
    """The picture at another size, averaged over known pixels alone.

    Parameters
    ----------
    image : Float32
        (h, w, 3), finite.
    known : Mask
        (h, w) bool.
    size : tuple[int, int]
        Width and height.

    Returns
    -------
    tuple[Float32, Float32]
        (h', w', 3), black where nothing is known, and (h', w') the share of known pixels.
    """
    share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(image * known[..., None], size, interpolation=cv2.INTER_AREA)
    return total / np.maximum(share, 1e-6)[..., None], share


def reduced(image: Float32, hole: Mask, size: tuple[int, int]) -> tuple[Float32, Mask]:
    """The picture at another size: known pixels averaged; a pixel with any hole in it is hole.

    Parameters
    ----------
    image : Float32
        (h, w, 3), 0..1.
    hole : Mask
        (h, w) bool.
    size : tuple[int, int]
        Width and height. No pixel of the hole has any influence on what is known.

    Returns
    -------
    tuple[Float32, Mask]
        (h', w', 3) and (h', w').
    """
    if size == (hole.shape[1], hole.shape[0]):
        return image, hole
    colours, share = averaged(image, ~hole, size)
    smaller = share < 1 - 1e-4
    if smaller.all():  # a thin known rest: better half a pixel's evidence than none
        smaller = share < share.max()
    return colours, smaller
