"""The seed: what is begun from it, and that nothing else has a say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from photo_wake_up.addon.core.background import plate
from photo_wake_up.addon.core.body import stage as body_stage
from photo_wake_up.addon.core.body.fit import body_fit
from photo_wake_up.addon.core.body.fit.silhouette_term import surface_samples
from photo_wake_up.addon.core.character import build
from photo_wake_up.addon.core.character import stage as character_stage
from photo_wake_up.addon.core.character.texture import charts
from photo_wake_up.addon.core.imaging.seeded_opencv import grab_cut, k_means
from photo_wake_up.addon.core.perception import stages as perception_stages
from photo_wake_up.addon.core.perception.detection import people
from photo_wake_up.addon.core.perception.drawings import figure_ground_segmentation
from photo_wake_up.addon.core.perception.segmentation import masks
from photo_wake_up.addon.core.pipeline.stages import STAGES
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import OPTIONS, WakeUpSettings
from photo_wake_up.addon.core.stage import Inputs
from photo_wake_up.addon.core.types import Photo

SEED = 2**31 + 5  # more than OpenCV takes


def _samples() -> np.ndarray:
    """(N, 3) without clusters: where k-means ends depends on where it begins."""
    return np.random.default_rng(3).random((500, 3), np.float32)


def _clusters(seed: int) -> np.ndarray:
    return k_means(_samples(), 12, iterations=3, least_move=0.0, attempts=1, seed=seed)[1]


def test_clusters_depend_on_the_seed_alone():
    first = _clusters(4)
    cv2.setRNGSeed(99)
    cv2.randu(np.empty(7), 0, 1)
    assert np.array_equal(_clusters(4), first)
    assert not np.array_equal(_clusters(5), first)
    assert np.array_equal(_clusters(SEED), _clusters(5))
    # A seed of 0 is OpenCV's own 0.
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 3, 0.0)
    _, _, centres = cv2.kmeans(_samples(), 12, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    assert np.array_equal(_clusters(0), centres)


def _cut(seed: int) -> np.ndarray:
    """A patchwork whose colours could be grouped in several ways."""
    patches = np.random.default_rng(8).integers(0, 256, (10, 10, 3), dtype=np.uint8)
    picture = cv2.resize(patches, (80, 80), interpolation=cv2.INTER_CUBIC)
    labels = np.full((80, 80), cv2.GC_PR_BGD, np.uint8)
    labels[20:60, 20:60] = cv2.GC_PR_FGD
    labels[36:44, 36:44] = cv2.GC_FGD
    labels[:2] = cv2.GC_BGD
    grab_cut(picture, labels, 1, seed)
    return labels


def test_a_cut_depends_on_the_seed_alone():
    first = _cut(0)
    cv2.randu(np.empty(7), 0, 1)
    assert np.array_equal(_cut(0), first)
    assert any(not np.array_equal(_cut(seed), first) for seed in range(1, 9))


def test_the_surface_is_sampled_by_the_seed(body):
    assert np.array_equal(surface_samples(body), surface_samples(body, 0))
    assert not np.array_equal(surface_samples(body, 1), surface_samples(body, 0))
    assert np.array_equal(surface_samples(body, SEED), surface_samples(body, SEED))


def test_a_figure_in_a_box_is_cut_with_the_seed(monkeypatch):
    seeds = []

    monkeypatch.setattr(
        figure_ground_segmentation, "grab_cut", lambda *given: seeds.append(given[-1])
    )
    noise = np.random.default_rng(1).integers(0, 256, (120, 90, 3), dtype=np.uint8)
    figure_ground_segmentation.outline_in_box(
        Photo(noise, None, None, "noise"), np.array([20, 20, 70, 100.0], np.float32), SEED
    )
    assert seeds == [SEED]


@pytest.mark.parametrize("stage", ["people", "person", "fitted", "build", "background"])
def test_every_stage_is_given_the_seed(monkeypatch, stage):
    module, name = {
        "people": (people, "find_in_box"),
        "person": (masks, "segment_person"),
        "fitted": (body_fit, "fit_body"),
        "build": (build, "build_character"),
        "background": (plate, "fill_background"),
    }[stage]
    seen: list = []

    def instead(*given, **named):
        seen.extend([*given, *named.values()])

    monkeypatch.setattr(module, name, instead)
    monkeypatch.setattr(perception_stages, "chosen_person", lambda *_given: None)
    for room in (body_stage, character_stage):
        monkeypatch.setattr(room, "body_model", lambda _settings: None)
    settings = WakeUpSettings(seed=SEED, box=(0.0, 0.0, 9.0, 9.0))

    class Anything:
        mask = matte = np.zeros((1, 1))

        def __iter__(self):
            return iter(())

    there = dict.fromkeys(STAGES, Anything())
    STAGES[stage].run(Inputs(WakeUpResult(**there), settings), lambda _progress: None)
    assert any(getattr(each, "seed", each) is settings.seed for each in seen)


def test_what_is_synthesised_begins_from_the_seed(monkeypatch):
    class Enough(Exception):
        pass

    def generator(seed):
        raise Enough(seed)

    monkeypatch.setattr(charts.np.random, "default_rng", generator)
    with pytest.raises(Enough, match=str(SEED)):
        charts.chart_images(None, None, None, None, [], seed=SEED)


def test_another_seed_makes_everything_anew():
    assert OPTIONS["seed"].stage == "people"
