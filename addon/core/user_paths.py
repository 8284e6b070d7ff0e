"""Paths as users give them: home folders, and what the system says of names that cannot be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import WakeUpError

_MOST_LETTERS = 80  # of a path in a sentence: names that are too long are not told whole
# What is neither a file nor a folder: reading may wait, or go on, for ever.
_SPECIAL = (
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
    (stat.S_ISSOCK, "socket"),
)


def user_path(text: Path | str) -> Path:
    """The path that a user means: `~` and `~name` are home folders.

    Two slashes in front are one: to Blender they would say that the path begins at its file.

    Parameters
    ----------
    text : Path | str
        As the user typed it.

    Returns
    -------
    Path
        The path; there need be nothing.

    Raises
    ------
    WakeUpError
        If it is `~name`, and there is neither such a user nor a file of that name.
    """
    path = Path(text)
    if str(text).startswith("~"):  # "./~name" is a file, though `Path` forgets the dot
        try:
            path = path.expanduser()
        except RuntimeError as error:
            if not exists(path, WakeUpError, "choose another path"):
                raise WakeUpError(
                    f"There is no user {told(Path(path.parts[0][1:]))}: choose another path, or "
                    "write ./ before a name that begins with ~."
                ) from error
    if path.root == "//":
        path = Path("/", *path.parts[1:])
    return path


def told(path: Path) -> str:
    """The path for a sentence, without its middle where it is long.

    Parameters
    ----------
    path : Path
        Of any length.

    Returns
    -------
    str
        At most about _MOST_LETTERS letters.
    """
    name, half = str(path), _MOST_LETTERS // 2
    return name if len(name) <= _MOST_LETTERS else f"{name[:half]}...{name[-half:]}"


def is_folder(path: Path, error: type[WakeUpError], instead: str) -> bool:
    """Whether there is a folder of this name.

    Raises `error` where the name is too long or lies in a folder that one may not enter.

    Parameters
    ----------
    path : Path
        Of any name.
    error : type[WakeUpError]
        The class to raise.
    instead : str
        What the user may do where the system refuses the name, a part of a sentence.

    Returns
    -------
    bool
        False also if there is nothing.
    """
    found = _status(path, error, instead)
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_file(path: Path, error: type[WakeUpError], instead: str) -> bool:
    """Whether there is a file of this name; arguments and errors as in `is_folder`.

    Parameters
    ----------
    path : Path
        Of any name.
    error : type[WakeUpError]
        The class to raise.
    instead : str
        What the user may do instead, a part of a sentence.

    Returns
    -------
    bool
        False also if there is nothing.
    """
    found = _status(path, error, instead)
    return found is not None and stat.S_ISREG(found.st_mode)


def exists(path: Path, error: type[WakeUpError], instead: str) -> bool:
    """Whether there is anything of this name; arguments and errors as in `is_folder`.

    Parameters
    ----------
    path : Path
        Of any name.
    error : type[WakeUpError]
        The class to raise.
    instead : str
        What the user may do instead, a part of a sentence.

    Returns
    -------
    bool
        True for a file, a folder or anything else.
    """
    return _status(path, error, instead) is not None


def check_readable(path: Path, error: type[WakeUpError], instead: str) -> None:
    """Raise `error` where the file may not be opened; arguments as in `is_folder`.

    What is not there, or is a folder, is left to the reader, who knows what it should be.

    Parameters
    ----------
    path : Path
        Of any name.
    error : type[WakeUpError]
        The class to raise.
    instead : str
        What the user may do instead, a part of a sentence.
    """
    check_not_special(path, error, instead)
    if is_file(path, error, instead):
        try:
            path.open("rb").close()
        except OSError as refused:
            raise _refused(path, refused, error, instead) from refused


def check_not_special(path: Path, error: type[WakeUpError], instead: str) -> None:
    """Raise `error` for pipes, devices and sockets, which it names; arguments as in `is_folder`.

    Parameters
    ----------
    path : Path
        Of any name.
    error : type[WakeUpError]
        The class to raise.
    instead : str
        What the user may do instead, a part of a sentence.
    """
    found = _status(path, error, instead)
    for is_kind, kind in _SPECIAL:
        if found is not None and is_kind(found.st_mode):
            raise error(f"{told(path)} is a {kind}, not a file: {instead}.")


def _status(path: Path, error: type[WakeUpError], instead: str) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last for a zero in the name
        return None
    except OSError as refused:
        raise _refused(path, refused, error, instead) from refused


def _refused(path: Path, refused: OSError, error: type[WakeUpError], instead: str) -> WakeUpError:
    return error(f"{told(path)} cannot be read ({refused.strerror or refused}): {instead}.")
