"""A learning rate for a problem of the lab: a range test to bracket it, then a sweep of trials."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

from adamas.lab.constants import FIND_LR_SEEDS
from adamas.lab.entrants import entrant
from adamas.lab.finder.answer import Found, answer
from adamas.lab.finder.range_test import range_test
from adamas.lab.finder.sweep import sweep
from adamas.lab.needs import LabError
from adamas.lab.problems import Problem
from adamas.lab.statistics.moments import average
from adamas.lab.stepping import StepError
from adamas.lab.trial import Record, run, start

# Not the seeds of `compare`, neither those that tune nor those that judge.
SEEDS_FROM = 3001
# The part of the updates that the range test takes, and the least it needs for eight decades.
RANGE_SHARE, RANGE_LEAST = 0.1, 80
SHORTEST = 10
# A run is scored by the last quarter of its evaluations: single ones of a noisy run are luck.
LATE = 0.75


class Wanted(NamedTuple):
    """A run that the sweep wants."""

    lr: float
    seed: int
    steps: int


Train = Callable[[Problem, str, Sequence[Wanted]], Sequence[Record]]


def one_by_one(problem: Problem, optimizer: str, asks: Sequence[Wanted]) -> list[Record]:
    """Run what is asked in this process."""
    return [run(replace(problem, steps=a.steps), optimizer, a.lr, a.seed) for a in asks]


def find_lr(
    problem: Problem,
    optimizer: str,
    *,
    seeds: int = FIND_LR_SEEDS,
    share: float = 0.2,
    train: Train = one_by_one,
) -> Found:
    """Find a learning rate for training `problem` with `optimizer`, a text for `entrant`.

    Each run of the sweep makes `share` of the problem's updates, above 0 and at most 1, on up to
    `seeds` seeds. Where a full run ends far below a short one (Adam on `words`: by a factor of
    forty), a share of 0.5 is needed to come within about 15 % of the best loss. `train` runs what
    it is asked, in any processes, and returns the records in the order of asking. Raises
    `LabError` for an unknown optimizer, one whose rate cannot be moved, or a number out of range.
    """
    if seeds < 1 or not 0 < share <= 1:
        raise LabError("error.find_arguments", seeds=seeds, share=share)
    movable(problem, optimizer)
    default = entrant(optimizer).default_lr
    steps = min(problem.steps, max(SHORTEST, round(problem.steps * share)))
    share = steps / problem.steps
    drawn = [SEEDS_FROM + k for k in range(seeds if problem.random else 1)]
    made = 0

    def measure(lrs: Sequence[float], k: int) -> list[float]:
        nonlocal made
        records = train(problem, optimizer, [Wanted(lr, drawn[k], steps) for lr in lrs])
        made += sum(record.steps[-1] for record in records)
        return [score(record) for record in records]

    count = max(RANGE_LEAST, round(problem.steps * RANGE_SHARE))
    curve = range_test(problem, optimizer, drawn, count)
    points = sweep(measure, curve.lowest, len(drawn), share)
    cost = (curve.updates + made) / problem.steps
    return answer(optimizer, points, curve, steps=steps, share=share, cost=cost, default=default)


def movable(problem: Problem, optimizer: str) -> None:
    """Refuse an optimizer whose learning rate cannot be moved while it runs, as the test does.

    Raises `LabError`.
    """
    who = entrant(optimizer)
    if who.formula is not None:
        return
    with who.apart(0):
        try:
            start(problem.task(0), optimizer, who.default_lr)[2].at(who.default_lr)
        except StepError as error:
            raise LabError("error.find_fixed", text=optimizer) from error


def score(record: Record) -> float:
    """Return the mean loss over the last quarter of a run; infinite if it did not fall."""
    evaluations = zip(record.steps, record.losses, strict=True)
    mean = average(loss for step, loss in evaluations if step >= LATE * record.steps[-1])
    return mean if mean < record.losses[0] and not record.diverged else inf
