"""Errors that a user can cause, each one sentence that says what to do about it."""

from __future__ import annotations

_MOST_QUOTED = 40  # letters of a file's own word


def printable(text: str) -> str:
    """What came out of a file, or is its name, for a sentence: it need not be text, and would break
    the line or turn the rest of a terminal blue. Blanks of other kinds become usual ones.

    Parameters
    ----------
    text : str
        What came out of a file, or is its name.

    Returns
    -------
    str
        One line of printable letters.
    """
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "?" for letter in text
    )


def quoted(word: str) -> str:
    """The beginning of a word out of a file, made `printable`.

    Parameters
    ----------
    word : str
        A word of any length.

    Returns
    -------
    str
        Its beginning, printable.
    """
    return printable(word[:_MOST_QUOTED])


def said_by(error: RuntimeError) -> str:
    """What one of Blender's operators complains of, as a part of a sentence: of a traceback, which
    it hands on as text, the last line.

    Parameters
    ----------
    error : RuntimeError
        What calling one of Blender's operators raised.

    Returns
    -------
    str
        A part of a sentence, without full stop.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Location:")]
    return (lines[-1] if lines else "for no given reason").removeprefix("Error: ").rstrip(".")


class WakeUpError(Exception):
    """Base of every error that the user can mend. Its text is shown as it is, in one line whatever
    the names of files in it."""

    stage = ""  # of `pipeline.STAGES`, where it is known which one failed

    def __str__(self) -> str:
        return printable(super().__str__())


class PhotoError(WakeUpError):
    """The photo cannot be read, or is too small or too large to work with."""


class PersonError(WakeUpError):
    """There is no such person in the photo, or too little of one can be seen."""


class NobodyFoundError(PersonError):
    """No person is seen in the photo: a box around the figure says where to look."""


class ModelFileError(WakeUpError):
    """A model file (network or body) is missing, damaged or of another kind."""


class MotionError(WakeUpError):
    """A motion clip cannot be read or does not fit a human skeleton."""


class OutputError(WakeUpError):
    """The result cannot be written where it was asked for."""


class Cancelled(WakeUpError):
    """The user stopped the work; nothing has been changed."""
