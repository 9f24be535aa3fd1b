"""The range test: one short run in which lr rises from tiny to large, only to bracket the sweep.

Its answers (where the loss was lowest, where it blew up) depend on how fast lr rises and on the
seed, and the popular reading, the steepest slope, ended up to ten times above the best loss when it
was measured. A tenth of the lowest point's lr is a fair centre for a sweep, and no more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import exp, inf, log10

import numpy as np

from adamas.lab.entrants import entrant
from adamas.lab.problems import Problem
from adamas.lab.statistics.moments import average
from adamas.lab.stepping import StepError
from adamas.lab.trial import start

LOW, HIGH = 1e-6, 1e2
# Below this lr the losses only say where the run starts, and how much batches differ.
QUIET = 1e-4
# The loss is averaged over a part of a decade of lr, however many steps that is: an average over a
# fixed number of steps would depend on how finely lr rises.
SMOOTH = 0.25
# A loss this many times the one at the start is not coming back.
LOST = 4.0


@dataclass(frozen=True)
class Curve:
    """A range test: the smoothed training loss while lr rises, as a share of the loss at the start.

    Averaged over the seeds, infinite where one of them was lost. `lowest` is the lr at the smallest
    loss, `divergence` the first one above it where the loss is no better than at the start; None if
    there is none. `updates` were made in all.
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    lowest: float
    divergence: float | None
    updates: int


def rising(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return `count` learning rates from `low` to `high`, both included, in equal ratios.

    >>> [f"{lr:.3g}" for lr in rising(1e-3, 1e-1, 5)]
    ['0.001', '0.00316', '0.01', '0.0316', '0.1']
    """
    return tuple(float(lr) for lr in np.geomspace(low, high, count))


def range_test(problem: Problem, optimizer: str, seeds: Sequence[int], count: int) -> Curve:
    """Let lr rise over `count` updates from 1e-6 to 100, once for every seed."""
    lrs = rising(LOW, HIGH, count)
    told = [list(losses(problem, optimizer, seed, lrs)) for seed in seeds]
    runs = [[loss for loss, _ in run] for run in told]
    updates = sum(cost for run in told for _, cost in run)
    return averaged(lrs, [relative(run, lrs, quiet(run, lrs)) for run in runs], updates)


def losses(
    problem: Problem, optimizer: str, seed: int, lrs: Sequence[float]
) -> Iterator[tuple[float, int]]:
    """Yield the training loss after an update at each of `lrs`, until it is not finite.

    Beside it stands how many gradients the update took.
    """
    task, who, asked = problem.task(seed), entrant(optimizer), 0

    def again() -> float:
        nonlocal asked
        asked += 1
        return task.gradient(params, batch, grads)

    with who.apart(seed), np.errstate(all="ignore"):
        try:
            params, grads, opt = start(task, optimizer, lrs[0])
        except StepError:
            yield inf, 1
            return
        batches = task.batches()
        batch = next(batches)
        loss = task.gradient(params, batch, grads)
        for lr in lrs:
            asked = 0
            try:
                opt.at(lr)
                opt.step(grads, loss, again)
                batch = next(batches)
                loss = task.gradient(params, batch, grads)
            except StepError:
                loss = inf
            yield loss, 1 + asked
            if not abs(loss) < inf:
                return


def quiet(found: Sequence[float], lrs: Sequence[float]) -> float:
    """Return the mean loss while lr is tiny."""
    return average(loss for loss, lr in zip(found, lrs, strict=False) if lr <= QUIET)


def relative(found: Sequence[float], lrs: Sequence[float], base: float) -> list[float]:
    """Return losses smoothed and as a share of `base`, infinite once they are lost.

    A base that is not positive, of a loss that may be negative, is moved to 1 with its losses.
    """
    share = (lambda loss: loss / base) if base > 0 else (lambda loss: 1 + loss - base)
    shares = map(share, smoothed(found, lrs))
    kept = list(takewhile(lambda value: value <= LOST, shares))
    return kept + [inf] * (len(lrs) - len(kept))


def smoothed(values: Iterable[float], lrs: Sequence[float]) -> Iterator[float]:
    """Yield the mean of the values so far, where each decade of lr back weighs exp(-1 / SMOOTH)."""
    keep = exp(-log10(lrs[1] / lrs[0]) / SMOOTH)
    total = weight = 0.0
    for value in values:
        total, weight = keep * total + value, keep * weight + 1
        yield total / weight


def averaged(
    lrs: Sequence[float], runs: Sequence[Sequence[float]], updates: int, after: float = QUIET
) -> Curve:
    """Return the mean of `runs`, its lowest point above the lr `after`, and where it diverged."""
    means = [average(shares) for shares in zip(*runs, strict=True)]
    lowest = min((k for k, lr in enumerate(lrs) if lr > after), key=means.__getitem__)
    gone = [k for k in range(lowest, len(lrs)) if not means[k] < 1]
    divergence = lrs[gone[0]] if gone else None
    return Curve(tuple(lrs), tuple(means), lrs[lowest], divergence, updates)
