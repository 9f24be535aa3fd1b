"""Gradients that are not finite: which they are, and what is said of them.

What counts is what a kernel computes with: a finite gradient that overflows on its way to the dtype
of the arithmetic is as bad as an infinite one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adamas.codecs import BLOCK
from adamas.engine.batch import Batch
from adamas.engine.rows import Summed
from adamas.engine.tensors import Array, Key, as_array, widened
from adamas.kernel.runtime import job as j
from adamas.kernel.runtime.scaling import lift

# What overflows here is dealt with; the caller may have told NumPy to raise.
quiet = np.errstate(all="ignore")


class NonFiniteError(FloatingPointError):
    """A gradient holds NaN or infinity, or a number of which the rule would make that.

    `key` names the first parameter whose gradient does.

    `left` is how many elements of all parameters were left as they were, in blocks or whole
    tensors, while all others were stepped; it is 0 where gradients are read first, and then nothing
    was changed.
    """

    def __init__(self, key: Key, message: str, left: int = 0) -> None:
        super().__init__(message)
        self.key, self.left = key, left

    def __reduce__(self) -> tuple[type["NonFiniteError"], tuple[Key, str, int]]:
        """With all it was made of: the default would call it with the message alone."""
        return type(self), (self.key, str(self), self.left)


@dataclass(frozen=True)
class Seen:
    """A gradient as a kernel reads it: of parameter `index`; `rows` numbers the rows of Rows."""

    index: int
    array: Array
    rows: Array | None = None

    def place(self, flat: int) -> str:
        """The index of element number `flat`, in the parameter."""
        index = [int(n) for n in np.unravel_index(flat, self.array.shape)]
        if self.rows is not None:
            index[0] = int(self.rows[index[0]])
        return ", ".join(map(str, index))


def seen(values: Sequence[Any], rows: Sequence[tuple[int, Summed]]) -> list[Seen]:
    """This step's gradients; those of `Rows` with their duplicates summed."""
    named = {index for index, _ in rows}
    dense = [
        Seen(k, as_array(value, "a gradient"))
        for k, value in enumerate(values)
        if value is not None and k not in named
    ]
    sparse = [Seen(index, each.gathered(), each.rows) for index, each in rows]
    return sorted([*dense, *sparse], key=lambda one: one.index)


def pieces(array: Array) -> Iterator[tuple[int, Array]]:
    """An array piece by piece, with the number of each piece's first element."""
    flat = array.reshape(-1)
    for start in range(0, flat.size, 1 << 16):
        part = flat[start : start + (1 << 16)]
        yield start, widened(part) if part.dtype.itemsize == 2 else part


def multiplied(part: Array, scale: float, compute: str) -> Array:
    """Gradients times the step's factor, as kernels that compute in this dtype multiply them."""
    if compute == "float64" or part.dtype.itemsize == 8:
        product: Array = part.astype(np.float64) * scale
        return product.astype(compute)
    first = lift(scale)
    return part * np.float32(first) * np.float32(scale / first)


@quiet
def find_nonfinite(
    gradients: Sequence[Seen], scale: float, computes: Sequence[str]
) -> tuple[int, str] | None:
    """The first gradient that is not finite, and what it holds where; None if all are finite.

    `computes` is the dtype of the arithmetic of every tensor.
    """
    for one in gradients:
        compute = computes[one.index]
        for start, part in pieces(one.array):
            wrong = np.flatnonzero(~np.isfinite(multiplied(part, scale, compute)))
            if len(wrong):
                value = part[wrong[0]]
                said = f"{value} at [{one.place(start + wrong[0])}]"
                if np.isfinite(value):
                    said += f", which times {scale:g} overflows in {compute}"
                return one.index, said
    return None


def too_large(one: Seen, rule: str, compute: str) -> str:
    """What a finite gradient holds of which a rule would make what is not finite."""
    start, part = max(pieces(one.array), key=lambda piece: float(np.max(np.abs(piece[1]))))
    at = int(np.argmax(np.abs(part)))
    place = one.place(start + at)
    return f"{part[at]:g} at [{place}], of which {rule} makes what is not finite in {compute}"


def unchanged(key: Key, holds: str, what: str = "the gradient") -> NonFiniteError:
    """The error of a step that was not begun."""
    return NonFiniteError(
        key,
        f"{what} of {key!r} holds {holds}; nothing was changed. on_nonfinite='skip' would "
        "skip the step.",
    )


def left_out(
    key: Key,
    holds: str,
    elements: int,
    tensors: int,
    moved: bool,
    block: int = BLOCK,
    whole: bool = False,
) -> NonFiniteError:
    """The error of a step that left out blocks of so many elements, or `whole` tensors."""
    blocks = f" (whole blocks of up to {block})" if block > 1 else ""
    blocks = " (whole tensors, because the rule sums over them)" if whole else blocks
    many = f"{elements:,} elements of {tensors:,} tensor{'s' if tensors > 1 else ''}"
    rest = "everything else was stepped" if moved else "nothing else had a gradient"
    return NonFiniteError(
        key,
        f"the gradient of {key!r} holds {holds}; {many}{blocks} were left as they "
        f"were, {rest}. on_nonfinite='raise' would change nothing, 'skip' skip the step.",
        elements,
    )


def left(batches: Sequence[Batch]) -> Array:
    """How many elements of each tensor the last sweep left out."""
    return _counted(batches, lambda words: words[:, j.LEFT])


def moved(batches: Sequence[Batch]) -> Array:
    """How many elements of each tensor the last sweep moved."""
    return _counted(batches, lambda words: words[:, j.COUNT] - words[:, j.LEFT])


def _counted(batches: Sequence[Batch], count: Any) -> Array:
    found = np.zeros(len(batches[0].active) - 1, np.int64)
    for batch in batches:
        words = batch.table.words[batch.table.words[:, j.GRADIENT] != 0]
        np.add.at(found, words[:, j.TENSOR], count(words))
    return found
