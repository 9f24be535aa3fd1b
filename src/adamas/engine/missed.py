"""The steps that rows have missed are done before anybody needs those rows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adamas.engine import phases
from adamas.engine.bind import Bound
from adamas.engine.sparse import AT_ONCE, Sparse
from adamas.engine.tensors import Tensor
from adamas.engine.threads import assigning


class MissedSteps:
    """Brings rows of `tensors` up to date, with gradients of zero times `sign`."""

    def __init__(
        self, tensors: Sequence[Tensor], sparse: Sparse, sign: float, threads: int
    ) -> None:
        self._tensors, self._sparse, self._sign, self._threads = tensors, sparse, sign, threads

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
        tensor, behind = self._tensors[index], self._sparse.behind(index, rows)
        back = [assigning(tensor.given, tensor.work)] if tensor.packed else []
        if back:
            np.copyto(tensor.work, tensor.given)
        for part in np.split(behind, range(AT_ONCE, len(behind), AT_ONCE)):
            if len(part):
                mark = self._sparse.caught_up(index, part)
                batch = self._sparse.catch_up(index, part)
                # The sign reaches even a zero: a dense step going up sees -0.0.
                count = threads or self._threads
                phases.sweep([([batch], None)], self._sign, count, [*back, *mark], prologue=False)

    def _whole(self, index: int) -> None:
        self.of(index, None)
        self._sparse.forget(index)
