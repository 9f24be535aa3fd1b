"""From tensors to batches: which kernels a step runs, and on what.

Tensors of one storage layout share a batch. The plan depends on the gradients' dtypes only, so it
is made once and kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adamas.codecs import Codec, find
from adamas.engine.batch import Batch, Numbers
from adamas.engine.chunks import Table
from adamas.engine.tensors import Array, Tensor, address
from adamas.kernel.build import Kernel, build
from adamas.kernel.formula import Formula
from adamas.kernel.weave import Layout


class Planner:
    """Makes batches for one optimizer's tensors and their state."""

    def __init__(
        self,
        formula: Formula,
        tensors: Sequence[Tensor],
        states: Sequence[Mapping[str, Array]],
        numbers: Numbers,
        zero_grads: bool,
    ) -> None:
        self.formula = formula
        self.tensors = tensors
        self.states = states
        self.numbers = numbers
        self.zero_grads = zero_grads
        # Where dense steps write their constants; sparse steps point elsewhere for a while.
        self.constant_rows = numbers.constant_rows.copy()
        self._plans: dict[tuple[str, ...], list[Batch]] = {}

    def layout(self, index: int, gradient: str) -> Layout:
        """The storage formats of tensor `index` for gradients of dtype `gradient`."""
        stored = tuple(find(self.states[index][s].dtype) for s in self.formula.states)
        parameter = find(self.tensors[index].given.dtype)
        return Layout(parameter, find(gradient), stored, self.zero_grads)

    def batches(self, gradients: Sequence[np.dtype[Any]]) -> list[Batch]:
        """The dense batches for gradient dtypes `gradients`, one per tensor."""
        key = tuple(dtype.name for dtype in gradients)
        if key not in self._plans:
            members: dict[Layout, list[int]] = {}
            for index, name in enumerate(key):
                members.setdefault(self.layout(index, name), []).append(index)
            self._plans[key] = [self._batch(x, m) for x, m in members.items()]
        return self._plans[key]

    def columns(self, index: int) -> list[tuple[int, Codec]]:
        """Address and format of the parameter and each state of tensor `index`."""
        tensor = self.tensors[index]
        arrays = [tensor.work, *(self.states[index][s] for s in self.formula.states)]
        return [(address(a), find(a.dtype)) for a in arrays]

    def kernel(self, layout: Layout) -> Kernel:
        """The kernel for `layout`."""
        return build(self.formula, layout)

    def _batch(self, layout: Layout, members: list[int]) -> Batch:
        columns = [self.columns(index) for index in members]
        table = Table(
            members,
            [self.tensors[index].work.size for index in members],
            self.constant_rows,
            [
                ([column[k][0] for column in columns], columns[0][k][1].size)
                for k in range(1 + len(self.formula.states))
            ],
            layout.gradient.size,
        )
        return Batch(self.kernel(layout), members, table, self.numbers)


def numbers(formula: Formula, tensors: Sequence[Tensor], hypers: Array, constants: int) -> Numbers:
    """Fresh counters, scalar states at their initial values, and room for the constants."""
    count, scalars = len(tensors), len(formula.scalars)
    initial = np.array([[formula.initial[s] for s in formula.scalars]] * count)
    room = np.zeros((count, max(1, constants)))
    rows = address(room) + np.arange(count, dtype=np.int64) * room.strides[0]
    return Numbers(
        steps=np.zeros(count + 1, np.int64),
        groups=np.array([tensor.group for tensor in tensors], np.int64),
        hypers=hypers,
        scalars=initial.reshape(count, scalars),
        following=np.zeros((count, scalars)),
        constants=room,
        constant_rows=rows,
    )
