"""Which rows have never been stepped, for rules that set something up at the first step.

Lazy rows begin at different steps of their tensor. Mostly nothing need be known of that: rows start
from zeros whenever they start. A rule that asks for the first step is told it of each row, by
constants made for rows that begin beside those for all others.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.engine.batch import Batch, TensorNumbers
from adamas.engine.tensors import Tensor, address
from adamas.engine.threads import Action, straight
from adamas.kernel.runtime import job as j

Mask = NDArray[np.bool_]


class FirstSteps:
    """The rows that have been stepped, of every tensor of which some have and some have not.

    `stepped[k]` has a truth value for each row of tensor k. Of a tensor that is not in it, all rows
    have been stepped if its count is above 0, and none otherwise. Without `asked` nothing is kept;
    `exact` says that rows which are not named take the same steps later.
    """

    def __init__(self, asked: bool, exact: bool, numbers: TensorNumbers) -> None:
        self.asked, self.exact = asked, exact
        self.stepped: dict[int, Mask] = {}
        self._numbers = numbers
        self._room: NDArray[np.float64] | None = None

    def unstepped(self, index: int, rows: int) -> Mask | None:
        """Which of the `rows` rows of a tensor have never been stepped; None if all have."""
        if not self._numbers.steps[index]:
            return np.ones(rows, bool)
        return ~self.stepped[index] if index in self.stepped else None

    def coming(self, indices: Iterable[int]) -> bool:
        """Whether a step of these tensors may set something up, in any row of them."""
        steps = self._numbers.steps
        return self.asked and any(k in self.stepped or not steps[k] for k in indices)

    def begin(self, index: int, batch: Batch, rows: NDArray[np.int64], count: int) -> None:
        """Point those of `rows`, of `count`, that were never stepped to constants of their own."""
        if self.asked and not self._numbers.steps[index]:
            self.stepped.pop(index, None)
            if not self.exact:
                self.stepped[index] = np.zeros(count, bool)
        if index not in self.stepped:
            batch.begins(0)
            return
        if self._room is None:
            self._room = np.zeros_like(self._numbers.constants)
            start, stride = address(self._room), self._room.strides[0]
            self._rows = start + np.arange(len(self._room), dtype=np.int64) * stride
        batch.begins(address(self._rows))
        batch.table.words[: len(rows), j.CONSTANT][~self.stepped[index][rows]] = self._rows[index]

    def marking(self, index: int, rows: NDArray[np.int64]) -> tuple[list[Action], bool]:
        """The actions that note that `rows` have been stepped; whether all then have at last."""
        if index not in self.stepped:
            return [], False
        mask = self.stepped[index]
        if np.count_nonzero(~mask[rows]) == mask.size - np.count_nonzero(mask):
            return [partial(self.stepped.pop, index)], True
        return [partial(mask.__setitem__, rows, True)], False

    def put(self, index: int, stepped: Any) -> None:
        """Take over which rows were stepped, None for all, after `check` and the count."""
        straight(self.putting(index, stepped, int(self._numbers.steps[index])))

    def putting(self, index: int, stepped: Any, steps: int) -> list[Action]:
        """The actions that take it over for a tensor that will have done `steps`."""
        actions: list[Action] = [partial(self.stepped.pop, index, None)]
        mask = np.ones(0, bool) if stepped is None else np.array(stepped) != 0
        if steps and not mask.all():
            actions.append(partial(self.stepped.__setitem__, index, mask))
        return actions


def check(stepped: Any, tensor: Tensor) -> None:
    """Raise ValueError unless `stepped` has a truth value for each row of a tensor, or is None."""
    if stepped is None:
        return
    array, what = np.asarray(stepped), f"saved 'stepped' of {tensor.key!r}"
    if tensor.given.ndim == 0 or tensor.order is not None:
        raise ValueError(f"{what}: this parameter has no rows that are stepped one by one.")
    if array.shape != tensor.given.shape[:1] or array.dtype.kind not in "biuf":
        raise ValueError(
            f"{what} is {array.dtype}{list(array.shape)}, here it is bool[{len(tensor.given)}]."
        )
