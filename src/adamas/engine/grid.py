"""How blocks lie over a tensor.

A block shares one scale, so the rows of an embedding, of which some are seen often and some never,
must not meet in one: blocks begin anew with every row (the first axis) that is at least half a
block long. Shorter rows share blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.codecs import BLOCK
from adamas.kernel.layout import Column

Array = NDArray[Any]


@dataclass(frozen=True)
class Grid:
    """`rows` rows of `width` elements, each cut into blocks; one row where blocks just go on."""

    rows: int
    width: int

    @property
    def row_blocks(self) -> int:
        """Blocks in a row; the last may be shorter."""
        return -(-self.width // BLOCK)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in codes of four bits: each block is padded to whole bytes."""
        return self.width // BLOCK * (BLOCK // 2) + (self.width % BLOCK + 1) // 2

    @property
    def blocks(self) -> int:
        """Blocks in all."""
        return self.rows * self.row_blocks

    def length(self, column: Column) -> int:
        """Entries of a flat array for this column."""
        if column.block:
            return self.blocks
        return self.rows * (self.row_bytes if column.bits == 4 else self.width)


def grid_of(shape: Sequence[int], rowwise: bool = False) -> Grid:
    """The grid of an array of this shape, its axes from slowest to fastest.

    `rowwise` begins anew with every row, however short: a rule sums over rows or columns.
    """
    size = 1
    for count in shape:
        size *= count
    width = size // shape[0] if len(shape) > 1 and size else size
    if rowwise and len(shape) > 1 and size:
        return Grid(shape[0], width)
    if 2 * width >= BLOCK and width % BLOCK and width < size:
        return Grid(shape[0], width)
    return Grid(1, size)


@dataclass(frozen=True)
class Order:
    """How the elements of an array of `shape` follow each other in flat memory.

    `axes` are its axes from slowest to fastest; blocks run over them in this order, and begin anew
    with every row if it is `rowwise`.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    rowwise: bool = False

    @classmethod
    def numbered(cls, shape: tuple[int, ...], number: int) -> "Order":
        """The order that has this `number`; raises ValueError if there are not so many."""
        digits, rest = [], number
        for base in range(1, len(shape) + 1):
            rest, digit = divmod(rest, base)
            digits.append(digit)
        if rest:
            raise ValueError(
                f"{number} is no memory order of {len(shape)} axes; they are numbered from 0."
            )
        left = list(range(len(shape)))
        return cls(shape, tuple(left.pop(digit) for digit in reversed(digits)))

    @cached_property
    def number(self) -> int:
        """Its place among all orders of the axes, in the order of a dictionary; 0 is C's own."""
        left, number = list(range(len(self.shape))), 0
        for axis in self.axes:
            number = number * len(left) + left.index(axis)
            left.remove(axis)
        return number

    @cached_property
    def dense_shape(self) -> tuple[int, ...]:
        """The shape with its axes in the order of memory."""
        return tuple(self.shape[axis] for axis in self.axes)

    @cached_property
    def grid(self) -> Grid:
        """How blocks lie over the elements."""
        return grid_of(self.dense_shape, self.rowwise)

    def turned(self, flat: Array) -> Array:
        """Flat numbers in memory order as an array of `shape`."""
        return flat.reshape(self.dense_shape).transpose(np.argsort(self.axes))

    def dense(self, array: Array) -> Array:
        """`array`, of `shape`, C-contiguous with its axes in memory order; a copy if need be."""
        return np.ascontiguousarray(array.transpose(self.axes))

    def same(self, other: "Order") -> bool:
        """Whether the same blocks hold the same elements; axes of length 1 may lie anywhere."""
        one, two = ([k for k in each.axes if each.shape[k] != 1] for each in (self, other))
        return self.grid == other.grid and one == two
