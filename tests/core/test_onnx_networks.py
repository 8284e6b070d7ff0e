"""Networks of the user's: tiny ONNX files whose answers are known, and files that do not fit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from photo_wake_up.addon.core.errors import ModelFileError, PersonError
from photo_wake_up.addon.core.inference import onnx as runner
from photo_wake_up.addon.core.perception.landmarks.joint_networks import (
    COCO_17,
    POINT_COUNTS,
    framed,
    load_joint_network,
)
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK
from photo_wake_up.addon.core.perception.segmentation.mask_networks import (
    load_mask_network,
    widened,
)

FLOAT, HALF, WHOLE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
RMBG_1 = ((0.5,) * 3, (1.0,) * 3)
MODNET = ((0.5,) * 3, (0.5,) * 3)
RAW = ((0.0,) * 3, (1.0,) * 3)

Shape = Sequence[int | str | None]
Ends = Sequence[tuple[str, int, Shape | None]]


def saved(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: Ends,
    outputs: Ends,
    constants: dict[str, object] | None = None,
    metadata: dict[str, str] | None = None,
    opset: int = 17,
    **options: object,
) -> Path:
    """Write a network of a few nodes; ends are (name, type, shape)."""
    graph = helper.make_graph(
        nodes, "tiny",
        [helper.make_tensor_value_info(*end) for end in inputs],
        [helper.make_tensor_value_info(*end) for end in outputs],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()],
    )  # fmt: skip
    domains = sorted({node.domain for node in nodes})
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid(d, 1 if d else opset) for d in {"", *domains}],
        ir_version=8,
    )
    helper.set_model_props(model, metadata or {})
    onnx.save(model, str(path), **options)
    return path


def node(operator: str, inputs: str, outputs: str, **attributes: object) -> onnx.NodeProto:
    """A node; names are divided by spaces."""
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def colours(source: str, target: str, normalisation: tuple[Sequence[float], ...]) -> tuple:
    """Nodes and constants that undo a normalisation: (1, 3, h, w) colours 0..1."""
    mean, std = (np.float32(values).reshape(1, 3, 1, 1) for values in normalisation)
    nodes = [node("Mul", f"{source} std", "scaled"), node("Add", "scaled mean", target)]
    return nodes, {"mean": mean, "std": std}


def channel(source: str, target: str, index: int) -> tuple:
    name = f"only_{index}"
    return [node("Gather", f"{source} {name}", target, axis=1)], {name: np.array([index])}


def red_network(
    path: Path,
    normalisation: tuple[Sequence[float], ...] = IMAGENET,
    size: tuple[int | str, int | str] = (64, 64),
    names: tuple[str, str] = ("image", "mask"),
    **options: object,
) -> Path:
    """A mask network that says "person" as far as a pixel is red."""
    nodes, constants = colours(names[0], "rgb", normalisation)
    more, others = channel("rgb", names[1], 0)
    return saved(
        path, nodes + more, [(names[0], FLOAT, [1, 3, *size])],
        [(names[1], FLOAT, [1, 1, *size])], constants | others, **options,
    )  # fmt: skip


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def ramps(height: int, width: int) -> np.ndarray:
    """Red rises to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 250 / width, y * 250 / height, 0 * x], axis=-1).round().astype(np.uint8)


# -- one mask ---------------------------------------------------------------------------------

# With a margin of 0.1 of 60 pixels all around: 64 x 73 of the photo's pixels.
BOX = np.float32([20, 30, 71, 90])
WINDOW = (14, 24, 78, 97)


def test_the_window_of_a_box() -> None:
    assert widened(BOX, 200, 200) == WINDOW
    assert widened(BOX, 75, 80) == (14, 24, 75, 80)
    assert widened(np.float32([-40, -10, 60, 50]), 200, 200) == (0, 0, 71, 61)


@pytest.mark.parametrize(
    ("file", "names", "normalisation", "metadata"),
    [
        ("any.onnx", ("image", "mask"), IMAGENET, {}),
        ("any.onnx", ("pixel_values", "alphas"), IMAGENET, {}),
        ("BiRefNet-general.onnx", ("input", "output"), IMAGENET, {}),
        ("u2net_human_seg.onnx", ("input.1", "1959"), IMAGENET, {}),
        ("RMBG-2.0.onnx", ("input", "output"), IMAGENET, {}),
        ("RMBG-1.4.onnx", ("input", "output"), RMBG_1, {}),
        ("isnet-general-use.onnx", ("input_image", "output_image"), RMBG_1, {}),
        ("modnet_photographic.onnx", ("input", "output"), MODNET, {}),
        ("modnet.onnx", ("input", "output"), RAW, {"mean": "0, 0,0", "std": "[1, 1, 1]"}),
    ],
)
def test_colours_are_normalised_as_the_file_suggests(
    tmp_path: Path, file: str, names: tuple, normalisation: tuple, metadata: dict
) -> None:
    """A window of exactly the network's size is not resampled: the mask is the red channel."""
    x0, y0, x1, y1 = WINDOW
    size = (y1 - y0, x1 - x0)
    network = load_mask_network(
        red_network(tmp_path / file, normalisation, size, names, metadata=metadata)
    )
    rgb = noise(120, 100)
    mask = network.mask(rgb, BOX)
    expected = np.zeros(rgb.shape[:2])
    expected[y0:y1, x0:x1] = rgb[y0:y1, x0:x1, 0] / 255
    assert mask.dtype == np.float32 and np.abs(mask - expected).max() < 1e-5
    assert network.name == file


