"""What is in a file, array by array, without holding more of it in memory than a piece."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.codecs import BLOCK, FORMATS, Codec
from adamas.engine.codes import lowest_codes
from adamas.engine.grid import Grid, Order
from adamas.files.checkpoint import Checkpoint, Reference
from adamas.files.pieces import PIECE
from adamas.files.reading import Named
from adamas.files.tree import unpacked
from adamas.homes.known import shipped
from adamas.kernel.kinds import kinds
from adamas.kernel.layout import MEMORY_ORDER, SCALE

# Formats that are numbers as they stand; codes of few bits mean nothing without their scales.
NUMBERS = {"F16", "BF16", "F32", "F64", "C64", "C128"}
# Codes of eight bits by their format: those of a mean have a sign.
SIGNS = {"I8": "mean", "U8": "square"}


def summary(file: Checkpoint) -> dict[str, Any]:
    """What a file says of itself, and of each array its format, shape, bytes and numbers.

    The Euclidean `norm` is of the finite numbers, `nonfinite` counts the others; both are None for
    integers, which may be codes. `floor` is the share of codes of few bits that stand for the
    smallest size there is.
    """
    entries = _entries(file)
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
            measured(name, form, shape, size, file.read(name))
            | {"floor": _floor(file, entries, name, form)}
            for name, (form, shape, size) in file.tensors.items()
        ],
    }


def _entries(file: Checkpoint) -> dict[str, Any]:
    """What else is kept beside an array of the state, by the array's name."""
    with Named(file.path):
        saved = unpacked(file.said["state"], Reference.of)
    state = saved.get("state") if isinstance(saved, dict) else None
    entries = state.values() if isinstance(state, dict) else ()
    held = [one for one in entries if isinstance(one, dict)]
    return {v[0]: one for one in held for v in one.values() if isinstance(v, Reference)}


def measured(
    name: str, form: str, shape: tuple[int, ...], size: int, array: NDArray[Any] | None
) -> dict[str, Any]:
    """What is told of an array of anybody's file; of one that is None its name and size alone."""
    numbers = {"norm": None, "nonfinite": None} if array is None else _numbers(array, form)
    told = {"name": name, "format": form, "shape": list(shape), "bytes": size}
    return {**told, **numbers, "floor": None}


def _floor(file: Checkpoint, entries: Mapping[str, Any], name: str, form: str) -> float | None:
    """The share at the floor of an array of codes; None for any other."""
    key, _, state = name.removeprefix("state/").rpartition("/")
    shape = file.parameters.get(key, file.parameters.get(int(key) if key.isdecimal() else ""))
    if f"{name}{SCALE}" not in file.tensors or shape is None or form not in SIGNS:
        return None
    if shape == file.tensors[name][1]:
        return _share(file.read(name), FORMATS["int8"][SIGNS[form]])
    formulas = [f for one in file.rules.values() if (f := shipped(one["dialect"]))]
    known = {(kinds(f)[state].sign, f.rowwise) for f in formulas if state in kinds(f)}
    # Two rules of one file may keep a state of one name otherwise.
    if len(known) != 1:
        return None
    [(sign, rowwise)] = known
    with suppress(ValueError, TypeError):
        number = entries.get(name, {}).get(MEMORY_ORDER, 0)
        number = int(file.read(number[0])) if isinstance(number, tuple) else number
        grid = replace(Order.numbered(shape, number), rowwise=rowwise and len(shape) > 1).grid
        if file.tensors[name][1] == (grid.rows * grid.row_bytes,):
            return _share(file.read(name), FORMATS["int4"][sign], grid)
    return None


def _share(codes: NDArray[Any], codec: Codec, grid: Grid | None = None) -> float:
    """The share of codes that are the lowest, of those of four bits two to a byte."""
    flat, low = codes.reshape(-1).view(np.uint8), lowest_codes(codec).astype(int)
    each = low if grid is None else np.add.outer(low, low).reshape(-1)
    found, size = 0, flat.size
    for begin in range(0, flat.size, PIECE):
        found += int(np.bincount(flat[begin : begin + PIECE], minlength=256) @ each)
    if grid is not None:
        size = grid.rows * grid.width
        if grid.width % BLOCK % 2:
            # The last byte of every row has one code.
            found -= int(low[flat.reshape(grid.rows, -1)[:, -1] >> 4].sum())
    return found / max(1, size)


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
