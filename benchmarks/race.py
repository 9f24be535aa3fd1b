"""Ratios of two sides, each taken from neighbouring calls.

Where other machines use the same memory, a step takes 22 ms now and 38 ms a second later, and two
medians of such times tell nothing of the two sides. Neighbouring calls find the same neighbours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from statistics import median

from adamas.lab.timing import Case, Side, clock, rest

Pair = tuple[str, str]
CONFIDENCE = 0.95


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
    names = dict.fromkeys(side for pair in pairs for side in pair)
    clocks = {name: clock(sides[name].step) for name in names}
    return timed(title, clocks, pairs, rounds, elements)


def timed(
    title: str,
    clocks: Mapping[str, Callable[[], float]],
    pairs: Sequence[Pair],
    rounds: int,
    elements: int = 0,
) -> Race:
    """The same with sides that return seconds a step by themselves."""
    print(f"  {title}: {len(pairs)} pairs, {rounds} rounds", flush=True)
    samples: dict[str, list[float]] = {name: [] for name in clocks}
    ratios: dict[str, list[float]] = {versus(*pair): [] for pair in pairs}
    for k in range(rounds):
        for pair in pairs:
            taken = {}
            # To be the second is an advantage or not, but never the same side's.
            for name in pair if k % 2 == 0 else reversed(pair):
                rest()
                taken[name] = clocks[name]()
                samples[name].append(taken[name])
            ratios[versus(*pair)].append(taken[pair[0]] / taken[pair[1]])
    return Race(title, samples, elements, ratios=ratios)


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
