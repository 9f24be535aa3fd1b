"""What is in a file, array by array, without holding more of it in memory than a piece."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.codecs import FORMATS
from adamas.engine.codes import at_floor
from adamas.engine.grid import Grid
from adamas.files.checkpoint import Checkpoint
from adamas.files.pieces import PIECE
from adamas.kernel.layout import SCALE

# Formats that are numbers as they stand; codes of few bits mean nothing without their scales.
NUMBERS = {"F16", "BF16", "F32", "F64", "C64", "C128"}
# Codes of eight bits by their format: those of a mean have a sign.
SIGNS = {"I8": "mean", "U8": "square"}


def summary(file: Checkpoint) -> dict[str, Any]:
    """What a file says of itself, and of each array its format, shape, bytes and numbers.

    The Euclidean `norm` is of the finite numbers, `nonfinite` counts the others; both are None for
    integers, which may be codes. `floor` is the share of codes of eight bits that stand for the
    smallest size there is.
    """
    return {
        "path": file.path,
        "kind": "adamas",
        "optimizer": f"{file.home}.{file.kind}".rstrip("."),
        "rules": {name: rule["dialect"] for name, rule in file.rules.items()},
        "steps": file.steps,
        "seed": file.seed,
        "parameters": len(file.parameters),
        "elements": sum(math.prod(shape) for shape in file.parameters.values()),
        "bytes": sum(size for _, _, size in file.tensors.values()),
        "tensors": [
            measured(name, form, shape, size, file.read(name)) | {"floor": _floor(file, name, form)}
            for name, (form, shape, size) in file.tensors.items()
        ],
    }


def measured(
    name: str, form: str, shape: tuple[int, ...], size: int, array: NDArray[Any] | None
) -> dict[str, Any]:
    """What is told of an array of anybody's file; of one that is None its name and size alone."""
    numbers = {"norm": None, "nonfinite": None} if array is None else _numbers(array, form)
    told = {"name": name, "format": form, "shape": list(shape), "bytes": size}
    return {**told, **numbers, "floor": None}


def _floor(file: Checkpoint, name: str, form: str) -> float | None:
    """The share at the floor of an array of codes of eight bits; None for any other."""
    key, shapes = name.removeprefix("state/").rpartition("/")[0], file.parameters
    shape = shapes.get(key, shapes.get(int(key)) if key.isdecimal() else None)
    if f"{name}{SCALE}" not in file.tensors or form not in SIGNS or shape != file.tensors[name][1]:
        return None
    flat, codec = file.read(name).reshape(-1), FORMATS["int8"][SIGNS[form]]
    pieces = [flat[begin : begin + PIECE] for begin in range(0, flat.size, PIECE)]
    low = sum(at_floor(codec, one, Grid(1, one.size)) * one.size for one in pieces)
    return float(round(low) / max(1, flat.size))


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
    # NaN whose bits say that it signals is a number of the file, and none of a calculation.
    with np.errstate(invalid="ignore"):
        return part.astype(np.complex128 if form in ("C64", "C128") else np.float64)
