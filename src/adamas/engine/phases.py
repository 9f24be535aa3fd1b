"""One step over prepared batches: survey, settle, sweep.

The survey only reads gradients. The sweep changes arrays; before it nothing has changed, and once
it has begun it is finished.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TypeAlias

import numpy as np

from adamas.engine.batch import Batch
from adamas.engine.finite import Seen, pieces, quiet
from adamas.engine.peers import Peers
from adamas.engine.tensors import Array
from adamas.engine.threads import Action, on_threads, unbroken
from adamas.kernel.runtime import job as j

# Below this many elements a second thread costs more than it saves: waking one takes 20 to 50 us,
# and 100,000 elements in cache take about as long.
PARALLEL = 1 << 17
ALL = j.SURVEY | j.SETTLE | j.PROLOGUE | j.SWEEP
UPDATE = j.PROLOGUE | j.SWEEP
# Batches of one rule, and the processes that hold other parts of their tensors.
Crew: TypeAlias = tuple[Sequence[Batch], Peers | None]


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
def survey(crews: Sequence[Crew], factor: Factor, threads: int) -> tuple[float, float]:
    """Norm of the scaled gradients, and the factor that clips it; either may be NaN or inf."""
    batches = [batch for crew, _ in crews for batch in crew]
    for batch in batches:
        batch.arm(factor.scale, factor.clip)
    unbroken([partial(batch.run, batch.at, j.SURVEY) for batch in batches], threads)
    return clipped(math.sqrt(_total(crews)) * abs(factor.scale), factor)


@quiet
def tallied(crews: Sequence[Crew], scale: float) -> float:
    """The norm that `survey` would have found, from what the sweep has summed up."""
    return math.sqrt(_total(crews)) * abs(scale)


def _total(crews: Sequence[Crew]) -> float:
    if any(peers for _, peers in crews):
        return float(sum(peers.total(by_tensor(batches)) for batches, peers in crews if peers))
    # In order and one by one, as the kernel's own `settle` adds them: the same bits.
    parts = [np.zeros(1), *(batch.squares() for batches, _ in crews for batch in batches)]
    return float(np.add.accumulate(np.concatenate(parts))[-1])


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
    crews: Sequence[Crew],
    scale: float,
    threads: int,
    after: Sequence[Action] = (),
    prologue: bool = True,
    look: int = 0,
) -> None:
    """Update everything and then do `after`, or nothing if interrupted before; see `unbroken`.

    Between processes only, a step that makes matrices may be interrupted between two tensors.
    """
    first: list[Action] = []
    for crew in crews:
        ready(crew, scale, threads, prologue, look)
        batches, peers = crew
        alone = (one_alone(batch, threads, peers) for batch in batches if batch.makes >= 0)
        first += chain.from_iterable(alone)
    every = [batch for batches, _ in crews for batch in batches if batch.makes < 0]
    runs = [partial(batch.run, batch.at, j.SWEEP) for batch in every]
    if first:
        # A gradient that is not finite goes through the products, and its tensor is left.
        quiet(unbroken)(runs, threads, after, first)
    else:
        unbroken(runs, threads, after)


def ready(crew: Crew, scale: float, threads: int, prologue: bool, look: int) -> None:
    """Do what comes before batches of one rule change anything."""
    batches, peers = crew
    places = batches[0].places if batches else None
    if peers and places:
        places.begin()
    for batch in batches:
        batch.arm(scale, math.inf, look, len(batches))
        if prologue:
            batch.prologue()
    together = [batch for batch in batches if batch.makes < 0]
    if any(batch.apart for batch in together):
        _passes(together, threads, peers)


def one_alone(batch: Batch, threads: int, peers: Peers | None) -> list[Action]:
    """The passes of a tensor of which matrices are made, and its sweep; all others come behind."""
    places, k = batch.places, batch.makes
    assert places
    if not (peers or batch.active[k]):
        # Nothing of it moves, but the step ends when every batch has ended.
        return [partial(batch.run, batch.at, j.SWEEP)]
    threads = threads if batch.table.words[:, j.COUNT].sum() >= PARALLEL else 1
    found: list[Action] = []
    last = places.of[k].levels + 1
    for level in range(1, last + 1):
        found += batch.reducing(level)
        found += places.clearing(k, level) if peers else []
        found += on_threads([partial(batch.run, batch.at, j.REDUCE)], threads)
        if peers:
            found.append(partial(peers.add, places.exchanged_of(k, level)))
        if level < last:
            found.append(partial(batch.run, batch.at, j.BETWEEN))
            found += places.made[k].get(level, ())
    return [*found, *on_threads([partial(batch.run, batch.at, j.SWEEP)], threads)]


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
    doubt = float(places.lost.any())
    if peers:
        # Of its own rows a process alone knows what was made.
        doubt = peers.largest(doubt)
    if doubt:
        for batch in batches:
            batch.at_level(places.levels + 1)
        unbroken([partial(batch.run, batch.at, j.REDUCE) for batch in batches], threads)
        if peers:
            peers.add([(k, places.lost[k]) for k in range(len(places.lost))])


@quiet
def big_norm(crews: Sequence[tuple[Sequence[Seen], int, Peers | None]], scale: float) -> float:
    """Norm of the gradients times `scale` where their plain squares overflow float64.

    For each rule its gradients, of how many tensors they are, and who holds other parts of them.
    """
    largest = 0.0
    for gradients, _, peers in crews:
        found = max((float(np.max(np.abs(part))) for _, part in _parts(gradients)), default=0.0)
        largest = max(largest, peers.largest(found) if peers else found)
    total = 0.0
    for gradients, tensors, peers in crews:
        squares = np.zeros(tensors)
        for k, part in _parts(gradients):
            squares[k] += float(np.sum(np.square(part / largest)))
        total += peers.total(squares) if peers else float(squares.sum())
    return math.sqrt(total) * largest * abs(scale)


def _parts(gradients: Sequence[Seen]) -> Iterator[tuple[int, Array]]:
    for one in gradients:
        for _, part in pieces(one.array):
            yield one.index, part.astype(np.float64)
