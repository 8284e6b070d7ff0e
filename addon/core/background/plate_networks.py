"""Filling by a network of the user's, such as LaMa (Suvorov et al., WACV 2022).

The network sees a square around the hole at the size that it was made for; its filling is brought
back to the photo's size, and every pixel outside of the hole stays the photo's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..errors import ModelFileError
from ..imaging.patchmatch import reduced
from ..inference import onnx
from ..types import AnyArray, Float32, Mask, UInt8

KIND = "network for the background"
STRIDE_PX = 8  # LaMa halves a picture three times
MOST_PX = 1024  # longer side where the file leaves the size open: beyond, memory and time explode
CONTEXT = 0.5  # of the hole's longer side, on each side: what the network continues
LARGEST_SHARE = 2.0  # an output beyond is in 0..255, not in 0..1

_NEEDS = (
    "the inputs 1x3xHxW (the picture) and 1x1xHxW (the hole) and the output 1x3xHxW (the picture "
    "filled)"
)


@dataclass(frozen=True, eq=False)
class PlateNetwork:
    """A network that fills the hole of a picture."""

    network: onnx.Network
    mask_first: bool  # which of the two inputs is the hole
    height: int | None  # None: any
    width: int | None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.network.name

    def fill(self, rgb: UInt8, hole: Mask) -> UInt8:
        """(H, W, 3) uint8: equal to `rgb` outside of `hole`.

        Parameters
        ----------
        rgb : UInt8
            (H, W, 3) uint8, sRGB.
        hole : Mask
            (H, W) bool. No pixel in the hole has any influence.

        Returns
        -------
        UInt8
            (H, W, 3), sRGB.

        Raises
        ------
        ModelFileError
            If the network gives something else than its file promises.
        """
        if not hole.any() or hole.all():
            return rgb.copy()
        window = _square_around(hole)
        image, gap = rgb[window].astype(np.float32) / 255, hole[window]
        size = self._size(gap.shape[1], gap.shape[0])
        small, small_gap = reduced(image, gap, size)
        picture = np.where(small_gap[..., None], 0, small).transpose(2, 0, 1)[None]
        mask = small_gap[None, None].astype(np.float32)
        given = (mask, picture) if self.mask_first else (picture, mask)
        values = self._filled(self.network.run(*given), size)
        large = cv2.resize(values, gap.shape[::-1], interpolation=cv2.INTER_CUBIC)
        result = rgb.copy()
        result[window][gap] = np.rint(np.clip(large[gap], 0, 1) * 255).astype(np.uint8)
        return result

    def _size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of what the network is given of a window of this size."""
        scale = min(1.0, MOST_PX / max(width, height))
        wide, tall = (max(1, round(n * scale / STRIDE_PX)) * STRIDE_PX for n in (width, height))
        return self.width or wide, self.height or tall

    def _filled(self, outputs: list[AnyArray], size: tuple[int, int]) -> Float32:
        """(h, w, 3), 0..1."""
        told = self.network.came_out(outputs)
        for value, tensor in zip(outputs, told, strict=True):
            if tensor.fits(1, 3, size[1], size[0]):
                if not np.isfinite(value).all():
                    raise ModelFileError(
                        f"{self.name} gives numbers that are not finite: choose its version in "
                        "float32."
                    )
                scale = 255 if value.max() > LARGEST_SHARE else 1
                return np.ascontiguousarray(value[0].transpose(1, 2, 0), np.float32) / scale
        raise self.network.refused(onnx.listed(told), KIND, _NEEDS)


def load_plate_network(path: Path | str) -> PlateNetwork:
    """Open an ONNX file that fills holes: LaMa's exports and others with the same ends.

    Two inputs in any order, the picture 1x3xHxW (RGB 0..1, black in the hole) and the hole 1x1xHxW
    (1 where to fill), of a fixed size or any; one output 1x3xHxW, the picture filled, in 0..1 or
    0..255.

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    PlateNetwork
        Opened.

    Raises
    ------
    ModelFileError
        With one sentence that names what differs.
    """
    network = onnx.load(path)
    inputs = [t for t in network.inputs if t.dtype in onnx.FLOATS]
    pictures = [t for t in inputs if t.fits(1, 3, None, None)]
    masks = [t for t in inputs if t not in pictures and t.fits(1, 1, None, None)]
    if len(network.inputs) != 2 or len(pictures) != 1 or len(masks) != 1:
        has = onnx.listed(network.inputs).replace("output", "input")
        raise network.refused(has, KIND, _NEEDS)
    if not any(t.rank < 0 or t.fits(1, 3, None, None) for t in network.outputs):
        raise network.refused(onnx.listed(network.outputs), KIND, _NEEDS)
    height, width = (pictures[0].shape or (None, None))[-2:]
    return PlateNetwork(network, network.inputs[0] is masks[0], height, width)


def _square_around(hole: Mask) -> tuple[slice, slice]:
    """The hole's box and what is around it, as square as the picture allows."""
    spans = [np.nonzero(hole.any(axis))[0][[0, -1]] for axis in (1, 0)]
    side = int((1 + 2 * CONTEXT) * max(last - first + 1 for first, last in spans))
    window = []
    for (first, last), length in zip(spans, hole.shape, strict=True):
        start = min(max((int(first) + int(last) + 1 - side) // 2, 0), max(length - side, 0))
        window.append(slice(start, min(start + side, length)))
    return window[0], window[1]
