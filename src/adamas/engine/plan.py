"""From tensors to batches: which kernels a step runs, and on what.

Tensors of one storage layout share a batch. The plan depends on the gradients' dtypes only, so it
is made once and kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from adamas.codecs import CODECS, Codec
from adamas.engine.batch import Batch, TensorNumbers
from adamas.engine.chunks import Table
from adamas.engine.grid import Grid
from adamas.engine.matrices import Blas, Maker
from adamas.engine.places import Places
from adamas.engine.state import Store
from adamas.engine.tensors import Array, Tensor, address
from adamas.kernel.build import Kernel, build
from adamas.kernel.formula import Formula
from adamas.kernel.layout import Column, Layout, columns
from adamas.kernel.observing import who_sums
from adamas.kernel.runtime.job import GROUP
from adamas.kernel.scopes import COLUMN, ROW, SECOND
from adamas.kernel.stages import forms


class BatchMaker:
    """Makes batches for one optimizer's tensors and their state."""

    def __init__(self, store: Store, zero_grads: bool, tally: bool, products: Maker = Blas) -> None:
        self.formula, self.tensors, self.first = store.formula, store.tensors, store.first
        self.formulas = store.formulas
        self.states, self.codecs, self.numbers = store.arrays, store.codecs, store.numbers
        self._compute, self._products = store.compute, products
        self.zero_grads, self.tally = zero_grads, tally
        # Where dense steps write their constants; sparse steps point elsewhere for a while.
        self.constant_rows = store.numbers.constant_rows.copy()
        self._plans: dict[tuple[str, ...], list[Batch]] = {}
        # Why rows are not stepped alone, beside what the rule says.
        self.no_rows = ""

    def layout(self, index: int, gradient: str) -> Layout:
        """The storage formats of tensor `index` for gradients of dtype `gradient`."""
        codecs = self.codecs[index]
        stored = tuple(codecs[state] for state in self.formulas[index].states)
        layout = Layout(codecs["p"], CODECS[gradient], stored, self.zero_grads, self.tally)
        if SECOND not in self.formula.given:
            return layout
        return replace(layout, second=CODECS[layout.compute])

    def batches(self, gradients: Sequence[str]) -> list[Batch]:
        """The dense batches for gradients in these formats, one per tensor."""
        key = tuple(gradients)
        if key not in self._plans:
            members: dict[tuple[Formula, Layout, int], list[int]] = {}
            for index, name in enumerate(key):
                formula = self.formulas[index]
                # Tensors of which matrices are made are stepped one after another.
                own = index if formula.orthogonalizes else -1
                members.setdefault((formula, self.layout(index, name), own), []).append(index)
            found = members.items()
            self._plans[key] = [self._batch(formula, lay, m) for (formula, lay, _), m in found]
        return self._plans[key]

    def columns(self, index: int) -> list[tuple[int, Column]]:
        """Address and form of every array of tensor `index`, the parameter's first."""
        arrays = {"p": self.tensors[index].work, **self.states[index]}
        return [
            (address(arrays[column.name]), column)
            for name in ("p", *self.formulas[index].states)
            for column in columns(name, self.codecs[index][name])
        ]

    @cached_property
    def places(self) -> Places | None:
        """Where the sums of every tensor lie, if the rule asks for any."""
        asks = self.formula.over or self.formula.given & {"rows", "columns"}
        if not asks:
            return None
        computes = list(map(self._compute, range(len(self.tensors))))
        return Places(self.formulas, self.tensors, self.states, computes, self._products)

    def refuse_rows(self, index: int) -> None:
        """Raise ValueError if the rule cannot step some rows of a tensor alone."""
        if self.no_rows:
            raise ValueError(f"Rows for {self.tensors[index].key!r}: {self.no_rows}")
        if SECOND in self.formula.given:
            raise ValueError(
                f"Rows for {self.tensors[index].key!r}: {self.formula.name} reads a second array, "
                "which goes with dense gradients only."
            )
        if self.formula.over:
            raise ValueError(
                f"Rows for {self.tensors[index].key!r}: {who_sums(self.formula)} sums over "
                "tensors, rows or columns, or makes matrices, which steps of single rows do not "
                "do; give a dense gradient."
            )
        if self.formula.draws:
            raise ValueError(
                f"Rows for {self.tensors[index].key!r}: {self.formula.name} draws random numbers "
                "for whole tensors; give a dense gradient."
            )

    def kernel(self, layout: Layout, formula: Formula) -> Kernel:
        """The kernel of `formula` for `layout`."""
        return build(formula, layout)

    def _batch(self, formula: Formula, layout: Layout, members: list[int]) -> Batch:
        found = [self.columns(index) for index in members]
        codec = layout.second
        second = Column(SECOND, codec.name, codec.bits) if codec else None
        table = Table(
            members,
            [self._grid(index, layout) for index in members],
            self.constant_rows,
            [([one[k][0] for one in found], column) for k, (_, column) in enumerate(found[0])],
            gradient_column(layout.gradient),
            [self.tensors[index].first_block for index in members],
            GROUP if COLUMN in formula.over else ROW in formula.over,
            second,
        )
        return Batch(self.kernel(layout, formula), members, table, self.numbers, self.places)

    def _grid(self, index: int, layout: Layout) -> Grid:
        """How blocks lie over a tensor: without codes they go on over the ends of rows."""
        tensor = self.tensors[index]
        spans = layout.coded or self.formula.over
        return tensor.grid if spans else Grid(1, tensor.work.size)


def gradient_column(codec: Codec) -> Column:
    """A gradient's array, named by its format."""
    return Column("g", codec.name, codec.bits)


def tensor_numbers(
    formula: Formula, tensors: Sequence[Tensor], hypers: Array, constants: int, seed: int
) -> TensorNumbers:
    """Fresh counters, scalar states at their initial values, and room for the constants."""
    count, scalars = len(tensors), formula.slots
    initial, (_, vectors) = np.zeros((count, scalars)), forms(formula)
    for k, tensor in enumerate(tensors):
        own = (formula if tensor.given.ndim > 1 else vectors).scalars
        initial[k, : len(own)] = [formula.initial[s] for s in own]
    # Behind the constants lies the key of the step's random numbers.
    room = np.zeros((count, constants + 1))
    rows = address(room) + np.arange(count, dtype=np.int64) * room.strides[0]
    return TensorNumbers(
        steps=np.zeros(count + 1, np.int64),
        groups=np.array([tensor.group for tensor in tensors], np.int64),
        hypers=hypers,
        scalars=initial,
        following=np.zeros((count, scalars)),
        constants=room,
        constant_rows=rows,
        seed=np.array([seed], np.int64),
        keys=np.arange(count, dtype=np.int64),
        moving=np.zeros(count, np.int64),
        shared=np.zeros(1, np.int64),
    )
