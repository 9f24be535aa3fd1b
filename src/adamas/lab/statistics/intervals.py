"""From final losses to a mean and its interval over seeds.

Below ten values the interval is Student's t. From ten on it is a bootstrap, which follows skewed
losses and never leaves their range. Both miss their 95 % when losses are strongly skewed; how often
was measured, and is in docs/decisions/0011-intervals.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, nan, sqrt
from statistics import mean

import numpy as np
from scipy.special import ndtr, stdtrit

from adamas.lab.statistics.moments import grown, shrunk, spread

CONFIDENCE = 0.95
BOOTSTRAP_FROM = 10
RESAMPLES = 9_999


@dataclass(frozen=True)
class Interval:
    """A mean and its two-sided 95 % interval."""

    mean: float
    low: float
    high: float


NOTHING = Interval(nan, nan, nan)


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the mean of `values` and its 95 % interval: t below ten values, else bootstrap.

    The order of the values does not matter, and `seed` fixes the resampling. With fewer than two
    values there is no interval: its ends are NaN. With a value that is not finite the mean is
    infinite and there is no interval either.

    >>> interval([2.0] * 10)
    Interval(mean=2.0, low=2.0, high=2.0)
    """
    if len(values) < BOOTSTRAP_FROM or not all(isfinite(value) for value in values):
        return t_interval(values)
    return bootstrap_interval(values, seed)


def bounded_interval(values: Sequence[float], low: float = 0.0, high: float = inf) -> Interval:
    """Return the mean of values between `low` and `high` and an interval that stays between them.

    Below ten values Student's interval is taken on another scale at the mean, by the delta method:
    that of the logarithm with one bound, of the logit with two; values may be on a bound, as their
    mean is not unless all are equal. In simulations it covers from 2 points less to 16 points more
    than the plain one (docs/decisions/0029-the-page.md). From ten values on the bootstrap never
    leaves the values. A value beyond a bound shows that the range is not theirs: the interval is
    the plain one.

    >>> found = bounded_interval([0.9, 0.99, 0.97], 0, 1)
    >>> f"{found.mean:.3f} {found.low:.3f} {found.high:.3f}"
    '0.953 0.593 0.997'
    """
    found = interval(values)
    inside = found.low < found.high and low <= min(values) and max(values) <= high
    if len(values) >= BOOTSTRAP_FROM or not inside:
        return found
    half, below, above = found.high - found.mean, found.mean - low, high - found.mean
    if min(below, above) <= 0:  # the mean of values apart was rounded to the bound
        return Interval(found.mean, max(found.low, low), min(found.high, high))
    if above == inf:
        growth = exp(half / below)
        return Interval(found.mean, low + below / growth, low + below * growth)
    if below == inf:
        growth = exp(half / above)
        return Interval(found.mean, high - above * growth, high - above / growth)
    width = high - low
    # The share of the way on the logit scale, a step of half / (share * (1 - share)) apart.
    step = exp(half * width / (below * above))
    ends = [low + width * below / (below + above * by) for by in (step, 1 / step)]
    return Interval(found.mean, *ends)


def t_interval(values: Sequence[float], level: float = CONFIDENCE) -> Interval:
    """Return the mean of `values` and its t-interval, 95 % unless told, whatever their number.

    >>> interval = t_interval([1.0, 2.0, 3.0])
    >>> f"{interval.mean:.3f} {interval.low:.3f} {interval.high:.3f}"
    '2.000 -0.484 4.484'
    """
    if not all(isfinite(value) for value in values):
        return Interval(inf, nan, nan)
    centre = mean(values)
    if len(values) < 2:
        return Interval(centre, nan, nan)
    half = t_quantile(len(values), level) * spread(values, centre) / sqrt(len(values))
    return Interval(centre, centre - half, centre + half)


def bootstrap_interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the mean of `values` and its 95 % percentile bootstrap interval, widened for few.

    Plain percentiles are too narrow by sqrt(1 - 1/n) and by the normal quantile in place of
    Student's, so further percentiles are read: those at which, for normal values, the bootstrap
    interval has the width of the t-interval (Hesterberg 2015, "What teachers should know about the
    bootstrap", the expanded percentile interval).
    """
    count, (small, power) = len(values), shrunk(values)
    level = bootstrap_level(count)
    # Sorted, because the same draws on another order of the seeds would be other resamples.
    draws = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    means = np.sort(np.asarray(small))[draws].mean(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(mean(values), grown(float(low), power), grown(float(high), power))


def bootstrap_level(count: int) -> float:
    """Return the level of the plain bootstrap interval that covers 95 % for `count` normal values.

    >>> [f"{bootstrap_level(count):.4f}" for count in (10, 20, 1000)]
    ['0.9829', '0.9682', '0.9504']
    """
    return float(1 - 2 * ndtr(-sqrt(count / (count - 1)) * t_quantile(count)))


def t_quantile(count: int, level: float = CONFIDENCE) -> float:
    """Return the quantile of Student's t for the two-sided interval of `count` values."""
    return float(stdtrit(count - 1, (1 + level) / 2))
