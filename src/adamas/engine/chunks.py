"""Many arrays become slices of about equal size, and slices become the rows of a kernel's table.

Slices are cut from the sizes alone, never from the number of threads, so that sums over slices have
the same bits for any number of threads.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adamas.kernel import job as j

SMALLEST = 1 << 14


def slice_size(total: int) -> int:
    """Elements in a slice when `total` elements are to be stepped: about 16 slices, within limits.

    2**18 is the largest: with it, threads that claim slices in turn come within 3 % of the memory
    limit, with 2**15 only within 10 % (64 Mi parameters, two cores).
    """
    wanted = -(-total // 16)
    rounded = -(-wanted // SMALLEST) * SMALLEST
    return min(max(rounded, SMALLEST), j.SLICE_ELEMENTS)


class Table:
    """The slice table of one kernel call, and where each tensor's slices lie in it.

    `tensors` and `sizes` name the tensors and their elements; `columns` holds, per array column,
    the address of each tensor's memory and its bytes per element.
    """

    def __init__(
        self,
        tensors: Sequence[int],
        sizes: Sequence[int],
        constants: NDArray[np.int64],
        columns: Sequence[tuple[Sequence[int], int]],
        gradient_bytes: int,
    ) -> None:
        step = slice_size(sum(sizes))
        # An empty tensor still gets a slice: its step count goes on.
        counts = np.maximum(1, -(-np.asarray(sizes, np.int64) // step))
        self.owner = np.repeat(np.arange(len(sizes)), counts)
        first = np.cumsum(counts) - counts
        start = (np.arange(len(self.owner)) - first[self.owner]) * step
        self.words = np.zeros((len(self.owner), j.PARAMETER + len(columns)), np.int64)
        left = np.asarray(sizes, np.int64)[self.owner] - start
        self.words[:, j.COUNT] = np.minimum(left, step)
        self.words[:, j.TENSOR] = np.asarray(tensors, np.int64)[self.owner]
        self.words[:, j.WIDTH] = gradient_bytes
        self.words[:, j.CONSTANT] = constants[self.words[:, j.TENSOR]]
        self.words[:, j.REPEAT] = 1
        for k, (addresses, size) in enumerate(columns):
            base = np.asarray(addresses, np.int64)[self.owner]
            self.words[:, j.PARAMETER + k] = base + start * size
        self._offset = start * gradient_bytes
        self._simple = len(self.owner) == 1
        self._view = self.words.data

    def point(self, gradients: Sequence[int]) -> None:
        """Set each tensor's gradient address; 0 leaves the tensor out of this step."""
        if self._simple:
            self._view[0, j.GRADIENT] = gradients[0]
            return
        base = np.asarray(gradients, np.int64)[self.owner]
        self.words[:, j.GRADIENT] = np.where(base == 0, 0, base + self._offset)

    def squares(self) -> NDArray[np.float64]:
        """Every slice's sum of squares, as the last survey wrote it."""
        return self.words[:, j.SQUARES].view(np.float64)
