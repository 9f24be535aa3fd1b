"""Short runs at learning rates in equal ratios, growing at the ends while the best is there.

Runs, not a slope: whatever a learning rate does to the loss, a short run of it shows. Every lr runs
once; those that can still win run again on the other seeds.
"""

from collections.abc import Callable, Sequence
from math import inf

from adamas.lab.finder.answer import beyond, readable
from adamas.lab.statistics.moments import average
from adamas.lab.tuning import Point

# Quarter decades: within 15 % of RMSProp's best loss on the digits lies less than half a decade.
RATIO = 10**0.25
# The range test's lowest point lay from 0.25 decades below to 1.3 above the best learning rate.
BELOW, ABOVE = 7, 1
EXTENSIONS = 8
# A score this many times the best one, after the same seeds, has lost.
HOPELESS = 2.0

# Scores of learning rates on the k-th seed: lower is better, infinite for a run that failed.
Measure = Callable[[Sequence[float], int], Sequence[float]]


def sweep(
    measure: Measure,
    lowest: float,
    repeats: int,
    share: float,
    within: tuple[float, float] = (0.0, inf),
) -> tuple[Point, ...]:
    """Return what learning rates around a range test's `lowest` point scored, by rising lr.

    Each is measured up to `repeats` times, in runs that are `share` of a full one; none lies
    outside `within`.
    """
    scores: dict[float, list[float]] = {}
    centre = min(max(lowest, within[0]), within[1])
    more = [centre * RATIO**k for k in range(-BELOW, ABOVE + 1)]
    for _ in range(1 + EXTENSIONS):
        fresh = {readable(lr) for lr in more if within[0] <= lr <= within[1]} - scores.keys()
        if not fresh:
            break
        scores |= {lr: [] for lr in sorted(fresh)}
        for k in range(repeats):
            _repeat(measure, scores, k)
        more = beyond(points_of(scores), share, RATIO)
    return points_of(scores)


def _repeat(measure: Measure, scores: dict[float, list[float]], k: int) -> None:
    """Run once more what has been measured `k` times and can still be the best."""
    means = {lr: average(found) for lr, found in scores.items() if found}
    limit = HOPELESS * min(means.values(), default=inf)
    lrs = [lr for lr, found in scores.items() if len(found) == k]
    lrs = [lr for lr in lrs if not k or means[lr] <= limit < inf]
    for lr, score in zip(lrs, measure(lrs, k), strict=True):
        scores[lr].append(score)


def points_of(scores: dict[float, list[float]]) -> tuple[Point, ...]:
    """Return the mean scores, by rising learning rate."""
    return tuple(
        Point(lr, average(found), len(found), found.count(inf), "sweep")
        for lr, found in sorted(scores.items())
    )
