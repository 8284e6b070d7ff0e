"""Person masks by a network of the user's: one mask of a picture, or one of each instance in it.

Networks for one mask (U-2-Net, Qin et al. 2020; MODNet, Ke et al. 2022; BiRefNet, Zheng et al.
2024; RMBG) see the person's box with a margin, which leaves most of the neighbours out. Networks
for instances (Mask R-CNN, He et al. 2017) see the whole photo, and the person whose box agrees
with the given one is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from ...errors import ModelFileError, PersonError
from ...inference import onnx
from ...inference.crops import IMAGENET_MEAN, IMAGENET_STD, check_box, normalised, resized
from ...types import Float32, UInt8

KIND = "mask network"
MARGIN = 0.1  # of the box's longer side, on each side: hair, hands and what is worn reach out
PERSON_LABEL = 1  # COCO's
LEAST_SCORE = 0.5  # of an instance
LEAST_OVERLAP = 0.3  # intersection over union of an instance's box and the given one
USUAL_SIDE_PX = 1024  # what BiRefNet and RMBG were trained with
MODNET_SIDE_PX = 512  # MODNet's shorter side, in its authors' own script
STRIDE_PX = 32  # networks halve a picture up to five times
MOST_INSTANCE_PX = (
    1024  # longer side for torchvision's networks: masks come as large as the picture
)
# The model zoo's Mask R-CNN wants a shorter side of 800 pixels and a longer one up to 1333.
ZOO_SHORT_PX, ZOO_LONG_PX = 800, 1333
ZOO_MEAN_BGR = (102.9801, 115.9465, 122.7717)  # 0..255, of Caffe's ImageNet networks
MOST_PATCH_PX = 112  # larger masks of a fixed size are pictures, not patches of boxes
SURELY_LOGITS = 0.05  # how far out of 0..1 values are that were not through a sigmoid

_NEEDS = "one mask (1x1xHxW), or boxes, labels, scores and masks of instances"


class MaskNetwork(Protocol):
    """A network that cuts out the person in a box."""

    @property
    def name(self) -> str:
        """The file's name."""

    def mask(self, rgb: UInt8, box: Float32) -> Float32:
        """(H, W) float32, 0..1, how sure the network is that a pixel is of the person.

        Parameters
        ----------
        rgb : UInt8
            (H, W, 3) uint8, sRGB.
        box : Float32
            (4,), x0 y0 x1 y1 of the person in photo pixels; may reach beyond the photo.

        Returns
        -------
        Float32
            (H, W).

        Raises
        ------
        PersonError
            If the box shows nothing, or the network sees no one in it.
        ModelFileError
            If the network gives something else than its file promises.
        """


def load_mask_network(path: Path | str) -> MaskNetwork:
    """Open an ONNX file that finds masks; its inputs and outputs tell which kind it is.

    One mask: input 1x3xHxW, of a fixed size or any; outputs 1x1xhxw or 1xhxw, of which the finest
    is taken, the first among equals (BiRefNet's last, U-2-Net's first). Values beyond 0..1 are
    taken for logits.

    How colours are to be normalised cannot be seen in such a file. In this order decide: numbers
    under "mean" and "std" in the file's metadata (three each, of colours 0..1); the file's name
    ("modnet": mean 0.5, deviation 0.5; "rmbg-1" or "isnet": mean 0.5, deviation 1; "birefnet",
    "rmbg-2" or "u2net": ImageNet's); an input called "input" and an output called "output" with a
    fixed size of 1024x1024 (RMBG-1.4's export) or any size (MODNet's). All others get ImageNet's.

    Instances: boxes Nx4, labels N, scores N and masks, in any order. Masks Nx1xHxW as large as the
    picture are torchvision's (RGB 0..1); small ones of a fixed size such as Nx1x28x28 are the model
    zoo's MaskRCNN-10's (BGR 0..255 minus a mean), each of which fills its box.

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    MaskNetwork
        Opened.

    Raises
    ------
    ModelFileError
        With one sentence that names the input or output that differs.
    """
    network = onnx.load(path)
    if any(output.rank == 1 or output.fits(None, 4) for output in network.outputs):
        picture = onnx.picture_input(network, KIND, batchless=True)
        order = _instance_outputs(network, network.outputs)
        patches = _are_patches(network.outputs[order[3]])
        return InstanceNetwork(network, picture, patches)
    picture = onnx.picture_input(network, KIND)
    _mask_outputs(network, network.outputs)
    return SingleMaskNetwork(network, picture, _preparation(network, picture))


