"""What is known of a setting, once: the stage that it is part of, what it is called, what it may
be, and where users find it. The command's arguments, Blender's properties, the states of stages
and the documents' table follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

# Where Blender keeps a setting: with the scene, for all files, or not as a property of its own.
SCENE, PREFERENCES, NOWHERE = "scene", "preferences", ""
_Settings = TypeVar("_Settings")


@dataclass(frozen=True)
class Limits:
    """What a number may be."""

    least: float
    most: float = math.inf
    kind: str = "a number"  # what a sentence calls it
    is_above: bool = False  # whether `least` itself is too little
    soft_most: float | None = None  # where Blender's slider ends; typing goes beyond

    def allow(self, value: float) -> bool:
        """Whether a value is within; what is not finite never is.

        Parameters
        ----------
        value : float
            In the setting's own unit.

        Returns
        -------
        bool
            Whether it may be.
        """
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return self.least <= value <= self.most and not (self.is_above and value == self.least)

    @property
    def rule(self) -> str:
        """What a value must be, as the end of a sentence."""
        if self.is_above:
            return f"{self.kind} and greater than {self.least:g}"
        if math.isinf(self.most):
            return f"{self.kind} from {self.least:g} up"
        return f"{self.kind} from {self._said(self.least)} to {self._said(self.most)}"

    @staticmethod
    def _said(number: float) -> str:
        return f"{number}" if isinstance(number, int) else f"{number:g}"


@dataclass(frozen=True)
class Choice:
    """One of the values that a setting may have."""

    value: Any
    title: str
    description: str


@dataclass(frozen=True)
class Argument:
    """A setting as the command's argument."""

    flag: str
    metavar: str = ""
    help: str = ""  # where it is not what the setting says of itself
    is_opposite: bool = False  # whether giving it switches the setting off
    also: tuple[str, ...] = ()  # choices of the command alone


@dataclass(frozen=True)
class Option:
    """What is known of a setting. Texts begin with a capital and have no full stop."""

    stage: str  # the first stage whose value it is part of; those that follow go with it
    title: str  # what a sentence calls it
    help: str = ""
    label: str = ""  # on the screen, where it is not the title in capitals
    unset: str = ""  # what an empty text or 0 stands for
    limits: Limits | None = None
    choices: tuple[Choice, ...] = ()
    is_file: bool = False  # a path of the user's
    decimals: int = 4  # that Blender's single floats keep of what was typed
    subtype: str = ""  # Blender's, of a number
    unit: str = ""  # Blender's
    kept: str = NOWHERE
    named: str = ""  # the property, where it has not the setting's own name
    is_drawn: bool = True  # whether the stage's panel shows it by itself
    argument: Argument | None = None

    @property
    def on_screen(self) -> str:
        """What a property is called."""
        return self.label or self.title.title()

    def described(self, blank: str) -> str:
        """A property's description.

        Parameters
        ----------
        blank : str
            How the property looks where nothing is chosen.

        Returns
        -------
        str
            Without a full stop.
        """
        return f"{self.help}; {blank} takes {self.unset}" if self.unset else self.help


@dataclass(frozen=True)
class Setting:
    """A field with what is known of it."""

    name: str
    default: Any
    option: Option
    group: str = ""  # the field of the settings whose own field this is

    @property
    def property_name(self) -> str:
        """The name of Blender's property."""
        return self.option.named or self.name


def setting(default: Any, stage: str, title: str, **more: Any) -> Any:
    """A dataclass's field that is a setting.

    Parameters
    ----------
    default : Any
        The field's default; a dataclass of settings makes them a group.
    stage : str
        See `Option`.
    title : str
        See `Option`.
    **more : Any
        Other fields of `Option`.

    Returns
    -------
    Any
        What `dataclasses.field` gives.
    """
    return field(default=default, metadata={"option": Option(stage, title, **more)})


def options_of(settings: type) -> dict[str, Option]:
    """What is known of each field of a dataclass that is a setting.

    Parameters
    ----------
    settings : type
        The dataclass.

    Returns
    -------
    dict[str, Option]
        By the fields' names.
    """
    return {
        each.name: each.metadata["option"] for each in fields(settings) if "option" in each.metadata
    }


def settings_of(settings: type) -> Iterator[Setting]:
    """All settings of a dataclass, in order; of fields that are dataclasses themselves, theirs.

    Parameters
    ----------
    settings : type
        The dataclass.

    Yields
    ------
    Setting
        One after the other.
    """
    options = options_of(settings)
    for each in fields(settings):
        if each.name not in options:
            continue
        if is_dataclass(each.default):
            for inner in settings_of(type(each.default)):
                yield Setting(inner.name, inner.default, inner.option, each.name)
        else:
            yield Setting(each.name, each.default, options[each.name])


def assembled(settings: type[_Settings], values: Mapping[str, Any]) -> _Settings:
    """The dataclass with these values of its settings.

    Parameters
    ----------
    settings : type
        The dataclass.
    values : Mapping[str, Any]
        By the settings' names, those of groups as well; what is not given has its default.

    Returns
    -------
    _Settings
        An instance.
    """
    inner: dict[str, dict[str, Any]] = {}
    flat: dict[str, Any] = {}
    for each in settings_of(settings):
        if each.name in values:
            place = inner.setdefault(each.group, {}) if each.group else flat
            place[each.name] = values[each.name]
    for group, chosen in inner.items():
        flat[group] = type(getattr(settings, group))(**chosen)
    return settings(**flat)
