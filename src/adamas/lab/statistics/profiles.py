"""Many problems at once: performance profiles, a mean that few outliers cannot move, best of k.

No single number says which optimizer is best on all problems. A profile shows on which share of
them each stays within a factor tau of the best.
"""

from collections.abc import Mapping, Sequence
from math import comb, inf, isnan, nan

import numpy as np
from numpy.typing import NDArray

from adamas.lab.statistics.intervals import CONFIDENCE, RESAMPLES, Interval

LIMIT = 4.0
"""The largest tau of the profiles: "within four times the best"."""
TAUS = tuple(1 + step / 20 for step in range(61))

Costs = Mapping[str, Sequence[float]]
Floats = NDArray[np.float64]


def ratios(costs: Costs) -> dict[str, list[float]]:
    """Return every solver's cost on every problem, divided by the best solver's (r of Dolan-Moré).

    A cost that is not finite is a failure: its ratio is infinite, also where everybody failed.
    Raises `ValueError` for costs that are not positive, and for solvers with unequal numbers of
    problems.
    """
    lengths = {name: len(row) for name, row in costs.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"each solver needs a cost for each problem, got {lengths}")
    if any(cost <= 0 for row in costs.values() for cost in row):
        raise ValueError("costs must be positive, because profiles divide by the best; got <= 0")
    # `cost < inf` is false for NaN too.
    best = [
        min((c for c in column if c < inf), default=inf)
        for column in zip(*costs.values(), strict=True)
    ]
    return {
        name: [cost / least if cost < inf else inf for cost, least in zip(row, best, strict=True)]
        for name, row in costs.items()
    }


def performance_profile(costs: Costs, taus: Sequence[float] = TAUS) -> dict[str, list[float]]:
    """Return rho(tau): the share of problems that a solver does within `tau` times the best.

    `costs` holds positive costs per solver, one a problem, lower is better, inf or NaN for a
    failure. One value per `tau`, between 0 and 1, never falling (Dolan and Moré 2002, section 2).

    >>> performance_profile({"a": [1, 2], "b": [2, 1]}, [1, 2])
    {'a': [0.5, 1.0], 'b': [0.5, 1.0]}
    """
    return {
        name: [sum(ratio <= tau for ratio in row) / len(row) if row else nan for tau in taus]
        for name, row in ratios(costs).items()
    }


def profile_area(costs: Costs, limit: float = LIMIT) -> dict[str, float]:
    """Return the area under rho from tau = 1 to `limit`, divided by limit - 1: between 0 and 1.

    1 is a solver that is the best on every problem, 0 one that is never within the limit. Exact:
    rho is a staircase, and a problem with ratio r adds the stretch from r to `limit`.

    >>> profile_area({"a": [1, 2], "b": [2.5, 2]})
    {'a': 1.0, 'b': 0.75}
    """
    return {
        name: sum(max(0.0, limit - ratio) for ratio in row) / len(row) / (limit - 1) if row else nan
        for name, row in ratios(costs).items()
    }


def interquartile_mean(scores: Sequence[Sequence[float]], seed: int = 0) -> Interval:
    """Return the mean of the middle half of all runs, and its 95 % stratified bootstrap interval.

    `scores` holds one row a problem, one score a seed, lower is better, brought to one scale by the
    caller. A score that is not finite counts as infinite, and moves the result only when the middle
    half reaches it. Seeds are drawn again within each problem, so the interval speaks about other
    seeds, not about other problems (Agarwal et al. 2021, "Deep reinforcement learning at the edge
    of the statistical precipice", sections
    4.1 and 4.3). NaN without scores.
    """
    rows = [_failures_last(row) for row in scores if len(row)]
    if not rows:
        return Interval(nan, nan, nan)
    rng = np.random.default_rng(seed)
    draws = [row[rng.integers(0, row.size, (RESAMPLES, row.size))] for row in rows]
    means = _middle_mean(np.concatenate(draws, axis=1))
    tail = (1 - CONFIDENCE) / 2
    # Observed means and not values between them, because inf - inf is not a number.
    low, high = np.quantile(means, [tail, 1 - tail], method="inverted_cdf")
    return Interval(float(_middle_mean(np.concatenate(rows)[None])[0]), float(low), float(high))


def expected_best(scores: Sequence[float], k: int) -> float:
    """Return the expected minimum of `k` of these scores, drawn without replacement.

    The value of a search that had only tried `k` of the settings, averaged over which; at
    k = len(scores) it is the best score. Dodge et al. 2019 ("Show your work") draw with
    replacement, which is biased (Tang et al. 2020, "Showing your work doesn't always work"): there
    one failed run makes every budget infinite. Here the answer is infinite only while all `k` may
    have failed. NaN counts as failed. Raises `ValueError` unless 1 <= k <= len(scores).

    >>> [expected_best([4.0, 1.0, 3.0], k) for k in (1, 2, 3)]
    [2.6666666666666665, 1.6666666666666667, 1.0]
    """
    count = len(scores)
    if not 1 <= k <= count:
        raise ValueError(f"k is {k}; {count} scores allow 1 to {count}")
    ranked = sorted(inf if isnan(score) else score for score in scores)
    # The i-th lowest is the minimum when the other k - 1 come from the count - 1 - i above it.
    weighed = zip(ranked, (comb(count - 1 - i, k - 1) for i in range(count - k + 1)), strict=False)
    return sum(score * weight for score, weight in weighed) / comb(count, k)


def _failures_last(row: Sequence[float]) -> Floats:
    """Return scores in rising order, NaN as inf, so that the order of the seeds does not matter."""
    return np.sort(np.nan_to_num(np.asarray(row, dtype=np.float64), nan=inf, posinf=inf))


def _middle_mean(rows: Floats) -> Floats:
    """Return each row's mean without its lowest and highest quarter, rounded down to whole runs."""
    cut = rows.shape[1] // 4
    middle = np.sort(rows, axis=1)[:, cut : rows.shape[1] - cut]
    return np.asarray(middle.mean(axis=1), dtype=np.float64)
