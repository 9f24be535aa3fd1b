"""One kernel with everything it is called with: the tensors of one storage layout.

A batch lays out a job (see `kernel.job`) once and afterwards only changes the words that change.
Nothing a step writes is persistent before its sweep begins, and the sweep's last slice takes over
step counts and per-tensor state in the kernel itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from adamas.engine.chunks import FEW
from adamas.engine.places import Places
from adamas.engine.tensors import Array, address
from adamas.engine.threads import Action
from adamas.kernel.build import Kernel
from adamas.kernel.runtime import job as j


@dataclass
class TensorNumbers:
    """What all batches of an optimizer share: one row per tensor, or per group.

    `steps` has one more entry at its end, the optimizer's own count. `moving` and `shared` are the
    kernels' own, to tell which tensors moved.
    """

    steps: NDArray[np.int64]
    groups: NDArray[np.int64]
    hypers: NDArray[np.float64]
    scalars: NDArray[np.float64]
    following: NDArray[np.float64]
    constants: NDArray[np.float64]
    constant_rows: NDArray[np.int64]
    seed: NDArray[np.int64]
    keys: NDArray[np.int64]
    moving: NDArray[np.int64]
    shared: NDArray[np.int64]


def share(slices: NDArray[np.int64]) -> int:
    """Slices to claim at a time: about 2**16 elements, so that claiming costs next to nothing.

    One by one, 300 slices of 4,096 elements took two threads longer than one (measured).
    """
    elements = max(1, int(slices[:, j.COUNT].sum()))
    return max(1, len(slices) * min(1 << 16, elements // 8) // elements)


class SliceTable(Protocol):
    """A kernel's slices: dense tensors cut up, or rows of a sparse one."""

    words: NDArray[np.int64]
    scattered: bool

    def point(self, gradients: Sequence[int]) -> None:
        """Set each tensor's gradient address; 0 leaves the tensor out of this step."""

    def beside(self, addresses: Sequence[int]) -> None:
        """Set where each tensor's array beside the gradient lies."""


def _alone(members: Sequence[int], table: SliceTable, places: Places) -> Array:
    """Note which slices are whole tensors, that need nobody else's sums; which members are."""
    owners = table.words[:, j.TENSOR]
    counts = np.bincount(owners, minlength=len(places.words))
    alone: Array = (counts == 1) & places.apart
    table.words[:, j.WHOLE] = alone[owners]
    found: Array = alone[list(members)]
    return found


