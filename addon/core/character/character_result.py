"""What building a character gives, and how fine it may be asked for.

Apart from `build`, whose compiled loops take a second to import: a panel shows these.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..staging.sunlight import Sunlight
from ..types import Character, SolveInfo, UInt8

DEFAULT_TRIANGLES = 30_000
# Below, fingers and faces are gone; above, edges are shorter than half a pixel of the maps.
LEAST_TRIANGLES, MOST_TRIANGLES = 3_000, 300_000


@dataclass(frozen=True)
class WarpReport:
    """What one layer's warp measured of itself."""

    layer: str
    pixels: int  # of the layer's silhouette
    hole_fraction: float  # of its pixels, mean of both sheets
    spanned_fraction: float  # of its pixels: on closed gaps, where the bare body is not
    foldover_fraction: float
    collapsed_fraction: float  # of its outline's steps
    integration: SolveInfo  # of its normals, last step in shares of the depth


@dataclass(frozen=True)
class CharacterReport:
    """What the stages measured of their own work."""

    hole_fraction: float  # of the silhouette's pixels, mean of both sheets
    foldover_fraction: float  # of the silhouette's pixels
    collapsed_fraction: float  # of the outline's steps
    triangles: int
    layers: tuple[str, ...]  # "body", then the limbs that were divided off
    warps: tuple[WarpReport, ...]  # one per layer


@dataclass(frozen=True, eq=False)
class CharacterBuild:
    """The character with what led to it, for overlays, later stages and corrections.

    labels : (H, W) uint8, the part that each of the photo's pixels shows (`body.parts`), 0 outside
    found_labels : the same before the user's were painted over them
    sunlight : where the photo's light comes from, as its shading of the person shows
    """

    character: Character
    report: CharacterReport
    labels: UInt8
    found_labels: UInt8
    sunlight: Sunlight
