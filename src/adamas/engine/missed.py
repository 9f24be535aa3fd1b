"""The steps that rows have missed are done before anybody needs those rows."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from adamas.engine import phases
from adamas.engine.bind import Bound
from adamas.engine.sparse import Sparse
from adamas.engine.tensors import Tensor
from adamas.engine.threads import Action, assigning


class MissedSteps:
    """Brings rows of `tensors` up to date, with gradients of zero times `sign`.

    `sweeps` does a sweep of some rows, as `phases.sweep` does; `forgotten` hears when no row of a
    tensor waits any more.
    """

    def __init__(
        self, tensors: Sequence[Tensor], sparse: Sparse, sign: float, threads: int
    ) -> None:
        self._tensors, self._sparse, self._sign, self._threads = tensors, sparse, sign, threads
        self.sweeps: Callable[..., None] = phases.sweep
        self.forgotten: Action = dict

    def all(self) -> None:
        """Those of all rows."""
        for index in list(self._sparse.histories):
            self._whole(index)

    def before(self, bound: Bound) -> None:
        """Those of tensors that get a dense gradient, or whose history ends: all their rows."""
        rows, stepped = {index for index, _ in bound.rows}, set(bound.members)
        for index in list(self._sparse.histories):
            if (index in stepped and index not in rows) or self._sparse.ended(index):
                self._whole(index)

    def of(self, index: int, rows: NDArray[np.int64] | None, threads: int | None = None) -> None:
        """Those of some rows of one tensor, or with None of all of them."""
        tensor = self._tensors[index]
        back = [assigning(tensor.given, tensor.work)] if tensor.packed else []
        if back:
            np.copyto(tensor.work, tensor.given)
        for part, reached in self._sparse.waiting(index, rows):
            mark = self._sparse.caught_up(index, part)
            batch = self._sparse.catch_up(index, part, reached)
            # The sign reaches even a zero: a dense step going up sees -0.0.
            count = threads or self._threads
            self.sweeps([([batch], None)], self._sign, count, [*back, *mark], prologue=False)

    def _whole(self, index: int) -> None:
        self.of(index, None)
        self._sparse.forget(index)
        self.forgotten()
