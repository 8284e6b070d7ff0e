"""Rendered frames as one picture that moves for ever: GIF or WebP."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import OutputError
from ..types import Progress

# In which a file states how long a frame stays, milliseconds.
_UNIT_MS = {".gif": 10, ".webp": 1}
# Viewers take a GIF's delays below 20 ms as 100 ms.
_LEAST_MS = 20
_WEBP_QUALITY = 85  # of 100: no blocks are seen in skin
_WEBP_METHOD = 2  # of 0..6: higher takes minutes for a few per cent


def frame_times(count: int, fps: float, unit_ms: int) -> list[int]:
    """Milliseconds that each of `count` frames stays: multiples of the file's unit whose sums stay
    within a unit of the true times, so that the loop keeps its length.

    Parameters
    ----------
    count : int
        How many frames.
    fps : float
        Frames per second.
    unit_ms : int
        The file format's unit of time, milliseconds.

    Returns
    -------
    list[int]
        Milliseconds per frame.

    Raises
    ------
    OutputError
        If there are more frames per second than viewers show.
    """
    if fps * _LEAST_MS > 1000:
        raise OutputError(f"A moving picture has at most {1000 // _LEAST_MS} frames a second.")
    ends = [round(index * 1000 / fps / unit_ms) * unit_ms for index in range(count + 1)]
    return [max(end - start, _LEAST_MS) for start, end in itertools.pairwise(ends)]


def write_loop(frames: Sequence[Path], path: Path, fps: float) -> Generator[Progress, None, None]:
    """Write picture files as one that repeats without end; `path` ends in .gif or .webp.

    A GIF has 256 colours, chosen once for all frames so that what stands still does not flicker.

    Parameters
    ----------
    frames : Sequence[Path]
        Picture files of one size, in order.
    path : Path
        The file to write.
    fps : float
        Frames per second.

    Yields
    ------
    Generator[Progress, None, None]
        One for each frame.
    """
    times = frame_times(len(frames), fps, _UNIT_MS[path.suffix])
    pictures: list[Image.Image] = []
    palette = None
    for number, frame in enumerate(frames):
        with Image.open(frame) as opened:
            picture = opened.convert("RGB")
        if path.suffix == ".gif":
            if palette is None:
                palette = _common_palette(frames)
            picture = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        pictures.append(picture)
        yield Progress((number + 1) / (len(frames) + 1), "Composing the loop")
    options: dict[str, Any] = {"quality": _WEBP_QUALITY, "method": _WEBP_METHOD}
    if path.suffix == ".gif":
        options = {"disposal": 1, "optimize": False}
    # Pillow merges equal frames in a row and adds up their times.
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=times, loop=0, **options
    )


def _common_palette(frames: Sequence[Path]) -> Image.Image:
    """256 colours of the first, the middle and the last frame together."""
    chosen = []
    for frame in (frames[0], frames[len(frames) // 2], frames[-1]):
        with Image.open(frame) as opened:
            chosen.append(opened.convert("RGB"))
    width, height = chosen[0].size
    strip = Image.new("RGB", (width, height * len(chosen)))
    for number, picture in enumerate(chosen):
        strip.paste(picture, (0, number * height))
    return strip.quantize(256, method=Image.Quantize.MEDIANCUT)
