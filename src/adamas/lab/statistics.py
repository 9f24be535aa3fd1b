"""From final losses to words: intervals over seeds, and differences between paired seeds.

Student's t, because bootstrap intervals are too short below ten seeds. Seeds are paired (the same
split, start and batch order for every optimizer), so the difference is taken seed by seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt
from statistics import mean, stdev

CONFIDENCE = 0.95
MINIMUM_SEEDS = 3


@dataclass(frozen=True)
class Interval:
    """A mean and its two-sided 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """A paired difference (optimizer minus reference) and one word for it."""

    word: str
    difference: Interval


def t_interval(values: Sequence[float]) -> Interval:
    """Return the mean of `values` and its 95 % t-interval.

    With fewer than two values, or one that is not finite, there is no interval: its ends are NaN.

    >>> interval = t_interval([1.0, 2.0, 3.0])
    >>> f"{interval.mean:.3f} {interval.low:.3f} {interval.high:.3f}"
    '2.000 -0.484 4.484'
    """
    from scipy.special import stdtrit

    if not all(isfinite(value) for value in values):
        return Interval(inf, nan, nan)
    centre = mean(values)
    if len(values) < 2:
        return Interval(centre, nan, nan)
    quantile = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    half = quantile * stdev(values) / sqrt(len(values))
    return Interval(centre, centre - half, centre + half)


def judge(values: Sequence[float], reference: Sequence[float]) -> Verdict:
    """Compare losses seed by seed with a reference's; lower is better.

    The word is "better" or "worse" when the interval of the difference excludes 0, "tie" when these
    seeds cannot tell the two apart, "few" below three seeds, "diverged" when a run has failed.
    """
    difference = t_interval([a - b for a, b in zip(values, reference, strict=True)])
    if not all(isfinite(value) for value in (*values, *reference)):
        return Verdict("diverged", Interval(nan, nan, nan))
    if len(values) < MINIMUM_SEEDS:
        return Verdict("few", difference)
    if difference.low > 0:
        return Verdict("worse", difference)
    return Verdict("better" if difference.high < 0 else "tie", difference)
