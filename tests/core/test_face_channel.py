"""Strengths of facial actions go wherever a clip's poses go: mirrored, sampled, blended, looped,
performed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photo_wake_up.addon.core.body.model.facial_actions import FACIAL_ACTIONS
from photo_wake_up.addon.core.motion import clips
from photo_wake_up.addon.core.motion.clips.cyclic_clip import cyclic_motion
from photo_wake_up.addon.core.motion.editing.loops import as_loop, at_rate
from photo_wake_up.addon.core.motion.editing.mirror import mirrored
from photo_wake_up.addon.core.motion.editing.pose_blending import blend_motions
from photo_wake_up.addon.core.motion.editing.sampling import face_at
from photo_wake_up.addon.core.motion.performing.options import PerformOptions
from photo_wake_up.addon.core.motion.performing.perform import perform
from photo_wake_up.addon.core.types import Clip, Motion

from ..scene import figures

COUNT = len(FACIAL_ACTIONS)


@st.composite
def clips_with_faces(draw: st.DrawFn) -> Clip:
    frames, loop = draw(st.integers(2, 40)), draw(st.booleans())
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    still = np.tile([1.0, 0.0, 0.0, 0.0], (frames, 24, 1))
    face = random.uniform(0, 1, (frames, COUNT)).astype(np.float32)
    return Clip("made", 24.0, still, random.normal(size=(frames, 3)), loop, face=face)


def with_face(clip: Clip) -> Clip:
    face = np.random.default_rng(3).uniform(0.1, 1, (len(clip.root), COUNT)).astype(np.float32)
    return replace(clip, face=face)


@given(clips_with_faces())
def test_mirrored_twice_is_the_same_and_once_swaps_the_sides(clip: Clip) -> None:
    once = mirrored(clip)
    assert np.array_equal(mirrored(once).face, clip.face)
    column = {name: index for index, name in enumerate(FACIAL_ACTIONS)}
    for name, other in (("eyeBlinkLeft", "eyeBlinkRight"), ("jawOpen", "jawOpen")):
        assert np.array_equal(once.face[:, column[name]], clip.face[:, column[other]])


@given(clips_with_faces(), st.floats(5.0, 120.0))
def test_another_rate_keeps_frames_alike_and_the_same_rate_keeps_all(
    clip: Clip, fps: float
) -> None:
    same = at_rate(clip, clip.fps)
    assert np.array_equal(same.face, clip.face)
    other = at_rate(clip, fps)
    assert other.face.shape == (len(other.root), COUNT) and other.face.dtype == np.float32
    assert np.array_equal(other.face[0], clip.face[0])
    assert other.face.min() >= clip.face.min() - 1e-6
    assert other.face.max() <= clip.face.max() + 1e-6
    assert np.array_equal(face_at(clip, np.arange(len(clip.root))), clip.face)


@given(clips_with_faces(), st.integers(-3, 3))
def test_beyond_the_ends_loops_go_round_and_others_hold(clip: Clip, rounds: int) -> None:
    frames = np.arange(len(clip.root)) + rounds * len(clip.root)
    face = face_at(clip, frames)
    if clip.loop or rounds == 0:
        assert np.array_equal(face, clip.face)
    else:
        assert (face == clip.face[-1 if rounds > 0 else 0]).all()


@given(clips_with_faces(), st.floats(0.0, 1.0))
def test_blended_motions_blend_their_faces(clip: Clip, share: float) -> None:
    first = Motion(24.0, clip.rotations, clip.root, face=clip.face)
    second = replace(first, face=clip.face[::-1])
    shares = np.full(len(clip.root), share)
    wanted = (1 - share) * clip.face + share * clip.face[::-1]
    assert np.allclose(blend_motions(first, second, shares).face, wanted, atol=1e-6)
    at_rest = replace(first, face=None)
    assert np.allclose(blend_motions(first, at_rest, shares).face, (1 - share) * clip.face)
    assert blend_motions(at_rest, at_rest, shares).face is None


def test_a_repeated_frame_goes_with_its_face() -> None:
    walk = clips.walk(24.0)
    next_round = walk.root[-1:] * [1, 1, 0] + walk.root[:1] * [0, 0, 1]
    clip = with_face(
        replace(
            walk,
            rotations=np.concatenate([walk.rotations, walk.rotations[:1]]),
            root=np.concatenate([walk.root, next_round]),
            loop=False,
        )
    )
    cut = as_loop(clip)
    assert cut.loop and len(cut.root) == len(walk.root)
    assert np.array_equal(cut.face, clip.face[:-1])


@pytest.mark.parametrize("name", ["walk", "sit"])
def test_a_cycle_ends_with_the_face_that_it_begins_with(name: str) -> None:
    clip = with_face(clips.CLIPS[name](24.0))
    motion = cyclic_motion(figures.skeleton(), clip)
    assert motion.face.shape == (len(motion.root), COUNT)
    assert np.array_equal(motion.face[: len(clip.root)], clip.face)
    if clip.loop:
        assert np.array_equal(motion.face[-1], motion.face[0])


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("name", ["walk", "wave", "sit"])
def test_a_performance_has_the_clips_face_and_rests_in_the_photos_pose(
    name: str, mirror: bool
) -> None:
    clip = clips.CLIPS[name](24.0)
    skeleton, pose = figures.skeleton(), figures.photo_pose()
    options = PerformOptions(mirror=mirror, returns=True)
    face = np.zeros((len(clip.root), COUNT), np.float32)
    face[:, FACIAL_ACTIONS.index("eyeBlinkLeft")] = 1.0
    motion = perform(skeleton, pose, replace(clip, face=face), 96, 24.0, options=options)
    bare = perform(skeleton, pose, clip, 96, 24.0, options=options)
    assert bare.face is None
    assert np.array_equal(motion.rotations, bare.rotations)
    assert np.array_equal(motion.root, bare.root)
    assert motion.face.shape == (96, COUNT)
    assert not motion.face[0].any() and not motion.face[-1].any()
    shown = FACIAL_ACTIONS.index("eyeBlinkRight" if mirror else "eyeBlinkLeft")
    assert motion.face[:, shown].max() == pytest.approx(1.0)
    assert not np.delete(motion.face, shown, axis=1).any()