@pytest.mark.parametrize(
    ("size", "normalisation"),
    [((1024, 1024), RMBG_1), (("height", "width"), MODNET), ((320, 320), IMAGENET)],
)
def test_sizes_tell_apart_what_has_the_same_names(
    tmp_path: Path, size: tuple, normalisation: tuple
) -> None:
    path = red_network(tmp_path / "model.onnx", normalisation, size, ("input", "output"))
    rgb = ramps(160, 140)
    mask = load_mask_network(path).mask(rgb, np.float32([20, 20, 120, 140]))
    inner = slice(30, 130), slice(30, 110)
    assert np.abs(mask[inner] - rgb[inner][..., 0] / 255).max() < 0.01


@settings(max_examples=25)
@given(
    corner=st.tuples(st.floats(-60, 100), st.floats(-60, 70)),
    sides=st.tuples(st.floats(70, 200), st.floats(70, 200)),
    width=st.integers(20, 90),
    height=st.integers(20, 90),
)
def test_a_mask_comes_back_to_its_place(
    tmp_path_factory: pytest.TempPathFactory, corner: tuple, sides: tuple, width: int, height: int
) -> None:
    """Slopes survive resampling, so that any shift or wrong scale would show."""
    folder = tmp_path_factory.mktemp("mask")
    network = load_mask_network(red_network(folder / "red.onnx", IMAGENET, (height, width)))
    box = np.float32([*corner, corner[0] + sides[0], corner[1] + sides[1]])
    for axis, rgb in enumerate((ramps(150, 180), ramps(150, 180)[..., [1, 0, 2]])):
        mask = network.mask(rgb, box)
        x0, y0, x1, y1 = widened(box, 180, 150)
        assert not mask[:y0].any() and not mask[y1:].any() and not mask[:, :x0].any()
        # Interpolation does not go on beyond the centres of the window's outermost cells.
        edge_x, edge_y = (x1 - x0) // width + 1, (y1 - y0) // height + 1
        inner = slice(y0 + edge_y, y1 - edge_y), slice(x0 + edge_x, x1 - edge_x)
        slope = 250 / 255 / (180, 150)[axis]
        error = np.abs(mask[inner] - rgb[inner][..., 0] / 255).max()
        assert error < 0.1 * slope * max(edge_x, edge_y) + 1.2 / 255


def test_logits_go_through_a_sigmoid(tmp_path: Path) -> None:
    nodes, constants = colours("image", "rgb", IMAGENET)
    more, others = channel("rgb", "red", 0)
    nodes += [*more, node("Sub", "red half", "low"), node("Mul", "low steep", "mask")]
    others |= {"half": np.float32(0.5), "steep": np.float32(20)}
    path = saved(
        tmp_path / "logits.onnx", nodes, [("image", FLOAT, ["n", 3, 73, 64])],
        [("mask", FLOAT, ["n", 1, 73, 64])],
        constants | others,
    )  # fmt: skip
    rgb = noise(120, 100)
    mask = load_mask_network(path).mask(rgb, BOX)
    x0, y0, x1, y1 = WINDOW
    red = rgb[y0:y1, x0:x1, 0] / 255
    assert np.abs(mask[y0:y1, x0:x1] - 1 / (1 + np.exp(-20 * (red - 0.5)))).max() < 1e-5


def test_the_finest_output_is_taken_and_the_first_among_equals(tmp_path: Path) -> None:
    nodes, constants = colours("image", "rgb", IMAGENET)
    for index, name in enumerate(("red", "green")):
        more, others = channel("rgb", name, index)
        nodes += more
        constants |= others
    nodes += [node("AveragePool", "red", "coarse", kernel_shape=[4, 4], strides=[4, 4])]
    ends = {
        "coarse": ("coarse", FLOAT, [1, 1, 16, 16]),
        "red": ("red", FLOAT, [1, 1, 64, 64]),
        "green": ("green", FLOAT, [1, 1, "h", "w"]),
        "rgb": ("rgb", FLOAT, [1, 3, 64, 64]),
    }
    rgb = ramps(100, 100)
    for order, wanted in (
        (("coarse", "red", "green"), 0), (("green", "red", "coarse"), 1), (("rgb", "green"), 1),
    ):  # fmt: skip
        path = saved(
            tmp_path / f"{'-'.join(order)}.onnx", nodes, [("image", FLOAT, [1, 3, 64, 64])],
            [ends[name] for name in order], constants,
        )  # fmt: skip
        mask = load_mask_network(path).mask(rgb, np.float32([20, 20, 80, 80]))
        assert np.abs(mask - rgb[..., wanted] / 255)[25:75, 25:75].max() < 0.02


def test_half_precision_and_three_dimensions(tmp_path: Path) -> None:
    """Half precision is common for large networks; some drop the mask's channel."""
    nodes = [node("ReduceMean", "image", "mask", axes=[1], keepdims=0)]
    path = saved(
        tmp_path / "half.onnx", nodes, [("image", HALF, [1, 3, 32, 32])],
        [("mask", HALF, [1, 32, 32])],
        metadata={"mean": "0,0,0", "std": "1,1,1"},
    )  # fmt: skip
    rgb = np.full((90, 90, 3), 102, np.uint8)
    mask = load_mask_network(path).mask(rgb, np.float32([0, 0, 89, 89]))
    assert mask.dtype == np.float32 and np.abs(mask - 0.4).max() < 1e-3


