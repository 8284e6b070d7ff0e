"""Camera moves that begin as the photo: held, push-in, orbit, follow, dolly zoom, pull-back.

Every move starts in the photo's own camera with velocity 0, so that frame 1 is the photo whichever
is chosen, and is smooth in position and velocity (an ease of continuous second derivative times
smooth paths). Behind the person there is no world but the backdrop, which just fills the
photo's view: a move is made as large as that allows and not larger.

All is planned in the photo's camera frame (x right, y down, z away, metres; `frames`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..errors import WakeUpError
from ..numerics.easing import smootherstep
from ..types import Camera, Float64
from .backdrop import Backdrop, CameraMove

HELD = "held"
MOVES = {
    HELD: "The photo's camera, without any move",
    "push_in": "Slowly towards the face",
    "orbit": "Around the person, as far as the background reaches",
    "follow": "Back and sideways with the person, who stays framed",
    "dolly_zoom": "Away while zooming in: the person keeps the size, the background swells",
    "pull_back": "Away from the picture: for a photo that hangs on a wall",
}

_PUSH_SHARE = 0.15  # of the way to the face: a move that is felt more than seen
_ORBIT_DEG = 30.0  # beyond, a back that was made up comes into view
_ORBIT_DRIFT = 0.5  # of half the picture's width: so far from the middle may the person get
_FOLLOW_ZOOMS = (1.0, 1.03, 1.06, 1.1)  # the same for a sideways follow, the least that will do
_FOLLOW_EASE_S = 1.5  # until the camera has caught up
_FOLLOW_SMOOTH_S = 0.4  # steps sway the hips to and fro; a camera does not
_DOLLY_SHARE = 0.8  # of the person's distance: the background grows half as large again
_PULL_S = 2.5  # until the camera has drawn back
_PULL_VIEW = 2.1  # the photo's width goes so many times into the view at the end
_EDGE_TOLERANCE = 1e-6  # relative: a thousandth of a pixel
_HALVINGS = 20  # of the interval in which the largest amplitude lies: to a millionth


@dataclass(frozen=True, eq=False)
class Subject:
    """Where the person is, frame by frame, in the photo's camera frame."""

    middle: Float64  # (F, 3), pelvis, metres
    head: Float64  # (F, 3), top of the head, metres


def plan_move(
    name: str, camera: Camera, subject: Subject, fps: float, backdrop: Backdrop | None
) -> CameraMove:
    """The move `name` of MOVES for as many frames as `subject` has.

    Parameters
    ----------
    name : str
        One of MOVES.
    camera : Camera
        The photo's.
    subject : Subject
        Where the person is.
    fps : float
        Frames per second.
    backdrop : Backdrop | None
        What lies behind the person; None where what is beyond it may be seen (it hangs on a wall).

    Returns
    -------
    CameraMove
        A camera for each frame, the photo's own on the first.

    Raises
    ------
    ValueError
        If the name is unknown, or the subject's arrays are not (F, 3).
    WakeUpError
        If the person has no place in some frame.
    """
    if name not in MOVES:
        raise ValueError(f"There is no camera move {name}: choose one of {', '.join(MOVES)}.")
    if subject.middle.shape != subject.head.shape or subject.middle.shape[1:] != (3,):
        raise ValueError("The camera needs the person's place (F, 3) in each frame.")
    if not (np.isfinite(subject.middle).all() and np.isfinite(subject.head).all()):
        raise WakeUpError("The person has no place in some frame: the camera cannot follow.")
    return _PLANNERS[name](camera, subject, fps, backdrop)


def _times(subject: Subject) -> Float64:
    """(F,): 0 on the first frame to 1 on the last."""
    count = len(subject.middle)
    return np.arange(count) / max(count - 1, 1)


