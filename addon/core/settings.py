"""What the user chooses. Each setting says once which stage's value it is part of and what it is
called, and states, messages and reuse of results follow from that."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .character.character_result import DEFAULT_TRIANGLES
from .frames import DEFAULT_HEIGHT_M
from .motion.performing.options import PerformOptions


@dataclass(frozen=True)
class Option:
    """What is known of a setting."""

    stage: str  # the first stage whose value it is part of; those that follow go with it
    title: str  # what the panel calls it


def _setting(default: Any, stage: str, title: str) -> Any:
    return field(default=default, metadata={"option": Option(stage, title)})


@dataclass(frozen=True)
class WakeUpSettings:
    """What the user chooses; everything else follows from the photo."""

    # Counted from the left, from 1; 0: the most prominent one.
    person: int = _setting(0, "person", "person")
    # x0 y0 x1 y1 in pixels: who is meant.
    box: tuple[float, float, float, float] | None = _setting(None, "people", "box")
    # A built-in clip's name or the path of a .bvh, .npz or .fbx file.
    motion: str = _setting("walk", "motion", "motion")
    # Name or number, from 1, of which of a motion file's takes; empty: the first.
    take: str = _setting("", "motion", "take")
    # Length of the motion, the photo's pose included.
    frames: int = _setting(120, "motion", "frames")
    # Speed, mirrored, on the spot, returning.
    performing: PerformOptions = _setting(PerformOptions(), "motion", "speed or manner")
    # Points on the ground to walk along, metres in the character's world; empty: to the camera.
    path: tuple[tuple[float, float, float], ...] = _setting((), "motion", "path")
    # On, though the photo's camera loses the head: a wall is around it.
    walks_out: bool = _setting(False, "motion", "wall")
    fps: float = _setting(24.0, "motion", "frame rate")
    # The person's height in T-pose, metres.
    height_m: float = _setting(DEFAULT_HEIGHT_M, "fitted", "height")
    # The photo's focal length; None: EXIF, else the longer side.
    focal_px: float | None = _setting(None, "fitted", "focal length")
    # At most so many in a character's mesh.
    triangles: int = _setting(DEFAULT_TRIANGLES, "build", "triangles")
    # Of all randomness.
    seed: int = _setting(0, "people", "seed")
    # An SMPL, SMPL-H or SMPL-X file of the user's; empty: the default body.
    body_file: str = _setting("", "fitted", "body model")
    # ONNX files of the user's; empty: the built-in networks, and PatchMatch for the plate.
    mask_network: str = _setting("", "person", "mask network")
    joint_network: str = _setting("", "people", "joint network")
    plate_network: str = _setting("", "background", "background network")
    # Whether the shadow leaves the plate together with the person.
    remove_shadow: bool = _setting(True, "background", "shadow")
    # How the texture's back is painted, or "mirrored" from the front.
    back: str = _setting("synthesised", "build", "back")
    # Body parts whose back is mirrored even so.
    mirrored_parts: tuple[str, ...] = _setting((), "build", "mirrored parts")
    # The texture's largest side, a power of two.
    texture_px: int = _setting(2048, "build", "texture")


OPTIONS: dict[str, Option] = {each.name: each.metadata["option"] for each in fields(WakeUpSettings)}
