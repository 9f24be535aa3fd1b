"""How many seeds would decide what these did not, at the difference and the spread that were seen.

Decided is a comparison by either of two things: the difference is shown, or an interval excludes
differences that matter. The chance of it is computed for normal differences, given their true mean
and spread: the power of the t-test (the noncentral t distribution), and of the two one-sided tests
of equivalence (Schuirmann 1987), together. The spread is itself an estimate from a few seeds, so
the number is also given for the upper end of what it may be.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import chdtri, ndtr, stdtrit

from adamas.lab.constants import ALPHA, MINIMUM_SEEDS
from adamas.lab.statistics.moments import spread
from adamas.lab.statistics.paired import COARSE, Comparison, Finals, contrast, failures

# How sure the numbers of seeds are to decide; and one-sided, that the spread is not larger.
POWER, TRUST = 0.8, 0.9
# More seeds than these are not worth the time: what needs them matters to nobody.
LIMIT = 200
# The level of the last look of a comparison with looks, which is how to go on.
LEVEL = ALPHA / 2
NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Seeds:
    """How many seeds decide: at the spread seen, and at the largest likely one.

    None is more than `LIMIT`.
    """

    seen: int | None
    likely: int | None


def seeds_to_decide(found: list[Comparison], finals: Finals, margin: float) -> list[Seeds | None]:
    """Return for each comparison how many seeds would decide it, None where it is decided.

    None too where nothing can be told: after fewer than three seeds, or with a run that failed.
    Holm's test divides by the number of all comparisons that are not shown to differ, which ties
    are as well as the undecided; so all count here but those with "better" or "worse".
    """
    waiting = sum(one.word not in ("better", "worse") for one in found)
    return [needed(one, finals, margin, waiting) for one in found]


def needed(one: Comparison, finals: Finals, margin: float, questions: int) -> Seeds | None:
    """Return how many seeds would decide one comparison of several that are asked."""
    ours, theirs = finals[one.optimizer], finals[one.reference]
    if one.word != "few" or len(ours) < MINIMUM_SEEDS or failures([*ours, *theirs]):
        return None
    differences = contrast(ours, theirs)
    if failures(differences):
        return None
    centre = abs(one.difference.mean)
    deviation = spread(differences, one.difference.mean)
    free = len(ours) - 1
    largest = deviation * sqrt(free / chdtri(free, TRUST))
    bound = COARSE * margin * abs(float(np.mean(theirs)))
    return Seeds(*(least(centre, width, bound, questions) for width in (deviation, largest)))


def least(mean: float, deviation: float, bound: float, questions: int) -> int | None:
    """Return the fewest seeds that decide with a chance of `POWER`, None above `LIMIT`."""
    counts = range(MINIMUM_SEEDS, LIMIT + 1)
    enough = (n for n in counts if chance(n, mean, deviation, bound, questions) >= POWER)
    return next(enough, None)


def chance(count: int, mean: float, deviation: float, bound: float, questions: int = 1) -> float:
    """Return the chance that `count` seeds decide, given the true mean and spread of differences.

    Decided is a mean that Student's test at `LEVEL` / `questions` tells from 0, or an interval of
    level 1 - `LEVEL` that lies within `bound` of 0. With a bound of 0 it is the power of the test.
    """
    if deviation == 0:
        return float(mean > 0 or bound > 0)
    free = count - 1
    # The spread that will be seen, at the nodes of its distribution; given it, the mean is normal.
    shares = (NODES + 1) / 2
    error = deviation / sqrt(count)
    seen = error * np.sqrt(chdtri(free, shares) / free)
    shown = stdtrit(free, 1 - LEVEL / questions / 2) * seen
    tied = np.maximum(bound - stdtrit(free, 1 - LEVEL / 2) * seen, 0.0)
    between = within(shown, mean, error) - within(np.minimum(tied, shown), mean, error)
    return float(1 - (WEIGHTS / 2) @ between)


def within(
    bound: np.ndarray[tuple[int], np.dtype[np.float64]], mean: float, error: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the chance that a normal mean is nearer to 0 than each bound."""
    result: np.ndarray[tuple[int], np.dtype[np.float64]]
    result = ndtr((bound - mean) / error) - ndtr((-bound - mean) / error)
    return result
