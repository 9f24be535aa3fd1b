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
from adamas.engine.threads import Action, assigning, straight
from adamas.kernel.runtime import job as j

Mask = NDArray[np.bool_]
# What the array is called that says which rows have been stepped; where rows that wait for missed
# steps are kept, and what of them.
STEPPED, WAITING = "stepped", "waiting"
REACHED, CONSTANTS = f"{WAITING}/reached", f"{WAITING}/constants"


class Marks:
    """Where arrays lie that have one number for each row: in memory, unless there are `rooms`.

    `rooms[k]` are those that somebody has made for tensor k, by name. Whoever made them writes what
    is noted of rows together with the rows, see `sparse.RowTable`. `settled[k]` is the step that
    all rows of tensor k have reached by what is written there, where that is known.
    """

    def __init__(self) -> None:
        self.rooms: dict[int, dict[str, Any]] = {}
        self.settled: dict[int, int] = {}

    def room(self, index: int, name: str) -> Any:
        """The array of this name that was made for a tensor, None if there is none."""
        return self.rooms.get(index, {}).get(name)

    def take(self, array: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
        """What an array says of these rows, which ascend."""
        found: NDArray[Any] = array[rows]
        return found

    def history(
        self, index: int, rows: int, steps: int, constants: tuple[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The step that each row of a tensor has reached, `steps`, and room for constants."""
        return np.full(rows, steps, np.int64), np.zeros(constants)


class FirstSteps:
    """The rows that have been stepped, of every tensor of which some have and some have not.

    `stepped[k]` has a truth value for each row of tensor k, `left[k]` counts those that are false.
    Of a tensor that is not in it, all rows have been stepped if its count is above 0, and none
    otherwise. Without `asked` nothing is kept; `exact` says that rows which are not named take the
    same steps later. `marks` says where the truth values lie.
    """

    def __init__(self, asked: bool, exact: bool, numbers: TensorNumbers) -> None:
        self.asked, self.exact = asked, exact
        self.marks = Marks()
        self.stepped: dict[int, Mask] = {}
        self.left: dict[int, int] = {}
        # How many rows of the coming step begin with it.
        self._fresh = 0
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
                room = self.marks.room(index, STEPPED)
                self.stepped[index] = np.zeros(count, bool) if room is None else room
                self.left[index] = count
        if index not in self.stepped:
            batch.begins(0)
            return
        if self._room is None:
            self._room = np.zeros_like(self._numbers.constants)
            start, stride = address(self._room), self._room.strides[0]
            self._rows = start + np.arange(len(self._room), dtype=np.int64) * stride
        batch.begins(address(self._rows))
        fresh = ~self.marks.take(self.stepped[index], rows)
        self._fresh = int(np.count_nonzero(fresh))
        batch.table.words[: len(rows), j.CONSTANT][fresh] = self._rows[index]

    def marking(self, index: int, rows: NDArray[np.int64]) -> tuple[list[Action], bool]:
        """The actions that note that `rows` have been stepped; whether all then have at last.

        They are the rows that `begin` was last called with.
        """
        if index not in self.stepped:
            return [], False
        mask, left = self.stepped[index], self.left[index] - self._fresh
        if not left:
            return [partial(self.stepped.pop, index)], True
        actions: list[Action] = [partial(self.left.__setitem__, index, left)]
        if mask is not self.marks.room(index, STEPPED):
            actions.append(partial(mask.__setitem__, rows, True))
        return actions, False

    def noted(self, index: int) -> list[tuple[Mask, int]]:
        """What whoever made the room for it notes of rows that are stepped; see `Marks`."""
        mask = self.stepped.get(index)
        return [] if mask is None or mask is not self.marks.room(index, STEPPED) else [(mask, 1)]

    def kept(self) -> list[Action]:
        """The actions that put back what is known now, after a step that was undone."""
        # What has no step yet begins anew.
        known = {k: mask for k, mask in self.stepped.items() if self._numbers.steps[k]}
        return [
            self.stepped.clear,
            partial(self.stepped.update, known),
            partial(self.left.update, dict(self.left)),
        ]

    def put(self, index: int, stepped: Any) -> None:
        """Take over which rows were stepped, None for all, after `check` and the count."""
        straight(self.putting(index, stepped, int(self._numbers.steps[index])))

    def resume(self, index: int, left: int) -> None:
        """Go on where what there is room for says which rows were stepped, all but `left`."""
        self.stepped[index], self.left[index] = self.marks.room(index, STEPPED), left

    def putting(self, index: int, stepped: Any, steps: int) -> list[Action]:
        """The actions that take it over for a tensor that will have done `steps`."""
        actions: list[Action] = [partial(self.stepped.pop, index, None)]
        mask = np.ones(0, bool) if stepped is None else np.array(stepped) != 0
        left, room = int(np.count_nonzero(~mask)), self.marks.room(index, STEPPED)
        if room is not None and (left or not steps):
            actions.append(assigning(room, mask if steps else False))
            mask = room
        if steps and left:
            actions.append(partial(self.stepped.__setitem__, index, mask))
            actions.append(partial(self.left.__setitem__, index, left))
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
