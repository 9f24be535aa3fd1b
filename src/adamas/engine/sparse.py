"""Row-sparse gradients: a slice per row, and catching up what exact rows have missed.

Lazy rows are stepped when they are named and rest otherwise, as in torch's SparseAdam. Exact rows
end up with the bits of a dense step in which all other rows had gradient zero: the constants of
every step are kept, and when a row is next named the same kernel first repeats the steps it missed
with a gradient of zeros. After `HISTORY` steps all rows are brought up to date.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.codecs import BLOCK
from adamas.engine.batch import Batch
from adamas.engine.chunks import Places
from adamas.engine.first import CONSTANTS, REACHED
from adamas.engine.plan import BatchMaker
from adamas.engine.rows import Summed
from adamas.engine.tensors import address, form_of
from adamas.engine.threads import Action, assigning, straight
from adamas.kernel.runtime import job as j

HISTORY = 1024
# Rows that catch up at once, and that are looked at at once.
AT_ONCE, LOOK = 1 << 14, 1 << 20
Mark = tuple[NDArray[Any], int]


class RowTable:
    """A slice table with one row of the parameter each; like `chunks.Table` for a batch.

    `words` holds the rows of this step, and has room for as many as `capacity`; what does not
    change from step to step is written once. `rows` are the same by number, and `marks` what is
    noted of them elsewhere than in memory: arrays and the number that these rows have there then.
    """

    scattered = True

    def __init__(self, maker: BatchMaker, index: int, form: str, capacity: int) -> None:
        tensor = maker.tensors[index]
        columns = maker.columns(index)
        size = tensor.work[:1].size
        # Rows lie evenly in every column: blocks begin with a row or hold whole ones (see `check`).
        places = Places.of_rows(np.arange(2), size, tensor.grid)
        self._columns = [(j.BLOCK, tensor.first_block, int(places.block[1]))]
        for k, (at, column) in enumerate(columns):
            self._columns.append((j.PARAMETER + k, at, int(places.bytes(column)[1])))
        self._room = np.zeros((capacity, j.PARAMETER + len(columns)), np.int64)
        fixed = [j.COUNT, j.TENSOR, j.FORM, j.SPAN, j.REPEAT]
        self._room[:, fixed] = size, index, j.FORMS.index(form), max(1, size), 1
        self.words, self.marks = self._room, list[Mark]()
        self.rows = np.zeros(0, np.int64)

    def fill(self, rows: NDArray[np.int64], gradients: int | NDArray[np.int64]) -> None:
        """Hold `rows` with gradients at these addresses; if there are none, one empty row."""
        self.words = words = self._room[: max(1, len(rows))]
        self.rows = rows
        if not len(rows):
            words[0, j.COUNT] = words[0, j.GRADIENT] = 0
            return
        words[:, j.GRADIENT] = gradients
        for place, start, stride in self._columns:
            np.add(rows * stride, start, out=words[:, place])

    @property
    def strides(self) -> list[int]:
        """The bytes of a row in each column, the parameter's first."""
        return [stride for _, _, stride in self._columns[1:]]

    @property
    def capacity(self) -> int:
        """The number of rows there is room for."""
        return len(self._room)

    def point(self, gradients: Sequence[int]) -> None:
        """The gradient's addresses are in the table already."""

    def beside(self, addresses: Sequence[int]) -> None:
        """Rules that read an array beside the gradient take no rows."""


