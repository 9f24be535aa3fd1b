"""The search for a learning rate, as a conversation: it asks for runs and is told their scores.

One learning rate for all optimizers decides the winner by itself, so each gets this search; and as
it is a conversation, it serves one process and a cluster, and several can go on side by side. First
a grid at a share of the steps; if the best is at an end of it, another decade; then the one in the
middle of those near the best, and its neighbours a quarter decade away, in full length and on other
seeds, going on in the better direction while that leads downhill; and of these the middle again
(`tuning.chosen`).
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf, isfinite, log, log10
from statistics import mean

from adamas.lab.course import Further
from adamas.lab.problems import generator
from adamas.lab.trial import Record
from adamas.lab.tuning import Point, Tuned, best_of, chosen, gained, tidy

EXTENSIONS = 3
WALK = 2
# The random stream of a seed that draws the seeds of the search again; see `problems.generator`.
REDRAW = 3
# Rates that differ by less differ by the rounding to six digits, a few times over.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Ask:
    """A run that a search wants: which learning rate and seed, and whether in full length.

    `further` are hyper-parameters besides the rate.
    """

    lr: float
    seed: int
    full: bool
    further: Further = ()


Search = Generator[list[Ask], Sequence[float], Tuned]


def search(
    grid: Sequence[float],
    tuning: Sequence[int],
    refine: Sequence[int],
    draws: Sequence[int] = (),
    *,
    extensions: int = EXTENSIONS,
    walk: int = WALK,
    short: bool = True,
) -> Search:
    """Search `grid` on the `tuning` seeds, then around its best on the `refine` seeds.

    For each of `draws` it also tells what would have been chosen on `refine` seeds drawn again.
    A generator: it yields lists of `Ask`, is sent their scores (lower is better, infinite for a run
    that failed) in the same order, and returns what it found. `short` says that the grid runs at a
    share of the steps.
    """
    tried: dict[float, Point] = {}
    scores: dict[float, Sequence[float]] = {}

    def measure(
        lrs: Sequence[float], seeds: Sequence[int], stage: str
    ) -> Generator[list[Ask], Sequence[float], list[Point]]:
        full = stage == "refine" or not short
        lrs = [on_lattice(lr, grid[len(grid) // 2]) for lr in lrs]
        told = yield [Ask(lr, seed, full) for lr in lrs for seed in seeds]
        each = [told[i : i + len(seeds)] for i in range(0, len(told), len(seeds))]
        # The last stage is the one that is chosen from.
        scores.update(zip(lrs, each, strict=True))
        return [point_of(lr, found, stage) for lr, found in zip(lrs, each, strict=True)]

    step = grid[1] / grid[0]
    for point in (yield from measure(grid, tuning, "coarse")):
        tried[point.lr] = point
    extended = 0
    while extended < extensions and (lrs := beyond(tried, step)):
        extended += 1
        for point in (yield from measure(lrs, tuning, "extend")):
            tried[point.lr] = point
    at_edge = bool(beyond(tried, step))
    gain = gained(list(tried.values()))
    coarse = nearest(tried, chosen(list(tried.values()), gain))
    fine = yield from measure(
        [tidy(coarse / step**0.5), coarse, tidy(coarse * step**0.5)], refine, "refine"
    )
    for _ in range(walk):
        best = best_of(fine)
        if best is fine[0]:
            nearby = yield from measure([tidy(best.lr / step**0.5)], refine, "refine")
            fine = nearby + fine
        elif best is fine[-1]:
            fine += yield from measure([tidy(best.lr * step**0.5)], refine, "refine")
    points = sorted([*tried.values(), *fine], key=lambda point: (point.lr, point.stage))
    refined = {point.lr: scores[point.lr] for point in fine}
    drawn = tuple(redrawn(refined, seed, gain) for seed in draws)
    return Tuned(chosen(fine, gain), tuple(points), at_edge, extended, drawn)


def on_lattice(lr: float, centre: float) -> float:
    """Return the rate that `lr` is but for rounding, if quarter decades lead to it from `centre`.

    A rate that is reached on several ways, as a multiple of rates with six digits, is one rate.

    >>> on_lattice(0.562342, 0.001), on_lattice(1.00001, 0.001), on_lattice(0.57, 0.001)
    (0.562341, 1.0, 0.57)
    """
    near = centre * 10 ** (round(4 * log10(lr / centre)) / 4)
    return tidy(near if abs(lr / near - 1) < ROUNDING else lr)


def point_of(lr: float, scores: Sequence[float], stage: str) -> Point:
    """Return a learning rate with the mean of its scores and the number that failed."""
    failed = sum(not isfinite(score) for score in scores)
    return Point(lr, mean(scores), len(scores), failed, stage)


def redrawn(scores: Mapping[float, Sequence[float]], seed: int, gain: float = inf) -> float:
    """Return the rate that is chosen when the seeds behind `scores` are drawn again, by `seed`.

    `gain` is what training gained on the grid, see `chosen`.

    One fewer is drawn than there are, with replacement: means of so many vary as much as means of
    all vary between searches (Rao and Wu 1988). The same `seed` draws the same for every optimizer,
    because a real search, too, gives all the same seeds.
    """
    taken = drawn_again(seed, len(next(iter(scores.values()))))
    points = [point_of(lr, [found[i] for i in taken], "") for lr, found in scores.items()]
    return chosen(points, gain)


def drawn_again(seed: int, count: int) -> list[int]:
    """Return which of `count` seeds are drawn again by `seed`: one fewer, some of them twice."""
    taken: list[int] = generator(seed, REDRAW).integers(0, count, max(count - 1, 1)).tolist()
    return taken


def nearest(lrs: Iterable[float], lr: float) -> float:
    """Return the learning rate nearest to `lr` on a log scale.

    >>> nearest([0.01, 0.1, 1.0], 0.04)
    0.1
    """
    return min(lrs, key=lambda other: abs(log(other / lr)))


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

    `train(lr, seed)` runs one training; none is run twice. The rate is that of the lowest score.
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
            lowest = best_of(single.values()).lr
            return replace(found, lr=lowest, points=tuple(single.values()))
