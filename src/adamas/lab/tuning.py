"""Learning rates that were tried, and how far one may move from the best: points and widths."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, fsum, inf, isclose, isfinite, log, log10, ulp

# A score this much above the best weighs 1 / e in the choice: a few seeds tell no less apart.
NEAR_BEST = 0.05
# Rounding to six digits a few times moves a learning rate by less than this share of it.
ROUNDED = 1e-5


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
    """The points that were tried, by rising learning rate, and the rate that was chosen.

    `extended` counts the decades that the grid grew by; `at_edge` says that the best was still at
    an end of it. `drawn` holds the rates that would have been chosen had the seeds of the search
    been drawn again, one for each draw that was asked for.
    """

    lr: float
    points: tuple[Point, ...]
    at_edge: bool
    extended: int = 0
    drawn: tuple[float, ...] = ()

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


def best_of(points: Iterable[Point]) -> Point:
    """Return the point of the lowest score; among failures, the lowest learning rate."""
    return min(points, key=lambda point: (point.score, point.lr))


def gained(points: Sequence[Point]) -> float:
    """Return how much lower the best score is than that of the least trained lower rate.

    Infinite where nothing lower was worse, so that nothing is known.

    >>> gained([Point(0.01, 0.75, 1, 0), Point(0.1, 0.5, 1, 0), Point(1.0, 9.0, 1, 0)])
    0.25
    """
    best = best_of(points)
    lower = [point.score for point in points if point.lr < best.lr and isfinite(point.score)]
    return max(lower, default=best.score) - best.score or inf


def chosen(points: Sequence[Point], gain: float = inf) -> float:
    """Return the learning rate in the middle of those that score near the best.

    The mean of the logarithms of all that were tried, weighted by exp(-d / 5 %), where d is how far
    above the best a score is, in parts of it, or of what training gained if that is less: a rate
    that has not trained must not weigh much where a loss falls by little. The best of a few noisy
    scores jumps from one draw of the seeds to the next, where a difference of a few per cent hangs
    on it; a middle moves little. And it keeps away from a rate that failed, which weighs nothing.
    The lowest if all failed.

    >>> points = [Point(10.0**-k, 1.0, 1, 0) for k in (3, 2, 1)]
    >>> (
    ...     chosen(points),
    ...     chosen([*points, Point(1.0, inf, 1, 1)]),
    ...     chosen([*points, Point(1, 9, 1, 0)]),
    ... )
    (0.01, 0.01, 0.01)
    """
    best = best_of(points)
    if best.score == inf:
        return best.lr
    # A best loss of exactly 0 says nothing of what is near it.
    size = min(abs(best.score) or inf, gain)
    scale = max(NEAR_BEST * (size if size < inf else 1.0), ulp(0.0))
    weights = [exp((best.score - point.score) / scale) for point in points]
    shares = (w * log10(point.lr) for w, point in zip(weights, points, strict=True))
    return tidy(10 ** (fsum(shares) / fsum(weights)))


def tidy(lr: float) -> float:
    """Return a learning rate with six digits, so that a rate reached on two ways is one rate.

    The steps of a search are quarters of a decade: what lies so many of them from a number of two
    digits, up to what rounding did on the way, is that exactly.

    >>> tidy(0.316228 * 10**0.25), tidy(10**-0.25)
    (0.562341, 0.562341)
    """
    for quarters in range(4):
        centre = lr / 10 ** (quarters / 4)
        if isclose(centre, short := float(f"{centre:.2g}"), rel_tol=ROUNDED):
            return float(f"{short * 10 ** (quarters / 4):.6g}")
    return float(f"{lr:.6g}")


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
