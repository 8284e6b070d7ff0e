"""What a setting's field says is enough for all who ask, and the documents' table follows it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from photo_wake_up.addon.cli.arguments import chosen_output, chosen_settings, parser, spelled
from photo_wake_up.addon.core.motion.performing.options import PerformOptions
from photo_wake_up.addon.core.option import (
    PREFERENCES,
    SCENE,
    Limits,
    Setting,
    assembled,
    setting,
    settings_of,
)
from photo_wake_up.addon.core.pipeline.stages import titles
from photo_wake_up.addon.core.settings import OutputSettings, WakeUpSettings

ROOT = Path(__file__).resolve().parents[2]
EVERY = [*settings_of(WakeUpSettings), *settings_of(OutputSettings)]


def _values(each: Setting) -> str:
    option = each.option
    if option.choices:
        also = option.argument.also if option.argument else ()
        names = ", ".join(f"`{name}`" for name in (*spelled(each), *also))
        return f"{names} or a file" if option.is_file else names
    if option.limits is None:
        return "yes or no" if isinstance(each.default, bool) else "a file" if option.is_file else ""
    least, most = option.limits.least, option.limits.most
    if math.isinf(most):
        return f"{'above' if option.limits.is_above else 'from'} {least:g}"
    return f"{least:g} to {most:g}"


def _default(each: Setting) -> str:
    if isinstance(each.default, bool):
        return "yes" if each.default else "no"
    if each.option.unset or each.default in (None, ()):
        return each.option.unset
    return f"{each.default:g}" if isinstance(each.default, float) else f"{each.default}"


def _table() -> str:
    rows = ["| setting | option | stage | values | default |", "|---|---|---|---|---|"]
    for each in EVERY:
        option = each.option
        if option.argument is None and option.kept not in (SCENE, PREFERENCES):
            continue
        flag = f"`{option.argument.flag}`" if option.argument else ""
        cells = (option.on_screen, flag, titles().get(option.stage, ""), _values(each))
        rows.append(f"| {' | '.join((*cells, _default(each)))} |".replace("|  |", "| |"))
    return "\n".join(rows).replace("|  |", "| |")


def test_the_table_of_settings_is_what_the_fields_say():
    page = (ROOT / "docs" / "command_line.md").read_text("utf-8")
    assert _table() in page, f"docs/command_line.md lacks this table:\n{_table()}"


def test_every_default_is_one_of_the_values_and_every_setting_is_told():
    for each in EVERY:
        option = each.option
        assert option.argument is None or option.help
        assert not option.kept or option.help, each.name
        assert option.help[:1] == option.help[:1].upper() and not option.help.endswith(".")
        values = [choice.value for choice in option.choices]
        assert not values or isinstance(each.default, tuple) or each.default in values
        if option.limits is not None and each.default is not None:
            assert option.limits.allow(each.default)
    names = [each.property_name for each in EVERY if each.option.kept == SCENE]
    assert len(names) == len(set(names))


def test_the_command_without_options_chooses_the_defaults():
    options = parser().parse_args(["photo.jpg"])
    assert chosen_settings(options) == WakeUpSettings()
    assert chosen_output(options) == OutputSettings()
    given = parser().parse_args(
        ["photo.jpg", "--camera", "push-in", "--no-shadow", "--render", "none", "--return",
         "--back", "head", "--person", "all", "--focal", "900"]
    )  # fmt: skip
    assert chosen_output(given) == OutputSettings(camera="push_in", shadow=False, output="none")
    assert chosen_settings(given) == WakeUpSettings(
        performing=PerformOptions(returns=True), mirrored_parts=("head",), focal_px=900.0
    )


@pytest.mark.parametrize(
    ("limits", "allowed", "refused", "rule"),
    [
        (Limits(1, 9), (1, 9), (0, 10), "a number from 1 to 9"),
        (Limits(0.3, 3.0, "in m,"), (0.3, 3.0), (math.nan, 0.2999), "in m, from 0.3 to 3"),
        (Limits(0, kind="a whole number"), (0, 10**400), (-1,), "a whole number from 0 up"),
        (
            Limits(0.0, kind="a length", is_above=True), (1e-9, 1e9), (0.0, math.inf, math.nan),
            "a length and greater than 0",
        ),
    ],
)  # fmt: skip
def test_limits(limits, allowed, refused, rule):
    assert all(map(limits.allow, allowed)) and not any(map(limits.allow, refused))
    assert limits.rule == rule


def test_settings_are_put_together_by_name_those_of_groups_too():
    @dataclass(frozen=True)
    class Several:
        own: int = setting(1, "people", "own")
        performing: PerformOptions = setting(PerformOptions(), "motion", "manner")
        not_a_setting: int = 3

    names = [each.name for each in settings_of(Several)]
    assert names == ["own", "speed", "mirror", "in_place", "returns"]
    made = assembled(Several, {"own": 2, "speed": 2.0, "unknown": 0})
    assert made == Several(2, PerformOptions(speed=2.0))
    assert assembled(Several, {}) == Several()
    # What cannot be chosen by users is the only field of a group that is no setting.
    assert {each.name for each in fields(PerformOptions)} - set(names) == {"blend_s"}