class Batch:
    """The tensors `members` (indices), their kernel and its job."""

    def __init__(
        self,
        kernel: Kernel,
        members: Sequence[int],
        table: SliceTable,
        numbers: TensorNumbers,
        places: Places | None = None,
    ) -> None:
        self.run, self.places = kernel.run, places
        self.members = members
        self.table = table
        self.active = np.zeros(len(numbers.steps), np.int64)
        # The last batch of a step to end also counts the optimizer's steps.
        self.active[-1] = 1
        self._active = self.active.data
        words = np.zeros(j.WORDS, np.int64)
        words[j.ROW] = table.words.strides[0]
        words[j.SCATTERED] = table.scattered
        words[j.TENSORS] = len(numbers.steps) - 1
        for place, array in (
            (j.TABLE, table.words), (j.STEPS, numbers.steps), (j.ACTIVE, self.active),
            (j.GROUPS, numbers.groups), (j.HYPERS, numbers.hypers), (j.SCALARS, numbers.scalars),
            (j.NEXT, numbers.following), (j.CONSTANTS, numbers.constant_rows),
            (j.SEED, numbers.seed), (j.KEYS, numbers.keys), (j.MOVING, numbers.moving),
            (j.SHARED, numbers.shared),
        ):  # fmt: skip
            words[place] = address(array)
        self._constants, self._begins = address(numbers.constant_rows), 0
        if places:
            words[j.PLACES], words[j.PLACE] = address(places.words), places.words.strides[0]
            words[j.TOTALS], words[j.EVERY] = address(places.totals), address(places.every)
        # Whether some tensor's sums are put together between passes over several slices.
        self._alone: Array | None = None
        if places and places.levels:
            self._alone = _alone(members, table, places)
        self.apart = self._alone is not None and not self._alone.all()
        # The one tensor of which matrices are made, if it is that: this batch is its own.
        self.makes = -1
        if places and len(members) == 1 and places.made[members[0]]:
            self.makes = members[0]
        self._kept: list[Any] = [words, numbers]
        self.at = address(words)
        self._words = words.data
        self._floats: Any = words.view(np.float64).data
        self.resize()

    def resize(self) -> None:
        """Take all slices of the table, whose number may have changed."""
        self._words[j.SLICES] = len(self.table.words)
        self._words[j.SHARE] = share(self.table.words)

    def point(self, gradients: Sequence[int]) -> None:
        """Take the members' gradient addresses, 0 for none."""
        self.table.point(gradients)
        if len(gradients) <= FEW:
            for member, at in zip(self.members, gradients, strict=True):
                self._active[member] = at != 0
        else:
            self.active[self.members] = np.asarray(gradients) != 0

    def begins(self, rows: int) -> None:
        """Where each tensor's constants for rows on their first step are made; 0 for nowhere."""
        self._begins = rows

    def prologue(self) -> None:
        """Make the constants; those for rows on their first step last, by the scalars just made."""
        words = self._words
        words[j.FIRST], words[j.CONSTANTS] = 0, self._constants
        self.run(self.at, j.PROLOGUE)
        if self._begins:
            words[j.FIRST], words[j.CONSTANTS] = 1, self._begins
            self.run(self.at, j.PROLOGUE)

    def keep(self, thing: Any) -> None:
        """Keep memory alive that the table points into."""
        self._kept.append(thing)

    def beside(self, addresses: Sequence[int]) -> None:
        """Take where the members' arrays beside the gradients lie."""
        self.table.beside(addresses)

    def at_level(self, level: int) -> None:
        """Make ready for a pass before the sweep."""
        words = self._words
        words[j.LEVEL], words[j.SURVEYED] = level, 0
        if self._alone is not None and self.places:
            # Another batch of the same tensors, for gradients of other dtypes, may cut them up.
            self.places.words[self.members, j.ALONE] = self._alone

    def reducing(self, level: int) -> list[Action]:
        """The actions that make ready for a pass before the sweep, where no other batch has one."""
        words = self._words
        return [
            partial(words.__setitem__, j.LEVEL, level),
            partial(words.__setitem__, j.SURVEYED, 0),
        ]

    def counts(self, yes: bool) -> None:
        """Whether the optimizer's steps are counted with this batch."""
        self._active[-1] = yes

    def arm(self, scale: float, clip: float, look: int = 0, batches: int = 1) -> None:
        """Make ready for the next run, one of so many: counters to zero, factor and limit set.

        `look` is what the sweep does about gradients, see `job.GUARD`.
        """
        words, floats = self._words, self._floats
        words[j.SURVEYED] = words[j.SWEPT] = words[j.FINISHED] = words[j.LEFT_OUT] = 0
        words[j.LOOK], words[j.BATCHES] = look, batches
        floats[j.SCALE] = scale
        floats[j.CLIP] = clip

    def window(self, first: int, end: int) -> None:
        """Let the next sweep be of these slices alone; the step ends with the last of them all."""
        words = self._words
        words[j.SLICES], words[j.SWEPT] = end, first
        # A kernel ends a step when it has finished as many slices as there are.
        words[j.FINISHED] = first if end == len(self.table.words) else -len(self.table.words)

    def squares(self) -> NDArray[np.float64]:
        """Every slice's sum of squares, as the last survey or sweep wrote it."""
        words = self.table.words
        return np.where(words[:, j.GRADIENT] == 0, 0.0, words[:, j.SQUARES].view(np.float64))

    @property
    def left(self) -> int:
        """How many elements the last sweep left out."""
        return int(self._words[j.LEFT_OUT])

    @property
    def norm(self) -> float:
        """Norm of the scaled gradients as the last survey of this batch alone found it."""
        return float(self._floats[j.NORM])
