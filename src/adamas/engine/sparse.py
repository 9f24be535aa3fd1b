"""Row-sparse gradients: a slice per row, and catching up what exact rows have missed.

Lazy rows are stepped when they are named and rest otherwise, as in torch's SparseAdam. Exact rows
end up with the bits of a dense step in which all other rows had gradient zero: the constants of
every step are kept, and when a row is next named the same kernel first repeats the steps it missed
with a gradient of zeros. After `HISTORY` steps all rows are brought up to date.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adamas.codecs import BLOCK
from adamas.engine.batch import Batch
from adamas.engine.chunks import Places
from adamas.engine.plan import Planner
from adamas.engine.tensors import Array, address, form_of
from adamas.kernel import job as j

HISTORY = 1024
AT_ONCE = 1 << 14


class RowTable:
    """A slice table with one row of the parameter each; like `chunks.Table` for a batch."""

    def __init__(self, words: NDArray[np.int64]) -> None:
        self.words = words

    def point(self, gradients: Sequence[int]) -> None:
        """The gradient's addresses are in the table already."""

    def squares(self) -> NDArray[np.float64]:
        """Every slice's sum of squares, as the last survey wrote it."""
        return self.words[:, j.SQUARES].view(np.float64)


class ExactRows:
    """Which step each row of one tensor has reached, and the constants of the steps since."""

    def __init__(self, rows: int, steps: int, constants: int) -> None:
        self.reached = np.full(rows, steps, np.int64)
        self.base = steps
        self.constants = np.zeros((HISTORY, constants))

    def address_of(self, steps: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
        """Where the constants of the step after `steps` lie."""
        return address(self.constants) + (steps - self.base) * self.constants.strides[0]


class Sparse:
    """Row batches for one optimizer."""

    def __init__(self, planner: Planner, exact: bool) -> None:
        self._planner, self._exact = planner, exact
        self._histories: dict[int, ExactRows] = {}

    def batch(self, index: int, rows: NDArray[np.int64], values: Array) -> Batch:
        """The step of tensor `index` on distinct `rows` with gradient `values`; see `begin`."""
        self.check(index, f"Rows for {self._planner.tensors[index].key!r}")
        width = values[0].nbytes if len(values) else 0
        at = address(values) + np.arange(len(rows)) * width
        form = form_of(values)
        words = self._words(index, rows, form)
        words[:, j.REPEAT] = 1
        words[: len(rows), j.GRADIENT] = np.where(width, at, 1)
        batch = self._batch(index, words, form)
        batch.active[index] = 1
        return batch

    def begin(self, index: int, batch: Batch) -> None:
        """Choose where the constants of the coming step of tensor `index` are kept.

        Apart from `batch`, because until its gradient has been found finite nothing may change.
        """
        numbers = self._planner.numbers
        if self._exact:
            history = self._history(index)
            numbers.constant_rows[index] = history.address_of(int(numbers.steps[index]))
        batch.table.words[:, j.CONSTANT] = numbers.constant_rows[index]

    def behind(self, index: int, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Those of `rows` (None: all) that have missed steps."""
        if index not in self._histories:
            return np.zeros(0, np.int64)
        history, steps = self._histories[index], self._planner.numbers.steps[index]
        if rows is None:
            return np.flatnonzero(history.reached < steps)
        return np.asarray(rows[history.reached[rows] < steps])

    def catch_up(self, index: int, rows: NDArray[np.int64]) -> Batch:
        """The steps that `rows` of tensor `index` have missed, with gradient zero."""
        history, numbers = self._histories[index], self._planner.numbers
        tensor = self._planner.tensors[index]
        zeros = np.zeros(max(1, tensor.work[:1].size), tensor.given.dtype)
        words = self._words(index, rows, tensor.form)
        reached = history.reached[rows]
        words[: len(rows), j.CONSTANT] = history.address_of(reached)
        words[: len(rows), j.REPEAT] = numbers.steps[index] - reached
        words[: len(rows), j.GRADIENT] = address(zeros)
        batch = self._batch(index, words, tensor.form)
        batch.keep(zeros)
        batch.counts(False)
        return batch

    def mark(self, index: int, rows: NDArray[np.int64]) -> None:
        """Note that `rows` have reached the tensor's step count."""
        if index in self._histories:
            self._histories[index].reached[rows] = self._planner.numbers.steps[index]

    def full(self, index: int) -> bool:
        """Whether the kept constants leave no room for another step."""
        if index not in self._histories:
            return False
        steps = int(self._planner.numbers.steps[index])
        return steps - self._histories[index].base >= HISTORY

    def forget(self, index: int) -> None:
        """Drop the history of a tensor whose rows are up to date, or what they missed."""
        if self._histories.pop(index, None) is not None:
            self._planner.numbers.constant_rows[index] = self._planner.constant_rows[index]

    @property
    def tensors(self) -> list[int]:
        """The tensors that have a history."""
        return list(self._histories)

    def _history(self, index: int) -> ExactRows:
        if index not in self._histories:
            numbers = self._planner.numbers
            rows = len(self._planner.tensors[index].given)
            made = ExactRows(rows, int(numbers.steps[index]), numbers.constants.shape[1])
            self._histories[index] = made
        return self._histories[index]

    def _words(self, index: int, rows: NDArray[np.int64], form: str) -> NDArray[np.int64]:
        """Table rows for parameter rows; one empty row if there are none, to count the step."""
        columns = self._planner.columns(index)
        words = np.zeros((max(1, len(rows)), j.PARAMETER + len(columns)), np.int64)
        tensor = self._planner.tensors[index]
        size, count = tensor.work[:1].size, len(rows)
        places = Places.of_rows(rows, size, tensor.grid)
        words[:count, j.COUNT] = size
        words[:, j.TENSOR] = index
        words[:, j.FORM] = j.FORMS.index(form)
        words[:, j.SPAN] = max(1, size)
        words[:count, j.BLOCK] = places.block + tensor.first_block
        for k, (at, column) in enumerate(columns):
            words[:count, j.PARAMETER + k] = at + places.bytes(column)
        return words

    def check(self, index: int, what: str) -> None:
        """Raise ValueError if rows of tensor `index` cannot be stepped one by one."""
        tensor = self._planner.tensors[index]
        size = tensor.work[:1].size
        share = tensor.grid.rows == 1 and size % BLOCK and tensor.work.size > size
        if share and self._planner.layout(index, tensor.form).coded:
            raise ValueError(
                f"{what}: rows of {size} elements share blocks of {BLOCK} in this storage; "
                f"rows need at least {BLOCK // 2} elements, or keep it in float32 with state=."
            )

    def _batch(self, index: int, words: NDArray[np.int64], gradient: str) -> Batch:
        kernel = self._planner.kernel(self._planner.layout(index, gradient))
        return Batch(kernel, [index], RowTable(words), self._planner.numbers)
