"""Bars of the texture: eight views of every photo, the seam, and no face on the back.

Writes `turntable_NAME.png`. The time, without a bar, is this process's own, from the stages'
reports, so that whatever else the machine does is of no account.
"""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ....addon.core.body import world_pose as body_pose
from ....addon.core.body.model.skeleton import JOINT
from ....addon.core.body.stage import body_model
from ....addon.core.character.build import build_character
from ....addon.core.perception.landmarks.faces import find_faces
from ....addon.core.settings import WakeUpSettings
from ....addon.core.types import Character, Float64, Progress, UInt8
from ..ciede2000 import ciede2000
from ..rows import Row, at_most, row
from . import rendering
from .subjects import subjects

VIEW_PX = (360, 620)  # width and height of a view
TURNS = tuple(range(0, 360, 45))  # degrees
BEHIND = (-45.0, 0.0, 45.0)  # degrees, from straight behind the head
FACE_VIEW_M = 0.5  # side of the square around the head that the face detector sees
FACE_VIEW_PX = 320
SEAM_BAR = 5.0  # CIEDE2000
SEAM_TEXELS = 1.5  # from the rim into either panel


def rows(out: Path) -> list[Row]:
    """Measure everybody and write their turntables to `out`."""
    found: list[Row] = []
    model = body_model(WakeUpSettings())
    for who in subjects():
        reports: list[tuple[str, float]] = []

        def note(progress: Progress, into: list[tuple[str, float]] = reports) -> None:
            into.append((progress.message, time.process_time()))

        character = build_character(
            who.photo, who.person, model, who.fitted, progress=note
        ).character
        (begun,) = (at for message, at in reports if message == "Painting the texture")
        seconds = (reports[-1][1] - begun) / max(who.photo.width * who.photo.height / 1e6, 1.0)
        seam = seam_difference(character)
        found += [
            at_most(f"seam, mean CIEDE2000: {who.name}", SEAM_BAR, float(seam.mean())),
            row(f"seam, 95th percentile: {who.name}", "", float(np.percentile(seam, 95)), None),
            at_most(f"faces seen from behind: {who.name}", 0, faces_behind(character)),
            row(f"painting, s a megapixel: {who.name}", "", seconds, None),
        ]
        Image.fromarray(turntable(character)).save(out / f"turntable_{who.name}.png")
    return found


def turntable(character: Character) -> UInt8:
    """Eight views in two rows."""
    points, metres = rendering.frame_of(character.vertices, VIEW_PX[0] / VIEW_PX[1])
    views = [rendering.draw(character, points, turn, VIEW_PX, (0.0, 0.0, metres)) for turn in TURNS]
    half = len(views) // 2
    return np.vstack([np.hstack(views[:half]), np.hstack(views[half:])])


def seam_difference(character: Character) -> Float64:
    """(E,) CIEDE2000 across the seam: at the middle of each edge whose triangles lie in different
    panels, the texture a little inside of the one against a little inside of the other."""
    triangles, uv = character.triangles.astype(np.int64), character.uv.astype(np.float64)
    start, end = triangles.ravel(), triangles[:, [1, 2, 0]].ravel()
    key = np.minimum(start, end) * len(character.vertices) + np.maximum(start, end)
    order = np.argsort(key, kind="stable")
    pair = np.nonzero(key[order[1:]] == key[order[:-1]])[0]
    first, second = order[pair], order[pair + 1]
    middle = (uv + uv[:, [1, 2, 0]]).reshape(-1, 2) / 2
    seam = np.abs(middle[first] - middle[second]).max(axis=1) > 1e-6
    return ciede2000(*(_inside(character, uv, middle, edge[seam]) for edge in (first, second)))


def _inside(
    character: Character, uv: Float64, middle: Float64, edge: npt.NDArray[np.int64]
) -> Float64:
    """(E, 3) CIE L* a* b* of the texture beside the middle of edges, towards the third corner."""
    opposite = uv[:, [2, 0, 1]].reshape(-1, 2)[edge] - middle[edge]
    length = np.linalg.norm(opposite, axis=1, keepdims=True)
    step = SEAM_TEXELS / len(character.texture)
    at = middle[edge] + opposite * np.minimum(step / np.maximum(length, 1e-12), 1.0)
    colours = rendering.sample(character.texture[..., :3], at)
    return cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0].astype(
        np.float64
    )


def faces_behind(character: Character) -> int:
    """How many of the views from behind a face is found in."""
    head = character.weights[:, JOINT["head"]] > 0.5
    hits = 0
    head_frame = body_pose.forward_kinematics(
        character.skeleton, character.pose.rotations, character.pose.root
    )[JOINT["head"]]
    x, y, _ = head_frame[:3, :3] @ (0.0, -1.0, 0.0)  # where the head looks
    straight = float(np.degrees(np.arctan2(-x, y)))
    for turn in (straight + aside for aside in BEHIND):
        points = rendering.turned(character.vertices, turn)[head]
        column, line = (points.min(axis=0) + points.max(axis=0))[:2] / 2
        view = rendering.draw(
            character, character.vertices, turn, (FACE_VIEW_PX, FACE_VIEW_PX),
            (float(column), float(line), FACE_VIEW_M),
        )  # fmt: skip
        hits += len(find_faces(view)) > 0
    return hits
