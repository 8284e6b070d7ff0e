"""Strips to look at: eight frames of every recorded clip, on the characters of three photos.

One picture a clip: a row a character, drawn from ahead, and below it from the character's left.
Nothing is measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ....addon.core.motion.performing.perform import perform
from ....addon.core.motion.sources.library import load_motion
from ....addon.core.types import Character, Clip, Pose, UInt8
from ..character import rendering
from ..character.motion import posed
from ..character.subjects import character_of, subject
from ..photos import photos
from ..rows import Row, at_least
from .sources import clip_paths

SHOWN = 8
FPS = 24.0
LOOP_S = 3.0
WHO = ("photo", "standing_frontal_studio", "walking_coat_street")
VIEW_PX = (190, 250)
VIEW_M = 2.1  # arms overhead fit
TURNS = (0.0, 75.0)  # degrees from straight ahead, a row each


def rows(out: Path) -> list[Row]:
    """Draws the strips into `out`."""
    characters = [character_of(subject(path)).character for path in photos(list(WHO))]
    paths = clip_paths()
    for path in paths:
        clip = load_motion(path, FPS)
        picture = np.vstack([strip(character, clip) for character in characters])
        Image.fromarray(picture).save(out / f"strip_{path.stem}.png")
    written = sum((out / f"strip_{path.stem}.png").is_file() for path in paths)
    return [at_least(f"strips drawn on {len(characters)} characters", len(paths), written)]


def strip(character: Character, clip: Clip) -> UInt8:
    """Frames of the performance side by side, the first one the photo's pose; a row a view."""
    frames = int(LOOP_S * FPS) if clip.loop else len(clip.root)
    motion = perform(character.skeleton, character.pose, clip, frames, FPS)
    views = []
    for turn in TURNS:
        line = []
        for k in np.linspace(0, frames - 1, SHOWN).astype(int):
            points = posed(character, Pose(motion.rotations[k], motion.root[k]))
            middle = (points[:, :2].min(axis=0) + points[:, :2].max(axis=0)) / 2
            points = points - [*middle, 0.0]
            # The ground stays at the same height in every picture.
            frame = (0.0, -VIEW_M / 2 + 0.12, VIEW_M)
            line.append(rendering.draw(character, points, turn, VIEW_PX, frame))
        views.append(np.hstack(line))
    return np.vstack(views)
