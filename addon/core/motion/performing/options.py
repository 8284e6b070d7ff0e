"""How a clip is performed, as the user chooses it."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import MotionError
from ...option import SCENE, Argument, Limits, setting

SLOWEST, FASTEST = 0.1, 4.0  # shares of a clip's own speed: beyond, it is no motion of people
LONGEST_BLEND_S = 5.0


@dataclass(frozen=True)
class PerformOptions:
    """What may be asked of a performance; the default is the clip as it is, from the photo's pose.

    Raises MotionError for values out of range.
    """

    speed: float = setting(
        1.0, "motion", "speed", kept=SCENE, limits=Limits(SLOWEST, FASTEST), subtype="FACTOR",
        help="How fast the motion goes, as a share of the clip's own speed",
        argument=Argument("--speed", "FACTOR"),
    )  # fmt: skip
    mirror: bool = setting(
        False, "motion", "mirror", kept=SCENE, help="Exchange left and right in the motion",
        argument=Argument("--mirror"),
    )  # fmt: skip
    in_place: bool = setting(
        False, "motion", "in place", kept=SCENE, argument=Argument("--in-place"),
        help="Perform the motion on the spot, as on a treadmill",
    )  # fmt: skip
    returns: bool = setting(
        False, "motion", "return", label="Return to Photo", kept=SCENE,
        help="End the motion in the photo's pose", argument=Argument("--return"),
    )  # fmt: skip
    blend_s: float = 0.6  # least time into the clip and out of it, seconds; far poses take longer

    def __post_init__(self) -> None:
        if not SLOWEST <= self.speed <= FASTEST:
            raise MotionError(
                f"A motion cannot play at {self.speed:g} times its speed: choose {SLOWEST:g} to "
                f"{FASTEST:g}."
            )
        if not 0.0 <= self.blend_s <= LONGEST_BLEND_S:
            raise MotionError(f"Blending takes 0 to {LONGEST_BLEND_S:g} seconds.")
