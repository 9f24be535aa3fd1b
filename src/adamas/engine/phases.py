"""One step over prepared batches: survey, settle, sweep.

The survey only reads gradients. The sweep changes arrays; before it nothing has changed, and once
it has begun it is finished.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from adamas.engine.batch import Batch
from adamas.engine.finite import Seen, pieces, quiet
from adamas.engine.peers import Peers
from adamas.engine.tensors import Array
from adamas.engine.threads import Action, unbroken
from adamas.kernel.runtime import job as j

# Below this many elements a second thread costs more than it saves: waking one takes 20 to 50 us,
# and 100,000 elements in cache take about as long.
PARALLEL = 1 << 17
ALL = j.SURVEY | j.SETTLE | j.PROLOGUE | j.SWEEP
UPDATE = j.PROLOGUE | j.SWEEP


# Three times as fast to make as a frozen one, a tenth of a tiny step.
@dataclass(slots=True)
class Factor:
    """What the gradients are multiplied by, and the largest norm they may have afterwards.

    `check` says that they must be read once before anything is changed; where neither that nor a
    limit asks for it, the sweep looks at them as `look` says, see `job.GUARD`.
    """

    scale: float
    clip: float
    check: bool
    look: int

    @property
    def reads_first(self) -> bool:
        """Whether the gradients are read once before anything is changed."""
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
    return clipped(math.sqrt(_total(batches)) * abs(factor.scale), factor)


@quiet
def tallied(batches: Sequence[Batch], scale: float, peers: Peers | None = None) -> float:
    """The norm that `survey` would have found, from what the sweep has summed up."""
    total = peers.total(by_tensor(batches)) if peers else _total(batches)
    return math.sqrt(total) * abs(scale)


def _total(batches: Sequence[Batch]) -> float:
    # In order and one by one, as the kernel's own `settle` adds them: the same bits.
    parts = np.concatenate([[0.0], *(batch.squares() for batch in batches)])
    return float(np.add.accumulate(parts)[-1])


@quiet
def by_tensor(batches: Sequence[Batch]) -> Array:
    """The sum of squares of each tensor's gradient, as the last survey found it."""
    found = np.zeros(len(batches[0].active) - 1)
    for batch in batches:
        np.add.at(found, batch.table.words[:, j.TENSOR], batch.squares())
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
    look: int = 0,
    peers: Peers | None = None,
) -> None:
    """Update everything and then do `after`, or nothing if interrupted before; see `unbroken`."""
    places = batches[0].places if batches else None
    if peers and places:
        places.begin()
    for batch in batches:
        batch.arm(scale, math.inf, look, len(batches))
        if prologue:
            batch.prologue()
    if any(batch.apart for batch in batches):
        _passes(batches, threads, peers)
    unbroken([partial(batch.run, batch.at, j.SWEEP) for batch in batches], threads, after)


@quiet
def _passes(batches: Sequence[Batch], threads: int, peers: Peers | None) -> None:
    """Put together what tensors of several slices need of themselves, or of each other, first."""
    places = batches[0].places
    assert places
    for level in range(1, places.levels + 1):
        for batch in batches:
            batch.at_level(level)
        unbroken([partial(batch.run, batch.at, j.REDUCE) for batch in batches], threads)
        if peers:
            peers.add(places.exchanged(level))
        if places.every.size:
            for batch in batches:
                batch.run(batch.at, j.COLLECT)
            places.add_up(np.max([batch.active[:-1] for batch in batches], axis=0))
        for batch in batches:
            batch.run(batch.at, j.BETWEEN)


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
        for _, part in pieces(one.array):
            yield one.index, part.astype(np.float64)
