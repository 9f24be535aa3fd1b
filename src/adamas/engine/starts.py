"""What states made of the parameter are before their first step: the parameter itself, mostly.

Nobody computes with them, because the first step sets them up; but people read them, such as the
average of a parameter that is frozen, or of rows that were never seen.
"""

import ast
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from adamas.codecs import Codec
from adamas.engine import codes
from adamas.engine.tensors import Array, Tensor
from adamas.kernel.first import VOCABULARY
from adamas.kernel.layout import REST, columns

# Elements that are filled at once where a state lies in files.
PIECE = 1 << 22


def numbers_of(tensor: Tensor, codec: Codec, arrays: Mapping[str, Array]) -> Array:
    """The parameter's numbers as kernels see them, flat, in memory order."""
    found = {"p": tensor.lay.dense(tensor.given).ravel()}
    if codec.beside:
        found["p" + REST] = tensor.lay.dense(arrays["p" + REST]).ravel()
    return codes.decode(codec, found, "p", tensor.grid) if codec.decode else found["p"]


def starting(start: ast.expr, p: Array, hypers: Mapping[str, float]) -> Array:
    """The first value of a state from flat `p`; `hypers` are those of its group."""
    code = compile(ast.fix_missing_locations(ast.Expression(start)), "<start>", "eval")
    with np.errstate(all="ignore"):
        value = eval(code, {**VOCABULARY, **hypers, "p": p})
    return np.asarray(np.broadcast_to(value, p.shape))


def cut(
    tensor: Tensor, codecs: Mapping[str, Codec], arrays: Mapping[str, Array], rows: slice
) -> tuple[Tensor, dict[str, Array]]:
    """Some rows of a tensor in C order, and what of its arrays is theirs.

    The rows before them fill whole blocks, or have blocks of their own.
    """
    before = replace(tensor, given=tensor.given[: rows.start])
    here, found = replace(tensor, given=tensor.given[rows]), dict[str, Array]()
    for name, codec in codecs.items():
        for column in columns(name, codec):
            if (array := arrays.get(column.name)) is not None:
                start = before.grid.length(column)
                own = slice(start, start + here.grid.length(column)) if column.flat else rows
                found[column.name] = array[own]
    return here, found


def fill(
    codec: Codec, name: str, tensor: Tensor, arrays: Mapping[str, Array], values: Array
) -> None:
    """Encode flat `values`, in memory order, into the arrays of state `name`."""
    if codec.encode is None:
        arrays[name][...] = tensor.lay.turned(values)
        return
    encoded = codes.encode(codec, name, values, tensor.grid)
    for column in columns(name, codec):
        flat = encoded[column.name]
        arrays[column.name][...] = flat if column.flat else tensor.lay.turned(flat)


def fill_rows(
    codec: Codec,
    name: str,
    tensor: Tensor,
    arrays: Mapping[str, Array],
    chosen: Array,
    values: Array,
) -> None:
    """Write flat `values` of state `name` into the `chosen` rows, with blocks of their own."""
    flats = (
        {name: values} if codec.encode is None else codes.encode(codec, name, values, tensor.grid)
    )
    count = len(chosen)
    for column, flat in flats.items():
        if flat.size:
            arrays[column].reshape(count, -1)[chosen] = flat.reshape(count, -1)[chosen]
