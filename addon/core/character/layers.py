"""Self-occlusion: limbs that lie over or against the body become layers of their own.

Photo Wake-Up section 4.4: the silhouette is divided by a map of part labels, each part is lifted by
itself, and what an arm hides is completed from the body. A label map comes from the warp; where
an arm borders on skin or cloth that is not its neighbour on the body, the border is moved to the
picture's edges by graph cuts on colour mixtures (the paper's equation for O). An arm that borders
on nothing but its own shoulder stays in the base layer, which keeps its surface in one piece.
Beyond the paper, a leg that crosses or touches the other one is divided off too; legs that stand
apart under a skirt are not, since there the surface between them is the skirt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..body.model import BodyModel
from ..body.parts import (
    HEAD,
    LEFT_ARM,
    LEFT_LEG,
    PART_NAMES,
    RIGHT_ARM,
    RIGHT_LEG,
    TORSO,
    part_of_joint,
)
from ..body.skeleton import JOINT
from ..types import BodyMaps, Mask, UInt8
from .warp import Warp

SHOULDER_REACH_M = 0.13  # around the shoulder joint arm and trunk are neighbours on the body
HIP_REACH_M = 0.22  # around the hip joint the legs are neighbours, down to the crotch
LEAST_CONTACT = 0.03  # of the figure: a limb that touches the rest along less stays in the base
LOOSE_CLOTHES = 1.5  # leg pixels of the person over those of the body: a skirt or a robe
BAND_SHARE = 0.018  # of the figure: half width of the band where the border may move
OVERLAP_WEIGHT = 0.12  # an arm's layer takes the shoulder's faces that follow it at least so much
STUMP_WEIGHT = 0.85  # the base keeps the faces that follow the arm less than so much
GRABCUT_ROUNDS = 2
SMALLEST_LAYER = 60  # grid pixels; less is noise of the labels


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Part labels of the person's pixels."""

    part: UInt8  # (h, w), 0 outside
    known: Mask  # (h, w), where the pixel lands on the body; elsewhere the nearest label stands


@dataclass(frozen=True, eq=False)
class Limb:
    """A limb that may be divided off."""

    part: int
    root: npt.NDArray[np.float64]  # (2,) grid pixels of its first joint
    bones: npt.NDArray[np.float64]  # (k, 2) grid pixels of its joints, from root to tip
    reach_px: float  # grid pixels around the root within which touching the rest is natural
    rest: tuple[int, ...]  # the parts that it is divided from
    on_body: bool  # whether only contact that the body itself shows counts


@dataclass(frozen=True, eq=False)
class Layer:
    """A part of the person that is lifted as one closed surface.

    region : (h, w) bool, all of its silhouette, what others hide included
    own : (h, w) bool, where the photo shows it
    faces : (F,) bool, the body's faces it is made from
    """

    name: str
    region: Mask
    own: Mask
    faces: npt.NDArray[np.bool_]


def label_map(mapping: Warp, maps: BodyMaps) -> LabelMap:
    """(h, w) uint8 part labels of the person's pixels, 0 outside: the body's nearest surface,
    seen through the warp; pixels that land beside the body take the nearest label. What fills
    a gap at the head is hair, a hood or a collar, which no arm carries along."""
    x = np.nan_to_num(mapping.source[..., 0], nan=-10.0)
    y = np.nan_to_num(mapping.source[..., 1], nan=-10.0)
    labels = cv2.remap(maps.front.label, x, y, cv2.INTER_NEAREST)
    labels[~mapping.inside] = 0
    known = labels > 0
    part = np.where(mapping.inside, _nearest_label(labels, known), 0).astype(np.uint8)
    _, gaps = cv2.connectedComponents(mapping.on_gaps().astype(np.uint8), connectivity=8)
    at_head = np.zeros(gaps.max() + 1, bool)
    at_head[gaps[_grown(labels == HEAD, 1)]] = True
    at_head[0] = False
    hair = at_head[gaps] & ~known
    if hair.any() and (others := known & ~np.isin(labels, (LEFT_ARM, RIGHT_ARM))).any():
        part[hair] = _nearest_label(labels, others)[hair]
    return LabelMap(part, known)


