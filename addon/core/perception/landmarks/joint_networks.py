"""Joints by a network of the user's: top-down, one person's box at a time, COCO's 17 points.

Two kinds of networks are told apart by their outputs. SimCC (Li et al. 2022; RTMPose, Jiang et
al. 2023) rates every column and every row of a picture whose pixels are split into bins. Heat maps
(HRNet, Sun et al. 2019; ViTPose, Xu et al. 2022) rate every cell of a coarse grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...inference import onnx
from ...inference.crops import check_box, normalised, window
from ...types import AnyArray, Float32, UInt8

KIND = "joint network"
COCO_17 = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
    "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
# Sets of points whose first 17 are COCO's: COCO, with feet, Halpe's body, COCO-WholeBody, Halpe's
# whole body. Others of 17 and more points (hands: 21, OpenPose: 25, faces: 68) are not bodies or
# in another order.
POINT_COUNTS = (17, 23, 26, 133, 136)
PADDING = 1.25  # the window's side over the box's, as these networks were trained
USUAL_HEIGHT_PX, USUAL_WIDTH_PX = 256, 192  # where a file leaves the picture's size open
SAME_STEP = 0.02  # relative difference of columns' and rows' steps that rounding explains
LEAST_HEAT = 0.01  # of the peak's heat: a Gaussian's next cell has more (deviation over 0.33 cells)
# Words in a file's name that say that it was trained with unbiased data processing.
UNBIASED_WORDS = ("vitpose", "udp")
UNBIASED_ENDS = ("pixel_values", "heatmaps")  # input and output of transformers' ViTPose
UNBIASED_KEY = "udp"  # metadata of the file that says so, or that it was not ("1" or "0")

_NEEDS = "SimCC's two outputs (1x17xBINS) or heat maps (1x17xHxW) of COCO's joints"
_NEEDS_JOINTS = "COCO's 17 joints first (17, 23, 26, 133 or 136 points)"


@dataclass(frozen=True, eq=False)
class JointNetwork:
    """A network that finds COCO's 17 points of the person in a box."""

    network: onnx.Network
    picture: onnx.PictureInput
    unbiased: bool  # grids' outermost cells, not their outer edges, lie on the window's edges

    def joints(self, rgb: UInt8, box: Float32) -> tuple[Float32, Float32]:
        """Where the joints are, and how sure the network is of each.

        The box is widened by PADDING and to the network's aspect.

        Parameters
        ----------
        rgb : UInt8
            (H, W, 3) uint8, sRGB.
        box : Float32
            (4,), x0 y0 x1 y1 of the person in photo pixels; may reach beyond the photo.

        Returns
        -------
        tuple[Float32, Float32]
            (17, 2) float32 photo pixels, (17,) float32 scores 0..1, in COCO_17's order.

        Raises
        ------
        PersonError
            If the box shows nothing.
        ModelFileError
            If the network gives something else than its file promises.
        """
        check_box(rgb, box)
        height = self.picture.height or USUAL_HEIGHT_PX
        width = self.picture.width or USUAL_WIDTH_PX
        corner, sides = framed(box, width / height)
        # A grid of n cells spans its window in n steps, or in n - 1 where cells lie on the edges.
        less = 1 if self.unbiased else 0
        step_x, step_y = float(sides[0]) / (width - less), float(sides[1]) / (height - less)
        crop = window(rgb, (float(corner[0]), float(corner[1])), (step_x, step_y), width, height)
        outputs = self.network.run(self.picture.shaped(normalised(crop)))
        came_out = self.network.came_out(outputs)
        chosen = _layout(self.network, came_out, height, width)
        if len(chosen) == 2:
            shares, scores = _read_bins(*(outputs[k][0] for k in chosen))
        else:
            shares, scores = _read_heat(outputs[chosen[0]][0], less)
        if not (np.isfinite(shares).all() and np.isfinite(scores).all()):
            output = came_out[chosen[0]]
            raise self.network.refused(
                f"numbers that are not finite in the output {output}", KIND, "finite ones"
            )
        return (corner + shares * sides).astype(np.float32), scores.clip(0, 1).astype(np.float32)


def load_joint_network(path: Path | str) -> JointNetwork:
    """Open an ONNX file that finds COCO's 17 points in a picture of one person.

    Input: one picture 1x3xHxW, of a fixed size or any; RGB with ImageNet's mean and deviation.
    Outputs: SimCC's columns and rows (1xKxW*r, 1xKxH*r) or heat maps (1xKxhxw), with K of
    POINT_COUNTS. Whether heat maps were trained with unbiased data processing (Huang et al. 2020)
    cannot be seen: it is assumed of files with "vitpose" or "udp" in their names and of those that
    the transformers library exports, unless the file's metadata say otherwise under "udp".

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    JointNetwork
        Opened.

    Raises
    ------
    ModelFileError
        With one sentence that names the input or output that differs.
    """
    network = onnx.load(path)
    picture = onnx.picture_input(network, KIND)
    chosen = _layout(network, network.outputs, picture.height, picture.width)
    word = network.metadata.get(UNBIASED_KEY, "").strip().lower()
    named = any(hint in Path(network.name).stem.lower() for hint in UNBIASED_WORDS)
    like = (network.inputs[0].name, network.outputs[chosen[0]].name) == UNBIASED_ENDS
    unbiased = word in ("1", "true", "yes") if word else named or like
    return JointNetwork(network, picture, unbiased and len(chosen) == 1)