def test_modnet_gets_the_window_in_its_own_aspect(tmp_path: Path) -> None:
    """A network that answers with the size it was given."""
    nodes = [
        node("Shape", "input", "shape"), node("Cast", "shape", "sizes", to=FLOAT),
        node("Div", "sizes most", "shares"), node("Gather", "shares which", "one", axis=0),
        node("Mul", "input zero", "none"), node("Gather", "none first", "single", axis=1),
        node("Add", "single one", "output"),
    ]  # fmt: skip
    for which, expected in ((2, 1024), (3, 512)):
        constants = {
            "most": np.float32(2048), "which": np.array([which]), "zero": np.float32(0),
            "first": np.array([0]),
        }  # fmt: skip
        path = saved(
            tmp_path / f"size{which}.onnx", nodes, [("input", FLOAT, ["b", 3, "h", "w"])],
            [("output", FLOAT, ["b", 1, "h", "w"])], constants,
        )  # fmt: skip
        # A window of 101 x 201 pixels: 512 x 1019, in steps of 32.
        rgb = noise(201, 101)
        mask = load_mask_network(path).mask(rgb, np.float32([0, 0, 100, 200]))
        assert np.allclose(mask, expected / 2048)


def test_a_box_outside_of_the_photo_shows_nobody(tmp_path: Path) -> None:
    network = load_mask_network(red_network(tmp_path / "red.onnx"))
    rgb = noise(50, 60)
    for box in ([70, 0, 90, 40], [10, 10, 10, 40], [0, 0, np.nan, 9], [0, 0, np.inf, np.inf]):
        with pytest.raises(PersonError, match="empty or outside"):
            network.mask(rgb, np.float32(box))


# -- instances --------------------------------------------------------------------------------

BOXES = np.float32([[10, 10, 60, 120], [70, 10, 130, 120], [72, 10, 130, 120], [0, 0, 140, 130]])


def instances(
    path: Path,
    boxes: np.ndarray = BOXES,
    labels: Sequence[int] = (1, 1, 18, 1),
    scores: Sequence[float] = (0.9, 0.8, 0.99, 0.3),
    batch: bool = False,
    size: tuple = ("h", "w"),
) -> Path:
    """As torchvision exports it: instance k's mask is the picture's channel k (the fourth: red)."""
    nodes = [node("Gather", "images which", "channels", axis=int(batch))]
    constants: dict[str, object] = {"which": np.array([0, 1, 2, 0])}
    if batch:
        nodes += [node("Squeeze", "channels front", "flat"), node("Unsqueeze", "flat one", "masks")]
        constants["front"] = np.array([0])
    else:
        nodes += [node("Unsqueeze", "channels one", "masks")]
    constants["one"] = np.array([1])
    values = {"boxes": boxes, "labels": np.int64(labels), "scores": np.float32(scores)}
    nodes += [node("Identity", f"the_{name}", name) for name in values]
    constants |= {f"the_{name}": value for name, value in values.items()}
    return saved(
        path, nodes, [("images", FLOAT, [1] * batch + [3, *size])],
        [
            ("boxes", FLOAT, ["n", 4]), ("labels", WHOLE, ["n"]), ("scores", FLOAT, ["n"]),
            ("masks", FLOAT, ["n", 1, "mh", "mw"]),
        ],
        constants,
    )  # fmt: skip


@pytest.mark.parametrize("batch", [False, True])
def test_the_instance_in_the_box_is_taken(tmp_path: Path, batch: bool) -> None:
    network = load_mask_network(instances(tmp_path / "mask_rcnn.onnx", batch=batch))
    rgb = noise(130, 140)
    left = network.mask(rgb, np.float32([12, 8, 62, 118]))
    right = network.mask(rgb, np.float32([72, 10, 130, 120]))  # exactly a dog's (label 18)
    assert np.abs(left - rgb[..., 0] / 255).max() < 1e-6
    assert np.abs(right - rgb[..., 1] / 255).max() < 1e-6
    with pytest.raises(PersonError, match=r"mask_rcnn.onnx sees nobody where"):
        network.mask(rgb, np.float32([0, 60, 139, 129]))  # only the unsure one is there
    nobody = instances(tmp_path / "none.onnx", BOXES[:0], (), ())
    with pytest.raises((PersonError, ModelFileError)):
        load_mask_network(nobody).mask(rgb, np.float32([0, 0, 139, 129]))


def test_instances_in_a_large_photo_and_in_a_fixed_size(tmp_path: Path) -> None:
    rgb = ramps(1536, 2048)
    for size, scale in (("h", "w"), 0.5), ((300, 256), 0.125):
        boxes = np.float32([[200, 200, 1000, 1400]] * 4) * scale
        path = instances(tmp_path / f"{size[0]}.onnx", boxes, size=size)
        mask = load_mask_network(path).mask(rgb, np.float32([200, 200, 1000, 1400]))
        difference = np.abs(mask - rgb[..., 0] / 255)[20:-20, 20:-20]
        assert mask.shape == rgb.shape[:2] and difference.max() < 1.2 / 255


