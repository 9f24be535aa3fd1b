"""The search over more than the rate, as a conversation that follows the one for the rate.

It begins at the rate that was found alone. Quasi-random settings around it run at a share of the
steps, as many for every optimizer; the best few run in full beside the rate alone, on the seeds
that refined it, and one of them is chosen. What is uncertain about that is judged as it is for the
rate: each judging seed runs with what would have been chosen on refining seeds drawn again.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from statistics import stdev

from adamas.lab.course import Further
from adamas.lab.protocol.search import Ask, drawn_again, point_of
from adamas.lab.tuning import Point, Tuned, chosen, gained, tidy

# A learning rate with what else was chosen.
Setting = tuple[float, Further]
ALONE: tuple[float, Further] = (1.0, ())


@dataclass(frozen=True)
class Candidate:
    """A setting that was tried: its rate as a multiple of the one found alone, and its scores.

    `point` is as in the search for the rate; its stage is "points", "finalists", or "alone" for the
    rate without anything further, in full.
    """

    multiple: float
    further: Further
    point: Point


@dataclass(frozen=True)
class Wide:
    """What was tried, what was chosen, and what would have been on seeds drawn again."""

    setting: Setting
    multiple: float
    candidates: tuple[Candidate, ...]
    drawn: tuple[Setting, ...]


Talk = Generator[list[Ask], Sequence[float], Wide]


def widen(
    tuned: Tuned,
    settings: Sequence[Setting],
    tuning: Sequence[int],
    refine: Sequence[int],
    draws: Sequence[int],
    finalists: int,
) -> Talk:
    """Search `settings`, rates as multiples of the one of `tuned`, and return what was found.

    A generator like `search`: it yields runs, short ones on the `tuning` seeds and full ones on the
    `refine` seeds, and is sent their scores. `tuned.drawn` must belong to `draws`.
    """

    def measure(
        these: Sequence[Setting], lr: float, seeds: Sequence[int], full: bool
    ) -> Generator[list[Ask], Sequence[float], list[Sequence[float]]]:
        told = yield [
            Ask(tidy(lr * multiple), seed, full, further)
            for multiple, further in these
            for seed in seeds
        ]
        return [told[i : i + len(seeds)] for i in range(0, len(told), len(seeds))]

    # Short runs favour other rates than long ones; by how much is what the first search found.
    lr = short_rate(tuned)
    found = yield from measure(settings, lr, tuning, False)
    tried = [
        Candidate(*setting, point_of(tidy(lr * setting[0]), scores, "points"))
        for setting, scores in zip(settings, found, strict=True)
    ]
    order = sorted(range(len(tried)), key=lambda place: (tried[place].point.score, place))
    last = [ALONE, *(settings[place] for place in order[:finalists])]
    full = yield from measure(last, tuned.lr, refine, True)
    tried += [
        Candidate(*setting, point_of(tidy(tuned.lr * setting[0]), scores, stage))
        for setting, scores, stage in zip(
            last, full, ["alone", *["finalists"] * finalists], strict=False
        )
    ]
    best = last[pick(full)]
    again = [pick([[scores[i] for i in drawn_again(seed, len(refine))] for scores in full])
             for seed in draws]  # fmt: skip
    drawn = tuple(
        (tidy(rate * last[place][0]), last[place][1])
        for rate, place in zip(tuned.drawn, again, strict=True)
    )
    return Wide((tidy(tuned.lr * best[0]), best[1]), best[0], tuple(tried), drawn)


def short_rate(tuned: Tuned) -> float:
    """Return the rate that is chosen on the grid, whose runs are short."""
    grid = [point for point in tuned.points if point.stage != "refine"]
    return chosen(grid, gained(grid))


def pick(scores: Sequence[Sequence[float]]) -> int:
    """Return the place of the setting that is chosen; the first is the rate alone.

    The lowest mean, if it is below that of the rate alone by more than the standard error of the
    differences, seed by seed (the rule of one standard error, Breiman et al. 1984, section 3.4.3):
    the lowest of a few noisy means is lower by luck already.

    >>> pick([[1.0, 1.1], [0.9, 1.15]]), pick([[1.0, 1.1], [0.8, 0.9]])
    (0, 1)
    """
    means = [fsum(each) / len(each) for each in scores]
    best = min(range(len(means)), key=lambda place: (means[place], place))
    if not best or not isfinite(means[0]) or len(scores[0]) < 2:
        return best
    found = [one - other for one, other in zip(scores[best], scores[0], strict=True)]
    error = stdev(found) / len(found) ** 0.5
    return best if means[best] < means[0] - error else 0
