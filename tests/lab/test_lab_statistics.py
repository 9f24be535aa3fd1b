"""Intervals and verdicts, against SciPy and closed forms."""

from math import inf, isfinite, isnan, nan
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from adamas.lab.statistics.intervals import (
    bootstrap_interval,
    bootstrap_level,
    interval,
    t_interval,
)
from adamas.lab.statistics.paired import Comparison, compare, holm, win_probability

LOSSES = st.lists(st.floats(0.01, 10), min_size=3, max_size=12)
PAIRS = st.lists(st.tuples(st.floats(0.01, 10), st.floats(0.01, 10)), min_size=3, max_size=12)
STUDIES = st.integers(2, 12).flatmap(
    lambda seeds: st.lists(
        st.lists(st.floats(0.01, 10), min_size=seeds, max_size=seeds), min_size=2, max_size=5
    )
)


def against(ours: list[float], reference: list[float]) -> Comparison:
    """Return the only comparison of two optimizers."""
    (found,) = compare({"ours": ours, "reference": reference}, ["reference"])
    return found


def study(columns: list[list[float]]) -> dict[str, list[float]]:
    """Name the losses of a study."""
    return dict(zip("abcde", columns, strict=False))


@given(LOSSES)
def test_interval_is_scipys(values: list[float]) -> None:
    """The t-interval is `scipy.stats.t.interval` around the mean."""
    error = stats.sem(values)
    assume(error > 1e-6)
    found = t_interval(values)
    expected = stats.t.interval(0.95, len(values) - 1, loc=sum(values) / len(values), scale=error)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("count", [10, 20])
def test_bootstrap_is_scipys(count: int) -> None:
    """From ten values on the interval is SciPy's percentile bootstrap at the widened level."""
    values = np.random.default_rng(count).lognormal(0, 0.5, count)
    scipys = stats.bootstrap(
        (np.sort(values),),
        np.mean,
        n_resamples=9_999,
        method="percentile",
        confidence_level=bootstrap_level(count),
        rng=np.random.default_rng(5),
    ).confidence_interval
    found = interval(values.tolist(), seed=5)
    assert (found.low, found.high) == pytest.approx((scipys.low, scipys.high), rel=1e-3)
    assert found == bootstrap_interval(values.tolist(), seed=5)


@given(st.lists(st.floats(0.01, 10), min_size=10, max_size=25), st.randoms())
def test_bootstrap_knows_no_order_and_stays_inside(values: list[float], random: Random) -> None:
    """Shuffled seeds give the same bits, and a positive loss has a positive interval."""
    found = interval(values)
    random.shuffle(values)
    assert interval(values) == found
    slack = 1e-12 * max(values)
    assert min(values) - slack <= found.low <= found.mean + slack
    assert found.mean - slack <= found.high <= max(values) + slack


@pytest.mark.parametrize("count", [2, 9, 10, 30])
def test_equal_losses_have_no_spread(count: int) -> None:
    """The same loss under every seed is an interval of width 0, not an error."""
    assert interval([0.25] * count) == t_interval([0.25] * count)
    assert interval([0.25] * count).high == 0.25


