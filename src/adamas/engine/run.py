"""One step over prepared batches: survey, settle, sweep.

The survey only reads gradients. The sweep changes arrays; before it nothing has changed, and once
it has begun it is finished.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from adamas.engine.batch import Batch
from adamas.engine.peers import Peers
from adamas.engine.rows import Summed
from adamas.engine.tensors import Array, as_array, widened
from adamas.engine.threads import Action, unbroken
from adamas.kernel import job as j

# Below this many elements a second thread costs more than it saves: waking one takes 20 to 50 us,
# and 100,000 elements in cache take about as long.
PARALLEL = 1 << 17
ALL = j.SURVEY | j.SETTLE | j.PROLOGUE | j.SWEEP
UPDATE = j.PROLOGUE | j.SWEEP

# What overflows here is dealt with; the caller may have told NumPy to raise.
quiet = np.errstate(all="ignore")


# Three times as fast to make as a frozen one, a tenth of a tiny step.
@dataclass(slots=True)
class Factor:
    """What the gradients are multiplied by, and the largest norm they may have afterwards."""

    scale: float
    clip: float
    check: bool

    @property
    def reads_first(self) -> bool:
        """Whether the gradients must be read once before anything is changed."""
        return self.check or self.clip < math.inf


@quiet
def survey(
    batches: Sequence[Batch], factor: Factor, threads: int, peers: Peers | None = None
) -> tuple[float, float]:
    """Norm of the scaled gradients, and the factor that clips it; either may be NaN or inf."""
    for batch in batches:
        batch.arm(factor.scale, factor.clip)
    unbroken([partial(batch.run, batch.at, j.SURVEY) for batch in batches], threads)
    if peers:
        return clipped(math.sqrt(peers.total(by_tensor(batches))) * abs(factor.scale), factor)
    # In order and one by one, as the kernel's own `settle` adds them: the same bits.
    parts = np.concatenate([[0.0], *(batch.table.squares() for batch in batches)])
    total = float(np.add.accumulate(parts)[-1])
    return clipped(math.sqrt(total) * abs(factor.scale), factor)


@quiet
def by_tensor(batches: Sequence[Batch]) -> Array:
    """The sum of squares of each tensor's gradient, as the last survey found it."""
    found = np.zeros(len(batches[0].active) - 1)
    for batch in batches:
        np.add.at(found, batch.table.words[:, j.TENSOR], batch.table.squares())
    return found


def clipped(norm: float, factor: Factor) -> tuple[float, float]:
    """`norm`, and the scale that brings it down to the limit."""
    over = norm > factor.clip
    return norm, factor.scale * (factor.clip / norm) if over else factor.scale


def sweep(
    batches: Sequence[Batch],
    scale: float,
    threads: int,
    after: Sequence[Action] = (),
    prologue: bool = True,
) -> None:
    """Update everything and then do `after`, or nothing if interrupted before; see `unbroken`."""
    for k, batch in enumerate(batches):
        batch.arm(scale, math.inf)
        if prologue:
            batch.counts(k == 0)
            batch.prologue()
    unbroken([partial(batch.run, batch.at, j.SWEEP) for batch in batches], threads, after)


@dataclass(frozen=True)
class Seen:
    """A gradient as the survey read it: of parameter `index`; `rows` numbers the rows of Rows."""

    index: int
    array: Array
    rows: Array | None = None


def seen(values: Sequence[Any], rows: Sequence[tuple[int, Summed]]) -> list[Seen]:
    """This step's gradients; those of `Rows` with their duplicates summed."""
    named = {index for index, _ in rows}
    dense = [
        Seen(k, as_array(value, "a gradient"))
        for k, value in enumerate(values)
        if value is not None and k not in named
    ]
    sparse = [Seen(index, each.gathered(), each.rows) for index, each in rows]
    return sorted([*dense, *sparse], key=lambda one: one.index)


@quiet
def find_bad(gradients: Sequence[Seen]) -> tuple[int, str] | None:
    """The first gradient that is not finite, and what it holds where; None if all are finite."""
    for one in gradients:
        for place, part in _pieces(one.array):
            wrong = np.flatnonzero(~np.isfinite(part))
            if len(wrong):
                index = [int(n) for n in np.unravel_index(place + wrong[0], one.array.shape)]
                if one.rows is not None:
                    index[0] = int(one.rows[index[0]])
                at = ", ".join(map(str, index))
                said = f"{part[wrong[0]]} at [{at}]; on_nonfinite='skip' would skip the step"
                return one.index, said
    return None


@quiet
def big_norm(
    gradients: Sequence[Seen], scale: float, tensors: int, peers: Peers | None = None
) -> float:
    """Norm of the gradients times `scale` where their plain squares overflow float64."""
    largest = max((float(np.max(np.abs(part))) for _, part in _parts(gradients)), default=0.0)
    largest = peers.largest(largest) if peers else largest
    squares = np.zeros(tensors)
    for k, part in _parts(gradients):
        squares[k] += float(np.sum(np.square(part / largest)))
    total = peers.total(squares) if peers else float(squares.sum())
    return math.sqrt(total) * largest * abs(scale)


def _parts(gradients: Sequence[Seen]) -> Iterator[tuple[int, Array]]:
    for one in gradients:
        for _, part in _pieces(one.array):
            yield one.index, part.astype(np.float64)


def _pieces(array: Array) -> Iterator[tuple[int, Array]]:
    flat = array.reshape(-1)
    for start in range(0, flat.size, 1 << 16):
        part = flat[start : start + (1 << 16)]
        yield start, widened(part) if part.dtype.itemsize == 2 else part
