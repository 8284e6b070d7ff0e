"""What the panel says of each stage follows from what was made and what is wanted."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from photo_wake_up.addon.core.errors import MotionError, NobodyFoundError, PhotoError
from photo_wake_up.addon.core.motion.performing.options import PerformOptions
from photo_wake_up.addon.core.pipeline.run import drain, wake_up
from photo_wake_up.addon.core.pipeline.stages import STAGES, editable, titles, without
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import OPTIONS, WakeUpSettings
from photo_wake_up.addon.stage_states import (
    DONE,
    FAILED,
    NOT_YET,
    OUT_OF_DATE,
    Made,
    StageState,
    plain,
    stage_states,
)

SETTINGS = WakeUpSettings()
TITLES, EDITABLE = titles(), editable()
PHOTO = ("//a.png", "/photos/a.png")


def _made(settings: WakeUpSettings = SETTINGS, stages=STAGES, photo=PHOTO, everyone=False) -> Made:
    return Made(photo, plain(settings), tuple(stages), everyone)


def _stale(made: Made, wanted: Made, **more) -> dict[str, str]:
    states = stage_states(made, wanted, **more)
    return {name: state.reason for name, state in states.items() if state.condition == OUT_OF_DATE}


def test_every_setting_belongs_to_a_stage_and_has_a_title():
    names = {field.name for field in fields(WakeUpSettings)}
    assert set(OPTIONS) == names and all(option.title for option in OPTIONS.values())
    assert {option.stage for option in OPTIONS.values()} <= set(TITLES) == set(STAGES) - {"photo"}
    assert {stage for stages in EDITABLE.values() for stage in stages} <= set(TITLES)


def test_nothing_made_is_not_yet_and_all_made_is_done():
    assert set(stage_states(None, _made()).values()) == {StageState(NOT_YET)}
    assert set(stage_states(_made(), _made()).values()) == {StageState(DONE)}
    part = stage_states(_made(stages=("photo", "people", "person")), _made())
    assert [part[name].condition for name in TITLES] == [DONE, DONE] + 4 * [NOT_YET]


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_a_setting_that_changed_says_so_where_it_is_used(name):
    others = {
        "person": 2, "box": (1.0, 2.0, 3.0, 4.0), "performing": PerformOptions(speed=2.0),
        "path": ((0.0, 1.0, 0.0),), "focal_px": 900.0, "mirrored_parts": ("head",),
    }  # fmt: skip
    before = getattr(SETTINGS, name)
    other = others.get(name)
    if other is None:
        other = not before if isinstance(before, bool) else before + type(before)(1)
    changed = replace(SETTINGS, **{name: other})
    stale = _stale(_made(), _made(changed))
    assert stale[OPTIONS[name].stage] == f"Changed since: {OPTIONS[name].title}"
    # The states promise what the next press does: just these stages are without a value.
    everything = WakeUpResult(**dict.fromkeys(STAGES, object()))
    kept = without(everything, OPTIONS[name].stage)
    assert set(stale) == {stage for stage in TITLES if getattr(kept, stage) is None}


def test_what_follows_says_from_what():
    stale = _stale(_made(), _made(replace(SETTINGS, height_m=1.2, frames=7)))
    assert stale == {
        "fitted": "Changed since: height",
        "build": "Follows from: Fit Body",
        "motion": "Changed since: frames",
    }


def test_edits_by_hand():
    assert _stale(_made(), _made(), edited={"labels"}) == {
        "build": "Edited since: labels", "motion": "Follows from: Build Character",
    }  # fmt: skip
    assert set(_stale(_made(), _made(), edited={"mask"})) == {
        "fitted", "build", "background", "motion",
    }  # fmt: skip
    pose = _stale(_made(), _made(), edited={"pose", "joints"})
    assert set(pose) == {"fitted", "build", "motion"}
    assert pose["fitted"] == "Edited since: joints, pose"


def test_another_photo_and_everyone():
    assert set(_stale(_made(), _made(photo=("b.png", "/photos/b.png")))) == set(TITLES)
    # The same file, typed in another way, or in a project that was moved.
    assert not _stale(_made(), _made(photo=("/photos/a.png", "/photos/a.png")))
    assert not _stale(_made(), _made(photo=("//a.png", "/moved/a.png")))
    assert _stale(_made(), _made(everyone=True)) == {"motion": "Changed since: everyone"}


def test_a_failure_is_shown_where_it_happened():
    failed = stage_states(_made(), _made(), failure=("build", "No room."))
    assert failed["build"] == StageState(FAILED, "No room.")
    assert failed["motion"].condition == DONE
    assert stage_states(None, _made(), failure=("photo", "Gone."))["people"].reason == "Gone."


def test_what_is_noted_survives_as_text():
    settings = replace(SETTINGS, box=(1.0, 2.0, 3.5, 4.0), path=((0.1, 0.2, 0.3), (1, 2, 3)))
    made = _made(settings)
    read = Made.from_text(made.as_text())
    assert read == made and not _stale(read, _made(settings))
    for damaged in ("", "{", "[]", '{"photo": 3}', "{}"):
        assert Made.from_text(damaged) is None
    older = {name: value for name, value in made.settings.items() if name != "seed"}
    assert not _stale(replace(made, settings=older), _made(replace(settings, seed=4)))


def test_errors_say_their_stage(tmp_path):
    with pytest.raises(PhotoError) as gone:
        drain(wake_up(tmp_path / "gone.png", SETTINGS))
    assert gone.value.stage == "photo"
    with pytest.raises(MotionError) as unread:
        drain(wake_up(tmp_path / "gone.png", replace(SETTINGS, motion="fly")))
    assert unread.value.stage == "motion"
    assert NobodyFoundError("").stage == ""
