"""A folder of photos: which files are photos, what their results are called, and by what a result
is known to be of this very photo with these very settings."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import PhotoError
from ..user_paths import told

PHOTO_SUFFIXES = frozenset(
    (
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif",
        ".avif", ".heic", ".heif", ".hif", ".jp2", ".ppm", ".pgm", ".tga",
    )
)  # fmt: skip
_BLOCK_BYTES = 2**20  # read at a time: networks have hundreds of these


def photos_in(folder: Path) -> tuple[Path, ...]:
    """The photos that lie in a folder itself, by name; hidden files are none.

    Parameters
    ----------
    folder : Path
        The user's folder; folders within are not searched.

    Returns
    -------
    tuple[Path, ...]
        Paths of files whose suffix is a picture's.

    Raises
    ------
    PhotoError
        If there are none, or where the folder cannot be listed.
    """
    try:
        photos = tuple(
            sorted(
                item
                for item in folder.iterdir()
                if item.suffix.lower() in PHOTO_SUFFIXES
                and not item.name.startswith(".")
                and not item.is_dir()
            )
        )
    except OSError as error:
        raise PhotoError(
            f"The folder {told(folder)} cannot be listed ({error.strerror}): choose another one."
        ) from error
    if not photos:
        raise PhotoError(f"There are no photos in {folder}: choose a folder of JPEG or PNG files.")
    return photos


def result_names(photos: Iterable[Path], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """The folder that each photo's result goes to: its name without suffix, and with it where
    that would be another photo's, too, or is taken. Case does not distinguish folders everywhere.

    Parameters
    ----------
    photos : Iterable[Path]
        The photos' paths.
    taken : Iterable[str]
        Names that are not free.

    Returns
    -------
    tuple[str, ...]
        A name for each photo, in their order.
    """
    photos = tuple(photos)
    stems = Counter(name.lower() for name in (*taken, *(photo.stem for photo in photos)))
    return tuple(photo.stem if stems[photo.stem.lower()] == 1 else photo.name for photo in photos)


def fingerprint(settings: Mapping[str, object], files: Iterable[Path]) -> str:
    """A text that is the same for the same settings and contents of files, wherever they lie.

    What cannot be read counts as empty: its reader reports what is wrong with it.

    Parameters
    ----------
    settings : Mapping[str, object]
        What JSON can hold, or `str` can write.
    files : Iterable[Path]
        In an order of their own: another order is another fingerprint.

    Returns
    -------
    str
        Hexadecimal digits of a SHA-256.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for path in files:
        content = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    content.update(block)
        except (OSError, ValueError):  # a path with a zero in it is a ValueError
            pass
        digest.update(content.digest())
    return digest.hexdigest()