def _moved(
    camera: Camera,
    position: Float64,
    yaw: Float64 | None = None,
    lens: Float64 | None = None,
    zoom: Float64 | None = None,
    anchor: Float64 | None = None,
) -> CameraMove:
    """A move from its parts: yaw (F,) radians about y; lens (F,) times the focal length; zoom (F,)
    on top of it about the pixel `anchor` (2,) of the photo (the principal point where None)."""
    count = len(position)
    focal = camera.focal_px * (np.ones(count) if lens is None else lens)
    rotation = np.tile(np.eye(3), (count, 1, 1))
    if yaw is not None:
        cos, sin = np.cos(yaw), np.sin(yaw)
        rotation[:, 0, 0] = rotation[:, 2, 2] = cos
        rotation[:, 0, 2], rotation[:, 2, 0] = sin, -sin
    zoomed = np.ones(count) if zoom is None else zoom
    centre = np.array([camera.cx, camera.cy])
    fixed = centre if anchor is None else anchor
    principal = centre + (fixed - centre) * (1 - zoomed)[:, None]
    return CameraMove(position, rotation, focal * zoomed, principal)


def _largest(
    make: Callable[[float], CameraMove],
    camera: Camera,
    backdrop: Backdrop,
    framed: Callable[[CameraMove], bool] = lambda _move: True,
) -> tuple[CameraMove, float]:
    """The move of the greatest amplitude in 0..1 that shows nothing beyond the backdrop and
    is `framed`."""

    def fits(amplitude: float) -> bool:
        move = make(amplitude)
        margin = backdrop.margin(move, camera)
        return bool((margin <= 1 + _EDGE_TOLERANCE).all()) and framed(move)

    if fits(1.0):
        return make(1.0), 1.0
    low, high = 0.0, 1.0
    if not fits(low + 0.5**_HALVINGS):
        return make(low), low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return make(low), low


def _head_anchor(camera: Camera, subject: Subject) -> Float64:
    """The last frame's head as the photo's camera sees it, within the photo: what a zoom keeps
    where it is, so that it does not cut the head."""
    x, y, z = subject.head[-1]
    seen = np.array([x, y]) / max(z, 1e-3) * camera.focal_px + [camera.cx, camera.cy]
    return np.clip(seen, [-0.5, -0.5], [camera.width - 0.5, camera.height - 0.5])


def _held(camera: Camera, subject: Subject, _fps: float, _backdrop: Backdrop | None) -> CameraMove:
    return _moved(camera, np.zeros_like(subject.middle))


def _push_in(
    camera: Camera, subject: Subject, _fps: float, _backdrop: Backdrop | None
) -> CameraMove:
    # On the line to the last frame's head, which so ends where the held camera shows it.
    pixel = _head_anchor(camera, subject) - [camera.cx, camera.cy]
    way = np.append(pixel / camera.focal_px, 1.0) * _PUSH_SHARE * max(subject.head[-1, 2], 0.0)
    return _moved(camera, smootherstep(_times(subject))[:, None] * way)


def _orbit(camera: Camera, subject: Subject, _fps: float, backdrop: Backdrop | None) -> CameraMove:
    progress = smootherstep(_times(subject))
    middle = subject.middle.mean(axis=0) * [1.0, 0.0, 1.0]
    if backdrop is None:
        turned = _moved(camera, np.zeros_like(subject.middle), np.radians(_ORBIT_DEG) * progress)
        return replace(turned, position=middle - turned.rotation @ middle)
    # A camera that turned would look past the plate at once. This one slides and shifts its lens
    # against it, so that the plate stays in the picture as it is, as a view through a window
    # does, and the person is seen from the side.
    full = np.tan(np.radians(_ORBIT_DEG)) * middle[2]

    def make(signed: float) -> CameraMove:
        way = signed * full * progress
        position = np.stack([way, np.zeros_like(way), np.zeros_like(way)], axis=1)
        held = _moved(camera, position)
        shift = np.stack([camera.focal_px * way / backdrop.depth, np.zeros_like(way)], axis=1)
        return replace(held, principal=held.principal + shift)

    framed = _keeps_framing(camera, subject)
    right = _largest(make, camera, backdrop, framed)
    left = _largest(lambda amplitude: make(-amplitude), camera, backdrop, framed)
    move, amplitude = max(right, left, key=lambda tried: tried[1])
    turn = np.degrees(np.arctan(np.abs(move.position[-1, 0]) / middle[2]))
    note = (
        f"The orbit goes {turn:.0f} of {_ORBIT_DEG:.0f} degrees around the person: farther, "
        "the background's edge or an empty middle would show."
    )
    return move if amplitude == 1 else replace(move, note=note)