# -- one mask ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preparation:
    """What a network expects of a picture beyond its shape."""

    mean: tuple[float, ...] = IMAGENET_MEAN  # (3,), of RGB 0..1
    std: tuple[float, ...] = IMAGENET_STD  # (3,)
    keeps_aspect: bool = False  # where the file leaves the size open


_IMAGENET = Preparation()
_RMBG_1 = Preparation((0.5,) * 3, (1.0,) * 3)
_MODNET = Preparation((0.5,) * 3, (0.5,) * 3, keeps_aspect=True)
_BY_NAME = (
    ("modnet", _MODNET), ("rmbg-1", _RMBG_1), ("rmbg_1", _RMBG_1), ("rmbg1", _RMBG_1),
    ("isnet", _RMBG_1), ("birefnet", _IMAGENET), ("rmbg", _IMAGENET), ("u2net", _IMAGENET),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SingleMaskNetwork:
    """A network that separates what a picture shows from its background."""

    network: onnx.Network
    picture: onnx.PictureInput
    preparation: Preparation

    @property
    def name(self) -> str:
        """The file's name."""
        return self.network.name

    def mask(self, rgb: UInt8, box: Float32) -> Float32:
        """See MaskNetwork.

        Parameters
        ----------
        rgb : UInt8
            (H, W, 3), sRGB.
        box : Float32
            (4,) x0 y0 x1 y1, photo pixels.

        Returns
        -------
        Float32
            (H, W).
        """
        check_box(rgb, box)
        x0, y0, x1, y1 = widened(box, rgb.shape[1], rgb.shape[0])
        width, height = self._size(x1 - x0, y1 - y0)
        crop = resized(rgb[y0:y1, x0:x1], width, height)
        values = normalised(crop, self.preparation.mean, self.preparation.std)
        outputs = self.network.run(self.picture.shaped(values))
        candidates = _mask_outputs(self.network, self.network.came_out(outputs))
        masks = [outputs[k].reshape(outputs[k].shape[-2:]) for k in candidates]
        found = _as_share(self.network, max(masks, key=np.size))
        whole = np.zeros(rgb.shape[:2], np.float32)
        whole[y0:y1, x0:x1] = resized(found, x1 - x0, y1 - y0)
        return whole

    def _size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the picture that the network gets of a window of this size."""
        if not self.preparation.keeps_aspect or self.picture.width or self.picture.height:
            return self.picture.width or USUAL_SIDE_PX, self.picture.height or USUAL_SIDE_PX
        scale = MODNET_SIDE_PX / min(width, height)
        return _in_strides(width * scale), _in_strides(height * scale)


def _in_strides(length: float) -> int:
    return max(1, round(length / STRIDE_PX)) * STRIDE_PX


def widened(box: Float32, width: int, height: int) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 of the photo's pixels (ends excluded) in a box with MARGIN around it.

    Parameters
    ----------
    box : Float32
        (4,) x0 y0 x1 y1, photo pixels.
    width : int
        Of the photo, pixels.
    height : int
        Of the photo, pixels.

    Returns
    -------
    tuple[int, int, int, int]
        Photo pixels.
    """
    x0, y0, x1, y1 = np.asarray(box, np.float64).tolist()
    margin = MARGIN * max(x1 - x0, y1 - y0)
    return (
        max(0, int(np.floor(x0 - margin))), max(0, int(np.floor(y0 - margin))),
        min(width, int(np.ceil(x1 + margin)) + 1), min(height, int(np.ceil(y1 + margin)) + 1),
    )  # fmt: skip


def _mask_outputs(network: onnx.Network, outputs: tuple[onnx.Tensor, ...]) -> list[int]:
    """Which outputs can be masks."""
    found = [
        k
        for k, output in enumerate(outputs)
        if output.dtype in onnx.FLOATS
        and (output.rank < 0 or output.fits(1, 1, None, None) or output.fits(1, None, None))
    ]
    if not found:
        raise network.refused(onnx.listed(outputs), KIND, _NEEDS)
    return found


def _preparation(network: onnx.Network, picture: onnx.PictureInput) -> Preparation:
    told = {key: network.metadata[key] for key in ("mean", "std") if key in network.metadata}
    if told:
        try:
            mean, std = (
                tuple(float(n) for n in told[key].strip("[]() ").split(","))
                for key in ("mean", "std")
            )
            if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
                raise ValueError
        except (KeyError, ValueError) as error:
            raise ModelFileError(
                f"{network.name} has the metadata {told}, but a {KIND} needs 'mean' and 'std' of "
                "three numbers each, or none."
            ) from error
        return Preparation(mean, std)
    stem = Path(network.name).stem.lower()
    for word, preparation in _BY_NAME:
        if word in stem:
            return preparation
    if network.inputs[0].name == "input" and network.outputs[0].name == "output":
        if picture.height is None and picture.width is None:
            return _MODNET
        if picture.height == picture.width == USUAL_SIDE_PX:
            return _RMBG_1
    return _IMAGENET


def _as_share(network: onnx.Network, values: npt.NDArray[Any]) -> Float32:
    """(h, w) values as 0..1, by a sigmoid where they are logits."""
    if not np.isfinite(values).all():
        raise ModelFileError(
            f"{network.name} gives numbers that are not finite: choose its version in float32."
        )
    if values.min() < -SURELY_LOGITS or values.max() > 1 + SURELY_LOGITS:
        return expit(values.astype(np.float32))
    return values.astype(np.float32).clip(0, 1)


# -- instances --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class InstanceNetwork:
    """A network that finds objects with box, label, score and mask."""

    network: onnx.Network
    picture: onnx.PictureInput
    patches: bool  # masks fill their boxes (model zoo), else they are of the whole picture

    @property
    def name(self) -> str:
        """The file's name."""
        return self.network.name

    def mask(self, rgb: UInt8, box: Float32) -> Float32:
        """See MaskNetwork.

        Parameters
        ----------
        rgb : UInt8
            (H, W, 3), sRGB.
        box : Float32
            (4,) x0 y0 x1 y1, photo pixels.

        Returns
        -------
        Float32
            (H, W).
        """
        check_box(rgb, box)
        photo_height, photo_width = rgb.shape[:2]
        values, (width, height) = self._prepared(rgb)
        outputs = self.network.run(self.picture.shaped(values))
        order = _instance_outputs(self.network, self.network.came_out(outputs))
        boxes, labels, scores, masks = (outputs[k] for k in order)
        masks = masks.reshape(len(masks), *masks.shape[-2:])
        scale = np.array([width / photo_width, height / photo_height] * 2)
        best = self._best(boxes, labels, scores, np.asarray(box, np.float64) * scale)
        if self.patches:
            found = _as_share(self.network, masks[best])
            return _pasted(found, boxes[best], photo_width, photo_height, scale)
        if masks.shape[1:] != values.shape[1:]:
            output = self.network.came_out(outputs)[order[3]]
            size = f"{values.shape[1]}x{values.shape[2]}"
            raise self.network.refused(
                f"the output {output}", KIND, f"masks as large as the picture of {size}"
            )
        found = _as_share(self.network, masks[best])[:height, :width]
        return resized(found, photo_width, photo_height)

    def _prepared(self, rgb: UInt8) -> tuple[Float32, tuple[int, int]]:
        """The network's picture (3, h, w), and which width and height of it, from the top left,
        show the photo; the rest is black, which fills up sizes that are fixed or go in strides."""
        height, width = rgb.shape[:2]
        if self.patches:
            scale = min(ZOO_SHORT_PX / min(height, width), ZOO_LONG_PX / max(height, width))
        else:
            scale = min(1.0, MOST_INSTANCE_PX / max(height, width))
        if self.picture.height or self.picture.width:
            scale = min(
                (self.picture.width or np.inf) / width, (self.picture.height or np.inf) / height
            )
        shown = max(1, round(width * scale)), max(1, round(height * scale))
        small = resized(rgb, *shown)
        if self.patches:
            mean = np.array(ZOO_MEAN_BGR, np.float32)[:, None, None]
            values = small[..., ::-1].astype(np.float32).transpose(2, 0, 1) - mean
            step = STRIDE_PX
        else:
            values = normalised(small, (0.0,) * 3, (1.0,) * 3)
            step = 1
        right = (self.picture.width or -(-shown[0] // step) * step) - shown[0]
        below = (self.picture.height or -(-shown[1] // step) * step) - shown[1]
        return np.pad(values, ((0, 0), (0, below), (0, right))), shown

    def _best(
        self,
        boxes: npt.NDArray[Any],
        labels: npt.NDArray[Any],
        scores: npt.NDArray[Any],
        wanted: npt.NDArray[np.float64],
    ) -> int:
        """Number of the person whose box agrees best with the wanted one (network's pixels)."""
        shared = np.prod(
            np.maximum(
                np.minimum(boxes[:, 2:], wanted[2:]) - np.maximum(boxes[:, :2], wanted[:2]), 0
            ),
            axis=1,
        )
        areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        union = areas + np.prod(wanted[2:] - wanted[:2]) - shared
        overlap = shared / np.maximum(union, 1e-9)
        overlap = np.where((labels == PERSON_LABEL) & (scores >= LEAST_SCORE), overlap, 0.0)
        if not len(overlap) or overlap.max() < LEAST_OVERLAP:
            raise PersonError(
                f"{self.name} sees nobody where the person was found: choose another mask network, "
                "or none."
            )
        return int(overlap.argmax())


def _instance_outputs(
    network: onnx.Network, outputs: tuple[onnx.Tensor, ...]
) -> tuple[int, int, int, int]:
    """Places of boxes, labels, scores and masks among the outputs."""
    floats = [output.dtype in onnx.FLOATS for output in outputs]
    found = {
        "boxes (Nx4)": [
            k for k, output in enumerate(outputs) if floats[k] and output.fits(None, 4)
        ],
        "labels (N, whole numbers)": [
            k
            for k, output in enumerate(outputs)
            if output.dtype in onnx.INTEGERS and output.rank == 1
        ],
        "scores (N)": [k for k, output in enumerate(outputs) if floats[k] and output.rank == 1],
        "masks (Nx1xHxW)": [
            k
            for k, output in enumerate(outputs)
            if floats[k] and (output.fits(None, 1, None, None) or output.rank == 3)
        ],
    }
    for wanted, places in found.items():
        if len(places) != 1:
            # Too many of a kind are the ones to name; where one is missing, all are.
            told = onnx.listed([outputs[k] for k in places] or outputs)
            which = f"one output of {wanted}" if places else f"an output of {wanted}"
            raise network.refused(told, f"{KIND} for instances", which)
    boxes, labels, scores, masks = (places[0] for places in found.values())
    return boxes, labels, scores, masks


def _are_patches(masks: onnx.Tensor) -> bool:
    height, width = (masks.shape or (None, None))[-2:]
    return height is not None and height == width and height <= MOST_PATCH_PX


def _pasted(
    patch: Float32,
    box: npt.NDArray[Any],
    width: int,
    height: int,
    scale: npt.NDArray[np.float64],
) -> Float32:
    """(height, width) of the photo with a patch that fills a box, 0 outside.

    The box holds its last pixels (Mask R-CNN's first convention): it is x1 - x0 + 1 wide, and
    x0 - 0.5 is its left edge where pixels' centres are at integers.

    patch : (h, w), 0..1
    box : (4,), x0 y0 x1 y1 in the network's pixels
    scale : (4,), network's pixels per photo pixel, x y x y
    """
    weights = []
    for axis, length in ((1, height), (0, width)):
        count = patch.shape[1 - axis]
        side = max(float(box[axis + 2]) - float(box[axis]) + 1, 1.0)
        centres = (np.arange(length) + 0.5) * scale[axis] - 0.5
        at = (centres - float(box[axis]) + 0.5) * count / side - 0.5
        # Bilinear interpolation with zeros around the patch, one axis at a time.
        weights.append(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(count))))
    rows, columns = weights
    return (rows @ patch @ columns.T).astype(np.float32)