def framed(box: Float32, aspect: float) -> tuple[AnyArray, AnyArray]:
    """Corner (2,) and sides (2,) in photo pixels of the window around a box.

    It has the box's centre, PADDING times its size, and one side longer so that width over height
    is `aspect`.

    Parameters
    ----------
    box : Float32
        (4,) x0 y0 x1 y1, photo pixels.
    aspect : float
        Width over height.

    Returns
    -------
    tuple[AnyArray, AnyArray]
        (2,) and (2,).
    """
    low, high = np.asarray(box, np.float64).reshape(2, 2)
    sides = PADDING * (high - low)
    sides = np.maximum(sides, [sides[1] * aspect, sides[0] / aspect])
    return (low + high) / 2 - sides / 2, sides


def _layout(
    network: onnx.Network, outputs: tuple[onnx.Tensor, ...], height: int | None, width: int | None
) -> tuple[int, ...]:
    """Which outputs to read: (columns, rows) of SimCC or (heat maps,)."""
    floats = [k for k, output in enumerate(outputs) if output.dtype in onnx.FLOATS]
    lines = [k for k in floats if outputs[k].rank == 3]
    maps = [k for k in floats if outputs[k].rank == 4]
    if len(lines) > 2:  # networks of 3D points rate depths as well
        ends = [[k for k in lines if outputs[k].name.lower().endswith(e)] for e in ("_x", "_y")]
        lines = [found[0] for found in ends if len(found) == 1]
    if len(lines) == 2:
        chosen = tuple(sorted(lines, key=lambda k: (outputs[k].name.lower().endswith("y"), k)))
    elif len(maps) == 1 and not lines:
        chosen = (maps[0],)
    else:
        raise network.refused(onnx.listed(outputs), KIND, _NEEDS)
    for k in chosen:
        shape = outputs[k].shape or ()
        if shape[0] not in (1, None) or shape[1] not in (*POINT_COUNTS, None):
            raise network.refused(f"the output {outputs[k]}", KIND, _NEEDS_JOINTS)
    _check_steps(network, [outputs[k] for k in chosen], height, width)
    return chosen


def _check_steps(
    network: onnx.Network, outputs: Sequence[onnx.Tensor], height: int | None, width: int | None
) -> None:
    """Columns and rows divide the picture alike; anything else was trained for another size."""
    shapes = [output.shape or () for output in outputs]
    counts = (shapes[0][-1], shapes[1][-1] if len(shapes) == 2 else shapes[0][-2])
    known = [
        size / count for size, count in zip((width, height), counts, strict=True) if size and count
    ]
    if len(known) == 2 and abs(known[0] / known[1] - 1) > SAME_STEP:
        raise network.refused(
            f"{onnx.listed(outputs)} for the input {network.inputs[0]}",
            KIND,
            "outputs that divide the picture's width and height alike",
        )


def _read_bins(columns: AnyArray, rows: AnyArray) -> tuple[AnyArray, AnyArray]:
    """SimCC's rates (K, bins) to shares of the window (17, 2) and scores (17,).

    Bin k of n stands for the share k / n. The score is the lesser one of the two peaks.
    """
    shares, scores = [], []
    for bins in (columns, rows):
        rates = bins[: len(COCO_17)].astype(np.float64)
        best = rates.argmax(axis=1)
        shares.append((best + _peaks(rates, best)) / rates.shape[1])
        scores.append(rates.max(axis=1))
    return np.stack(shares, axis=1), np.minimum(*scores)


def _read_heat(maps: AnyArray, less: int) -> tuple[AnyArray, AnyArray]:
    """Heat maps (K, h, w) to shares of the window (17, 2) and scores (17,).

    The peak of a Gaussian is found exactly: its logarithm is a parabola. Cell k of n stands for
    the share k / (n - less).
    """
    maps = maps[: len(COCO_17)].astype(np.float64)
    count, height, width = maps.shape
    row, column = np.divmod(maps.reshape(count, -1).argmax(axis=1), width)
    everyone = np.arange(count)
    x = column + _peaks(_log(maps[everyone, row]), column)
    y = row + _peaks(_log(maps[everyone, :, column]), row)
    shares = np.stack([x / (width - less), y / (height - less)], axis=1)
    return shares, maps[everyone, row, column]


def _log(values: AnyArray) -> AnyArray:
    """Logarithms of (K, n) heat. Far from the peak networks give noise around zero, so that less
    than LEAST_HEAT of the peak counts as that much."""
    peak = np.maximum(values.max(axis=1, keepdims=True), 1e-12)
    return np.log(np.maximum(values, LEAST_HEAT * peak))


def _peaks(values: AnyArray, best: AnyArray) -> AnyArray:
    """(K,) offsets, -0.5..0.5, of the parabolas through the largest of (K, n) values and their two
    neighbours; 0 where the largest is the first or the last."""
    if values.shape[1] < 3:
        return np.zeros(len(values))
    inner = best.clip(1, values.shape[1] - 2)
    everyone = np.arange(len(values))
    before, at, after = (values[everyone, inner + k] for k in (-1, 0, 1))
    bend = before - 2 * at + after
    offset = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1.0), 0.0)
    return np.where(inner == best, offset.clip(-0.5, 0.5), 0.0)
