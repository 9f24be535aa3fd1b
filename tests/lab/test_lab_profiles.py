"""Performance profiles, the interquartile mean and the expected best, against definitions."""

from collections.abc import Sequence
from itertools import combinations
from math import inf, isnan, nan
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from adamas.lab.statistics.profiles import (
    TAUS,
    expected_best,
    interquartile_mean,
    performance_profile,
    profile_area,
    ratios,
)

COST = st.one_of(st.floats(0.01, 100), st.just(inf), st.just(nan))
COSTS = st.integers(1, 6).flatmap(
    lambda problems: st.dictionaries(
        st.sampled_from("abcd"),
        st.lists(COST, min_size=problems, max_size=problems),
        min_size=1,
    )
)
SCORES = st.lists(st.floats(0.01, 100), min_size=1, max_size=8)


def test_profile_of_a_small_table() -> None:
    """Worked by hand from the definition: ratios 1, 2, 1 and 3, 1, failed."""
    costs = {"x": [1.0, 4.0, 5.0], "y": [3.0, 2.0, inf]}
    found = performance_profile(costs, [1, 1.9, 2, 3, 4])
    assert found["x"] == pytest.approx([2 / 3, 2 / 3, 1, 1, 1])
    assert found["y"] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 3])
    # Areas: (3 + 2 + 3) / 9 and (1 + 3 + 0) / 9.
    assert profile_area(costs) == pytest.approx({"x": 8 / 9, "y": 4 / 9})


@given(COSTS)
def test_profiles_are_shares_that_never_fall(costs: dict[str, list[float]]) -> None:
    """A profile rises within [0, 1], and on each problem that anybody solved somebody is best."""
    found = performance_profile(costs)
    for rho in found.values():
        assert len(rho) == len(TAUS) and rho == sorted(rho) and rho[0] >= 0 and rho[-1] <= 1
    for column in zip(*ratios(costs).values(), strict=True):
        assert min(column) in (1, inf)


@given(COSTS)
def test_area_is_the_integral(costs: dict[str, list[float]]) -> None:
    """The area is the integral of rho over [1, 4], divided by 3."""
    for name, area in profile_area(costs).items():
        taus = np.linspace(1, 4, 3001)
        rho = performance_profile(costs, taus.tolist())[name]
        assert area == pytest.approx(integrate.trapezoid(rho, taus) / 3, abs=1e-3)


@given(COSTS, st.floats(0.01, 100))
def test_profiles_know_no_unit(costs: dict[str, list[float]], unit: float) -> None:
    """Costs of a problem in another unit change no area."""
    scaled = {name: [row[0] * unit, *row[1:]] for name, row in costs.items()}
    assert profile_area(scaled) == pytest.approx(profile_area(costs))


def test_costs_without_a_ratio_are_refused() -> None:
    """Costs that are not positive, and missing ones, are errors that say so."""
    with pytest.raises(ValueError, match="positive"):
        performance_profile({"x": [0.0]})
    with pytest.raises(ValueError, match=r"'x': 1, 'y': 2"):
        profile_area({"x": [1.0], "y": [1.0, 2.0]})


@given(st.lists(st.lists(st.floats(0.01, 100), min_size=1, max_size=6), min_size=1, max_size=5))
def test_interquartile_mean_is_scipys_trimmed_mean(scores: list[list[float]]) -> None:
    """The point is `scipy.stats.trim_mean` with a quarter off each end, inside its interval."""
    found = interquartile_mean(scores)
    assert found.mean == pytest.approx(stats.trim_mean(np.concatenate(scores), 0.25))
    assert min(map(min, scores)) - 1e-9 <= found.low <= found.high <= max(map(max, scores)) + 1e-9


def test_interquartile_bootstrap_is_stratified() -> None:
    """Problems are never traded for each other: without spread over seeds there is no interval."""
    found = interquartile_mean([[1.0] * 4, [2.0] * 4, [9.0] * 4])
    assert found.low == found.mean == found.high == mean([1.0, 2.0, 2.0, 2.0, 2.0, 9.0])


def test_interquartile_interval_is_scipys_bootstrap() -> None:
    """With one problem the bootstrap is `scipy.stats.bootstrap`'s percentile interval."""
    values = np.sort(np.random.default_rng(1).lognormal(0, 0.5, 20))

    def middle(rows: Sequence[float], axis: int) -> object:
        return stats.trim_mean(rows, 0.25, axis=axis)

    scipys = stats.bootstrap(
        (values,), middle, method="percentile", n_resamples=9_999, rng=np.random.default_rng(2)
    ).confidence_interval
    found = interquartile_mean([values.tolist()], seed=2)
    assert (found.low, found.high) == pytest.approx((scipys.low, scipys.high), rel=5e-3)


def test_failures_count_only_when_they_reach_the_middle() -> None:
    """One failure in eight is trimmed away; four make the mean infinite; NaN is a failure."""
    fine = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert interquartile_mean([[*fine, inf]]).mean == mean([3.0, 4.0, 5.0, 6.0])
    assert interquartile_mean([[*fine, nan]]) == interquartile_mean([[*fine, inf]])
    assert interquartile_mean([[1.0] * 4 + [inf] * 4]).mean == inf
    assert isnan(interquartile_mean([]).mean)


@given(SCORES, st.data())
def test_expected_best_is_the_mean_over_all_choices(
    scores: list[float], data: st.DataObject
) -> None:
    """The closed form equals the mean of the minimum over every choice of k scores."""
    k = data.draw(st.integers(1, len(scores)))
    expected = mean(min(chosen) for chosen in combinations(scores, k))
    assert expected_best(scores, k) == pytest.approx(expected)


def test_expected_best_with_failures() -> None:
    """Infinite while every one of the k may have failed, finite and exact after that."""
    scores = [inf, 2.0, nan, 1.0]
    assert [expected_best(scores, k) for k in (1, 2)] == [inf, inf]
    assert expected_best(scores, 3) == mean([2.0, 1.0, 1.0, 1.0])
    assert expected_best(scores, 4) == 1.0
    for k in (0, 5):
        with pytest.raises(ValueError, match=f"k is {k}; 4 scores allow 1 to 4"):
            expected_best(scores, k)
