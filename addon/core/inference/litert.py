"""Networks in LiteRT's format, kept open between calls."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import ModelFileError
from .model_files import model_path

if TYPE_CHECKING:  # where it is missing, that is told when it is needed
    from ai_edge_litert.interpreter import Interpreter

THREADS = 2


@lru_cache(maxsize=8)
def _interpreter(name: str) -> Interpreter:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ModelFileError(
            "LiteRT is missing: install the extension again, or run 'make setup'."
        ) from error
    try:
        interpreter = Interpreter(model_path=str(model_path(name)), num_threads=THREADS)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelFileError(
            f"The network {name} is damaged: run 'make models', or install the extension again."
        ) from error
    return interpreter


def run(name: str, image: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """All outputs of a network for one (h, w, 3) float32 input, in the file's order.

    Parameters
    ----------
    name : str
        The model file's.
    image : npt.NDArray[np.float32]
        (h, w, 3), as the network takes it.

    Returns
    -------
    list[npt.NDArray[np.float32]]
        Each of its own shape, without the batch.
    """
    interpreter = _interpreter(name)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
    interpreter.invoke()
    return [
        interpreter.get_tensor(output["index"])[0].copy()
        for output in interpreter.get_output_details()
    ]
