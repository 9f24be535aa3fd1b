"""What is in a file, array by array, without holding more of it in memory than a piece."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.files.checkpoint import Checkpoint
from adamas.files.pieces import PIECE

# Formats that are numbers as they stand; codes of few bits mean nothing without their scales.
NUMBERS = {"F16", "BF16", "F32", "F64", "C64"}


def summary(file: Checkpoint) -> dict[str, Any]:
    """What a file says of itself, and of each array its format, shape, bytes and numbers.

    The Euclidean `norm` is of the finite numbers, `nonfinite` counts the others; both are None for
    integers, which may be codes.
    """
    return {
        "path": file.path,
        "optimizer": f"{file.home}.{file.kind}",
        "rules": {name: rule["dialect"] for name, rule in file.rules.items()},
        "steps": file.steps,
        "seed": file.seed,
        "parameters": len(file.parameters),
        "elements": sum(math.prod(shape) for shape in file.parameters.values()),
        "bytes": sum(size for _, _, size in file.tensors.values()),
        "tensors": [
            {"name": name, "format": form, "shape": list(shape), "bytes": size}
            | _numbers(file.read(name), form)
            for name, (form, shape, size) in file.tensors.items()
        ],
    }


def _numbers(array: NDArray[Any], form: str) -> dict[str, float | int | None]:
    if form not in NUMBERS:
        return {"norm": None, "nonfinite": None}
    flat, count = array.reshape(-1), PIECE // array.itemsize
    # The largest first: squares of float32 fit into float64, those of float64 need not.
    squares, odd, largest = 0.0, 0, 0.0
    pieces = [slice(begin, begin + count) for begin in range(0, flat.size, count)]
    for piece in pieces:
        sizes = np.abs(_widened(flat[piece], form))
        whole = np.isfinite(sizes)
        odd += int(sizes.size - np.count_nonzero(whole))
        largest = max(largest, float(sizes.max(initial=0.0, where=whole)))
    for piece in pieces if largest else ():
        sizes = np.abs(_widened(flat[piece], form)) / largest
        squares += float(np.sum(np.square(sizes), where=np.isfinite(sizes)))
    return {"norm": largest * math.sqrt(squares), "nonfinite": odd}


def _widened(part: NDArray[Any], form: str) -> NDArray[Any]:
    if form == "BF16":
        return (part.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return part.astype(np.complex128 if form == "C64" else np.float64)