def _pixels(move: CameraMove, points: Float64) -> Float64:
    """(F, 2): where each frame's camera shows that frame's point (F, 3), in pixels."""
    local = np.einsum("fji,fj->fi", move.rotation, points - move.position)
    depth = np.maximum(local[:, 2:], 1e-3)
    return local[:, :2] / depth * move.focal_px[:, None] + move.principal


def _keeps_framing(camera: Camera, subject: Subject) -> Callable[[CameraMove], bool]:
    """Whether a move has the person near the middle, or no farther than the held camera has."""
    centre = (camera.width - 1) / 2
    drift = np.abs(_pixels(_held(camera, subject, 0.0, None), subject.middle)[:, 0] - centre)
    most = np.maximum(drift, _ORBIT_DRIFT * camera.width / 2) + 1e-6

    def framed(move: CameraMove) -> bool:
        return bool((np.abs(_pixels(move, subject.middle)[:, 0] - centre) <= most).all())

    return framed


def _follow(camera: Camera, subject: Subject, fps: float, backdrop: Backdrop | None) -> CameraMove:
    count = len(subject.middle)
    smooth = gaussian_filter1d(subject.middle, _FOLLOW_SMOOTH_S * fps, axis=0, mode="nearest")
    caught = smootherstep(np.arange(count) / max(_FOLLOW_EASE_S * fps, 1.0))
    way = (smooth - smooth[0]) * caught[:, None] * [1.0, 0.0, 1.0]
    if backdrop is None:
        return _moved(camera, way)
    # Only back: forwards, behind a person who walks away, the plate would come too close.
    # Backwards the plate shrinks in view, and the lens makes up for it.
    way[:, 2] = _soft_least(way[:, 2])
    lens = (backdrop.depth - way[:, 2]) / backdrop.depth
    anchor = _head_anchor(camera, subject)
    move, amplitude = _held(camera, subject, fps, backdrop), -1.0
    for most in _FOLLOW_ZOOMS:  # no closer than the way sideways asks for

        def make(amplitude: float, zoom: Float64 = 1 + (most - 1) * caught) -> CameraMove:
            return _moved(camera, way * [amplitude, 0.0, 1.0], lens=lens, zoom=zoom, anchor=anchor)

        tried, reached = _largest(make, camera, backdrop)
        if reached > amplitude:
            move, amplitude = tried, reached
        if amplitude == 1:
            break
    note = ""
    if amplitude < 1:
        note = (
            f"The camera follows {amplitude:.0%} of the way sideways: beyond, the background's "
            "edge would show."
        )
    return replace(move, note=note)


def _soft_least(values: Float64, width: float = 0.01) -> Float64:
    """0 where values are above 0, and below it the values, after a parabola of some `width` metres
    that keeps the slope continuous."""
    below = np.minimum(values, 0.0)
    return np.where(below > -2 * width, -(below**2) / (4 * width), below + width)


def _dolly_zoom(
    camera: Camera, subject: Subject, _fps: float, _backdrop: Backdrop | None
) -> CameraMove:
    # Focal length and distance grow alike: the plane through the start keeps its scale, and the
    # plate behind it grows, so that its edges leave the view.
    progress = _DOLLY_SHARE * smootherstep(_times(subject))
    position = np.zeros_like(subject.middle)
    position[:, 2] = -subject.middle[0, 2] * progress
    return _moved(camera, position, lens=1 + progress)


def _pull_back(
    camera: Camera, subject: Subject, fps: float, backdrop: Backdrop | None
) -> CameraMove:
    if backdrop is not None:
        note = "Pulling back would show the background's edge: it needs the wall."
        return replace(_held(camera, subject, fps, backdrop), note=note)
    # The lens widens: a camera that went back would leave the person alone before the wall. It
    # does so before the person has come so near that the head leaves the view.
    progress = smootherstep(np.arange(len(subject.middle)) / max(_PULL_S * fps, 1.0))
    lens = _PULL_VIEW**-progress
    return _moved(camera, np.zeros_like(subject.middle), lens=lens)


_PLANNERS: dict[str, Callable[[Camera, Subject, float, Backdrop | None], CameraMove]] = {
    HELD: _held,
    "push_in": _push_in,
    "orbit": _orbit,
    "follow": _follow,
    "dolly_zoom": _dolly_zoom,
    "pull_back": _pull_back,
}