class ExactRows:
    """Which step each row of one tensor has reached, and the constants of the steps since.

    `rule` is the formula's key, because other formulas have other constants. `steps` is the
    tensor's count as this history left it. Whoever holds the count may set it otherwise; what rows
    have missed is still what is recorded here.
    """

    def __init__(
        self,
        rule: str,
        reached: NDArray[np.int64],
        steps: int,
        constants: NDArray[np.float64],
    ) -> None:
        self.rule, self.reached, self.constants = rule, reached, constants
        self.base = self.steps = steps

    def address_of(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the constants of the step after each of `steps` lie; IndexError if nowhere."""
        place = steps - self.base
        if np.any((place < 0) | (place >= len(self.constants))):
            raise IndexError(
                f"constants of the steps after {steps} are asked for; those after {self.base} to "
                f"{self.base + len(self.constants) - 1} are kept."
            )
        return address(self.constants) + place * self.constants.strides[0]

    def begin(self) -> int:
        """Where the constants of the coming step belong."""
        return int(self.address_of(np.array([self.steps]))[0])

    @property
    def waits(self) -> bool:
        """Whether some row has missed steps."""
        return bool(np.any(self.reached < self.steps))

    @property
    def full(self) -> bool:
        """Whether there is no room for the constants of another step."""
        return self.steps - self.base >= len(self.constants)


class Sparse:
    """Row batches for one optimizer; `histories` are those of exact rows, by tensor."""

    def __init__(self, maker: BatchMaker) -> None:
        self._maker, self._first, self.exact = maker, maker.first, maker.first.exact
        self.histories: dict[int, ExactRows] = {}
        self._made: dict[tuple[int, str], tuple[RowTable, Batch]] = {}

    def batch(self, index: int, gradient: Summed) -> Batch:
        """The step of tensor `index` on the rows of `gradient`; see `begin`.

        The batch of the step before serves again where it has room.
        """
        self.check(index, f"Rows for {self._maker.tensors[index].key!r}")
        form, count = form_of(gradient.values), len(gradient.rows)
        table, batch = self._made.get((index, form), (None, None))
        if table is None or batch is None or not count <= table.capacity <= 4 * count:
            table, batch = self._batch(index, form, count + count // 8)
            batch.active[index] = 1
            if count:
                self._made[index, form] = table, batch
        table.fill(gradient.rows, gradient.addresses())
        batch.resize()
        return batch

    def begin(self, index: int, batch: Batch, rows: NDArray[np.int64]) -> None:
        """Choose where the constants of the coming step of `rows` of tensor `index` are kept.

        Apart from `batch`, because until its gradient has been found finite nothing may change.
        """
        numbers = self._maker.numbers
        if self.exact:
            numbers.constant_rows[index] = self._history(index).begin()
        batch.table.words[:, j.CONSTANT] = numbers.constant_rows[index]
        self._first.begin(index, batch, rows, len(self._maker.tensors[index].given))
        if isinstance(batch.table, RowTable):
            coming = int(numbers.steps[index]) + 1
            batch.table.marks = [*self._first.noted(index), *self._noted(index, coming)]

    def _noted(self, index: int, steps: int) -> list[Mark]:
        """What is noted elsewhere than in memory of rows that have reached `steps`."""
        room = self._first.marks.room(index, REACHED)
        return [(room, steps)] if room is not None and index in self.histories else []

    def waiting(
        self, index: int, rows: NDArray[np.int64] | None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Those of `rows` (None: all) that have missed steps, and what they have reached.

        They come in parts, and each part is caught up before the next one is looked for.
        """
        if (history := self.histories.get(index)) is None:
            return
        count = len(history.reached)
        begins = range(0, count, LOOK)
        every = (np.arange(k, min(k + LOOK, count)) for k in begins) if rows is None else [rows]
        for some in every:
            reached = self._first.marks.take(history.reached, some)
            late = np.flatnonzero(reached < history.steps)
            for begin in range(0, len(late), AT_ONCE):
                part = late[begin : begin + AT_ONCE]
                yield some[part], reached[part]

    def catch_up(self, index: int, rows: NDArray[np.int64], reached: NDArray[np.int64]) -> Batch:
        """The steps that `rows` of tensor `index`, which `reached` these, have missed.

        They are done with gradient zero.
        """
        history = self.histories[index]
        tensor = self._maker.tensors[index]
        zeros = np.zeros(max(1, tensor.work[:1].size), tensor.given.dtype)
        table, batch = self._batch(index, tensor.form, len(rows))
        table.fill(rows, address(zeros))
        table.marks = self._noted(index, history.steps)
        batch.resize()
        table.words[:, j.CONSTANT] = history.address_of(reached)
        table.words[:, j.REPEAT] = history.steps - reached
        batch.keep(zeros)
        batch.counts(False)
        return batch

    def caught_up(self, index: int, rows: NDArray[np.int64]) -> list[Action]:
        """The actions that note that `rows` have taken the steps they had missed."""
        return self._marking(index, rows, self.histories[index].steps)

    def _marking(self, index: int, rows: NDArray[np.int64], steps: int) -> list[Action]:
        """The actions that note that `rows` have reached `steps`, and the tensor with them."""
        history = self.histories[index]
        actions: list[Action] = [partial(setattr, history, "steps", steps)]
        if not self._noted(index, steps):
            actions.append(partial(history.reached.__setitem__, rows, steps))
        return actions

    def marking(self, index: int, rows: NDArray[np.int64]) -> list[Action]:
        """The actions that note that `rows` have taken the coming step of the tensor."""
        actions, whole = self._first.marking(index, rows)
        if whole:
            # One that was made for all rows, see `Binder`, is large and not needed again.
            actions += [partial(self._made.pop, key) for key in self._made if key[0] == index]
        if index in self.histories:
            steps = int(self._maker.numbers.steps[index]) + 1
            actions += self._marking(index, rows, steps)
        return actions

    def kept(self) -> list[Action]:
        """The actions that put back what is known of rows now, after a step that was undone."""
        rows, histories = self._maker.numbers.constant_rows, self.histories
        known: list[Action] = [histories.clear, partial(histories.update, dict(histories))]
        known += [partial(setattr, one, "steps", one.steps) for one in histories.values()]
        return [*known, assigning(rows, rows.copy()), *self._first.kept()]

    def ended(self, index: int) -> bool:
        """Whether the history of a tensor cannot go on, and its rows must be caught up first.

        It has no room for another step, or the tensor's count is not where it was left.
        """
        history = self.histories.get(index)
        return history is not None and (
            history.full or history.steps != self._maker.numbers.steps[index]
        )

    def adopt(self, index: int, history: ExactRows) -> None:
        """Go on with the history of the same tensor in another layout; ValueError if none fits."""
        tensor = self._maker.tensors[index]
        kept, rows = len(history.reached), len(tensor.given)
        same = kept == rows and history.rule == self._maker.formula.key
        if not same and history.waits:
            what = f"{rows} rows and had {kept}" if kept != rows else "another rule than it had"
            raise ValueError(
                f"{tensor.key!r} has {what}, and some rows wait for steps that they missed; call "
                "sync() before changing it."
            )
        if same:
            self.histories[index] = history

    def forget(self, index: int) -> None:
        """Drop the history of a tensor whose rows are up to date."""
        self._first.marks.settled[index] = self.histories[index].steps
        straight(self.forgetting(index))

    def forgetting(self, index: int) -> list[Action]:
        """The actions that do it: then nothing ever points into a history that is gone."""
        if index not in self.histories:
            return []
        rows = self._maker.numbers.constant_rows
        return [
            partial(rows.__setitem__, index, self._maker.constant_rows[index]),
            partial(self.histories.pop, index),
        ]

    def resume(self, index: int, base: int, steps: int) -> None:
        """Go on with a history that lies where there is room for it."""
        marks, rule = self._first.marks, self._maker.formula.key
        rooms = marks.room(index, REACHED), marks.room(index, CONSTANTS)
        self.histories[index] = history = ExactRows(rule, rooms[0], steps, rooms[1])
        history.base = base

    def _history(self, index: int) -> ExactRows:
        if index not in self.histories:
            numbers = self._maker.numbers
            rows = len(self._maker.tensors[index].given)
            steps, constants = int(numbers.steps[index]), numbers.constants.shape[1]
            arrays = self._first.marks.history(index, rows, steps, (HISTORY, constants))
            made = ExactRows(self._maker.formula.key, arrays[0], steps, arrays[1])
            self.histories[index] = made
        return self.histories[index]

    def check(self, index: int, what: str) -> None:
        """Raise ValueError if rows of tensor `index` cannot be stepped one by one."""
        tensor = self._maker.tensors[index]
        size = tensor.work[:1].size
        share = tensor.grid.rows == 1 and size % BLOCK and tensor.work.size > size
        if share and self._maker.layout(index, tensor.form).coded:
            raise ValueError(
                f"{what}: rows of {size} elements share blocks of {BLOCK} in this storage; "
                f"rows need at least {BLOCK // 2} elements, or keep it in float32 with state=."
            )

    def _batch(self, index: int, form: str, capacity: int) -> tuple[RowTable, Batch]:
        kernel = self._maker.kernel(self._maker.layout(index, form), self._maker.formulas[index])
        table = RowTable(self._maker, index, form, max(1, capacity))
        return table, Batch(kernel, [index], table, self._maker.numbers, self._maker.places)
