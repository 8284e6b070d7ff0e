"""Quick pictures of characters in poses: flat triangles in their own colours, far ones first."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ...addon.core.types import Character, Float64, UInt8

PIXELS_A_METRE = 230.0
WIDTH_M, HEIGHT_M = 1.9, 2.3  # of one picture; arms overhead and outstretched arms fit
GROUND_M = 0.12  # from the picture's lower edge
BACKGROUND = (58, 60, 66)
SUB_PIXEL_BITS = 4
LEAST_LIGHT = 0.45  # of a surface that looks aside


def write(path: Path, rgb: UInt8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), rgb[..., ::-1])


def colours_of(character: Character) -> Float64:
    """(T, 3) colour of each triangle: the texture at its middle."""
    size = len(character.texture)
    middle = character.uv.mean(axis=1)
    x = np.clip((middle[:, 0] * size).astype(int), 0, size - 1)
    y = np.clip(((1 - middle[:, 1]) * size).astype(int), 0, size - 1)
    return character.texture[y, x, :3].astype(np.float64)


def draw(character: Character, points: Float64, colours: Float64, turned_deg: float = 0.0) -> UInt8:
    """(h, w, 3): the character at points (V, 3) in the world, seen from -y (turned: from the
    side) without perspective, its middle in the picture's, z = 0 on the ground line."""
    angle = np.radians(turned_deg)
    right = np.array([np.cos(angle), np.sin(angle), 0.0])
    away = np.array([-np.sin(angle), np.cos(angle), 0.0])
    across = points @ right
    across = across - (across.min() + across.max()) / 2
    width, height = int(WIDTH_M * PIXELS_A_METRE), int(HEIGHT_M * PIXELS_A_METRE)
    at = np.stack(
        [
            width / 2 + across * PIXELS_A_METRE,
            height - (GROUND_M + points[:, 2]) * PIXELS_A_METRE,
        ],
        axis=1,
    )
    corners = points[character.triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    towards = -(normal @ away) / np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
    lit = colours * (LEAST_LIGHT + (1 - LEAST_LIGHT) * np.clip(towards, 0, 1))[:, None]
    seen = np.flatnonzero(towards > 0)
    far_first = seen[np.argsort(-(corners[seen] @ away).mean(axis=1), kind="stable")]
    canvas = np.full((height, width, 3), BACKGROUND, np.uint8)
    ground = int(height - GROUND_M * PIXELS_A_METRE)
    cv2.line(canvas, (0, ground), (width, ground), (90, 92, 98), 1)
    fixed = np.round(at[character.triangles] * 2**SUB_PIXEL_BITS).astype(np.int32)
    for k in far_first:
        cv2.fillConvexPoly(canvas, fixed[k], lit[k].tolist(), cv2.LINE_8, SUB_PIXEL_BITS)
    return canvas
