"""Intervals of what has a range stay inside it, and cover as often as those that do not."""

from math import exp, log, sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from adamas.lab.protocol import gains
from adamas.lab.statistics.intervals import bounded_interval, t_interval
from adamas.lab.statistics.ranges import loss_interval, metric_interval

SHARE = st.floats(0, 1)


@given(st.lists(SHARE, min_size=2, max_size=12))
@example([1.0, 0.9, 0.97])
@example([1.0, 1.0, 1 - 2**-53])
def test_shares_stay_shares(values: list[float]) -> None:
    """The interval of an accuracy holds its mean and nothing below 0 or above 1."""
    found = metric_interval("accuracy", values)
    assert 0 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1


@given(st.lists(st.floats(0, 1.7e308), min_size=2, max_size=12))
@example([0.0, 0.5, 0.2])
@example([1e308, 1.7e308])
def test_positive_losses_stay_positive(values: list[float]) -> None:
    """Losses none of which is negative have no interval that is, and neither have distances."""
    assert loss_interval(values).low >= 0
    assert metric_interval("rmse", values).low >= 0


@given(st.lists(st.floats(-100, 1), min_size=2, max_size=9))
def test_a_bound_above_is_kept(values: list[float]) -> None:
    """The coefficient of determination never has an interval above 1."""
    assert metric_interval("r2", values).high <= 1 + 1e-12


def test_ends_are_those_of_the_other_scale() -> None:
    """The ends are the delta method's on the log and on the logit scale (Casella and Berger 5.5.4).

    Student's quantile comes from SciPy's distribution.
    """
    values = [0.9, 0.99, 0.97]
    mean, half = np.mean(values), stats.t(2).ppf(0.975) * np.std(values, ddof=1) / sqrt(3)
    logit, apart = log(mean / (1 - mean)), half / (mean * (1 - mean))
    found = bounded_interval(values, 0, 1)
    expected = [1 / (1 + exp(-z)) for z in (logit - apart, logit + apart)]
    assert [found.low, found.high] == pytest.approx(expected)
    found = bounded_interval(values)
    assert [found.low, found.high] == pytest.approx(
        [mean * exp(-half / mean), mean * exp(half / mean)]
    )


def test_what_a_search_gained_has_bounded_losses() -> None:
    """The losses before and after a wider search have the intervals of all other losses."""
    records: Any = [SimpleNamespace(final=loss, diverged=False) for loss in (0.05, 0.4)]
    assert 0 < gains.judged(records)["interval"]["low"] < 0.05


def test_what_may_be_negative_has_the_plain_interval() -> None:
    """A loss that is negative anywhere, or what is no share or not known, is not bent."""
    values = [0.1, -0.2, 0.3]
    assert loss_interval(values) == t_interval(values)
    assert metric_interval("accuracy", [97.0, 98.5]) == t_interval([97.0, 98.5])
    assert metric_interval("mean_return", [1.0, 2.0, 4.0]) == t_interval([1.0, 2.0, 4.0])


@pytest.mark.parametrize("count", [3, 6])
@pytest.mark.parametrize("name", ["accuracy", "loss"])
def test_coverage_is_not_lost(name: str, count: int) -> None:
    """Bounded intervals hold the truth at least as often as plain ones, where values are skewed."""
    rng = np.random.default_rng(count)
    if name == "accuracy":
        truth, drawn = 40 / 41, rng.beta(40, 1, size=(1500, count))
    else:
        truth, drawn = exp(0.32), rng.lognormal(0, 0.8, size=(1500, count))
    high = 1.0 if name == "accuracy" else float("inf")
    hits = {"plain": 0, "bounded": 0}
    for values in drawn.tolist():
        for key, one in (
            ("plain", t_interval(values)),
            ("bounded", bounded_interval(values, 0, high)),
        ):
            hits[key] += one.low <= truth <= one.high
    assert hits["bounded"] > hits["plain"] + 30
    assert hits["bounded"] > 0.88 * 1500
