"""Camera moves begin as the photo and at rest, run smoothly, and stay on the plate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.errors import WakeUpError
from photo_wake_up.addon.core.numerics.easing import smootherstep
from photo_wake_up.addon.core.staging.backdrop import Backdrop, CameraMove, FlatPlate
from photo_wake_up.addon.core.staging.camera_moves import MOVES, Subject, plan_move
from photo_wake_up.addon.core.types import Camera

CAMERA = Camera(1344.0, 440.5, 570.25, 864, 1152)
PLATE_M = 3.9
PLATE = FlatPlate(PLATE_M)
SECONDS = 10.0
START = np.array([0.1, 0.05, 2.7])


def subject(count: int, travel: tuple[float, float, float] = (0.3, 0.0, -0.9)) -> Subject:
    """Somebody who walks with swaying hips."""
    times = np.linspace(0, 1, count)[:, None]
    sway = 0.02 * np.sin(2 * np.pi * 8 * times) * [1.0, 0.3, 0.0]
    middle = START + smootherstep(times) * travel + sway
    return Subject(middle, middle - [0.0, 0.75, 0.0])


def plan(name: str, count: int = 241, plate: Backdrop | None = PLATE) -> CameraMove:
    return plan_move(name, CAMERA, subject(count), (count - 1) / SECONDS, plate)


def values(move: CameraMove) -> np.ndarray:
    """(F, 15): all that moves, lengths in metres and in units of the photo's focal length."""
    return np.concatenate(
        [move.position, move.rotation.reshape(-1, 9), move.focal_px[:, None] / CAMERA.focal_px,
         move.principal / CAMERA.focal_px], axis=1,
    )  # fmt: skip


def seen(move: CameraMove, points: np.ndarray) -> np.ndarray:
    """(F, 2): where each frame's camera shows that frame's point (F, 3)."""
    local = np.einsum("fji,fj->fi", move.rotation, points - move.position)
    return local[:, :2] / local[:, 2:] * move.focal_px[:, None] + move.principal


@pytest.mark.parametrize("plate", [PLATE, None])
@pytest.mark.parametrize("name", MOVES)
def test_every_move_begins_as_the_photo_and_at_rest(name, plate):
    move = plan(name, 100_001, plate)
    photo = np.concatenate([np.zeros(3), np.eye(3).ravel(), [1.0], [CAMERA.cx, CAMERA.cy]])
    photo[-2:] /= CAMERA.focal_px
    assert np.abs(values(move)[0] - photo).max() < 1e-9
    speed = np.abs(np.diff(values(move)[:2], axis=0)) * 100_000 / SECONDS
    assert speed.max() < 1e-6


@pytest.mark.parametrize("plate", [PLATE, None])
@pytest.mark.parametrize("name", MOVES)
def test_position_and_velocity_are_continuous(name, plate):
    """A jump of the velocity would leave second differences that shrink with the step, one of the
    position such as do not shrink; those of a smooth curve shrink with its square."""
    coarse, fine = (
        np.abs(np.diff(values(plan(name, count, plate)), 2, axis=0)).max()
        for count in (2001, 4001)
    )  # fmt: skip
    assert fine < 1e-4
    assert coarse < 1e-12 or coarse / fine > 3.5


@pytest.mark.parametrize("travel", [(0.3, 0.0, -0.9), (1.5, 0.0, 0.0), (0.0, 0.0, 0.8)])
@pytest.mark.parametrize("name", MOVES)
def test_the_plate_fills_the_view_in_every_frame(name, travel):
    move = plan_move(name, CAMERA, subject(121, travel), 24.0, PLATE)
    assert PLATE.margin(move, CAMERA).max() < 1 + 2e-6
    # Counted another way: the rays of the view's corners meet the plate within the photo.
    corners = np.array([[-0.5, -0.5], [863.5, -0.5], [863.5, 1151.5], [-0.5, 1151.5]])
    for index in range(0, 121, 8):
        rays = np.c_[(corners - move.principal[index]) / move.focal_px[index], np.ones(4)]
        rays = rays @ move.rotation[index].T
        reach = (PLATE_M - move.position[index, 2]) / rays[:, 2:]
        pixels = frames.project(CAMERA, move.position[index] + reach * rays)
        assert (pixels > corners[0] - 1e-3).all() and (pixels < corners[2] + 1e-3).all()


