"""Learning rates that were tried, and how far one may move from the best: points and widths."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, log, log10


@dataclass(frozen=True)
class Point:
    """One learning rate: its mean score over the tuning seeds (lower is better), and failures.

    `stage` is the part of the search that tried it: "coarse", "extend" or "refine".
    """

    lr: float
    score: float
    runs: int
    diverged: int
    stage: str = "coarse"


@dataclass(frozen=True)
class Tuned:
    """The points that were tried, by rising learning rate, and the best of them.

    `extended` counts the decades that the grid grew by; `at_edge` says that the best was still at
    an end of it.
    """

    lr: float
    points: tuple[Point, ...]
    at_edge: bool
    extended: int = 0

    @property
    def best(self) -> float:
        """Return the score at the best learning rate."""
        return min(point.score for point in self.points)


@dataclass(frozen=True)
class Width:
    """The learning rates around the best whose score stays below a limit.

    `open_ended` says that the range reached an end of the grid, so that it may be wider.
    """

    low: float
    high: float
    open_ended: bool

    @property
    def decades(self) -> float:
        """Return the width in powers of ten."""
        return log10(self.high / self.low)


def log_grid(low: float, high: float, per_decade: int = 2) -> tuple[float, ...]:
    """Return learning rates from 10**low to 10**high, both included.

    >>> [f"{lr:.3g}" for lr in log_grid(-3, -1)]
    ['0.001', '0.00316', '0.01', '0.0316', '0.1']
    """
    count = round((high - low) * per_decade) + 1
    return tuple(10 ** (low + i / per_decade) for i in range(count))


def width(points: Sequence[Point], limit: float) -> Width:
    """Return how far the learning rate may move from the best until the score exceeds `limit`.

    Between two grid points the logarithm of the score is taken as linear in the logarithm of lr. A
    diverged neighbour gives nothing: the range ends at the last point that did not diverge. Scores
    must be positive, and the best must not exceed `limit`.
    """
    best = min(range(len(points)), key=lambda i: points[i].score)
    if not isfinite(points[best].score):
        return Width(points[best].lr, points[best].lr, False)
    low, low_open = _edge(points[best::-1], limit)
    high, high_open = _edge(points[best:], limit)
    return Width(low, high, low_open or high_open)


def _edge(points: Sequence[Point], limit: float) -> tuple[float, bool]:
    """Walk from the best point outwards to where the score crosses the limit."""
    for inner, outer in pairwise(points):
        if outer.score <= limit:
            continue
        if not isfinite(outer.score):
            return inner.lr, False
        share = log(limit / inner.score) / log(outer.score / inner.score)
        return inner.lr * (outer.lr / inner.lr) ** share, False
    return points[-1].lr, points[-1].score < inf
