"""What is measured of a finished result, for report.json and the panel."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from ..perception.detection.upright import turn_of
from ..result import WakeUpResult, present
from ..types import Floats, Int32, Mask, UInt8

# A warp that folds or invents more than this of the silhouette shows in the picture.
_FOLDOVER_WORTH_SAYING = 0.02
_HOLES_WORTH_SAYING = 0.15
_COLLAPSE_WORTH_SAYING = 0.2
# Good results have 0.99 and 40 dB (`make bench`): these are seen at a glance to be another person's
# outline, and another picture than the photo.
_LEAST_SILHOUETTE_IOU = 0.9
_LEAST_FIRST_FRAME_PSNR_DB = 20.0
_EQUAL_PSNR_DB = 99.0  # stands for infinity, which JSON does not know


def watertight(triangles: Int32) -> bool:
    """Whether every edge is shared by exactly two triangles that run it in opposite directions:
    closed, without boundary, without non-manifold edges, consistently oriented.

    Parameters
    ----------
    triangles : Int32
        (T, 3).

    Returns
    -------
    bool
        True if it is closed.
    """
    directed = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    base = int(triangles.max()) + 1
    forth = directed[:, 0].astype(np.int64) * base + directed[:, 1]
    back = directed[:, 1].astype(np.int64) * base + directed[:, 0]
    forth.sort()
    back.sort()
    return bool((np.diff(forth) > 0).all()) and np.array_equal(forth, back)


def signed_volume(vertices: Floats, triangles: Int32) -> float:
    """Cubic metres enclosed (divergence theorem); positive where normals point outward.

    Parameters
    ----------
    vertices : Floats
        (V, 3) metres.
    triangles : Int32
        (T, 3) vertices.

    Returns
    -------
    float
        Cubic metres.
    """
    a, b, c = (vertices[triangles[:, corner]].astype(np.float64) for corner in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def intersection_over_union(a: Mask, b: Mask) -> float:
    """Of two masks (H, W); 1 where both are empty.

    Parameters
    ----------
    a : Mask
        (H, W).
    b : Mask
        (H, W).

    Returns
    -------
    float
        0..1.
    """
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def peak_signal_to_noise_db(picture: UInt8, reference: UInt8) -> float:
    """Peak signal-to-noise ratio in decibels of 8-bit pictures of one shape; 99 where they are
    equal.

    Parameters
    ----------
    picture : UInt8
        (H, W, 3), or any other shape.
    reference : UInt8
        (H, W, 3), the same shape.

    Returns
    -------
    float
        Decibels.
    """
    error = float(np.mean((picture.astype(np.float64) - reference) ** 2))
    return 10 * math.log10(255**2 / error) if error > 0 else _EQUAL_PSNR_DB


def compare_with_photo(
    first_frame: UInt8, photo: UInt8, silhouette: Mask, people: Iterable[Mask]
) -> dict[str, float]:
    """The report's figures of how well the rendered first frame repeats the photo.

    Parameters
    ----------
    first_frame : UInt8
        (H, W, 3).
    photo : UInt8
        (H, W, 3).
    silhouette : Mask
        (H, W), where characters are rendered.
    people : Iterable[Mask]
        (H, W) each, the masks that the characters were made from.

    Returns
    -------
    dict[str, float]
        `silhouette_iou`, 0..1, and `first_frame_psnr_db`, decibels.
    """
    everyone = np.logical_or.reduce(list(people))
    return {
        "silhouette_iou": round(intersection_over_union(silhouette, everyone), 5),
        "first_frame_psnr_db": round(peak_signal_to_noise_db(first_frame, photo), 2),
    }


def warnings_of_comparison(compared: dict[str, float]) -> list[str]:
    """A sentence for each figure of `compare_with_photo` that indicates a wrong result.

    Parameters
    ----------
    compared : dict[str, float]
        What `compare_with_photo` gave.

    Returns
    -------
    list[str]
        Sentences for the user; empty if all is well.
    """
    iou, psnr_db = compared["silhouette_iou"], compared["first_frame_psnr_db"]
    warnings = []
    if iou < _LEAST_SILHOUETTE_IOU:
        warnings.append(
            f"The character's outline is not the person's (overlap {iou:.2f} of 1): correct the "
            "mask or the joints, or choose a photo that shows all of the person."
        )
    if psnr_db < _LEAST_FIRST_FRAME_PSNR_DB:
        warnings.append(
            f"The first frame differs from the photo ({psnr_db:.1f} dB): compare the two, and "
            "correct the mask or the joints where the character is wrong."
        )
    return warnings


def warnings_of(result: WakeUpResult) -> list[str]:
    """A sentence for each thing of the photo or the character that is likely to show.

    Parameters
    ----------
    result : WakeUpResult
        With all stages up to the character.

    Returns
    -------
    list[str]
        Sentences for the user.
    """
    built = present(result.build, "build")
    measured = built.report
    warnings = list(present(result.photo, "photo").remarks)
    solve = result.fitted.solve if result.fitted else None
    if solve is not None and not solve.converged:
        warnings.append(
            "The body's pose had not settled when the fit ended: see whether it is right."
        )
    person = result.person
    if person is not None and turn_of(person.detection.landmarks) and not person.detection.is_drawn:
        warnings.append(
            "The person does not stand upright in the photo: turn the photo where it was taken so."
        )
    if not all(warp.integration.converged for warp in measured.warps):
        warnings.append(
            "The surface had not settled when its computation ended: look at the character from "
            "the side, and correct the mask or the joints where it is wrong."
        )
    if measured.foldover_fraction > _FOLDOVER_WORTH_SAYING:
        warnings.append("The body fits the outline badly in places: parts of it may be torn.")
    if measured.hole_fraction > _HOLES_WORTH_SAYING:
        warnings.append("Much of the surface was hidden and had to be made up.")
    if measured.collapsed_fraction > _COLLAPSE_WORTH_SAYING:
        warnings.append("Stretches of the outline have no counterpart on the body.")
    if not watertight(built.character.triangles):
        warnings.append("The mesh is not closed.")
    warnings += result.motion_notes
    if result.motion is not None:
        warnings.extend(result.motion.warnings)
    return warnings


def describe(result: WakeUpResult) -> dict[str, Any]:
    """The report's figures that follow from the values alone, ready for JSON.

    Parameters
    ----------
    result : WakeUpResult
        With all stages up to the character.

    Returns
    -------
    dict[str, Any]
        Numbers, texts, lists and dictionaries alone.
    """
    photo = present(result.photo, "photo")
    built, fitted = present(result.build, "build"), present(result.fitted, "fitted")
    character, measured = built.character, built.report
    return {
        "photo": {"name": photo.name, "width": photo.width, "height": photo.height},
        "people": len(result.people) if result.people is not None else None,
        "camera": {
            "focal_px": fitted.camera.focal_px,
            "from_exif": fitted.camera.focal_px == photo.focal_px,
        },
        "fit": None if fitted.solve is None else asdict(fitted.solve),
        "integration": {warp.layer: asdict(warp.integration) for warp in measured.warps},
        "motion": result.motion_name,
        "stages": {
            name: {
                "seconds": round(cost.seconds, 3),
                "peak_memory_mb": round(cost.peak_memory_mb, 1),
            }
            for name, cost in result.costs.items()
        },
        "hole_fraction": round(measured.hole_fraction, 5),
        "foldover_fraction": round(measured.foldover_fraction, 5),
        "collapsed_fraction": round(measured.collapsed_fraction, 5),
        "vertices": len(character.vertices),
        "triangles": len(character.triangles),
        "watertight": watertight(character.triangles),
        "outward": signed_volume(character.vertices, character.triangles) > 0,
        "warnings": warnings_of(result),
    }
