"""Several people of one photo on one ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body.world_pose import skin_matrices, skin_vertices
from photo_wake_up.addon.core.errors import PersonError
from photo_wake_up.addon.core.pipeline import several_people
from photo_wake_up.addon.core.pipeline.run import advance, drain
from photo_wake_up.addon.core.result import WakeUpResult
from photo_wake_up.addon.core.settings import WakeUpSettings
from photo_wake_up.addon.core.stage import Inputs
from photo_wake_up.addon.core.types import Background, Foreground, ShapeKey

from ..scene import figures


def _seen(result: WakeUpResult) -> np.ndarray:
    """Photo pixels of the character's vertices."""
    character = result.build.character
    points = frames.transform(
        np.linalg.inv(character.world_from_camera), character.vertices.astype(np.float64)
    )
    return frames.project(result.fitted.camera, points)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_scaling_about_the_camera_shows_in_no_pixel(factor):
    result = figures.result()
    scaled = several_people._scaled(result, factor)
    assert np.allclose(_seen(scaled), _seen(result), atol=2e-3)
    body = frames.project(result.fitted.camera, scaled.fitted.vertices)
    assert np.allclose(
        body, frames.project(result.fitted.camera, result.fitted.vertices), atol=2e-3
    )
    assert several_people._ground(scaled) == pytest.approx(factor * several_people._ground(result))
    character = scaled.build.character
    posed = skin_vertices(
        character.rest_vertices,
        character.weights,
        skin_matrices(character.skeleton, character.pose),
    )
    assert np.allclose(posed, character.vertices, atol=1e-4)


def test_everyone_stands_on_the_ground_of_the_most_prominent():
    large = figures.result()
    small = several_people._scaled(large, 0.85)
    small = replace(small, person=replace(small.person, mask=np.zeros_like(small.person.mask)))
    jumping = several_people._scaled(small, 0.5)
    one, two, three = several_people._on_one_ground([small, large, jumping])
    assert several_people._ground(one) == pytest.approx(several_people._ground(large))
    assert two is large or several_people._ground(two) == several_people._ground(large)
    assert three is jumping  # nobody is twice as tall: this one is not on the ground


def test_people_share_the_plate_and_who_cannot_be_cut_out_is_left_out(monkeypatch):
    made = figures.result()
    filled = []

    def advance(result, settings, _path, until, _clip=None, everyone=None):
        if False:
            yield
        if until == "people":
            return replace(result, photo=made.photo, people=(made.people[0],) * 3)
        if until == "build":
            if settings.person == 2:
                raise PersonError("No outline.")
            mask = np.zeros_like(made.person.mask)
            mask[settings.person * 10] = True
            return replace(made, background=None, person=replace(made.person, mask=mask))
        if until == "background":
            hole = everyone.mask
            filled.append(hole)
            assert result.person.mask.sum() < hole.sum(), "a person stays one person"
            return replace(result, background=Background(made.photo.rgb, hole, made.photo.rgb))
        return result

    monkeypatch.setattr(several_people, "advance", advance)
    work = several_people.wake_up_everyone("photo.jpg", WakeUpSettings())
    fractions = []
    while True:
        try:
            fractions.append(next(work).fraction)
        except StopIteration as finished:
            results = finished.value
            break
    assert len(results) == 2 and fractions == sorted(fractions)
    assert len(filled) == 1
    assert np.array_equal(filled[0], results[0].person.mask | results[1].person.mask)
    assert results[0].background is results[1].background


def test_the_background_is_filled_behind_one_person_or_everybody():
    result = figures.result()
    first = result.person
    second = replace(first, mask=np.roll(first.mask, 40, 1), matte=np.roll(first.matte, 40, 1))
    both = Foreground.of([first, second])
    assert np.array_equal(both.mask, first.mask | second.mask)
    assert np.array_equal(both.matte, np.maximum(first.matte, second.matte))
    inputs = Inputs(result, WakeUpSettings())
    assert np.array_equal(inputs.foreground.mask, first.mask)
    assert np.array_equal(inputs.foreground.matte, first.matte)
    assert replace(inputs, everyone=both).foreground is both
    bare = replace(result, background=None)
    work = advance(bare, WakeUpSettings(), until="background", everyone=both)
    assert drain(work).background.hole[both.mask].all()
    with pytest.raises(ValueError, match="at least one person"):
        Foreground.of([])


def test_scaling_takes_the_shape_keys_along():
    result = figures.result()
    figure = result.build.character
    offsets = np.random.default_rng(2).normal(size=figure.vertices.shape).astype(np.float32)
    keyed = replace(figure, shape_keys=(ShapeKey("smile", offsets),))
    (key,) = several_people.scaled_character(keyed, 1.25).shape_keys
    assert key.name == "smile" and key.offsets.dtype == np.float32
    assert np.allclose(key.offsets, 1.25 * offsets)
    assert several_people.scaled_character(figure, 1.25).shape_keys == ()
