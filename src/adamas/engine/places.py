"""Where the sums of a rule that reduces are put together, for every tensor.

The parts of a sum stay in memory that is made once: one float64 for each block of 128 elements, of
sums of columns one for each column of 64 rows. Matrices that are made whole share one memory: a
tensor of which one is made is stepped before the next begins.
"""

from collections.abc import Sequence

import numpy as np

from adamas.engine.grid import grid_of
from adamas.engine.matrices import Maker, Shape
from adamas.engine.tensors import Array, Tensor, address, zeros
from adamas.engine.threads import Action, assigning
from adamas.kernel.formula import Formula
from adamas.kernel.runtime import job as j
from adamas.kernel.stages import COLUMNS, LEAVES, ROWS, WHOLE, Stages, stages


class Places:
    """One row of `words` for each tensor, see `job.PLACES`, and the memory that it points into.

    `plans` are the passes of each formula; `lost` says what stays as it was, see `job.LOST`;
    `totals` and `every` are sums over all tensors, each with the number of what was added;
    `made[k]` says by level what makes the matrices of tensor k.
    """

    def __init__(
        self,
        formulas: Sequence[Formula],
        tensors: Sequence[Tensor],
        states: Sequence[dict[str, Array]],
        computes: Sequence[str],
        products: Maker,
    ) -> None:
        self.plans = {formula: stages(formula) for formula in set(formulas)}
        self.of = [self.plans[formula] for formula in formulas]
        names = [(*formula.rows, *formula.columns) for formula in formulas]
        width = max(len(p.sums) + len(n) for p, n in zip(self.of, names, strict=True))
        self.words = np.zeros((len(tensors), j.SUMS + width), np.int64)
        self.lost = np.zeros((len(tensors), 2))
        self._parts = [tensor.part is not None for tensor in tensors]
        self.regions: list[list[Array]] = []
        self._rooms: list[Array] = []
        shapes = [
            _shape(tensor, compute)
            for tensor, compute, plan in zip(tensors, computes, self.of, strict=True)
            if plan.matrices
        ]
        self._products = products(shapes)
        self._whole = {
            dtype: [
                zeros((max(one[0] * one[1] for one in shapes if one[2] == dtype),), dtype)
                for _ in range(max(len(plan.matrices) for plan in self.of))
            ]
            for dtype in {one[2] for one in shapes}
        }
        self.made: list[dict[int, list[Action]]] = []
        for k, tensor in enumerate(tensors):
            self._place(k, tensor, self.of[k], computes[k])
            for place, name in enumerate(names[k], j.SUMS + len(self.of[k].sums)):
                self.words[k, place] = address(states[k][name])
        count = len(self.of[0].overall)
        self.totals, self.every = np.zeros((len(tensors), 2 * count)), np.zeros(2 * count)

    def _place(self, k: int, tensor: Tensor, plan: Stages, compute: str) -> None:
        words, part = self.words[k], tensor.part
        shape = tensor.given.shape
        whole = part.shape if part else shape
        here, rows = (shape[0], whole[0]) if shape else (1, 1)
        columns = int(np.prod(whole[1:], dtype=np.int64))
        each, rowwise = (part.each, part.rowwise) if part else (False, False)
        grid = grid_of(whole, tensor.rowwise) if part else tensor.grid
        words[[j.ROWS_HERE, j.ROWS, j.COLUMNS]] = here, rows, columns
        words[j.SPLIT] = tensor.split
        words[[j.EACH, j.ROW_BY_ROW, j.BLOCKS]] = each, rowwise, grid.blocks
        if part:
            words[[j.FIRST_ROW, j.FIRST_ELEMENT]] = part.row, part.element
        words[j.LOST] = address(self.lost[k : k + 1])
        kinds = (
            (plan.rows, here, "float64", j.ROW_ROOM),
            (plan.columns, columns, compute, j.COLUMN_ROOM),
        )
        for names, count, dtype, word in kinds:
            room = zeros((len(names), count), dtype)
            self._rooms.append(room)
            words[word] = address(room)
        groups = rows if rowwise else -(-rows // j.GROUP)
        sizes = {
            LEAVES: grid.blocks + each * rows * columns,
            # Columns of no rows are read, too.
            COLUMNS: max(1, groups) * columns,
            ROWS: rows,
        }
        wholes = iter(self._whole.get(compute, ()))
        made = [
            next(wholes)[: rows * columns].reshape(rows, columns)
            if one.parts == WHOLE
            else zeros((sizes.get(one.parts, 0),), "float64")
            for one in plan.sums
        ]
        steps: dict[int, list[Action]] = {}
        for one, room in zip(plan.sums, made, strict=True):
            if one.parts == WHOLE:
                found = steps.setdefault(one.level, [])
                for matrix in np.split(room, tensor.split):
                    # The room was divided by the norm of all of it.
                    found += self._products.unit(matrix) if tensor.split > 1 else []
                    found += self._products.steps(matrix, one.coefficients)
        self.made.append(steps)
        self.regions.append(made)
        words[j.SUMS : j.SUMS + len(made)] = [address(region) for region in made]

    @property
    def apart(self) -> Array:
        """Which tensors need no sums but their own, which are all here."""
        shared = bool(self.every.size)
        parts = zip(self._parts, self.made, strict=True)
        return np.array([not (shared or part or made) for part, made in parts])

    @property
    def levels(self) -> int:
        """How many passes or waits come before the sweep."""
        return max(plan.levels for plan in self.of)

    def exchanged(self, level: int) -> list[tuple[int, Array]]:
        """The parts that a level waits for, and whether a gradient was lost, with their tensors.

        Without those of tensors of which matrices are made, see `exchanged_of`.
        """
        every = [k for k, made in enumerate(self.made) if not made]
        return [one for k in every for one in self.exchanged_of(k, level)]

    def exchanged_of(self, k: int, level: int) -> list[tuple[int, Array]]:
        """The same of one tensor."""
        sums = zip(self.of[k].sums, self.regions[k], strict=True)
        found = [(k, region) for one, region in sums if one.level == level and region.size]
        return [(k, self.lost[k : k + 1]), *found]

    def clearing(self, k: int, level: int) -> list[Action]:
        """What sets a matrix to zero to which others will add, at the level that puts it together.

        Another tensor has been there.
        """
        sums = zip(self.of[k].sums, self.regions[k], strict=True)
        return [
            assigning(region, 0.0)
            for one, region in sums
            if one.parts == WHOLE and one.level == level
        ]

    def begin(self) -> None:
        """Set to zero what others will add to, where parts of a tensor lie elsewhere.

        Before the prologue, which may find what the first level waits for. Matrices are cleared
        when their tensor's turn comes, see `clearing`.
        """
        self.lost[...] = 0.0
        for plan, regions in zip(self.of, self.regions, strict=True):
            for one, region in zip(plan.sums, regions, strict=True):
                if one.parts != WHOLE:
                    region[...] = 0.0

    def add_up(self, active: Array) -> None:
        """Add the sums of the tensors in `active` up, in their order."""
        if self.every.size:
            moved = self.totals[active != 0]
            self.every[:] = np.add.accumulate(moved, axis=0)[-1] if len(moved) else 0.0


def _shape(tensor: Tensor, compute: str) -> Shape:
    """Rows and columns of the whole tensor, and the dtype of its matrix."""
    whole = tensor.part.shape if tensor.part else tensor.given.shape
    return whole[0] if whole else 1, int(np.prod(whole[1:], dtype=np.int64)), compute
