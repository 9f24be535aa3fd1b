"""Ratios of two sides, each taken from neighbouring calls.

Where other machines use the same memory, a step takes 22 ms now and 38 ms a second later, and two
medians of such times tell nothing of the two sides. Neighbouring calls find the same neighbours.
What they do not find is the same memory: see `shared`, and `placed` here.
"""

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from statistics import median

from adamas.bench.timing import Case, Side, clock, rest

Pair = tuple[str, str]
# What takes one sample of each side, in seconds a step.
Clocks = Mapping[str, Callable[[], float]]
CONFIDENCE = 0.95
PLACEMENTS = 5


@dataclass(frozen=True)
class Race(Case):
    """A case whose sides ran in pairs; `ratios["a / b"]` has the ratio of each round."""

    ratios: dict[str, list[float]] = field(default_factory=dict)

    def ratio(self, side: str, other: str) -> float:
        """The median of the ratios of each round; KeyError if the two were no pair."""
        return median(self.ratios[versus(side, other)])

    def between(self, side: str, other: str) -> tuple[float, float]:
        """Where the true median of the ratios lies, with a confidence of 95 % at least."""
        return interval(self.ratios[versus(side, other)])


def versus(side: str, other: str) -> str:
    """The name of a pair: the time of the first over that of the second."""
    return f"{side} / {other}"


def race(
    title: str, sides: Mapping[str, Side], pairs: Sequence[Pair], rounds: int, elements: int = 0
) -> Race:
    """Time every pair in every round, its two sides one after the other."""
    return timed(title, clocked(sides, pairs), pairs, rounds, elements)


def clocked(sides: Mapping[str, Side], pairs: Iterable[Pair]) -> Clocks:
    """A clock for each side of the pairs."""
    return {name: clock(sides[name].step) for name in named(pairs)}


def named(pairs: Iterable[Pair]) -> list[str]:
    """The sides of the pairs, each once."""
    return list(dict.fromkeys(side for pair in pairs for side in pair))


def timed(
    title: str, clocks: Clocks, pairs: Sequence[Pair], rounds: int, elements: int = 0
) -> Race:
    """The same with sides that return seconds a step by themselves."""
    found = _begun(title, list(clocks), pairs, rounds, elements)
    _run(found, clocks, pairs, range(rounds))
    return found


def placed(
    title: str,
    make: Callable[[int], Clocks],
    pairs: Sequence[Pair],
    rounds: int,
    elements: int = 0,
) -> Race:
    """The same where two sides cannot step the same arrays, and chance gives each its memory.

    `make` makes all of them anew, `PLACEMENTS` times, and is told how often it did; the rounds are
    divided among these placements, and all ratios pooled.
    """
    found = _begun(title, named(pairs), pairs, rounds, elements)
    parts = min(PLACEMENTS, rounds)
    for part in range(parts):
        clocks = make(part)
        _run(found, clocks, pairs, range(rounds * part // parts, rounds * (part + 1) // parts))
        del clocks
        gc.collect()
    return found


def rotated(names: Iterable[str], part: int) -> list[str]:
    """The names from another one on in each placement: who is made first gets other memory."""
    listed = list(names)
    first = len(listed) * part // PLACEMENTS
    return listed[first:] + listed[:first]


def _begun(title: str, names: list[str], pairs: Sequence[Pair], rounds: int, elements: int) -> Race:
    print(f"  {title}: {len(pairs)} pairs, {rounds} rounds", flush=True)
    ratios: dict[str, list[float]] = {versus(*pair): [] for pair in pairs}
    return Race(title, {name: [] for name in names}, elements, ratios=ratios)


def _run(found: Race, clocks: Clocks, pairs: Sequence[Pair], rounds: Iterable[int]) -> None:
    for k in rounds:
        for pair in pairs:
            taken = {}
            # To be the second is an advantage or not, but never the same side's.
            for name in pair if k % 2 == 0 else reversed(pair):
                rest()
                taken[name] = clocks[name]()
                found.samples[name].append(taken[name])
            found.ratios[versus(*pair)].append(taken[pair[0]] / taken[pair[1]])


def interval(samples: Sequence[float]) -> tuple[float, float]:
    """An interval that holds the median with a confidence of 95 % at least, by order statistics.

    Nothing is supposed of the distribution: each sample is below its median with probability 1/2,
    so the k-th from either end bound it unless fewer than k samples fell on that side. With fewer
    than six samples, the range of them all, which is less sure.
    """
    count, ordered = len(samples), sorted(samples)
    k, below = 0, 1 / 2**count
    while 2 * below <= 1 - CONFIDENCE:
        k += 1
        below += comb(count, k) / 2**count
    k = max(k, 1)
    return ordered[k - 1], ordered[-k]
