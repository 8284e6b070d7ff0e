"""The order of stages, what depends on what, stopping, and the figures of the report."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh
from PIL import Image

from photo_wake_up.addon.core.body.fit.body_fit import fit_body, refine_body
from photo_wake_up.addon.core.errors import (
    Cancelled,
    MotionError,
    PersonError,
    PhotoError,
    WakeUpError,
)
from photo_wake_up.addon.core.motion.sources.library import load_motion
from photo_wake_up.addon.core.perception.detection.people import choose
from photo_wake_up.addon.core.pipeline.run import advance, drain, wake_up
from photo_wake_up.addon.core.pipeline.several_people import wake_up_everyone
from photo_wake_up.addon.core.pipeline.stages import LAST, STAGES, without
from photo_wake_up.addon.core.reports import contact_sheet, report
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import WakeUpSettings
from photo_wake_up.addon.core.types import (
    BodyMaps,
    Crop,
    Detection,
    Photo,
    PoseLandmarks,
    Progress,
    SurfaceMaps,
)


@pytest.fixture
def recorded(monkeypatch):
    """Stages that do nothing but write down that they ran."""
    ran: list[str] = []

    def work(name: str):
        def run_(inputs, tell):
            for needed in STAGES[name].needs:
                assert getattr(inputs.result, needed) is not None
            tell(Progress(0.5, f"halfway {name}"))
            ran.append(name)
            return replace(inputs.result, **{name: f"{name} made"})

        return run_

    for name, stage in STAGES.items():
        monkeypatch.setitem(STAGES, name, replace(stage, run=work(name)))
    return ran


@pytest.mark.parametrize("everybody", [False, True])
def test_an_unknown_motion_is_refused_before_the_photo_is_read(recorded, everybody):
    start = wake_up_everyone if everybody else wake_up
    with pytest.raises(MotionError, match="walk"):
        drain(start("photo.jpg", WakeUpSettings(motion="moonwalk")))
    assert not recorded


@pytest.mark.parametrize("everybody", [False, True])
def test_a_clip_that_was_read_already_is_not_read_again(recorded, everybody):
    """What only Blender can read; without it that is said before the photo is read."""
    settings = WakeUpSettings(motion="dance.fbx", take="2")
    clip = load_motion("dance", 24.0)
    with pytest.raises(MotionError, match="dance.fbx is for Blender to read"):
        start = wake_up_everyone if everybody else wake_up
        drain(start("photo.jpg", settings))
    assert not recorded
    if not everybody:
        assert drain(wake_up("photo.jpg", settings, clip)).motion == "motion made"


def test_stages_run_once_in_order_with_rising_progress(recorded):
    steps = []
    work = wake_up("photo.jpg", WakeUpSettings())
    while True:
        try:
            steps.append(next(work))
        except StopIteration as finished:
            result = finished.value
            break
    assert recorded == list(STAGES)
    assert set(result.costs) == set(STAGES)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert {f"halfway {stage}" for stage in STAGES} <= {step.message for step in steps}


@pytest.mark.parametrize("until", STAGES)
def test_a_stage_brings_what_it_needs_and_no_more(recorded, until):
    result = drain(advance(WakeUpResult(), WakeUpSettings(), "p", until))
    assert getattr(result, until) is not None
    for stage in STAGES:
        if getattr(result, stage) is not None and stage != until:
            assert any(
                stage in STAGES[later].needs or (until == LAST and stage in STAGES[LAST].beside)
                for later in recorded
            )


def test_known_values_are_kept(recorded):
    known = WakeUpResult(photo="p", people="q", person="painted by the user")
    result = drain(advance(known, WakeUpSettings()))
    assert result.person == "painted by the user"
    assert recorded == ["fitted", "build", "background", "motion"]


def test_dropping_a_value_drops_what_was_made_from_it(recorded):
    full = drain(wake_up("p", WakeUpSettings()))
    left = without(full, "person")
    assert left.people is not None
    assert (left.person, left.fitted, left.build, left.background, left.motion) == (None,) * 5
    left = without(full, "motion")
    assert left.build is not None and left.motion is None


def test_closing_stops_the_running_stage(monkeypatch):
    ended = []

    def work(_inputs, tell):
        try:
            while True:
                tell(Progress(0.1, "working"))
                time.sleep(0.005)
        except Cancelled:
            ended.append("photo")
            raise

    monkeypatch.setitem(STAGES, "photo", replace(STAGES["photo"], run=work))
    steps = wake_up("p", WakeUpSettings())
    while next(steps).message != "working":
        pass
    steps.close()
    assert ended == ["photo"]


def test_errors_of_a_stage_reach_the_caller(tmp_path):
    with pytest.raises(PhotoError):
        drain(wake_up(tmp_path / "nothing.jpg", WakeUpSettings()))


@pytest.mark.parametrize("focal_px", [1.0, 12.0, 1e6])
def test_a_focal_length_that_is_none_is_refused_before_any_work(tmp_path, focal_px):
    Image.new("RGB", (96, 128), (90, 90, 90)).save(tmp_path / "grey.png")
    with pytest.raises(WakeUpError, match="focal length.*from 36 to 10666 pixels") as refusal:
        drain(wake_up(tmp_path / "grey.png", WakeUpSettings(focal_px=focal_px)))
    assert refusal.value.stage == "photo"
    # A photo that is there already is not read again.
    for fit in (fit_body, refine_body):
        with pytest.raises(WakeUpError, match="focal length"):
            fit(_photo(), *[None] * (2 if fit is fit_body else 4), focal_px=focal_px)


def test_what_was_left_out_of_the_file_is_a_warning():
    tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)
    measured = SimpleNamespace(foldover_fraction=0, hole_fraction=0, collapsed_fraction=0, warps=())
    build = SimpleNamespace(report=measured, character=SimpleNamespace(triangles=tetrahedron))
    photo = replace(_photo(), remarks=("The colour profile was left out.",))
    assert report.warnings_of(WakeUpResult(photo=photo, build=build)) == list(photo.remarks)
    assert report.warnings_of(WakeUpResult(photo=_photo(), build=build)) == []


@pytest.mark.parametrize(
    ("people", "number", "sentence"),
    [(1, 2, "is one person"), (3, 4, "from 1 to 3"), (3, -1, "from 1 to 3")],
)
def test_person_that_is_not_there(people, number, sentence):
    marks = PoseLandmarks(*(np.zeros(1, np.float32),) * 4)
    detection = Detection(np.zeros(4, np.float32), 1.0, marks)
    with pytest.raises(PersonError, match=sentence):
        choose((detection,) * people, number)


def test_closed_meshes_are_told_from_open_ones():
    ball = trimesh.creation.icosphere(subdivisions=2, radius=0.5)
    faces = np.asarray(ball.faces, np.int32)
    assert report.watertight(faces)
    assert not report.watertight(faces[1:])
    assert not report.watertight(np.concatenate([faces, faces[:1]]))
    flipped = faces.copy()
    flipped[0] = flipped[0, ::-1]
    assert not report.watertight(flipped)
    assert report.signed_volume(ball.vertices, faces) == pytest.approx(ball.volume)
    moved = np.asarray(ball.vertices) + [3.0, -2.0, 5.0]
    assert report.signed_volume(moved, faces[:, ::-1]) == pytest.approx(-ball.volume)


def test_intersection_over_union():
    a = np.zeros((10, 10), bool)
    b = a.copy()
    assert report.intersection_over_union(a, b) == 1
    a[:, :6], b[:, 4:] = True, True
    assert report.intersection_over_union(a, b) == pytest.approx(0.2)


def _photo() -> Photo:
    return Photo(np.full((60, 40, 3), 200, np.uint8), None, None, "grey")


def test_body_overlay_lies_where_the_body_is():
    photo = _photo()
    crop = Crop(x0=10.0, y0=20.0, scale=2.0, width=21, height=31)
    depth = np.full((31, 21), 2.0, np.float32)
    normal = np.zeros((31, 21, 3), np.float32)
    normal[..., 2] = -1
    sheet = SurfaceMaps(
        depth, normal, np.zeros((31, 21, 24), np.float32), np.ones((31, 21), np.uint8),
        np.zeros((31, 21), np.int32),
    )  # fmt: skip
    overlay = contact_sheet.body_overlay(photo, [BodyMaps(crop, sheet, sheet)])
    changed = (overlay != photo.rgb).any(axis=-1)
    rows, columns = np.nonzero(changed)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (10, 20, 20, 35)
    assert changed[20:36, 10:21].all()


def test_sheet_holds_all_panels_and_is_wide_enough():
    photo = _photo()
    size = contact_sheet.panel_size(photo)
    assert size[1] / size[0] == pytest.approx(1.5)
    panels = [(f"panel {index}", photo.rgb) for index in range(12)]
    sheet = contact_sheet.compose(panels, size)
    assert sheet.shape[1] >= 1600 and sheet.shape[0] >= 3 * size[1]
    shown = (sheet == 200).all(axis=-1).sum()
    assert shown == pytest.approx(12 * size[0] * size[1], rel=0.01)


def test_panel_of_a_panorama_stays_within_limits():
    wide = replace(_photo(), rgb=np.zeros((10, 1000, 3), np.uint8))
    width, height = contact_sheet.panel_size(wide)
    assert 0.5 < height / width < 1


def test_checks_show_through_where_the_picture_is_clear():
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[:16, :, 3] = 255
    shown = contact_sheet.on_checks(picture)
    assert (shown[:16] == 0).all() and (shown[16:] > 200).all()
