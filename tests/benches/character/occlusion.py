"""Limbs over the body: labels against rendered people, and arms that are lifted off.

Every case is divided twice, with the body that was rendered and with the one that was fitted to
the picture. What is true is drawn from the dressed mesh itself. Fixed before measuring:

* the ambiguous region is what lies within BAND of a true border where a limb occludes (the depth
  jumps there by JUMP_M), and all of a limb that has something of the body behind it; pixels
  nearer than BORDER_PX to a true border do not count, since a pixel there is of both;
* a label is right if it names the same limb, or none where there is none (arms where arms are
  crossed over the body, legs where legs are).
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from ....addon.core import frames
from ....addon.core.body import world_pose as body_pose
from ....addon.core.body.model.body_model import BodyModel
from ....addon.core.body.model.parts import (
    LEFT_ARM,
    LEFT_LEG,
    NOTHING,
    RIGHT_ARM,
    RIGHT_LEG,
    part_of_joint,
)
from ....addon.core.body.model.skeleton import JOINT
from ....addon.core.body.rasterisation import render_maps
from ....addon.core.body.stage import body_model
from ....addon.core.character.build import build_character
from ....addon.core.character.layers.division import Division, divide
from ....addon.core.character.layers.part_segmentation import PALETTE
from ....addon.core.character.outline import contour
from ....addon.core.character.outline.warp import warp
from ....addon.core.character.working_grid import (
    FIGURE_PX,
    colours_on_grid,
    frame,
    on_grid,
    within_photo,
)
from ....addon.core.photo.image_files import save_png
from ....addon.core.settings import WakeUpSettings
from ....addon.core.types import Character, Crop, FittedBody, Mask, UInt8
from ....assets.demo import clothes
from ....assets.demo.body import make_shape
from ....assets.fit_cases.cases import FitCase, fit_cases, occlusion_cases
from ....assets.fit_cases.render_fit_cases import draws, looks_of
from ..photos import ROOT
from ..rows import Row, at_least, at_most, row
from .subjects import Subject, subject

PICTURES = ROOT / "build" / "fit_cases"
OLDER_FAMILIES = ("arms over torso", "hands on hips")  # of both seeds, beside OCCLUSION_FAMILIES
SEEDS = (1, 2)
BAND = 0.025  # of the figure's extent
BORDER_PX = 3  # grid pixels
JUMP_M = 0.02
LIFT_DEGREES = 60.0
LIFTED = ("arms_over_torso_2", "arms_crossed_1", "arms_crossed_3", "hand_to_face_1")  # of seed 1
SHEET_PX = 300  # height of a row of the sheets


@dataclass(frozen=True, eq=False)
class Case:
    """A rendered person with what is true of it."""

    case: FitCase
    seed: int
    who: Subject
    truth: FittedBody  # the undressed body
    dressed: FittedBody  # with the vertices of body, clothes and shoes ...
    mesh: BodyModel  # ... and their faces and weights

    @property
    def limbs(self) -> tuple[int, int]:
        """The limbs that matter."""
        of_legs = self.case.family == "legs crossed"
        return (LEFT_LEG, RIGHT_LEG) if of_legs else (LEFT_ARM, RIGHT_ARM)


@dataclass(frozen=True, eq=False)
class Measured:
    """One division."""

    division: Division
    crop: Crop
    inside: Mask
    right: float  # share of the ambiguous region's pixels
    in_band: float  # the same of the band alone
    foreign: float  # share of the arms' texels that are truly no arm's


@cache
def cases() -> tuple[Case, ...]:
    """All cases whose limbs lie over the body."""
    model = body_model(WakeUpSettings())
    found = []
    for seed in SEEDS:
        drawn = [case for case in fit_cases(model, seed) if case.family in OLDER_FAMILIES]
        if seed == SEEDS[0]:
            drawn += occlusion_cases(model, seed)
        for case in drawn:
            who = subject(PICTURES / f"seed_{seed}" / f"{case.name}.png")
            found.append(_with_truth(model, case, who, seed))
    return tuple(found)


def _with_truth(model: BodyModel, case: FitCase, who: Subject, seed: int) -> Case:
    scale = who.photo.width / case.camera.width  # pictures are rendered smaller than drawn
    camera = frames.default_camera(
        who.photo.width, who.photo.height, case.camera.focal_px * scale
    )  # fmt: skip
    truth = replace(case, camera=camera).truth(model)
    if not case.dressed:
        return Case(case, seed, who, truth, truth, model)
    looks, shape = looks_of(case, draws(case, seed)), make_shape(case.betas, {})
    garments = [
        clothes.trousers(shape, length=looks.legs),
        clothes.t_shirt(shape, looks.shirt_looseness_m, looks.sleeves),
    ]
    rest, weights, faces = [shape.rest], [model.weights], [model.faces]
    pieces = [(g.patch.vertices, g.patch.values[:, :24], g.patch.faces) for g in garments]
    shoes = [clothes.shoe(shape, side) for side in ("left", "right")]
    pieces += [(shoe.vertices, shoe.weights, shoe.quads) for shoe in shoes]
    for vertices, follows, corners in pieces:
        corners = np.asarray(corners)
        triangles = [corners[:, [0, k, k + 1]] for k in range(1, corners.shape[1] - 1)]
        faces.append(np.vstack(triangles) + sum(len(part) for part in rest))
        rest.append(vertices)
        weights.append(follows / follows.sum(axis=1, keepdims=True))
    vertices, follows = np.vstack(rest) * truth.scale, np.vstack(weights)
    posed = body_pose.skin_vertices(vertices, follows, truth.transforms.astype(np.float64))
    mesh = replace(
        model, template=vertices.astype(np.float32), weights=follows.astype(np.float32),
        faces=np.vstack(faces).astype(np.int32),
    )  # fmt: skip
    return Case(case, seed, who, truth, replace(truth, vertices=posed.astype(np.float32)), mesh)


def rows(out: Path) -> list[Row]:
    """Measure all; write `occlusion.png` (photo, truth, labels with the true and the own fit) and
    `occlusion_lifted.png` (photo, character, character with its arms lifted)."""
    found = cases()
    model = body_model(WakeUpSettings())
    true_fit = [_measured(each, each.truth, model) for each in found]
    own_fit = [_measured(each, each.who.fitted, model) for each in found]
    strips = [_strip(*three) for three in zip(found, true_fit, own_fit, strict=True)]
    save_png(out / "occlusion.png", _stacked(strips))
    arms = [k for k, each in enumerate(found) if LEFT_ARM in each.limbs]
    legs = [k for k, each in enumerate(found) if LEFT_LEG in each.limbs]

    def mean(measured: list[Measured], chosen: list[int], figure: str) -> float:
        return statistics.fmean(getattr(measured[k], figure) for k in chosen)

    holes = _lift(out / "occlusion_lifted.png", found, model)
    lowest = min(arms, key=lambda k: own_fit[k].right)
    return [
        at_least("arms over the body: pictures", 10, len(arms)),
        at_least("arms, own fit: pixels labelled right", 0.90, mean(own_fit, arms, "right")),
        at_least("arms, true fit: pixels labelled right", 0.90, mean(true_fit, arms, "right")),
        row("arms, own fit: the same at borders alone", "", mean(own_fit, arms, "in_band"), None),
        row(f"arms, own fit: least ({found[lowest].case.name})", "", own_fit[lowest].right, None),
        row("arms, own fit: pictures below 0.90", "",
            sum(own_fit[k].right < 0.9 for k in arms), None),
        at_least("crossed legs, own fit: pixels labelled right", 0.90,
                 mean(own_fit, legs, "right")),
        at_most("arms, true fit: texels that are no arm's", 0.03,
                mean(true_fit, arms, "foreign")),
        row("arms, own fit: texels that are no arm's", "", mean(own_fit, arms, "foreign"), None),
        at_most(f"arms lifted by {LIFT_DEGREES:.0f} degrees: holes behind them", 0.01, max(holes)),
    ]  # fmt: skip


def _measured(each: Case, fitted: FittedBody, model: BodyModel) -> Measured:
    photo, person = each.who.photo, each.who.person
    matte = np.where(person.mask, np.maximum(person.matte, 0.5), person.matte)
    outline = contour.trace(matte)
    crop = frame(outline, photo, fitted)
    maps = within_photo(render_maps(model, fitted, crop), photo)
    mapping = warp(on_grid(outline, crop), maps)
    division = divide(mapping, maps, colours_on_grid(photo, crop), model, fitted)
    true, region, band, sure = _ambiguous(each, crop)
    limb = np.where(np.isin(division.labels, each.limbs), division.labels, NOTHING)
    right, inside = limb == true, mapping.inside
    painted = [layer.pure for layer in division.layers if layer.name.endswith("arm")]
    texels = np.any([np.zeros_like(inside), *painted], axis=0) & sure & inside
    foreign = ~np.isin(true, (LEFT_ARM, RIGHT_ARM))[texels]
    return Measured(
        division, crop, inside, float(right[region & inside].mean()),
        float(right[band & inside].mean()), float(foreign.mean()) if foreign.size else 0.0,
    )  # fmt: skip


def _ambiguous(each: Case, crop: Crop) -> tuple[UInt8, Mask, Mask, Mask]:
    """True limbs (h, w), 0 elsewhere; the ambiguous region, its band, and all pixels away from
    true borders."""
    front = render_maps(each.mesh, each.dressed, crop).front
    shown = front.label > NOTHING
    limb = np.where(np.isin(front.label, each.limbs), front.label, NOTHING).astype(np.uint8)
    depth = np.nan_to_num(front.depth, nan=0.0)
    border, jump = np.zeros_like(shown), np.zeros_like(shown)
    for first, second in (
        ((slice(0, -1), slice(None)), (slice(1, None), slice(None))),
        ((slice(None), slice(0, -1)), (slice(None), slice(1, None))),
    ):
        differ = (limb[first] != limb[second]) & shown[first] & shown[second]
        apart = differ & (np.abs(depth[first] - depth[second]) > JUMP_M)
        for side in (first, second):
            border[side] |= differ
            jump[side] |= apart
    sure = ~_grown(border | ~shown, BORDER_PX)
    band = _grown(jump, round(BAND * FIGURE_PX)) & shown & sure
    over = np.zeros_like(shown)
    parts = part_of_joint()[each.mesh.weights[each.mesh.faces].mean(axis=1).argmax(axis=1)]
    for part in each.limbs:
        behind = render_maps(each.mesh, each.dressed, crop, parts != part).mask
        over |= (limb == part) & behind
    return limb, (over & sure) | band, band, sure


def _grown(mask: Mask, radius: int) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    return cv2.dilate(mask.astype(np.uint8), disc) > 0


def _strip(each: Case, with_truth: Measured, with_own: Measured) -> UInt8:
    pictures = []
    for measured, labels in (
        (with_truth, None),
        (with_truth, render_maps(each.mesh, each.dressed, with_truth.crop).front.label),
        (with_truth, with_truth.division.labels),
        (with_own, with_own.division.labels),
    ):
        colours = colours_on_grid(each.who.photo, measured.crop)
        if labels is not None:
            colours = (0.45 * colours + 0.55 * PALETTE[labels]).astype(np.uint8)
        width = round(colours.shape[1] * SHEET_PX / colours.shape[0])
        pictures.append(cv2.resize(colours, (width, SHEET_PX), interpolation=cv2.INTER_AREA))
    return np.hstack(pictures)


def _stacked(strips: list[UInt8]) -> UInt8:
    width = max(strip.shape[1] for strip in strips)
    return np.vstack([np.pad(s, ((0, 0), (0, width - s.shape[1]), (0, 0))) for s in strips])


def _lift(path: Path, found: tuple[Case, ...], model: BodyModel) -> list[float]:
    """Of what arms truly hid of the rest, the share where the lifted character has no surface, or
    where its inside is seen; the own fit."""
    shares, strips = [], []
    for each in found:
        who = each.who
        if each.case.name not in LIFTED or each.seed != SEEDS[0]:
            continue
        character = build_character(who.photo, who.person, model, who.fitted).character
        height, width = who.person.mask.shape
        crop = Crop(-0.2 * width, 0.0, 1.0, round(1.4 * width), height)
        before, _ = _drawn(character, character.vertices, who.fitted, crop)
        after, surface = _drawn(character, _arms_lifted(character), who.fitted, crop)
        parts = part_of_joint()[each.mesh.weights[each.mesh.faces].mean(axis=1).argmax(axis=1)]
        arms = np.isin(parts, (LEFT_ARM, RIGHT_ARM))
        shown = np.isin(
            render_maps(each.mesh, each.dressed, crop).front.label, (LEFT_ARM, RIGHT_ARM)
        )
        # A finger's breadth within the trunk: its outline is the photo's only where it is seen.
        trunk = ~_grown(~render_maps(each.mesh, each.dressed, crop, ~arms).mask, BORDER_PX)
        uncovered = shown & trunk
        shares.append(float(1 - surface[uncovered].mean()))
        photo = np.zeros_like(before)
        left = round(0.2 * width)
        photo[:, left : left + width] = who.photo.rgb
        strips.append(np.hstack([photo, before, after]))
    save_png(path, _stacked(strips))
    return shares


def _arms_lifted(character: Character) -> np.ndarray:
    """(V, 3) vertices with both arms turned outwards about the line of sight."""
    place, skeleton = character.world_from_camera, character.skeleton
    world = body_pose.forward_kinematics(skeleton, character.pose.rotations, character.pose.root)
    rotations = character.pose.rotations.copy()
    for side in ("left", "right"):
        joint = JOINT[f"{side}_shoulder"]
        above = world[skeleton.parents[joint], :3, :3]
        outwards = np.sign((world[joint, :3, 3] - character.pose.root) @ place[:3, 0])
        turn = Rotation.from_rotvec(-outwards * np.radians(LIFT_DEGREES) * place[:3, 2])
        local = Rotation.from_quat(rotations[joint], scalar_first=True).as_matrix()
        turned = above.T @ turn.as_matrix() @ above @ local
        rotations[joint] = Rotation.from_matrix(turned).as_quat(scalar_first=True)
    matrices = body_pose.skin_matrices(skeleton, replace(character.pose, rotations=rotations))
    return body_pose.skin_vertices(character.rest_vertices, character.weights, matrices)


def _drawn(
    character: Character, vertices: np.ndarray, fitted: FittedBody, crop: Crop
) -> tuple[UInt8, Mask]:
    """The character in its texture's colours (h, w, 3), and where its outside is seen (h, w)."""
    in_camera = frames.transform(
        np.linalg.inv(character.world_from_camera), np.asarray(vertices, np.float64)
    )
    count = len(character.triangles)
    corners = np.arange(3 * count).reshape(count, 3)
    flat = in_camera[character.triangles].reshape(-1, 3)
    # Weights that say for each pixel where in the texture it is: u, v and a share left over.
    uv = character.uv.reshape(-1, 2)
    carried = np.zeros((3 * count, 24), np.float32)
    carried[:, :2] = uv
    mesh = BodyModel(
        "character", flat.astype(np.float32), np.zeros((3 * count, 3, 0), np.float32), None,
        np.zeros((24, 3 * count), np.float32), carried, corners.astype(np.int32),
        np.zeros(3 * count, np.uint8),
    )  # fmt: skip
    front = render_maps(mesh, replace(fitted, vertices=flat.astype(np.float32)), crop).front
    size = len(character.texture)
    column = np.clip(np.round(front.weights[..., 0] * size - 0.5).astype(int), 0, size - 1)
    line = np.clip(np.round((1 - front.weights[..., 1]) * size - 0.5).astype(int), 0, size - 1)
    there = np.isfinite(front.depth)
    colours = np.where(there[..., None], character.texture[line, column, :3], 60)
    y, x = np.indices(there.shape)
    pixels = frames.photo_from_grid(crop, np.stack([x, y], axis=-1).astype(np.float64))
    rays = frames.unproject(fitted.camera, pixels, np.ones(there.shape))
    facing = (np.nan_to_num(front.normal) * rays).sum(axis=-1) < 0
    return colours.astype(np.uint8), there & facing
