"""The search for a learning rate, as a conversation: it asks for runs and is told their scores.

One learning rate for all optimizers decides the winner by itself, so each gets this search; and as
it is a conversation, it serves one process and a cluster, and several can go on side by side. First
a grid at a share of the steps; if the best is at an end of it, another decade; then the best and
its neighbours a quarter decade away, in full length and on other seeds, going on in the better
direction while that leads downhill.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf, isfinite
from statistics import mean

from adamas.lab.trial import Record
from adamas.lab.tuning import Point, Tuned

EXTENSIONS = 3
WALK = 2


@dataclass(frozen=True)
class Ask:
    """A run that a search wants: which learning rate and seed, and whether in full length."""

    lr: float
    seed: int
    full: bool


Search = Generator[list[Ask], Sequence[float], Tuned]


def search(
    grid: Sequence[float],
    tuning: Sequence[int],
    refine: Sequence[int],
    *,
    extensions: int = EXTENSIONS,
    walk: int = WALK,
    short: bool = True,
) -> Search:
    """Search `grid` on the `tuning` seeds, then around its best on the `refine` seeds.

    A generator: it yields lists of `Ask`, is sent their scores (lower is better, infinite for a run
    that failed) in the same order, and returns what it found. `short` says that the grid runs at a
    share of the steps.
    """
    tried: dict[float, Point] = {}

    def measure(
        lrs: Sequence[float], seeds: Sequence[int], stage: str
    ) -> Generator[list[Ask], Sequence[float], list[Point]]:
        full = stage == "refine" or not short
        scores = yield [Ask(lr, seed, full) for lr in lrs for seed in seeds]
        each = [scores[i : i + len(seeds)] for i in range(0, len(scores), len(seeds))]
        return [
            Point(lr, mean(found), len(found), sum(map(failed, found)), stage)
            for lr, found in zip(lrs, each, strict=True)
        ]

    step = grid[1] / grid[0]
    for point in (yield from measure(grid, tuning, "coarse")):
        tried[point.lr] = point
    extended = 0
    while extended < extensions and (lrs := beyond(tried, step)):
        extended += 1
        for point in (yield from measure(lrs, tuning, "extend")):
            tried[point.lr] = point
    coarse, at_edge = best_of(tried.values()), bool(beyond(tried, step))
    fine = yield from measure(
        [tidy(coarse.lr / step**0.5), coarse.lr, tidy(coarse.lr * step**0.5)], refine, "refine"
    )
    for _ in range(walk):
        best = best_of(fine)
        if best is fine[0]:
            nearby = yield from measure([tidy(best.lr / step**0.5)], refine, "refine")
            fine = nearby + fine
        elif best is fine[-1]:
            fine += yield from measure([tidy(best.lr * step**0.5)], refine, "refine")
    points = sorted([*tried.values(), *fine], key=lambda point: (point.lr, point.stage))
    return Tuned(best_of(fine).lr, tuple(points), at_edge, extended)


def failed(score: float) -> bool:
    """Return whether a score is that of a run that diverged or never arrived."""
    return not isfinite(score)


def best_of(points: Iterable[Point]) -> Point:
    """Return the point of the lowest score; among failures, the lowest learning rate."""
    return min(points, key=lambda point: (point.score, point.lr))


def beyond(tried: dict[float, Point], step: float) -> list[float]:
    """Return the decade to try next because the best is at an end of what was tried, or nothing.

    >>> [f"{lr:.3g}" for lr in beyond({0.1: Point(0.1, 1, 1, 0), 1.0: Point(1.0, 2, 1, 0)}, 10)]
    ['0.01']
    """
    best, lrs = best_of(tried.values()), sorted(tried)
    count = 1 if step > 5 else 2
    if best.score == inf or best.lr == lrs[0]:
        return [tidy(lrs[0] / step**k) for k in range(count, 0, -1)]
    if best.lr == lrs[-1]:
        return [tidy(lrs[-1] * step**k) for k in range(1, count + 1)]
    return []


def tidy(lr: float) -> float:
    """Return a learning rate with six digits, so that a rate reached on two ways is one rate."""
    return float(f"{lr:.6g}")


def final_loss(record: Record) -> float:
    """Score a run by its last loss; a diverged run is infinitely bad."""
    return record.final


def tune(
    train: Callable[[float, int], Record],
    grid: Sequence[float],
    seeds: Sequence[int],
    score: Callable[[Record], float] = final_loss,
) -> Tuned:
    """Search without extensions, everything in full length and on the same seeds, here and now.

    `train(lr, seed)` runs one training; none is run twice.
    """
    trained = cache(train)
    talk = search(grid, seeds, seeds, extensions=0, walk=0, short=False)
    asks = next(talk)
    while True:
        try:
            asks = talk.send([score(trained(ask.lr, ask.seed)) for ask in asks])
        except StopIteration as end:
            found: Tuned = end.value
            single = {point.lr: point for point in found.points}
            return replace(found, points=tuple(single.values()))
