"""OpenCV's algorithms that draw random numbers, begun from a seed.

`cv2.kmeans` and `cv2.grabCut`, whose colour mixtures start from k-means, take no generator: they
draw from one that OpenCV keeps for the calling thread and that cannot be read. So it is set right
before each call, here alone; what was drawn earlier changes nothing, and no one else draws from it.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..types import Float32, Int32, UInt8

_SEEDS = 2**31  # OpenCV takes a C int that is not negative


def k_means(
    samples: Float32, count: int, iterations: int, least_move: float, attempts: int, seed: int
) -> tuple[Int32, Float32]:
    """Clusters of samples (N, d), from k-means++ (Arthur, Vassilvitskii 2007).

    Parameters
    ----------
    samples : Float32
        (N, d).
    count : int
        Of clusters.
    iterations : int
        At most so many, and none after one that moves no centre by `least_move`, in the unit of
        the samples.
    least_move : float
        Ends the iterations, in the samples' unit.
    attempts : int
        Of which the tightest is taken.
    seed : int
        Of the first clusters.

    Returns
    -------
    tuple[Int32, Float32]
        (N, 1) which cluster each sample is in, (count, d) the clusters' centres.
    """
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, iterations, least_move)
    cv2.setRNGSeed(seed % _SEEDS)
    _, assigned, centres = cv2.kmeans(
        samples, count, None, criteria, attempts, cv2.KMEANS_PP_CENTERS
    )
    return assigned, centres


def grab_cut(rgb: UInt8, labels: UInt8, rounds: int, seed: int) -> None:
    """GrabCut (Rother et al. 2004) that goes on from labels and changes them in place: cv2.GC_BGD
    and cv2.GC_FGD stay, the probable ones may change.

    Parameters
    ----------
    rgb : UInt8
        (h, w, 3).
    labels : UInt8
        (h, w), contiguous, some of the figure and some of the background.
    rounds : int
        Of mixtures and cut in turn.
    seed : int
        Of the mixtures' first clusters.
    """
    cv2.setRNGSeed(seed % _SEEDS)
    cv2.grabCut(
        np.ascontiguousarray(rgb[..., ::-1]), labels, None, np.zeros((1, 65)), np.zeros((1, 65)),
        rounds, cv2.GC_INIT_WITH_MASK,
    )  # fmt: skip
