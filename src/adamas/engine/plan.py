"""From tensors to batches: which kernels a step runs, and on what.

Tensors of one storage layout share a batch. The plan depends on the gradients' dtypes only, so it
is made once and kept.
"""

from collections.abc import Sequence

import numpy as np

from adamas.codecs import CODECS, Codec
from adamas.engine.batch import Batch, TensorNumbers
from adamas.engine.chunks import Table
from adamas.engine.grid import Grid
from adamas.engine.state import Store
from adamas.engine.tensors import Array, Tensor, address
from adamas.kernel.build import Kernel, build
from adamas.kernel.formula import Formula
from adamas.kernel.layout import Column, Layout, columns


class BatchMaker:
    """Makes batches for one optimizer's tensors and their state."""

    def __init__(self, store: Store, zero_grads: bool, tally: bool) -> None:
        self.formula, self.tensors, self.first = store.formula, store.tensors, store.first
        self.states, self.codecs, self.numbers = store.arrays, store.codecs, store.numbers
        self.zero_grads, self.tally = zero_grads, tally
        # Where dense steps write their constants; sparse steps point elsewhere for a while.
        self.constant_rows = store.numbers.constant_rows.copy()
        self._plans: dict[tuple[str, ...], list[Batch]] = {}

    def layout(self, index: int, gradient: str) -> Layout:
        """The storage formats of tensor `index` for gradients of dtype `gradient`."""
        codecs = self.codecs[index]
        stored = tuple(codecs[state] for state in self.formula.states)
        return Layout(codecs["p"], CODECS[gradient], stored, self.zero_grads, self.tally)

    def batches(self, gradients: Sequence[str]) -> list[Batch]:
        """The dense batches for gradients in these formats, one per tensor."""
        key = tuple(gradients)
        if key not in self._plans:
            members: dict[Layout, list[int]] = {}
            for index, name in enumerate(key):
                members.setdefault(self.layout(index, name), []).append(index)
            self._plans[key] = [self._batch(x, m) for x, m in members.items()]
        return self._plans[key]

    def columns(self, index: int) -> list[tuple[int, Column]]:
        """Address and form of every array of tensor `index`, the parameter's first."""
        arrays = {"p": self.tensors[index].work, **self.states[index]}
        return [
            (address(arrays[column.name]), column)
            for name in ("p", *self.formula.states)
            for column in columns(name, self.codecs[index][name])
        ]

    def kernel(self, layout: Layout) -> Kernel:
        """The kernel for `layout`."""
        return build(self.formula, layout)

    def _batch(self, layout: Layout, members: list[int]) -> Batch:
        found = [self.columns(index) for index in members]
        table = Table(
            members,
            [self._grid(index, layout) for index in members],
            self.constant_rows,
            [([one[k][0] for one in found], column) for k, (_, column) in enumerate(found[0])],
            gradient_column(layout.gradient),
            [self.tensors[index].first_block for index in members],
        )
        return Batch(self.kernel(layout), members, table, self.numbers)

    def _grid(self, index: int, layout: Layout) -> Grid:
        """How blocks lie over a tensor: without codes they go on over the ends of rows."""
        tensor = self.tensors[index]
        return tensor.grid if layout.coded else Grid(1, tensor.work.size)


def gradient_column(codec: Codec) -> Column:
    """A gradient's array, named by its format."""
    return Column("g", codec.name, codec.bits)


def tensor_numbers(
    formula: Formula, tensors: Sequence[Tensor], hypers: Array, constants: int, seed: int
) -> TensorNumbers:
    """Fresh counters, scalar states at their initial values, and room for the constants."""
    count, scalars = len(tensors), len(formula.scalars)
    initial = np.array([[formula.initial[s] for s in formula.scalars]] * count)
    # Behind the constants lies the key of the step's random numbers.
    room = np.zeros((count, constants + 1))
    rows = address(room) + np.arange(count, dtype=np.int64) * room.strides[0]
    return TensorNumbers(
        steps=np.zeros(count + 1, np.int64),
        groups=np.array([tensor.group for tensor in tensors], np.int64),
        hypers=hypers,
        scalars=initial.reshape(count, scalars),
        following=np.zeros((count, scalars)),
        constants=room,
        constant_rows=rows,
        seed=np.array([seed], np.int64),
        keys=np.arange(count, dtype=np.int64),
        moving=np.zeros(count, np.int64),
        shared=np.zeros(1, np.int64),
    )