def _nearest_label(labels: UInt8, known: Mask) -> UInt8:
    """(h, w) at each pixel the label of the nearest known one."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(nearest.max() + 1, np.uint8)
    lookup[nearest[known]] = labels[known]
    return lookup[nearest]


_LEG_JOINTS = ("hip", "knee", "ankle", "foot")


def limbs_of(
    joints: npt.NDArray[np.float64], depth: npt.NDArray[np.float64], pixels_a_metre: float
) -> list[Limb]:
    """Both arms, and of the legs the one that is nearer to the camera.

    joints : (24, 2) grid pixels; depth : (24,) metres
    """

    def limb(part: int, root: str, reach_m: float, rest: tuple[int, ...], on_body: bool) -> Limb:
        side = root.split("_")[0]
        chain = ("shoulder", "elbow", "wrist", "hand") if "shoulder" in root else _LEG_JOINTS
        bones = joints[[JOINT[f"{side}_{name}"] for name in chain]]
        return Limb(part, bones[0], bones, reach_m * pixels_a_metre, rest, on_body)

    trunk = (HEAD, TORSO, LEFT_LEG, RIGHT_LEG)
    left_nearer = depth[JOINT["left_knee"]] < depth[JOINT["right_knee"]]
    near, far = (LEFT_LEG, RIGHT_LEG) if left_nearer else (RIGHT_LEG, LEFT_LEG)
    hip = "left_hip" if left_nearer else "right_hip"
    return [
        limb(LEFT_ARM, "left_shoulder", SHOULDER_REACH_M, (*trunk, RIGHT_ARM), False),
        limb(RIGHT_ARM, "right_shoulder", SHOULDER_REACH_M, (*trunk, LEFT_ARM), False),
        limb(near, hip, HIP_REACH_M, (far,), True),
    ]


def divide(
    labels: LabelMap,
    body_labels: UInt8,
    colours: UInt8,
    inside: Mask,
    model: BodyModel,
    limbs: list[Limb],
    silhouette: Callable[[npt.NDArray[np.bool_]], Mask],
) -> list[Layer]:
    """The base layer first, then an own layer for each limb that lies over or against it.

    body_labels : (h, w) the body's own; colours : (h, w, 3); both on the crop's grid
    inside : (h, w) the person
    silhouette : from faces of the body (F,) to where the person's pixels show or hide them (h, w)
    """
    rows, columns = np.nonzero(inside)
    figure = float(max(np.ptp(rows), np.ptp(columns)))
    near_body = _grown(labels.known, 1) & ~_grown(inside & ~labels.known, 1)
    refined = labels.part.copy()
    divided: list[Limb] = []
    skirt = _area(refined, LEFT_LEG, RIGHT_LEG) > LOOSE_CLOTHES * _area(
        body_labels, LEFT_LEG, RIGHT_LEG
    )
    for limb in limbs:
        if skirt and limb.part in (LEFT_LEG, RIGHT_LEG):
            continue
        contact = _contact(refined == limb.part, np.isin(refined, limb.rest))
        if limb.on_body:
            contact &= near_body
        rows, columns = np.nonzero(contact)
        far = np.hypot(columns - limb.root[0], rows - limb.root[1]) > limb.reach_px
        if far.sum() >= LEAST_CONTACT * figure:
            divided.append(limb)
            band = max(2, round(BAND_SHARE * figure))
            refined = _follow_edges(refined, limb, colours, inside, band)

    layers = []
    taken = np.zeros_like(inside)
    base_faces = np.ones(len(model.faces), bool)
    for limb in divided:
        follows = _limb_weight(model, limb.part)
        faces = follows > OVERLAP_WEIGHT
        reachable = silhouette(faces) & inside
        rows, columns = np.indices(inside.shape)
        joined = np.hypot(columns - limb.root[0], rows - limb.root[1]) < limb.reach_px
        hidden = np.isin(refined, [other.part for other in divided if other is not limb])
        own = refined == limb.part
        region = _largest(_grown(own, 1) & inside | (reachable & (hidden | joined)))
        if (region & own).sum() < SMALLEST_LAYER:
            continue
        layers.append(Layer(PART_NAMES[limb.part], region, own & region, faces))
        taken |= own & region
        base_faces &= follows < STUMP_WEIGHT
    own = inside & ~taken
    region = (_grown(own, 2) | silhouette(base_faces)) & inside if layers else inside
    return [Layer("body", region, own, base_faces), *layers]


def _area(labels: UInt8, *parts: int) -> int:
    return int(np.isin(labels, parts).sum())


def _grown(mask: Mask, pixels: int) -> Mask:
    kernel = np.ones((2 * pixels + 1,) * 2, np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


def _limb_weight(model: BodyModel, part: int) -> npt.NDArray[np.float32]:
    """(F,) how much each face follows a limb: the mean weight of its corners."""
    of_limb = part_of_joint() == part
    return model.weights[:, of_limb].sum(axis=1)[model.faces].mean(axis=1)


def _contact(part: Mask, rest: Mask) -> Mask:
    """Pixels of a part that touch the rest."""
    return part & (cv2.dilate(rest.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _follow_edges(labels: UInt8, limb: Limb, colours: UInt8, inside: Mask, band: int) -> UInt8:
    """Move a limb's border inside of the person to the picture's edges, by graph cuts."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1,) * 2)
    part = labels == limb.part
    border = _contact(part, inside & ~part)
    open_band = (cv2.dilate(border.astype(np.uint8), disc) > 0) & inside
    known = np.where(part, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    known[~open_band & part] = cv2.GC_FGD
    known[~open_band & ~part] = cv2.GC_BGD
    # Along the bones it is limb whatever the colours say: that keeps hand and arm in one piece.
    core = np.zeros_like(known)
    cv2.polylines(core, [np.round(limb.bones).astype(np.int32)], False, 1, max(2, band // 2))
    known[(core > 0) & inside] = cv2.GC_FGD
    if not (known == cv2.GC_FGD).any():
        # A thin limb lies in the band as a whole: its middle line stays.
        depth = cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 5)
        known[part & (depth > 0.6 * depth.max())] = cv2.GC_FGD
    # Background far from the person would only blur the other mixture.
    rows, columns = np.nonzero(cv2.dilate(part.astype(np.uint8), np.ones((61, 61), np.uint8)))
    window = (
        slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    )  # fmt: skip
    cut = np.ascontiguousarray(known[window])
    picture = np.where(inside[window][..., None], colours[window], 0).astype(np.uint8)
    cv2.setRNGSeed(0)
    cv2.grabCut(
        np.ascontiguousarray(picture), cut, None, np.zeros((1, 65)), np.zeros((1, 65)),
        GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK,
    )  # fmt: skip
    chosen = np.zeros_like(part)
    chosen[window] = (cut == cv2.GC_FGD) | (cut == cv2.GC_PR_FGD)
    chosen = _largest(chosen & inside)
    result = labels.copy()
    lost = part & ~chosen
    result[chosen] = limb.part
    if lost.any():
        # What is no longer the limb belongs to whatever else is nearest.
        others = (labels > 0) & (labels != limb.part)
        _, nearest = cv2.distanceTransformWithLabels(
            (~others).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        lookup = np.zeros(nearest.max() + 1, np.uint8)
        lookup[nearest[others]] = labels[others]
        result[lost] = lookup[nearest[lost]]
    return result


def _largest(mask: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if count < 2:
        return mask
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