def zoo(path: Path, box: Sequence[float], patch: np.ndarray | None) -> Path:
    """As the model zoo's MaskRCNN-10: patches of 28x28, in an order of its own.

    Without a patch, the mask is the brightest blue of the picture.
    """
    values = {
        "6568": np.float32([box]), "6570": np.int64([1]), "6572": np.float32([0.9]),
        "patch": np.float32(np.ones((28, 28)) if patch is None else patch)[None, None],
    }  # fmt: skip
    nodes = [node("Identity", f"the_{name}", name) for name in values if name != "patch"]
    constants: dict[str, object] = {f"the_{name}": value for name, value in values.items()}
    if patch is None:
        nodes += [
            node("Gather", "image blue", "only", axis=0),
            node("ReduceMax", "only", "most", keepdims=0),
            node("Add", "most mean", "level"), node("Div", "level top", "share"),
            node("Mul", "the_patch share", "6887"),
        ]  # fmt: skip
        constants |= {"blue": np.array([0]), "mean": np.float32(102.9801), "top": np.float32(255)}
    else:
        nodes += [node("Identity", "the_patch", "6887")]
    return saved(
        path, nodes, [("image", FLOAT, [3, "height", "width"])],
        [
            ("6568", FLOAT, ["nbox", 4]), ("6570", WHOLE, ["nbox"]), ("6572", FLOAT, ["nbox"]),
            ("6887", FLOAT, ["nbox", 1, 28, 28]),
        ],
        constants,
    )  # fmt: skip


def test_the_zoo_gets_blue_first_minus_its_mean(tmp_path: Path) -> None:
    rgb = np.full((80, 100, 3), (10, 20, 230), np.uint8)
    network = load_mask_network(zoo(tmp_path / "zoo.onnx", [0, 0, 999, 799], None))
    assert network.mask(rgb, np.float32([0, 0, 99, 79]))[40, 50] == pytest.approx(230 / 255)


@settings(max_examples=20)
@given(
    x=st.floats(-100, 300), y=st.floats(-100, 300), width=st.floats(400, 700),
    height=st.floats(400, 700),
)  # fmt: skip
def test_a_patch_fills_its_box(
    tmp_path_factory: pytest.TempPathFactory, x: float, y: float, width: float, height: float
) -> None:
    """A patch that rises to the right and downwards does so in its box, linearly."""
    row, column = np.mgrid[:28, :28] + 0.5
    patch = (row + 2 * column) / 84
    box = [x, y, x + width - 1, y + height - 1]
    path = zoo(tmp_path_factory.mktemp("zoo") / "zoo.onnx", box, patch)
    rgb = np.zeros((100, 120, 3), np.uint8)  # 800 x 960 for the network
    mask = load_mask_network(path).mask(rgb, np.float32(box) / 8)
    v, u = np.mgrid[:100, :120] * 8 + 3.5  # the photo's pixels in the network's
    down, right = (v - y + 0.5) / height, (u - x + 0.5) / width
    inner = (np.minimum(down, right) > 0.5 / 28) & (np.maximum(down, right) < 1 - 0.5 / 28)
    assert np.abs(mask - (down + 2 * right) / 3)[inner].max(initial=0) < 1e-4
    outer = (np.minimum(down, right) < -0.5 / 28) | (np.maximum(down, right) > 1 + 0.5 / 28)
    assert not mask[outer].any()


# -- joints -----------------------------------------------------------------------------------


def test_the_joints_are_landmarks_too() -> None:
    assert len(COCO_17) == 17 and all(name in LANDMARK for name in COCO_17)


@given(
    x=st.floats(-500, 500), y=st.floats(-500, 500), width=st.floats(1, 500),
    height=st.floats(1, 500), aspect=st.floats(0.3, 3),
)  # fmt: skip
def test_the_window_around_a_box(
    x: float, y: float, width: float, height: float, aspect: float
) -> None:
    corner, sides = framed(np.array([x, y, x + width, y + height]), aspect)
    assert np.allclose(corner + sides / 2, [x + width / 2, y + height / 2])
    assert sides[0] / sides[1] == pytest.approx(aspect)
    slack = sides / (1.25 * np.array([width, height]))
    assert slack.min() == pytest.approx(1) and slack.max() >= 1 - 1e-9


def gaussians(centres: np.ndarray, count: int, deviation: float) -> np.ndarray:
    """(K, count) bells around (K,) centres."""
    return np.exp(-0.5 * ((np.arange(count) - centres[:, None]) / deviation) ** 2)


def simcc(
    path: Path,
    columns: np.ndarray,
    rows: np.ndarray,
    names: tuple[str, ...] = ("simcc_x", "simcc_y"),
    size: tuple = (256, 192),
    free: bool = False,
) -> Path:
    """A SimCC network that always gives the same rates."""
    values = {name: rows if name.endswith(("y", "b")) else columns for name in names}
    nodes = [node("Identity", f"the_{name}", name) for name in names]
    constants = {f"the_{name}": np.float32(value)[None] for name, value in values.items()}
    ends = [
        (name, FLOAT, ["b", "k", "bins" + name] if free else [1, *value.shape])
        for name, value in values.items()
    ]
    return saved(path, nodes, [("input", FLOAT, ["b", 3, *size])], ends, constants)


