"""What is measured of a result, and from where on it is a warning."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from photo_wake_up.addon.core.reports import report
from photo_wake_up.addon.core.types import SolveInfo

SHAPE = (40, 50)


def _mask(columns: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[10:30, :columns] = True
    return mask


def _grey(level: int) -> np.ndarray:
    return np.full((*SHAPE, 3), level, np.uint8)


def test_equal_pictures_and_masks_are_no_warning():
    compared = report.compare_with_photo(_grey(90), _grey(90), _mask(20), [_mask(20)])
    assert compared == {"silhouette_iou": 1.0, "first_frame_psnr_db": 99.0}
    assert report.warnings_of_comparison(compared) == []


def test_overlap_is_counted_with_everybody_together():
    left, right = _mask(20), _mask(40) & ~_mask(20)
    compared = report.compare_with_photo(_grey(9), _grey(9), _mask(40), [left, right])
    assert compared["silhouette_iou"] == 1
    compared = report.compare_with_photo(_grey(9), _grey(9), left, [left, right])
    assert compared["silhouette_iou"] == 0.5


def test_decibels_are_those_of_the_definition():
    # 255 grey levels of 8-bit pictures over an error of 51: 20 log10(5).
    compared = report.compare_with_photo(_grey(151), _grey(100), _mask(5), [_mask(5)])
    assert compared["first_frame_psnr_db"] == round(20 * np.log10(5), 2)


@pytest.mark.parametrize(
    ("iou", "psnr_db", "says"),
    [
        (0.9, 20.0, []),
        (0.89999, 20.0, ["outline"]),
        (0.9, 19.99, ["first frame"]),
        (0.0, 0.0, ["outline", "first frame"]),
    ],
)
def test_a_result_unlike_the_photo_is_a_warning(iou, psnr_db, says):
    warnings = report.warnings_of_comparison(
        {"silhouette_iou": iou, "first_frame_psnr_db": psnr_db}
    )
    assert len(warnings) == len(says)
    for warning, about in zip(warnings, says, strict=True):
        assert about in warning and "correct the mask or the joints" in warning
        assert warning.endswith(".") and warning.count(". ") == 0


@pytest.mark.parametrize("settled", [True, False])
def test_a_surface_that_did_not_settle_is_a_warning(settled):
    """Of any layer."""
    ends = (SolveInfo(9, 1e-7, True), SolveInfo(200, 0.1, settled))
    measured = SimpleNamespace(
        foldover_fraction=0, hole_fraction=0, collapsed_fraction=0,
        warps=[SimpleNamespace(integration=end) for end in ends],
    )  # fmt: skip
    tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)
    built = SimpleNamespace(report=measured, character=SimpleNamespace(triangles=tetrahedron))
    photo = SimpleNamespace(remarks=())
    result = SimpleNamespace(
        photo=photo, person=None, fitted=None, build=built, motion=None, motion_notes=()
    )
    warnings = report.warnings_of(result)
    assert len(warnings) == (0 if settled else 1)
    assert settled or "surface had not settled" in warnings[0]
