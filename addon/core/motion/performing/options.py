"""How a clip is performed, as the user chooses it."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import MotionError

SLOWEST, FASTEST = 0.1, 4.0  # shares of a clip's own speed: beyond, it is no motion of people
LONGEST_BLEND_S = 5.0


@dataclass(frozen=True)
class PerformOptions:
    """What may be asked of a performance; the default is the clip as it is, from the photo's pose.

    Raises MotionError for values out of range.
    """

    speed: float = 1.0  # share of the clip's own, SLOWEST..FASTEST
    mirror: bool = False  # left and right exchanged
    in_place: bool = False  # on the spot, as if the camera travelled along
    returns: bool = False  # ends in the photo's pose
    blend_s: float = 0.6  # least time into the clip and out of it, seconds; far poses take longer

    def __post_init__(self) -> None:
        if not SLOWEST <= self.speed <= FASTEST:
            raise MotionError(
                f"A motion cannot play at {self.speed:g} times its speed: choose {SLOWEST:g} to "
                f"{FASTEST:g}."
            )
        if not 0.0 <= self.blend_s <= LONGEST_BLEND_S:
            raise MotionError(f"Blending takes 0 to {LONGEST_BLEND_S:g} seconds.")