@pytest.mark.parametrize("count", POINT_COUNTS)
@pytest.mark.parametrize("names", [("simcc_x", "simcc_y"), ("simcc_y", "simcc_x"), ("a", "b")])
def test_simcc_peaks_land_in_the_photo(tmp_path: Path, count: int, names: tuple) -> None:
    rng = np.random.default_rng(count)
    bins = rng.uniform([5, 5], [378, 506], (count, 2))
    height = rng.uniform(0.2, 0.9, (2, count, 1))
    columns = height[0] * gaussians(bins[:, 0], 384, 9.8)
    rows = height[1] * gaussians(bins[:, 1], 512, 11.3)
    if names == ("a", "b"):  # nothing but the order tells which is which
        path = simcc(tmp_path / "pose.onnx", columns, rows, ("a", "b"))
    else:
        path = simcc(tmp_path / "pose.onnx", columns, rows, names, free=count == 26)
    box = np.float32([40, 50, 100, 250])
    points, scores = load_joint_network(path).joints(noise(300, 200), box)
    # The box is 60 x 200, so the window is 250 pixels high and 250 * 192 / 256 wide.
    side = np.array([187.5, 250.0])
    expected = np.array([70, 150]) - side / 2 + bins[:17] / [384, 512] * side
    assert points.shape == (17, 2) and points.dtype == np.float32
    assert np.abs(points - expected).max() < 0.01
    sampled = np.minimum(columns.max(axis=1), rows.max(axis=1))[:17]
    assert scores.dtype == np.float32 and np.allclose(scores, sampled, atol=1e-6)


def test_depths_beside_simcc_are_left_alone(tmp_path: Path) -> None:
    bells = gaussians(np.linspace(20, 300, 133), 384, 10), gaussians(np.full(133, 99.0), 512, 10)
    rgb, box = noise(100, 100), np.float32([10, 10, 90, 90])
    plain = simcc(tmp_path / "two.onnx", *bells)
    deep = simcc(tmp_path / "three.onnx", *bells, names=("simcc_z", "simcc_y", "simcc_x"))
    for one, other in zip(
        load_joint_network(plain).joints(rgb, box), load_joint_network(deep).joints(rgb, box),
        strict=True,
    ):  # fmt: skip
        assert np.array_equal(one, other)


