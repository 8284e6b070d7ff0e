"""The outline of a part where other parts hide it, completed from the body.

Photo Wake-Up section 4.4: a run of a part's border that only exists because something lies over
it gives way to the body's own outline, moved by the similarity that takes the ends of the body's
run to the ends of the border's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ...errors import PersonError
from ...types import Float64, Mask
from ..outline import contour

SPACING_PX = 2.0  # grid pixels between points of the outlines
SEEN_PX = 3.0  # grid pixels: an outline this near to what the photo shows is the photo's
# A run whose ends lie this many times nearer to or farther from each other than the body's is
# matched to the wrong run: the body's outline stays where the warp has carried it.
LARGEST_STRETCH = 1.6


def complete(own: Mask, body: Mask, hidden: Mask) -> Mask:
    """(h, w) bool: a part's whole region, from where the photo shows it (own), the body's part as
    the warp has carried it to the picture (body), and where something may lie over it (hidden).

    Parameters
    ----------
    own : Mask
        (h, w).
    body : Mask
        (h, w).
    hidden : Mask
        (h, w).

    Returns
    -------
    Mask
        (h, w).
    """
    joined = own | (body & hidden)
    if not (joined & ~own).any() or not own.any():
        return joined
    # The body's run is looked up on the outline that the warp has carried: the warp has matched
    # the outlines already, so that the nearest point is the matching one.
    try:
        target = contour.trace(body.astype(np.float32)).outer
        loop = contour.trace(joined.astype(np.float32)).outer
    except PersonError:  # nothing but filaments: no outline to complete
        return joined
    target = contour.smooth(contour.resample(target, SPACING_PX), 1.0)
    loop = contour.resample(loop, SPACING_PX)
    seen = _on_seen_outline(loop, own, hidden)
    if seen.all() or not seen.any():
        return joined
    outline = contour.Outline(_with_runs(loop, seen, target), ())
    region = contour.rasterise(outline, (own.shape[0], own.shape[1]))
    return own | (region & hidden)


def _on_seen_outline(loop: Float64, own: Mask, hidden: Mask) -> npt.NDArray[np.bool_]:
    """(n,) bool: points of the loop where the photo itself shows the part's outline."""
    # Own pixels beside something that lies over the part end where that begins, not by themselves.
    rows, columns = np.nonzero(hidden & ~own)
    to_hidden, _ = cKDTree(np.stack([columns, rows], axis=1)).query(loop)
    return to_hidden > SEEN_PX


def _with_runs(loop: Float64, seen: npt.NDArray[np.bool_], target: Float64) -> Float64:
    """The loop (n, 2) with each run of unseen points replaced by the matching run of the target."""
    n = len(loop)
    first = int(np.flatnonzero(seen & ~np.roll(seen, -1))[0])  # the last seen one before a run
    loop, seen = np.roll(loop, -first, axis=0), np.roll(seen, -first)
    ends = np.flatnonzero(seen)
    _, nearest = cKDTree(target).query(loop)
    pieces = []
    for start, end in zip(ends, np.append(ends[1:], n), strict=True):
        pieces.append(loop[start : start + 1])
        if end - start > 1:
            pieces.append(_moved_run(loop, int(start), int(end), nearest, target))
    return np.vstack(pieces)


def _moved_run(
    loop: Float64, start: int, end: int, nearest: npt.NDArray[np.int64], target: Float64
) -> Float64:
    """The target's run between the points matched to `start` and `end`, its ends laid on theirs;
    the loop's own run where the two do not correspond."""
    kept = loop[start + 1 : end]
    stop = end % len(loop)
    a, b = int(nearest[start]), int(nearest[stop])
    steps = (b - a) % len(target)
    run = target[(a + np.arange(steps + 1)) % len(target)]
    # Outlines of one sense: a run that goes around the other way is much longer than the border's.
    if steps == 0 or steps > 2 * (len(kept) + 1) + len(target) // 20:
        return kept
    z = run[:, 0] + 1j * run[:, 1]
    w = loop[[start, stop]] @ np.array([1, 1j])
    across = z[-1] - z[0]
    if abs(across) < 1e-6:
        return kept
    turn = (w[1] - w[0]) / across
    if not 1 / LARGEST_STRETCH <= abs(turn) <= LARGEST_STRETCH:
        return kept
    moved = w[0] + turn * (z - z[0])
    return np.stack([moved.real, moved.imag], axis=1)[1:-1]
