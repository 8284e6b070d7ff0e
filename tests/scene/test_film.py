"""What is rendered: each kind's frames, rate and transparency, in one go and frame by frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.core.errors import OutputError
from photo_wake_up.addon.core.interchange.animated_image import frame_times
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.render import film, stills

from . import figures


@pytest.fixture
def shot(empty_file):
    """A scene set up to be rendered, and its collection."""
    collection = build.build_scene(figures.result())
    stills.look_through(empty_file, collection, width=64, fps=figures.FPS)
    return empty_file, collection


def made(shot, kind, target, stepwise=False):
    work = film.film(*shot, kind, target, stepwise)
    fractions = []
    while True:
        try:
            fractions.append(next(work).fraction)
        except StopIteration as finished:
            assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1
            return finished.value


def read_video(path):
    video = cv2.VideoCapture(str(path))
    rate, pictures = video.get(cv2.CAP_PROP_FPS), []
    while (read := video.read())[0]:
        pictures.append(read[1][..., ::-1])
    return rate, np.array(pictures)


def test_video_frame_by_frame_is_the_video_in_one_go(shot, tmp_path):
    rate, whole = read_video(made(shot, "mp4", tmp_path / "whole.mp4"))
    stepped_rate, stepped = read_video(made(shot, "mp4", tmp_path / "stepped.mp4", stepwise=True))
    assert len(whole) == len(stepped) == figures.FRAMES
    assert rate == stepped_rate == pytest.approx(figures.FPS)
    assert np.abs(whole.astype(int) - stepped).mean() < 0.5
    assert sorted(item.name for item in tmp_path.iterdir()) == ["stepped.mp4", "whole.mp4"]


@pytest.mark.parametrize("stepwise", [False, True])
def test_character_alone_has_alpha_and_no_background(shot, tmp_path, stepwise):
    scene, collection = shot
    folder = made(shot, "character", tmp_path / "alone", stepwise)
    pictures = sorted(folder.iterdir())
    assert len(pictures) == figures.FRAMES
    for path in pictures:
        picture = np.asarray(Image.open(path))
        assert picture.shape[2] == 4
        assert 0.001 < (picture[..., 3] > 127).mean() < 0.5
    assert not build.find_parts(collection).plate.hide_render
    assert not scene.render.film_transparent


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_loops_repeat_and_last_as_long_as_the_video(shot, tmp_path, kind):
    path = made(shot, kind, tmp_path / "loop", stepwise=kind == "gif")
    with Image.open(path) as opened:
        assert opened.info["loop"] == 0
        length = 0
        for frame in range(opened.n_frames):
            opened.seek(frame)
            opened.load()
            length += opened.info["duration"]
    assert abs(length - 1000 * figures.FRAMES / figures.FPS) <= 10


def test_stopping_leaves_nothing(shot, tmp_path):
    work = film.film(*shot, "mp4", tmp_path / "video.mp4", stepwise=True)
    for _ in range(4):
        next(work)
    work.close()
    assert not list(tmp_path.iterdir())
    assert shot[0].frame_current == 1


def test_times_keep_their_sum():
    for fps in (23.976, 24.0, 25.0, 30.0, 50.0):
        times = frame_times(240, fps, 10)
        ends = np.cumsum(times)
        assert np.abs(ends - np.arange(1, 241) * 1000 / fps).max() <= 5.0001
        assert min(times) >= 20
    with pytest.raises(OutputError, match="at most 50"):
        frame_times(10, 60.0, 10)
