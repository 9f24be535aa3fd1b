"""Intervals and verdicts, against SciPy."""

from math import inf, isnan, nan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from adamas.lab.statistics import judge, t_interval

LOSSES = st.lists(st.floats(0.01, 10), min_size=3, max_size=12)


@given(LOSSES)
def test_interval_is_scipys(values: list[float]) -> None:
    """The 95 % interval is `scipy.stats.t.interval` around the mean."""
    error = stats.sem(values)
    assume(error > 1e-6)
    found = t_interval(values)
    expected = stats.t.interval(0.95, len(values) - 1, loc=sum(values) / len(values), scale=error)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0.01, 10)), min_size=3, max_size=12))
def test_verdict_is_the_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    """What is not a tie is significant at 5 % in `scipy.stats.ttest_rel`, and in that direction."""
    ours, reference = ([pair[i] for pair in pairs] for i in (0, 1))
    differences = [a - b for a, b in pairs]
    assume(stats.sem(differences) > 1e-6)
    p = stats.ttest_rel(ours, reference).pvalue
    assume(abs(p - 0.05) > 1e-6)
    significant = "better" if sum(differences) < 0 else "worse"
    assert judge(ours, reference).word == (significant if p < 0.05 else "tie")


@given(LOSSES)
def test_an_optimizer_ties_with_itself(values: list[float]) -> None:
    """The reference compared with itself differs by 0 and is a tie."""
    verdict = judge(values, values)
    assert verdict.word == "tie"
    assert verdict.difference.mean == 0


def test_swapping_sides_swaps_the_words() -> None:
    """What is better than the reference makes the reference worse than it."""
    low, high = [0.1, 0.2, 0.3], [1.1, 1.2, 1.35]
    assert (judge(low, high).word, judge(high, low).word) == ("better", "worse")


@pytest.mark.parametrize("broken", [inf, nan])
def test_a_diverged_run_is_never_averaged_away(broken: float) -> None:
    """One failed run on either side makes the verdict "diverged" and the mean infinite."""
    values = [0.1, broken, 0.1]
    assert judge(values, [1.0, 1.0, 1.0]).word == "diverged"
    assert judge([1.0, 1.0, 1.0], values).word == "diverged"
    assert t_interval(values).mean == inf


def test_two_seeds_are_too_few() -> None:
    """Below three seeds there is no verdict, and one value has no interval."""
    assert judge([0.1, 0.2], [5.0, 5.1]).word == "few"
    assert isnan(t_interval([0.1]).low)


def test_unpaired_seeds_are_refused() -> None:
    """Losses without a partner are an error, not silently dropped."""
    with pytest.raises(ValueError, match=r"shorter|longer"):
        judge([0.1, 0.2, 0.3], [0.1, 0.2])