def blob(shape: tuple[int, int], centre: np.ndarray, deviation: float) -> np.ndarray:
    """(H, W, 3): a soft white spot on black, in all colours."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    square = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    level = 255 * np.exp(-0.5 * square / deviation**2)
    return np.repeat(level.round().astype(np.uint8)[..., None], 3, axis=2)


def seeing_heat(path: Path, size: tuple[int | str, int | str], **options: object) -> Path:
    """A heat-map network that sees white: cell c is the picture's pixel 4 c."""
    nodes, constants = colours("input", "rgb", IMAGENET)
    nodes += [
        node("Slice", "rgb starts ends axes steps", "few"), node("Conv", "few weights", "heat"),
    ]  # fmt: skip
    constants |= {
        "starts": np.array([0, 0]), "ends": np.array([9999, 9999]), "axes": np.array([2, 3]),
        "steps": np.array([4, 4]), "weights": np.full((17, 3, 1, 1), 1 / 3, np.float32),
    }  # fmt: skip
    cells = [-(-n // 4) if isinstance(n, int) else f"cells_{n}" for n in size]
    return saved(
        path, nodes, [("input", FLOAT, [1, 3, *size])], [("heat", FLOAT, [1, 17, *cells])],
        constants, **options,
    )  # fmt: skip


def seeing_simcc(path: Path) -> Path:
    """A SimCC network that sees white: bin b is the picture's column or row b / 2."""
    nodes, constants = colours("input", "rgb", IMAGENET)
    nodes += [
        node("Conv", "rgb weights", "seen"),
        node("ReduceMax", "seen", "across", axes=[2], keepdims=0),
        node("ReduceMax", "seen", "down", axes=[3], keepdims=0),
    ]
    for source, target in (("across", "simcc_x"), ("down", "simcc_y")):
        nodes += [node("Resize", f"{source} roi scales", target, mode="linear",
                       coordinate_transformation_mode="asymmetric")]  # fmt: skip
    constants |= {
        "weights": np.full((17, 3, 1, 1), 1 / 3, np.float32), "roi": np.float32([]),
        "scales": np.float32([1, 1, 2]),
    }  # fmt: skip
    return saved(
        path, nodes, [("input", FLOAT, [1, 3, 256, 192])],
        [("simcc_x", FLOAT, [1, 17, 384]), ("simcc_y", FLOAT, [1, 17, 512])], constants,
    )  # fmt: skip


# Each with the spot's deviation and the greatest error, in cells of a quarter of the input.
# Columns and rows of 8-bit pictures are flat around a spot's peak: there it is one bin.
MAKERS: dict[str, tuple[Callable[[Path], Path], float, float]] = {
    "hrnet.onnx": (lambda path: seeing_heat(path, (256, 192)), 2, 0.03),
    "free.onnx": (lambda path: seeing_heat(path, ("h", "w")), 2, 0.03),
    "vitpose-b.onnx": (lambda path: seeing_heat(path, (257, 193)), 2, 0.03),
    "rtmpose.onnx": (seeing_simcc, 0.75, 0.125),
}


@pytest.mark.parametrize("file", MAKERS)
@settings(max_examples=12)
@given(
    share=st.tuples(st.floats(0.15, 0.85), st.floats(0.15, 0.85)),
    corner=st.tuples(st.floats(-80, 150), st.floats(-120, 150)),
    sides=st.tuples(st.floats(100, 300), st.floats(160, 500)),
)
def test_a_spot_is_found_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, file: str, share: tuple, corner: tuple, sides: tuple
) -> None:
    """From the photo through the window, the network's cells and back, also in boxes that reach
    out of the photo."""
    make, deviation, greatest = MAKERS[file]
    path = make(tmp_path_factory.mktemp("spot") / file)
    box = np.float32([*corner, corner[0] + sides[0], corner[1] + sides[1]])
    spot = (box[:2] + np.array(share) * (box[2:] - box[:2])).clip([40, 40], [310, 410])
    # Seven cells away from the window's edges, where nothing of it is cut off.
    window_corner, window_sides = framed(box, 192 / 256)
    inside = (spot - window_corner) / window_sides
    cell = window_sides[0] / 48
    assume(inside.min() > 0.12 and inside.max() < 0.88)
    rgb = blob((450, 350), spot, deviation * cell)
    points, scores = load_joint_network(path).joints(rgb, box)
    assert np.abs(points - spot).max() < greatest * cell
    assert (scores > 0.9).all() and (scores <= 1).all()


@pytest.mark.parametrize(("word", "unbiased"), [("1", True), ("0", False)])
def test_what_tells_how_heat_maps_were_trained(tmp_path: Path, word: str, unbiased: bool) -> None:
    file = "plain.onnx" if unbiased else "vitpose.onnx"
    path = seeing_heat(tmp_path / file, (257, 193), metadata={"udp": word})
    assert load_joint_network(path).unbiased is unbiased
    for names, expected in ((("pixel_values", "heatmaps"), True), (("input", "output"), False)):
        ends = [(names[0], FLOAT, ["b", 3, "h", "w"])], [(names[1], FLOAT, ["b", 17, "y", "x"])]
        path = ending(tmp_path / "model.onnx", *ends)
        assert load_joint_network(path).unbiased is expected
    assert not load_joint_network(seeing_simcc(tmp_path / "vitpose-simcc.onnx")).unbiased


def test_a_box_that_shows_nothing_has_no_joints(tmp_path: Path) -> None:
    network = load_joint_network(seeing_simcc(tmp_path / "pose.onnx"))
    with pytest.raises(PersonError, match="empty or outside"):
        network.joints(noise(50, 60), np.float32([-50, 0, -2, 40]))


# -- files that do not fit --------------------------------------------------------------------


def refused(load: Callable[[Path], object], path: Path) -> str:
    """The one sentence that a file is refused with."""
    with pytest.raises(ModelFileError) as caught:
        load(path)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 260
    assert path.name in sentence and "ONNXRuntimeError" not in sentence
    return sentence


def ending(path: Path, inputs: Ends, outputs: Ends, value: float = 0) -> Path:
    """A file with these inputs and outputs; what it leaves open is 1. All outputs are `value`."""
    name, kind, _ = inputs[0]
    nodes = [
        node("Cast", name, "float", to=FLOAT), node("ReduceSum", "float", "sum", keepdims=0),
        node("Mul", "sum zero", "nothing"),
    ]  # fmt: skip
    constants: dict[str, object] = {"zero": np.float32(0)}
    for name, kind, shape in outputs:
        # By way of the picture, so that the runtime cannot work the sizes out beforehand.
        constants[f"{name}_size"] = np.float32(
            [n if isinstance(n, int) else 1 for n in shape or ()]
        )
        filling = helper.make_tensor(f"{name}_value", kind, [1], [value])
        nodes += [
            node("Add", f"{name}_size nothing", f"{name}_float"),
            node("Cast", f"{name}_float", f"{name}_shape", to=WHOLE),
            node("ConstantOfShape", f"{name}_shape", name, value=filling),
        ]
    return saved(path, nodes, inputs, outputs, constants)


PICTURE = ("image", FLOAT, [1, 3, 256, 192])


@pytest.mark.parametrize(
    ("inputs", "outputs", "sentence"),
    [
        (
            [PICTURE], [("heat", FLOAT, [1, 21, 64, 48])],
            "pose.onnx has the output 'heat' of shape 1x21x64x48, but a joint network needs COCO's "
            "17 joints first (17, 23, 26, 133 or 136 points).",
        ),
        ([PICTURE], [("heat", FLOAT, [4, 17, 64, 48])], "'heat' of shape 4x17x64x48, but"),
        ([PICTURE], [("heat", FLOAT, [1, 17, 48, 64])], "divide the picture's width and height"),
        (
            [PICTURE], [("x", FLOAT, [1, 14, 384]), ("y", FLOAT, [1, 14, 512])],
            "has the output 'x' of shape 1x14x384, but",
        ),
        (
            [PICTURE], [("x", FLOAT, [1, 17, 384]), ("y", FLOAT, [1, 17, 384])],
            "the outputs 'x' of shape 1x17x384 and 'y' of shape 1x17x384 for the input 'image' of "
            "shape 1x3x256x192, but",
        ),
        ([PICTURE], [("det", FLOAT, ["n", 56, 8400])], "'det' of shape ?x56x8400, but a joint"),
        ([PICTURE], [("classes", FLOAT, [1, 1000])], "'classes' of shape 1x1000, but"),
        ([PICTURE], [("k", WHOLE, [1, 17, 2])], "'k' of shape 1x17x2 and type int64, but"),
        (
            [("image", FLOAT, [1, 256, 192, 3])], [("heat", FLOAT, [1, 17, 64, 48])],
            "pose.onnx has the input 'image' of shape 1x256x192x3, but a joint network needs one "
            "input, a picture of 1x3xHxW.",
        ),
        ([("gray", FLOAT, [1, 1, 8, 8])], [("heat", FLOAT, [1, 17, 2, 2])], "'gray' of shape 1x1x"),
        ([("i", WHOLE, [1, 3, 8, 8])], [("heat", FLOAT, [1, 17, 2, 2])], "and type int64, but"),
        ([("i", FLOAT, [3, 8, 8])], [("heat", FLOAT, [1, 17, 2, 2])], "'i' of shape 3x8x8, but"),
        ([("i", FLOAT, None)], [("heat", FLOAT, [1, 17, 2, 2])], "'i' of unknown shape, but"),
        (
            [PICTURE, ("size", FLOAT, [1, 2])], [("heat", FLOAT, [1, 17, 64, 48])],
            "pose.onnx has the inputs 'image', 'size', but a joint network needs one input",
        ),
    ],
)  # fmt: skip
def test_what_is_no_joint_network(
    tmp_path: Path, inputs: Ends, outputs: Ends, sentence: str
) -> None:
    assert sentence in refused(load_joint_network, ending(tmp_path / "pose.onnx", inputs, outputs))


INSTANCE = (
    ("boxes", FLOAT, ["n", 4]), ("labels", WHOLE, ["n"]), ("scores", FLOAT, ["n"]),
    ("masks", FLOAT, ["n", 1, "h", "w"]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "outputs", "sentence"),
    [
        (
            [PICTURE], [("classes", FLOAT, [1, 21, 64, 48])],
            "mask.onnx has the output 'classes' of shape 1x21x64x48, but a mask network needs one "
            "mask (1x1xHxW), or boxes, labels, scores and masks of instances.",
        ),
        ([PICTURE], [("out", FLOAT, [1, 1000])], "'out' of shape 1x1000, but"),
        ([PICTURE], [("m", WHOLE, [1, 1, 64, 48])], "'m' of shape 1x1x64x48 and type int64, but"),
        (
            [PICTURE], [(f"o{k}", FLOAT, [1, 2, 8, 8]) for k in range(7)],
            "the outputs 'o0' of shape 1x2x8x8, 'o1' of shape 1x2x8x8, 'o2' of shape 1x2x8x8 and 4 "
            "more, but",
        ),
        (
            [("src", FLOAT, [1, 3, 8, 8]), ("r1", FLOAT, [1, 1, 8, 8])],
            [("pha", FLOAT, [1, 1, 8, 8])], "mask.onnx has the inputs 'src', 'r1', but",
        ),
        (
            [("i", FLOAT, [3, "h", "w"])], INSTANCE[:3],
            "but a mask network for instances needs an output of masks (Nx1xHxW).",
        ),
        ([("i", FLOAT, [3, "h", "w"])], INSTANCE[:1] + INSTANCE[2:], "an output of labels (N,"),
        (
            [("i", FLOAT, [3, "h", "w"])], [*INSTANCE, ("size", WHOLE, [2])],
            "'labels' of shape ? and type int64 and 'size' of shape 2 and type int64, but a mask",
        ),
        (
            [("i", FLOAT, ["h", "w", 3])], INSTANCE,
            "the input 'i' of shape ?x?x3, but a mask network needs one input, a picture of "
            "1x3xHxW or 3xHxW.",
        ),
    ],
)  # fmt: skip
def test_what_is_no_mask_network(
    tmp_path: Path, inputs: Ends, outputs: Ends, sentence: str
) -> None:
    assert sentence in refused(load_mask_network, ending(tmp_path / "mask.onnx", inputs, outputs))


def test_metadata_that_are_no_colours(tmp_path: Path) -> None:
    for told in ({"mean": "0,0,0"}, {"mean": "a,b,c", "std": "1,1,1"}, {"mean": "0", "std": "0"}):
        path = red_network(tmp_path / "mask.onnx", metadata=told)
        assert "three numbers each" in refused(load_mask_network, path)


def test_what_shows_only_in_the_answer(tmp_path: Path) -> None:
    """Files may leave sizes open; then the answer is held to what is needed."""
    rgb, box = noise(60, 60), np.float32([5, 5, 50, 50])
    free = ["b", "k", "h", "w"]
    path = ending(tmp_path / "free.onnx", [PICTURE], [("heat", FLOAT, free)])
    pose = load_joint_network(path)
    with pytest.raises(ModelFileError, match="'heat' of shape 1x1x1x1, but a joint network"):
        pose.joints(rgb, box)
    nodes = [node("Identity", "image", "mask")]
    path = saved(tmp_path / "m.onnx", nodes, [PICTURE], [("mask", FLOAT, None)])
    with pytest.raises(ModelFileError, match="'mask' of shape 1x3x256x192, but a mask network"):
        load_mask_network(path)  # the runtime works out what the file leaves open
    nodes = [node("Log", "image", "log"), node("ReduceMax", "log", "mask", axes=[1], keepdims=1)]
    ends = [("mask", FLOAT, [1, 1, 256, 192])]
    path = saved(tmp_path / "nan.onnx", nodes, [PICTURE], ends)
    with pytest.raises(ModelFileError, match=r"nan.onnx gives numbers that are not finite"):
        load_mask_network(path).mask(np.zeros_like(rgb), box)
    large = [*INSTANCE[:3], ("masks", FLOAT, ["n", 1, "h", "w"])]
    nodes = [node("Identity", f"the_{name}", name) for name, *_ in large]
    constants = {
        "the_boxes": np.float32([[5, 5, 50, 50]]), "the_labels": np.int64([1]),
        "the_scores": np.float32([1]), "the_masks": np.zeros((1, 1, 30, 40), np.float32),
    }  # fmt: skip
    path = saved(tmp_path / "i.onnx", nodes, [("i", FLOAT, [3, "h", "w"])], large, constants)
    with pytest.raises(ModelFileError, match="masks as large as the picture of 60x60"):
        load_mask_network(path).mask(rgb, box)


def test_files_that_are_no_networks(tmp_path: Path) -> None:
    missing = tmp_path / "absent.onnx"
    assert "There is no network file" in refused(runner.load, missing)
    folder = tmp_path / "folder.onnx"
    folder.mkdir()
    assert "is not a file" in refused(runner.load, folder)
    whole = red_network(tmp_path / "red.onnx").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "broken.onnx"
    for data in (b"", b"hello world\n" * 40, rng.bytes(3000), whole[: len(whole) // 2]):
        path.write_bytes(data)
        assert "is not an ONNX network, or damaged" in refused(runner.load, path)
    for place in rng.integers(0, len(whole), 40):
        changed = bytearray(whole)
        changed[place] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        try:
            load_mask_network(path).mask(noise(50, 50), np.float32([5, 5, 40, 40]))
        except ModelFileError as error:
            assert "\n" not in str(error)


def test_weights_in_another_file(tmp_path: Path) -> None:
    weights = {"w": np.ones((1, 3, 20, 20), np.float32)}
    ends = [("image", FLOAT, [1, 3, 64, 64])], [("mask", FLOAT, [1, 1, 45, 45])]
    path = saved(
        tmp_path / "large.onnx", [node("Conv", "image w", "mask")], *ends, weights,
        save_as_external_data=True, location="large.onnx.data", size_threshold=100,
    )  # fmt: skip
    load_mask_network(path)
    runner._open.cache_clear()
    data = tmp_path / "large.onnx.data"
    os.truncate(data, 100)
    assert "The file with the weights" in refused(runner.load, path)
    data.unlink()
    assert "large.onnx.data, which is missing" in refused(runner.load, path)


def test_what_the_runtime_cannot_do(tmp_path: Path) -> None:
    ends = [PICTURE], [("mask", FLOAT, [1, 1, 8, 8])]
    foreign = helper.make_node("Sparkle", ["image"], ["mask"], domain="elsewhere")
    path = saved(tmp_path / "own.onnx", [foreign], *ends)
    assert "the operator elsewhere:Sparkle, which ONNX Runtime" in refused(runner.load, path)
    path = saved(tmp_path / "new.onnx", [node("Relu", "image", "mask")], *ends, opset=99)
    assert "too new" in refused(runner.load, path)
    # Sizes that only look free: a network that goes wrong with the picture it is given.
    nodes = [node("MatMul", "image w", "mask")]
    free = [("image", FLOAT, [1, 3, "h", "w"])], [("mask", FLOAT, [1, 1, "h", "w"])]
    path = saved(tmp_path / "fails.onnx", nodes, *free, {"w": np.ones((7, 7), np.float32)})
    network = load_mask_network(path)
    told = refused(lambda _: network.mask(noise(50, 50), np.float32([5, 5, 40, 40])), path)
    assert "fails on a picture of shape 1x3x1024x1024" in told


def test_the_runtime_may_be_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = red_network(tmp_path / "red.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelFileError, match="ONNX Runtime is missing: install"):
        runner.load(path)


def test_what_the_runtime_breaks_it_leaves_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rewriting of some networks in half precision fails: then they are run as they are."""
    import onnxruntime

    path = red_network(tmp_path / "red.onnx", size=(73, 64))
    levels = []
    honest = onnxruntime.InferenceSession

    def opened(file: str, options: onnxruntime.SessionOptions, **more: object) -> object:
        levels.append(options.graph_optimization_level)
        if levels[-1] != onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL:
            raise RuntimeError("Fusion failed")
        return honest(file, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    rgb = noise(120, 100)
    mask = load_mask_network(path).mask(rgb, BOX)
    assert len(levels) == 2 and np.abs(mask - rgb[..., 0] / 255)[24:97, 14:78].max() < 1e-5


def test_a_file_stays_open_until_it_changes(tmp_path: Path) -> None:
    path = red_network(tmp_path / "red.onnx")
    first = runner.load(path)
    assert runner.load(str(path)) is first
    red_network(path, size=(32, 32))
    second = runner.load(path)
    assert second is not first and second.inputs[0].shape == (1, 3, 32, 32)
