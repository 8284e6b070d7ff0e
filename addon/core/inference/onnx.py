"""Networks in ONNX format, the user's own, kept open between calls.

ONNX Runtime runs them on the processor. What a file takes and gives is read from the file, so
that anyone who uses a network can say in one sentence what differs from what they need.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelFileError, printable
from ..types import Float32
from ..user_paths import check_readable

MOST_THREADS = 4  # beyond, other work on the machine waits and networks gain little
MOST_OPEN = 3  # one for masks, one for joints, one for the plate; some take a gigabyte
MOST_LISTED = 4  # outputs in a sentence
_QUIET = 4  # ONNX Runtime's severity "fatal": everything else arrives as an exception
FLOATS = ("float32", "float16")
INTEGERS = ("int64", "int32")
# ONNX Runtime's names of types where they differ from NumPy's.
_TYPE_NAMES = {"float": "float32", "double": "float64"}


@dataclass(frozen=True)
class Tensor:
    """An input or output as the file declares it, or as it came out."""

    name: str
    dtype: str  # NumPy's name, or ONNX Runtime's where it is not a tensor
    shape: tuple[int | None, ...] | None  # None: a size that may vary, or a rank that is not told

    @property
    def rank(self) -> int:
        """Number of dimensions; -1 where the file does not tell it."""
        return -1 if self.shape is None else len(self.shape)

    def __str__(self) -> str:
        """As sentences name it: 'heat' of shape 1x17x64x48."""
        if self.shape is None:
            told = f"'{self.name}' of unknown shape"
        else:
            told = f"'{self.name}' of shape {'x'.join(str(n or '?') for n in self.shape)}"
        return told if self.dtype in FLOATS else f"{told} and type {self.dtype}"

    def fits(self, *sizes: int | None) -> bool:
        """Whether it can have this shape; None stands for any size.

        Parameters
        ----------
        *sizes : int | None
            One for each axis.

        Returns
        -------
        bool
            True if so.
        """
        return self.rank == len(sizes) and all(
            wanted is None or found is None or found == wanted
            for found, wanted in zip(self.shape or (), sizes, strict=True)
        )


def listed(outputs: Sequence[Tensor]) -> str:
    """Outputs as a sentence names them: the outputs 'boxes' of shape ?x4 and 'labels' of ...

    Parameters
    ----------
    outputs : Sequence[Tensor]
        Any number.

    Returns
    -------
    str
        A part of a sentence.
    """
    told = [str(output) for output in outputs]
    if not told:
        return "no outputs"
    if len(told) > MOST_LISTED:
        told = [*told[: MOST_LISTED - 1], f"{len(told) - MOST_LISTED + 1} more"]
    first, last = ", ".join(told[:-1]), told[-1]
    return f"the outputs {first} and {last}" if first else f"the output {last}"


@dataclass(frozen=True, eq=False)
class Network:
    """An open network."""

    name: str  # the file's name, for sentences
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: dict[str, str]  # what its maker wrote into the file
    session: Any  # onnxruntime.InferenceSession

    def run(self, *values: Float32) -> list[npt.NDArray[Any]]:
        """All outputs, in the file's order, for its inputs in theirs; floats come as float32.

        Parameters
        ----------
        *values : Float32
            Of any shape, one for each input.

        Returns
        -------
        list[npt.NDArray[Any]]
            Of any shape, one for each output.

        Raises
        ------
        ModelFileError
            If the network cannot be run on this input.
        """
        given = {
            tensor.name: value.astype(tensor.dtype)
            for tensor, value in zip(self.inputs, values, strict=True)
        }
        try:
            outputs = self.session.run(None, given)
        except Exception as error:
            size = "x".join(str(n) for n in values[0].shape)
            if "alloc" in str(error).lower():
                raise ModelFileError(
                    f"There is not enough memory to run {self.name}: choose a smaller network."
                ) from error
            raise ModelFileError(
                f"{self.name} fails on a picture of shape {size}, which its input "
                f"{self.inputs[0]} allows: export the network again, or choose another."
            ) from error
        return [
            np.asarray(o, np.float32) if np.asarray(o).dtype == np.float16 else np.asarray(o)
            for o in outputs
        ]

    def came_out(self, values: list[npt.NDArray[Any]]) -> tuple[Tensor, ...]:
        """The outputs with the shapes that they really have.

        Parameters
        ----------
        values : list[npt.NDArray[Any]]
            Of any shape, the outputs of `run`.

        Returns
        -------
        tuple[Tensor, ...]
            One for each output.
        """
        return tuple(
            Tensor(declared.name, str(value.dtype), value.shape)
            for declared, value in zip(self.outputs, values, strict=True)
        )

    def refused(self, has: str, kind: str, needs: str) -> ModelFileError:
        """The error that says in one sentence what differs.

        Parameters
        ----------
        has : str
            What the file has, a part of a sentence.
        kind : str
            What it was to be.
        needs : str
            What that needs, a part of a sentence.

        Returns
        -------
        ModelFileError
            To be raised.
        """
        return ModelFileError(f"{self.name} has {has}, but a {kind} needs {needs}.")


def load(path: Path | str) -> Network:
    """Open an ONNX file, or hand out the one that is open already and unchanged on the disk.

    Parameters
    ----------
    path : Path | str
        The file.

    Returns
    -------
    Network
        Opened.

    Raises
    ------
    ModelFileError
        With one sentence where the file is missing, damaged, of another kind or incomplete, and
        where ONNX Runtime is not installed.
    """
    path = Path(path)
    check_readable(path, ModelFileError, "choose another ONNX file")
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # a path with a zero in it is a ValueError
        raise ModelFileError(
            f"There is no network file {path}: choose it again in the preferences."
        ) from error
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file: choose an ONNX file.")
    return _open(str(path.absolute()), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=MOST_OPEN)
def _open(path: str, _changed: int, _size: int) -> Network:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelFileError(
            "ONNX Runtime is missing: install the extension again, or run 'make setup'."
        ) from error
    # Builds for Windows tell their maker about use; this extension asks for no network.
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = min(MOST_THREADS, os.cpu_count() or 1)
    # Threads that wait would otherwise keep a processor busy.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    name = Path(path).name
    try:
        session = _session(path, options)
        # Names that are no text raise only when they are asked for.
        return Network(
            name,
            tuple(_tensor(argument) for argument in session.get_inputs()),
            tuple(_tensor(argument) for argument in session.get_outputs()),
            dict(session.get_modelmeta().custom_metadata_map),
            session,
        )
    except Exception as error:
        raise ModelFileError(_why_not(name, str(error), onnxruntime.__version__)) from error


def _session(path: str, options: Any) -> Any:
    import onnxruntime

    # A name that is no text cannot be handed on; the file's content can.
    model: str | bytes = Path(path).read_bytes() if printable(path) != path else path

    def opened() -> Any:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    try:
        return opened()
    except Exception:  # noqa: BLE001 - ONNX Runtime's kinds share no other base
        # Its own rewriting of a network may fail (RMBG-2.0 in half precision): run it as it is.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return opened()


def _tensor(argument: Any) -> Tensor:
    found = re.fullmatch(r"tensor\((\w+)\)", argument.type)
    dtype = _TYPE_NAMES.get(found[1], found[1]) if found else argument.type
    # Sizes that may vary have a name or None; an unknown rank looks like no dimensions.
    shape = tuple(n if isinstance(n, int) and n > 0 else None for n in argument.shape)
    return Tensor(argument.name, dtype, shape or None)


def _why_not(name: str, reason: str, version: str) -> str:
    """One sentence for what ONNX Runtime says when it cannot open a file."""
    data = re.search(r"External data path does not exist: \"?([^\"\n]+)", reason)
    if data:
        return (
            f"{name} keeps its weights in {Path(data[1].strip()).name}, which is missing: put that "
            "file beside it."
        )
    if re.search(r"external (data|initializer)", reason, re.IGNORECASE):
        return f"The file with the weights of {name} is damaged: download both files again."
    operator = re.search(
        r"([\w.]*:?\w+)\(-?\d+\) is not a registered|No Op registered for (\w+)"
        r"|implementation for ([\w.]*:?\w+)",
        reason,
    )
    if operator:
        missing = next(group for group in operator.groups() if group)
        return (
            f"{name} uses the operator {missing.removeprefix(':')}, which ONNX Runtime {version} "
            "does not have: export the network without it, or choose another."
        )
    if "IR version" in reason or "guarantees" in reason:
        return (
            f"{name} is too new for ONNX Runtime {version}: export the network with an older opset."
        )
    if "alloc" in reason.lower():
        return f"There is not enough memory to open {name}: choose a smaller network."
    return f"{name} is not an ONNX network, or damaged: download it again, or choose another."


@dataclass(frozen=True)
class PictureInput:
    """The one picture that a network takes: channels first, 3 channels."""

    height: int | None  # None: any
    width: int | None
    batch: bool  # whether a first dimension of size 1 counts pictures

    def shaped(self, picture: Float32) -> Float32:
        """(3, h, w) as the network takes it.

        Parameters
        ----------
        picture : Float32
            (3, h, w).

        Returns
        -------
        Float32
            (1, 3, h, w) or (3, h, w).
        """
        return picture[None] if self.batch else picture


def picture_input(network: Network, kind: str, batchless: bool = False) -> PictureInput:
    """The network's only input, where it is a picture; ModelFileError where it is not.

    Parameters
    ----------
    network : Network
        Opened.
    kind : str
        What the network is to be, for the sentence.
    batchless : bool
        Whether 3xHxW is taken as well as 1x3xHxW.

    Returns
    -------
    PictureInput
        Its size, if it is fixed.
    """
    needs = "one input, a picture of 1x3xHxW" + (" or 3xHxW" if batchless else "")
    if len(network.inputs) != 1:
        names = ", ".join(f"'{tensor.name}'" for tensor in network.inputs)
        raise network.refused(f"the inputs {names}", kind, needs)
    tensor = network.inputs[0]
    if tensor.dtype not in FLOATS:
        raise network.refused(f"the input {tensor}", kind, f"{needs} of type float32")
    batch = tensor.fits(1, 3, None, None)
    channels_last = (tensor.shape or (0,))[-1] == 3
    if channels_last or not (batch or (batchless and tensor.fits(3, None, None))):
        raise network.refused(f"the input {tensor}", kind, needs)
    height, width = (tensor.shape or ())[-2:]
    return PictureInput(height, width, batch)