def test_orbit_says_what_the_plate_forbids_and_uses_what_it_allows():
    who = subject(241, (-0.1, 0.0, -1.4))
    move = plan_move("orbit", CAMERA, who, 24.0, FlatPlate(6.0))
    assert "edge or an empty middle would show" in move.note
    way, distance = np.abs(move.position[-1, 0]), who.middle[:, 2].mean()
    angle = np.degrees(np.arctan(way / distance))
    assert 5 < angle < 30 and f"goes {angle:.0f} of 30 degrees" in move.note
    aside = np.abs(seen(move, who.middle)[:, 0] - (CAMERA.width - 1) / 2) / (CAMERA.width / 2)
    assert 0.499 < aside.max() < 0.501
    free = plan("orbit", plate=None)
    assert not free.note
    assert np.arctan2(free.rotation[-1, 0, 2], free.rotation[-1, 0, 0]) == pytest.approx(np.pi / 6)


def test_orbit_keeps_its_distance_and_looks_at_its_pivot():
    move = plan("orbit", plate=None)
    pivot = subject(241).middle.mean(axis=0) * [1, 0, 1]
    distance = np.linalg.norm(move.position - pivot, axis=1)
    assert np.ptp(distance) < 1e-9
    assert np.ptp(seen(move, np.tile(pivot, (241, 1))), axis=0).max() < 1e-6


def test_dolly_zoom_keeps_the_plane_of_the_start():
    move = plan("dolly_zoom")
    for point in (START, START + [0.4, -0.7, 0.0]):
        pixels = seen(move, np.tile(np.r_[point[:2], subject(2).middle[0, 2]], (241, 1)))
        assert np.ptp(pixels, axis=0).max() < 1e-6
    assert move.focal_px[-1] / CAMERA.focal_px == pytest.approx(1.8)


def test_push_in_ends_with_the_head_where_the_held_camera_has_it():
    who = subject(241)
    held, pushed = plan("held"), plan("push_in")
    assert np.abs(seen(pushed, who.head)[-1] - seen(held, who.head)[-1]).max() < 1e-6
    assert np.linalg.norm(pushed.position[-1]) > 0.2


def test_follow_keeps_somebody_who_comes_nearer_in_scale():
    who = subject(241, (0.0, 0.0, -0.9))
    move = plan_move("follow", CAMERA, who, 24.0, None)
    distance = who.middle[:, 2] - move.position[:, 2]
    assert np.abs(distance[-60:] - distance[0]).max() < 0.05
    held = plan("held")
    assert held.focal_px[-1] / who.middle[-1, 2] > 1.4 * move.focal_px[-1] / distance[-1]


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_shortest_shots(name, count):
    move = plan_move(name, CAMERA, subject(count), 24.0, PLATE)
    assert len(move.position) == count and np.isfinite(values(move)).all()


def test_what_cannot_be_planned_is_refused():
    who = subject(5)
    with pytest.raises(ValueError, match="no camera move"):
        plan_move("crane", CAMERA, who, 24.0, None)
    with pytest.raises(WakeUpError, match="no place"):
        plan_move("orbit", CAMERA, replace(who, head=who.head * np.nan), 24.0, None)
    with pytest.raises(ValueError, match=r"\(F, 3\)"):
        plan_move("orbit", CAMERA, replace(who, head=who.head[:2]), 24.0, None)


@dataclass(frozen=True)
class _OneStepAside:
    """A backdrop in layers, of which a step aside of so many metres uncovers more than is there."""

    step: float
    depth: float = PLATE_M

    def margin(self, move: CameraMove, camera: Camera) -> np.ndarray:
        uncovered = np.abs(move.position[:, 0]) / self.step
        return np.maximum(FlatPlate(self.depth).margin(move, camera), uncovered)


def test_a_move_goes_as_far_as_whatever_backdrop_there_is_allows():
    who = subject(121, (0.0, 0.0, 0.0))
    ends = [
        np.abs(plan_move("orbit", CAMERA, who, 24.0, _OneStepAside(step)).position[:, 0]).max()
        for step in (0.02, 0.1, 100.0)
    ]
    assert ends[:2] == pytest.approx([0.02, 0.1], rel=1e-4)
    free = plan_move("orbit", CAMERA, who, 24.0, PLATE)
    assert ends[2] == pytest.approx(np.abs(free.position[:, 0]).max())