@given(PAIRS)
def test_p_is_the_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    """`p` is `scipy.stats.ttest_rel`'s, and agrees with whether the interval excludes 0."""
    ours, reference = ([pair[i] for pair in pairs] for i in (0, 1))
    assume(stats.sem([a - b for a, b in pairs]) > 1e-6)
    found = against(ours, reference)
    assert found.p == pytest.approx(stats.ttest_rel(ours, reference).pvalue, rel=1e-6, abs=1e-12)
    assume(abs(found.p - 0.05) > 1e-6)
    assert (found.p < 0.05) == (found.difference.low > 0 or found.difference.high < 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_its_definition(p_values: list[float]) -> None:
    """A hypothesis falls at alpha when it and all with smaller p pass alpha / (number left)."""
    adjusted = holm(p_values)
    for alpha in (0.01, 0.05, 0.2, 0.5):
        rejected = set()
        order = sorted(range(len(p_values)), key=lambda i: p_values[i])
        for done, index in enumerate(order):
            if (len(p_values) - done) * p_values[index] >= alpha:
                break
            rejected.add(index)
        assert rejected == {i for i, p in enumerate(adjusted) if p < alpha}


@given(LOSSES, LOSSES)
def test_win_probability_is_mann_whitneys(ours: list[float], theirs: list[float]) -> None:
    """P(ours < theirs) is U / (n m) of SciPy's Mann-Whitney test, and the two sides add up to 1."""
    u = stats.mannwhitneyu(theirs, ours, method="asymptotic").statistic
    assert win_probability(ours, theirs) == pytest.approx(u / (len(ours) * len(theirs)))
    assert win_probability(ours, theirs) + win_probability(theirs, ours) == pytest.approx(1)


@given(STUDIES, st.randoms())
def test_order_does_not_matter(columns: list[list[float]], random: Random) -> None:
    """Another order of the seeds or of the optimizers changes no comparison."""
    finals = study(columns)
    order = list(range(len(columns[0])))
    random.shuffle(order)
    mixed = {name: [losses[i] for i in order] for name, losses in reversed(finals.items())}
    found, again = (
        {(c.optimizer, c.reference): c for c in compare(each, ["a", "b"])}
        for each in (finals, mixed)
    )
    assert found.keys() == again.keys()
    for pair, one in found.items():
        other = again[pair]
        assert (one.word, one.difference, one.p, one.p_holm) == (
            (other.word, other.difference, other.p, other.p_holm)
        )


@given(STUDIES, st.integers(-20, 20))
def test_scale_does_not_matter(columns: list[list[float]], power: int) -> None:
    """Losses in another unit change no word, no per cent and no p; powers of two are exact."""
    scaled = [[loss * 2.0**power for loss in losses] for losses in columns]
    for one, other in zip(
        *(compare(study(each), ["a", "b"]) for each in (columns, scaled)), strict=True
    ):
        assert (one.word, one.percent, one.p, one.p_holm, one.p_win) == (
            (other.word, other.percent, other.p, other.p_holm, other.p_win)
        )


def test_two_references_meet_once() -> None:
    """All pairs with a reference are asked, each once, and Holm counts exactly these."""
    finals = study([[1.0, 1.1, 1.2], [1.3, 1.1, 1.4], [1.2, 1.5, 1.9], [1.0, 1.0, 1.3]])
    found = compare(finals, ["a", "b"])
    pairs = [(c.optimizer, c.reference) for c in found]
    assert pairs == [("b", "a"), ("c", "a"), ("d", "a"), ("c", "b"), ("d", "b")]
    assert [c.p_holm for c in found] == holm([c.p for c in found])


def test_words_follow_the_rule() -> None:
    """Each word of the rule, by hand: differences of 20 %, 1 %, about 0 and a noisy 0."""
    base = [1.0, 1.1, 0.9, 1.05, 0.95]
    wiggle = [0.003, -0.002, 0.001, -0.001, 0.002]

    def word(factor: float, noise: float) -> str:
        return against(
            [b * factor + noise * w for b, w in zip(base, wiggle, strict=True)], base
        ).word

    assert (word(0.8, 1), word(1.2, 1)) == ("better", "worse")
    small = against([b + 0.01 + w / 10 for b, w in zip(base, wiggle, strict=True)], base)
    assert small.p_holm < 0.05 and small.word == "tie"
    assert (word(1.0, 1), word(1.0, 100)) == ("tie", "few")


@given(LOSSES)
def test_an_optimizer_ties_with_itself(values: list[float]) -> None:
    """The reference under another name differs by 0 and is a tie."""
    found = against(values, values)
    assert (found.word, found.difference.mean, found.p, found.p_win) == ("tie", 0, 1, 0.5)


@pytest.mark.parametrize("broken", [inf, nan])
def test_a_diverged_run_is_never_averaged_away(broken: float) -> None:
    """One failed run makes the word "diverged" and the mean infinite, whatever the others say."""
    found = against([0.1, broken, 0.1], [1.0, 1.0, 1.0])
    assert found.word == "diverged" and isnan(found.difference.mean) and isnan(found.percent.low)
    assert interval([0.1, broken, 0.1]).mean == inf
    assert isnan(interval([0.1, broken, *[0.1] * 10]).low)


def test_one_failure_of_the_reference_proves_nothing_five_do() -> None:
    """Failed runs rank last: all of five against none is better, one of five is too few."""
    ours = [1.0, 1.1, 1.2, 0.9, 1.3]
    assert against(ours, [inf] * 5).word == "better"
    assert against(ours, [inf, *ours[1:]]).word == "few"
    ranks = stats.rankdata([*ours, inf, *ours[1:]])
    expected = stats.ttest_rel(ranks[:5], ranks[5:]).pvalue
    assert against(ours, [inf, *ours[1:]]).p == pytest.approx(expected)


def test_two_seeds_are_too_few() -> None:
    """Below three seeds there is no verdict, and one or no value has no interval."""
    assert against([0.1, 0.2], [5.0, 5.1]).word == "few"
    assert against([0.1], [5.0]).p == 1
    assert against([], []).word == "few"
    assert isnan(interval([0.1]).low)


def test_what_cannot_be_paired_is_refused() -> None:
    """Losses without a partner and unknown references are errors that name them."""
    with pytest.raises(ValueError, match=r"'a': 3, 'b': 2"):
        compare({"a": [0.1, 0.2, 0.3], "b": [0.1, 0.2]}, ["a"])
    with pytest.raises(ValueError, match=r"\['adamw'\]; there are \['a'\]"):
        compare({"a": [0.1, 0.2, 0.3]}, ["adamw"])


def test_losses_of_both_signs_have_no_per_cent() -> None:
    """Where losses cross zero a difference is no share of their mean; below zero it is again."""
    (crossing,) = compare({"a": [0.2, -0.1, -0.2], "b": [0.4, 0.1, 0.1]}, ["b"])
    assert isfinite(crossing.difference.mean) and isnan(crossing.percent.mean)
    (below,) = compare({"a": [-3.0, -2.0, -1.0], "b": [-2.0, -2.0, -2.0]}, ["b"])
    assert below.percent.mean == 0
