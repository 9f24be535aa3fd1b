"""Many arrays become slices of about equal size, and slices become the rows of a kernel's table.

Slices are cut from the sizes alone, never from the number of threads, so that sums over slices have
the same bits for any number of threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adamas.codecs import BLOCK
from adamas.engine.grid import Grid
from adamas.kernel.layout import Column
from adamas.kernel.runtime import job as j

SMALLEST = 1 << 14
FEW = 32


def slice_size(total: int) -> int:
    """Elements in a slice when `total` elements are to be stepped: about 16 slices, within limits.

    2**18 is the largest: with it, threads that claim slices in turn come within 3 % of the memory
    limit, with 2**15 only within 10 % (64 Mi parameters, two cores).
    """
    wanted = -(-total // 16)
    rounded = -(-wanted // SMALLEST) * SMALLEST
    return min(max(rounded, SMALLEST), j.SLICE_ELEMENTS)


@dataclass(frozen=True)
class Places:
    """Where slices that start at elements `start` of their tensors find what is theirs."""

    start: NDArray[np.int64]
    span: NDArray[np.int64]
    block: NDArray[np.int64]
    packed: NDArray[np.int64]

    @classmethod
    def at(cls, start: NDArray[np.int64], grids: Sequence[Grid]) -> "Places":
        """The places of slices that start at these elements of tensors with these grids."""
        width = np.array([max(1, grid.width) for grid in grids], np.int64)
        blocks = np.array([grid.row_blocks for grid in grids], np.int64)
        size = np.array([grid.row_bytes for grid in grids], np.int64)
        row, within = start // width, start % width
        return cls(start, width, row * blocks + within // BLOCK, row * size + within // 2)

    @classmethod
    def of_rows(cls, rows: NDArray[np.int64], size: int, grid: Grid) -> "Places":
        """The places of slices that are rows of `size` elements of one tensor."""
        start, width = rows * size, max(1, grid.width)
        row, within = start // width, start % width
        block = row * grid.row_blocks + within // BLOCK
        return cls(start, np.array(width), block, row * grid.row_bytes + within // 2)

    def bytes(self, column: Column) -> NDArray[np.int64]:
        """How far from the beginning of a column each slice starts, in bytes."""
        if column.block:
            return self.block
        return self.packed if column.bits == 4 else self.start * (column.bits // 8)


def _step(elements: int, grid: Grid, together: int) -> int:
    """How many elements of a tensor a slice holds, of about so many."""
    if grid.rows == 1 and not together:
        return elements
    # Rows of a table without columns are of no elements.
    unit = max(1, grid.width) * max(1, together)
    return max(1, elements // unit) * unit


class Table:
    """The slice table of one kernel call, and where each tensor's slices lie in it.

    `tensors` names the tensors, `grids` their sizes and blocks, `first` the number of each one's
    first block; `columns` holds, per array column, the address of each tensor's memory. `together`
    is how many rows must lie in one slice, where a rule sums over rows or columns; `second` is the
    array beside the gradient.
    """

    scattered = False

    def __init__(
        self,
        tensors: Sequence[int],
        grids: Sequence[Grid],
        constants: NDArray[np.int64],
        columns: Sequence[tuple[Sequence[int], Column]],
        gradient: Column,
        blocks: Sequence[int] | None = None,
        together: int = 0,
        second: Column | None = None,
    ) -> None:
        sizes = np.array([grid.rows * grid.width for grid in grids], np.int64)
        step = slice_size(int(sizes.sum()))
        # Blocks begin anew with every row of a grid, so a slice holds whole rows.
        steps = np.array([_step(step, grid, together) for grid in grids], np.int64)
        # An empty tensor still gets a slice: its step count goes on.
        counts = np.maximum(1, -(-sizes // steps))
        self.owner = np.repeat(np.arange(len(sizes)), counts)
        self._last = j.PARAMETER + len(columns) - (second is None)
        first = np.cumsum(counts) - counts
        start = (np.arange(len(self.owner)) - first[self.owner]) * steps[self.owner]
        self.words = np.zeros((len(self.owner), self._last + 1), np.int64)
        self.words[:, j.COUNT] = np.minimum(sizes[self.owner] - start, steps[self.owner])
        places = Places.at(start, [grids[k] for k in self.owner.tolist()])
        self.words[:, j.SPAN] = places.span
        self.words[:, j.BLOCK] = places.block
        if blocks is not None:
            self.words[:, j.BLOCK] += np.asarray(blocks, np.int64)[self.owner]
        self.words[:, j.TENSOR] = np.asarray(tensors, np.int64)[self.owner]
        self.words[:, j.FORM] = j.FORMS.index(gradient.dtype)
        self.words[:, j.CONSTANT] = constants[self.words[:, j.TENSOR]]
        self.words[:, j.REPEAT] = 1
        self.words[:, j.START] = start
        for k, (addresses, column) in enumerate(columns):
            base = np.asarray(addresses, np.int64)[self.owner]
            self.words[:, j.PARAMETER + k] = base + places.bytes(column)
        self._offset = places.bytes(gradient)
        self._beside = places.bytes(second) if second else None
        # NumPy's calls take longer than so many writes one by one.
        count = len(self.owner)
        few = zip(range(count), self.owner.tolist(), self._offset.tolist(), strict=True)
        self._few = list(few) if count <= FEW else None
        self._gradients = self.words[:, j.GRADIENT].data

    def beside(self, addresses: Sequence[int]) -> None:
        """Set where each tensor's array beside the gradient lies."""
        assert self._beside is not None
        base = np.asarray(addresses, np.int64)[self.owner]
        self.words[:, self._last] = base + self._beside

    def point(self, gradients: Sequence[int]) -> None:
        """Set each tensor's gradient address; 0 leaves the tensor out of this step."""
        if self._few is not None:
            column = self._gradients
            for row, k, offset in self._few:
                at = gradients[k]
                column[row] = at + offset if at else 0
            return
        base = np.asarray(gradients, np.int64)[self.owner]
        self.words[:, j.GRADIENT] = np.where(base == 0, 0, base + self._offset)
