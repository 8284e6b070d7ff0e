"""Files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..core.errors import OutputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path of the same name in a folder beside `path`, moved there when all went well.

    An earlier file stays until then, and stays where anything fails. Raises OutputError where
    nothing can be written there or nothing was.
    """
    try:
        with TemporaryDirectory(
            prefix=".wake-up-", dir=path.parent, ignore_cleanup_errors=True
        ) as folder:
            made = Path(folder) / path.name
            yield made
            if not made.is_file():
                raise OutputError(f"{path.name} could not be written: see Blender's console.")
            made.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}): choose another place."
        ) from error
